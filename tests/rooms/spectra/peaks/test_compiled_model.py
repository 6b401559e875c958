"""Compiled model: expectation and derivatives against independent formulas and finite differences."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.interpolate import BSpline as ScipySpline

from sozai.contracts.errors import ConvergenceWarning, InputError
from sozai.spectra.peaks.background import (
    BSpline,
    Constant,
    Exponential,
    Linear,
    NoBackground,
    Polynomial,
    Shirley,
    StaticShirley,
    Tougaard,
    as_background,
)
from sozai.spectra.peaks.compiled_model import Grid, compile_model, default_bounds, parameter_names
from sozai.spectra.peaks.shapes import Gaussian, Lorentzian, PseudoVoigt
from sozai.spectra.peaks.static_shirley import static_shirley

EVEN = np.linspace(280.0, 330.0, 61)
UNEVEN = 280.0 + 50.0 * np.linspace(0.0, 1.0, 61) ** 1.3
PEAKS = [290.0, 4.0, 900.0, 400.0, 303.0, 6.0, 700.0]

BACKGROUNDS = {
    "none": (NoBackground(), []),
    "constant": (Constant(), [5.0]),
    "linear": (Linear(), [5.0, 9.0]),
    "polynomial": (Polynomial(3), [5.0, 2.0, 9.0, 4.0]),
    "spline": (BSpline(3, 4), [5.0, 2.0, 9.0, 4.0, 3.0, 6.0, 7.0]),
    "exponential": (Exponential(), [8.0, 0.03]),
    "shirley": (Constant() + Shirley(), [3.0, 0.01]),
    "shirley per peak": (Shirley(per_peak=True) + Constant(), [0.01, 0.02, 3.0]),
    "tougaard": (Tougaard() + Constant(), [2000.0, 1500.0, 3.0]),
    "tougaard, three": (Tougaard(300.0, 542.0, 275.0), [300.0, 542.0, 275.0]),
    "tougaard, all": (Tougaard(order="all"), [2866.0, 1643.0]),
    "tougaard, three, all": (
        Tougaard(300.0, 542.0, 275.0, order="all") + Linear(),
        [300.0, 542.0, 275.0, 2.0, 4.0],
    ),
    "everything": (
        Constant() + Shirley() + Exponential(290.0) + Tougaard(order="all") + Linear(),
        [3.0, 0.01, 6.0, 0.02, 2000.0, 1500.0, 1.0, 2.0],
    ),
}


def model_of(name, axis=EVEN, integration="midpoint", tail=1):
    background, b = BACKGROUNDS[name]
    grid = Grid.of(axis, integration, tail=tail)
    return compile_model([PseudoVoigt(), Gaussian()], background, grid), np.array(PEAKS + b)


@pytest.mark.parametrize(("integration", "tail"), list(itertools.product(["midpoint", "bin"], [1, -1])))
@pytest.mark.parametrize("axis", [EVEN, UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize("name", BACKGROUNDS)
def test_derivatives_are_those_of_the_expectation(name, axis, integration, tail):
    model, theta = model_of(name, axis, integration, tail)
    jacobian = model.jacobian(theta)
    for i, value in enumerate(theta):
        step = 1e-5 * abs(value)
        ahead, back = theta.copy(), theta.copy()
        ahead[i] += step
        back[i] -= step
        slope = (model.expected(ahead) - model.expected(back)) / (2.0 * step)
        np.testing.assert_allclose(jacobian[i], slope, rtol=1e-5, atol=2e-6 * np.abs(slope).max())


def losses(axis, tail, kernel, peaks, chain):
    """Dense matrix H, and P + HP or (1 - H)⁻¹ P."""
    middle = 0.5 * (axis[1:] + axis[:-1])
    edges = np.r_[2 * axis[0] - middle[0], middle, 2 * axis[-1] - middle[-1]]
    lost = tail * (axis[:, None] - axis[None, :])
    H = np.diff(edges)[:, None] * np.where(lost > 0, kernel(np.abs(lost)), 0.0)
    eye = np.eye(axis.size)
    return np.linalg.solve(eye - H, peaks) if chain else peaks + H @ peaks


@pytest.mark.parametrize("tail", [1, -1])
@pytest.mark.parametrize("axis", [EVEN, UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize("name", ["tougaard", "tougaard, three", "tougaard, all", "tougaard, three, all"])
def test_losses_are_those_of_the_dense_operator(name, axis, tail):
    model, theta = model_of(name, axis, "bin", tail)
    first = 7
    B, C = theta[first : first + 2]

    def kernel(t):
        if "three" in name:
            return B * t / ((C - t**2) ** 2 + theta[first + 2] * t**2)
        return B * t / (C + t**2) ** 2

    peaks = model.components(theta).sum(axis=0)
    whole = losses(axis, tail, kernel, peaks, "all" in name)
    bare = theta.copy()
    bare[first] = 0.0
    rest = model.expected(bare) - peaks
    np.testing.assert_allclose(model.expected(theta), whole + rest, rtol=1e-11)


@pytest.mark.parametrize("tail", [1, -1])
def test_active_shirley_is_the_share_of_counts_at_higher_kinetic_energy(tail):
    from scipy.stats import norm

    grid = Grid.of(EVEN, "midpoint", tail=tail)
    model = compile_model([Gaussian()], Shirley(), grid)
    sigma = 4.0 / np.sqrt(8.0 * np.log(2.0))
    share = norm.cdf(tail * (EVEN - 300.0) / sigma)
    expected = grid.width * 0.02 * 500.0 * share
    np.testing.assert_allclose(model.background_at([300.0, 4.0, 500.0, 0.02]), expected, rtol=1e-9, atol=1e-9)


def test_curves_follow_their_formulas():
    n = EVEN.size
    u = (EVEN - EVEN[0] + 0.5 * np.diff(EVEN)[0]) / (np.diff(EVEN)[0] * n)
    grid = Grid.of(EVEN, "midpoint")

    def curve(background, b):
        return compile_model([], background, grid).expected(b)

    np.testing.assert_allclose(curve(Constant(), [3.0]), 3.0)
    np.testing.assert_allclose(curve(Linear(), [3.0, 5.0]), 3.0 + 2.0 * u)
    np.testing.assert_allclose(
        curve(Polynomial(2), [1.0, 2.0, 4.0]), (1 - u) ** 2 + 4 * u * (1 - u) + 4 * u**2
    )
    np.testing.assert_allclose(curve(Exponential(0.0), [3.0, 0.02]), 3.0 * np.exp(-0.02 * EVEN))
    b = np.arange(1.0, 8.0)
    knots = np.r_[[0.0] * 3, np.linspace(0, 1, 5), [1.0] * 3]
    np.testing.assert_allclose(curve(BSpline(3, 4), b), ScipySpline(knots, b, 3)(u))


def test_channels_are_integrated_where_asked():
    grid = Grid.of(UNEVEN, "bin")
    exact = (np.exp(-0.4 * (grid.edges[:-1] - 280)) - np.exp(-0.4 * (grid.edges[1:] - 280))) / 0.4
    mean_width = np.ptp(grid.edges) / 61
    for decay, wanted in ((0.4, exact), (1e-9, grid.width)):
        got = compile_model([], Exponential(280.0), grid).expected([7.0, decay])
        np.testing.assert_allclose(got, 7.0 * wanted / mean_width, rtol=1e-7)
    line = compile_model([], Linear(), grid).expected([0.0, 1.0])
    ends = (grid.edges - grid.edges[0]) / np.ptp(grid.edges)
    np.testing.assert_allclose(line, 61 * np.diff(ends**2) / 2.0)


def test_roughness_is_the_bending_of_the_curve():
    spline = BSpline(3, 4, roughness=2.5)
    b = np.array([5.0, 2.0, 9.0, 4.0, 3.0, 6.0, 7.0])
    knots = np.r_[[0.0] * 3, np.linspace(0, 1, 5), [1.0] * 3]
    bend = ScipySpline(knots, b, 3).derivative(2)
    u = np.linspace(0.0, 1.0, 400001)
    integral = np.trapezoid(bend(u) ** 2, u)
    assert b @ spline.penalty @ b == pytest.approx(2.5 * integral, rel=1e-6)
    assert BSpline().penalty is None


def test_names_are_numbered_where_parts_share_them():
    names = parameter_names([PseudoVoigt()], Constant() + Constant() + Tougaard(), ["A"])
    assert names == (
        "A.position", "A.fwhm", "A.area_gauss", "A.area_lorentz",
        "background.level", "background.level_2", "background.B", "background.C",
    )  # fmt: skip
    assert (Constant() + Tougaard() + StaticShirley()).held == {"C": 1643.0, "scale": 1.0}


def test_default_box_keeps_centers_in_the_window_and_widths_above_one_and_a_half_channels():
    grid = Grid.of(np.arange(0.0, 100.0, 0.5), "midpoint")
    box = default_bounds([Gaussian()], Linear(positive=False), grid, ["A"])
    assert box["A.position"] == (-0.25, 99.75)
    assert box["A.fwhm"] == (0.75, 200.0)
    assert box["A.area"] == (0.0, np.inf)
    assert box["background.b0"] == (-np.inf, np.inf)


def test_ties_bounds_and_fixed_values_make_the_free_box():
    names = parameter_names([Gaussian(), Gaussian()], Constant())
    T = np.delete(np.eye(7), 3, axis=1)
    T[3, 0] = 1.0  # position 2 = position 1 + 5
    t0 = np.zeros(7)
    t0[3] = 5.0
    free = np.full(6, np.inf)
    ties = SimpleNamespace(T=T, t0=t0, lower=-free, upper=free)
    grid = Grid.of(np.arange(0.0, 100.0), "midpoint")
    model = compile_model([Gaussian(), Gaussian()], Constant(), grid, ties=ties, fixed={"peak2.fwhm": 7.0})
    assert model.names == names
    assert model.n_free == 5
    assert (model.free_lower[0], model.free_upper[0]) == (-0.5, 94.5)
    theta = model.theta_of(model.free_of([40.0, 5.0, 10.0, 45.0, 7.0, 20.0, 1.0]))
    np.testing.assert_allclose(theta, [40.0, 5.0, 10.0, 45.0, 7.0, 20.0, 1.0], rtol=1e-12)


def test_tougaard_holds_strength_on_a_short_window():
    grid = Grid.of(np.linspace(280.0, 300.0, 101), "midpoint")
    with pytest.warns(ConvergenceWarning, match=r"reaches 20\.2 eV below .* B is held at 2866 eV²"):
        model = compile_model([Gaussian()], Tougaard(), grid)
    assert model.n_free == 3
    wide = Grid.of(np.linspace(280.0, 330.0, 101), "midpoint")
    assert compile_model([Gaussian()], Tougaard(), wide).n_free == 4
    with pytest.warns(ConvergenceWarning, match=r"reaches 20\.25 eV"):
        compile_model([Gaussian()], Tougaard(), wide, main_line=310.0)


@pytest.mark.parametrize("tail", [1, -1])
def test_static_shirley_ends_at_the_end_levels_and_follows_the_counts(tail):
    x = np.linspace(-10.0, 10.0, 201)
    truth = 100.0 + 60.0 / (1.0 + np.exp(-tail * x * 4.0))
    counts = truth + 1000.0 / np.cosh(2.0 * x) ** 2  # the step of a sech² peak is a tanh
    got = static_shirley(counts, n_end=5, tail=tail)
    np.testing.assert_allclose(got, truth, atol=0.1)
    grid = Grid.of(x, "midpoint", tail=tail)
    model = compile_model([Gaussian()], StaticShirley(), grid, counts=counts)
    assert model.n_free == 3
    np.testing.assert_allclose(model.background_at([0.0, 1.0, 0.0, 1.0]), got)


def test_grid_has_midpoint_edges_and_chooses_integration():
    grid = Grid.of([1.0, 2.0, 4.0])
    assert grid.edges.tolist() == [0.5, 1.5, 3.0, 5.0]
    assert grid.width.tolist() == [1.0, 1.5, 2.0]
    assert grid.mode == 1
    assert Grid.of(EVEN, narrowest_fwhm=9.0).mode == 0
    assert Grid.of(EVEN, narrowest_fwhm=8.0).mode == 1
    assert Grid.of(UNEVEN, narrowest_fwhm=90.0).mode == 1
    assert Grid.of(UNEVEN, "midpoint").mode == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Grid.of([1.0, 3.0, 2.0]), r"ascend strictly. Got 2.0 after 3.0 at channel 2"),
        (lambda: Grid.of([1.0]), r"at least 2 channels. Got 1"),
        (lambda: Grid.of(EVEN, "simpson"), r"'bin' or 'midpoint'. Got 'simpson'"),
        (lambda: Grid.of(EVEN, tail=0), r"tail must be 1 or -1. Got 0"),
        (lambda: Grid.of(EVEN, narrowest_fwhm=-1.0), r"narrowest_fwhm must be positive. Got -1.0"),
        (lambda: Polynomial(7), r"degree must be a whole number from 0 to 6. Got 7"),
        (lambda: BSpline(sections=0), r"sections must be a whole number from 1 to 1000. Got 0"),
        (lambda: BSpline(roughness=-1), r"roughness must be finite and not negative. Got -1"),
        (lambda: BSpline(1, roughness=1), r"degree must be 2 or more for a penalty on bending. Got 1"),
        (lambda: Tougaard(order=2), r"order must be 1 or 'all'. Got 2"),
        (lambda: Tougaard(C=-3.0), r"C must be positive \(eV²\). Got -3.0"),
        (lambda: Tougaard(free=("D",)), r"name parameters among \('B', 'C'\). Got 'D'"),
        (lambda: StaticShirley(0), r"n_end must be a whole number from 1 to 1000000. Got 0"),
        (lambda: Shirley() + Shirley(), r"hold Shirley once at most. Got 2"),
        (lambda: as_background("cubic"), r"background must be a background or one of none, .* Got 'cubic'"),
        (lambda: static_shirley([1.0, 2.0], n_end=2), r"from 1 to half of the 2 channels. Got 2"),
        (lambda: static_shirley([1.0, 2.0], n_end=1, tail=2), r"tail must be 1 or -1. Got 2"),
    ],
)  # fmt: skip
def test_bad_parts_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": ["A", "A"]}, r"name each of the 2 peaks once"),
        ({"bounds": {"A.position": (1, 2)}}, r"bounds must name parameters .* Got 'A.position'"),
        ({"bounds": {"peak1.fwhm": (5, 2)}}, r"lower <= upper. Got \(5, 2\) for 'peak1.fwhm'"),
        ({"fixed": {"peak3.fwhm": 1}}, r"fixed must name parameters .* Got 'peak3.fwhm'"),
        ({"fixed": {"peak1.fwhm": np.nan}}, r"fixed must be finite. Got nan for 'peak1.fwhm'"),
        (
            {"ties": SimpleNamespace(T=np.eye(3), t0=np.zeros(3), lower=np.zeros(3), upper=np.ones(3))},
            r"map to the 8 parameters of the model. Got 'T of shape \(3, 3\)'",
        ),
    ],
)  # fmt: skip
def test_models_that_do_not_fit_together_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        compile_model([PseudoVoigt(), Lorentzian()], "constant", Grid.of(EVEN, "midpoint"), **options)


def test_ties_are_refused_where_bounds_leave_no_room_or_a_fixed_value_is_tied():
    T = np.eye(4)[:, [0, 1, 2]]
    T[3, 2] = -1.0  # level = -area
    free = np.full(3, np.inf)
    ties = SimpleNamespace(T=T, t0=np.array([0.0, 0.0, 0.0, -1.0]), lower=-free, upper=free)
    grid = Grid.of(EVEN, "midpoint")
    with pytest.raises(
        InputError, match=r"leave room for tied parameters. Got \(0.0, -1.0\) for 'background.level'"
    ):
        compile_model([Gaussian()], "constant", grid, ties=ties)
    with pytest.raises(InputError, match=r"fixed must name parameters that no tie uses. Got 'peak1.area'"):
        compile_model([Gaussian()], "constant", grid, ties=ties, fixed={"peak1.area": 3.0})


def test_static_shirley_needs_the_counts():
    with pytest.raises(InputError, match=r"counts must be given for StaticShirley"):
        compile_model([Gaussian()], "static-shirley", Grid.of(EVEN, "midpoint"))
    with pytest.raises(InputError, match=r"Got 'peak9.area'"):
        compile_model([Gaussian()], None, Grid.of(EVEN, "midpoint")).index("peak9.area")


def test_static_shirley_says_when_it_does_not_settle():
    with pytest.warns(ConvergenceWarning, match=r"still changes by 3\.\de-04 after 50 iterations"):
        static_shirley([0.0, 0.0, 0.0, 10.0, 10.0, 10.0, 10.0], n_end=1)  # a step without a peak


def test_tables_of_ties_leave_held_parameters_held():
    from sozai.spectra.peaks.ties import compile_ties, of, tie

    background = Constant() + Tougaard()
    names = parameter_names([Gaussian(), Gaussian()], background)
    table = compile_ties(names, [tie("peak2.area", 0.5 * of("peak1.area"))])
    model = compile_model([Gaussian(), Gaussian()], background, Grid.of(EVEN, "midpoint"), ties=table)
    assert model.n_free == len(names) - 2  # the tied area, and C
    theta = model.theta_of(np.arange(1.0, 8.0))
    assert theta[model.index("background.C")] == 1643.0
    assert theta[5] == 0.5 * theta[2]


def test_an_object_that_lists_the_parts_of_a_model():
    model = compile_model(
        [Gaussian(), PseudoVoigt()], "constant", Grid.of(EVEN, "midpoint"), labels=["A", "B"]
    )
    assert repr(model) == "CompiledModel(2 peaks, 8 parameters, 8 free, 61 channels)"
    assert (model.block(1), model.n_peak_parameters) == (slice(3, 7), 7)
    assert model.index("B.area_gauss") == 5


def test_an_asymmetry_per_unit_has_a_box_of_its_own():
    from sozai.spectra.peaks.parameter_box import default_bounds
    from sozai.spectra.peaks.shapes import AsymmetricPseudoVoigt, DoniachSunjic

    grid = Grid.of(np.linspace(0.0, 20.0, 201))
    shapes = [AsymmetricPseudoVoigt(), DoniachSunjic()]
    box = default_bounds(shapes, NoBackground(), grid)
    assert box["peak1.asymmetry"] == pytest.approx((-40 / 20.1, 40 / 20.1))
    assert box["peak2.asymmetry"] == (0.0, 0.49)
