"""A spectrum or an image, and what is asked of it, handed to the room that fits peaks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.peaks_words import PeakModel, read_background, read_doublets, read_noise

if TYPE_CHECKING:
    import pandas as pd

    from sozai.spectra.spectrum import Spectrum, SpectrumMap

__all__ = ["fit_cube", "fit_spectrum", "mixture_options"]


def mixture_options(model: PeakModel, background: str) -> dict[str, Any]:
    """Arguments of a mixture that the options ask for."""
    options: dict[str, Any] = {
        "shape": model.shape, "background": read_background(background), "random_state": model.seed,
        "n_jobs": model.n_jobs, "despike": model.despike, "saturation": model.saturation,
    }  # fmt: skip
    noise = read_noise(model.noise)
    if noise is not None:
        options["noise"] = noise
    if model.starts is not None:
        options["n_init"] = model.starts
    return options


def fit_spectrum(
    spectrum: Spectrum, model: PeakModel, background: str, rows: pd.DataFrame | None = None
) -> tuple[Any, Any]:
    """Fit the peaks of one spectrum; their number is chosen where several are allowed.

    Parameters
    ----------
    spectrum : Spectrum
    model : PeakModel
    background : str
        Its name.
    rows : DataFrame, optional
        Start values: one row per peak.

    Returns
    -------
    fit : PeakFit
    count : PeakCount or None
    """
    options = mixture_options(model, background)
    n_peaks = model.peaks[0] if model.is_given else None
    n_peaks = n_peaks if rows is None else len(rows)
    ties = read_doublets(model.doublets, n_peaks or 0)
    if n_peaks is not None:
        from sozai.spectra.peaks.mixture import fit_peaks

        return fit_peaks(spectrum, n_components=n_peaks, ties=ties, start=rows, **options), None
    from sozai.spectra.peaks.count import select_n_components

    low, high = model.peaks
    count = select_n_components(spectrum, range(low, high + 1), criterion=model.criterion, **options)
    return count.fits[count.n_components], count


def fit_cube(cube: SpectrumMap, model: PeakModel, background: str, store: Path | None = None) -> Any:
    """Fit the peaks of every pixel; where several numbers are allowed, of the whole and of every pixel.

    Parameters
    ----------
    cube : SpectrumMap
    model : PeakModel
    background : str
        Its name.
    store : Path, optional
        Folder where finished tiles are kept.

    Returns
    -------
    PeakMap
    """
    from sozai.spectra.peaks.map import SpectrumMapPeaks
    from sozai.spectra.peaks.mixture import PeakMixture

    mixture: Any = PeakMixture(max(model.peaks[0], 1), **mixture_options(model, background))
    wanted = "auto" if model.is_open else None if model.is_given else model.peaks
    if model.is_given and model.per_pixel:
        wanted = "per-pixel"
    fitter = SpectrumMapPeaks(
        mixture, n_components=wanted, random_state=model.seed, n_jobs=model.n_jobs, store=store
    )
    return fitter.fit_map(cube)
