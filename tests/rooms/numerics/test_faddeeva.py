import numpy as np
import pytest
from scipy.special import wofz

from sozai.contracts.errors import InputError
from sozai.numerics.faddeeva import faddeeva, faddeeva_far


@pytest.mark.parametrize("height", [0.0, 1e-12, 1e-3, 0.3, 2.0, 7.99, 8.01, 50.0, 1e6])
def test_upper_half_plane_against_scipy(height):
    z = np.concatenate([np.linspace(-9, 9, 2001), [-1e5, -37.0, 12.0, 1e8]]) + 1j * height
    np.testing.assert_allclose(faddeeva(z), wofz(z), rtol=1e-12)


def test_real_part_near_the_real_axis():
    z = np.linspace(-8, 8, 4001) + 1e-9j
    np.testing.assert_allclose(faddeeva(z).real, wofz(z).real, rtol=0, atol=3e-15)


def test_lower_half_plane_against_scipy():
    z = np.linspace(-6, 6, 301)[:, None] - 1j * np.array([0.1, 1.0, 4.0])
    got = faddeeva(z)
    assert got.shape == (301, 3)
    np.testing.assert_allclose(got, wofz(z), rtol=1e-11)


def test_far_series_of_the_derivative():
    # w' = -2zw + 2i/sqrt(pi) loses z^2 digits; a central difference of scipy's value loses fewer
    for z in (9 + 0.5j, -12 + 3j, 0.1 + 8.5j):
        far = faddeeva_far(z.real, z.imag)
        step = 1e-2
        at = [wofz(z + k * step) for k in (-3, -2, -1, 1, 2, 3)]
        slope = (-at[0] + 9 * at[1] - 45 * at[2] + 45 * at[3] - 9 * at[4] + at[5]) / (60 * step)
        assert complex(far[2], far[3]) == pytest.approx(slope, rel=1e-10)
        assert complex(far[4], far[5]) == pytest.approx(wofz(z) + z * slope, rel=1e-7)


def test_entries_must_be_finite():
    with pytest.raises(InputError, match=r"faddeeva: z must be finite\. Got \(nan\+0j\) at entry 2\."):
        faddeeva([1.0, 2.0, np.nan])


def test_input_is_left_alone():
    z = np.array([1 - 1j, 2 + 2j])
    faddeeva(z)
    np.testing.assert_array_equal(z, [1 - 1j, 2 + 2j])
