"""Bundled tables: printed numbers, units, and files that are what their description says."""

import hashlib
import math
import re
from importlib import resources

import numpy as np
import pytest

from sozai import datasets
from sozai.contracts.errors import InputError
from sozai.datasets import birth_certificate
from sozai.datasets.birth_certificate import read_certificate

LOADERS = [
    datasets.load_assimilation_example,
    datasets.load_oxidation_states,
    datasets.load_triangle_area,
    datasets.load_hydrogen_lines,
    datasets.load_binary_alloy_elements,
    datasets.load_calculated_radii,
    datasets.load_planets,
    datasets.load_nist_peaks,
    datasets.load_shannon_radii,
    datasets.load_elements,
]
HOME = resources.files("sozai.datasets")
NAMES = sorted(path.name.removesuffix(".md") for path in (HOME / "descriptions").iterdir())


@pytest.mark.parametrize("loader", LOADERS, ids=lambda loader: loader.__name__)
def test_every_loader_returns_one_form(loader):
    data = loader()
    assert list(data.units) == list(data.frame.columns)
    assert list(data.features.columns) == list(data.feature_names)
    assert data.description.startswith("# ")
    assert len(data.citation) >= 1
    assert (data.target is None) == (data.target_name is None)
    assert repr(data).startswith(f"Dataset {data.name}: {len(data.frame)} rows")
    assert "\n" not in repr(data)


def test_a_loaded_table_is_the_caller_s_own():
    first = datasets.load_triangle_area()
    first.frame["area"] = 0.0
    features = first.features
    features["base"] = 0.0
    assert datasets.load_triangle_area().frame["area"].sum() > 0
    assert first.frame["base"].sum() > 0
    with pytest.raises(AttributeError):
        first.name = "other"
    with pytest.raises(TypeError):
        first.units["area"] = "m2"


@pytest.mark.parametrize("name", NAMES)
def test_every_description_is_complete(name):
    certificate = read_certificate(name)
    fields = certificate.fields
    assert {"file", "sha256", "source", "licence", "citation", "features"} <= set(fields)
    assert re.fullmatch("[0-9a-f]{64}", fields["sha256"])
    names = [column.name for column in certificate.columns]
    assert set(fields["features"].split(", ")) <= set(names)
    assert fields.get("target", names[0]) in names
    assert len(set(names)) == len(names)
    assert all(column.meaning for column in certificate.columns)


def test_every_bundled_file_has_a_description_and_the_header_it_names():
    described = {read_certificate(name).fields["file"]: read_certificate(name) for name in NAMES}
    for path in (HOME / "data").iterdir():
        certificate = described[path.name]
        payload = path.read_bytes()
        assert hashlib.sha256(payload).hexdigest() == certificate.fields["sha256"]
        header = payload.decode("utf-8").splitlines()[0].split(",")
        assert header == [column.label for column in certificate.columns]
        written = [
            column.name + (f" [{column.unit}]" if column.unit else "") for column in certificate.columns
        ]
        assert header == written


def test_a_changed_file_is_refused_with_both_hashes(monkeypatch):
    certificate = read_certificate("triangle_area")
    with pytest.raises(InputError) as caught:
        certificate.check(b"area,base,height\n", "load_triangle_area", "triangle_area.csv")
    message = str(caught.value)
    assert certificate.fields["sha256"] in message
    assert hashlib.sha256(b"area,base,height\n").hexdigest() in message
    assert "triangle_area.csv" in message
    assert birth_certificate.read_certificate("triangle_area") == certificate


def test_triangles_are_triangles():
    frame = datasets.load_triangle_area().frame
    assert frame.shape == (20, 3)
    np.testing.assert_allclose(frame["base"] * frame["height"] / 2, frame["area"], atol=2e-4)
    assert frame["area"].iloc[-1] == 0.1341


def test_hydrogen_obeys_rydberg_within_the_fine_structure():
    frame = datasets.load_hydrogen_lines().frame
    rydberg_of_hydrogen = 10_967_758.34  # 1/m
    wave_number = rydberg_of_hydrogen * (1 / frame["n1"] ** 2 - 1 / frame["n2"] ** 2)
    relative = frame["wavelength"] * 1e-9 * wave_number - 1
    assert relative.between(-1.4e-5, -2.5e-6).all()
    # the ground state lies 1.19 / 109678.77 deeper than R_H; alpha^2 (1 - 3/4) and its Lamb shift
    np.testing.assert_allclose(relative[frame["n1"] == 1], -1.1e-5, atol=1.0e-6)


def test_hydrogen_agrees_with_other_published_vacuum_wavelengths():
    """Lyman: Morton, Astrophys. J. Suppl. 149, 205 (2003). Balmer: NIST Atomic Spectra Database."""
    frame = datasets.load_hydrogen_lines().frame.set_index(["n1", "n2"])["wavelength"]
    lyman = [121.56701, 102.57223, 97.25368, 94.97431, 93.78035, 93.07483, 92.62257]
    np.testing.assert_allclose(frame.loc[1].to_numpy(), lyman, rtol=2e-7)
    balmer = [656.460, 486.271, 434.1692, 410.2892, 397.1198, 389.0166, 383.6485]
    np.testing.assert_allclose(frame.loc[2].to_numpy(), balmer, rtol=6e-6)


def test_air_was_taken_out_where_the_handbook_is_in_air():
    frame = datasets.load_hydrogen_lines().frame
    ratio = frame["wavelength"] / frame["printed_wavelength"]
    assert (ratio[frame["medium"] == "vacuum"] == 1).all()
    assert ratio[frame["medium"] == "air"].between(1.000272, 1.000285).all()
    assert (frame.loc[frame["medium"] == "vacuum", "series"] == "Lyman").all()


def test_alloy_elements_are_the_printed_ones():
    frame = datasets.load_binary_alloy_elements().frame.set_index("element")
    assert frame["Z"].to_list() == list(range(3, 13))
    assert frame.loc["Fe", "M_P"] == 2.260
    assert frame.loc["Mn"].to_list() == [0.937, 7, -1.769, 2.387]
    assert list(frame.index[frame.isna().any(axis=1)]) == ["Fe"]


def test_radii_cover_the_octet_elements():
    radii = datasets.load_calculated_radii().frame.set_index("element")["radius"]
    assert len(radii) == 82
    assert radii.loc[["H", "C", "Si", "Cs"]].to_list() == [0.53, 0.67, 1.11, 2.98]
    assert not radii.isna().any()
    assert datasets.load_calculated_radii().units == {"element": None, "radius": "Å"}


def test_planets_obey_kepler():
    planets = datasets.load_planets()
    frame = planets.frame
    assert frame["planet"].to_list() == [
        "Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune",
    ]  # fmt: skip
    np.testing.assert_allclose(frame["a"] ** 3, frame["T"] ** 2, rtol=1.5e-3)
    assert frame["T"].to_list()[2::5] == [1.000017, 164.791]
    assert planets.units == {"planet": None, "a": "AU", "T": "yr"}


def test_nist_peaks_leave_the_certified_residual():
    data = datasets.load_nist_peaks()
    rows = re.findall(r"^\| (Gauss\d) \| (.*) \|$", data.description, re.MULTILINE)
    assert [name for name, _ in rows] == ["Gauss1", "Gauss2", "Gauss3"]
    for name, numbers in rows:
        *b, squares = map(float, numbers.split(" | "))
        frame = data.frame[data.frame["problem"] == name]
        x, y = frame["x"].to_numpy(), frame["y"].to_numpy()
        curve = b[0] * np.exp(-b[1] * x)
        curve += b[2] * np.exp(-(((x - b[3]) / b[4]) ** 2)) + b[5] * np.exp(-(((x - b[6]) / b[7]) ** 2))
        assert np.sum((y - curve) ** 2) == pytest.approx(squares, rel=1e-10)
    first = data.frame.iloc[0]
    assert (first["x"], first["y"]) == (1.0, 97.62227)


def test_labels_can_carry_the_units():
    table = datasets.load_hydrogen_lines().to_frame()
    assert "wavelength [nm]" in table
    assert math.isclose(table["wavelength [nm]"].iloc[0], 121.567004)
