"""Turn user input into arrays, names and generators - or one clear error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence

__all__ = ["as_generator", "as_matrix", "as_names", "as_vector", "require_finite", "spawn"]

RandomState = None | int | np.random.RandomState | np.random.Generator


def as_generator(random_state: RandomState) -> np.random.Generator:
    """Turn ``None``, an int, a RandomState or a Generator into a Generator.

    A ``RandomState`` is read, not shared: it yields one seed, so that the
    sequence it produces afterwards stays its own.
    """
    if isinstance(random_state, np.random.Generator):
        return random_state
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(0, 2**31 - 1, size=4))
    if random_state is None or isinstance(random_state, (int, np.integer)):
        return np.random.default_rng(random_state)
    raise InputError(
        sentence(
            "as_generator",
            "random_state",
            "be None, an int, a RandomState or a Generator",
            random_state,
            remedy="Pass an integer seed.",
        )
    )


def spawn(rng: np.random.Generator, n: int) -> list[np.random.SeedSequence]:
    """Draw ``n`` independent seed sequences, so a result does not depend on who runs which chunk."""
    return np.random.SeedSequence(rng.integers(0, 2**32, size=4).tolist()).spawn(n)


def as_names(
    names: Iterable[object] | None, n_columns: int, *, place: str, prefix: str = "x"
) -> tuple[str, ...]:
    """Column names as unique strings, ``x0, x1, ...`` when none are given."""
    if names is None:
        return tuple(f"{prefix}{j}" for j in range(n_columns))
    given = tuple(str(name) for name in names)
    if len(given) != n_columns:
        raise InputError(
            sentence(
                place,
                "names",
                f"have one entry per column ({n_columns})",
                len(given),
                remedy="Name every column once.",
            )
        )
    seen: set[str] = set()
    for name in given:
        if name in seen:
            raise InputError(
                sentence(place, "column names", "be unique", name, remedy="Rename one of the two columns.")
            )
        seen.add(name)
    return given


def as_matrix(
    X: Any,
    *,
    place: str,
    argument: str = "X",
    min_samples: int = 1,
    min_columns: int = 1,
    names: Sequence[str] | None = None,
    finite: bool = True,
) -> NDArray[np.float64]:
    """Two-dimensional float64 array, or an :class:`InputError` naming row and column.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_samples, n_columns)
        Complex, text and sparse input is refused.
    place, argument : str
        Who asks, for the message.
    min_samples, min_columns : int
        Fewest rows and columns that make sense.
    names : sequence of str, optional
        Column names for the message; read off a DataFrame when left out.
    finite : bool
        Refuse NaN and inf.

    Returns
    -------
    ndarray of shape (n_samples, n_columns)
    """
    if hasattr(X, "toarray"):
        raise InputError(
            sentence(
                place,
                argument,
                "be a dense array",
                type(X).__name__,
                remedy=f"Call {argument}.toarray() first.",
            )
        )
    columns = getattr(X, "columns", None)
    if names is None and columns is not None:
        names = [str(name) for name in columns]
    raw = np.asarray(X)
    if np.iscomplexobj(raw):
        raise InputError(
            sentence(
                place, argument, "be real. Complex data not supported", raw.dtype, remedy="Pass real columns."
            )
        )
    if raw.ndim != 2:
        raise InputError(
            sentence(
                place,
                argument,
                "be a 2D array of samples by columns",
                f"shape {raw.shape}",
                remedy=f"Reshape your data with {argument}.reshape(-1, 1) if it holds one column.",
            )
        )
    values = _to_float(raw, place, argument, names)
    if values.shape[0] < min_samples or values.shape[1] < min_columns:
        raise InputError(
            sentence(
                place,
                argument,
                f"have at least {min_samples} rows and {min_columns} columns",
                f"shape {values.shape}",
                remedy="Add rows or columns.",
            )
        )
    if finite:
        require_finite(values, place=place, argument=argument, names=names)
    return values


def as_vector(
    y: Any, n_samples: int | None = None, *, place: str, argument: str = "y"
) -> NDArray[np.float64]:
    """One-dimensional finite float64 array of ``n_samples`` entries."""
    raw = np.asarray(y)
    if np.iscomplexobj(raw):
        raise InputError(sentence(place, argument, "be real. Complex data not supported", raw.dtype))
    if raw.ndim == 2 and raw.shape[1] == 1:
        raw = raw[:, 0]
    if raw.ndim != 1:
        raise InputError(
            sentence(
                place, argument, "be a 1D array", f"shape {raw.shape}", remedy="Pass one value per sample."
            )
        )
    values = _to_float(raw[:, None], place, argument, None)[:, 0]
    if n_samples is not None and values.shape[0] != n_samples:
        raise InputError(
            sentence(
                place,
                argument,
                f"have one value per row of X ({n_samples})",
                values.shape[0],
                remedy="Check that both come from the same table.",
            )
        )
    require_finite(values[:, None], place=place, argument=argument)
    return values


def require_finite(
    values: NDArray[np.float64], *, place: str, argument: str = "X", names: Sequence[str] | None = None
) -> None:
    """Raise an :class:`InputError` that names the first NaN or inf by row and column."""
    bad = ~np.isfinite(values)
    if not bad.any():
        return
    row, column = (int(k) for k in np.argwhere(bad)[0])
    label = names[column] if names is not None else column
    kind = "NaN" if np.isnan(values[row, column]) else "infinity"
    raise InputError(
        f"{place}: {argument} must be finite. Input {argument} contains {kind} "
        f"({int(bad.sum())} non-finite of {values.size} values), first at row {row}, column {label!r}. "
        "Fill or drop these rows first."
    )


def _to_float(
    raw: NDArray[Any], place: str, argument: str, names: Sequence[str] | None
) -> NDArray[np.float64]:
    """Numbers as float64; the first text that is not a number is named."""
    try:
        return np.asarray(raw, dtype=np.float64)
    except (TypeError, ValueError):
        for row, column in np.ndindex(raw.shape):
            try:
                float(raw[row, column])
            except (TypeError, ValueError):
                label = names[column] if names is not None else column
                raise InputError(
                    sentence(
                        place,
                        argument,
                        "hold numbers only",
                        raw[row, column],
                        at=f"at row {row}, column {label!r} (dtype {raw.dtype}); argument must be a number",
                        remedy="Remove the column or turn it into numbers.",
                    )
                ) from None
        raise
