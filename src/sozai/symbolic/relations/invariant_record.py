"""One invariant: which combination of columns stays constant, how nearly, and how surely."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import factorial
from typing import Any

import numpy as np
import pandas as pd

from sozai.contracts.checks import as_matrix
from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.columns import PrimaryColumns
from sozai.symbolic.formulas.typography import quoted

__all__ = ["Invariant", "InvariantList", "power_text", "product_unit", "sum_text"]


@dataclass(frozen=True, eq=False, repr=False)
class Invariant:
    """A product of powers, or a sum, of columns that is the same in every row.

    Attributes
    ----------
    names : tuple of str
        The columns that take part.
    exponents : tuple of Fraction or tuple of float
        Their exponents (form ``"power"``) or coefficients (``"linear"``): whole
        numbers where the uncertainty allows, else as found.
    free_exponents : tuple of float
        As found, on the same scale.
    standard_errors : tuple of float
        Of the free exponents; zero for the reference that sets the scale.
    constant : float
        Geometric (``"power"``) or arithmetic mean of the combination.
    unit : str or None
        Unit of the constant.
    spread : float
        Root mean square of ln(value/constant); for a sum that of value −
        constant, relative to ``scale``.
    ratio : float
        Spread over the spread expected if the columns had nothing to do with
        each other; 0 for an exact law, about 1 for no law.
    p_value : float
        Probability that a table of the same columns, each shuffled by itself,
        holds anything as firmly tied; never below 1/(n_permutations + 1).
    expected_by_chance : float
        Number of subsets of this size as firmly tied that normal theory expects
        among columns that have nothing to do with each other, at most.
    left_out_spread : float
        Spread of every row about the law found without it.
    exponent_shift : float
        Largest change of an exponent when one row is left out.
    kind : str
        ``"independent"``; ``"implied"`` by simpler ones; or ``"coarse"``: with
        further columns it holds more closely.
    form : str
        ``"power"`` or ``"linear"``.
    scale : float
        What the spread is relative to: the constant, or for a sum the largest
        root mean square of a term.
    deviations : ndarray of shape (n_samples,)
        Every row's relative deviation from the constant.

    Examples
    --------
    >>> from sozai.datasets import load_planets
    >>> from sozai.symbolic.invariants import find_invariants
    >>> law = find_invariants(load_planets().to_frame()[["a [AU]", "T [yr]"]])[0]
    >>> law
    a**3/T**2 = 1.00047 AU^3/yr^2 ± 0.058 %
    >>> [str(exponent) for exponent in law.exponents]
    ['3', '-2']
    """

    names: tuple[str, ...]
    exponents: tuple[Any, ...]
    free_exponents: tuple[float, ...]
    standard_errors: tuple[float, ...]
    constant: float
    unit: str | None
    spread: float
    ratio: float
    p_value: float
    expected_by_chance: float
    left_out_spread: float
    exponent_shift: float
    kind: str
    form: str
    scale: float
    deviations: np.ndarray
    columns: PrimaryColumns = field(repr=False)

    @property
    def snapped(self) -> bool:
        """Whether the exponents are whole numbers."""
        return all(isinstance(exponent, Fraction) for exponent in self.exponents)

    @property
    def formula(self) -> str:
        """The combination in our grammar, e.g. ``a**3/T**2``."""
        write = power_text if self.form == "power" else sum_text
        return write(self.names, self.exponents)

    @property
    def equation(self) -> str:
        """The law as text, with its constant, unit and spread."""
        unit = f" {self.unit}" if self.unit else ""
        if self.form == "power":
            return f"{self.formula} = {self.constant:.6g}{unit} ± {100 * self.spread:.2g} %"
        absolute = self.spread * self.scale
        constant = self.constant if abs(self.constant) > absolute / 100 else 0.0
        return f"{self.formula} = {constant:.6g}{unit} ± {absolute:.2g}{unit}"

    def evaluate(self, X: Any) -> np.ndarray:
        """Value of the combination in every row of another table.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_columns)
            A DataFrame is read by name and its units are converted; an array holds
            the columns of the law and no others, in their order.

        Returns
        -------
        ndarray of shape (n_samples,)
            In the unit of the constant; NaN where a power does not exist.

        Raises
        ------
        InputError
            A column of the law is missing.
        """
        place = "Invariant.evaluate"
        labels = list(self.columns.labels)
        if hasattr(X, "columns"):
            X = self.columns.aligned(X)
            missing = [label for label in labels if label not in set(map(str, X.columns))]
            if missing:
                raise InputError(
                    sentence(
                        place, "X", f"have the columns {', '.join(labels)}", f"missing: {', '.join(missing)}",
                        remedy="Add them or rename yours.",
                    )
                )  # fmt: skip
            X = X[labels]
        values = as_matrix(X, place=place)
        if values.shape[1] != len(labels):
            raise InputError(
                sentence(
                    place, "X", f"have one column for each of {', '.join(labels)}", f"shape {values.shape}",
                    remedy="Pass a DataFrame, or these columns alone.",
                )
            )  # fmt: skip
        values = self.columns.convert(values)
        weights = np.array([float(exponent) for exponent in self.exponents])
        if self.form == "linear":
            return values @ weights
        with np.errstate(divide="ignore", invalid="ignore"):
            powers = values**weights
        return np.where(np.isfinite(powers).all(axis=1), powers.prod(axis=1), np.nan)

    def to_frame(self) -> pd.DataFrame:
        """One row a column: name, exponent, exponent as found, standard error."""
        return pd.DataFrame(
            {
                "column": self.names,
                "exponent": [float(exponent) for exponent in self.exponents],
                "found": self.free_exponents,
                "standard_error": self.standard_errors,
            }
        )

    def __repr__(self) -> str:
        """The equation in one line."""
        return self.equation


@dataclass(frozen=True, eq=False, repr=False)
class InvariantList(Sequence):
    """Invariants of a table: independent ones first, tightest first.

    Attributes
    ----------
    invariants : tuple of Invariant
    form : str
    n_samples, n_columns : int
        Rows, and columns that vary.
    n_subsets : int
        Subsets of columns that were tried.
    n_found, n_independent : int
        Invariants found, more than listed if ``n_best`` was smaller; and how
        many of them do not follow from the others.
    constant_columns : tuple of (str, float)
        Columns that are constant by themselves, and took no part.
    tolerance, significance, n_permutations : float, float, int
        As asked for.

    Examples
    --------
    >>> from sozai.datasets import load_planets
    >>> from sozai.symbolic.invariants import find_invariants
    >>> found = find_invariants(load_planets().features.assign(T=load_planets().target))
    >>> found
    InvariantList: 1 independent of 1 found, form power, 2 columns, 8 rows, 1 subset tried
    >>> found.to_frame()[["formula", "kind"]].to_dict("records")
    [{'formula': 'a**3/T**2', 'kind': 'independent'}]
    """

    invariants: tuple[Invariant, ...]
    form: str
    n_samples: int
    n_columns: int
    n_subsets: int
    n_found: int
    n_independent: int
    constant_columns: tuple[tuple[str, float], ...]
    tolerance: float
    significance: float
    n_permutations: int

    @property
    def n_samples_needed(self) -> int:
        """Rows from which two exactly tied columns are surely told from chance.

        Of m rows, a shuffled column falls into its old order once in m! tries; over all pairs of columns
        that must be rarer than half of ``significance``, the other half being left to the luck of the
        shuffles.
        """
        pairs, rows = max(self.n_columns * (self.n_columns - 1) / 2, 1.0), 4
        while pairs / factorial(rows) > self.significance / 2:
            rows += 1
        return rows

    @property
    def too_few(self) -> str:
        """Say that nothing was found and the rows are too few; empty otherwise."""
        if self.n_found or self.n_columns < 2 or self.n_samples >= self.n_samples_needed:
            return ""
        can = "cannot" if factorial(self.n_samples) * self.significance < 1 else "may not"
        return (
            f"so few rows {can} tell a law from chance: there are {self.n_samples}, and "
            f"{self.n_samples_needed} are needed to be sure among {self.n_columns} columns, because shuffled "
            "columns would fit as well."
        )

    def __len__(self) -> int:
        return len(self.invariants)

    def __getitem__(self, k: Any) -> Any:
        return self.invariants[k]

    def to_frame(self) -> pd.DataFrame:
        """One row an invariant."""
        fields = (
            "formula", "constant", "unit", "spread", "ratio", "p_value", "expected_by_chance",
            "left_out_spread", "exponent_shift", "kind",
        )  # fmt: skip
        return pd.DataFrame(
            [{name: getattr(invariant, name) for name in fields} for invariant in self.invariants],
            columns=list(fields),
        )

    def __repr__(self) -> str:
        """Counts in one line."""
        subsets = f"{self.n_subsets:,} subset{'' if self.n_subsets == 1 else 's'} tried"
        return (
            f"InvariantList: {self.n_independent} independent of {self.n_found} found, form {self.form}, "
            f"{self.n_columns} columns, {self.n_samples} rows, {subsets}"
        )


def power_text(names: Sequence[str], exponents: Sequence[Any]) -> str:
    """Product of powers in our grammar.

    Examples
    --------
    >>> power_text(["a", "T"], [3, -2]), power_text(["p", "V"], [1, 1]), power_text(["t"], [-0.5])
    ('a**3/T**2', 'p*V', '1/t**0.5')
    """
    above = [_power(quoted(n), p) for n, p in zip(names, exponents, strict=True) if p > 0]
    below = [_power(quoted(n), -p) for n, p in zip(names, exponents, strict=True) if p < 0]
    top = "*".join(above) or "1"
    if not below:
        return top
    return f"{top}/{below[0]}" if len(below) == 1 else f"{top}/({'*'.join(below)})"


def sum_text(names: Sequence[str], weights: Sequence[Any]) -> str:
    """Sum in our grammar.

    Examples
    --------
    >>> sum_text(["x_A", "x_B", "c"], [1, -1, 0.25])
    'x_A - x_B + 0.25*c'
    """
    text = ""
    for name, weight in zip(names, weights, strict=True):
        size = _number(abs(weight))
        term = quoted(name) if size == "1" else f"{size}*{quoted(name)}"
        sign = ("-" if weight < 0 else "") if not text else (" - " if weight < 0 else " + ")
        text += sign + term
    return text


def product_unit(units: Sequence[str | None], exponents: Sequence[Any]) -> str | None:
    """Unit of a product of powers; None for a pure number.

    Examples
    --------
    >>> product_unit(["AU", "yr"], [3, -2]), product_unit(["g/cm3", "s"], [2, -1])
    ('AU^3/yr^2', '(g/cm3)^2/s')
    >>> product_unit(["Å", None, "Å"], [1, 2, -1]) is None
    True
    """
    total: dict[str, Any] = {}
    for unit, exponent in zip(units, exponents, strict=True):
        if unit:
            total[unit] = total.get(unit, 0) + exponent
    # Exponents that are not whole cancel only to rounding.
    total = {unit: exponent for unit, exponent in total.items() if abs(exponent) > 1e-9}
    above = [_unit_power(unit, exponent) for unit, exponent in total.items() if exponent > 0]
    below = [_unit_power(unit, -exponent) for unit, exponent in total.items() if exponent < 0]
    if not below:
        return "*".join(above) or None
    bottom = below[0] if len(below) == 1 else f"({'*'.join(below)})"
    return f"{'*'.join(above) or '1'}/{bottom}"


def _power(name: str, exponent: Any) -> str:
    number = _number(exponent)
    if number == "1":
        return name
    return f"{name}**{number}" if "/" not in number else f"{name}**({number})"


def _unit_power(unit: str, exponent: Any) -> str:
    if _number(exponent) == "1":
        return unit if re.fullmatch(r"[^*/·]+", unit) else f"({unit})"
    symbol = unit if re.fullmatch(r"[^\W\d]+|[%°]|°[CF]", unit) else f"({unit})"
    return f"{symbol}^{_number(exponent)}"


def _number(value: Any) -> str:
    """Whole numbers and fractions exactly, others to four digits."""
    return str(value) if isinstance(value, (int, Fraction)) else f"{value:.4g}"
