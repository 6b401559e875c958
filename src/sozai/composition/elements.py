"""The elements as components: tables by name, oxidation states, and how much rests on predicted cells."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from sozai.composition.component_table import ComponentTable
from sozai.contracts.errors import InputError, sentence
from sozai.datasets import load_oxidation_states

__all__ = ["ComponentTable", "as_table", "imputation_share", "oxidation_states"]


def as_table(table: Any = None, *, place: str = "as_table") -> ComponentTable:
    """Turn what a user may pass into a table of components.

    Parameters
    ----------
    table : None, str, path-like, DataFrame or ComponentTable
        ``None``, ``"sozai"`` and ``"elements"`` are the bundled table of
        the elements; ``"published"`` is that of the paper; another text is the
        path of a CSV file.
    place : str
        Who asks, for the message.

    Returns
    -------
    ComponentTable

    Raises
    ------
    InputError
        For anything else, and for a path at which there is no file.

    Examples
    --------
    >>> as_table()
    ComponentTable sozai: 103 components H ... Lr, 59 features, 528 imputed cells
    >>> as_table(pd.DataFrame({"mass": [28.05, 42.08]}, index=["ethylene", "propylene"])).features
    ('mass',)
    """
    if isinstance(table, ComponentTable):
        return table
    if table is None or (isinstance(table, str) and table in ("sozai", "elements")):
        return _bundled()
    if isinstance(table, str) and table == "published":
        return ComponentTable.elements("published")
    if isinstance(table, pd.DataFrame):
        return ComponentTable.from_frame(table)
    requirement = "be 'sozai', 'published', a ComponentTable, a DataFrame or the path of a CSV file"
    if isinstance(table, str | os.PathLike):
        if os.path.isfile(table):
            return ComponentTable.from_csv(table)
        remedy = "There is no such file; leave `table` out for the elements."
        raise InputError(sentence(place, "table", requirement, os.fspath(table), remedy=remedy))
    remedy = "Leave it out for the elements."
    raise InputError(sentence(place, "table", requirement, type(table).__name__, remedy=remedy))


@lru_cache(maxsize=1)
def _bundled() -> ComponentTable:
    return ComponentTable.elements("sozai")


def imputation_share(W: Any, table: ComponentTable) -> np.ndarray:
    r"""Weight of each sample and feature that rests on predicted cells.

    Parameters
    ----------
    W : csr_array or array-like of shape (n_samples, n_components)
        Fractions, columns in the order of the table's components.
    table : ComponentTable

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        :math:`\sum_i w_i \, [\text{cell } (i, k) \text{ was predicted}]`,
        between 0 and 1; NaN for an empty row.

    Raises
    ------
    InputError
        When ``W`` has another number of columns.

    Notes
    -----
    One sparse product, O(non-zeros · n_features).

    Examples
    --------
    >>> table = as_table().subset(["He", "O"], ["en_pauling", "atomic_weight"])
    >>> imputation_share(np.array([[0.25, 0.75]]), table).tolist()
    [[0.25, 0.0]]
    """
    weights = sp.csr_array(W)
    if weights.shape[1] != len(table.components):
        requirement = f"have one column per component of table {table.name!r} ({len(table.components)})"
        remedy = "Bring the columns into the order of `table.components`."
        raise InputError(sentence("imputation_share", "W", requirement, weights.shape[1], remedy=remedy))
    share = np.asarray(weights @ table.imputed.astype(np.float64))
    share[np.diff(weights.indptr) == 0] = np.nan
    return share


@lru_cache(maxsize=2)
def oxidation_states(which: str = "common") -> Mapping[str, tuple[int, ...]]:
    """Oxidation states of the elements hydrogen to lawrencium.

    Parameters
    ----------
    which : {"common", "known"}
        States to try first, or all that any source lists.

    Returns
    -------
    mapping of str to tuple of int
        Read-only; states in increasing order, empty where there are none.

    Raises
    ------
    InputError
        For another word.

    See Also
    --------
    sozai.datasets.load_oxidation_states : The table with its sources.

    Examples
    --------
    >>> oxidation_states()["Fe"], oxidation_states()["He"]
    ((2, 3), ())
    >>> oxidation_states("known")["O"]
    (-2, -1, 1, 2)
    """
    if which not in ("common", "known"):
        remedy = "Use 'common' unless a rare state is meant."
        raise InputError(
            sentence("oxidation_states", "which", "be 'common' or 'known'", which, remedy=remedy)
        )
    frame = load_oxidation_states().frame
    pairs = zip(frame["element"], frame[which], strict=True)
    return MappingProxyType({symbol: tuple(int(word) for word in text.split()) for symbol, text in pairs})
