"""What the drawings of two sources hold: bands, data near a slice, coupling, patterns, learning curves."""

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.displays import AssimilationDisplay, CouplingDisplay, PatternDisplay, TwoSourceDisplay


class Plane:
    """Source k is k + x + 10 y, known to 0.1."""

    coupling_ = np.array([[0.0, 0.0], [0.8, 0.0]])
    coupling_std_ = np.array([[0.0, 0.0], [0.1, 0.0]])
    source_names_ = ("calc", "expt")
    pattern_table_ = pd.DataFrame(
        {"terms": [("1",), ("1", "x"), ()], "log_evidence": [-4.0, -5.5, -9.0], "weight": [0.8, 0.17, 0.03]}
    )

    def predict(self, X, source=-1, return_std=False):
        X = np.asarray(X)
        return source + X[:, 0] + 10 * X[:, 1], np.full(len(X), 0.1)


X = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0], "y": [0.0, 0.05, 0.5, 1.0]})
Y = pd.DataFrame({"calc": [1.0, 2.0, np.nan, 4.0], "expt": [np.nan, 3.0, 4.0, np.nan]})


def test_a_slice_shows_curves_bands_and_the_data_near_it():
    display = AssimilationDisplay.from_estimator(Plane(), X, Y, at={"y": 0.0}, n=4, name="M", unit="T")
    np.testing.assert_allclose(display.x, [0, 1, 2, 3])
    np.testing.assert_allclose(display.curves["expt"][0], [1, 2, 3, 4])
    low, high = display.band("calc")
    np.testing.assert_allclose(high - low, 2 * 1.6448536 * 0.1)
    assert [part.tolist() for part in display.data["calc"]] == [[0.0, 1.0], [1.0, 2.0]]
    assert [part.tolist() for part in display.data["expt"]] == [[1.0], [3.0]]
    svg = display.to_svg()
    assert "M [T]" in svg
    assert "bands hold 90 %" in svg


def test_a_slice_of_an_array_along_the_second_column():
    display = AssimilationDisplay.from_estimator(Plane(), X.to_numpy(), Y.to_numpy(), along=1, n=3)
    assert display.descriptor == "x1"
    assert list(display.curves) == ["source 0", "source 1"]
    np.testing.assert_allclose(display.curves["source 0"][0], [1.5, 6.5, 11.5])


def test_a_known_truth_is_dashed():
    display = AssimilationDisplay(
        [0, 1], {"a": ([0, 1], [1, 1])}, data={"a": ([0.5], [0.4])}, truth={"a": [0.1, 0.9]}, level=0.5
    )
    assert "truth" in display.to_svg()
    np.testing.assert_allclose(display.band("a")[1] - [0, 1], 0.6745, atol=1e-4)


def test_coupling_lists_every_pair():
    display = CouplingDisplay.from_estimator(Plane())
    assert display.pairs == [("expt from calc", 0.8, 0.1)]
    three = CouplingDisplay(np.tril(np.ones((3, 3)), -1), np.full((3, 3), 0.2))
    assert [name for name, *_ in three.pairs] == [
        "source 1 from source 0", "source 2 from source 0", "source 2 from source 1",
    ]  # fmt: skip
    assert "before the data" in three.to_svg()


def test_patterns_come_with_the_heaviest_first():
    shown = PatternDisplay.from_estimator(Plane()).shown
    assert shown["terms"].tolist() == ["1", "1, x", ""]
    svg = PatternDisplay.from_estimator(Plane()).to_svg()
    assert "log evidence -1.5" in svg
    assert "none" in svg


def table(shift):
    return pd.DataFrame(
        {
            "repeat": [0] * 4 + [1] * 3,
            "round": [0, 0, 1, 2, 0, 0, 1],
            "spent": [1.0, 51.0, 101.0, 151.0, 1.0, 51.0, 101.0],
            "best": [np.nan, 1.0, 2.0, 4.0, np.nan, 2.0, 4.0],
        }
    ).assign(best=lambda frame: frame["best"] + shift)


def test_a_learning_curve_holds_the_last_value():
    display = TwoSourceDisplay.from_simulations({"m = 5": table(0), "m = 0": table(-1)}, optimum=4.0)
    np.testing.assert_array_equal(display.steps, [0, 1, 2])
    np.testing.assert_array_equal(display.curves["m = 5"], [[1, 2, 4], [2, 4, 4]])
    mean, low, high = display.band("m = 5")
    np.testing.assert_allclose(mean, [1.5, 3, 4])
    np.testing.assert_allclose(low, [1.25, 2.5, 4])
    np.testing.assert_allclose(high, [1.75, 3.5, 4])
    assert "m = 5 (2 repeats)" in display.to_svg()


def test_a_learning_curve_by_cost_begins_where_all_have_measured():
    display = TwoSourceDisplay.from_simulations({"m = 5": table(0)}, by="spent")
    assert (display.steps[0], display.steps[-1]) == (51.0, 151.0)
    assert display.curves["m = 5"][:, 0].tolist() == [1.0, 2.0]
    assert "cost so far" in display.to_svg()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: AssimilationDisplay([0, 1], {"a": ([0], [1])}), r"two arrays of 2 entries. Got (1, 1)"),
        (lambda: AssimilationDisplay([0], {}, data={"a": ([0, 1], [1])}), "arrays of one length. Got (2, 1)"),
        (lambda: AssimilationDisplay([0], {}, level=1.0), "level must lie between 0 and 1. Got 1.0"),
        (lambda: AssimilationDisplay.from_estimator(Plane(), X, Y, along="z"), "of ['x', 'y']. Got 'z'"),
        (lambda: CouplingDisplay([[1.0]], [[1.0]]), "shape (d, d), d of 2 or more. Got ((1, 1), (1, 1))"),
        (lambda: PatternDisplay(pd.DataFrame({"terms": []})), "Got 'log_evidence'"),
        (lambda: TwoSourceDisplay({"a": [[1]], "b": [[1, 2]]}), "same number of columns. Got [1, 2]"),
        (lambda: TwoSourceDisplay.from_simulations({}, by="time"), "be 'round' or 'spent'. Got 'time'"),
    ],
)  # fmt: skip
def test_wrong_input(make, words):
    with pytest.raises(InputError) as caught:
        make()
    assert words in str(caught.value)


def test_the_patterns_of_several_sources_have_a_line_each():
    long = "1+Co+T+Co^2+Co*T+T^2+Co^3+Co^2*T+Co*T^2+T^3"
    shown = pd.DataFrame(
        {"terms": [f"1+Co; {long}", "1; "], "log_evidence": [-1.0, -9.0], "weight": [0.9, 0.1]}
    )
    display = PatternDisplay(shown)
    figure = display.to_figure()
    ax = figure.axes[0]
    first, second = (label.get_text().splitlines() for label in ax.get_yticklabels())
    assert first[0] == "1+Co"
    assert (first[1][:6], "…" in first[1], second) == ("1+Co+T", True, ["1", "none"])
    figure.canvas.draw()
    right = ax.get_window_extent().x1
    assert all(text.get_window_extent().x1 <= right for text in ax.texts)


def test_the_legend_stands_above_the_axes_whatever_the_number_of_pairs():
    for d in (2, 3, 4):
        display = CouplingDisplay(np.tril(np.ones((d, d)), -1), np.tril(np.full((d, d), 0.1), -1))
        figure = display.to_figure()
        figure.canvas.draw()
        ax = figure.axes[0]
        assert ax.get_legend().get_window_extent().y0 >= ax.get_window_extent().y1 - 1
