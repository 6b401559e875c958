"""Scores of several objectives at once: what a candidate may add to the front of the best compromises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.numerics.hypervolume import FreeBoxes, free_boxes, front_depth, hypervolume, nondominated_rank
from sozai.numerics.improvement import log_expected_improvement
from sozai.proposals.acquisition import Acquisition, ThompsonSampling
from sozai.proposals.pareto import (
    log_expected_hypervolume_improvement,
    log_probability_beyond,
    nondominated,
    reference_point,
)

__all__ = [
    "ExpectedHypervolumeImprovement",
    "Front",
    "HypervolumeProbability",
    "HypervolumeThompson",
    "NonDominatedRank",
    "ParEGO",
    "SeveralAcquisition",
    "SeveralSituation",
    "as_several",
]

Array = NDArray[np.float64]

#: More boxes than this are not summed over; functions are drawn instead.
MOST_BOXES = 20_000
#: Score of candidates whose mean adds nothing, below that of all others.
_NOTHING = -1e4


@dataclass(frozen=True, eq=False)
class SeveralSituation:
    """What is known when candidates are scored, in the unit of the models.

    Attributes
    ----------
    values : ndarray of shape (m, l)
        Results so far, NaN where an objective was not measured.
    mean : ndarray of shape (m, l)
        Posterior means at the candidates they belong to.
    merits : tuple
        :class:`~sozai.proposals.pareto.Climb`, ``Near`` or ``Within`` for each objective.
    reference : ndarray of shape (l,) or None
        Reference point in merits, if the user gave one.
    counts : ndarray of bool of shape (m,), optional
        Results that count for the front: those that satisfy all constraints.
    """

    values: Array
    mean: Array
    merits: tuple[Any, ...]
    reference: Array | None = None
    counts: NDArray[np.bool_] | None = None

    def merit(self, values: Array) -> Array:
        """Merits of results (m, l)."""
        return np.column_stack([rule.merit(values[:, k]) for k, rule in enumerate(self.merits)])

    def known(self, incumbent: str) -> Array:
        """Merits the front is made of."""
        rows = self.usable()
        exact = incumbent == "observed" and not np.isnan(self.values[rows]).any()
        return self.merit((self.values if exact else self.mean)[rows])

    def usable(self) -> NDArray[np.bool_]:
        """Rows the front is made of: measured in all objectives, within limits, if there are any."""
        rows = np.ones(len(self.values), dtype=bool)
        for wanted in (self.counts, ~np.isnan(self.values).any(axis=1)):
            if wanted is not None and (rows & wanted).any():
                rows = rows & wanted
        return rows


@dataclass(frozen=True, eq=False)
class Front:
    """A front in merits, its reference point, and the boxes above it (made when first asked for).

    Attributes
    ----------
    points : ndarray of shape (f, l)
    reference : ndarray of shape (l,)
    merits : tuple
    """

    points: Array
    reference: Array
    merits: tuple[Any, ...]

    @property
    def boxes(self) -> FreeBoxes | None:
        """Free boxes; None when there are too many."""
        if "_boxes" not in self.__dict__:
            object.__setattr__(self, "_boxes", free_boxes(self.points, self.reference, limit=MOST_BOXES))
        return self.__dict__["_boxes"]  # type: ignore[no-any-return]

    def with_point(self, mean: Array) -> Front:
        """The front after one more candidate with values ``mean`` (l,); itself when it is beaten."""
        merit = np.array([rule.merit(mean[k]) for k, rule in enumerate(self.merits)])
        if len(self.points) and (self.points >= merit).all(axis=1).any():
            return self
        points = np.vstack([self.points, merit])
        return Front(points[nondominated(points)], self.reference, self.merits)

    def merit(self, values: Array) -> Array:
        """Merits of values (n, l)."""
        return np.column_stack([rule.merit(values[:, k]) for k, rule in enumerate(self.merits)])

    def improvement(self, merits: Array) -> Array:
        """Added hypervolume of merits (n, l); without boxes only of the 64 that stand out most."""
        boxes = self.boxes
        if boxes is not None:
            return boxes.improvement(merits)
        out = np.zeros(len(merits))
        margin = np.full(len(merits), np.inf)
        for point in self.points:
            margin = np.minimum(margin, (merits - point).max(axis=1))
        margin = np.minimum(margin, (merits - self.reference).min(axis=1))
        for row in np.argsort(-margin, kind="stable")[:64]:
            if margin[row] > 0:
                shadow = np.minimum(self.points, merits[row])
                own = float(np.prod(merits[row] - self.reference))
                out[row] = own - hypervolume(shadow, self.reference)
        return out


class SeveralAcquisition(Acquisition):
    """A score of several objectives: means and deviations of shape (n, l), the reference a front."""

    def prepare(self, situation: Any) -> Any:
        """Reference of a :class:`SeveralSituation`."""
        raise NotImplementedError

    def drawn(self) -> Acquisition:
        """The hypervolume that drawn functions add."""
        return HypervolumeThompson()

    def follow_one(self, reference: Any, mean: Array) -> Any:
        """Reference after a candidate has the values ``mean`` (l,)."""
        return reference


class _FrontScore(SeveralAcquisition):
    """Scores against a front."""

    reference: Any = None
    incumbent: str = "mean"

    def __post_init__(self) -> None:
        place = type(self).__name__
        if self.incumbent not in ("mean", "observed"):
            raise InputError(sentence(place, "incumbent", "be 'mean' or 'observed'", self.incumbent))
        if self.reference is not None:
            numbers = np.asarray(self.reference, dtype=np.float64)
            if numbers.ndim != 1 or not np.isfinite(numbers).all():
                raise InputError(
                    sentence(place, "reference", "be one finite number for each objective", self.reference,
                             remedy="Leave it out to have it placed beyond the worst results.")
                )  # fmt: skip
            object.__setattr__(self, "reference", tuple(float(number) for number in numbers))

    def prepare(self, situation: SeveralSituation) -> Front:
        """Front of the results so far."""
        points = situation.known(self.incumbent)
        corner = reference_point(points) if situation.reference is None else situation.reference
        return Front(points[nondominated(points)], corner, situation.merits)

    def drawn(self) -> HypervolumeThompson:
        """The hypervolume that drawn functions add to the same front."""
        return HypervolumeThompson(self.reference, self.incumbent)

    def follow_one(self, reference: Front, mean: Array) -> Front:
        """A pretended value may join the front."""
        return reference.with_point(mean)


@dataclass(frozen=True)
class ExpectedHypervolumeImprovement(_FrontScore):
    r"""Logarithm of the hypervolume that a candidate is expected to add to the front.

    Parameters
    ----------
    reference : sequence of float, optional
        Worst acceptable values in the user's units (for a wanted value or range: the largest distance
        from it). A tenth of all results beyond the worst of each objective when left out.
    incumbent : {"mean", "observed"}, default="mean"
        Whether the front is made of posterior means at measured candidates, which noise does not inflate,
        or of the results themselves.

    See Also
    --------
    sozai.proposals.pareto.expected_hypervolume_improvement : The formula.

    Notes
    -----
    For one objective it is the expected improvement. Wanted values and ranges take part with their
    distance as merit: its expected excess has a closed form too. Beyond 20,000 boxes (long fronts of four
    objectives and more) functions are drawn in its place, which a warning says.

    References
    ----------
    .. [1] I. Couckuyt, D. Deschrijver, T. Dhaene, Fast calculation of multiobjective probability of
       improvement and expected improvement criteria for Pareto optimization, J. Glob. Optim. 60, 575
       (2014), doi 10.1007/s10898-013-0118-2.

    Examples
    --------
    >>> ExpectedHypervolumeImprovement(reference=[0, 0])
    ExpectedHypervolumeImprovement(reference=(0.0, 0.0), incumbent='mean')
    """

    reference: Any = None
    incumbent: str = "mean"
    label = "log expected hypervolume improvement"

    def score(self, mean: Array, std: Array, reference: Front) -> Array:
        """Log expected hypervolume improvement."""
        assert reference.boxes is not None
        return log_expected_hypervolume_improvement(mean, std, reference.boxes, reference.merits)


@dataclass(frozen=True)
class HypervolumeProbability(_FrontScore):
    r"""Logarithm of the probability to end beyond the front, times the hypervolume that the mean adds.

    Parameters
    ----------
    reference : sequence of float, optional
    incumbent : {"mean", "observed"}, default="mean"
        As for :class:`ExpectedHypervolumeImprovement`.

    Notes
    -----
    Candidates whose mean adds nothing have the product 0 [1]_; so that they stay in order, they come
    after all others by their probability.

    References
    ----------
    .. [1] I. Couckuyt, D. Deschrijver, T. Dhaene, Fast calculation of multiobjective probability of
       improvement and expected improvement criteria for Pareto optimization, J. Glob. Optim. 60, 575
       (2014), doi 10.1007/s10898-013-0118-2.

    Examples
    --------
    >>> HypervolumeProbability().is_log
    True
    """

    reference: Any = None
    incumbent: str = "mean"
    label = "log hypervolume-weighted probability of improvement"

    def score(self, mean: Array, std: Array, reference: Front) -> Array:
        """Log of probability times added hypervolume."""
        assert reference.boxes is not None
        chance = log_probability_beyond(mean, std, reference.boxes, reference.merits)
        gain = reference.improvement(reference.merit(mean))
        return chance + np.where(gain > 0, np.log(np.where(gain > 0, gain, 1.0)), _NOTHING)


@dataclass(frozen=True)
class HypervolumeThompson(_FrontScore):
    """The candidate that adds most to the front in one function drawn for each objective.

    Parameters
    ----------
    reference : sequence of float, optional
    incumbent : {"mean", "observed"}, default="mean"
        As for :class:`ExpectedHypervolumeImprovement`.

    Notes
    -----
    Where the drawn functions add nothing anywhere, the candidate nearest to the front.

    Examples
    --------
    >>> HypervolumeThompson().draws
    True
    """

    reference: Any = None
    incumbent: str = "mean"
    is_log = False
    draws = True
    label = "hypervolume added by the drawn functions"

    def score(self, mean: Array, std: Array, reference: Front) -> Array:
        """Added hypervolume of the drawn functions, which take the place of the mean."""
        merits = reference.merit(mean)
        gain = reference.improvement(merits)
        beyond = np.vstack([reference.points, reference.reference])
        return np.where(gain > 0, gain, -front_depth(merits, beyond))


@dataclass(frozen=True)
class NonDominatedRank(_FrontScore):
    """Pure exploitation: candidates whose predicted means few others beat.

    Parameters
    ----------
    reference : sequence of float, optional
    incumbent : {"mean", "observed"}, default="mean"
        As for :class:`ExpectedHypervolumeImprovement`.

    Notes
    -----
    Minus the number of the front among all candidates that are compared and the front so far; within a
    front by the share of hypervolume that the mean would add, a number below 1.

    Examples
    --------
    >>> NonDominatedRank().is_log
    False
    """

    reference: Any = None
    incumbent: str = "mean"
    is_log = False
    label = "rank of the predicted means"

    def score(self, mean: Array, std: Array, reference: Front) -> Array:
        """Minus rank, plus the share of hypervolume added."""
        merits = reference.merit(mean)
        ranks = nondominated_rank(np.vstack([reference.points, merits]))[len(reference.points) :]
        gain = reference.improvement(merits)
        total = hypervolume(reference.points, reference.reference)
        return -ranks + gain / np.maximum(gain + total, 1e-300)


@dataclass(frozen=True)
class ParEGO(SeveralAcquisition):
    r"""Expected improvement of one number made of all objectives, with weights drawn anew each time.

    Parameters
    ----------
    weight : float, default=0.05
        Of the sum beside the largest loss.

    Notes
    -----
    Merits are scaled to [0, 1] over the results; with losses :math:`q_k = 1 - y_k` and weights c uniform
    on the simplex,

    .. math:: s = -(\max_k c_kq_k + 0.05\sum_k c_kq_k)

    is modelled by a process of its own [1]_. Every member of a batch draws its weights. Where an
    objective is missing, its posterior mean stands in, with its variance as known noise.

    References
    ----------
    .. [1] J. Knowles, ParEGO: a hybrid algorithm with on-line landscape approximation for expensive
       multiobjective optimization problems, IEEE Trans. Evol. Comput. 10, 50 (2006),
       doi 10.1109/TEVC.2005.851274.

    Examples
    --------
    >>> merits = np.array([[0.0, 2.0], [1.0, 1.0], [2.0, 0.0]])
    >>> ParEGO().scalarize(merits, np.array([0.5, 0.5])).round(4).tolist()
    [-0.525, -0.275, -0.525]
    """

    weight: float = 0.05
    label: ClassVar[str] = "log expected improvement of the weighted objectives"

    def __post_init__(self) -> None:
        if not (np.isfinite(self.weight) and self.weight >= 0):
            raise InputError(sentence("ParEGO", "weight", "be a number of 0 or more", self.weight))

    def prepare(self, situation: Any) -> float:
        """Best of the weighted numbers at measured candidates."""
        mean = situation.mean
        if getattr(situation, "counts", None) is not None and situation.counts.any():
            mean = mean[situation.counts]
        return float(mean.max())

    def score(self, mean: Array, std: Array, reference: Any) -> Array:
        """Log expected improvement."""
        return log_expected_improvement(mean, std, reference)

    def drawn(self) -> ParEGO:
        """The same number of all objectives, of one drawn function."""
        return _DrawnParEGO(self.weight)

    def follow(self, references: Array, means: Array) -> Array:
        """A pretended value may become the best."""
        return np.maximum(references, means)

    def scalarize(self, merits: Array, weights: Array) -> Array:
        """One number for each row of merits (m, l), larger is better.

        Parameters
        ----------
        merits : ndarray of shape (m, l)
        weights : ndarray of shape (l,)

        Returns
        -------
        ndarray of shape (m,)
        """
        low, extent = merits.min(axis=0), np.ptp(merits, axis=0)
        loss = 1.0 - (merits - low) / np.where(extent > 0, extent, 1.0)
        weighted = loss * weights
        return np.asarray(-(weighted.max(axis=1) + self.weight * weighted.sum(axis=1)))

    def slopes(self, merits: Array, weights: Array) -> Array:
        """Derivative of the number by each merit, shape (m, l): what noise is multiplied by."""
        extent = np.ptp(merits, axis=0)
        loss = 1.0 - (merits - merits.min(axis=0)) / np.where(extent > 0, extent, 1.0)
        weighted = loss * weights
        largest = weighted == weighted.max(axis=1, keepdims=True)
        return np.asarray((largest + self.weight) * weights / np.where(extent > 0, extent, 1.0))


class _DrawnParEGO(ParEGO):
    """The best candidate of one function drawn for the weighted objectives."""

    is_log = False
    draws = True
    label: ClassVar[str] = "value of a drawn function of the weighted objectives"


_BY_NAME: dict[str, type[SeveralAcquisition]] = {
    "ehvi": ExpectedHypervolumeImprovement,
    "hvpi": HypervolumeProbability,
    "ts": HypervolumeThompson,
    "parego": ParEGO,
    "rank": NonDominatedRank,
}


def as_several(acquisition: Any, *, place: str) -> SeveralAcquisition:
    """Acquisition of several objectives from an object or the name of one's defaults.

    Examples
    --------
    >>> as_several(None, place="ask")
    ExpectedHypervolumeImprovement(reference=None, incumbent='mean')
    """
    if acquisition is None:
        return ExpectedHypervolumeImprovement()
    if isinstance(acquisition, SeveralAcquisition):
        return acquisition
    if isinstance(acquisition, ThompsonSampling):
        return HypervolumeThompson()
    if isinstance(acquisition, str) and acquisition.lower() in _BY_NAME:
        return _BY_NAME[acquisition.lower()]()
    raise InputError(
        sentence(place, "acquisition",
                 f"serve several objectives: an object or one of {', '.join(_BY_NAME)}", acquisition,
                 remedy="Write ExpectedHypervolumeImprovement().")
    )  # fmt: skip
