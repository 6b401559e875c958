"""Empty cells of a property table from all that was measured, by one process of several properties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from sozai.composition.kernel_mean import KernelMeanDescriptor
from sozai.composition.property_tables import PropertyTable, PropertyValues
from sozai.contracts.checks import RandomState, as_matrix
from sozai.contracts.errors import InputError, sentence
from sozai.numerics.conformal import conformal_quantile
from sozai.numerics.coregional_process import CoregionalProcess

__all__ = ["PropertyFilling", "fill"]


@dataclass(frozen=True, eq=False, repr=False)
class PropertyFilling:
    """A table with its empty cells filled, and how good that is.

    Attributes
    ----------
    table : PropertyTable
        The given table and the filled cells below it, kind ``"filled"``, their standard deviation as
        ``sigma``; it refuses to hand filled cells out for learning.
    filled : DataFrame
        One row a filled cell: material, property, value, sigma, lower, upper, unit.
    scores : DataFrame
        One row a property, from every measured cell predicted without itself: n, rmse, mae, coverage of
        the bands, band_factor (half width of a band in standard deviations).
    correlation : DataFrame
        Correlations of the properties across similar materials, as learned.
    process : CoregionalProcess

    Examples
    --------
    >>> table = PropertyTable(pd.DataFrame({"value": [1.0]}), {"gap": "eV"})
    >>> scores = pd.DataFrame({"rmse": [0.1]}, index=["gap"])
    >>> PropertyFilling(table, pd.DataFrame({"value": [1.1]}), scores, None, None)
    PropertyFilling(1 cell; left-out rmse: gap 0.1)
    """

    table: PropertyTable
    filled: pd.DataFrame
    scores: pd.DataFrame
    correlation: Any
    process: Any

    def to_frame(self) -> pd.DataFrame:
        """Return the filled cells."""
        return self.filled.copy()

    def __repr__(self) -> str:
        n = len(self.filled)
        errors = ", ".join(f"{name} {rmse:.3g}" for name, rmse in self.scores["rmse"].items())
        return f"PropertyFilling({n} cell{'s' if n != 1 else ''}; left-out rmse: {errors})"


def fill(
    table: PropertyTable,
    properties: str | Sequence[str] | None = None,
    *,
    kind: str | None = None,
    at: Mapping[str, Any] | None = None,
    descriptor: Any = None,
    process: CoregionalProcess | None = None,
    level: float = 0.9,
    random_state: RandomState = 0,
) -> PropertyFilling:
    r"""Predict every empty cell of some properties, with its uncertainty.

    Parameters
    ----------
    table : PropertyTable
    properties : str or sequence of str, optional
        All when left out. A cell is filled where a material has a value of another of them.
    kind, at : as for :meth:`PropertyTable.values`
        What to learn from.
    descriptor : transformer, DataFrame or array, optional
        Coordinates of materials: an estimator whose ``transform`` takes formulas, or a DataFrame with the
        materials as index. Isometric kernel means of the bundled elements when left out.
    process : CoregionalProcess, optional
        Unfitted, with options of your own.
    level : float, default=0.9
        Share of cells that the bands are to hold.
    random_state : int, RandomState or Generator, default=0

    Returns
    -------
    PropertyFilling

    Raises
    ------
    InputError
        When the table holds filled values of the chosen properties, kinds or conditions mix, or fewer than
        two values of a property are there.

    See Also
    --------
    sozai.numerics.coregional_process.CoregionalProcess : The process, for any table of numbers.

    Notes
    -----
    :math:`\mathrm{cov}(f_t(x), f_{t'}(x')) = k(x, x')B_{tt'}`, Matérn kernel of the distance of two
    compositions, free-form :math:`B`, noise for every property; replicates of a cell share its noise, and
    a stated ``sigma`` adds to it. The bands are prediction :math:`\pm q\,s`, with q the conformal quantile of
    the errors of left-out cells in units of their standard deviation s. They hold their share when the
    empty cells are like the measured ones, and not when values are missing because of their size.

    Another property helps where it was measured beside the empty cell and correlates with it. One that is
    computed from the composition tells nothing that the coordinates do not, and may cost accuracy, because
    all properties share one length scale.

    Examples
    --------
    >>> from sozai.composition.property_tables import assemble
    >>> salts = ["LiF", "LiCl", "LiBr", "LiI", "NaF", "NaCl", "NaBr", "NaI", "KF", "KCl", "KBr", "KI"]
    >>> a = [4.03, 5.13, 5.50, 6.00, 4.62, 5.64, 5.97, 6.47, 5.35, 6.29, 6.60, 7.07]
    >>> gap = [13.6, 9.4, 7.6, np.nan, 11.5, 8.8, 7.1, 5.9, 10.8, 8.7, np.nan, 6.3]
    >>> table = assemble([pd.DataFrame({"formula": salts, "a [Å]": a, "gap [eV]": gap})])
    >>> filling = fill(table)
    >>> filling.to_frame()[["material", "property", "unit"]].to_numpy().tolist()
    [['LiI', 'gap', 'eV'], ['KBr', 'gap', 'eV']]
    >>> bool((abs(filling.filled["value"] - [6.1, 7.4]) < 2 * filling.filled["sigma"]).all())
    True
    """
    place = "fill"
    if not 0.0 < level < 1.0:
        raise InputError(sentence(place, "level", "lie between 0 and 1", level, remedy="Take 0.9."))
    known = table.values(properties, kind=kind, at=at)
    if not len(known.materials):
        raise InputError(sentence(place, "table", "hold values to learn from", "none"))
    X = _coordinates(known, descriptor, place)
    model = CoregionalProcess(random_state=random_state) if process is None else process
    counts = np.maximum(known.counts, 1)
    # one property fits a column; several a table with its gaps
    if len(known.properties) == 1:
        model.fit(X, known.values[:, 0], n_replicates=counts, known_noise=known.variances)
    else:
        model.fit(X, known.values, n_replicates=counts, known_noise=known.variances)
    mean, std = (part.reshape(known.values.shape) for part in model.complete(True, observation=True))
    scores, factors = _scores(known, model, level)
    filled = _filled(known, mean, std, factors, table)
    correlation = pd.DataFrame(model.correlation_, index=known.properties, columns=known.properties)
    return PropertyFilling(_with_filled(table, filled, model, at), filled, scores, correlation, model)


# --- inside ------------------------------------------------------------------------------------------


def _coordinates(known: PropertyValues, descriptor: Any, place: str) -> np.ndarray:
    """One row of numbers for every material."""
    if isinstance(descriptor, pd.DataFrame):
        missing = [name for name in known.materials if name not in descriptor.index]
        if missing:
            raise InputError(
                sentence(
                    place, "descriptor", f"have a row for every material ({len(known.materials)})",
                    f"none for {missing[0]!r} and {len(missing) - 1} others", remedy="Add the rows.",
                )
            )  # fmt: skip
        return as_matrix(descriptor.loc[known.materials], place=place, argument="descriptor")
    if descriptor is None:
        descriptor = KernelMeanDescriptor(representation="isometric").fit()
    elif not hasattr(descriptor, "components_"):
        descriptor = descriptor.fit(known.materials.tolist())
    return as_matrix(descriptor.transform(known.materials.tolist()), place=place, argument="descriptor")


def _scores(known: PropertyValues, model: CoregionalProcess, level: float) -> tuple[pd.DataFrame, np.ndarray]:
    """Errors of left-out cells, and the half width of a band in standard deviations."""
    left_out = model.leave_one_out_
    rows, factors = [], np.empty(len(known.properties))
    for t in range(len(known.properties)):
        here = np.isfinite(known.values[:, t])
        errors = known.values[here, t] - left_out.mean[here, t]
        ratios = np.abs(left_out.scores[here, t])
        factors[t] = _quantile(ratios, level)
        rows.append(
            {
                "n": int(here.sum()),
                "rmse": float(np.sqrt(np.mean(errors**2))),
                "mae": float(np.mean(np.abs(errors))),
                "coverage": float(np.mean(ratios <= factors[t])),
                "band_factor": float(factors[t]),
            }
        )
    return pd.DataFrame(rows, index=pd.Index(known.properties, name="property")), factors


def _quantile(ratios: np.ndarray, level: float) -> float:
    """Conformal quantile; the largest ratio where the cells are too few for the level."""
    found = float(np.ravel(conformal_quantile(ratios, level))[0])
    return found if np.isfinite(found) else float(ratios.max())


def _filled(
    known: PropertyValues, mean: np.ndarray, std: np.ndarray, factors: np.ndarray, table: PropertyTable
) -> pd.DataFrame:
    """Empty cells, property after property."""
    columns, rows = np.nonzero(np.isnan(known.values).T)
    value, sigma = mean[rows, columns], std[rows, columns]
    half = factors[columns] * sigma
    names = np.array(known.properties, dtype=object)[columns]
    return pd.DataFrame(
        {
            "material": known.materials[rows],
            "property": names,
            "value": value,
            "sigma": sigma,
            "lower": value - half,
            "upper": value + half,
            "unit": [table.units[name] for name in names],
        }
    )


def _with_filled(
    table: PropertyTable, filled: pd.DataFrame, model: CoregionalProcess, at: Mapping[str, Any] | None
) -> PropertyTable:
    """Table with the filled cells below."""
    below = filled.drop(columns=["lower", "upper"])
    for name in table.conditions:
        chosen = (at or {}).get(name)
        below[name] = table.frame[name].iloc[0] if chosen is None else chosen
    below["kind"], below["source"], below["laboratory"] = "filled", type(model).__name__, ""
    below = below[list(table.frame.columns)].astype(table.frame.dtypes.to_dict(), errors="ignore")
    frame = pd.concat([table.frame, below], ignore_index=True) if len(below) else table.frame.copy()
    return replace(table, frame=frame)
