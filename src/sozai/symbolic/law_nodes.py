"""The formulas of a law as plain values, in the order they had, so that the same bits come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sozai.symbolic.formulas.evaluation import reachable
from sozai.symbolic.formulas.expressions import Expressions
from sozai.symbolic.formulas.operators import CONSTANT, LEAF

__all__ = ["nodes_of", "store_of"]


def nodes_of(store: Expressions, ids: Sequence[int]) -> dict[str, Any]:
    """Take the formulas ``ids`` out of a store of any size.

    Parameters
    ----------
    store : Expressions
    ids : sequence of int

    Returns
    -------
    dict
        Lists and text for :func:`store_of`.

    Notes
    -----
    Factors and terms are sorted by id, and :math:`(ab)c` and :math:`a(bc)` differ in
    the last bit. So the nodes keep their order, which text alone would not.

    Examples
    --------
    >>> store = Expressions(["a", "b"])
    >>> node = store.add("multiply", store.leaf(0), store.leaf(1))
    >>> again, ids = store_of(nodes_of(store, [node]))
    >>> again.text(ids[0])
    'a*b'
    """
    wanted = np.asarray(ids, dtype=np.int64)
    fixed = np.arange(len(Expressions(store.names)))  # one, the columns, minus one: the same in every store
    nodes = np.union1d(fixed, reachable(store.op, store.left, store.right, wanted)).astype(np.int64)
    place = np.full(int(nodes.max()) + 1, -1, dtype=np.int64)
    place[nodes] = np.arange(nodes.size)
    op, left, right = (array[nodes].copy() for array in (store.op, store.left, store.right))
    constants = [str(store.constants[k]) for k in left[op == CONSTANT]]
    left[op == CONSTANT] = np.arange(len(constants))
    for children in (left, right):
        inner = (op > LEAF) & (children >= 0)
        children[inner] = place[children[inner]]
    return {
        "names": list(store.names),
        "constants": constants,
        "op": op.tolist(),
        "left": left.tolist(),
        "right": right.tolist(),
        "ids": place[wanted].tolist(),
    }


def store_of(nodes: Mapping[str, Any]) -> tuple[Expressions, list[int]]:
    """Build a store with these formulas and no others.

    Parameters
    ----------
    nodes : mapping
        As :func:`nodes_of` wrote it.

    Returns
    -------
    store : Expressions
    ids : list of int
        In the order in which they were given.

    Raises
    ------
    InputError
        The nodes are no formulas.
    """
    names = list(nodes["names"])
    unknown = {
        "dimensions": [[] for _ in names],
        "interval": [[None, None] for _ in names],
        "declared": [False] * len(names),
    }
    head = {"format": "sozai expressions", "version": 1}
    return Expressions.from_json({**head, **nodes, **unknown}), [int(node) for node in nodes["ids"]]
