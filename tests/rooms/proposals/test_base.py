import json
import warnings

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.proposals.bayesian import BayesianProposer
from sozai.proposals.campaign import Campaign
from sozai.proposals.campaign_events import CampaignWarning, Event
from sozai.proposals.evolutionary import EvolutionaryProposer
from sozai.proposals.model_free import ExhaustiveProposer, RandomProposer, SpaceFillingProposer
from sozai.proposals.objectives import Objective
from sozai.proposals.outcomes import Constraint
from sozai.proposals.space import LinearConstraint
from sozai.proposals.spaces import Box, Categorical, Mixture, Pool, Product

SQUARE = Box({"x": (0.0, 1.0), "y": (0.0, 2.0)})


def hill(x):
    return -((x["x"] - 0.3) ** 2) - (x["y"] - 1.1) ** 2


def run(proposer, function, rounds, n=1, objectives="f"):
    proposer.open(objectives=objectives)
    for _ in range(rounds):
        for proposal in proposer.ask(n):
            proposer.tell(proposal, function(proposal.x))
    return proposer.campaign_


def test_the_top_of_a_hill_is_found_to_three_digits():
    best = run(BayesianProposer(space=SQUARE), hill, 14).best_
    assert best.x["x"] == pytest.approx(0.3, abs=0.01)
    assert best.x["y"] == pytest.approx(1.1, abs=0.02)


def test_steps_are_kept_and_no_point_comes_twice():
    space = Mixture(["a", "b", "c"], step=0.05)
    campaign = run(BayesianProposer(space=space), lambda x: -((x["a"] - 0.2) ** 2) - (x["b"] - 0.35) ** 2, 12)
    assert campaign.best_.x == {"a": 0.2, "b": 0.35, "c": 0.45}
    X = campaign.observations_.X
    np.testing.assert_allclose(X / 0.05, np.rint(X / 0.05), atol=1e-9)
    assert len(campaign.table_) == 12


def test_a_product_with_a_limit():
    space = Product(
        Mixture(["a", "b"]), Box({"T": (0.0, 1.0)}), Categorical("s", ["u", "v"]),
        constraints=[LinearConstraint({"a": 1.0, "T": 1.0}, high=0.9)],
    )  # fmt: skip
    campaign = run(BayesianProposer(space=space), lambda x: x["a"] + x["T"] / 2 + (x["s"] == "v"), 12)
    best = campaign.best_
    assert best.x["s"] == "v"
    assert best.x["a"] + best.x["T"] <= 0.9 + 1e-9
    assert best.value == pytest.approx(1.9, abs=0.02)  # all of the limit to a


def test_asking_again_and_for_more():
    proposer = BayesianProposer(space=SQUARE)
    run(proposer, hill, 6)
    two = proposer.ask(2)
    assert proposer.ask(2) == two
    again = Campaign.from_events(SQUARE, "f", proposer.campaign_.events_, proposer=proposer)
    assert [p.x for p in again.ask(1)] == [p.x for p in two[:1]]
    proposer.campaign_.start(two[0])
    (other,) = proposer.ask(1)
    assert other.id != two[0].id
    proposer.campaign_.release(two[0])
    assert [p.id for p in proposer.ask(1)] == [two[0].id]


def test_the_order_of_telling_changes_nothing():
    points = SQUARE.sample(7, np.random.default_rng(0))
    proposals = []
    for order in (np.arange(7), np.arange(7)[::-1]):
        proposer = BayesianProposer(space=SQUARE).open(objectives="f")
        for row in points[order]:
            proposer.tell([row.tolist()], hill(SQUARE.values(row)))
        proposals.append(proposer.ask(1))
    assert proposals[0] == proposals[1]


@pytest.mark.parametrize("acquisition", [None, "parego", "ts"])
def test_two_objectives(acquisition):
    proposer = BayesianProposer(acquisition, space=SQUARE)
    objectives = [Objective("f"), Objective("g", "minimize")]
    campaign = run(proposer, lambda x: [hill(x), x["x"]], 5, 2, objectives)
    assert len(campaign.front_) >= 1
    assert set(proposer.ask()[0].mean) == {"f", "g"}


def test_constraints_and_failures():
    proposer = BayesianProposer(space=SQUARE, outcomes=[Constraint("g", high=0.2)])
    campaign = run(proposer, lambda x: [x["x"] + x["y"], x["x"]], 10, 1, [Objective("f"), Objective("g")])
    seen = campaign.observations_
    last = seen.Y[seen.Y[:, 1] <= 0.2 + 1e-9, 0].max()
    assert last > 1.9
    other = BayesianProposer(space=SQUARE)
    run(other, hill, 5)
    other.campaign_.tell([{"x": 0.9, "y": 1.9}], status="failed")
    assert other.campaign_.observations_.failed.tolist() != []
    assert np.isfinite(other.ask()[0].mean)


def test_bounds_of_results_and_replicates():
    campaign = BayesianProposer(space=SQUARE).open(objectives="f").campaign_
    campaign.tell([{"x": 0.5, "y": 0.5}], 1.0)
    campaign.tell([{"x": 0.5, "y": 0.5}], 3.0)
    campaign.tell([{"x": 0.1, "y": 0.5}], 0.5, status="censored_low")
    seen = campaign.observations_
    assert seen.Y[:, 0].tolist() == [0.5, 2.0]
    assert seen.counts[:, 0].tolist() == [1, 2]
    assert seen.censored[:, 0].tolist() == [-1, 0]
    assert seen.replicate_variance[0] == 2.0
    assert campaign.best_.value == 2.0
    report = campaign.tell([{"x": 0.2, "y": 0.5}], 0.7, run_id="a")
    assert report.n_recorded == 1
    assert campaign.tell([{"x": 0.2, "y": 0.5}], 0.7, run_id="a").n_repeated == 1


def test_events_are_text_and_go_on():
    proposer = BayesianProposer(space=SQUARE)
    campaign = run(proposer, hill, 6)
    campaign.start(proposer.ask())
    text = json.dumps([tuple(event) for event in campaign.events_])
    events = [Event(*parts) for parts in json.loads(text)]
    other = Campaign.from_events(SQUARE, "f", events, proposer=BayesianProposer(space=SQUARE))
    assert [p.x for p in other.ask(2)] == [p.x for p in proposer.ask(2)]
    assert other.status_.n_running == 1


@pytest.mark.parametrize("method", ["ga", "de", "pso"])
def test_evolution_in_a_space(method):
    space = Product(Mixture(["a", "b", "c"]), Box({"T": (0.0, 1.0)}), Categorical("s", ["u", "v"]))
    proposer = EvolutionaryProposer(method, size=8, space=space)
    campaign = run(
        proposer, lambda x: -((x["a"] - 0.2) ** 2) - (x["T"] - 0.4) ** 2 - 0.1 * (x["s"] == "u"), 30, 4
    )
    assert campaign.best_.value > -0.01
    assert campaign.best_.x["s"] == "v"
    X = campaign.observations_.X
    assert space.contains(X).all()
    np.testing.assert_allclose(X[:, :3].sum(axis=1), 1.0, atol=1e-9)


def test_a_pool_is_a_list():
    proposer = BayesianProposer().open(Pool(np.linspace(0, 1, 11)[:, None]), "f")
    assert proposer.ask()[0].index == 5
    campaign = Campaign(Pool(pd.DataFrame({"x": [0.0, 1.0, 2.0]})), "f", proposer=EvolutionaryProposer())
    assert repr(campaign.pool) == "CandidatePool(3 candidates, descriptors: x)"


def test_a_space_without_a_proposer_gets_a_model_of_its_own():
    campaign = Campaign(SQUARE, "f")
    assert SQUARE.contains(SQUARE.matrix([campaign.ask()[0].x])).all()
    assert repr(campaign.state) == "CampaignState(0 results, 0 running, round 1)"


def test_messages_read_their_numbers():
    campaign = BayesianProposer(space=SQUARE).open(objectives=["f", "g"]).campaign_
    with pytest.raises(InputError, match=r"for each candidate \(1\). Got 3. Pass 1 row of 2 values"):
        campaign.tell([{"x": 0.5, "y": 0.5}], [1.0, 2.0, 3.0])
    with pytest.raises(InputError, match=r"status must be one of .* Got 'bad'"):
        campaign.tell({"x": 0.5, "y": 0.5}, [1.0, 2.0], status="bad")
    with pytest.raises(InputError, match=r"value must be a number. Got nan"):
        campaign.tell({"x": 0.5, "y": 0.5}, [np.nan, np.nan])
    with pytest.raises(InputError, match=r"have 2 values each \(x, y\). Got 1"):
        campaign.tell([[0.5]], [[1.0, 2.0]])
    with pytest.raises(InputError, match=r"n must be a whole number of 1 or more. Got 0"):
        campaign.ask(0)
    with pytest.raises(InputError, match=r"asked of one objective. Got 2"):
        _ = campaign.best_
    with pytest.raises(InputError, match=r"candidates must be left out"):
        BayesianProposer(space=SQUARE).open([[0.0]], "f")
    with pytest.raises(InputError, match=r"objectives must be given"):
        BayesianProposer(space=SQUARE).open()
    with pytest.raises(InputError, match=r"candidates must be given"):
        BayesianProposer().open(objectives="f")


def test_an_exhausted_space_says_so():
    space = Box({"x": (0.0, 1.0)}, step=0.5)
    proposer = BayesianProposer(space=space).open(objectives="f")
    proposer.tell([[0.0], [0.5]], [0.0, 1.0])
    with pytest.warns(UserWarning, match=r"1 of 2 points: no other point was found in Box\(x 0 to 1\)"):
        assert len(proposer.ask(2)) == 1


def test_categories_are_told_by_their_names():
    space = Product(Box({"T": (300.0, 400.0)}), Categorical("solvent", ["water", "THF"]))
    campaign = Campaign(space, "yield [%]", proposer=EvolutionaryProposer(size=4, space=space))
    for k in range(6):
        (proposal,) = campaign.ask()
        assert proposal.index is None
        campaign.start(proposal)
        campaign.tell(proposal, 10.0 * (proposal.x["solvent"] == "THF") + k)
    campaign.tell(pd.DataFrame({"T": [310.0], "solvent": ["water"], "yield [%]": [3.0]}))
    table = campaign.table_
    assert set(table["solvent"]) <= {"water", "THF"}
    assert (len(table), campaign.status_.n_observed, len(campaign.results_)) == (7, 7, 7)
    assert campaign.best_.x["solvent"] == table.loc[table["yield [%]"].idxmax(), "solvent"]
    assert campaign.pool.rows([campaign.pool.identity(2)]).tolist() == [2]
    with pytest.raises(InputError, match="ethanol"):
        campaign.tell({"T": 310.0, "solvent": "ethanol"}, 1.0)


MIXED = Product(
    Box({"T": (300.0, 900.0)}, step=25.0), Categorical("s", ["u", "v", "w"]),
    constraints=[LinearConstraint({"T": 1.0}, high=850.0)],
)  # fmt: skip


@pytest.mark.parametrize(
    "kind", [BayesianProposer, EvolutionaryProposer, RandomProposer, SpaceFillingProposer]
)
def test_a_campaign_hands_its_space_to_a_copy_of_the_proposer(kind):
    proposer = kind()
    campaign = Campaign(MIXED, "y", proposer=proposer)
    four = campaign.ask(4)
    assert len({proposal.id for proposal in four}) == 4
    assert MIXED.contains(MIXED.matrix([proposal.x for proposal in four])).all()
    assert campaign.ask(2) == four[:2]
    assert proposer.space is None
    campaign.start(four[0])
    assert four[0].id not in {proposal.id for proposal in campaign.ask(3)}
    own = Campaign(MIXED, "y", proposer=kind(space=MIXED))
    assert own.ask(1)[0].x == four[0].x


def test_space_filling_points_are_far_apart():
    campaign = Campaign(SQUARE, "f", proposer=SpaceFillingProposer())
    X = SQUARE.encode(SQUARE.matrix([proposal.x for proposal in campaign.ask(5)]))
    np.testing.assert_allclose(X[0], 0.0, atol=0.05)
    assert np.abs(X[1:]).min() > 0.45  # the corners


def test_a_proposer_of_lists_is_refused_in_a_space():
    with pytest.raises(InputError, match=r"proposer must serve a space.*Got ExhaustiveProposer\(\)"):
        Campaign(SQUARE, "Tc", proposer=ExhaustiveProposer())


@pytest.mark.parametrize("kind", [RandomProposer, EvolutionaryProposer])
def test_every_level_is_drawn_first(kind):
    asked = [Campaign(MIXED, "y", proposer=kind(), random_state=k).ask()[0].x["s"] for k in range(30)]
    assert min(asked.count(level) for level in "uvw") >= 3


def test_categories_in_what_a_campaign_answers():
    campaign = Campaign(MIXED, "y", proposer=RandomProposer())
    assert len(campaign.explain(campaign.ask()[0])) == 0
    campaign.tell([{"T": 500.0, "s": "v"}, {"T": 300.0, "s": "w"}], [2.0, 1.0])
    assert repr(campaign.best_) == "BestResult(T=500, s=v, y: 2)"
    near = campaign.explain({"T": 525.0, "s": "v"})
    assert near["s"].tolist() == ["v", "w"]
    assert near["distance"].iloc[0] == pytest.approx(25 / 600)


def test_results_from_outside_a_space_are_pointed_at_once():
    campaign = Campaign(MIXED, "y", proposer=RandomProposer())
    for point, said in [
        (
            {"T": 1000.0, "s": "u"},
            r"T is 1000, outside 300 to 900; 1 T is 1000, outside -inf to 850; the ",
        ),
        (
            {"T": 510.0, "s": "u"},
            r"T is 510, off its step; the nearest value is 500; the result was recorded",
        ),
    ]:
        with pytest.warns(CampaignWarning, match=said):
            report = campaign.tell(point, 1.0)
        assert len(report.notes) == 1
        campaign.tell(point, 1.1)
    campaign.tell({"T": 200.0, "s": "u"}, 1.0, adopt=True)
    campaign.tell(campaign.ask()[0], 1.0)
    assert campaign.status_.n_observed == 4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fractions = Campaign(Mixture(["a", "b", "c"], step=0.1), "y", proposer=RandomProposer())
        for proposal in fractions.ask(5):
            fractions.tell(dict(proposal.x), 1.0)
