"""The next samples of a phase diagram as files, as one JSON object, and on the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.delivery import say_end
from sozai.apps.cli.loop_output import N_SHOWN, say_proposals, started_words, write_proposals
from sozai.apps.cli.output import console, emit_json, staged_folder
from sozai.contracts.unit_headers import split_unit

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.phases_answer import PhasesAnswer
    from sozai.contracts.records import Proposal

__all__ = [
    "as_payload", "chances_of", "chances_text", "deliver", "finished_words", "phase_frame", "suspects_of",
]  # fmt: skip

_N_CHANCES = 3


def deliver(found: PhasesAnswer) -> None:
    """Write what was asked for; files first, and only then are proposals marked as running."""
    question = found.question
    if question.output is not None:
        from sozai.apps.cli.phases_report import write_folder

        with staged_folder(question.output) as stage:
            write_folder(found, stage)
    if question.figure is not None:
        _draw(found, question.figure)
    if question.out is not None:
        names = list(found.study.proposer.map_.names)
        frame = phase_frame(found).drop(columns=names, errors="ignore")
        write_proposals(question.out, found.study.table, found.proposals, frame)
    if question.start and found.proposals:
        found.study.start(found.proposals).save()
        found.deeds.append(started_words(len(found.proposals), "point"))
    if question.json:
        source = None if question.file is None else str(question.file)
        emit_json(as_payload(found), schema="sozai.propose.phases/1", source=source, notes=found.notes)
    else:
        _say(found)


def as_payload(found: PhasesAnswer) -> dict[str, Any]:
    """Keys of the JSON object beyond those every command shares."""
    question, study = found.question, found.study
    proposer, names = study.proposer, study.table.ids
    grid = proposer.map_
    return {
        "estimator": question.estimator,
        "score": question.score,
        "batch": question.batch,
        "grid": question.grid,
        "phase_column": study.table.results[0].name,
        "descriptors": list(grid.names),
        "composition": [grid.names[j] for j in grid.composition],
        "units": {name: split_unit(name)[1] for name in grid.names},
        "proposals": [
            {
                "index": proposal.index,
                "id": proposal.id,
                **({} if names is None else {"name": names[proposal.index or 0]}),
                "x": proposal.x,
                "score": proposal.score,
                "probabilities": chances_of(found, proposal),
                "reason": proposal.reason,
            }
            for proposal in found.proposals
        ],
        "phases_found": _labels_found(found),
        "phases": list(proposer.phases_),
        "n_candidates": len(study.table.descriptors),
        "n_labelled": len(study.results),
        "n_closed_by_phase_rule": int(proposer.closed_.sum()) - len(study.results),
        "n_running": len(study.running),
        "suspects": suspects_of(found),
        "phase_rule_violations": [
            {"kind": one.kind, "labels": list(one.labels), "depth": one.depth}
            for one in proposer.phase_rule_violations_
        ],
        "entered": found.n_entered,
        "withdrawn": found.n_withdrawn,
        "started": bool(question.start and found.proposals),
        "repairs": [
            {"row": r.row, "column": r.column, "message": r.message, "repair": r.repair}
            for r in study.table.repairs
        ],
        "seconds": found.seconds,
    }


def chances_of(found: PhasesAnswer, proposal: Proposal) -> dict[str, float]:
    """Probability of every label at a proposal, the most probable first; empty before the first label."""
    proposer = found.study.proposer
    if not found.study.results:
        return {}
    row = proposer.probabilities_[proposal.index or 0]
    pairs = sorted(zip(proposer.classes_.tolist(), row.tolist(), strict=True), key=lambda pair: -pair[1])
    return {str(name): float(p) for name, p in pairs}


def suspects_of(found: PhasesAnswer) -> list[dict[str, Any]]:
    """Samples that contradict others."""
    table = found.study.proposer.suspects_
    return [
        {
            "index": int(one.index_),
            "phase": one.phase,
            "p": float(one.p),
            "instead": one.instead,
            "p_instead": float(one.p_instead),
            "reason": one.reason,
        }
        for one in table.rename(columns={"index": "index_"}).itertuples(index=False)
    ]


def phase_frame(found: PhasesAnswer) -> pd.DataFrame:
    """One row a proposal: actions, descriptors, score, probabilities, reason."""
    import pandas as pd

    rows = []
    for proposal in found.proposals:
        chances = chances_of(found, proposal)
        rows.append(
            {"actions": proposal.index, "proposal_id": proposal.id, **proposal.x, "score": proposal.score}
            | {f"p {name}": chances[name] for name in sorted(chances)}
            | {"reason": proposal.reason}
        )
    columns = ["actions", "proposal_id", *found.study.proposer.map_.names, "score", "reason"]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=columns)


def finished_words(found: PhasesAnswer) -> str:
    """Why there is nothing to propose."""
    study = found.study
    counts = f"{len(study.results)} of {len(study.table.descriptors)} measured"
    if study.running:
        return f"Nothing is left to propose until results come in ({counts}, {len(study.running)} running)."
    if len(study.results) == len(study.table.descriptors):
        counts += "; points that could be prepared are further rows with a blank phase"
    return f"Finished: nothing is left to propose ({counts})."


def _labels_found(found: PhasesAnswer) -> list[str]:
    """Labels of samples, in the order of the list."""
    results = found.study.results
    return list(dict.fromkeys(label for row in sorted(results) for label in results[row]))


# --- files ----------------------------------------------------------------------------------------------


def _draw(found: PhasesAnswer, path: Path) -> None:
    """The diagram so far; how it came about where the name ends in .gif."""
    from sozai.displays import PhaseDiagramDisplay

    proposer = found.study.proposer
    if path.suffix.lower() == ".gif":
        PhaseDiagramDisplay.animate(proposer, path)
    else:
        PhaseDiagramDisplay.from_proposer(proposer, proposals=found.proposals).save(path)


# --- the terminal ---------------------------------------------------------------------------------------


def _say(found: PhasesAnswer) -> None:
    """Say how the diagram stands, what to measure next and why."""
    screen = console()
    question, study = found.question, found.study
    grid = study.proposer.map_
    parts = "-".join(grid.names[j] for j in grid.composition)
    others = ", ".join(grid.names[j] for j in grid.others)
    where = " and ".join(part for part in (parts, others) if part)
    screen.print(f"Where to look for phases next ({where})", style="bold", soft_wrap=True)
    running = f", {len(study.running)} running" if study.running else ""
    closed = int(study.proposer.closed_.sum()) - len(study.results)
    known = f", {closed} known by the phase rule" if closed else ""
    screen.print(
        f"{len(study.results)} of {len(study.table.descriptors)} points measured{running}{known}; "
        f"{found.seconds:.1f} s",
        soft_wrap=True,
    )
    labels = _labels_found(found)
    shown = ", ".join(labels[:12]) + (", ..." if len(labels) > 12 else "")
    column = study.table.results[0].name
    known = f"Phases found: {len(labels)} ({shown}); column {column!r}."
    screen.print(known if labels else "No phase found yet.", soft_wrap=True)
    screen.print()
    if found.proposals:
        ids, column = study.table.ids, "probable phases"
        say_proposals(screen, found.proposals, grid.names, ids, column, lambda one: _told(found, one))
    else:
        screen.print(finished_words(found), soft_wrap=True)
    for one in suspects_of(found)[:N_SHOWN]:
        screen.print(f"Doubtful: row {one['index']}: {one['reason']}", soft_wrap=True)
    for one in study.proposer.phase_rule_violations_[:N_SHOWN]:
        screen.print(f"Against the phase rule: {one.kind} of {' and '.join(one.labels)}.", soft_wrap=True)
    for deed in found.deeds:
        screen.print(deed, soft_wrap=True)
    hints = []
    if found.proposals:
        hints = [
            (question.file is None, "name a new list before --grid to keep the points"),
            (question.file is not None, f"--tell {found.proposals[0].index}=PHASE enters a sample"),
            (question.figure is None, "--figure map.svg draws the diagram"),
            (question.output is None, "--output DIR writes a report"),
        ]
    files = {"Proposals": question.out, "Figure": question.figure}
    say_end(screen, found.notes, files, question.output, hints)


def _told(found: PhasesAnswer, proposal: Proposal) -> tuple[str, str]:
    """Probable phases and score."""
    return chances_text(found, proposal), f"{proposal.score:.3g}"


def chances_text(found: PhasesAnswer, proposal: Proposal) -> str:
    """The most probable labels of a proposal; a dash before the first label."""
    chances = list(chances_of(found, proposal).items())[:_N_CHANCES]
    return ", ".join(f"{name} {p:.2f}" for name, p in chances) or "-"
