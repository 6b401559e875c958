"""A linear model written as one formula, with just the digits that matter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.symbolic.formulas.expressions import Expression
from sozai.symbolic.formulas.grammar import parse_expression
from sozai.symbolic.formulas.rendering import LATEX, TEXT, render

__all__ = ["LinearFormula", "render_formula", "simple_fraction"]

_MOST_DIGITS = 17
_PLAIN_DIGITS = 6
_LARGEST_DENOMINATOR = 12
_CHANCE = 0.05


@dataclass(frozen=True)
class LinearFormula:
    """A linear model as text.

    Attributes
    ----------
    text : str
        Parses with :func:`sozai.symbolic.operations.parse_expression`.
    latex : str
        LaTeX source, for math mode.
    coefficients, intercept : tuple of Fraction, Fraction
        The numbers as written.
    digits : int
        Significant digits used.
    snapped : tuple of bool
        Which coefficients were replaced by simple fractions; the intercept is last.

    Examples
    --------
    >>> law = render_formula(["base*height"], [0.4998], digits=2)
    >>> law.text, law.digits, law.snapped
    ('0.5*base*height', 2, (False, False))
    """

    text: str
    latex: str
    coefficients: tuple[Fraction, ...]
    intercept: Fraction
    digits: int
    snapped: tuple[bool, ...]

    def __str__(self) -> str:
        return self.text


def render_formula(
    expressions: Sequence[Expression | str],
    coefficients: Sequence[float],
    intercept: float = 0.0,
    *,
    digits: int | str = "auto",
    design: Any = None,
    rmse: float | None = None,
    standard_errors: Sequence[float] | None = None,
    intercept_standard_error: float | None = None,
    snap: bool = True,
) -> LinearFormula:
    r"""Write :math:`b_0 + \sum_j \beta_j x_j` with as few digits as the data allow.

    Parameters
    ----------
    expressions : sequence of Expression or str
        Terms :math:`x_j`; text is parsed.
    coefficients : sequence of float
        :math:`\beta_j`.
    intercept : float, default=0
        :math:`b_0`; 0 is left out.
    digits : int or "auto", default="auto"
        Significant digits. ``"auto"``: the fewest for which the predictions on
        ``design`` move by less than a thousandth of ``rmse``.
    design : array-like of shape (n_samples, n_terms), optional
        Values of the terms, needed by ``"auto"``; six digits without it.
    rmse : float, optional
        Root mean squared residual of the model.
    standard_errors : sequence of float, optional
        Of the coefficients; without them nothing is snapped.
    intercept_standard_error : float, optional
        Of the intercept.
    snap : bool, default=True
        Replace a coefficient by a fraction p/q, q up to 12, within two standard
        errors, where a random number would be as near with at most 5 %
        probability.

    Returns
    -------
    LinearFormula

    Examples
    --------
    >>> law = render_formula(["base*height"], [0.4998], standard_errors=[3e-4])
    >>> law.text, law.latex
    ('0.5*base*height', '\\frac{1}{2}\\,\\mathrm{base}\\,\\mathrm{height}')
    >>> str(render_formula(["1/S", "D/S"], [6.9382, -4.8812], -0.1893, digits=3))
    '6.94/S - 4.88*D/S - 0.189'
    """
    terms = [term if isinstance(term, Expression) else parse_expression(term) for term in expressions]
    values = np.array([*coefficients, intercept], dtype=np.float64)
    _check(terms, values, digits)
    exact = [_snapped(value, error) for value, error in zip(
        values, _errors(values, standard_errors, intercept_standard_error), strict=True
    )] if snap else [None] * values.size  # fmt: skip
    chosen = int(digits) if digits != "auto" else _fewest_digits(values, exact, design, rmse)
    numbers = _rounded(values, exact, chosen)
    parts = []
    for term, number in zip(terms, numbers[:-1], strict=True):
        if number:
            parts.append((number, term))
    return LinearFormula(
        _written(TEXT, parts, numbers[-1]),
        _written(LATEX, parts, numbers[-1]),
        tuple(numbers[:-1]),
        numbers[-1],
        chosen,
        tuple(fraction is not None for fraction in exact),
    )


def simple_fraction(value: float, standard_error: float) -> Fraction | None:
    r"""Simplest fraction within two standard errors, if that is no coincidence.

    Parameters
    ----------
    value, standard_error : float

    Returns
    -------
    Fraction or None

    Notes
    -----
    Fractions with denominators up to q lie :math:`\sum_{k \le q} \varphi(k)`
    to the unit, so a random number is within :math:`2\,se` of one with
    probability :math:`4\,se \sum \varphi(k)`; accepted up to 5 %.

    Examples
    --------
    >>> simple_fraction(0.4998, 0.0003), simple_fraction(0.48, 0.05)
    (Fraction(1, 2), None)
    """
    if (
        not (math.isfinite(value) and standard_error >= 0 and math.isfinite(standard_error))
        or abs(value) > 1e6
    ):
        return None
    reach = 2 * standard_error + 4 * np.finfo(float).eps * abs(value)
    density = 0
    for denominator in range(1, _LARGEST_DENOMINATOR + 1):
        density += sum(math.gcd(k, denominator) == 1 for k in range(1, denominator + 1))
        if 2 * reach * density > _CHANCE:
            return None
        numerator = round(value * denominator)
        if numerator and abs(value - numerator / denominator) <= reach:
            return Fraction(numerator, denominator)
    return None


def _errors(
    values: np.ndarray, standard_errors: Sequence[float] | None, intercept_standard_error: float | None
) -> list[float]:
    """Standard error of every number; NaN where not known."""
    n_terms = values.size - 1
    known = [math.nan] * n_terms if standard_errors is None else [float(error) for error in standard_errors]
    return [*known, math.nan if intercept_standard_error is None else float(intercept_standard_error)]


def _snapped(value: float, error: float) -> Fraction | None:
    """Simple fraction, or None."""
    return None if value == 0 or math.isnan(error) else simple_fraction(float(value), error)


def _rounded(values: np.ndarray, exact: Sequence[Fraction | None], digits: int) -> list[Fraction]:
    """Numbers as written."""
    return [
        Fraction(f"{value:.{digits - 1}e}") if fraction is None else fraction
        for value, fraction in zip(values.tolist(), exact, strict=True)
    ]


def _fewest_digits(
    values: np.ndarray, exact: Sequence[Fraction | None], design: Any, rmse: float | None
) -> int:
    """Fewest digits that move the predictions by less than a thousandth of the residual."""
    if design is None or rmse is None:
        return _PLAIN_DIGITS
    design = np.asarray(design, dtype=np.float64).reshape(len(design), values.size - 1)
    design = np.column_stack([design, np.ones(len(design))])
    target = np.array([float(f) if f is not None else v for v, f in zip(values, exact, strict=True)])
    floor = 1e-12 * float(np.sqrt(np.mean((design @ target) ** 2))) if len(design) else 0.0
    limit = max(1e-3 * float(rmse), floor)
    for digits in range(1, _MOST_DIGITS):
        change = design @ (np.array([float(number) for number in _rounded(values, exact, digits)]) - target)
        if np.sqrt(np.mean(change**2)) < limit or not change.any():
            return digits
    return _MOST_DIGITS


def _written(style: Any, parts: Sequence[tuple[Fraction, Expression]], intercept: Fraction) -> str:
    """Sum of the terms in the order given, the intercept last."""
    terms: list[Any] = [(number, render(term.store, [term.id], style)[term.id]) for number, term in parts]
    if intercept or not terms:
        terms.append((intercept, None))
    return style.sum(terms)


def _check(terms: Sequence[Expression], values: np.ndarray, digits: int | str) -> None:
    """One finite coefficient per term, digits a count or "auto"."""
    if values.size != len(terms) + 1:
        raise InputError(
            sentence(
                "render_formula",
                "coefficients",
                f"have one number per term ({len(terms)})",
                values.size - 1,
                remedy="Check that both come from one model.",
            )
        )
    if not np.isfinite(values).all():
        raise InputError(
            sentence(
                "render_formula",
                "coefficients and intercept",
                "be finite",
                values.tolist(),
                remedy="Check the fit for dependent columns.",
            )
        )
    if digits != "auto" and not (isinstance(digits, (int, np.integer)) and 1 <= digits <= _MOST_DIGITS):
        raise InputError(
            sentence(
                "render_formula", "digits", f"be 'auto' or 1...{_MOST_DIGITS}", digits, remedy="Leave it out."
            )
        )
