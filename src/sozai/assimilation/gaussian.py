"""Experiment and simulation in one model: missing values integrated out, coupling and shape learned."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np

from sozai.assimilation.intake import source_number, split_labels
from sozai.assimilation.paths import OptimumPath, find_optimum_path, slice_points
from sozai.assimilation.priors import AssimilationPrior, GroupOffset
from sozai.assimilation.recursive import from_state, to_state
from sozai.assimilation.sums_keeper import SumsKeeper
from sozai.contracts.checks import as_generator
from sozai.contracts.errors import ExtrapolationWarning
from sozai.contracts.estimator import (
    HasMethods,
    RegressorMixin,
    StrOptions,
    check_is_fitted,
    input_names,
    validate_table,
)
from sozai.contracts.parallel import one_thread

__all__ = ["GaussianAssimilator"]

#: Rows predicted at once.
_BLOCK = 4096


class GaussianAssimilator(RegressorMixin, SumsKeeper):
    r"""Several sources of one quantity, from cheap and biased to dear and true, in one Gaussian model.

    Every row has values of some sources; the others are NaN and integrated
    out. A later source is the earlier ones times a coupling plus a correction
    with few terms, so that the shape of a calculation carries a few
    measurements far beyond the region where they were made.

    Parameters
    ----------
    basis : basis or str, optional
        Functions of the descriptors; a cubic when left out. Text as in
        :func:`~sozai.assimilation.basis.parse_basis`.
    restricted : {"learn", "average", "none"}, "degree>k", or list, default="learn"
        Terms that corrections do not have: chosen by evidence; averaged over
        by evidence; none; those above a degree; those named (or numbered).
    pattern : {"degree", "terms", "all"}, default="degree"
        Patterns to choose from: all terms up to a degree, for products of two
        bases up to a degree of each, too; sets of plain terms, all of them up
        to 8 columns and one term at a time beyond; all sets.
    coupling : {"fit", "average"}, float or ndarray of shape (d, d), default="fit"
        C searched; integrated over and reported as its mean; or held. A number
        is the coupling of every source to the one before it; 1.0 means same
        unit and same size.
    prior : AssimilationPrior, optional
    domain : array-like of shape (n_features, 2), optional
        Lowest and highest value of every descriptor, over which the columns
        are orthonormal. Left out, the range of the first rows, kept ever after.
    offset : GroupOffset, optional
        A constant for every laboratory.
    allow_prior : bool, default=False
        Predict a source without values from the prior of the coupling.
    random_state : int, RandomState or Generator, optional
        For :meth:`sample` and :meth:`optimum_path` only.

    Attributes
    ----------
    coef_ : ndarray of shape (d, P)
        W: coefficients of the predicted mean of every source in basis columns.
    coupling_, coupling_std_ : ndarray of shape (d, d)
        C, strictly lower, and its standard deviation (Laplace; 0 where held).
    correction_ : ndarray of shape (d, P)
        R; restricted terms are exactly 0.
    conditional_noise_ : ndarray of shape (d,)
        :math:`\tau`, standard deviations, in the unit of Y.
    covariance_ : ndarray of shape (d, d)
        :math:`\Sigma`.
    precision_yy_, precision_yx_ : ndarray of shape (d, d), (d, P)
        :math:`\Lambda_{yy}, \Lambda_{yx}`.
    pattern_table_ : DataFrame
        terms, n_terms, log_evidence, weight of every pattern tried.
    kept_terms_ : tuple of tuple of str
        Of every source.
    log_evidence_ : float
        Of the standardized data at the best coupling and noise, priors included.
    offset_table_ : DataFrame or None
        offset, std, n, z, flagged of every laboratory.
    offset_std_ : float
        :math:`\tau_u`.
    anchors_ : tuple of int
        Rows of the last ``fit`` whose descriptors every laboratory measured; empty after ``partial_fit``.
    source_names_ : tuple of str
    unit_ : str or None
    term_names_ : tuple of str
    domain_ : ndarray of shape (n_features, 2)
    basis_ : basis
    statistics_ : PatternStatistics
        All that is kept of the data.
    reference_species_ : tuple of str
        Fractions left out because they follow from the others.

    See Also
    --------
    sklearn.linear_model.BayesianRidge : One source.
    sozai.numerics.gaussian_process.GaussianProcess : No basis, one source.

    Notes
    -----
    .. math::

        y_j = \sum_{i<j} C_{ji}y_i + R_jx_{S_j} + N(0, \tau_j^2), \quad
        W = JR,\ \Sigma = J\,\mathrm{diag}(\tau^2)J^T,\ J = (I - C)^{-1}

    and the likelihood of a row with sources o is :math:`N(y_o; W_ox, \Sigma_{oo})`:
    values must be missing at random, that is, not because of what they would
    have been. A zero of R is a zero of :math:`\Lambda_{yx} = -(I-C)^T\mathrm{diag}(\tau^{-2})R`.

    =====================  ========================  ==========
    Symbol                 Code                      Shape
    =====================  ========================  ==========
    :math:`x`              basis columns             (P,)
    :math:`C`              ``coupling_``             (d, d)
    :math:`R`              ``correction_``           (d, P)
    :math:`\tau`           ``conditional_noise_``    (d,)
    :math:`W`              ``coef_``                 (d, P)
    :math:`\Sigma`         ``covariance_``           (d, d)
    :math:`N_o, G_o`       ``statistics_``           per pattern
    =====================  ========================  ==========

    Given C and :math:`\tau` the coefficients are one linear solve; only C and
    :math:`\log\tau^2` (and :math:`\log\tau_u^2`) are searched, with analytic
    gradients. Predictions integrate over them on 45 nodes (135 for
    ``coupling="average"``), because with a handful of measurements the best
    values alone give bands that are too narrow; beyond 150 unknowns to first order.
    Ours: the integration of the noise, the closed fit, patterns by nested degree.

    Rows are folded into one triangular factor per pattern of missing values:
    time :math:`O(n(P+d)^2)` once, memory :math:`O(2^d(P+d)^2)` whatever n (plus one
    chunk of about 16 MB of columns); every fit after that costs
    :math:`O(p^3)` per evaluation for :math:`p = P + \sum|S_j|` unknowns.

    C couples values, noise included: where most rows hold both sources and the
    calculation itself scatters, C is pulled to what the scatters share, 0 where
    they are independent, and the correction takes the shape over. Hold C
    (``coupling=1.0``), or put calculation and measurement in rows of their own.

    With one source it is Bayesian linear regression.

    References
    ----------
    .. [1] Y. Harashima et al., Phys. Rev. Materials 5, 013806 (2021), doi:10.1103/PhysRevMaterials.5.013806.
    .. [2] K. Takai, Y. Kano, Commun. Stat. Theory Methods 42, 3174 (2013).
    .. [3] M. C. Kennedy, A. O'Hagan, Biometrika 87, 1 (2000), doi:10.1093/biomet/87.1.1.

    Examples
    --------
    Calculations over the whole range, measurements in its lower half, 1.5 lower:

    >>> import numpy as np
    >>> x = np.linspace(0, 1, 11)[:, None]
    >>> calculated = 2 - x[:, 0] + 20 * (x[:, 0] - 0.5) ** 3
    >>> measured = np.where(x[:, 0] < 0.45, calculated - 1.5, np.nan)
    >>> both = GaussianAssimilator("polynomial:3", coupling=1.0, domain=[(0, 1)])
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     both = both.fit(x, np.column_stack([calculated, measured]))
    >>> both.kept_terms_[1], both.predict([[1.0]]).round(2).tolist()
    (('1',), [2.0])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "basis": [HasMethods(["evaluate", "degrees", "n_terms"]), str, None],
        "restricted": [str, list, tuple],
        "pattern": [StrOptions({"degree", "terms", "all"})],
        "coupling": [str, "array-like", float, int],
        "prior": [AssimilationPrior, None],
        "domain": ["array-like", None],
        "offset": [GroupOffset, None],
        "allow_prior": ["boolean"],
        "random_state": ["random_state", np.random.Generator],
    }

    def __init__(
        self,
        basis=None,
        *,
        restricted="learn",
        pattern="degree",
        coupling="fit",
        prior=None,
        domain=None,
        offset=None,
        allow_prior=False,
        random_state=None,
    ):
        self.basis = basis
        self.restricted = restricted
        self.pattern = pattern
        self.coupling = coupling
        self.prior = prior
        self.domain = domain
        self.offset = offset
        self.allow_prior = allow_prior
        self.random_state = random_state

    # --- predictions ---------------------------------------------------------------------------------

    def predict(self, X, source=-1, return_std=False, observation=False):
        """Mean of a source, and its standard deviation.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            With ``offset``: a laboratory seen before adds its offset, another
            one the variance of offsets, an empty cell or no column neither.
        source : int or str, default=-1
            Position or name; the last, truest one when left out.
        return_std : bool, default=False
            Give (mean, standard deviation).
        observation : bool, default=False
            Standard deviation of a new value, noise included.

        Returns
        -------
        ndarray of shape (n_samples,), or a pair of them

        Warns
        -----
        ExtrapolationWarning
            Where the variance is more than 4 times the largest at a training row.
        """
        check_is_fitted(self)
        j = self._source(source, "GaussianAssimilator.predict")
        X, labels = self._descriptors(X, "GaussianAssimilator.predict")
        posterior = self._solved().posterior
        mean, std = np.empty(len(X)), np.empty(len(X))
        n_far, worst = 0, 0.0
        with one_thread():
            limit = 4 * self._learned.largest(self._solved().best, j)
            for first in range(0, len(X), _BLOCK):
                rows = slice(first, first + _BLOCK)
                terms = self.basis_.evaluate(X[rows], self.domain_)
                named = None if labels is None else labels[rows]
                if return_std:
                    mean[rows], std[rows] = posterior.moments(terms, j, named, observation=observation)
                else:
                    mean[rows] = posterior.mean(terms, j, named)
                variance = self._variance(self._learned.outside(terms), j)
                n_far += int((variance > limit).sum())
                worst = max(worst, float(variance.max(initial=0.0)))
        if n_far:
            ratio = np.sqrt(4 * worst / limit)
            warnings.warn(
                f"GaussianAssimilator.predict: {n_far} of {len(X)} rows lie outside the training region; the "
                f"largest standard deviation there is {ratio:.1f} times that at any training row.",
                ExtrapolationWarning,
                stacklevel=2,
            )
        return (mean, std) if return_std else mean

    def sample(self, X, n=1, *, source=-1, random_state=None):
        """Draw functions from the posterior, coupling and pattern included.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        n : int, default=1
        source : int or str, default=-1
        random_state : optional
            In place of that of the estimator.

        Returns
        -------
        ndarray of shape (n_samples, n)
        """
        check_is_fitted(self)
        j = self._source(source, "GaussianAssimilator.sample")
        X, _ = self._descriptors(X, "GaussianAssimilator.sample")
        return self.basis_.evaluate(X, self.domain_) @ self._draws(n, random_state)[:, j].T

    def design_variance(self, X, source=-1):
        r"""Variance :math:`h^TA^{-1}h` of a source's mean at the best coupling, noise and pattern.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        source : int or str, default=-1

        Returns
        -------
        ndarray of shape (n_samples,)
            In squared units of Y; it does not depend on the values of Y beyond coupling and noise.
        """
        check_is_fitted(self)
        j = self._source(source, "GaussianAssimilator.design_variance")
        X, _ = self._descriptors(X, "GaussianAssimilator.design_variance")
        with one_thread():
            terms = self.basis_.evaluate(X, self.domain_)
            return self._variance(terms, j) * self._solved().posterior.scale ** 2

    def design_covariance(self, X1, X2, source1=-1, source2=-1):
        r"""Covariance :math:`h_1^TA^{-1}h_2` between means of sources at two sets of points.

        Parameters
        ----------
        X1, X2 : array-like of shape (n_1, n_features), (n_2, n_features)
        source1, source2 : int or str, default=-1

        Returns
        -------
        ndarray of shape (n_1, n_2)
            In squared units of Y, at the best coupling, noise and pattern.
        """
        check_is_fitted(self)
        place = "GaussianAssimilator.design_covariance"
        best, scale = self._solved().best, self._solved().posterior.scale
        solved = []
        with one_thread():
            for X, source, name in ((X1, source1, "source1"), (X2, source2, "source2")):
                j = source_number(source, self.source_names_, place=place, argument=name)
                terms = self.basis_.evaluate(self._descriptors(X, place)[0], self.domain_)
                solved.append(best.solution.solve(best.fit.loadings(terms, best.phi, j)))
            return scale**2 * solved[0].T @ solved[1]

    def slice(self, free, fixed=None, at=None, *, source=-1, n_points=41):
        """Mean and standard deviation along one or two descriptors.

        Parameters
        ----------
        free : str, int or list of them
            Descriptors that vary.
        fixed : mapping, optional
            Values of the others; the middle of the domain where not named.
        at : mapping of descriptor to array, optional
            Values of free descriptors; equal steps over the domain where not named.
        source : int or str, default=-1
        n_points : int, default=41

        Returns
        -------
        DataFrame
            All descriptors, ``mean`` and ``std``.
        """
        check_is_fitted(self)
        frame = slice_points(input_names(self), self.domain_, free, fixed, at, n_points)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExtrapolationWarning)
            mean, std = self.predict(self._as_told(frame), source=source, return_std=True)
        return frame.assign(mean=mean, std=std)

    def optimum_path(
        self, free, along, *, domain=None, fixed=None, source=-1, maximize=True, n_draws=500, n_steps=41,
        random_state=None,
    ) -> OptimumPath:  # fmt: skip
        """Best place in some descriptors as another one changes, with its uncertainty.

        Parameters
        ----------
        free : str, int or list of them
            Descriptors in which the source is made largest.
        along : str or int
        domain : mapping of descriptor to (low, high), optional
            In place of the declared domain.
        fixed : mapping, optional
            Values of the others; the middle of the domain where not named.
        source : int or str, default=-1
        maximize : bool, default=True
            False looks for the smallest value.
        n_draws : int, default=500
            Functions drawn from the posterior.
        n_steps : int, default=41
            Values of ``along``.
        random_state : optional

        Returns
        -------
        OptimumPath
        """
        check_is_fitted(self)
        j = self._source(source, "GaussianAssimilator.optimum_path")
        draws = self._draws(n_draws, random_state)[:, j]
        return find_optimum_path(
            lambda X: self.basis_.evaluate(X, self.domain_), draws, self.coef_[j],
            input_names(self), self.domain_,
            free, along, domain or {}, fixed or {}, 1.0 if maximize else -1.0, n_steps,
        )  # fmt: skip

    # --- keeping and checking ------------------------------------------------------------------------

    def state(self):
        """All that a fit needs, as plain values and arrays: parameters and sums, no row of data.

        Returns
        -------
        dict
            Give it to :meth:`from_state`, or to :func:`~sozai.contracts.model_file.save_model`
            for a file of JSON and npy.

        Raises
        ------
        InputError
            When the basis is a function of one's own, which no file can hold.
        """
        check_is_fitted(self)
        return to_state(self)

    @classmethod
    def from_state(cls, state):
        """Build the assimilator back; it goes on where the other stopped.

        Parameters
        ----------
        state : dict
            From :meth:`state`.

        Returns
        -------
        GaussianAssimilator
        """
        return from_state(cls, state)

    def expectation_maximization(self, *, n_iterations=20_000, tolerance=1e-9):
        """Fit the chosen pattern again by expectation and maximization, as a check of the search.

        Parameters
        ----------
        n_iterations : int, default=20000
        tolerance : float, default=1e-9
            Largest step of coupling, log noise and standardized coefficients at which to stop.

        Returns
        -------
        ExpectationMaximization
            Both optima of the penalized likelihood, and the likelihood of every step.
        """
        from sozai.assimilation.expectation_maximization import cross_check

        check_is_fitted(self)
        with one_thread():
            return cross_check(self._solved().best.fit, n_iterations, tolerance)

    @property
    def grams_(self):
        """Count and sum of (x, y)(x, y)^T of every pattern, by the names of its sources."""
        check_is_fitted(self)
        names, out = self.source_names_, {}
        for key, factor in self.statistics_.factors.items():
            out[tuple(names[j] for j in key.observed), key.classes, key.label] = (factor.count, factor.gram())
        return out

    # --- inside --------------------------------------------------------------------------------------

    def _descriptors(self, X, place):
        """Checked descriptors, and numbers of laboratories (-1 none, -2 not seen)."""
        labels = None
        if self.offset is not None:
            X, names = split_labels(X, self.offset.column, place=place, needed=False)
            if names is not None:
                known = {name: k for k, name in enumerate(self._solved().grams.labels)}
                labels = np.array([-1 if name is None else known.get(name, -2) for name in names])
        return validate_table(self, X, reset=False), labels

    def _as_told(self, frame):
        return frame if hasattr(self, "feature_names_in_") else frame.to_numpy()

    def _variance(self, terms, j):
        """h^T A^-1 h at the best node, standardized."""
        best = self._solved().best
        return (best.solution.solve(best.fit.loadings(terms, best.phi, j)) ** 2).sum(axis=0)

    def _draws(self, n, random_state):
        """Coefficients of n functions, of shape (n, d, P)."""
        rng = as_generator(self.random_state if random_state is None else random_state)
        with one_thread():
            return self._solved().posterior.draw(n, rng)
