"""The answer to a question about a table, said on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sozai.apps.cli.delivery import say_end
from sozai.apps.cli.output import console
from sozai.apps.cli.table_limits import say as say_limits
from sozai.apps.cli.table_records import repair_records, rewrite_formula
from sozai.displays.style import axis_label
from sozai.study.report import number_text

if TYPE_CHECKING:
    from sozai.apps.cli.table_answer import TableAnswer

__all__ = ["as_grid", "say_answer", "say_table"]

_N_SHOWN = 10


def say_answer(found: TableAnswer) -> None:
    """Say the answer on the terminal: law, ranked list, table, relations, predictions, hints."""
    screen = console()
    law, reading, model = found.law, found.reading, found.law.model_
    unit = reading.target_unit
    screen.print(f"{reading.target} = {law.formula_}", style="bold", soft_wrap=True)
    if unit:
        screen.print(f"    in {unit}")
    if found.simplified:
        simplified = f"within two standard errors: {reading.target} = {found.simplified}"
        screen.print(simplified, soft_wrap=True)
    screen.print()
    scores = f"RMSE {_with_unit(model.rmse, unit)}, each row left out {_with_unit(model.rmse_loo, unit)}"
    screen.print(f"{scores}, Q2 {model.q2:.5f}", soft_wrap=True)
    screen.print(_validation_line(found), soft_wrap=True)
    screen.print()
    screen.print(_ranking(found))
    screen.print()
    screen.print(
        f"{len(reading.y)} rows, {reading.X.shape[1]} columns, {law.n_candidates_:,} descriptors searched, "
        f"rank {law.rank_}, {law.relations_.n_relations} relations; {found.plan}; {found.seconds:.1f} s",
        soft_wrap=True,
    )
    say_table(found, screen)
    if found.question.relations:
        _say_relations(found, screen)
    for form in found.rewritten[:_N_SHOWN]:
        screen.print(f"The same law ({form.holds}): {rewrite_formula(law, form)}", soft_wrap=True)
    for frame, title in ((found.comparison, "Methods on the same rows"), (found.predictions, "Predictions")):
        if frame is not None:
            screen.print()
            screen.print(as_grid(frame.head(40), title))
    if found.price is not None:
        screen.print(str(found.price), soft_wrap=True)
    if found.limits is not None:
        say_limits(found.limits, screen)
    _say_end(found, screen)


def _validation_line(found: TableAnswer) -> str:
    """Say what the law is worth on rows that neither fit nor search has seen."""
    score = found.validation
    if not score["n_folds"]:
        return "Not tested on rows that the search has not seen: too few rows to leave some out."
    return (
        f"With the whole search repeated without the rows to be predicted ({score['protocol']}): "
        f"RMSE {_with_unit(score['rmse'], found.reading.target_unit)}, "
        f"Q2 {score['q2']:.5f}"
    )


def _ranking(found: TableAnswer) -> Any:
    """Kept law and the next ones."""
    from rich.table import Table

    error = axis_label("RMSE", found.reading.target_unit)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "terms", "complexity", error, "Q2"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("law", overflow="fold")
    for k, model in enumerate(found.models[:_N_SHOWN], start=1):
        values = (k, model.n_terms, model.complexity, f"{model.rmse:.4g}", f"{model.q2:.5f}")
        table.add_row(*map(str, values), found.law.formula_of(model))
    return table


def say_table(found: Any, screen: Any) -> None:
    """Say what was repaired in the table."""
    repairs = repair_records(found.reading.table)
    for repair in repairs[:5]:
        place = f"row {repair['row']}, column {repair['column']!r}" if repair["row"] is not None else "table"
        done = f": {repair['repair']}" if repair["repair"] else ""
        screen.print(f"Repaired, {place}: {repair['message']}{done}", soft_wrap=True)
    if len(repairs) > 5:
        screen.print(f"... and {len(repairs) - 5} more repairs; the report lists them all.")


def _say_relations(found: TableAnswer, screen: Any) -> None:
    """Relations and subspace lists."""
    table = found.law.relations_
    screen.print()
    screen.print(
        f"{table.n_relations} relations among {table.n_relations + table.rank} descriptors", style="bold"
    )
    for relation in list(table.relations)[:_N_SHOWN]:
        screen.print(f"  {relation}", soft_wrap=True)
    if table.n_relations > _N_SHOWN:
        screen.print(f"  ... and {table.n_relations - _N_SHOWN} more (--output writes relations.csv)")
    for space in list(table.subspaces)[:_N_SHOWN]:
        screen.print(f"  any {space.dimension} independent of: {', '.join(space.members)}", soft_wrap=True)


def _say_end(found: TableAnswer, screen: Any) -> None:
    """Warnings, where the files lie, and what to try next."""
    question = found.question
    hints = [
        (question.output is None, "--output DIR writes a report with figures"),
        (question.groups is None, "--groups COL tests the law on whole groups it has not seen"),
        (_few_whole(found.reading.y), "--classify takes the whole numbers of the target as classes"),
        (not found.plan.large, "--search large tries millions of nested formulas"),
        (not question.relations, "--relations lists which descriptors may replace each other"),
    ]
    say_end(screen, found.notes, {"Law": question.save}, question.output, hints)


def _few_whole(y: Any) -> bool:
    """Whether a target looks like numbers that name classes."""
    return len(set(y.tolist())) <= 5 and bool((y == y.round()).all())


def as_grid(frame: Any, title: str) -> Any:
    """Table for the terminal."""
    from pandas.api.types import is_numeric_dtype
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in frame.columns:
        table.add_column(
            str(name), justify="right" if is_numeric_dtype(frame[name]) else "left", overflow="fold"
        )
    for row in frame.itertuples(index=False, name=None):
        table.add_row(*(number_text(value).replace("−", "-") for value in row))
    return table


def _with_unit(value: float, unit: str | None) -> str:
    return f"{value:.4g}{f' {unit}' if unit else ''}"
