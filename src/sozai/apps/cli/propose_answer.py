"""From a list of candidates to proposals: read, enter results, choose, remember, say."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.output import collected_warnings, progress_console
from sozai.apps.cli.propose_question import ProposeQuestion, check_propose_places, goal_words
from sozai.apps.cli.usage import as_usage
from sozai.apps.cli.wording import in_command_words
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    from sozai.apps.cli.propose_reading import CandidateList
    from sozai.apps.cli.propose_results import TypedResult
    from sozai.contracts.records import Proposal
    from sozai.proposals.campaign import Campaign

__all__ = ["ProposeAnswer", "answer", "make_proposer"]

_NOISY = 0.5
"""Share of the variance of the results above which noise is pointed at."""


@dataclass
class ProposeAnswer:
    """Everything there is to say about one call.

    Attributes
    ----------
    question : ProposeQuestion
    listed : CandidateList
    campaign : Campaign
    proposals : list of Proposal
    intervals : list of dict of str to (float, float)
        For every proposal, where 90 % of new results of an objective are expected; empty without a model.
    deeds : list of str
        What was changed on disk, one line each.
    entered : list of TypedResult
        Results that ``--tell`` entered.
    notes : list of str
        Warnings.
    seconds : float
    """

    question: ProposeQuestion
    listed: CandidateList
    campaign: Campaign
    proposals: list[Proposal]
    intervals: list[dict[str, tuple[float, float]]] = field(default_factory=list)
    deeds: list[str] = field(default_factory=list)
    entered: list[TypedResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def answer(question: ProposeQuestion) -> None:
    """Answer the question on the terminal, as JSON, and into files."""
    from sozai.apps.cli.propose_output import deliver, finished_words

    start = time.perf_counter()
    check_propose_places(question)
    with collected_warnings() as notes:
        found = _proposed(question, notes)
        found.seconds = time.perf_counter() - start
        notes += _noise_words(found)
        found.notes = list(dict.fromkeys(in_command_words(note) for note in notes))
        if question.json and not found.proposals:
            found.notes.append(finished_words(found))
        deliver(found)


def make_proposer(question: ProposeQuestion, *, failures: bool = False, goal: Any = None) -> Any:
    """Who chooses.

    Parameters
    ----------
    question : ProposeQuestion
    failures : bool
        Whether experiments failed, so that the chance of success counts.
    goal : goal of the first objective, optional
        One that brings its own proposer gets it.

    Examples
    --------
    >>> from pathlib import Path
    >>> make_proposer(ProposeQuestion(Path("list.csv"), method="random"))
    RandomProposer()
    """
    from sozai.proposals import model_free

    plain = {
        "random": model_free.RandomProposer,
        "exhaustive": model_free.ExhaustiveProposer,
        "space-filling": model_free.SpaceFillingProposer,
    }
    if question.method in plain:
        return plain[question.method]()
    if question.method == "evolutionary":
        from sozai.proposals.evolutionary import EvolutionaryProposer

        return EvolutionaryProposer()
    if callable(getattr(goal, "proposer", None)):
        made = goal.proposer()
        return made if question.acquisition is None else made.set_params(score=question.acquisition)
    from sozai.proposals.bayesian import BayesianProposer

    options: dict[str, Any] = {}
    if failures:
        from sozai.proposals.outcomes import SuccessProbability

        options["outcomes"] = (SuccessProbability(),)
    return BayesianProposer(question.acquisition, **options)


def _proposed(question: ProposeQuestion, notes: list[str]) -> ProposeAnswer:
    """Read, enter what was told, choose, and remember what was started."""
    from sozai.apps.cli.propose_reading import begin_campaign, read_list, unused_words
    from sozai.apps.cli.propose_results import read_results, read_rows
    from sozai.study.campaign_folder import save_campaign

    with progress_console().status("reading the list", spinner="line") as status:
        listed = read_list(question)
        results = read_results(question.tells, listed)
        released = read_rows("--release", question.release or (), listed)
        withdrawn = read_rows("--withdraw", question.withdraw, listed)
        _check_acquisition(question, listed)
        campaign = begin_campaign(listed, question, None, remember=question.changes_record)
        notes += unused_words(listed, question)
        found = ProposeAnswer(question, listed, campaign, [])
        _take_in(found, results, released, withdrawn, notes)
        if question.tells_anything:
            save_campaign(campaign, question.list_path)  # what was measured is safe before anything is chosen
            found.deeds += _said_entered(found)
        seen = campaign.observations_
        goal = campaign.objectives[0].goal
        campaign.proposer = make_proposer(question, failures=bool(len(seen.failed)), goal=goal)
        if not len(seen.open):
            return found
        status.update(f"choosing from {len(seen.open):,} candidates by {len(seen.rows)} results")
        found.proposals = _asked(campaign, question)
        found.intervals = _new_results(campaign, found.proposals)
    return found


def _take_in(
    found: ProposeAnswer, results: list[Any], released: list[int], withdrawn: list[int], notes: list[str]
) -> None:
    """Take back, enter and release what was asked for."""
    from sozai.apps.cli.propose_results import enter_results, release_rows, withdraw_results

    if withdrawn:
        found.deeds += withdraw_results(found.campaign, withdrawn)
    if results:
        found.entered = enter_results(found.campaign, results, found.listed, notes)
    if found.question.release is not None:
        n = release_rows(found.campaign, released, notes)
        if n:
            found.deeds.append(f"Released: {n} {'candidate is' if n == 1 else 'candidates are'} open again.")


def _asked(campaign: Campaign, question: ProposeQuestion) -> list[Proposal]:
    """Proposals; work that divides is divided as asked."""
    if question.n_jobs is None:
        return campaign.ask(question.number)
    from joblib import parallel_config

    with parallel_config(n_jobs=question.n_jobs):
        return campaign.ask(question.number)


def _new_results(campaign: Campaign, proposals: list[Proposal]) -> list[dict[str, tuple[float, float]]]:
    """Ends of the 90 % intervals of new results, the parameters of the model uncertain too."""
    import numpy as np

    fits = getattr(campaign.proposer, "gp_", [])
    if not proposals or len(fits) != len(campaign.objectives):
        return [{} for _ in proposals]
    posteriors = campaign.proposer.posterior_
    posteriors = posteriors if isinstance(posteriors, list) else [posteriors]
    rows = np.array([proposal.index for proposal in proposals])
    found: list[dict[str, tuple[float, float]]] = [{} for _ in proposals]
    for objective, fit, posterior in zip(campaign.objectives, fits, posteriors, strict=True):
        new = fit.predict_rows(posterior, rows)
        for ends, low, high in zip(found, new.low, new.high, strict=True):
            ends[objective.name] = float(low), float(high)
    return found


def _noise_words(found: ProposeAnswer) -> list[str]:
    """A remark where a model explains most of what was measured by noise."""
    models = getattr(found.campaign.proposer, "gp_", [])
    if not found.proposals or len(models) != len(found.campaign.objectives):
        return []
    return [
        f"Most differences between the results of {objective.name} look like noise to the model: its "
        "proposals are little better than chance. Repeat a measurement, or leave columns that cannot matter "
        "out with --ignore."
        for objective, model in zip(found.campaign.objectives, models, strict=True)
        if model.noise > _NOISY
    ]


def _check_acquisition(question: ProposeQuestion, listed: CandidateList) -> None:
    """An acquisition that exists, for one objective or for several, before anything is written."""
    if question.acquisition is None:
        return
    with as_usage():
        if len(listed.objectives) > 1:
            from sozai.proposals.several_objectives import as_several

            as_several(question.acquisition, place="--acquisition")
        elif callable(getattr(listed.objectives[0].goal, "proposer", None)):
            from sozai.proposals.phase_scores import as_phase_score

            as_phase_score(question.acquisition, place="--acquisition")
        else:
            from sozai.proposals.acquisition import as_acquisition

            as_acquisition(question.acquisition, place="--acquisition")
            _check_goal_of_score(question.acquisition.lower(), listed.objectives[0].goal)


def _check_goal_of_score(name: str, goal: Any) -> None:
    """Scores that climb are for max and min, those of targets and ranges for their own goals."""
    from sozai.proposals.objectives import Range, Target

    wanted = {"target": Target, "range": Range}.get(name, str)
    if name != "variance" and not isinstance(goal, wanted):
        raise InputError(
            sentence("--acquisition", "the score", f"fit the goal {goal_words(goal)}", name,
                     remedy="Leave it out: the goal chooses one.")
        )  # fmt: skip


def _said_entered(found: ProposeAnswer) -> list[str]:
    """What was entered, and what happened to the user's file."""
    from sozai.apps.cli.loop_output import N_SHOWN
    from sozai.apps.cli.propose_results import entered_words
    from sozai.study.campaign_record import record_path

    n, place = len(found.entered), found.question.list_path
    if not n:
        return []
    said = [entered_words(result, found.listed) for result in found.entered[:N_SHOWN]]
    kept = "other cells keep their bytes; failures, bounds and the history are in"
    return [*said, f"Entered {n} result{'s' * (n != 1)} into {place.name}: {kept} {record_path(place).name}."]
