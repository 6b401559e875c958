import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError, UnitError
from sozai.contracts.observations import Choice
from sozai.proposals.campaign import Campaign
from sozai.proposals.campaign_events import CampaignWarning, Event
from sozai.proposals.model_free import ExhaustiveProposer, RandomProposer, SpaceFillingProposer
from sozai.proposals.objectives import Objective, Range, Target
from sozai.proposals.spaces import Box


def pool(n=8):
    return pd.DataFrame({"x": np.arange(n), "T [K]": np.linspace(300.0, 400.0, n)})


def begin(n=8, objectives="y [K]", **options):
    options.setdefault("proposer", ExhaustiveProposer())
    return Campaign(pool(n), objectives, **options)


def rows(proposals):
    return [proposal.index for proposal in proposals]


class TestAsk:
    def test_the_same_until_there_is_news(self):
        campaign = begin(proposer=RandomProposer())
        four = campaign.ask(4)
        assert campaign.ask(4) == four
        assert campaign.ask(2) == four[:2]
        six = campaign.ask(6)
        assert six[:4] == four
        assert {proposal.round for proposal in six} == {1}
        campaign.tell(six[0], 1.0)
        assert six[0].index not in rows(campaign.ask(4))
        assert campaign.ask()[0].round == 2

    def test_what_runs_is_not_proposed_until_released(self):
        campaign = begin()
        first = campaign.ask(2)
        campaign.start(first)
        assert rows(campaign.ask(2)) == [2, 3]
        assert campaign.status_.n_running == 2
        campaign.release(first[0])
        assert rows(campaign.ask(2)) == [0, 2]
        with pytest.warns(CampaignWarning, match=r"Candidate at row 5 is not running"):
            campaign.release(5)

    def test_more_than_remain(self):
        campaign = begin(3)
        campaign.tell(1, 0.5)
        with pytest.warns(CampaignWarning, match=r"2 of 5 proposals: no more candidates are open"):
            assert rows(campaign.ask(5)) == [0, 2]

    @pytest.mark.parametrize("n", [0, -1, 1.5, True])
    def test_n_must_be_positive(self, n):
        with pytest.raises(InputError, match=r"n must be a whole number of 1 or more. Got " + repr(n)):
            begin().ask(n)

    def test_all_observed_or_failed(self):
        campaign = begin(3)
        campaign.tell([0, 1], [1.0, 2.0])
        campaign.tell(2, status="failed")
        assert campaign.status_.finished
        with pytest.warns(CampaignWarning, match=r"Nothing is left to propose") as caught:
            assert campaign.ask(2) == []
        assert len(caught) == 1

    def test_failed_ones_come_again_on_request(self):
        campaign = begin(2, retry_failed=True)
        campaign.tell(0, status="failed")
        assert rows(campaign.ask(2)) == [0, 1]
        assert campaign.status_.n_failed == 1

    def test_invalid_results_inform_nothing(self):
        campaign = begin(2)
        campaign.tell(0, 7.0, status="invalid")
        assert campaign.status_.n_observed == 0
        assert rows(campaign.ask()) == [0]

    def test_cancel_writes_no_event(self):
        class Cancelled:
            def propose(self, observations, n):
                raise KeyboardInterrupt

        campaign = begin(proposer=Cancelled())
        with pytest.raises(KeyboardInterrupt):
            campaign.ask()
        assert [event.kind for event in campaign.events_] == ["created"]

    def test_a_proposer_must_keep_its_promises(self):
        class Stubborn:
            def propose(self, observations, n):
                nan = np.array([np.nan])
                return [Choice(3, 0.0, nan, nan, "always")] * n

        campaign = begin(proposer=Stubborn())
        assert rows(campaign.ask()) == [3]
        campaign.tell(3, 1.0)
        with pytest.raises(
            InputError, match=r"Stubborn.propose: choices must be open candidates.*Got 'row 3'"
        ):
            campaign.ask()

    def test_none_observed_fills_the_space_and_says_so(self):
        proposals = begin(proposer=SpaceFillingProposer()).ask(2)
        assert "nothing is measured yet" in proposals[0].reason
        assert rows(proposals)[1] in (0, 7)

    def test_allowed_masks_candidates(self):
        campaign = begin(4, allowed=[False, True, False, True])
        with pytest.warns(CampaignWarning, match=r"2 of 4"):
            assert rows(campaign.ask(4)) == [1, 3]

    def test_seed_depends_on_random_state(self):
        asked = [rows(begin(50, proposer=RandomProposer(), random_state=s).ask(5)) for s in (0, 0, 1)]
        assert asked[0] == asked[1] != asked[2]


class TestTell:
    def test_a_proposal_told_twice_counts_once(self):
        campaign = begin()
        proposal = campaign.ask()[0]
        assert campaign.tell(proposal, 1.0).n_recorded == 1
        again = campaign.tell(proposal, 1.0)
        assert (again.n_recorded, again.n_repeated) == (0, 1)
        assert campaign.tell(proposal, 1.5).n_recorded == 1
        assert campaign.observations_.Y.tolist() == [[1.25]]

    def test_run_id_counts_once_and_keeps_its_value(self):
        campaign = begin()
        event = campaign.tell(2, 4.0, run_id="a7").events[0]
        assert campaign.tell(2, 4.0, run_id="a7").n_repeated == 1
        with pytest.raises(
            InputError, match=r"run_id 'a7' must keep its value \[4.0\]. Got \[5.0\].*correct"
        ):
            campaign.tell(2, 5.0, run_id="a7")
        campaign.correct(event, 5.0)
        assert campaign.best_.value == 5.0

    def test_replicates_are_kept_and_averaged(self):
        campaign = begin()
        for value in (1.0, 2.0, 6.0):
            campaign.tell(3, value, sigma=3.0)
        seen = campaign.observations_
        assert seen.Y.tolist() == [[3.0]]
        assert seen.counts.tolist() == [[3]]
        assert seen.noise[0, 0] == pytest.approx(3.0)
        assert seen.replicate_variance[0] == pytest.approx(7.0)
        assert len(campaign.results_) == 3

    def test_nan_without_status(self):
        with pytest.raises(
            InputError, match=r"value must be a number. Got nan for candidate 1. Give status='failed'"
        ):
            begin().tell(1, float("nan"))

    def test_infinity_text_and_unknown_status(self):
        with pytest.raises(InputError, match=r"value must be a finite number. Got inf for candidate 1"):
            begin().tell(1, np.inf)
        with pytest.raises(InputError, match=r"Got 'blue' for candidate 1"):
            begin().tell(1, "blue")
        with pytest.raises(InputError, match=r"status must be one of .*Got 'perhaps' for candidate 1"):
            begin().tell(1, 1.0, status="perhaps")
        with pytest.raises(InputError, match=r"sigma must be a finite number of 0 or more. Got -1"):
            begin().tell(1, 1.0, sigma=-1)

    def test_nothing_is_recorded_when_one_of_many_is_refused(self):
        campaign = begin()
        with pytest.raises(InputError):
            campaign.tell([0, 1, 2], [1.0, 2.0, np.nan])
        assert campaign.status_.n_observed == 0

    def test_unknown_candidates_need_adopt(self):
        campaign = begin()
        with pytest.raises(InputError, match=r"index must be a row of the candidates \(0 to 7\). Got 8"):
            campaign.tell(8, 1.0)
        with pytest.raises(InputError, match=r"be one of the 8 in the list. Got \{'x': 99.*adopt=True"):
            campaign.tell({"x": 99, "T [K]": 300.0}, 1.0)
        campaign.tell({"x": 99, "T [K]": 300.0}, 1.0, adopt=True)
        assert campaign.best_.x == {"x": 99, "T [K]": 300}
        assert campaign.best_.index == 8
        with pytest.raises(InputError, match=r"Got 'ffffffffffff'"):
            campaign.tell("ffffffffffff", 1.0, adopt=True)

    def test_after_close_with_a_warning(self):
        campaign = begin()
        campaign.close()
        assert campaign.status_.finished
        with pytest.warns(CampaignWarning, match=r"closed; nothing is proposed"):
            assert campaign.ask() == []
        with pytest.warns(CampaignWarning, match=r"closed; the result was recorded"):
            campaign.tell(0, 1.0)
        assert campaign.status_.n_observed == 1

    def test_out_of_order_is_accepted(self):
        campaign = begin()
        first, second = campaign.ask(2)
        campaign.start([first, second])
        campaign.tell(second, 1.0)
        campaign.tell(7, 3.0)
        campaign.tell(first, 2.0)
        assert campaign.observations_.rows.tolist() == [0, 1, 7]
        assert campaign.status_.n_running == 0

    def test_units_are_converted(self):
        campaign = begin()
        report = campaign.tell(0, 27.0, unit="degC", sigma=0.5)
        assert campaign.best_.value == pytest.approx(300.15)
        assert campaign.best_.std == pytest.approx(0.5)
        assert "27 degC for candidate 0 was read as 300.15 K." in report.notes
        campaign.tell(pd.DataFrame({"index": [1], "y [mK]": [4e5]}))
        assert campaign.best_.value == pytest.approx(400.0)
        with pytest.raises(UnitError, match=r"equal dimensions"):
            campaign.tell(2, 1.0, unit="eV")
        with pytest.raises(UnitError, match=r"'y' has none"):
            begin(objectives="y").tell(2, 1.0, unit="eV")

    def test_text_of_a_cell(self):
        campaign = begin()
        campaign.tell([0, 1, 2, 3], ["1.5 ± 0.2", "<0.1", "> 5", "失敗"])
        seen = campaign.observations_
        assert seen.rows.tolist() == [0, 1, 2]
        assert seen.censored.ravel().tolist() == [0, -1, 1]
        assert seen.noise[0, 0] == pytest.approx(0.04)
        assert seen.failed.tolist() == [3]
        assert campaign.best_.index == 0

    def test_frames(self):
        campaign = begin()
        frame = pd.DataFrame(
            {"y": [1.0, 2.0, np.nan], "status": ["ok", None, "failed"], "run_id": ["a", "b", "c"]}
        )
        assert campaign.tell(frame).n_recorded == 3
        assert campaign.tell(frame).n_repeated == 3
        by_point = pool(8).iloc[[5]].assign(**{"y [K]": 9.0, "y__sigma": 0.5})
        campaign.tell(by_point)
        assert (campaign.best_.index, campaign.best_.std) == (5, 0.5)
        with pytest.raises(InputError, match=r"have a column for one of \['y \[K\]'\]"):
            campaign.tell(pd.DataFrame({"z": [1.0]}))

    def test_conflicting_replicates_are_kept_and_named(self):
        campaign = begin()
        campaign.tell([0, 0, 0, 1, 1], [1.0, 1.1, 0.9, 2.0, 2.1])
        with pytest.warns(CampaignWarning, match=r"y \[K\] of row 1: 50 differs from 2.05 by more than 6"):
            campaign.tell(1, 50.0)
        assert campaign.observations_.counts.ravel().tolist() == [3, 3]

    def test_failed_then_measured_is_measured(self):
        campaign = begin(retry_failed=True)
        campaign.tell(0, status="failed")
        campaign.tell(0, 2.0)
        assert campaign.observations_.failed.tolist() == []

    def test_running_by_status(self):
        campaign = begin()
        campaign.tell(4, status="running")
        assert campaign.observations_.pending.tolist() == [4]

    def test_several_objectives(self):
        goals = [Objective("strength"), Objective("cost [USD]", "minimize")]
        campaign = begin(objectives=goals)
        campaign.tell([0, 1, 2], [[1.0, 5.0], [2.0, 9.0], [0.5, np.nan]])
        seen = campaign.observations_
        assert np.isnan(seen.Y[2, 1])
        assert np.isnan(seen.noise[2, 1])
        assert seen.counts.tolist() == [[1, 1], [1, 1], [1, 0]]
        campaign.tell(3, {"cost": 3.0})
        with pytest.raises(InputError, match=r"best_ must be asked of one objective. Got 2. Use front_"):
            _ = campaign.best_
        with pytest.raises(InputError, match=r"have one entry for each of 2 objectives. Got 1.0"):
            campaign.tell(4, 1.0)
        with pytest.raises(InputError, match=r"name objectives \(\['strength', 'cost'\]\). Got 'price'"):
            campaign.tell(4, {"price": 1.0})

    def test_bounds_on_both_sides_meet(self):
        campaign = begin()
        campaign.tell([0, 0, 0], [4.0, 1.0, 6.0], status=["censored_low", "censored_high", "censored_low"])
        seen = campaign.observations_
        assert (seen.Y[0, 0], seen.censored[0, 0]) == (2.5, 0)
        assert seen.noise[0, 0] == pytest.approx(9.0 / 12.0)


class TestHistory:
    def test_a_correction_keeps_the_old_value(self):
        campaign = begin()
        event = campaign.tell(0, 1.0).events[0]
        campaign.correct(event, 3.0)
        assert campaign.best_.value == 3.0
        assert [e.data["values"] for e in campaign.events_ if "values" in e.data] == [[1.0], [3.0]]
        campaign.correct(event, None)
        assert campaign.best_ is None
        with pytest.raises(InputError, match=r"event_id must be a result that counts. Got 'nowhere'"):
            campaign.correct("nowhere", 1.0)

    def test_rollback_withdraws_later_rounds(self):
        campaign = begin()
        campaign.tell(0, 1.0)
        for value in (2.0, 3.0):
            campaign.tell(campaign.ask()[0], value)
        campaign.start(campaign.ask())
        campaign.rollback(2)
        assert campaign.observations_.rows.tolist() == [0, 1]
        assert campaign.status_.n_running == 0
        assert rows(campaign.ask()) == [2]
        campaign.tell(2, 3.0, run_id="z")
        campaign.rollback(0)
        assert campaign.tell(2, 3.0, run_id="z").n_recorded == 1

    def test_a_removed_candidate_that_runs_is_an_orphan(self):
        campaign = begin()
        proposal = campaign.ask()[0]
        campaign.start(proposal)
        with pytest.warns(CampaignWarning, match=r"1 of the removed candidates are running"):
            campaign.remove_candidates(proposal)
        assert rows(campaign.ask()) == [1]
        with pytest.warns(CampaignWarning, match=r"left the list; its result was recorded all the same"):
            campaign.tell(proposal, 9.0)
        assert campaign.best_.value == 9.0
        assert campaign.status_.n_candidates == 7
        assert campaign.add_candidates(pool().iloc[[0]]) == 1
        assert campaign.status_.n_candidates == 8

    def test_candidates_join_at_the_end(self):
        campaign = begin(3)
        assert campaign.add_candidates(pd.DataFrame({"T [K]": [1.0, 300.0], "x": [50, 0]})) == 1
        assert campaign.table_.loc[3, "x"] == 50
        assert campaign.status_.n_open == 4

    def test_events_tell_the_whole_campaign_in_any_order_of_rows(self):
        campaign = begin(20, proposer=RandomProposer())
        for value in (3.0, 1.0):
            proposal = campaign.ask(2)
            campaign.start(proposal[1])
            campaign.tell(proposal[0], value)
        shuffled = pool(20).sample(frac=1.0, random_state=3)
        again = Campaign.from_events(shuffled, "y [K]", campaign.events_, proposer=RandomProposer())
        assert again.best_.x == campaign.best_.x
        assert again.status_ == campaign.status_
        same = Campaign.from_events(pool(20), "y [K]", campaign.events_, proposer=RandomProposer())
        assert same.ask(3) == campaign.ask(3)
        with pytest.raises(InputError, match=r"begin with 'created'"):
            Campaign.from_events(pool(20), "y", [])
        first = campaign.events_[0]
        newer = first._replace(data=first.data | {"schema": 99})
        with pytest.raises(InputError, match=r"schema must be 1 or older. Got 99"):
            Campaign.from_events(pool(20), "y", [newer])

    def test_merge_loses_nothing(self):
        one = begin()
        two = Campaign.from_events(pool(), "y [K]", one.events_, proposer=ExhaustiveProposer())
        one.tell(0, 1.0)
        two.tell(1, 2.0)
        two.tell(0, 1.0)
        assert one.merge(two.events_) == 2
        assert one.observations_.counts.ravel().tolist() == [2, 1]
        assert [event.sequence for event in one.events_] == list(range(4))
        assert one.merge(two.events_) == 0

    def test_unknown_kinds_are_refused(self):
        campaign = begin()
        with pytest.raises(InputError, match=r"kind of event must be one of .*Got 'dreamt'"):
            campaign.merge([*campaign.events_, Event(1, "q.0", "dreamt", "", {})])

    def test_explain_lists_the_nearest_results(self):
        campaign = begin()
        campaign.tell([0, 7], [1.0, 2.0])
        proposal = campaign.ask()[0]
        frame = campaign.explain(proposal, n=1)
        assert frame["index"].tolist() == [0]
        assert frame["distance"][0] == pytest.approx(np.sqrt(2) / 7)
        assert frame.attrs["reason"] == proposal.reason


class TestCandidates:
    @pytest.mark.parametrize(
        ("value", "shown"), [("", "''"), ("red", "'red'"), (np.nan, "'a blank'"), (np.inf, "inf")]
    )
    def test_bad_descriptors_are_named(self, value, shown):
        frame = pool().astype(object)
        frame.loc[3, "x"] = value
        with pytest.raises(InputError, match=f"Got {shown} at row 3, column 'x' \\(1 such cell\\)"):
            Campaign(frame, "y")

    def test_results_in_the_table(self):
        frame = pool().assign(**{"y [K]": [1.0, np.nan, 4.0, *[np.nan] * 5]})
        campaign = Campaign(frame, Objective("y [K]", "minimize"), proposer=ExhaustiveProposer())
        assert campaign.best_.index == 0
        assert campaign.status_.n_observed == 2
        assert campaign.table_["status"].tolist()[:3] == ["ok", "", "ok"]

    def test_repeated_candidates_are_one(self):
        frame = pd.DataFrame({"x": [0, 1, 0, 0], "y": [1.0, 5.0, 3.0, np.nan]})
        with pytest.warns(
            CampaignWarning, match=r"2 rows repeat a candidate, first row 2 \(the same as row 0\)"
        ):
            campaign = Campaign(frame, "y")
        assert campaign.observations_.rows.tolist() == [0, 1]
        assert campaign.observations_.counts.ravel().tolist() == [2, 1]
        assert campaign.status_.n_candidates == 2
        campaign.tell(3, 8.0)
        assert campaign.observations_.Y[0, 0] == 4.0

    def test_input_is_left_alone(self):
        frame = pool().assign(y=np.nan)
        before = frame.copy()
        campaign = Campaign(frame, "y")
        campaign.tell(0, 1.0)
        pd.testing.assert_frame_equal(frame, before)

    def test_goals(self):
        frame = pool(3).assign(y=[1.0, 2.0, 7.0])
        assert Campaign(frame, Objective("y", Target(2.2))).best_.index == 1
        assert Campaign(frame, Objective("y", Range(5.0, 9.0))).best_.index == 2

    def test_cost(self):
        campaign = Campaign(pool(3).assign(price=[1.0, 2.0, 4.0]), "y", cost="price")
        assert campaign.observations_.names == ("x", "T [K]")
        assert campaign.observations_.cost.tolist() == [1.0, 2.0, 4.0]
        campaign.tell({"x": 9, "T [K]": 1.0}, 1.0, adopt=True)
        assert campaign.observations_.cost.tolist() == [1.0, 2.0, 4.0, 2.0]
        by_function = Campaign(pool(3), "y", cost=lambda frame: frame["x"] + 1.0)
        assert by_function.observations_.cost.tolist() == [1.0, 2.0, 3.0]
        with pytest.raises(InputError, match=r"cost must hold 3 positive numbers. Got 0.0 at row 1"):
            Campaign(pool(3), "y", cost=[1.0, 0.0, 2.0])
        with pytest.raises(InputError, match=r"cost must be a column"):
            Campaign(pool(3), "y", cost="price")

    def test_empty_and_odd_input(self):
        with pytest.raises(InputError, match=r"candidates must have at least one row"):
            Campaign(pool(0), "y")
        with pytest.raises(InputError, match=r"objectives must have different names. Got 'y'"):
            Campaign(pool(), ["y", "y [K]"])
        with pytest.raises(InputError, match=r"allowed must hold 8 truth values"):
            begin(allowed=[1.0])
        with pytest.raises(
            InputError, match=r"random_state must be None or a whole number of 0 or more. Got -1"
        ):
            begin(random_state=-1)
        with pytest.raises(InputError, match=r"goal must be 'maximize'.*Got 'improve' for 'y'"):
            Objective("y", "improve")
        with pytest.raises(InputError, match=r"low must lie below high \(1.0\).*Got 2.0"):
            Range(2.0, 1.0)

    def test_front(self):
        pytest.importorskip("sozai.proposals.pareto")
        frame = pool(4).assign(a=[1.0, 2.0, 3.0, 0.0], b=[3.0, 2.0, 2.5, 9.0])
        campaign = Campaign(frame, [Objective("a"), Objective("b", "minimize")])
        assert campaign.front_.index.tolist() == [1, 2]


class Halves:
    """Proposes 1/2, 1/4, 1/8, ..."""

    space = None

    def propose(self, observations, n):
        nan = np.array([np.nan])
        known = len(observations.X)
        return [Choice(None, 0.0, nan, nan, "half", {"x": 0.5 ** (known + k + 1)}) for k in range(n)]


def test_a_continuous_space_grows_by_what_is_told():
    campaign = Campaign(Box({"x": (0.0, 1.0)}), "y", proposer=Halves())
    first, second = campaign.ask(2)
    assert (first.index, first.x, second.x) == (None, {"x": 0.5}, {"x": 0.25})
    campaign.start(first)
    campaign.tell(first, 2.0)
    campaign.tell({"x": 0.1}, 3.0)
    assert campaign.best_.x == {"x": 0.1}
    assert campaign.observations_.X.tolist() == [[0.1], [0.5]]
    assert campaign.ask()[0].x == {"x": 0.125}
    assert not campaign.status_.finished


def test_without_a_proposer_a_model_proposes():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.random((60, 2)), columns=["u", "v"])
    truth = -((frame["u"] - 0.3) ** 2) - (frame["v"] - 0.6) ** 2
    told = [int(row) for row in rng.permutation(60)[:8]]
    one, two = Campaign(frame, "y"), Campaign(frame, "y")
    assert "nothing" in one.ask()[0].reason.lower() or "middle" in one.ask()[0].reason.lower()
    for campaign, order in ((one, told), (two, told[::-1])):
        for row in order:
            campaign.tell(row, truth[row])
    three = one.ask(3)
    assert three[:2] == one.ask(2)
    assert [proposal.id for proposal in two.ask(3)] == [proposal.id for proposal in three]
    assert three[0].mean == pytest.approx(two.ask()[0].mean, rel=1e-6)
    assert three[0].model == "BayesianProposer"
    assert three[0].std > 0
    one.start(three[0])
    assert three[0].index not in rows(one.ask(3))
    assert one.explain(three[0]).shape[0] >= 1
    one.tell(three[0], truth[three[0].index])
    for _ in range(12):
        proposal = one.ask()[0]
        one.tell(proposal, truth[proposal.index])
    assert one.best_.index == int(truth.argmax())


def test_messages_name_what_was_called():
    campaign = Campaign([[0.0], [1.0]], "Tc [K]", proposer=ExhaustiveProposer())
    for method in ("start", "release", "remove_candidates", "explain"):
        with pytest.raises(InputError, match=rf"Campaign.{method}: index must be a row .*0 to 1\). Got 9"):
            getattr(campaign, method)(9)
    with pytest.raises(
        InputError, match=r"Campaign.start: candidate must be one of the 2.*Add it by add_cand"
    ):
        campaign.start({"x0": 3.0})
    with pytest.raises(UnitError, match=r"Campaign.tell: unit must fit 'Tc \[K\]'. Got 'm' for candidate 1."):
        campaign.tell(1, "3 m")
    with pytest.raises(InputError, match=r"proposer must have a method propose.*Got 'bayesian'"):
        Campaign([[0.0], [1.0]], "y", proposer="bayesian")


def test_two_writers_who_disagree_are_pointed_at():
    one = Campaign([[0.0], [1.0]], "y", proposer=ExhaustiveProposer())
    two = Campaign.from_events([[0.0], [1.0]], "y", one.events_, proposer=ExhaustiveProposer())
    one.tell(0, 1.0, run_id="a")
    two.tell(0, 2.0, run_id="a")
    with pytest.warns(CampaignWarning, match="1 result came twice under one run_id"):
        two.merge(one.events_)
    assert two.best_.value == 1.0


def test_events_of_another_campaign_are_no_news():
    pool = pd.DataFrame({"x": [0.0, 0.5, 1.0]})
    mine, other = Campaign(pool, "Tc"), Campaign(pool, "Hc")
    other.tell(1, 7.0)
    for events in (other.events_, mine.events_[1:]):
        with pytest.raises(InputError, match="of this campaign"):
            mine.merge(events)
    assert not len(mine.results_)


def test_one_word_serves_all_objectives():
    campaign = begin(objectives=["a", "b"])
    campaign.tell(0, "failed")
    assert campaign.status_.n_failed == 1
    with pytest.raises(InputError, match=r"have one entry for each of 2 objectives. Got '1.5'"):
        campaign.tell(1, "1.5")


def test_a_truth_value_is_no_result():
    with pytest.raises(InputError, match=r"value must be a finite number. Got True for candidate 3"):
        begin().tell(3, True)


def test_dates_are_no_descriptors():
    with pytest.raises(InputError, match=r"finite numbers. Got Timestamp.*at row 0, column 'day' \(8 such"):
        Campaign(pool().assign(day=pd.date_range("2020-01-01", periods=8, tz="UTC")), "y")


def test_an_objective_takes_the_unit_of_its_column():
    campaign = Campaign(pool(3).assign(**{"Tc (K)": [1.0, np.nan, np.nan]}), Objective("Tc", "minimize"))
    assert campaign.objectives == (Objective("Tc", "minimize", unit="K"),)
    again = Campaign.from_events(pool(3).assign(**{"Tc (K)": np.nan}), "Tc", campaign.events_)
    assert again.best_.objective == "Tc [K]"
    with pytest.raises(UnitError, match=r"unit must"):
        Campaign(pool(1).assign(**{"Tc (K)": 1.0}), "Tc [T]")


def test_blank_text_in_the_table_is_blank():
    status = Campaign(pool(4).assign(y=["1", "failed", " ", "NA"]), "y").status_
    assert (status.n_observed, status.n_failed, status.n_open) == (1, 1, 2)


def test_an_objective_is_no_column_of_the_space():
    with pytest.raises(InputError, match=r"other names than the columns of the space. Got 'x'"):
        Campaign(Box({"x": (0.0, 1.0)}), "x")
