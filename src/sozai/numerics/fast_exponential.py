"""Exponential, logarithm, arctangent, sine and Gaussian tail without branches: loops over them vectorize."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["fast_atan", "fast_exp", "fast_log", "fast_sincos", "gauss_cdf_parts", "lorentz_cdf_parts"]

# adding and taking away 1.5 * 2^52 rounds to an integer; its low bits then hold that integer
_ROUNDER = 6755399441055744.0
_LOG2_E = 1.4426950408889634
_LN2_HIGH = 0.693147180369123816490
_LN2_LOW = 1.90821492927058770002e-10
_HALF_PI_HIGH = 1.5707963267341256
_HALF_PI_LOW = 6.077100506506192e-11
_TAN_67 = 2.414213562373095
_TAN_22 = 0.4142135623730951
_RIGHT_ANGLE = 0.5 * np.pi
_INVERSE_PI = 1.0 / np.pi
# products may be fused; sums keep their order, which the rounding above rests on
_KEEP = {"contract"}


def _float_of_bits(typing_context: Any, bits: Any) -> Any:
    """Read 64 bits as a float64."""

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.bitcast(values[0], context.get_value_type(types.float64))

    return types.float64(types.int64), build


def _bits_of_float(typing_context: Any, number: Any) -> Any:
    """Read a float64 as 64 bits."""

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.bitcast(values[0], context.get_value_type(types.int64))

    return types.int64(types.float64), build


_as_float: Any = intrinsic(_float_of_bits)
_as_bits: Any = intrinsic(_bits_of_float)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP, forceinline=True)
def fast_exp(x: float) -> float:
    """eˣ to two units in the last place, without a branch.

    x = n ln 2 + r with abs(r) ≤ ln 2 / 2, Taylor's sum to degree 12 in r, 2ⁿ written into the exponent.
    Below -708 the answer stays at 3e-308 and above 709 at 8e307; NaN stays NaN.

    Notes
    -----
    LLVM turns a loop over this function into vector instructions; a loop over ``np.exp`` calls the
    library once per element.

    Examples
    --------
    >>> import numpy as np
    >>> from sozai.numerics.fast_exponential import fast_exp
    >>> abs(fast_exp(-1.0) * np.e - 1.0) < 5e-16
    True
    """
    x = min(max(x, -708.0), 709.0)
    shifted = x * _LOG2_E + _ROUNDER
    n = shifted - _ROUNDER
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    s = 1.0 / 479001600.0
    s = s * r + 1.0 / 39916800.0
    s = s * r + 1.0 / 3628800.0
    s = s * r + 1.0 / 362880.0
    s = s * r + 1.0 / 40320.0
    s = s * r + 1.0 / 5040.0
    s = s * r + 1.0 / 720.0
    s = s * r + 1.0 / 120.0
    s = s * r + 1.0 / 24.0
    s = s * r + 1.0 / 6.0
    s = s * r + 0.5
    s = s * r + 1.0
    s = s * r + 1.0
    power: float = _as_float((_as_bits(shifted) + np.int64(1023)) << np.int64(52))
    return s * power


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP, forceinline=True)
def fast_log(x: float) -> float:
    """Natural logarithm of a positive, normal number, to 3e-16 of max(1, abs(ln x)).

    x = 2ⁿ m with m in [√½, √2]; ln m = 2 artanh s with s = (m - 1)/(m + 1).

    Examples
    --------
    >>> from sozai.numerics.fast_exponential import fast_log
    >>> fast_log(1.0)
    0.0
    """
    bits = _as_bits(x)
    # moves the cut of the mantissas from 1 to sqrt(1/2)
    moved = bits - np.int64(0x3FE6A09E667F3BCD)
    exponent = moved >> np.int64(52)
    m: float = _as_float(bits - (exponent << np.int64(52)))
    n: float = _as_float(_as_bits(_ROUNDER) + exponent) - _ROUNDER
    s = (m - 1.0) / (m + 1.0)
    t = s * s
    q = 0.06631132146503059
    q = q * t + 0.06624372679941282
    q = q * t + 0.07693580858531021
    q = q * t + 0.09090886859866332
    q = q * t + 0.11111111338581137
    q = q * t + 0.14285714284408765
    q = q * t + 0.2000000000000375
    q = q * t + 0.3333333333333333
    twice = s + s
    return n * _LN2_HIGH + (n * _LN2_LOW + (twice * t * q + twice))


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP, forceinline=True)
def _small_atan(u: float) -> float:
    """Arctangent for abs(u) ≤ tan(π/8)."""
    t = u * u
    q = -0.017803896394812564
    q = q * t + 0.03796390316111083
    q = q * t - 0.05035049795312439
    q = q * t + 0.05846866752275139
    q = q * t - 0.06662950246636792
    q = q * t + 0.07692045194561481
    q = q * t - 0.09090896801472813
    q = q * t + 0.11111110744657099
    q = q * t - 0.14285714279244968
    q = q * t + 0.19999999999940837
    q = q * t - 0.3333333333333312
    return u + u * t * q


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP, forceinline=True)
def fast_atan(x: float) -> float:
    """Arctangent to 3e-16, without a branch.

    Examples
    --------
    >>> from sozai.numerics.fast_exponential import fast_atan
    >>> abs(4.0 * fast_atan(1.0) - 3.141592653589793) < 1e-15
    True
    """
    m = abs(x)
    far = m > _TAN_67
    near = m < _TAN_22
    top = -1.0 if far else (m if near else m - 1.0)
    low = m if far else (1.0 if near else m + 1.0)
    start = _RIGHT_ANGLE if far else (0.0 if near else 0.5 * _RIGHT_ANGLE)
    angle = start + _small_atan(top / low)
    return -angle if x < 0.0 else angle


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP, forceinline=True)
def fast_sincos(x: float) -> tuple[float, float]:
    """Sine and cosine to 3e-16 for abs(x) up to 1e5, without a branch.

    Examples
    --------
    >>> from sozai.numerics.fast_exponential import fast_sincos
    >>> fast_sincos(0.0)
    (0.0, 1.0)
    """
    shifted = x * (2.0 / np.pi) + _ROUNDER
    n = shifted - _ROUNDER
    quarter = _as_bits(shifted)
    r = (x - n * _HALF_PI_HIGH) - n * _HALF_PI_LOW
    t = r * r
    p = -7.57802138320201e-13
    p = p * t + 1.6058351049303359e-10
    p = p * t - 2.5052104768288217e-08
    p = p * t + 2.7557319213520538e-06
    p = p * t - 0.00019841269841253397
    p = p * t + 0.008333333333333321
    p = p * t - 0.16666666666666666
    sine = r + r * t * p
    q = -1.1353262834133352e-11
    q = q * t + 2.087558003775504e-09
    q = q * t - 2.7557313079436857e-07
    q = q * t + 2.4801587283810357e-05
    q = q * t - 0.0013888888888860956
    q = q * t + 0.04166666666666645
    cosine = 1.0 + t * (q * t - 0.5)
    odd = (quarter & np.int64(1)) != 0
    first = cosine if odd else sine
    second = sine if odd else cosine
    first = -first if (quarter & np.int64(2)) != 0 else first
    second = -second if ((quarter + np.int64(1)) & np.int64(2)) != 0 else second
    return first, second


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP, forceinline=True)
def gauss_cdf_parts(u: float, decay: float) -> tuple[float, float]:
    """Whole and rest of Φ = ½ erfc(-u): whole is 0 or 1, the rest is the tail with its sign.

    Differences of cumulated shares keep all their digits far from the center when wholes and rests
    are subtracted apart.

    Parameters
    ----------
    u : float
        (x - center) / (√2 σ).
    decay : float
        exp(-u²), which the caller has anyway.

    Returns
    -------
    whole, rest : float
        Φ = whole + rest. The tail is exp(-u²) q(t) / (1 + 2v), t = (v - 3.75)/(v + 3.75), v = abs(u), with a
        polynomial q of degree 22: 2e-15 relative.

    References
    ----------
    .. [1] M. M. Shepherd, J. G. Laframboise, Math. Comput. 36, 249 (1981), for the mapping.

    Examples
    --------
    >>> from sozai.numerics.fast_exponential import gauss_cdf_parts
    >>> whole, rest = gauss_cdf_parts(0.0, 1.0)
    >>> round(whole + rest, 14)
    0.5
    """
    m = abs(u)
    t = (m - 3.75) / (m + 3.75)
    q = -1.3646970666266928e-09
    q = q * t - 9.763950814874185e-10
    q = q * t + 1.6282495418992565e-08
    q = q * t + 9.389250578234398e-09
    q = q * t - 1.2498269018702621e-07
    q = q * t - 2.5408455905849093e-08
    q = q * t + 8.719288705679591e-07
    q = q * t - 4.896487645499115e-07
    q = q * t - 5.719807630037975e-06
    q = q * t + 1.1193796362673845e-05
    q = q * t + 2.582368561935919e-05
    q = q * t - 0.00014507768281973564
    q = q * t + 0.00014685704388613842
    q = q * t + 0.0008778130846138361
    q = q * t - 0.004873289810407545
    q = q * t + 0.014181138685685022
    q = q * t - 0.029346699292245922
    q = q * t + 0.04615216058217808
    q = q * t - 0.054401965070969574
    q = q * t + 0.041138369244995796
    q = q * t + 0.0017927077427331533
    q = q * t - 0.07012029929277261
    q = q * t + 0.6187563154189137
    tail = decay * q / (1.0 + 2.0 * m)
    whole = 1.0 if u > 0.0 else 0.0
    rest = -tail if u > 0.0 else tail
    return whole, rest


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_KEEP, forceinline=True)
def lorentz_cdf_parts(z: float) -> tuple[float, float]:
    """Whole and rest of ½ + atan(z)/π: the whole is a multiple of ¼, the rest has all its digits.

    Parameters
    ----------
    z : float
        (x - center) / half width.

    Returns
    -------
    whole, rest : float

    Examples
    --------
    >>> from sozai.numerics.fast_exponential import lorentz_cdf_parts
    >>> lorentz_cdf_parts(0.0)
    (0.5, 0.0)
    """
    m = abs(z)
    far = m > _TAN_67
    near = m < _TAN_22
    top = -1.0 if far else (m if near else m - 1.0)
    low = m if far else (1.0 if near else m + 1.0)
    start = 0.5 if far else (0.0 if near else 0.25)
    rest = _small_atan(top / low) * _INVERSE_PI
    whole = 0.5 - start if z < 0.0 else 0.5 + start
    return whole, (-rest if z < 0.0 else rest)
