r"""Maximum-likelihood fits of one compiled model to one spectrum or to a million.

Minimizes the Poisson deviance :math:`D = 2\sum w\,[\mu - y + y\ln(y/\mu)]` or the weighted sum of squares
:math:`\sum w (y-\mu)^2` by Levenberg-Marquardt steps with the Fisher information in a box.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.peaks.compiled_model import CompiledModel
from sozai.spectra.peaks.fit_kernels import CONVERGED, MAX_ITER, NUMERICAL, fit_rows
from sozai.spectra.peaks.likelihood_sums import GAUSSIAN, POISSON, deviance_of, prepare_counts

__all__ = ["CONVERGED", "MAX_ITER", "NUMERICAL", "FitBatch", "deviance", "fit_spectra"]

Array = NDArray[np.float64]

#: Spectra that one call of the compiled loop fits; memory for counts as float64 stays below this times n.
BLOCK = 64
_NOISE = {"poisson": POISSON, "gaussian": GAUSSIAN}
_PLACE = "fit_spectra"


@dataclass(frozen=True, eq=False, repr=False)
class FitBatch:
    """Fits of one model to S spectra.

    Attributes
    ----------
    theta : ndarray of shape (S, p)
        Parameters.
    deviance : ndarray of shape (S,)
        Deviance without penalty.
    status : ndarray of int8 of shape (S,)
        0 converged, 1 stopped after ``max_iter``, 2 numerical trouble: the model is not finite at the
        start, or no step lowers the deviance although its slope is not zero.
    n_iter : ndarray of int of shape (S,)
        Iterations, refused steps included.
    fisher : ndarray of shape (S, p, p) or None
        Jᵀ V J at the result, V = diag(w/μ) or diag(w); zero rows for parameters that are held.
    at_bound : ndarray of bool of shape (S, p)
        Parameters that hang on a free one that lies on its bound.
    dof : ndarray of int of shape (S,)
        Channels in use minus free parameters that are not on a bound.
    noise : str
        ``"poisson"`` or ``"gaussian"``.

    Examples
    --------
    >>> none = np.zeros(2, dtype=np.int64)
    >>> held = np.zeros((2, 3), dtype=np.bool_)
    >>> len(FitBatch(np.ones((2, 3)), np.ones(2), none.astype(np.int8), none, None, held, none, "poisson"))
    2
    """

    theta: Array
    deviance: Array
    status: NDArray[np.int8]
    n_iter: NDArray[np.int64]
    fisher: Array | None = field(repr=False)
    at_bound: NDArray[np.bool_]
    dof: NDArray[np.int64]
    noise: str

    def __len__(self) -> int:
        return int(self.theta.shape[0])

    def __repr__(self) -> str:
        done, n = int((self.status == CONVERGED).sum()), len(self)
        return f"FitBatch({n} {'spectrum' if n == 1 else 'spectra'}, {done} converged, {self.noise} noise)"


def deviance(
    counts: ArrayLike, expected: ArrayLike, *, noise: str = "poisson", weights: ArrayLike | None = None
) -> float:
    """Deviance of expectations.

    Parameters
    ----------
    counts, expected : array-like of shape (n,)
    noise : {"poisson", "gaussian"}, default="poisson"
    weights : array-like of shape (n,), optional
        As in :func:`fit_spectra`.

    Returns
    -------
    float

    Examples
    --------
    >>> round(deviance([3.0, 0.0], [2.0, 1.0]), 6)  # 2 (2 - 3 + 3 ln 1.5) + 2
    2.432791
    """
    code = _noise_code(noise, "deviance")
    y, mu = np.array(counts, dtype=np.float64), np.array(expected, dtype=np.float64)
    w = np.ones(y.shape[0]) if weights is None else np.array(weights, dtype=np.float64)
    copy, inverse, empty = np.empty_like(y), np.empty_like(y), np.empty_like(y)
    floor = prepare_counts(y, w, copy, inverse, empty)
    return float(deviance_of(code, copy, inverse, empty, w, floor, mu))


def fit_spectra(
    model: CompiledModel,
    counts: ArrayLike,
    start: ArrayLike,
    *,
    noise: str = "poisson",
    weights: ArrayLike | None = None,
    max_iter: int = 100,
    tol: float = 1e-9,
    polish: bool = False,
    n_threads: int = 1,
    want_fisher: bool = True,
) -> FitBatch:
    r"""Fit a model to every row of counts, each from its own start.

    Parameters
    ----------
    model : CompiledModel
    counts : array-like of shape (S, n) or (n,)
        Any real dtype; blocks of 64 rows are turned into float64 at a time.
    start : array-like of shape (S, p) or (p,)
        One row for all, or one for each. A start that does not obey the ties or the box is
        moved to the nearest that does.
    noise : {"poisson", "gaussian"}, default="poisson"
    weights : array-like of shape (S, n) or (n,), optional
        Not negative; 0 masks a channel, whose count may then be NaN. With Gaussian noise 1/σ².
    max_iter : int, default=100
        Most iterations.
    tol : float, default=1e-9
        A fit ends when the deviance falls by less than this share of itself and the step promised less
        than 1e-7 (Gaussian noise: 1e-7 of the residual variance).
    polish : bool, default=False
        Go on until no parameter moves by more than 1e-12 of itself (or 1e-10 of its standard error).
    n_threads : int, default=1
        Threads that share the rows. Results are the same bits for any number, and for any way to
        split the rows over calls.
    want_fisher : bool, default=True
        Keep the Fisher information, 8 p² bytes per spectrum.

    Returns
    -------
    FitBatch

    Raises
    ------
    InputError
        For shapes that do not fit, counts that are not finite or (Poisson) negative, weights
        that are negative, and starts with NaN; the message names row and channel.

    Notes
    -----
    One iteration solves :math:`(F + \lambda\,\mathrm{diag}F)\,d = g` with
    :math:`F = J^T V J`, :math:`g = J^T V (y - \mu)`, V = diag(w/μ) or diag(w) [1]_, and takes the step only
    if the deviance falls, so the likelihood never falls. λ follows Nielsen's rule [2]_. Parameters on
    their bound whose score points outward are frozen for the iteration; what would leave the box is put on
    its wall and the rest solved again. Poisson expectations are at least 1e-9 of the mean count.
    Cost O(n p² + p³) per iteration; scratch n (2 p + 10) numbers per thread.

    References
    ----------
    .. [1] D. W. Marquardt, J. Soc. Ind. Appl. Math. 11, 431 (1963). https://doi.org/10.1137/0111030
    .. [2] H. B. Nielsen, Damping parameter in Marquardt's method, IMM-REP-1999-05, Technical University
       of Denmark (1999).

    Examples
    --------
    >>> from sozai.spectra.peaks.compiled_model import Grid, compile_model
    >>> from sozai.spectra.peaks.shapes import Gaussian
    >>> model = compile_model([Gaussian()], "constant", Grid.of(np.arange(60.0), narrowest_fwhm=10.0))
    >>> counts = model.expected([30.0, 12.0, 5000.0, 20.0])
    >>> fit = fit_spectra(model, counts, [28.0, 10.0, 4000.0, 10.0])
    >>> fit, fit.theta.round(6).tolist()
    (FitBatch(1 spectrum, 1 converged, poisson noise), [[30.0, 12.0, 5000.0, 20.0]])
    """
    code = _noise_code(noise, _PLACE)
    rows = _as_rows(counts, model.grid.n_channels, "counts")
    n_spectra = rows.shape[0]
    free = _starts(model, start, n_spectra)
    w = _weights(weights, rows)
    if max_iter < 0 or n_threads < 1:
        name, value = ("max_iter", max_iter) if max_iter < 0 else ("n_threads", n_threads)
        least = 0 if max_iter < 0 else 1
        raise InputError(sentence(_PLACE, name, f"be at least {least}", value, remedy="Leave it out."))
    p = model.n_parameters
    theta, total = np.empty((n_spectra, p)), np.empty(n_spectra)
    status, n_iter = np.empty(n_spectra, dtype=np.int8), np.empty(n_spectra, dtype=np.int64)
    fisher = np.empty((n_spectra if want_fisher else 0, p, p))

    def fit_block(first: int) -> None:
        here = slice(first, min(first + BLOCK, n_spectra))
        lines = w[here] if w.shape[0] > 1 else w
        block = _checked_block(rows[here], lines, code, first)
        fit_rows(
            model.program, model.ties, block, lines, code, int(max_iter), float(tol), bool(polish),
            free[here], theta[here], total[here], status[here], n_iter[here], fisher[here],
        )  # fmt: skip

    firsts = range(0, n_spectra, BLOCK)
    if n_threads == 1 or len(firsts) < 2:
        for first in firsts:
            fit_block(first)
    else:
        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(fit_block, firsts))
    hit = (free <= model.free_lower) | (free >= model.free_upper)
    at_bound = (hit @ (model.T != 0.0).T) if model.n_free else np.zeros((n_spectra, p), dtype=bool)
    used = np.broadcast_to(np.count_nonzero(w, axis=1), n_spectra)
    dof = used - model.n_free + hit.sum(axis=1)
    return FitBatch(theta, total, status, n_iter, fisher if want_fisher else None, at_bound, dof, noise)


def _noise_code(noise: str, place: str) -> int:
    if noise not in _NOISE:
        raise InputError(
            sentence(place, "noise", "be 'poisson' or 'gaussian'", noise, remedy="Use 'poisson' for counts.")
        )
    return _NOISE[noise]


def _as_rows(values: Any, n: int, argument: str) -> Any:
    """Two-dimensional array of rows with n channels; not copied."""
    rows = np.asarray(values)
    rows = rows[None] if rows.ndim == 1 else rows
    if rows.ndim != 2 or rows.shape[1] != n or rows.dtype.kind not in "biuf":
        raise InputError(
            sentence(_PLACE, argument, f"be real numbers of shape (S, {n}), one per channel of the model",
                     f"{rows.dtype} of shape {np.shape(values)}",
                     remedy="Compile the model on the axis of the data.")
        )  # fmt: skip
    return rows


def _starts(model: CompiledModel, start: ArrayLike, n_spectra: int) -> Array:
    """Free parameters of every spectrum."""
    p = model.n_parameters
    rows = np.asarray(start, dtype=np.float64)
    rows = rows[None] if rows.ndim == 1 else rows
    if rows.ndim != 2 or rows.shape[1] != p or rows.shape[0] not in (1, n_spectra):
        raise InputError(
            sentence(_PLACE, "start", f"have shape ({p},) or ({n_spectra}, {p})", f"shape {np.shape(start)}",
                     remedy=f"Order the values as {', '.join(model.names[:3])}, ...")
        )  # fmt: skip
    if not np.isfinite(rows).all():
        row, column = (int(k) for k in np.argwhere(~np.isfinite(rows))[0])
        raise InputError(
            sentence(_PLACE, "start", "be finite", float(rows[row, column]),
                     at=f"for {model.names[column]!r} at row {row}", remedy="Give a number.")
        )  # fmt: skip
    free = np.empty((n_spectra, model.n_free))
    free[:] = model.free_of(rows)
    return free


def _weights(weights: ArrayLike | None, rows: Any) -> Array:
    """Weights of shape (1, n) or (S, n)."""
    n_spectra, n = rows.shape
    if weights is None:
        return np.ones((1, n))
    w = np.atleast_2d(np.array(weights, dtype=np.float64, order="C"))
    if w.shape not in ((1, n), (n_spectra, n)):
        raise InputError(
            sentence(_PLACE, "weights", f"have shape ({n},) or ({n_spectra}, {n})", f"shape {w.shape}",
                     remedy="Give one weight per channel.")
        )  # fmt: skip
    bad = ~(np.isfinite(w) & (w >= 0))
    if bad.any():
        row, channel = (int(k) for k in np.argwhere(bad)[0])
        raise InputError(
            sentence(_PLACE, "weights", "be finite and not negative", float(w[row, channel]),
                     at=f"at row {row}, channel {channel}", remedy="Use 0 to leave a channel out.")
        )  # fmt: skip
    return w


def _checked_block(rows: Any, weights: Array, code: int, first: int) -> Array:
    """One block of counts as float64, or the first channel that cannot be used."""
    block = np.array(rows, dtype=np.float64, order="C")  # a copy: compiled loops know writable arrays only
    fine = np.isfinite(block) if code == GAUSSIAN else (block >= 0) & (block < np.inf)
    if not fine.all():
        bad = ~fine & (weights > 0)
        if bad.any():
            row, channel = (int(k) for k in np.argwhere(bad)[0])
            value = float(block[row, channel])
            what = "be finite" if not np.isfinite(value) else "be >= 0 for Poisson noise"
            raise InputError(
                sentence(_PLACE, "counts", what, value, at=f"at row {row + first}, channel {channel}",
                         remedy="Give the channel weight 0, or use noise='gaussian'.")
            )  # fmt: skip
    return block
