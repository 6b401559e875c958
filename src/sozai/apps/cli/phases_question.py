"""What the user asked of a phase diagram: points, samples to enter, who chooses, places to write."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sozai.apps.cli.formula_places import check_result_folder, check_result_place, check_text_table
from sozai.apps.cli.loop_question import LoopQuestion, refuse_other_table
from sozai.apps.cli.usage import UsageError
from sozai.contracts.errors import InputError, sentence

__all__ = [
    "BatchRule",
    "Coordinates",
    "Estimator",
    "PhasesQuestion",
    "RuleOfPhases",
    "Score",
    "check_phase_places",
    "make_phase_proposer",
]

_FIGURES = (".svg", ".png", ".pdf", ".gif")


class Estimator(StrEnum):
    """Who gives the probabilities."""

    one_hot = "one-hot"
    presence = "presence"
    propagation = "propagation"
    spreading = "spreading"


class Score(StrEnum):
    """What makes a point worth measuring."""

    least_confident = "least-confident"
    margin = "margin"
    entropy = "entropy"
    random = "random"


class BatchRule(StrEnum):
    """How several points are chosen at once."""

    fantasies = "fantasies"
    top = "top"
    neighbors = "neighbors"
    determinantal = "determinantal"


class Coordinates(StrEnum):
    """What distance means."""

    auto = "auto"
    simplex = "simplex"
    cartesian = "cartesian"
    standard = "standard"


class RuleOfPhases(StrEnum):
    """What is done about labels of too many phases."""

    auto = "auto"
    strict = "strict"
    none = "none"


@dataclass(frozen=True)
class PhasesQuestion(LoopQuestion):
    """Options of ``sozai propose phases`` as they were given.

    Examples
    --------
    >>> PhasesQuestion(Path("diagram.csv")).estimator
    'one-hot'
    """

    grid: str | None = None
    phase: str | None = None
    composition: tuple[str, ...] = ()
    compositions: Path | None = None
    estimator: str = "one-hot"
    score: str = "least_confident"
    batch: str = "fantasies"
    coordinates: str = "auto"
    phase_rule: str = "auto"
    corners: bool = True
    same: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    recheck: bool = False
    figure: Path | None = None


def make_phase_proposer(question: PhasesQuestion) -> Any:
    """Settings of the proposer; columns are checked when the list is known.

    Examples
    --------
    >>> make_phase_proposer(PhasesQuestion(score="margin", same=("T",)))
    PhaseDiagramProposer(constraint=SameValue(columns=('T',), reference='last'),
                         score='margin')
    """
    from sozai.proposals import (
        FreeColumns,
        LabelPropagation,
        LabelSpreading,
        PhaseDiagramProposer,
        PresenceGaussianProcess,
        SameValue,
    )

    models = {
        "presence": PresenceGaussianProcess, "propagation": LabelPropagation, "spreading": LabelSpreading,
    }  # fmt: skip
    options: dict[str, Any] = {}
    if question.estimator in models:
        options["estimator"] = models[question.estimator]()
    if question.score != "least_confident":
        options["score"] = question.score
    if question.batch != "fantasies":
        options["batch"] = question.batch
    if question.coordinates != "auto":
        options["coordinates"] = question.coordinates
    if question.phase_rule != "auto":
        options["phase_rule"] = None if question.phase_rule == "none" else question.phase_rule
    if not question.corners:
        options["corners"] = False
    if question.composition:
        options["composition"] = list(question.composition)
    if question.same:
        options["constraint"] = SameValue(question.same)
    if question.free:
        options["constraint"] = FreeColumns(question.free)
    if question.score == "random":
        options["random_state"] = question.seed or 0
    return PhaseDiagramProposer(**options)


def check_phase_places(question: PhasesQuestion) -> None:
    """Refuse what cannot be read or written, before anything is read."""
    if question.file is None and question.grid is None:
        raise UsageError(
            sentence("propose phases", "FILE or --grid", "be given", remedy="Write --grid ternary:step=0.02.")
        )
    if question.grid is not None and question.file is not None and question.list_path.exists():
        raise InputError(
            sentence("--grid", "FILE", "be a new list, in which the grid is written", str(question.file),
                     remedy="Leave --grid out: the list is there.")
        )  # fmt: skip
    if question.file is None and question.changes_record:
        raise UsageError(
            sentence("propose phases", "FILE", "be given where something is remembered", "--grid alone",
                     remedy="Name a new list: sozai propose phases diagram.csv --grid ...")
        )  # fmt: skip
    if question.same and question.free:
        raise UsageError(sentence("--same", "--free", "not be given with it", question.free))
    check_result_folder(question.output)
    check_text_table("-o", question.out)
    inputs = _inputs(question)
    if question.grid is not None and question.file is not None:
        check_text_table("FILE", question.file)
        check_result_place("FILE", question.file, (), "diagram.csv")
    check_result_place("-o", question.out, inputs, "proposals.csv")
    check_result_place("--figure", question.figure, inputs, "map.svg")
    if question.figure is not None and question.figure.suffix.lower() not in _FIGURES:
        raise InputError(
            sentence("--figure", "the place", "end in .svg, .png, .pdf or .gif (an animation)",
                     str(question.figure))
        )  # fmt: skip
    refuse_other_table(question.out)


def _inputs(question: PhasesQuestion) -> tuple[Path | None, ...]:
    """Files that no result may replace."""
    from sozai.study.phase_folder import phase_record_path

    if question.file is None:
        return (question.compositions,)
    place = question.list_path
    return question.file, place, phase_record_path(place), question.compositions
