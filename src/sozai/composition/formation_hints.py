"""What speaks for and against a formula that nobody has made: neutral charges, electronegativities."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sozai.composition.charge_balance import assign_states, nearest_charge, preferred_states
from sozai.composition.elements import oxidation_states
from sozai.composition.formula import parse_formula
from sozai.composition.symbols import ELECTRONEGATIVITY, ELEMENTS
from sozai.contracts.errors import InputError, sentence

__all__ = ["FormationHints"]

#: A formula that holds none of these is an alloy, of which charges say nothing.
_ANION_FORMERS = frozenset(["H", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Ge", "As", "Se", "Br", "Te", "I"])
#: Elements whose second state is seen only in a few reduced halides and metallic compounds.
_ONE_STATE = frozenset(["Sc", "Y", "La", "Nd", "Pm", "Gd", "Dy", "Ho", "Er", "Tm", "Lu", "Zr", "Hf"])


@dataclass(frozen=True, eq=False)
class FormationHints:
    """Oxidation states and electronegativities of the elements that may occur.

    Attributes
    ----------
    states : dict of str to tuple of int
        Common oxidation states, the preferred first.

    Examples
    --------
    >>> hints = FormationHints.of(["Na", "Cl", "Fe", "O", "Al", "Ni"])
    >>> hints.frame(["NaCl", "NaCl2", "Fe3O4", "NiAl"])["hint"].tolist()[0]
    'neutral with Na +1, Cl -1'
    >>> hints.frame(["NaCl", "NaCl2", "Fe3O4", "NiAl"])["neutral"].tolist()
    [True, False, True, None]
    """

    states: dict[str, tuple[int, ...]]

    @classmethod
    def of(cls, elements: Sequence[str]) -> FormationHints:
        """Look up the common states of some elements."""
        common = oxidation_states("common")
        states = {name: preferred_states(name, common.get(name, ())) for name in elements}
        return cls({name: has[:1] if name in _ONE_STATE else has for name, has in states.items()})

    def is_neutral(self, formula: str) -> bool:
        """Whether common oxidation states can cancel, those of one element split if need be."""
        return self._assigned(formula) is not None

    def filter(self, charge_balance: bool | str) -> Callable[[str], bool]:
        """Test that a formula must pass.

        Parameters
        ----------
        charge_balance : bool or "auto"
            ``"auto"`` lets alloys pass.

        Returns
        -------
        callable
            Takes a formula; remembers its answers.

        Raises
        ------
        InputError
            For another word.
        """
        if charge_balance not in (True, False, "auto"):
            raise InputError(
                sentence(
                    "design_formulas", "charge_balance", "be True, False or 'auto'", charge_balance,
                    remedy="Leave it out for 'auto'.",
                )
            )  # fmt: skip

        @functools.cache
        def passes(formula: str) -> bool:
            if charge_balance is False or (charge_balance == "auto" and _is_alloy(formula)):
                return True
            return self.is_neutral(formula)

        return passes

    def frame(self, formulas: Sequence[str]) -> pd.DataFrame:
        """Hints for some formulas.

        Parameters
        ----------
        formulas : sequence of str
            With whole numbers.

        Returns
        -------
        DataFrame
            ``neutral`` (None for alloys), ``oxidation_states`` and ``hint``, a sentence.
        """
        rows = [self._row(formula) for formula in formulas]
        return pd.DataFrame(rows, columns=["neutral", "oxidation_states", "hint"], dtype=object)

    def _row(self, formula: str) -> tuple[bool | None, str, str]:
        amounts = parse_formula(formula).amounts
        if _is_alloy(formula):
            return None, "", "an alloy or intermetallic: charges say nothing about it"
        if len(amounts) == 1:
            return None, "", "an element, no compound"
        text = self._assigned(formula)
        if text is not None:
            return True, text, f"neutral with {text}"
        names = list(amounts)
        counts = [round(n) for n in amounts.values()]
        charge = nearest_charge(
            counts, [self.states.get(name, ()) for name in names], mixed_valence=True, ranks=_ranks(names)
        )
        if charge is None:
            return False, "", "no common oxidation states for all its elements"
        return False, "", f"common oxidation states leave a charge of {charge:+d} at best"

    def _assigned(self, formula: str) -> str | None:
        """Neutral states in words."""
        amounts = parse_formula(formula).amounts
        names, counts = list(amounts), [round(n) for n in amounts.values()]
        states = [self.states.get(name, ()) for name in names]
        if not all(states):
            return None
        chosen = assign_states(counts, states, mixed_valence=True, ranks=_ranks(names))
        if chosen is None or len(names) == 1:
            return None
        return ", ".join(
            f"{name} {q:+d}" + (f" ({n})" if len(choice) > 1 else "")
            for name, choice in zip(names, chosen, strict=True)
            for q, n in choice
        )


def _is_alloy(formula: str) -> bool:
    """No element that forms anions."""
    return not _ANION_FORMERS & set(parse_formula(formula).amounts)


def _ranks(names: Sequence[str]) -> list[int]:
    """Order of electronegativity; cations must rank below anions (Pauling)."""
    values = np.array([ELECTRONEGATIVITY[ELEMENTS.index(name)] for name in names], dtype=np.float64)
    values = np.where(np.isnan(values), 0.0, values)
    return [int(rank) for rank in np.unique(values, return_inverse=True)[1]]
