"""Lines through a candidate: at the candidate they say what the proposal says."""

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.contracts.estimator import NotFittedError
from sozai.proposals import BayesianProposer, Campaign, Objective, posterior_slices
from sozai.proposals.model_slices import fraction_groups


def asked(objectives, n=40):
    rng = np.random.default_rng(0)
    pool = pd.DataFrame(rng.uniform(size=(n, 2)), columns=["a", "b"]).assign(c=1.0)
    campaign = Campaign(pool, objectives, proposer=BayesianProposer())
    for row in range(12):
        a, b = pool.loc[row, ["a", "b"]]
        campaign.tell(row, [a * b, a - b][: len(campaign.objectives)])
    with pytest.warns(UserWarning, match="constant"):
        (proposal,) = campaign.ask()
    return campaign, proposal


@pytest.mark.parametrize("objectives", ["y [K]", ["y [K]", Objective("z", "minimize")]])
def test_at_the_candidate_the_line_says_what_the_proposal_says(objectives):
    campaign, proposal = asked(objectives)
    seen = campaign.observations_
    found = posterior_slices(campaign.proposer, seen, proposal.index, n_points=401)
    for objective in campaign.objectives:
        mean = proposal.mean if isinstance(proposal.mean, float) else proposal.mean[objective.name]
        std = proposal.std if isinstance(proposal.std, float) else proposal.std[objective.name]
        for name in ("a", "b"):
            line = found.curves.query("objective == @objective.name and descriptor == @name")
            assert np.interp(proposal.x[name], line["value"], line["mean"]) == pytest.approx(mean, abs=1e-3)
            assert np.interp(proposal.x[name], line["value"], line["std"]) == pytest.approx(std, rel=0.02)
    assert found.x == proposal.x
    assert found.units == {o.name: o.unit for o in campaign.objectives}
    assert len(found.observed) == 12


def test_the_profile_has_the_score_of_the_proposal():
    campaign, proposal = asked("y")
    found = posterior_slices(campaign.proposer, campaign.observations_, proposal.index)
    for _, part in found.profile.groupby("descriptor"):
        assert part["score"].max() == pytest.approx(proposal.score)


def test_what_is_refused():
    campaign, _ = asked("y")
    seen = campaign.observations_
    with pytest.raises(InputError, match=r"row of the candidates \(0 to 39\)\. Got 40"):
        posterior_slices(campaign.proposer, seen, 40)
    with pytest.raises(InputError, match=r"n_points must be 2 or more\. Got 1"):
        posterior_slices(campaign.proposer, seen, 0, n_points=1)
    with pytest.raises(NotFittedError, match="Call propose or ask first"):
        posterior_slices(BayesianProposer(), seen, 0)


def test_lines_of_fractions_keep_their_sum():
    rows = [(a, b, 100 - a - b) for a in range(0, 101, 20) for b in range(0, 101 - a, 20)]
    pool = pd.DataFrame(rows, columns=["Fe [at%]", "Co [at%]", "Ni [at%]"]).assign(**{"T [K]": 300.0})
    pool["T [K]"] += 10.0 * (np.arange(len(pool)) % 3)
    campaign = Campaign(pool, "y", proposer=BayesianProposer())
    for row in range(0, len(pool), 2):
        campaign.tell(row, pool.loc[row, "Fe [at%]"] * pool.loc[row, "Co [at%]"])
    campaign.ask()
    seen = campaign.observations_
    assert fraction_groups(seen) == [[0, 1, 2]]
    at = int(np.flatnonzero((pool.iloc[:, :3] == [20, 60, 20]).all(axis=1))[0])
    curves = posterior_slices(campaign.proposer, seen, at, n_points=6).curves
    line = curves.query("descriptor == 'Fe [at%]'").set_index("value")
    # 60 % Fe leaves 30 % Co and 10 % Ni, in the ratio of the candidate
    model, posterior = campaign.proposer.gp_[0], campaign.proposer.posterior_
    known = posterior.points(posterior.observed)
    low, high = seen.X.min(axis=0), seen.X.max(axis=0)
    point = (np.array([60.0, 30.0, 10.0, pool.iloc[at, 3]]) - low) / (high - low) - 0.5
    both = model.posterior(np.vstack([known, point]), np.arange(len(known)))
    mean, _ = model.scale.to_user(both.mean[-1:], np.sqrt(both.variance[-1:]))
    assert line.loc[60.0, "mean"] == pytest.approx(mean[0], rel=1e-6)
