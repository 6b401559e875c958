"""Where to prepare the next sample so that a phase diagram is right soonest."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai import __version__
from sozai.contracts.checks import as_generator
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.estimator import BaseEstimator, HasMethods, Interval, NotFittedError, StrOptions
from sozai.contracts.observations import Choice, Observations
from sozai.contracts.records import Proposal
from sozai.proposals.batch import Batch
from sozai.proposals.candidate_pool import CandidatePool
from sozai.proposals.phase_batches import BatchTask, PhaseBatch, as_phase_batch, pretend
from sozai.proposals.phase_classifiers import OneHotGaussianProcess
from sozai.proposals.phase_constraints import allowed_rows
from sozai.proposals.phase_coordinates import PhaseCoordinates, corner_rows
from sozai.proposals.phase_grids import parse_grid
from sozai.proposals.phase_map import PhaseMap
from sozai.proposals.phase_model import PhaseModel
from sozai.proposals.phase_rule import PhaseRule
from sozai.proposals.phase_samples import (
    PhaseSample,
    canonical_phase,
    read_coexistence,
    similar_phase,
)
from sozai.proposals.phase_scores import PhaseScore, as_phase_score

__all__ = ["PhaseDiagramProposer"]

Array = NDArray[np.float64]
_PLACE = "PhaseDiagramProposer"


class PhaseDiagramProposer(PhaseMap, BaseEstimator):
    r"""Active learning of phase diagrams: label a few points, ask where to look next.

    Parameters
    ----------
    candidates : DataFrame, array-like or str, optional
        Points to choose from: compositions (columns adding up to 1 or 100), temperature, other conditions.
        Text is a grid, ``"ternary:step=0.02"``. Left out where a campaign hands them over.
    estimator : classifier with ``stream``, optional
        :class:`~sozai.proposals.phase_classifiers.OneHotGaussianProcess` when left out.
    score : PhaseScore or str, default="least_confident"
        What makes a point worth measuring.
    batch : Fantasies, TopScores, PhaseBatch or str, default="fantasies"
        How several points are chosen at once.
    coordinates : {"auto", "simplex", "cartesian", "standard"}, default="auto"
        See :class:`~sozai.proposals.phase_coordinates.PhaseCoordinates`.
    composition : sequence of str, optional
        Columns of fractions; found by their sum when left out.
    weight : float, default=1
        Multiplies the coordinates of the columns that are no fractions.
    constraint : SameValue, FreeColumns, mask or callable, optional
        Which points may come next.
    cost : array-like of shape (n_candidates,), optional
        Positive; scores are divided by it. In a campaign its own costs, where it has some. Corners come
        first whatever they cost.
    cost_weight : float, default=1
        Power of the cost by which scores are divided; 0 ignores it.
    corners : bool, default=True
        Whether the pure components (at both ends of every condition) are measured before any score is
        heard: a small field in a corner is seen by no score until it has a label. Not with random sampling.
    phase_rule : {"auto", "strict"} or None, default="auto"
        ``"auto"`` warns of labels with too many phases and closes fields by their corners; ``"strict"``
        refuses such labels; None is for maps out of equilibrium and pseudo-systems.
    tolerance : float, default=0.01
        How far a sample may lie from the mixture of its phases, as a fraction of composition.
    derived_noise : float, default=1e-2
        Noise variance of labels that follow from compositions.
    random_state : int, RandomState or Generator, optional
        For scores and batches that draw.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels seen, ascending (with sets never seen, for a presence process).
    phases_ : tuple of str
        Constituent phases.
    probabilities_ : ndarray of shape (n_candidates, n_classes)
        Reported probabilities.
    labels_ : ndarray of shape (n_candidates,)
        Most probable label.
    uncertainty_ : ndarray of shape (n_candidates,)
        Score of every point.
    closed_ : ndarray of bool of shape (n_candidates,)
        Measured, or known by the phase rule.
    suspects_ : DataFrame
        Samples that contradict others.
    phase_rule_violations_ : list of PhaseRuleViolation
    length_scale_ : ndarray or None

    See Also
    --------
    sozai.proposals.bayesian.BayesianProposer : Seeks the best point instead of the boundaries.

    Notes
    -----
    The loop of [1]_: probabilities of labels at every point, uncertainty, next sample. Defaults: one-hot
    Gaussian process with the roughest Matern kernel, least confidence, pretended labels for batches. While
    at most one label is known, points are chosen far from each other, corners first. Compositions of the
    phases found together (``compositions``) add corners, tie-lines and triangles [2]_: points inside
    measured corners take their label and are not proposed; hulls of samples of as many phases as
    components are passed over as long as nothing contradicts them. Ties go to the point farthest from any
    sample.

    A further label costs O((n + C) N) for the process, O(n³) when its length scales are due (every 20
    labels, or tenth of all). The same results give the same proposals; results told between two questions
    may come in any order.

    References
    ----------
    .. [1] K. Terayama et al., Efficient construction method for phase diagrams using uncertainty sampling,
       Phys. Rev. Mater. 3, 033802 (2019), doi 10.1103/PhysRevMaterials.3.033802.
    .. [2] K. Terayama et al., Acceleration of phase diagram construction by machine learning incorporating
       Gibbs' phase rule, Scripta Mater. 208, 114335 (2022), doi 10.1016/j.scriptamat.2021.114335.

    Examples
    --------
    >>> proposer = PhaseDiagramProposer("binary:step=0.1")
    >>> [proposal.index for proposal in proposer.ask(3)]
    [0, 10, 5]
    >>> proposer.tell([0, 5, 10], ["FCC", "FCC", "BCC"]).labels_.tolist()[4:9]
    ['FCC', 'FCC', 'FCC', 'FCC', 'BCC']
    >>> proposer.ask()[0].reason
    'Highest least confidence (0.5): FCC 0.50, BCC 0.50.'
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "candidates": ["array-like", str, None],
        "estimator": [HasMethods(["stream"]), None],
        "score": [PhaseScore, str],
        "batch": [Batch, PhaseBatch, str],
        "coordinates": [StrOptions({"auto", "simplex", "cartesian", "standard"})],
        "composition": ["array-like", None],
        "weight": [Interval(Real, 0, None, closed="neither")],
        "cost": ["array-like", None],
        "cost_weight": [Interval(Real, 0, None, closed="left")],
        "corners": ["boolean"],
        "phase_rule": [StrOptions({"auto", "strict"}), None],
        "tolerance": [Interval(Real, 0, 1, closed="left")],
        "derived_noise": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state", Integral],
    }

    def __init__(
        self,
        candidates: Any = None,
        estimator: Any = None,
        *,
        score: Any = "least_confident",
        batch: Any = "fantasies",
        coordinates: str = "auto",
        composition: Sequence[str] | None = None,
        weight: float = 1.0,
        constraint: Any = None,
        cost: Any = None,
        cost_weight: float = 1.0,
        corners: bool = True,
        phase_rule: str | None = "auto",
        tolerance: float = 0.01,
        derived_noise: float = 1e-2,
        random_state: Any = None,
    ) -> None:
        self.candidates = candidates
        self.estimator = estimator
        self.score = score
        self.batch = batch
        self.coordinates = coordinates
        self.composition = composition
        self.weight = weight
        self.constraint = constraint
        self.cost = cost
        self.cost_weight = cost_weight
        self.corners = corners
        self.phase_rule = phase_rule
        self.tolerance = tolerance
        self.derived_noise = derived_noise
        self.random_state = random_state

    # --- ask and tell --------------------------------------------------------------------------------

    def ask(self, n: int = 1, *, recheck: bool = False, running: Sequence[int] = ()) -> list[Proposal]:
        """Points to measure next; the same until something is told.

        Parameters
        ----------
        n : int, default=1
        recheck : bool, default=False
            Samples that contradict their neighbors come first, to be measured again.
        running : sequence of int, optional
            Candidates that are being measured: not proposed, and given their most probable label for now.

        Returns
        -------
        list of Proposal
            Fewer than ``n`` when no more are open, empty when the map is finished.
        """
        if isinstance(n, bool) or not isinstance(n, Integral) or n < 1:
            raise InputError(sentence(f"{_PLACE}.ask", "n", "be a whole number of 1 or more", n))
        model = self._updated()
        again = self.suspects_ if recheck else None
        found = []
        if again is not None:
            for row, reason in zip(again["index"], again["reason"], strict=True):
                if row >= 0 and all(row != one[0] for one in found):
                    found.append((int(row), 1.0, f"Measure again? {reason}"))
        last = self.samples_[-1].point if self.samples_ else None
        pending = [int(row) for row in running]
        mask = self._open_rows(model, last)
        mask[pending] = False
        rng = np.random.default_rng([self._seed, len(self.samples_)])
        if len(found) < n and mask.any():
            found += self._chosen(model, mask, int(n) - len(found), rng, pending)
        return [self._proposal(*one) for one in found[:n]]

    def tell(
        self, index_or_x: Any, phase: Any, compositions: Any = None, replicate: str | None = None
    ) -> Self:
        """Record what was found.

        Parameters
        ----------
        index_or_x : int, Proposal, mapping of descriptors, or a sequence of int or Proposal
            Candidate row, or any point.
        phase : str or sequence of str
            Phases found, ``"FCC_A1+LIQUID"``; their order means nothing.
        compositions : Coexistence, array-like of shape (n_phases, n_components) or mapping, optional
            Composition of every phase found, in the order of ``phase``; for a single sample.
        replicate : str, optional
            Name of the measurement: the same name with the same result is recorded once.

        Returns
        -------
        PhaseDiagramProposer
            Itself.

        Raises
        ------
        InputError
            For a phase that is no text, a row outside the list, compositions of other phases.
        """
        self._model()
        if isinstance(index_or_x, (list, tuple, np.ndarray)) and not isinstance(phase, str):
            labels = list(phase)
            if len(labels) != len(index_or_x):
                raise InputError(
                    sentence(f"{_PLACE}.tell", "phase", f"have one entry for each of the {len(index_or_x)} "
                             "points", len(labels))
                )  # fmt: skip
            for one, label in zip(index_or_x, labels, strict=True):
                self.tell(one, label, None, replicate)
            return self
        row, point = self._place(index_or_x)
        at = f"for candidate {row}" if row >= 0 else f"for point {point.tolist()}"
        label = self._label(phase, at)
        fractions = None
        if compositions is not None and self.map_.composition:
            fractions = self.map_.fractions(point[None, :])[0]
        field, lever = read_coexistence(
            label, compositions, fractions, self.tolerance, place=f"{_PLACE}.tell", at=at
        )
        if replicate is not None and any(
            (one.replicate, one.row, one.label) == (replicate, row, label) for one in self.samples_
        ):
            return self
        sample = PhaseSample(len(self.samples_), row, point, label, field, lever, replicate)
        self.samples_.append(sample)
        self._model().add(sample)
        self._derived = None
        return self

    def propose(self, observations: Observations, n: int) -> list[Choice]:
        """Choose for a campaign whose results are the numbers of labels.

        Parameters
        ----------
        observations : Observations
            ``Y`` holds whole numbers, one for each label; the goal may name them by an attribute ``names``.
            Running candidates are given their most probable label.
        n : int

        Returns
        -------
        list of Choice
        """
        guest = self._guest(observations)
        model = guest._updated()
        rng = np.random.default_rng([observations.seed & (2**63 - 1), len(observations.rows)])
        mask = observations.is_open & allowed_rows(
            self.constraint, observations.X, observations.names, None, place=f"{_PLACE}.propose"
        )
        inside = ~guest.closed_
        if not mask.any():
            mask = observations.is_open
        mask = mask & inside if (mask & inside).any() else mask
        nan = np.full(observations.n_objectives, np.nan)
        pending = [int(row) for row in observations.pending]
        chosen = guest._chosen(model, mask, n, rng, pending) if mask.any() else []
        return [Choice(row, score, nan, nan, reason) for row, score, reason in chosen]

    # --- inside --------------------------------------------------------------------------------------

    def _guest(self, observations: Observations) -> PhaseDiagramProposer:
        """Proposer of the same settings that knows these observations."""
        key = (observations.X.shape, hash(observations.X.tobytes()), observations.names)
        cost = observations.cost if self.cost is None else self.cost
        guest = type(self)(**{**self.get_params(deep=False), "candidates": None, "cost": cost})
        cached = getattr(self, "_kept", None)
        guest._begin(
            pd.DataFrame(observations.X, columns=list(observations.names)),
            cached[1] if cached is not None and cached[0] == key else None,
        )
        self._kept = (key, guest._model().stream.fresh())
        names = getattr(observations.objectives[0].goal, "names", None)
        for row, value in zip(observations.rows, observations.Y[:, 0], strict=True):
            if np.isfinite(value):
                if value != int(value) or (names is not None and not 0 <= value < len(names)):
                    raise InputError(
                        sentence(f"{_PLACE}.propose", "results", "be numbers of labels", float(value),
                                 at=f"at row {int(row)}")
                    )  # fmt: skip
                guest.tell(int(row), str(int(value)) if names is None else names[int(value)])
        return guest

    def _model(self) -> PhaseModel:
        """The model, made at the first question or result."""
        if not hasattr(self, "_state"):
            if self.candidates is None:
                raise NotFittedError(
                    f"{_PLACE}: candidates must be given. Pass a table of points, or a grid such as "
                    "'ternary:step=0.02'."
                )
            self._validate_params()
            self._begin(_as_frame(self.candidates), None)
        return self._state

    def _begin(self, frame: pd.DataFrame, stream: Any) -> None:
        """Coordinates, phase rule and an empty model."""
        self._pool = CandidatePool(frame, place=_PLACE)
        self.map_ = PhaseCoordinates.fit(
            self._pool.X, self._pool.names, kind=self.coordinates, composition=self.composition,
            weight=self.weight, place=_PLACE,
        )  # fmt: skip
        if stream is None:
            Z = self.map_.transform(self._pool.X)
            estimator = OneHotGaussianProcess() if self.estimator is None else self.estimator
            stream = estimator.stream(Z, groups=self.map_.groups)
        drawn = self.random_state is not None
        self._seed = int(as_generator(self.random_state).integers(2**31)) if drawn else 0
        self._calibrates = bool(getattr(self.estimator, "calibrate", self.estimator is None))
        rule = None
        if self.phase_rule is not None and len(self.map_.composition) > 1:
            varies = any(np.ptp(self._pool.X[:, j]) > 0 for j in self.map_.others)
            strict = self.phase_rule == "strict"
            rule = PhaseRule(len(self.map_.composition), sections=varies, strict=strict)
        self._state = PhaseModel(self._pool.X, self.map_, stream, rule, self.derived_noise)
        self.samples_: list[PhaseSample] = []
        self._derived: dict[str, Any] | None = None

    def _updated(self) -> PhaseModel:
        """The model with everything told."""
        return self._model().update()

    def _place(self, where: Any) -> tuple[int, Array]:
        """Row (-1 outside the list) and descriptors of a point."""
        place = f"{_PLACE}.tell"
        if isinstance(where, Proposal) and where.index is not None:
            where = where.index
        if isinstance(where, Integral) and not isinstance(where, bool):
            if not 0 <= where < len(self._pool):
                raise InputError(
                    sentence(place, "index", f"lie in the list (0 to {len(self._pool) - 1})", int(where),
                             remedy="Count candidates from 0.")
                )  # fmt: skip
            first = int(self._pool.first[int(where)])
            return first, self._pool.X[first]
        if isinstance(where, Mapping):
            point = self._pool.point(where)
        else:
            point = np.asarray(where, dtype=np.float64)
            if point.shape != (len(self._pool.names),) or not np.isfinite(point).all():
                raise InputError(
                    sentence(place, "index_or_x", f"be a row or values of {list(self._pool.names)}", where)
                )
        row = int(self._pool.rows([self._pool.identity_of(point)])[0])
        if row < 0 and self._state.uses_graph:
            row = self._state.require_node(point, place=place, at="")
        return row, point

    def _label(self, phase: Any, at: str) -> str:
        """Canonical label; too many phases and doubtful spellings are said."""
        place = f"{_PLACE}.tell"
        known = list(dict.fromkeys(one.label for one in self.samples_))
        label = canonical_phase(phase, known, place=place, at=at)
        if label in known:
            return label
        if self._state.rule is not None:
            too_many = self._state.rule.check(label, place=place, at=at)
            if too_many is not None:
                warnings.warn(too_many, UserWarning, stacklevel=3)
        phases = list(dict.fromkeys(part for one in known for part in one.split("+")))
        for part in label.split("+"):
            near = similar_phase(part, phases)
            if near is not None:
                warnings.warn(
                    f"{place}: phase {part!r} {at} is new. Did you mean {near!r}? It was kept as new.",
                    UserWarning,
                    stacklevel=3,
                )
        return label

    def _open_rows(self, model: PhaseModel, last: Array | None) -> NDArray[np.bool_]:
        """Rows that may be proposed; a constraint that leaves none is relaxed once, and said."""
        open_ = ~self.closed_ & (self._pool.first == np.arange(len(self._pool)))
        allowed = allowed_rows(self.constraint, model.X, self._pool.names, last, place=f"{_PLACE}.ask")
        if open_.any() and not (open_ & allowed).any():
            warnings.warn(
                f"{_PLACE}.ask: no open point obeys the constraint ({int(allowed.sum())} points do, all "
                "closed); it was left out this time.",
                UserWarning,
                stacklevel=3,
            )
            return open_
        return open_ & allowed

    def _chosen(
        self, model: PhaseModel, mask: NDArray[np.bool_], n: int, rng: np.random.Generator, pending: list[int]
    ) -> list[tuple[int, float, str]]:
        """Rows, scores and reasons."""
        stream = model.stream if len(model.stream.all_names) > 1 else None
        nearest = model.nearest.copy()
        score = as_phase_score(self.score, place=_PLACE)
        first = []
        if self.corners and not score.draws:
            first = [row for row in corner_rows(model.X, self.map_) if mask[row] and row not in pending][:n]
        if not model.samples:
            nearest = 1e6 - (model.Z**2).sum(axis=1)
        worth = self._worth(len(model.Z)) if model.samples else None
        task = BatchTask(stream, score, model.Z, mask.copy(), nearest, rng, worth=worth)
        before = stream.mark() if stream is not None and (pending or first) else None
        for row in [*pending, *first]:
            task.take(row)
            if stream is not None:
                pretend(stream, [stream.values.copy()], row, None)
        chosen = as_phase_batch(self.batch, place=_PLACE).choose(task, n - len(first))
        if stream is not None and before is not None:
            stream.back(before)
        reasons = [(row, 1.0, "A corner of the diagram, measured before scores.") for row in first]
        return reasons + [(row, value, self._reason(stream, score, row, value)) for row, value in chosen]

    def _worth(self, n_candidates: int) -> Array | None:
        """What the score of every candidate is multiplied with."""
        if self.cost is None:
            return None
        cost = np.asarray(self.cost, dtype=np.float64)
        if cost.shape != (n_candidates,) or not ((cost > 0) & np.isfinite(cost)).all():
            wrong = (
                cost.shape
                if cost.shape != (n_candidates,)
                else float(cost[~((cost > 0) & (cost < np.inf))][0])
            )
            raise InputError(
                sentence(_PLACE, "cost", f"hold {n_candidates} positive numbers, one a candidate", wrong)
            )
        return cost ** -float(self.cost_weight)

    def _reason(self, stream: Any, score: PhaseScore, row: int, value: float) -> str:
        """One sentence about a choice."""
        if stream is None:
            few = "no label is" if not self.samples_ else "one label only is"
            return f"Far from every other sample; {few} known yet."
        p = self._once("chances", stream.probabilities)[:, row]
        best = np.argsort(-p, kind="stable")[:2]
        shares = ", ".join(f"{stream.all_names[k]} {p[k]:.2f}" for k in best)
        how = score.words if score.draws else f"Highest {score.words} ({value:.3g})"
        return f"{how[0].upper()}{how[1:]}: {shares}."

    def _proposal(self, row: int, score: float, reason: str) -> Proposal:
        nan = float("nan")
        x = self._pool.values(row)
        name = type(self.estimator).__name__ if self.estimator is not None else "OneHotGaussianProcess"
        return Proposal(self._pool.identity(row), row, x, score, nan, nan, reason, len(self.samples_),
                        name, __version__)  # fmt: skip


def _as_frame(candidates: Any) -> pd.DataFrame:
    """Candidates as a table."""
    if isinstance(candidates, str):
        return parse_grid(candidates)
    if isinstance(candidates, pd.DataFrame):
        return candidates
    table = np.asarray(candidates)
    if table.ndim != 2:
        raise InputError(
            sentence(_PLACE, "candidates", "be a table of points by columns", f"shape {table.shape}")
        )
    return pd.DataFrame(table, columns=[f"x{j}" for j in range(table.shape[1])])
