"""Materials of a database whose composition is nearest to a given one, and what makes the difference."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from sozai.composition.compositions import ParsedFormulas
from sozai.composition.formula import as_compositions, parse_formula
from sozai.composition.kernel_mean import KernelMeanDescriptor
from sozai.composition.kernel_mean_file import from_state, to_state
from sozai.composition.nearest_search import NearestSearch
from sozai.contracts.checks import RandomState, as_generator
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.model_file import load_model, save_model

__all__ = ["SimilarMaterials", "SimilarResult", "load_similar_materials"]

KIND = "SimilarMaterials"
#: Pairs drawn to know what a usual distance is.
_PAIRS = 20_000
#: Words in the names of elemental features, and what they say together.
_THEMES = {
    "size": ("radius", "volume", "lattice", "vdw", "density"),
    "bonding": ("electron", "en_", "ion_en", "ionization", "affinity", "polarizability", "c6"),
    "valence": ("valence", "valance", "unfilled", "holes", "group", "oxidation"),
    "heat": ("boiling", "melting", "fusion", "evaporation", "heat", "atomization", "thermal", "hhi"),
    "mass and number": ("weight", "mass", "number", "period", "mendeleev"),
}


@dataclass(frozen=True, eq=False, repr=False)
class SimilarResult:
    """The nearest materials of one query.

    Attributes
    ----------
    query : str
        Formula as given.
    rows : ndarray of int of shape (n_hits,)
        Rows of the database, nearest first.
    frame : DataFrame
        Columns formula, distance, percentile (share of random pairs of the database that are nearer, in
        percent), one ``share: group`` for every group of features (of the squared distance; sum 1, NaN at
        distance 0), and the properties of the database.

    Examples
    --------
    >>> SimilarResult("NaCl", np.array([3]), pd.DataFrame({"formula": ["KCl"], "distance": [0.2]}))
    SimilarResult(NaCl: 1 hit, KCl at 0.2)
    """

    query: str
    rows: np.ndarray
    frame: pd.DataFrame

    def __len__(self) -> int:
        return len(self.frame)

    def to_frame(self) -> pd.DataFrame:
        """One row a hit, nearest first."""
        return self.frame.copy()

    def __repr__(self) -> str:
        n = len(self.frame)
        if not n:
            return f"SimilarResult({self.query}: no hits)"
        first = self.frame.iloc[0]
        nearest = f"{first['formula']} at {first['distance']:.4g}"
        return f"SimilarResult({self.query}: {n} hit{'s' if n > 1 else ''}, {nearest})"


class SimilarMaterials:
    r"""A database of formulas that can be asked for what is similar.

    Parameters
    ----------
    database : sequence of str, Series or DataFrame
        Formulas, or a table with a column of them; its other columns are properties.
    descriptor : KernelMeanDescriptor, optional
        Fitted or not; the bundled table of elements, one kernel a feature, when left out.
    formula : str, default="formula"
        Column of the formulas in a DataFrame.
    parsed : ParsedFormulas, optional
        The formulas as they were read, row for row, where their text does not say it alone: percentages
        by weight, variables.
    groups : mapping of str to sequence of str, optional
        Features whose parts of the distance are taken together; by theme (size, bonding, valence, ...)
        when left out, what no theme claims under "other".
    random_state : int, RandomState or Generator, default=0
        Draws the random pairs.

    Attributes
    ----------
    formulas : ndarray of shape (n,)
    properties : DataFrame of shape (n, n_properties)
    coordinates : ndarray of shape (n, rank)
        Isometric coordinates: their Euclidean distance is the maximum mean discrepancy.
    pair_distances : ndarray
        Sorted distances of random pairs.
    group_names : tuple of str

    See Also
    --------
    sozai.composition.kernel_mean.KernelMeanDescriptor.similar_formulas : Without filters and explanations.

    Notes
    -----
    .. math:: \mathrm{MMD}^2 = \sum_g \|(w - w')^TL_g\|^2, \qquad \sum_g L_gL_g^T = K,

    so that every group of features owns a part of the squared distance. Candidates come from one matrix
    product, :math:`|b|^2 - 2a^Tb`, and every one that rounding leaves possible is measured again exactly:
    the hits are those of a full search. A query costs one product of n by rank numbers; memory
    :math:`8n(\mathrm{rank} + m/8)` bytes for m elements.

    References
    ----------
    .. [1] M. Kusaba, Y. Hayashi, C. Liu, A. Wakiuchi, R. Yoshida, Phys. Rev. B 108, 134107 (2023).

    Examples
    --------
    >>> database = pd.DataFrame({"formula": ["NaCl", "KCl", "MgO", "Fe2O3"], "a": [5.64, 6.29, 4.21, 5.04]})
    >>> similar = SimilarMaterials(database)
    >>> similar
    SimilarMaterials(4 formulas, 1 property)
    >>> similar.find("NaBr", k=2).to_frame()[["formula", "a"]].to_numpy().tolist()
    [['NaCl', 5.64], ['KCl', 6.29]]
    >>> similar.find("NaBr", k=2, exclude=["Cl"], properties={"a": (4.5, None)}).frame["formula"].to_list()
    ['Fe2O3']
    """

    def __init__(
        self,
        database: Any,
        descriptor: KernelMeanDescriptor | None = None,
        *,
        formula: str = "formula",
        parsed: ParsedFormulas | None = None,
        groups: Mapping[str, Sequence[str]] | None = None,
        random_state: RandomState = 0,
    ) -> None:
        formulas, self.properties = _columns(database, formula)
        descriptor = KernelMeanDescriptor() if descriptor is None else descriptor
        self._descriptor = descriptor if hasattr(descriptor, "components_") else descriptor.fit()
        read = as_compositions(
            formulas if parsed is None else parsed, self._descriptor.components_, place="SimilarMaterials"
        )
        if len(read) != len(formulas):
            requirement = f"have one row for each of the {len(formulas)} formulas"
            raise InputError(sentence("SimilarMaterials", "parsed", requirement, len(read)))
        if len(read) < 2:
            raise InputError(sentence("SimilarMaterials", "database", "hold two formulas or more", len(read)))
        self.formulas = np.asarray(formulas, dtype=object)
        self._weights = self._descriptor._map.weights(read.fractions)
        self._settle(groups)
        rng = as_generator(random_state)
        left, right = rng.integers(0, len(self.formulas), size=(2, _PAIRS))
        right = np.where(left == right, (right + 1) % len(self.formulas), right)
        gaps = self.coordinates[left] - self.coordinates[right]
        self.pair_distances = np.sort(np.sqrt((gaps**2).sum(axis=1)))

    @property
    def descriptor(self) -> KernelMeanDescriptor:
        """The fitted descriptor whose distances are searched."""
        return self._descriptor

    @property
    def weights(self) -> csr_array:
        """Weights of the components in every formula, shape (n, n_components)."""
        return self._weights

    def find(
        self,
        formula: Any,
        k: int = 10,
        *,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        properties: Mapping[str, tuple[float | None, float | None]] | None = None,
        kind: str | None = None,
        same: bool = True,
    ) -> SimilarResult:
        """Find the nearest materials that pass all filters.

        Parameters
        ----------
        formula : str or one composition
        k : int, default=10
            Hits; fewer when fewer pass.
        include, exclude : sequence of str
            Elements that a hit must, or must not, hold.
        properties : mapping of str to (float or None, float or None), optional
            Smallest and largest value; rows without a value do not pass.
        kind : str, optional
            Value of the column ``kind``: ``"experiment"``, ``"calculation"``, ``"filled"``.
        same : bool, default=True
            Also rows of exactly the queried composition.

        Returns
        -------
        SimilarResult

        Raises
        ------
        InputError
            For a formula that cannot be read, an element or property that is not there, an empty range.
        """
        place = "SimilarMaterials.find"
        if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
            raise InputError(sentence(place, "k", "be a whole number of 1 or more", k, remedy="Take 10."))
        weights, text = self._query(formula, place)
        query = weights @ self._descriptor.isometric_
        passed = self._passing(include, exclude, properties or {}, kind, place)
        if not same:
            passed &= ((self.coordinates - query) ** 2).sum(axis=1) > 1e-20
        n_passed = int(np.count_nonzero(passed))
        if not n_passed:
            nothing = np.empty(0, dtype=np.int64)
            return SimilarResult(text, nothing, self._describe(weights, nothing, np.empty(0)))
        some = None if n_passed == len(passed) else passed
        rows, distances = self._search.nearest(query, min(int(k), n_passed), some)
        return SimilarResult(text, rows, self._describe(weights, rows, distances))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write database, coordinates and descriptor into one file; :func:`load_similar_materials` reads it.

        Parameters
        ----------
        path : path-like

        Returns
        -------
        pathlib.Path

        Raises
        ------
        InputError
            When a property is neither numbers nor text, or the kernel is a function of your own.
        """
        state = {
            "descriptor": to_state(self._descriptor),
            "formulas": _texts(self.formulas),
            "fractions": {name: getattr(self._weights, name) for name in ("data", "indices", "indptr")},
            "groups": {name: list(features) for name, features in self._groups.items()},
            "pair_distances": self.pair_distances,
            "properties": {str(name): _storable(self.properties[name]) for name in self.properties},
        }
        return save_model(path, KIND, state)

    def __len__(self) -> int:
        return len(self.formulas)

    def __repr__(self) -> str:
        n = self.properties.shape[1]
        return f"SimilarMaterials({len(self)} formulas, {n} propert{'y' if n == 1 else 'ies'})"

    # --- inside --------------------------------------------------------------------------------------

    def _settle(self, groups: Mapping[str, Sequence[str]] | None) -> None:
        """Coordinates of all formulas, and the factors of the groups."""
        names = [block.name for block in self._descriptor._map.blocks]
        self._groups = _themes(names) if groups is None else _with_rest(groups, names)
        self._parts = self._descriptor.isometric_blocks(self._groups)
        self.group_names = tuple(name for name, _ in self._parts)
        self.coordinates = np.ascontiguousarray(self._weights @ self._descriptor.isometric_)
        self._search = NearestSearch(self.coordinates)
        self._place_of = {name: k for k, name in enumerate(self._descriptor.components_)}

    def _query(self, formula: Any, place: str) -> tuple[np.ndarray, str]:
        """Weights of one composition, and how to call it."""
        components = self._descriptor.components_
        if not isinstance(formula, str):
            parsed = as_compositions([formula], components, place=place)
            return self._descriptor._map.weights(parsed.fractions).toarray()[0], str(parsed.keys()[0])
        fractions = parse_formula(formula).fractions
        weights = np.zeros(len(components))
        for name, fraction in fractions.items():
            if name not in self._place_of:
                raise InputError(
                    sentence(
                        place, "formula", "hold elements of the descriptor's table only", formula,
                        at=f"with {name}", remedy="Extend the table with ComponentTable.with_components.",
                    )
                )  # fmt: skip
            weights[self._place_of[name]] = fraction
        factors = self._descriptor._map.factors
        if factors is not None:
            weights *= factors
            weights /= weights.sum()
        return weights, formula

    def _passing(
        self,
        include: Sequence[str],
        exclude: Sequence[str],
        properties: Mapping[str, tuple[float | None, float | None]],
        kind: str | None,
        place: str,
    ) -> np.ndarray:
        """Rows that pass all filters, shape (n,)."""
        passed = np.ones(len(self), dtype=bool)
        for argument, names, wanted in (("include", include, True), ("exclude", exclude, False)):
            for name in [names] if isinstance(names, str) else names:
                passed &= self._holds(name, argument, place) == wanted
        for name, limits in properties.items():
            passed &= self._within(name, limits, place)
        if kind is not None:
            passed &= self._column("kind", place).to_numpy() == kind
        return passed

    def _holds(self, element: str, argument: str, place: str) -> np.ndarray:
        """Rows with an element."""
        if element not in self._place_of:
            raise InputError(
                sentence(
                    place, argument, "name elements of the descriptor's table", element,
                    remedy="Correct the symbol.",
                )
            )  # fmt: skip
        entries = np.flatnonzero(self._weights.indices == self._place_of[element])
        found = np.zeros(len(self), dtype=bool)
        found[np.searchsorted(self._weights.indptr, entries, side="right") - 1] = True
        return found

    def _within(self, name: str, limits: tuple[float | None, float | None], place: str) -> np.ndarray:
        """Rows whose property lies in a range."""
        column = self._column(name, place)
        low, high = limits
        low, high = -np.inf if low is None else float(low), np.inf if high is None else float(high)
        if not pd.api.types.is_numeric_dtype(column) or not low <= high:
            requirement = "be a range (smallest, largest) of a property of numbers"
            raise InputError(
                sentence(place, f"properties[{name!r}]", requirement, limits, remedy="Correct the range.")
            )
        values = column.to_numpy(dtype=np.float64)
        return (values >= low) & (values <= high)

    def _column(self, name: str, place: str) -> pd.Series:
        """Property by name."""
        if name not in self.properties:
            listed = ", ".join(map(str, self.properties)) or "none"
            raise InputError(
                sentence(
                    place, "properties", f"name columns of the database ({listed})", name,
                    remedy="Build the database from a table that has it.",
                )
            )  # fmt: skip
        return self.properties[name]

    def _describe(self, weights: np.ndarray, rows: np.ndarray, distances: np.ndarray) -> pd.DataFrame:
        """Table of the hits."""
        below = np.searchsorted(self.pair_distances, distances, side="left")
        columns: dict[str, Any] = {
            "formula": self.formulas[rows],
            "distance": distances,
            "percentile": 100.0 * below / len(self.pair_distances),
        }
        gaps = self._weights[rows].toarray() - weights
        parts = np.array([((gaps @ factor) ** 2).sum(axis=1) for _, factor in self._parts])
        total = parts.sum(axis=0)
        for name, part in zip(self.group_names, parts, strict=True):
            empty = np.full(len(rows), np.nan)
            columns[f"share: {name}"] = np.divide(part, total, out=empty, where=total > 1e-20)
        own = {name: self.properties[name].to_numpy()[rows] for name in self.properties}
        return pd.DataFrame(columns | {name: values for name, values in own.items() if name not in columns})


def load_similar_materials(path: str | os.PathLike[str]) -> SimilarMaterials:
    """Read what :meth:`SimilarMaterials.save` wrote.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    SimilarMaterials
        Gives the same hits, bit for bit.

    Raises
    ------
    InputError
        When the file is no such file, or has changed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = SimilarMaterials(["NaCl", "KCl", "MgO"]).save(Path(folder, "salts.sozai"))
    ...     load_similar_materials(path).find("LiCl", k=1).frame["formula"].item()
    'NaCl'
    """
    state = load_model(path, KIND)
    self = SimilarMaterials.__new__(SimilarMaterials)
    self._descriptor = from_state(KernelMeanDescriptor, state["descriptor"])
    self.formulas = state["formulas"].astype(object)
    part = state["fractions"]
    shape = (len(self.formulas), len(self._descriptor.components_))
    self._weights = csr_array((part["data"], part["indices"], part["indptr"]), shape=shape)
    columns = {name: _restored(values) for name, values in state["properties"].items()}
    self.properties = pd.DataFrame(columns, index=range(len(self.formulas)))
    self.pair_distances = state["pair_distances"]
    self._settle(state["groups"])
    return self


# --- inside ------------------------------------------------------------------------------------------


def _columns(database: Any, formula: str) -> tuple[Any, pd.DataFrame]:
    """Formulas, and a table of everything else."""
    if not isinstance(database, pd.DataFrame):
        formulas = list(database)
        return formulas, pd.DataFrame(index=range(len(formulas)))
    if formula not in database:
        listed = ", ".join(map(str, database.columns))
        raise InputError(
            sentence(
                "SimilarMaterials", "formula", f"name a column of the database ({listed})", formula,
                remedy="Pass formula= with the column of the formulas.",
            )
        )  # fmt: skip
    rest = database.drop(columns=[formula]).reset_index(drop=True)
    return database[formula].to_list(), rest


def _themes(names: Sequence[str]) -> dict[str, list[str]]:
    """Features by what they speak of; each once."""
    found: dict[str, list[str]] = {}
    for name in names:
        themes = [theme for theme, words in _THEMES.items() if any(word in name for word in words)]
        found.setdefault(themes[0] if themes else "other", []).append(name)
    return {theme: found[theme] for theme in (*_THEMES, "other") if theme in found}


def _with_rest(groups: Mapping[str, Sequence[str]], names: Sequence[str]) -> dict[str, list[str]]:
    """Groups as given, and what they leave out as one more."""
    taken = [feature for features in groups.values() for feature in features]
    if len(set(taken)) < len(taken):
        double = next(feature for feature in taken if taken.count(feature) > 1)
        raise InputError(
            sentence("SimilarMaterials", "groups", "name every feature once", double, remedy="Remove one.")
        )
    rest = [name for name in names if name not in set(taken)]
    return {name: list(features) for name, features in groups.items()} | ({"rest": rest} if rest else {})


def _texts(values: np.ndarray) -> np.ndarray:
    """Formulas as fixed-width text."""
    return np.array([value if isinstance(value, str) else str(value) for value in values], dtype=np.str_)


def _storable(column: pd.Series) -> Any:
    """A property as an array without objects; text with its gaps."""
    if pd.api.types.is_numeric_dtype(column) and column.dtype != object:
        plain = isinstance(column.dtype, np.dtype) and column.dtype.kind in "bi"
        return column.to_numpy() if plain else column.to_numpy(dtype=np.float64)
    present = column.notna().to_numpy()
    if not all(isinstance(value, str) for value in column[present]):
        bad = next(value for value in column[present] if not isinstance(value, str))
        raise InputError(
            sentence(
                "SimilarMaterials.save", f"property {column.name!r}", "hold numbers or text",
                type(bad).__name__, remedy="Convert the column, or leave it out.",
            )
        )  # fmt: skip
    return {"text": np.array(column.where(present, "").to_list(), dtype=np.str_), "present": present}


def _restored(values: Any) -> Any:
    """Undo :func:`_storable`."""
    if not isinstance(values, dict):
        return values
    return pd.Series(values["text"].astype(object)).where(values["present"], None).to_numpy()
