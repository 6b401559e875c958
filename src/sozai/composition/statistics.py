"""Summary statistics of component features, weighted by composition: mean, sum, variance, extremes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral
from typing import Any, ClassVar

import joblib
import numpy as np
from numpy.typing import NDArray

from sozai.composition.elements import as_table, imputation_share
from sozai.composition.formula import as_compositions
from sozai.composition.statistic_kernels import write_mode, write_moments, write_quantile
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.estimator import (
    BaseEstimator,
    StrOptions,
    TransformerMixin,
    check_is_fitted,
    fit_context,
)

__all__ = ["Quantile", "SummaryStatistics"]

Array = NDArray[np.float64]

#: Statistics that one pass writes together, in the order the pass knows them.
_MOMENTS = ("mean", "sum", "var", "std", "max", "min", "range", "average_deviation")
_NAMES = (*_MOMENTS, "mode", "geometric_mean")
#: Fewest samples that are worth a thread of their own.
_FEWEST_ROWS = 4096


@dataclass(frozen=True, repr=False)
class Quantile:
    """A weighted quantile: the smallest value at which the fractions up to it reach ``q``.

    Parameters
    ----------
    q : float
        Between 0 and 1.

    Raises
    ------
    InputError
        When ``q`` is not between 0 and 1.

    Examples
    --------
    >>> Quantile(0.25)
    Quantile(0.25)
    >>> Quantile(0.5).name
    'quantile_0.5'
    """

    q: float

    def __post_init__(self) -> None:
        if not 0 <= float(self.q) <= 1:
            raise InputError(
                sentence("Quantile", "q", "lie between 0 and 1", self.q, remedy="Use 0.5 for the median.")
            )

    @property
    def name(self) -> str:
        """Text before the colon of a column name."""
        return f"quantile_{float(self.q):g}"

    def __repr__(self) -> str:
        return f"Quantile({float(self.q):g})"


class SummaryStatistics(TransformerMixin, BaseEstimator):
    r"""Composition-weighted statistics of the components' features.

    Turns a formula into the mean, spread and extremes of what its elements
    are: the plain descriptor of inorganic materials.

    Parameters
    ----------
    table : None, str, DataFrame, path-like or ComponentTable
        Features of the components, the matrix :math:`\lambda`; the bundled
        table of the elements by default, see
        :func:`~sozai.composition.elements.as_table`.
    statistics : sequence, default=("mean", "sum", "var", "max", "min")
        In the order of the columns. Further: ``"std"``, ``"range"``,
        ``"average_deviation"``, ``"mode"`` (the most abundant component),
        ``"geometric_mean"`` (positive features only) and
        :class:`Quantile` objects.
    scale : {None, "standard"}
        ``"standard"`` subtracts mean and divides by standard deviation (ddof = 1)
        of the samples seen in ``fit``.
    on_error : {"raise", "nan"}
        What to do with a formula that cannot be read: stop, or give a row of NaN.
    n_jobs : int, optional
        Threads; ``None`` is one, or what ``joblib.parallel_config`` says.

    Attributes
    ----------
    table_ : ComponentTable
    feature_names_out_ : ndarray of str
        Such as ``"mean:atomic_weight"``.
    relations_ : tuple of str
        Exact linear relations among the features of the table.
    center_, scale_ : ndarray of shape (n_columns,)
        With ``scale="standard"`` only. A column that never changed has scale 1.

    See Also
    --------
    sozai.composition.kernel_mean.KernelMeanDescriptor : Keeps the distribution, and can be inverted.
    sklearn.preprocessing.StandardScaler : Scales with ddof = 0.

    Warns
    -----
    UserWarning
        In ``fit``, when features are constant or exactly linear in others:
        their means and sums are, too, and a linear model has no single
        solution. The warning names the relations; ``table.subset`` leaves
        features out.

    Notes
    -----
    With fractions :math:`w_i` (they sum to 1), features :math:`\lambda_{ik}`
    and :math:`n` atoms in the formula as written,

    .. math::
        \mathrm{mean}_k = \sum_i w_i \lambda_{ik}, \quad
        \mathrm{sum}_k = n\,\mathrm{mean}_k, \quad
        \mathrm{var}_k = \sum_i w_i (\lambda_{ik} - \mathrm{mean}_k)^2, \quad
        \mathrm{max}_k = \max_{w_i > 0} \lambda_{ik}, \quad
        \mathrm{min}_k = \min_{w_i > 0} \lambda_{ik},

    average deviation :math:`\sum_i w_i |\lambda_{ik} - \mathrm{mean}_k|` and
    geometric mean :math:`\exp \sum_i w_i \ln \lambda_{ik}`.

    ================ ============ ==============================
    Symbol           Code         Shape
    ================ ============ ==============================
    w                fractions    (n_samples, n_components), CSR
    λ                ``table_``   (n_components, n_features)
    n                ``n_atoms``  (n_samples,)
    ================ ============ ==============================

    The variance is taken in a second pass about the mean, never as a
    difference of squares. One compiled pass writes the first eight statistics
    of all features; the time is that of writing the result, the work space is
    five numbers per feature, and the bits depend neither on ``n_jobs`` nor on
    the rows that come along. All statistics but ``sum`` are the same for
    Fe2O3 and Fe4O6; two different materials may share all of them.

    References
    ----------
    .. [1] M. Kusaba, C. Liu, R. Yoshida, Crystal structure prediction with machine learning-based element
       substitution, Computational Materials Science 211, 111496 (2022).
    .. [2] L. Ward, A. Agrawal, A. Choudhary, C. Wolverton, A general-purpose machine learning framework for
       predicting properties of inorganic materials, npj Computational Materials 2, 16028 (2016).

    Examples
    --------
    >>> from sozai.composition.elements import ComponentTable
    >>> table = ComponentTable([[11, 186], [6, 70], [8, 60]], ["Na", "C", "O"], ["Z", "radius"])
    >>> statistics = SummaryStatistics(table, ("mean", "min"))
    >>> statistics.fit_transform(["Na2CO3"]).round(3).tolist()
    [[8.667, 103.667, 6.0, 60.0]]
    >>> list(statistics.get_feature_names_out())
    ['mean:Z', 'mean:radius', 'min:Z', 'min:radius']
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "table": "no_validation",
        "statistics": ["array-like"],
        "scale": [StrOptions({"standard"}), None],
        "on_error": [StrOptions({"raise", "nan"})],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        table: Any = None,
        statistics: Sequence[Any] = ("mean", "sum", "var", "max", "min"),
        *,
        scale: str | None = None,
        on_error: str = "raise",
        n_jobs: int | None = None,
    ) -> None:
        self.table = table
        self.statistics = statistics
        self.scale = scale
        self.on_error = on_error
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any = None, y: Any = None, *, n_atoms: Any = None) -> SummaryStatistics:
        """Read the table, and the scales where wanted.

        Parameters
        ----------
        X : formulas or fractions, optional
            As for :meth:`transform`; only needed with ``scale="standard"``.
        y : ignored
        n_atoms : array-like of shape (n_samples,), optional
            As for :meth:`transform`.

        Returns
        -------
        SummaryStatistics
        """
        self._prepare()
        if self.scale is not None:
            if X is None:
                remedy = "Pass the training formulas, or leave `scale` out."
                raise InputError(f"{self._place('fit')}: X must be given when scale is 'standard'. {remedy}")
            self._learn_scale(self._raw(X, n_atoms, "fit")[0])
        return self

    def fit_transform(self, X: Any, y: Any = None, *, n_atoms: Any = None) -> Any:
        """Fit, then transform the same samples; see :meth:`transform`."""
        return self.fit(X, y, n_atoms=n_atoms).transform(X, n_atoms=n_atoms)

    def transform(self, X: Any, *, n_atoms: Any = None, return_imputed: bool = False) -> Any:
        """Statistics of every sample.

        Parameters
        ----------
        X : list, Series, DataFrame, ParsedFormulas, CSR or dense fractions
            Formulas as text, or fractions with one column per component of the
            table; see :func:`~sozai.composition.formula.as_compositions`.
        n_atoms : array-like of shape (n_samples,), optional
            Atoms per formula for ``"sum"``, when X holds fractions.
        return_imputed : bool, default=False
            Also return the weight that rests on predicted cells.

        Returns
        -------
        ndarray or DataFrame of shape (n_samples, n_columns)
        imputed : ndarray of shape (n_samples, n_features)
            Only with ``return_imputed``; see
            :func:`~sozai.composition.elements.imputation_share`.

        Raises
        ------
        InputError
            When a formula cannot be read or holds a component that the table
            does not know, and when ``"sum"`` is wanted without numbers of atoms.
        """
        check_is_fitted(self, "table_")
        values, parsed = self._raw(X, n_atoms, "transform")
        if hasattr(self, "center_"):
            values -= self.center_
            values /= self.scale_
        if return_imputed:
            return values, imputation_share(parsed.fractions, self.table_)
        return values

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names such as ``"mean:atomic_weight"``, one per column."""
        check_is_fitted(self, "table_")
        return np.array(self.feature_names_out_, dtype=object)

    # --- parts -----------------------------------------------------------------------------------

    def _place(self, method: str) -> str:
        return f"{type(self).__name__}.{method}"

    def _prepare(self) -> None:
        """Table, blocks of columns and their names."""
        statistics = _as_statistics(self.statistics, self._place("fit"))
        self.table_ = as_table(self.table, place=self._place("fit"))
        positive = (self.table_.values > 0).all(axis=0)
        self._positive = np.flatnonzero(positive)
        names: list[str] = []
        self._blocks: list[tuple[Any, int]] = []
        for statistic in statistics:
            self._blocks.append((statistic, len(names)))
            label = statistic if isinstance(statistic, str) else statistic.name
            features = np.array(self.table_.features, dtype=object)
            features = features[positive] if statistic == "geometric_mean" else features
            names += [f"{label}:{feature}" for feature in features]
        self.feature_names_out_ = np.array(names, dtype=object)
        self.relations_ = self.table_.relations()
        for learned in ("center_", "scale_"):
            if hasattr(self, learned):
                delattr(self, learned)
        if self.relations_ and {"mean", "sum"} & set(map(str, statistics)):
            self._warn_of_relations()

    def _warn_of_relations(self) -> None:
        shown = "; ".join(self.relations_[:3]) + ("; ..." if len(self.relations_) > 3 else "")
        warnings.warn(
            f"{self._place('fit')}: {len(self.relations_)} of the {len(self.table_.features)} features of "
            f"table {self.table_.name!r} follow from others ({shown}). So do their means and sums, and a "
            "linear model has no single solution. Leave them out with table.subset(features=...) where that "
            "matters.",
            UserWarning,
            stacklevel=5,
        )

    def _raw(self, X: Any, n_atoms: Any, method: str) -> tuple[Array, Any]:
        """Unscaled statistics and the compositions they come from."""
        place = self._place(method)
        parsed = as_compositions(
            X, self.table_.components, place=place, on_error=self.on_error, n_atoms=n_atoms
        )
        atoms = np.ascontiguousarray(parsed.n_atoms, dtype=np.float64)
        if any(statistic == "sum" for statistic, _ in self._blocks):
            unknown = np.isnan(atoms) & ~np.asarray(parsed.refused)
            if unknown.any():
                remedy = "Pass n_atoms=, formulas instead of fractions, or leave 'sum' out of statistics."
                requirement = "be known for every sample when statistics hold 'sum'"
                at = f"for {int(unknown.sum())} of {unknown.size} samples, first in row {np.argmax(unknown)}"
                raise InputError(sentence(place, "n_atoms", requirement, np.nan, at=at, remedy=remedy))
        return self._compute(parsed.fractions, atoms), parsed

    def _compute(self, fractions: Any, atoms: Array) -> Array:
        """All blocks, samples shared among threads; every row is written once."""
        out = np.empty((fractions.shape[0], len(self.feature_names_out_)))
        n_threads = max(1, min(joblib.effective_n_jobs(self.n_jobs), out.shape[0] // _FEWEST_ROWS))
        rows = (
            fractions.indptr.astype(np.int64, copy=False),
            fractions.indices.astype(np.int64, copy=False),
            fractions.data.astype(np.float64, copy=False),
        )
        edges = np.linspace(0, out.shape[0], n_threads + 1).astype(np.int64)
        if n_threads == 1:
            self._write(rows, atoms, out, 0, out.shape[0])
            return out
        with ThreadPoolExecutor(n_threads) as pool:
            for part in [pool.submit(self._write, rows, atoms, out, *pair) for pair in pairwise(edges)]:
                part.result()
        return out

    def _write(self, rows: tuple[Any, ...], atoms: Array, out: Array, start: int, stop: int) -> None:
        """Write the samples ``start`` to ``stop`` of every block."""
        values = np.ascontiguousarray(self.table_.values)
        wanted = {statistic: place for statistic, place in self._blocks if isinstance(statistic, str)}
        places = np.array([wanted.get(name, -1) for name in _MOMENTS], dtype=np.int64)
        if (places >= 0).any():
            write_moments(*rows, atoms, values, places, out, start, stop)
        for statistic, place in self._blocks:
            if isinstance(statistic, Quantile):
                write_quantile(*rows, values, float(statistic.q), place, out, start, stop)
            elif statistic == "mode":
                write_mode(*rows, values, place, out, start, stop)
            elif statistic == "geometric_mean":
                self._write_geometric_mean(rows, atoms, out, place, start, stop)

    def _write_geometric_mean(
        self, rows: tuple[Any, ...], atoms: Array, out: Array, place: int, start: int, stop: int
    ) -> None:
        """Exponential of the mean logarithm, of features that are positive everywhere."""
        logarithms = np.ascontiguousarray(np.log(self.table_.values[:, self._positive]))
        places = np.full(len(_MOMENTS), -1, dtype=np.int64)
        places[0] = place
        write_moments(*rows, atoms, logarithms, places, out, start, stop)
        block = out[start:stop, place : place + len(self._positive)]
        np.exp(block, out=block)

    def _learn_scale(self, values: Array) -> None:
        """Mean and standard deviation (ddof = 1) of the readable samples."""
        readable = values[~np.isnan(values).all(axis=1)]
        if len(readable) < 2:
            remedy = "Add samples, or leave `scale` out."
            raise InputError(
                sentence(
                    self._place("fit"),
                    "X",
                    "hold two readable samples for a scale",
                    len(readable),
                    remedy=remedy,
                )
            )
        self.center_ = readable.mean(axis=0)
        spread = (readable - self.center_).std(axis=0, ddof=1)
        constant = spread <= 1e-13 * np.abs(readable).max(axis=0)
        self.scale_ = np.where(constant, 1.0, spread)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.sparse = True
        tags.requires_fit = True
        return tags


def _as_statistics(statistics: Sequence[Any], place: str) -> list[Any]:
    """Names and quantiles, each once."""
    given = [statistics] if isinstance(statistics, str | Quantile) else list(statistics)
    for statistic in given:
        if not isinstance(statistic, Quantile) and statistic not in _NAMES:
            requirement = f"hold names among {', '.join(_NAMES)}, or Quantile objects"
            remedy = "Write Quantile(0.5) for the median."
            raise InputError(sentence(place, "statistics", requirement, statistic, remedy=remedy))
    if not given or len(set(given)) < len(given):
        remedy = "Name every statistic once."
        raise InputError(sentence(place, "statistics", "be one or more different ones", given, remedy=remedy))
    return given
