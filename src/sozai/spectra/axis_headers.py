"""What the words above a column, or beside an axis, say: kind of axis, unit, unit of the counts."""

from __future__ import annotations

import re

from sozai.contracts.unit_headers import is_unit, split_unit

__all__ = ["axis_meaning", "counts_meaning", "plain_unit"]

_KINDS = (
    ("binding", r"^(be|b\.e\.)\b|binding|結合エネルギ|束縛エネルギ"),
    ("kinetic", r"^(ke|k\.e\.)\b|kinetic|運動エネルギ"),
    ("loss", r"\bloss\b|損失"),
    ("photon", r"^pe\b|photon|^h(v|\u03bd)\b|光子|入射エネルギ"),
    ("wavelength", r"wavelength|^λ|波長"),
    ("shift", r"shift|wave ?number|シフト|波数"),
    ("angle", r"theta|θ|angle|角"),
)
_UNITS = {
    "ev": "eV", "kev": "keV", "mev": "meV", "1/cm": "cm-1", "cm^-1": "cm-1", "cm⁻¹": "cm-1", "cm-1": "cm-1",
    "cm^{-1}": "cm-1", "cm−1": "cm-1", "°": "deg", "degree": "deg", "degrees": "deg", "deg": "deg",
    "deg.": "deg", "nm": "nm",
}  # fmt: skip
_RATE = r"^(c/s|cps|cts/s|counts?/s|counts? per sec(ond)?s?|counts?\s*s(-1|\^-1|⁻¹)|1/s|count rate)$"
_COUNTS = r"^(counts?|cts)$"


def axis_meaning(header: str) -> tuple[str | None, str | None]:
    """Kind and unit of an axis from its header; None for what the header does not say.

    Examples
    --------
    >>> axis_meaning("Binding Energy [eV]"), axis_meaning("KE/eV"), axis_meaning("Raman shift (1/cm)")
    (('binding', 'eV'), ('kinetic', 'eV'), ('shift', 'cm-1'))
    >>> axis_meaning("x")
    (None, None)
    """
    name, unit = split_unit(header)
    if unit is None:
        attached = re.fullmatch(r"(.*\S)\s*/\s*(\S+)", name)
        if attached is not None and is_unit(attached.group(2)):
            name, unit = attached.groups()
    if unit is None:
        bracket = re.fullmatch(r"(.*\S)\s*[\[(](\S+)[\])]", name)
        if bracket is not None and bracket.group(2).lower() in _UNITS:
            name, unit = bracket.groups()
    folded = name.casefold().strip()
    kind = next((kind for kind, pattern in _KINDS if re.search(pattern, folded)), None)
    return kind, None if unit is None else plain_unit(unit)


def plain_unit(unit: str) -> str:
    """One spelling for each common unit of an axis; others stay as written.

    Examples
    --------
    >>> plain_unit("ev"), plain_unit("1/cm"), plain_unit("Å")
    ('eV', 'cm-1', 'Å')
    """
    return _UNITS.get(unit.strip().casefold(), unit.strip())


def counts_meaning(header: str) -> tuple[str, str]:
    """Label of a column of counts, and what it counts in; a header that is only a unit has no label.

    Examples
    --------
    >>> counts_meaning("C 1s (cps)"), counts_meaning("Intensity [a.u.]"), counts_meaning("O 1s")
    (('C 1s', 'counts/s'), ('Intensity', 'a.u.'), ('O 1s', 'counts'))
    """
    name, unit = split_unit(header)
    bracket = re.fullmatch(r"(.*\S)\s*[\[(]([^\[\]()]+)[\])]", name)
    if unit is None and bracket is not None and _spelled(bracket.group(2)) is not None:
        name, unit = bracket.groups()
    if unit is None:
        spelled = _spelled(name)
        return ("" if spelled else name), spelled or "counts"
    return name, _spelled(unit) or unit


def _spelled(text: str) -> str | None:
    """``counts`` or ``counts/s``, where the text says so."""
    folded = text.casefold().strip()
    if re.match(_RATE, folded):
        return "counts/s"
    return "counts" if re.match(_COUNTS, folded) else None
