"""How names and numbers are written in text and in LaTeX."""

from __future__ import annotations

import re
from fractions import Fraction

from sozai.symbolic.formulas.operators import OPERATIONS

__all__ = ["latex_name", "latex_number", "number_text", "quoted"]

_RESERVED = {word for operation in OPERATIONS.values() for word in (operation.name, *operation.aliases)}


def quoted(name: str) -> str:
    """Column name as it is written in a formula: in backticks unless it is a plain identifier."""
    if name.isidentifier() and name not in _RESERVED:
        return name
    return "`" + name.replace("`", "``") + "`"


def number_text(value: Fraction) -> str:
    """Exact text of a rational: a decimal where it ends within 20 digits, else p/q."""
    if value.denominator == 1 and abs(value.numerator) < 10**20:
        return str(value.numerator)
    digits = _decimal_digits(value)
    if digits is None or digits > 400:
        return f"{value.numerator}/{value.denominator}"
    scaled = str(abs(value.numerator) * 10**digits // value.denominator)
    mantissa = scaled.rstrip("0") or "0"
    exponent = len(scaled) - digits  # value = 0.scaled * 10**exponent
    sign = "-" if value < 0 else ""
    if len(mantissa) > 20:
        return f"{value.numerator}/{value.denominator}"
    if -5 < exponent <= 0:
        return f"{sign}0.{'0' * -exponent}{mantissa}"
    if 0 < exponent < len(mantissa):
        return f"{sign}{mantissa[:exponent]}.{mantissa[exponent:]}"
    if 0 < exponent <= 20:
        return f"{sign}{mantissa.ljust(exponent, '0')}"
    fraction = f".{mantissa[1:]}" if len(mantissa) > 1 else ""
    return f"{sign}{mantissa[0]}{fraction}e{exponent - 1}"


def _decimal_digits(value: Fraction) -> int | None:
    """Digits after the point of a decimal that ends; None when it does not."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    return max(twos, fives) if rest == 1 else None


# -- LaTeX names and numbers ----------------------------------------------------------------------

_GREEK = set(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "pi",
        "rho",
        "sigma",
        "tau",
        "upsilon",
        "phi",
        "chi",
        "psi",
        "omega",
        "Gamma",
        "Delta",
        "Theta",
        "Lambda",
        "Xi",
        "Pi",
        "Sigma",
        "Phi",
        "Psi",
        "Omega",
    ]
)
_ESCAPES = {**{sign: "\\" + sign for sign in "_%#&${}"}, "~": r"\sim ", "^": r"\hat{}"}


def latex_name(name: str) -> str:
    r"""Column name in math mode: ``r_A`` gives ``r_{\mathrm{A}}``.

    Examples
    --------
    >>> latex_name("r_A"), latex_name("alpha_1"), latex_name("M_I[0,1]")
    ('r_{\\mathrm{A}}', '\\alpha_{1}', 'M_{\\mathrm{I}}[0,1]')
    """
    stem, slots = re.fullmatch(r"(.*?)((?:\[[\d,\s]+\])?)", name, flags=re.DOTALL).groups()
    base, *indices = [part for part in stem.split("_") if part] or [stem]
    split = re.fullmatch(r"([A-Za-z])(\d+)", base)
    if split and not indices:
        base, indices = split.group(1), [split.group(2)]
    text = rf"\{base}" if base in _GREEK else base if len(base) == 1 and base.isalpha() else _upright(base)
    if indices:
        text += "_{" + ",".join(part if part.isdigit() else _upright(part) for part in indices) + "}"
    return text + slots


def _upright(word: str) -> str:
    """Word in upright letters, special characters escaped."""
    if word in _GREEK:
        return rf"\{word}"
    escaped = "".join(_ESCAPES.get(letter, letter) for letter in word.replace("\\", r"\backslash "))
    command = "mathrm" if escaped.isascii() else "text"
    return rf"\{command}{{{escaped.replace(' ', chr(92) + ' ')}}}"


def latex_number(value: Fraction) -> str:
    """Simple fractions upright, decimals with a power of ten where they need one."""
    if value.denominator in (2, 3, 4, 6, 7, 8, 9, 11, 12) or _decimal_digits(value) is None:
        return rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    text = number_text(value)
    if "e" in text:
        mantissa, exponent = text.split("e")
        return rf"{mantissa} \times 10^{{{int(exponent)}}}"
    return text
