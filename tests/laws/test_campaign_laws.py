"""Laws of every campaign: asking is repeatable, batches are greedy, the order of results is nothing."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sozai.proposals.campaign import Campaign
from sozai.proposals.campaign_events import CampaignWarning, fold
from sozai.proposals.model_free import ExhaustiveProposer, RandomProposer, SpaceFillingProposer

PROPOSERS = [ExhaustiveProposer, RandomProposer, SpaceFillingProposer]
POOL = pd.DataFrame(np.random.default_rng(5).random((30, 2)).round(3), columns=["u", "v"])
RESULTS = st.lists(
    st.tuples(
        st.integers(0, 29), st.floats(-1e3, 1e3), st.sampled_from(["ok", "failed", "censored_low", "invalid"])
    ),
    max_size=12,
)


def told(results, proposer, order):
    campaign = Campaign(POOL, "y", proposer=proposer, random_state=11)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CampaignWarning)
        for k in order:
            row, value, status = results[k]
            campaign.tell(row, value, status=status, run_id=f"run {k}")
    return campaign


@pytest.mark.parametrize("proposer", PROPOSERS)
@given(results=RESULTS, n=st.integers(1, 5))
def test_asking_is_repeatable_and_greedy(proposer, results, n):
    campaign = told(results, proposer(), range(len(results)))
    few = campaign.ask(n)
    assert campaign.ask(n) == few
    assert campaign.ask(n + 1)[:n] == few
    fresh = told(results, proposer(), range(len(results)))
    assert fresh.ask(n + 1)[:n] == few


@pytest.mark.parametrize("proposer", PROPOSERS)
@given(results=RESULTS, data=st.data())
def test_the_order_of_results_changes_no_bit(proposer, results, data):
    order = data.draw(st.permutations(range(len(results))))
    one, two = told(results, proposer(), range(len(results))), told(results, proposer(), order)
    assert one.ask(3) == two.ask(3)
    seen, other = one.observations_, two.observations_
    for name in ("rows", "Y", "noise", "counts", "censored", "failed", "closed", "replicate_variance"):
        np.testing.assert_array_equal(getattr(seen, name), getattr(other, name))
    assert seen.seed == other.seed


@given(results=RESULTS)
def test_telling_twice_is_telling_once(results):
    once = told(results, RandomProposer(), range(len(results)))
    twice = told(results, RandomProposer(), [*range(len(results)), *range(len(results))])
    assert len(once.events_) == len(twice.events_)
    assert once.ask(2) == twice.ask(2)


@given(results=RESULTS)
def test_the_state_is_the_fold_of_the_events(results):
    campaign = told(results, RandomProposer(), range(len(results)))
    campaign.start(campaign.ask(2))
    assert fold(campaign.events_) == campaign.state
    again = Campaign.from_events(POOL, "y", campaign.events_, proposer=RandomProposer())
    assert again.ask(2) == campaign.ask(2)
