"""How descriptors are made: books of what is kept, dropped and refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import pandas as pd

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.descriptors.permutations import SymmetryGroup
from sozai.symbolic.descriptors.products import count_products
from sozai.symbolic.descriptors.symmetric_products import symmetric_products
from sozai.symbolic.formulas.evaluation import evaluate_nodes
from sozai.symbolic.operations import BasicOperation, Expressions

__all__ = ["DescriptorMaker", "Limits"]

_BYTES_PER_EXPRESSION = 160  # table, index and report of one expression
_FINE, _NOT_FINITE, _ZERO, _CONSTANT = range(4)


# -- limits ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Limits:
    """Refuse before allocating."""

    n_samples: int
    max_features: int
    memory_limit: float

    def check_basic(
        self, n_names: int, n_chosen: int, unary: Sequence[BasicOperation], pairs: Sequence[BasicOperation]
    ) -> None:
        """Columns of order 1."""
        n_pairs = n_chosen * (n_chosen - 1) // 2
        n_basic = 1 + n_names + n_chosen * len(unary) + sum(n_pairs * (1 + pair.ordered) for pair in pairs)
        self.check(n_basic, "basic operations", "Use fewer operations or columns=[...]")

    def check_products(self, n_columns: int, order: int, cumulative: bool, n_elements: int = 1) -> None:
        """Columns of all products."""
        orders = range(1, order + 1) if cumulative else [order]
        total = 1 + sum(count_products(n_columns, k) for k in orders)
        self.check(
            -(-total // n_elements),
            f"products of {order} from {n_columns} columns",
            "Lower the order or the number of operations",
        )

    def check(self, n_features: int, what: str, remedy: str) -> None:
        """Columns and bytes against the limits."""
        n_bytes = n_features * (8.0 * self.n_samples + _BYTES_PER_EXPRESSION)
        if n_features > self.max_features:
            raise InputError(
                sentence(
                    "generate",
                    what,
                    f"make at most max_features={self.max_features:,} columns",
                    n_features,
                    at=f"columns ({_size(n_bytes)})",
                    remedy=f"{remedy}, or raise max_features.",
                )
            )
        if n_bytes > self.memory_limit:
            raise InputError(
                sentence(
                    "generate",
                    what,
                    f"fit into memory_limit={self.memory_limit:.3g} bytes ({_size(self.memory_limit)})",
                    n_features,
                    at=f"columns of {self.n_samples} rows, about {_size(n_bytes)}",
                    remedy=f"{remedy}, or raise memory_limit.",
                )
            )


def _size(n_bytes: float) -> str:
    """Bytes for people."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= scale:
            return f"{n_bytes / scale:.3g} {unit}"
    return f"{n_bytes:.0f} B"


# -- making ---------------------------------------------------------------------------------------


class DescriptorMaker:
    """Keeps the books while descriptors are made."""

    def __init__(self, store: Expressions, leaves: np.ndarray, keep_constant: bool, limits: Limits) -> None:
        self.store = store
        self.leaves = leaves
        self.keep_constant = keep_constant
        self.limits = limits
        self.dropped: dict[tuple[str, str], list[Any]] = {}

    def basic(
        self, chosen: np.ndarray, unary: Sequence[BasicOperation], pairs: Sequence[BasicOperation]
    ) -> list[tuple[str, bool, np.ndarray]]:
        """Ids of order 1 as (operation, singular, ids), illegal and repeated ones left out."""
        store = self.store
        blocks = [("column", False, np.arange(1, len(store.names) + 1))]
        first, second = (chosen[index] for index in np.triu_indices(chosen.size, 1))
        for operation in (*unary, *pairs):
            arguments = [(chosen, None)] if operation in unary else [(first, second)]
            if operation.ordered:
                arguments.append((second, first))
            for left, right in arguments:
                legal = operation.allowed(store, left, right)
                self.drop_illegal(operation, left[~legal], None if right is None else right[~legal])
                ids = operation.apply(store, left[legal], None if right is None else right[legal])
                blocks.append((operation.name, operation.singular, np.atleast_1d(ids)))
        seen = self._seen([0])
        return [(name, singular, self._new(name, ids, seen)) for name, singular, ids in blocks]

    def _seen(self, ids: Any) -> np.ndarray:
        """Marks of the expressions made so far."""
        seen = np.zeros(len(self.store), dtype=bool)
        seen[ids] = True
        return seen

    def _new(self, name: str, ids: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Ids that are allowed in the domain and not made before; they are marked."""
        bad = self.store.rejected[ids]
        self.drop("singular inside the domain", name, ids[bad])
        ids = ids[~bad]
        fresh = np.zeros(ids.size, dtype=bool)
        fresh[np.unique(ids, return_index=True)[1]] = True
        fresh &= ~seen[ids]
        seen[ids] = True
        self.drop("duplicate", name, ids[~fresh])
        return ids[fresh]

    def products(
        self, basic: list[tuple[str, bool, np.ndarray]], order: int, cumulative: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Direct products of the kept descriptors of order 1."""
        ids = np.concatenate([block for _, _, block in basic])
        values = self.evaluate(ids)
        keep = self.screen(values, basic)
        ids = ids[keep]
        self.limits.check_products(ids.size, order, cumulative)
        self.store.reserve(sum(count_products(ids.size, k) for k in range(2, order + 1)))
        levels, start = [ids], 0
        last = np.arange(ids.size)
        current = ids
        for _ in range(1, order):
            counts = ids.size - last
            following = _ranges(last, counts)
            current = self.store.add("multiply", np.repeat(current, counts), ids[following])
            last = following
            levels.append(current)
        if not cumulative:
            start = order - 1
        if order == 1:
            return _with_constant(ids, _compressed(values, keep))
        blocks = [("column", False, ids)] if start == 0 else []
        seen = self._seen([0, *(ids.tolist() if start == 0 else ())])
        for level in range(max(start, 1), order):
            fresh = self._new("product", levels[level], seen)
            blocks.append(("product", False, fresh))
        made = np.concatenate([block for _, _, block in blocks])
        del values
        values = self.evaluate(made)
        keep = self.screen(values, blocks)
        return _with_constant(made[keep], _compressed(values, keep))

    def symmetrized(
        self, basic: list[tuple[str, bool, np.ndarray]], order: int, cumulative: bool, group: SymmetryGroup
    ) -> tuple[np.ndarray, np.ndarray]:
        """One sum over the orbit per orbit of products."""
        ids = np.concatenate([block for _, _, block in basic])
        index, sign = group.action_on(self.store, ids)
        state = _state(self.evaluate(ids)[1:])
        broken = (state == _NOT_FINITE)[index].any(axis=0)
        empty = (state == _ZERO)[index].all(axis=0)
        offset = 0
        for name, singular, block in basic:
            here = slice(offset, offset + block.size)
            self.drop("non-finite" if singular else "overflow", name, block[broken[here]])
            self.drop("zero", name, block[empty[here] & ~broken[here]])
            offset += block.size
        keep = np.flatnonzero(~broken & ~empty)
        renumber = np.full(ids.size, -1)
        renumber[keep] = np.arange(keep.size)
        ids, index, sign = ids[keep], renumber[index[:, keep]], sign[:, keep]
        self.limits.check_products(ids.size, order, cumulative, len(group))
        levels = []
        for k in range(1 if cumulative else order, order + 1):
            made, vanished = symmetric_products(self.store, ids, index, sign, group.characters, k)
            self.drop("zero by symmetry", "product" if k > 1 else "column", vanished)
            levels.append(made)
        seen = self._seen([0])
        blocks = [("symmetrized", False, self._new("symmetrized", made, seen)) for made in levels]
        made = np.concatenate([block for _, _, block in blocks])
        values = self.evaluate(made)
        keep = self.screen(values, blocks)
        return _with_constant(made[keep], _compressed(values, keep))

    def evaluate(self, ids: np.ndarray) -> np.ndarray:
        """Values as rows behind a row for the constant."""
        store = self.store
        rows = np.empty((ids.size + 1, self.leaves.shape[1]))
        rows[0] = 1.0
        numbers = np.array([float(value) for value in store.constants])
        evaluate_nodes(store.op, store.left, store.right, numbers, ids, self.leaves, out=rows[1:])
        return rows

    def screen(self, rows: np.ndarray, blocks: Sequence[tuple[str, bool, np.ndarray]]) -> np.ndarray:
        """Which rows behind the constant are kept; the others are counted."""
        state = _state(rows[1:])
        offset = 0
        for name, singular, ids in blocks:
            here = state[offset : offset + ids.size]
            offset += ids.size
            self.drop("non-finite" if singular else "overflow", name, ids[here == _NOT_FINITE])
            self.drop("zero", name, ids[here == _ZERO])
            if not self.keep_constant:
                self.drop("constant", name, ids[here == _CONSTANT])
        return (state == _FINE) | ((state == _CONSTANT) & self.keep_constant)

    def drop(self, reason: str, operation: str, ids: np.ndarray) -> None:
        """Count what is dropped and remember five examples."""
        if len(ids):
            record = self.dropped.setdefault((reason, operation), [0, []])
            record[0] += len(ids)
            record[1] += [self.store.text(node) for node in ids[: 5 - len(record[1])]]

    def drop_illegal(self, operation: BasicOperation, left: np.ndarray, right: np.ndarray | None) -> None:
        """Count what dimensions or groups forbid."""
        if left.size:
            record = self.dropped.setdefault(("illegal dimension", operation.name), [0, []])
            record[0] += left.size
            for k in range(min(left.size, 5 - len(record[1]))):
                arguments = [left[k]] if right is None else [left[k], right[k]]
                texts = ", ".join(self.store.text(node) for node in arguments)
                record[1].append(f"{operation.name}({texts})")

    def report(self) -> pd.DataFrame:
        """What was dropped, by reason and operation."""
        return pd.DataFrame(
            [
                (reason, name, count, tuple(examples))
                for (reason, name), (count, examples) in self.dropped.items()
            ],
            columns=["reason", "operation", "count", "examples"],
        ).astype({"count": np.int64})


def _with_constant(ids: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ids behind that of the constant, and their values as columns."""
    return np.concatenate([[0], ids]), rows.T


def _ranges(first: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Concatenated ranges ``first[i] ... first[i] + counts[i] - 1``."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if ends.size else 0) - np.repeat(ends - counts - first, counts)


@numba.njit(cache=True, nogil=True)
def _fill_state(rows, state):
    """Finite and varying, not finite, zero, or constant."""
    for k in range(rows.shape[0]):
        low = high = rows[k, 0]
        finite = True
        for value in rows[k]:
            finite &= abs(value) <= 1.7976931348623157e308
            low = min(low, value)
            high = max(high, value)
        if not finite:
            state[k] = 1
        elif low == 0.0 and high == 0.0:
            state[k] = 2
        elif high - low <= 1e-12 * max(abs(low), abs(high)):
            state[k] = 3


def _state(rows: np.ndarray) -> np.ndarray:
    """State of every row."""
    state = np.zeros(rows.shape[0], dtype=np.int8)
    _fill_state(rows, state)
    return state


@numba.njit(cache=True, nogil=True)
def _move_rows(rows, keep):
    """Move kept rows to the front, in place."""
    target = 0
    for k in range(rows.shape[0]):
        if keep[k]:
            if target < k:
                rows[target] = rows[k]
            target += 1


def _compressed(rows: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Constant row and kept rows, without a second copy of the table."""
    keep = np.concatenate([[True], keep])
    if keep.all():
        return rows
    _move_rows(rows, keep)
    return rows[: int(keep.sum())]
