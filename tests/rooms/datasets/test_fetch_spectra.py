"""Certified fits and photoemission spectra: found, checked, parsed."""

import shutil

import numpy as np
import pytest

from sozai import datasets
from sozai.contracts.errors import InputError, MissingDataError


@pytest.fixture(scope="module")
def problems(data_folder):
    return datasets.fetch_nist_problems()


def test_all_certified_problems(problems):
    assert len(problems) == 27
    levels = [problem.level for problem in problems.values()]
    assert [levels.count(level) for level in ("Lower", "Average", "Higher")] == [8, 11, 8]
    for name, problem in problems.items():
        n, p = len(problem.y), len(problem.certified)
        assert problem.name == name
        assert problem.x.shape == (n, 2 if name == "Nelson" else 1)
        assert problem.starts.shape == (2, p)
        assert problem.dof == n - p
        np.testing.assert_allclose(problem.residual_sd, np.sqrt(problem.residual_sum / (n - p)), rtol=1e-8)
        assert "b1" in problem.formula
        assert "\n" not in problem.formula


def test_printed_numbers_of_gauss1(problems):
    problem = problems["Gauss1"]
    assert problem.y.shape == (250,)
    assert [problem.y[0], problem.x[0, 0]] == [97.62227, 1.0]
    np.testing.assert_array_equal(problem.starts[:, 1], [0.009, 0.0105])
    assert problem.certified[3] == 67.481111276
    assert problem.certified[4] == 23.129773360
    assert problem.certified_sd[3] == 1.0460593412e-1
    assert problem.residual_sum == 1315.8222432
    assert problem.formula.startswith("y = b1*exp( -b2*x ) + b3*exp( -(x-b4)**2 / b5**2 ) + b6*exp(")


def test_certified_parameters_give_the_certified_residuals(problems):
    """The model written out by hand here, at the certified parameters."""
    g, h = problems["Gauss2"], problems["Hahn1"]
    b, x = g.certified, g.x[:, 0]
    model = b[0] * np.exp(-b[1] * x)
    model += b[2] * np.exp(-((x - b[3]) ** 2) / b[4] ** 2) + b[5] * np.exp(-((x - b[6]) ** 2) / b[7] ** 2)
    np.testing.assert_allclose(((g.y - model) ** 2).sum(), g.residual_sum, rtol=1e-9)
    b, x = h.certified, h.x[:, 0]
    model = np.polyval(b[3::-1], x) / np.polyval([*b[:3:-1], 1.0], x)
    np.testing.assert_allclose(((h.y - model) ** 2).sum(), h.residual_sum, rtol=1e-6)


def test_photoemission_files(data_folder):
    files = datasets.fetch_xps_spectra()
    assert len(files.paths) == 25
    assert repr(files) == "FileSet xps_spectra: 25 files"
    assert files.truth.to_dict("list") == {
        "position": [709.03, 715.73, 722.18, 730.22],
        "fwhm": [3.86, 7.89, 4.73, 7.88],
        "area": [63400.62, 29867.34, 42839.74, 15954.51],
    }
    assert [paper.key for paper in files.citation] == ["dench1988"]


@pytest.mark.parametrize("fetch", [datasets.fetch_nist_problems, datasets.fetch_xps_spectra])
def test_missing_files_say_where_they_come_from(monkeypatch, tmp_path, fetch):
    monkeypatch.setenv("SOZAI_DATA", "")
    with pytest.raises(MissingDataError, match=r"SOZAI_DATA is not set.*SHA-256"):
        fetch()
    monkeypatch.setenv("SOZAI_DATA", str(tmp_path))
    with pytest.raises(MissingDataError, match=r"does not exist.*spectra/"):
        fetch()


def test_a_changed_file_is_refused(monkeypatch, tmp_path, data_folder):
    shutil.copytree(data_folder / "spectra" / "nist_strd", tmp_path / "spectra" / "nist_strd")
    path = tmp_path / "spectra" / "nist_strd" / "ENSO.dat"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"\n")
    monkeypatch.setenv("SOZAI_DATA", str(tmp_path))
    with pytest.raises(InputError, match=r"ENSO\.dat must have the SHA-256"):
        datasets.fetch_nist_problems()
