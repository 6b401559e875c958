"""Published tables: found, checked, read; and a sentence where one of these fails."""

import functools
import gc
import http.server
import os
import shutil
import threading
import warnings
from dataclasses import replace

import numpy as np
import pytest

from sozai import datasets
from sozai.contracts.errors import InputError, MissingDataError
from sozai.datasets import fetch
from sozai.datasets.birth_certificate import read_certificate


def test_octet_binaries(data_folder):
    data = datasets.fetch_octet_binaries()
    assert data.frame.shape == (82, 23)
    assert round(float(np.std(data.target)), 4) == 0.4476  # eV/atom, printed
    assert data.units["energy_diff"] == "eV/atom"
    elements = set(data.frame["A"]) | set(data.frame["B"])
    radii = set(datasets.load_calculated_radii().frame["element"])
    assert len(elements) == 34
    assert elements <= radii


def test_binary_alloys(data_folder):
    frame = datasets.fetch_binary_alloys().frame
    assert list(frame) == ["A", "B", "x", "M_A", "Z_A", "M_B", "Z_B", "M_AB", "M_BA", "M"]
    assert frame.groupby("A", sort=False).size().to_dict() == dict.fromkeys(
        ["Sc", "Ti", "V", "Cr", "Mn", "Co", "Ni", "Cu", "Zn"], 11
    )
    assert set(frame["B"]) == {"Fe"}
    np.testing.assert_allclose(frame["x"], np.tile(np.arange(11) / 10, 9))
    assert frame.loc[5, "M"] == 0.3157


def test_binary_alloys_hold_the_printed_elements(data_folder):
    frame = datasets.fetch_binary_alloys().frame.drop_duplicates("A").set_index("A")
    printed = datasets.load_binary_alloy_elements().frame.set_index("element").drop(index="Fe")
    for full, rounded in [("M_A", "M_P"), ("Z_A", "Z"), ("M_AB", "M_I_in_Fe"), ("M_BA", "M_I_Fe_in")]:
        np.testing.assert_allclose(frame[full], printed.loc[frame.index, rounded], atol=6e-4)


def test_perovskites(data_folder):
    """Accuracies of the two tolerance factors, recomputed from the radii."""
    frame = datasets.fetch_perovskites().frame
    assert len(frame) == 576
    assert int((frame["label"] == 1).sum()) == 313
    t = (frame["r_A"] + frame["r_X"]) / (np.sqrt(2) * (frame["r_B"] + frame["r_X"]))
    assert round(float((t.between(0.825, 1.059) == (frame["label"] == 1)).mean()), 4) == 0.7378
    ratio = frame["r_A"] / frame["r_B"]
    tau = frame["r_X"] / frame["r_B"] - frame["n_A"] * (frame["n_A"] - ratio / np.log(ratio))
    assert round(float(((tau < 4.18) == (frame["label"] == 1)).mean()), 4) == 0.9167


def test_published_elements(data_folder):
    """What is documented about the published table: gaps filled without a flag, exact and near relations."""
    frame = datasets.fetch_kmd_elements().frame.set_index("element")
    assert frame.shape == (94, 58)
    assert frame.index[[0, -1]].to_list() == ["H", "Pu"]
    assert not frame.isna().any().any()
    assert round(frame.loc["H", "bulk_modulus"], 4) == 56.7996
    assert frame.loc["He", "electron_affinity"] == -19.7
    for total, part in [("num_valance", "valence"), ("num_unfilled", "unfilled")]:
        parts = frame[[f"num_{kind}_{part}" for kind in "spdf"]].sum(axis=1)
        np.testing.assert_array_equal(frame[total], parts)
    correlation = frame.corr()
    assert round(correlation.loc["gs_est_bcc_latcnt", "gs_est_fcc_latcnt"], 4) == 1.0
    assert round(correlation.loc["atomic_number", "atomic_weight"], 4) == 0.9987
    assert round(correlation.loc["dipole_polarizability", "Polarizability"], 4) == 0.9977


def test_formation_energies(data_folder):
    stable = datasets.fetch_stable_formulas()
    assert stable.frame.shape == (35463, 2)
    assert stable.frame.loc[0].to_list() == ["Zn2B2PbO6", -2.2554614698484854]
    assert stable.units["formation_energy"] == "eV/atom"
    crystals = datasets.fetch_formation_energies()
    assert crystals.frame.shape == (132752, 2)
    assert crystals.frame["formula"].nunique() == 106250
    assert crystals.target.dtype == float


def test_hypermaterials(data_folder):
    data = datasets.fetch_hypermaterials()
    assert data.target.value_counts().to_dict() == {"OTHERS": 10000, "QC": 80, "AC": 78}
    assert data.frame.loc[[0, 1, 158], "formula"].to_list() == [
        "Zn58Mg40Dy2",
        "Al88.6Cu19.4Li50.3",
        "Sr1Ag4Sb2",
    ]
    assert int(data.frame["for_test"].sum()) == 32 + 2002


def test_polymers(data_folder):
    frame = datasets.fetch_polymers().frame
    assert frame.shape == (500, 5)
    assert frame.loc[0].to_list() == ["C([*])C([*])(SCCC)", 5.2, 1.74, 1.04, 259]


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_missing_data_says_where_they_come_from(monkeypatch, folder):
    monkeypatch.setenv("SOZAI_DATA", folder)
    with pytest.raises(MissingDataError) as caught:
        datasets.fetch_octet_binaries()
    message = str(caught.value)
    assert "Phys. Rev. Lett. 114, 105503 (2015)" in message
    assert "symbolic/octet82.csv" in message
    assert "4eb3f15163c3" in message
    assert ("SOZAI_DATA is not set" in message) == (not folder)
    assert ("does not exist" in message) == bool(folder)


def test_a_changed_file_is_refused(monkeypatch, tmp_path):
    (tmp_path / "symbolic").mkdir()
    path = tmp_path / "symbolic" / "octet82.csv"
    path.write_text("A,B\n")
    monkeypatch.setenv("SOZAI_DATA", str(tmp_path))
    with pytest.raises(InputError, match="must have the SHA-256 4eb3f15163c3") as caught:
        datasets.fetch_octet_binaries()
    assert str(path) in str(caught.value)


def test_only_licensed_sets_have_an_address():
    with_address = {
        name
        for name in [
            "octet_binaries",
            "binary_alloys",
            "perovskites",
            "kmd_elements",
            "stable_formulas",
            "formation_energies",
            "hypermaterials",
            "polymers",
        ]
        if "url" in read_certificate(name).fields
    }
    assert with_address == {"perovskites"}
    assert read_certificate("perovskites").fields["licence"] == "MIT"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def address(tmp_path):
    """Address of a server on this machine that hands out one folder."""
    (tmp_path / "served").mkdir()
    handler = functools.partial(_Quiet, directory=tmp_path / "served")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
    with warnings.catch_warnings():  # a refused download leaves its socket to the collector
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _pointed_at(monkeypatch, tmp_path, url):
    certificate = read_certificate("perovskites")
    monkeypatch.setattr(
        fetch,
        "read_certificate",
        lambda name: replace(certificate, fields={**certificate.fields, "url": url}),
    )
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "cache")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("SOZAI_DATA", raising=False)


def test_a_licensed_set_is_downloaded_once(monkeypatch, tmp_path, address, data_folder):
    source = data_folder / "symbolic" / "bartel2019_TableS1_576_ABX3.csv"
    shutil.copy(source, tmp_path / "served" / "table.csv")
    os.chmod(tmp_path / "served" / "table.csv", 0o644)
    _pointed_at(monkeypatch, tmp_path, f"{address}/table.csv")
    assert len(datasets.fetch_perovskites().frame) == 576
    (tmp_path / "served" / "table.csv").unlink()
    assert len(datasets.fetch_perovskites().frame) == 576


@pytest.mark.parametrize("content", [None, "something else"])
def test_a_failed_download_is_missing_data(monkeypatch, tmp_path, address, content):
    if content is not None:
        (tmp_path / "served" / "table.csv").write_text(content)
    _pointed_at(monkeypatch, tmp_path, f"{address}/table.csv")
    with pytest.raises(MissingDataError, match="Science Advances 5, eaav0693") as caught:
        datasets.fetch_perovskites()
    assert f"{address}/table.csv failed" in str(caught.value)
    assert "Set SOZAI_DATA" in str(caught.value)
