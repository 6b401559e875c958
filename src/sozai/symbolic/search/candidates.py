"""All candidates of the last rung: known, counted, none of them computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.units import parse_unit
from sozai.symbolic.formulas.dimension_table import Dimension, DimensionTable, dimension_text
from sozai.symbolic.formulas.operators import INVERSE, MULTIPLY, OPERATIONS
from sozai.symbolic.operations import BasicOperation, Expressions, resolve_operations
from sozai.symbolic.search.screening_kernels import DIVIDE, list_pairs

if TYPE_CHECKING:
    from sozai.symbolic.search.rungs import Rungs

__all__ = ["TILE_PAIRS", "CandidateSpace", "Layout", "pairs_in"]

_ROWS, _COLUMNS, _FUNCTIONS = 128, 512, 8192  # arguments of a tile: the sums stay in the cache
_LONGEST = 2048  # rows of a tile that is narrow, columns of one that is low
TILE_PAIRS = _ROWS * _COLUMNS
"""Most pairs in a tile."""
_ANY = np.iinfo(np.int32).max


@dataclass(frozen=True, eq=False)
class Layout:
    """Order of the base in which possible partners of a feature stand side by side.

    Attributes
    ----------
    order : ndarray of int64 of shape (n,)
        Rows of the base sorted by (class, complexity, row).
    starts : ndarray of int64 of shape (n_classes + 1,)
        Where each class begins in ``order``. A class is a physical dimension, or
        there is one class only.
    complexity : ndarray of int64 of shape (n,)
        Complexity in this order, ascending inside a class.
    is_new : ndarray of bool of shape (n,)
        Which features were born in the last rung of the base, in this order.
    """

    order: np.ndarray
    starts: np.ndarray
    complexity: np.ndarray
    is_new: np.ndarray

    @classmethod
    def of(cls, rungs: Rungs, label: np.ndarray) -> Layout:
        """Layout by one class label per feature."""
        complexity = rungs.complexity.astype(np.int64)
        order = np.lexsort((np.arange(label.size), complexity, label)).astype(np.int64)
        starts = np.flatnonzero(np.diff(label[order], prepend=-1, append=-1)).astype(np.int64)
        rung = rungs.rung[order]
        return cls(order, starts, complexity[order], rung == rung.max(initial=0))

    def up_to(self, limit: int) -> Layout:
        """The same order without features more complex than ``limit``."""
        fits = self.complexity <= limit
        before = np.concatenate([[0], np.cumsum(fits)])
        return Layout(
            self.order[fits], np.unique(before[self.starts]), self.complexity[fits], self.is_new[fits]
        )

    @property
    def class_of(self) -> np.ndarray:
        """Number of the class at every place."""
        return np.repeat(np.arange(self.starts.size - 1), np.diff(self.starts))

    def staircase(
        self, rows: tuple[int, int], columns: tuple[int, int], limit: int, triangular: bool
    ) -> Iterator[tuple[int, int, int, int]]:
        """Rectangles (first and last row, first and last column) of pairs no more complex than ``limit``.

        Both ranges lie inside one class, where complexity ascends: the partners of
        a row are the first columns, and rows with the same number of them share
        a rectangle. ``triangular``: of a square only what is above its diagonal is needed.
        """
        (first, last), (begin, end) = rows, columns
        ends = begin + np.searchsorted(
            self.complexity[begin:end], limit - self.complexity[first:last], "right"
        )
        steps = [0, *(np.flatnonzero(np.diff(ends)) + 1).tolist(), ends.size]
        for step, (a, b) in zip(ends[steps[:-1]].tolist(), pairwise(steps), strict=True):
            r0 = first + a
            while r0 < first + b:
                width = step - max(begin, r0 + 1 if triangular else begin)
                if width <= 0:
                    break
                r1 = min(r0 + min(max(_ROWS, TILE_PAIRS // width), _LONGEST), first + b)
                length = min(max(_COLUMNS, TILE_PAIRS // (r1 - r0)), _LONGEST)
                for c0, c1 in _pieces(step - width, step, length):
                    yield r0, r1, c0, c1
                r0 = r1


@dataclass(frozen=True, eq=False)
class CandidateSpace:
    r"""A stored base and every legal operation on it, none of them computed.

    The candidates are the features of the base, :math:`u(f)` and :math:`b(f, g)`
    of features :math:`f, g` of which at least one was born in the last rung of
    the base. Make one by :meth:`of`.

    Attributes
    ----------
    base : Rungs
        Features of the rungs below; candidates themselves.
    operations : tuple of BasicOperation
        Operations of the last rung, those on one feature first. Their place is
        the ``op_number`` of a candidate; -1 stands for a feature of the base.
    n_candidates : int
        Features and legal operations, before equal ones are found.
    complexity_counts : tuple of (ndarray of int64, ndarray of int64)
        Complexities, ascending, and how many candidates have each.
    target_dimension : tuple or None
        Physical dimension every candidate has.
    max_complexity : int
        Largest complexity of a candidate.
    by_dimension, by_complexity : Layout
        Arguments sorted for operations that some dimensions do not allow, and for
        those that all allow; without features too complex to be an argument.

    Notes
    -----
    Nothing is enumerated to count. With :math:`h_C(c)` features of complexity c
    in dimension class C, an operation of weight w makes

    .. math:: (h_C * h_D)(c - w) - (h^{old}_C * h^{old}_D)(c - w)

    candidates of complexity c from classes C and D, half of it (the diagonal
    taken out) where C = D and the order of the arguments does not matter.
    Sums exist inside a class only. Complexity here is that of the arguments
    plus that of the operation, *before* simplification: ``a*(1/a)`` counts.

    Examples
    --------
    >>> from sozai.symbolic.search.rungs import grow
    >>> X = np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 5.0], [4.0, 3.0, 4.0]])
    >>> space = CandidateSpace.of(grow(X, ["a", "b", "c"], rung=0), ["square"], ["product", "ratio"])
    >>> space.n_candidates  # 3 columns, 3 squares, 3 products, 6 ratios
    15
    >>> space.base.expressions.text(space.expression(2, 0, 1))
    'a/b'
    """

    base: Rungs
    operations: tuple[BasicOperation, ...]
    n_candidates: int
    complexity_counts: tuple[np.ndarray, np.ndarray]
    target_dimension: Dimension | None
    max_complexity: int
    by_dimension: Layout
    by_complexity: Layout

    @classmethod
    def of(
        cls,
        rungs: Rungs,
        operations: Iterable[str] = (),
        pair_operations: Iterable[str] = (),
        *,
        target_dimension: Any = None,
        max_complexity: int | None = None,
    ) -> CandidateSpace:
        """Candidates that operations make of grown features.

        Parameters
        ----------
        rungs : Rungs
            What :func:`~sozai.symbolic.search.rungs.grow` returned.
        operations, pair_operations : iterable of str
            As in :func:`~sozai.symbolic.search.rungs.grow`.
        target_dimension : str, Unit or iterable of (base, exponent), optional
            Keep only candidates of this physical dimension, e.g. ``"eV"``.
        max_complexity : int, optional
            Keep only candidates that are no more complex than this.

        Returns
        -------
        CandidateSpace

        Raises
        ------
        InputError
            An operation is not known; a dimension is wanted and the features
            have none; nothing is left.
        """
        place = "CandidateSpace.of"
        unary = resolve_operations(operations, pair=False, place=place)
        pairs = resolve_operations(pair_operations, pair=True, place=place)
        target = None if target_dimension is None else _physical(target_dimension)
        store = rungs.expressions
        if target and store._dimensions.trivial:
            raise InputError(
                sentence(
                    place,
                    "the features",
                    f"have dimensions when target_dimension is {dimension_text(target)}",
                    "columns without units",
                    remedy="Pass dimensions=... to grow, or leave target_dimension out.",
                )
            )
        dimension = store.dimension_id[rungs.ids]
        layouts = Layout.of(rungs, dimension), Layout.of(rungs, np.zeros_like(dimension))
        limit = _ANY if max_complexity is None else int(max_complexity)
        bare = cls(rungs, (*unary, *pairs), 0, _no_counts(), target, limit, *layouts)
        counts = bare._count()
        found = np.flatnonzero(counts)
        space = replace(bare, n_candidates=int(counts.sum()), complexity_counts=(found, counts[found]))
        if not space.n_candidates:
            raise InputError(
                sentence(
                    place,
                    "the space",
                    "hold a candidate",
                    0,
                    at=f"of complexity <= {max_complexity} and dimension "
                    f"{'any' if target is None else dimension_text(target)}",
                    remedy="Raise max_complexity, or leave target_dimension out.",
                )
            )
        return space.up_to(limit)

    def up_to(self, limit: int) -> CandidateSpace:
        """Part of the space that is no more complex than ``limit``."""
        levels, counts = self.complexity_counts
        fits = levels <= limit
        return replace(
            self,
            n_candidates=int(counts[fits].sum()),
            complexity_counts=(levels[fits], counts[fits]),
            max_complexity=limit,
            by_dimension=self.by_dimension.up_to(limit - 1),  # an operation adds one at least
            by_complexity=self.by_complexity.up_to(limit - 1),
        )

    def __repr__(self) -> str:
        names = ", ".join(operation.name for operation in self.operations)
        return f"CandidateSpace({self.n_candidates:,} candidates: {self.base.ids.size:,} features; {names})"

    def expression(self, op_number: int, i: int, j: int = -1) -> int:
        """Id of one candidate in ``base.expressions``, added in canonical form.

        Parameters
        ----------
        op_number : int
            Place in ``operations``; -1 for the feature i itself.
        i, j : int
            Rows of the base; ``j`` is left out for operations on one feature.
        """
        return int(self.add(self.base.expressions, op_number, np.array([i]), np.array([j]))[0])

    def add(self, store: Expressions, op_number: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Ids of candidates of one operation in a store that holds the base under the same ids."""
        ids = self.base.ids
        if op_number < 0:
            return ids[left]
        operation = self.operations[op_number]
        return np.atleast_1d(operation.apply(store, ids[left], None if _is_unary(operation) else ids[right]))

    def complexity_before(self, op_number: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Complexity of candidates before simplification."""
        own = self.base.complexity
        if op_number < 0:
            return own[left]
        second = 0 if self.is_unary(op_number) else own[right]
        return own[left] + second + self.weight(op_number)

    # -- as arrays --------------------------------------------------------------------------------

    def steps(self, op_number: int) -> np.ndarray:
        """Operator codes of an operation from the inside out."""
        names = self.operations[op_number].steps if op_number >= 0 else ()
        return np.array([_code(name) for name in names], dtype=np.int64)

    def weight(self, op_number: int) -> int:
        """What an operation adds to the complexity of its arguments."""
        return _weight(self.operations[op_number])

    def is_unary(self, op_number: int) -> bool:
        """Whether an operation takes one feature."""
        return _is_unary(self.operations[op_number])

    @cached_property
    def _layouts(self) -> tuple[Layout, ...]:
        """Layout of every operation."""
        return tuple(
            self.by_complexity
            if not self.is_unary(number) and self.legal(number).all()
            else self.by_dimension
            for number in range(len(self.operations))
        )

    def layout(self, op_number: int) -> Layout:
        """Order of the base to which the tiles of an operation refer."""
        return self._layouts[op_number]

    @cached_property
    def base_rows(self) -> np.ndarray:
        """Rows of the base that are candidates themselves."""
        of = self.base.expressions.dimension_id[self.base.ids].astype(np.int64)
        classes, place = np.unique(of, return_inverse=True)
        return np.flatnonzero(self._wanted(classes)[place] & (self.base.complexity <= self.max_complexity))

    @cached_property
    def tiles(self) -> np.ndarray:
        """Rectangles of argument pairs in the layout of their operation, one row each.

        Columns: operation, first and last row, first and last column (-1 for
        functions), and whether only pairs above the diagonal count.
        """
        found = [tile for number in range(len(self.operations)) for tile in self._tiles_of(number)]
        return np.array(found, dtype=np.int64).reshape(-1, 6)

    def pairs(self, tile: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the base of all candidates of a tile."""
        _, r0, r1, c0, c1, _ = (int(value) for value in tile)
        size = (r1 - r0) * (c1 - c0 if c0 >= 0 else 1)
        left, right = np.empty(size, np.int64), np.empty(size, np.int64)
        number = int(tile[0])
        limit = self.max_complexity - self.weight(number)
        ordered = self.operations[number].ordered
        layout = self.layout(number)
        arrays = (layout.order, layout.complexity, layout.is_new)
        found = list_pairs(tile, ordered, *arrays, limit, left, right)
        return left[:found], right[:found]

    # -- counting ---------------------------------------------------------------------------------

    @property
    def _classes(self) -> np.ndarray:
        """Dimension id of each class."""
        ids = self.base.ids[self.by_dimension.order[self.by_dimension.starts[:-1]]]
        return self.base.expressions.dimension_id[ids].astype(np.int64)

    def _wanted(self, dimension: np.ndarray) -> np.ndarray:
        """Which dimensions a candidate may have; -1 is illegal."""
        legal = dimension >= 0
        if self.target_dimension is None:
            return legal
        table = self.base.expressions._dimensions
        return np.array(
            [d >= 0 and table.physical(d) == self.target_dimension for d in dimension.ravel().tolist()],
            dtype=bool,
        ).reshape(dimension.shape)

    def legal(self, number: int) -> np.ndarray:
        """Classes (C,), or pairs of classes (C, C), on which an operation is wanted."""
        table, classes = self.base.expressions._dimensions, self._classes
        if self.is_unary(number):
            return self._wanted(_dimension_after(table, self.steps(number), classes, None))
        left, right = classes[:, None], classes[None, :]
        return self._wanted(_dimension_after(table, self.steps(number), left, right))

    def forbidden(self, number: int) -> tuple[int, list[tuple[int, ...]]]:
        """How many operations dimensions forbid, and ids of arguments as examples."""
        legal, limit = self.legal(number), self.max_complexity - self.weight(number)
        every, old = self._histograms()
        first = self.base.ids[self.by_dimension.order[self.by_dimension.starts[:-1]]]
        if self.is_unary(number):
            counts = (every - old)[~legal].sum(axis=0)
            examples = [(int(first[c]),) for c in np.flatnonzero(~legal)]
        else:
            ordered = self.operations[number].ordered
            counts = _pair_counts(every, ~legal, ordered) - _pair_counts(old, ~legal, ordered)
            examples = [(int(first[c]), int(first[d])) for c, d in np.argwhere(~legal) if ordered or c < d]
        return int(counts[: max(limit + 1, 0)].sum()), examples

    def _histograms(self) -> tuple[np.ndarray, np.ndarray]:
        """Features by (class, complexity): all of them, and those that are not new."""
        layout = self.by_dimension
        label, complexity, is_old = layout.class_of, layout.complexity, ~layout.is_new
        shape = (layout.starts.size - 1, int(complexity.max(initial=0)) + 1)
        every, old = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        np.add.at(every, (label, complexity), 1)
        np.add.at(old, (label[is_old], complexity[is_old]), 1)
        return every, old

    def _count(self) -> np.ndarray:
        """Candidates by complexity."""
        every, old = self._histograms()
        top = 2 * every.shape[1] + max((_weight(operation) for operation in self.operations), default=0)
        counts = np.zeros(top, dtype=np.int64)
        own = every[self._wanted(self._classes)].sum(axis=0)
        counts[: own.size] += own
        for number, operation in enumerate(self.operations):
            legal, weight = self.legal(number), self.weight(number)
            if self.is_unary(number):
                made = (every - old)[legal].sum(axis=0)
            else:
                made = _pair_counts(every, legal, operation.ordered) - _pair_counts(
                    old, legal, operation.ordered
                )
            counts[weight : weight + made.size] += made
        return counts[: self.max_complexity + 1]

    # -- tiles ------------------------------------------------------------------------------------

    def _tiles_of(self, number: int) -> Iterator[tuple[int, int, int, int, int, int]]:
        """Tiles of one operation that hold candidates."""
        legal, limit = self.legal(number), self.max_complexity - self.weight(number)
        layout = self.layout(number)
        if self.is_unary(number):
            for c in np.flatnonzero(legal):
                first, last = layout.starts[[c, c + 1]].tolist()
                last = first + int(np.searchsorted(layout.complexity[first:last], limit, "right"))
                for r0, r1 in _pieces(first, last, _FUNCTIONS):
                    yield number, r0, r1, -1, -1, 0
            return
        ordered = self.operations[number].ordered
        whole = np.zeros((min(layout.order.size, 1), 2), np.int64)
        pairs = np.argwhere(legal) if layout is self.by_dimension else whole
        for c, d in pairs.tolist():
            if ordered or c <= d:
                rows, columns = layout.starts[[c, c + 1]].tolist(), layout.starts[[d, d + 1]].tolist()
                triangular = not ordered and c == d
                for rectangle in layout.staircase(rows, columns, limit, triangular):
                    yield number, *rectangle, int(triangular)


def pairs_in(tiles: np.ndarray) -> np.ndarray:
    """Size of tiles: candidates, and what is skipped among them."""
    return (tiles[:, 2] - tiles[:, 1]) * np.where(tiles[:, 3] < 0, 1, tiles[:, 4] - tiles[:, 3])


def _no_counts() -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(0, np.int64), np.zeros(0, np.int64)


def _pieces(first: int, last: int, size: int) -> Iterator[tuple[int, int]]:
    """Ranges of at most ``size`` that cover first...last."""
    for start in range(int(first), int(last), size):
        yield start, min(start + size, int(last))


def _pair_counts(histogram: np.ndarray, legal: np.ndarray, ordered: bool) -> np.ndarray:
    """Pairs of different features by the sum of their complexities."""
    counts = np.zeros(2 * histogram.shape[1] - 1, dtype=np.int64)
    for c, row in enumerate(legal):
        partners = histogram[row].sum(axis=0)
        counts += np.convolve(histogram[c], partners)
    itself = np.zeros_like(counts)
    itself[::2] = histogram[np.diagonal(legal)].sum(axis=0)
    counts -= itself  # a feature is no pair
    return counts if ordered else counts // 2


def _code(name: str) -> int:
    """Operator code of one step."""
    return DIVIDE if name == "divide" else OPERATIONS[name].code


def _is_unary(operation: BasicOperation) -> bool:
    """Whether an operation takes one feature."""
    name = operation.steps[0]
    return name != "divide" and OPERATIONS[name].arity == 1


def _weight(operation: BasicOperation) -> int:
    """Complexity of the operators; a quotient is one of them, a cube is two multiplications."""
    weights = {"divide": OPERATIONS["multiply"].weight, "cube": 2 * OPERATIONS["square"].weight}
    return sum(weights.get(name) or OPERATIONS[name].weight for name in operation.steps)


def _dimension_after(
    table: DimensionTable, steps: np.ndarray, left: np.ndarray, right: np.ndarray | None
) -> np.ndarray:
    """Dimension of an operation on dimensions, -1 where it is illegal."""
    first = int(steps[0])
    if first == DIVIDE:
        first, right = MULTIPLY, table.combine(INVERSE, right, None)
    found = table.combine(first, left, right)
    for step in steps[1:]:
        found = table.combine(int(step), found, None)
    return found


def _physical(unit: Any) -> Dimension:
    """Physical dimension from text, a Unit or (base, exponent) pairs."""
    if isinstance(unit, str):
        if unit.strip().lower() in ("", "1", "-", "dimensionless"):
            return ()
        unit = parse_unit(unit)
    pairs = getattr(unit, "dimension", unit)
    try:
        powers = {str(base): Fraction(power) for base, power in pairs}
    except (TypeError, ValueError):
        raise InputError(
            sentence(
                "CandidateSpace.of",
                "target_dimension",
                "be a unit as text, a Unit or (base, exponent) pairs",
                unit,
                remedy="Write for example 'eV', or '' for a pure number.",
            )
        ) from None
    return tuple(sorted((base, power) for base, power in powers.items() if power != 0))
