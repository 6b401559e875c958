"""The price of a formula: exact where the truth is known, honest about how it was found."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from sozai.contracts.errors import InputError
from sozai.symbolic import Exhaustive, SymbolicRegressor, nested_score
from sozai.symbolic.black_boxes import NeuralNetwork, make_black_boxes
from sozai.symbolic.price import price_of_interpretability


def planted(n=60, seed=0, noise=0.2):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.uniform(1, 2, (n, 4)), columns=list("abcd"))
    exact = 2 * X["a"] - 3 * X["b"]
    return X, (exact + noise * exact.std() * rng.normal(size=n)).rename("E [eV]")


class TrueTerms(LinearRegression):
    """Least squares on the two columns of the planted law, for who knows them."""

    def fit(self, X, y):
        return super().fit(np.asarray(X)[:, :2], y)

    def predict(self, X):
        return super().predict(np.asarray(X)[:, :2])


def mean_ratio(prices, name=None):
    """Geometric mean over tables of the formula's error over a black box's, the best if none is named."""
    ratios = []
    for price in prices:
        other = next(box for box in price.black_boxes if name in (None, box.name))
        ratios.append(price.formula.score.rmse / other.score.rmse)
    return np.exp(np.mean(np.log(ratios)))


def test_a_planted_linear_law_costs_nothing():
    """Of one table the ratio is chance to some percent, even for the true terms; of twelve it is not."""
    prices = []
    for seed, (n, noise) in enumerate([(40, 0.05), (40, 0.2), (80, 0.1), (120, 0.2)] * 3):
        X, y = planted(n, seed, noise)
        models = {**make_black_boxes(["gp"], n), "true terms": TrueTerms()}
        law = SymbolicRegressor(max_order=1)
        prices.append(
            price_of_interpretability(law, X, y, cv=5, models=models, n_bootstrap=2, random_state=seed)
        )
    assert mean_ratio(prices, "gp") <= 1.02
    assert mean_ratio(prices, "true terms") <= 1.02


@pytest.mark.slow
def test_a_planted_linear_law_costs_nothing_against_the_best_of_all():
    prices = []
    for seed, (n, noise) in enumerate([(40, 0.2), (40, 0.1), (80, 0.1), (120, 0.2)]):
        X, y = planted(n, seed, noise)
        prices.append(price_of_interpretability(SymbolicRegressor(max_order=1), X, y, cv=5))
    assert mean_ratio(prices) <= 1.02
    for price in prices:
        assert price.black_boxes[0].name == price.best
        assert {method.name for method in price.black_boxes} == {"forest", "boosting", "gp", "mlp"}


@pytest.mark.slow
def test_a_law_with_more_terms_than_are_searched_costs_its_error():
    """Four terms planted, three searched: the price says so; where all are searched it is gone."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.uniform(1, 2, (60, 4)), columns=list("abcd"))
    y = X @ [1.0, 0.8, -1.2, 1.5]
    y = y + 0.1 * y.std() * rng.normal(size=60)
    options = {"cv": 5, "models": ["gp"], "n_bootstrap": 200}
    short = SymbolicRegressor(max_order=1, selection=Exhaustive(3))
    assert price_of_interpretability(short, X, y, **options).lower > 2
    assert price_of_interpretability(SymbolicRegressor(max_order=1), X, y, **options).ratio <= 1.02


def test_scores_are_those_of_nested_score():
    X, y = planted()
    law = SymbolicRegressor(max_order=1)
    price = price_of_interpretability(law, X, y, cv=4, models={"ridge": Ridge()}, random_state=3)
    nested = nested_score(law, X, y, cv=4, random_state=3)
    other = nested_score(Ridge(), X, y, cv=4, random_state=3)
    np.testing.assert_array_equal(price.formula.score.predictions, nested.predictions)
    assert price.formula.score.rmse == nested.rmse
    assert price.black_boxes[0].score.rmse_standard_error == other.rmse_standard_error
    assert price.ratio == pytest.approx(nested.rmse / other.rmse)
    assert price.best == "ridge"


def test_a_law_that_cannot_follow_costs_its_error():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (80, 2))
    y = np.cos(4 * X[:, 0]) + 0.05 * rng.normal(size=80)
    price = price_of_interpretability(Exhaustive(2), X, y, cv=5, models=["gp", "forest"])
    assert price.best == "gp"
    assert price.lower > 3
    assert price.lower < price.ratio < price.upper


def test_interval_holds_the_true_ratio():
    """Two methods whose errors are drawn with a known ratio of 1.2."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(60):
        bad, good = 1.2 * rng.normal(size=100), rng.normal(size=100)
        y = np.zeros(100)
        price = price_of_interpretability(
            Recalled(bad),
            np.arange(100.0)[:, None],
            y,
            cv=5,
            models={"other": Recalled(good)},
            n_bootstrap=400,
        )
        hits += price.lower <= 1.2 <= price.upper
    assert 0.85 <= hits / 60 <= 1.0


class Recalled(LinearRegression):
    """Says what it was given, by row number."""

    def __init__(self, values=None):
        super().__init__()
        self.values = values

    def fit(self, X, y):
        return self

    def predict(self, X):
        return self.values[np.asarray(X)[:, 0].astype(int)]


def test_the_best_of_many_is_blamed_on_chance():
    """Of eight equal methods the best looks better than it is; chosen on other folds it does not."""
    rng = np.random.default_rng(0)
    ratios, blind = [], []
    for _ in range(30):
        errors = rng.normal(size=(9, 60))
        price = price_of_interpretability(
            Recalled(errors[0]),
            np.arange(60.0)[:, None],
            np.zeros(60),
            cv=3,
            models={f"m{k}": Recalled(errors[k]) for k in range(1, 9)},
            n_bootstrap=2,
        )
        ratios.append(price.ratio)
        blind.append(price.ratio_blind)
    assert np.mean(ratios) > 1.08
    assert np.mean(blind) == pytest.approx(1.0, abs=0.05)


def test_two_exact_methods_cost_one():
    X, y = planted(noise=0.0)
    price = price_of_interpretability(
        Exhaustive(2), X.to_numpy(), y.to_numpy(), cv=4, models={"line": LinearRegression()}
    )
    assert price.ratio == pytest.approx(1.0)


def test_groups_are_left_out_and_drawn_whole():
    X, y = planted(40)
    groups = np.repeat(np.arange(8), 5)
    price = price_of_interpretability(Exhaustive(2), X, y, groups=groups, models={"ridge": Ridge()})
    assert len(price.formula.score.folds) == 8
    few = price_of_interpretability(
        Exhaustive(2), X, y, groups=np.arange(40) // 20, models={"ridge": Ridge()}, n_bootstrap=200
    )
    # only three different bootstrap samples of two groups exist
    assert few.lower <= few.ratio <= few.upper


def test_both_say_where_they_apply():
    X, y = planted(60)
    X = X.assign(spare=np.r_[np.zeros(59), 50.0])  # one row far away in a column the law does not use
    price = price_of_interpretability(SymbolicRegressor(max_order=1), X, y, cv=5, models={"ridge": Ridge()})
    assert 0.5 < price.black_boxes[0].in_domain < price.formula.in_domain <= 1.0
    frame = price.to_frame()
    assert frame["method"].tolist() == ["formula", "ridge"]
    assert frame["in_domain"].tolist() == [price.formula.in_domain, price.black_boxes[0].in_domain]
    assert frame["formula_over_method"].tolist() == [1.0, pytest.approx(price.ratio)]
    assert np.isnan(
        price_of_interpretability(Exhaustive(1), X, y, cv=3, models={"r": Ridge()}).formula.in_domain
    )


def test_sentence_holds_the_numbers():
    X, y = planted()
    price = price_of_interpretability(Exhaustive(2), X, y, cv=4, models={"ridge": Ridge()})
    text = str(price)
    for number in (
        f"{price.ratio:.3f}",
        f"{price.lower:.3f} to {price.upper:.3f}",
        f"{price.ratio_blind:.3f}",
    ):
        assert number in text
    assert f"errs by {price.formula.score.rmse:.4g} eV" in text
    assert repr(price).startswith(f"Price({price.ratio:.3f} [{price.lower:.3f}, {price.upper:.3f}]")
    assert "\n" not in repr(price)
    assert repr(price.formula).startswith("MethodScore(formula: RMSE ")


def test_number_of_workers_changes_nothing():
    import joblib

    X, y = planted(40)
    run = [
        price_of_interpretability(Exhaustive(2), X, y, cv=4, models=["gp", "forest"], n_jobs=n_jobs)
        for n_jobs in (None,)
    ]
    with joblib.parallel_config(backend="threading"):
        run.append(price_of_interpretability(Exhaustive(2), X, y, cv=4, models=["gp", "forest"], n_jobs=2))
    first, second = (price.to_frame().drop(columns="seconds") for price in run)
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert (run[0].ratio, run[0].lower, run[0].ratio_blind) == (
        run[1].ratio,
        run[1].lower,
        run[1].ratio_blind,
    )


def test_network_learns_a_curve_and_stays_tame_in_noise():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(80, 2))
    y = np.sin(5 * X[:, 0]) + 0.05 * rng.normal(size=80)
    new = rng.uniform(size=(200, 2))
    network = NeuralNetwork(random_state=0).fit(X, y)
    assert np.sqrt(np.mean((network.predict(new) - np.sin(5 * new[:, 0])) ** 2)) < 0.1


def test_gaussian_process_is_left_out_of_long_tables():
    assert list(make_black_boxes(None, 3000)) == ["forest", "boosting", "gp", "mlp"]
    assert list(make_black_boxes(None, 3001)) == ["forest", "boosting", "mlp"]
    assert list(make_black_boxes(["gp"], 3001)) == ["gp"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"models": ["forrest"]},
            r"each model must be one of forest, boosting, gp, mlp, trees\. Got 'forrest'",
        ),
        ({"models": []}, r"models must be a list of names, or a dict of estimators\. Got \[\]"),
        ({"models": "gp"}, r"models must be a list of names, or a dict of estimators\. Got 'gp'"),
        ({"level": 95}, r"level must lie between 0 and 1\. Got 95"),
        ({"groups": [1, 2, 3]}, r"groups must have one label per row \(60\)\. Got 3"),
        ({"cv": 1}, r"cv must lie between 2 and 60 samples\. Got 1"),
    ],
)
def test_bad_input(options, said):
    X, y = planted()
    with pytest.raises(InputError, match=said):
        price_of_interpretability(Exhaustive(1), X, y, **options)


def test_lengths_must_agree():
    X, y = planted()
    with pytest.raises(InputError, match=r"y must have one value per row of X \(60\)\. Got 59"):
        price_of_interpretability(Exhaustive(1), X, y.iloc[1:])
