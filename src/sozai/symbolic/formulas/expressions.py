"""The expression store: millions of formulas as integer arrays, each kept once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from hashlib import blake2b
from typing import Any

import numpy as np

from sozai.contracts.checks import as_matrix, as_names
from sozai.contracts.errors import InputError, UnitError, sentence
from sozai.symbolic.formulas import canonical, expression_files, hash_consing, rendering
from sozai.symbolic.formulas.dimension_table import DimensionTable, dimension_text
from sozai.symbolic.formulas.evaluation import evaluate_nodes, fill_levels, reachable
from sozai.symbolic.formulas.expression import Expression, ExpressionList, require_columns
from sozai.symbolic.formulas.hash_consing import NUMBER, PLAIN
from sozai.symbolic.formulas.operators import CONSTANT, LEAF, OPERATIONS

__all__ = ["Expression", "ExpressionList", "Expressions"]

_NAMES = {operation.code: operation.name for operation in OPERATIONS.values()}
_UNKNOWN = -2
_ILLEGAL = -1


class Expressions:
    """Growable, hash-consed store of expressions over the columns of one table.

    An expression is a row number. Adding one that exists returns the number it
    has, so that equal expressions are equal integers.

    Parameters
    ----------
    names : sequence of str
        Primary columns.
    dimensions : mapping of str to unit, optional
        Unit of a column: text (``"Å"``), a ``Unit`` or a tuple of
        ``(base, exponent)``; ``""`` is dimensionless. Left out: no dimensional
        analysis. A column that is not named has a dimension of its own.
    groups : mapping of str to str, optional
        Columns of different groups are never added or subtracted.
    domain : mapping of str to (low, high), optional
        Interval a column may ever take. An operation that is singular inside
        it is marked ``rejected``.
    observed : ndarray of shape (2, n_columns), optional
        Smallest and largest training value. An operation that is singular
        inside is marked ``unsafe``.
    weights : mapping of str to int, optional
        Complexity of operators, where it differs from ``OPERATIONS``.
    cancel : bool, default=False
        Write ``x*(1/x)`` as 1. Left out where relations between products are to
        be found, not assumed.

    Attributes
    ----------
    names : tuple of str
        Primary columns.
    constants : list of Fraction
        Numbers that occur.
    op : ndarray of int16
        Operator codes, see ``OPERATIONS``.
    left, right : ndarray of int64
        Children, -1 where there is none; a leaf has its column number and a
        constant its place in ``constants`` on the left.
    complexity : ndarray of int32
        Leaves plus operator weights; a repeated factor counts as a power, a
        quotient its division alone.
    order : ndarray of int16
        Number of factors of a product.
    hash : ndarray of uint64
        Structural hash, the same in every run.
    dimension_id : ndarray of int32
        Equal where sums are legal.
    unsafe, rejected, declared : ndarray of bool
        A singular point lies in the training or the declared interval; all
        columns used have a declared interval.
    lower, upper : ndarray of float64
        Interval of the expression over the intervals of its columns.

    See Also
    --------
    sozai.symbolic.generation.generate : Fill a store by rules.

    Notes
    -----
    Canonical form: factors and terms are sorted by id, ``b - a`` is
    ``-1*(a - b)``, numbers are collected in front, ``a/b`` is ``a*(1/b)``,
    ``1/(1/a) = a``, ``1/(ab) = (1/a)(1/b)``, ``|ab| = |a||b|``,
    ``|a| = a`` where the declared interval is not negative, ``a*a`` is the square.
    The arrays are views that end where the store ended when they were asked for:
    add first, then look. Id 0 is the number 1, ids 1...n are the columns.
    Adding costs about 0.2 microseconds an expression.

    Examples
    --------
    >>> store = Expressions(["r_A", "r_B"])
    >>> a, b = store.leaf(0), store.leaf(1)
    >>> store.add("add", [a, b], [b, a]).tolist()
    [4, 4]
    >>> store.text(store.add("abs", store.add("subtract", b, a)))
    'abs(r_A - r_B)'
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        dimensions: Mapping[str, Any] | None = None,
        groups: Mapping[str, Any] | None = None,
        domain: Mapping[str, tuple[float, float]] | None = None,
        observed: np.ndarray | None = None,
        weights: Mapping[str, int] | None = None,
        cancel: bool = False,
    ) -> None:
        self.cancel = bool(cancel)
        self.names = as_names(names, len(names), place="Expressions")
        self.constants: list[Fraction] = []
        self._constant_ids: dict[Fraction, int] = {}
        self._dimensions = DimensionTable(self.names, dimensions, groups)
        capacity = len(self.names) + 64
        self._table = hash_consing.new_table(capacity, _weights(weights), _OP_HASH, cancel)
        self._append_number(Fraction(1))
        self._append_leaves(domain, observed)
        self._table.counts[1] = self._append_number(Fraction(-1))

    def __len__(self) -> int:
        return int(self._table.counts[0])

    def __repr__(self) -> str:
        return f"Expressions({len(self.names)} columns, {len(self)} expressions)"

    op = property(lambda self: self._table.nodes["op"][: len(self)])
    left = property(lambda self: self._table.nodes["left"][: len(self)])
    right = property(lambda self: self._table.nodes["right"][: len(self)])
    complexity = property(lambda self: self._table.nodes["complexity"][: len(self)])
    order = property(lambda self: self._table.nodes["order"][: len(self)])
    hash = property(lambda self: self._table.nodes["hash"][: len(self)])
    form = property(lambda self: self._table.nodes["form"][: len(self)])
    lower = property(lambda self: self._table.nodes["lower"][: len(self)])
    upper = property(lambda self: self._table.nodes["upper"][: len(self)])
    unsafe = property(lambda self: self._table.nodes["unsafe"][: len(self)])
    declared = property(lambda self: self._table.nodes["declared"][: len(self)])
    rejected = property(lambda self: self._table.nodes["rejected"][: len(self)])
    dimension_id = property(lambda self: self._table.nodes["dimension"][: len(self)])

    # -- building ---------------------------------------------------------------------------------

    def leaf(self, column: int | str) -> int:
        """Id of a primary column, by number or name."""
        if isinstance(column, str):
            if column not in self.names:
                raise InputError(
                    sentence(
                        "Expressions.leaf",
                        "column",
                        f"be one of {', '.join(self.names)}",
                        column,
                        remedy="Check it.",
                    )
                )
            return self.names.index(column) + 1
        return range(len(self.names))[column] + 1

    def constant(self, value: Fraction | int | str) -> int:
        """Id of a rational number."""
        value = Fraction(value)
        if value in self._constant_ids:
            return self._constant_ids[value]
        return self._append_number(value)

    def add(self, op_name: str, left_ids: Any, right_ids: Any = None) -> Any:
        """Apply one operator to many expressions; an expression that exists keeps its id.

        Parameters
        ----------
        op_name : str
            Key of ``OPERATIONS``, or ``"divide"``: the product with the reciprocal.
        left_ids, right_ids : int or array-like of int
            Arguments; they broadcast. The second is left out for functions.

        Returns
        -------
        int64 or ndarray of int64
            Ids, of the broadcast shape.

        Raises
        ------
        UnitError
            Unequal dimensions or groups are added, or a function gets an
            argument with a dimension. ``allowed`` tells beforehand.
        """
        operation = _operation(op_name, right_ids is not None)
        if op_name == "divide":
            right_ids = self.add("inverse", right_ids)
        left = np.asarray(left_ids, dtype=np.int64)
        right = np.asarray(-1 if right_ids is None else right_ids, dtype=np.int64)
        left, right = np.broadcast_arrays(left, right)
        shape = left.shape
        left, right = np.array(left).ravel(), np.array(right).ravel()  # copies: broadcast views are read-only
        self._check_ids(left, right, operation.arity)
        ids = self._add_flat(operation.code, left, right)
        illegal = np.flatnonzero(self.dimension_id[ids] == _ILLEGAL)
        if illegal.size:
            self._raise_illegal(operation, int(left[illegal[0]]), int(right[illegal[0]]), illegal.size)
        return ids.reshape(shape)[()]

    def allowed(self, op_name: str, left_ids: Any, right_ids: Any = None) -> np.ndarray:
        """Whether dimensions and groups permit an operation; nothing is added."""
        operation = _operation(op_name, right_ids is not None)  # a quotient is legal where a product is
        left = self.dimension_id[np.asarray(left_ids, dtype=np.int64)]
        right = None if right_ids is None else self.dimension_id[np.asarray(right_ids, dtype=np.int64)]
        return self._dimensions.combine(operation.code, left, right) >= 0

    def substitute(self, ids: Any, leaf_map: Sequence[int] | np.ndarray) -> np.ndarray:
        """Rename columns: column j becomes column ``leaf_map[j]``.

        Parameters
        ----------
        ids : array-like of int
        leaf_map : sequence of int, one per column

        Returns
        -------
        ndarray of int64
            Ids of the renamed expressions.
        """
        ids = np.asarray(ids, dtype=np.int64)
        leaf_map = np.asarray(leaf_map, dtype=np.int64)
        nodes = reachable(self.op, self.left, self.right, np.atleast_1d(ids).ravel())
        image = np.full(int(nodes[-1]) + 1 if nodes.size else 0, -1, dtype=np.int64)
        op, left, right = self.op[nodes], self.left[nodes], self.right[nodes]
        image[nodes[op == CONSTANT]] = nodes[op == CONSTANT]
        image[nodes[op == LEAF]] = leaf_map[left[op == LEAF]] + 1
        level = self._levels(nodes)
        for depth in range(1, int(level.max(initial=0)) + 1):
            here = level == depth
            for code in np.unique(op[here]):
                pick = here & (op == code)
                second = np.where(right[pick] >= 0, image[right[pick]], -1)
                image[nodes[pick]] = self._add_flat(int(code), image[left[pick]], second)
        return image[ids]

    def intern(self, op: int, left: int, right: int = -1) -> int:
        """Id of a node that is in canonical form already."""
        self._make_room(1)
        return int(hash_consing.intern(self._table, op, left, right))

    def add_one(self, op: int, left: int, right: int = -1) -> int:
        """Canonical id of one operator code applied to one or two ids."""
        return int(self._add_flat(op, np.array([left]), np.array([right]))[0])

    def sum_of(self, terms: Iterable[tuple[Fraction | int, int]]) -> int:
        """Canonical sum of ``number * expression``."""
        node = canonical.sum_of(self, [(Fraction(number), int(i)) for number, i in terms])
        self._finish()
        return node

    def product_of(self, ids: Iterable[int]) -> int:
        """Canonical product of many expressions."""
        node = canonical.product_of(self, [int(i) for i in ids])
        self._finish()
        return node

    # -- reading ----------------------------------------------------------------------------------

    def evaluate(self, ids: Any, X: Any, *, block_bytes: int | None = None) -> np.ndarray:
        """Values of expressions on the rows of ``X``.

        Parameters
        ----------
        ids : array-like of int
        X : array-like of shape (n_samples, n_columns)
            Primary columns; a DataFrame is read by name where it has all names.
        block_bytes : int, optional
            Intermediate values held at a time; the result does not depend on it.

        Returns
        -------
        ndarray of shape (n_samples, n_ids)
            In Fortran order. Singular points give inf or NaN.
        """
        ids = np.atleast_1d(np.asarray(ids, dtype=np.int64))
        leaves = np.ascontiguousarray(self._columns(X).T)
        numbers = np.array([float(value) for value in self.constants])
        values = evaluate_nodes(self.op, self.left, self.right, numbers, ids, leaves, block_bytes=block_bytes)
        return values.T

    def complexity_of(self, ids: Any) -> np.ndarray:
        """Complexity of expressions."""
        return self.complexity[np.asarray(ids, dtype=np.int64)]

    def dimension_of(self, node: int) -> tuple[tuple[str, Fraction], ...] | None:
        """Physical dimension, or None where a column without unit takes part."""
        return self._dimensions.physical(int(self.dimension_id[node]))

    def leaf_dimension(self, column: int) -> tuple[tuple[str, Fraction], ...]:
        """Dimension of a primary column, its group and scale included."""
        return self._dimensions[self._dimensions.of_leaf[column]]

    def columns_of(self, node: int) -> list[int]:
        """Column numbers that occur, ascending."""
        nodes = reachable(self.op, self.left, self.right, np.array([node]))
        return np.unique(self.left[nodes[self.op[nodes] == LEAF]]).tolist()

    def expression(self, node: int) -> Expression:
        """One expression as an object of its own."""
        return Expression(self, int(node))

    def text(self, node: int) -> str:
        """Text that parses back to the same expression."""
        return rendering.to_text(self, int(node))

    def texts(self, ids: Any) -> list[str]:
        """Text of many expressions, shared parts rendered once."""
        return rendering.to_texts(self, np.asarray(ids, dtype=np.int64))

    def latex(self, node: int) -> str:
        """LaTeX source of one expression, for math mode."""
        return rendering.to_latex(self, int(node))

    def python(self, node: int) -> str:
        """Source text of a NumPy function."""
        return rendering.to_python(self, int(node))

    def callable(self, node: int) -> Callable[..., np.ndarray]:
        """Closure over the tree; arguments are the columns used, in table order."""
        return rendering.to_callable(self, int(node))

    def to_json(self) -> dict[str, Any]:
        """Plain lists, numbers and text."""
        return expression_files.store_to_json(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Expressions:
        """Store with the same ids as the one written by ``to_json``."""
        return expression_files.store_from_json(cls, data)

    def restore_dimensions(self, vectors: Sequence[Iterable[tuple[str, Fraction]]]) -> None:
        """Set the dimensions of the columns of a store that holds no other expression yet."""
        self._dimensions = DimensionTable.from_vectors(vectors)
        self.dimension_id[1 : len(self.names) + 1] = self._dimensions.of_leaf

    def intern_all(self, op: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Ids of nodes that are in canonical form already."""
        out = np.empty(op.size, dtype=np.int64)
        self._make_room(op.size)
        hash_consing.intern_many(self._table, op, left, right, out)
        self._finish()
        return out

    # -- inside -----------------------------------------------------------------------------------

    def _columns(self, X: Any) -> np.ndarray:
        """Primary columns as a float matrix; NaN is left to the caller."""
        if isinstance(X, Mapping):
            missing = [name for name in self.names if name not in X]
            require_columns(missing)
            rows = np.broadcast_arrays(*[np.asarray(X[name], dtype=float) for name in self.names])
            X = np.column_stack(rows) if rows else np.zeros((1, 0))
        labels = getattr(X, "columns", None)
        if labels is not None and all(name in labels for name in self.names):
            X = X[list(self.names)]
        values = as_matrix(X, place="Expressions.evaluate", min_samples=0, min_columns=0, finite=False)
        if values.shape[1] != len(self.names):
            raise InputError(
                sentence(
                    "Expressions.evaluate",
                    "X",
                    f"have the {len(self.names)} columns {', '.join(self.names[:10])}",
                    f"{values.shape[1]} columns",
                    remedy="Pass the primary table, or a DataFrame with these names.",
                )
            )
        return values

    def _add_flat(self, op: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Vectorised ``add`` by operator code, illegal dimensions marked and not raised."""
        out = np.empty(left.size, dtype=np.int64)
        done = 0
        while done < left.size:
            done = hash_consing.add_many(self._table, op, left, right, out, done)
            if done < left.size:
                self._make_room(max(hash_consing.LONGEST_CHAIN, len(self)))
        for k in np.flatnonzero(out < 0):
            out[k] = canonical.combine(self, op, int(left[k]), int(right[k]))
        self._finish()
        return out

    def _finish(self) -> None:
        """Give a dimension to every node that has none yet."""
        known = self._n_dimensioned
        size = len(self)
        if size == known:
            return
        self._n_dimensioned = size
        if self._dimensions.trivial:
            return
        dimension = self.dimension_id
        dimension[known:] = _UNKNOWN
        pending = np.arange(known, size)
        while pending.size:
            left, right = self.left[pending], self.right[pending]
            other = np.where(right >= 0, right, left)
            ready = (dimension[left] != _UNKNOWN) & (dimension[other] != _UNKNOWN)
            ready |= self.op[pending] <= LEAF
            for code in np.unique(self.op[pending[ready]]):
                pick = ready & (self.op[pending] == code)
                if code <= LEAF:
                    dimension[pending[pick]] = self._dimensions.dimensionless
                    continue
                second = dimension[right[pick]] if OPERATIONS[_NAMES[int(code)]].arity == 2 else None
                dimension[pending[pick]] = self._dimensions.combine(int(code), dimension[left[pick]], second)
            pending = pending[~ready]

    def _levels(self, nodes: np.ndarray) -> np.ndarray:
        """Height of every node above its leaves."""
        level = np.zeros(int(nodes[-1]) + 1 if nodes.size else 0, dtype=np.int64)
        fill_levels(self.op, self.left, self.right, nodes, level)
        return level[nodes]

    def reserve(self, extra: int) -> None:
        """Make room for ``extra`` more expressions at once."""
        self._make_room(extra + 64)

    def _make_room(self, extra: int) -> None:
        """Grow the table so that ``extra`` more nodes fit."""
        if len(self) + extra > self._table.nodes.size:
            self._table = hash_consing.grow(self._table, len(self) + extra)

    def _append_number(self, value: Fraction) -> int:
        """New constant node."""
        number = _as_float(value)
        self._make_room(1)
        plain = abs(value) == 1
        self.constants.append(value)
        node = int(
            hash_consing.append(
                self._table, CONSTANT, len(self.constants) - 1, 0 if plain else 1, 0,
                _text_hash(f"number {value}"), number, number, NUMBER, True,
            )
        )  # fmt: skip
        self._constant_ids[value] = node
        self._finish()
        return node

    def _append_leaves(
        self, domain: Mapping[str, tuple[float, float]] | None, observed: np.ndarray | None
    ) -> None:
        """Nodes of the primary columns with their intervals and dimensions."""
        domain = dict(domain or {})
        _check_domain(domain, self.names)
        for column, name in enumerate(self.names):
            low, high = (
                (-np.inf, np.inf) if observed is None else (float(v) for v in np.asarray(observed)[:, column])
            )
            low, high = domain.get(name, (low, high))
            hash_consing.append(
                self._table, LEAF, column, int(self._table.weights[LEAF]), 1,
                _text_hash(f"column {name}"), float(low), float(high), PLAIN, name in domain,
            )  # fmt: skip
        self._finish()
        if not self._dimensions.trivial:
            self.dimension_id[1 : len(self)] = self._dimensions.of_leaf

    _n_dimensioned = 0

    def _check_ids(self, left: np.ndarray, right: np.ndarray, arity: int) -> None:
        """Refuse ids that the store does not have."""
        for ids in (left, right)[:arity]:
            if ids.size and (ids.min() < 0 or ids.max() >= len(self)):
                wrong = ids[(ids < 0) | (ids >= len(self))][0]
                raise InputError(
                    sentence(
                        "Expressions.add",
                        "ids",
                        f"lie in 0...{len(self) - 1}",
                        int(wrong),
                        remedy="Check them.",
                    )
                )

    def _raise_illegal(self, operation: Any, left: int, right: int, count: int) -> None:
        """Say which two dimensions do not fit."""
        first = f"{self.text(left)} [{dimension_text(self._dimensions[self.dimension_id[left]])}]"
        if operation.arity == 1:
            raise UnitError(
                sentence(
                    "Expressions.add",
                    f"the argument of {operation.name}",
                    "be dimensionless",
                    first,
                    remedy="Divide by a quantity of equal dimension, or declare the column dimensionless.",
                )
            )
        second = f"{self.text(right)} [{dimension_text(self._dimensions[self.dimension_id[right]])}]"
        raise UnitError(
            sentence(
                "Expressions.add",
                f"both sides of {operation.name}",
                "have equal dimension and group",
                f"{first} and {second}",
                at=f"({count} such pairs)" if count > 1 else "",
                remedy="Convert the columns to one unit, or leave this sum out.",
            )
        )


def _operation(name: str, binary: bool) -> Any:
    """Operator by name, with the right number of arguments."""
    known = {**OPERATIONS, "divide": OPERATIONS["multiply"]}
    del known["constant"], known["leaf"]
    if name not in known:
        raise InputError(
            sentence("Expressions.add", "op_name", f"be one of {', '.join(known)}", name, remedy="Check it.")
        )
    operation = known[name]
    if (operation.arity == 2) != binary:
        raise InputError(
            sentence(
                "Expressions.add",
                name,
                f"get {operation.arity} arguments",
                1 + binary,
                remedy="Check the call.",
            )
        )
    return operation


def _weights(weights: Mapping[str, int] | None) -> np.ndarray:
    """Operator weights by code."""
    table = np.array([operation.weight for operation in OPERATIONS.values()], dtype=np.int32)
    for name, weight in (weights or {}).items():
        if name not in OPERATIONS:
            raise InputError(
                sentence(
                    "Expressions",
                    "weights",
                    f"name operators ({', '.join(OPERATIONS)})",
                    name,
                    remedy="Check it.",
                )
            )
        table[OPERATIONS[name].code] = weight
    return table


def _check_domain(domain: Mapping[str, tuple[float, float]], names: Sequence[str]) -> None:
    """Refuse unknown columns and empty intervals."""
    for name, interval in domain.items():
        if name not in names:
            raise InputError(
                sentence(
                    "Expressions",
                    "domain",
                    f"name columns ({', '.join(names)})",
                    name,
                    remedy="Check the name.",
                )
            )
        if np.size(interval) != 2 or not interval[0] <= interval[1]:
            raise InputError(
                sentence(
                    "Expressions",
                    f"domain[{name!r}]",
                    "be (low, high) with low <= high",
                    interval,
                    remedy="Write the smallest value first.",
                )
            )


def _as_float(value: Fraction) -> float:
    """Rational number as a float, refused beyond 1e300 in magnitude or 4,096 bits."""
    small_enough = max(value.numerator.bit_length(), value.denominator.bit_length()) <= 4096
    if not small_enough or abs(value) > 10**300:
        raise InputError(
            "Expressions.constant: a number must be below 1e300 in magnitude and have at most 4,096 bits. "
            f"Got {value.numerator.bit_length()} bits over {value.denominator.bit_length()} bits. "
            "Rescale the column."
        )
    return float(value)


def _text_hash(text: str) -> np.uint64:
    """Hash of a text that is the same in every run."""
    return np.uint64(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little"))


_OP_HASH = np.array([_text_hash(f"operator {name}") for name in OPERATIONS], dtype=np.uint64)
