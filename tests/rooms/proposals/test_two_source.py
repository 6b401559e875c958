"""Calculate or measure: the published rule, the one that knows the prices, budgets, failures, bad input."""

import copy

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config

from sozai.assimilation import AssimilationPrior, GaussianAssimilator
from sozai.contracts.errors import ExtrapolationWarning, InputError
from sozai.contracts.protocols import Assimilator
from sozai.datasets import make_sine_pair
from sozai.proposals import (
    CostAware,
    ExpectedImprovement,
    MaximumVariance,
    Mean,
    ThompsonSampling,
    TwoSourceProposer,
    rounds_to_best,
    simulate_two_sources,
)
from sozai.proposals.two_source_posterior import PretendedDesign


class Waves:
    """Two sources that share 5 cosines of x; the experiment has a constant of its own. Prior variance 4."""

    def __init__(self, noise=(0.01, 0.04), shared=1.0):
        self.noise, self.shared = noise, shared
        self.A, self.b = np.eye(6) / 4, np.zeros(6)

    @property
    def covariance_(self):
        return np.diag(self.noise)

    def rows(self, X, source):
        waves = np.cos(np.pi * np.asarray(X)[:, :1] * np.arange(5))
        own = np.full((len(waves), 1), float(source in (1, -1)))
        return np.hstack([waves * (1.0 if source == 0 else self.shared), own])

    def partial_fit(self, X, Y):
        for source in (0, 1):
            told = ~np.isnan(Y[:, source])
            H = self.rows(np.asarray(X)[told], source)
            self.A = self.A + H.T @ H / self.noise[source]
            self.b = self.b + H.T @ Y[told, source] / self.noise[source]
        return self

    def predict(self, X, source=-1, return_std=False):
        mean = self.rows(X, source) @ np.linalg.solve(self.A, self.b)
        return (mean, np.sqrt(self.design_variance(X, source))) if return_std else mean

    def design_variance(self, X, source):
        H = self.rows(X, source)
        return np.einsum("ij,ij->i", H, np.linalg.solve(self.A, H.T).T)

    def design_covariance(self, X1, X2, source1, source2):
        return self.rows(X1, source1) @ np.linalg.solve(self.A, self.rows(X2, source2).T)


class Unknown(Waves):
    """The same, but without noise to be read before it has learned, as estimators are."""

    def __init__(self):
        super().__init__()
        self.fitted = False

    @property
    def covariance_(self):
        if not self.fitted:
            raise AttributeError("covariance_")
        return np.diag(self.noise)

    def partial_fit(self, X, Y):
        self.fitted = True
        return super().partial_fit(X, Y)


X = np.linspace(0, 1, 41)[:, None]
SIMULATION = 1 + 0.5 * np.cos(np.pi * X[:, 0]) - np.cos(3 * np.pi * X[:, 0])
TRUTH = np.column_stack([SIMULATION, SIMULATION - 2])
START = ([3, 20, 35, 3, 20, 35], ["simulation"] * 3 + ["experiment"] * 3)


def loop(assimilator=None, told=True, **options):
    made = TwoSourceProposer(X, assimilator or Waves(), **{"n_start": 0, **options})
    if told:
        rows, names = START
        columns = [("simulation", "experiment").index(name) for name in names]
        made.tell(rows, TRUTH[rows, columns].tolist(), names)
    return made


def places(proposals):
    return [(proposal.source, proposal.index) for proposal in proposals]


def test_the_guest_is_an_assimilator():
    assert isinstance(Waves(), Assimilator)
    assert not isinstance(object(), Assimilator)


# --- what is proposed -----------------------------------------------------------------------------------


def test_the_published_round_is_the_best_prediction_and_then_the_least_known():
    made = loop(explore=MaximumVariance(3))
    proposals = made.ask()
    assert [proposal.source for proposal in proposals] == ["experiment"] + ["simulation"] * 3
    mean = made.model_.predict(X)
    mean[[3, 20, 35]] = -np.inf
    assert proposals[0].index == int(np.argmax(mean))
    assert proposals[0].mean == pytest.approx(mean.max())
    # the same calculations by refitting after each, which values are told being of no concern
    guest = copy.deepcopy(made.model_).partial_fit(X[[proposals[0].index]], np.array([[np.nan, 7.0]]))
    closed = [3, 20, 35]
    for proposal in proposals[1:]:
        variance = guest.design_variance(X, 0)
        variance[closed] = -np.inf
        assert proposal.index == int(np.argmax(variance))
        assert proposal.score == pytest.approx(np.sqrt(variance.max()))
        closed.append(proposal.index)
        guest.partial_fit(X[[proposal.index]], np.array([[-3.0, np.nan]]))


def test_calculations_end_when_the_simulation_is_established():
    made = loop(explore=MaximumVariance(4))
    assert not made.status_.established
    assert made.status_.uncertainty > made.status_.noise == pytest.approx(0.1)
    rows = [0, 10, 15, 25, 30, 40, 8, 32]
    made.tell(rows, TRUTH[rows, 0].tolist(), "simulation")
    assert made.status_.established
    assert made.status_.uncertainty < 0.1
    assert "simulation established" in repr(made.status_)
    assert [proposal.source for proposal in made.ask()] == ["experiment"]


def test_the_rule_that_knows_prices_calculates_first_and_measures_then():
    made = loop(explore=CostAware())
    assert [proposal.source for proposal in made.ask(4)] == ["simulation"] * 4
    dear = loop(explore=CostAware(), costs={"simulation": 50, "experiment": 1})
    assert {proposal.source for proposal in dear.ask(4)} == {"experiment"}


def test_the_price_rule_measures_where_the_best_is_predicted():
    made = loop(explore=CostAware(), costs={"simulation": 50, "experiment": 1})
    (proposal,) = made.ask()
    mean = made.model_.predict(X)
    mean[[3, 20, 35]] = -np.inf
    assert places([proposal]) == [("experiment", int(np.argmax(mean)))]


def test_a_round_by_price_ends_where_an_experiment_is_worth_more():
    made = loop(explore=CostAware(batch=30))
    rounds = made.ask()
    assert {proposal.source for proposal in rounds} == {"simulation"}
    assert 2 < len(rounds) < 30
    assert "experiment" in {proposal.source for proposal in made.ask(len(rounds) + 10)}
    assert len(loop(explore=CostAware(batch=2)).ask()) == 2


def test_without_experiments_left_the_simulation_is_still_established():
    mask = np.zeros(41, dtype=bool)
    mask[[3, 20, 35]] = True
    made = loop(explore=CostAware(), available={"experiment": mask})
    proposals = made.ask()
    assert {proposal.source for proposal in proposals} == {"simulation"}
    made.tell(proposals, TRUTH[[proposal.index for proposal in proposals], 0].tolist())
    assert made.status_.established
    assert made.ask() == []


def test_the_gain_of_the_price_rule_is_the_variance_taken_off():
    made = loop(explore=CostAware(q=41), costs={"simulation": 2, "experiment": 3})
    (proposal,) = made.ask(1)
    before = made.model_.design_variance(X, 1)
    gains = {}
    for source, cost in ((0, 2), (1, 3)):
        for row in range(41):
            told = np.full((1, 2), np.nan)
            told[0, source] = 1.0
            after = copy.deepcopy(made.model_).partial_fit(X[[row]], told).design_variance(X, 1)
            counted = np.setdiff1d(np.arange(41), [3, 20, 35])
            gains[("simulation", "experiment")[source], row] = (before - after)[counted].sum() / cost
    for row in (3, 20, 35):
        del gains["simulation", row], gains["experiment", row]
    assert places([proposal])[0] == max(gains, key=gains.get)
    assert proposal.score == pytest.approx(max(gains.values()))


@pytest.mark.parametrize("explore", [MaximumVariance(2), CostAware()])
@pytest.mark.parametrize("exploit", [Mean(), ExpectedImprovement(), ThompsonSampling(), "ucb"])
def test_asking_is_repeatable_and_longer_answers_begin_with_shorter_ones(explore, exploit):
    made = loop(explore=explore, exploit=exploit)
    first = made.ask(12)
    assert made.ask(12) == first
    assert made.ask(4) == first[:4]
    assert made.ask() == first[: len(made.ask())]
    assert loop(explore=explore, exploit=exploit).ask(12) == first
    assert len(set(places(first))) == 12


def test_the_order_of_telling_does_not_matter():
    rows, names = START
    backwards = loop(told=False)
    for row, name in reversed(list(zip(rows, names, strict=True))):
        backwards.ask()
        backwards.tell(row, TRUTH[row, ("simulation", "experiment").index(name)], name)
    assert backwards.ask(8) == loop().ask(8)


def test_without_a_link_calculations_change_no_experiment():
    alone = loop(Waves(shared=0.0))
    before = alone.ask()[0]
    alone.tell([7, 13, 29], [5.0, -4.0, 2.0], "simulation")
    assert alone.ask()[0].index == before.index
    linked = loop()
    before = linked.ask()[0].mean
    linked.tell([7, 13, 29], [5.0, -4.0, 2.0], "simulation")
    assert linked.ask()[0].mean != before


def test_small_values_are_wanted_as_large_negative_ones():
    up = loop(explore=MaximumVariance(2))
    down = TwoSourceProposer(X, Waves(), explore=MaximumVariance(2), n_start=0, goal="minimize")
    rows, names = START
    columns = [("simulation", "experiment").index(name) for name in names]
    down.tell(rows, (-TRUTH[rows, columns]).tolist(), names)
    assert places(up.ask(6)) == places(down.ask(6))
    assert down.status_.best_value == -up.status_.best_value


def test_one_drawn_function_has_the_spread_of_the_posterior():
    model = Waves().partial_fit(X[[3, 20]], TRUTH[[3, 20]])
    design = PretendedDesign(model, X, [0.01, 0.04])
    rng = np.random.default_rng(0)
    draws = np.array([design.draw(model.predict(X), 1, rng) for _ in range(1500)])
    expected = model.design_covariance(X, X, 1, 1)
    np.testing.assert_allclose(np.cov(draws.T), expected, atol=0.12 * expected.max())
    np.testing.assert_allclose(draws.mean(axis=0), model.predict(X), atol=0.15)


def test_pretended_variances_are_those_of_a_refit():
    model = Waves().partial_fit(X[[3, 20]], TRUTH[[3, 20]])
    design = PretendedDesign(model, X, [0.01, 0.04])
    for row, source in ((5, 0), (33, 1), (5, 0), (18, 1)):
        design.take(row, source)
        told = np.full((1, 2), np.nan)
        told[0, source] = 0.0
        model = copy.deepcopy(model).partial_fit(X[[row]], told)
    for source in (0, 1):
        np.testing.assert_allclose(design.variances[source], model.design_variance(X, source), rtol=1e-9)
    rows = np.array([2, 9])
    np.testing.assert_allclose(
        design.covariance(rows, 1, 0), model.design_covariance(X[rows], X, 1, 0), atol=1e-12
    )


# --- start, books, budget -------------------------------------------------------------------------------


def test_the_start_spreads_both_sources():
    made = TwoSourceProposer(X, Unknown(), n_start=3)
    proposals = made.ask()
    assert places(proposals) == [
        ("experiment", 20), ("experiment", 0), ("experiment", 40),
        ("simulation", 20), ("simulation", 0), ("simulation", 40),
    ]  # fmt: skip
    assert np.isnan(proposals[0].mean)
    assert made.model_ is None
    made.tell(proposals[:2], [0.1, 0.2])
    assert places(made.ask()) == [("experiment", 40), *places(proposals[3:])]
    made.tell(made.ask(), [0.0] * 4)
    assert made.model_.fitted
    assert places(made.ask()) != places(proposals)


def test_running_proposals_count_as_done():
    made = loop(explore=MaximumVariance(2))
    whole = made.ask(6)
    assert places(made.ask(3, running=whole[:3])) == places(whole[3:])
    start = TwoSourceProposer(X, Unknown(), n_start=2)
    with pytest.raises(InputError, match=r"a value of each source before a rule chooses\. Got '4 running'"):
        start.ask(running=start.ask())


def test_a_failed_calculation_is_not_proposed_again():
    made = loop(explore=MaximumVariance(1))
    _, calculation = made.ask()
    made.tell(calculation, "failed")
    assert made.ask()[1].index != calculation.index
    assert made.status_.n_failed == 1
    assert made.history_.iloc[-1][["status", "cost", "source"]].tolist() == ["failed", 1.0, "simulation"]
    for none in (None, float("nan")):
        assert made.tell(calculation, none).history_["status"].iloc[-1] == "failed"


def test_a_budget_smaller_than_any_action_ends_the_loop():
    made = loop(explore=MaximumVariance(2), budget=153 + 52.5)
    assert made.status_.left == 52.5
    proposals = made.ask()
    assert len(proposals) == 3
    made.tell(proposals[:2], [0.0, 0.0])
    assert [proposal.source for proposal in made.ask()] == ["simulation"]
    made.tell(made.ask(), [0.0])
    assert made.status_.finished
    assert made.status_.left == 0.5
    assert made.ask() == []
    assert "finished" in repr(made.status_)


def test_nothing_is_left_when_all_is_told():
    made = loop(explore=CostAware())
    for source, name in enumerate(("simulation", "experiment")):
        made.tell(list(range(41)), TRUTH[:, source].tolist(), name)
    assert made.ask() == []
    assert made.status_.finished


def test_history_and_status():
    made = loop()
    history = made.history_
    assert history["spent"].tolist() == [1, 2, 3, 53, 103, 153]
    assert history["best"].isna().tolist() == [True] * 3 + [False] * 3
    assert history["best"].iloc[-1] == TRUTH[[3, 20, 35], 1].max()
    status = made.status_
    assert (status.n_simulations, status.n_experiments, status.spent) == (3, 3, 153.0)
    assert status.best_index == [3, 20, 35][int(np.argmax(TRUTH[[3, 20, 35], 1]))]
    assert status.to_frame().shape == (1, 11)
    assert made.model_.A is not made.assimilator.A


def test_a_table_of_candidates_keeps_its_names():
    frame = pd.DataFrame({"x": X[:, 0]})
    made = TwoSourceProposer(frame, Waves(), n_start=1)
    proposal = made.ask(1)[0]
    assert proposal.x == {"x": 0.5}
    assert proposal.to_frame()["source"].tolist() == ["experiment"]


def test_knowledge_from_elsewhere_is_kept():
    learned = Waves().partial_fit(X, np.where(np.arange(41)[:, None] % 2, TRUTH, np.nan))
    made = TwoSourceProposer(X, learned, n_start=0, explore=MaximumVariance(0))
    assert made.ask()[0].index == int(np.argmax(learned.predict(X)))
    assert made.status_.best_index is None


def test_an_experiment_beyond_what_can_be_calculated_is_allowed_and_said():
    able = X[:, 0] <= 0.5
    made = loop(explore=MaximumVariance(3), available={"simulation": able})
    said = r"candidate 40 lies .* x0 = 1, calculated from 0 to 0\.5\."
    with pytest.warns(ExtrapolationWarning, match=said):
        proposals = made.ask()
    assert all(able[proposal.index] for proposal in proposals[1:])


# --- replay ---------------------------------------------------------------------------------------------


def test_replayed_loops_pair_their_starts_and_count_costs():
    plan = {"n_rounds": 6, "repeats": 3, "noise": (0.1, 0.2), "n_start": 3}
    found = simulate_two_sources(loop(told=False, explore=MaximumVariance(2)), TRUTH, **plan)
    other = simulate_two_sources(loop(told=False, explore=MaximumVariance(0)), TRUTH, **plan)
    columns = ["repeat", "round", "source", "index", "value", "spent"]
    starts = [part.loc[part["round"] == 0, columns].reset_index(drop=True) for part in (found, other)]
    assert starts[0].equals(starts[1])
    assert set(other.loc[other["round"] > 0, "source"]) == {"experiment"}
    rounds = rounds_to_best(found)
    assert (rounds <= 6).all()
    assert (rounds_to_best(found, "spent") >= 153 + 50 * (rounds - 1)).all()
    last = found.groupby("repeat").last()
    assert last["best"].tolist() == [TRUTH[:, 1].max()] * 3
    with parallel_config(backend="threading"):
        again = simulate_two_sources(loop(told=False, explore=MaximumVariance(2)), TRUTH, n_jobs=2, **plan)
    assert again.drop(columns="seconds").equals(found.drop(columns="seconds"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"repeats": 0}, "repeats must be a whole number of 1 or more. Got 0"),
        ({"n_start": 99}, "values must have shape (41, 2), and n_start rows at least. Got (41, 2)"),
        ({"values": TRUTH[:, :1]}, "values must have shape (41, 2), and n_start rows at least. Got (41, 1)"),
    ],
)
def test_wrong_replays(options, words):
    with pytest.raises(InputError) as caught:
        simulate_two_sources(loop(told=False), **{"values": TRUTH, **options})
    assert words in str(caught.value)


# --- bad input ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"costs": {"simulation": 0, "experiment": 5}}, "costs['simulation'] must be a positive number"),
        ({"costs": {"a": 1.0, "b": np.nan}}, "costs['b'] must be a positive number. Got nan"),
        ({"costs": {"a": 1.0}}, "costs must name two sources, the calculation first. Got {'a': 1.0}"),
        ({"available": {"DFT": X[:, 0] > 0}}, "source must be one of 'simulation', 'experiment'. Got 'DFT'"),
        (
            {"available": {"experiment": [True, False]}},
            "available['experiment'] must be true or false for each of the 41 candidates",
        ),
        ({"exploit": "best"}, "Got 'best'"),
    ],
)  # fmt: skip
def test_wrong_options(options, words):
    with pytest.raises(InputError) as caught:
        loop(**options).ask()
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((3, 1.0, "DFT"), "source must be one of 'simulation', 'experiment'. Got 'DFT'"),
        ((3, 1.0), "source must be one of 'simulation', 'experiment'. Got None"),
        ((41, 1.0, "simulation"), "index must lie in the list (0 to 40). Got 41. Count candidates from 0."),
        ((2.5, 1.0, "simulation"), "index must lie in the list (0 to 40). Got 2.5"),
        ((3, "broken", "simulation"), "y must be a number, or 'failed'. Got 'broken' for candidate 3"),
        ((3, np.inf, "experiment"), "y must be a number, or 'failed'. Got inf for candidate 3 (experiment)"),
        (([1, 2], [1.0], "experiment"), "one entry for each of the 2 candidates. Got (1, 2)"),
    ],
)
def test_wrong_results_leave_the_books_as_they_were(arguments, words):
    made = loop()
    before = made.ask(5)
    with pytest.raises(InputError) as caught:
        made.tell(*arguments)
    assert words in str(caught.value)
    assert made.ask(5) == before


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: MaximumVariance(-1), "MaximumVariance: m must be a whole number of 0 or more. Got -1"),
        (lambda: CostAware(q=0), "CostAware: q must be a whole number of 1 or more. Got 0"),
        (lambda: CostAware(beta=-2.0), "CostAware: beta must be zero or a positive number. Got -2.0"),
        (lambda: loop().ask(0), "TwoSourceProposer.ask: n must be a whole number of 1 or more. Got 0"),
        (
            lambda: TwoSourceProposer([1.0, 2.0], Waves()).ask(),
            "table of points by columns. Got 'shape (2,)'",
        ),
    ],
)
def test_wrong_numbers(make, words):
    with pytest.raises(InputError) as caught:
        make()
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["assimilator", "budget", "goal", "n_start"])
def test_parameters_are_checked(name):
    with pytest.raises(ValueError, match=name):
        TwoSourceProposer(X, **{"assimilator": Waves(), name: "nothing"}).ask()


# --- with the assimilator of the house ------------------------------------------------------------------


def gaussian(**options):
    return GaussianAssimilator("fourier:2", prior=AssimilationPrior(base_variance=0.5), **options)


def test_the_gaussian_assimilator_is_a_guest():
    model = gaussian(domain=[(0.0, 2.0)])
    assert isinstance(model, Assimilator)
    made = loop(model, explore=MaximumVariance(2))
    proposals = made.ask()
    assert [proposal.source for proposal in proposals] == ["experiment", "simulation", "simulation"]
    assert not hasattr(model, "statistics_")
    assert made.ask() == proposals
    mean, std = made.model_.predict(X[[proposals[0].index]], return_std=True)
    assert proposals[0].mean == pytest.approx(mean[0])
    assert proposals[0].std == pytest.approx(std[0], rel=0.25)


def test_candidates_give_the_domain_unless_it_is_given():
    assert loop(gaussian()).model_.domain_.tolist() == [[0.0, 1.0]]
    assert loop(gaussian(domain=[(0.0, 2.0)])).model_.domain_.tolist() == [[0.0, 2.0]]


def test_earlier_data_of_an_assimilator_are_kept():
    learned = gaussian(domain=[(0.0, 1.0)])
    Y = np.where(np.arange(41)[:, None] % 2 == [0, 1], TRUTH, np.nan)
    learned.fit(X, Y)
    made = TwoSourceProposer(X, learned, explore=MaximumVariance(1), n_start=0)
    assert made.ask()[0].index == int(np.argmax(learned.predict(X)))
    made.tell(5, -100.0, "experiment")
    assert made.model_.predict(X[[5]])[0] < learned.predict(X[[5]])[0]


def test_a_coupling_of_zero_cuts_the_link():
    """Calculations change no experiment; the unit of the prior is shared, so it is given enough data."""
    alone = loop(gaussian(coupling=0.0, restricted="none"), explore=MaximumVariance(2))
    rows = list(range(0, 41, 3))
    alone.tell(rows, TRUTH[rows, 1].tolist(), "experiment")
    before = alone.ask()[0]
    calculated = np.setdiff1d(np.arange(41), START[0])[::4]
    alone.tell(calculated.tolist(), (3 * TRUTH[calculated, 0] - 1).tolist(), "simulation")
    after = alone.ask()[0]
    assert after.index == before.index
    assert after.mean == pytest.approx(before.mean, abs=0.02)


def test_the_loop_finds_the_best_of_a_landscape():
    made = make_sine_pair(1, 41, rng=0)
    model = GaussianAssimilator("sine:6", prior=AssimilationPrior(base_variance=1 / 3))
    plan = {"n_rounds": 20, "repeats": 3, "noise": (0.03, 0.1), "n_start": 3}
    rules = {"5": MaximumVariance(3), "price": CostAware()}
    tables = {
        name: simulate_two_sources(
            TwoSourceProposer(made.features.to_numpy(), model, explore=rule), made.truth, **plan
        )
        for name, rule in rules.items()
    }
    for table in tables.values():
        assert rounds_to_best(table).max() <= 20
    ends = {name: rounds_to_best(table, "spent").mean() for name, table in tables.items()}
    assert ends["price"] <= ends["5"]
