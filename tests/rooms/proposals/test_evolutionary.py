import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.contracts.observations import Observations
from sozai.proposals.evolutionary import EvolutionaryProposer, _crowding, _population
from sozai.proposals.model_free import RandomProposer
from sozai.proposals.objectives import Objective, Target
from sozai.proposals.simulate import simulate_campaign


def a_list(n=400, seed=0):
    X = np.random.default_rng(seed).random((n, 2))
    return X, -((X - [0.3, 0.6]) ** 2).sum(axis=1)


@pytest.mark.parametrize("method", ["ga", "de", "pso"])
def test_it_is_better_than_chance(method):
    X, y = a_list()
    proposer = EvolutionaryProposer(method, size=8)
    found = simulate_campaign(X, y, proposer, 8, 40, repeats=6, batch_size=4)
    chance = simulate_campaign(X, y, RandomProposer(), 8, 40, repeats=6)
    last = [table[table["evaluation"] == 40]["rank"].mean() for table in (found, chance)]
    assert last[0] < last[1]


def test_a_small_population_is_filled_at_random():
    X, y = a_list(50)
    seen = Observations.of(X, {0: y[0]}, objectives=[Objective("y")])
    (choice,) = EvolutionaryProposer(size=5).propose(seen, 1)
    assert choice.reason == "Drawn at random: 1 of 5 results for a population."
    assert np.isnan(choice.mean[0])


def test_everything_is_proposed_in_the_end():
    X, y = a_list(12)
    seen = Observations.of(X, {k: y[k] for k in range(6)}, pending=[7], objectives=[Objective("y")])
    rows = [choice.row for choice in EvolutionaryProposer(size=4).propose(seen, 12)]
    assert sorted(rows) == [6, 8, 9, 10, 11]


def test_the_population_is_the_best_of_all_goals():
    X = np.arange(6.0)[:, None]
    values = {0: [0.0, 0.0], 1: [1.0, 3.0], 2: [3.0, 1.0], 3: [2.0, 2.0], 4: [1.0, 1.0], 5: [np.nan, 9.0]}
    seen = Observations.of(X, values, objectives=[Objective("a"), Objective("b")])
    assert set(_population(seen, 3).tolist()) == {1, 2, 3}
    near = Observations.of(X, {k: float(k) for k in range(6)}, objectives=[Objective("a", Target(3.0))])
    assert _population(near, 1).tolist() == [3]


def test_the_ends_of_a_front_count_most():
    merits = np.array([[0.0, 4.0], [1.0, 3.0], [4.0, 0.0]])
    assert _crowding(merits, np.zeros(3, dtype=int)).tolist() == [np.inf, 2.0, np.inf]


def test_settings_are_checked():
    X, y = a_list(20)
    seen = Observations.of(X, {0: y[0]}, objectives=[Objective("y")])
    with pytest.raises(ValueError, match="method"):
        EvolutionaryProposer("es").propose(seen, 1)
    with pytest.raises(InputError, match=r"1 or more. Got 0"):
        EvolutionaryProposer().propose(seen, 0)


def test_ask_and_tell_on_a_list():
    X, y = a_list(100)
    proposer = EvolutionaryProposer("de", size=6).open(pd.DataFrame(X, columns=["a", "b"]), "y")
    for _ in range(10):
        for proposal in proposer.ask(3):
            proposer.tell(proposal, y[proposal.index])
    assert proposer.campaign_.status_.n_observed == 30
    assert proposer.campaign_.best_.value > np.sort(y)[-15]
