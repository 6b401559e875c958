"""Maps of compositions and kernel-mean profiles say what they draw, and refuse what they cannot."""

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.displays import CompositionMapDisplay, KernelMeanProfileDisplay

FEATURES = ["Z", "Z", "Z", "radius", "radius", "radius"]
PROFILES = [[1.0, 0.0, 0.0, 0.5, 0.5, 0.0], [0.0, 1.0, 0.0, 0.5, 0.4, 0.1]]


class Descriptor:
    """A fitted descriptor as a display meets it."""

    grid_ = pd.DataFrame(
        {
            "feature": FEATURES,
            "value": [1.0, 50.0, 100.0, 30.0, 150.0, 270.0],
            "unit": [None] * 3 + ["pm"] * 3,
        }
    )

    def transform(self, formulas):
        return np.array(PROFILES)[: len(formulas)]


def test_profile_draws_the_features_that_differ_most():
    display = KernelMeanProfileDisplay.from_descriptor(Descriptor(), ["LiF", "CsI"], shown=1)
    assert display.chosen == ("Z",)
    assert display.differences()["Z"] == pytest.approx(np.sqrt(2 / 3))
    assert display.differences()["radius"] == pytest.approx(np.sqrt(0.02 / 3))
    svg = display.to_svg()
    assert "LiF" in svg
    assert "1 to 100" in svg
    named = KernelMeanProfileDisplay.from_descriptor(Descriptor(), ["LiF", "CsI"], shown=["radius"])
    assert "30 to 270 pm" in named.to_svg()


def test_profile_of_all_features_is_a_strip():
    svg = KernelMeanProfileDisplay(PROFILES, FEATURES, ["LiF", "CsI"]).to_svg()
    assert "less or more than LiF" in svg
    assert "radius" in svg
    assert "LiF" in KernelMeanProfileDisplay(PROFILES[:1], FEATURES, ["LiF"]).to_svg()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: KernelMeanProfileDisplay(PROFILES, FEATURES[:5], ["a", "b"]), r"each of the 5 .* \(2, 6\)"),
        (lambda: KernelMeanProfileDisplay(PROFILES, FEATURES, ["a", "b"], shown=["mass"]), "Got 'mass'"),
        (lambda: KernelMeanProfileDisplay(PROFILES, FEATURES, ["a", "b"], shown=[]), "2 features"),
        (lambda: CompositionMapDisplay([[0.0, 1.0, 2.0]]), r"shape \(n, 2\)'?\. Got 'shape \(1, 3\)'"),
        (lambda: CompositionMapDisplay([[0.0, np.nan]]), "NaN or infinity"),
        (lambda: CompositionMapDisplay([[0.0, 1.0]], values=[1, 2]), r"one entry per point \(1\)\. Got 2"),
        (lambda: CompositionMapDisplay([[0.0, 1.0]], new=[[0, 0]], in_domain=[]), r"\(1\)\. Got 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_its_numbers(make, said):
    with pytest.raises(InputError, match=said):
        make()


def test_profile_refuses_a_descriptor_without_grid_columns():
    class Isometric(Descriptor):
        def transform(self, formulas):
            return np.zeros((len(formulas), 4))

    with pytest.raises(InputError, match=r"one column for each of its 6 grid points\. Got 4"):
        KernelMeanProfileDisplay.from_descriptor(Isometric(), ["LiF"])


def test_map_takes_the_directions_of_largest_spread():
    rng = np.random.default_rng(0)
    flat = np.column_stack([3 * rng.normal(size=200), rng.normal(size=200), 0.1 * rng.normal(size=200)])
    turned = flat @ np.linalg.qr(rng.normal(size=(3, 3)))[0]
    display = CompositionMapDisplay.from_coordinates(turned, new_coordinates=turned[:2])
    assert display.shares[0] == pytest.approx(0.9, abs=0.03)
    assert sum(display.shares) == pytest.approx(1.0, abs=0.01)
    np.testing.assert_allclose(display.new, display.points[:2])
    gaps = np.linalg.norm(display.points[0] - display.points[1:], axis=1)
    np.testing.assert_allclose(gaps, np.linalg.norm(flat[0] - flat[1:], axis=1), atol=0.3)


def test_map_of_numbers_marks_new_formulas_in_and_out():
    points = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    display = CompositionMapDisplay(
        points, values=[1.0, np.nan, 3.0], name="gap", unit="eV", new=[[0.1, 0.1], [5.0, 5.0]],
        in_domain=[True, False], new_labels=["MgO", "UF6"], shares=(0.7, 0.2),
    )  # fmt: skip
    svg = display.to_svg()
    assert "gap [eV]" in svg
    assert "1 new, in the domain" in svg
    assert "1 new, outside" in svg
    assert "UF6" in svg
    assert "MgO" not in svg
    assert "no value" in svg
    assert "principal axis 1 (70 % of the spread)" in svg


def test_map_of_classes_names_the_frequent_ones():
    labels = ["a"] * 6 + ["b"] * 5 + ["c"] * 4 + ["d"] * 3 + ["e"] * 2 + ["f", "g"]
    points = np.random.default_rng(0).normal(size=(len(labels), 2))
    display = CompositionMapDisplay(points, values=labels)
    assert display.is_class
    svg = display.to_svg()
    assert "2 other classes" in svg
    assert CompositionMapDisplay(points, values=np.array(labels) == "a").is_class


def test_map_of_one_column_or_equal_formulas_is_a_point():
    display = CompositionMapDisplay.from_coordinates([[1.0], [1.0]])
    assert display.points.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert display.to_svg().startswith("<svg")
