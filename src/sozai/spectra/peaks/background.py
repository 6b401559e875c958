r"""What lies under the peaks: smooth curves, Shirley's step, Tougaard's losses, and sums of these.

A background is part of the fit, never subtracted before it. Coefficients of curves are counts per channel
of mean width: with :math:`u` the axis scaled to [0, 1] over the window and :math:`B_m(u)` the functions of a
basis, the expected content of channel n is :math:`\sum_m b_m B_m(u_n)\, h_n/\bar h`. Bases are chosen so
that b ≥ 0 means a background that is nowhere negative and does not forbid any slope.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline as _Spline

from sozai.contracts.errors import InputError, sentence

__all__ = [
    "BSpline",
    "Background",
    "Constant",
    "Exponential",
    "Linear",
    "NoBackground",
    "Polynomial",
    "Shirley",
    "StaticShirley",
    "Sum",
    "Tougaard",
    "as_background",
]

Array = NDArray[np.float64]

#: Highest degree of a polynomial background.
MAX_DEGREE = 6
#: Loss distance in eV that a window must reach below the main line before B can be told.
TOUGAARD_REACH = 30.0


class Background:
    """Parent of all backgrounds; ``+`` makes a sum.

    Examples
    --------
    >>> Constant() + Shirley()
    Sum(parts=(Constant(positive=True), Shirley(per_peak=False)))
    """

    def __add__(self, other: object) -> Background:
        if not isinstance(other, Background):
            return NotImplemented
        return Sum((*self.parts, *other.parts))

    @property
    def parts(self) -> tuple[Background, ...]:
        """The backgrounds of a sum; one background alone is its only part."""
        return (self,)

    def parameters(self, labels: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Names of the coefficients, in order.

        Parameters
        ----------
        labels : tuple of str
            Labels of the peaks, for a background with one coefficient for each.
        """
        return ()

    def bounds(self, n_peaks: int = 0) -> list[tuple[float, float]]:
        """Pair (lower, upper) of every coefficient."""
        return [(0.0, np.inf)] * len(self.parameters(("",) * n_peaks))

    @property
    def held(self) -> dict[str, float]:
        """Coefficients that are not fitted unless asked for, with their values."""
        return {}


class _Curve(Background):
    """A background that is linear in its coefficients."""

    positive: bool = True

    def bounds(self, n_peaks: int = 0) -> list[tuple[float, float]]:
        low = 0.0 if self.positive else -np.inf
        return [(low, np.inf)] * len(self.parameters())

    def basis(self, u: Array) -> Array:
        """Functions of the basis at points of the window scaled to [0, 1].

        Parameters
        ----------
        u : ndarray of shape (n,)

        Returns
        -------
        ndarray of shape (M, n)
        """
        raise NotImplementedError

    @property
    def penalty(self) -> Array | None:
        """Matrix R of the term bᵀRb added to the deviance."""
        return None


@dataclass(frozen=True)
class NoBackground(_Curve):
    """Nothing but peaks.

    Examples
    --------
    >>> NoBackground().parameters()
    ()
    """

    def basis(self, u: Array) -> Array:
        """No function."""
        return np.zeros((0, u.shape[0]))


@dataclass(frozen=True)
class Constant(_Curve):
    """One level everywhere.

    Parameters
    ----------
    positive : bool, default=True
        The level is not negative; ``False`` for differential data.

    Examples
    --------
    >>> Constant().parameters()
    ('level',)
    """

    positive: bool = True

    def parameters(self, labels: tuple[str, ...] = ()) -> tuple[str, ...]:
        """One level, in counts per channel of mean width."""
        return ("level",)

    def basis(self, u: Array) -> Array:
        """Ones."""
        return np.ones((1, u.shape[0]))


def _bernstein(degree: int, u: Array) -> Array:
    """Bernstein polynomials of one degree, shape (degree + 1, n)."""
    return np.array([comb(degree, m) * u**m * (1.0 - u) ** (degree - m) for m in range(degree + 1)])


@dataclass(frozen=True)
class Linear(_Curve):
    """A straight line of any slope, given by its values at the two ends of the window.

    Parameters
    ----------
    positive : bool, default=True
        Both end values are not negative.

    Examples
    --------
    >>> Linear().basis(np.array([0.0, 0.25, 1.0])).tolist()
    [[1.0, 0.75, 0.0], [0.0, 0.25, 1.0]]
    """

    positive: bool = True

    def parameters(self, labels: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Values at the low and at the high end of the axis, counts per channel."""
        return ("b0", "b1")

    def basis(self, u: Array) -> Array:
        """1 - u and u."""
        return _bernstein(1, u)


@dataclass(frozen=True)
class Polynomial(_Curve):
    """A polynomial in the Bernstein basis.

    Parameters
    ----------
    degree : int, default=2
        0 to 6.
    positive : bool, default=True
        Coefficients are not negative, hence nor is the curve.

    Notes
    -----
    Conditioning does not depend on the unit or the origin of the axis, as that of powers does.

    Examples
    --------
    >>> Polynomial(2).basis(np.array([0.5])).ravel().tolist()
    [0.25, 0.5, 0.25]
    """

    degree: int = 2
    positive: bool = True

    def __post_init__(self) -> None:
        _require_whole("Polynomial", "degree", self.degree, 0, MAX_DEGREE, remedy="Use BSpline for more.")

    def parameters(self, labels: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Heights of the control points, counts per channel."""
        return tuple(f"b{m}" for m in range(self.degree + 1))

    def basis(self, u: Array) -> Array:
        """Bernstein polynomials."""
        return _bernstein(self.degree, u)


@dataclass(frozen=True)
class BSpline(_Curve):
    r"""A smooth curve of piecewise polynomials, with an optional penalty on its bending.

    Parameters
    ----------
    degree : int, default=3
        1 to 5.
    sections : int, default=5
        Pieces of equal length over the window.
    roughness : float, default=0
        Adds :math:`\rho\int_0^1 B''(u)^2\,du` to the deviance, with u the window scaled to [0, 1], so
        that it does not depend on the unit of the axis.
    positive : bool, default=True
        Coefficients are not negative, hence nor is the curve.

    Notes
    -----
    Clamped knots: the first and the last coefficient are the values at the ends. With a penalty the
    number of parameters that the data decide is smaller than that of coefficients; see
    :func:`sozai.spectra.peaks.fit_errors.effective_parameters`.

    Examples
    --------
    >>> spline = BSpline(sections=2)
    >>> len(spline.parameters()), spline.basis(np.array([0.0, 0.3])).sum(axis=0).tolist()
    (5, [1.0, 1.0])
    """

    degree: int = 3
    sections: int = 5
    roughness: float = 0.0
    positive: bool = True

    def __post_init__(self) -> None:
        _require_whole("BSpline", "degree", self.degree, 1, 5)
        _require_whole("BSpline", "sections", self.sections, 1, 1000)
        if not (np.isfinite(self.roughness) and self.roughness >= 0):
            raise InputError(
                sentence("BSpline", "roughness", "be finite and not negative", self.roughness,
                         remedy="Use 0 for no penalty.")
            )  # fmt: skip
        if self.roughness > 0 and self.degree < 2:
            raise InputError(
                sentence("BSpline", "degree", "be 2 or more for a penalty on bending", self.degree,
                         remedy="Use degree=3.")
            )  # fmt: skip

    @property
    def _knots(self) -> Array:
        inner = np.linspace(0.0, 1.0, self.sections + 1)
        return np.concatenate([np.zeros(self.degree), inner, np.ones(self.degree)])

    def parameters(self, labels: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Coefficients of the splines, counts per channel."""
        return tuple(f"b{m}" for m in range(self.sections + self.degree))

    def basis(self, u: Array) -> Array:
        """B-splines; they sum to one."""
        inside = np.clip(u, 0.0, 1.0)
        design = _Spline.design_matrix(inside, self._knots, self.degree)
        return np.ascontiguousarray(design.toarray().T)

    @property
    def penalty(self) -> Array | None:
        """Penalty matrix ρ ∫ B_i'' B_j'' du, by Gauss-Legendre in every section; None without penalty."""
        if self.roughness == 0:
            return None
        nodes, weights = np.polynomial.legendre.leggauss(self.degree)
        length = 1.0 / self.sections
        starts = np.arange(self.sections) * length
        points = (starts[:, None] + 0.5 * length * (nodes + 1.0)).ravel()
        bending = _Spline(self._knots, np.eye(self.sections + self.degree), self.degree).derivative(2)(points)
        return self.roughness * (bending.T * np.tile(0.5 * length * weights, self.sections)) @ bending


@dataclass(frozen=True)
class Exponential(Background):
    r"""A decaying (or growing) curve :math:`b_1 e^{-b_2 (x - x_r)}`.

    Parameters
    ----------
    reference : float, optional
        Axis value x_r at which the amplitude is quoted; left out: the low end of the window. 0 gives the
        textbook form, which is ill-conditioned on a window far from 0.

    Examples
    --------
    >>> Exponential().parameters()
    ('amplitude', 'decay')
    """

    reference: float | None = None

    def parameters(self, labels: tuple[str, ...] = ()) -> tuple[str, ...]:
        """b1 in counts per channel of mean width and b2 in 1/axis unit."""
        return ("amplitude", "decay")

    def bounds(self, n_peaks: int = 0) -> list[tuple[float, float]]:
        """Amplitude not negative, decay of any sign."""
        return [(0.0, np.inf), (-np.inf, np.inf)]


@dataclass(frozen=True)
class Shirley(Background):
    r"""A step under every peak: electrons that lost a little energy on their way out.

    Parameters
    ----------
    per_peak : bool, default=False
        One step height per peak instead of one for all.

    Notes
    -----
    Active form: the step is a part of the model, :math:`h_n \sum_k s_k A_k C_k(x_n)` with A_k the area
    and C_k the share of peak k at higher kinetic energy than x_n, s in 1/axis unit. Bilinear, so the
    derivatives are exact, and no end point of the window has to be chosen. [1]_ gives the step; fitting it
    with the peaks is described in [2]_.

    References
    ----------
    .. [1] D. A. Shirley, Phys. Rev. B 5, 4709 (1972). https://doi.org/10.1103/PhysRevB.5.4709
    .. [2] A. Herrera-Gomez et al., Surf. Interface Anal. 46, 897 (2014). https://doi.org/10.1002/sia.5453

    Examples
    --------
    >>> Shirley(per_peak=True).parameters(("a", "b"))
    ('step[a]', 'step[b]')
    """

    per_peak: bool = False

    def parameters(self, labels: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Step of all peaks, or of each, per unit of the axis."""
        return tuple(f"step[{label}]" for label in labels) if self.per_peak else ("step",)


@dataclass(frozen=True)
class StaticShirley(Background):
    """Shirley's background computed from the counts alone, before any fit.

    Parameters
    ----------
    n_end : int, default=5
        Channels averaged at either end of the window.

    Notes
    -----
    For comparison with older work and as a start: errors of the fit do not know that the curve was made
    from the same counts. :class:`Shirley` is part of the model instead. See
    :func:`~sozai.spectra.peaks.static_shirley.static_shirley` for the iteration. The fitted model
    holds the curve at the factor 1, the coefficient ``scale``.

    Examples
    --------
    >>> StaticShirley().held
    {'scale': 1.0}
    """

    n_end: int = 5

    def __post_init__(self) -> None:
        _require_whole("StaticShirley", "n_end", self.n_end, 1, 10**6)

    def parameters(self, labels: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A factor."""
        return ("scale",)

    @property
    def held(self) -> dict[str, float]:
        """The factor is 1."""
        return {"scale": 1.0}


@dataclass(frozen=True)
class Tougaard(Background):
    r"""Inelastic losses of all peaks with Tougaard's universal kernel.

    Parameters
    ----------
    B : float, default=2866.0
        Strength in eV²; start value where it is fitted.
    C : float, default=1643.0
        Scale in eV²; the kernel :math:`B T/(C + T^2)^2` is largest at :math:`T = \sqrt{C/3}`.
    D : float, optional
        Given: the kernel of three parameters, :math:`B T/((C - T^2)^2 + D T^2)`.
    order : {1, "all"}, default=1
        One loss, P + HP, or any number, (1 − H)⁻¹ P.
    free : tuple of str, default=("B",)
        Which of B, C, D are fitted; the others are held.

    Notes
    -----
    :math:`(HP)_n = h_n \sum_m K(E_m - E_n) P_m` over channels of higher kinetic energy. The axis is in eV.
    A window that reaches less than 30 eV below the main line cannot determine B, and B is held with a
    warning. Cost n²/2 multiplications per parameter of the peaks; on an uneven axis the kernel is kept as
    an n by n matrix (8 n² bytes). Fitting C or D evaluates the kernel in every iteration.

    References
    ----------
    .. [1] S. Tougaard, Surf. Interface Anal. 11, 453 (1988). https://doi.org/10.1002/sia.740110902
    .. [2] S. Tougaard, Surf. Interface Anal. 25, 137 (1997).

    Examples
    --------
    >>> Tougaard().parameters(), Tougaard().held
    (('B', 'C'), {'C': 1643.0})
    """

    B: float = 2866.0
    C: float = 1643.0
    D: float | None = None
    order: int | str = 1
    free: tuple[str, ...] = ("B",)

    def __post_init__(self) -> None:
        if self.order not in (1, "all"):
            raise InputError(
                sentence("Tougaard", "order", "be 1 or 'all'", self.order, remedy="Use order=1 for one loss.")
            )
        for name in ("B", "C", "D"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise InputError(
                    sentence("Tougaard", name, "be positive (eV²)", value,
                             remedy="Leave it out for the universal kernel.")
                )  # fmt: skip
        unknown = sorted(set(self.free) - set(self.parameters()))
        if unknown:
            raise InputError(
                sentence("Tougaard", "free", f"name parameters among {self.parameters()}", unknown[0],
                         remedy="Give D a value to use it.")
            )  # fmt: skip

    def parameters(self, labels: tuple[str, ...] = ()) -> tuple[str, ...]:
        """B, C and, where given, D."""
        return ("B", "C") if self.D is None else ("B", "C", "D")

    def bounds(self, n_peaks: int = 0) -> list[tuple[float, float]]:
        """B not negative; C and D at least one."""
        return [(0.0, np.inf), (1.0, np.inf), (1.0, np.inf)][: len(self.parameters())]

    @property
    def held(self) -> dict[str, float]:
        """What is not among ``free``."""
        return {name: float(getattr(self, name)) for name in self.parameters() if name not in self.free}


@dataclass(frozen=True)
class Sum(Background):
    """Several backgrounds one on the other; written ``a + b``.

    Parameters
    ----------
    parts : tuple of Background

    Examples
    --------
    >>> (Constant() + Shirley()).parameters()
    ('level', 'step')
    """

    parts: tuple[Background, ...] = ()  # type: ignore[assignment]

    def __post_init__(self) -> None:
        for kinds in ((Shirley,), (Tougaard,), (StaticShirley,)):
            if sum(isinstance(part, kinds) for part in self.parts) > 1:
                raise InputError(
                    sentence("Sum", "parts", f"hold {kinds[0].__name__} once at most", len(self.parts),
                             remedy="Drop one of them.")
                )  # fmt: skip

    def _named(self, labels: tuple[str, ...]) -> Iterator[tuple[Background, str, str]]:
        """Triples (part, its name for a coefficient, the name in the sum, numbered when taken)."""
        taken: set[str] = set()
        for part in self.parts:
            for name in part.parameters(labels):
                unique, number = name, 1
                while unique in taken:
                    number += 1
                    unique = f"{name}_{number}"
                taken.add(unique)
                yield part, name, unique

    def parameters(self, labels: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Names of all parts; one that is taken gets a number."""
        return tuple(unique for _, _, unique in self._named(labels))

    def bounds(self, n_peaks: int = 0) -> list[tuple[float, float]]:
        """Pairs of all parts."""
        return [pair for part in self.parts for pair in part.bounds(n_peaks)]

    @property
    def held(self) -> dict[str, float]:
        """Those of all parts, by their names in the sum."""
        return {unique: part.held[name] for part, name, unique in self._named(()) if name in part.held}


_NAMED: dict[str, type[Background]] = {
    "none": NoBackground,
    "constant": Constant,
    "linear": Linear,
    "polynomial": Polynomial,
    "exponential": Exponential,
    "spline": BSpline,
    "shirley": Shirley,
    "static-shirley": StaticShirley,
    "tougaard": Tougaard,
}


def as_background(background: Any, *, place: str = "as_background") -> Background:
    """Background from an object, or from names joined by ``+``.

    Parameters
    ----------
    background : Background, str or None
        ``"none"``, ``"constant"``, ``"linear"``, ``"polynomial"``, ``"exponential"``, ``"spline"``,
        ``"shirley"``, ``"static-shirley"``, ``"tougaard"``; None is no background.
    place : str
        Who asks, for the message.

    Raises
    ------
    InputError
        For anything else.

    Examples
    --------
    >>> as_background("constant + shirley").parameters()
    ('level', 'step')
    """
    if background is None:
        return NoBackground()
    if isinstance(background, Background):
        return background
    names = [name.strip() for name in background.split("+")] if isinstance(background, str) else []
    if not names or any(name not in _NAMED for name in names):
        raise InputError(
            sentence(place, "background", f"be a background or one of {', '.join(_NAMED)}", background,
                     remedy="Join several by '+'.")
        )  # fmt: skip
    parts = [_NAMED[name]() for name in names]
    return parts[0] if len(parts) == 1 else Sum(tuple(parts))


def _require_whole(place: str, name: str, value: Any, low: int, high: int, remedy: str = "") -> None:
    """Whole number within bounds."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not low <= value <= high:
        raise InputError(
            sentence(place, name, f"be a whole number from {low} to {high}", value, remedy=remedy)
        )
