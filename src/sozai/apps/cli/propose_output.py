"""The proposals as files, as one JSON object, and on the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.delivery import say_end
from sozai.apps.cli.loop_output import say_proposals, started_words, write_proposals
from sozai.apps.cli.loop_rows import address_of
from sozai.apps.cli.output import console, emit_json, staged_folder
from sozai.apps.cli.propose_question import goal_words
from sozai.contracts.records import digits_of, with_error
from sozai.contracts.unit_headers import split_unit

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.propose_answer import ProposeAnswer
    from sozai.contracts.records import Proposal
    from sozai.proposals.campaign import Campaign

__all__ = [
    "as_payload",
    "best_so_far",
    "deliver",
    "finished_words",
    "new_result_text",
    "prediction_text",
    "proposal_frame",
]


def deliver(found: ProposeAnswer) -> None:
    """Write what was asked for; files first, and only then are proposals marked as running."""
    question = found.question
    if question.output is not None:
        from sozai.apps.cli.propose_report import remove_old_figures, write_folder

        with staged_folder(question.output) as stage:
            names = write_folder(found, stage)
        remove_old_figures(question.output, names)
    if question.out is not None:
        frame = proposal_frame(found).drop(columns=list(found.campaign.pool.names), errors="ignore")
        write_proposals(question.out, found.listed.table, found.proposals, frame)
    if question.start:
        _start(found)
    if question.json:
        notes = found.notes
        source = str(question.file)
        emit_json(as_payload(found), schema="sozai.propose.candidates/1", source=source, notes=notes)
    else:
        _say(found)


def as_payload(found: ProposeAnswer) -> dict[str, Any]:
    """Keys of the JSON object beyond those every command shares."""
    question, campaign, table = found.question, found.campaign, found.listed.table
    status = campaign.status_
    objectives = [{"name": o.name, "goal": goal_words(o.goal), "unit": o.unit} for o in campaign.objectives]
    names = table.ids
    return {
        "method": question.method,
        "acquisition": _acquisition_name(found),
        "objectives": objectives,
        "descriptors": list(campaign.pool.names),
        "units": _units(campaign),
        "proposals": [
            {
                "index": proposal.index,
                "id": proposal.id,
                **({} if names is None else {"name": names[proposal.index or 0]}),
                "x": proposal.x,
                "mean": proposal.mean,
                "std": proposal.std,
                **_ends(found, k),
                "score": proposal.score,
                "reason": proposal.reason,
            }
            for k, proposal in enumerate(found.proposals)
        ],
        "status": {name: getattr(status, name) for name in status.__slots__},
        "best": best_so_far(found),
        "entered": len(found.entered),
        "withdrawn": len(question.withdraw),
        "started": bool(question.start and found.proposals),
        "repairs": [
            {"row": r.row, "column": r.column, "message": r.message, "repair": r.repair}
            for r in table.repairs
        ],
        "seconds": found.seconds,
    }


def _acquisition_name(found: ProposeAnswer) -> str | None:
    """Name of the score, the default of the goal where none was asked for; None without a model."""
    from sozai.proposals.objectives import Range, Target

    question, goals = found.question, [objective.goal for objective in found.campaign.objectives]
    if question.acquisition is not None or question.method != "bayesian":
        return question.acquisition
    if callable(getattr(goals[0], "proposer", None)):
        return str(found.campaign.proposer.score)
    if len(goals) > 1:
        return "ehvi"
    return "target" if isinstance(goals[0], Target) else "range" if isinstance(goals[0], Range) else "ei"


def _units(campaign: Campaign) -> dict[str, str | None]:
    """Units by the names of columns without them; a name that two columns share keeps its unit."""
    pairs = [(header, *split_unit(header)) for header in campaign.pool.names]
    pairs += [(objective.label, objective.name, objective.unit) for objective in campaign.objectives]
    names = [name for _, name, _ in pairs]
    return {header if names.count(name) > 1 else name: unit for header, name, unit in pairs}


def _ends(found: ProposeAnswer, k: int) -> dict[str, Any]:
    """``low`` and ``high`` of a new result, in the form of ``mean`` and ``std``."""
    ends = found.intervals[k] if found.intervals else {}
    if not ends:
        return {"low": None, "high": None}
    if len(found.campaign.objectives) == 1:
        (one,) = ends.values()
        return {"low": one[0], "high": one[1]}
    return {word: {name: pair[j] for name, pair in ends.items()} for j, word in enumerate(("low", "high"))}


def new_result_text(found: ProposeAnswer, k: int) -> str:
    """Where 90 % of new results are expected; a dash without a model."""
    ends = found.intervals[k] if found.intervals else {}
    parts = []
    for objective in found.campaign.objectives:
        if objective.name in ends:
            low, high = ends[objective.name]
            named = f"{objective.name} " if len(found.campaign.objectives) > 1 else ""
            unit = f" {objective.unit}" if objective.unit else ""
            error = (high - low) / 2
            parts.append(f"{named}{digits_of(low, error)} to {digits_of(high, error)}{unit}")
    return ", ".join(parts) or "-"


def best_so_far(found: ProposeAnswer) -> list[dict[str, Any]]:
    """The best result of one objective, or the front of several: row, x and values."""
    campaign = found.campaign
    if len(campaign.objectives) == 1:
        best = campaign.best_
        if best is None:
            return []
        values = {campaign.objectives[0].name: best.value}
        return [{"index": best.index, "x": best.x, "values": values}]
    front = campaign.front_
    return [
        {
            "index": int(row),
            "x": campaign.pool.values(int(row)),
            "values": {o.name: float(front.loc[row, o.label]) for o in campaign.objectives},
        }
        for row in front.index
    ]


def proposal_frame(found: ProposeAnswer) -> pd.DataFrame:
    """One row a proposal: actions, descriptors, prediction, score, reason."""
    import pandas as pd

    rows = []
    for k, proposal in enumerate(found.proposals):
        row: dict[str, Any] = {"actions": proposal.index, "proposal_id": proposal.id, **proposal.x}
        row["score"] = proposal.score
        ends = {word: value for word, value in _ends(found, k).items() if value is not None}
        for word, value in (("mean", proposal.mean), ("std", proposal.std), *ends.items()):
            if isinstance(value, dict):
                row |= {f"{word} {name}": number for name, number in value.items()}
            else:
                row[word] = value
        rows.append(row | {"reason": proposal.reason})
    columns = ["actions", "proposal_id", *found.campaign.pool.names, "score", "mean", "std", "reason"]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=columns)


def prediction_text(found: ProposeAnswer, proposal: Proposal) -> str:
    """Mean, standard deviation and unit of every objective; a dash without a model."""
    parts = []
    for objective in found.campaign.objectives:
        mean, std = (
            value[objective.name] if isinstance(value, dict) else value
            for value in (proposal.mean, proposal.std)
        )
        if math.isfinite(mean):
            unit = f" {objective.unit}" if objective.unit else ""
            named = f"{objective.name} " if len(found.campaign.objectives) > 1 else ""
            parts.append(f"{named}{with_error(mean, std)}{unit}")
    return ", ".join(parts) or "-"


def finished_words(found: ProposeAnswer) -> str:
    """Why there is nothing to propose."""
    status = found.campaign.status_
    counts = f"{status.n_observed} of {status.n_candidates} measured, {status.n_failed} failed"
    if status.finished:
        return f"Finished: nothing is left to propose ({counts})."
    return f"Nothing is left to propose until results come in ({counts}, {status.n_running} running)."


# --- files ----------------------------------------------------------------------------------------------


def _start(found: ProposeAnswer) -> None:
    """Mark the proposals as running and keep that."""
    from sozai.study.campaign_folder import save_campaign

    if not found.proposals:
        return
    found.campaign.start(found.proposals)
    save_campaign(found.campaign, found.question.list_path)
    found.deeds.append(started_words(len(found.proposals), "candidate"))


# --- the terminal ---------------------------------------------------------------------------------------


def _say(found: ProposeAnswer) -> None:
    """Say how the campaign stands, what to measure next and why."""
    screen = console()
    campaign, question = found.campaign, found.question
    status = campaign.status_
    goals = ", ".join(f"{o.label}: {goal_words(o.goal)}" for o in campaign.objectives)
    screen.print(f"What to measure next ({goals})", style="bold", soft_wrap=True)
    screen.print(
        f"{status.n_observed} of {status.n_candidates} measured, {status.n_failed} failed, "
        f"{status.n_running} running, {status.n_open} open; {found.seconds:.1f} s",
        soft_wrap=True,
    )
    screen.print(_best_words(found), soft_wrap=True)
    screen.print()
    if not found.proposals:
        screen.print(finished_words(found), soft_wrap=True)
    else:
        ids, names = found.listed.table.ids, campaign.pool.names
        say_proposals(screen, found.proposals, names, ids, "prediction", lambda one: _told(found, one))
    for deed in found.deeds:
        screen.print(deed, soft_wrap=True)
    hints = []
    if found.proposals:
        hints = [
            (question.out is None, "-o proposals.csv writes them"),
            (not question.start, "--start marks them as running"),
            (True, f"--tell {_first_address(found)}={_values_words(campaign)} enters a result"),
            (question.output is None, "--output DIR writes a report"),
        ]
    what = "Proposals" if found.proposals else "Proposals (only a header)"
    say_end(screen, found.notes, {what: question.out}, question.output, hints)


def _told(found: ProposeAnswer, proposal: Proposal) -> tuple[str, str]:
    """Prediction and score."""
    score = f"{proposal.score:.4g}" if math.isfinite(proposal.score) else "-"
    return prediction_text(found, proposal), score


def _first_address(found: ProposeAnswer) -> str:
    """The row of the first proposal as one types it."""
    return address_of(int(found.proposals[0].index or 0), found.listed.table)


def _values_words(campaign: Campaign) -> str:
    """What stands behind ROW= in ``--tell``."""
    n = len(campaign.objectives)
    return "VALUE" if n == 1 else ",".join(f"V{k + 1}" for k in range(n))


def _best_words(found: ProposeAnswer) -> str:
    """The best so far, in one line."""
    best, objectives = best_so_far(found), found.campaign.objectives
    if not best:
        return "No result yet."
    if len(objectives) > 1:
        rows = ", ".join(str(entry["index"]) for entry in best[:10])
        word, more = "rows" if len(best) > 1 else "row", ", ..." if len(best) > 10 else ""
        return f"Best compromises so far: {len(best)} ({word} {rows}{more})."
    objective, value = objectives[0], best[0]["values"][objectives[0].name]
    unit = f" {objective.unit}" if objective.unit else ""
    return f"Best so far: {value:.6g}{unit} in row {best[0]['index']}."
