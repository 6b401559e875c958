"""Probabilities of classes and of sets of phases from Gaussian processes that share one factor."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from sozai.proposals.phase_cells import split_phases
from sozai.proposals.phase_posterior import ProcessStream, left_out_scores

__all__ = ["OneHotStream", "PresenceStream", "phase_members", "sharpened"]

Array = NDArray[np.float64]

#: Labels below which probabilities are not calibrated.
_FEW = 10
#: Smallest score before scores are made probabilities, least chance of a phase to be there or not.
_LEAST, _NEVER = 1e-9, 1e-3


class OneHotStream(ProcessStream):
    r"""One function for each class, 1 where the class is and 0 elsewhere.

    Parameters
    ----------
    tune : bool, default=True
        Whether length scales are learned.
    **others
        As for :class:`ProcessStream`.

    Attributes
    ----------
    sharpness : float
        :math:`1/\tau`, power of the reported probabilities.

    Notes
    -----
    Prior mean 1/C. Left out, a label would have had the scores :math:`E - R`,
    :math:`R = K^{-1}(E - 1/C)/\mathrm{diag}K^{-1}`, exactly [1]_.

    References
    ----------
    .. [1] C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning, MIT Press (2006),
       section 5.4.2.

    Examples
    --------
    >>> from sozai.numerics.kernels import Matern
    >>> stream = OneHotStream(np.linspace(0, 1, 3)[:, None], 2, Matern(0.5), 1e-3, np.ones(1))
    >>> stream.add(0, 0).add(2, 1).probabilities().round(2).tolist()
    [[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]]
    """

    def __init__(self, *arguments: Any, tune: bool = True, **others: Any) -> None:
        super().__init__(*arguments, **others)
        self.tune, self.sharpness = tune, 1.0

    def fresh(self) -> Self:
        """Make an empty stream over the same list, with the same length scales."""
        empty = super().fresh()
        empty.tune = self.tune
        return empty

    def probabilities(self, values: Array | None = None) -> Array:
        """Probability of every class at every node, before calibration."""
        return self._chances(self.values if values is None else values, self.rest)

    def probabilities_at(self, points: Array) -> Array:
        """Probability of every class at any points, before calibration, shape (n_classes, m)."""
        return self._chances(*self.at(points))

    def _chances(self, values: Array, rest: Array) -> Array:
        """Probabilities from the functions, shape (n_classes, m)."""
        found = values + rest / max(self.n_classes, 1)
        np.maximum(found, _LEAST, out=found)
        found /= found.sum(axis=0)
        return found

    def reported(self, values: Array | None = None) -> Array:
        """Probabilities after calibration, shape (n_classes, n_nodes)."""
        return sharpened(self.probabilities(values), self.sharpness)

    def unheard(self) -> NDArray[np.bool_]:
        """Nodes that no label reaches: none."""
        return np.zeros(len(self.Z), dtype=np.bool_)

    def left_out(self) -> Array:
        """Probabilities of every labeled point as they would be without its label."""
        return self._left_out(self.length_scales)

    def _left_out(self, length_scales: Array) -> Array:
        scores = left_out_scores(
            self.kernel, self.points, self.noises, length_scales, self.targets(), 1.0 / self.n_classes
        )
        np.maximum(scores, _LEAST, out=scores)
        return np.asarray(scores / scores.sum(axis=1, keepdims=True))

    def calibrate(self) -> Self:
        r"""Find the power of the reported probabilities from the labels left out.

        Notes
        -----
        Largest sum of :math:`\ln p^{1/\tau}` over labels whose class is seen more than once, with the prior
        :math:`\ln\tau \sim N(0, 0.5^2)`.
        """
        labels = np.array(self.labels, dtype=np.int64)
        own = np.flatnonzero(np.bincount(labels, minlength=self.n_classes)[labels] > 1)
        self.sharpness = 1.0
        if len(own) < _FEW:
            return self
        log_p = np.log(self.left_out()[own])

        def cost(log_tau: float) -> float:
            scaled = log_p * np.exp(-log_tau)
            total = logsumexp(scaled, axis=1)
            return float((total - scaled[np.arange(len(own)), labels[own]]).sum() + 2.0 * log_tau**2)

        self.sharpness = float(np.exp(-minimize_scalar(cost, bounds=(-1.5, 1.5), method="bounded").x))
        return self

    def loss(self, length_scales: Array) -> float:
        """Brier score of labels left out, one after the other."""
        try:
            p = self._left_out(length_scales)
        except np.linalg.LinAlgError:
            return np.inf
        return float(((p - self.targets()) ** 2).sum(axis=1).mean())


class PresenceStream(OneHotStream):
    r"""One function for each phase, +1 where it is found and -1 where it is not.

    Parameters
    ----------
    most_phases : int or None
        Phases that can be found together, by the phase rule.
    **others
        As for :class:`OneHotStream`, with ``n_columns`` 0.

    Attributes
    ----------
    phases : list of str
        Phases so far; a second A in ``A+A`` (a miscibility gap) is a phase ``A#2`` of its own.
    names : list of str
        Sets seen.
    unseen : list of str
        Sets that were never seen and are the most probable ones somewhere.

    Notes
    -----
    With :math:`p_\alpha = (1 + f_\alpha)/2`, kept within 0.001 and 0.999,
    :math:`p(\mathrm{set}) \propto \prod_{\alpha\in\mathrm{set}}p_\alpha
    \prod_{\beta\notin\mathrm{set}}(1 - p_\beta)` over the sets seen and those that are, somewhere, the most
    probable of all that obey the rule. The prior mean of a phase is its mean over the labels.

    Examples
    --------
    >>> from sozai.numerics.kernels import Matern
    >>> stream = PresenceStream(np.linspace(0, 1, 5)[:, None], 0, Matern(0.5), 1e-3, np.ones(1))
    >>> for node, name in ((0, "A"), (2, "A+B"), (4, "B")):
    ...     _ = stream.add(node, stream.code(name))
    >>> stream.all_names, stream.probabilities().argmax(axis=0).tolist()
    (['A', 'A+B', 'B'], [0, 1, 1, 1, 2])
    """

    def __init__(self, *arguments: Any, most_phases: int | None = None, **others: Any) -> None:
        super().__init__(*arguments, **others)
        self.most_phases = most_phases
        self.phases: list[str] = []
        self.unseen: list[str] = []
        self._members: dict[str, tuple[str, ...]] = {}

    def fresh(self) -> Self:
        """Make an empty stream over the same list, with the same length scales."""
        empty = super().fresh()
        empty.most_phases = self.most_phases
        return empty

    @property
    def n_classes(self) -> int:
        """Sets so far."""
        return len(self.all_names)

    @property
    def all_names(self) -> list[str]:
        """Sets seen and not seen."""
        return self.names + self.unseen

    def code(self, name: str) -> int:
        """Number of a set; new phases get a function of their own."""
        if name in self.names:
            return self.names.index(name)
        self._members[name] = phase_members(name)
        for phase in self._members[name]:
            if phase not in self.phases:
                self.phases.append(phase)
                self.values = np.concatenate([self.values, self.rest[None, :] - 1.0])
        self.names.append(name)
        self.unseen = [other for other in self.unseen if other != name]
        return len(self.names) - 1

    def target(self, label: int) -> Array:
        """+1 for the phases of a set, -1 for the others."""
        members = self._members[self.all_names[label]]
        return np.array([1.0 if phase in members else -1.0 for phase in self.phases])

    def targets(self) -> Array:
        """Targets of all labels, shape (n, n_phases)."""
        table = np.array([self.target(label) for label in range(self.n_classes)])
        return table.reshape(-1, len(self.phases))[np.array(self.labels, dtype=np.int64)]

    def imagine(self) -> Self:
        """Find the sets that were never seen and are the most probable ones somewhere."""
        p = self._present(self.values + self.rest * self._prior()[:, None])
        most = min(self.most_phases or len(p), len(p))
        order = np.argsort(-p, axis=0, kind="stable")[:most]
        inside = np.take_along_axis(p, order, axis=0) > 0.5
        inside[0] = True
        taken = np.zeros(p.shape, dtype=np.bool_)
        np.put_along_axis(taken, order, inside, axis=0)
        known = {frozenset(members) for name, members in self._members.items() if name in self.names}
        self.unseen = []
        for column in np.unique(taken, axis=1).T:
            members = tuple(phase for phase, here in zip(self.phases, column, strict=True) if here)
            if frozenset(members) not in known and _whole(members):
                name = "+".join(phase.split("#")[0] for phase in members)
                self._members[name] = members
                self.unseen.append(name)
        return self

    def _chances(self, values: Array, rest: Array) -> Array:
        """Probabilities of sets from the functions of phases."""
        return self._of_sets(values + rest * self._prior()[:, None])

    def _left_out(self, length_scales: Array) -> Array:
        scores = left_out_scores(
            self.kernel, self.points, self.noises, length_scales, self.targets(), self._prior()
        )
        return self._of_sets(scores.T).T

    def loss(self, length_scales: Array) -> float:
        """Brier score of labels left out, one after the other."""
        try:
            p = self._left_out(length_scales)
        except np.linalg.LinAlgError:
            return np.inf
        return float(((p - np.eye(self.n_classes)[self.labels]) ** 2).sum(axis=1).mean())

    def _prior(self) -> Array:
        """Mean target of every phase."""
        if not self.labels:
            return np.zeros(len(self.phases))
        return np.asarray(self.targets().mean(axis=0))

    def _present(self, raw: Array) -> Array:
        """Chance of every phase to be there."""
        return np.clip(0.5 + 0.5 * raw, _NEVER, 1.0 - _NEVER)

    def _of_sets(self, raw: Array) -> Array:
        """Probabilities of sets from the functions of phases, shape (n_sets, n)."""
        p = self._present(raw)
        sets = np.array([self.target(label) for label in range(self.n_classes)]) > 0
        weights = sets.astype(np.float64) @ (np.log(p) - np.log1p(-p))
        weights -= weights.max(axis=0)
        np.exp(weights, out=weights)
        return np.asarray(weights / weights.sum(axis=0))

    def mark(self) -> tuple[Any, ...]:
        """State to come back to."""
        return *super().mark(), list(self.unseen)

    def back(self, mark: tuple[Any, ...]) -> None:
        """Forget everything since a mark."""
        super().back(mark)
        self.unseen = mark[-1]


def phase_members(name: str) -> tuple[str, ...]:
    """Phases of a set; the second of the same name is told apart.

    Examples
    --------
    >>> phase_members("A+B"), phase_members("A+A")
    (('A', 'B'), ('A', 'A#2'))
    """
    found: list[str] = []
    for phase in sorted(split_phases(name)):
        count = sum(other.split("#")[0] == phase for other in found)
        found.append(phase if count == 0 else f"{phase}#{count + 1}")
    return tuple(found)


def _whole(members: tuple[str, ...]) -> bool:
    """Whether every second phase of a name has its first."""
    return all("#" not in phase or phase.split("#")[0] in members for phase in members)


def sharpened(p: Array, power: float) -> Array:
    """Probabilities to a power, columns summing to 1 again.

    Examples
    --------
    >>> sharpened(np.array([[0.6], [0.4]]), 2.0).round(3).tolist()
    [[0.692], [0.308]]
    """
    if power == 1.0:
        return p
    out = (p / p.max(axis=0)) ** power
    return np.asarray(out / out.sum(axis=0))
