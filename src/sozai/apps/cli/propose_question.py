"""What the user asked of a list of candidates: goals, results to enter, places to write."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sozai.apps.cli.formula_places import check_result_folder, check_result_place, check_text_table
from sozai.apps.cli.loop_question import LoopQuestion, refuse_other_table
from sozai.apps.cli.usage import UsageError
from sozai.contracts.errors import InputError, sentence

__all__ = ["ProposeQuestion", "check_propose_places", "goal_words", "read_goal"]

_FORM = 'Write e.g. --objective "Tc [K]:max", "gap:target=1.4" or "gap:range=1.0..1.6".'
_WORDS = {"max": "maximize", "maximize": "maximize", "min": "minimize", "minimize": "minimize"}


@dataclass(frozen=True)
class ProposeQuestion(LoopQuestion):
    """Options of ``sozai propose candidates`` as they were given.

    Examples
    --------
    >>> ProposeQuestion(Path("list.csv")).method
    'bayesian'
    """

    file: Path
    goals: tuple[tuple[str, Any], ...] = ()
    n_objectives: int | None = None
    direction: str | None = None
    method: str = "bayesian"
    acquisition: str | None = None
    n_jobs: int | None = None


def read_goal(text: str) -> tuple[str, Any]:
    """Read ``NAME:GOAL``; the last colon divides, so a name may hold others.

    Examples
    --------
    >>> read_goal("Tc [K]:max"), read_goal("a:b:min")
    (('Tc [K]', 'maximize'), ('a:b', 'minimize'))
    >>> read_goal("gap:target=1.4"), read_goal("gap:range=1..")
    (('gap', Target(value=1.4)), ('gap', Range(low=1.0, high=inf)))
    >>> read_goal("rate [%/h]:log-thresholds=0.15/0.6")[1].names
    ('<0.15', '0.15-0.6', '>0.6')
    """
    from sozai.proposals.objectives import Range, Target
    from sozai.proposals.phase_goal import PhaseGoal

    name, _, goal = (part.strip() for part in text.rpartition(":"))
    if name and goal.lower() in _WORDS:
        return name, _WORDS[goal.lower()]
    word, _, numbers = goal.partition("=")
    try:
        if name and word == "target":
            return name, Target(float(numbers))
        if name and word == "range" and ".." in numbers:
            low, _, high = numbers.partition("..")
            return name, Range(float(low or -math.inf), float(high or math.inf))
        if name and word in ("thresholds", "log-thresholds"):
            ends = [float(number) for number in numbers.split("/")]
            return name, PhaseGoal(ends, transform="log" if word.startswith("log") else None)
    except InputError as error:
        raise UsageError(f"--objective {text!r}: {error}") from None
    except ValueError:
        raise UsageError(sentence("--objective", "the goal", "have numbers", text, remedy=_FORM)) from None
    raise UsageError(
        sentence("--objective", "each entry", "read NAME:GOAL with max, min, target=V, range=LOW..HIGH or "
                 "thresholds=T1/T2", text, remedy=_FORM)
    )  # fmt: skip


def goal_words(goal: Any) -> str:
    """Goal as the command line writes it.

    Examples
    --------
    >>> from sozai.proposals.objectives import Range
    >>> goal_words("minimize"), goal_words(Range(1.0, math.inf))
    ('min', 'range=1..')
    """
    if isinstance(goal, str):
        return {"maximize": "max", "minimize": "min"}[goal]
    if hasattr(goal, "thresholds"):
        ends = "/".join(f"{end:g}" for end in goal.thresholds)
        return f"{'log-' if goal.transform == 'log' else ''}thresholds={ends}"
    if hasattr(goal, "value"):
        return f"target={goal.value:g}"
    low, high = ("" if math.isinf(end) else f"{end:g}" for end in (goal.low, goal.high))
    return f"range={low}..{high}"


def check_propose_places(question: ProposeQuestion) -> None:
    """Refuse a place that cannot be written, or that would cost the user a file, before anything is read."""
    from sozai.study.campaign_record import record_path

    check_result_folder(question.output)
    check_text_table("-o", question.out)
    place = question.list_path
    check_result_place("-o", question.out, (question.file, place, record_path(place)), "proposals.csv")
    refuse_other_table(question.out)
