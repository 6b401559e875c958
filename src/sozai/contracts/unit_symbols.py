"""The symbols materials people write for units, each with its exact size in SI."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

__all__ = ["ALIASES", "BASE_DIMENSIONS", "PREFIXES", "REFUSED", "SYMBOLS", "Symbol"]

Exponents = dict[str, Fraction | int]

BASE_DIMENSIONS = ("length", "mass", "time", "current", "temperature", "amount", "luminosity")

PREFIXES: dict[str, Fraction] = {
    **{name: Fraction(10) ** power for name, power in zip("TGMkh", (12, 9, 6, 3, 2), strict=True)},
    **{
        name: Fraction(10) ** power
        for name, power in zip("dcmunpfa", (-1, -2, -3, -6, -9, -12, -15, -18), strict=True)
    },
    "μ": Fraction(1, 10**6),
}

_COMMON = "TGMkmμunpf"


class Symbol(NamedTuple):
    """One unit symbol: exact scale to SI, exponents, prefixes it takes, offset, and what it counts."""

    scale: Fraction
    exponents: Exponents
    prefixes: str = ""
    offset: Fraction = Fraction(0)
    counts: str = ""


def _power(length: int = 0, mass: int = 0, time: int = 0, current: int = 0) -> Exponents:
    """Exponents of a mechanical or electrical unit, zeros left out."""
    given = {"length": length, "mass": mass, "time": time, "current": current}
    return {name: exponent for name, exponent in given.items() if exponent}


_LENGTH, _MASS, _TIME, _CURRENT = _power(1), _power(0, 1), _power(0, 0, 1), _power(0, 0, 0, 1)
_FORCE, _ENERGY, _WATT = _power(1, 1, -2), _power(2, 1, -2), _power(2, 1, -3)
_PRESSURE, _FREQUENCY, _CHARGE = _power(-1, 1, -2), _power(0, 0, -1), _power(0, 0, 1, 1)
_VOLTAGE, _OHM, _MOMENT = _power(2, 1, -3, -1), _power(2, 1, -3, -2), _power(2, 0, 0, 1)
_TESLA, _VOLUME = _power(0, 1, -2, -1), _power(3)

# CODATA 2018; pi as its closest double.
_PI = Fraction(math.pi)
_E = Fraction("1.602176634e-19")
_HARTREE = Fraction("4.3597447222071e-18")
_RYDBERG = Fraction("2.1798723611035e-18")
_BOHR = Fraction("5.29177210903e-11")
_DALTON = Fraction("1.66053906660e-27")
_BOHR_MAGNETON = Fraction("9.2740100783e-24")
_BOLTZMANN = Fraction("1.380649e-23")
_GRAVITY = Fraction("9.80665")
_POUND, _INCH = Fraction("0.45359237"), Fraction("0.0254")
_OERSTED = Fraction(1000) / (4 * _PI)
_ONE, _THOUSAND, _PERCENT = Fraction(1), Fraction(1000), Fraction(1, 100)
_ATMOSPHERE = Fraction(101325)

SYMBOLS: dict[str, Symbol] = {
    # length, area, volume
    "m": Symbol(_ONE, _LENGTH, "kdcmμunpfa"),
    "Å": Symbol(Fraction(1, 10**10), _LENGTH),
    "bohr": Symbol(_BOHR, _LENGTH),
    "inch": Symbol(_INCH, _LENGTH),
    "au": Symbol(Fraction(149597870700), _LENGTH),
    "L": Symbol(Fraction(1, 1000), _VOLUME, "kdcmμunp"),
    # mass, time, temperature, amount, light
    "g": Symbol(Fraction(1, 1000), _MASS, "Mkmμunpf"),
    "u": Symbol(_DALTON, _MASS),
    "Da": Symbol(_DALTON, _MASS, "kM"),
    "tonne": Symbol(_THOUSAND, _MASS),
    "s": Symbol(_ONE, _TIME, "kmμunpfa"),
    "min": Symbol(Fraction(60), _TIME),
    "h": Symbol(Fraction(3600), _TIME),
    "d": Symbol(Fraction(86400), _TIME),
    "yr": Symbol(Fraction(31557600), _TIME),
    "K": Symbol(_ONE, {"temperature": 1}, "kmμun"),
    "°C": Symbol(_ONE, {"temperature": 1}, offset=Fraction("273.15")),
    "°F": Symbol(Fraction(5, 9), {"temperature": 1}, offset=Fraction("459.67") * Fraction(5, 9)),
    "Δ°C": Symbol(_ONE, {"temperature": 1}),
    "mol": Symbol(_ONE, {"amount": 1}, "kmμunp"),
    "cd": Symbol(_ONE, {"luminosity": 1}, "m"),
    "lm": Symbol(_ONE, {"luminosity": 1}, "km"),
    "lx": Symbol(_ONE, {"luminosity": 1, "length": -2}, "km"),
    "M": Symbol(_THOUSAND, {"amount": 1, "length": -3}, "mμunp"),
    # force, pressure, energy, power
    "N": Symbol(_ONE, _FORCE, _COMMON),
    "dyn": Symbol(Fraction(1, 10**5), _FORCE, "m"),
    "kgf": Symbol(_GRAVITY, _FORCE),
    "gf": Symbol(_GRAVITY / 1000, _FORCE, "m"),
    "Pa": Symbol(_ONE, _PRESSURE, "h" + _COMMON),
    "bar": Symbol(Fraction(10**5), _PRESSURE, "GMkmμu"),
    "atm": Symbol(_ATMOSPHERE, _PRESSURE),
    "Torr": Symbol(_ATMOSPHERE / 760, _PRESSURE, "mμu"),
    "mmHg": Symbol(Fraction("133.322387415"), _PRESSURE),
    "psi": Symbol(_POUND * _GRAVITY / _INCH**2, _PRESSURE, "kM"),
    "ksi": Symbol(1000 * _POUND * _GRAVITY / _INCH**2, _PRESSURE),
    "P": Symbol(Fraction(1, 10), _power(-1, 1, -1), "cm"),
    "St": Symbol(Fraction(1, 10**4), _power(2, 0, -1), "c"),
    "J": Symbol(_ONE, _ENERGY, _COMMON + "a"),
    "erg": Symbol(Fraction(1, 10**7), _ENERGY),
    "cal": Symbol(Fraction("4.184"), _ENERGY, "Mkm"),
    "eV": Symbol(_E, _ENERGY, _COMMON),
    "Ry": Symbol(_RYDBERG, _ENERGY, "m"),
    "Ha": Symbol(_HARTREE, _ENERGY, "mμu"),
    "Wh": Symbol(Fraction(3600), _ENERGY, "TGMkm"),
    "W": Symbol(_ONE, _WATT, _COMMON),
    "kB": Symbol(_BOLTZMANN, {**_ENERGY, "temperature": -1}),
    # frequency, angle
    "Hz": Symbol(_ONE, _FREQUENCY, "TGMkmμun"),
    "Bq": Symbol(_ONE, _FREQUENCY, "TGMk"),
    "rpm": Symbol(Fraction(1, 60), _FREQUENCY, counts="revolution"),
    "rad": Symbol(_ONE, {}, "mμun"),
    "sr": Symbol(_ONE, {}),
    "°": Symbol(_PI / 180, {}),
    "deg": Symbol(_PI / 180, {}, "m"),
    "arcmin": Symbol(_PI / 10800, {}),
    "arcsec": Symbol(_PI / 648000, {}),
    # electricity
    "A": Symbol(_ONE, _CURRENT, _COMMON),
    "C": Symbol(_ONE, _CHARGE, "kmμunpf"),
    "Ah": Symbol(Fraction(3600), _CHARGE, "kmμu"),
    "V": Symbol(_ONE, _VOLTAGE, _COMMON),
    "Ω": Symbol(_ONE, _OHM, _COMMON),
    "S": Symbol(_ONE, _power(-2, -1, 3, 2), "kmμunp"),
    "F": Symbol(_ONE, _power(-2, -1, 4, 2), "kmμunpfa"),
    "H": Symbol(_ONE, _power(2, 1, -2, -2), "mμun"),
    "D": Symbol(Fraction(1, 10**21) / 299792458, _power(1, 0, 1, 1), "m"),
    # magnetism
    "T": Symbol(_ONE, _TESLA, "kmμunpf"),
    "Wb": Symbol(_ONE, _power(2, 1, -2, -1), "mμun"),
    "G": Symbol(Fraction(1, 10**4), _TESLA, "Mkmμun"),
    "Oe": Symbol(_OERSTED, _power(-1, 0, 0, 1), "Mkmμu"),
    "GOe": Symbol(_OERSTED / 10**4, _PRESSURE, "Mk"),
    "emu": Symbol(Fraction(1, 1000), _MOMENT, "kmμun"),
    "μB": Symbol(_BOHR_MAGNETON, _MOMENT, "m"),
    # counts and ratios; what is counted keeps eV/atom and eV/f.u. apart
    "atom": Symbol(_ONE, {}, counts="atom"),
    "fu": Symbol(_ONE, {}, counts="formula unit"),
    "cell": Symbol(_ONE, {}, counts="cell"),
    "site": Symbol(_ONE, {}, counts="site"),
    "ion": Symbol(_ONE, {}, counts="ion"),
    "molecule": Symbol(_ONE, {}, counts="molecule"),
    "count": Symbol(_ONE, {}, counts="count"),
    "sq": Symbol(_ONE, {}, counts="square"),
    "cps": Symbol(_ONE, _FREQUENCY, "kM", counts="count"),
    "%": Symbol(_PERCENT, {}),
    "‰": Symbol(Fraction(1, 1000), {}),
    "ppm": Symbol(Fraction(1, 10**6), {}),
    "ppb": Symbol(Fraction(1, 10**9), {}),
    "wt%": Symbol(_PERCENT, {}, counts="mass fraction"),
    "at%": Symbol(_PERCENT, {}, counts="amount fraction"),
    "mol%": Symbol(_PERCENT, {}, counts="amount fraction"),
    "vol%": Symbol(_PERCENT, {}, counts="volume fraction"),
    "wtppm": Symbol(Fraction(1, 10**6), {}, counts="mass fraction"),
    "atppm": Symbol(Fraction(1, 10**6), {}, counts="amount fraction"),
    "arb": Symbol(_ONE, {"arbitrary": 1}),
}  # fmt: skip

ALIASES: dict[str, str] = {
    "AU": "au",
    **dict.fromkeys(
        ("angstrom", "Angstrom", "ANGSTROM", "angstroms", "Angstroms", "Ang", "ang", "ångström", "Ångström"),
        "Å",
    ),
    **dict.fromkeys(("オングストローム",), "Å"),
    **dict.fromkeys(("meter", "metre"), "m"),
    "micron": "μm",
    **dict.fromkeys(("Bohr", "a_0"), "bohr"),
    **dict.fromkeys(("in",), "inch"),
    **dict.fromkeys(("l", "liter", "litre"), "L"),
    **dict.fromkeys(("ml",), "mL"),
    **dict.fromkeys(("μl", "ul"), "μL"),
    "cc": "cm3",
    **dict.fromkeys(("gram", "grams"), "g"),
    **dict.fromkeys(("amu", "dalton"), "u"),
    **dict.fromkeys(("sec", "second", "seconds", "秒"), "s"),
    **dict.fromkeys(("minute", "minutes", "分"), "min"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours", "時間"), "h"),
    **dict.fromkeys(("day", "days", "日"), "d"),
    **dict.fromkeys(("year", "years", "年"), "yr"),
    **dict.fromkeys(("kelvin", "Kelvin", "ケルビン"), "K"),
    **dict.fromkeys(("degC", "deg_C", "celsius", "Celsius", "degreeC", "摂氏"), "°C"),
    **dict.fromkeys(("degF", "fahrenheit", "Fahrenheit"), "°F"),
    **dict.fromkeys(("delta_degC", "ΔdegC"), "Δ°C"),
    **dict.fromkeys(("mole", "moles", "モル"), "mol"),
    **dict.fromkeys(("torr", "TORR"), "Torr"),
    **dict.fromkeys(("kcals",), "kcal"),
    **dict.fromkeys(("Hartree", "hartree"), "Ha"),
    **dict.fromkeys(("Rydberg", "rydberg"), "Ry"),
    **dict.fromkeys(("k_B",), "kB"),
    **dict.fromkeys(("degree", "degrees", "度"), "°"),
    **dict.fromkeys(("radian", "radians", "ラジアン"), "rad"),
    **dict.fromkeys(("\u2032",), "arcmin"),
    **dict.fromkeys(("ohm", "Ohm", "ohms", "Ohms", "OHM", "オーム"), "Ω"),
    **dict.fromkeys(("mohm", "mOhm"), "mΩ"),
    **dict.fromkeys(("kohm", "kOhm"), "kΩ"),
    **dict.fromkeys(("Mohm", "MOhm"), "MΩ"),
    **dict.fromkeys(("μohm", "μOhm", "uohm", "uOhm"), "μΩ"),
    "debye": "D",
    "Debye": "D",
    **dict.fromkeys(("Gs", "gauss", "Gauss"), "G"),
    **dict.fromkeys(("oersted", "Oersted"), "Oe"),
    **dict.fromkeys(("tesla", "Tesla"), "T"),
    **dict.fromkeys(("mu_B", "muB", "μ_B", "uB", "u_B", "mub", "mu_b"), "μB"),
    **dict.fromkeys(("atoms", "原子", "at"), "atom"),
    **dict.fromkeys(("formula", "f_u", "FU"), "fu"),
    **dict.fromkeys(("unitcell", "cells"), "cell"),
    **dict.fromkeys(("sites",), "site"),
    **dict.fromkeys(("ions",), "ion"),
    **dict.fromkeys(("molecules",), "molecule"),
    **dict.fromkeys(("counts", "cts", "個", "回"), "count"),
    **dict.fromkeys(("square", "□"), "sq"),
    **dict.fromkeys(("percent", "pct", "パーセント"), "%"),
    **dict.fromkeys(("mass%", "質量%", "重量%", "w%"), "wt%"),
    **dict.fromkeys(("atom%", "atomic%", "原子%"), "at%"),
    **dict.fromkeys(("mole%", "モル%"), "mol%"),
    **dict.fromkeys(("volume%", "体積%"), "vol%"),
    **dict.fromkeys(("massppm", "ppmw", "質量ppm", "重量ppm"), "wtppm"),
    **dict.fromkeys(("原子ppm",), "atppm"),
}

# Words that look like units but are scales on which arithmetic means something else, with what to do.
REFUSED: dict[str, str] = {
    "N/A": "N/A says that there is none; write '-' or 'N A^-1' for newton per ampere.",
    "pH": "pH is a logarithmic scale; leave the unit out or give the concentration in mol/L.",
    "dB": "dB is a logarithmic scale; convert to a ratio first.",
    "dBm": "dBm is a logarithmic scale; convert to mW first.",
    "HV": "Vickers hardness is a scale; leave the unit out or convert to GPa.",
    "HRC": "Rockwell hardness is a scale; leave the unit out.",
    "HRB": "Rockwell hardness is a scale; leave the unit out.",
    "HB": "Brinell hardness is a scale; leave the unit out.",
}
