"""Physical dimensions and groups of expressions: which sums make sense."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.formulas.operators import (
    ABS,
    ADD,
    CBRT,
    CUBE,
    EXP,
    EXP_NEG,
    INVERSE,
    LOG,
    MULTIPLY,
    SQRT,
    SQUARE,
    SUBTRACT,
)

__all__ = ["Dimension", "DimensionTable", "dimension_text", "unknown_unit"]

_log = logging.getLogger("sozai.symbolic")

Dimension = tuple[tuple[str, Fraction], ...]

_GROUP, _OWN, _SCALE = "group ", "unit of ", "scale "
_POWERS = {
    ABS: Fraction(1),
    INVERSE: Fraction(-1),
    SQUARE: Fraction(2),
    CUBE: Fraction(3),
    SQRT: Fraction(1, 2),
    CBRT: Fraction(1, 3),
}


class DimensionTable:
    """Interned dimension vectors and the rules of the operators on them.

    A group, and a column whose unit is not known, are base dimensions of their
    own: they multiply and divide like any other, so that ``x/x`` loses them.

    Parameters
    ----------
    names : sequence of str
        Columns.
    dimensions : mapping of str to unit, optional
        As in :class:`sozai.symbolic.operations.Expressions`.
    groups : mapping of str to str, optional
        Group of a column.

    Attributes
    ----------
    of_leaf : ndarray of int32
        Dimension id of every column.
    dimensionless : int
        Id of the empty vector.
    trivial : bool
        Every column is dimensionless, so nothing can be illegal.

    Examples
    --------
    >>> table = DimensionTable(["r", "a"], {"r": (("length", Fraction(1)),), "a": (("length", Fraction(1)),)})
    >>> int(table.combine(2, table.of_leaf[:1], table.of_leaf[1:])[0]) == int(table.of_leaf[0])
    True
    """

    def __init__(
        self,
        names: Sequence[str],
        dimensions: Mapping[str, Any] | None = None,
        groups: Mapping[str, Any] | None = None,
    ) -> None:
        self._vectors: list[Dimension] = []
        self._index: dict[Dimension, int] = {}
        self._rules: dict[int, dict[int, int]] = {}
        self.dimensionless = self._intern(())
        for argument, given in (("dimensions", dimensions), ("groups", groups)):
            for name in given or {}:
                if name not in names:
                    raise InputError(
                        sentence(
                            "Expressions",
                            argument,
                            f"name columns ({', '.join(names)})",
                            name,
                            remedy="Check the name.",
                        )
                    )
        vectors = [_leaf_vector(name, dimensions, groups) for name in names]
        if dimensions is not None and any(_known(dimensions.get(name)) for name in names):
            _tell_undeclared([name for name in names if not _known(dimensions.get(name))])
        else:
            vectors = [tuple(part for part in vector if not part[0].startswith(_OWN)) for vector in vectors]
        self.of_leaf = np.array([self._intern(vector) for vector in vectors], dtype=np.int32)

    @classmethod
    def from_vectors(cls, vectors: Sequence[Iterable[tuple[str, Fraction]]]) -> DimensionTable:
        """Table of columns whose vectors are known."""
        table = cls([])
        table.of_leaf = np.array([table._intern(tuple(sorted(vector))) for vector in vectors], dtype=np.int32)
        return table

    def __getitem__(self, index: int) -> Dimension:
        return self._vectors[int(index)]

    def __len__(self) -> int:
        return len(self._vectors)

    @property
    def trivial(self) -> bool:
        """Every column is dimensionless."""
        return len(self._vectors) == 1

    def physical(self, index: int) -> Dimension | None:
        """Vector without groups; None where the unit of a column is not known."""
        vector = self._vectors[index]
        if any(base.startswith(_OWN) for base, _ in vector):
            return None
        return tuple(part for part in vector if not part[0].startswith((_GROUP, _SCALE)))

    def combine(self, op: int, left: np.ndarray, right: np.ndarray | None) -> np.ndarray:
        """Dimension ids of an operation, -1 where it is illegal.

        Parameters
        ----------
        op : int
            Operator code.
        left, right : ndarray of int32
            Ids of the arguments; ``right`` is None for functions.

        Returns
        -------
        ndarray of int32
        """
        left = np.asarray(left, dtype=np.int64)
        second = left if right is None else np.asarray(right, dtype=np.int64)
        left, second = np.broadcast_arrays(left, second)
        key = np.where((left < 0) | (second < 0), -1, left << 32 | second)
        kinds, inverse = np.unique(key, return_inverse=True)
        rules = self._rules.setdefault(op, {-1: -1})
        for kind in kinds.tolist():
            if kind not in rules:
                rules[kind] = self._rule(op, self._vectors[kind >> 32], self._vectors[kind & 0xFFFFFFFF])
        found = np.array([rules[kind] for kind in kinds.tolist()], dtype=np.int32)
        return found[inverse].reshape(left.shape)

    def _rule(self, op: int, left: Dimension, right: Dimension) -> int:
        """Dimension of one operation on two vectors."""
        if op in (ADD, SUBTRACT):
            return self._intern(left) if left == right else -1
        if op in (EXP, EXP_NEG, LOG):
            physical = [base for base, _ in left if not base.startswith(_GROUP)]
            return -1 if physical else self.dimensionless
        if op == MULTIPLY:
            return self._intern(_combined(left, right))
        return self._intern(tuple((base, power * _POWERS[op]) for base, power in left))

    def _intern(self, vector: Dimension) -> int:
        """Id of a vector."""
        if vector not in self._index:
            self._index[vector] = len(self._vectors)
            self._vectors.append(vector)
        return self._index[vector]


def dimension_text(vector: Dimension) -> str:
    """Write a dimension for a message, e.g. ``length·mass^-1``."""
    if not vector:
        return "dimensionless"
    parts = []
    for base, power in vector:
        parts.append(base if power == 1 else f"{base}^{power}")
    return "·".join(parts)


def _combined(left: Dimension, right: Dimension) -> Dimension:
    """Sum of exponents."""
    powers = dict(left)
    for base, power in right:
        powers[base] = powers.get(base, Fraction(0)) + power
    return tuple(sorted((base, power) for base, power in powers.items() if power != 0))


def unknown_unit(name: str) -> Dimension:
    """Return the dimension of a column whose unit is not known; columns may share it by its name.

    Examples
    --------
    >>> dimension_text(unknown_unit("r"))
    'unit of r'
    """
    return ((_OWN + name, Fraction(1)),)


def _known(unit: Any) -> bool:
    """Whether a unit was given; the empty text is dimensionless."""
    return unit is not None and not (
        isinstance(unit, tuple) and any(base.startswith(_OWN) for base, _ in unit)
    )


def _leaf_vector(
    name: str, dimensions: Mapping[str, Any] | None, groups: Mapping[str, Any] | None
) -> Dimension:
    """Dimension of one column with its group."""
    unit = None if dimensions is None else dimensions.get(name)
    powers = dict(unknown_unit(name) if unit is None else _unit_vector(name, unit))
    group = None if groups is None else groups.get(name)
    if group is not None:
        powers[f"{_GROUP}{group}"] = Fraction(1)
    return tuple(sorted(powers.items()))


def _unit_vector(name: str, unit: Any) -> Dimension:
    """Dimension from text, a Unit or a tuple; a unit with a factor is a scale of its own."""
    if isinstance(unit, str):
        if unit.strip().lower() in ("", "1", "-", "dimensionless"):
            return ()
        from sozai.contracts.units import parse_unit

        unit = parse_unit(unit)
    scale = float(getattr(unit, "scale", 1.0))
    offset = float(getattr(unit, "offset", 0.0))
    vector = getattr(unit, "dimension", unit)
    try:
        powers = {str(base): Fraction(power) for base, power in vector}
    except (TypeError, ValueError):
        raise InputError(
            sentence(
                "Expressions",
                f"dimensions[{name!r}]",
                "be a unit as text, a Unit or (base, exponent) pairs",
                unit,
                remedy="Write for example 'eV', or '' for a pure number.",
            )
        ) from None
    if scale != 1.0 or offset != 0.0:
        powers[f"{_SCALE}{scale!r}{f'{offset:+}' if offset else ''}"] = Fraction(1)
    return tuple(sorted((base, power) for base, power in powers.items() if power != 0))


def _tell_undeclared(undeclared: list[str]) -> None:
    """Log which columns have no unit although others have."""
    if undeclared:
        _log.warning(
            "No unit for %s: each gets a dimension of its own and is never added to another column. "
            "Declare pure numbers with dimensionless=[...].",
            ", ".join(undeclared),
        )
