"""Calculate or measure, and where: the loop in which an assimilator joins both."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai import __version__
from sozai.contracts.errors import ExtrapolationWarning, InputError, sentence
from sozai.contracts.estimator import BaseEstimator, HasMethods, Interval, StrOptions
from sozai.contracts.records import Proposal
from sozai.proposals.acquisition import Acquisition, Situation, as_acquisition
from sozai.proposals.candidate_pool import CandidatePool
from sozai.proposals.two_source_posterior import PretendedDesign
from sozai.proposals.two_source_results import SourceResult, SourceResults, TwoSourceStatus
from sozai.proposals.two_source_rules import (
    EXPERIMENT,
    SIMULATION,
    Action,
    MaximumVariance,
    Mean,
    SourceRule,
    SourceTask,
)

__all__ = ["TwoSourceProposer"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
_PLACE = "TwoSourceProposer"
_COSTS = {"simulation": 1.0, "experiment": 50.0}


class TwoSourceProposer(BaseEstimator):  # type: ignore[misc]
    r"""Which of calculation and experiment next, and where.

    Parameters
    ----------
    candidates : DataFrame or array-like of shape (N, p)
        Points to choose from, for both sources.
    assimilator : Assimilator
        A linear model of both sources, such as
        :class:`~sozai.assimilation.gaussian.GaussianAssimilator`; copied, never changed. One that has
        learned from earlier data keeps them.
    exploit : Acquisition or str, optional
        Score of an experiment: :class:`Mean` when left out, which is the published rule;
        :class:`~sozai.proposals.acquisition.ExpectedImprovement`, ``ThompsonSampling``,
        ``UpperConfidenceBound`` ...
    explore : SourceRule, optional
        :class:`MaximumVariance` with 5 calculations for an experiment when left out; :class:`CostAware`.
    costs : mapping of str to float, optional
        Names of the sources in the order of the assimilator's columns, and the cost of one value;
        ``{"simulation": 1, "experiment": 50}`` when left out.
    budget : float, optional
        What may be spent, in the unit of the costs; no limit when left out.
    goal : {"maximize", "minimize"}, default="maximize"
        Of the experiment.
    n_start : int, default=5
        Values of each source that are proposed, far from each other, before the model is asked.
    available : mapping of str to array-like of bool of shape (N,), optional
        Candidates at which a source can be asked; all when left out.
    random_state : int, default=0
        For scores that draw.

    Attributes
    ----------
    model_ : Assimilator
        With everything told; none before the start is over.
    status_ : TwoSourceStatus
    history_ : DataFrame
        Columns ``source, index, value, status, cost, spent, best``.
    notes_ : tuple of str
        What the assimilator warned of when it learned.
    sources_ : tuple of str

    See Also
    --------
    sozai.proposals.bayesian.BayesianProposer : One source, and a Gaussian process.

    Notes
    -----
    The loop of [1]_: fit both sources together, measure next where the predicted experiment is best, make m
    calculations where the calculation is least known, repeat. The calculations are to establish the
    simulation, not to find its maximum; the maximum of the experiment is found suddenly, about when as many
    calculations are known as the simulation has terms.

    The model is made anew from all results at each question, in an order of its own, so neither the order of
    telling nor an earlier question changes a proposal. One question costs the fit, O(NP²) for the variances
    and O(NP) for every action. With a model linear in its parameters and m = 0 this is Bayesian optimization
    with a linear model.

    Values of both sources at one candidate are told to the assimilator as one row.

    References
    ----------
    .. [1] arXiv:2408.08539 (2024).
    .. [2] Y. Harashima et al., Phys. Rev. Materials 5, 013806 (2021).

    Examples
    --------
    >>> class Levels:
    ...     "Both sources linear in x, the experiment shifted: three unit priors, noise 0.01."
    ...     def __init__(self):
    ...         self.A, self.b, self.covariance_ = np.eye(3), np.zeros(3), np.eye(2) * 0.01
    ...     def rows(self, X, source):
    ...         return np.column_stack([np.ones(len(X)), X[:, 0], np.full(len(X), float(source % 2))])
    ...     def partial_fit(self, X, Y):
    ...         for source in (0, 1):
    ...             told = ~np.isnan(Y[:, source])
    ...             H = self.rows(X[told], source)
    ...             self.A, self.b = self.A + H.T @ H / 0.01, self.b + H.T @ Y[told, source] / 0.01
    ...         return self
    ...     def predict(self, X, source=-1, return_std=False):
    ...         mean = self.rows(X, source) @ np.linalg.solve(self.A, self.b)
    ...         return (mean, np.sqrt(self.design_variance(X, source))) if return_std else mean
    ...     def design_variance(self, X, source):
    ...         return np.diag(self.design_covariance(X, X, source, source))
    ...     def design_covariance(self, X1, X2, source1, source2):
    ...         return self.rows(X1, source1) @ np.linalg.solve(self.A, self.rows(X2, source2).T)
    >>> x = np.linspace(0, 1, 11)
    >>> loop = TwoSourceProposer(x[:, None], Levels(), explore=MaximumVariance(m=1), n_start=2)
    >>> [(proposal.source, proposal.index) for proposal in loop.ask()]
    [('experiment', 5), ('experiment', 0), ('simulation', 5), ('simulation', 0)]
    >>> loop.tell([5, 0, 5, 0], [0.5, 0.0, 1.5, 1.0], source=["experiment"] * 2 + ["simulation"] * 2).status_
    TwoSourceStatus(2 simulations, 2 experiments, 102 spent, best 0.5, simulation not established)
    >>> for proposal in loop.ask():
    ...     print(proposal)
    Proposal(row 10, experiment, x0=1, 0.98 ± 0.16, score 0.983272)
    Proposal(row 10, simulation, x0=1, 1.97 ± 0.16, score 0.117438)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "candidates": ["array-like"],
        "assimilator": [HasMethods(["partial_fit", "predict", "design_variance", "design_covariance"])],
        "exploit": [Acquisition, str, None],
        "explore": [SourceRule, None],
        "budget": [Interval(Real, 0, None, closed="neither"), None],
        "goal": [StrOptions({"maximize", "minimize"})],
        "n_start": [Interval(Integral, 0, None, closed="left")],
        "random_state": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        candidates: Any,
        assimilator: Any,
        *,
        exploit: Any = None,
        explore: SourceRule | None = None,
        costs: Mapping[str, float] | None = None,
        budget: float | None = None,
        goal: str = "maximize",
        n_start: int = 5,
        available: Mapping[str, Any] | None = None,
        random_state: int = 0,
    ) -> None:
        self.candidates = candidates
        self.assimilator = assimilator
        self.exploit = exploit
        self.explore = explore
        self.costs = costs
        self.budget = budget
        self.goal = goal
        self.n_start = n_start
        self.available = available
        self.random_state = random_state

    # --- ask and tell --------------------------------------------------------------------------------

    def ask(self, n: int | None = None, *, running: Sequence[Proposal] = ()) -> list[Proposal]:
        """What to calculate and to measure next; the same until something is told.

        Parameters
        ----------
        n : int, optional
            That many actions; later ones are chosen as if the earlier were done. One round of the rule when
            left out: an experiment and its calculations, or a single action of a rule that knows the prices.
        running : sequence of Proposal
            Proposals whose results are still to come: they are counted as done, and not proposed again.

        Returns
        -------
        list of Proposal
            With ``source``, best first; empty when nothing is left to do.

        Raises
        ------
        InputError
            For ``n`` below 1.
        """
        if n is not None and (isinstance(n, bool) or not isinstance(n, Integral) or n < 1):
            raise InputError(sentence(f"{_PLACE}.ask", "n", "be a whole number of 1 or more", n))
        self._begin()
        waiting = [(int(one.index or 0), self._source(one.source, "ask")) for one in running]
        actions = self._start_actions(waiting)
        if not actions:
            actions = self._rule_actions(n, waiting)
        actions = actions if n is None else actions[:n]
        self._warn_outside(actions)
        return [self._proposal(action) for action in actions]

    def tell(self, index: Any, y: Any, source: Any = None) -> Self:
        """Record what was found.

        Parameters
        ----------
        index : int, Proposal, or a sequence of them
            Candidate row, from 0.
        y : float or sequence of float
            Value; None, NaN or ``"failed"`` for a failure, which is not proposed again.
        source : str or sequence of str, optional
            Which source; read off a Proposal when left out.

        Returns
        -------
        TwoSourceProposer
            Itself.

        Raises
        ------
        InputError
            For an unknown source, a row outside the list, a value that is no number. Nothing is recorded.
        """
        self._begin()
        many = isinstance(index, (list, tuple, np.ndarray, pd.Series))
        places = list(index) if many else [index]
        values = list(y) if many and not isinstance(y, str) else [y]
        names = [source] * len(places) if source is None or isinstance(source, str) else list(source)
        if not len(places) == len(values) == len(names):
            raise InputError(
                sentence(f"{_PLACE}.tell", "y and source", f"have one entry for each of the {len(places)} "
                         "candidates", (len(values), len(names)))
            )  # fmt: skip
        found = [self._entry(*one) for one in zip(places, values, names, strict=True)]
        self._told.entries.extend(found)
        self._forget()
        return self

    @property
    def status_(self) -> TwoSourceStatus:
        """How far the loop has come."""
        self._begin()
        told = self._told
        model = self._fitted()
        uncertainty, noise, established = np.nan, np.nan, False
        task = self._task([]) if model is not None else None
        if task is not None:
            noise = float(np.sqrt(task.design.noise[SIMULATION]))
            where = task.open[SIMULATION]
            largest = task.design.variances[SIMULATION][where].max(initial=0.0)
            uncertainty, established = float(np.sqrt(largest)), task.is_established()
        history = told.history(self.sources_, minimize=self.goal == "minimize")
        measured = history[(history["source"] == self.sources_[EXPERIMENT]) & (history["status"] == "ok")]
        best = None
        if len(measured):
            best = int(measured["value"].idxmin() if self.goal == "minimize" else measured["value"].idxmax())
        left = np.inf if self.budget is None else float(self.budget) - told.spent
        can = any(
            cost <= left and mask.any() for cost, mask in zip(self._prices, self._open([]), strict=True)
        )
        return TwoSourceStatus(
            n_simulations=len(told.rows(SIMULATION)),
            n_experiments=len(told.rows(EXPERIMENT)),
            n_failed=sum(entry.failed for entry in told.entries),
            spent=told.spent,
            left=left,
            uncertainty=uncertainty,
            noise=noise,
            established=established,
            best_index=None if best is None else int(history["index"][best]),
            best_value=np.nan if best is None else float(history["value"][best]),
            finished=not can,
        )

    @property
    def history_(self) -> pd.DataFrame:
        """Results in the order told."""
        self._begin()
        return self._told.history(self.sources_, minimize=self.goal == "minimize")

    @property
    def model_(self) -> Any:
        """The assimilator with everything told; None before both sources have a value."""
        self._begin()
        return self._fitted()

    # --- choosing ------------------------------------------------------------------------------------

    def _start_actions(self, waiting: list[tuple[int, int]]) -> list[Action]:
        """Points far from each other, experiments first, until both sources have enough values."""
        known = self._knows
        least = int(self.n_start) if known else max(int(self.n_start), 1)
        left = self._left(waiting)
        found = []
        masks = self._open(waiting)
        for source in (EXPERIMENT, SIMULATION):
            rows = self._told.rows(source)
            under_way = [row for row, other in waiting if other == source]
            missing = least - len(rows) - len(under_way)
            taken = [*rows, *under_way, *self._told.rows(source, failed=True)]
            for row in _far_points(self._unit, masks[source], taken, missing):
                if left < self._prices[source]:
                    break
                left -= self._prices[source]
                why = f"Start: far from every other {self.sources_[source]}."
                found.append(Action(row, source, 0.0, why))
        enough = all(len(self._told.rows(source)) for source in (SIMULATION, EXPERIMENT)) or known
        if not found and not enough and waiting:
            raise InputError(
                sentence(f"{_PLACE}.ask", "results", "include a value of each source before a rule chooses",
                         f"{len(waiting)} running", remedy="Tell the running ones first.")
            )  # fmt: skip
        return found

    def _rule_actions(self, n: int | None, waiting: list[tuple[int, int]]) -> list[Action]:
        """Rounds of the rule until there are ``n`` actions, or one round."""
        task = self._task(waiting)
        if task is None:
            return []
        rule = MaximumVariance() if self.explore is None else self.explore
        found: list[Action] = []
        while True:
            more = rule.round(task)
            found += more
            if not more or n is None or len(found) >= n:
                return found

    def _task(self, waiting: list[tuple[int, int]]) -> SourceTask | None:
        """Everything a rule chooses from, with what is running taken as done."""
        model = self._fitted()
        if model is None:
            return None
        if not hasattr(self, "_prediction"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                self._prediction = [
                    np.asarray(model.predict(self._points, source), dtype=np.float64) for source in (0, 1)
                ]
                noise = np.diag(np.asarray(model.covariance_, dtype=np.float64))
                self._design = PretendedDesign(model, self._points, noise)
        sign = -1.0 if self.goal == "minimize" else 1.0
        mean = sign * self._prediction[EXPERIMENT]
        values = sign * self._told.values(EXPERIMENT)
        measured = mean[self._told.rows(EXPERIMENT)]
        scale = float(np.std(values)) if len(values) > 1 and np.ptp(values) > 0 else 1.0
        if not len(values):  # a model that learned elsewhere
            values = measured = mean
        task = SourceTask(
            design=self._design.copy(),
            mean=mean,
            scale=scale,
            situation=Situation(values / scale, measured / scale, self._points.shape[1]),
            exploit=self._exploit(),
            open=self._open(waiting),
            costs=self._prices,
            budget=self._left(waiting),
            rng=np.random.default_rng([int(self.random_state), len(self._told.entries)]),
            names=self.sources_,
        )
        for row, source in waiting:
            task.design.take(row, source)
        return task

    def _exploit(self) -> Acquisition:
        if self.exploit is None or (isinstance(self.exploit, str) and self.exploit == "mean"):
            return Mean()
        return as_acquisition(self.exploit, place=_PLACE)

    def _fitted(self) -> Any:
        """The assimilator with everything told; None while it cannot know both sources."""
        if not hasattr(self, "_model"):
            rows, Y = self._told.table()
            known = self._knows
            if not known and not np.isfinite(Y).any(axis=0).all():
                return None
            model = copy.deepcopy(self.assimilator)
            params = model.get_params(deep=False) if hasattr(model, "get_params") else {}
            if not known and "domain" in params and params["domain"] is None:
                model.set_params(domain=np.column_stack([self._pool.X.min(axis=0), self._pool.X.max(axis=0)]))
            with warnings.catch_warnings(record=True) as notes:
                warnings.simplefilter("always")
                if len(rows):
                    model = model.partial_fit(self._part(rows), Y)
                _ = model.covariance_  # an assimilator may wait with learning until it is asked
            self.notes_ = tuple(dict.fromkeys(str(note.message) for note in notes))
            self._model = model
        return self._model

    # --- books ---------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Check the parameters and read the candidates, once."""
        if hasattr(self, "_told"):
            return
        self._validate_params()
        costs = _COSTS if self.costs is None else self.costs
        self.sources_, self._prices = _read_costs(costs)
        table = self.candidates
        is_frame = isinstance(table, pd.DataFrame)
        frame = table if is_frame else _as_frame(table)
        self._pool = CandidatePool(frame, place=_PLACE)
        self._points: Any = (
            pd.DataFrame(self._pool.X, columns=list(self._pool.names)) if is_frame else self._pool.X
        )
        self._able = self._read_available()
        low, high = self._pool.X.min(axis=0), self._pool.X.max(axis=0)
        self._unit = (self._pool.X - low) / np.where(high > low, high - low, 1.0)
        self.notes_: tuple[str, ...] = ()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            self._knows = hasattr(self.assimilator, "covariance_")  # it has learned elsewhere
        self._told = SourceResults()

    def _forget(self) -> None:
        """What followed from the results so far."""
        for name in ("_model", "_prediction", "_design"):
            self.__dict__.pop(name, None)

    def _read_available(self) -> list[Mask]:
        """Candidates at which each source can be asked."""
        given = {} if self.available is None else dict(self.available)
        for name in given:
            self._source(name, "available")
        masks = []
        for name in self.sources_:
            mask = np.asarray(given.get(name, np.ones(len(self._pool), dtype=bool)))
            if mask.shape != (len(self._pool),) or mask.dtype != bool or not mask.any():
                raise InputError(
                    sentence(_PLACE, f"available[{name!r}]",
                             f"be true or false for each of the {len(self._pool)} candidates, true for some",
                             f"shape {mask.shape}, type {mask.dtype}")
                )  # fmt: skip
            masks.append(mask)
        return masks

    def _open(self, waiting: list[tuple[int, int]]) -> list[Mask]:
        """By source: what is neither told nor running."""
        masks = []
        for source, able in enumerate(self._able):
            mask = able & (self._pool.first == np.arange(len(self._pool)))
            closed = [entry.row for entry in self._told.entries if entry.source == source]
            closed += [row for row, other in waiting if other == source]
            mask[np.array(closed, dtype=np.int64)] = False
            masks.append(mask)
        return masks

    def _left(self, waiting: list[tuple[int, int]]) -> float:
        """What may still be spent."""
        if self.budget is None:
            return float("inf")
        return float(self.budget) - self._told.spent - sum(self._prices[source] for _, source in waiting)

    def _source(self, name: Any, method: str) -> int:
        """Number of a source."""
        if name not in self.sources_:
            raise InputError(
                sentence(f"{_PLACE}.{method}", "source", f"be one of {', '.join(map(repr, self.sources_))}",
                         name)
            )  # fmt: skip
        return self.sources_.index(name)

    def _entry(self, place: Any, value: Any, name: Any) -> SourceResult:
        """One result, checked."""
        if isinstance(place, Proposal):
            name = place.source if name is None else name
            place = place.index
        source = self._source(name, "tell")
        last = len(self._pool) - 1
        if isinstance(place, bool) or not isinstance(place, Integral) or not 0 <= place <= last:
            raise InputError(
                sentence(f"{_PLACE}.tell", "index", f"lie in the list (0 to {last})", place,
                         remedy="Count candidates from 0.")
            )  # fmt: skip
        failed = value is None or (isinstance(value, str) and value == "failed")
        try:
            number = float("nan") if failed else float(value)
        except (TypeError, ValueError):
            number = float("inf")
        if np.isinf(number):
            raise InputError(
                sentence(f"{_PLACE}.tell", "y", "be a number, or 'failed'", value,
                         at=f"for candidate {int(place)} ({name})")
            )  # fmt: skip
        return SourceResult(int(self._pool.first[int(place)]), source, number, self._prices[source])

    def _part(self, rows: NDArray[np.int64]) -> Any:
        return self._points.iloc[rows] if hasattr(self._points, "iloc") else self._points[rows]

    def _warn_outside(self, actions: list[Action]) -> None:
        """Say when an experiment lies outside the box that can be calculated."""
        able = self._pool.X[self._able[SIMULATION]]
        low, high = able.min(axis=0), able.max(axis=0)
        for action in actions:
            x = self._pool.X[action.row]
            if action.source == EXPERIMENT and ((x < low) | (x > high)).any():
                j = int(np.argmax((x < low) | (x > high)))
                warnings.warn(
                    f"{_PLACE}.ask: candidate {action.row} lies outside the {self.sources_[SIMULATION]}'s "
                    f"domain: {self._pool.names[j]} = {x[j]:.6g}, calculated from {low[j]:.6g} to "
                    f"{high[j]:.6g}.",
                    ExtrapolationWarning,
                    stacklevel=3,
                )
                return

    def _proposal(self, action: Action) -> Proposal:
        """The record that the user gets."""
        mean = std = float("nan")
        if hasattr(self, "_prediction"):
            mean = float(self._prediction[action.source][action.row])
            std = float(np.sqrt(self._design.variances[action.source][action.row]))
        x, name = self._pool.values(action.row), self._pool.identity(action.row)
        return Proposal(
            name, action.row, x, action.score, mean, std, action.reason, len(self._told.entries),
            type(self.assimilator).__name__, __version__, self.sources_[action.source],
        )  # fmt: skip


def _read_costs(costs: Any) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Names and prices of the two sources."""
    if not isinstance(costs, Mapping) or len(costs) != 2:
        raise InputError(
            sentence(_PLACE, "costs", "name two sources, the calculation first", costs,
                     remedy="Write {'simulation': 1, 'experiment': 50}.")
        )  # fmt: skip
    for name, cost in costs.items():
        number = isinstance(cost, Real) and not isinstance(cost, bool)
        if not (number and np.isfinite(float(cost)) and float(cost) > 0):
            raise InputError(sentence(_PLACE, f"costs[{name!r}]", "be a positive number", cost))
    return tuple(map(str, costs)), tuple(float(cost) for cost in costs.values())


def _as_frame(table: Any) -> pd.DataFrame:
    """Candidates without names."""
    values = np.asarray(table)
    if values.ndim != 2 or not len(values):
        raise InputError(
            sentence(_PLACE, "candidates", "be a table of points by columns", f"shape {values.shape}")
        )
    return pd.DataFrame(values, columns=[f"x{j}" for j in range(values.shape[1])])


def _far_points(Z: Array, mask: Mask, taken: list[int], n: int) -> list[int]:
    """Open rows far from each other and from those taken; the first is the middlemost."""
    mask = mask.copy()
    nearest = np.full(len(Z), np.inf)
    for row in taken:
        np.minimum(nearest, ((Z - Z[row]) ** 2).sum(axis=1), out=nearest)
    found: list[int] = []
    for _ in range(min(n, int(mask.sum()))):
        middle = -((Z - Z.mean(axis=0)) ** 2).sum(axis=1)
        score = nearest if np.isfinite(nearest).all() else middle
        row = int(np.argmax(np.where(mask, score, -np.inf)))
        found.append(row)
        mask[row] = False
        np.minimum(nearest, ((Z - Z[row]) ** 2).sum(axis=1), out=nearest)
    return found
