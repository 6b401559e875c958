"""Read the text of a unit: prefixes, powers, slashes and the spellings materials people use."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple, NoReturn

from sozai.contracts.errors import UnitError, sentence
from sozai.contracts.unit_dimensions import (
    AVOGADRO,
    Dimension,
    Unit,
    multiply_dimensions,
    per_particle,
    power_dimension,
)
from sozai.contracts.unit_symbols import ALIASES, PREFIXES, REFUSED, SYMBOLS

__all__ = ["near_units", "parse_unit", "plain"]


def parse_unit(text: str, *, extra: Mapping[str, Unit] | None = None) -> Unit:
    """Read a unit such as ``emu/g``, ``W m^-1 K^-1``, ``MPa m^1/2`` or ``℃``.

    Parameters
    ----------
    text : str
        What stands in the brackets of a header. Full-width and superscript
        characters, both micro signs, ``·``, ``*``, ``/`` and ``per`` are read.
    extra : mapping of str to Unit, optional
        Symbols of your own, looked up first; see :func:`base_unit`.

    Returns
    -------
    Unit

    Raises
    ------
    UnitError
        When a symbol is unknown (near matches are named) or when the text has
        two meanings, e.g. ``S/cm K``.

    Notes
    -----
    ``a/b c`` is read as ``a/(b c)`` where that is a quantity in common use
    (``W/m K``, ``J/mol K``, ``cm2/V s``, ``emu/mol Oe``) and refused otherwise.
    ``A`` is ampere, ``a.u.`` is an arbitrary unit with a dimension of its own.

    Examples
    --------
    >>> parse_unit("emu/g").scale
    1.0
    >>> parse_unit("kJ/mol").dimension == parse_unit("eV").dimension
    True
    """
    return _parse_cached(text) if extra is None else _parse(text, extra)


# --------------------------------------------------------------------------------------------
# Text to tokens
# --------------------------------------------------------------------------------------------

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_PHRASES: tuple[tuple[str, str], ...] = (
    (r"arb(\.|itrary)?\s*(units?|u)\b\.?|(?<![A-Za-z])a\.\s?u\.?|任意単位|任意強度", "arb"),
    (r"(?<![A-Za-z])f\.\s?u\.?|formula units?", "fu"),
    (r"unit cells?", "cell"),
    (r"(?<![A-Za-z])(at|wt|mol|vol|mass|atom|atomic|volume|mole)\.?\s*%", r"\1%"),
    (r"(?<![A-Za-z])(weight)\.?\s*%", "wt%"),
    (r"(?<![A-Za-z])(at|wt|mass)\.?\s*ppm", r"\1ppm"),
    (r"(deg(\.|rees?)?|°)\s?C\b", "°C"),
    (r"(deg(\.|rees?)?|°)\s?F\b", "°F"),
    (r"\b(deg|sq|arb|hr|sec)\.", r"\1"),
    (r"[Bb]ohr magnetons?", "μB"),
    (r"無次元|無単位|dimensionless|unitless", "1"),
    (r"_\((\w+)\)", r"_\1"),
    (r"\bper\b", "/"),
    (r"√\s*([A-Za-zμΩ]+)", r"\1^(1/2)"),
    (r"W\s*/\s*\(?\s*mK\s*\)?$", "W/(m K)"),
)
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d{1,9}(?:\.\d{1,9})?(?:[eE][+-]?\d{1,2}(?!\d))?)"
    r"|(?P<symbol>(?:[^\W\d]|[%‰°□\u2032])(?:[^\W\d]|[%‰°])*)"
    r"|(?P<power>\^\s*)|(?P<times>[·*.]|-(?=[^\W\d]))|(?P<over>/)|(?P<open>\()|(?P<close>\)))"
)
_NUMBER = r"[+-]?\d{1,2}(?:\.\d+)?"
_NO_SYMBOL = r"(?!\s*[^\W\d]|[\d.(])"
_POWER = re.compile(
    rf"\s*\^\s*(?:\(\s*(?P<a>{_NUMBER})\s*(?:/\s*(?P<b>\d+))?\s*\)|(?P<c>{_NUMBER})(?:/(?P<d>\d+){_NO_SYMBOL})?)(?!\d)"
)
_ATTACHED = re.compile(rf"(?P<c>[+-]?\d{{1,2}})(?:/(?P<d>\d+){_NO_SYMBOL})?(?![.\d])")


def plain(text: str) -> str:
    """Give unit text one spelling for full-width letters, signs, superscripts and set phrases."""
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+", lambda run: "^" + run.group().translate(_SUPERSCRIPTS), text)
    text = re.sub("[º˚゜]", "°", text).replace("″", "arcsec").replace("**", "^")
    text = unicodedata.normalize("NFKC", text)
    text = re.sub("[\u2010-\u2014\u2212]|ー(?=\\d)", "-", text)
    text = re.sub("[⋅・•∙×✕]", "·", text)
    text = re.sub("[\u2044\u2215÷]", "/", text).translate(str.maketrans("[{]}", "(())"))
    text = re.sub("[\u200b\ufeff$]", "", text)
    text = re.sub(r"\s+", " ", text).strip()
    for pattern, replacement in _PHRASES:
        text = re.sub(pattern, replacement, text)
    return re.sub(r"^[x·] ?(?=10)", "", text)


class _Size(NamedTuple):
    """A product under construction: exact scale, dimension, what is counted, symbols used."""

    scale: Fraction
    dimension: Dimension = ()
    of: Dimension = ()
    symbols: Dimension = ()
    offset: Fraction = Fraction(0)

    def times(self, other: _Size, sign: int = 1) -> _Size:
        """Product, or quotient with sign -1; offsets vanish in a compound."""
        return _Size(
            self.scale * other.scale if sign == 1 else self.scale / other.scale,
            multiply_dimensions(self.dimension, power_dimension(other.dimension, sign)),
            multiply_dimensions(self.of, power_dimension(other.of, sign)),
            multiply_dimensions(self.symbols, power_dimension(other.symbols, sign)),
        )

    def of_one_particle(self) -> _Size:
        """Energy per particle for an energy per mole; anything else as it is."""
        _, dimension = per_particle(1.0, self.dimension)
        if dimension == self.dimension:
            return self
        return self._replace(scale=self.scale / AVOGADRO, dimension=dimension)

    def power(self, exponent: Fraction) -> _Size:
        """Power; a rational power of the scale is taken in floating point."""
        if exponent == 1:
            return self
        whole = exponent.denominator == 1
        scale = self.scale**exponent.numerator if whole else Fraction(float(self.scale) ** float(exponent))
        dimension, of = power_dimension(self.dimension, exponent), power_dimension(self.of, exponent)
        return _Size(scale, dimension, of, power_dimension(self.symbols, exponent))


class _Factor(NamedTuple):
    size: _Size
    inverse: bool  # carries a written negative exponent


@lru_cache(maxsize=4096)
def _parse_cached(text: str) -> Unit:
    return _parse(text, {})


def _parse(text: str, extra: Mapping[str, Unit]) -> Unit:
    """Make the unit of a text; the one place where a size becomes a Unit."""
    clean = plain(text)
    reference = re.fullmatch(r"(.*?\S)\s+vs\.?\s+(.+)", clean)
    body, of = (
        (reference.group(1), ((f"vs {reference.group(2)}", Fraction(1)),)) if reference else (clean, ())
    )
    if len(body) > 100:
        raise UnitError(sentence("parse_unit", "unit", "have at most 100 characters", text))
    if body == "-":
        return Unit(text.strip(), 1.0, 0.0, ())
    if body in REFUSED:
        raise UnitError(
            sentence("parse_unit", "unit", "be a unit with a size", text, remedy=_capital(REFUSED[body]))
        )
    size = _Parser(text, body, extra).whole()
    _refuse_ampere_for_angstrom(text, size)
    size = size.of_one_particle()
    scale = _floating(text, size.scale)
    return Unit(text.strip(), scale, float(size.offset), size.dimension, multiply_dimensions(size.of, of))


class _Parser:
    """Recursive descent over one unit text of a few characters."""

    def __init__(self, original: str, text: str, extra: Mapping[str, Unit]) -> None:
        self.original, self.text, self.extra, self.place = original, text, extra, 0

    def whole(self) -> _Size:
        """Read the text to its end."""
        if not self.text:
            self.fail("have at least one symbol", remedy="Write '1' or '-' for a number without unit.")
        size = self.product(depth=0)
        if self.place < len(self.text.rstrip()):
            self.fail("be a product of unit symbols", at=f"(stopped at {self.text[self.place :]!r})")
        return size

    def product(self, depth: int) -> _Size:
        """Read ``factor factor/factor ...`` up to a closing bracket."""
        if depth > 8:
            self.fail("have at most 8 nested brackets")
        groups: list[list[_Factor]] = [[]]
        while True:
            kind, match = self.peek()
            if match is None or kind == "close":
                break
            if kind in ("times", "over"):
                self.place = match.end()
                if kind == "over":
                    groups.append([])
                continue
            groups[-1].append(self.factor(depth))
        if not all(groups[1:]) or not any(groups):
            self.fail("have a symbol on both sides of '/'", remedy="Write e.g. '1/K' or 'emu/g'.")
        return self.join(groups)

    def peek(self) -> tuple[str, re.Match[str] | None]:
        """Kind of the next token, empty at the end."""
        match = _TOKEN.match(self.text, self.place)
        if match is None:
            if self.text[self.place :].strip():
                self.fail("be a product of unit symbols", at=f"(stopped at {self.text[self.place :]!r})")
            return "", None
        return str(match.lastgroup), match

    def factor(self, depth: int) -> _Factor:
        """Read a number, a symbol or a bracket, with its power."""
        kind, match = self.peek()
        if match is None or kind == "power":
            self.fail("have a symbol before '^'")
        self.place = match.end()
        if kind == "symbol":
            return self.symbol_factor(match.group("symbol"))
        base = self.number(match.group("number")) if kind == "number" else self.bracket(depth)
        exponent = self.exponent(attached=match.group("number") == "10")
        return _Factor(base.power(exponent), exponent < 0)

    def number(self, digits: str) -> _Size:
        """Read a factor such as the 10 of ``10^-6 emu``."""
        if not float(digits):
            self.fail("not hold the factor 0")
        return _Size(Fraction(digits))

    def bracket(self, depth: int) -> _Size:
        """Read up to the closing bracket."""
        size = self.product(depth + 1).of_one_particle()
        kind, match = self.peek()
        if match is None or kind != "close":
            self.fail("close every bracket it opens")
        self.place = match.end()
        return size

    def symbol_factor(self, name: str) -> _Factor:
        """Read the power behind a symbol; in a glued pair it belongs to the second, as in ``gcm-3``."""
        sizes = self.look_up(name)
        exponent = self.exponent(attached=True)
        size = sizes[-1].power(exponent)
        if len(sizes) == 1:
            return _Factor(size, exponent < 0)
        return _Factor(sizes[0].times(size), False)

    def exponent(self, attached: bool) -> Fraction:
        """Power behind the place reached so far: ``^-1``, ``^(1/2)``, or attached digits."""
        match = _POWER.match(self.text, self.place)
        if match is None and attached:
            match = _ATTACHED.match(self.text, self.place)
        if match is None:
            if self.text.startswith("^", self.place):
                self.fail("have a small number after '^'", remedy="Write e.g. 'm^-1' or 'm^(1/2)'.")
            return Fraction(1)
        self.place = match.end()
        if re.match(r"\s*/\s*\d", self.text[self.place :]):
            self.fail("say where the power ends", remedy="Write e.g. 'm^(1/2)' or 'cm^2/(100 g)'.")
        found = match.groupdict()
        numerator, denominator = found.get("a") or found["c"], found.get("b") or found["d"] or "1"
        if not int(denominator):
            self.fail("not divide by zero in a power")
        return Fraction(numerator) / int(denominator)

    def look_up(self, name: str) -> list[_Size]:
        """Size of one symbol, or of the two symbols of a glued pair such as ``Ωcm``."""
        size = _symbol_size(name, self.extra)
        if size is not None:
            return [size]
        pairs = [
            (name[: -len(tail)], tail) for tail in _GLUED if name.endswith(tail) and len(name) > len(tail)
        ]
        sizes = [(_symbol_size(head, self.extra), _symbol_size(tail, self.extra)) for head, tail in pairs]
        known = [(head, tail) for head, tail in sizes if head is not None and tail is not None]
        if len(known) == 1 and name not in REFUSED:
            return list(known[0])
        near = near_units(name, self.extra)
        hint = f"Did you mean {', '.join(near)}?" if near else "Write SI symbols, e.g. 'emu/g' or 'W/(m K)'."
        self.fail("be made of known symbols", at=f"({name!r} is unknown)", remedy=hint)

    def join(self, groups: list[list[_Factor]]) -> _Size:
        """Product of the groups between slashes; ``a/b c`` only where one reading is in common use."""
        first, *rest = groups
        numerator = _all_times(factor.size for factor in first)
        strict = together = numerator
        doubtful, counted = False, True  # counted: 'kJ/100 g', a number below the slash
        for group in rest:
            strict = strict.times(group[0].size, -1).times(_all_times(factor.size for factor in group[1:]))
            together = together.times(_all_times(factor.size for factor in group), -1)
            doubtful = doubtful or any(not factor.inverse for factor in group[1:])
            counted = counted and not group[0].size.symbols
        if len(groups) == 1 and len(first) == 1:
            return first[0].size
        if not doubtful or strict[:3] == together[:3]:
            return strict
        if counted or per_particle(1.0, together.dimension)[1] in _usual_quotients():
            return together
        self.fail(
            "say what stands below the slash",
            remedy="Write brackets, e.g. 'S/(cm K)' or 'S K/cm'; 'a/b c' has two meanings.",
        )

    def fail(self, requirement: str, *, at: str = "", remedy: str = "") -> NoReturn:
        """Raise the one error of this file."""
        raise UnitError(sentence("parse_unit", "unit", requirement, self.original, at=at, remedy=remedy))


_GLUED = ("K", "m", "cm", "mm", "s", "g", "kg", "mol", "Oe")


def _symbol_size(name: str, extra: Mapping[str, Unit]) -> _Size | None:
    """Exact size of a symbol, with or without prefix; None when unknown."""
    if name in extra:
        unit = extra[name]
        return _Size(
            Fraction(unit.scale), unit.dimension, unit.of, ((name, Fraction(1)),), Fraction(unit.offset)
        )
    name = ALIASES.get(name, name)
    if name == "cm3":
        return _built_in("m", Fraction(1, 100)).power(Fraction(3))
    if name in REFUSED:
        return None
    if name in SYMBOLS:
        return _built_in(name, Fraction(1))
    head, tail = name[:1], name[1:]
    if tail in SYMBOLS and head in SYMBOLS[tail].prefixes and head:
        return _built_in(tail, PREFIXES[head])
    return None


def _built_in(name: str, prefix: Fraction) -> _Size:
    """Size of a symbol of the table times a prefix."""
    symbol = SYMBOLS[name]
    dimension = tuple(sorted((base, Fraction(power)) for base, power in symbol.exponents.items()))
    of = ((symbol.counts, Fraction(1)),) if symbol.counts else ()
    return _Size(symbol.scale * prefix, dimension, of, ((name, Fraction(1)),), symbol.offset)


def near_units(name: str, extra: Mapping[str, Unit] | None = None) -> list[str]:
    """Up to three known symbols that look like ``name``."""
    known = _all_names() + tuple(extra or ())
    same = [candidate for candidate in known if candidate.casefold() == name.casefold()]
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    return list(dict.fromkeys(same + close))[:3]


@lru_cache(maxsize=1)
def _all_names() -> tuple[str, ...]:
    """Every symbol, alias and prefixed symbol."""
    prefixed = [
        prefix + name for name, symbol in SYMBOLS.items() for prefix in symbol.prefixes if prefix != "u"
    ]
    return (*SYMBOLS, *ALIASES, *prefixed)


@lru_cache(maxsize=1)
def _usual_quotients() -> frozenset[Dimension]:
    """Dimensions for which people write ``a/b c`` and mean ``a/(b c)``."""
    spelled = (
        "W/(m K)", "W/(m2 K)", "J/(kg K)", "J/(mol K)", "J/(m3 K)", "V/(m K)", "cm2/(V s)", "emu/(mol Oe)",
        "emu/(g Oe)", "emu/(cm3 Oe)", "mol/(m2 s)", "mol/(L s)", "mol/(kg s)", "kg/(m2 s)", "kg/(m s)",
        "A/(m2 K2)",
    )  # fmt: skip
    return frozenset(parse_unit(text).dimension for text in spelled)


def _refuse_ampere_for_angstrom(text: str, size: _Size) -> None:
    """Powers of ampere that nobody measures, but many write for ångström."""
    symbols = dict(size.symbols)
    power = symbols.get("A")
    if power is None:
        return
    others = set(symbols) - {"A", "atom", "fu", "cell", "site"}
    if (not others and power != 1) or abs(power) == 3 or (power < 0 and others == {"eV"}):
        raise UnitError(
            sentence(
                "parse_unit",
                "unit",
                "not use 'A' (ampere) for ångström",
                text,
                remedy="Write 'Å' or 'angstrom'.",
            )
        )


def _all_times(sizes: Iterable[_Size]) -> _Size:
    """Product of sizes; 1 for none."""
    total = _Size(Fraction(1))
    for size in sizes:
        total = total.times(size)
    return total


def _floating(text: str, scale: Fraction) -> float:
    """Scale as a float, or the error for one that no float can hold."""
    if not Fraction(1, 10**300) < scale < 10**300:
        raise UnitError(sentence("parse_unit", "unit", "have a size between 1e-300 and 1e300 in SI", text))
    return float(scale)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:] if not text.startswith(("pH", "dB")) else text
