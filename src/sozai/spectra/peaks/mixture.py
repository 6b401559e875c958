"""Peaks on a background in one spectrum, found without a guess, by maximum likelihood, with errors."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar

import joblib
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.checks import as_generator
from sozai.contracts.errors import ConvergenceWarning, InputError, sentence
from sozai.contracts.estimator import (
    BaseEstimator,
    Interval,
    RegressorMixin,
    StrOptions,
    check_is_fitted,
    fit_context,
)
from sozai.spectra.noise import PoissonNoise, as_noise
from sozai.spectra.peaks.background import NoBackground, Shirley, Tougaard, as_background
from sozai.spectra.peaks.fit_report import record_of, sorted_solution
from sozai.spectra.peaks.fitted_curves import (
    as_spectrum,
    background_at,
    components_at,
    drawn_spectra,
    inside,
)
from sozai.spectra.peaks.given_starts import given_theta
from sozai.spectra.peaks.multi_start import Search, n_starts_of, search
from sozai.spectra.peaks.peak_fit import PeakFit
from sozai.spectra.peaks.peak_problem import PeakProblem, free_count, with_offset
from sozai.spectra.peaks.peak_profiles import profile_of
from sozai.spectra.peaks.published_em import search_published
from sozai.spectra.spectrum import Spectrum
from sozai.spectra.spectrum_checks import SpectrumWarning, check_spectrum

__all__ = ["PeakMixture", "fit_peaks"]

Array = NDArray[np.float64]

_PLACE = "PeakMixture.fit"


class PeakMixture(RegressorMixin, BaseEstimator):
    r"""Sum of peaks on a background, fitted to counts without a guess of the user.

    Many starts, a short expectation-maximization of each, then maximum likelihood with the background in
    the model: positions, widths and areas come with their errors.

    Parameters
    ----------
    n_components : int, default=1
        Number of peaks K, both lines of a doublet counted; 0 for the background alone.
    shape : Shape, str or sequence of one per peak, default="pseudo-voigt"
        See :mod:`~sozai.spectra.peaks.shapes`.
    background : Background, str or None, default="constant"
        See :mod:`~sozai.spectra.peaks.background`; ``"constant + shirley"``.
    noise : Noise or {"poisson", "gaussian", "robust"}, optional
        Left out: what the spectrum says, else Poisson for whole numbers >= 0 and for values that share a
        step or scatter as counts do, else Gaussian of unknown size.
    method : {"em-lm", "em"}, default="em-lm"
        ``"em"``: the published expectation-maximization of a Gaussian mixture alone, for comparison and
        teaching. Gaussian peaks on a constant background or none; no channel widths, no truncation at the
        window, **no errors**; at most 30 ``max_iter`` iterations.
    n_init : int or "auto", default="auto"
        Starts: 20 up to four peaks, 40 above.
    labels : sequence of str, optional
        Names of the peaks; ``"peak 1"``, ``"peak 2"``, ... by position when left out.
    ties : sequence of Tie or (parent, partner, Doublet), default=()
        See :mod:`~sozai.spectra.peaks.ties`.
    bounds : dict of str to (lower, upper), optional
        By ``"label.parameter"``; None is no bound.
    fixed : dict of str to float, optional
        Parameters that are held; ``area`` and ``lorentz_fraction`` too.
    width_range : (float or None, float or None), default=(None, None)
        Bounds of all full widths; at least 1.5 channels, at most twice the window.
    integration : {"auto", "bin", "midpoint"}, default="auto"
        Whether the density is integrated over every channel: where channels are wider than a tenth of the
        narrowest peak, or uneven.
    saturation : float, optional
        Channels at or above it are left out.
    despike : bool, default=False
        Leave out channels that look like cosmic rays.
    max_iter : int, default=100
        Iterations of every likelihood fit.
    tol : float, default=1e-9
        Relative change of the deviance (method "em": of the likelihood) that ends it.
    random_state : None, int, RandomState or Generator
        Start r has a stream of its own. None is 0: the same spectrum gives the same fit.
    n_jobs : int, optional
        Threads that share the starts; the result has the same bits for any number.

    Attributes
    ----------
    result_ : PeakFit
        Everything below, and the curves.
    peaks_ : tuple of Peak
        In ascending position; doublet partners follow their parent.
    background_ : dict of str to (value, error)
    weights_ : ndarray of shape (K,)
        Areas over all counts.
    deviance_, n_free_, dof_, n_iter_, converged_, optimum_hits_
        As in :class:`~sozai.spectra.peaks.peak_fit.PeakFit`.
    theta_ : ndarray of shape (p,)
        Internal parameters in the order of ``names_``.
    names_ : tuple of str
    covariance_ : ndarray of shape (p, p)
        NaN for parameters on a bound, 0 for fixed ones.
    fisher_ : ndarray of shape (p, p)
        Fisher information.
    at_bound_ : ndarray of bool of shape (p,)
    starts_ : DataFrame
        Start, deviance and parameters when its start-up had ended, and whether it was fitted on.
    expected_ : ndarray of shape (n,)
        Expected counts of every channel, in the order of the input.
    responsibilities_ : ndarray of shape (n, K + 1)
        Share of every channel owed to each peak and, last, to the background.
    model_ : CompiledModel
        On the ascending axis.

    See Also
    --------
    fit_peaks : The same in one line.
    sklearn.mixture.GaussianMixture : Fits points, not counts of channels; no background, no errors.

    Notes
    -----
    .. math::
        y_n \sim \mathrm{Poisson}(\mu_n), \qquad \mu_n = \sum_k A_k \int_n f(x; x_k, w_k, \eta_k)\,dx
        + \sum_m b_m B_m(x_n), \qquad
        D = 2\sum_n [\mu_n - y_n + y_n \ln(y_n/\mu_n)]

    The search has four steps. One start comes from the curvature of the smoothed counts, the others draw one
    position from each K-th of the signal. Each gets 15 iterations of an expectation-maximization in closed
    form, on merged channels where these are finer than a quarter of the narrowest peak. The best three
    that differ get 10 more and a Levenberg-Marquardt fit of the likelihood. Last the least significant
    peak is put where most counts are missing, as long as the deviance falls by more than 6. [1]_ [2]_ fit by
    expectation-maximization alone, from one start or from many.

    Errors are those of the inverse Fisher information. With Gaussian noise of unknown size they contain the
    root of the residual variance; with robust noise residuals follow Student's t. A parameter on a bound has
    error NaN and a one-sided 95 % limit, where the deviance has risen by 2.71. :meth:`profile` gives
    intervals that need not be symmetric.

    Asymmetric shapes and Voigt lines start as pseudo-Voigt; their asymmetry is switched on in the
    likelihood fit.

    Cost O(R n K) for R starts and some 10 fits of O(n p²); memory O(n p). It fails where peaks overlap so
    much that the counts cannot tell them apart: look at ``optimum_hits_``, ``supported`` and the errors.

    ================  ======================  ==========  ======================
    Symbol            Code                    Shape       Unit
    ================  ======================  ==========  ======================
    :math:`x_k`       ``Peak.position``       scalar      axis
    :math:`w_k`       ``Peak.fwhm``           scalar      axis
    :math:`A_k`       ``Peak.area``           scalar      counts
    :math:`\eta_k`    ``lorentz_fraction``    scalar      none
    :math:`b_m`       ``background_``         (M,)        counts per channel
    :math:`\mu`       ``expected_``           (n,)        counts
    :math:`D`         ``deviance_``           scalar      none
    ================  ======================  ==========  ======================

    References
    ----------
    .. [1] T. Matsumura, N. Nagamura, S. Akaho, K. Nagata, Y. Ando, Sci. Technol. Adv. Mater. 20, 733
       (2019). https://doi.org/10.1080/14686996.2019.1620123
    .. [2] T. Matsumura, N. Nagamura, S. Akaho, K. Nagata, Y. Ando, Sci. Technol. Adv. Mater.: Methods 1, 45
       (2021). https://doi.org/10.1080/27660400.2021.1899449

    Examples
    --------
    >>> from sozai.datasets import make_spectrum
    >>> made = make_spectrum([[30.0, 6.0, 4e4, 0.3], [60.0, 8.0, 2e4, 0.5]], background=50.0, rng=0)
    >>> fit = PeakMixture(2, random_state=0).fit(made.frame["axis"], made.frame["counts"])
    >>> [round(peak.position) for peak in fit.peaks_], fit.converged_
    ([30, 60], True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [Interval(Integral, 0, None, closed="left")],
        "method": [StrOptions({"em-lm", "em"})],
        "n_init": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "integration": [StrOptions({"auto", "bin", "midpoint"})],
        "saturation": [Interval(Real, 0, None, closed="neither"), None],
        "despike": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        n_components=1,
        shape="pseudo-voigt",
        background="constant",
        *,
        noise=None,
        method="em-lm",
        n_init="auto",
        labels=None,
        ties=(),
        bounds=None,
        fixed=None,
        width_range=(None, None),
        integration="auto",
        saturation=None,
        despike=False,
        max_iter=100,
        tol=1e-9,
        random_state=None,
        n_jobs=None,
    ):
        self.n_components = n_components
        self.shape = shape
        self.background = background
        self.noise = noise
        self.method = method
        self.n_init = n_init
        self.labels = labels
        self.ties = ties
        self.bounds = bounds
        self.fixed = fixed
        self.width_range = width_range
        self.integration = integration
        self.saturation = saturation
        self.despike = despike
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        axis: Any,
        counts: ArrayLike | None = None,
        *,
        sample_mask: ArrayLike | None = None,
        start: Any = None,
    ) -> PeakMixture:
        """Fit the peaks.

        Parameters
        ----------
        axis : array-like of shape (n,) or (n, 1), or Spectrum
            Centers of the channels, in any order.
        counts : array-like of shape (n,)
            Left out with a Spectrum. NaN marks a gap.
        sample_mask : array-like of bool of shape (n,), optional
            True where to leave out, in addition to the spectrum's own mask.
        start : PeakFit, DataFrame, list of peaks or ndarray, optional
            Fit from here instead of searching: an earlier fit; a table or list of peaks with position, fwhm,
            and optionally area and lorentz_fraction (mappings, Peaks or tuples in this order); or an
            array of internal parameters, (p,) or one row per start.

        Returns
        -------
        PeakMixture

        Raises
        ------
        InputError
            For data that cannot be used (see :func:`~sozai.spectra.spectrum_checks.check_spectrum`), more
            parameters than channels, unknown names, and starts that do not fit.

        Warns
        -----
        SpectrumWarning
            For what looks wrong about the spectrum or about a peak: merging suggested, on the edge of the
            window, as narrow as allowed, wider than the window, labels out of order.
        ConvergenceWarning
            When the fit did not converge, or its errors have few digits.
        """
        spectrum = as_spectrum(axis, counts, sample_mask)
        problem = self._problem(spectrum)
        if problem.n_peaks == 0:
            _need_own_level(self.background)
        found = self._search(problem, start)
        found = replace(found, solution=sorted_solution(problem, found.solution))
        header = {
            "unit": spectrum.unit, "axis_kind": spectrum.axis_kind, "counts_unit": spectrum.counts_unit,
            "shape": ", ".join(dict.fromkeys(type(one).__name__ for one in problem.roster.shapes)),
            "background_name": " + ".join(type(one).__name__ for one in as_background(self.background).parts),
            "noise_name": repr(problem.checked.noise), "label": spectrum.label, "source": spectrum.source,
        }  # fmt: skip
        self.result_, alarms = record_of(problem, found, header, (spectrum.axis, spectrum.counts))
        self._keep(problem, found)
        for alarm in alarms:
            warnings.warn(f"{_PLACE}: {alarm}", SpectrumWarning, stacklevel=3)
        if not self.converged_:
            warnings.warn(
                f"{_PLACE}: the fit ended with status {self.result_.status!r} after {self.n_iter_} "
                "iterations. Raise max_iter or use fewer peaks.",
                ConvergenceWarning,
                stacklevel=3,
            )
        return self

    def _problem(self, spectrum: Spectrum) -> PeakProblem:
        """Data and model, checked."""
        noise = as_noise(self.noise, place=_PLACE)
        background = as_background(self.background, place=_PLACE)
        options = {
            "labels": self.labels, "ties": self.ties, "bounds": self.bounds, "fixed": self.fixed,
            "width_range": self.width_range, "place": _PLACE,
        }  # fmt: skip
        known = noise if noise is not None else spectrum.noise
        whole, roster, offset = with_offset(background, known, int(self.n_components), self.shape, options)
        checked = check_spectrum(
            spectrum, place=_PLACE, noise=noise, saturation=self.saturation, despike=bool(self.despike),
            n_parameters=free_count(roster, whole),
        )  # fmt: skip
        if offset > 0.0 and not isinstance(
            checked.noise, PoissonNoise
        ):  # negative data of a Poisson spectrum
            offset, whole = 0.0, background
            roster = with_offset(background, None, int(self.n_components), self.shape, options)[1]
        return PeakProblem(
            checked, whole, roster, checked.counts + offset, offset, self.integration, int(self.max_iter),
            float(self.tol),
        )  # fmt: skip

    def _search(self, problem: PeakProblem, start: Any) -> Search:
        """From the user's start, or blindly."""
        seed = _seed_of(self.random_state)
        n_starts = n_starts_of(self.n_init, problem.n_peaks)
        if self.method == "em":
            if start is not None:
                raise InputError(
                    sentence(_PLACE, "start", "be left out with method='em'", remedy="Use method='em-lm'.")
                )
            return search_published(problem, n_starts, seed)
        theta = None if start is None else given_theta(problem, start)
        n_threads = joblib.effective_n_jobs(self.n_jobs)
        return search(problem, n_starts, seed, given=theta, n_threads=n_threads)

    def _keep(self, problem: PeakProblem, found: Search) -> None:
        """Fitted attributes."""
        result, solution = self.result_, found.solution
        p = len(result.theta)
        self.problem_, self.solution_ = problem, solution
        self.peaks_, self.background_ = result.peaks, result.background
        self.model_ = solution.model
        self.names_, self.theta_ = result.start_table.names, result.theta
        self.covariance_ = result.covariance
        self.fisher_ = solution.fit.fisher[0][:p, :p]
        self.at_bound_ = solution.fit.at_bound[0][:p]
        self.deviance_, self.dof_, self.n_free_ = result.deviance, result.dof, result.n_free
        self.n_iter_, self.converged_ = result.n_iter, result.converged
        self.optimum_hits_ = result.optimum_hits
        self.expected_ = result.expected
        total = float(np.nansum(np.where(result.mask, result.expected, result.counts)))
        self.weights_ = np.array([peak.area for peak in result.peaks]) / (total or np.nan)
        self.n_features_in_ = 1

    # --- after the fit -----------------------------------------------------------------------------

    @property
    def starts_(self):
        """Table of starts."""
        return self.result_.starts

    @property
    def responsibilities_(self) -> Array:
        """Share of every channel owed to each peak and, last, to the background."""
        parts = np.vstack([self.result_.components, self.result_.background_curve[None]])
        total = parts.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (parts / total).T

    def components(self, axis: Any = None) -> Array:
        """Content of every peak alone, in the order of ``peaks_``.

        Parameters
        ----------
        axis : array-like of shape (m,), optional
            Centers; the fitted ones when left out. A channel has the width that the fitted ones have there,
            so that a finer axis draws a smooth curve through the same counts.

        Returns
        -------
        ndarray of shape (K, m)
        """
        check_is_fitted(self)
        x = self._inside(axis, "components")
        if x is None:
            return self.result_.components.copy()
        return components_at(self.problem_, self.solution_, x)

    def predict(self, axis: Any = None) -> Array:
        """Expected counts of channels around these centers; see :meth:`components` for their width.

        Parameters
        ----------
        axis : array-like of shape (m,) or (m, 1), optional
            Inside the fitted window.

        Returns
        -------
        ndarray of shape (m,)

        Raises
        ------
        InputError
            For centers outside the window.

        Notes
        -----
        Between fitted channels the background is a cubic spline through its own values.
        """
        check_is_fitted(self)
        x = self._inside(axis, "predict")
        if x is None:
            return self.expected_.copy()
        return self.components(x).sum(axis=0) + background_at(self.problem_, self.solution_, self.result_, x)

    def _inside(self, axis: Any, method: str) -> Array | None:
        """Axis values inside the window; None for the fitted ones."""
        low, high = self.model_.grid.edges[[0, -1]]
        return inside(axis, self.result_.axis, (float(low), float(high)), f"PeakMixture.{method}")

    def score(
        self, axis: Any, counts: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> float:
        """Coefficient of determination of :meth:`predict`, as for all regressors of scikit-learn.

        Parameters
        ----------
        axis : array-like of shape (m,) or Spectrum
        counts : array-like of shape (m,)
        sample_weight : array-like of shape (m,), optional

        Returns
        -------
        float
        """
        spectrum = as_spectrum(axis, counts, None)
        return float(super().score(spectrum.axis, spectrum.counts, sample_weight))

    def sample(self, n: int = 1, rng: Any = None) -> Array:
        """Draw spectra from the fitted model, e.g. for a bootstrap.

        Parameters
        ----------
        n : int, default=1
        rng : None, int, RandomState or Generator

        Returns
        -------
        ndarray of shape (n, n_channels)
            On the fitted axis, in its order, with the noise of the fit.
        """
        check_is_fitted(self)
        if not (isinstance(n, Integral) and n >= 1):
            raise InputError(sentence("PeakMixture.sample", "n", "be at least 1", n))
        return drawn_spectra(self.problem_, self.solution_, self.expected_, int(n), as_generator(rng))

    def profile(self, name: str, delta: float = 1.0) -> tuple[float, float]:
        """Interval by profile likelihood, which need not be symmetric.

        Parameters
        ----------
        name : str
            ``"label.parameter"``: internal parameters, ``area`` and ``lorentz_fraction``.
        delta : float, default=1.0
            Rise of the deviance: 1 for 68 %, 3.84 for 95 %.

        Returns
        -------
        low, high : float
        """
        check_is_fitted(self)
        if self.method == "em":
            raise InputError(
                sentence(
                    "PeakMixture.profile", "method", "be 'em-lm'", "em", remedy="Fit by likelihood first."
                )
            )
        if not (np.isfinite(delta) and delta > 0):
            raise InputError(sentence("PeakMixture.profile", "delta", "be positive", delta))
        return profile_of(self.problem_, self.solution_, name, float(delta))


def _need_own_level(background: Any) -> None:
    """Refuse to fit nothing: without peaks, their steps and losses are zero."""
    parts = as_background(background, place=_PLACE).parts
    if all(isinstance(part, NoBackground | Shirley | Tougaard) for part in parts):
        named = " + ".join(type(part).__name__ for part in parts)
        raise InputError(
            sentence(
                _PLACE, "background", "have a level of its own where there are no peaks", named,
                remedy="Add a Constant(), or ask for a peak.",
            )
        )  # fmt: skip


def fit_peaks(
    spectrum: Spectrum | tuple[ArrayLike, ArrayLike],
    n_components: int = 1,
    *,
    sample_mask: ArrayLike | None = None,
    start: Any = None,
    **options: Any,
) -> PeakFit:
    """Fit peaks to a spectrum in one line.

    Parameters
    ----------
    spectrum : Spectrum or (axis, counts)
    n_components : int, default=1
    sample_mask, start
        As in :meth:`PeakMixture.fit`.
    **options
        Of :class:`PeakMixture`.

    Returns
    -------
    PeakFit

    See Also
    --------
    PeakMixture : The same as an estimator, with profiles, prediction and samples.

    Examples
    --------
    >>> from sozai.datasets import make_spectrum
    >>> made = make_spectrum([[30.0, 6.0, 4e4, 0.3]], background=50.0, rng=0)
    >>> fit = fit_peaks((made.frame["axis"], made.frame["counts"]), random_state=0)
    >>> [(round(peak.position), round(peak.fwhm)) for peak in fit.peaks]
    [(30, 6)]
    """
    mixture = PeakMixture(n_components, **options)
    if isinstance(spectrum, Spectrum):
        return mixture.fit(spectrum, sample_mask=sample_mask, start=start).result_
    if not isinstance(spectrum, Sequence) or len(spectrum) != 2:
        raise InputError(
            sentence("fit_peaks", "spectrum", "be a Spectrum or a pair (axis, counts)",
                     type(spectrum).__name__,
                     remedy="Write fit_peaks((axis, counts), 3).")
        )  # fmt: skip
    return mixture.fit(spectrum[0], spectrum[1], sample_mask=sample_mask, start=start).result_


def _seed_of(random_state: Any) -> np.random.SeedSequence:
    """Root of the streams of all starts."""
    if random_state is None or isinstance(random_state, Integral):
        return np.random.SeedSequence(0 if random_state is None else int(random_state))
    return np.random.SeedSequence(int(as_generator(random_state).integers(2**63)))
