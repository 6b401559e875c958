"""One run of the large search: survivors, screens, and the laws made of what survived."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

from sozai.contracts.errors import ConvergenceWarning, NotIndependentError
from sozai.contracts.progress import progress_bar
from sozai.numerics.subset_search import SubsetProblem
from sozai.numerics.task_subsets import TaskSubsetProblem
from sozai.symbolic.generation import Generated
from sozai.symbolic.search.records import SearchResult, SearchTarget
from sozai.symbolic.search.screening import PartialGain, ScreenResult, screen
from sozai.symbolic.search.strata import Ladder, in_turn, n_simplest
from sozai.symbolic.search.task_models import TaskModel
from sozai.symbolic.selectors.exhaustive import Exhaustive
from sozai.symbolic.selectors.models import ModelList, sort_models
from sozai.symbolic.selectors.selector import SelectionTask

__all__ = ["SearchRun"]

#: Subsets refitted beyond those asked for, because the search rounds its scores.
SPARE = 16
#: Steps of the ladder count where they have so many times the survivors of the one before.
STEP = 1.4
#: Subsets of one size that are always searched among all survivors.
AFFORDABLE = 2e9
_NO_MATTER = {"store", "progress", "n_jobs", "on_interrupt"}


class SearchRun:
    """The survivors so far, the screens, the notes.

    Parameters
    ----------
    plan : ScreenThenL0
        Checked.
    space : CandidateSpace
    target : SearchTarget
    sizes : tuple of int
        Candidates to keep in every screen.
    """

    def __init__(self, plan, space, target: SearchTarget, sizes: tuple[int, ...]) -> None:
        self.plan, self.space, self.target, self.sizes = plan, space, target, sizes
        self.expressions = space.base.expressions
        self.ids = np.zeros(0, np.int64)
        self.values = np.zeros((len(target.y), 0), order="F")
        self.priority = np.zeros(0, np.int64)
        self.screens: list[ScreenResult] = []
        self.notes: list[str] = []
        self.complete = True
        self.ladder = Ladder.of(space) if plan.n_simple else Ladder((), ())
        self.pool: ScreenResult | None = None
        self.store = None if plan.store is None else Path(plan.store) / self._name()
        self.max_terms = min(plan.max_terms, target.largest_size)
        if self.max_terms < plan.max_terms:
            fewest = min(len(r) for r in target.rows)
            where = "" if target.tasks is None else " in the smallest task"
            self.notes.append(f"laws end at {_terms(self.max_terms)}: {fewest} samples{where}")

    @property
    def plain(self) -> bool:
        """One task, any sign."""
        return self.target.tasks is None and self.plan.coefficient_sign is None

    # -- screens ----------------------------------------------------------------------------------

    def screen_all(self) -> None:
        """Fill the list of survivors, one screen a number of terms."""
        try:
            for size in range(1, self.max_terms + 1):
                models = [()] if size == 1 else self._models_to_extend(size - 1)
                if not models or self._done(size, models):
                    return
                self._screen(size, models)
        except KeyboardInterrupt:
            if self.plan.on_interrupt == "raise":
                raise
            self.complete = False
            self.notes.append(f"interrupted in screen {len(self.screens) + 1} of {self.max_terms}")

    def _done(self, size: int, models: list[tuple[int, ...]]) -> bool:
        """Whether another screen cannot help: nothing is left to explain, or no candidate to be found."""
        if size == 1:
            return False
        if len(self.screens[0].ids) < self.sizes[0]:
            self.notes.append(f"all {len(self.screens[0].ids)} distinct candidates survived screen 1")
            return True
        if self.target.is_reproduced(self.values[:, list(models[0])]):
            self.notes.append(f"y is reproduced exactly by {_terms(size - 1)}: no screen for more")
            return True
        return False

    def _screen(self, size: int, models: list[tuple[int, ...]]) -> None:
        """Short passes over the simple formulas, then one over the space."""
        score, n_keep, ladder = self._score(models), self.sizes[size - 1], self.ladder
        simple, found, before = [], None, len(self.ids)
        try:
            if ladder.pool and size == 1:
                part = self.space.up_to(ladder.pool[-1])
                self.pool = self._pass(1, part, score, part.n_candidates, ladder.pool[-1])
            if self.pool is not None:
                simple += self._best_of_pool(score)
                self._add_laws_of_pool(size)
            for limit in ladder.passes:
                one = self._pass(size, self.space.up_to(limit), score, n_keep, limit)
                simple.append((one.ids, one.values))
            found = self._pass(size, self.space, score, n_keep, None)
        finally:  # an interrupt leaves what the passes before it kept
            if found is not None:
                self.screens.append(found)
                self._add(found.ids, found.values)
            n_simple = self._add_in_turn(simple)
        beside = "" if size == 1 else f" beside {len(models)} laws of {_terms(size - 1)}"
        self.notes.append(
            f"screen {size}{beside}: {found.n_scored:,} candidates scored, {found.n_suspects:,} of them "
            f"again for rounding, {len(found.ids)} kept, and {n_simple} simple ones; "
            f"{len(self.ids) - before} new"
        )

    def _best_of_pool(self, score: PartialGain) -> list[tuple[np.ndarray, np.ndarray]]:
        """Ids and values of the best formulas of every step of the pool, best first."""
        pool, gains = self.pool, np.round(score.evaluate(self.pool.values), 12)
        order = np.lexsort((pool.complexity, -gains))
        lists = []
        for limit in self.ladder.pool:
            rows = order[pool.complexity[order] <= limit][: self.plan.n_simple]
            lists.append((pool.ids[rows], pool.values[rows]))
        return lists

    def _add_laws_of_pool(self, size: int) -> None:
        """Add the terms of the best laws of ``size`` terms among the simplest formulas, all compared."""
        if size == 1:
            return
        pool = self.pool
        rows = np.lexsort((-pool.scores, pool.complexity))[: n_simplest(size, len(self.target.weights))]
        if len(rows) < size:
            return
        problem = self._problem(pool.values[rows].T, pool.complexity[rows])
        found = problem.search(size, n_keep=self.plan.n_residuals, n_jobs=self.plan.n_jobs)
        terms = rows[np.array(list(dict.fromkeys(found.subsets.ravel().tolist())), dtype=np.int64)]
        self._add(pool.ids[terms], pool.values[terms])
        self.notes.append(f"laws of {_terms(size)}: all were compared of the {len(rows):,} simplest formulas")

    def _add_in_turn(self, lists: list[tuple[np.ndarray, np.ndarray]]) -> int:
        """Add candidates of several ranked lists in turn; how many."""
        value_of = {
            node: row for ids, values in lists for node, row in zip(ids.tolist(), values, strict=True)
        }
        kept = in_turn([ids.tolist() for ids, _ in lists], self.plan.n_simple, without=self.ids.tolist())
        rows = np.array([value_of[node] for node in kept]).reshape(len(kept), len(self.target.y))
        self._add(np.array(kept, dtype=np.int64), rows, priority=1)
        return len(kept)

    def _score(self, models: list[tuple[int, ...]]) -> PartialGain:
        """What a candidate explains beside the terms of some laws."""
        used = sorted({column for model in models for column in model})
        place = {column: row for row, column in enumerate(used)}
        several = self.target.tasks is not None
        return PartialGain(
            self.target.y,
            models=tuple(tuple(place[column] for column in model) for model in models),
            values=np.ascontiguousarray(self.values[:, used].T) if used else None,
            tasks=self.target.numbers if several else None,
            weights=self.target.weights if several else None,
        )

    def _pass(self, size: int, space, score: PartialGain, n_keep: int, limit: int | None) -> ScreenResult:
        """Screen a space; its parts are kept in a folder of their own."""
        plan, folder = self.plan, None
        if self.store is not None:
            name = "all" if limit is None else f"complexity-{limit}"
            folder = self.store / f"screen-{size}" / name
        return screen(
            space,
            score,
            n_keep=n_keep,
            merge_affine=bool(plan.merge_affine) and plan.coefficient_sign is None,
            n_jobs=plan.n_jobs,
            store=folder,
            progress=plan.progress,
        )

    def _name(self) -> str:
        """Digest of space, target and settings: searches that share a store have folders of their own."""
        settings = {name: value for name, value in self.plan.get_params().items() if name not in _NO_MATTER}
        operations = [operation.name for operation in self.space.operations]
        space = self.space.base.values, self.space.max_complexity, operations
        return str(joblib.hash([space, self.target.y, self.target.tasks, self.target.weights, settings]))

    def _add(self, ids: np.ndarray, values: np.ndarray, priority: int = 0) -> None:
        """Put candidates behind the survivors, each once."""
        new = ~np.isin(ids, self.ids)
        self.priority = np.concatenate([self.priority, np.full(int(new.sum()), priority)])
        self.ids = np.concatenate([self.ids, ids[new]])
        self.values = np.concatenate([self.values, values[new].T], axis=1)

    def _models_to_extend(self, size: int) -> list[tuple[int, ...]]:
        """Best laws of ``size`` terms so far: of all survivors and, in turn, of the simple ones."""
        n_keep = self.plan.n_residuals
        found = [self._best_subsets(size, n_keep, limit) for limit in (None, *self._steps(size))]
        return in_turn(found, n_keep)

    def _steps(self, size: int) -> list[int]:
        """Steps of the ladder at which the number of survivors grows, and laws of ``size`` terms exist."""
        costs, steps, before = self._complexity(), [], size / STEP
        for limit in self.ladder.steps:
            count = int((costs <= limit).sum())
            if STEP * before <= count <= len(costs) / STEP:
                steps.append(limit)
                before = count
        return steps

    def _best_subsets(self, size: int, n_keep: int, limit: int | None) -> list[tuple[int, ...]]:
        """Best laws of ``size`` terms among the survivors of at most some complexity."""
        costs = self._complexity()
        columns = np.flatnonzero(costs <= limit) if limit is not None else np.arange(len(costs))
        problem = self._problem(self.values[:, columns], costs[columns])
        found = problem.search(size, n_keep=n_keep, n_jobs=self.plan.n_jobs)
        return [tuple(subset) for subset in columns[found.subsets].tolist()]

    def _problem(self, values: np.ndarray, costs: np.ndarray) -> SubsetProblem | TaskSubsetProblem:
        """Least squares on the columns of ``values`` with these complexities."""
        if self.plain:
            return SubsetProblem(values, self.target.y, complexity=costs)
        return TaskSubsetProblem(
            values,
            self.target.y,
            self.target.numbers,
            weights=self.target.weights,
            sign=self.plan.coefficient_sign,
            complexity=costs,
        )

    def _complexity(self) -> np.ndarray:
        """Complexity of the survivors."""
        return self.expressions.complexity[self.ids].astype(np.int64)

    # -- laws -------------------------------------------------------------------------------------

    def result(self) -> SearchResult:
        """Search all subsets of the survivors and hand over."""
        urgency = np.argsort(np.argsort(self.priority, kind="stable"), kind="stable")
        order = np.argsort(self._complexity(), kind="stable")
        self.ids, self.values = self.ids[order], np.asfortranarray(self.values[:, order])
        self.priority = urgency[order]
        self.texts = tuple(self.expressions.texts(self.ids)) if len(self.ids) else ()
        models = self._laws()
        ones = np.ones((len(self.target.y), 1))
        generated = Generated(
            self.expressions,
            np.concatenate([[self.expressions.constant(1)], self.ids]),
            np.asfortranarray(np.concatenate([ones, self.values], axis=1)),
            self._report(),
        )
        behind_constant = tuple(_moved(model, np.arange(1, len(self.ids) + 1)) for model in models)
        return SearchResult(
            generated=generated,
            models=ModelList(behind_constant, complete=self.complete, notes=tuple(self.notes)),
            screens=tuple(self.screens),
            n_candidates=int(self.space.n_candidates),
            complexity_counts=self.space.complexity_counts,
            complete=self.complete,
        )

    def _laws(self) -> list:
        """Best laws of every number of terms, columns counted from the first survivor."""
        plan = self.plan
        if not len(self.ids):
            if self.complete and not self.target.constant:
                warnings.warn(
                    "ScreenThenL0.find: no candidate varies; the law is the mean of y.",
                    ConvergenceWarning,
                    stacklevel=4,
                )
            return self._refitted([()]) if self.complete or plan.min_terms == 0 else []
        largest = min(self.max_terms, len(self.ids))
        total = sum(math.comb(len(self.ids), size) for size in range(plan.min_terms, largest + 1))
        bar = plan.progress if isinstance(plan.progress, bool) or plan.progress is None else False
        with progress_bar(total, "Searching subsets", progress=bar) as shown:
            laws = (self._plain_laws if self.plain else self._task_laws)(largest, _Watcher(shown))
        return self._with_simple_laws(laws, largest)

    def _with_simple_laws(self, laws: list, largest: int) -> list:
        """Add the best laws of simple terms, which the many complex ones would crowd out of the list."""
        if not self.complete:
            return laws
        known = {model.columns for model in laws}
        sizes = range(max(self.plan.min_terms, 1), largest + 1)
        for size in sizes:
            steps = self._steps(size)
            n_keep = max(self.plan.n_best // max(len(steps), 1), 1)
            for limit in steps:
                found = [s for s in self._best_subsets(size, n_keep, limit) if s not in known]
                known.update(found)
                laws += self._refitted(found)
        return [model for size in (0, *sizes) for model in _ordered(laws, size)]

    def _columns_for(self, size: int) -> np.ndarray:
        """Survivors among which laws of ``size`` terms are searched; all, where there is time."""
        n = len(self.ids)
        limit = max(AFFORDABLE, math.comb(min(sum(self.sizes), n), size))
        while math.comb(n, size) > limit:
            n -= 1
        if n < len(self.ids):
            self.notes.append(f"laws of {_terms(size)} were searched among {n} of {len(self.ids)} survivors")
        return np.flatnonzero(self.priority < n)

    def _plain_laws(self, largest: int, progress) -> list:
        """One task, any sign: the exhaustive selector."""
        plan, laws, costs = self.plan, [], self._complexity()
        fields = [(size, self._columns_for(size)) for size in range(plan.min_terms, largest + 1)]
        for _, group in groupby(fields, key=lambda field: len(field[1])):
            sizes, (columns, *_) = zip(*group, strict=True)
            selector = Exhaustive(
                max_terms=sizes[-1],
                min_terms=sizes[0],
                n_best=plan.n_best,
                n_jobs=plan.n_jobs,
                progress=progress,
                on_interrupt=plan.on_interrupt,
            )
            found = selector.select(
                self.values[:, columns],
                self.target.y,
                [self.texts[k] for k in columns],
                complexity=costs[columns],
            )
            laws += [_moved(model, columns) for model in found]
            self.notes += found.notes
            self.complete = self.complete and found.complete
            if not found.complete:
                break
        return laws

    def _task_laws(self, largest: int, progress) -> list:
        """Several tasks, or one sign."""
        plan, laws, costs = self.plan, [], self._complexity()
        for size in range(plan.min_terms, largest + 1):
            columns = self._columns_for(size)
            found = self._problem(self.values[:, columns], costs[columns]).search(
                size,
                n_keep=plan.n_best + SPARE,
                n_jobs=plan.n_jobs,
                progress=progress,
                on_interrupt=plan.on_interrupt,
            )
            if found.n_collinear_pivots:
                self.notes.append(f"{_terms(size)}: {found.n_collinear_pivots} collinear pivots within tasks")
            if found.complete and not len(found.subsets) and plan.coefficient_sign is not None:
                sign = "positive" if plan.coefficient_sign > 0 else "negative"
                self.notes.append(f"{_terms(size)}: no law has {sign} coefficients only")
            laws += sort_models(self._refitted(columns[found.subsets].tolist()), "rmse")[: plan.n_best]
            if not found.complete:
                self.notes.append(f"{_terms(size)}: stopped after {found.n_scored:,} of {found.n_subsets:,}")
                self.complete = False
                break
        return laws

    def _refitted(self, subsets) -> list:
        """Full records of some laws."""
        target, costs = self.target, self._complexity()
        if target.tasks is None:
            task = SelectionTask(self.values, target.y, self.texts, costs, True, "ScreenThenL0.find")
            return list(_independent(task, subsets))
        return [
            TaskModel.fit(
                self.values,
                target.y,
                target.tasks,
                target.rows,
                target.weights,
                subset,
                [self.texts[k] for k in subset],
                int(costs[list(subset)].sum()),
            )
            for subset in subsets
        ]

    def _report(self) -> pd.DataFrame:
        """What was dropped from the base, and what the first screen turned down."""
        frames = [self.space.base.report]
        if self.screens:
            frames.append(self.screens[0].n_rejected.assign(examples=""))
        frames = [frame for frame in frames if len(frame)]
        columns = ["reason", "operation", "count", "examples"]
        return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


class _Watcher:
    """Turn (done, total) of one number of terms after the other into steps of one bar."""

    def __init__(self, bar) -> None:
        self.bar, self.done = bar, 0

    def __call__(self, done: int, total: int) -> None:
        if done < self.done:  # the next number of terms has begun
            self.done = 0
        self.bar.advance(done - self.done)
        self.done = done


def _independent(task: SelectionTask, subsets) -> Iterator:
    """Records of the subsets whose columns are independent to the last digit."""
    for subset in subsets:
        with contextlib.suppress(NotIndependentError):
            yield task.model(subset)


def _ordered(laws: list, size: int) -> list:
    """Laws of one number of terms, best first."""
    return sort_models([model for model in laws if model.n_terms == size], "rmse")


def _terms(count: int) -> str:
    """``1 term``, ``2 terms``."""
    return "1 term" if count == 1 else f"{count} terms"


def _moved(model, columns: np.ndarray):
    """The model with its columns looked up in ``columns``."""
    moved = tuple(int(columns[column]) for column in model.columns)
    if isinstance(model, TaskModel):
        return replace(model, columns=moved, models=tuple(_moved(one, columns) for one in model.models))
    return replace(model, columns=moved)
