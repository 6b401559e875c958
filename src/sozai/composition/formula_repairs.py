"""What is put right in a formula before it is read, and how a formula that cannot be read is refused."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from sozai.composition.formula_markup import without_markup
from sozai.composition.symbols import ELEMENTS

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MISSING_WORDS",
    "Refusal",
    "Repair",
    "brief",
    "is_missing",
    "missing",
    "normalize",
    "refuse_character",
    "refuse_symbol",
    "suggest",
]

#: Longest formula that is read, in characters.
MAX_LENGTH = 4096
#: Deepest nesting of brackets that is read.
MAX_DEPTH = 64
#: Words that programs write where a value is missing; ``NaN`` could be sodium nitride, and nearly never is.
MISSING_WORDS = frozenset(
    [
        "NaN",
        "nan",
        "NAN",
        "NA",
        "na",
        "N/A",
        "n/a",
        "#N/A",
        "NULL",
        "Null",
        "null",
        "NONE",
        "None",
        "none",
        "NaT",
        "<NA>",
        "nil",
        "-",
        "--",
        "?",
        ".",
    ]
)

_REMEDY_MISSING = "Fill in or drop the row."
_REMEDY_NAN = "Fill in or drop the row; write Na1N1 (or pass allow_nan_like=True) if sodium nitride is meant."


class Refusal(Exception):
    """One formula that cannot be read.

    Parameters
    ----------
    code : str
        Kind of the trouble, one or two words.
    must : str
        What a formula must do, after "formula must".
    column : int
        Character (0-based) of ``text`` where the trouble is; -1 for the whole.
    remedy : str
        One imperative sentence.
    text : str
        The formula as it was read, where repairs have changed it.
    suggestion : str
        What was probably meant.
    """

    def __init__(
        self, code: str, must: str, remedy: str, *, column: int = -1, text: str = "", suggestion: str = ""
    ) -> None:
        super().__init__(must)
        self.code, self.must, self.remedy = code, must, remedy
        self.column, self.text, self.suggestion = column, text, suggestion

    def pointer(self) -> str:
        """Two lines below the message: the formula and a caret under the character; or nothing."""
        if self.column < 0 or not self.text:
            return ""
        start = max(0, self.column - 50)
        shown = "".join(c if c.isprintable() else " " for c in self.text[start : self.column + 30])
        return f"\n    {shown}\n    {' ' * (self.column - start)}^"


@dataclass(frozen=True, slots=True)
class Repair:
    """One thing put right while reading: its kind, a sentence, and the formula as it was read."""

    code: str
    message: str
    read_as: str


def brief(text: str) -> str:
    """Part of a formula for a message, cut at 40 characters.

    Examples
    --------
    >>> brief("Fe2O3"), len(brief("Fe" * 100))
    ('Fe2O3', 40)
    """
    return text if len(text) <= 40 else text[:37] + "..."


def is_missing(text: str) -> bool:
    """Tell whether a text stands for a missing value."""
    bare = text.strip()
    return not bare or bare in MISSING_WORDS


def missing(value: object) -> Refusal:
    """Refusal of an empty cell, ``None``, NaN or a word that means one of these."""
    word = value.strip() if isinstance(value, str) else ""
    what = "be a formula, not a gap" if word else "not be missing"
    return Refusal("missing", f"{what} (missing formula)", _REMEDY_NAN if word == "NaN" else _REMEDY_MISSING)


# --- characters that mean something plainer ------------------------------------------------------------

_SUBSCRIPTS = {0x2080 + digit: str(digit) for digit in range(10)} | {
    0x208A: "+",
    0x208B: "-",
    0x208D: "(",
    0x208E: ")",
    0x2093: "x",
}
_FULL_WIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_SPACES = dict.fromkeys(
    [0x00A0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0x0085], " "
)
_INVISIBLE = dict.fromkeys([0x00AD, *range(0x200B, 0x2010), 0x2060, 0xFEFF], "")
_DASHES = dict.fromkeys([*range(0x2010, 0x2016), 0x2212, 0xFE63, 0x2796], "-")
_DOTS = dict.fromkeys([0x30FB, 0xFF65, 0x2027, 0x00D7], "·")
_TABLE = _SUBSCRIPTS | _FULL_WIDTH | _SPACES | _INVISIBLE | _DASHES | _DOTS
_KINDS = (
    (_SUBSCRIPTS, "subscripts written as plain characters"),
    (_FULL_WIDTH, "full-width characters made plain"),
    (_SPACES, "special spaces made plain"),
    (_INVISIBLE, "invisible characters removed"),
    (_DASHES, "dashes written as minus"),
    (_DOTS, "dots written as the separator of a hydrate"),
)
_SUPERSCRIPTS = {0x2070: "0", 0x00B9: "1", 0x00B2: "2", 0x00B3: "3", 0x207A: "+", 0x207B: "-"} | {
    0x2070 + digit: str(digit) for digit in range(4, 10)
}
_RAISED_CHARGE = re.compile("[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]*[\u207a\u207b]+\\s*$")


def normalize(text: str) -> tuple[str, tuple[Repair, ...]]:
    r"""Plain characters for subscripts, full-width forms, special spaces, dashes and markup.

    Parameters
    ----------
    text : str
        A formula as it was copied from somewhere.

    Returns
    -------
    text : str
        What the grammar reads.
    repairs : tuple of Repair
        What was changed; empty when nothing was.

    Notes
    -----
    Raised digits are read only as a charge at the end. Other compatibility forms (Roman
    numerals, ligatures) are left alone and refused later: no formula holds them on purpose.

    Examples
    --------
    >>> normalize("Fe\u2082O\u2083")[0]
    'Fe2O3'
    """
    plain, said = text, []
    if not text.isascii():
        raised = _RAISED_CHARGE.search(plain[-16:])
        if raised:
            tail = plain[len(plain[:-16]) + raised.start() :] if len(plain) > 16 else plain[raised.start() :]
            plain = plain[: len(plain) - len(tail)] + "^" + tail.translate(_SUPERSCRIPTS)
            said.append("raised characters read as the charge")
        codes = set(map(ord, plain))
        said += [sentence for table, sentence in _KINDS if not codes.isdisjoint(table)]
        plain = plain.translate(_TABLE)
    plain, left_out = without_markup(plain)
    said += left_out
    if plain == text:
        return text, ()
    plain = plain.strip()
    return plain, (Repair("characters", "; ".join(said), plain),)


# --- symbols that are none ---------------------------------------------------------------------------

_PLACEHOLDERS = {"X", "Xx", "M", "R", "A", "L", "Q", "E", "G", "J", "Z", "Me", "Ln"}
_VACANCIES = {"Va", "Vac", "\u25a1", "\u25a2", "\u2610", "\u25fb"}
_LOWER = {symbol.lower(): symbol for symbol in ELEMENTS[:103]}  # nobody means nihonium
_RARE = frozenset(["He", "Ne", "Ar", "Kr", "Xe", "Rn", "Po", "At", "Fr", "Ra", "Ac", *ELEMENTS[96:]])
_PLAIN = re.compile(r"[A-Za-z0-9.()\[\]{}*^+\-\s]*")
_RUN = re.compile(r"[A-Za-z]+")
_SYMBOL = re.compile(r"[A-Z][a-z]?")
_LONGEST_WORD = 6  # letters of a word without digits that may be a formula in the wrong case
_LABEL = re.compile(r"\((?:s|l|g|aq|cr|am|[a-z]{4,})\)")


def refuse_symbol(text: str, column: int, symbol: str) -> Refusal:
    """Refusal of something that is no element symbol, with what was probably meant."""
    wanted = f"name known elements; {brief(symbol)!r} is none"
    label = _LABEL.match(text, column - 1) if column else None
    if label:
        must = f"hold symbols and amounts only; {brief(label.group())} is a label"
        return Refusal("label", must, "Leave it out.", column=column, text=text)
    meant = suggest(text)
    if symbol in _VACANCIES:
        remedy = "Leave the vacancy out: it holds no atom."
        return Refusal(
            "vacancy", f"hold atoms only; {symbol!r} is a vacancy", remedy, column=column, text=text
        )
    if meant:
        remedy = (
            f"Write {' or '.join(map(brief, meant))}: symbols are a capital and at most one small letter."
        )
        return Refusal("symbol", wanted, remedy, column=column, text=text, suggestion=meant[0])
    if symbol in _PLACEHOLDERS:
        remedy = "Write the element that the placeholder stands for."
        must = f"name known elements; {symbol!r} is a placeholder"
        return Refusal("placeholder", must, remedy, column=column, text=text)
    remedy = "Correct the symbol: a capital and at most one small letter, such as Co for cobalt."
    return Refusal("symbol", wanted, remedy, column=column, text=text)


def refuse_character(text: str, column: int) -> Refusal:
    """Refusal of a character that has no place in a formula."""
    char = text[column]
    if char in _VACANCIES:
        return refuse_symbol(text, column, char)
    if char.isalpha() and char.isascii():
        return refuse_symbol(text, column, char)
    name = unicodedata.name(char, f"character U+{ord(char):04X}").lower()
    must = f"hold only symbols, amounts, brackets and separators; {char!r} ({name}) is none"
    remedy = "Remove the character or write the formula in plain letters and digits."
    if name.startswith("vulgar fraction"):
        remedy = "Write it as a decimal number, as in CaSO4·0.5H2O."
    return Refusal("character", must, remedy, column=column, text=text)


def suggest(text: str) -> tuple[str, ...]:
    """Formulas that the letters of ``text`` spell when capitals are ignored; linear in its length.

    A word without digits is taken for a formula only when it is short, names no element twice and no rare
    one: ``Foo`` and ``water`` are words.

    Examples
    --------
    >>> suggest("fe2o3"), suggest("co"), suggest("Foo")
    (('Fe2O3',), ('Co', 'CO'), ())
    """
    if len(text) > 200 or not _PLAIN.fullmatch(text):
        return ()
    found = []
    for longest_first in (True, False):
        pieces, end = [], 0
        for run in _RUN.finditer(text):
            spelled = _spell(run.group().lower(), longest_first)
            if spelled is None:
                return ()
            pieces += [text[end : run.start()], spelled]
            end = run.end()
        found.append("".join([*pieces, text[end:]]))
    return tuple(meant for meant in dict.fromkeys(found) if meant != text and _is_likely(meant))


def _is_likely(meant: str) -> bool:
    """Tell a formula from a word that happens to spell one."""
    if any(char.isdigit() for char in meant):
        return True
    symbols = _SYMBOL.findall(meant)
    return len(meant) <= _LONGEST_WORD and len(set(symbols)) == len(symbols) and _RARE.isdisjoint(symbols)


def _spell(run: str, longest_first: bool) -> str | None:
    """Letters as symbols, or ``None``; ``reaches[i]`` tells whether ``run[i:]`` can be spelled."""
    n = len(run)
    reaches = [False] * n + [True, False]
    for i in range(n - 1, -1, -1):
        reaches[i] = (run[i] in _LOWER and reaches[i + 1]) or (run[i : i + 2] in _LOWER and reaches[i + 2])
    if not reaches[0]:
        return None
    spelled, i = "", 0
    while i < n:
        for size in (2, 1) if longest_first else (1, 2):
            piece = run[i : i + size]
            if len(piece) == size and piece in _LOWER and reaches[i + size]:
                spelled += _LOWER[piece]
                i += size
                break
    return spelled
