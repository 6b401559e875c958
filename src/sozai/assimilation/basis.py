"""Columns of functions of the descriptors: sines, products, functions of one's own, and how to name them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sozai.assimilation.magnetisation import MagnetisationShape
from sozai.assimilation.polynomials import (
    CompositionPolynomial,
    Legendre,
    Polynomial,
    TemperaturePolynomial,
)
from sozai.contracts.errors import InputError, sentence

__all__ = ["Basis", "Custom", "Fourier", "Sine", "TensorProduct", "as_basis", "nested_sets", "parse_basis"]

Array = NDArray[np.float64]


@runtime_checkable
class Basis(Protocol):
    """What the assimilator asks of a basis; the first column is the constant 1.

    Examples
    --------
    >>> isinstance(Polynomial(2), Basis)
    True
    """

    def n_terms(self, q: int) -> int:
        """Count of the columns for q descriptors."""
        ...

    def degrees(self, q: int) -> NDArray[np.int64]:
        """Degree of every column; nested patterns keep all columns up to one degree."""
        ...

    def evaluate(self, X: Array, domain: Array) -> Array:
        """Columns at the rows of X, of shape (n, P)."""
        ...

    def feature_names(self, input_names: Sequence[str]) -> list[str]:
        """Names of the terms."""
        ...

    def raw_matrix(self, domain: Array) -> Array | None:
        """T with ``evaluate = raw terms @ T``; None where the columns themselves are the terms."""
        ...


def waves(angles: Array, n: int, both: bool) -> Array:
    """1, (cos,) sin of k times every angle: (m, n + 1) or (m, 2n + 1)."""
    k = np.arange(1, n + 1)
    sines = np.sin(angles[:, None] * k)
    if not both:
        return np.hstack([np.ones((len(angles), 1)), sines])
    pairs = np.stack([np.cos(angles[:, None] * k), sines], axis=2).reshape(len(angles), 2 * n)
    return np.hstack([np.ones((len(angles), 1)), pairs])


def products(columns: list[Array]) -> Array:
    """All products of one column of each table; the last table runs fastest."""
    out = columns[0]
    for more in columns[1:]:
        out = (out[:, :, None] * more[:, None, :]).reshape(len(out), -1)
    return out


def product_names(names: list[list[str]]) -> list[str]:
    """Names of :func:`products`; the constant is left out of a product."""
    out = names[0]
    for more in names[1:]:
        out = [_joined(a, b) for a in out for b in more]
    return out


def _joined(a: str, b: str) -> str:
    return b if a == "1" else a if b == "1" else f"{a}*{b}"


def sums(degrees: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Degrees of :func:`products`."""
    out = degrees[0]
    for more in degrees[1:]:
        out = (out[:, None] + more[None, :]).ravel()
    return out


def nested_sets(basis: Any, q: int) -> list[tuple[int, ...]]:
    """Sets of columns to choose a correction from: with a column, all below it; the smallest first.

    Parameters
    ----------
    basis : basis
    q : int
        Descriptors.

    Returns
    -------
    list of tuple of int
        All columns up to a degree; for a product of two bases also those up to one degree in each of them,
        such as every fraction times the temperature.

    Examples
    --------
    >>> nested_sets(Polynomial(2), 1)
    [(0,), (0, 1), (0, 1, 2)]
    >>> both = TensorProduct(Polynomial(1), TemperaturePolynomial(1))
    >>> [[both.feature_names(["Co", "T"])[k] for k in terms] for terms in nested_sets(both, 2)][1:3]
    [['1', '(T/300)'], ['1', 'Co']]
    """
    degrees = basis.degrees(q)
    inside = [degrees <= level for level in np.unique(degrees)]
    if isinstance(basis, TensorProduct):
        first, second = basis.factor_degrees(q)
        inside += [(first <= i) & (second <= j) for i in np.unique(first) for j in np.unique(second)]
    sets = {tuple(np.flatnonzero(mask).tolist()) for mask in inside}
    return sorted(sets, key=lambda terms: (len(terms), terms))


@dataclass(frozen=True)
class Sine:
    r"""Sines of every descriptor and their products: :math:`\phi_0 = 1, \phi_k = \sin(2\pi kx/L)`.

    Parameters
    ----------
    n : int
        Sines per descriptor; q descriptors give (n + 1)^q columns.
    period : float, optional
        L in the unit of the descriptor, counted from 0; left out, the length of the domain, from its start.

    Examples
    --------
    >>> import numpy as np
    >>> Sine(2).evaluate(np.array([[0.25]]), np.array([[0.0, 1.0]])).round(6).tolist()
    [[1.0, 1.0, 0.0]]
    >>> Sine(6).n_terms(2)
    49
    """

    n: int
    period: float | None = None
    both = False

    def __post_init__(self) -> None:
        at_least(self, "n", self.n, 0)

    def n_terms(self, q: int) -> int:
        """(n + 1)^q."""
        return int((self.n * (1 + self.both) + 1) ** q)

    def degrees(self, q: int) -> NDArray[np.int64]:
        """Sum of the wave numbers."""
        one = np.arange(self.n + 1)
        if self.both:
            one = np.concatenate([[0], np.repeat(one[1:], 2)])
        return sums([one] * q)

    def evaluate(self, X: Array, domain: Array) -> Array:
        """Columns at the rows of X, of shape (n, P)."""
        low, length = (
            (0.0, self.period) if self.period is not None else (domain[:, 0], np.ptp(domain, axis=1))
        )
        angles = 2 * np.pi * (X - low) / length
        return products([waves(column, self.n, self.both) for column in angles.T])

    def feature_names(self, input_names: Sequence[str]) -> list[str]:
        """Names such as ``sin2(x)``."""
        kinds = ("cos", "sin") if self.both else ("sin",)
        return product_names(
            [["1", *(f"{w}{k}({x})" for k in range(1, self.n + 1) for w in kinds)] for x in input_names]
        )

    def raw_matrix(self, domain: Array) -> None:
        """The columns themselves are the terms."""
        return None


@dataclass(frozen=True)
class Fourier(Sine):
    r"""Cosines and sines of every descriptor and their products.

    Parameters
    ----------
    n : int
        Pairs per descriptor; q descriptors give (2n + 1)^q columns.
    period : float, optional
        In the unit of the descriptor; left out, the length of the domain.

    Examples
    --------
    >>> Fourier(1).feature_names(["x"])
    ['1', 'cos1(x)', 'sin1(x)']
    """

    n: int
    period: float | None = None
    both = True


@dataclass(frozen=True)
class TensorProduct:
    """Every column of one basis times every column of another, each on its own descriptors.

    Parameters
    ----------
    a, b : basis
        For the first descriptors and for the last ones.
    n_inputs : int, default=1
        How many descriptors, counted from the end, belong to ``b``.

    Examples
    --------
    >>> both = TensorProduct(Polynomial(1), TemperaturePolynomial(1))
    >>> both.feature_names(["Co", "T"])
    ['1', '(T/300)', 'Co', 'Co*(T/300)']
    """

    a: Any
    b: Any
    n_inputs: int = 1

    def __post_init__(self) -> None:
        at_least(self, "n_inputs", self.n_inputs, 1)

    def _split(self, q: int) -> int:
        """Descriptors of the first basis."""
        if q <= self.n_inputs:
            raise InputError(
                sentence(
                    "TensorProduct", "X", f"have more than {self.n_inputs} columns", q,
                    remedy="Give every factor at least one descriptor.",
                )
            )  # fmt: skip
        return q - self.n_inputs

    def n_terms(self, q: int) -> int:
        """Product of the two counts."""
        first = self._split(q)
        return int(self.a.n_terms(first) * self.b.n_terms(self.n_inputs))

    def degrees(self, q: int) -> NDArray[np.int64]:
        """Sum of the two degrees."""
        return np.asarray(sum(self.factor_degrees(q)))

    def factor_degrees(self, q: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Degree of every column in the first and in the second basis."""
        first, second = self.a.degrees(self._split(q)), self.b.degrees(self.n_inputs)
        return np.repeat(first, len(second)), np.tile(second, len(first))

    def evaluate(self, X: Array, domain: Array) -> Array:
        """Columns at the rows of X, of shape (n, P)."""
        first = self._split(X.shape[1])
        return products(
            [self.a.evaluate(X[:, :first], domain[:first]), self.b.evaluate(X[:, first:], domain[first:])]
        )

    def feature_names(self, input_names: Sequence[str]) -> list[str]:
        """Names of the two joined by ``*``."""
        first = self._split(len(input_names))
        return product_names(
            [self.a.feature_names(input_names[:first]), self.b.feature_names(input_names[first:])]
        )

    def raw_matrix(self, domain: Array) -> Array | None:
        """Kronecker product of the two."""
        first = self._split(len(domain))
        left, right = self.a.raw_matrix(domain[:first]), self.b.raw_matrix(domain[first:])
        if left is None and right is None:
            return None
        left = np.eye(self.a.n_terms(first)) if left is None else left
        right = np.eye(self.b.n_terms(self.n_inputs)) if right is None else right
        return np.kron(left, right)

    def resolve(self, X: Array, names: Sequence[str]) -> tuple[TensorProduct, list[str]]:
        """Let the factors look at the descriptors; names of the reference species come along."""
        first, notes, parts = self._split(X.shape[1]), [], []
        for part, columns in ((self.a, slice(0, first)), (self.b, slice(first, None))):
            found, said = resolved(part, X[:, columns], names[columns])
            parts.append(found)
            notes += said
        return TensorProduct(parts[0], parts[1], self.n_inputs), notes


@dataclass(frozen=True)
class Custom:
    """Functions of one's own; the constant is put before them.

    Parameters
    ----------
    function : callable
        Takes X of shape (n, q), gives the columns, shape (n, k).
    names : sequence of str
        Of the k columns.
    term_degrees : sequence of int, optional
        For nested patterns; left out, every column is one degree above the one before.

    Examples
    --------
    >>> import numpy as np
    >>> root = Custom(lambda X: np.sqrt(X), ["sqrt(x)"])
    >>> root.evaluate(np.array([[4.0]]), np.array([[0.0, 9.0]])).tolist()
    [[1.0, 2.0]]
    """

    function: Callable[[Array], Any]
    names: Sequence[str]
    term_degrees: Sequence[int] | None = None

    def n_terms(self, q: int) -> int:
        """One more than there are names."""
        return len(self.names) + 1

    def degrees(self, q: int) -> NDArray[np.int64]:
        """As given, after a 0 for the constant."""
        given = range(1, len(self.names) + 1) if self.term_degrees is None else self.term_degrees
        return np.array([0, *given])

    def evaluate(self, X: Array, domain: Array) -> Array:
        """Columns at the rows of X, of shape (n, P)."""
        columns = np.asarray(self.function(X), dtype=np.float64)
        if columns.shape != (len(X), len(self.names)):
            raise InputError(
                sentence(
                    "Custom.evaluate", "function", f"return shape {(len(X), len(self.names))}", columns.shape,
                    remedy="Give one column for each of the names.",
                )
            )  # fmt: skip
        return np.hstack([np.ones((len(X), 1)), columns])

    def feature_names(self, input_names: Sequence[str]) -> list[str]:
        """As given, after ``1``."""
        return ["1", *map(str, self.names)]

    def raw_matrix(self, domain: Array) -> None:
        """The columns themselves are the terms."""
        return None


def at_least(basis: object, argument: str, value: Any, low: int) -> None:
    """Refuse a count that is no whole number or too small."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < low:
        raise InputError(
            sentence(
                type(basis).__name__, argument, f"be a whole number of {low} or more", value,
                remedy=f"Write for example {type(basis).__name__}({argument}={max(low, 2)}).",
            )
        )  # fmt: skip


def resolved(basis: Any, X: Array, names: Sequence[str]) -> tuple[Any, list[str]]:
    """A basis that has looked at the descriptors, and which reference species it left out."""
    return basis.resolve(X, names) if hasattr(basis, "resolve") else (basis, [])


_NAMED = {
    "polynomial": Polynomial, "poly": Polynomial, "legendre": Legendre, "sine": Sine, "fourier": Fourier,
    "composition": CompositionPolynomial, "temperature": TemperaturePolynomial,
}  # fmt: skip


def parse_basis(text: str) -> Any:
    """Read a basis from text such as ``polynomial:3`` or ``composition:2*temperature:3``.

    Parameters
    ----------
    text : str
        ``kind:count``; ``*`` joins two of them, the second for the last descriptor.

    Returns
    -------
    basis

    Raises
    ------
    InputError
        When a kind is not known, or its number is none.

    Examples
    --------
    >>> parse_basis("polynomial:3")
    Polynomial(degree=3, interaction='total')
    >>> parse_basis("composition:2*temperature:3").n_terms(6)
    84
    """
    parts = [_parse_one(part.strip(), text) for part in text.split("*")]
    out = parts[0]
    for part in parts[1:]:
        out = TensorProduct(out, part)
    return out


def _parse_one(part: str, text: str) -> Any:
    kind, _, number = part.partition(":")
    if kind.strip().lower() not in _NAMED or not number.strip().isdecimal():
        raise InputError(
            sentence(
                "parse_basis", "text", f"be kind:number with a kind of {', '.join(_NAMED)}", text,
                remedy="Write for example 'polynomial:3'.",
            )
        )  # fmt: skip
    return _NAMED[kind.strip().lower()](int(number))


def as_basis(basis: Any, *, place: str) -> Any:
    """``None`` is a cubic, text is parsed, a basis stays."""
    if basis is None:
        return Polynomial(3)
    if isinstance(basis, str):
        return parse_basis(basis)
    if isinstance(basis, Basis) and not isinstance(basis, type):
        return basis
    raise InputError(
        sentence(
            place, "basis", "be a basis, text such as 'polynomial:3', or None", basis,
            remedy="Pass for example Polynomial(3).",
        )
    )  # fmt: skip


#: Classes by name, for files; a function of one's own cannot be written to one.
CLASSES = {
    cls.__name__: cls
    for cls in (
        Polynomial, Legendre, Sine, Fourier, CompositionPolynomial, TemperaturePolynomial, MagnetisationShape,
    )
}  # fmt: skip
