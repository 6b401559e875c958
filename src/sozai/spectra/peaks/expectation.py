"""Expectation-maximization of peaks: as published for counts of a Gaussian mixture, and as start of a fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.checks import as_vector
from sozai.contracts.errors import InputError, sentence
from sozai.spectra.peaks.expectation_runs import gaussian_iterations, run_starts
from sozai.spectra.peaks.expectation_window import (
    PooledPeaks,
    channel_blur,
    check_rows,
    check_starts,
    inside_order,
    make_members,
    make_window,
    require_length,
    require_positive,
    turned,
)
from sozai.spectra.peaks.grid import Grid

__all__ = ["GaussianMixtureFit", "PooledPeaks", "gaussian_em", "start_up_em"]

Floats = NDArray[np.float64]


class GaussianMixtureFit(NamedTuple):
    """What :func:`gaussian_em` found; it unpacks like a tuple.

    Attributes
    ----------
    means, sigmas : ndarray of shape (K,)
        Centers μ and standard deviations σ, in units of the axis.
    weights : ndarray of shape (K,) or (K + 1,)
        Mixing fractions π; the last belongs to the uniform background when there is one.
    log_likelihoods : ndarray of shape (n_iter + 1,)
        L before the first iteration and after each.
    n_iter : int

    Examples
    --------
    >>> gaussian_em([0.0, 1.0, 2.0], [1.0, 2.0, 1.0], [0.5], [1.0], [1.0]).means.round(12).tolist()
    [1.0]
    """

    means: Floats
    sigmas: Floats
    weights: Floats
    log_likelihoods: Floats
    n_iter: int


def gaussian_em(
    axis: ArrayLike,
    counts: ArrayLike,
    means: ArrayLike,
    sigmas: ArrayLike,
    weights: ArrayLike,
    *,
    uniform: bool = False,
    tol: float = 1e-9,
    max_iter: int = 3000,
) -> GaussianMixtureFit:
    r"""Gaussian mixture of a spectrum, by the expectation-maximization of the literature.

    A channel at x with y counts is taken for y observations at x, but is visited once: the cost follows
    the number of channels, not of counts.

    Parameters
    ----------
    axis : array-like of shape (n,)
        Channel centers x.
    counts : array-like of shape (n,)
        Counts y ≥ 0, not all zero.
    means, sigmas : array-like of shape (K,)
        Starting centers μ and standard deviations σ > 0, in units of the axis.
    weights : array-like of shape (K,), or (K + 1,) with ``uniform=True``
        Starting fractions π > 0; scaled to sum to 1.
    uniform : bool
        Let a constant density 1/(x_max − x_min) join, as background. Its fraction is the last weight.
    tol : float
        Stop when L changes by less than this share of itself.
    max_iter : int
        Iterations at most.

    Returns
    -------
    GaussianMixtureFit
        means, sigmas, weights, log_likelihoods, n_iter.

    Raises
    ------
    InputError
        Lengths that differ, negative or no counts, sigmas or weights that are not positive.

    Notes
    -----
    .. math::
        L = \sum_n y_n \ln \sum_k \pi_k N(x_n|\mu_k, \sigma_k^2), \qquad
        \gamma_{nk} = \frac{\pi_k N_k(x_n)}{\sum_j \pi_j N_j(x_n)}, \qquad
        N_k = \sum_n y_n \gamma_{nk}

    .. math::
        \mu_k = \frac{1}{N_k}\sum_n y_n \gamma_{nk} x_n, \quad
        \sigma_k^2 = \frac{1}{N_k}\sum_n y_n \gamma_{nk} (x_n - \mu_k)^2, \quad
        \pi_k = \frac{N_k}{\sum_n y_n}

    Kept for comparison and teaching. It knows neither the width of the channels, nor that peaks go
    on outside the window, nor errors; :func:`start_up_em` and the fit that follows know them. A
    component cannot get narrower than a millionth of the window, where the likelihood has no bound.
    Cost O(nK) per iteration, memory O(nK).

    References
    ----------
    .. [1] T. Matsumura, N. Nagamura, S. Akaho, K. Nagata, Y. Ando, Sci. Technol. Adv. Mater. 20, 733
       (2019). https://doi.org/10.1080/14686996.2019.1620123

    Examples
    --------
    >>> import numpy as np
    >>> axis = np.linspace(-10.0, 10.0, 201)
    >>> counts = 1e4 * np.exp(-0.5 * (axis - 2.0) ** 2) + 2e4 * np.exp(-0.5 * (axis + 3.0) ** 2)
    >>> fit = gaussian_em(axis, counts, [-1.0, 1.0], [2.0, 2.0], [0.5, 0.5])
    >>> fit.means.round(2).tolist(), fit.weights.round(2).tolist()
    ([-3.0, 2.0], [0.67, 0.33])
    """
    place = "gaussian_em"
    x, y = _channels(axis, counts, place)
    mu = as_vector(means, place=place, argument="means").copy()
    sigma = as_vector(sigmas, place=place, argument="sigmas").copy()
    pi = as_vector(weights, place=place, argument="weights").copy()
    require_length(sigma, mu.size, "sigmas", place)
    require_length(pi, mu.size + bool(uniform), "weights", place)
    require_positive(sigma, "sigmas", place)
    require_positive(pi, "weights", place)
    pi /= pi.sum()
    path = np.empty(max_iter + 1)
    narrowest = 1e-6 * (x.max() - x.min())
    n_iter = gaussian_iterations(x, y, mu, sigma, pi, bool(uniform), tol, max_iter, narrowest, path)
    return GaussianMixtureFit(mu, sigma, pi, path[: n_iter + 1].copy(), n_iter)


def _channels(axis: ArrayLike, counts: ArrayLike, place: str) -> tuple[Floats, Floats]:
    """Axis and counts of one spectrum, checked."""
    x = as_vector(axis, place=place, argument="axis")
    y = as_vector(counts, place=place, argument="counts")
    require_length(y, x.size, "counts", place)
    if y.min() < 0.0 or y.max() <= 0.0:
        channel = int(y.argmin())
        raise InputError(
            sentence(
                place, "counts", "be at least 0 and not all 0", float(y[channel]), at=f"at channel {channel}",
                remedy="Pass the counts as measured.",
            )
        )  # fmt: skip
    return np.ascontiguousarray(x), np.ascontiguousarray(y)


def start_up_em(
    grid: Grid,
    counts: ArrayLike,
    theta: ArrayLike,
    n_peaks: int,
    basis: ArrayLike | None = None,
    *,
    n_iter: int = 30,
    width_range: tuple[float | None, float | None] | list[tuple[float | None, float | None]] = (None, None),
    position_range: ArrayLike | None = None,
    shirley: int | None = None,
    operator: ArrayLike | None = None,
    pooled: PooledPeaks | None = None,
    weights: ArrayLike | None = None,
    spectrum_of: Sequence[int] | NDArray[np.int64] | None = None,
    least_counts: float = 3.0,
) -> tuple[Floats, Floats]:
    r"""Bring starts near their optimum in closed form: no step size, no bounds to hit, no failure.

    Parameters
    ----------
    grid : Grid
        Channels: ``axis`` (n,) ascending, ``width`` (n,), ``mode`` (1 when channels are integrated),
        ``tail`` (+1 or −1).
    counts : array-like of shape (n,) or (S, n)
        Counts; negative ones are taken for zero.
    theta : array-like of shape (R, 4 K + M)
        Starts: position, fwhm, area_gauss, area_lorentz of every peak, then the coefficients of the
        background. A peak whose area_lorentz is 0 stays Gaussian, one whose area_gauss is 0 Lorentzian.
    n_peaks : int
        K.
    basis : array-like of shape (M, n), optional
        Functions of the background, in counts per unit coefficient, not negative.
    n_iter : int
        Iterations, each of one areas cycle and one shapes cycle.
    width_range : (float or None, float or None), or one such pair per peak
        Bounds of the widths; at least 1.5 channels and at most the window when left out.
    position_range : array-like of shape (2,) or (K, 2), optional
        Bounds of the positions; the window when left out.
    shirley : int, optional
        Place among the background coefficients of the s of an active step: Shirley's, or that
        of ``operator``. It has no row in ``basis``.
    operator : array-like of shape (n, n), optional
        What one expected count of the peaks in channel m adds to channel n, per unit coefficient (for
        a Tougaard background: h_n times its loss function). Left out, the step is Shirley's.
    pooled : PooledPeaks, optional
        Peaks that share position, width or areas.
    weights : array-like of shape (n,), optional
        0 where a channel is masked; any other value counts as seen.
    spectrum_of : sequence of int of length R, optional
        Row of ``counts`` that each start belongs to; all the first when left out.
    least_counts : float
        A free peak that owns fewer counts is dead: it is put once, in the first half of the
        iterations, where most counts are missing. Give a smaller number when the data are no counts.

    Returns
    -------
    theta : ndarray of shape (R, 4 K + M)
    deviance : ndarray of shape (R,)
        Poisson deviance of the seen channels, contents by midpoints.

    Raises
    ------
    InputError
        Shapes that do not fit, numbers that are not finite, or a width range that is empty.

    Notes
    -----
    .. math::
        \lambda_n = h_n \sum_k [a^G_k G(x_n; x_k, w_k) + a^L_k L(x_n; x_k, w_k)]
                    + \sum_m b_m B_{mn} + s \sum_m S_{nm} P_m

    with P the peaks and S the step. A Lorentzian is a Gaussian whose precision is hidden, with
    E[τ|x] = 2/(1 + z²), z = 2(x − x_k)/w_k. One iteration has two cycles, each with an E-step of its own.
    With the relative excess :math:`q_n = y_n/\lambda_n - 1` (0 where masked):

    *Areas*: :math:`a \leftarrow a\,\sum_n (1 + q_n) f_n/\sum_n f_n` for every area and coefficient, f the
    contents it makes. The denominator is the share inside the window, so cut peaks are unbiased.

    *Shapes*: with :math:`c_n = 8\ln 2\, a^G G_n + 4\tau_n a^L L_n`, u = x_n − x_k,
    :math:`C_j = \sum_n q_n h_n c_n u_n^j`,

    .. math::
        x_k \leftarrow x_k + d, \quad d = \frac{C_1}{8\ln 2\,a^G + 4 a^L + C_0}, \qquad
        w_k^2 \leftarrow \frac{w_k^2 (a^G + a^L) + C_2 - 2 d C_1 + d^2 (8\ln 2\,a^G + 4a^L + C_0)}
                              {a^G + a^L + \sum_n q_n h_n (a^G G_n + a^L L_n)}

    Counts that fell outside the window are hidden data; written with the excess instead of the
    counts, their truncated moments cancel: what lies outside has no excess. So no error function is
    needed, peaks at the edge and masked gaps are exact, and the fixed points are those of the likelihood
    of the channels themselves. Electrons that a step carries to other channels are hidden data too:
    the excess is carried back, q + s Sᵀq. Those that leave the window make that exact M-step
    short by 1 + s max ΣS; the longer step of a peak without them is tried first and kept unless the
    deviance rises. So the deviance never rises, with or without a step.

    Where ``grid.mode`` is 1, the widths inside are those of the peaks seen through the channels,
    w² + 0.462 h².

    Cost: per iteration and start one exponential and one division per peak and channel; with
    ``operator`` O(n²). Memory O((2K + 10) n) beyond the result.

    References
    ----------
    .. [1] T. Matsumura, N. Nagamura, S. Akaho, K. Nagata, Y. Ando, Sci. Technol. Adv. Mater.: Methods 1,
       45 (2021). https://doi.org/10.1080/27660400.2021.1899449 (conditional maximization for pseudo-Voigt
       peaks, with inner searches where this has closed forms).
    .. [2] X.-L. Meng, D. van Dyk, J. R. Stat. Soc. B 59, 511 (1997).

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.spectra.peaks.grid import Grid
    >>> axis = np.linspace(0.0, 100.0, 401)
    >>> grid = Grid.of(axis, "midpoint")
    >>> z = 2 * (axis - 4.0) / 6.0
    >>> counts = 25 + 0.25 * 2e4 * 2 / 6.0 * np.sqrt(np.log(2) / np.pi) * np.exp(-np.log(2) * z**2)
    >>> start = [[10.0, 10.0, 1e4, 0.0, 50.0]]
    >>> theta, deviance = start_up_em(grid, counts, start, 1, np.ones((1, 401)), n_iter=300)
    >>> theta.round(2).tolist()
    [[4.0, 6.0, 20000.0, 0.0, 25.0]]
    """
    place = "start_up_em"
    starts = np.array(theta, dtype=np.float64, ndmin=2)
    y = np.maximum(np.array(counts, dtype=np.float64, ndmin=2), 0.0)
    window = make_window(grid, basis, shirley, operator, weights, y, place)
    check_starts(starts, n_peaks, window, shirley, place)
    members = make_members(window, n_peaks, width_range, position_range, pooled, place)
    which = np.zeros(len(starts), np.int64) if spectrum_of is None else np.asarray(spectrum_of, np.int64)
    check_rows(which, starts, y, place)
    order = inside_order(starts.shape[1], n_peaks, shirley)
    inside = np.ascontiguousarray(starts[:, order])
    turn = grid.tail < 0 and shirley is not None
    if turn:  # the step goes to higher values inside
        inside[:, : 4 * n_peaks : 4] *= -1.0
        window, members, y = turned(window, members, y)
    y = np.ascontiguousarray(np.where(window.seen > 0.0, y, 0.0))
    blur = channel_blur(window, inside, n_peaks) if grid.mode == 1 else None
    if blur is not None:
        inside[:, 1 : 4 * n_peaks : 4] = np.sqrt(inside[:, 1 : 4 * n_peaks : 4] ** 2 + blur)
    deviances = np.empty(len(inside))
    run_starts(window, members, y, which, inside, int(n_iter), float(least_counts), deviances)
    if blur is not None:
        widths = inside[:, 1 : 4 * n_peaks : 4]
        blur = channel_blur(window, inside, n_peaks)
        inside[:, 1 : 4 * n_peaks : 4] = np.sqrt(np.maximum(widths**2 - blur, members.lowest[:, 1] ** 2))
    if turn:
        inside[:, : 4 * n_peaks : 4] *= -1.0
    starts[:, order] = inside
    return starts, deviances
