"""The class map: one formula, two formulas, log-odds of three; what lies outside the frame is counted."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.displays.class_map import ClassMapDisplay

LABELS = np.repeat(["oxide", "halide"], 20)
VALUES = np.vstack([np.linspace(0, 1, 40), np.r_[np.linspace(0, 1, 20), np.linspace(2, 3, 20)]])


class Law:
    """A fitted classifier as the display meets it."""

    classes_ = np.array(["halide", "oxide"])
    rule_ = "oxide if a < 0.5, else halide"

    def __init__(self, n_terms):
        self.names = ["a", "b", "c"][:n_terms]
        self.boundary_ = SimpleNamespace(
            margins=lambda values: np.column_stack([values[0] - 0.5, 0 * values[0]])
        )

    def term_values(self, X):
        return X[self.names]

    def decision_function(self, X):
        return 0.5 - X["a"].to_numpy()


TABLE = pd.DataFrame({"a": VALUES[0], "b": VALUES[1], "c": 0.0})


@pytest.mark.parametrize("n_terms", [1, 2, 3])
def test_a_law_is_drawn_with_its_rule_and_regions(n_terms):
    shown = ClassMapDisplay.from_estimator(Law(n_terms), TABLE, LABELS).plot()
    assert shown.ax_.get_title(loc="left").startswith("oxide if a < 0.5")
    assert len(shown.ax_.collections) >= 2
    image = shown.ax_.images[0].get_array()
    assert set(np.unique(image)) == {0, 1}
    wanted = "log-odds of oxide" if n_terms == 3 else "a"
    assert shown.ax_.get_xlabel() == wanted
    assert (shown.ax_.get_ylabel() == "b") == (n_terms == 2)
    assert "<svg" in ClassMapDisplay.from_estimator(Law(n_terms), TABLE, LABELS).to_svg("map")


def test_samples_far_from_the_quartiles_are_counted_not_drawn_to():
    values = VALUES[:1].copy()
    values[0, 3] = 1e6
    shown = ClassMapDisplay(values, LABELS, ["a"])
    assert shown.n_outside == 1
    assert shown.limits[0][1] < 2
    assert "1 of 40 samples outside the frame" in shown.plot().ax_.get_title(loc="left")
    assert ClassMapDisplay(np.full((1, 40), 2.0), LABELS, ["a"]).n_outside == 0


def test_six_classes_have_their_own_rows():
    labels = np.arange(42) % 6
    shown = ClassMapDisplay([np.linspace(0, 1, 42)], labels, ["a"]).plot()
    assert [tick.get_text() for tick in shown.ax_.get_yticklabels()] == ["0", "1", "2", "3", "4", "5"]


def test_what_is_refused():
    with pytest.raises(InputError, match=r"one or two formulas of 40 samples. Got 'shape \(3, 40\)'"):
        ClassMapDisplay(np.ones((3, 40)), LABELS, ["a", "b", "c"])
    with pytest.raises(InputError, match=r"one entry per formula \(2\). Got 1"):
        ClassMapDisplay(VALUES, LABELS, ["a"])
    with pytest.raises(InputError, match=r"Got '0 formulas and 2 classes'"):
        ClassMapDisplay.from_estimator(Law(0), TABLE, LABELS)
