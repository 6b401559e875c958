"""The assimilator: bad input in sentences, sources, offsets, slices and streams."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from sozai.assimilation import (
    AssimilationPrior,
    CompositionPolynomial,
    Custom,
    GaussianAssimilator,
    GroupOffset,
    Polynomial,
    Sine,
    TensorProduct,
)
from sozai.contracts.errors import ExtrapolationWarning, InputError, UnitError

quiet = pytest.mark.filterwarnings("ignore::UserWarning")


def curve(x):
    return 2 - x + 5 * (x - 0.7) ** 2 + 20 * (x - 0.5) ** 3


def table(n=30, seed=0, noise=0.05, share=0.4):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 1, n)
    Y = np.stack([curve(x), curve(x) - 1.5], axis=1) + noise * rng.normal(size=(n, 2))
    Y[rng.random(n) < 0.5, 0] = np.nan
    Y[rng.random(n) < 1 - share, 1] = np.nan
    return x[:, None], Y


def model(**options):
    return GaussianAssimilator(options.pop("basis", Polynomial(3)), domain=[(0, 1)], **options)


X, Y = table()


# --- what goes wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: model().fit([[0.1], [np.nan]], Y[:2]), InputError, "NaN.*row 1, column 'x0'"),
        (lambda: model().fit([[np.inf], [0.2]], Y[:2]), InputError, "infinity.*row 0"),
        (
            lambda: model().fit(X, np.where(X < 0.1, np.inf, Y)),
            InputError,
            "Y must be finite or NaN.*infinity",
        ),
        (lambda: model().fit(X, Y[:-1]), InputError, "one row for each of the 30 rows of X. Got 29"),
        (
            lambda: model().fit(X, [["a", 1.0]] * 30),
            InputError,
            "numbers or NaN. Got 'a' at row 0, column 'y0'",
        ),
        (
            lambda: model().fit(X, np.full((30, 2), np.nan)),
            InputError,
            r"NaN only, in all of its columns \(2\)",
        ),
        (
            lambda: model().fit(X, np.stack([Y[:, 0], np.full(30, np.nan)], axis=1)),
            InputError,
            "NaN only in column 'y1'.*allow_prior=True",
        ),
        (
            lambda: model().fit(X, Y, -1.0),
            InputError,
            "sigma must be finite and 0 or more. Got -1.0 at row 0",
        ),
        (lambda: model().fit(X, Y, [1.0] * 3), InputError, r"shape of Y \(30, 2\).*Got \(3,\)"),
        (
            lambda: GaussianAssimilator(domain=[(1, 0)]).fit(X, Y),
            InputError,
            "low < high for each of 1 columns",
        ),
        (
            lambda: model(basis=Polynomial(2600)).fit(X, Y),
            InputError,
            r"at most 5,000 unknowns.*Got 5202.*GB",
        ),
        (lambda: model(basis=3).fit(X, Y), ValueError, "basis"),
        (lambda: model(basis=Polynomial).fit(X, Y), ValueError, "basis must be a basis, text"),
        (
            lambda: model(coupling="free").fit(X, Y),
            InputError,
            "coupling must be 'fit', 'average'.*Got 'free'",
        ),
        (lambda: model(coupling=np.ones((2, 2))).fit(X, Y), InputError, r"strictly lower triangle \(2, 2\)"),
        (
            lambda: model(restricted="some").fit(X, Y),
            InputError,
            "'degree>k', or a list of terms. Got 'some'",
        ),
        (lambda: model(restricted=["x9"]).fit(X, Y), InputError, "name terms of the basis.*Got 'x9'"),
        (
            lambda: model(basis=Polynomial(9), pattern="all").fit(X, Y),
            InputError,
            "'terms' or 'degree' beyond 8 columns. Got 'all' with 10 columns",
        ),
        (
            lambda: model(basis=Custom(lambda X: 1 / (X - X[3]), ["a"])).fit(X, Y),
            InputError,
            "basis column 'a' must be finite. Got .* at row 3",
        ),
        (lambda: model(offset=GroupOffset("lab")).fit(X, Y), InputError, "DataFrame with the column 'lab'"),
        (
            lambda: model(offset=GroupOffset("lab")).fit(pd.DataFrame({"x": X[:, 0]}), Y),
            InputError,
            r"have the column 'lab' of laboratories. Got \['x'\]",
        ),
        (
            lambda: GroupOffset("lab", std=-1.0),
            InputError,
            "std must be 'fit' or a number of 0 or more. Got -1.0",
        ),
        (lambda: AssimilationPrior(base_variance=0.0), InputError, "base_variance must be positive. Got 0.0"),
        (
            lambda: AssimilationPrior(coupling_mean=np.inf),
            InputError,
            "coupling_mean must be finite. Got inf",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@quiet
def test_bad_input_is_told_in_a_sentence(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_sources_in_other_units_are_converted_or_refused():
    plain = pd.DataFrame({"calc (T)": Y[:, 0], "expt (T)": Y[:, 1]})
    milli = pd.DataFrame({"calc (mT)": 1000 * Y[:, 0], "expt (T)": Y[:, 1]})
    one, other = model().fit(X, plain), model().fit(X, milli)
    np.testing.assert_allclose(other.predict(X), one.predict(X), rtol=1e-9)
    assert other.source_names_ == ("calc (T)", "expt (T)")
    assert other.unit_ == "T"
    np.testing.assert_allclose(other.predict(X, source="calc"), one.predict(X, source=0), rtol=1e-9)
    with pytest.raises(UnitError, match=r"dimension of 'T'. Got 'eV' in column 'calc \(eV\)'"):
        model().fit(X, plain.rename(columns={"calc (T)": "calc (eV)"}))
    with pytest.raises(UnitError, match="a unit in every header, or in none"):
        model().fit(X, pd.DataFrame({"a (mT)": Y[:, 0], "b (T)": Y[:, 1], "c": Y[:, 1]}))


def test_questions_that_cannot_be_answered():
    fitted = model().fit(pd.DataFrame({"x": X[:, 0]}), pd.DataFrame(Y, columns=["calc", "expt"]))
    with pytest.raises(
        InputError, match=r"source must be one of calc, expt or a number from -2 to 1. Got 'exp'"
    ):
        fitted.predict(pd.DataFrame({"x": [0.5]}), source="exp")
    with pytest.raises(ValueError, match="2 features"):
        model().fit(X, Y).predict(np.ones((3, 2)))
    with pytest.raises(InputError, match=r"Y must have the columns calc, expt. Got \['expt', 'calc'\]"):
        fitted.partial_fit(pd.DataFrame({"x": [0.5]}), pd.DataFrame({"expt": [1.0], "calc": [1.0]}))
    with pytest.raises(InputError, match=r"Y must have the columns calc, expt. Got \['y'\]"):
        fitted.partial_fit(pd.DataFrame({"x": [0.5]}), [1.0])
    with pytest.raises(InputError, match="free must name descriptors"):
        fitted.slice("T")
    with pytest.raises(InputError, match=r"along must differ from the free descriptors\. Got 'x'"):
        fitted.optimum_path("x", "x")
    with pytest.raises(NotFittedError):
        _ = model().coef_
    with pytest.raises(NotFittedError):
        model().predict(X)


def test_columns_may_come_in_another_order():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.uniform(size=(30, 2)), columns=["T", "Co"])
    fitted = GaussianAssimilator("polynomial:1").fit(
        frame, frame["T"] - 2 * frame["Co"] + 0.1 * rng.normal(size=30)
    )
    assert (fitted.predict(frame[["Co", "T"]]) == fitted.predict(frame)).all()
    with pytest.raises(InputError, match="missing: Co"):
        fitted.predict(frame[["T"]])


# --- what data cannot tell -----------------------------------------------------------------------


@quiet
def test_a_coupling_that_nothing_tells_is_its_prior():
    x = np.linspace(0, 1, 8)[:, None]
    apart = np.full((8, 2), np.nan)
    apart[:7, 0] = 3.0 + 0.01 * np.cos(9 * np.arange(7))
    apart[7, 1] = 3.0
    with pytest.warns(
        UserWarning, match=r"C is not identified by these data: .* is 0\.30?\d?, that of its prior 0\.3"
    ):
        fitted = model(basis=Polynomial(1)).fit(x, apart)
    assert fitted.coupling_std_[1, 0] == pytest.approx(0.3, rel=0.05)


@quiet
def test_a_source_without_values_is_predicted_from_the_prior_when_allowed():
    only = np.stack([curve(X[:, 0]), np.full(30, np.nan)], axis=1)
    with pytest.warns(UserWarning, match="C is not identified"):
        fitted = model(allow_prior=True).fit(X, only)
    _, calculated = fitted.predict(X, source=0, return_std=True)
    _, measured = fitted.predict(X, return_std=True)
    assert (measured > 5 * calculated).all()
    assert fitted.coupling_[1, 0] == pytest.approx(1.0, abs=1e-6)


@quiet
def test_few_measurements_keep_few_terms_and_say_so():
    few = np.stack([curve(X[:, 0]), np.where(np.arange(30) < 2, curve(X[:, 0]) - 1.5, np.nan)], axis=1)
    with pytest.warns(UserWarning, match="'y1' has 2 values for a correction of up to 4 terms; 1 term kept"):
        fitted = model(coupling=1.0).fit(X, few)
    assert fitted.kept_terms_[1] == ("1",)
    assert len(fitted.pattern_table_) == 2


@quiet
def test_a_constant_simulation_is_named():
    rng = np.random.default_rng(1)
    flat = np.stack([np.full(30, 2.0), curve(X[:, 0]) + 0.1 * rng.normal(size=30)], axis=1)
    with pytest.warns(UserWarning, match=r"'y0' is constant \(2\)"):
        model().fit(X, flat)


@quiet
def test_copied_columns_end_at_the_floor_of_the_noise():
    rng = np.random.default_rng(2)
    y = curve(X[:, 0]) + 0.3 * rng.normal(size=30)
    with pytest.warns(UserWarning, match="noise of 'y1' ended at its floor"):
        fitted = model().fit(X, np.stack([y, y], axis=1))
    assert fitted.coupling_[1, 0] == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(fitted.correction_[1, 1:], 0, atol=1e-3)
    floor = 1e-3 * np.std(np.concatenate([y, y]))
    assert fitted.conditional_noise_[1] == pytest.approx(floor, rel=1e-6)


@quiet
def test_collinear_columns_are_told_and_fractions_have_a_reference():
    rng = np.random.default_rng(3)
    fractions = rng.dirichlet(np.ones(3), size=40)
    y = fractions @ [1.0, 2.0, 4.0] + 0.05 * rng.normal(size=40)
    with pytest.warns(UserWarning, match="columns of the basis are collinear"):
        GaussianAssimilator("polynomial:1").fit(fractions, y)
    frame = pd.DataFrame(fractions, columns=["Fe", "Co", "Ni"])
    with pytest.warns(UserWarning, match="all columns sum to 1, so Fe follows from the others"):
        fitted = GaussianAssimilator(CompositionPolynomial(1)).fit(frame, y)
    assert fitted.reference_species_ == ("Fe",)
    assert fitted.term_names_ == ("1", "Co", "Ni")
    again = GaussianAssimilator.from_state(fitted.state())
    np.testing.assert_allclose(again.predict(frame), fitted.predict(frame), rtol=1e-12)


def test_far_away_is_an_extrapolation():
    fitted = model().fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.predict([[0.02], [0.98]])
    with pytest.warns(ExtrapolationWarning, match="1 of 2 rows lie outside the training region"):
        fitted.predict([[0.5], [3.0]])
    with pytest.warns(ExtrapolationWarning):
        GaussianAssimilator.from_state(fitted.state()).predict([[3.0]])


# --- sums ----------------------------------------------------------------------------------------


def test_rows_never_told_cannot_be_taken_back():
    fitted = model().fit(X, Y)
    before = fitted.predict(X)
    for bad in ([[5.0]], [[0.123]]):
        with pytest.raises(InputError, match=r"rows must have been told before.*nothing was changed"):
            fitted.downdate(bad, [[900.0, 900.0]])
    with pytest.raises(InputError, match="rows must have been told before"):
        model().fit(X, np.stack([Y[:, 0], np.where(np.isnan(Y[:, 0]), Y[:, 1], np.nan)], axis=1)).downdate(
            [[0.5]], [[1.0, 1.0]]
        )
    assert (fitted.predict(X) == before).all()


@quiet
def test_a_corrected_value_is_taken_back_and_told_anew():
    wrong = Y.copy()
    row = int(np.flatnonzero(~np.isnan(Y[:, 1]))[0])
    wrong[row, 1] += 50
    fitted = model().fit(X, wrong)
    fitted.downdate(X[row : row + 1], wrong[row : row + 1]).partial_fit(X[row : row + 1], Y[row : row + 1])
    np.testing.assert_allclose(fitted.predict(X), model().fit(X, Y).predict(X), rtol=1e-6, atol=1e-6)


def test_only_like_merges_with_like():
    fitted = model().fit(X, Y)
    with pytest.raises(InputError, match=r"domain of other must be \[\[0.0, 1.0\]\]. Got \[\[0.0, 2.0\]\]"):
        fitted.merge(GaussianAssimilator(Polynomial(3), domain=[(0, 2)]).fit(X, Y))
    with pytest.raises(InputError, match="basis of other must be"):
        fitted.merge(model(basis=Polynomial(2)).fit(X, Y))
    with pytest.raises(InputError, match="source names of other"):
        fitted.merge(model().fit(X, pd.DataFrame(Y, columns=["a", "b"])))


def test_a_state_of_something_else_is_refused():
    with pytest.raises(InputError, match=r"come from state\(\) of version 1. Got 7"):
        GaussianAssimilator.from_state({"version": 7})
    with pytest.raises(InputError, match=r"basis must be one of .*Got 'Custom'"):
        model(basis=Custom(lambda X: X, ["x"])).fit(X, Y).state()


@quiet
def test_known_deviations_repeat_in_classes_and_many_are_joined():
    sigma = np.where(np.arange(30) % 2, 0.1, 0.3)[:, None] * np.ones(2)
    fitted = model().fit(X, Y, sigma)
    assert fitted.statistics_.class_width() == 0
    assert {c for key in fitted.statistics_.factors for c in key.classes} == {0.1, 0.3}
    rng = np.random.default_rng(0)
    many = np.exp(rng.uniform(-4, 0, size=(30, 2)))
    with pytest.warns(UserWarning, match="sigma has more than 16 values; they were joined in classes up to"):
        joined = model().fit(X, Y, many)
    order = rng.permutation(30)
    apart = model()
    for row in order:
        apart.partial_fit(X[row : row + 1], Y[row : row + 1], many[row : row + 1])
    assert {k: f.count for k, f in apart.statistics_.factors.items()} == {
        k: f.count for k, f in joined.statistics_.factors.items()
    }
    np.testing.assert_allclose(apart.predict(X), joined.predict(X), rtol=1e-9)


def test_precise_values_count_more():
    x = np.zeros((2, 1))
    y = np.array([0.0, 1.0])
    prior = AssimilationPrior(noise_log_mean=float(np.log(1e-5)), noise_log_std=0.1, base_variance=1e6)
    fitted = GaussianAssimilator("polynomial:0", domain=[(0, 1)], prior=prior).fit(x, y, [0.1, 0.3])
    # weights 1/0.01 and 1/0.09
    assert fitted.predict(x[:1])[0] == pytest.approx((1 / 0.09) / (1 / 0.01 + 1 / 0.09), rel=1e-3)


# --- patterns ------------------------------------------------------------------------------------


@quiet
@pytest.mark.parametrize("pattern", ["all", "terms"])
def test_single_terms_are_found(pattern):
    rng = np.random.default_rng(4)
    x = rng.uniform(0, 1, 80)
    Y = np.stack([curve(x), curve(x) + 3 * x**2], axis=1) + 0.02 * rng.normal(size=(80, 2))
    Y[:40, 0], Y[40:, 1] = np.nan, np.nan
    fitted = model(pattern=pattern, coupling=1.0).fit(x[:, None], Y)
    assert fitted.kept_terms_[1] == ("x0^2",)


@quiet
def test_one_term_at_a_time_agrees_with_all_sets_and_reaches_larger_bases():
    rng = np.random.default_rng(5)
    X = rng.uniform(0, 1, (120, 3))
    f = curve(X[:, 0]) + X[:, 1] * X[:, 2]
    Y = np.stack([f, f - 1 + 2 * X[:, 0] * X[:, 1]], axis=1) + 0.02 * rng.normal(size=(120, 2))
    Y[:60, 0], Y[60:, 1] = np.nan, np.nan
    options = {"domain": [(0, 1)] * 3, "coupling": 1.0, "pattern": "terms"}
    fitted = GaussianAssimilator("polynomial:3", **options).fit(X, Y)
    assert set(fitted.kept_terms_[1]) == {"1", "x0*x1"}
    gains = fitted.pattern_table_["log_evidence"]
    assert (np.diff(gains) <= 1e-9).all()
    assert fitted.pattern_table_["weight"].sum() == pytest.approx(1)


@quiet
def test_three_sources_learn_a_degree_each():
    rng = np.random.default_rng(6)
    x = rng.uniform(0, 1, 150)
    Y = np.stack([curve(x), curve(x) + 1, curve(x) + 2 + 2 * x], axis=1)
    Y += 0.02 * rng.normal(size=Y.shape)
    for j in range(3):
        Y[np.arange(150) % 3 != j, j] = np.nan
    fitted = model(coupling=1.0).fit(x[:, None], Y)
    assert fitted.kept_terms_[1:] == (("1",), ("1", "x0"))
    np.testing.assert_allclose(fitted.predict([[0.5]], source=2), curve(0.5) + 3, atol=0.03)
    free = model(coupling="average").fit(x[:, None], Y)
    mean, std = free.predict([[0.5]], return_std=True)
    assert abs(mean[0] - curve(0.5) - 3) < 4 * std[0]


# --- laboratories --------------------------------------------------------------------------------


def laboratories(seed, spread=0.3, n_labs=8, n=64):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 1, n)
    lab = np.arange(n) % n_labs
    u = spread * rng.normal(size=n_labs)
    Y = np.stack(
        [curve(x) + 0.03 * rng.normal(size=n), curve(x) - 1.5 + u[lab] + 0.1 * rng.normal(size=n)], axis=1
    )
    Y[rng.random(n) < 0.5, 0] = np.nan
    return pd.DataFrame({"x": x, "lab": [f"L{k}" for k in lab]}), Y, u


@quiet
@pytest.mark.slow
def test_planted_offsets_lie_inside_their_intervals():
    inside = []
    for seed in range(60):
        frame, Y, u = laboratories(1000 + seed, n_labs=20, n=160)
        fitted = model(offset=GroupOffset("lab"), coupling=1.0).fit(frame, Y)
        rows = fitted.offset_table_.loc[[f"L{k}" for k in range(20)]]
        inside.append(np.abs(rows["offset"].to_numpy() - u) < 1.96 * rows["std"].to_numpy())
    assert 0.93 <= np.mean(inside) <= 0.97
    assert rows["n"].tolist() == [8] * 20


@quiet
@pytest.mark.slow
def test_a_laboratory_left_out_lies_inside_the_band():
    inside = []
    for seed in range(12):
        frame, Y, _ = laboratories(seed)
        for lab in frame["lab"].unique()[:6]:
            out = (frame["lab"] == lab).to_numpy()
            fitted = model(offset=GroupOffset("lab"), coupling=1.0).fit(frame[~out], Y[~out])
            mean, std = fitted.predict(frame[out], return_std=True, observation=True)
            inside.append(np.abs(mean - Y[out, 1]) < 1.645 * std)
    assert 0.85 <= np.mean(np.concatenate(inside)) <= 0.95


@quiet
def test_known_and_new_laboratories_are_predicted_apart():
    frame, Y, u = laboratories(0)
    frame = pd.concat(
        [frame, pd.DataFrame({"x": 0.5, "lab": [f"L{k}" for k in range(8)]})], ignore_index=True
    )
    rng = np.random.default_rng(9)
    more = np.stack([np.full(8, np.nan), curve(0.5) - 1.5 + u + 0.1 * rng.normal(size=8)], axis=1)
    fitted = model(offset=GroupOffset("lab"), coupling=1.0).fit(frame, np.vstack([Y, more]))
    assert fitted.anchors_ == (64,)
    at = pd.DataFrame({"x": [0.5] * 3, "lab": ["L1", "elsewhere", None]})
    mean, std = fitted.predict(at, return_std=True)
    assert mean[0] - mean[2] == pytest.approx(fitted.offset_table_.loc["L1", "offset"], rel=0.1)
    assert mean[1] == pytest.approx(mean[2], rel=1e-6)
    assert std[1] > np.hypot(std[2], 0.7 * fitted.offset_std_)
    bare = fitted.predict(pd.DataFrame({"x": [0.5]}))
    assert bare[0] == pytest.approx(mean[2], rel=1e-9)
    again = GaussianAssimilator.from_state(fitted.state())
    np.testing.assert_allclose(again.predict(at), mean, rtol=1e-9)


@quiet
def test_the_spread_of_the_first_source_does_not_grow_with_its_terms():
    """The prior of a function that many columns make is as wide as that of few."""
    x = np.random.default_rng(0).uniform(size=(200, 1))
    for basis in (Polynomial(3), Sine(30)):
        variance = AssimilationPrior().base_of(basis.n_terms(1)) * basis.n_terms(1)
        assert variance == pytest.approx(3.0)
    assert AssimilationPrior(base_variance=0.2).base_of(50) == 0.2
    with pytest.raises(InputError, match=r"base_variance must be positive. Got -1"):
        AssimilationPrior(base_variance=-1.0)
    assert np.isfinite(model().fit(x, curve(x[:, 0])).log_evidence_)


@quiet
def test_a_product_of_bases_offers_corrections_of_each_factor():
    """A correction linear in x, and in x times T, but not of total degree 2."""
    rng = np.random.default_rng(3)
    X = rng.uniform(0, 1, (120, 2))
    simulation = 1 + X[:, 0] + X[:, 1] ** 2
    experiment = simulation + 0.5 - X[:, 0] + 2 * X[:, 0] * X[:, 1]
    Y = np.column_stack([simulation, np.where(np.arange(120) % 3 == 0, experiment, np.nan)])
    Y += 0.001 * rng.normal(size=Y.shape)
    basis = TensorProduct(Polynomial(2), Polynomial(2))
    found = GaussianAssimilator(basis, domain=[(0, 1), (0, 1)]).fit(X, Y)
    assert set(found.kept_terms_[1]) == {"1", "x0", "x1", "x0*x1"}
    assert {4, 9} <= set(found.pattern_table_["n_terms"])


@quiet
def test_an_offset_that_composition_hides_is_told():
    rng = np.random.default_rng(2)
    x = np.concatenate([np.full(6, 0.1), rng.uniform(0.6, 1, 24)])
    frame = pd.DataFrame({"x": x, "lab": ["far"] * 6 + ["near", "here"] * 12})
    y = curve(x) + np.where(frame["lab"] == "here", 1.0, 0.0) + 0.02 * rng.normal(size=30)
    with pytest.warns(
        UserWarning, match=r"offset of laboratory 'far' .* cannot be told from the descriptors"
    ):
        model(offset=GroupOffset("lab", std=0.3)).fit(frame, y)


# --- slices and paths ----------------------------------------------------------------------------


def bowl(seed=0, n=200):
    """The best x is 0 below t = 0.4, then grows as t - 0.4."""
    rng = np.random.default_rng(seed)
    x, t = rng.uniform(0, 1, n), rng.uniform(0, 1, n)
    return pd.DataFrame({"x": x, "t": t}), -((x - (t - 0.4)) ** 2) + 0.05 * rng.normal(size=n)


def test_slices_hold_what_is_fixed():
    frame, y = bowl()
    fitted = GaussianAssimilator("polynomial:2", domain=[(0, 1), (0, 1)]).fit(frame, y)
    cut = fitted.slice("x", {"t": 0.8}, {"x": [0.1, 0.4]})
    assert cut["t"].tolist() == [0.8, 0.8]
    np.testing.assert_allclose(cut["mean"], [-0.09, 0.0], atol=0.05)
    assert len(fitted.slice(["x", "t"], n_points=5)) == 25
    with pytest.raises(InputError, match="at must name free descriptors"):
        fitted.slice("x", at={"t": [0.1]})
    with pytest.raises(InputError, match="fixed must name descriptors that are not free"):
        fitted.slice("x", {"x": 0.1})


@pytest.mark.slow
def test_the_planted_crossover_lies_inside_its_interval():
    inside = []
    for seed in range(40):
        frame, y = bowl(seed)
        fitted = GaussianAssimilator("polynomial:2", domain=[(0, 1), (0, 1)]).fit(frame, y)
        path = fitted.optimum_path("x", "t", random_state=seed)
        low, high = path.crossover_interval
        inside.append(low <= 0.4 <= high)
    assert 0.8 <= np.mean(inside) <= 0.99
    table = path.to_frame()
    assert abs(table["x"].iloc[-1] - 0.6) < 0.1
    assert (table["x lo"] <= table["x hi"]).all()
    assert table["p_interior"].iloc[0] < 0.1 < 0.9 < table["p_interior"].iloc[-1]
    assert "crossover at t = 0." in repr(path)


# --- streams -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_many_rows_pass_through_little_memory_and_one_more_is_cheap():
    import time
    import tracemalloc

    rng = np.random.default_rng(0)
    basis = CompositionPolynomial(3)
    fitted = GaussianAssimilator(basis, domain=[(0, 1)] * 5)
    start, n = time.perf_counter(), 0
    tracemalloc.start()
    for _ in range(5):
        X = rng.uniform(0, 1, (20_000, 5))
        f = curve(X[:, 0])
        Y = np.stack([f, np.where(rng.random(20_000) < 0.01, f - 1.5, np.nan)], axis=1)
        fitted.partial_fit(X, Y)
        n += len(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    whole = time.perf_counter() - start
    fitted.partial_fit(X[:1], Y[:1])
    start = time.perf_counter()
    for row in range(20):
        fitted.partial_fit(X[row : row + 1], Y[row : row + 1])
    assert (time.perf_counter() - start) / 20 <= whole / 50
    assert n == 100_000
    assert fitted.statistics_.n_bytes <= 3 * 8 * 58**2
    assert peak < 120e6
