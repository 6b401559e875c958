"""Selection one term at a time: all terms, backward, forward, both ways, and matching pursuit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from sozai.contracts.errors import InputError, sentence
from sozai.numerics.least_squares import LEVERAGE_GAP, Scores, regression_scores
from sozai.numerics.shrinking_fit import ShrinkingFit
from sozai.symbolic.selectors.models import ModelList, as_good
from sozai.symbolic.selectors.selector import SelectionTask, Selector

__all__ = ["AllTerms", "BackwardElimination", "ForwardSelection", "OrthogonalMatchingPursuit", "Stepwise"]

#: Models of a path with more terms than this are kept only if they are the best by some criterion.
KEPT_TERMS = 50
#: Columns whose squared norm falls below this fraction are collinear with the terms already in.
COLLINEAR = 1e-9
_KEPT_BESTS = ("aic", "bic", "q2")
_STOPS = ("q2", "aic", "aicc", "bic", "gcv", "adj_r2")


class AllTerms(Selector):
    """Least squares on every column.

    Refuses dependent columns, naming the relation, and as many parameters as samples.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(12, 2))
    >>> AllTerms().select(X, X @ [1.0, -2.0] + 3.0, ["a", "b"])[0].terms
    ('a', 'b')
    """

    def _select(self, task: SelectionTask) -> ModelList:
        model = task.model(range(task.n_columns))
        return ModelList((model,), selected=model)


@dataclass(frozen=True)
class _Step:
    """One point of a path: the columns in the model and its scores."""

    columns: tuple[int, ...]
    change: str
    share_of_fit: float
    scores: Scores


class BackwardElimination(Selector):
    r"""Drop the least useful term, again and again.

    Parameters
    ----------
    rule : {"share_of_fit", "q2", "aic", "bic", "near_multicollinearity"}, default="share_of_fit"
        Which term goes: the smallest share of fit G² (the published rule; for ``"aic"`` and ``"bic"`` the
        order is the same, since all candidates have equally many parameters), the one without which Q² is
        largest, or the one best explained by the others (largest TR²).
    stop : {"q2", "aic", "aicc", "bic", "gcv", "adj_r2"}, default="q2"
        Where on the path the selected model is. ``"q2"``: the fewest terms whose squared leave-one-out errors
        are within one standard error of the best. Others: the optimum.
    max_loss : float, optional
        With ``stop="q2"``: the fewest terms with a Q² above the best minus ``max_loss``, instead.
    min_terms : int, default=1
        End of the path.

    Notes
    -----
    :math:`G_i^2 = 1 - e^2/e^2_{(-i)} = t_i^2/(t_i^2 + m - p)`. The path is walked by the closed-form
    downdates of :class:`sozai.numerics.shrinking_fit.ShrinkingFit`, :math:`O(mp^2)` in all, and is always
    stored in full. Models with more than 50 terms are not kept unless they are the best by some criterion.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> models = BackwardElimination().select(X, 2 * X[:, 1] + 0.1 * rng.normal(size=40), list("abcdef"))
    >>> models.selected.terms
    ('b',)
    """

    def __init__(self, rule="share_of_fit", *, stop="q2", max_loss=None, min_terms=1):
        self.rule = rule
        self.stop = stop
        self.max_loss = max_loss
        self.min_terms = min_terms

    def _select(self, task: SelectionTask) -> ModelList:
        _one_of(task, "rule", self.rule, ("share_of_fit", "q2", "aic", "bic", "near_multicollinearity"))
        _one_of(task, "stop", self.stop, _STOPS)
        first = int(task.fit_intercept)
        labels = [*(["1"] if first else []), *task.names]
        fit = ShrinkingFit(task.design(range(task.n_columns)), task.y, names=labels)
        steps = [_backward_step(fit, task, first, "", np.nan)]
        while len(fit.active) - first > max(self.min_terms, 0 if first else 1):
            column, share = self._next(fit, first)
            fit.drop(column)
            steps.append(_backward_step(fit, task, first, f"- {task.names[column - first]}", share))
        return _as_list(task, steps, self.stop, self.max_loss)

    def _next(self, fit: ShrinkingFit, first: int) -> tuple[int, float]:
        """Column that goes next, and its share of fit; ties go to the last column."""
        share = fit.share_of_fit
        if self.rule == "q2":
            loss = fit.press_without()
        elif self.rule == "near_multicollinearity":
            loss = -fit.total_r2
        else:
            loss = share
        loss = np.where(fit.active < first, np.inf, loss)
        lowest = loss.min()
        tied = (
            np.flatnonzero(loss <= lowest + 1e-10 * abs(lowest))
            if np.isfinite(lowest)
            else np.arange(len(loss))
        )
        i = tied[np.argmax(fit.active[tied])]
        return int(fit.active[i]), float(share[i])


class ForwardSelection(Selector):
    """Add the most useful term, again and again.

    Parameters
    ----------
    max_terms : int, optional
        End of the path; as far as the samples allow, at most 50, when left out.
    rule : {"share_of_fit", "q2"}, default="share_of_fit"
        Which term comes: the one that lowers the residual most, or the leave-one-out error.
    stop, max_loss
        As in :class:`BackwardElimination`.

    Notes
    -----
    Orthogonal updates: adding column k lowers e² by (w'e)²/(w'w), w being the part of the column orthogonal
    to the terms already in. One step costs O(mn).

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(40, 6))
    >>> ForwardSelection(3).select(X, X[:, 4] - X[:, 2], list("abcdef")).selected.terms
    ('c', 'e')
    """

    def __init__(self, max_terms=None, *, rule="share_of_fit", stop="q2", max_loss=None):
        self.max_terms = max_terms
        self.rule = rule
        self.stop = stop
        self.max_loss = max_loss

    def _select(self, task: SelectionTask) -> ModelList:
        _one_of(task, "rule", self.rule, ("share_of_fit", "q2"))
        _one_of(task, "stop", self.stop, _STOPS)
        return _as_list(task, _forward_steps(task, self.max_terms, self.rule), self.stop, self.max_loss)


class OrthogonalMatchingPursuit(Selector):
    """Add the column most correlated with the residual, refit, again and again.

    Parameters
    ----------
    max_terms : int, optional
        As in :class:`ForwardSelection`.
    stop, max_loss
        As in :class:`BackwardElimination`.

    See Also
    --------
    ForwardSelection : Compares what columns add to the terms already in; usually the better choice.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(40, 6))
    >>> OrthogonalMatchingPursuit(3).select(X, X[:, 4] - X[:, 2], list("abcdef")).selected.terms
    ('c', 'e')
    """

    def __init__(self, max_terms=None, *, stop="q2", max_loss=None):
        self.max_terms = max_terms
        self.stop = stop
        self.max_loss = max_loss

    def _select(self, task: SelectionTask) -> ModelList:
        _one_of(task, "stop", self.stop, _STOPS)
        return _as_list(task, _forward_steps(task, self.max_terms, "correlation"), self.stop, self.max_loss)


class Stepwise(Selector):
    """Add or drop one term, whichever improves the criterion most, until nothing does.

    Parameters
    ----------
    criterion : {"aic", "aicc", "bic", "gcv", "q2"}, default="bic"
    max_terms : int, optional
        Most terms at any time; as far as the samples allow, at most 50, when left out.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(40, 6))
    >>> Stepwise().select(X, X[:, 4] - X[:, 2], list("abcdef")).selected.terms
    ('c', 'e')
    """

    def __init__(self, criterion="bic", *, max_terms=None):
        self.criterion = criterion
        self.max_terms = max_terms

    def _select(self, task: SelectionTask) -> ModelList:
        _one_of(task, "criterion", self.criterion, ("aic", "aicc", "bic", "gcv", "q2"))
        limit = _largest(task, self.max_terms)
        steps = [_refit_step(task, (), "", np.nan)] if task.fit_intercept else []
        seen: set[tuple[int, ...]] = {()}
        while True:
            current = steps[-1].columns if steps else ()
            moves = self._moves(task, current, limit)
            moves = [step for step in moves if step.columns not in seen]
            if not moves:
                break
            step = min(moves, key=lambda step: (_cost(step.scores, self.criterion), step.columns))
            floor = _rounding_cost(task, self.criterion)
            if (
                steps
                and _cost(step.scores, self.criterion) >= _cost(steps[-1].scores, self.criterion) - floor
            ):
                break
            steps.append(step)
            seen.add(step.columns)
        return _as_list(task, steps, self.criterion, None, last=True)

    def _moves(self, task: SelectionTask, current: tuple[int, ...], limit: int) -> list[_Step]:
        """List the best addition (by residual, or by Q²) and every removal."""
        moves = []
        if len(current) < limit:
            gains = _Growth(task, current).gains("q2" if self.criterion == "q2" else "share_of_fit")
            if np.isfinite(gains).any():
                k = int(np.argmax(gains))
                moves.append(_refit_step(task, tuple(sorted((*current, k))), f"+ {task.names[k]}", np.nan))
        if len(current) > 1:
            fit = task.fit(current)
            share = fit.share_of_fit[int(task.fit_intercept) :]
            for i, j in enumerate(current):
                rest = tuple(k for k in current if k != j)
                moves.append(_refit_step(task, rest, f"- {task.names[j]}", float(share[i])))
        return moves


class _Growth:
    """Orthogonal basis of the terms already in, and what each column would add."""

    def __init__(self, task: SelectionTask, columns: Sequence[int] = ()) -> None:
        self.task = task
        largest = np.abs(task.X).max(axis=0)
        self.unit = task.X / np.where(largest > 0, largest, 1.0)
        if task.fit_intercept:
            self.unit = self.unit - self.unit.mean(axis=0)
        norms = np.linalg.norm(self.unit, axis=0)
        norms = np.where(norms > 1e-12 * np.sqrt(task.n_samples), norms, np.inf)
        self.unit = self.unit / norms
        self.left = np.where(np.isfinite(norms), 1.0, 0.0)
        self.residual = task.y - task.y.mean() if task.fit_intercept else task.y.copy()
        self.leverage = np.full(task.n_samples, 1.0 / task.n_samples if task.fit_intercept else 0.0)
        self.basis = np.zeros((task.n_samples, 0))
        for column in columns:
            self.add(column)

    def gains(self, rule: str) -> np.ndarray:
        """Rate every column, -inf where collinear."""
        free = self.left > COLLINEAR
        along = self.unit.T @ self.residual
        if rule == "correlation":
            return np.where(free, np.abs(along), -np.inf)
        if rule == "share_of_fit":
            return np.where(free, along**2 / np.where(free, self.left, 1.0), -np.inf)
        gains = np.full(len(free), -np.inf)
        rest = self.unit[:, free] - self.basis @ (self.basis.T @ self.unit[:, free])
        rest = rest / np.linalg.norm(rest, axis=0)
        residual = self.residual[:, None] - rest * (self.residual @ rest)
        gap = 1.0 - self.leverage[:, None] - rest**2
        alone = gap < LEVERAGE_GAP
        loo = np.where(alone, np.inf, residual / np.where(alone, 1.0, gap))
        gains[free] = -(loo**2).sum(axis=0)
        return gains

    def add(self, column: int) -> float:
        """Take a column into the basis; returns its share of fit."""
        w = self.unit[:, column]
        for _ in range(2):
            w = w - self.basis @ (self.basis.T @ w)
        w = w / np.linalg.norm(w)
        before = self.residual @ self.residual
        self.residual = self.residual - w * (w @ self.residual)
        self.leverage = self.leverage + w**2
        self.basis = np.column_stack([self.basis, w])
        self.left = self.left - (w @ self.unit) ** 2
        self.left[column] = 0.0
        return float(1.0 - self.residual @ self.residual / before) if before > 0 else 0.0


def _forward_steps(task: SelectionTask, max_terms: int | None, rule: str) -> list[_Step]:
    """Grow from nothing to the largest model."""
    growth = _Growth(task)
    steps = []
    columns: tuple[int, ...] = ()
    floor = task.n_samples * rounding_level(task) ** 2
    for _ in range(_largest(task, max_terms)):
        gains = growth.gains(rule)
        if not np.isfinite(gains).any() or growth.residual @ growth.residual <= floor:
            break
        best = gains.max()
        column = int(np.argmax(gains >= best - 1e-10 * abs(best)))
        share = growth.add(column)
        columns = tuple(sorted((*columns, column)))
        gap = 1.0 - growth.leverage
        alone = gap < LEVERAGE_GAP
        loo = np.where(alone, np.inf, growth.residual / np.where(alone, 1.0, gap))
        scores = regression_scores(task.y, growth.residual, loo, len(columns) + task.fit_intercept)
        steps.append(_Step(columns, f"+ {task.names[column]}", share, scores))
    return steps


def rounding_level(task: SelectionTask) -> float:
    """Root mean square error that is only rounding."""
    return float(64 * np.finfo(np.float64).eps * np.sqrt(np.mean(task.y**2)))


def _rounding_cost(task: SelectionTask, criterion: str) -> float:
    """Improvement of a criterion that is only rounding."""
    return rounding_level(task) if criterion == "q2" else 1e-9


def _largest(task: SelectionTask, max_terms: int | None) -> int:
    """Most terms that leave a degree of freedom, at most ``max_terms`` or 50."""
    room = min(task.n_columns, task.n_samples - 1 - task.fit_intercept)
    return max(min(room, KEPT_TERMS if max_terms is None else max_terms), 0)


def _backward_step(fit: ShrinkingFit, task: SelectionTask, first: int, change: str, share: float) -> _Step:
    """Scores of the current fit."""
    columns = tuple(sorted(int(j) - first for j in fit.active if j >= first))
    return _Step(
        columns, change, share, regression_scores(task.y, fit.residuals, fit.loo_residuals, len(fit.active))
    )


def _refit_step(task: SelectionTask, columns: tuple[int, ...], change: str, share: float) -> _Step:
    """Scores of a fresh fit."""
    return _Step(columns, change, share, task.fit(columns).scores)


def _cost(scores: Scores, criterion: str) -> float:
    """Criterion to minimize."""
    if criterion in ("q2", "adj_r2"):
        return scores.rmse_loo if criterion == "q2" else -scores.adj_r2
    return float(getattr(scores, criterion))


def _as_list(
    task: SelectionTask, steps: Sequence[_Step], stop: str, max_loss: float | None, *, last: bool = False
) -> ModelList:
    """Path as a frame, its short models as records, and the selected one."""
    if not steps:
        raise InputError(
            sentence(
                task.place,
                "X",
                "have a column that is not constant",
                f"{task.n_columns} columns, none of use",
            )
        )
    cost = np.array([_cost(step.scores, stop) for step in steps])
    cost = np.where(np.isnan(cost), np.inf, cost)
    best = int(np.argmin(cost))
    model = cache(lambda i: task.model(steps[i].columns))
    if last:
        chosen = len(steps) - 1
    elif stop != "q2":
        chosen = best
    elif max_loss is not None:
        limit = steps[best].scores.q2 - max_loss
        chosen = next(i for i in _by_size(steps) if steps[i].scores.q2 >= limit)
    else:
        chosen = next(i for i in _by_size(steps) if i == best or as_good(model(i), model(best)))
    wanted = {i for i, step in enumerate(steps) if len(step.columns) <= KEPT_TERMS}
    wanted |= {
        chosen,
        best,
        *(int(np.argmin([_cost(s.scores, name) for s in steps])) for name in _KEPT_BESTS),
    }
    models = tuple(model(i) for i in _by_size(steps) if i in wanted)
    notes = () if len(wanted) == len(steps) else (f"{len(steps) - len(wanted)} models of the path not kept",)
    return ModelList(models, path=_path_frame(steps), notes=notes, selected=model(chosen))


def _by_size(steps: Sequence[_Step]) -> list[int]:
    """Steps from the shortest model to the longest."""
    return sorted(range(len(steps)), key=lambda i: len(steps[i].columns))


def _path_frame(steps: Sequence[_Step]) -> pd.DataFrame:
    """One row a step."""
    rows = [
        {
            "n_terms": len(step.columns),
            "change": step.change,
            "share_of_fit": step.share_of_fit,
            **vars(step.scores),
        }
        for step in steps
    ]
    frame = pd.DataFrame(rows)
    frame["columns"] = [step.columns for step in steps]
    return frame


def _one_of(task: SelectionTask, name: str, value: object, allowed: Sequence[str]) -> None:
    """Refuse an unknown choice."""
    if value not in allowed:
        raise InputError(sentence(task.place, name, f"be one of {', '.join(allowed)}", value))
