"""What a model believes along each descriptor through one candidate, and where its score is high."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.estimator import NotFittedError
from sozai.contracts.observations import Observations
from sozai.contracts.unit_headers import split_unit
from sozai.proposals.unit_cube import unit_cube

__all__ = ["PosteriorSlices", "fraction_groups", "posterior_slices"]

Array = NDArray[np.float64]

_PLACE = "posterior_slices"


@dataclass(frozen=True, eq=False, repr=False)
class PosteriorSlices:
    """Lines through one candidate, one along each descriptor.

    Attributes
    ----------
    curves : DataFrame
        ``objective, descriptor, value, mean, std``: the posterior with all other descriptors held at the
        candidate, in the user's unit; of fractions with a fixed sum the others keep their ratios.
    profile : DataFrame
        ``descriptor, value, score``: the highest score of all open candidates near that value, whatever
        their other descriptors.
    observed : DataFrame
        Measured candidates: descriptors, then results by the names of the objectives.
    x : dict of str to float
        The candidate.
    units : dict of str to (str or None)
        Of the objectives.

    Examples
    --------
    >>> PosteriorSlices(pd.DataFrame(), pd.DataFrame(), pd.DataFrame({"x": [0.0]}), {"x": 0.5}, {"y": None})
    PosteriorSlices(1 descriptor through x=0.5, 1 measured, objectives: y)
    """

    curves: pd.DataFrame
    profile: pd.DataFrame
    observed: pd.DataFrame
    x: dict[str, float]
    units: dict[str, str | None]

    def __repr__(self) -> str:
        at = ", ".join(f"{name}={value:.6g}" for name, value in self.x.items())
        n = len(self.x)
        goals = ", ".join(self.units)
        return (
            f"PosteriorSlices({n} descriptor{'s' * (n != 1)} through {at}, {len(self.observed)} measured, "
            f"objectives: {goals})"
        )

    def to_frame(self) -> pd.DataFrame:
        """The curves."""
        return self.curves


def posterior_slices(
    proposer: Any, observations: Observations, row: int, *, n_points: int = 65
) -> PosteriorSlices:
    """Posterior along each descriptor through one candidate, and the profile of the score.

    Parameters
    ----------
    proposer : BayesianProposer
        After a proposal of its model.
    observations : Observations
        Those it proposed from.
    row : int
        Candidate.
    n_points : int, default=65
        On each line, between the smallest and the largest value in the list; also the most values of a
        profile.

    Returns
    -------
    PosteriorSlices

    Raises
    ------
    NotFittedError
        When the last proposal was made without a model.
    InputError
        For a row that is not in the list, or fewer than two points.

    Notes
    -----
    Costs one posterior of ``n_points`` points for each descriptor and objective, whatever the length of the
    list, and one sort of the list for each descriptor. Columns of one unit (or all columns) that have the
    same sum in every candidate are fractions: where one grows, the others shrink in proportion, so that the
    line never leaves what can be made.

    Examples
    --------
    >>> from sozai.proposals.bayesian import BayesianProposer
    >>> from sozai.proposals.objectives import Objective
    >>> x = np.linspace(0, 1, 21)[:, None]
    >>> seen = Observations.of(x, {0: 0.0, 5: 1.0, 20: 0.2}, objectives=[Objective("y")], names=["x"])
    >>> proposer = BayesianProposer()
    >>> row = proposer.propose(seen, 1)[0].row
    >>> posterior_slices(proposer, seen, row, n_points=5).curves["value"].tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    models = list(getattr(proposer, "gp_", []))
    if not models:
        raise NotFittedError(
            sentence(_PLACE, "a proposal of the model", "have been made", remedy="Call propose or ask first.")
        )
    if not 0 <= row < len(observations.X):
        raise InputError(
            sentence(_PLACE, "row", f"be a row of the candidates (0 to {len(observations.X) - 1})", row)
        )
    if n_points < 2:
        raise InputError(sentence(_PLACE, "n_points", "be 2 or more", n_points))
    posteriors = proposer.posterior_ if isinstance(proposer.posterior_, list) else [proposer.posterior_]
    used = getattr(proposer, "_used", None) if len(models) != observations.n_objectives else None
    places = list(range(observations.n_objectives)) if used is None else list(used)
    low, high = observations.X.min(axis=0), observations.X.max(axis=0)
    lines = [np.linspace(a, b, n_points) for a, b in zip(low, high, strict=True)]
    Z = _in_cube(observations, row, lines)
    curves = []
    for model, posterior, k in zip(models, posteriors, places, strict=True):
        known = posterior.points(posterior.observed)
        both = model.posterior(np.concatenate([known, Z]), np.arange(len(known)))
        spread = np.sqrt(both.variance[len(known) :])
        mean, std = model.scale.to_user(both.mean[len(known) :], spread)
        name = observations.objectives[k].name
        for j, line in enumerate(lines):
            part = slice(j * n_points, (j + 1) * n_points)
            curves.append(
                pd.DataFrame(
                    {
                        "objective": name, "descriptor": observations.names[j], "value": line,
                        "mean": mean[part], "std": std[part],
                    }
                )
            )  # fmt: skip
    observed = pd.DataFrame(observations.X[observations.rows], columns=list(observations.names))
    observed = observed.assign(
        **{o.name: observations.Y[:, k] for k, o in enumerate(observations.objectives)}
    )
    return PosteriorSlices(
        pd.concat(curves, ignore_index=True),
        _profiles(observations, np.asarray(proposer.scores_, dtype=np.float64), n_points),
        observed,
        dict(zip(observations.names, observations.X[row].tolist(), strict=True)),
        {o.name: o.unit for o in observations.objectives},
    )


def _in_cube(observations: Observations, row: int, lines: list[Array]) -> Array:
    """Points of all lines in the unit cube of the candidates, one line after the other."""
    points = np.repeat(observations.X[row][None, :], sum(len(line) for line in lines), axis=0)
    groups = fraction_groups(observations)
    for j, line in enumerate(lines):
        part = points[j * len(line) : (j + 1) * len(line)]
        part[:, j] = line
        for others in ([k for k in group if k != j] for group in groups if j in group):
            rest = observations.X[row, others]
            shares = rest / rest.sum() if rest.sum() > 0 else np.full(len(others), 1.0 / len(others))
            part[:, others] = (rest.sum() + observations.X[row, j] - line)[:, None] * shares
    n = len(observations.X)
    more = np.arange(n, n + len(points))
    with warnings.catch_warnings():  # the proposer has said it
        warnings.simplefilter("ignore")
        Z = unit_cube(
            replace(
                observations,
                X=np.concatenate([observations.X, points]),
                closed=np.concatenate([observations.closed, more]),
                cost=None,
            ),
            place=_PLACE,
        )
    return Z[n:]


def fraction_groups(observations: Observations) -> list[list[int]]:
    """Columns that have the same sum in every candidate: all of them, or those of one unit.

    Parameters
    ----------
    observations : Observations

    Returns
    -------
    list of list of int

    Examples
    --------
    >>> X = np.array([[0.2, 0.8, 5.0], [0.5, 0.5, 6.0], [0.0, 1.0, 9.0]])
    >>> fraction_groups(Observations.of(X, {}, objectives=[], names=["Fe [at%]", "Co [at%]", "T [K]"]))
    [[0, 1]]
    """
    X = observations.X
    varied = [k for k in range(X.shape[1]) if np.ptp(X[:, k]) > 0]
    units: dict[str | None, list[int]] = {}
    for k in varied:
        units.setdefault(split_unit(observations.names[k])[1], []).append(k)
    return _fixed_sums(X, [varied]) or _fixed_sums(X, list(units.values()))


def _fixed_sums(X: Array, groups: list[list[int]]) -> list[list[int]]:
    """Groups of non-negative columns whose sum is the same in every row."""
    return [
        group
        for group in groups
        if len(group) > 1
        and (X[:, group] >= 0).all()
        and np.ptp(X[:, group].sum(axis=1)) <= 1e-3 * X[:, group].sum(axis=1).max()
    ]


def _profiles(observations: Observations, scores: Array, n_points: int) -> pd.DataFrame:
    """Highest score near each value of each descriptor."""
    parts = []
    for j, name in enumerate(observations.names):
        column = observations.X[:, j]
        values = np.unique(column)
        if len(values) > n_points:
            values = np.linspace(column.min(), column.max(), n_points)
        middles = (values[1:] + values[:-1]) / 2
        at = np.searchsorted(middles, column)
        best = np.full(len(values), -np.inf)
        np.maximum.at(best, at, scores)
        best = np.where(np.isfinite(best), best, np.nan)
        parts.append(pd.DataFrame({"descriptor": name, "value": values, "score": best}))
    return pd.concat(parts, ignore_index=True)
