"""Properties of materials from several tables in one: one unit each, nothing averaged, conflicts named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2

from sozai.composition.formula import as_compositions
from sozai.contracts.errors import InputError, UnitError, sentence
from sozai.contracts.units import convert, split_unit

__all__ = ["KINDS", "PropertySource", "PropertyTable", "PropertyValues", "assemble"]

#: What a value may be.
KINDS = ("experiment", "calculation", "filled")
#: Columns of the long table before and after the conditions.
_HEAD = ("material", "property", "value", "unit", "sigma")
_TAIL = ("kind", "source", "laboratory")
#: Names under which a table may hold its materials.
_MATERIAL = ("material", "formula", "composition", "formula_pretty", "reduced_formula")
#: Replicates farther apart than this many pooled standard deviations are conflicts.
_LIMIT = 6.0


@dataclass(frozen=True, eq=False)
class PropertySource:
    """One table and what its columns mean.

    Parameters
    ----------
    table : DataFrame, Dataset or Table
        Wide, one column a property with its unit in the label (``"gap [eV]"``), or long, with columns
        ``property`` and ``value`` and perhaps ``unit``, ``sigma``, ``kind``, ``source``, ``laboratory``.
    material : str, optional
        Column of the materials; the one called material, formula or composition when left out.
    properties : sequence of str, optional
        Columns of a wide table; all columns of numbers that mean nothing else when left out.
    conditions : sequence of str
        Columns that say under which conditions was measured (``"T [K]"``).
    sigma : mapping of str to str or float, optional
        Standard error of a property: a column, or one number in the unit of the property.
    kind : {"experiment", "calculation", "filled"}
    source, laboratory : str

    Examples
    --------
    >>> gaps = pd.DataFrame({"formula": ["GaAs"], "gap [meV]": [1424.0]})
    >>> PropertySource(gaps, source="handbook").kind
    'experiment'
    """

    table: Any
    material: str | None = None
    properties: Sequence[str] | None = None
    conditions: Sequence[str] = ()
    sigma: Mapping[str, str | float] = field(default_factory=dict)
    kind: str = "experiment"
    source: str = ""
    laboratory: str = ""


@dataclass(frozen=True, eq=False)
class PropertyValues:
    """One kind of value as a table of materials by properties, replicates of a cell joined.

    Attributes
    ----------
    materials : ndarray of object of shape (n,)
    properties : tuple of str
    values : ndarray of shape (n, n_properties)
        Means of the replicates, NaN where there is none.
    counts : ndarray of int of shape (n, n_properties)
        Number of replicates.
    variances : ndarray of shape (n, n_properties)
        Squared standard error of the mean from the stated ``sigma``; 0 where none was stated.

    Examples
    --------
    >>> PropertyValues(np.array(["NaCl"]), ("a",), np.ones((1, 1)), np.ones((1, 1)), np.zeros((1, 1)))
    PropertyValues(1 material, 1 property, 1 cell)
    """

    materials: np.ndarray
    properties: tuple[str, ...]
    values: np.ndarray
    counts: np.ndarray
    variances: np.ndarray

    def to_frame(self) -> pd.DataFrame:
        """Materials as rows, properties as columns."""
        index = pd.Index(self.materials, name="material")
        return pd.DataFrame(self.values, index=index, columns=list(self.properties))

    def __repr__(self) -> str:
        n, p = self.values.shape
        cells = int(np.isfinite(self.values).sum())
        ending = "y" if p == 1 else "ies"
        return (
            f"PropertyValues({n} material{'s' if n != 1 else ''}, {p} propert{ending}, "
            f"{cells} cell{'s' if cells != 1 else ''})"
        )


@dataclass(frozen=True, eq=False)
class PropertyTable:
    """Values of many sources side by side.

    Attributes
    ----------
    frame : DataFrame
        One row a value: material, property, value, unit, sigma, the conditions, kind, source, laboratory.
    units : mapping of str to str or None
        Of every property.
    conditions : tuple of str
        Condition columns of ``frame``, units in the label.
    conflicts : DataFrame
        Replicates (equal material, property, kind and conditions) that lie more than 6 pooled standard
        deviations apart: material, property, kind, n, lowest, highest, deviations, sources.

    Examples
    --------
    >>> table = assemble([pd.DataFrame({"formula": ["GaAs", "InP"], "gap [eV]": [1.42, 1.34]})])
    >>> table
    PropertyTable(2 values of 1 property of 2 materials: 2 experiment; 0 conflicts)
    >>> table.values("gap").to_frame()["gap"].to_dict()
    {'GaAs': 1.42, 'InP': 1.34}
    """

    frame: pd.DataFrame
    units: Mapping[str, str | None]
    conditions: tuple[str, ...] = ()
    conflicts: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __len__(self) -> int:
        return len(self.frame)

    def to_frame(self) -> pd.DataFrame:
        """Return the long table."""
        return self.frame.copy()

    def values(
        self,
        properties: str | Sequence[str] | None = None,
        *,
        kind: str | None = None,
        at: Mapping[str, Any] | None = None,
    ) -> PropertyValues:
        """Values to learn from, as a table of materials by properties.

        Parameters
        ----------
        properties : str or sequence of str, optional
            All when left out.
        kind : {"experiment", "calculation"}, optional
            May be left out when the chosen properties have one kind each.
        at : mapping, optional
            Condition columns and the value they must have.

        Returns
        -------
        PropertyValues

        Raises
        ------
        InputError
            For filled values, for a property of two kinds, and for replicates under different conditions.
        """
        place = "PropertyTable.values"
        if kind is not None and kind not in KINDS[:2]:
            hint = "Filled values are guesses of a model. Learn from the measured ones."
            requirement = "be 'experiment' or 'calculation' to learn from"
            raise InputError(sentence(place, "kind", requirement, kind, remedy=hint))
        names = self._names(properties, place)
        frame = self.frame[self.frame["property"].isin(names)]
        if kind is not None:
            frame = frame[frame["kind"] == kind]
        frame = self._under(frame, at or {}, place)
        self._check_trainable(frame, place)
        return _pivot(frame, names)

    def _names(self, properties: str | Sequence[str] | None, place: str) -> tuple[str, ...]:
        """Properties that are there."""
        if properties is None:
            return tuple(self.units)
        names = (properties,) if isinstance(properties, str) else tuple(properties)
        for name in names:
            if name not in self.units:
                listed = ", ".join(self.units)
                raise InputError(
                    sentence(place, "properties", f"name properties of the table ({listed})", name)
                )
        return names

    def _under(self, frame: pd.DataFrame, at: Mapping[str, Any], place: str) -> pd.DataFrame:
        """Rows measured under some conditions."""
        for name, value in at.items():
            if name not in self.conditions:
                listed = ", ".join(self.conditions) or "none"
                raise InputError(sentence(place, "at", f"name conditions of the table ({listed})", name))
            frame = frame[frame[name] == value]
        return frame

    def _check_trainable(self, frame: pd.DataFrame, place: str) -> None:
        """Refuse filled rows, mixed kinds and mixed conditions."""
        n_filled = int((frame["kind"] == "filled").sum())
        if n_filled:
            raise InputError(
                sentence(
                    place, "table", "hold measured or calculated values to learn from",
                    f"{n_filled} filled values", remedy="Choose kind='experiment' or kind='calculation'.",
                )
            )  # fmt: skip
        kinds = frame.groupby("property", sort=False)["kind"].nunique()
        if (kinds > 1).any():
            raise InputError(
                sentence(
                    place, "kind", "be given where a property has several", str(kinds.index[kinds > 1][0]),
                    at="with experiment and calculation",
                    remedy="Choose one; give both as two properties with different names to use both.",
                )
            )  # fmt: skip
        for name in self.conditions:
            found = frame.groupby("property", sort=False)[name].nunique(dropna=False)
            if (found > 1).any():
                chosen = str(found.index[found > 1][0])
                raise InputError(
                    sentence(
                        place, "at", f"fix the condition {name!r}", f"{int(found.max())} values of it",
                        at=f"for property {chosen!r}", remedy=f"Pass at={{{name!r}: ...}}.",
                    )
                )  # fmt: skip

    def __repr__(self) -> str:
        counts = self.frame["kind"].value_counts()
        kinds = ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if kind in counts)
        n = len(self.units)
        return (
            f"PropertyTable({len(self)} values of {n} propert{'y' if n == 1 else 'ies'} of "
            f"{self.frame['material'].nunique()} materials: {kinds}; {len(self.conflicts)} conflicts)"
        )


def assemble(
    tables: Any | Iterable[Any],
    key: str | Callable[[Any], str] = "reduced_formula",
    *,
    units: Mapping[str, str] | None = None,
) -> PropertyTable:
    r"""Join tables of properties into one long table.

    Parameters
    ----------
    tables : table or sequence of tables
        :class:`PropertySource`, DataFrame, Dataset or Table.
    key : "reduced_formula", "text" or callable, default="reduced_formula"
        What makes two rows the same material: the composition, the text as it stands, or a function of it.
    units : mapping of str to str, optional
        Unit wanted for a property; that of its first table when left out.

    Returns
    -------
    PropertyTable

    Raises
    ------
    InputError
        For a table without a column of materials, a value that is no number, an unknown kind.
    UnitError
        When a property comes in units that do not convert, or with and without a unit.

    Notes
    -----
    Values are converted, standard errors with them. Replicates stay rows of their own; nothing is averaged,
    least of all across kinds. For the conflicts the pooled variance of a property and kind is

    .. math:: s^2 = \operatorname{median}_g \frac{s_g^2\,(n_g - 1)}{\chi^2_{1/2}(n_g - 1)}

    over the groups g of replicates, which a few conflicts do not move; a stated ``sigma`` larger than it
    takes its place in a group. Exact copies of a value count as one measurement. Where all other
    replicates are exact copies, s is their rounding, :math:`h / \sqrt{12}` with h the last decimal place
    in use. Where there are none at all and no ``sigma`` is stated, nothing can be called a conflict.

    Examples
    --------
    >>> first = pd.DataFrame({"formula": ["GaAs", "InP"], "gap [eV]": [1.42, 1.34]})
    >>> second = pd.DataFrame({"formula": ["AsGa"], "gap [meV]": [1410.0]})
    >>> table = assemble([first, PropertySource(second, kind="calculation", source="model")])
    >>> table.to_frame().loc[1:, ["material", "value", "unit", "kind"]].to_numpy().tolist()
    [['InP', 1.34, 'eV', 'experiment'], ['GaAs', 1.41, 'eV', 'calculation']]
    """
    single = isinstance(tables, (pd.DataFrame, PropertySource)) or hasattr(tables, "frame")
    sources = [_as_source(table) for table in ([tables] if single else tables)]
    if not sources:
        raise InputError(sentence("assemble", "tables", "hold at least one table", 0))
    parts = [_long(source, number) for number, source in enumerate(sources)]
    conditions = tuple(dict.fromkeys(name for _, names in parts for name in names))
    frame = pd.concat([part for part, _ in parts], ignore_index=True)
    frame["material"] = _keys(frame["material"], key)
    frame, wanted = _one_unit(frame, dict(units or {}))
    frame = frame[[*_HEAD, *conditions, *_TAIL]]
    return PropertyTable(frame, MappingProxyType(wanted), conditions, _conflicts(frame, conditions))


# --- one table ---------------------------------------------------------------------------------------


def _as_source(table: Any) -> PropertySource:
    return table if isinstance(table, PropertySource) else PropertySource(table)


def _long(source: PropertySource, number: int) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """One table in long form, and its conditions."""
    place = f"assemble: table {number}"
    if source.kind not in KINDS:
        raise InputError(sentence(place, "kind", f"be one of {', '.join(KINDS)}", source.kind))
    frame = source.table
    if not isinstance(frame, pd.DataFrame):
        frame = frame.to_frame() if hasattr(frame, "to_frame") else frame.frame
    material = source.material or next((name for name in _MATERIAL if name in frame), None)
    if material is None or material not in frame:
        listed = ", ".join(map(str, frame.columns))
        requirement = f"name the column of the materials ({listed})"
        raise InputError(sentence(place, "material", requirement, source.material))
    for name in source.conditions:
        if name not in frame:
            raise InputError(sentence(place, "conditions", "name columns of the table", name))
    long = _melted(source, frame, material, place) if "property" not in frame else _given(frame, place)
    long.insert(0, "material", frame[material].to_numpy()[long.pop("row").to_numpy()])
    for name, given in (("kind", source.kind), ("source", source.source), ("laboratory", source.laboratory)):
        if name not in long:
            long[name] = given
    odd = sorted(set(long["kind"]) - set(KINDS))
    if odd:
        raise InputError(sentence(place, "kind", f"be one of {', '.join(KINDS)}", odd[0]))
    return long[np.isfinite(long["value"])], tuple(source.conditions)


def _melted(source: PropertySource, frame: pd.DataFrame, material: str, place: str) -> pd.DataFrame:
    """Wide table: one part a property."""
    errors = [column for column in source.sigma.values() if isinstance(column, str)]
    taken = {material, *source.conditions, *errors, *_TAIL}
    columns = source.properties
    if columns is None:
        numeric = frame.select_dtypes("number").columns
        columns = [name for name in numeric if name not in taken]
    if not len(columns):
        raise InputError(sentence(place, "properties", "name columns of numbers", "none"))
    parts = []
    for column in columns:
        if column not in frame:
            raise InputError(sentence(place, "properties", "name columns of the table", column))
        name, unit = split_unit(str(column))
        part = pd.DataFrame({"row": np.arange(len(frame)), "property": name})
        part["value"] = _numbers(frame[column], column, place)
        part["unit"] = unit
        stated = source.sigma.get(column, source.sigma.get(name, np.nan))
        part["sigma"] = _numbers(frame[stated], stated, place) if isinstance(stated, str) else float(stated)
        for extra in (*source.conditions, *(extra for extra in _TAIL if extra in frame)):
            part[extra] = frame[extra].to_numpy()
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _given(frame: pd.DataFrame, place: str) -> pd.DataFrame:
    """Long table: as it stands, with what it lacks."""
    if "value" not in frame:
        raise InputError(sentence(place, "table", "have a column 'value' beside 'property'", "none"))
    long = frame.reset_index(drop=True).copy()
    long["row"] = np.arange(len(long))
    long["value"] = _numbers(long["value"], "value", place)
    long["sigma"] = _numbers(long["sigma"], "sigma", place) if "sigma" in long else np.nan
    long["unit"] = long["unit"].where(long["unit"].notna(), None) if "unit" in long else None
    return long.drop(columns=[name for name in _MATERIAL if name in long])


def _numbers(column: pd.Series, name: Any, place: str) -> np.ndarray:
    """Numbers; the first that is none is named."""
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    bad = np.isnan(values) & column.notna().to_numpy() | np.isinf(values)
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            sentence(
                place, f"column {str(name)!r}", "hold finite numbers", column.iloc[row], at=f"at row {row}",
                remedy="Correct the cell or leave it empty.",
            )
        )  # fmt: skip
    return values


def _keys(materials: pd.Series, key: str | Callable[[Any], str]) -> np.ndarray:
    """Name of every material."""
    if callable(key):
        return np.array([key(text) for text in materials], dtype=object)
    if key == "text":
        return materials.astype(str).to_numpy(dtype=object)
    if key != "reduced_formula":
        requirement = "be 'reduced_formula', 'text' or a function"
        raise InputError(sentence("assemble", "key", requirement, key, remedy="Take 'reduced_formula'."))
    return as_compositions(materials.to_list(), place="assemble").keys()


# --- all tables --------------------------------------------------------------------------------------


def _one_unit(frame: pd.DataFrame, wanted: dict[str, str]) -> tuple[pd.DataFrame, dict[str, str | None]]:
    """Every property in one unit, its standard errors too."""
    frame = frame.copy()
    chosen: dict[str, str | None] = {}
    value, sigma = frame["value"].to_numpy(copy=True), frame["sigma"].to_numpy(dtype=np.float64, copy=True)
    new_unit = frame["unit"].to_numpy(dtype=object, copy=True)
    for name in dict.fromkeys(frame["property"]):
        here = (frame["property"] == name).to_numpy()
        found = [unit if isinstance(unit, str) else None for unit in frame.loc[here, "unit"].unique()]
        target = wanted.get(name, found[0])
        chosen[name] = target
        for unit in found:
            rows = here & (frame["unit"].isna() if unit is None else frame["unit"] == unit).to_numpy()
            if unit == target:
                continue
            if unit is None or target is None:
                raise UnitError(
                    f"assemble: property {name!r} must come with a unit in every table, or in none. Got "
                    f"{target!r} and {unit!r}. Write the unit into the label, as in '{name} [eV]'."
                )
            value[rows] = convert(value[rows], unit, target)
            sigma[rows] = convert(sigma[rows], unit, target) - convert(0.0, unit, target)
            new_unit[rows] = target
    frame["value"], frame["sigma"], frame["unit"] = value, sigma, new_unit
    return frame, chosen


def _conflicts(frame: pd.DataFrame, conditions: Sequence[str]) -> pd.DataFrame:
    """Groups of replicates that lie too far apart."""
    columns = ["material", "property", "kind", "n", "lowest", "highest", "deviations", "sources"]
    by = ["material", "property", "kind", *conditions]
    mantissa, exponent = np.frexp(frame["value"].to_numpy(dtype=np.float64))
    rounded = np.ldexp(np.rint(np.ldexp(mantissa, 40)), exponent - 40)  # to 12 digits, as units convert
    copies = frame.assign(rounded=rounded).duplicated([*by, "rounded"])
    distinct = frame[~copies]
    grouped = distinct.groupby(by, sort=False, dropna=False)
    groups = grouped.agg(
        n=("value", "size"), variance=("value", "var"), lowest=("value", "min"), highest=("value", "max"),
        sigma=("sigma", "max"), sources=("source", lambda s: ", ".join(sorted({str(v) for v in s if v}))),
    ).reset_index()  # fmt: skip
    groups = groups[groups["n"] > 1].copy()
    if groups.empty:
        return pd.DataFrame(columns=columns)
    freedom = groups["n"].to_numpy() - 1
    groups["scaled"] = groups["variance"] * freedom / chi2.median(freedom)
    within = groups.groupby(["property", "kind"])["scaled"]
    pooled = np.where(within.transform("size") > 1, np.sqrt(within.transform("median")), np.nan)
    lone = groups.loc[np.isnan(pooled), ["property", "kind"]]
    pooled[np.isnan(pooled)] = [_rounding(frame, copies, *pair) for pair in lone.itertuples(index=False)]
    pooled = np.fmax(pooled, groups["sigma"].to_numpy(dtype=np.float64))
    gap = (groups["highest"] - groups["lowest"]).to_numpy()
    groups["deviations"] = np.divide(gap, pooled, out=np.full(len(gap), np.nan), where=pooled > 0)
    return groups.loc[groups["deviations"] > _LIMIT, columns].reset_index(drop=True)


def _rounding(frame: pd.DataFrame, copies: pd.Series, name: str, kind: str) -> float:
    """Standard deviation of the rounding of a property that comes in exact copies; NaN where none does."""
    here = (frame["property"] == name) & (frame["kind"] == kind)
    if not copies[here].any():
        return float("nan")
    values = {f"{value:.12g}" for value in frame.loc[here, "value"]}
    last = min(int(Decimal(value).normalize().as_tuple().exponent) for value in values)
    return float(10.0**last / np.sqrt(12.0))


def _pivot(frame: pd.DataFrame, names: tuple[str, ...]) -> PropertyValues:
    """Materials by properties: means, numbers of replicates, variances of the means."""
    codes, materials = pd.factorize(frame["material"])
    columns = frame["property"].map({name: k for k, name in enumerate(names)}).to_numpy(dtype=np.int64)
    shape = (len(materials), len(names))
    flat = codes * shape[1] + columns

    def summed(weights: np.ndarray | None) -> np.ndarray:
        return np.bincount(flat, weights=weights, minlength=shape[0] * shape[1]).reshape(shape)

    counts = summed(None)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = summed(frame["value"].to_numpy(dtype=np.float64)) / counts
        squares = np.nan_to_num(frame["sigma"].to_numpy(dtype=np.float64)) ** 2
        variances = np.nan_to_num(summed(squares) / counts.astype(np.float64) ** 2)
    return PropertyValues(np.asarray(materials, dtype=object), names, means, counts, variances)
