"""Which features of a table can carry a kernel mean, and what every component weighs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sozai.contracts.errors import InputError, sentence

__all__ = ["UsableTable", "check_groups", "component_factors", "usable_table"]

_PLACE = "KernelMeanDescriptor.fit"
#: A range below this share of the largest value is rounding.
_CONSTANT = 1e-12
_MASS = ("atomic_weight", "atomic_mass", "mass", "molar_mass", "molecular_weight")
_VOLUME = ("atomic_volume", "molar_volume", "volume")


@dataclass(frozen=True, eq=False)
class UsableTable:
    """Table without the features that are the same for all components.

    Attributes
    ----------
    table : ComponentTable
    known : bool ndarray of shape (n_components, n_features)
        False where a value shall not count.
    dropped : tuple of str
        Features left out.
    duplicates : tuple of (str, str)
        Pairs of features with the same values after scaling.

    Examples
    --------
    >>> import pandas as pd
    >>> from sozai.composition.elements import ComponentTable
    >>> frame = pd.DataFrame({"Z": [11.0, 17.0], "radius": [186.0, 100.0]}, index=["Na", "Cl"])
    >>> usable_table(ComponentTable.from_frame(frame), "use").dropped
    ()
    """

    table: Any
    known: np.ndarray
    dropped: tuple[str, ...]
    duplicates: tuple[tuple[str, str], ...]


def usable_table(table: Any, imputed: str) -> UsableTable:
    """Leave out constant features, find equal ones, mark the cells that count.

    Parameters
    ----------
    table : ComponentTable
    imputed : {"use", "renormalise"}
        Whether filled-in cells count.

    Returns
    -------
    UsableTable

    Raises
    ------
    InputError
        When no feature differs between components.

    Warns
    -----
    UserWarning
        Names the features left out, and the equal ones.

    Examples
    --------
    >>> import pandas as pd
    >>> from sozai.composition.elements import ComponentTable
    >>> frame = pd.DataFrame({"radius": [186.0, 100.0]}, index=["Na", "Cl"])
    >>> usable_table(ComponentTable.from_frame(frame), "use").known.tolist()
    [[True], [True]]
    """
    values = np.asarray(table.values, dtype=np.float64)
    known = np.ones(values.shape, dtype=bool) if imputed == "use" else ~np.asarray(table.imputed)
    low = np.min(values, axis=0, initial=np.inf, where=known)
    high = np.max(values, axis=0, initial=-np.inf, where=known)
    size = np.maximum(np.abs(low), np.abs(high))
    varies = known.any(axis=0) & (high - low > _CONSTANT * size)
    dropped = tuple(str(name) for name, kept in zip(table.features, varies, strict=True) if not kept)
    if not varies.any():
        raise InputError(
            sentence(
                _PLACE, "table", "hold a feature that differs between components",
                f"{values.shape[0]} components, constant: {', '.join(dropped)}",
                remedy="Add components or features.",
            )
        )  # fmt: skip
    if dropped:
        warnings.warn(
            f"{_PLACE}: these features are the same for all components and are left out: "
            f"{', '.join(dropped)}.",
            UserWarning,
            stacklevel=4,
        )
        table = table.subset(features=[name for name in table.features if name not in dropped])
    duplicates = _duplicates(values[:, varies], known[:, varies], table.features)
    if duplicates:
        pairs = ", ".join(f"{a} = {b}" for a, b in duplicates)
        warnings.warn(
            f"{_PLACE}: these features have the same values after scaling and count twice: {pairs}.",
            UserWarning,
            stacklevel=4,
        )
    return UsableTable(table, known[:, varies], dropped, duplicates)


def component_factors(table: Any, weights: str) -> np.ndarray | None:
    """Mass, volume or another measure of one unit of every component.

    Parameters
    ----------
    table : ComponentTable
        As given, constant features included.
    weights : str
        ``"atomic"`` for none; ``"mass"``, ``"volume"``, or a column of the table.

    Returns
    -------
    ndarray of shape (n_components,) or None

    Raises
    ------
    InputError
        When the table has no such column, or a value is not positive.

    Examples
    --------
    >>> import pandas as pd
    >>> from sozai.composition.elements import ComponentTable
    >>> frame = pd.DataFrame({"atomic_weight": [1.008, 15.999]}, index=["H", "O"])
    >>> component_factors(ComponentTable.from_frame(frame), "mass").tolist()
    [1.008, 15.999]
    """
    if weights == "atomic":
        return None
    candidates = {"mass": _MASS, "volume": _VOLUME}.get(weights, (weights,))
    found = [name for name in (weights, *candidates) if name in table.features]
    if not found:
        raise InputError(
            sentence(
                _PLACE, "weights", "be 'atomic' or a column of the table",
                weights, at=f"and no column {' or '.join(map(repr, candidates))}",
                remedy="Add the column to the table, or name the one that holds it.",
            )
        )  # fmt: skip
    factors = np.asarray(table.column(found[0]), dtype=np.float64)
    bad = ~(np.isfinite(factors) & (factors > 0))
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise InputError(
            sentence(
                _PLACE, f"the column {found[0]!r}", "be positive to serve as weights", float(factors[first]),
                at=f"for {table.components[first]}", remedy="Choose another column.",
            )
        )  # fmt: skip
    return factors


def check_groups(groups: Any, features: Sequence[str], dropped: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Groups of features that exist, each feature in one group at most.

    Parameters
    ----------
    groups : mapping of str to sequence of str
    features, dropped : sequence of str
        What the table holds, and what was left out of it.

    Returns
    -------
    dict of str to tuple of str
        Without dropped features, and without groups that are then empty.

    Examples
    --------
    >>> check_groups({"size": ["radius", "period"]}, ["radius", "Z"], ["period"])
    {'size': ('radius',)}
    """
    if not isinstance(groups, Mapping) or not groups:
        raise InputError(
            sentence(
                _PLACE, "groups", "name the features of every group for mode='product'", groups,
                remedy="Pass e.g. groups={'size': ['atomic_radius', 'atomic_volume']}.",
            )
        )  # fmt: skip
    seen: dict[str, str] = {}
    checked: dict[str, tuple[str, ...]] = {}
    for name, members in groups.items():
        members = (members,) if isinstance(members, str) else tuple(members)
        for member in members:
            if member not in features and member not in dropped:
                raise InputError(
                    sentence(
                        _PLACE, "groups", "name features of the table", member, at=f"in group {name!r}",
                        remedy="See table.features for the names.",
                    )
                )  # fmt: skip
            if member in seen:
                raise InputError(
                    sentence(
                        _PLACE, "groups", "hold every feature once", member,
                        at=f"in groups {seen[member]!r} and {name!r}", remedy="Take it out of one.",
                    )
                )  # fmt: skip
            seen[member] = str(name)
        kept = tuple(member for member in members if member in features)
        if kept:
            checked[str(name)] = kept
    if not checked:
        raise InputError(
            sentence(
                _PLACE, "groups", "hold a feature that differs between components", ", ".join(seen),
                remedy="Choose other features.",
            )
        )  # fmt: skip
    return checked


def _duplicates(values: np.ndarray, known: np.ndarray, names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Pairs (first, later) of columns that agree to rounding once scaled from 0 to 1."""
    counted = np.where(known, values, np.nan)
    low, high = np.nanmin(counted, axis=0), np.nanmax(counted, axis=0)
    scaled = np.nan_to_num((counted - low) / (high - low), nan=-1.0).round(11) + 0.0
    first: dict[bytes, str] = {}
    pairs = []
    for name, column in zip(names, scaled.T, strict=True):
        key = np.ascontiguousarray(column).tobytes()
        if key in first:
            pairs.append((first[key], str(name)))
        else:
            first[key] = str(name)
    return tuple(pairs)
