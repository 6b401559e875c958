import numpy as np
import pytest

from sozai.contracts.errors import InputError
from sozai.proposals.bayesian import BayesianProposer
from sozai.proposals.model_free import ExhaustiveProposer, RandomProposer
from sozai.proposals.objectives import Objective
from sozai.proposals.simulate import evaluations_to, simulate_campaign

X = np.random.default_rng(1).random((60, 2))
Y = np.sin(4 * X).sum(axis=1)


def test_the_table_keeps_the_books():
    table = simulate_campaign(X, Y, ExhaustiveProposer(), 3, 60, repeats=2)
    assert len(table) == 120
    one = table[table["repeat"] == 1]
    assert sorted(one["row"]) == list(range(60))
    np.testing.assert_array_equal(one["value"], Y[one["row"]])
    np.testing.assert_array_equal(one["best"], np.maximum.accumulate(Y[one["row"]]))
    assert one["rank"].iloc[-1] == 1
    assert one["regret"].iloc[-1] == 0.0
    assert one["rank"].iloc[0] == 1 + int(np.sum(one["value"].iloc[0] < Y))


def test_starts_are_paired_and_filling_starts_are_the_same():
    first = simulate_campaign(X, Y, RandomProposer(), 5, 8, repeats=2)
    second = simulate_campaign(X, Y, ExhaustiveProposer(), 5, 8, repeats=2)
    starts = [table[table["evaluation"] <= 5]["row"].tolist() for table in (first, second)]
    assert starts[0] == starts[1]
    assert starts[0][:5] != starts[0][5:]
    filled = simulate_campaign(X, Y, RandomProposer(), 5, 6, repeats=2, start="farthest")
    rows = filled[filled["evaluation"] <= 5]["row"].tolist()
    assert rows[:5] == rows[5:]


def test_small_is_good_where_it_is_wanted_and_noise_is_only_heard():
    low = simulate_campaign(X, Y, ExhaustiveProposer(), 2, 60, 1, objective=Objective("y", "minimize"))
    assert low["best"].iloc[-1] == Y.min()
    noisy = simulate_campaign(X, Y, BayesianProposer(), 6, 8, 1, noise=0.5)
    quiet = simulate_campaign(X, Y, BayesianProposer(), 6, 8, 1)
    np.testing.assert_array_equal(noisy["value"], Y[noisy["row"]])
    assert noisy["row"].tolist()[:6] == quiet["row"].tolist()[:6]


def test_batches_are_measured_together():
    class Counting(RandomProposer):
        asked = []  # noqa: RUF012

        def propose(self, observations, n):
            self.asked.append((len(observations.rows), n))
            return super().propose(observations, n)

    simulate_campaign(X, Y, Counting(), 2, 9, 1, batch_size=3)
    assert Counting.asked == [(2, 3), (5, 3), (8, 1)]


def test_a_stopped_study_goes_on(tmp_path):
    proposer = BayesianProposer()
    whole = simulate_campaign(X, Y, proposer, 6, 9, 3, store=tmp_path / "study")
    (tmp_path / "study" / "chunk-000001.zip").unlink()
    again = simulate_campaign(X, Y, proposer, 6, 9, 3, store=tmp_path / "study")
    assert again.drop(columns="seconds").equals(whole.drop(columns="seconds"))
    with pytest.raises(InputError, match="store must belong to this run"):
        simulate_campaign(X, Y, BayesianProposer("ucb"), 6, 9, 3, store=tmp_path / "study")


def test_evaluations_to_a_rank():
    table = simulate_campaign(X, Y, ExhaustiveProposer(), 1, 60, repeats=4)
    found = evaluations_to(table, 1)
    for repeat in range(4):
        order = table[table["repeat"] == repeat]["row"].tolist()
        assert found[repeat] == order.index(int(Y.argmax())) + 1
    short = simulate_campaign(X, Y, ExhaustiveProposer(), 1, 2, repeats=4)
    assert np.isinf(evaluations_to(short, 1)).any()


def test_bad_sizes_are_named():
    for options, message in (
        ({"n_start": 0}, "n_start must be a whole number of 1 or more. Got 0"),
        ({"n_total": 61}, r"lie between n_start \(10\) and the candidates \(60\). Got 61"),
        ({"n_total": 5}, r"lie between n_start \(10\) and the candidates \(60\). Got 5"),
        ({"repeats": 0}, "repeats must be a whole number of 1 or more. Got 0"),
        ({"start": "first"}, "start must be 'random' or 'farthest'. Got 'first'"),
        ({"noise": -1.0}, "noise must be a standard deviation of 0 or more. Got -1.0"),
    ):
        with pytest.raises(InputError, match=message):
            simulate_campaign(X, Y, RandomProposer(), **options)
