"""Other classifiers on the same rows and folds: what a short rule costs, and what it is worth."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.output import quiet

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.table_reading import Reading

__all__ = ["compare_classifiers"]


def compare_classifiers(
    test: Any, reading: Reading, seed: int, update: Callable[[str], object] = lambda text: None
) -> pd.DataFrame:
    """Score other classifiers on the folds by which the rule was tested.

    Parameters
    ----------
    test : NestedAccuracy
        Of the rule.
    reading : Reading
    seed : int
        Of what is random in them.
    update : callable
        Takes a line of progress.

    Returns
    -------
    DataFrame
        One row a method: ``method, accuracy, low, high, balanced_accuracy, log_loss, gains, losses,
        seconds``; gains are rows it gets right and the rule does not, losses the other way round.
    """
    import numpy as np
    import pandas as pd

    from sozai.symbolic import nested_accuracy

    everything = np.arange(len(reading.y))
    folds = [(np.setdiff1d(everything, fold), fold) for fold in test.folds]
    rows = [_record("short rule", test, test, float("nan"))]
    for name, method in _methods(seed).items():
        update(f"comparing: {name}")
        start = time.perf_counter()
        with quiet():  # a classifier that did not converge is scored as it is
            score = nested_accuracy(
                method, reading.X.to_numpy(), reading.y, folds, reading.groups, progress=False
            )
        rows.append(_record(name, score, test, time.perf_counter() - start))
    return pd.DataFrame(rows).sort_values("accuracy", ascending=False, kind="stable", ignore_index=True)


def _methods(seed: int) -> dict[str, Any]:
    """List linear, shallow and black-box classifiers, and no rule at all."""
    from sklearn.dummy import DummyClassifier
    from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    return {
        "logistic regression, columns as they are": make_pipeline(
            StandardScaler(), LogisticRegression(max_iter=1000)
        ),
        "decision tree of depth 3": DecisionTreeClassifier(max_depth=3, random_state=seed),
        "randomized trees": ExtraTreesClassifier(300, random_state=seed),
        "boosted trees": HistGradientBoostingClassifier(random_state=seed),
        "always the largest class": DummyClassifier(strategy="prior"),
    }


def _record(name: str, score: Any, rule: Any, seconds: float) -> dict[str, Any]:
    """Figures of one method beside the rule."""
    low, high = score.interval()
    seen = score.seen & rule.seen
    right, ruled = ((one.predictions == one.truth)[seen] for one in (score, rule))
    return {
        "method": name,
        "accuracy": score.accuracy,
        "low": low,
        "high": high,
        "balanced_accuracy": score.balanced_accuracy,
        "log_loss": score.log_loss,
        "gains": int((right & ~ruled).sum()),
        "losses": int((ruled & ~right).sum()),
        "seconds": seconds,
    }
