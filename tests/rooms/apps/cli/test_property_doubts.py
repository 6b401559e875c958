import numpy as np
import pandas as pd
import pytest

from sozai.apps.cli.property_doubts import class_doubts, score_doubts
from sozai.numerics.table_prediction.left_out_rows import FoldScore


def score(n_held, q2=0.5, n=100, level=0.9):
    """Score of n rows of which n_held lie in their interval."""
    zeros = np.zeros(n)
    return FoldScore(1.0, 0.1, 1.0, q2, n_held / n, level, "7 folds of rows", zeros, zeros, zeros, ())


@pytest.mark.parametrize(("n_held", "said"), [(90, ""), (80, ""), (98, ""), (78, "fewer"), (99, "more")])
def test_coverage_is_doubted_outside_the_binomial_range(n_held, said):
    # binomial, 100 rows at 90 %: at most 80 with probability 0.0020, 78 with 0.0003; at least 98 with 0.0019,
    # 99 with 0.0003
    notes = score_doubts(score(n_held), "gap")
    assert len(notes) == bool(said)
    for note in notes:
        assert f"The 90 % intervals of 'gap' hold {n_held} of the 100 values left out" in note
        assert f"{said} than chance explains" in note
        assert "7 folds of rows" in note


def test_negative_r2_is_doubted():
    (note,) = score_doubts(score(90, q2=-0.25), "gap")
    assert "worse than by the mean of all measured values: R2 is -0.25" in note
    assert score_doubts(score(90, q2=float("nan")), "gap") == []


def test_classes_found_no_better_than_by_guessing_are_doubted():
    # two classes of 50: the mean recall of a guess has a standard deviation of 0.05
    assert class_doubts(pd.DataFrame({"n": [50, 50], "recall": [0.7, 0.52]}), "phase") == []
    (note,) = class_doubts(pd.DataFrame({"n": [50, 50], "recall": [0.7, 0.48]}), "phase")
    assert "mean recall is 0.59, that of a guess 0.5" in note
