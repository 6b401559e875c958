"""What scores of rows left out warn of: predictions no better than a guess, intervals that do not hold."""

from __future__ import annotations

from typing import Any

__all__ = ["class_doubts", "score_doubts"]

_CHANCE = 1e-3  # probability below which a coverage is not what chance makes of the level


def score_doubts(score: Any, target: str) -> list[str]:
    """Notes on a quantity whose left-out rows were predicted badly, or outside their intervals.

    Parameters
    ----------
    score : FoldScore
    target : str

    Returns
    -------
    list of str
        Empty where nothing speaks against the predictions: R2 is not negative, and the number of rows in
        their interval lies within the central 99.8 % of the binomial distribution of the level.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.numerics.table_prediction.left_out_rows import FoldScore
    >>> y, wrong = np.arange(20.0), np.arange(20.0)[::-1]
    >>> score = FoldScore.of(y, wrong, wrong - 1, wrong + 1, (np.arange(20),), "1 fold", level=0.9)
    >>> len(score_doubts(score, "gap"))
    2
    """
    from scipy.special import bdtr, bdtrc

    notes, n = [], len(score.predictions)
    if score.q2 < 0:
        notes.append(
            f"{target!r} of rows left out ({score.protocol}) is predicted worse than by the mean of all "
            f"measured values: R2 is {score.q2:.3g}. Do not rely on these predictions."
        )
    held = round(score.coverage * n)
    hold = f"The {100 * score.level:.3g} % intervals of {target!r} hold {held} of the {n} values left out"
    if bdtr(held, n, score.level) < _CHANCE:
        few = "fewer than chance explains: values like these lie outside more often than promised"
        notes.append(f"{hold} ({score.protocol}), {few}.")
    elif held and bdtrc(held - 1, n, score.level) < _CHANCE:
        notes.append(f"{hold} ({score.protocol}), more than chance explains: they are wider than need be.")
    return notes


def class_doubts(scores: Any, target: str) -> list[str]:
    """Note on classes that were found no better than by guessing where they were left out.

    Parameters
    ----------
    scores : DataFrame
        ``n, recall`` of every class.
    target : str

    Returns
    -------
    list of str
        A note where the mean recall is within two standard deviations of that of guessing, 1 over the
        number of classes.

    Examples
    --------
    >>> import pandas as pd
    >>> class_doubts(pd.DataFrame({"n": [50, 50], "recall": [0.5, 0.54]}), "phase")[0][:46]
    "Classes of 'phase' left out are found no bette"
    >>> class_doubts(pd.DataFrame({"n": [50, 50], "recall": [0.9, 0.8]}), "phase")
    []
    """
    guess, recall = 1.0 / len(scores), float(scores["recall"].mean())
    deviation = guess * float((guess * (1.0 - guess) / scores["n"]).sum()) ** 0.5
    if recall > guess + 2.0 * deviation:
        return []
    found = f"their mean recall is {recall:.3g}, that of a guess {guess:.3g}"
    said = f"Classes of {target!r} left out are found no better than by guessing: {found}."
    return [f"{said} Do not rely on these predictions."]
