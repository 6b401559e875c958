"""Compositions and the columns beside them, read whole or a block of rows at a time, and where results go."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from sozai.composition.formula import as_compositions
from sozai.composition.side_columns import is_text, row_blocks, split_side_columns
from sozai.contracts.errors import InputError, sentence

__all__ = ["CompositionReader", "RowRange", "names_of", "open_target", "side_values"]


@dataclass(frozen=True, eq=False)
class RowRange:
    """Some rows of parsed compositions.

    Attributes
    ----------
    fractions : csr_array of shape (n_rows, n_components)
    n_atoms, refused, rows : ndarray of shape (n_rows,)

    Examples
    --------
    >>> from sozai.composition.formula import parse_formulas
    >>> RowRange.of(parse_formulas(["NaCl", "KCl", "LiF"]), slice(1, 3)).rows.tolist()
    [1, 2]
    """

    fractions: sp.csr_array
    n_atoms: np.ndarray
    refused: np.ndarray
    rows: np.ndarray

    @classmethod
    def of(cls, parsed: Any, rows: slice) -> RowRange:
        """Take rows out of parsed compositions.

        Parameters
        ----------
        parsed : ParsedFormulas
        rows : slice

        Returns
        -------
        RowRange
        """
        return cls(parsed.fractions[rows], parsed.n_atoms[rows], parsed.refused[rows], parsed.rows[rows])


@dataclass(frozen=True)
class CompositionReader:
    """Turn what a user passes into compositions over the components of a table.

    Attributes
    ----------
    components : tuple of str
    extra : tuple of str
        Columns of a DataFrame that stand beside the formula.
    on_error : {"raise", "nan", "skip"}

    Examples
    --------
    >>> frame = pd.DataFrame({"formula": ["NaCl"], "T": [300.0]})
    >>> parsed, side = CompositionReader(("Na", "Cl"), ("T",), "raise").read(frame, "example")
    >>> parsed.fractions.toarray().tolist(), side["T"].to_list()
    ([[0.5, 0.5]], [300.0])
    """

    components: tuple[str, ...]
    extra: tuple[str, ...] = ()
    on_error: str = "raise"

    def read(self, X: Any, place: str) -> tuple[Any, pd.DataFrame | None]:
        """Read all rows.

        Parameters
        ----------
        X : compositions, or a DataFrame of them and side columns
        place : str
            Who asks, for the message.

        Returns
        -------
        parsed : ParsedFormulas
        side : DataFrame or None
        """
        formulas, side = split_side_columns(X, self.extra, place=place)
        return as_compositions(formulas, self.components, place=place, on_error=self.on_error), side

    def read_blocks(self, X: Any, chunk: int, place: str) -> Iterator[tuple[int, Any, pd.DataFrame | None]]:
        """Read some rows at a time; numbers are read whole, and handed out in parts.

        Parameters
        ----------
        X, place
            As in :meth:`read`.
        chunk : int
            Rows in a block.

        Yields
        ------
        start : int
        parsed : ParsedFormulas or RowRange
        side : DataFrame or None

        Raises
        ------
        InputError
            With the number of the row in the whole of ``X``.
        """
        formulas, side = split_side_columns(X, self.extra, place=place)
        if not is_text(formulas):
            parsed, _ = self.read(X, place)
            for start in range(0, len(parsed), chunk):
                rows = slice(start, start + chunk)
                yield start, RowRange.of(parsed, rows), None if side is None else side.iloc[rows]
            return
        for start, block in row_blocks(formulas, chunk):
            beside = None if side is None else side.iloc[start : start + chunk]
            try:
                parsed = as_compositions(block, self.components, place=place, on_error=self.on_error)
            except InputError:
                self.read(X, place)  # the same error, with the number of the row in X
                raise
            yield start, parsed, beside


def side_values(name: str, parsed: Any, side: pd.DataFrame | None) -> np.ndarray:
    """One side column: from the frame, else the number of atoms.

    Parameters
    ----------
    name : str
    parsed : ParsedFormulas or RowRange
    side : DataFrame or None

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    InputError
        When the number of atoms is not known.

    Examples
    --------
    >>> from sozai.composition.formula import parse_formulas
    >>> side_values("n_atoms", parse_formulas(["Fe2O3"]), None).tolist()
    [5.0]
    """
    if side is not None and name in side.columns:
        values = side[name].to_numpy()
        return values if len(values) == len(parsed.refused) else values[parsed.rows]
    missing = np.isnan(parsed.n_atoms) & ~parsed.refused
    if missing.any():
        raise InputError(
            sentence(
                "KernelMeanDescriptor.transform", "X", "tell the number of atoms for extra=('n_atoms',)",
                "fractions", at=f"at row {int(np.flatnonzero(missing)[0])}",
                remedy="Pass formulas, or a column 'n_atoms'.",
            )
        )  # fmt: skip
    return parsed.n_atoms


def names_of(parsed: Any) -> np.ndarray:
    """Formulas as given; reduced formulas where none were given as text.

    Parameters
    ----------
    parsed : ParsedFormulas

    Returns
    -------
    ndarray of shape (n_samples,)

    Examples
    --------
    >>> from sozai.composition.formula import parse_formulas
    >>> names_of(parse_formulas(["Fe4O6"])).tolist()
    ['Fe4O6']
    """
    if all(isinstance(text, str) for text in parsed.texts):
        return parsed.texts
    return parsed.keys()


@contextmanager
def open_target(
    out: Any, shape: tuple[int, int], dtype: str, place: str
) -> Iterator[Callable[[int, np.ndarray], None]]:
    """Give a place to write rows to: an array, or a file that takes its name when it is complete.

    Parameters
    ----------
    out : ndarray or path-like
    shape : tuple of int
    dtype : str
    place : str
        Who asks, for the message.

    Yields
    ------
    callable
        Takes the number of the first row and some rows; those of a file come in their order.

    Raises
    ------
    InputError
        When the array has another shape or type.

    Examples
    --------
    >>> out = np.empty((1, 2))
    >>> with open_target(out, (1, 2), "float64", "example") as write:
    ...     write(0, np.array([[3.0, 3.0]]))
    >>> out.tolist()
    [[3.0, 3.0]]
    """
    if isinstance(out, np.ndarray):
        if out.shape != shape or out.dtype != dtype:
            raise InputError(
                sentence(
                    place, "out", f"have shape {shape} and type {dtype}", f"{out.shape}, {out.dtype}",
                    remedy="Make it with np.empty of that shape and type.",
                )
            )  # fmt: skip

        def fill(start: int, rows: np.ndarray) -> None:
            out[start : start + len(rows)] = rows

        yield fill
        return
    path = Path(out)
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        with unfinished.open("wb") as file:  # written, not mapped: mapped pages would stay in memory
            header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            yield lambda _, rows: np.ascontiguousarray(rows, dtype=dtype).tofile(file)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
