"""Columns of a composition-spread library: compositions, positions, measured and derived properties."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.column_formulas import ColumnFormula, find_header
from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.contracts.unit_headers import split_unit
from sozai.proposals.spaces import Mixture

__all__ = ["LibraryTable", "formulas_by_name", "read_library", "require_enough"]

Array = NDArray[np.float64]

_PLACE = "LibraryMap.fit"
_PERCENT = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*[%\uff05]\s*")
#: Positions with a result below which nothing can be mapped, beside one for each component.
_FEWEST = 5
#: Share of the total below which a fraction that is negative is an error of the measurement.
_NEGATIVE = 2e-3


@dataclass(frozen=True, eq=False, repr=False)
class LibraryTable:
    """What a library holds, one row a position.

    Attributes
    ----------
    components : tuple of str
        Headers of the composition.
    X : ndarray of shape (n, k)
        Amounts with the sum ``total``.
    total : float
    places : tuple of str
        Headers of the position that vary.
    R : ndarray of shape (n, q)
    names, units : tuple
        Of the properties: measured columns, then derived ones.
    values, errors : ndarray of shape (n, l)
        NaN where nothing was measured; errors are 0 where none are known.

    Examples
    --------
    >>> table = {"A": [0.1, 0.5, 0.9] * 2, "B": [0.9, 0.5, 0.1] * 2, "S": [1.0, 2.0, 3.0] * 2}
    >>> read_library(table, ["A", "B"], ["S"], {"S^2": "S^2"}, {"S": "10 %"}, ()).errors[1].round(6).tolist()
    [0.2, 0.8]
    """

    components: tuple[str, ...]
    X: Array
    total: float
    places: tuple[str, ...]
    R: Array
    names: tuple[str, ...]
    units: tuple[str | None, ...]
    values: Array
    errors: Array

    def to_frame(self) -> pd.DataFrame:
        """Every property and its error."""
        columns = {}
        for k, name in enumerate(self.names):
            columns |= {name: self.values[:, k], f"{name} error": self.errors[:, k]}
        return pd.DataFrame(columns)

    def __repr__(self) -> str:
        return f"LibraryTable({len(self.X)} positions, {', '.join(self.names)})"


def formulas_by_name(derived: Any) -> dict[str, str]:
    """Formulas by name; a formula without one is its own name.

    Parameters
    ----------
    derived : str, collection of str, or mapping of str to str

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> formulas_by_name({"S^2*sigma"})
    {'S^2*sigma': 'S^2*sigma'}
    """
    if isinstance(derived, Mapping):
        return {str(name): text for name, text in derived.items()}
    texts = [derived] if isinstance(derived, str) else derived
    return {text: text for text in (sorted(texts) if isinstance(texts, (set, frozenset)) else texts)}


def read_library(
    table: Any,
    composition: Sequence[str],
    columns: Sequence[str] | None,
    derived: Mapping[str, str],
    errors: Mapping[str, Any],
    position: Sequence[str],
    total: float | None = None,
) -> LibraryTable:
    """Read the columns of a library.

    Parameters
    ----------
    table : DataFrame or mapping of str to array-like
    composition, position : sequence of str
    columns : sequence of str or None
        Measured properties; None for none but those that formulas name.
    derived : mapping of str to str
        Formulas by name.
    errors : mapping of str to (str or float)
        Of measured columns: the header of their standard errors, a number, or ``"5 %"``.
    total : float, optional

    Returns
    -------
    LibraryTable

    Raises
    ------
    InputError
        For columns that are not there, cells that are no numbers, fractions that miss their sum.

    Examples
    --------
    >>> read_library({"A": [0.1, 0.5, 0.9, 0.3, 0.7], "B": [0.9, 0.5, 0.1, 0.7, 0.3], "S": [1.0] * 5},
    ...              ["A", "B"], ["S"], {}, {}, ())
    LibraryTable(5 positions, S)
    """
    if not isinstance(table, (pd.DataFrame, Mapping)):
        raise InputError(
            sentence(_PLACE, "X", "be a table with headers", table,
                     remedy="Read a file first: pandas.read_csv(path).")
        )  # fmt: skip
    frame = table if isinstance(table, pd.DataFrame) else pd.DataFrame(dict(table))
    frame = frame.rename(columns=str).reset_index(drop=True)
    headers = [str(name) for name in frame.columns]
    components = tuple(_header(name, headers, "composition") for name in composition)
    places = tuple(_header(name, headers, "position") for name in position)
    shared = [name for name in places if name in components]
    if shared:
        raise InputError(
            sentence(_PLACE, "position", "name other columns than composition", shared[0],
                     remedy="Leave it out of one of them.")
        )  # fmt: skip
    X, whole = _fractions(frame, components, total)
    R = _numbers(frame, places, "position")
    varying = [k for k in range(len(places)) if np.ptp(R[:, k]) > 1e-9 * np.abs(R[:, k]).max()]
    measured = tuple(_header(name, headers, "columns") for name in columns or ())
    formulas = {name: ColumnFormula(text, headers) for name, text in derived.items()}
    if not measured and not formulas:
        raise InputError(
            sentence(_PLACE, "columns", "name a property, or derived a formula", columns,
                     remedy="Write columns=['S'] or derived='S^2*sigma'.")
        )  # fmt: skip
    used = tuple(dict.fromkeys([*measured, *(c for f in formulas.values() for c in f.columns)]))
    cells = {name: _numbers(frame, (name,), "columns", missing=True)[:, 0] for name in used}
    spreads = _errors(frame, headers, cells, errors)
    pairs = [(cells[name], spreads.get(name, np.zeros(len(frame)))) for name in measured]
    pairs += [formula.value_and_error(cells, spreads) for formula in formulas.values()]
    split = [split_unit(name) for name in (*measured, *formulas)]
    return LibraryTable(
        components, X, whole, tuple(places[k] for k in varying), R[:, varying],
        tuple(name for name, _ in split), tuple(unit for _, unit in split),
        np.column_stack([value for value, _ in pairs]), np.column_stack([error for _, error in pairs]),
    )  # fmt: skip


def require_enough(values: Array, name: str, n_components: int) -> NDArray[np.bool_]:
    """Positions with a result; refuse too few of them."""
    known = np.isfinite(values)
    least = max(_FEWEST, n_components + 1)
    if known.sum() < least:
        raise InputError(
            sentence(_PLACE, f"property {name!r}", f"have results at {least} positions or more",
                     int(known.sum()), at=f"of {len(values)}", remedy="Measure more positions.")
        )  # fmt: skip
    return known


def _header(word: str, headers: list[str], argument: str) -> str:
    """Header that a word stands for."""
    found, hint = find_header(str(word), headers)
    if found is None:
        raise InputError(sentence(_PLACE, argument, "name columns of the table", word, remedy=hint))
    return found


def _numbers(frame: pd.DataFrame, names: Sequence[str], argument: str, *, missing: bool = False) -> Array:
    """Columns as numbers; cells may be empty where ``missing`` is set."""
    out = np.empty((len(frame), len(names)))
    for k, name in enumerate(names):
        cells = frame[name]
        if getattr(cells, "ndim", 1) != 1:
            raise InputError(
                sentence(_PLACE, argument, "name columns that occur once", name, remedy="Rename one of them.")
            )
        numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        empty = cells.isna().to_numpy() | (cells.astype(str).str.strip() == "").to_numpy()
        wrong = ~np.isfinite(numbers) & ~(empty if missing else np.zeros(len(frame), dtype=np.bool_))
        if wrong.any():
            row = int(np.argmax(wrong))
            remedy = "Leave the cell empty if it was not measured." if missing else "Fill or drop this row."
            cell = cells.iloc[row]
            raise InputError(
                sentence(_PLACE, f"column {name!r}", "hold finite numbers",
                         cell.item() if isinstance(cell, np.generic) else cell,
                         at=f"at row {row}", remedy=remedy)
            )  # fmt: skip
        out[:, k] = numbers
    return out


def _fractions(frame: pd.DataFrame, components: tuple[str, ...], total: float | None) -> tuple[Array, float]:
    """Amounts and their sum; tiny negative ones are zero, small misses of the sum are repaired."""
    X = _numbers(frame, components, "composition")
    if not len(X):
        raise InputError(sentence(_PLACE, "table", "have rows", 0, remedy="Read the table again."))
    whole = float(np.median(X.sum(axis=1))) if total is None else float(total)
    usual = min((1.0, 100.0), key=lambda size: abs(whole - size) / size)
    if total is None and abs(whole - usual) <= 2e-3 * usual:
        whole = usual
    if total is None and whole != usual:
        warnings.warn(
            f"{_PLACE}: {' + '.join(components)} add up to {whole:.6g}, neither 1 nor 100; that was taken "
            f"for the whole. Say total={whole:.6g} if it is meant, or correct the composition.",
            ConvergenceWarning,
            stacklevel=5,
        )
    bad = -_NEGATIVE * abs(whole) > X
    if bad.any():
        row, column = (int(k) for k in np.argwhere(bad)[0])
        raise InputError(
            sentence(_PLACE, f"column {components[column]!r}", "be amounts of 0 or more",
                     float(X[row, column]), at=f"at row {row}", remedy="Correct or drop this row.")
        )  # fmt: skip
    space = Mixture(components, total=whole)
    X = space.matrix(pd.DataFrame(np.maximum(X, 0.0), columns=list(components)), place=_PLACE)
    if (np.ptp(X, axis=0) <= 1e-9 * whole).sum() > len(components) - 2:
        raise InputError(
            sentence(_PLACE, "composition", "vary in two components or more",
                     [float(f"{value:.6g}") for value in X[0]], at="in all rows",
                     remedy="Name the components that were spread.")
        )  # fmt: skip
    return X, whole


def _errors(
    frame: pd.DataFrame, headers: list[str], cells: Mapping[str, Array], errors: Mapping[str, Any]
) -> dict[str, Array]:
    """Standard errors of the columns that have some."""
    found: dict[str, Array] = {}
    for word, given in errors.items():
        name = _header(word, list(cells), "errors")
        percent = _PERCENT.fullmatch(given) if isinstance(given, str) and given not in headers else None
        if percent:
            spread = float(percent.group(1)) / 100.0 * np.abs(cells[name])
        elif isinstance(given, str):
            spread = _numbers(frame, (_header(given, headers, "errors"),), "errors", missing=True)[:, 0]
            spread = np.where(np.isfinite(cells[name]), spread, 0.0)
        else:
            spread = np.full(len(frame), given, dtype=np.float64)
        spread = np.where(np.isfinite(cells[name]), spread, 0.0)
        wrong = ~((spread >= 0) & np.isfinite(spread))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(
                sentence(_PLACE, f"the error of {name!r}", "be 0 or more", float(spread[row]),
                         at=f"at row {row}", remedy="Give standard errors, a number or '5 %'.")
            )  # fmt: skip
        found[name] = spread
    return found
