"""One formula as an object: a store and an id."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.formulas import expression_files

if TYPE_CHECKING:
    from sozai.symbolic.formulas.expressions import Expressions

__all__ = ["Expression", "ExpressionList", "require_columns"]


class Expression:
    """One formula: a store and an id.

    Parameters
    ----------
    store : Expressions
    id : int

    Attributes
    ----------
    names : tuple of str
        Columns used, in table order.

    Examples
    --------
    >>> from sozai.symbolic.operations import parse_expression
    >>> formula = parse_expression("x*(1 - x)*abs(M_A + M_B)", ["x", "M_A", "M_B"])
    >>> formula.names
    ('x', 'M_A', 'M_B')
    >>> float(formula.evaluate({"x": [0.5], "M_A": [1.0], "M_B": [-3.0]})[0])
    0.5
    """

    def __init__(self, store: Expressions, id: int) -> None:
        self.store = store
        self.id = int(id)

    def __str__(self) -> str:
        return self.store.text(self.id)

    def __repr__(self) -> str:
        return f"Expression({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Expression):
            return NotImplemented
        if self.store is other.store:
            return self.id == other.id
        if set(self.names) != set(other.names):
            return False
        common = type(self.store)(sorted(self.names))
        one, two = (expression_files.expression_from_json(common, each.to_json()) for each in (self, other))
        return one == two

    def __hash__(self) -> int:
        return hash(frozenset(self.names))

    @property
    def names(self) -> tuple[str, ...]:
        """Columns used, in table order."""
        return tuple(self.store.names[j] for j in self.store.columns_of(self.id))

    @property
    def complexity(self) -> int:
        """Leaves plus operator weights."""
        return int(self.store.complexity[self.id])

    def evaluate(self, X: Any) -> np.ndarray:
        """Values on the rows of a DataFrame, an array of all columns or a mapping of columns used."""
        labels = getattr(X, "columns", None)
        if labels is not None or isinstance(X, Mapping):
            require_columns([name for name in self.names if name not in (X if labels is None else labels)])
            columns = {name: np.asarray(X[name], dtype=np.float64) for name in self.names}
            n = max((np.size(value) for value in columns.values()), default=1 if labels is None else len(X))
            full = np.zeros((n, len(self.store.names)))
            for name, value in columns.items():
                full[:, self.store.names.index(name)] = value
            X = full
        return self.store.evaluate([self.id], X)[:, 0]

    def to_latex(self) -> str:
        """LaTeX source, for math mode."""
        return self.store.latex(self.id)

    def to_python(self) -> str:
        """Source text of a NumPy function."""
        return self.store.python(self.id)

    def to_callable(self) -> Callable[..., np.ndarray]:
        """Closure over the tree; arguments are ``names`` in order."""
        return self.store.callable(self.id)

    def to_json(self) -> dict[str, Any]:
        """The nodes of this formula alone."""
        return expression_files.expression_to_json(self.store, self.id)

    @classmethod
    def from_json(cls, data: Mapping[str, Any], names: Sequence[str] | None = None) -> Expression:
        """Formula over ``names`` (default: the columns it uses)."""
        names = tuple(data["names"]) if names is None else tuple(names)
        from sozai.symbolic.formulas.expressions import Expressions

        store = Expressions(names)
        return cls(store, expression_files.expression_from_json(store, data))


class ExpressionList(Sequence):
    """Expressions of one store as a sequence that makes its members when asked."""

    def __init__(self, store: Expressions, ids: np.ndarray) -> None:
        self.store = store
        self.ids = ids

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, k: Any) -> Any:
        if isinstance(k, slice):
            return ExpressionList(self.store, self.ids[k])
        return Expression(self.store, int(self.ids[k]))

    def __repr__(self) -> str:
        shown = ", ".join(str(expression) for expression in self[:6])
        return f"[{shown}{', ...' if len(self) > 6 else ''}]"


def require_columns(missing: list[str]) -> None:
    """Name the columns that a formula needs and did not get."""
    if missing:
        raise InputError(
            sentence(
                "Expression.evaluate",
                "X",
                "have every column used",
                f"missing: {', '.join(missing)}",
                remedy="Add them.",
            )
        )
