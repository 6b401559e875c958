import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq, minimize_scalar

from sozai.contracts.errors import InputError
from sozai.spectra.peaks.shape_description import describe_peak
from sozai.spectra.peaks.shapes import (
    SHAPES,
    AsymmetricPseudoVoigt,
    DoniachSunjic,
    DoniachSunjicGaussian,
    Gaussian,
    Lorentzian,
    PearsonVII,
    PseudoVoigt,
    Voigt,
    check_shape,
)

WINDOW = (40.0, 62.0)
LINES = [
    (Gaussian(), [50.0, 2.0, 3.0]),
    (Lorentzian(), [50.0, 2.0, 3.0]),
    (PseudoVoigt(), [50.0, 2.0, 2.0, 1.0]),
    (Voigt(), [50.0, 2.0, 1.0, 3.0]),
    (DoniachSunjic(), [50.0, 0.8, 0.15, 3.0]),
    (DoniachSunjicGaussian(), [50.0, 0.8, 0.15, 1.7, 3.0]),
    (AsymmetricPseudoVoigt(), [50.0, 2.0, 0.4, 2.0, 1.0]),
    (PearsonVII(), [50.0, 2.0, 1.5, 3.0]),
]
IDS = [type(shape).__name__ for shape, _ in LINES]


def _named(shape, p):
    return dict(zip(shape.parameters, p, strict=True))


def test_codes_follow_the_table():
    assert [shape.code for shape in SHAPES.values()] == list(range(8))
    for shape in SHAPES.values():
        assert set(shape.default_bounds) == set(shape.parameters)


@pytest.mark.parametrize(("shape", "p"), LINES, ids=IDS)
@pytest.mark.parametrize("tail", [1, -1])
def test_cumulated_share_is_the_integral_of_the_density(shape, p, tail):
    named = _named(shape, p)
    ends = np.array([44.0, 47.0, 49.0, 49.9, 50.4, 51.5, 55.0])
    cdf = shape.cdf(ends, tail=tail, window=WINDOW, **named)
    for k in range(ends.size - 1):
        inner, _ = quad(
            lambda x: float(shape.density(x, tail=tail, window=WINDOW, **named)), ends[k], ends[k + 1],
            epsabs=1e-14, epsrel=1e-13,
        )  # fmt: skip
        assert cdf[k + 1] - cdf[k] == pytest.approx(inner, abs=3e-12)


@pytest.mark.parametrize(("shape", "p"), LINES, ids=IDS)
def test_whole_line_has_the_area(shape, p):
    named = _named(shape, p)
    if shape.needs_window:
        low, high = shape.cdf(np.array(WINDOW), window=WINDOW, **named)
        assert low == pytest.approx(0.0, abs=1e-12)
        assert high == pytest.approx(3.0, rel=1e-12)
    else:
        far = {"PearsonVII": 1e8, "Gaussian": 1e3}.get(type(shape).__name__, 1e13)
        low, high = shape.cdf(np.array([50 - far, 50 + far]), **named)
        assert high - low == pytest.approx(3.0, rel=1e-12)


@pytest.mark.parametrize(("shape", "p"), LINES, ids=IDS)
@pytest.mark.parametrize("tail", [1, -1])
def test_height_width_and_maximum_against_searches(shape, p, tail):
    named = _named(shape, p)

    def density(x):
        return float(shape.density(x, tail=tail, window=WINDOW, **named))

    best = minimize_scalar(
        lambda x: -density(x), bounds=(48.5, 51.5), method="bounded", options={"xatol": 1e-9}
    )
    assert shape.maximum(tail=tail, window=WINDOW, **named) == pytest.approx(best.x, abs=2e-7)
    assert shape.height(tail=tail, window=WINDOW, **named) == pytest.approx(-best.fun, rel=1e-12)
    ends = [
        brentq(lambda x: density(x) + 0.5 * best.fun, a, b, xtol=1e-13) for a, b in ((44, 49.5), (50.5, 58))
    ]
    assert shape.fwhm(tail=tail, window=WINDOW, **named) == pytest.approx(ends[1] - ends[0], rel=1e-11)


def test_maximum_of_the_metal_line():
    for alpha in (0.0, 0.12, 0.4):
        # kinetic energy: above the center; binding energy: mirrored
        shift = 0.7 / np.tan(np.pi / (2 - alpha))
        line = {"position": 84.0, "half_width": 0.7, "asymmetry": alpha, "window": (70.0, 100.0)}
        assert DoniachSunjic().maximum(tail=-1, **line) == pytest.approx(84.0 + shift, abs=1e-9)
        assert DoniachSunjic().maximum(tail=1, **line) == pytest.approx(84.0 - shift, abs=1e-9)


@pytest.mark.parametrize(("shape", "p"), LINES, ids=IDS)
@pytest.mark.parametrize("tail", [1, -1])
def test_errors_follow_from_differences(shape, p, tail):
    p = np.array(p)
    rng = np.random.default_rng(3)
    root = rng.normal(size=(p.size, p.size)) * 0.01
    cov = root @ root.T
    seen = describe_peak(shape, p, cov, tail=tail, window=WINDOW)
    keys = [key for key in seen if f"{key}_error" in seen]
    slopes = {key: np.zeros(p.size) for key in keys}
    for k in range(p.size):
        step = 1e-3 * max(abs(p[k]), 0.1) if k else 1e-2
        at = [describe_peak(shape, p + shift * step * np.eye(p.size)[k], tail=tail, window=WINDOW)
              for shift in (-2, -1, 1, 2)]  # fmt: skip
        for key in keys:
            slopes[key][k] = (at[0][key] - 8 * at[1][key] + 8 * at[2][key] - at[3][key]) / (12 * step)
    for key in keys:
        if np.isnan(seen[key]):
            assert key == "lorentz_fraction"
            continue
        expected = np.sqrt(slopes[key] @ cov @ slopes[key])
        assert seen[f"{key}_error"] == pytest.approx(expected, rel=2e-6, abs=1e-12)


def test_many_peaks_equal_one_by_one():
    rng = np.random.default_rng(0)
    for shape, p in LINES:
        rows = np.array(p) * (1 + 0.1 * rng.random((2, 3, len(p))))
        cov = np.broadcast_to(1e-4 * np.eye(len(p)), (2, 3, len(p), len(p)))
        many = describe_peak(shape, rows, cov, window=WINDOW)
        one = describe_peak(shape, rows[1, 2], cov[1, 2], window=WINDOW)
        for key, number in one.items():
            assert many[key].shape == (2, 3)
            np.testing.assert_equal(many[key][1, 2], number)


def test_parameters_on_a_bound_count_as_fixed():
    cov = np.diag([0.01, 0.04, 9.0, np.nan])
    seen = describe_peak(PseudoVoigt(), [10.0, 2.0, 75.0, 0.0], cov)
    assert seen["area_error"] == pytest.approx(3.0)
    assert np.isnan(seen["area_lorentz_error"])
    assert seen["lorentz_fraction"] == 0.0


def test_empty_peak_has_a_width_and_no_share():
    seen = describe_peak(PseudoVoigt(), [10.0, 2.0, 0.0, 0.0], np.eye(4))
    assert seen["fwhm"] == 2.0
    assert np.isnan(seen["lorentz_fraction"])
    assert describe_peak(Voigt(), [10.0, 2.0, 1.0, 0.0])["fwhm"] == pytest.approx(
        0.5346 + np.sqrt(4.2166), rel=3e-4
    )


@pytest.mark.parametrize("share", [0.0, 0.2, 0.7, 1.0])
def test_start_gives_back_the_view(share):
    for shape in (PseudoVoigt(), Voigt(), AsymmetricPseudoVoigt()):
        seen = describe_peak(shape, shape.start(284.8, 1.2, 1000.0, lorentz_fraction=share))
        assert seen["position"] == 284.8
        assert seen["area"] == pytest.approx(1000.0)
        assert seen["fwhm"] == pytest.approx(1.2, rel=4e-4)
        assert seen["lorentz_fraction"] == pytest.approx(share, abs=1e-3)
    for shape in SHAPES.values():
        p = shape.start(284.8, 1.2, 1000.0, share)
        np.testing.assert_array_equal(shape.pack(**_named(shape, p)), p)


def test_order_of_points_and_shape_are_kept():
    line = _named(Voigt(), [50.0, 2.0, 1.0, 3.0])
    x = np.array([[53.0, 48.0, 50.0], [41.0, 60.0, 50.5]])
    got = Voigt().density(x, **line)
    assert got.shape == (2, 3)
    for index in np.ndindex(x.shape):
        assert got[index] == pytest.approx(float(Voigt().density(x[index], **line)), rel=1e-14)


def test_messages_name_the_number():
    with pytest.raises(InputError, match=r"Gaussian.pack: fwhm must be greater than 0. Got -1.0."):
        Gaussian().pack(position=0.0, fwhm=-1.0)
    with pytest.raises(InputError, match=r"asymmetry must lie between 0 and 0.49. Got 0.7."):
        DoniachSunjic().pack(position=0.0, half_width=1.0, asymmetry=0.7)
    with pytest.raises(InputError, match=r"position must be finite. Got nan."):
        Gaussian().pack(position=np.nan, fwhm=1.0)
    with pytest.raises(InputError, match=r"Got 'width'. Rename or drop it."):
        Gaussian().pack(position=0.0, width=1.0)
    with pytest.raises(InputError, match=r"Got \['area', 'position'\]. Add fwhm."):
        Gaussian().pack(position=0.0)
    with pytest.raises(
        InputError, match=r"fwhm_gauss or fwhm_lorentz must be greater than 0. Got \(0.0, 0.0\)"
    ):
        Voigt().pack(position=0.0, fwhm_gauss=0.0, fwhm_lorentz=0.0)
    with pytest.raises(InputError, match=r"window must be \(low, high\) with low < high. Got \(5.0, 4.0\)."):
        DoniachSunjic().density([1.0], window=(5, 4), position=0.0, half_width=1.0, asymmetry=0.1)
    with pytest.raises(
        InputError, match=r"fit: shape must be a shape object or one of gaussian, .* Got 'vogt'."
    ):
        check_shape("vogt", place="fit")
    with pytest.raises(
        InputError, match=r"p must end in 3 parameters \(position, fwhm, area\). Got 'shape \(2,\)'."
    ):
        describe_peak(Gaussian(), [1.0, 2.0])
    with pytest.raises(InputError, match=r"cov must have shape \(3, 3\). Got 'shape \(2, 2\)'."):
        describe_peak(Gaussian(), [1.0, 2.0, 3.0], np.eye(2))
    with pytest.raises(InputError, match=r"window must be given for DoniachSunjic. Got None."):
        describe_peak(DoniachSunjic(), [1.0, 2.0, 0.1, 3.0])
