"""Peaks of every pixel of a map: values, errors, states, as images, as a table, as files."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.peaks.peak_map_files import write_peak_map

__all__ = ["STATUS_SENTENCES", "PeakMap"]

Array = NDArray[np.float64]

STATUS_SENTENCES = {
    0: "OK: the fit converged.",
    1: "MAX_ITER: the fit stopped after the largest number of iterations.",
    2: "NUMERICAL: the model is not finite, or no step lowers the deviance.",
    3: "EMPTY: the pixel holds no counts; it was not fitted.",
    4: "DEAD: the pixel is masked or holds no numbers; it was not fitted.",
    5: "UNMATCHED: the fit converged, but some peak resembles none of the template's.",
    6: "FAILED: reading or computing its tile failed twice.",
}
"""What the codes of ``PeakMap.status`` mean."""

_EXTRA = ("deviance", "status", "reduced_deviance", "n_peaks")


@dataclass(frozen=True, eq=False, repr=False)
class PeakMap:
    """Peaks of N pixels, made by :class:`~sozai.spectra.peaks.map.SpectrumMapPeaks`.

    Attributes
    ----------
    values, errors : ndarray of shape (N, K, n_param)
        Quantities of every peak and their standard errors, pixels row by row. NaN where a pixel was not
        fitted or has no such peak; an error is NaN on a bound.
    status : ndarray of int8 of shape (N,)
        See :data:`STATUS_SENTENCES`.
    deviance : ndarray of shape (N,)
    dof : ndarray of int of shape (N,)
        Channels in use minus free parameters.
    labels : tuple of str
        Names of the K peaks.
    parameters : tuple of str
        Names of the quantities: position and fwhm in units of the axis, area in counts,
        lorentz_fraction, height in counts per unit of the axis, and what the line shapes have besides.
    background, background_errors : ndarray of shape (N, M)
    background_names : tuple of str
    shape : (ny, nx) or (m,)
    theta : ndarray of shape (N, p)
        Parameters of the engine; the next map may start from them.
    model : CompiledModel
    unit, axis_kind, counts_unit, label, source : str or None
    noise_name : str
    notes : tuple of str
        What was repaired, guessed, chosen or failed.
    report : dict
        Numbers about the run: pixels repaired per sweep, prior standard deviations, shared values.

    See Also
    --------
    sozai.spectra.peaks.map.SpectrumMapPeaks : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.spectra.peaks.map import SpectrumMapPeaks
    >>> from sozai.spectra.spectrum import SpectrumMap
    >>> axis = np.arange(60.0)
    >>> curve = 20 + 300 * np.exp(-(((axis - 30) / 5) ** 2))
    >>> counts = np.random.default_rng(0).poisson(curve, (4, 5, 60))
    >>> peaks = SpectrumMapPeaks(n_components=1, random_state=0).fit_map(SpectrumMap(axis, counts, "eV"))
    >>> peaks
    PeakMap: 4 x 5 pixels, 1 peak, 20 OK
    >>> peaks.image("peak 1.position").shape
    (4, 5)
    """

    values: Array
    errors: Array
    status: NDArray[np.int8]
    deviance: Array
    dof: NDArray[np.int32]
    labels: tuple[str, ...]
    parameters: tuple[str, ...]
    background: Array
    background_errors: Array
    background_names: tuple[str, ...]
    shape: tuple[int, ...]
    theta: Array
    model: Any
    unit: str | None = None
    axis_kind: str | None = None
    counts_unit: str = "counts"
    label: str = ""
    source: str = ""
    noise_name: str = ""
    notes: tuple[str, ...] = ()
    report: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        size = " x ".join(str(k) for k in self.shape)
        counts = Counter(self.status.tolist())
        shown = ", ".join(
            f"{n} {STATUS_SENTENCES[code].partition(':')[0]}" for code, n in sorted(counts.items())
        )
        k = len(self.labels)
        return f"PeakMap: {size} pixels, {k} peak{'' if k == 1 else 's'}, {shown}"

    @property
    def names(self) -> tuple[str, ...]:
        """Names that :meth:`image` takes, errors left out."""
        of_peaks = [f"{label}.{name}" for label in self.labels for name in self.parameters]
        seen = np.isfinite(self.values).any(axis=0)
        kept = [name for name, any_ in zip(of_peaks, seen.ravel(), strict=True) if any_]
        return (*kept, *self.background_names, *_EXTRA)

    def image(self, name: str, *, error: bool = False) -> Array:
        """One quantity as an image.

        Parameters
        ----------
        name : str
            ``"label.parameter"``, ``"background.parameter"``, ``"deviance"``, ``"reduced_deviance"``,
            ``"status"`` or ``"n_peaks"``. Blanks of a label may be left out.
        error : bool, default=False
            The standard error in the place of the value.

        Returns
        -------
        ndarray of the map's shape

        Raises
        ------
        InputError
            For a name that is not there.
        """
        return np.asarray(self._column(name, error=error).reshape(self.shape))

    def _column(self, name: str, *, error: bool) -> Array:
        """One quantity of all pixels."""
        if name in _EXTRA and not error:
            return self._extra(name)
        if name in self.background_names:
            table = self.background_errors if error else self.background
            return np.asarray(table[:, self.background_names.index(name)])
        label, _, parameter = name.rpartition(".")
        plain = [tag.replace(" ", "") for tag in self.labels]
        if label.replace(" ", "") in plain and parameter in self.parameters:
            peak = self.labels.index(label) if label in self.labels else plain.index(label.replace(" ", ""))
            where = (slice(None), peak, self.parameters.index(parameter))
            return np.asarray((self.errors if error else self.values)[where])
        raise InputError(
            sentence(
                "PeakMap.image", "name", f"be one of {', '.join(self.names)}", name,
                remedy="Write it as 'label.parameter'.",
            )
        )  # fmt: skip

    def _extra(self, name: str) -> Array:
        """What belongs to no peak."""
        if name == "deviance":
            return self.deviance
        if name == "status":
            return self.status
        if name == "n_peaks":
            fitted = np.isfinite(self.deviance)
            return np.where(fitted, np.isfinite(self.values[:, :, 0]).sum(axis=1), np.nan)
        return np.asarray(self.deviance / np.maximum(self.dof, 1))

    def images(self, *, errors: bool = True) -> dict[str, NDArray[np.float32]]:
        """All quantities as float32 images, ready for a canvas.

        Parameters
        ----------
        errors : bool, default=True
            Add ``"name_error"`` for every value.
        """
        found: dict[str, NDArray[np.float32]] = {}
        for name in self.names:
            found[name] = self.image(name).astype(np.float32)
            if errors and name not in _EXTRA:
                found[f"{name}_error"] = self.image(name, error=True).astype(np.float32)
        return found

    def units(self) -> dict[str, str]:
        """Unit of every image; an error has that of its value."""
        axis = self.unit or "axis unit"
        table = {
            "position": axis, "fwhm": axis, "maximum": axis, "area": self.counts_unit,
            "height": f"{self.counts_unit}/{axis}", "lorentz_fraction": "1", "fwhm_gauss": axis,
            "fwhm_lorentz": axis, "fwhm_internal": axis, "half_width": axis, "exponent": "1",
        }  # fmt: skip
        found = {}
        for name in self.names:
            parameter = name.rpartition(".")[2]
            if name in self.background_names:
                slope = f"1/{axis}" if parameter in ("decay", "step") or parameter.startswith("step[") else ""
                found[name] = f"{self.counts_unit}/channel" if _is_level(parameter) else slope
            else:
                found[name] = table.get(parameter, "1" if name in _EXTRA else "")
            if name not in _EXTRA:
                found[f"{name}_error"] = found[name]
        return found

    def to_frame(self) -> Any:
        """One row per pixel: its place, status, deviance, and every quantity with its error.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        if len(self.shape) == 2:
            row, column = np.divmod(np.arange(len(self.status)), self.shape[1])
            table: dict[str, Any] = {"row": row, "column": column}
        else:
            table = {"spectrum": np.arange(len(self.status))}
        table |= {"status": self.status, "deviance": self.deviance, "dof": self.dof}
        for name in self.names:
            if name not in _EXTRA:
                table[name] = self._column(name, error=False)
                table[f"{name}_error"] = self._column(name, error=True)
        return pd.DataFrame(table)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the map, all of it or nothing.

        Parameters
        ----------
        path : path-like
            ``.npz``: float32 images and ``units`` (JSON); a folder name without ending: one ``.npy`` per
            image and ``units.json``; ``.h5``: values, errors and images in double precision (needs h5py);
            ``.csv``: the table of :meth:`to_frame`.

        Raises
        ------
        InputError
            For another ending, or a folder that is not there.
        """
        write_peak_map(self, path)


def _is_level(parameter: str) -> bool:
    """Coefficients of curves: level, scale of counts, control points."""
    return parameter in ("level", "amplitude") or (parameter[:1] == "b" and parameter[1:].isdigit())
