"""The phase diagram of water in temperature and pressure, from the published equations of its lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence

__all__ = ["make_water_diagram", "melting_pressure", "saturation_pressure", "sublimation_pressure"]

Array = NDArray[np.float64]

#: Triple point and critical point of water: temperatures in K, pressures in Pa.
_T_TRIPLE, _P_TRIPLE = 273.16, 611.657
_T_CRITICAL, _P_CRITICAL = 647.096, 22.064e6
#: Ices by the temperatures between which they melt (K), and the pressure (Pa) at the lower end.
_ICES = {
    "ICE_III": (251.165, 256.164, 208.566e6),
    "ICE_V": (256.164, 273.31, 350.1e6),
    "ICE_VI": (273.31, 355.0, 632.4e6),
    "ICE_VII": (355.0, 715.0, 2216e6),
}
_LOWEST, _HIGHEST = 50.0, 715.0
#: Coefficients of the saturation line, in MPa and K.
_SATURATION = (
    0.11670521452767e4, -0.72421316703206e6, -0.17073846940092e2, 0.12020824702470e5, -0.32325550322333e7,
    0.14915108613530e2, -0.48232657361591e4, 0.40511340542057e6, -0.23855557567849, 0.65017534844798e3,
)  # fmt: skip


def make_water_diagram(
    n_T: int = 61,
    n_p: int = 61,
    *,
    T: Sequence[float] = (200.0, 700.0),
    p: Sequence[float] = (1e-1, 1e10),
    ices: bool = False,
) -> pd.DataFrame:
    r"""Make the phase diagram of water on a grid of temperatures and logarithms of pressure.

    Parameters
    ----------
    n_T, n_p : int, default=61
        Points along the two axes.
    T : (float, float)
        Lowest and highest temperature, within 50 and 715 K.
    p : (float, float)
        Lowest and highest pressure in Pa.
    ices : bool, default=False
        Whether a solid is named by the ice that melts at its pressure. The lines between ices that follow
        are isobars through the triple points, not equilibria.

    Returns
    -------
    DataFrame
        ``T`` (K), ``log_p`` (decimal logarithm of the pressure in Pa), ``phase``: ``GAS``, ``LIQUID``,
        ``SUPERCRITICAL`` (above both critical values), ``SOLID`` or the names of ices.

    Raises
    ------
    InputError
        For limits outside the equations.

    Notes
    -----
    Solid and gas meet on the sublimation line, solid and liquid on five melting lines [1]_, liquid and gas
    on the saturation line [2]_.

    References
    ----------
    .. [1] IAPWS R14-08(2011), Revised Release on the Pressure along the Melting and Sublimation Curves of
       Ordinary Water Substance; W. Wagner et al., J. Phys. Chem. Ref. Data 40, 043103 (2011).
    .. [2] IAPWS R7-97(2012), Revised Release on the IAPWS Industrial Formulation 1997.

    Examples
    --------
    >>> table = make_water_diagram(3, 3, T=(250, 400), p=(1e3, 1e7))
    >>> table["phase"].tolist()
    ['SOLID', 'SOLID', 'SOLID', 'GAS', 'LIQUID', 'LIQUID', 'GAS', 'GAS', 'LIQUID']
    """
    _check_limits("T", T, _LOWEST, _HIGHEST)
    _check_limits("p", p, 1e-300, np.inf)
    for name, value in (("n_T", n_T), ("n_p", n_p)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 2:
            raise InputError(sentence("make_water_diagram", name, "be a whole number of 2 or more", value))
    t, log_p = np.meshgrid(np.linspace(*T, n_T), np.linspace(*np.log10(np.asarray(p)), n_p), indexing="ij")
    temperature, pressure = t.ravel(), 10.0 ** log_p.ravel()
    phase = _phases(temperature, pressure, ices)
    return pd.DataFrame({"T": temperature, "log_p": log_p.ravel(), "phase": phase})


def sublimation_pressure(T: Any) -> Array:
    r"""Pressure at which ice and vapor coexist, in Pa, for 50 to 273.16 K.

    Notes
    -----
    :math:`\ln(p/p_t) = \theta^{-1}\sum_i a_i\theta^{b_i}`, :math:`\theta = T/T_t`; IAPWS R14-08(2011), eq. 6.

    Examples
    --------
    >>> round(float(sublimation_pressure(230.0)), 5)
    8.94735
    """
    theta = np.asarray(T, dtype=np.float64) / _T_TRIPLE
    a = (-0.212144006e2, 0.273203819e2, -0.610598130e1)
    b = (0.333333333e-2, 0.120666667e1, 0.170333333e1)
    total = sum(factor * theta**power for factor, power in zip(a, b, strict=True))
    return np.asarray(_P_TRIPLE * np.exp(total / theta))


def melting_pressure(T: Any, ice: str = "ICE_IH") -> Array:
    r"""Pressure at which an ice melts, in Pa.

    Parameters
    ----------
    T : array-like
        Within the temperatures of this ice: 251.165 to 273.16 K for ``ICE_IH``, to 256.164 for ``ICE_III``,
        to 273.31 for ``ICE_V``, to 355 for ``ICE_VI``, to 715 for ``ICE_VII``.
    ice : {"ICE_IH", "ICE_III", "ICE_V", "ICE_VI", "ICE_VII"}

    Notes
    -----
    With :math:`\theta = T/T_0`, :math:`\pi = p/p_0` of the lower triple point (the upper one for ice Ih):
    :math:`\pi = 1 + \sum_i a_i(1 - \theta^{b_i})`, and for ice VII
    :math:`\ln\pi = \sum_i a_i(1 - \theta^{b_i})`; IAPWS R14-08(2011), eqs. 1 to 5.

    Examples
    --------
    >>> round(float(melting_pressure(260.0)) / 1e6, 3)
    138.268
    """
    terms: dict[str, tuple[tuple[float, float], ...]] = {
        "ICE_IH": ((0.119539337e7, 3.0), (0.808183159e5, 25.75), (0.333826860e4, 103.75)),
        "ICE_III": ((-0.299948, 60.0),),
        "ICE_V": ((-1.18721, 8.0),),
        "ICE_VI": ((-1.07476, 4.6),),
        "ICE_VII": ((0.173683e1, -1.0), (-0.544606e-1, 5.0), (0.806106e-7, 22.0)),
    }
    if ice not in terms:
        raise InputError(sentence("melting_pressure", "ice", f"be one of {', '.join(terms)}", ice))
    T_0, p_0 = (_T_TRIPLE, _P_TRIPLE) if ice == "ICE_IH" else (_ICES[ice][0], _ICES[ice][2])
    theta = np.asarray(T, dtype=np.float64) / T_0
    total = sum(factor * (1.0 - theta**power) for factor, power in terms[ice])
    return np.asarray(p_0 * (np.exp(total) if ice == "ICE_VII" else 1.0 + total))


def saturation_pressure(T: Any) -> Array:
    r"""Pressure at which water boils, in Pa, for 273.15 to 647.096 K.

    Notes
    -----
    With :math:`\vartheta = T + n_9/(T - n_{10})`, :math:`A = \vartheta^2 + n_1\vartheta + n_2`,
    :math:`B = n_3\vartheta^2 + n_4\vartheta + n_5`, :math:`C = n_6\vartheta^2 + n_7\vartheta + n_8`:
    :math:`p = [2C/(-B + \sqrt{B^2 - 4AC})]^4` in MPa; IAPWS-IF97, eq. 30.

    Examples
    --------
    >>> round(float(saturation_pressure(373.124)), -1)
    101320.0
    """
    T = np.asarray(T, dtype=np.float64)
    n = (0.0, *_SATURATION)
    v = T + n[9] / (T - n[10])
    A, B, C = v**2 + n[1] * v + n[2], n[3] * v**2 + n[4] * v + n[5], n[6] * v**2 + n[7] * v + n[8]
    return np.asarray(1e6 * (2.0 * C / (-B + np.sqrt(B**2 - 4.0 * A * C))) ** 4)


def _phases(t: Array, p: Array, ices: bool) -> NDArray[Any]:
    """Phase at every temperature and pressure."""
    phase = np.full(len(t), "LIQUID", dtype=object)
    cold = t < _T_TRIPLE
    phase[cold & (p < sublimation_pressure(np.minimum(t, _T_TRIPLE)))] = "GAS"
    warm = ~cold & (t < _T_CRITICAL)
    phase[warm & (p < saturation_pressure(np.clip(t, _T_TRIPLE, _T_CRITICAL)))] = "GAS"
    hot = t >= _T_CRITICAL
    phase[hot] = np.where(p[hot] < _P_CRITICAL, "GAS", "SUPERCRITICAL")
    solid = (t < _ICES["ICE_III"][0]) & (phase != "GAS")
    low = cold & ~solid
    solid |= low & (phase != "GAS") & (p < melting_pressure(np.clip(t, 251.165, _T_TRIPLE)))
    for ice, (first, last, _) in _ICES.items():
        inside = (t >= first) & (t < last)
        solid |= inside & (p > melting_pressure(np.clip(t, first, last), ice))
    if not ices:
        phase[solid] = "SOLID"
        return phase
    names = np.array(["ICE_IH", *_ICES], dtype=object)
    edges = np.array([start for _, _, start in _ICES.values()])
    phase[solid] = names[np.searchsorted(edges, p[solid], side="right")]
    return phase


def _check_limits(name: str, limits: Any, low: float, high: float) -> None:
    """Two ascending numbers within a range."""
    ends = np.asarray(limits, dtype=np.float64)
    if ends.shape != (2,) or not np.isfinite(ends).all() or not low <= ends[0] < ends[1] <= high:
        raise InputError(
            sentence("make_water_diagram", name, f"be two ascending numbers within {low:g} and {high:g}",
                     limits)
        )  # fmt: skip
