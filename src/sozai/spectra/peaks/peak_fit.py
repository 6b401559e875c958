"""What a fit of peaks says: peaks with errors, background, curves, and how well all this fits the counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.records import with_error
from sozai.contracts.tables import counted

__all__ = ["Peak", "PeakFit", "StartTable"]

Array = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Peak:
    """One fitted peak.

    Attributes
    ----------
    label : str
    position, position_error : float
        Center, in units of the axis.
    fwhm, fwhm_error : float
        Full width at half maximum of the whole line, in units of the axis.
    area, area_error : float
        In the unit of the data (counts); of Doniach-Sunjic lines inside the window.
    height, height_error : float
        Largest density: unit of the data per unit of the axis. Times the channel width it is the
        height in a plot of the counts.
    lorentz_fraction, lorentz_fraction_error : float or None
        Lorentzian share of the area; None where the shape has none.
    maximum : float
        Where the line is highest; differs from the position for asymmetric shapes.
    parameters, errors : dict
        Internal parameters of the shape and their standard errors; the error of one on a bound is NaN.
    at_bound : bool
        Whether any parameter lies on a bound.
    limits : dict
        One-sided 95 % limits of parameters on a bound.
    supported : bool
        False where the area is less than three errors, or another center is closer than a quarter of a width.

    Examples
    --------
    >>> Peak("C-C", 284.8, 0.01, 1.2, 0.02, 1e4, 120.0, 7000.0, 90.0, 0.25, 0.03, 284.8)
    Peak 'C-C': position 284.800 ± 0.010, fwhm 1.200 ± 0.020, area 10000 ± 120
    """

    label: str
    position: float
    position_error: float
    fwhm: float
    fwhm_error: float
    area: float
    area_error: float
    height: float
    height_error: float
    lorentz_fraction: float | None
    lorentz_fraction_error: float | None
    maximum: float
    parameters: dict[str, float] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    at_bound: bool = False
    limits: dict[str, float] = field(default_factory=dict)
    supported: bool = True

    def __repr__(self) -> str:
        numbers = ", ".join(
            f"{name} {with_error(getattr(self, name), getattr(self, name + '_error'))}"
            for name in ("position", "fwhm", "area")
        )
        return f"Peak {self.label!r}: {numbers}{'' if self.supported else ', unsupported'}"


@dataclass(frozen=True, eq=False, repr=False)
class StartTable:
    """Starts of a fit as arrays; a DataFrame when asked.

    Attributes
    ----------
    names : tuple of str
    theta : ndarray of shape (R, p)
        Parameters when the start-up had ended.
    deviance : ndarray of shape (R,)
        Deviance there.
    chosen : ndarray of bool of shape (R,)
        Which were fitted to the end.

    Examples
    --------
    >>> StartTable(("a",), np.ones((1, 1)), np.zeros(1), np.ones(1, bool)).to_frame().columns.to_list()
    ['start', 'deviance', 'a', 'chosen']
    """

    names: tuple[str, ...]
    theta: Array
    deviance: Array
    chosen: NDArray[np.bool_]

    def __repr__(self) -> str:
        return f"StartTable({counted(len(self.deviance), 'start')}, {int(self.chosen.sum())} fitted)"

    def to_frame(self) -> pd.DataFrame:
        """One row per start."""
        columns = {"start": np.arange(len(self.deviance)), "deviance": self.deviance}
        columns |= dict(zip(self.names, self.theta.T, strict=True))
        return pd.DataFrame({**columns, "chosen": self.chosen})


@dataclass(frozen=True, eq=False, repr=False)
class PeakFit:
    r"""Fit of peaks and background to one spectrum.

    Arrays over channels have the user's order; masked channels have no residual (NaN).

    Attributes
    ----------
    peaks : tuple of Peak
        In ascending position; the second line of a doublet follows the first.
    background : dict of str to (float, float)
        Coefficients and their standard errors.
    axis, counts, expected, background_curve, residuals : ndarray of shape (n,)
        Residuals in standard deviations, :math:`(y - \mu)/\sqrt{\operatorname{var} y}`.
    components : ndarray of shape (K, n)
        Every peak alone, in the order of ``peaks``.
    mask : ndarray of bool of shape (n,)
        True where a channel was left out.
    deviance : float
        Poisson deviance in counts, or weighted sum of squares; with unknown σ the residual sum of squares,
        and :math:`(\nu+1)\sum\ln(1 + r^2/\nu)` for robust noise.
    dof : int
        Channels in use minus free parameters that are not on a bound.
    p_value : float
        Probability of a larger deviance by chance; NaN where the size of the noise was estimated.
    runs_p_value : float
        Probability of so few changes of sign of the residuals by chance.
    dispersion : float
        Residual variance over the expected one (Pearson); with unknown σ the variance itself. Errors contain
        its root only where the size of the noise was not known.
    converged : bool
    status : {"converged", "max_iter", "numerical"}
    n_iter : int
        Iterations of the last likelihood fit.
    n_free : int
        Parameters that were fitted.
    minus_two_log_likelihood : float
        Up to a constant of the data; what information criteria add their penalty to.
    optimum_hits : int
        Starts whose centers lay at those of the best fit when the start-up had ended, before any of them
        was fitted to the end. Few of them, of many starts, say that the optimum is easily missed.
    n_starts : int
    start_table : StartTable
    theta : ndarray of shape (p,)
        Internal parameters; names in ``start_table.names``.
    covariance : ndarray of shape (p, p)
        Of theta.
    notes : tuple of str
        Repairs and warnings.
    unit, axis_kind, counts_unit, shape, background_name, noise_name, label, source : str
        Where the numbers come from.

    Examples
    --------
    >>> from sozai.spectra.peaks.mixture import fit_peaks
    >>> axis = np.linspace(0.0, 20.0, 81)
    >>> counts = np.round(400 * np.exp(-((axis - 9) / 2) ** 2)) + 30
    >>> fit = fit_peaks((axis, counts), shape="gaussian")
    >>> fit.to_frame().columns.to_list()[:4]
    ['label', 'position', 'position_error', 'fwhm']
    """

    peaks: tuple[Peak, ...]
    background: dict[str, tuple[float, float]]
    axis: Array
    counts: Array
    expected: Array
    background_curve: Array
    components: Array
    residuals: Array
    mask: NDArray[np.bool_]
    deviance: float
    dof: int
    p_value: float
    runs_p_value: float
    dispersion: float
    converged: bool
    status: str
    n_iter: int
    n_free: int
    minus_two_log_likelihood: float
    optimum_hits: int
    n_starts: int
    start_table: StartTable
    theta: Array
    covariance: Array
    notes: tuple[str, ...] = ()
    unit: str | None = None
    axis_kind: str | None = None
    counts_unit: str = "counts"
    shape: str = ""
    background_name: str = ""
    noise_name: str = ""
    label: str = ""
    source: str = ""

    def __repr__(self) -> str:
        where = ", ".join(
            f"{peak.label} at {with_error(peak.position, peak.position_error)}" for peak in self.peaks[:4]
        )
        where += ", ..." if len(self.peaks) > 4 else ""
        unit = f" {self.unit}" if self.unit and where else ""
        tail = "" if self.converged else f", {self.status}"
        peaks = counted(len(self.peaks), "peak")
        size = f"deviance {self.deviance:.6g} with {self.dof} degrees of freedom"
        return f"PeakFit: {peaks}{' (' + where + unit + ')' if where else ''}, {size}{tail}"

    @cached_property
    def starts(self) -> pd.DataFrame:
        """Starts: number, deviance, parameters when the start-up had ended, and whether it was fitted on."""
        return self.start_table.to_frame()

    def to_frame(self) -> pd.DataFrame:
        """One row per peak: label, values with errors, flags, internal parameters."""
        names = ("position", "fwhm", "area", "height", "lorentz_fraction")
        rows = []
        for peak in self.peaks:
            row: dict[str, object] = {"label": peak.label}
            for name in names:
                row[name], row[f"{name}_error"] = getattr(peak, name), getattr(peak, f"{name}_error")
            row |= {"maximum": peak.maximum, "at_bound": peak.at_bound, "supported": peak.supported}
            row |= {name: value for name, value in peak.parameters.items() if name not in row}
            rows.append(row)
        frame = pd.DataFrame(rows)
        numbers = [name for name in frame.columns if name.startswith("lorentz_fraction")]
        return frame.astype(dict.fromkeys(numbers, float))

    def curves(self) -> pd.DataFrame:
        """One row per channel: axis, counts, sum, background, every peak, residual."""
        columns = {
            "axis": self.axis, "counts": self.counts, "sum": self.expected,
            "background": self.background_curve,
        }  # fmt: skip
        columns |= {peak.label: row for peak, row in zip(self.peaks, self.components, strict=True)}
        return pd.DataFrame({**columns, "residual": self.residuals})
