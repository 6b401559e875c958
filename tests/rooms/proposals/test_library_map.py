"""Maps of composition-spread libraries: planted optima, drift, probabilities, next libraries, bad input."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from sozai.contracts.errors import ConvergenceWarning, InputError
from sozai.contracts.estimator import NotFittedError
from sozai.proposals import LibraryMap, Mixture, Range, Target

NAMES = ["A", "B", "C"]
STEP = 0.05


def planted(seed, *, step=STEP, noise=0.05):
    """Compositions of a ternary library, a peak on one of them, results with noise; the best composition."""
    rng = np.random.default_rng(seed)
    c = Mixture(NAMES, step=step).grid().to_numpy()
    peak = c[np.argmin(((c - rng.dirichlet(np.full(3, 4.0))) ** 2).sum(axis=1))]
    width = rng.uniform(0.15, 0.3)
    f = 1 + np.exp(-((c - peak) ** 2).sum(axis=1) / (2 * width**2)) + (c - peak) @ rng.normal(0, 0.2, 3)
    y = f + noise * np.ptp(f) * rng.standard_normal(len(c))
    return pd.DataFrame(c, columns=NAMES).assign(y=y), f, c[np.argmax(f)], rng


def on_a_wafer(table, f, rng, size=1.0):
    """Printed in random order on a square wafer, with a drift across it."""
    side = int(np.ceil(np.sqrt(len(table))))
    spot = rng.permutation(side * side)[: len(table)]
    x, y = 2.0 * (spot % side), 2.0 * (spot // side)
    slopes = size * np.ptp(f) / np.ptp(x), -0.6 * size * np.ptp(f) / np.ptp(y)
    return table.assign(x=x, z=y, y=table["y"] + slopes[0] * x + slopes[1] * y), np.array(slopes)


def is_near(best, truth, step=STEP):
    return np.abs(np.array([best.x[name] for name in NAMES]) - truth).max() < step + 1e-9


def test_the_planted_optimum_is_found_and_the_drift_taken_off():
    table, f, truth, rng = planted(0)
    wafer, slopes = on_a_wafer(table, f, rng, size=2.0)
    library = LibraryMap(NAMES, ["y"], position=["x", "z"]).fit(wafer)
    assert is_near(library.best_, truth)
    found = library.drift_
    assert (np.abs(found["slope"] - slopes) < 4 * found["error"]).all()
    assert (found["error"] < 0.1 * np.abs(slopes)).all()
    assert (found["explained"] < 0.1).all()
    # what is mapped is the function: a constant apart, which the drift at the middle of the wafer holds
    mean = library.positions_["mean"] - f
    assert np.abs(mean - mean.mean()).max() < 0.12 * np.ptp(f)
    assert library.noise_ == pytest.approx(0.05 * np.ptp(f), rel=0.25)
    assert library.probability_.sum() == pytest.approx(1.0)
    assert library.hyper_status_ == ()


@pytest.mark.slow
@pytest.mark.parametrize("drift", [0.0, 1.0])
def test_planted_optima_are_found_within_one_step(drift):
    """At 5 % noise in 19 of 20 libraries at least; probabilities of being best are not overconfident."""
    near, exact, chance = 0, 0, []
    for seed in range(40):
        table, f, truth, rng = planted(seed)
        position = []
        if drift:
            table, _ = on_a_wafer(table, f, rng, size=drift)
            position = ["x", "z"]
        library = LibraryMap(NAMES, ["y"], position=position).fit(table)
        near += is_near(library.best_, truth)
        exact += is_near(library.best_, truth, 0.0)
        chance.append(library.best_.probability)
    assert near >= 38
    assert exact / 40 > np.mean(chance) - 0.2


@pytest.mark.slow
def test_a_drift_that_half_follows_composition_misleads_only_those_who_ignore_it():
    with_drift = without = 0
    errors = []
    for seed in range(15):
        table, f, truth, rng = planted(seed)
        a = (table["A"] - table["A"].mean()) / table["A"].std()
        x = np.sqrt(0.75) * a + np.sqrt(0.25) * rng.standard_normal(len(a))
        slope = 3.0 * np.ptp(f) / np.ptp(x)
        wafer = table.assign(x=x, y=table["y"] + slope * x)
        library = LibraryMap(NAMES, ["y"], position=["x"]).fit(wafer)
        assert library.drift_.loc["x", "explained"] == pytest.approx(0.75, abs=0.1)
        errors.append((library.drift_.loc["x", "slope"] - slope) / library.drift_.loc["x", "error"])
        with_drift += is_near(library.best_, truth)
        without += is_near(LibraryMap(NAMES, ["y"]).fit(wafer).best_, truth)
    assert with_drift >= 14
    assert without < with_drift
    assert np.abs(errors).max() < 4


@pytest.mark.slow
def test_the_next_library_holds_an_optimum_that_the_first_has_missed():
    held = 0
    for seed in range(12):
        table, _, truth, _ = planted(seed)
        far = np.abs(table[NAMES].to_numpy() - truth).max(axis=1) > 0.12
        library = LibraryMap(NAMES, ["y"]).fit(table[far & (table["A"] <= truth[0] + 0.05)])
        (box,) = library.next_library(width=0.3, bounds=dict.fromkeys(NAMES, (0.0, 1.0)))
        held += all(box.low[k] - 1e-9 <= v <= box.high[k] + 1e-9 for k, v in zip(NAMES, truth, strict=True))
    assert held >= 11


def test_a_drift_along_composition_is_left_in_and_said():
    table, _, _, _ = planted(1, step=0.1)
    wafer = table.assign(x=20 * table["A"] + 3, z=np.arange(len(table)) % 7, w=1.0)
    with pytest.warns(
        ConvergenceWarning, match=r"drift along x cannot be told from composition, which explai"
    ):
        library = LibraryMap(NAMES, ["y"], position=["x", "z", "w"]).fit(wafer)
    assert library.places_ == ("x", "z")
    assert np.isnan(library.drift_.loc["x", "slope"])
    assert library.drift_.loc["x", "explained"] == pytest.approx(1.0)
    assert np.isfinite(library.drift_.loc["z"]).all()
    assert "explains 100.0 % of it" in library.hyper_status_[0]
    plain = LibraryMap(NAMES, ["y"], position=["z"]).fit(wafer)
    np.testing.assert_allclose(library.positions_["mean"], plain.positions_["mean"], atol=1e-3)


def test_derived_properties_carry_their_errors():
    table, f, truth, rng = planted(2, step=0.1, noise=0.0)
    S, sigma = 100 * np.sqrt(f), np.full(len(f), 5.0)
    measured = table[NAMES].assign(
        **{"S [uV/K]": S * (1 + 0.02 * rng.standard_normal(len(f)))},
        sigma=sigma * (1 + 0.03 * rng.standard_normal(len(f))), sigma_error=0.15,
    )  # fmt: skip
    library = LibraryMap(
        NAMES, ["S"], derived={"power [uW]": "S^2*sigma"}, errors={"S": "2 %", "sigma": "sigma_error"}
    ).fit(measured)
    assert (library.name_, library.unit_) == ("power", "uW")
    assert list(library.values_) == ["S", "S error", "power", "power error"]
    s, q = measured["S [uV/K]"], measured["sigma"]
    np.testing.assert_allclose(library.values_["power"], s**2 * q)
    by_hand = np.sqrt((2 * s * q * 0.02 * s) ** 2 + (s**2 * 0.15) ** 2)
    np.testing.assert_allclose(library.values_["power error"], by_hand)
    assert is_near(library.best_, truth, 0.1)
    assert library.noise_ < 0.03 * library.values_["power"].mean()
    assert LibraryMap(NAMES, derived={"S**2*sigma"}).fit(measured).name_ == "S**2*sigma"


def test_other_goals():
    table, f, truth, _ = planted(3, step=0.1, noise=0.01)
    mirror = LibraryMap(NAMES, ["y"], goal="minimize").fit(table.assign(y=-table["y"]))
    straight = LibraryMap(NAMES, ["y"]).fit(table)
    assert mirror.best_.row == straight.best_.row
    np.testing.assert_allclose(mirror.positions_["mean"], -straight.positions_["mean"], atol=1e-6)
    wanted = float(np.quantile(f, 0.6))
    target = LibraryMap(NAMES, ["y"], goal=Target(wanted)).fit(table)
    assert abs(f[target.best_.row] - wanted) < 0.1 * np.ptp(f)
    inside = LibraryMap(NAMES, ["y"], goal=Range(wanted - 0.05, wanted + 0.05)).fit(table)
    assert abs(f[inside.best_.row] - wanted) < 0.1 * np.ptp(f)
    assert is_near(straight.best_, truth, 0.1)


def test_unmeasured_positions_are_predicted_and_replicates_share_their_chance():
    table, _, _, _ = planted(4, step=0.1)
    double = pd.concat([table, table.assign(y=np.nan)], ignore_index=True)
    n = len(table)
    library = LibraryMap(NAMES, ["y"]).fit(double)
    alone = LibraryMap(NAMES, ["y"]).fit(table)
    np.testing.assert_allclose(library.positions_["mean"][n:], alone.positions_["mean"], atol=1e-9)
    assert library.positions_["value"][n:].isna().all()
    np.testing.assert_allclose(library.probability_[:n], library.probability_[n:])
    np.testing.assert_allclose(2 * library.probability_[:n], alone.probability_, atol=1e-12)
    mean, std = alone.predict(table[NAMES], return_std=True)
    np.testing.assert_allclose(mean, alone.positions_["mean"], atol=1e-9)
    np.testing.assert_allclose(std, alone.positions_["std"], atol=1e-9)
    np.testing.assert_allclose(alone.predict({"A": 0.2, "B": 0.3, "C": 0.5}).shape, (1,))


def test_it_behaves_like_an_estimator():
    table, _, _, _ = planted(5, step=0.1)
    library = LibraryMap(NAMES, ["y"], n_draws=64, random_state=3)
    assert repr(clone(library)) == repr(library)
    with pytest.raises(NotFittedError):
        library.next_library()
    before = table.copy()
    a, b = (clone(library).fit(table) for _ in range(2))
    pd.testing.assert_frame_equal(table, before)
    np.testing.assert_array_equal(a.probability_, b.probability_)
    assert repr(a.next_library(1)) == repr(b.next_library(1))
    assert repr(a.best_).startswith(f"LibraryBest(row {a.best_.row}: A 0.")
    assert list(a.best_.to_frame()) == ["row", *NAMES, "mean", "std", "probability"]
    assert list(a.to_frame()) == [*NAMES, "value", "error", "mean", "std", "probability"]


def test_next_libraries_begin_with_the_same_one_and_keep_to_the_bounds():
    table, _, _, _ = planted(6, step=0.1)
    half = table[table["A"] >= 0.5]
    library = LibraryMap(NAMES, ["y"]).fit(half)
    first = library.next_library(1, width={"A": 0.2, "B": 0.2, "C": 0.2}, bounds={"A": (0.1, 1.0)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        several = library.next_library(3, width=0.2, bounds={"A": (0.1, 1.0)})
    assert repr(several[0]) == repr(first[0])
    scores = [box.score for box in several]
    assert scores == sorted(scores, reverse=True)
    for box in several:
        assert box.low["A"] >= 0.1 - 1e-9
        assert all(box.high[name] - box.low[name] <= 0.24 for name in NAMES)
        assert all(box.low[name] - 1e-9 <= box.x[name] <= box.high[name] + 1e-9 for name in NAMES)
        assert sum(box.x.values()) == pytest.approx(1.0, abs=1e-5)
        assert f"{100 * box.chance:.0f} % probability" in box.reason
        assert box.space.contains(box.space.sample(5, np.random.default_rng(0))).all()


def test_no_further_box_is_proposed_where_none_gains():
    table, _, _, _ = planted(7, noise=0.01)
    library = LibraryMap(NAMES, ["y"]).fit(table)
    with pytest.warns(ConvergenceWarning, match=r"next_library: \d of 9 libraries; no further box holds"):
        boxes = library.next_library(9, bounds=dict.fromkeys(NAMES, (0.0, 1.0)))
    assert 1 <= len(boxes) < 9


def test_a_constant_component_stays_where_it_is():
    table, _, _, _ = planted(8, step=0.1)
    doped = table.assign(**{name: 95 * table[name] for name in NAMES}, D=5.0)
    library = LibraryMap([*NAMES, "D"], ["y"], shared=False).fit(doped)
    assert library.total_ == 100.0
    (box,) = library.next_library()
    assert (box.low["D"], box.high["D"]) == (5.0, 5.0)
    assert library.map().corners == ("A", "B", "C")
    grid = library.map(n_steps=4).grid
    assert len(grid) == 15
    np.testing.assert_allclose(grid[[*NAMES, "D"]].sum(axis=1), 100.0)
    np.testing.assert_allclose(grid["mean"], library.predict(grid[[*NAMES, "D"]]))


def test_pseudo_ternary_maps_keep_the_ratios_of_the_best_position():
    rng = np.random.default_rng(0)
    c = rng.dirichlet(np.ones(4), 80)
    y = -((c - [0.4, 0.3, 0.2, 0.1]) ** 2).sum(axis=1)
    library = LibraryMap(list("ABCD"), ["y"]).fit(pd.DataFrame(c, columns=list("ABCD")).assign(y=y))
    record = library.map(["B", ["A", "D"], "C"], n_steps=10)
    assert record.corners == ("B", "A + D", "C")
    grid = record.grid[record.grid["A + D"] > 1e-9]
    ratio = library.best_.x["A"] / (library.best_.x["A"] + library.best_.x["D"])
    np.testing.assert_allclose(grid["A"] / grid["A + D"], ratio)
    np.testing.assert_allclose(record.positions["A + D"], c[:, 0] + c[:, 3], atol=1e-9)
    assert 0 < record.grid["known"].mean() <= 1
    assert repr(record) == "LibraryGrid(B-A + D-C, 66 compositions, 80 positions)"


TABLE = planted(9, step=0.1)[0]


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"composition": "A"}, r"composition must be a list of headers\. Got 'A'\. Write \['A'\]"),
        ({}, {"composition": ["A", "B", "Cc"]}, r"name columns .* Got 'Cc'\. Did you mean C\?"),
        ({}, {"columns": ["why"]}, r"columns must name columns of the table\. Got 'why'"),
        ({}, {"columns": None}, r"columns must name a property, or derived a formula\. Got None"),
        ({}, {"derived": ("y*2", "y*3")}, r"name one of the properties \(y, y\*2, y\*3\)\. Got None"),
        ({}, {"objective": "z"}, r"name one of the properties \(y\)\. Got 'z'"),
        ({}, {"derived": "y^q"}, r"ColumnFormula: text must .* Got 'q' at character 3 of 'y\^q'"),
        ({}, {"position": ["A"]}, r"position must name other columns than composition\. Got 'A'"),
        ({}, {"goal": "up"}, r"'up'"),
        ({}, {"errors": {"y": -0.1}}, r"the error of 'y' must be 0 or more\. Got -0\.1 at row 0"),
        ({}, {"errors": {"q": 0.1}}, r"errors must name columns .* Got 'q'"),
        ({"A": np.where(TABLE.index == 4, np.nan, TABLE["A"])}, {}, r"'A' must hold .* at row 4\. Fill or"),
        ({"A": np.where(TABLE.index == 4, -0.2, TABLE["A"])}, {}, r"of 0 or more\. Got -0\.2 at row 4"),
        ({"A": np.where(TABLE.index == 4, 0.9, TABLE["A"])}, {}, r"C must be 1\. Got 1\.\d+ at row 4"),
        ({"A": 0.2, "B": 0.3, "C": 0.5}, {}, r"vary in two .* Got \[0\.2, 0\.3, 0\.5\] in all rows"),
        ({"y": ["?", *TABLE["y"][1:]]}, {}, r"'y' must hold finite numbers\. Got '\?' at row 0\. Leave"),
        ({"y": [*TABLE["y"][:4], *[np.nan] * (len(TABLE) - 4)]}, {}, r"at 5 positions or more\. Got 4 of 66"),
    ],
)  # fmt: skip
def test_bad_input_is_named(change, options, message):
    settings = {"composition": NAMES, "columns": ["y"], **options}
    with pytest.raises((InputError, ValueError), match=message):
        LibraryMap(**settings).fit(TABLE.assign(**change))


def test_bad_questions_are_named():
    library = LibraryMap(NAMES, ["y"], n_draws=16).fit(TABLE)
    with pytest.raises(InputError, match=r"width must be positive\. Got -0\.1 for 'A'"):
        library.next_library(width=-0.1)
    with pytest.raises(InputError, match=r"bounds must name components \(A, B, C\)\. Got 'D'"):
        library.next_library(bounds={"D": (0, 1)})
    with pytest.raises(InputError, match=r"n must be a whole number of 1 or more\. Got 0"):
        library.next_library(0)
    with pytest.raises(InputError, match=r"Mixture: bounds must allow the sum 1\. Got 'sums from"):
        library.next_library(bounds=dict.fromkeys(NAMES, (0.0, 0.2)))
    with pytest.raises(InputError, match=r"corners must be two or three groups .* Got \[\['A'\], \['B'\]\]"):
        library.map(["A", "B"])
    with pytest.raises(InputError, match=r"corners must name components \(A, B, C\)\. Got 'Q'"):
        library.map(["A", "B", "Q"])
    with pytest.raises(InputError, match=r"n_steps must be a whole number of 1 or more\. Got 0"):
        library.map(n_steps=0)


def test_sums_that_are_nearly_right_are_repaired_and_said():
    with pytest.warns(ConvergenceWarning, match=r"A \+ B \+ C missed 1 by up to 0\.1 % in 1 rows"):
        library = LibraryMap(NAMES, ["y"]).fit(TABLE.assign(C=TABLE["C"] + 0.001 * (TABLE.index == 3)))
    np.testing.assert_allclose(library.positions_[NAMES].sum(axis=1), 1.0)
