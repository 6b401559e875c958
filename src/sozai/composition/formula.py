"""Chemical formulas as sparse fractions: the front door of the room."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from sozai.composition.composition_rows import READERS, BoundText, Options, read_entries
from sozai.composition.composition_tables import Entries, as_parsed, parse_table
from sozai.composition.compositions import ParsedFormulas, check_on_error, unique_names
from sozai.composition.formula_grammar import merge_entries, read_formula
from sozai.composition.formula_repairs import Refusal
from sozai.composition.formula_variables import as_values
from sozai.composition.reduced_formula import reduced_formula
from sozai.composition.symbols import ELEMENTS, ISOTOPES, SYMBOLS
from sozai.contracts.errors import FormulaWarning, InputError, sentence
from sozai.contracts.parallel import run_chunks

__all__ = ["ELEMENTS", "Composition", "ParsedFormulas", "as_compositions", "parse_formula", "parse_formulas"]

#: Rows that are read in one piece.
CHUNK = 1_000_000

_BASES = ("amount", "at%", "wt%")


@dataclass(frozen=True, repr=False)
class Composition:
    """What one formula says.

    Attributes
    ----------
    amounts : mapping of str to float
        Atoms of each element as written, in the order of the text; read only.
    charge : float
        Charge in elementary charges; not counted among the atoms.
    n_atoms : float
        Sum of the amounts.
    text : str
        The formula as given.
    repairs : tuple of str
        What was put right before it was read.

    See Also
    --------
    ParsedFormulas : Many formulas at once.

    Examples
    --------
    >>> from sozai.composition.formula import parse_formula
    >>> gypsum = parse_formula("CaSO4·2H2O")
    >>> gypsum
    Composition CaH4SO6: 12 atoms
    >>> gypsum.amounts["O"], gypsum.chemical_system
    (6.0, 'Ca-H-O-S')
    """

    amounts: Mapping[str, float]
    charge: float
    n_atoms: float
    text: str
    repairs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "amounts", MappingProxyType(dict(self.amounts)))

    def __reduce__(self) -> tuple[Any, ...]:
        return Composition, (dict(self.amounts), self.charge, self.n_atoms, self.text, self.repairs)

    def __repr__(self) -> str:
        charge = f", charge {self.charge:+g}" if self.charge else ""
        return f"Composition {self.reduced_formula}: {self.n_atoms:g} atoms{charge}"

    @property
    def fractions(self) -> dict[str, float]:
        """Atomic fractions; they sum to 1."""
        return {symbol: amount / self.n_atoms for symbol, amount in self.amounts.items()}

    @property
    def reduced_formula(self) -> str:
        """Shortest formula, least electronegative element first: ``'Fe2O3'`` for O6Fe4."""
        return reduced_formula(tuple(self.amounts), tuple(self.fractions.values()), self.n_atoms)

    @property
    def chemical_system(self) -> str:
        """Elements in alphabetical order, joined by hyphens: ``'Fe-O'``."""
        return "-".join(sorted(self.amounts))


def parse_formula(
    text: str,
    *,
    values: Mapping[str, float] | None = None,
    isotopes: str = "merge",
    allow_nan_like: bool = False,
) -> Composition:
    """Read one chemical formula.

    Parameters
    ----------
    text : str
        Symbols with amounts, brackets ``()[]{}``, parts joined by ``·`` or ``*``, a charge at the
        end: ``"K4[Fe(CN)6]"``, ``"CuSO4·5H2O"``, ``"SO4^{2-}"``, ``"Zn 58 Mg 40 Dy 2"``.
    values : mapping of str to float, optional
        Values of variables in amounts such as ``1-x`` or ``3-δ``: numbers, the four operations
        and brackets.
    isotopes : {"merge", "keep"}
        Count D and T as hydrogen, with a :class:`~sozai.contracts.errors.FormulaWarning`, or keep them.
    allow_nan_like : bool
        Read the word ``NaN`` as sodium nitride.

    Returns
    -------
    Composition

    Raises
    ------
    InputError
        With a caret under the character where the trouble is, and what to write instead.

    See Also
    --------
    parse_formulas : The same for a column.

    Examples
    --------
    >>> dict(parse_formula("La1-xSrxMnO3", values={"x": 0.3}).amounts)
    {'La': 0.7, 'Sr': 0.3, 'Mn': 1.0, 'O': 3.0}
    >>> parse_formula("Fe3+").charge
    3.0
    """
    place = "parse_formula"
    _check_choice(isotopes, ("merge", "keep"), "isotopes", place)
    try:
        reading = read_formula(text, values=as_values(values, place=place), allow_nan_like=allow_nan_like)
    except Refusal as refusal:
        at = f"at character {refusal.column + 1}" if refusal.column >= 0 else ""
        said = sentence(place, "formula", refusal.must, text, at=at, remedy=refusal.remedy)
        raise InputError(said + refusal.pointer()) from None
    codes, repairs = list(reading.codes), [repair.message for repair in reading.repairs]
    if isotopes == "merge" and max(codes) >= len(ELEMENTS):
        codes = [0 if code >= len(ELEMENTS) else code for code in codes]
        repairs.append("D and T counted as hydrogen")
        _warn_isotopes(place, text, "")
    order, amounts = merge_entries(codes, reading.amounts)
    n_atoms = 0.0
    for amount in amounts:
        n_atoms += amount
    if not n_atoms < float("inf"):
        remedy = "Write smaller amounts: only ratios count."
        raise InputError(sentence(place, "formula", "have finite amounts", text, remedy=remedy))
    summed = dict(zip(order, amounts, strict=True))
    written = {SYMBOLS[code]: summed[code] for code in dict.fromkeys(codes) if code in summed}
    return Composition(written, reading.charge, n_atoms, text, tuple(repairs))


def parse_formulas(
    texts: Any,
    *,
    components: Sequence[str] | None = None,
    on_error: str = "raise",
    basis: str = "amount",
    values: Mapping[str, Any] | None = None,
    isotopes: str = "merge",
    allow_nan_like: bool = False,
    n_jobs: int | None = None,
) -> ParsedFormulas:
    r"""Read a column of chemical formulas into a sparse matrix of fractions.

    Parameters
    ----------
    texts : list, array, Series or DataFrame of one column
        Formulas (see :func:`parse_formula`), dictionaries ``{"Fe": 2, "O": 3}``, such dictionaries
        as text, or objects with ``get_el_amt_dict``, such as pymatgen's ``Composition``.
    components : sequence of str, optional
        Columns of the result; the 118 elements when left out. A formula with another component is
        refused, never cut short.
    on_error : {"raise", "nan", "skip"}
        Stop at formulas that cannot be read, keep their rows as NaN, or leave them out; ``issues``
        names every one.
    basis : {"amount", "at%", "wt%"}
        Meaning of the numbers: atoms, or percentages that sum to 100 within 0.5 (``%`` and commas
        are then allowed).
    values : mapping of str to float or array-like of shape (n,), optional
        Values of variables as in :func:`parse_formula`: one for all rows, or one for each.
    isotopes, allow_nan_like
        See :func:`parse_formula`.
    n_jobs : int, optional
        Workers; they share the rows in pieces of a million. The result has the same bits for all.

    Returns
    -------
    ParsedFormulas

    Raises
    ------
    InputError
        Naming the first row that cannot be read and how many more there are.

    Warns
    -----
    FormulaWarning
        When D or T is counted as hydrogen.

    Notes
    -----
    With amounts :math:`n_i` the fractions are :math:`w_i = n_i / \sum_j n_j`; from percentages by
    weight, :math:`w_i = (m_i/A_i) / \sum_j (m_j/A_j)` with atomic weights :math:`A_i`. Plain formulas,
    brackets and centered dots are read by one compiled pass over the bytes of the column, everything
    else by a grammar in Python; both give the same bits. A million formulas take about a second
    and 200 MB besides the text.

    A dot is read as the separator of a hydrate when only a number and an adduct (H2O, D2O, NH3, CO2,
    HCl, C2H5OH, CH3OH, H2SO4) follow it and the digits before it are none or at least 2:
    ``CuSO4.5H2O``. Where they are 0 or 1 (``FeO1.5H2O``) both readings are possible and the formula is
    refused; otherwise the dot is a decimal point. A number before a final sign is a charge when
    one symbol or one bracket stands before it (``Fe3+``), an amount otherwise (``NH4+``).

    Examples
    --------
    >>> parsed = parse_formulas(["Fe2O3", "CuSO4.5H2O", "unknown"], on_error="nan")
    >>> parsed.keys().tolist()
    ['Fe2O3', 'CuH10SO9', None]
    >>> parsed.issues["code"].tolist()
    ['hydrate', 'symbol']
    """
    place = "parse_formulas"
    cells, index, label = _cells(texts, place)
    own = (
        {name: each for name, each in values.items() if np.ndim(each)} if isinstance(values, Mapping) else {}
    )
    shared = {name: each for name, each in values.items() if name not in own} if own else values
    options = Options(as_values(shared, place=place), isotopes, allow_nan_like, basis != "amount")
    return _parse_cells(
        cells, index, label, options, components=components, on_error=on_error, basis=basis, place=place,
        n_jobs=n_jobs, bound=_bound(cells, own, shared, place) if own else None,
    )  # fmt: skip


def as_compositions(
    X: Any,
    components: Sequence[str] | None = None,
    *,
    place: str,
    on_error: str = "raise",
    basis: str = "amount",
    n_atoms: Any = None,
) -> ParsedFormulas:
    """Whatever an estimator is given, as fractions.

    Parameters
    ----------
    X : object
        Formulas in any form that :func:`parse_formulas` takes; a :class:`ParsedFormulas`; dense or
        sparse fractions with one column for each component; a DataFrame of numbers whose columns are
        components, holding amounts.
    components : sequence of str, optional
        Columns of the result; the 118 elements when left out.
    place : str
        Who asks, for the message.
    on_error, basis
        See :func:`parse_formulas`.
    n_atoms : array-like of shape (n,), optional
        Atoms of each formula, where ``X`` does not say.

    Returns
    -------
    ParsedFormulas

    Raises
    ------
    InputError
        Naming the row, and what to do.

    Examples
    --------
    >>> frame = pd.DataFrame({"Fe": [2, 0], "O": [3, 1], "H": [0, 2]})
    >>> as_compositions(frame, place="example").keys().tolist()
    ['Fe2O3', 'H2O']
    """
    check_on_error(on_error, place)
    _check_choice(basis, _BASES, "basis", place)
    names = ELEMENTS if components is None else unique_names(components, place)
    if isinstance(X, ParsedFormulas):
        parsed = X.with_components(names, place=place, on_error=on_error)
    elif isinstance(X, pd.DataFrame) and _is_table(X):
        parsed = _parse_frame(X, names, basis, place, on_error)
    elif hasattr(X, "tocsr") or _is_numeric(X):
        parsed = parse_table(
            X, names, basis="fraction", n_atoms=None, place=place, on_error=on_error
        )  # fmt: skip
    else:
        cells, index, label = _cells(X, place)
        options = Options(None, "keep" if set(ISOTOPES) & set(names) else "merge", False, basis != "amount")
        parsed = _parse_cells(
            cells, index, label, options, components=names, on_error=on_error, basis=basis, place=place
        )
    if len(parsed) == 0 and not len(parsed.issues):
        what = "hold at least one formula (found array with 0 sample(s), a minimum of 1 is required)"
        raise InputError(sentence(place, "X", what, remedy="Check where the rows were lost."))
    return _with_atoms(parsed, n_atoms, place)


# --- from what is given to cells -------------------------------------------------------------------------


def _cells(texts: Any, place: str) -> tuple[list[Any], pd.Index | None, str]:
    """Cells, labels of the rows, and name of the column."""
    remedy = "Pass a list, an array, a Series or one column of a DataFrame."
    if isinstance(texts, (str, bytes, Mapping)) or not hasattr(texts, "__len__"):
        raise InputError(sentence(place, "formulas", "be a column of formulas", texts, remedy=remedy))
    if isinstance(texts, pd.DataFrame):
        if texts.shape[1] != 1:
            what = "have one column of formulas, or numbers in columns named by components"
            raise InputError(sentence(place, "X", what, list(texts.columns), remedy=remedy))
        texts = texts.iloc[:, 0]
    if isinstance(texts, pd.Series):
        label = "" if texts.name is None else str(texts.name)
        return list(texts.to_numpy(dtype=object, na_value=None)), texts.index, label
    if isinstance(texts, np.ndarray):
        if texts.ndim == 2 and texts.shape[1] == 1:
            texts = texts[:, 0]
        if texts.ndim != 1:
            what = "be a column of formulas"
            raise InputError(sentence(place, "formulas", what, f"shape {texts.shape}", remedy=remedy))
        return texts.tolist(), None, ""
    cells = list(texts)
    if cells and all(isinstance(cell, (list, tuple)) and len(cell) == 1 for cell in cells):
        cells = [cell[0] for cell in cells]
    return cells, None, ""


def _parse_cells(
    cells: list[Any],
    index: pd.Index | None,
    label: str,
    options: Options,
    *,
    components: Sequence[str] | None,
    on_error: str,
    basis: str,
    place: str,
    n_jobs: int | None = None,
    bound: list[Any] | None = None,
) -> ParsedFormulas:
    """Read cells in chunks and put them together; ``bound`` are the cells with the values of their rows."""
    check_on_error(on_error, place)
    _check_choice(basis, _BASES, "basis", place)
    _check_choice(options.isotopes, ("merge", "keep"), "isotopes", place)
    keep = options.isotopes == "keep"
    wanted = (SYMBOLS if keep else ELEMENTS) if components is None else unique_names(components, place)
    extra = tuple(name for name in wanted if name not in READERS)
    read = functools.partial(read_entries, options=options, extra=extra)
    whole = cells if bound is None else bound
    chunks = [whole[start : start + CHUNK] for start in range(0, len(cells), CHUNK)] or [[]]
    one = len(chunks) == 1
    parts = [read(chunks[0])] if one else run_chunks(read, chunks, n_jobs=n_jobs, progress=False)
    entries = Entries.joined(parts)
    texts = np.empty(len(cells), dtype=object)
    texts[:] = cells
    merged = [issue.row for issue in entries.issues if issue.code == "isotope"]
    parsed = as_parsed(
        entries, SYMBOLS + extra, texts, basis=basis, place=place, on_error=on_error, index=index,
        label=label, components=wanted,
    )  # fmt: skip
    if merged:
        _warn_isotopes(place, texts[merged[0]], f" at row {merged[0]} ({len(merged)} in all)")
    return parsed


def _bound(cells: list[Any], own: Mapping[str, Any], shared: Any, place: str) -> list[Any]:
    """Texts with the values of their row; a row whose value is missing has none."""
    columns = {name: np.asarray(each, dtype=np.float64) for name, each in own.items()}
    for name, column in columns.items():
        if column.shape != (len(cells),):
            raise InputError(
                sentence(
                    place, "values", f"hold one number, or one for each of the {len(cells)} rows, for {name}",
                    f"shape {column.shape}", remedy="Pass the column of the same table.",
                )
            )  # fmt: skip
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    found: list[Any] = []
    for cell, numbers in zip(cells, rows, strict=True):
        if not isinstance(cell, str):
            found.append(cell)
            continue
        row = {name: number for name, number in zip(columns, numbers, strict=True) if number == number}
        found.append(BoundText(cell, as_values({**(shared or {}), **row}, place=place) or {}))
    return found


def _parse_frame(
    frame: pd.DataFrame, names: tuple[str, ...], basis: str, place: str, on_error: str
) -> ParsedFormulas:
    """Table of amounts, one column for each component."""
    columns = unique_names(list(frame.columns), place)
    strange = [name for name in columns if name not in set(names) | set(SYMBOLS)]
    if strange:
        what = "have columns named by components"
        remedy = "Leave out columns that are none, or give the column of formulas alone."
        raise InputError(sentence(place, "X", what, strange[0], remedy=remedy))
    parsed = parse_table(
        frame.to_numpy(dtype=np.float64), columns, basis=basis, n_atoms=None, place=place, on_error=on_error,
        index=frame.index,
    )  # fmt: skip
    return parsed.with_components(names, place=place, on_error=on_error)


def _is_table(frame: pd.DataFrame) -> bool:
    """Tell whether every column holds numbers."""
    return frame.shape[1] > 0 and all(pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes)


def _is_numeric(X: Any) -> bool:
    """Tell whether something is a table of numbers with two axes."""
    if isinstance(X, np.ndarray):
        return X.ndim == 2 and X.dtype.kind in "fiub"
    if isinstance(X, (list, tuple)) and X and isinstance(X[0], (list, tuple, np.ndarray)):
        return len(X[0]) > 0 and isinstance(X[0][0], (int, float, np.number))
    return False


def _with_atoms(parsed: ParsedFormulas, n_atoms: Any, place: str) -> ParsedFormulas:
    """Put the numbers of atoms in, one for each row of the input."""
    if n_atoms is None:
        return parsed
    from dataclasses import replace

    from sozai.contracts.checks import as_vector

    known = as_vector(n_atoms, None, place=place, argument="n_atoms")
    if len(known) == len(parsed):
        return replace(parsed, n_atoms=np.where(parsed.refused, np.nan, known))
    if len(known) > int(parsed.rows.max(initial=-1)):
        return replace(parsed, n_atoms=known[parsed.rows])
    what = f"have one value for each of the {len(parsed)} formulas"
    raise InputError(
        sentence(place, "n_atoms", what, len(known), remedy="Check that both come from one table.")
    )


def _check_choice(value: object, choices: tuple[str, ...], argument: str, place: str) -> None:
    """Refuse an option that is none of the choices."""
    if value not in choices:
        words = ", ".join(repr(choice) for choice in choices[:-1]) + f" or {choices[-1]!r}"
        raise InputError(sentence(place, argument, f"be {words}", value, remedy=f"Pass {choices[0]!r}."))


def _warn_isotopes(place: str, text: object, where: str) -> None:
    """Say that D and T are counted as hydrogen."""
    said = f"{place}: D and T are counted as hydrogen in {text!r}{where}."
    warnings.warn(f"{said} Pass isotopes='keep' to keep them apart.", FormulaWarning, stacklevel=3)
