"""The answer to a question about classes, said on the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.delivery import say_end
from sozai.apps.cli.output import console
from sozai.apps.cli.table_screen import as_grid, say_table

if TYPE_CHECKING:
    from sozai.apps.cli.class_rule import ClassAnswer

__all__ = ["accuracy_lines", "say_answer"]

_N_SHOWN = 10


def say_answer(found: ClassAnswer) -> None:
    """Say the answer on the terminal: rule, accuracy, classes, ranked list, table, new rows, hints."""
    screen = console()
    law, reading = found.law, found.reading
    screen.print(f"{reading.target}: {law.rule_}", style="bold", soft_wrap=True)
    screen.print()
    for line in accuracy_lines(found):
        screen.print(line, soft_wrap=True)
    screen.print()
    screen.print(_classes(found))
    screen.print()
    screen.print(_ranking(found))
    screen.print()
    screen.print(
        f"{len(reading.y)} rows, {reading.X.shape[1]} columns, {law.n_candidates_:,} formulas searched; "
        f"{found.plan}; {found.seconds:.1f} s",
        soft_wrap=True,
    )
    say_table(found, screen)
    for frame, title in ((found.comparison, "Methods on the same folds"), (found.predictions, "Predictions")):
        if frame is not None:
            screen.print()
            screen.print(as_grid(frame.head(40), title))
    _say_end(found, screen)


def accuracy_lines(found: ClassAnswer) -> list[str]:
    """Say what the rule is worth: on rows left out, on the rows it was made from, and without any rule."""
    test, loss = found.test, found.law.calibration_.log_loss
    lines = [f"Accuracy on rows left out: {found.protocol}."]
    if test is not None:
        low, high = test.interval()
        figures = f"{test.accuracy:.4f}, 95 % interval {low:.3f} to {high:.3f}"
        balanced = f"mean over the classes {test.balanced_accuracy:.4f}"
        how = f"the whole search repeated without the rows to be classed ({found.protocol})"
        lines = [f"Accuracy with {how}: {figures}; {balanced}"]
    lines.append(
        f"On the rows the rule was chosen by: {found.accuracy:.4f} (conditional on the search, not to be "
        f"quoted); always the largest class: {found.blind:.4f}"
    )
    if math.isfinite(loss):
        calibration = found.law.calibration_
        how = "the search repeated" if found.plan.calibration == "search" else "the boundary fitted again"
        lines.append(
            f"Probabilities are calibrated on rows left out ({calibration.n_folds} folds, {how}): "
            f"log loss {loss:.4f}"
        )
    return lines


def _classes(found: ClassAnswer) -> Any:
    """Rows and left-out accuracy of every class."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("class", overflow="fold")
    for name in ("rows", "right when left out"):
        table.add_column(name, justify="right")
    recalls = found.recalls
    for label, count in list(found.classes.items())[:40]:
        share = f"{recalls[label]:.4f}" if math.isfinite(recalls[label]) else ""
        table.add_row(str(label), str(count), share)
    return table


def _ranking(found: ClassAnswer) -> Any:
    """Sets of formulas, best by the criterion first."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "formulas", "complexity", "right", "criterion"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("of", overflow="fold")
    for k, model in enumerate(found.law.models_[:_N_SHOWN], start=1):
        values = (k, model.n_terms, model.complexity, model.n_correct, f"{model.criterion:.1f}")
        table.add_row(*map(str, values), "; ".join(model.terms) or "no formula")
    return table


def _say_end(found: ClassAnswer, screen: Any) -> None:
    """Warnings, where the files lie, and what to try next."""
    question = found.question
    hints = [
        (question.output is None, "--output DIR writes a report with the map of the classes"),
        (question.groups is None, "--groups COL tests the rule on whole groups it has not seen"),
        (not question.compare, "--compare scores other classifiers on the same folds"),
        (question.max_rung is None, "--max-rung 3 nests formulas deeper"),
        (question.operations is None, "--operations log and others grow other formulas"),
        (question.max_terms is None, "--max-terms 1 asks for one formula and a cut"),
    ]
    say_end(screen, found.notes, {"Rule": question.save}, question.output, hints)
