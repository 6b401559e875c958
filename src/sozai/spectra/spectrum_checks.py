"""Sort, mask and question a spectrum before anything is computed from it; say everything that was done."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.noise import GaussianNoise, Noise, PoissonNoise, as_noise
from sozai.spectra.noise_size import counted_gain, scatter_gain
from sozai.spectra.spectrum import Spectrum
from sozai.spectra.spectrum_flaws import find_plateau, find_spikes

__all__ = ["CheckedSpectrum", "SpectrumWarning", "check_spectrum"]

_XRAY = 100.0  # eV
_HC = 1239.841984  # eV nm


class SpectrumWarning(UserWarning):
    """A spectrum can be used, but something about it looks wrong.

    Examples
    --------
    >>> import warnings
    >>> warnings.simplefilter("ignore", SpectrumWarning)  # once you know what it says
    """


@dataclass(frozen=True, eq=False, repr=False)
class CheckedSpectrum:
    """A spectrum in the form that computations want.

    Attributes
    ----------
    axis : ndarray of shape (n,)
        Strictly rising.
    counts : ndarray of shape (n,)
        Float64 and finite; 0 where masked.
    weights : ndarray of shape (n,)
        Weight of each channel in the deviance: 0 where masked, repeats over gain for Poisson noise,
        repeats over the variance for Gaussian noise.
    order : ndarray of int of shape (n_given,)
        ``values[order]`` puts values of the rising axis back into the user's order.
    noise : Noise
        As given, as the file says, or as chosen; never None.
    tail : int
        +1 where inelastic tails lie at larger axis values, -1 on a kinetic energy axis.
    estimate_dispersion : bool
        Whether the size of one count is unknown: errors must be multiplied by the square root of
        Pearson's chi-square per degree of freedom.
    spikes : ndarray of int
        Channels, in the user's order, that look like cosmic rays.
    notes : tuple of str
        Everything that was repaired, guessed or found suspicious.

    Examples
    --------
    >>> checked = check_spectrum([2.0, 1.0, 3.0], [20, 10, 30], place="demo")
    >>> checked.axis, checked.order, checked.notes[-1]
    (array([1., 2., 3.]), array([1, 0, 2]), 'The axis was not sorted; sorted.')
    """

    axis: NDArray[np.float64]
    counts: NDArray[np.float64]
    weights: NDArray[np.float64]
    order: NDArray[np.intp]
    noise: Noise
    tail: int
    estimate_dispersion: bool
    spikes: NDArray[np.intp]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        used = int(np.count_nonzero(self.weights))
        return (
            f"CheckedSpectrum: {used} of {len(self.axis)} channels, {self.noise!r}, {len(self.notes)} notes"
        )


def check_spectrum(
    axis: Any,
    counts: Any = None,
    *,
    place: str,
    noise: Noise | str | None = None,
    mask: Any = None,
    unit: str | None = None,
    axis_kind: str | None = None,
    photon_energy: float | None = None,
    counts_unit: str | None = None,
    dwell: float | None = None,
    sweeps: int | None = None,
    saturation: float | None = None,
    despike: bool = False,
    n_parameters: int = 1,
) -> CheckedSpectrum:
    """Check a spectrum once: errors for what cannot be used, notes for what was repaired.

    Parameters
    ----------
    axis : array-like of shape (n,) or Spectrum
        With a :class:`~sozai.spectra.spectrum.Spectrum`, everything not given here is taken from it.
    counts : array-like of shape (n,)
        NaN marks channels without a measurement.
    place : str
        Who asks, for messages.
    noise : Noise or {"poisson", "gaussian", "robust"}, optional
        Left out: Poisson for whole numbers >= 0 and for counts per second; Poisson with the gain found by
        :mod:`~sozai.spectra.noise_size` for other values that share a step or scatter as counts do; else
        Gaussian.
    mask : array-like of bool of shape (n,), optional
        True where to leave out.
    unit, axis_kind, photon_energy, counts_unit, dwell, sweeps
        As for a Spectrum; counts per second need ``dwell`` for their errors.
    saturation : float, optional
        Largest value that the detector can show; channels at or above it are left out.
    despike : bool, default=False
        Leave out channels that look like cosmic rays.
    n_parameters : int, default=1
        Free parameters of the model; more channels than that are needed.

    Returns
    -------
    CheckedSpectrum

    Raises
    ------
    InputError
        For lengths that differ, values that are no numbers, infinities, negative counts under Poisson
        noise, no counts at all, no channel left, or too few channels.

    Warns
    -----
    SpectrumWarning
        For negative counts, clipped plateaus, spikes, a guessed unit, and counts per second without a
        known dwell time.

    Notes
    -----
    Cost O(n log n). The input is never changed. Duplicates on the axis are averaged and their weights
    added; a falling or unsorted axis is sorted, and ``order`` leads back. Nothing is interpolated: what
    cannot be used has weight 0.

    Examples
    --------
    >>> check_spectrum([284.0, 284.1, 284.1], [10, 12, 14], place="demo").weights
    array([1., 2.])
    """
    if isinstance(axis, Spectrum):
        held = axis if mask is None else replace(axis, mask=None if mask is None else np.asarray(mask))
    else:
        held = Spectrum(axis, () if counts is None else counts, mask=mask)
    given = {
        "unit": unit, "axis_kind": axis_kind, "photon_energy": photon_energy,
        "counts_unit": counts_unit, "dwell": dwell, "sweeps": sweeps,
        "noise": as_noise(noise, place=place),
    }  # fmt: skip
    spectrum = replace(held, **{name: value for name, value in given.items() if value is not None})
    notes: list[str] = []
    _check_values(spectrum, place)
    _check_unit(spectrum, place, notes)
    chosen, unknown_gain = _choose_noise(spectrum, asked=given["noise"] is not None, place=place, notes=notes)
    left_out = ~np.isfinite(spectrum.counts)
    if left_out.any():
        notes.append(f"{int(left_out.sum())} channels hold no number; left out.")
    if spectrum.mask is not None:
        left_out = left_out | spectrum.mask
    _require_any(spectrum, left_out, place)
    left_out = left_out | _clipped(spectrum, left_out, saturation, notes)
    spikes = find_spikes(spectrum.axis, np.where(left_out, np.nan, spectrum.counts), _scale(chosen))
    left_out = _report_spikes(spectrum, spikes, left_out, despike, notes)
    _require_any(spectrum, left_out, place)
    ordered = _sorted(spectrum, left_out, chosen, notes)
    used = int(np.count_nonzero(ordered[2]))
    if used <= n_parameters or used < 2:
        raise InputError(
            f"{place}: there must be more channels than free parameters. Got n = {used} channels for "
            f"p = {n_parameters} parameters. Widen the range or use a smaller model."
        )
    return CheckedSpectrum(*ordered, chosen, spectrum.tail, unknown_gain, spikes, tuple(notes))


# --------------------------------------------------------------------------------------------
# Steps of check_spectrum
# --------------------------------------------------------------------------------------------


def _at(spectrum: Spectrum, channel: int) -> str:
    """``at channel 17 (284.5 eV)``."""
    return (
        f"at channel {channel} ({spectrum.axis[channel]:.6g}{' ' + spectrum.unit if spectrum.unit else ''})"
    )


def _warn(notes: list[str], text: str) -> None:
    """Note, and warn at the caller of the room."""
    notes.append(text)
    warnings.warn(text, SpectrumWarning, stacklevel=4)


def _check_values(spectrum: Spectrum, place: str) -> None:
    """Axis finite, counts not infinite."""
    bad = np.flatnonzero(~np.isfinite(spectrum.axis))
    if bad.size:
        raise InputError(
            sentence(
                place, "axis", "be finite", float(spectrum.axis[bad[0]]), at=f"at channel {bad[0]}",
                remedy="Drop channels without a position.",
            )
        )  # fmt: skip
    bad = np.flatnonzero(np.isinf(spectrum.counts))
    if bad.size:
        raise InputError(
            sentence(
                place, "counts", "be finite; NaN marks a gap", float(spectrum.counts[bad[0]]),
                at=_at(spectrum, int(bad[0])), remedy="Write NaN or mask the channel.",
            )
        )  # fmt: skip


def _check_unit(spectrum: Spectrum, place: str, notes: list[str]) -> None:
    """Hold the axis' unit against its kind and the photon energy."""
    unit, kind, light = spectrum.unit, spectrum.axis_kind, spectrum.photon_energy
    electron = kind in ("binding", "kinetic")
    if electron and unit is None:
        _warn(notes, f"{place}: the unit of the {kind} energy axis is not stated; eV assumed.")
        unit = "eV"
    low, high = float(spectrum.axis.min()), float(spectrum.axis.max())
    text, remedy = f"{low:.6g} to {high:.6g} {unit}", "Correct unit=, axis_kind= or photon_energy=."
    if electron and unit in ("nm", "Å", "um", "µm", "cm-1", "deg"):
        raise InputError(
            sentence(place, f"{kind} energy axis", "be in a unit of energy", unit, remedy=remedy)
        )
    if light is None:
        return
    if electron and unit == "eV" and low > light:
        raise InputError(
            sentence(
                place, f"{kind} energy axis", f"begin below the photon energy of {light:.6g} eV", text,
                remedy=remedy,
            )
        )  # fmt: skip
    if unit == "nm" and light >= _XRAY and low > 10 * _HC / light:
        raise InputError(
            sentence(
                place, "axis in nm", f"suit the photon energy of {light:.6g} eV = {_HC / light:.4g} nm", text,
                remedy=remedy,
            )
        )  # fmt: skip


def _choose_noise(spectrum: Spectrum, *, asked: bool, place: str, notes: list[str]) -> tuple[Noise, bool]:
    """Kind of noise, and whether the size of one count is unknown."""
    counts = spectrum.counts
    negative = np.flatnonzero(counts < 0)
    if spectrum.mask is not None:
        negative = negative[~spectrum.mask[negative]]
    noise, rate = spectrum.noise, spectrum.counts_unit == "counts/s"
    if noise is None and not negative.size and rate and spectrum.dwell:
        noise = PoissonNoise(gain=1 / (spectrum.dwell * (spectrum.sweeps or 1)))
        notes.append(f"Counts per second; one count is {noise.gain:.6g} counts/s, from the dwell time.")
    if isinstance(noise, PoissonNoise) and negative.size:
        if asked:
            raise InputError(
                sentence(
                    place, "counts", "be >= 0 for PoissonNoise", float(counts[negative[0]]),
                    at=_at(spectrum, int(negative[0])),
                    remedy="Pass noise=GaussianNoise() or subtract no dark level before fitting.",
                )
            )  # fmt: skip
        noise = None
    if noise is not None:
        return noise, False
    if negative.size:
        first = int(negative[0])
        _warn(
            notes,
            f"{place}: {len(negative)} counts are negative, the first {counts[first]:.6g} "
            f"{_at(spectrum, first)}; Gaussian noise assumed.",
        )
        return GaussianNoise(), False
    if rate:
        _warn(
            notes,
            f"{place}: counts per second without a known dwell time; Poisson noise assumed, the size of "
            "one count will be estimated from the residuals. Pass dwell= or noise=PoissonNoise(gain=...).",
        )
        return PoissonNoise(), True
    return _noise_of_values(spectrum, notes)


def _noise_of_values(spectrum: Spectrum, notes: list[str]) -> tuple[Noise, bool]:
    """Kind of noise from the values alone: a common step, a scatter that grows with them, or neither."""
    counts = np.where(np.isfinite(spectrum.counts), spectrum.counts, np.nan)
    if spectrum.mask is not None:
        counts = np.where(spectrum.mask, np.nan, counts)
    counts = counts[np.argsort(spectrum.axis, kind="stable")]
    finite = counts[np.isfinite(counts)]
    whole = bool((finite == np.floor(finite)).all())
    step = 1.0 if whole and _is_counted(finite) else counted_gain(counts)
    if step is not None and not (whole and step < 2.0):
        notes.append(
            f"Noise not stated; all counts are multiples of {step:.6g} and scatter so, so one count is "
            f"{step:.6g}: Poisson noise of that gain is assumed."
        )
        return PoissonNoise(gain=step), False
    if whole:
        notes.append("Noise not stated; the counts are whole numbers >= 0, so Poisson noise is assumed.")
        return PoissonNoise(), False
    gain = scatter_gain(counts)
    if gain is not None:
        notes.append(
            "Noise not stated; the counts are not whole numbers, but scatter as the root of their "
            f"size: Poisson noise with one count of {gain:.3g} is assumed, and errors are scaled by the "
            "dispersion. Pass noise= if you know it."
        )
        return PoissonNoise(gain=gain), True
    notes.append("Noise not stated; the counts are not whole numbers, so Gaussian noise is assumed.")
    return GaussianNoise(), False


def _is_counted(values: NDArray[np.float64]) -> bool:
    """Whether whole numbers share no step above one."""
    return bool(values.size) and values.max() < 2**53 and np.gcd.reduce(values.astype(np.int64)) == 1


def _require_any(spectrum: Spectrum, left_out: NDArray[np.bool_], place: str) -> None:
    """Some channel must be left, and some of them not zero."""
    if left_out.all():
        raise InputError(
            f"{place}: some channel must be left. All {len(left_out)} channels are masked or hold no number. "
            "Mask less."
        )
    if not spectrum.counts[~left_out].any():
        raise InputError(
            f"{place}: the spectrum must hold counts. There are no counts: all {int((~left_out).sum())} "
            "channels are 0. Check the file or the region."
        )


def _clipped(
    spectrum: Spectrum, left_out: NDArray[np.bool_], saturation: float | None, notes: list[str]
) -> NDArray[np.bool_]:
    """Channels at the detector's limit; a plateau alone is only said."""
    if saturation is not None:
        over = ~left_out & (spectrum.counts >= saturation)
        if over.any():
            notes.append(f"{int(over.sum())} channels at or above saturation {saturation:.6g}; left out.")
        return over
    by_axis = np.argsort(spectrum.axis, kind="stable")
    run = find_plateau(np.where(left_out, np.nan, spectrum.counts)[by_axis])
    if run.size:
        first, last = spectrum.axis[by_axis[run[0]]], spectrum.axis[by_axis[run[-1]]]
        _warn(
            notes,
            f"{len(run)} neighboring channels ({first:.6g} to {last:.6g}) share the maximum "
            f"{spectrum.counts[by_axis[run[0]]]:.6g}: the detector may have been saturated. "
            "Pass saturation= to leave them out.",
        )
    return np.zeros(len(left_out), dtype=bool)


def _scale(noise: Noise) -> float | None:
    """Size of one count where it is known."""
    return noise.gain if isinstance(noise, PoissonNoise) else None


def _report_spikes(
    spectrum: Spectrum, spikes: NDArray[np.intp], left_out: NDArray[np.bool_], despike: bool, notes: list[str]
) -> NDArray[np.bool_]:
    """Leave spikes out when asked, else warn."""
    if not spikes.size:
        return left_out
    shown = ", ".join(f"{k} ({spectrum.axis[k]:.6g})" for k in spikes[:10])
    shown += f" and {len(spikes) - 10} more" if len(spikes) > 10 else ""
    if not despike:
        _warn(notes, f"Channels {shown} look like cosmic rays. Pass despike=True to leave them out.")
        return left_out
    notes.append(f"Channels {shown} look like cosmic rays; left out.")
    left_out = left_out.copy()
    left_out[spikes] = True
    return left_out


def _sorted(
    spectrum: Spectrum, left_out: NDArray[np.bool_], noise: Noise, notes: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Rising axis, mean counts, weights, and the way back."""
    weights = _weights(noise, left_out)
    step = np.diff(spectrum.axis)
    if (step > 0).all():
        kept = np.where(left_out, 0.0, spectrum.counts)
        return spectrum.axis, kept, weights, np.arange(len(kept))
    axis, order = np.unique(spectrum.axis, return_inverse=True)
    if not (step <= 0).all() and (step < 0).any():
        notes.append("The axis was not sorted; sorted.")
    if len(axis) < len(order):
        notes.append(
            f"{len(order) - len(axis)} channels repeat a position on the axis; averaged, weights added."
        )
    total = np.bincount(order, weights=weights, minlength=len(axis))
    kept = np.where(left_out, 0.0, spectrum.counts)
    mean = np.bincount(order, weights=weights * kept, minlength=len(axis))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(total > 0, mean / total, 0.0)
    return axis, mean, total, order


def _weights(noise: Noise, left_out: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weight of each channel in the user's order; 0 where left out."""
    sigma = getattr(noise, "sigma", None)
    if np.ndim(sigma) == 1 and len(sigma) != len(left_out):
        raise InputError(
            sentence(
                "GaussianNoise", "sigma", f"have one value per channel ({len(left_out)})", len(sigma),
                remedy="Pass one number for all channels, or one each.",
            )
        )  # fmt: skip
    return np.where(left_out, 0.0, noise.weights(np.ones(len(left_out))))
