"""Small changes of a formula: a similar element instead, an atom more or less, an element in or out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sozai.composition.formula import parse_formula
from sozai.composition.mean_discrepancy import discrepancies
from sozai.composition.reduced_formula import reduced_formula
from sozai.contracts.errors import InputError, sentence

__all__ = ["Moves"]

#: Elements by which one is replaced.
_SIMILAR = 8


@dataclass(frozen=True, eq=False)
class Moves:
    """What may be changed in a formula.

    Attributes
    ----------
    similar : dict of str to tuple of str
        For every element of the table the allowed elements most like it.
    allowed : tuple of str
    include : tuple of str
    max_elements, max_atoms : int

    Examples
    --------
    >>> moves = Moves({"Na": ("K",), "Cl": ("Br",)}, ("Na", "K", "Cl", "Br"), (), 2, 4)
    >>> sorted(moves.neighbors(["NaCl"]))
    ['Cl', 'KCl', 'Na', 'Na2Cl', 'NaBr', 'NaCl2']
    """

    similar: dict[str, tuple[str, ...]]
    allowed: tuple[str, ...]
    include: tuple[str, ...]
    max_elements: int
    max_atoms: int

    @classmethod
    def of(
        cls,
        descriptor: Any,
        allowed: Sequence[str],
        include: tuple[str, ...],
        max_elements: int,
        max_atoms: int,
    ) -> Moves:
        """Learn which elements are alike from a fitted descriptor.

        Parameters
        ----------
        descriptor : transformer
            With ``components_``; elements are compared as pure materials.
        allowed, include : sequence of str
        max_elements, max_atoms : int

        Returns
        -------
        Moves
        """
        for option, value, least in (
            ("max_elements", max_elements, max(1, len(include))),
            ("max_atoms", max_atoms, max(1, len(include))),
        ):
            if value < least:
                raise InputError(
                    sentence("design_formulas", option, f"be at least {least}", value, remedy="Raise it.")
                )
        components = list(descriptor.components_)
        points = np.asarray(descriptor.transform(components), dtype=np.float64)
        columns = [components.index(name) for name in allowed]
        away = discrepancies(points, points[columns])
        order = np.argsort(away, axis=1, kind="stable")
        similar = {}
        for row, name in enumerate(components):
            near = [allowed[k] for k in order[row] if allowed[k] != name]
            similar[name] = tuple(near[:_SIMILAR])
        return cls(similar, tuple(allowed), include, max_elements, max_atoms)

    def starts(self, formulas: Iterable[str]) -> list[str]:
        """Formulas as they are, what does not fit in them replaced by what is most like it."""
        found: dict[str, None] = {}
        for formula in formulas:
            counts = _counts(formula)
            if counts is None:
                continue
            if not self._fits(counts):
                counts = self._repaired(counts)
            if counts and self._fits(counts):
                found[_name(counts)] = None
        return list(found)

    def neighbors(self, formulas: Iterable[str]) -> list[str]:
        """All formulas one change away, each once."""
        found: dict[str, None] = {}
        for formula in formulas:
            counts = _counts(formula) or {}
            for changed in self._changed(counts):
                if self._fits(changed):
                    found[_name(changed)] = None
        return list(found)

    def fits(self, formula: str) -> bool:
        """Whether a formula keeps all limits."""
        counts = _counts(formula)
        return counts is not None and self._fits(counts)

    def _changed(self, counts: dict[str, int]) -> Iterable[dict[str, int]]:
        """Every single change."""
        for name, count in counts.items():
            rest = {other: n for other, n in counts.items() if other != name}
            for other in self.similar.get(name, ()):
                yield rest | {other: rest.get(other, 0) + count}
            yield rest
            if count > 1:
                yield counts | {name: count - 1}
            yield counts | {name: count + 1}
        if len(counts) < self.max_elements:
            near = dict.fromkeys(other for name in counts for other in self.similar.get(name, ())[:3])
            for other in (*near, *self.include):
                if other not in counts:
                    yield counts | {other: 1}

    def _fits(self, counts: dict[str, int]) -> bool:
        if not counts or len(counts) > self.max_elements:
            return False
        whole = np.gcd.reduce(list(counts.values()))
        return (
            sum(counts.values()) // whole <= self.max_atoms
            and all(name in self.allowed for name in counts)
            and all(name in counts for name in self.include)
        )

    def _repaired(self, counts: dict[str, int]) -> dict[str, int]:
        """Elements that are not allowed replaced, missing ones put for those most like them."""
        changed: dict[str, int] = {}
        for name, count in counts.items():
            other = name if name in self.allowed else next(iter(self.similar.get(name, ())), None)
            if other is not None:
                changed[other] = changed.get(other, 0) + count
        for name in self.include:
            if name in changed or not changed:
                continue
            free = [other for other in changed if other not in self.include]
            like = [other for other in self.similar.get(name, ()) if other in free]
            if free and (like or len(changed) >= self.max_elements):
                out = like[0] if like else free[-1]
                changed[name] = changed.pop(out)
            else:
                changed[name] = 1
        return changed


def _counts(formula: str) -> dict[str, int] | None:
    """Whole numbers of atoms, None where there are none."""
    amounts = parse_formula(formula).amounts
    if any(abs(n - round(n)) > 1e-9 for n in amounts.values()):
        return None
    return {name: round(n) for name, n in amounts.items()}


def _name(counts: dict[str, int]) -> str:
    """Reduced formula."""
    total = sum(counts.values())
    return reduced_formula(list(counts), [n / total for n in counts.values()], float(total))
