"""Expressions and stores as JSON: names, numbers as text, and lists of nodes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.formulas.evaluation import reachable
from sozai.symbolic.formulas.operators import CONSTANT, LEAF, OPERATIONS
from sozai.symbolic.formulas.rendering import to_text

if TYPE_CHECKING:
    from sozai.symbolic.formulas.expressions import Expressions

__all__ = ["expression_from_json", "expression_to_json", "store_from_json", "store_to_json"]

_NAMES = {operation.code: operation.name for operation in OPERATIONS.values()}


def expression_to_json(store: Expressions, node: int) -> dict[str, Any]:
    """Nodes of one formula, children before parents, names instead of column numbers."""
    nodes = reachable(store.op, store.left, store.right, np.array([node])).tolist()
    position = {at: k for k, at in enumerate(nodes)}
    rows: list[list[Any]] = []
    for at in nodes:
        op, left, right = int(store.op[at]), int(store.left[at]), int(store.right[at])
        if op == CONSTANT:
            rows.append(["constant", str(store.constants[left])])
        elif op == LEAF:
            rows.append(["leaf", store.names[left]])
        else:
            rows.append([_NAMES[op], position[left], *([position[right]] if right >= 0 else [])])
    names = [store.names[j] for j in store.columns_of(node)]
    return {
        "format": "sozai expression",
        "version": 1,
        "text": to_text(store, node),
        "names": names,
        "nodes": rows,
    }


def expression_from_json(store: Expressions, data: Mapping[str, Any]) -> int:
    """Id of a formula written by ``expression_to_json``."""
    ids: list[int] = []
    for row in data.get("nodes", ()):
        name, *children = row
        if name == "constant":
            ids.append(store.constant(Fraction(children[0])))
        elif name == "leaf":
            ids.append(store.leaf(str(children[0])))
        elif name in OPERATIONS and all(isinstance(k, int) and 0 <= k < len(ids) for k in children):
            ids.append(int(store.add(name, *(ids[k] for k in children))))
        else:
            raise _bad_json("every node after its children, with a known operator", row)
    if not ids:
        raise _bad_json("at least one node", dict(data))
    return ids[-1]


def store_to_json(store: Expressions) -> dict[str, Any]:
    """The whole store as lists."""
    columns = slice(1, len(store.names) + 1)
    return {
        "format": "sozai expressions",
        "version": 1,
        "names": list(store.names),
        "constants": [str(value) for value in store.constants],
        "op": store.op.tolist(),
        "left": store.left.tolist(),
        "right": store.right.tolist(),
        "dimensions": [
            [[base, str(power)] for base, power in store.leaf_dimension(j)] for j in range(len(store.names))
        ],
        "interval": [
            [_json_float(low), _json_float(high)]
            for low, high in zip(store.lower[columns], store.upper[columns], strict=True)
        ],
        "declared": store.declared[columns].tolist(),
    }


def store_from_json(cls: type[Expressions], data: Mapping[str, Any]) -> Expressions:
    """Store with the same ids."""
    if data.get("format") != "sozai expressions" or data.get("version") != 1:
        raise _bad_json(
            "format 'sozai expressions', version 1", {key: data.get(key) for key in ("format", "version")}
        )
    names = data["names"]
    interval = np.array(
        [
            [-np.inf if low is None else low, np.inf if high is None else high]
            for low, high in data["interval"]
        ]
    ).reshape(-1, 2)
    domain = {
        name: tuple(pair)
        for name, pair, given in zip(names, interval, data["declared"], strict=True)
        if given
    }
    store = cls(names, domain=domain, observed=interval.T)
    store.restore_dimensions(
        [[(base, Fraction(power)) for base, power in vector] for vector in data["dimensions"]]
    )
    op, left, right = (np.array(data[key], dtype=np.int64) for key in ("op", "left", "right"))
    start = len(store)
    constants = [Fraction(value) for value in data["constants"]]
    _check_nodes(op, left, right, len(names), len(constants), start)
    while start < op.size:
        stop = start + int(np.argmax(op[start:] <= LEAF)) if (op[start:] <= LEAF).any() else op.size
        if stop == start:
            made = np.array([store.constant(constants[left[start]])])
            stop = start + 1
        else:
            made = store.intern_all(op[start:stop], left[start:stop], right[start:stop])
        if (made != np.arange(start, stop)).any():
            raise _bad_json("every node once", int(start))
        start = stop
    return store


def _check_nodes(
    op: np.ndarray, left: np.ndarray, right: np.ndarray, n_names: int, n_constants: int, start: int
) -> None:
    """Refuse a list of nodes that is no graph."""
    position = np.arange(op.size)
    inner = position >= start
    arity = np.array([operation.arity for operation in OPERATIONS.values()])
    known = (op >= 0) & (op < arity.size)
    fits = known & (op.size == left.size) & (op.size == right.size)
    binary = arity[np.where(known, op, 0)] == 2
    composite = op > LEAF
    fits &= ~composite | ((left >= 0) & (left < position))
    fits &= np.where(binary, (right >= 0) & (right < position), right == -1)
    fits &= ~inner | composite | ((op == CONSTANT) & (left >= 0) & (left < n_constants))
    if op.size < start or not fits.all():
        wrong = int(np.argmin(fits)) if op.size >= start else op.size
        raise _bad_json("known operators with children that come before", wrong)


def _bad_json(requirement: str, value: object) -> InputError:
    """Error for a damaged file."""
    return InputError(
        sentence(
            "from_json", "data", f"hold {requirement}", value, remedy="Write the file again with to_json."
        )
    )


def _json_float(value: float) -> float | None:
    """Infinite bounds are null."""
    return float(value) if math.isfinite(value) else None
