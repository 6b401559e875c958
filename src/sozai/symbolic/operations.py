"""What may be done to a column: the basic operations by name, and the front door to expressions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.formulas.expressions import Expression, ExpressionList, Expressions
from sozai.symbolic.formulas.grammar import parse_expression, parse_into
from sozai.symbolic.formulas.operators import OPERATIONS, Operation

__all__ = [
    "OPERATIONS",
    "PAIR_OPERATIONS",
    "UNARY_OPERATIONS",
    "BasicOperation",
    "Expression",
    "ExpressionList",
    "Expressions",
    "Operation",
    "parse_expression",
    "parse_into",
    "resolve_operations",
]


@dataclass(frozen=True)
class BasicOperation:
    """One basic operation: an operator, then functions of its result.

    Attributes
    ----------
    name : str
        Long name.
    steps : tuple of str
        Operators of ``OPERATIONS`` from the inside out.
    codes : tuple of str
        Short codes and other names.
    ordered : bool
        The result changes when the two columns change places by more than a
        sign, so that both orders are made.

    Examples
    --------
    >>> store = Expressions(["x", "y"])
    >>> store.text(PAIR_OPERATIONS["inverse_abs_sum"].apply(store, 1, 2))
    '1/abs(x + y)'
    """

    name: str
    steps: tuple[str, ...]
    codes: tuple[str, ...] = ()
    ordered: bool = False

    def apply(self, store: Expressions, left: Any, right: Any = None) -> Any:
        """Ids of the operation on columns or pairs of columns."""
        ids = store.add(self.steps[0], left, right)
        for step in self.steps[1:]:
            ids = store.add(step, ids)
        return ids

    def allowed(self, store: Expressions, left: Any, right: Any = None) -> np.ndarray:
        """Whether dimensions and groups permit the innermost operator; the outer ones never object."""
        return store.allowed(self.steps[0], left, right)

    @property
    def singular(self) -> bool:
        """Whether a value that is not finite comes from a singular point and not from overflow."""
        return bool({"inverse", "divide", "log", "sqrt"} & set(self.steps))


def _pair_family(name: str, operator: str, sign: str) -> tuple[BasicOperation, ...]:
    """The pair operation alone, inside |.|, 1/(.) and 1/|.|."""
    return (
        BasicOperation(name, (operator,), (sign,)),
        BasicOperation(f"inverse_{name}", (operator, "inverse"), (f"r{sign}",)),
        BasicOperation(f"abs_{name}", (operator, "abs"), (f"a{sign}",)),
        BasicOperation(f"inverse_abs_{name}", (operator, "abs", "inverse"), (f"b{sign}",)),
    )


UNARY_OPERATIONS: dict[str, BasicOperation] = {
    operation.name: operation
    for operation in (
        BasicOperation("inverse", ("inverse",), ("r",)),
        BasicOperation("abs", ("abs",), ("a",)),
        BasicOperation("inverse_abs", ("abs", "inverse"), ("b",)),
        *(
            BasicOperation(name, (name,), OPERATIONS[name].aliases)
            for name in ("sqrt", "cbrt", "square", "cube", "exp", "exp_neg", "log")
        ),
    )
}
"""Basic operations on one column, by name."""

PAIR_OPERATIONS: dict[str, BasicOperation] = {
    operation.name: operation
    for operation in (
        *_pair_family("sum", "add", "+"),
        *_pair_family("difference", "subtract", "-"),
        *_pair_family("product", "multiply", "*"),
        BasicOperation("ratio", ("divide",), ("divide", "/"), ordered=True),
    )
}
"""Basic operations on two columns, by name."""


def resolve_operations(names: Iterable[str], *, pair: bool, place: str) -> tuple[BasicOperation, ...]:
    """Basic operations by long name or short code, each once.

    Parameters
    ----------
    names : iterable of str
        Short codes: ``r`` inverse, ``a`` abs, ``b`` inverse_abs, ``+ - *`` and
        the same inside, ``r+ a+ b+ r- a- b-``.
    pair : bool
        Whether operations on two columns are meant.
    place : str
        Who asks, for the message.

    Returns
    -------
    tuple of BasicOperation

    Raises
    ------
    InputError
        A name is not known; near names are listed.

    Examples
    --------
    >>> [operation.name for operation in resolve_operations(["a", "a+"][:1], pair=False, place="example")]
    ['abs']
    """
    table = PAIR_OPERATIONS if pair else UNARY_OPERATIONS
    by_code = {code: operation for operation in table.values() for code in (operation.name, *operation.codes)}
    argument = "pair_operations" if pair else "operations"
    if isinstance(names, str):
        names = [names]
    found: dict[str, BasicOperation] = {}
    for name in names:
        if name not in by_code:
            raise InputError(_unknown_operation(name, by_code, table, argument, place))
        found.setdefault(by_code[name].name, by_code[name])
    return tuple(found.values())


def _unknown_operation(
    name: object,
    by_code: dict[str, BasicOperation],
    table: dict[str, BasicOperation],
    argument: str,
    place: str,
) -> str:
    """Sentence for a name that is not known, with near names."""
    other = UNARY_OPERATIONS if table is PAIR_OPERATIONS else PAIR_OPERATIONS
    elsewhere = "operations" if table is PAIR_OPERATIONS else "pair_operations"
    if any(name in (operation.name, *operation.codes) for operation in other.values()):
        return sentence(
            place, argument, f"be among {', '.join(table)}", name, remedy=f"Put it into {elsewhere}."
        )
    near = get_close_matches(str(name), by_code, n=3, cutoff=0.5)
    remedy = f"Did you mean {' or '.join(near)}?" if near else "Choose one of these."
    return sentence(place, argument, f"be among {', '.join(table)}", name, remedy=remedy)
