"""One spectrum, or an image of them: axis, counts, units, and where they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.tables import Repairs
from sozai.spectra.noise import Noise

__all__ = ["AXIS_KINDS", "Spectrum", "SpectrumMap", "channel_edges"]

AXIS_KINDS = ("binding", "kinetic", "photon", "loss", "shift", "wavelength", "angle")
"""What an axis can measure; ``None`` where it is not known."""


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum:
    """One spectrum as it was measured.

    The order of the channels is the user's; :func:`~sozai.spectra.spectrum_checks.check_spectrum` sorts
    and repairs a copy before anything is computed.

    Parameters
    ----------
    axis : array-like of shape (n_channels,)
        Center of each channel.
    counts : array-like of shape (n_channels,)
        What was measured there.
    unit : str, optional
        Unit of the axis: ``"eV"``, ``"nm"``, ``"cm-1"``, ``"deg"``, ...
    axis_kind : {"binding", "kinetic", "photon", "loss", "shift", "wavelength", "angle"}, optional
        What the axis measures.
    label : str
        Name of the region or column.
    dwell : float, optional
        Seconds per channel and sweep.
    sweeps : int, optional
        Number of sweeps that were added (counts) or averaged (counts per second).
    photon_energy : float, optional
        Energy of the exciting light in eV.
    counts_unit : str, default="counts"
        ``"counts"``, ``"counts/s"`` or what the file says.
    mask : array-like of bool of shape (n_channels,), optional
        True where the channel must be left out.
    noise : Noise, optional
        How the counts scatter, where it is known.
    metadata : mapping
        Everything else the file says: plain numbers, text and lists.
    source : str
        File, and place in it.
    variables : mapping of str to array of shape (n_channels,)
        Other quantities of the same channels, e.g. the transmission of the analyzer.
    repairs : Repairs
        What a reader did not take as it stood.

    Raises
    ------
    InputError
        When axis, counts, mask and variables differ in length, or an axis kind is unknown.

    See Also
    --------
    SpectrumMap : Many spectra on one axis.

    Examples
    --------
    >>> Spectrum([285.0, 284.9, 284.8], [10, 12, 11], unit="eV", axis_kind="binding", label="C 1s")
    Spectrum 'C 1s': 3 channels, binding 284.8-285 eV, 33 counts
    """

    axis: NDArray[np.float64]
    counts: NDArray[np.float64]
    unit: str | None = None
    axis_kind: str | None = None
    label: str = ""
    dwell: float | None = None
    sweeps: int | None = None
    photon_energy: float | None = None
    counts_unit: str = "counts"
    mask: NDArray[np.bool_] | None = None
    noise: Noise | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    variables: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    repairs: Repairs = field(default_factory=Repairs)

    def __post_init__(self) -> None:
        axis = _vector("Spectrum", "axis", self.axis)
        _kind("Spectrum", self.axis_kind)
        object.__setattr__(self, "axis", axis)
        object.__setattr__(self, "counts", _vector("Spectrum", "counts", self.counts, len(axis)))
        if self.mask is not None:
            mask = np.asarray(self.mask)
            if mask.dtype != np.bool_ or mask.shape != axis.shape:
                raise InputError(
                    sentence(
                        "Spectrum", "mask", f"be {len(axis)} truth values, one per channel",
                        f"{mask.dtype} of shape {mask.shape}", remedy="Write True where to leave out.",
                    )
                )  # fmt: skip
            object.__setattr__(self, "mask", mask)
        others = {
            name: _vector("Spectrum", f"variables[{name!r}]", values, len(axis))
            for name, values in self.variables.items()
        }
        object.__setattr__(self, "variables", others)

    @property
    def edges(self) -> NDArray[np.float64]:
        """Edges of the channels, shape (n_channels + 1,): midpoints, mirrored at both ends."""
        return channel_edges(self.axis, place="Spectrum.edges")

    @property
    def bin_width(self) -> NDArray[np.float64]:
        """Width of each channel, positive, in the unit of the axis."""
        return np.abs(np.diff(self.edges))

    @property
    def tail(self) -> int:
        """+1 where inelastic tails lie at larger axis values, -1 on a kinetic energy axis."""
        return -1 if self.axis_kind == "kinetic" else 1

    def with_range(self, low: float, high: float) -> Spectrum:
        """Return the channels between ``low`` and ``high``, both included, in their order.

        Examples
        --------
        >>> Spectrum([3.0, 2.0, 1.0], [7, 8, 9]).with_range(1.5, 3).counts
        array([7., 8.])
        """
        if not low < high:
            raise InputError(
                sentence(
                    "Spectrum.with_range", "low, high", "be two numbers with low < high", (low, high),
                    remedy="Swap the two.",
                )
            )  # fmt: skip
        inside = (self.axis >= low) & (self.axis <= high)
        if not inside.any():
            raise InputError(
                sentence(
                    "Spectrum.with_range", "range", "contain a channel", (low, high),
                    remedy=f"The axis runs from {self.axis.min():.6g} to {self.axis.max():.6g}.",
                )
            )  # fmt: skip
        return self.take(np.flatnonzero(inside))

    def take(self, channels: NDArray[np.intp]) -> Spectrum:
        """Return some channels, in the given order."""
        return replace(
            self,
            axis=self.axis[channels],
            counts=self.counts[channels],
            mask=None if self.mask is None else self.mask[channels],
            noise=_noise_of(self.noise, channels),
            variables={name: values[channels] for name, values in self.variables.items()},
        )

    def to_binding(self, work_function: float = 0.0) -> Spectrum:
        r"""Convert a kinetic energy axis to binding energy; the old axis stays among the variables.

        Parameters
        ----------
        work_function : float, default=0
            In eV. Most instruments already refer kinetic energies to the Fermi level, and the work
            function written in their files must not be subtracted again.

        Notes
        -----
        :math:`E_b = h\nu - E_k - \varphi`. Readers never convert by themselves.

        Examples
        --------
        >>> kinetic = Spectrum([1200.0, 1201.0], [5, 6], "eV", "kinetic", photon_energy=1486.6)
        >>> kinetic.to_binding().axis.round(6)
        array([286.6, 285.6])
        """
        return self._mirrored("kinetic", "binding", work_function, "to_binding")

    def to_kinetic(self, work_function: float = 0.0) -> Spectrum:
        """Convert a binding energy axis to kinetic energy; the inverse of :meth:`to_binding`."""
        return self._mirrored("binding", "kinetic", work_function, "to_kinetic")

    def _mirrored(self, old: str, new: str, work_function: float, method: str) -> Spectrum:
        """Photon energy minus work function minus the axis."""
        place = f"Spectrum.{method}"
        if self.axis_kind != old or self.unit not in (None, "eV"):
            raise InputError(
                sentence(
                    place, "axis", f"be {old} energy in eV", f"{self.axis_kind} in {self.unit}",
                    remedy=f"Set axis_kind={old!r} and unit='eV' if that is what it is.",
                )
            )  # fmt: skip
        if self.photon_energy is None:
            raise InputError(
                sentence(place, "photon_energy", "be known", None, remedy="Pass photon_energy= in eV.")
            )
        axis = self.photon_energy - work_function - self.axis
        others = {**self.variables, f"{old} energy": self.axis}
        return replace(self, axis=axis, axis_kind=new, unit="eV", variables=others)

    def __len__(self) -> int:
        return len(self.axis)

    def __repr__(self) -> str:
        total = np.nansum(self.counts)
        axis = _axis_text(self.axis, self.unit, self.axis_kind)
        name = f" {self.label!r}" if self.label else ""
        return f"Spectrum{name}: {len(self.axis)} channels, {axis}, {total:.6g} {self.counts_unit}"


@dataclass(frozen=True, eq=False, repr=False)
class SpectrumMap:
    """Many spectra on one axis: an image, a line or a series, in memory or on disk.

    Parameters
    ----------
    axis : array-like of shape (n_channels,)
    counts : array-like of shape (ny, nx, n_channels) or (m, n_channels)
        Anything with ``shape`` and ``__getitem__``: array, memmap, HDF5; it is never copied as a whole.
    unit, axis_kind, label, dwell, sweeps, photon_energy, counts_unit, noise, metadata, source
        As for :class:`Spectrum`.
    mask : array-like of bool of the map's shape, optional
        True at dead pixels.

    Raises
    ------
    InputError
        When axis and channels differ in number, or the mask has another shape.

    Examples
    --------
    >>> cube = SpectrumMap([1.0, 2.0, 3.0], np.ones((4, 5, 3), dtype=np.uint16))
    >>> cube
    SpectrumMap: 4 x 5 spectra, 3 channels, axis 1-3
    >>> cube.sum().counts
    array([20., 20., 20.])
    """

    axis: NDArray[np.float64]
    counts: Any
    unit: str | None = None
    axis_kind: str | None = None
    label: str = ""
    dwell: float | None = None
    sweeps: int | None = None
    photon_energy: float | None = None
    counts_unit: str = "counts"
    mask: NDArray[np.bool_] | None = None
    noise: Noise | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""

    def __post_init__(self) -> None:
        axis = _vector("SpectrumMap", "axis", self.axis)
        _kind("SpectrumMap", self.axis_kind)
        object.__setattr__(self, "axis", axis)
        if not hasattr(self.counts, "shape"):
            object.__setattr__(self, "counts", np.asarray(self.counts))
        shape = tuple(self.counts.shape)
        if len(shape) not in (2, 3):
            raise InputError(
                sentence(
                    "SpectrumMap", "counts", "have the shape (ny, nx, n_channels) or (m, n_channels)", shape,
                    remedy="Move the channels to the last axis.",
                )
            )  # fmt: skip
        if shape[-1] != len(axis):
            raise InputError(
                sentence(
                    "SpectrumMap", "counts",
                    f"have one channel per axis value ({len(axis)}) along its last axis", shape[-1],
                    remedy="Check that axis and counts belong together.",
                )
            )  # fmt: skip
        if self.mask is not None:
            object.__setattr__(self, "mask", self._region(self.mask, "mask", "SpectrumMap"))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the map without channels: (ny, nx) or (m,)."""
        return tuple(self.counts.shape[:-1])

    @property
    def n_spectra(self) -> int:
        """Number of pixels."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def tail(self) -> int:
        """+1 where inelastic tails lie at larger axis values, -1 on a kinetic energy axis."""
        return -1 if self.axis_kind == "kinetic" else 1

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """Spectra ``start`` to ``stop`` in row-major order, shape (stop - start, n_channels).

        Reads the image rows that hold them and nothing else.
        """
        n = len(self.axis)
        if len(self.shape) == 1:
            return np.asarray(self.counts[start:stop])
        width = self.shape[1]
        first = start // width
        block = np.asarray(self.counts[first : -(-stop // width)]).reshape(-1, n)
        return block[start - first * width : stop - first * width]

    def tiles(self, size: int = 4096) -> Iterator[tuple[slice, NDArray[Any]]]:
        """Yield the pixels' range and their counts, ``size`` pixels at a time."""
        if size < 1:
            raise InputError(sentence("SpectrumMap.tiles", "size", "be at least 1", size))
        for start in range(0, self.n_spectra, size):
            stop = min(start + size, self.n_spectra)
            yield slice(start, stop), self.rows(start, stop)

    def spectrum(self, *pixel: int) -> Spectrum:
        """Spectrum of one pixel: ``(row, column)`` or ``(index,)``."""
        if len(pixel) != len(self.shape) or any(
            not 0 <= k < size for k, size in zip(pixel, self.shape, strict=False)
        ):
            raise InputError(
                sentence(
                    "SpectrumMap.spectrum", "pixel", f"lie inside the map of shape {self.shape}", pixel,
                    remedy="Count from 0.",
                )
            )  # fmt: skip
        place = f"pixel {', '.join(str(k) for k in pixel)}"
        return self._spectrum(np.asarray(self.counts[pixel], dtype=np.float64), place)

    def sum(self, region: Any = None, *, tile: int = 4096) -> Spectrum:
        """Sum of the spectra that are not masked, over the map or a region.

        Parameters
        ----------
        region : array-like of bool of the map's shape, optional
            True inside.
        tile : int, default=4096
            Pixels in memory at a time; sums are taken in float64 whatever the counts are stored as.
        """
        place = "SpectrumMap.sum"
        inside = np.ones(self.shape, dtype=bool) if region is None else self._region(region, "region", place)
        if self.mask is not None:
            inside = inside & ~self.mask
        if not inside.any():
            dead = " that is not masked" if self.mask is not None else ""
            raise InputError(f"{place}: ROI contains no pixel{dead}. Choose a region inside {self.shape}.")
        chosen = inside.ravel()
        total = np.zeros(len(self.axis))
        for pixels, counts in self.tiles(tile):
            total += counts[chosen[pixels]].sum(axis=0, dtype=np.float64)
        return self._spectrum(total, f"sum of {int(chosen.sum())} pixels")

    def _region(self, region: Any, argument: str, place: str) -> NDArray[np.bool_]:
        """Truth values of the map's shape."""
        values = np.asarray(region)
        if values.dtype != np.bool_ or values.shape != self.shape:
            raise InputError(
                sentence(
                    place, argument, f"be truth values of the map's shape {self.shape}",
                    f"{values.dtype} of shape {values.shape}",
                )
            )  # fmt: skip
        return values

    def _spectrum(self, counts: NDArray[np.float64], place: str) -> Spectrum:
        """One spectrum with what the map knows."""
        return Spectrum(
            self.axis,
            counts,
            self.unit,
            self.axis_kind,
            f"{self.label} {place}".strip(),
            self.dwell,
            self.sweeps,
            self.photon_energy,
            self.counts_unit,
            noise=self.noise,
            metadata=self.metadata,
            source=self.source,
        )

    def __repr__(self) -> str:
        size = " x ".join(str(k) for k in self.shape)
        axis = _axis_text(self.axis, self.unit, self.axis_kind)
        return f"SpectrumMap: {size} spectra, {len(self.axis)} channels, {axis}"


def channel_edges(axis: NDArray[np.float64], *, place: str = "channel_edges") -> NDArray[np.float64]:
    """Edges of channels from their centers: midpoints, and the end channels mirrored.

    Parameters
    ----------
    axis : ndarray of shape (n_channels,)
        Strictly rising or falling; two channels at least.

    Returns
    -------
    ndarray of shape (n_channels + 1,)

    Examples
    --------
    >>> channel_edges(np.array([0.0, 1.0, 3.0]))
    array([-0.5,  0.5,  2. ,  4. ])
    """
    step = np.diff(axis)
    if len(axis) < 2 or not ((step > 0).all() or (step < 0).all()):
        raise InputError(
            sentence(
                place, "axis", "rise or fall strictly over two channels at least", f"{len(axis)} channels",
                remedy="Pass it through check_spectrum first, which sorts and averages duplicates.",
            )
        )  # fmt: skip
    inner = 0.5 * (axis[1:] + axis[:-1])
    return np.concatenate([[2 * axis[0] - inner[0]], inner, [2 * axis[-1] - inner[-1]]])


def _vector(place: str, argument: str, values: Any, length: int | None = None) -> NDArray[np.float64]:
    """One-dimensional float64, of a length."""
    raw = np.asarray(values)
    if np.iscomplexobj(raw) or raw.dtype.kind not in "biuf":
        try:
            if np.iscomplexobj(raw):
                raise ValueError
            raw = raw.astype(np.float64)
        except (TypeError, ValueError):
            raise InputError(sentence(place, argument, "hold real numbers", raw.dtype)) from None
    if raw.ndim != 1 or raw.size == 0:
        raise InputError(
            sentence(place, argument, "be a 1D array of at least one channel", f"shape {raw.shape}")
        )
    if length is not None and len(raw) != length:
        raise InputError(
            sentence(
                place, argument, f"have one value per channel of the axis ({length})", len(raw),
                remedy="Check that both come from the same measurement.",
            )
        )  # fmt: skip
    return np.asarray(raw, dtype=np.float64)


def _kind(place: str, kind: str | None) -> None:
    """Refuse unknown kinds of axes."""
    if kind is not None and kind not in AXIS_KINDS:
        raise InputError(sentence(place, "axis_kind", f"be None or one of {', '.join(AXIS_KINDS)}", kind))


def _noise_of(noise: Noise | None, channels: NDArray[np.intp]) -> Noise | None:
    """Noise of some channels."""
    sigma = getattr(noise, "sigma", None)
    return (
        noise if noise is None or np.ndim(sigma) == 0 else replace(noise, sigma=np.asarray(sigma)[channels])
    )


def _axis_text(axis: NDArray[np.float64], unit: str | None, kind: str | None) -> str:
    """``binding 280-295 eV``."""
    text = f"{kind or 'axis'} {np.nanmin(axis):.6g}-{np.nanmax(axis):.6g}"
    return f"{text} {unit}" if unit else text
