"""Polynomials of descriptors, orthonormal over their domain, with the plain powers they stand for."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.polynomial import legendre, polynomial
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence

__all__ = ["CompositionPolynomial", "Legendre", "Polynomial", "TemperaturePolynomial"]

Array = NDArray[np.float64]


def powers(q: int, degree: int, interaction: str) -> NDArray[np.int64]:
    """Exponents (P, q) of all terms, by total degree and then as in a book: 1, x, y, x^2, xy, y^2."""
    if interaction == "tensor":
        rows = list(itertools.product(range(degree + 1), repeat=q))
        rows.sort(key=lambda row: (sum(row), [-e for e in row]))
    else:
        rows = [
            tuple(np.bincount(np.array(chosen, dtype=np.int64), minlength=q).tolist())
            for total in range(degree + 1)
            for chosen in itertools.combinations_with_replacement(range(q), total)
        ]
    return np.array(rows, dtype=np.int64).reshape(len(rows), q)


def legendre_columns(x: Array, low: float, high: float, degree: int) -> Array:
    r"""(n, degree + 1): :math:`\sqrt{2k+1}\,P_k` of x mapped to [-1, 1], of mean square 1 on the domain."""
    t = (2 * x - low - high) / (high - low)
    return legendre.legvander(t, degree) * np.sqrt(2 * np.arange(degree + 1) + 1)


def legendre_powers(low: float, high: float, degree: int) -> Array:
    """(degree + 1, degree + 1): column k holds the coefficients of column k in powers of x."""
    line = np.array([-(low + high), 2.0]) / (high - low)
    out = np.zeros((degree + 1, degree + 1))
    for k in range(degree + 1):
        series = legendre.leg2poly(np.eye(degree + 1)[k][: k + 1]) * np.sqrt(2 * k + 1)
        composed = np.zeros(1)
        for coefficient in series[::-1]:
            composed = polynomial.polyadd(polynomial.polymul(composed, line), [coefficient])
        out[: k + 1, k] = composed[: k + 1]
    return out


def power_name(name: str, exponent: int) -> str:
    return name if exponent == 1 else f"{name}^{exponent}"


@dataclass(frozen=True)
class Polynomial:
    r"""Polynomial of all descriptors.

    The columns are products of Legendre polynomials over the domain: they span
    the same functions as the plain powers, all powers up to one degree span the
    same as all columns up to it, and they are well conditioned.

    Parameters
    ----------
    degree : int
    interaction : {"total", "tensor"}, default="total"
        Keep terms whose total degree, or whose degree in every descriptor, is at most ``degree``.

    Examples
    --------
    >>> Polynomial(2).feature_names(["x", "y"])
    ['1', 'x', 'y', 'x^2', 'x*y', 'y^2']
    >>> Polynomial(3).n_terms(2), Polynomial(3, "tensor").n_terms(2)
    (10, 16)
    """

    degree: int
    interaction: str = "total"

    def __post_init__(self) -> None:
        whole_degree(self, self.degree)
        if self.interaction not in ("total", "tensor"):
            raise InputError(
                sentence(
                    type(self).__name__, "interaction", "be 'total' or 'tensor'", self.interaction,
                    remedy="Leave it out for all terms of one total degree.",
                )
            )  # fmt: skip

    def _powers(self, q: int) -> NDArray[np.int64]:
        return powers(q, self.degree, self.interaction)

    def n_terms(self, q: int) -> int:
        """Count of the columns for q descriptors."""
        return len(self._powers(q))

    def degrees(self, q: int) -> NDArray[np.int64]:
        """Total degree of every column."""
        return self._powers(q).sum(axis=1)

    def evaluate(self, X: Array, domain: Array) -> Array:
        """Columns at the rows of X, of shape (n, P)."""
        exponents = self._powers(X.shape[1])
        out = np.ones((len(X), len(exponents)))
        for j, (low, high) in enumerate(domain):
            column = legendre_columns(X[:, j], low, high, self.degree)
            for e in range(1, self.degree + 1):
                out[:, exponents[:, j] == e] *= column[:, e, None]
        return out

    def feature_names(self, input_names: Sequence[str]) -> list[str]:
        """The plain powers, such as ``x*y^2``."""
        return [
            "*".join(power_name(x, e) for x, e in zip(input_names, row, strict=True) if e) or "1"
            for row in self._powers(len(input_names)).tolist()
        ]

    def raw_matrix(self, domain: Array) -> Array | None:
        """T with ``evaluate = powers @ T``, of shape (P, P)."""
        exponents = self._powers(len(domain))
        out = np.ones((len(exponents), len(exponents)))
        for j, (low, high) in enumerate(domain):
            table = legendre_powers(low, high, self.degree)
            out *= table[exponents[:, j][:, None], exponents[:, j][None, :]]
        return out


@dataclass(frozen=True)
class Legendre(Polynomial):
    """Legendre polynomials as the terms themselves, where :class:`Polynomial` means plain powers.

    Parameters
    ----------
    degree : int
    interaction : {"total", "tensor"}, default="total"

    Examples
    --------
    >>> import numpy as np
    >>> Legendre(1).evaluate(np.array([[1.0]]), np.array([[0.0, 1.0]])).round(3).tolist()
    [[1.0, 1.732]]
    """

    def feature_names(self, input_names: Sequence[str]) -> list[str]:
        """Names such as ``P2(x)``."""
        return [
            "*".join(f"P{e}({x})" for x, e in zip(input_names, row, strict=True) if e) or "1"
            for row in self._powers(len(input_names)).tolist()
        ]

    def raw_matrix(self, domain: Array) -> None:
        """The columns themselves are the terms."""
        return None


@dataclass(frozen=True)
class TemperaturePolynomial:
    """Powers of a temperature over a scale, orthonormal over the domain; one descriptor.

    Parameters
    ----------
    degree : int
    scale : float, default=300.0
        Kelvin; only the plain powers depend on it.

    Examples
    --------
    >>> TemperaturePolynomial(2).feature_names(["T"])
    ['1', '(T/300)', '(T/300)^2']
    """

    degree: int
    scale: float = 300.0

    def __post_init__(self) -> None:
        whole_degree(self, self.degree)
        if not self.scale > 0:
            raise InputError(
                sentence(
                    "TemperaturePolynomial",
                    "scale",
                    "be positive",
                    self.scale,
                    remedy="Leave it out for 300 K.",
                )
            )

    def n_terms(self, q: int) -> int:
        """One more than the degree."""
        self._one(q)
        return self.degree + 1

    def degrees(self, q: int) -> NDArray[np.int64]:
        """0, 1, ..., degree."""
        return np.arange(self.n_terms(q))

    def evaluate(self, X: Array, domain: Array) -> Array:
        """Columns at the rows of X, of shape (n, P)."""
        self._one(X.shape[1])
        return legendre_columns(X[:, 0], *domain[0], self.degree)

    def feature_names(self, input_names: Sequence[str]) -> list[str]:
        """Powers of the scaled temperature."""
        self._one(len(input_names))
        scaled = f"({input_names[0]}/{self.scale:g})"
        return ["1", *(power_name(scaled, e) for e in range(1, self.degree + 1))]

    def raw_matrix(self, domain: Array) -> Array:
        """T with ``evaluate = powers @ T``."""
        return legendre_powers(*(domain[0] / self.scale), self.degree)

    def _one(self, q: int) -> None:
        if q != 1:
            raise InputError(
                sentence(
                    "TemperaturePolynomial", "X", "have one column, the temperature", q,
                    remedy="Join it to a basis of the other columns with TensorProduct.",
                )
            )  # fmt: skip


@dataclass(frozen=True)
class CompositionPolynomial:
    """Polynomial of independent fractions: one species of every site is the reference and left out.

    Parameters
    ----------
    degree : int
    sites : sequence of sequence of int, optional
        Columns of each site whose fractions sum to 1; the first of each is the
        reference. Columns in no site are independent fractions already. Left
        out: all columns are independent, unless they sum to 1 in every row.

    Examples
    --------
    >>> CompositionPolynomial(1, sites=[[0, 1], [2, 3, 4]]).feature_names(["Nd", "La", "Fe", "Co", "Ni"])
    ['1', 'La', 'Co', 'Ni']
    >>> CompositionPolynomial(2).n_terms(5), CompositionPolynomial(3).n_terms(5)
    (21, 56)
    """

    degree: int
    sites: Sequence[Sequence[int]] | None = None

    def __post_init__(self) -> None:
        whole_degree(self, self.degree)
        if self.sites is not None:
            object.__setattr__(self, "sites", tuple(tuple(int(c) for c in site) for site in self.sites))

    def independent(self, q: int) -> list[int]:
        """Columns that are kept, of q."""
        references = {site[0] for site in self.sites or () if site}
        named = [column for site in self.sites or () for column in site]
        if len(set(named)) != len(named) or any(not 0 <= column < q for column in named):
            raise InputError(
                sentence(
                    "CompositionPolynomial", "sites", f"name each of {q} columns at most once", self.sites,
                    remedy="Count columns from 0.",
                )
            )  # fmt: skip
        return [column for column in range(q) if column not in references]

    def n_terms(self, q: int) -> int:
        """Count of the columns for q fractions."""
        return Polynomial(self.degree).n_terms(len(self.independent(q)))

    def degrees(self, q: int) -> NDArray[np.int64]:
        """Total degree of every column."""
        return Polynomial(self.degree).degrees(len(self.independent(q)))

    def evaluate(self, X: Array, domain: Array) -> Array:
        """Columns at the rows of X, of shape (n, P)."""
        kept = self.independent(X.shape[1])
        for site in self.sites or ():
            total = X[:, list(site)].sum(axis=1)
            wrong = np.abs(total - 1) > 1e-6
            if wrong.any():
                row = int(np.argmax(wrong))
                raise InputError(
                    sentence(
                        "CompositionPolynomial.evaluate", f"columns {list(site)}", "sum to 1",
                        float(total[row]), at=f"at row {row}", remedy="Correct the fractions of this site.",
                    )
                )  # fmt: skip
        return Polynomial(self.degree).evaluate(X[:, kept], domain[kept])

    def feature_names(self, input_names: Sequence[str]) -> list[str]:
        """Powers of the independent fractions."""
        kept = [input_names[column] for column in self.independent(len(input_names))]
        return Polynomial(self.degree).feature_names(kept)

    def raw_matrix(self, domain: Array) -> Array | None:
        """T with ``evaluate = powers @ T``."""
        return Polynomial(self.degree).raw_matrix(domain[self.independent(len(domain))])

    def resolve(self, X: Array, names: Sequence[str]) -> tuple[CompositionPolynomial, list[str]]:
        """Leave the first column out where all of them sum to 1; names of what was left out."""
        if self.sites is not None:
            return self, [str(names[site[0]]) for site in self.sites if site]
        if X.shape[1] < 2 or not len(X) or not (np.abs(X.sum(axis=1) - 1) < 1e-9).all():
            return self, []
        return replace(self, sites=(tuple(range(X.shape[1])),)), [str(names[0])]


def whole_degree(basis: object, degree: Any) -> None:
    """Refuse a degree that is no whole number of 0 or more."""
    if not isinstance(degree, (int, np.integer)) or isinstance(degree, bool) or degree < 0:
        name = type(basis).__name__
        raise InputError(
            sentence(name, "degree", "be a whole number of 0 or more", degree, remedy=f"Write {name}(3).")
        )
