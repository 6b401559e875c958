"""Several candidates at once: how the second knows of the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from sozai.contracts.errors import InputError, sentence
from sozai.proposals.acquisition import Acquisition, NoisyExpectedImprovement
from sozai.proposals.pool_scores import PoolScorer

__all__ = ["Batch", "ConstantLiar", "Fantasies", "LocalPenalty", "Thompson", "TopScores", "as_batch"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

#: Pretended values of a number, where a user names none.
_VALUES = 64


class Batch:
    """How candidates are chosen one after the other, without results in between."""

    def rule(self, acquisition: Acquisition) -> Acquisition:
        """What candidates are scored by: the acquisition, unless functions are drawn in its place."""
        return acquisition

    def scores(self, scorer: PoolScorer, chosen: list[int]) -> tuple[Rows, Array]:
        """Candidates and their scores, given what is running or chosen; all candidates or a short list."""
        raise NotImplementedError

    def _plain(self, scorer: PoolScorer, chosen: list[int]) -> tuple[Rows, Array]:
        """Scores with the deviation reduced by the chosen ones, averaged over parameters."""
        if scorer.acquisition.draws:
            return np.arange(len(scorer.Z)), scorer.drawn(len(chosen))
        plain = scorer.plain(chosen)
        averages = len(scorer.fitted.draws.weights) > 1
        if not averages and not isinstance(scorer.acquisition, NoisyExpectedImprovement):
            return np.arange(len(scorer.Z)), plain
        listed = scorer.short_list(plain, chosen)
        return listed, scorer.averaged(listed, [], 0)


@dataclass(frozen=True)
class Fantasies(Batch):
    r"""Average over values that the running and chosen candidates may turn out to have.

    Parameters
    ----------
    n : int, optional
        Pretended values of each: 64 of a number, the most probable one of a phase where left out. More
        than one label of a phase are drawn by their probability, and the scores averaged.

    Notes
    -----
    The variance after a measurement does not depend on its value; k values therefore cost one row r of the
    posterior, :math:`M \leftarrow M + r\epsilon`, :math:`\epsilon \sim N(0, 1)^k`, and no copy of
    the model [1]_. The score is the logarithm of the mean over the k histories, whose values come in pairs
    on both sides of the mean. For the expected improvement a bound tells which few candidates need it
    (:func:`~sozai.numerics.pretended_improvement.log_improvement_bound`); the choice is that of all.

    References
    ----------
    .. [1] J. Snoek, H. Larochelle, R. P. Adams, Practical Bayesian optimization of machine learning
       algorithms, NIPS (2012).

    Examples
    --------
    >>> Fantasies(), Fantasies(16).n
    (Fantasies(n=None), 16)
    """

    n: int | None = None

    def __post_init__(self) -> None:
        if self.n is not None and (
            isinstance(self.n, bool) or not isinstance(self.n, (int, np.integer)) or self.n < 1
        ):
            raise InputError(sentence("Fantasies", "n", "be a whole number of 1 or more", self.n))

    def scores(self, scorer: PoolScorer, chosen: list[int]) -> tuple[Rows, Array]:
        """Scores averaged over pretended values."""
        if not chosen or scorer.acquisition.draws:
            return self._plain(scorer, chosen)
        if isinstance(scorer, PoolScorer) and scorer.is_bounded:
            return scorer.best_pretended(chosen, self.n or _VALUES)
        listed = scorer.short_list(scorer.plain(chosen), chosen)
        return listed, scorer.averaged(listed, chosen, self.n or _VALUES)


@dataclass(frozen=True)
class ConstantLiar(Batch):
    """Pretend that every running and chosen candidate gives one and the same value.

    Parameters
    ----------
    value : {"worst", "mean", "best"}, default="worst"
        Of the results so far; the worse, the farther apart the candidates.

    Examples
    --------
    >>> ConstantLiar("best").value
    'best'
    """

    value: str = "worst"

    def __post_init__(self) -> None:
        if self.value not in ("worst", "mean", "best"):
            raise InputError(sentence("ConstantLiar", "value", "be 'worst', 'mean' or 'best'", self.value))

    def scores(self, scorer: PoolScorer, chosen: list[int]) -> tuple[Rows, Array]:
        """Scores after the lie."""
        if not chosen or scorer.acquisition.draws:
            return self._plain(scorer, chosen)
        rule = {"worst": np.min, "mean": np.mean, "best": np.max}[self.value]
        listed = scorer.short_list(scorer.plain(chosen), chosen)
        return listed, scorer.averaged(listed, chosen, 1, lie=scorer.lie(rule))


@dataclass(frozen=True)
class LocalPenalty(Batch):
    r"""Keep away from running and chosen candidates as far as the function is steep.

    Notes
    -----
    A ball around a chosen candidate j cannot hold the best value M if
    :math:`|z - z_j| < (M - \mu_j)/\lambda`, :math:`\lambda` the largest slope of the mean;
    the score is added :math:`\log\Phi((\lambda|z - z_j| - M + \mu_j)/\sigma_j)` for each [1]_. The
    slope is estimated over the short list.

    References
    ----------
    .. [1] J. González, Z. Dai, P. Hennig, N. Lawrence, Batch Bayesian optimization via local penalization,
       AISTATS (2016), arXiv:1505.08052.

    Examples
    --------
    >>> LocalPenalty()
    LocalPenalty()
    """

    def scores(self, scorer: PoolScorer, chosen: list[int]) -> tuple[Rows, Array]:
        """Scores with penalties."""
        rows, scores = self._plain(scorer, [])
        if not chosen or scorer.acquisition.draws:
            return rows, scores
        best = float(scorer.mean[scorer.rows].max())
        slope = _steepest(scorer, scorer.short_list(scorer.plain([]), []))
        for row in chosen:
            distance = np.sqrt(((scorer.Z[rows] - scorer.Z[row]) ** 2).sum(axis=1))
            scores = scores + log_ndtr((slope * distance - best + scorer.mean[row]) / scorer.std[row])
        return rows, scorer.finish(scores - (0.0 if scorer.extra is None else scorer.extra[rows]), rows)


@dataclass(frozen=True)
class TopScores(Batch):
    """The best scores, as if nothing were learned in between; running candidates are only left out.

    Examples
    --------
    >>> TopScores()
    TopScores()
    """

    def scores(self, scorer: PoolScorer, chosen: list[int]) -> tuple[Rows, Array]:
        """Scores without any regard to the chosen ones."""
        return self._plain(scorer, [])


@dataclass(frozen=True)
class Thompson(Batch):
    """Every member is the best candidate of a function of its own, drawn from the posterior.

    Examples
    --------
    >>> Thompson()
    Thompson()
    """

    def rule(self, acquisition: Acquisition) -> Acquisition:
        """The rule of drawn functions."""
        return acquisition.drawn()

    def scores(self, scorer: PoolScorer, chosen: list[int]) -> tuple[Rows, Array]:
        """One drawn function."""
        return self._plain(scorer, chosen)


def _steepest(scorer: PoolScorer, rows: Rows) -> float:
    """Largest slope of the posterior mean over some candidates, by central differences."""
    fitted, step = scorer.fitted, 1e-4
    points, n = scorer.Z[rows], len(scorer.rows)
    squared = np.zeros(len(rows))
    for column in range(points.shape[1]):
        shift = np.zeros(points.shape[1])
        shift[column] = step
        both = np.concatenate([scorer.Z[scorer.rows], points + shift, points - shift])
        mean = fitted.posterior(both, np.arange(n)).mean[n:]
        squared += ((mean[: len(rows)] - mean[len(rows) :]) / (2.0 * step)) ** 2
    return float(np.sqrt(squared.max()))


_BY_NAME: dict[str, type[Batch]] = {
    "fantasies": Fantasies,
    "liar": ConstantLiar,
    "penalty": LocalPenalty,
    "top": TopScores,
    "thompson": Thompson,
}


def as_batch(batch: Any, *, place: str) -> Batch:
    """Batch rule from an object or the name of one's defaults.

    Examples
    --------
    >>> as_batch("liar", place="ask")
    ConstantLiar(value='worst')
    """
    if isinstance(batch, Batch):
        return batch
    if isinstance(batch, str) and batch in _BY_NAME:
        return _BY_NAME[batch]()
    raise InputError(
        sentence(place, "batch", f"be a batch object or one of {', '.join(_BY_NAME)}", batch,
                 remedy="Write Fantasies().")
    )  # fmt: skip
