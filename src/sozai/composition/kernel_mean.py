"""A material as the kernel mean of its components: one row of numbers for each formula."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from sozai.composition.composition_reader import CompositionReader, names_of, open_target, side_values
from sozai.composition.elements import as_table, imputation_share
from sozai.composition.kernel_features import check_groups, component_factors, usable_table
from sozai.composition.kernel_grids import UniformGrid, as_grid
from sozai.composition.kernel_landmarks import as_landmarks
from sozai.composition.kernel_matrix import (
    KernelBlock,
    as_kernel,
    feature_blocks,
    group_blocks,
    is_characteristic,
    joint_block,
)
from sozai.composition.kernel_mean_file import KIND, from_state, to_state
from sozai.composition.kernel_mean_map import KernelMeanMap
from sozai.composition.mean_discrepancy import SimilarFormulas, discrepancies, nearest_rows
from sozai.composition.side_columns import check_extra
from sozai.composition.weighted_rows import reweight
from sozai.contracts.errors import InputError, sentence
from sozai.contracts.estimator import (
    BaseEstimator,
    Interval,
    StrOptions,
    TransformerMixin,
    check_is_fitted,
    fit_context,
)
from sozai.contracts.model_file import load_model, save_model

__all__ = ["KernelMeanDescriptor", "load_kernel_mean"]


class KernelMeanDescriptor(TransformerMixin, BaseEstimator):
    r"""Kernel mean of the component features of a material, read on a grid.

    A material is the distribution of its components' features, each with its
    fraction as weight. Summary statistics keep two or three moments of it; the
    kernel mean keeps its shape, and the fractions can be computed back from it.

    Parameters
    ----------
    table : ComponentTable, DataFrame, path, "elements", "published" or None
        Features of the components; ``None`` is the bundled table of elements.
    mode : {"1d", "md", "product"}, default="1d"
        One kernel for each feature side by side; one joint kernel of all
        features; one joint kernel for each of ``groups``.
    kernel : {"gaussian", "laplace", "matern", "polynomial"} or Kernel, default="gaussian"
        Its ``width`` multiplies the default length.
    grid : int or grid object, default=10
        Points for each feature in mode "1d": a number of equal steps,
        :class:`~sozai.composition.kernel_grids.QuantileGrid` or
        :class:`~sozai.composition.kernel_grids.GridPoints`.
    sigma : float, optional
        Length in scaled units in place of the default; the Gaussian kernel
        then has :math:`\gamma = 1/(2\sigma^2)`.
    groups : mapping of str to sequence of str, optional
        Features of every group for mode "product"; features in no group are left out.
    landmarks : landmarks object, optional
        Points of a joint kernel (modes "md", "product"); all components when
        left out.
    representation : {"grid", "isometric"}, default="grid"
        ``"isometric"``: coordinates whose Euclidean distance is the maximum
        mean discrepancy, no grid; at most one column for each component.
    imputed : {"use", "renormalise"}, default="use"
        What to do with filled-in cells of the table: use them, or take each
        feature's mean over the components whose value is known.
    weights : str, default="atomic"
        ``"mass"``, ``"volume"`` or the name of a positive column: fractions
        are multiplied by it and normalized.
    extra : tuple of str, default=()
        Columns appended unchanged: ``"n_atoms"``, columns of a DataFrame.
    dtype : {"float64", "float32"}, default="float64"
    on_error : {"raise", "nan", "skip"}, default="raise"
        For formulas that cannot be read.
    n_jobs : int, optional
        Threads; the result has the same bits for any number.

    Attributes
    ----------
    table_ : ComponentTable
        Without constant features.
    components_ : tuple of str
    matrix_ : ndarray of shape (n_columns, n_components)
        :math:`H`.
    grid_ : DataFrame
        Row by row of ``matrix_``: feature, point, scaled, value, unit, length.
    gamma_ : ndarray of shape (n_columns,)
        :math:`1/(2\ell^2)` of every row, kernel width included.
    dropped_features_ : tuple of str
        Constant features.
    duplicate_features_ : tuple of (str, str)
        Pairs of features that are equal after scaling.
    gram_ : ndarray of shape (n_components, n_components)
        :math:`K`, computed when first asked for.
    isometric_ : ndarray of shape (n_components, rank)
        :math:`L` with :math:`K = LL^T`, computed when first asked for.
    invertibility_ : Invertibility
        Rank and condition number of the map from fractions, computed when
        first asked for.

    See Also
    --------
    sozai.composition.statistics.SummaryStatistics : Moments in place of the whole distribution.
    sklearn.kernel_approximation.Nystroem : Landmarks for single points, not for distributions.

    Notes
    -----
    .. math:: \phi = Hw, \qquad H_{(k,j),i} = k(\lambda_i^k, g_j^k), \qquad \Phi = WH^T

    ===================  =============  ==================
    Symbol               Code           Shape
    ===================  =============  ==================
    :math:`\lambda`      ``table_``     (m, n_features)
    :math:`w`            fractions      (n, m), sparse
    :math:`g`            ``grid_``      (p,)
    :math:`H`            ``matrix_``    (p, m)
    :math:`\phi`         transform      (n, p)
    ===================  =============  ==================

    Mode "1d" scales every feature from 0 to 1 over the components and takes d
    equal steps :math:`\Delta` with :math:`\gamma = 1/\Delta^2`; mode "md"
    standardizes (ddof = 1), takes the components as points and
    :math:`\gamma = 1/\mathrm{median}_i\min_{j\ne i}|\lambda_i-\lambda_j|^2` [1]_.
    Mode "product" (ours) scales as "1d" and sets the width as "md", group by group.
    Grids without equal steps have a length of their own at every point; the
    kernel between components then has the median of them.

    A characteristic kernel of *all* features together determines the
    distribution [2]_. Kernels of single features determine the marginals only;
    whether the *fractions* over a set of components can be told is a question of the rank of
    :math:`H`, see ``invertibility_``.

    :math:`\mathrm{MMD}^2 = (w-w')^TK(w-w')` with K the joint kernel between
    components, or the mean over features or groups.

    Cost: O(n p s) for s components in a formula, one pass over the result.

    References
    ----------
    .. [1] M. Kusaba, Y. Hayashi, C. Liu, A. Wakiuchi, R. Yoshida, Phys. Rev. B 108, 134107 (2023),
       doi:10.1103/PhysRevB.108.134107.
    .. [2] K. Muandet et al., Found. Trends Mach. Learn. 10, 1 (2017), doi:10.1561/2200000060.

    Examples
    --------
    >>> import pandas as pd
    >>> radii = pd.DataFrame({"radius": [186.0, 70.0, 60.0]}, index=["Na", "C", "O"])
    >>> descriptor = KernelMeanDescriptor(radii, grid=3).fit()
    >>> descriptor.transform(["Na2CO3"]).round(3).tolist()
    [[0.669, 0.389, 0.348]]
    >>> descriptor.get_feature_names_out().tolist()
    ['radius@0.000', 'radius@0.500', 'radius@1.000']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "mode": [StrOptions({"1d", "md", "product"})],
        "sigma": [Interval(Real, 0, None, closed="neither"), None],
        "representation": [StrOptions({"grid", "isometric"})],
        "imputed": [StrOptions({"use", "renormalise"})],
        "weights": [str],
        "dtype": [StrOptions({"float64", "float32"})],
        "on_error": [StrOptions({"raise", "nan", "skip"})],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        table=None,
        *,
        mode="1d",
        kernel="gaussian",
        grid=10,
        sigma=None,
        groups=None,
        landmarks=None,
        representation="grid",
        imputed="use",
        weights="atomic",
        extra=(),
        dtype="float64",
        on_error="raise",
        n_jobs=None,
    ):
        self.table = table
        self.mode = mode
        self.kernel = kernel
        self.grid = grid
        self.sigma = sigma
        self.groups = groups
        self.landmarks = landmarks
        self.representation = representation
        self.imputed = imputed
        self.weights = weights
        self.extra = extra
        self.dtype = dtype
        self.on_error = on_error
        self.n_jobs = n_jobs

    # --- fitting -------------------------------------------------------------------------------------

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X=None, y=None):
        """Compute the matrix of similarities; the table alone decides.

        Parameters
        ----------
        X : compositions, optional
            Looked at for quantiles of samples only
            (:class:`~sozai.composition.kernel_grids.QuantileGrid`).
        y : None
            Not used.

        Returns
        -------
        KernelMeanDescriptor

        Raises
        ------
        InputError
            When options do not go together, or the table cannot be used.

        Warns
        -----
        UserWarning
            For constant features, equal features, and a kernel that does not
            determine the distribution.
        """
        place = "KernelMeanDescriptor.fit"
        check_extra(self.extra, place=place)
        kernel = as_kernel(self.kernel, place=place)
        grid, landmarks = as_grid(self.grid, place=place), as_landmarks(self.landmarks, place=place)
        self._check_options(grid, place)
        table = as_table(self.table, place=place)
        factors = component_factors(table, self.weights)
        usable = usable_table(table, self.imputed)
        if not is_characteristic(kernel):
            warnings.warn(
                f"{place}: the kernel {type(kernel).__name__} is not characteristic: different materials "
                "may have the same descriptor. Take Gaussian, Laplace or Matern to tell them apart.",
                UserWarning,
                stacklevel=2,
            )
        weights = None
        if X is not None and getattr(grid, "of", "") == "samples":
            self.table_ = usable.table
            fractions = self._read(X, place)[0].fractions
            fractions = fractions if factors is None else reweight(fractions, factors)
            weights = np.asarray(fractions.mean(axis=0)).ravel()
        blocks = self._blocks_of(usable, kernel, grid, landmarks, weights)
        self._settle(
            KernelMeanMap(
                usable.table, kernel, tuple(blocks), factors, usable.dropped, usable.duplicates,
                self.representation, self.dtype,
            )
        )  # fmt: skip
        return self

    def _settle(self, fitted: KernelMeanMap):
        """Set what a fitted descriptor shows."""
        self._map = fitted
        self.table_ = fitted.table
        self.components_ = tuple(fitted.table.components)
        self.matrix_, self.gamma_, self.grid_ = fitted.matrix, fitted.gamma, fitted.grid
        self.dropped_features_, self.duplicate_features_ = fitted.dropped, fitted.duplicates

    def _check_options(self, grid, place):
        """Refuse options that would have no effect."""
        joint, isometric = self.mode != "1d", self.representation == "isometric"
        clashes = [
            (joint and grid != UniformGrid(10), "grid", "mode='1d'", self.grid),
            (not joint and self.landmarks is not None, "landmarks", "mode='md' or 'product'", self.landmarks),
            (self.mode != "product" and self.groups is not None, "groups", "mode='product'", self.groups),
            (isometric and self.imputed != "use", "imputed", "representation='grid'", self.imputed),
            (isometric and self.landmarks is not None, "landmarks", "representation='grid'", self.landmarks),
        ]  # fmt: skip
        for clash, argument, needed, value in clashes:
            if clash:
                raise InputError(
                    sentence(
                        place, argument, f"stand with {needed}", value,
                        at=f"with mode={self.mode!r}", remedy=f"Leave {argument} out, or choose {needed}; "
                        "a search over both takes a list of dicts, each of options that go together.",
                    )
                )  # fmt: skip

    def _blocks_of(self, usable, kernel, grid, landmarks, weights) -> list[KernelBlock]:
        """Blocks of rows of the matrix in the chosen mode."""
        table, known = usable.table, usable.known
        values = np.asarray(table.values, dtype=np.float64)
        if self.mode == "1d":
            return feature_blocks(
                values, known, table.features, table.units, kernel, grid, sigma=self.sigma, weights=weights
            )
        rest = (table.features, table.components, kernel, landmarks)
        if self.mode == "md":
            blocks = [joint_block("md", values, known, *rest, sigma=self.sigma)]
        else:
            groups = check_groups(self.groups, table.features, usable.dropped)
            blocks = group_blocks(groups, values, known, *rest, sigma=self.sigma)
        for block in blocks:
            if not block.known.any():
                raise InputError(
                    sentence(
                        "KernelMeanDescriptor.fit", "imputed",
                        "be 'use' where every component has a filled-in cell", self.imputed,
                        at=f"for {block.name!r}", remedy="Pass imputed='use', or fewer features.",
                    )
                )  # fmt: skip
        return blocks

    # --- describing ----------------------------------------------------------------------------------

    def transform(self, X):
        """Describe compositions.

        Parameters
        ----------
        X : formulas, fractions or ParsedFormulas of n_samples rows
            Strings, mappings, sparse or dense fractions with one column for each
            component; with ``extra`` a DataFrame that holds these columns, too.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            Rows that could not be read are NaN with ``on_error="nan"``.

        Raises
        ------
        InputError
            When a row cannot be read, or holds a component the table lacks.

        Warns
        -----
        ExtrapolationWarning
            When with ``imputed="renormalise"`` no component of a row is known.
        """
        check_is_fitted(self)
        parsed, side = self._read(X, "KernelMeanDescriptor.transform")
        return self._describe(parsed, side)

    def transform_to(self, X, out, *, chunk=20_000):
        """Describe many compositions into a file or an array, a block of rows at a time.

        Parameters
        ----------
        X : as for :meth:`transform`
        out : path-like or ndarray of shape (n_samples, n_columns)
            A path gets a ``.npy`` file once all rows are there.
        chunk : int, default=20_000
            Rows parsed at once; they bound the memory, not the result.

        Returns
        -------
        ndarray or numpy.memmap
            The array written to.

        Raises
        ------
        InputError
            When ``out`` has another shape or type, or rows would be skipped.
        """
        check_is_fitted(self)
        place = "KernelMeanDescriptor.transform_to"
        if self.on_error == "skip":
            raise InputError(
                sentence(
                    place, "on_error", "be 'raise' or 'nan', because the number of rows is fixed first",
                    self.on_error, remedy="Set on_error='nan'.",
                )
            )  # fmt: skip
        if isinstance(chunk, bool) or not isinstance(chunk, Integral) or chunk < 1:
            raise InputError(
                sentence(place, "chunk", "be a number of rows, 1 or more", chunk, remedy="Take 20_000.")
            )
        n_samples = X.shape[0] if hasattr(X, "shape") else len(X)
        shape = (n_samples, len(self.get_feature_names_out()))
        with open_target(out, shape, self.dtype, place) as write:
            for start, parsed, side in self._reader().read_blocks(X, int(chunk), place):
                write(start, self._describe(parsed, side))
        return out if isinstance(out, np.ndarray) else np.load(out, mmap_mode="r+")

    def get_feature_names_out(self, input_features=None):
        """Names of the columns: ``atomic_radius@0.333`` is a feature and a scaled grid value.

        Parameters
        ----------
        input_features : None
            Not used.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        return np.array([*self._map.names, *self.extra], dtype=object)

    def imputation_share(self, X):
        """Fraction of every composition that rests on filled-in cells, feature by feature.

        Parameters
        ----------
        X : as for :meth:`transform`

        Returns
        -------
        DataFrame of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        parsed, _ = self._read(X, "KernelMeanDescriptor.imputation_share")
        shares = imputation_share(self._map.weights(parsed.fractions), self.table_)
        return pd.DataFrame(np.asarray(shares), columns=list(self.table_.features))

    # --- distances -----------------------------------------------------------------------------------

    @property
    def gram_(self):
        """Similarity of every two components: joint, or the mean over features or groups."""
        check_is_fitted(self)
        return self._map.gram

    @property
    def isometric_(self):
        """Coordinates of the components whose distances are discrepancies, shape (n_components, rank)."""
        check_is_fitted(self)
        return self._map.isometric

    def isometric_blocks(self, groups=None):
        r"""Coordinates of the components for each feature, so that each can have a length scale.

        Parameters
        ----------
        groups : mapping of str to sequence of str, optional
            Features (groups in mode "product") taken together; one block for
            each of them when left out. Features not named are left out.

        Returns
        -------
        list of (str, ndarray of shape (n_components, rank))
            Names and :math:`L_g`. Over all features
            :math:`\sum_g L_gL_g^T = K`; eigenvalues below 1e-10 of the largest
            of a block are left out.

        Raises
        ------
        InputError
            When a group names what the descriptor does not hold.
        """
        check_is_fitted(self)
        return self._map.isometric_blocks(groups)

    def mmd_distance(self, A, B=None):
        r"""Maximum mean discrepancy of all pairs of compositions, without a grid.

        Parameters
        ----------
        A, B : as for :meth:`transform`
            ``A`` itself when ``B`` is left out.

        Returns
        -------
        ndarray of shape (n_a, n_b)
            :math:`\sqrt{(w-w')^TK(w-w')}`, from 0 to :math:`\sqrt2` for kernels
            that are 1 at distance 0; NaN for rows that could not be read.
        """
        check_is_fitted(self)
        place = "KernelMeanDescriptor.mmd_distance"
        left, left_refused = self._coordinates(A, place)
        right, right_refused = (None, left_refused) if B is None else self._coordinates(B, place)
        distances = discrepancies(left, right)
        distances[left_refused] = np.nan
        distances[:, right_refused] = np.nan
        return distances

    def similar_formulas(self, query, database, k=5):
        """Compositions of a database nearest to some queries.

        Parameters
        ----------
        query, database : as for :meth:`transform`
            A single formula is a query, too. Rows of the database that could
            not be read (``on_error="nan"``) are never hits.
        k : int, default=5
            Hits for each query.

        Returns
        -------
        SimilarFormulas
        """
        check_is_fitted(self)
        place = "KernelMeanDescriptor.similar_formulas"
        query = [query] if isinstance(query, str) else query
        asked, _ = self._read(query, place, on_error="raise")
        held, _ = self._read(database, place)
        usable = np.flatnonzero(~np.asarray(held.refused))
        coordinates = self._map.coordinates(held.fractions)[usable]
        rows, distances = nearest_rows(self._map.coordinates(asked.fractions), coordinates, k)
        hits = usable[rows]
        return SimilarFormulas(names_of(asked), names_of(held)[hits], np.asarray(held.rows)[hits], distances)

    # --- back to fractions ---------------------------------------------------------------------------

    @property
    def invertibility_(self):
        """Rank and condition number of the map from fractions to descriptors."""
        check_is_fitted(self)
        return self._map.invertibility

    def inverse_transform(self, phi, *, components=None, metric=None, return_std=False, on_not_unique="warn"):
        """Fractions whose kernel mean is nearest to a descriptor.

        Parameters
        ----------
        phi : array-like of shape (n_samples, n_columns) or (n_columns,)
            With or without the side columns.
        components : sequence of str, optional
            Candidates; all components of the table when left out.
        metric : ndarray, optional
            Standard errors of the columns, or their covariance.
        return_std : bool, default=False
            Also standard errors of the fractions; for atomic weights only.
        on_not_unique : {"warn", "raise", "ignore"}, default="warn"

        Returns
        -------
        InverseResult

        Raises
        ------
        InputError
            When ``phi`` comes from another grid, or the map is not linear.

        See Also
        --------
        sozai.composition.kernel_mean_inverse.invert : Does the work.
        """
        from sozai.composition.kernel_mean_inverse import invert

        check_is_fitted(self)
        place = "KernelMeanDescriptor.inverse_transform"
        matrix, phi = self._map.linear(), self._map.own_columns(phi, len(self.extra), place)
        factors = self._map.factors
        if return_std and factors is not None:
            raise InputError(
                sentence(
                    place, "return_std", "be False with weights other than 'atomic'", return_std,
                    remedy="Fit with weights='atomic' for standard errors of fractions.",
                )
            )  # fmt: skip
        chosen = self._map.numbers(components, place)
        result = invert(
            matrix[:, chosen], np.atleast_2d(phi), tuple(self.components_[j] for j in chosen),
            metric=metric, return_std=return_std, on_not_unique=on_not_unique, n_jobs=self.n_jobs,
        )  # fmt: skip
        if factors is None:
            return result
        amounts = result.fractions / factors[chosen]
        return replace(result, fractions=amounts / amounts.sum(axis=1, keepdims=True))

    def decode(self, phi, **options):
        """Chemical formulas behind a descriptor, the best first.

        Parameters
        ----------
        phi : array-like of shape (n_columns,) or (n_samples, n_columns)
        **options
            As in :func:`sozai.composition.decoding.decode`.

        Returns
        -------
        list of DecodedFormula, or a list of such lists

        Raises
        ------
        InputError
            When ``phi`` comes from another grid, or weights are not atomic.
        """
        from sozai.composition.decoding import decode

        check_is_fitted(self)
        place = "KernelMeanDescriptor.decode"
        matrix, phi = self._map.linear(), self._map.own_columns(phi, len(self.extra), place)
        if self._map.factors is not None:
            raise InputError(
                sentence(
                    place, "weights", "be 'atomic', because formulas count atoms", self.weights,
                    remedy="Fit with weights='atomic', or use inverse_transform.",
                )
            )  # fmt: skip
        return decode(matrix, phi, self.components_, **options)

    # --- keeping -------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the fitted descriptor to a file; :func:`load_kernel_mean` reads it.

        Parameters
        ----------
        path : path-like

        Returns
        -------
        pathlib.Path

        Raises
        ------
        InputError
            When the kernel is a function of your own, which no file can hold.
        """
        check_is_fitted(self)
        return save_model(path, KIND, to_state(self))

    # --- shared steps --------------------------------------------------------------------------------

    def _read(self, X, place, on_error=None):
        """Parsed compositions in the order of the table, and the side columns of a frame."""
        return self._reader(on_error).read(X, place)

    def _reader(self, on_error=None) -> CompositionReader:
        """Who turns input into compositions."""
        return CompositionReader(self.table_.components, tuple(self.extra), on_error or self.on_error)

    def _describe(self, parsed, side) -> np.ndarray:
        """Rows of the descriptor, side columns last."""
        n_columns = len(self._map.names)
        out = self._map.describe(parsed.fractions, len(self.extra), self.n_jobs)
        for column, name in enumerate(self.extra, start=n_columns):
            out[:, column] = side_values(name, parsed, side)
        refused = np.asarray(parsed.refused)
        if refused.any():
            out[refused] = np.nan
        return out

    def _coordinates(self, X, place):
        """Coordinates of compositions, and which of them were refused."""
        parsed, _ = self._read(X, place)
        return self._map.coordinates(parsed.fractions), np.asarray(parsed.refused)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.sparse = True
        tags.input_tags.two_d_array = True
        tags.no_validation = True
        return tags


def load_kernel_mean(path: str | os.PathLike[str]) -> KernelMeanDescriptor:
    """Read a descriptor that :meth:`KernelMeanDescriptor.save` wrote.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    KernelMeanDescriptor
        Fitted, with the same bits; its parameter ``table`` is the saved table.

    Raises
    ------
    InputError
        When the file is damaged or holds something else.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> radii = pd.DataFrame({"radius": [186.0, 70.0, 60.0]}, index=["Na", "C", "O"])
    >>> with TemporaryDirectory() as folder:
    ...     path = KernelMeanDescriptor(radii, grid=3).fit().save(Path(folder, "radii.sozai"))
    ...     load_kernel_mean(path).transform(["CO2"]).round(3).tolist()
    [[0.992, 0.41, 0.023]]
    """
    return from_state(KernelMeanDescriptor, load_model(path, KIND))
