"""From a list of points to the next samples of a phase diagram: read, enter, choose, remember, say."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sozai.apps.cli.output import collected_warnings, progress_console
from sozai.apps.cli.phases_question import PhasesQuestion, check_phase_places
from sozai.apps.cli.wording import in_command_words
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    from sozai.contracts.records import Proposal
    from sozai.study.phase_folder import PhaseStudy

__all__ = ["PhasesAnswer", "answer"]

_CALL = re.compile(r"^PhaseDiagramProposer(?:\.\w+)?: ")


@dataclass
class PhasesAnswer:
    """Everything there is to say about one call.

    Attributes
    ----------
    question : PhasesQuestion
    study : PhaseStudy
    proposals : list of Proposal
    deeds : list of str
        What was changed on disk, one line each.
    n_entered, n_withdrawn : int
    notes : list of str
        Warnings.
    seconds : float
    """

    question: PhasesQuestion
    study: PhaseStudy
    proposals: list[Proposal]
    deeds: list[str] = field(default_factory=list)
    n_entered: int = 0
    n_withdrawn: int = 0
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def answer(question: PhasesQuestion) -> None:
    """Answer the question on the terminal, as JSON, and into files."""
    from sozai.apps.cli.phases_output import deliver, finished_words

    start = time.perf_counter()
    check_phase_places(question)
    with collected_warnings() as notes:
        with in_phase_words():
            found = _proposed(question, notes)
        found.seconds = time.perf_counter() - start
        found.notes = list(dict.fromkeys(_plain(in_command_words(note)) for note in notes))
        if question.json and not found.proposals:
            found.notes.append(finished_words(found))
        deliver(found)


def _proposed(question: PhasesQuestion, notes: list[str]) -> PhasesAnswer:
    """Read, enter what was told, and choose."""
    from sozai.apps.cli.phases_reading import grid_list, read_phase_list, read_phase_results, row_of
    from sozai.contracts.whole_file import replace_file

    with progress_console().status("reading the list", spinner="line") as status:
        study = read_phase_list(question, notes)
        results = read_phase_results(question, study)
        released = [row_of("--release", text, text, study) for text in question.release or ()]
        withdrawn = [row_of("--withdraw", text, text, study) for text in question.withdraw]
        study.proposer.to_frame()
        found = PhasesAnswer(question, study, [])
        _take_in(found, results, released, withdrawn, notes)
        if not study.results and question.figure is not None and question.figure.suffix.lower() == ".gif":
            raise InputError(
                sentence("--figure", "an animation", "begin with a sample", "none in the list",
                         remedy="Enter one by --tell, or draw a .svg.")
            )  # fmt: skip
        if question.grid is not None and question.file is not None:
            replace_file(question.list_path, grid_list(question))
            found.deeds.insert(
                0, f"Written: {question.file.name} with {len(study.table.descriptors)} points."
            )
        if question.tells_anything:
            study.save()  # what was measured is safe before anything is chosen
        status.update(f"choosing from {len(study.table.descriptors):,} points by {len(study.results)} labels")
        found.proposals = study.ask(question.number, recheck=question.recheck)
    return found


def _take_in(
    found: PhasesAnswer, results: list[tuple[int, str]], released: list[int], withdrawn: list[int],
    notes: list[str],
) -> None:  # fmt: skip
    """Take back, enter and release what was asked for."""
    study, question = found.study, found.question
    for row in withdrawn:
        if not study.results.get(row):
            raise InputError(sentence("--withdraw", "the row", "have a label", row))
        found.deeds.append(f"Withdrawn: {study.withdraw(row)} of row {row}.")
        found.n_withdrawn += 1
    for row, phase in results:
        before = list(study.results.get(row, ()))
        known = {tuple(sorted(label.split("+"))) for label in before}
        if tuple(sorted(part.strip() for part in phase.split("+"))) in known:
            notes.append(f"Row {row}: {phase} was known already and is not entered again.")
            continue
        study.tell(row, phase)
        found.n_entered += 1
        if before:
            notes.append(
                f"Row {row} was {before[-1]} and is now {study.results[row][-1]}: both count, the cell holds "
                f"the latest. --withdraw {row} takes it back."
            )
    if found.n_entered:
        n, place = found.n_entered, question.list_path
        found.deeds.append(
            f"Entered {n} sample{'s' * (n != 1)} into {place.name}: other cells keep their bytes."
        )
    if question.release is not None:
        n = study.release(released or None)
        found.deeds.append(f"Released: {n} point{'s are' if n != 1 else ' is'} open again.")


@contextmanager
def in_phase_words() -> Iterator[None]:
    """Let what the proposer refuses be said of this command, its rows and its options."""
    try:
        yield
    except InputError as error:
        text = _CALL.sub("propose phases: ", str(error))
        raise type(error)(_in_options(text)) from None


def _plain(note: str) -> str:
    """A warning without the name of the Python call."""
    note = _in_options(_CALL.sub("", note))
    return note[:1].upper() + note[1:]


def _in_options(text: str) -> str:
    """Candidates as rows of the list, remedies as options.

    Examples
    --------
    >>> _in_options("Phase 'a' for candidate 5 is new, or pass phase_rule=None for a film.")
    "Phase 'a' for row 5 is new, or pass --phase-rule none for a film."
    """
    text = re.sub(r"\b([Cc])andidate (?=\d)", lambda m: "Row " if m[1] == "C" else "row ", text)
    return text.replace("phase_rule=None", "--phase-rule none")
