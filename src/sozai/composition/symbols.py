"""The 118 element symbols, their order in a written formula, and their atomic weights."""

from __future__ import annotations

import math

__all__ = ["ATOMIC_WEIGHTS", "CODES", "ELECTRONEGATIVITY", "ELEMENTS", "FORMULA_RANK", "ISOTOPES", "SYMBOLS"]

#: Symbols of the elements by atomic number, hydrogen first.
ELEMENTS: tuple[str, ...] = (
    *("H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar"),
    *(
        "K",
        "Ca",
        "Sc",
        "Ti",
        "V",
        "Cr",
        "Mn",
        "Fe",
        "Co",
        "Ni",
        "Cu",
        "Zn",
        "Ga",
        "Ge",
        "As",
        "Se",
        "Br",
        "Kr",
    ),
    *(
        "Rb",
        "Sr",
        "Y",
        "Zr",
        "Nb",
        "Mo",
        "Tc",
        "Ru",
        "Rh",
        "Pd",
        "Ag",
        "Cd",
        "In",
        "Sn",
        "Sb",
        "Te",
        "I",
        "Xe",
    ),
    *("Cs", "Ba", "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu"),
    *("Hf", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn"),
    *("Fr", "Ra", "Ac", "Th", "Pa", "U", "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es", "Fm", "Md", "No", "Lr"),
    *("Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc", "Lv", "Ts", "Og"),
)

#: Symbols of isotopes with a name of their own.
ISOTOPES: tuple[str, ...] = ("D", "T")

#: Everything a formula may name: the elements, then the isotopes.
SYMBOLS: tuple[str, ...] = ELEMENTS + ISOTOPES

#: Position of every symbol in ``SYMBOLS``.
CODES: dict[str, int] = {symbol: code for code, symbol in enumerate(SYMBOLS)}

_NONE = math.nan

#: Pauling's electronegativity by atomic number; NaN for helium, neon, argon and the elements from 104 on.
ELECTRONEGATIVITY: tuple[float, ...] = (
    *(2.20, _NONE, 0.98, 1.57, 2.04, 2.55, 3.04, 3.44, 3.98, _NONE),
    *(0.93, 1.31, 1.61, 1.90, 2.19, 2.58, 3.16, _NONE, 0.82, 1.00),
    *(1.36, 1.54, 1.63, 1.66, 1.55, 1.83, 1.88, 1.91, 1.90, 1.65),
    *(1.81, 2.01, 2.18, 2.55, 2.96, 3.00, 0.82, 0.95, 1.22, 1.33),
    *(1.6, 2.16, 1.9, 2.2, 2.28, 2.20, 1.93, 1.69, 1.78, 1.96),
    *(2.05, 2.1, 2.66, 2.60, 0.79, 0.89, 1.10, 1.12, 1.13, 1.14),
    *(1.13, 1.17, 1.2, 1.20, 1.1, 1.22, 1.23, 1.24, 1.25, 1.1),
    *(1.27, 1.3, 1.5, 2.36, 1.9, 2.2, 2.20, 2.28, 2.54, 2.00),
    *(1.62, 2.33, 2.02, 2.0, 2.2, 2.2, 0.7, 0.9, 1.1, 1.3),
    *(1.5, 1.38, 1.36, 1.28, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3),
    *(1.3, 1.3, 1.3, *(_NONE,) * 15),
)


def _place(code: int) -> tuple[float, int]:
    """Electronegativity and number; without a value, first (from 104 on) or last (He, Ne, Ar)."""
    value = (*ELECTRONEGATIVITY, 2.20, 2.20)[code]
    return (9.0 if code < 103 else 0.0) if math.isnan(value) else value, code


_WRITTEN = sorted(range(len(SYMBOLS)), key=_place)

#: Place of every symbol in a written formula: least electronegative first, ties by atomic number; D, T as H.
FORMULA_RANK: tuple[int, ...] = tuple(_WRITTEN.index(code) for code in range(len(SYMBOLS)))

#: Atomic weights: IUPAC's abridged standard values (2021), mass numbers of the longest-lived isotope where
#: there is none; then D and T.
ATOMIC_WEIGHTS: tuple[float, ...] = (
    *(1.008, 4.0026, 6.94, 9.0122, 10.81, 12.011, 14.007, 15.999, 18.998, 20.180),
    *(22.990, 24.305, 26.982, 28.085, 30.974, 32.06, 35.45, 39.95, 39.098, 40.078),
    *(44.956, 47.867, 50.942, 51.996, 54.938, 55.845, 58.933, 58.693, 63.546, 65.38),
    *(69.723, 72.630, 74.922, 78.971, 79.904, 83.798, 85.468, 87.62, 88.906, 91.224),
    *(92.906, 95.95, 97.0, 101.07, 102.91, 106.42, 107.87, 112.41, 114.82, 118.71),
    *(121.76, 127.60, 126.90, 131.29, 132.91, 137.33, 138.91, 140.12, 140.91, 144.24),
    *(145.0, 150.36, 151.96, 157.25, 158.93, 162.50, 164.93, 167.26, 168.93, 173.05),
    *(174.97, 178.49, 180.95, 183.84, 186.21, 190.23, 192.22, 195.08, 196.97, 200.59),
    *(204.38, 207.2, 208.98, 209.0, 210.0, 222.0, 223.0, 226.0, 227.0, 232.04),
    *(231.04, 238.03, 237.0, 244.0, 243.0, 247.0, 247.0, 251.0, 252.0, 257.0),
    *(258.0, 259.0, 266.0, 267.0, 268.0, 269.0, 270.0, 269.0, 278.0, 281.0),
    *(282.0, 285.0, 286.0, 289.0, 290.0, 293.0, 294.0, 294.0),
    *(2.014, 3.016),
)
