"""A table of components: one row of features per element, force-field atom or monomer, with flags."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.checks import as_matrix, as_names
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.unit_headers import split_unit
from sozai.datasets import fetch_kmd_elements, load_elements
from sozai.datasets.birth_certificate import read_certificate
from sozai.numerics.row_reduction import row_reduce

__all__ = ["ComponentTable"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class ComponentTable:
    """Features of the components that compositions are made of.

    A component is whatever a composition counts: an element, an atom type of a
    force field, a monomer. The table says what is known of each, in which unit,
    and which cells were predicted instead of measured.

    Parameters
    ----------
    values : array-like of shape (n_components, n_features)
        Finite numbers; one row per component.
    components, features : sequence of str
        Unique names of rows and columns.
    units : sequence of str or None, optional
        Unit of every feature; ``None`` for pure numbers.
    imputed : array-like of bool of shape (n_components, n_features), optional
        Cells that were predicted, not tabulated; none by default.
    sources : sequence of str, optional
        Where each feature comes from; empty by default.
    name : str, default="table"
        Name of the table in messages.

    Attributes
    ----------
    values : ndarray of shape (n_components, n_features)
        Read-only copy.
    components, features, units, sources : tuple
    imputed : ndarray of bool of shape (n_components, n_features)
        Read-only copy.

    Raises
    ------
    InputError
        When a cell is no finite number, a name appears twice or lengths differ.

    See Also
    --------
    sozai.composition.elements.as_table : Turns what a user may pass into a table.

    Notes
    -----
    Constant and duplicate columns are allowed; :meth:`relations` names them.

    Examples
    --------
    >>> table = ComponentTable([[186.0], [70.0], [60.0]], ["Na", "C", "O"], ["radius"], units=["pm"])
    >>> table
    ComponentTable table: 3 components Na ... O, 1 feature, 0 imputed cells
    >>> table.column("radius").tolist()
    [186.0, 70.0, 60.0]
    >>> ComponentTable.elements().values.shape
    (103, 59)
    """

    values: Array
    components: tuple[str, ...]
    features: tuple[str, ...]
    units: tuple[str | None, ...] = ()
    imputed: Flags = field(default_factory=lambda: np.zeros((0, 0), dtype=np.bool_))
    sources: tuple[str, ...] = ()
    name: str = "table"

    def __post_init__(self) -> None:
        place = f"ComponentTable {self.name}"
        components, features = _labels(self.components), _labels(self.features)
        values = as_matrix(self.values, place=place, argument="values", names=features, finite=False)
        components = as_names(components, values.shape[0], place=f"{place}, components")
        features = as_names(features, values.shape[1], place=f"{place}, features")
        _refuse_gaps(values, components, features, place)
        imputed = np.asarray(self.imputed, dtype=np.bool_)
        if imputed.size == 0:
            imputed = np.zeros(values.shape, dtype=np.bool_)
        _same_shape(imputed.shape, values.shape, "imputed", place)
        units = tuple(unit or None for unit in self.units) or (None,) * len(features)
        sources = tuple(self.sources) or ("",) * len(features)
        _same_shape((len(units),), (len(features),), "units", place)
        _same_shape((len(sources),), (len(features),), "sources", place)
        for label, value in [("values", np.array(values)), ("imputed", np.array(imputed))]:
            value.setflags(write=False)
            object.__setattr__(self, label, value)
        for label, names in [
            ("components", components), ("features", features), ("units", units), ("sources", sources),
        ]:  # fmt: skip
            object.__setattr__(self, label, names)

    # --- ways to get one -------------------------------------------------------------------------

    @classmethod
    def elements(cls, which: str = "sozai") -> ComponentTable:
        """Return a table of the chemical elements.

        Parameters
        ----------
        which : {"sozai", "published"}
            ``"sozai"``: hydrogen to lawrencium, comes with the package, every
            predicted cell flagged. ``"published"``: the 94 x 58 table of the
            paper on kernel mean descriptors [1]_, read from the folder that
            ``SOZAI_DATA`` names; its gaps were filled without a flag, and two of
            its columns are sums of others.

        Returns
        -------
        ComponentTable

        Raises
        ------
        InputError
            For another word.
        MissingDataError
            When the published table is not on this machine.

        References
        ----------
        .. [1] M. Kusaba, Y. Hayashi, C. Liu, A. Wakiuchi, R. Yoshida, Representation of materials by
           kernel mean embedding, Physical Review B 108, 134107 (2023).

        Examples
        --------
        >>> table = ComponentTable.elements()
        >>> table.column("atomic_number")[:3].tolist(), table.components[-1]
        ([1.0, 2.0, 3.0], 'Lr')
        """
        if which not in ("sozai", "published"):
            remedy = "Use 'sozai' unless you repeat a paper."
            requirement = "be 'sozai' or 'published'"
            raise InputError(sentence("ComponentTable.elements", "which", requirement, which, remedy=remedy))
        data = load_elements() if which == "sozai" else fetch_kmd_elements()
        meanings = {column.name: column.meaning for column in read_certificate(data.name).columns}
        features = list(data.feature_names)
        frame = data.frame.set_index("element")
        imputed = np.zeros((len(frame), len(features)), dtype=np.bool_)
        if "imputed" in frame:
            lists = [set(str(text).split()) for text in frame["imputed"].fillna("")]
            imputed = np.array([[feature in names for feature in features] for names in lists])
        return cls(
            frame[features].to_numpy(dtype=np.float64),
            tuple(frame.index),
            tuple(features),
            tuple(data.units[feature] for feature in features),
            imputed,
            tuple(meanings[feature] for feature in features),
            which,
        )

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        name: str = "table",
        units: Sequence[str | None] | None = None,
        imputed: Any = None,
    ) -> ComponentTable:
        """Make a table from a DataFrame whose index names the components.

        Parameters
        ----------
        frame : DataFrame of shape (n_components, n_features)
            Numbers only; the columns name the features.
        name : str
            Name of the table in messages.
        units : sequence of str or None, optional
            Read from labels such as ``"radius [pm]"`` when left out.
        imputed : array-like of bool of shape (n_components, n_features), optional
            Cells that were predicted. An empty cell that is marked here is
            filled with the mean of its column and stays marked, so
            ``imputed=frame.isna()`` takes a table with gaps.

        Returns
        -------
        ComponentTable

        Raises
        ------
        InputError
            When a cell is text or NaN; its row and column are named.

        Examples
        --------
        >>> frame = pd.DataFrame({"radius [pm]": [186.0, 70.0, 60.0]}, index=["Na", "C", "O"])
        >>> ComponentTable.from_frame(frame).units
        ('pm',)
        """
        place = f"ComponentTable.from_frame, table {name!r}"
        labels = [str(label) for label in frame.columns]
        if units is None:
            split = [split_unit(label) for label in labels]
            labels, units = [label for label, _ in split], [unit for _, unit in split]
        components = _labels(frame.index)
        values = _numbers(frame, components, labels, place)
        flags = (
            np.zeros(values.shape, dtype=np.bool_) if imputed is None else np.asarray(imputed, dtype=np.bool_)
        )
        _same_shape(flags.shape, values.shape, "imputed", place)
        values = _fill_marked(values, flags, labels, place)
        return cls(values, components, tuple(labels), tuple(units), flags, (name,) * len(labels), name)

    @classmethod
    def from_csv(
        cls, path: str | os.PathLike[str], mask: str | os.PathLike[str] | None = None, name: str | None = None
    ) -> ComponentTable:
        """Read a table from a CSV file: names of components in the first column, one feature per column.

        Parameters
        ----------
        path : path-like
            UTF-8; labels may carry units, ``radius [pm]``.
        mask : path-like, optional
            A file of the same form with 1 where a cell was predicted, else 0.
        name : str, optional
            Name of the table; the file's by default.

        Returns
        -------
        ComponentTable

        Raises
        ------
        InputError
            As :meth:`from_frame`; or when the mask names other rows or columns.

        Examples
        --------
        >>> ComponentTable.from_csv("monomers.csv")  # doctest: +SKIP
        ComponentTable monomers: 12 components A ... L, 5 features, 0 imputed cells
        """
        name = Path(path).stem if name is None else name
        frame = pd.read_csv(path, index_col=0, encoding="utf-8", keep_default_na=False, na_values=[""])
        if mask is None:
            return cls.from_frame(frame, name=name)
        flags = pd.read_csv(mask, index_col=0, encoding="utf-8", keep_default_na=False)
        if list(flags.index) != list(frame.index) or list(flags.columns) != list(frame.columns):
            requirement = f"name the rows and columns of {Path(path).name}, in their order"
            got = f"{flags.shape[0]} rows and {flags.shape[1]} columns"
            remedy = "Write one 0 or 1 for every cell of the table."
            raise InputError(sentence("ComponentTable.from_csv", "mask", requirement, got, remedy=remedy))
        return cls.from_frame(frame, name=name, imputed=flags.to_numpy(dtype=np.float64) != 0)

    def subset(
        self, components: Iterable[str] | None = None, features: Iterable[str] | None = None
    ) -> ComponentTable:
        """Return the table of some components and features, in the order asked for.

        Examples
        --------
        >>> ComponentTable.elements().subset(["Na", "Cl"], ["period", "en_pauling"]).values.tolist()
        [[3.0, 0.93], [3.0, 3.16]]
        """
        rows = self._places(components, self.components, "components")
        columns = self._places(features, self.features, "features")
        return ComponentTable(
            self.values[np.ix_(rows, columns)],
            tuple(self.components[i] for i in rows),
            tuple(self.features[k] for k in columns),
            tuple(self.units[k] for k in columns),
            self.imputed[np.ix_(rows, columns)],
            tuple(self.sources[k] for k in columns),
            self.name,
        )

    def with_components(self, frame: pd.DataFrame, *, imputed: Any = None) -> ComponentTable:
        """Return the table with further components, one row of ``frame`` each.

        Parameters
        ----------
        frame : DataFrame
            Has every feature of this table, in any order and in its units.
        imputed : array-like of bool, optional
            As in :meth:`from_frame`, for the columns of ``frame``.

        Raises
        ------
        InputError
            When a feature is missing or a component is there already.

        Examples
        --------
        >>> table = ComponentTable([[186.0], [60.0]], ["Na", "O"], ["radius"], units=["pm"])
        >>> table.with_components(pd.DataFrame({"radius": [150.0]}, index=["Li"])).components
        ('Na', 'O', 'Li')
        """
        place = "ComponentTable.with_components"
        known = [name for name in _labels(frame.index) if name in self.components]
        if known:
            remedy = "Leave it out of the frame; build a new table with from_frame to change it."
            requirement = f"name components that table {self.name!r} does not hold"
            raise InputError(sentence(place, "frame", requirement, known[0], remedy=remedy))
        added = ComponentTable.from_frame(frame, name=self.name, imputed=imputed)
        missing = [name for name in self.features if name not in added.features]
        if missing:
            requirement = f"have all {len(self.features)} features of table {self.name!r}"
            remedy = f"Add {', '.join(missing[:3])}{' and others' if len(missing) > 3 else ''}."
            raise InputError(sentence(place, "frame", requirement, f"{len(missing)} missing", remedy=remedy))
        added = added.subset(features=self.features)
        return ComponentTable(
            np.vstack([self.values, added.values]),
            self.components + added.components,
            self.features,
            self.units,
            np.vstack([self.imputed, added.imputed]),
            self.sources,
            self.name,
        )

    # --- questions -------------------------------------------------------------------------------

    def column(self, name: str) -> Array:
        """Return one feature of all components, shape (n_components,)."""
        return np.array(self.values[:, self._places([name], self.features, "features")[0]])

    def relations(self) -> tuple[str, ...]:
        """Name the features that are constant, or linear in others.

        Returns
        -------
        tuple of str
            Such as ``"valence = s_valence + p_valence"``; empty when features
            and a constant are linearly independent to eight digits.

        Notes
        -----
        Relations among fewer components than features always exist and say
        nothing; they are left out.

        Examples
        --------
        >>> table = ComponentTable([[1, 2, 7], [2, 4, 7], [4, 8, 7], [5, 10, 7]], "ABCD", "xyz")
        >>> table.relations()
        ('y = 2 x', 'z = 7')
        """
        n_components, n_features = self.values.shape
        if n_components < n_features + 1:
            return ()
        matrix = np.column_stack([np.ones(n_components), self.values])
        # a sum is longer than its parts, so it is the sum that gets expressed
        order = np.argsort(np.linalg.norm(self.values, axis=0), kind="stable") + 1
        reduction = row_reduce(matrix, tolerance=1e-8, order=np.concatenate([[0], order]))
        labels = ("", *self.features)
        told = []
        for column in np.sort(reduction.dependents):
            weights = reduction.coefficients([column])[:, 0]
            share = np.abs(reduction.coefficients([column], unit=True)[:, 0]) > 1e-6
            parts = [(weights[j], labels[reduction.basis[j]]) for j in np.flatnonzero(share)]
            told.append(f"{labels[column]} = {_sum_text(parts)}")
        return tuple(told)

    def to_frame(self) -> pd.DataFrame:
        """Return the values with components as index and features as columns.

        Examples
        --------
        >>> ComponentTable.elements().to_frame().loc["Fe", "en_pauling"].item()
        1.83
        """
        return pd.DataFrame(np.array(self.values), index=list(self.components), columns=list(self.features))

    def _places(self, names: Iterable[str] | None, known: tuple[str, ...], what: str) -> list[int]:
        """Positions of names; an unknown one is named."""
        if names is None:
            return list(range(len(known)))
        places = {name: place for place, name in enumerate(known)}
        wanted = [str(name) for name in names]
        for name in wanted:
            if name not in places:
                requirement = f"be among the {len(known)} {what} of table {self.name!r}"
                remedy = f"Choose from {', '.join(known[:4])}, ..., {known[-1]}."
                raise InputError(sentence("ComponentTable", what, requirement, name, remedy=remedy))
        return [places[name] for name in wanted]

    def __repr__(self) -> str:
        n = len(self.features)
        return (
            f"ComponentTable {self.name}: {len(self.components)} components {self.components[0]} ... "
            f"{self.components[-1]}, {n} feature{'s' * (n != 1)}, {int(self.imputed.sum())} imputed cells"
        )


def _labels(names: Iterable[object]) -> tuple[str, ...]:
    return tuple(str(name) for name in names)


def _same_shape(got: tuple[int, ...], wanted: tuple[int, ...], argument: str, place: str) -> None:
    if got != wanted:
        remedy = "Give one entry for each cell or column of the table."
        raise InputError(sentence(place, argument, f"have the shape {wanted}", got, remedy=remedy))


def _refuse_gaps(values: Array, components: Sequence[str], features: Sequence[str], place: str) -> None:
    """Name the first cell that is no finite number by component and feature."""
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        row, column = bad[0]
        where = f"{len(bad)} times, first at row {components[row]!r}, column {features[column]!r}"
        remedy = "Fill these cells and mark them in `imputed`, or drop the column."
        raise InputError(
            sentence(place, "values", "be finite", float(values[row, column]), at=where, remedy=remedy)
        )


def _numbers(frame: pd.DataFrame, components: Sequence[str], labels: Sequence[str], place: str) -> Array:
    """Cells as float64, NaN kept; the first text is named by component and feature."""
    columns = []
    for position, label in enumerate(labels):
        cells = frame.iloc[:, position]
        numbers = pd.to_numeric(cells, errors="coerce")
        wrong = np.flatnonzero(numbers.isna().to_numpy() & cells.notna().to_numpy())
        if wrong.size:
            at = f"at row {components[wrong[0]]!r}, column {label!r}"
            remedy = "Turn the cell into a number or drop the column."
            raise InputError(
                sentence(place, "frame", "hold numbers only", cells.iloc[wrong[0]], at=at, remedy=remedy)
            )
        columns.append(numbers.to_numpy(dtype=np.float64))
    return np.column_stack(columns) if columns else np.empty((len(components), 0))


def _fill_marked(values: Array, flags: Flags, labels: Sequence[str], place: str) -> Array:
    """Empty cells that are marked as predicted take the mean of their column."""
    gaps = np.isnan(values) & flags
    if not gaps.any():
        return values
    filled = values.copy()
    for column in np.flatnonzero(gaps.any(axis=0)):
        known = filled[np.isfinite(filled[:, column]), column]
        if known.size == 0:
            remedy = "Drop the column."
            raise InputError(
                sentence(place, f"column {labels[column]!r}", "hold a number", "no number", remedy=remedy)
            )
        filled[gaps[:, column], column] = known.mean()
    return filled


def _sum_text(parts: Sequence[tuple[float, str]]) -> str:
    """Write a linear combination the way one reads it."""
    words = []
    for weight, name in parts:
        size = abs(weight)
        number = f"{size:.6g}"
        term = number if not name else name if number == "1" else f"{number} {name}"
        sign = "- " if weight < 0 else "+ "
        words.append((sign if words else sign.strip("+ ")) + term)
    return " ".join(words) or "0"
