"""What the user sees of a fitted peak: position, width, area, share, height, maximum and their errors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.peaks.shape_kernels_view import summits
from sozai.spectra.peaks.shapes import Shape

__all__ = ["describe_peak"]

Array = NDArray[np.float64]

_GAUSS_HEIGHT = 2.0 * np.sqrt(np.log(2.0) / np.pi)
_LORENTZ_HEIGHT = 2.0 / np.pi
_PLACE = "describe_peak"


def describe_peak(
    shape: Shape,
    p: ArrayLike,
    cov: ArrayLike | None = None,
    *,
    tail: int = 1,
    window: tuple[float, float] | None = None,
    held: ArrayLike | None = None,
) -> dict[str, Any]:
    """User's view of one peak or of many, with errors by the delta method.

    Parameters
    ----------
    shape : Shape
    p : array-like of shape (..., n_par)
        Internal parameters of the shape.
    cov : array-like of shape (..., n_par, n_par), optional
        Their covariance. Rows of NaN mark parameters held on a bound: these are taken as fixed, and
        what depends on nothing else has error NaN.
    tail : {1, -1}
        Side of asymmetry.
    window : (low, high), optional
        Where the area of Doniach-Sunjic lines is counted; required for them.
    held : array-like of bool of shape (..., n_par), optional
        Parameters on a bound of which ``cov`` knows how far inside they may be: what depends on
        nothing else has error NaN, and the others count them in.

    Returns
    -------
    dict
        ``position, fwhm, area, lorentz_fraction, height, maximum`` and every other internal
        parameter, each with a partner ``..._error``; floats for one peak, arrays of shape (...) for
        many. ``fwhm`` is that of the whole line; an internal parameter of this name that differs
        (asymmetric pseudo-Voigt) is ``fwhm_internal``. Height is per axis unit.

    Raises
    ------
    InputError
        When the shapes of ``p`` and ``cov`` do not fit the line shape, or the window is missing.

    Notes
    -----
    Var q = g'Cg with g = ∂q/∂p. Gradients are closed for Gaussian, Lorentzian and pseudo-Voigt shapes
    (all peaks of a map at once); for the others the maximum and the half points are differentiated
    implicitly, 0.1 ms per peak (2 ms for :class:`DoniachSunjicGaussian`). The Lorentz share of a Voigt
    line is that of its pseudo-Voigt likeness, 1.36603 r - 0.47719 r² + 0.11116 r³ with
    r = fwhm_lorentz/fwhm; it is NaN where the shape has none.

    References
    ----------
    .. [1] P. Thompson, D. E. Cox, J. B. Hastings, Rietveld refinement of Debye-Scherrer synchrotron X-ray
       data from Al2O3, J. Appl. Crystallogr. 20, 79 (1987), https://doi.org/10.1107/S0021889887087090

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.spectra.peaks.shape_description import describe_peak
    >>> from sozai.spectra.peaks.shapes import PseudoVoigt
    >>> seen = describe_peak(PseudoVoigt(), [10.0, 2.0, 75.0, 25.0], np.diag([0.01, 0.04, 9.0, 16.0]))
    >>> print(seen["area"], seen["area_error"], seen["lorentz_fraction"])
    100.0 5.0 0.25
    """
    rows = np.asarray(p, dtype=np.float64)
    n_par = len(shape.parameters)
    if rows.ndim == 0 or rows.shape[-1] != n_par:
        raise InputError(
            sentence(_PLACE, "p", f"end in {n_par} parameters ({', '.join(shape.parameters)})",
                     f"shape {rows.shape}", remedy="Pass the parameters of one shape.")
        )  # fmt: skip
    if shape.needs_window and window is None:
        raise InputError(
            sentence(_PLACE, "window", f"be given for {type(shape).__name__}", None,
                     remedy="Pass the ends of the measured range.")
        )  # fmt: skip
    lead = rows.shape[:-1]
    flat = np.ascontiguousarray(rows.reshape(-1, n_par))
    names, values, slopes = _quantities(shape, flat, tail, window)
    walled = None if held is None else np.asarray(held, dtype=bool).reshape(-1, n_par)
    errors = _errors(slopes, cov, (*lead, n_par, n_par), flat.shape[0], walled)
    seen: dict[str, Any] = {}
    for k, name in enumerate(names):
        for key, column in ((name, values[:, k]), (f"{name}_error", errors[:, k])):
            seen[key] = column.reshape(lead) if lead else float(column[0])
    return seen


def _quantities(
    shape: Shape, p: Array, tail: int, window: tuple[float, float] | None
) -> tuple[list[str], Array, Array]:  # fmt: skip
    """Names, values (m, k) and gradients (m, k, n_par) of all that is reported."""
    m, n_par = p.shape
    two = shape.parameters[-2:] == ("area_gauss", "area_lorentz")
    top, top_slopes = _top(shape, p, tail, window)
    maximum, height, fwhm = range(3)
    area = p[:, -2] + p[:, -1] if two else p[:, -1]
    area_slope = np.zeros((m, n_par))
    area_slope[:, -1] = 1.0
    area_slope[:, -2] = 1.0 if two else 0.0
    share, share_slope = _lorentz_share(shape, p, area, top[:, fwhm], top_slopes[:, fwhm])
    unit = np.broadcast_to(np.eye(n_par), (m, n_par, n_par))
    found = [
        ("position", p[:, 0], unit[:, 0]),
        ("fwhm", top[:, fwhm], top_slopes[:, fwhm]),
        ("area", area, area_slope),
        ("lorentz_fraction", share, share_slope),
        ("height", top[:, height], top_slopes[:, height]),
        ("maximum", top[:, maximum], top_slopes[:, maximum]),
    ]
    for k, name in enumerate(shape.parameters):
        if name in ("position", "area") or (name == "fwhm" and shape.code != 6):
            continue
        found.append(("fwhm_internal" if name == "fwhm" else name, p[:, k], unit[:, k]))
    names = [name for name, _, _ in found]
    return names, np.stack([v for _, v, _ in found], 1), np.stack([g for _, _, g in found], 1)


def _top(shape: Shape, p: Array, tail: int, window: tuple[float, float] | None) -> tuple[Array, Array]:
    """Maximum, height, FWHM (m, 3) and gradients (m, 3, n_par)."""
    m, n_par = p.shape
    values, slopes = np.zeros((m, 3)), np.zeros((m, 3, n_par))
    if shape.code > 2:
        low, high = (0.0, 1.0) if window is None else (float(window[0]), float(window[1]))
        summits(shape.code, p, tail, low, high, values, slopes)
        return values, slopes
    per = {0: [_GAUSS_HEIGHT], 1: [_LORENTZ_HEIGHT], 2: [_GAUSS_HEIGHT, _LORENTZ_HEIGHT]}[shape.code]
    factors = np.array(per) / p[:, 1:2]  # height per area
    height = (factors * p[:, 2:]).sum(1)
    values[:, 0], values[:, 1], values[:, 2] = p[:, 0], height, p[:, 1]
    slopes[:, 0, 0] = 1.0
    slopes[:, 1, 1] = -height / p[:, 1]
    slopes[:, 1, 2:] = factors
    slopes[:, 2, 1] = 1.0
    return values, slopes


def _lorentz_share(
    shape: Shape, p: Array, area: Array, fwhm: Array, fwhm_slope: Array
) -> tuple[Array, Array]:  # fmt: skip
    """Lorentz share and its gradient; NaN where there is none, without error where it is the definition."""
    m, n_par = p.shape
    slope = np.zeros((m, n_par))
    if shape.code in (0, 1):
        return np.full(m, float(shape.code)), slope
    if shape.code in (2, 6):
        with np.errstate(divide="ignore", invalid="ignore"):
            slope[:, -2] = -p[:, -1] / area**2
            slope[:, -1] = p[:, -2] / area**2
            return p[:, -1] / area, slope
    if shape.code == 3:
        r = p[:, 2] / fwhm
        rate = 1.36603 + r * (-2.0 * 0.47719 + r * 3.0 * 0.11116)
        slope = -(rate * r / fwhm)[:, None] * fwhm_slope
        slope[:, 2] += rate / fwhm
        return r * (1.36603 + r * (-0.47719 + r * 0.11116)), slope
    return np.full(m, np.nan), np.full((m, n_par), np.nan)


def _errors(
    slopes: Array, cov: ArrayLike | None, expected: tuple[int, ...], m: int, walled: NDArray[np.bool_] | None
) -> Array:
    """Standard errors √(g'Cg) of all quantities (m, k)."""
    if cov is None:
        return np.full(slopes.shape[:2], np.nan)
    matrix = np.asarray(cov, dtype=np.float64)
    if matrix.shape != expected:
        raise InputError(
            sentence(_PLACE, "cov", f"have shape {expected}", f"shape {matrix.shape}",
                     remedy="Pass the block of the covariance that belongs to the peak.")
        )  # fmt: skip
    matrix = matrix.reshape(m, expected[-1], expected[-1])
    held = np.isnan(np.diagonal(matrix, axis1=1, axis2=2))
    known = np.where(held[:, None, :] | held[:, :, None], 0.0, matrix)
    variance = np.einsum("mki,mij,mkj->mk", slopes, known, slopes)
    held = held if walled is None else held | walled
    free = (slopes != 0.0) & ~held[:, None, :]
    unknown = (slopes != 0.0).any(2) & ~free.any(2)
    return np.where(unknown, np.nan, np.sqrt(np.maximum(variance, 0.0)))
