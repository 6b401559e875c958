"""Line shapes of unit area and what their numbers mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.peaks.shape_base import Shape

__all__ = [
    "SHAPES",
    "AsymmetricPseudoVoigt",
    "DoniachSunjic",
    "DoniachSunjicGaussian",
    "Gaussian",
    "Lorentzian",
    "PearsonVII",
    "PseudoVoigt",
    "Shape",
    "Voigt",
    "check_shape",
]

Array = NDArray[np.float64]
Box = tuple[float, float]

_ANYWHERE: Box = (-np.inf, np.inf)
_POSITIVE: Box = (0.0, np.inf)


@dataclass(frozen=True)
class Gaussian(Shape):
    """Gaussian line, (2/w) √(ln 2/π) exp(-z² ln 2) with z = 2(x - x0)/w and w the FWHM.

    Examples
    --------
    >>> from sozai.spectra.peaks.shapes import Gaussian
    >>> round(Gaussian().height(position=0.0, fwhm=2.0), 6)
    0.469719
    """

    code: ClassVar[int] = 0
    parameters: ClassVar[tuple[str, ...]] = ("position", "fwhm", "area")
    default_bounds: ClassVar[Mapping[str, Box]] = {
        "position": _ANYWHERE, "fwhm": _POSITIVE, "area": _POSITIVE,
    }  # fmt: skip

    def start(self, position: float, fwhm: float, area: float, lorentz_fraction: float = 0.0) -> Array:
        """Position, FWHM, area; the Lorentz share has no place here."""
        return np.array([position, fwhm, area])


@dataclass(frozen=True)
class Lorentzian(Shape):
    """Lorentzian line, (2/(πw))/(1 + z²) with z = 2(x - x0)/w and w the FWHM.

    Examples
    --------
    >>> from sozai.spectra.peaks.shapes import Lorentzian
    >>> round(float(Lorentzian().cdf(1.0, position=0.0, fwhm=2.0)), 12)
    0.75
    """

    code: ClassVar[int] = 1
    parameters: ClassVar[tuple[str, ...]] = ("position", "fwhm", "area")
    default_bounds: ClassVar[Mapping[str, Box]] = {
        "position": _ANYWHERE, "fwhm": _POSITIVE, "area": _POSITIVE,
    }  # fmt: skip

    def start(self, position: float, fwhm: float, area: float, lorentz_fraction: float = 1.0) -> Array:
        """Position, FWHM, area; the Lorentz share has no place here."""
        return np.array([position, fwhm, area])


@dataclass(frozen=True)
class PseudoVoigt(Shape):
    """Sum of a Gaussian and a Lorentzian of one position and FWHM, each with its own area.

    Linear in two of its four numbers, so that nothing is singular where one share vanishes. The user
    sees area = area_gauss + area_lorentz and lorentz_fraction = area_lorentz / area.

    Examples
    --------
    >>> from sozai.spectra.peaks.shapes import PseudoVoigt
    >>> shape = PseudoVoigt()
    >>> shape.start(284.8, 1.2, 1000.0, lorentz_fraction=0.25)
    array([284.8,   1.2, 750. , 250. ])
    """

    code: ClassVar[int] = 2
    parameters: ClassVar[tuple[str, ...]] = ("position", "fwhm", "area_gauss", "area_lorentz")
    default_bounds: ClassVar[Mapping[str, Box]] = {
        "position": _ANYWHERE, "fwhm": _POSITIVE, "area_gauss": _POSITIVE, "area_lorentz": _POSITIVE,
    }  # fmt: skip

    def start(self, position: float, fwhm: float, area: float, lorentz_fraction: float = 0.5) -> Array:
        """Position, FWHM, the two areas."""
        return np.array([position, fwhm, (1.0 - lorentz_fraction) * area, lorentz_fraction * area])


@dataclass(frozen=True)
class Voigt(Shape):
    """Lorentzian under a Gaussian, Re w(z) with two FWHM of which one may be 0.

    At fwhm_gauss = 0 the derivative by it vanishes (the line depends on its square), so a fit started
    there stays there.

    Examples
    --------
    >>> from sozai.spectra.peaks.shapes import Voigt
    >>> round(Voigt().fwhm(position=0.0, fwhm_gauss=1.0, fwhm_lorentz=1.0), 5)
    1.6376
    """

    code: ClassVar[int] = 3
    parameters: ClassVar[tuple[str, ...]] = ("position", "fwhm_gauss", "fwhm_lorentz", "area")
    default_bounds: ClassVar[Mapping[str, Box]] = {
        "position": _ANYWHERE, "fwhm_gauss": _POSITIVE, "fwhm_lorentz": _POSITIVE, "area": _POSITIVE,
    }  # fmt: skip

    def start(self, position: float, fwhm: float, area: float, lorentz_fraction: float = 0.5) -> Array:
        """Widths whose line has this FWHM and this share in its pseudo-Voigt likeness."""
        ratio = _width_ratio(lorentz_fraction)
        gauss = np.sqrt(max((1.0 - 0.5346 * ratio) ** 2 - 0.2166 * ratio**2, 0.0))
        return np.array([position, gauss * fwhm, ratio * fwhm, area])

    def _check(self, place: str, p: Array) -> None:
        """One width at least."""
        super()._check(place, p)
        if p[1] == 0.0 and p[2] == 0.0:
            raise InputError(
                sentence(place, "fwhm_gauss or fwhm_lorentz", "be greater than 0", (0.0, 0.0),
                         remedy="Give the line a width.")
            )  # fmt: skip


@dataclass(frozen=True)
class DoniachSunjic(Shape):
    """Core line of a metal: cos[πα/2 + (1-α) atan(ε/g)] / (ε² + g²)^((1-α)/2).

    ε is the kinetic energy counted from the position, g the half width, α the asymmetry. The tail goes
    to high binding energy and has no finite integral, so **area means the area inside the window**. The
    position is not the maximum, which lies at ε = g cot(π/(2-α)).

    References
    ----------
    .. [1] S. Doniach, M. Sunjic, Many-electron singularity in X-ray photoemission and X-ray line spectra
       from metals, J. Phys. C 3, 285 (1970), https://doi.org/10.1088/0022-3719/3/2/010

    Examples
    --------
    >>> from sozai.spectra.peaks.shapes import DoniachSunjic
    >>> line = dict(position=84.0, half_width=0.2, asymmetry=0.12)
    >>> round(DoniachSunjic().maximum(window=(80.0, 90.0), **line), 4)
    84.0201
    """

    code: ClassVar[int] = 4
    parameters: ClassVar[tuple[str, ...]] = ("position", "half_width", "asymmetry", "area")
    default_start: ClassVar[Mapping[str, float]] = {"asymmetry": 0.1}
    default_bounds: ClassVar[Mapping[str, Box]] = {
        "position": _ANYWHERE, "half_width": _POSITIVE, "asymmetry": (0.0, 0.49), "area": _POSITIVE,
    }  # fmt: skip
    needs_window: ClassVar[bool] = True

    def start(self, position: float, fwhm: float, area: float, lorentz_fraction: float = 1.0) -> Array:
        """Half of the width, the default asymmetry; the Lorentz share has no place here."""
        return np.array([position, 0.5 * fwhm, self.default_start["asymmetry"], area])


@dataclass(frozen=True)
class DoniachSunjicGaussian(Shape):
    """Doniach-Sunjic line under a Gaussian of FWHM fwhm_gauss (instrument, phonons).

    The convolution is exact to 1e-13: the line is the imaginary part of a power of q = (ε + ig)/g, so the
    Gaussian mean is taken on a path above the singularity (see
    :func:`sozai.spectra.peaks.doniach_sunjic.convolved_table`). No grid step is chosen and no window
    is padded. Area means the area inside the window.

    Examples
    --------
    >>> from sozai.spectra.peaks.shapes import DoniachSunjicGaussian
    >>> line = dict(position=84.0, half_width=0.2, asymmetry=0.0, fwhm_gauss=0.4)
    >>> round(DoniachSunjicGaussian().fwhm(window=(0.0, 168.0), **line), 5)  # a Voigt line
    0.65504
    """

    code: ClassVar[int] = 5
    parameters: ClassVar[tuple[str, ...]] = ("position", "half_width", "asymmetry", "fwhm_gauss", "area")
    default_start: ClassVar[Mapping[str, float]] = {"asymmetry": 0.1}
    default_bounds: ClassVar[Mapping[str, Box]] = {
        "position": _ANYWHERE, "half_width": _POSITIVE, "asymmetry": (0.0, 0.49),
        "fwhm_gauss": _POSITIVE, "area": _POSITIVE,
    }  # fmt: skip
    needs_window: ClassVar[bool] = True

    def start(self, position: float, fwhm: float, area: float, lorentz_fraction: float = 0.5) -> Array:
        """Widths as for :class:`Voigt`, the default asymmetry; half_width is at least a fiftieth of fwhm."""
        _, gauss, lorentz, _ = Voigt().start(position, fwhm, area, lorentz_fraction)
        half_width = max(0.5 * lorentz, 0.02 * fwhm)
        return np.array([position, half_width, self.default_start["asymmetry"], gauss, area])


@dataclass(frozen=True)
class AsymmetricPseudoVoigt(Shape):
    """Pseudo-Voigt whose width runs along the line, w(x) = 2w/(1 + exp(∓a(x - x0))).

    Both parts are divided by their integrals, which depend on aw alone (to 1e-12 within ±4), so that
    the areas are areas; a > 0 widens the side of the tail, and a = 0 is :class:`PseudoVoigt` bit for
    bit. ``fwhm`` is the width at the position; height, maximum and width of the whole line are found
    on it.

    References
    ----------
    .. [1] A. L. Stancik, E. B. Brauns, A simple asymmetric lineshape for fitting infrared absorption
       spectra, Vib. Spectrosc. 47, 66 (2008), https://doi.org/10.1016/j.vibspec.2008.02.009

    Examples
    --------
    >>> from sozai.spectra.peaks.shapes import AsymmetricPseudoVoigt
    >>> line = dict(position=0.0, fwhm=1.0, asymmetry=0.5, area_gauss=1.0, area_lorentz=0.0)
    >>> round(float(AsymmetricPseudoVoigt().cdf(50.0, **line)), 10)
    1.0
    """

    code: ClassVar[int] = 6
    parameters: ClassVar[tuple[str, ...]] = ("position", "fwhm", "asymmetry", "area_gauss", "area_lorentz")
    default_start: ClassVar[Mapping[str, float]] = {"asymmetry": 0.0}
    default_bounds: ClassVar[Mapping[str, Box]] = {
        "position": _ANYWHERE, "fwhm": _POSITIVE, "asymmetry": _ANYWHERE,
        "area_gauss": _POSITIVE, "area_lorentz": _POSITIVE,
    }  # fmt: skip

    def start(self, position: float, fwhm: float, area: float, lorentz_fraction: float = 0.5) -> Array:
        """The symmetric line."""
        return np.array([position, fwhm, 0.0, (1.0 - lorentz_fraction) * area, lorentz_fraction * area])


@dataclass(frozen=True)
class PearsonVII(Shape):
    """Power of a Lorentzian, (1 + (2^(1/m) - 1) z²)^-m: Lorentzian at m = 1, Gaussian as m grows.

    Examples
    --------
    >>> from sozai.spectra.peaks.shapes import PearsonVII
    >>> round(PearsonVII().height(position=0.0, fwhm=2.0, exponent=1.0), 6)
    0.31831
    """

    code: ClassVar[int] = 7
    parameters: ClassVar[tuple[str, ...]] = ("position", "fwhm", "exponent", "area")
    default_start: ClassVar[Mapping[str, float]] = {"exponent": 2.0}
    default_bounds: ClassVar[Mapping[str, Box]] = {
        "position": _ANYWHERE, "fwhm": _POSITIVE, "exponent": (0.6, 50.0), "area": _POSITIVE,
    }  # fmt: skip

    def start(self, position: float, fwhm: float, area: float, lorentz_fraction: float = 0.5) -> Array:
        """Exponent 1/share: 1 for a Lorentzian, 50 for a Gaussian."""
        exponent = float(np.clip(1.0 / max(lorentz_fraction, 0.02), 0.6, 50.0))
        return np.array([position, fwhm, exponent, area])


def _width_ratio(lorentz_fraction: float) -> float:
    """Lorentzian over full width of the Voigt line that looks like this share."""
    low, high = 0.0, 1.0
    for _ in range(60):
        ratio = 0.5 * (low + high)
        share = ratio * (1.36603 + ratio * (-0.47719 + ratio * 0.11116))
        low, high = (ratio, high) if share < lorentz_fraction else (low, ratio)
    return 0.5 * (low + high)


SHAPES: dict[str, Shape] = {
    "gaussian": Gaussian(),
    "lorentzian": Lorentzian(),
    "pseudo-voigt": PseudoVoigt(),
    "voigt": Voigt(),
    "doniach-sunjic": DoniachSunjic(),
    "doniach-sunjic-gaussian": DoniachSunjicGaussian(),
    "asymmetric-pseudo-voigt": AsymmetricPseudoVoigt(),
    "pearson-vii": PearsonVII(),
}
"""Default objects by name, in the order of their codes."""


def check_shape(shape: Any, *, place: str) -> Shape:
    """Turn a name or an object into a shape.

    Parameters
    ----------
    shape : Shape or str
    place : str
        Who asks, for the message.

    Returns
    -------
    Shape

    Raises
    ------
    InputError
        When the name is unknown.

    Examples
    --------
    >>> from sozai.spectra.peaks.shapes import check_shape
    >>> check_shape("voigt", place="fit")
    Voigt()
    """
    if isinstance(shape, Shape) and shape.code >= 0:
        return shape
    if isinstance(shape, str) and shape in SHAPES:
        return SHAPES[shape]
    raise InputError(
        sentence(place, "shape", f"be a shape object or one of {', '.join(SHAPES)}", shape,
                 remedy="Import the shape from sozai.spectra.peaks.shapes.")
    )  # fmt: skip
