"""One more rung: candidates made, compared, and kept once; what is dropped is counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.formulas.canonical import split_number
from sozai.symbolic.formulas.hash_consing import NUMBER, SCALED
from sozai.symbolic.operations import BasicOperation, Expressions
from sozai.symbolic.search.candidates import CandidateSpace
from sozai.symbolic.search.screening_kernels import CONSTANT, FINE, NOT_FINITE, ZERO, fill_rows, fill_states

__all__ = ["REASONS", "Books", "Limits", "RungGrowth", "find_twins", "fingerprints", "strip_numbers"]

REASONS = {NOT_FINITE: "non-finite", ZERO: "zero", CONSTANT: "constant"}
"""Words for states that are dropped."""

_BYTES_PER_FEATURE = 260  # table, index, fingerprints and books of one feature made
_BLOCK = 4096  # features evaluated at a time
_SAME = 1e-10  # relative difference of equal values

MADE = np.dtype(
    [
        ("op", np.int64),
        ("left", np.int64),
        ("right", np.int64),
        ("id", np.int64),
        ("factor", np.float64),
        ("marks", np.float64, 3),
    ]
)
"""How a new feature is computed, its formula, the number taken off it, and its fingerprint."""


class RungGrowth:
    """Makes the features of one more rung, in two passes: compare first, keep values after.

    Parameters
    ----------
    space : CandidateSpace
        Features so far and the operations on them.
    books : Books
        Where drops are counted.
    """

    def __init__(self, space: CandidateSpace, books: Books) -> None:
        self.space, self.base, self.books = space, space.base, books
        self.store = space.base.expressions
        self.seen = np.zeros(len(self.store), dtype=bool)
        self.seen[self.base.ids] = True

    def features(self) -> tuple[np.ndarray, np.ndarray]:
        """Ids and values of the new features, each once."""
        self.books.count_illegal(self.space)
        blocks = [self._comparable(op, left, right) for op, left, right in self._candidates()]
        made = np.concatenate([np.zeros(0, dtype=MADE), *blocks])
        del blocks
        marks = np.concatenate([fingerprints(self.base.values), made["marks"]])
        rank = np.concatenate([np.full(len(self.base.ids), -1), self.store.complexity[made["id"]]])
        twins = find_twins(marks, rank, np.concatenate([self.base.ids, made["id"]]))[len(self.base.ids) :]
        for op in np.unique(made["op"]):
            here = twins & (made["op"] == op)
            self.books.drop("equal values", self.space.operations[op].name, made["id"][here])
        made = made[~twins]
        return made["id"].copy(), self._values(made)

    def _candidates(self) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Operation and rows of all candidates, some thousand at a time."""
        for tile in self.space.tiles:
            left, right = self.space.pairs(tile)
            for block in _blocks(left.size):
                yield int(tile[0]), left[block], right[block]

    def _comparable(self, op: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Candidates of one operation that are new formulas with values, with their fingerprints."""
        raw = self.space.add(self.store, op, left, right)
        made = np.zeros(raw.size, dtype=MADE)
        made["op"], made["left"], made["right"] = op, left, right
        made["id"], made["factor"] = strip_numbers(self.store, raw)
        made = made[self._new_formulas(op, raw, made["id"])]
        rows = self._rows(op, made)
        state = np.empty(made.size, np.int64)
        fill_states(rows, state)
        operation = self.space.operations[op]
        for code, reason in REASONS.items():
            overflow = code == NOT_FINITE and not operation.singular
            self.books.drop("overflow" if overflow else reason, operation.name, made["id"][state == code])
        made = made[state == FINE]
        made["marks"] = fingerprints(rows[state == FINE])
        return made

    def _new_formulas(self, op: int, raw: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Which formulas are allowed and have not been made before; the others are counted."""
        store, name = self.store, self.space.operations[op].name
        if len(store) > self.seen.size:
            self.seen = np.concatenate([self.seen, np.zeros(len(store), dtype=bool)])
        first = np.zeros(ids.size, dtype=bool)
        first[np.unique(ids, return_index=True)[1]] = True
        keep = np.ones(ids.size, dtype=bool)
        for reason, bad in (
            ("singular inside the domain", store.rejected[ids]),
            ("constant", store.form[ids] == NUMBER),
            ("too complex", store.complexity[ids] > self.space.max_complexity),
            ("duplicate", self.seen[ids] | ~first),
        ):
            self.books.drop(reason, name, raw[keep & bad])
            keep &= ~bad
        self.seen[ids[keep]] = True
        return keep

    def _rows(self, op: int, made: np.ndarray) -> np.ndarray:
        """Values of candidates of one operation."""
        rows = np.empty((made.size, self.base.values.shape[1]))
        left, right = made["left"].copy(), made["right"].copy()
        fill_rows(self.space.steps(op), self.base.values, left, right, rows)
        rows /= made["factor"][:, None]
        return rows

    def _values(self, made: np.ndarray) -> np.ndarray:
        """Values of the base and of the new features behind them."""
        base = self.base.values
        values = np.empty((base.shape[0] + made.size, base.shape[1]))
        values[: base.shape[0]] = base
        for op in np.unique(made["op"]):
            here = np.flatnonzero(made["op"] == op)
            for block in _blocks(here.size):
                values[base.shape[0] + here[block]] = self._rows(int(op), made[here[block]])
        return values


def strip_numbers(store: Expressions, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expressions without the number in front, and that number: 2*x is x times 2."""
    ids, factor = np.array(ids), np.ones(ids.size)
    for k in np.flatnonzero(store.form[ids] == SCALED):
        number, ids[k] = split_number(store, int(ids[k]))
        factor[k] = float(number)
    return ids, factor


def _blocks(n: int) -> Iterator[slice]:
    """Stretches of some thousand."""
    for start in range(0, n, _BLOCK):
        yield slice(start, min(start + _BLOCK, n))


# -- equal values ---------------------------------------------------------------------------------


def fingerprints(rows: np.ndarray) -> np.ndarray:
    """(log norm, two projections of the unit vector up to sign) of every row, shape (n, 3)."""
    random = np.random.default_rng(20_150_310).normal(size=(rows.shape[1], 2))
    random /= np.linalg.norm(random, axis=0)
    marks = np.empty((rows.shape[0], 3))
    for start in range(0, rows.shape[0], _BLOCK):
        block = rows[start : start + _BLOCK]
        largest = np.abs(block).max(axis=1, initial=0.0)
        scaled = block / largest[:, None]
        norm = np.sqrt(np.einsum("ij,ij->i", scaled, scaled))
        marks[start : start + _BLOCK, 0] = np.log(largest) + np.log(norm)
        marks[start : start + _BLOCK, 1:] = (scaled @ random) / norm[:, None]
    sign = np.where(marks[:, 1] < 0, -1.0, 1.0)
    marks[:, 1:] *= sign[:, None]
    return marks


def find_twins(marks: np.ndarray, rank: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Which rows equal another one of lower (rank, id) in all three marks."""
    order = np.lexsort((ids, rank, marks[:, 1]))
    sorted_marks = marks[order]
    twin = np.zeros(ids.size, dtype=bool)
    begin = 0
    gaps = np.diff(sorted_marks[:, 1])
    for end in (*(np.flatnonzero(gaps > _SAME) + 1).tolist(), order.size):
        if end - begin > 1:
            _mark_group(order[begin:end], marks, rank, ids, twin)
        begin = end
    return twin


def _mark_group(
    group: np.ndarray, marks: np.ndarray, rank: np.ndarray, ids: np.ndarray, twin: np.ndarray
) -> None:
    """Mark the members of a group with near first projections that have an equal before them."""
    group = group[np.lexsort((ids[group], rank[group]))]
    kept: list[int] = []
    for row in group.tolist():
        if kept and (np.abs(marks[kept] - marks[row]) <= [2 * _SAME, _SAME, _SAME]).all(axis=1).any():
            twin[row] = True
        else:
            kept.append(row)


# -- limits and books -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Limits:
    """Refuses a rung before anything is allocated."""

    n_samples: int
    max_features: int
    memory_limit: float

    def check(self, space: CandidateSpace, rung: int) -> None:
        """Features and bytes of one more rung against the limits."""
        n_bytes = space.n_candidates * (8.0 * self.n_samples + _BYTES_PER_FEATURE)
        for limit, count, shown in (
            (self.max_features, space.n_candidates, f"max_features={self.max_features:,}"),
            (self.memory_limit, n_bytes, f"memory_limit={self.memory_limit:.3g} bytes"),
        ):
            if count > limit:
                name = shown.partition("=")[0]
                raise InputError(
                    sentence(
                        "grow",
                        f"rung {rung}",
                        f"fit into {shown}",
                        space.n_candidates,
                        at=f"features of {self.n_samples} rows, about {n_bytes / 1e6:,.3g} MB",
                        remedy=f"Lower max_complexity, use fewer operations or columns, or raise {name}.",
                    )
                )


class Books:
    """What was dropped, by reason and operation."""

    def __init__(self, store: Expressions) -> None:
        self.store = store
        self.dropped: dict[tuple[str, str], list[Any]] = {}

    def drop(self, reason: str, operation: str, ids: np.ndarray) -> None:
        """Count what is dropped and remember five examples."""
        if len(ids):
            record = self.dropped.setdefault((reason, operation), [0, []])
            record[0] += len(ids)
            record[1] += [self.store.text(int(node)) for node in ids[: 5 - len(record[1])]]

    def count_illegal(self, space: CandidateSpace) -> None:
        """Count what dimensions or groups forbid; one example per forbidden pair of dimensions."""
        for number, operation in enumerate(space.operations):
            count, examples = space.forbidden(number)
            if count:
                record = self.dropped.setdefault(("illegal dimension", operation.name), [0, []])
                record[0] += count
                record[1] += [self._call(operation, pair) for pair in examples[: 5 - len(record[1])]]

    def _call(self, operation: BasicOperation, rows: Sequence[int]) -> str:
        """An operation that cannot be written as a formula."""
        return f"{operation.name}({', '.join(self.store.text(int(row)) for row in rows)})"

    def report(self) -> pd.DataFrame:
        """What was dropped, as a table."""
        return pd.DataFrame(
            [
                (reason, name, count, tuple(examples))
                for (reason, name), (count, examples) in self.dropped.items()
            ],
            columns=["reason", "operation", "count", "examples"],
        ).astype({"count": np.int64})
