"""Bundled table of ionic radii: printed numbers."""

import pytest

from sozai.datasets import load_shannon_radii


@pytest.fixture(scope="module")
def frame():
    return load_shannon_radii().frame


@pytest.mark.parametrize(
    ("element", "charge", "coordination", "spin", "radius"),
    [
        ("O", -2, 6, "", 1.40),
        ("Na", 1, 6, "", 1.02),
        ("La", 3, 12, "", 1.36),
        ("Fe", 3, 6, "high", 0.645),
        ("Fe", 3, 6, "low", 0.55),
        ("Eu", 3, 7, "", 1.01),
        ("H", 1, 1, "", -0.38),
    ],
)
def test_printed_radii(frame, element, charge, coordination, spin, radius):
    here = (frame["element"] == element) & (frame["charge"] == charge) & (frame["spin"] == spin)
    assert frame.loc[here & (frame["coordination"] == coordination), "radius"].tolist() == [radius]


def test_size_and_words(frame):
    assert len(frame) == 492
    assert frame["element"].nunique() == 94
    assert set(frame["geometry"]) == {"", "square planar", "pyramidal"}
    assert set(frame["spin"]) == {"", "high", "low"}
    assert not frame.duplicated(["element", "charge", "coordination", "geometry", "spin"]).any()


def test_radius_grows_with_neighbors_but_for_trivalent_antimony(frame):
    usual = frame[(frame["geometry"] == "") & (frame["spin"] == "")].sort_values("coordination")
    grows = usual.groupby(["element", "charge"])["radius"].agg(lambda radii: radii.is_monotonic_increasing)
    assert grows.index[~grows.astype(bool)].tolist() == [("Sb", 3)]


def test_unit():
    assert load_shannon_radii().units["radius"] == "Å"
