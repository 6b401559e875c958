"""One relation: who depends on whom, how exactly, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from sozai.symbolic.subspaces import combination

__all__ = ["Relation"]


@dataclass(frozen=True)
class Relation:
    """One column as a combination of others.

    Attributes
    ----------
    dependent : str
        The column on the left.
    basis : tuple of str
        The columns on the right, none for a column that is zero.
    coefficients : tuple of float
        In original units, one per basis column.
    relative_residual : float
        ‖x − Σ B x_basis‖/‖x‖.
    kind : str
        ``"exact"``, ``"near"`` (an approximation), or ``"undecidable"``: double
        precision cannot tell.
    holds : str
        ``"always"`` for an identity, ``"numerically always"``, or
        ``"in this sample"`` for a coincidence that the next row may break.
    fractions : tuple of Fraction or None
        The coefficients where they are known exactly.

    Examples
    --------
    >>> Relation("c", ("a", "b"), (1.0, -0.5), 0.0, "exact", "always")
    c = a - 0.5 b  (exact, always)
    """

    dependent: str
    basis: tuple[str, ...]
    coefficients: tuple[float, ...]
    relative_residual: float
    kind: str
    holds: str
    fractions: tuple[Fraction, ...] | None = None

    @property
    def equation(self):
        """The relation as text."""
        sign = "≈" if self.kind == "near" else "="
        return f"{self.dependent} {sign} {combination(self.basis, self.coefficients)}"

    def __repr__(self):
        """One line: equation, kind, validity."""
        return f"{self.equation}  ({self.kind}, {self.holds})"
