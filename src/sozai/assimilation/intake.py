"""Read descriptors, sources, standard deviations and laboratories; say what cannot be used and where."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import DataConversionWarning

from sozai.contracts.errors import InputError, UnitError, sentence
from sozai.contracts.unit_headers import split_unit
from sozai.contracts.units import convert, convertible

__all__ = ["Sources", "read_domain", "read_sigma", "read_sources", "source_number", "split_labels"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sources:
    """Values of all sources in one unit.

    Attributes
    ----------
    values : ndarray of shape (n, d)
        NaN where missing.
    names : tuple of str
    unit : str or None
    flat : bool
        Whether one column came as a vector.
    """

    values: Array
    names: tuple[str, ...]
    unit: str | None
    flat: bool


def split_labels(X: Any, column: str, *, place: str, needed: bool = True) -> tuple[Any, Any]:
    """Take the column of laboratories out of a table; None where a cell is empty."""
    if not hasattr(X, "columns"):
        if needed:
            raise InputError(
                sentence(
                    place, "X", f"be a DataFrame with the column {column!r} (laboratory)", type(X).__name__,
                    remedy="Pass a DataFrame, or leave offset out.",
                )
            )  # fmt: skip
        return X, None
    if column not in list(X.columns):
        if needed:
            raise InputError(
                sentence(
                    place, "X", f"have the column {column!r} of laboratories", list(map(str, X.columns)),
                    remedy="Add the column, or leave offset out.",
                )
            )  # fmt: skip
        return X, None
    cells = X[column]
    labels = np.array(
        [None if missing else str(v) for v, missing in zip(cells, cells.isna(), strict=True)], object
    )
    return X.drop(columns=[column]), labels


def read_sources(Y: Any, n: int, *, place: str) -> Sources:
    """Turn Y into columns of one unit, NaN kept.

    Parameters
    ----------
    Y : array-like, Series or DataFrame of shape (n, d) or (n,)
        Units in headers, as in ``M_calc (T)``, are brought to that of the last source.
    n : int
        Rows of X.

    Raises
    ------
    InputError
        For text, infinities and another number of rows.
    UnitError
        When units of two sources have different dimensions, or only some have one.
    """
    if Y is None:
        raise InputError(
            f"{place}: Y must be given; this estimator requires y to be passed, but the target y is None."
        )
    names = [str(name) for name in Y.columns] if hasattr(Y, "columns") else None
    raw = np.asarray(Y)
    flat = raw.ndim == 1
    if flat and getattr(Y, "name", None) is not None:
        names = [str(Y.name)]
    if raw.ndim == 2 and raw.shape[1] == 1 and names is None:
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected. Pass Y.ravel() for one source.",
            DataConversionWarning,
            stacklevel=4,
        )
    if raw.ndim not in (1, 2) or (raw.ndim == 2 and raw.shape[1] == 0):
        raise InputError(
            sentence(
                place, "Y", "have one column per source", f"shape {raw.shape}", remedy="Pass (n, d) values."
            )
        )
    if np.iscomplexobj(raw):
        raise InputError(
            sentence(
                place, "Y", "be real. Complex data not supported", raw.dtype, remedy="Pass real columns."
            )
        )
    raw = raw.reshape(len(raw), -1)
    names = names or (["y"] if flat else [f"y{j}" for j in range(raw.shape[1])])
    values = _numbers(raw, names, place)
    if len(values) != n:
        raise InputError(
            sentence(
                place, "Y", f"have one row for each of the {n} rows of X", len(values),
                remedy="X and Y have inconsistent numbers of samples: take both from one table.",
            )
        )  # fmt: skip
    wrong = np.isinf(values)
    if wrong.any():
        row, column = (int(k) for k in np.argwhere(wrong)[0])
        raise InputError(
            f"{place}: Y must be finite or NaN for missing. Input y contains infinity "
            f"({int(wrong.sum())} of {values.size} values), first at row {row}, column {names[column]!r}. "
            "Write NaN for a missing value."
        )
    return _in_one_unit(values, names, place, flat)


def _numbers(raw: Any, names: list[str], place: str) -> Array:
    """Floats, or the first cell that is none."""
    try:
        return np.array(raw, dtype=np.float64)
    except (TypeError, ValueError):
        out = np.empty(raw.shape)
        for row, column in np.ndindex(raw.shape):
            cell = raw[row, column]
            try:
                out[row, column] = np.nan if cell is None else float(cell)
            except (TypeError, ValueError):
                missing = type(cell).__name__ == "NAType"
                if not missing:
                    raise InputError(
                        sentence(
                            place,
                            "Y",
                            "hold numbers or NaN",
                            str(cell),
                            at=f"at row {row}, column {names[column]!r}; argument must be a number",
                            remedy="Correct the cell, or leave it empty.",
                        )
                    ) from None
                out[row, column] = np.nan
        return out


def _in_one_unit(values: Array, names: list[str], place: str, flat: bool) -> Sources:
    """Bring all columns to the unit of the last one."""
    parts = [split_unit(name) for name in names]
    units = [unit for _, unit in parts]
    if len({unit for unit in units if unit is not None}) <= 1:
        unit = next((u for u in units if u is not None), None)
        return Sources(values, tuple(names), unit, flat)
    target = units[-1]
    if target is None or None in units:
        raise UnitError(
            sentence(
                place, "Y", "have a unit in every header, or in none", names,
                remedy="Write the unit behind every name, as in 'M_calc (T)'.",
            )
        )  # fmt: skip
    for j, unit in enumerate(units):
        if not convertible(str(unit), target):
            raise UnitError(
                sentence(
                    place, "units of Y", f"have the dimension of {target!r}", unit,
                    at=f"in column {names[j]!r}",
                    remedy="Bring all sources to one quantity; the coupling C compares sizes.",
                )
            )  # fmt: skip
        values[:, j] = convert(values[:, j], str(unit), target)
    return Sources(values, tuple(f"{name} ({target})" for name, _ in parts), target, flat)


def read_sigma(sigma: Any, shape: tuple[int, int], *, place: str) -> Array | None:
    """Known standard deviations as (n, d); 0 where not known.

    Parameters
    ----------
    sigma : None, float, or array-like of shape (d,), (n,) with d = 1, or (n, d)
        NaN or 0 where not known, in the unit of Y.
    """
    if sigma is None:
        return None
    values = np.asarray(sigma, dtype=np.float64)
    if values.ndim == 1 and shape[1] == 1 and len(values) == shape[0]:
        values = values[:, None]
    try:
        values = np.nan_to_num(np.broadcast_to(values, shape), nan=0.0, posinf=np.inf)
    except ValueError:
        raise InputError(
            sentence(
                place, "sigma", f"have the shape of Y {shape}, or one value per source", values.shape,
                remedy="Write NaN where it is not known.",
            )
        ) from None  # fmt: skip
    wrong = (values < 0) | np.isinf(values)
    if wrong.any():
        row, column = (int(k) for k in np.argwhere(wrong)[0])
        raise InputError(
            sentence(
                place, "sigma", "be finite and 0 or more", float(values[row, column]),
                at=f"at row {row}, column {column}", remedy="Pass standard deviations, NaN where not known.",
            )
        )  # fmt: skip
    return values


def read_domain(domain: Any, X: Array, *, place: str) -> Array:
    """Lowest and highest value of every descriptor, of shape (q, 2); those of X when left out."""
    if domain is None:
        found = np.stack([X.min(axis=0), X.max(axis=0)], axis=1)
        flat = found[:, 1] - found[:, 0] <= 1e-12 * np.abs(found).max(axis=1)
        found[flat] += [-0.5, 0.5]
        return found
    values = np.asarray(domain, dtype=np.float64)
    if values.shape == (2,) and X.shape[1] == 1:
        values = values[None, :]
    if (
        values.shape != (X.shape[1], 2)
        or not np.isfinite(values).all()
        or not (values[:, 0] < values[:, 1]).all()
    ):
        raise InputError(
            sentence(
                place, "domain", f"hold (low, high) with low < high for each of {X.shape[1]} columns", domain,
                remedy="Write for example domain=[(0, 1), (300, 900)].",
            )
        )  # fmt: skip
    return values


def source_number(source: Any, names: tuple[str, ...], *, place: str, argument: str = "source") -> int:
    """Number of a source given by name or position."""
    d = len(names)
    if isinstance(source, str) and source in names:
        return names.index(source)
    if isinstance(source, str):
        bare = [split_unit(name)[0] for name in names]
        if source in bare:
            return bare.index(source)
    if isinstance(source, (int, np.integer)) and not isinstance(source, bool) and -d <= source < d:
        return int(source) % d
    raise InputError(
        sentence(
            place, argument, f"be one of {', '.join(names)} or a number from {-d} to {d - 1}", source,
            remedy="Name a source as in Y.",
        )
    )  # fmt: skip
