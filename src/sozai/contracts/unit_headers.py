"""Take a column header apart: name, slot and unit."""

from __future__ import annotations

import re

from sozai.contracts.errors import UnitError
from sozai.contracts.unit_grammar import parse_unit, plain

__all__ = ["header_doubt", "is_unit", "split_unit", "suits"]

# Closing bracket -> opening one: ASCII, full-width, lenticular and tortoise-shell.
_OPENING = {"]": "[", ")": "(", "\uff3d": "\uff3b", "）": "（", "】": "【", "\u3015": "\u3014"}
_SLOT = re.compile(r"\s*\d+\s*(,\s*\d+\s*)*|\s*[^\W\d]\w*\s*(,\s*[^\W\d]\w*\s*)+")
_COUNTED_WORDS = frozenset(
    {"atom", "atoms", "cell", "unit cell", "site", "sites", "ion", "ions", "molecule", "at"}
)

_TIME = r"^[tτ]|time|时|時|期|秒|duration|dwell|age|delay|period|アニール|保持"
_LENGTH = r"^[lLdDxyzhrRwWtδλab]|length|distance|depth|height|thick|width|diam|radius|pos|wave"
_LENGTH += r"|長|距|厚|径|幅|深|高|位置"
_FIELD = r"^[BH]|[μµ]0|4π|field|magn|induct|reman|磁"
_ENERGY = r"^[EWQUHGΔ]|energy|work|heat|エネルギ|熱"

# A unit of one letter (or a word such as "min") in round brackets can be a variable, an element or a
# state of matter: x(K), M(H), NaCl (s), d (min). It is believed at once only behind such names.
_EXPECTED: dict[str, str] = {
    "K": r"^[TΘθ]|^ΔT|temp|温|点|melt|boil|curie|n[eé]el|debye",
    "N": r"^F|force|load|力|荷重",
    "V": r"^[VEUφΦη]|volt|potential|bias|gap|電圧|電位|起電力",
    "W": r"^[PQ]|power|出力|電力|パワー",
    "A": r"^[Iij]|current|電流",
    "T": _FIELD,
    "G": _FIELD,
    "C": r"^[Qq]|charge|電荷|電気量|^T|temp|温",
    "F": r"^C|capacit|容量|キャパシ",
    "H": r"^L|induct|インダク",
    "S": r"^[GYσ]|conduct|コンダク|導",
    "J": _ENERGY,
    "L": r"^V|volum|体積|容",
    "l": r"^V|volum|体積|容",
    "D": r"^[pμ]|dipole|moment|双極子",
    "M": r"^c|conc|濃度|molar",
    "P": r"visc|^η|粘",
    "u": r"^[mMw]|mass|weight|質量",
    "d": _TIME,
    "h": _TIME,
    "s": _TIME,
    "g": r"^[mwWM]|mass|weight|質量|重",
    "m": _LENGTH,
    "min": _TIME,
    "in": _LENGTH,
    "as": _TIME,
    "Ha": _ENERGY,
    "Da": r"^[mMw]|mass|weight|質量|分子量",
    "Pa": r"^[pPσEGKτ]|press|stress|modul|strength|圧|応力|率|強",
}


def split_unit(header: str) -> tuple[str, str | None]:
    """Split a header into its name and its unit.

    Parameters
    ----------
    header : str
        As written in the file.

    Returns
    -------
    name : str
        The name without unit; full-width letters and brackets outside the
        unit stay as they are.
    unit : str or None
        The text in the last brackets, or behind `` / `` as in ``T / K``.

    Notes
    -----
    Square brackets hold a unit, known or not, unless they are attached and
    hold indices: ``M_I[0,1]`` keeps its *slot*. Round brackets hold a unit
    only when it is a known one; one letter that may as well be a variable or
    an element stays in the name when attached (``x(K)``, ``M(H)``), see
    :func:`header_doubt`.

    Examples
    --------
    >>> split_unit("磁化 [emu/g]"), split_unit("T(K)"), split_unit("M_I[0,1]")
    (('磁化', 'emu/g'), ('T', 'K'), ('M_I[0,1]', None))
    >>> split_unit("Conductivity (measured) (S/cm)"), split_unit("f(x)"), split_unit("T / K")
    (('Conductivity (measured)', 'S/cm'), ('f(x)', None), ('T', 'K'))
    """
    text = " ".join(header.split())
    found = _last_bracket(text)
    if found is None:
        return _behind_slash(text)
    name, inside, square, attached = found
    if not name or not inside:
        return text, None
    if square:
        return (text, None) if _is_index(inside, attached) else (name, inside)
    if not is_unit(inside) or _only_counts(inside) or (attached and not suits(name, inside)):
        return text, None
    return name, inside


def header_doubt(header: str) -> str | None:
    """Say what else a header may mean; None when its reading is plain.

    Examples
    --------
    >>> header_doubt("T(K)") is None
    True
    >>> header_doubt("x(K)")
    "'(K)' was left in the name; write 'x [K]' if it is a unit"
    """
    text = " ".join(header.split())
    name, unit = split_unit(text)
    found = _last_bracket(text)
    if found is None:
        return (
            None
            if unit is None
            else f"'{unit}' behind the slash was read as the unit; write '{name} [{unit}]'"
        )
    _, inside, square, _ = found
    if square and unit is not None:
        return _square_doubt(name, unit)
    if square or not is_unit(inside) or _only_counts(inside):
        return None
    if unit is None:
        return f"'({inside})' was left in the name; write '{found[0]} [{inside}]' if it is a unit"
    if suits(name, unit):
        return _square_doubt(name, unit)
    return f"'({unit})' was read as the unit, but may be part of the name; write '{name} [{unit}]' for a unit"


def is_unit(text: str) -> bool:
    """Whether a text can be read as a unit that is more than a number.

    Examples
    --------
    >>> is_unit("emu/g"), is_unit("2"), is_unit("measured")
    (True, False, False)
    """
    if not re.search(r"[^\W\d_]|[%‰°□]", re.sub(r"\d[eE][+-]?\d", "", plain(text))):
        return False
    try:
        parse_unit(text)
    except UnitError:
        return False
    return True


def suits(name: str, unit: str) -> bool:
    """Whether a unit of one letter suits the name of a quantity; longer units always do.

    Examples
    --------
    >>> suits("T", "K"), suits("x", "K"), suits("x", "nm")
    (True, False, True)
    """
    symbol = plain(unit)
    pattern = _EXPECTED.get(symbol)
    if pattern is None:
        return len(symbol) > 1 or not (symbol.isascii() and symbol.isalpha())
    return re.search(pattern, name) is not None or re.search(pattern, name.lower()) is not None


def _square_doubt(name: str, unit: str) -> str | None:
    """Ampere for ångström: the one symbol people misuse even in square brackets."""
    if unit == "A" and re.search(
        r"^[abcdr](_|$)|lattice|radius|distance|bond|length|格子|半径|距離|長", name
    ):
        return f"'A' is ampere; write '{name} [Å]' if it is a length"
    return None


def _last_bracket(text: str) -> tuple[str, str, bool, bool] | None:
    """Name, content, square or not, attached or not, of a bracket that ends the text."""
    opening = _OPENING.get(text[-1:])
    if opening is None:
        return None
    depth = 0
    for place in range(len(text) - 1, -1, -1):
        depth += (text[place] == text[-1]) - (text[place] == opening)
        if depth == 0:
            before = text[:place]
            inside = text[place + 1 : -1].strip()
            return before.rstrip(), inside, text[-1] not in ")）", bool(before) and not before[-1].isspace()
    return None


def _is_index(inside: str, attached: bool) -> bool:
    """Whether square brackets number a place instead of naming a unit."""
    if attached:
        return _SLOT.fullmatch(inside) is not None
    return inside != "1" and re.fullmatch(r"[\d\s,+-]*\d[\d\s,+-]*", inside) is not None


def _behind_slash(text: str) -> tuple[str, str | None]:
    """Read quantity calculus, ``T / K``: a spaced or full-width slash and a unit that suits the name."""
    match = re.fullmatch("(.*\\S)(?:\\s+/\\s+|\\s*\uff0f\\s*)(\\S.*)", text)
    if match is None or not is_unit(match.group(2)) or _only_counts(match.group(2)):
        return text, None
    return (match.group(1), match.group(2)) if suits(match.group(1), match.group(2)) else (text, None)


def _only_counts(inside: str) -> bool:
    """Whether the bracket holds just a word such as ``cell`` or ``atom``."""
    return inside in _COUNTED_WORDS
