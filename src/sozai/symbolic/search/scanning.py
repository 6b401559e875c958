"""What one worker does: three sieves over rectangles of pairs, from cheap to exact."""

from __future__ import annotations

import functools
from typing import Any

import joblib
import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.search.candidates import TILE_PAIRS, CandidateSpace, pairs_in
from sozai.symbolic.search.closed_forms import CLOSED_FORMS, ClosedForms
from sozai.symbolic.search.computed_forms import ComputedForms
from sozai.symbolic.search.partial_gain import PartialGain
from sozai.symbolic.search.rung_growth import REASONS
from sozai.symbolic.search.screening_kernels import (
    FINE,
    FORBIDDEN,
    center_rows,
    count_pairs,
    fill_forbidden,
    fill_rows,
    fill_states,
    scan_list,
    scan_tile,
)
from sozai.symbolic.search.shortlist import Shortlist

__all__ = ["WORDS", "BoundPlan", "Plan", "Scan", "screen_chunk"]

UNDEFINED = 6  # state of a candidate whose score is NaN
WORDS = {FORBIDDEN: "singular inside the domain", **REASONS, UNDEFINED: "score undefined"}
"""Reasons for which a candidate has no score, by state."""

_TILE_SECONDS = 5e-5  # of every tile, however small
_BLOCK = 512  # candidates whose values are held at a time
_SAMPLE, _SAMPLED_TILES = 100_000, 64  # candidates from which the first threshold comes


class Plan:
    """What every worker needs to know; what it can work out itself does not travel."""

    def __init__(
        self,
        space: CandidateSpace,
        score: Any,
        n_keep: int,
        merge_affine: bool,
        threshold: float = -np.inf,
    ) -> None:
        self.space, self.score = space, score
        self.n_keep, self.merge_affine = n_keep, merge_affine
        self.threshold = self.reached = threshold
        self._states: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def __getstate__(self) -> dict[str, Any]:
        left_behind = {"closed", "computed", "task_rows", "intervals"}
        state = {name: value for name, value in self.__dict__.items() if name not in left_behind}
        return {**state, "_states": {}}

    @property
    def left(self) -> float:
        """What the best of the score's models leaves unexplained."""
        if not isinstance(self.score, PartialGain):
            return 1.0
        return float(np.clip(1.0 - self.score.base_scores.max(), 0.0, 1.0))

    @functools.cached_property
    def closed(self) -> ClosedForms:
        """Sums by products of matrices."""
        return ClosedForms(self.space, self.task_rows, self.score.columns, self.score.starts)

    @functools.cached_property
    def computed(self) -> ComputedForms:
        """Sums of computed values."""
        return ComputedForms(self.space, self.task_rows, self.score.columns, self.score.starts)

    @functools.cached_property
    def task_rows(self) -> np.ndarray:
        """Values of the base with samples sorted by task."""
        values = self.space.base.values
        return values if self.score.tasks.size == 1 else np.ascontiguousarray(values[:, self.score.order])

    @functools.cached_property
    def declared(self) -> bool:
        """Whether a declared domain can forbid anything."""
        return bool(self.space.base.expressions.declared[self.space.base.ids].any())

    @functools.cached_property
    def intervals(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Bounds of the features of the base and whether they are declared."""
        store, ids = self.space.base.expressions, self.space.base.ids
        return store.lower[ids], store.upper[ids], store.declared[ids]

    def forms(self, op: int) -> ClosedForms | ComputedForms | None:
        """Who takes sums over whole rectangles of an operation; None: its candidates are listed."""
        if not isinstance(self.score, PartialGain) or self.space.is_unary(op):
            return None
        operation = self.space.operations[op]
        if operation.name in CLOSED_FORMS:
            return self.closed
        return None if self.declared and operation.singular else self.computed

    def states(self, op: int) -> tuple[np.ndarray, np.ndarray]:
        """States of sorted rows as arguments of an operation."""
        if op not in self._states:
            self._states[op] = self.forms(op).states(op)
        return self._states[op]

    def prepare(self) -> None:
        """Work out now what threads would otherwise work out twice."""
        for op in np.unique(self.space.tiles[:, 0]).tolist():
            forms = self.forms(op)
            if forms is not None:
                self.states(op)
                forms.prepare(op)
        if isinstance(self.score, PartialGain):
            self.task_rows  # noqa: B018

    def seconds(self) -> np.ndarray:
        """Rough time of every tile on one core."""
        m = self.space.base.values.shape[1]
        r = self.score.columns.shape[0] if isinstance(self.score, PartialGain) else 0
        costs = {
            ClosedForms: 4e-9 + 4e-11 * m * (2 + r),
            ComputedForms: 2e-8 + 6e-10 * m + 4e-11 * m * r,
            type(None): 1e-7 + 1e-8 * m,
        }
        cost = [costs[type(self.forms(op))] for op in range(len(self.space.operations))]
        return _TILE_SECONDS + pairs_in(self.space.tiles) * np.array(cost)[self.space.tiles[:, 0]]

    def content(self) -> str:
        """Digest of everything a result depends on."""
        base, space = self.space.base, self.space
        store = base.expressions
        known = [store.hash[base.ids], store.lower[base.ids], store.upper[base.ids], store.declared[base.ids]]
        rules = [operation.name for operation in space.operations], space.target_dimension
        numbers = space.max_complexity, self.n_keep, self.merge_affine, self.threshold
        return str(joblib.hash([base.values, base.rung, *known, rules, numbers, self.score]))


class BoundPlan(functools.partial):
    """``partial`` that shows the digest of its argument to those who compare runs."""

    @property
    def args(self) -> tuple[str]:
        """Digest in place of the argument."""
        return (super().args[0].content(),)


def screen_chunk(plan: Plan, tiles: tuple[int, int]) -> dict[str, Any]:
    """Shortlist and counts of a range of tiles."""
    scan = Scan(plan)
    for tile in plan.space.tiles[tiles[0] : tiles[1]]:
        scan.tile(tile)
    return scan.result()


class Scan:
    """One worker's pass over tiles: a shortlist, and counts of what has no score."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.space = plan, plan.space
        self.shortlist = Shortlist(plan.space, plan.n_keep, plan.merge_affine, plan.threshold, plan.left)
        self.rejected = np.zeros((len(plan.space.operations) + 1, UNDEFINED + 1), dtype=np.int64)
        self.n_suspects = 0

    def result(self) -> dict[str, Any]:
        """What is handed back: arrays and numbers only."""
        self.shortlist.settle()
        return {
            "members": self.shortlist.members,
            "rejected": self.rejected,
            "n_suspects": self.n_suspects,
        }

    def base_features(self) -> dict[str, Any]:
        """Score the features of the base."""
        rows = self.space.base_rows
        score = self._listed if isinstance(self.plan.score, PartialGain) else self._exact
        score(-1, rows, np.full(rows.size, -1))
        return self.result()

    def sample(self, features: np.ndarray) -> float:
        """Threshold after a random sample; where a search starts changes its time and nothing else."""
        tiles, rng = self.space.tiles, np.random.default_rng(20_180_802)
        self.shortlist.add_records(features)
        chosen = tiles[np.sort(rng.choice(len(tiles), min(_SAMPLED_TILES, len(tiles)), replace=False))]
        share = min(0.05, _SAMPLE / max(int(pairs_in(chosen).sum()), 1))
        for tile in chosen:
            left, right = self.space.pairs(tile)
            few = np.flatnonzero(rng.random(left.size) < share)
            self._one_by_one(int(tile[0]), left[few], right[few])
        self.shortlist.settle()
        return self.shortlist.threshold

    def tile(self, tile: np.ndarray) -> None:
        """Score the candidates of a tile; threads of one process share the threshold they have reached."""
        op = int(tile[0])
        self.shortlist.threshold = max(self.shortlist.threshold, self.plan.reached)
        if self.plan.forms(op) is not None:
            self._rectangle(op, tile)
        else:
            self._one_by_one(op, *self.space.pairs(tile))
        self.plan.reached = max(self.shortlist.threshold, self.plan.reached)

    def _one_by_one(self, op: int, left: np.ndarray, right: np.ndarray) -> None:
        """Score listed candidates, but for those that are singular inside the domain."""
        if self.plan.declared:
            state = np.empty(left.size, dtype=np.int64)
            fill_forbidden(self.space.steps(op), *self.plan.intervals, left, right, state)
            self.rejected[op, FORBIDDEN] += int((state == FORBIDDEN).sum())
            left, right = left[state == FINE], right[state == FINE]
        if isinstance(self.plan.score, PartialGain):
            self._listed(op, left, right)
        else:
            self._exact(op, left, right)

    # -- three sieves -----------------------------------------------------------------------------

    def _rectangle(self, op: int, tile: np.ndarray) -> None:
        """Sums over the whole tile; what may pass goes on."""
        space, operation, layout = self.space, self.space.operations[op], self.space.layout(op)
        _, r0, r1, c0, c1, _ = (int(value) for value in tile)
        states = self.plan.states(op)
        known = (layout.complexity, layout.is_new, space.max_complexity - space.weight(op), *states)
        if (states[0][r0:r1] != FINE).any() or (states[1][c0:c1] != FINE).any():
            count_pairs(tile, *known, self.rejected[op])
        v, q, g = self.plan.forms(op).sums(op, slice(r0, r1), slice(c0, c1), self._buffer)
        left, right, suspect = self._found
        rules = (self.plan.score.models, self.shortlist.threshold, tile, operation.ordered, layout.order)
        n = scan_tile(v, q, g, *rules, *known, left, right, suspect)
        left, right, close = left[:n], right[:n], suspect[:n]
        self._exact(op, left[~close], right[~close])
        self.n_suspects += int(close.sum())
        self._listed(op, left[close], right[close])

    def _listed(self, op: int, left: np.ndarray, right: np.ndarray) -> None:
        """Sums of computed values; what may pass goes on."""
        plan, score = self.plan, self.plan.score
        rows, steps, (n_tasks, r) = plan.task_rows, self.space.steps(op), score.shape
        values = np.empty((min(_BLOCK, left.size), rows.shape[1]))
        for start in range(0, left.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            a, b = left[block], right[block]
            f = values[: a.size]
            v, q = np.empty((2, n_tasks, 1, a.size))
            g = np.empty((n_tasks, r, 1, a.size))
            fill_rows(steps, rows, a, b, f)
            center_rows(f, score.starts, v, q)
            for task, (begin, end) in enumerate(zip(score.starts[:-1], score.starts[1:], strict=True)):
                np.matmul(score.columns[:, begin:end], f[:, begin:end].T, out=g[task, :, 0])
            passed = scan_list(v, q, g, score.models, self.shortlist.threshold) > 0
            self._exact(op, a[passed], b[passed])

    def _exact(self, op: int, left: np.ndarray, right: np.ndarray) -> None:
        """Values and scores in two passes; what reaches the threshold is shortlisted."""
        base, steps = self.space.base.values, self.space.steps(op)
        for start in range(0, left.size, _BLOCK):
            a, b = left[start : start + _BLOCK], right[start : start + _BLOCK]
            values, state = np.empty((a.size, base.shape[1])), np.empty(a.size, dtype=np.int64)
            fill_rows(steps, base, a, b, values)
            fill_states(values, state)
            fine = state == FINE
            scores = np.full(a.size, np.nan)
            if fine.any():
                scores[fine] = self._evaluated(values if fine.all() else values[fine])
            state[fine & np.isnan(scores)] = UNDEFINED
            counts = np.bincount(state, minlength=UNDEFINED + 1)
            counts[FINE] = 0
            self.rejected[op] += counts
            self.shortlist.add(op, a, b, scores)

    def _evaluated(self, values: np.ndarray) -> np.ndarray:
        """What the score says, one number per feature."""
        scores = np.asarray(self.plan.score.evaluate(values), dtype=np.float64)
        if scores.shape != values.shape[:1]:
            raise InputError(
                sentence(
                    "screen",
                    "score.evaluate(values)",
                    f"return one number per row, shape ({len(values)},)",
                    scores.shape,
                    remedy="Score every row of values.",
                )
            )
        return scores

    # -- room -------------------------------------------------------------------------------------

    @functools.cached_property
    def _buffer(self) -> np.ndarray:
        """Room for the sums of one tile."""
        n_tasks, r = self.plan.score.shape
        return np.empty(n_tasks * (r + 2) * TILE_PAIRS)

    @functools.cached_property
    def _found(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Room for what passes in one tile."""
        return np.empty(TILE_PAIRS, np.int64), np.empty(TILE_PAIRS, np.int64), np.empty(TILE_PAIRS, np.bool_)
