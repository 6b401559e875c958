"""Lists of points to choose from: binary, ternary and quaternary compositions, temperatures."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.errors import InputError, sentence

__all__ = ["composition_grid", "parse_grid", "with_condition"]

_COMPONENTS = {"binary": 2, "ternary": 3, "quaternary": 4, "quinary": 5}
#: Points above which a grid is refused.
_MOST = 5_000_000


def composition_grid(
    n_components: int,
    step: float = 0.01,
    names: Sequence[str] | None = None,
    *,
    whole: float = 1.0,
) -> pd.DataFrame:
    """All compositions whose fractions are multiples of a step.

    Parameters
    ----------
    n_components : int
        2 for a binary, 3 for a ternary, 4 for a quaternary system.
    step : float, default=0.01
        Part of the whole; its inverse must be a whole number.
    names : sequence of str, optional
        Components; ``A, B, C, ...`` when left out.
    whole : {1, 100}, default=1
        100 for per cent.

    Returns
    -------
    DataFrame
        One column a component. Fractions are
        the nearest floating-point numbers.

    Raises
    ------
    InputError
        For a step that does not divide the whole, or more than 5 million points.

    Examples
    --------
    >>> composition_grid(3, 0.5, ["Zn", "Mg", "Cu"]).to_numpy().tolist()[:3]
    [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5]]
    >>> len(composition_grid(3, 0.02))
    1326
    """
    place = "composition_grid"
    if isinstance(n_components, bool) or not isinstance(n_components, int) or not 2 <= n_components <= 8:
        raise InputError(sentence(place, "n_components", "be 2 to 8", n_components))
    count = round(1.0 / step) if np.isfinite(step) and 0 < step <= 1 else 0
    if count < 1 or abs(count * step - 1.0) > 1e-6:
        raise InputError(
            sentence(place, "step", "divide the whole, such as 0.1 or 0.02", step,
                     remedy="Take one over a whole number.")
        )  # fmt: skip
    labels = [chr(65 + k) for k in range(n_components)] if names is None else [str(name) for name in names]
    if len(labels) != n_components or len(set(labels)) < n_components:
        raise InputError(sentence(place, "names", f"be {n_components} different names", labels))
    size = _count(count, n_components)
    if size > _MOST:
        raise InputError(
            sentence(place, "step", f"give at most {_MOST:,} points", size, remedy="Take a larger step.")
        )
    parts = _compositions(count, n_components)
    return pd.DataFrame(whole * parts / count, columns=labels)


def with_condition(points: pd.DataFrame, name: str, values: ArrayLike) -> pd.DataFrame:
    """Every point at every value of a condition, such as a temperature.

    Parameters
    ----------
    points : DataFrame
    name : str
        The new column, last.
    values : array-like of shape (m,)

    Returns
    -------
    DataFrame
        ``m * len(points)`` rows, the first value first.

    Examples
    --------
    >>> with_condition(composition_grid(2, 0.5), "T", [800, 900]).shape
    (6, 3)
    """
    levels = np.asarray(values, dtype=np.float64)
    if levels.ndim != 1 or not len(levels) or not np.isfinite(levels).all():
        raise InputError(sentence("with_condition", "values", "be a list of finite numbers", values))
    if name in points.columns:
        raise InputError(sentence("with_condition", "name", "be new", name, remedy="Take another name."))
    frame = points.loc[np.tile(np.arange(len(points)), len(levels))].reset_index(drop=True)
    return frame.assign(**{name: np.repeat(levels, len(points))})


def parse_grid(text: str) -> pd.DataFrame:
    """Grid from one line of text.

    Parameters
    ----------
    text : str
        ``"<kind>:<key>=<value>,..."`` with kind ``binary``, ``ternary``, ``quaternary`` or ``quinary``. Keys:
        ``step`` (0.02, or 2% for per cent), ``names`` (``Cu-Mg-Zn``); any other key is a condition, given as
        ``low..high..step``, as a list ``300/450/700`` or as one value.

    Returns
    -------
    DataFrame

    Raises
    ------
    InputError
        For a text of another form.

    Examples
    --------
    >>> parse_grid("ternary:step=0.02").shape
    (1326, 3)
    >>> parse_grid("binary:step=10%,names=Cu-Zn,T=300..500..100").iloc[-1].tolist()
    [0.0, 100.0, 500.0]
    """
    place = "parse_grid"
    kind, _, rest = text.strip().partition(":")
    if kind not in _COMPONENTS:
        raise InputError(
            sentence(place, "grid", f"begin with one of {', '.join(_COMPONENTS)}", text,
                     remedy="Write ternary:step=0.02.")
        )  # fmt: skip
    step, whole, names, conditions = 0.01, 1.0, None, []
    for item in filter(None, (part.strip() for part in rest.split(","))):
        key, equals, value = (part.strip() for part in item.partition("="))
        if not (key and equals and value):
            raise InputError(sentence(place, "grid", "hold key=value pairs", item, at=f"in {text!r}"))
        if key == "step":
            whole = 100.0 if value.endswith("%") else 1.0
            step = _number(value.rstrip("%"), text) / whole
        elif key == "names":
            names = re.split(r"[-/]", value)
        else:
            conditions.append((key, _levels(value, text)))
    frame = composition_grid(_COMPONENTS[kind], step, names, whole=whole)
    for name, levels in conditions:
        frame = with_condition(frame, name, levels)
    return frame


def _compositions(total: int, n: int) -> NDArray[np.int64]:
    """All rows of n whole numbers that add up to a total, the first column descending."""
    rows = np.arange(total, -1, -1, dtype=np.int64)[:, None]
    for _ in range(n - 2):
        left = total - rows.sum(axis=1)
        repeats = left + 1
        start = np.repeat(np.cumsum(repeats) - repeats, repeats)
        column = np.repeat(left, repeats) - (np.arange(len(start)) - start)
        rows = np.column_stack([np.repeat(rows, repeats, axis=0), column])
    return np.column_stack([rows, total - rows.sum(axis=1)])


def _count(total: int, n: int) -> int:
    """Number of such rows."""
    size = 1
    for k in range(1, n):
        size = size * (total + k) // k
    return size


def _levels(value: str, text: str) -> NDArray[np.float64]:
    """Levels of a condition from low..high..step, a list or one number."""
    if "/" in value:
        return np.array([_number(part, text) for part in value.split("/")])
    parts = [_number(part, text) for part in value.split("..")]
    if len(parts) == 1:
        return np.array(parts)
    low, high, step = (*parts, 0.0)[:3]
    if len(parts) != 3 or step <= 0 or high < low:
        raise InputError(
            sentence("parse_grid", "grid", "give a condition as low..high..step", value, at=f"in {text!r}")
        )
    return low + step * np.arange(int(np.floor((high - low) / step + 1e-9)) + 1)


def _number(value: str, text: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise InputError(sentence("parse_grid", "grid", "hold numbers", value, at=f"in {text!r}")) from None
