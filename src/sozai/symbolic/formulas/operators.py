"""The elementary operators an expression is built from, as data.

A quotient is a product with reciprocal factors, so there is no operator for it.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ABS",
    "ADD",
    "CBRT",
    "CONSTANT",
    "CUBE",
    "EXP",
    "EXP_NEG",
    "INVERSE",
    "LEAF",
    "LOG",
    "MULTIPLY",
    "OPERATIONS",
    "SQRT",
    "SQUARE",
    "SUBTRACT",
    "Operation",
]

CONSTANT, LEAF, ADD, SUBTRACT, MULTIPLY, ABS, INVERSE = range(7)
SQUARE, CUBE, SQRT, CBRT, EXP, EXP_NEG, LOG = range(7, 14)


@dataclass(frozen=True)
class Operation:
    """One elementary operator.

    Attributes
    ----------
    name : str
        The word used in programs and in typed formulas.
    code : int
        What stands in ``Expressions.op``.
    arity : int
        Number of arguments.
    weight : int
        What it adds to the complexity of an expression.
    numpy : str
        Source text of the call, with ``{0}`` and ``{1}`` for the arguments.
    aliases : tuple of str
        Other words a user may type.

    Examples
    --------
    >>> OPERATIONS["sqrt"].arity
    1
    """

    name: str
    code: int
    arity: int
    weight: int
    numpy: str
    aliases: tuple[str, ...] = ()


_ALL = (
    Operation("constant", CONSTANT, 0, 0, "{0}"),
    Operation("leaf", LEAF, 0, 1, "{0}"),
    Operation("add", ADD, 2, 1, "{0} + {1}"),
    Operation("subtract", SUBTRACT, 2, 1, "{0} - {1}"),
    Operation("multiply", MULTIPLY, 2, 1, "{0}*{1}"),
    Operation("abs", ABS, 1, 1, "np.abs({0})"),
    Operation("inverse", INVERSE, 1, 1, "1/{0}"),
    Operation("square", SQUARE, 1, 1, "{0}**2"),
    Operation("cube", CUBE, 1, 1, "{0}**3"),
    Operation("sqrt", SQRT, 1, 1, "np.sqrt({0})"),
    Operation("cbrt", CBRT, 1, 2, "np.cbrt({0})"),
    Operation("exp", EXP, 1, 2, "np.exp({0})"),
    Operation("exp_neg", EXP_NEG, 1, 2, "np.exp(-{0})"),
    Operation("log", LOG, 1, 2, "np.log({0})", ("ln",)),
)

OPERATIONS: dict[str, Operation] = {operation.name: operation for operation in _ALL}
"""Every operator by name; the code of an operator is its place in this mapping."""
