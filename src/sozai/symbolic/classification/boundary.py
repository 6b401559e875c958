"""Boundaries between classes in the space of a few terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sozai.symbolic.classification.classes import Classes
from sozai.symbolic.classification.cut_rule import CutRule, best_rule
from sozai.symbolic.classification.logistic import fit_logistic, standardized
from sozai.symbolic.formulas.expression import Expression
from sozai.symbolic.formulas.linear_formula import render_formula

__all__ = ["CutBoundary", "LinearBoundary", "fit_boundary"]


@dataclass(frozen=True, eq=False, repr=False)
class CutBoundary:
    """One term cut into pieces.

    Attributes
    ----------
    rule : CutRule
    n_classes : int
    scale : float
        Standard deviation of the term over the training rows.

    Examples
    --------
    >>> classes = Classes.of(["a", "a", "b", "b"])
    >>> boundary = fit_boundary("cut", np.array([[1.0, 2.0, 3.0, 4.0]]), classes)
    >>> boundary.margins(np.array([[2.4, 2.6]])).round(3).tolist()
    [[0.089, -0.089], [-0.089, 0.089]]
    """

    rule: CutRule
    n_classes: int
    scale: float

    def margins(self, values: np.ndarray) -> np.ndarray:
        """How far inside every class the rows are, in standard deviations; (n_terms, n) -> (n, n_classes).

        The largest of a row is the class. NaN where the term is not defined.
        """
        inside = self.rule.distances(values[0], self.n_classes) / self.scale
        if not self.rule.cuts:
            inside = np.where(np.isposinf(inside), 1.0, inside)
        lowest = np.min(inside, axis=1, where=np.isfinite(inside), initial=0.0) - 1.0
        inside = np.where(np.isneginf(inside), lowest[:, None], inside)
        inside[np.isnan(values[0])] = np.nan
        return inside

    def formula(self, terms: Sequence[Expression]) -> tuple[str, str]:
        """Text and LaTeX of what is cut."""
        return str(terms[0]), terms[0].to_latex()

    def text(self, terms: Sequence[Expression], labels: Any) -> str:
        """Say the rule in words."""
        return self.rule.text(self.formula(terms)[0], labels)


@dataclass(frozen=True, eq=False, repr=False)
class LinearBoundary:
    """Log-odds (or distances to planes) linear in the terms; without terms those of the class frequencies.

    Attributes
    ----------
    coefficients : ndarray of shape (n_odds, n_terms)
        In the units of the terms; one row for two classes, else one a class.
    intercepts : ndarray of shape (n_odds,)
    design : ndarray of shape (n_terms, n_samples)
        Terms of the training rows; they fix the digits of the formula.

    Examples
    --------
    >>> classes = Classes.of(["a", "a", "b", "b"])
    >>> boundary = fit_boundary("logistic", np.array([[1.0, 2.0, 3.0, 4.0]]), classes)
    >>> boundary.margins(np.array([[1.5, 3.5]])).argmax(axis=1).tolist()
    [0, 1]
    """

    coefficients: np.ndarray
    intercepts: np.ndarray
    design: np.ndarray

    def margins(self, values: np.ndarray) -> np.ndarray:
        """Score of every class, (n_terms, n) -> (n, n_classes); the largest of a row is the class."""
        odds = values.T @ self.coefficients.T + self.intercepts
        return np.column_stack([-odds[:, 0] / 2, odds[:, 0] / 2]) if odds.shape[1] == 1 else odds

    def formula(self, terms: Sequence[Expression]) -> tuple[str, str]:
        """Text and LaTeX of the log-odds; of every class where there are more than two."""
        written = [
            render_formula(terms, row, intercept, design=self.design.T, rmse=1.0, snap=False)
            for row, intercept in zip(self.coefficients, self.intercepts, strict=True)
        ]
        return "; ".join(law.text for law in written), r",\quad ".join(law.latex for law in written)

    def text(self, terms: Sequence[Expression], labels: Any) -> str:
        """Say the rule in words."""
        if not terms:
            return f"always {labels[int(self.margins(self.design[:, :1]).argmax())]}"
        parts = self.formula(terms)[0].split("; ")
        if len(parts) == 1:
            return f"{labels[1]} if {parts[0]} > 0, else {labels[0]}"
        return "the largest of " + ", ".join(
            f"{label}: {part}" for label, part in zip(labels, parts, strict=True)
        )


def fit_boundary(
    kind: str, values: np.ndarray, classes: Classes, *, interval: bool = False, rounded: bool = True
) -> Any:
    """Fit a boundary in the space of some terms.

    Parameters
    ----------
    kind : {"auto", "cut", "logistic", "svm"}
        ``"auto"`` cuts one term and uses logistic regression for more;
        ``"svm"`` is a linear support vector machine with squared hinge loss on
        standardized terms.
    values : ndarray of shape (n_terms, n_samples)
    classes : Classes
    interval : bool, default=False
        Allow two cuts.
    rounded : bool, default=True
        Write cuts with few digits.

    Returns
    -------
    CutBoundary or LinearBoundary
    """
    n_odds = 1 if len(classes) == 2 else len(classes)
    if not len(values):
        odds = np.log(classes.sizes / classes.sizes[0])
        return LinearBoundary(np.empty((n_odds, 0)), odds[-n_odds:].copy(), values)
    if kind == "cut" or (kind == "auto" and len(values) == 1):
        rule = best_rule(values[0], classes, interval=interval, rounded=rounded)
        return CutBoundary(rule, len(classes), float(np.std(values[0])) or 1.0)
    if kind == "svm":
        return _support_vectors(values, classes)
    model = fit_logistic(values, classes)
    if len(classes) == 2:
        return LinearBoundary(np.ascontiguousarray(model.coefficients), model.intercepts, values)
    coefficients = np.vstack([np.zeros((1, len(values))), model.coefficients])
    intercepts = np.r_[0.0, model.intercepts]
    coefficients, intercepts = coefficients - coefficients.mean(axis=0), intercepts - intercepts.mean()
    return LinearBoundary(coefficients, intercepts, values)


def _support_vectors(values: np.ndarray, classes: Classes) -> LinearBoundary:
    """Linear support vector machine on standardized terms."""
    from sklearn.svm import LinearSVC

    rows = standardized(values)
    machine = LinearSVC(dual=False, tol=1e-8, max_iter=10_000).fit(rows.T, classes.codes)
    scale, center = values.std(axis=1), values.mean(axis=1)
    scale = np.where(scale > 0, scale, 1.0)
    coefficients = np.ascontiguousarray(machine.coef_ / scale)
    return LinearBoundary(coefficients, machine.intercept_ - coefficients @ center, values)
