"""What all line shapes share: packing, checks, density, cumulated share, height, width and maximum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.peaks.shape_kernels_view import cdf_values, density_values, summit

__all__ = ["Shape"]

Array = NDArray[np.float64]
Box = tuple[float, float]


@dataclass(frozen=True)
class Shape:
    """What all line shapes share.

    Attributes
    ----------
    code : int
        Number of the shape in the compiled kernels.
    parameters : tuple of str
        Internal parameters, in the order of every array that holds them.
    default_start : dict
        Start values of parameters that position, width and area do not give.
    default_bounds : dict
        ``{parameter: (lower, upper)}`` where the physics alone draws the box.
    needs_window : bool
        True where the whole line has no area and the area is that inside a window.

    Notes
    -----
    ``tail=1`` lets asymmetry point to larger axis values (binding energy), ``tail=-1`` to smaller
    ones (kinetic energy). Cost of the density with all derivatives, per point: 3 ns for Gaussian,
    Lorentzian and pseudo-Voigt lines, 7 to 15 for Pearson VII, Voigt and asymmetric ones, 150 for
    Doniach-Sunjic, 400 under a Gaussian.

    Examples
    --------
    >>> from sozai.spectra.peaks.shapes import SHAPES
    >>> SHAPES["voigt"].parameters
    ('position', 'fwhm_gauss', 'fwhm_lorentz', 'area')
    """

    code: ClassVar[int] = -1
    parameters: ClassVar[tuple[str, ...]] = ()
    default_start: ClassVar[Mapping[str, float]] = {}
    default_bounds: ClassVar[Mapping[str, Box]] = {}
    needs_window: ClassVar[bool] = False

    def pack(self, **values: float) -> Array:
        """Internal parameters as one vector.

        Parameters
        ----------
        **values : float
            One number for every name in ``parameters``; ``area`` may be left out and is then 1.

        Returns
        -------
        ndarray of shape (n_par,)

        Raises
        ------
        InputError
            For a missing, unknown, non-finite or out-of-range number.
        """
        place = f"{type(self).__name__}.pack"
        given = {"area": 1.0, **values} if "area" in self.parameters else dict(values)
        for name in given:
            if name not in self.parameters:
                raise InputError(
                    sentence(place, "parameters", f"be {', '.join(self.parameters)}", name,
                             remedy="Rename or drop it.")
                )  # fmt: skip
        missing = [name for name in self.parameters if name not in given]
        if missing:
            raise InputError(
                sentence(place, "parameters", f"be {', '.join(self.parameters)}", sorted(given),
                         remedy=f"Add {', '.join(missing)}.")
            )  # fmt: skip
        p = np.array([given[name] for name in self.parameters], dtype=np.float64)
        self._check(place, p)
        return p

    def _check(self, place: str, p: Array) -> None:
        """Numbers inside the default box; widths positive."""
        for name, number in zip(self.parameters, p, strict=True):
            low, high = self.default_bounds[name]
            open_end = name in ("fwhm", "half_width")
            inside = low < number <= high if open_end else low <= number <= high
            if not (np.isfinite(number) and inside):
                bound = f"be greater than {low:g}" if open_end else f"lie between {low:g} and {high:g}"
                what = "be finite" if not np.isfinite(number) else bound
                raise InputError(
                    sentence(place, name, what, float(number), remedy="Choose a value inside the range.")
                )

    def start(self, position: float, fwhm: float, area: float, lorentz_fraction: float = 0.5) -> Array:
        """Internal parameters of a peak seen with this position, width, area and Lorentz share.

        Returns
        -------
        ndarray of shape (n_par,)
            Without asymmetry beyond ``default_start``; for Doniach-Sunjic lines the width is that of
            the symmetric line.
        """
        raise NotImplementedError

    def density(
        self, x: ArrayLike, *, tail: int = 1, window: tuple[float, float] | None = None, **values: float
    ) -> Array:  # fmt: skip
        """Density at points, in units of area per axis unit.

        Parameters
        ----------
        x : array-like
            Axis values, in any order.
        tail : {1, -1}
            Side of asymmetry.
        window : (low, high), optional
            Where the area of Doniach-Sunjic lines is counted; the range of ``x`` when left out.
        **values : float
            Internal parameters, see :meth:`pack`.

        Returns
        -------
        ndarray of the shape of ``x``
        """
        p = self.pack(**values)
        flat, order, shape = _ascending(x)
        low, high = self._window(flat, window)
        value, jac = np.empty(flat.size), np.empty((p.size, flat.size))
        density_values(self.code, p, flat, tail, low, high, value, jac)
        return _restored(value, order, shape)

    def cdf(
        self, x: ArrayLike, *, tail: int = 1, window: tuple[float, float] | None = None, **values: float
    ) -> Array:  # fmt: skip
        """Content of the peak below each point; counted from the window for Doniach-Sunjic lines.

        Closed for Gaussian, Lorentzian, pseudo-Voigt and Doniach-Sunjic lines; for the others an integral
        over a half line with 150 points each, to 1e-12.

        Parameters
        ----------
        x, tail, window, **values
            As in :meth:`density`.

        Returns
        -------
        ndarray of the shape of ``x``
        """
        p = self.pack(**values)
        flat, order, shape = _ascending(x)
        low, high = self._window(flat, window)
        out = np.empty(flat.size)
        cdf_values(self.code, p, flat, tail, low, high, out)
        return _restored(out, order, shape)

    def height(self, *, tail: int = 1, window: tuple[float, float] | None = None, **values: float) -> float:
        """Largest density. Parameters as in :meth:`density`."""
        return float(self._summit(tail, window, values)[1])

    def fwhm(self, *, tail: int = 1, window: tuple[float, float] | None = None, **values: float) -> float:
        """Full width at half of the height. Parameters as in :meth:`density`."""
        return float(self._summit(tail, window, values)[2])

    def maximum(self, *, tail: int = 1, window: tuple[float, float] | None = None, **values: float) -> float:
        """Axis value of the largest density. Parameters as in :meth:`density`."""
        return float(self._summit(tail, window, values)[0])

    def _summit(self, tail: int, window: tuple[float, float] | None, values: Mapping[str, float]) -> Array:
        """Maximum, height and FWHM."""
        p = self.pack(**values)
        low, high = self._window(p[:1], window)
        out, slopes = np.empty(3), np.empty((3, p.size))
        summit(self.code, p, tail, low, high, out, slopes)
        return out

    def _window(self, x: Array, window: tuple[float, float] | None) -> tuple[float, float]:
        """Ends of the window, checked where they matter."""
        if not self.needs_window:
            return 0.0, 1.0
        low, high = (float(x[0]), float(x[-1])) if window is None else (float(window[0]), float(window[1]))
        if not low < high:
            raise InputError(
                sentence(type(self).__name__, "window", "be (low, high) with low < high", (low, high),
                         remedy="Pass the ends of the measured range.")
            )  # fmt: skip
        return low, high


def _ascending(x: ArrayLike) -> tuple[Array, NDArray[np.intp], tuple[int, ...]]:
    """Flat ascending points, their order and their shape."""
    points = np.asarray(x, dtype=np.float64)
    flat = points.ravel()
    order = np.argsort(flat, kind="stable")
    return np.ascontiguousarray(flat[order]), order, points.shape


def _restored(values: Array, order: NDArray[np.intp], shape: tuple[int, ...]) -> Array:
    """Values back in the user's order."""
    out = np.empty_like(values)
    out[order] = values
    return out.reshape(shape)
