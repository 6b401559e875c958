"""The answer to a question about a table: as JSON, on the terminal, and as a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.output import console, emit_json, staged_folder
from sozai.displays.style import axis_label
from sozai.study.report import number_text

if TYPE_CHECKING:
    from sozai.apps.cli.table_law import TableAnswer

__all__ = ["as_payload", "deliver", "relation_records", "rewrite_formula", "subspace_records"]

_N_SHOWN = 10


def deliver(found: TableAnswer) -> None:
    """Write what was asked for; files first, so that a line about them is true."""
    question = found.question
    if question.save is not None:
        _save(found.law, question.save)
    if question.output is not None:
        from sozai.apps.cli.table_report import write_folder

        with staged_folder(question.output) as stage:
            write_folder(found, stage)
    if question.json:
        emit_json(
            as_payload(found), schema="sozai.explain.table/1", source=str(question.file), notes=found.notes
        )
    else:
        _say(found)


def as_payload(found: TableAnswer) -> dict[str, Any]:
    """Keys of the JSON object beyond those every command shares."""
    law, reading, question = found.law, found.reading, found.question
    payload = {
        "target": reading.target,
        "unit": reading.target_unit,
        "units": {name: reading.units.get(name) for name in [*reading.X.columns, reading.target]},
        "features": list(reading.X.columns),
        "n_rows": len(reading.y),
        "dropped_rows": reading.dropped,
        "repairs": _repairs(reading.table),
        "operations": {
            "unary": found.plan.operations,
            "pair": found.plan.pair_operations,
            "order": getattr(law, "order_", found.plan.order),
        },
        "rank": law.rank_,
        "n_relations": law.relations_.n_relations,
        "n_candidates": law.n_candidates_,
        "complete": bool(getattr(law.models_, "complete", True)),
        "simplified_formula": found.simplified,
        "laws": [law_record(law, model) for model in found.models],
        "validation": found.validation,
        "symmetry_error": law.symmetry_error_,
        "seconds": found.seconds,
    }
    if question.relations:
        payload["relations"] = relation_records(law.relations_)
        payload["subspaces"] = subspace_records(law.relations_)
    if question.prefer:
        payload["rewritten"] = [rewrite_record(law, form) for form in found.rewritten]
    if found.comparison is not None:
        payload["comparison"] = found.comparison.to_dict("records")
    if found.predictions is not None:
        payload["predictions"] = found.predictions.to_dict("records")
    return payload


def law_record(law: Any, model: Any) -> dict[str, Any]:
    """One law as JSON."""
    terms = zip(model.terms, model.coefficients, model.standard_errors, strict=True)
    return {
        "formula": law.formula_of(model),
        "latex": law.latex_of(model),
        "intercept": model.intercept,
        "n_terms": model.n_terms,
        "complexity": model.complexity,
        **{name: getattr(model, name) for name in ("rmse", "q2", "rmse_loo", "r2", "mae", "aic", "bic")},
        "terms": [
            {"name": name, "coefficient": value, "standard_error": error} for name, value, error in terms
        ],
    }


def rewrite_record(law: Any, form: Any) -> dict[str, Any]:
    """One equivalent form of the kept law as JSON."""
    terms = zip(form.terms, form.coefficients, strict=True)
    return {
        "formula": rewrite_formula(law, form),
        "intercept": form.intercept,
        "n_terms": form.n_terms,
        "complexity": form.complexity,
        "holds": form.holds,
        "max_abs_difference": form.max_abs_difference,
        "terms": [{"name": name, "coefficient": value} for name, value in terms],
    }


def rewrite_formula(law: Any, form: Any) -> str:
    """Text of an equivalent form in our grammar."""
    from sozai.symbolic.formulas.grammar import parse_into
    from sozai.symbolic.formulas.linear_formula import render_formula

    store = law.expressions_
    terms = [store.expression(parse_into(store, term)) for term in form.terms]
    return render_formula(terms, form.coefficients, form.intercept, snap=False).text


def relation_records(table: Any) -> list[dict[str, Any]]:
    """Every relation: the dependent column, what it is made of, how exactly, and whether always."""
    return [
        {
            "dependent": relation.dependent,
            "basis": list(relation.basis),
            "coefficients": list(relation.coefficients),
            "relative_residual": relation.relative_residual,
            "kind": relation.kind,
            "holds": relation.holds,
        }
        for relation in [*table.relations, *table.near_relations]
    ]


def subspace_records(table: Any) -> list[dict[str, Any]]:
    """Every subspace list: its members, and how many of them may stand together."""
    return [{"members": list(space.members), "dimension": space.dimension} for space in table.subspaces]


def _save(law: Any, path: Path) -> None:
    """Keep the fitted law, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    law.save(path)


def _repairs(table: Any) -> list[dict[str, Any]]:
    return [dict(repair._asdict()) for repair in table.repairs]


def _say(found: TableAnswer) -> None:
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
        f"{len(reading.y)} rows, {reading.X.shape[1]} columns, {law.n_candidates_} descriptors searched, "
        f"rank {law.rank_}, {law.relations_.n_relations} relations; {found.plan}; {found.seconds:.1f} s",
        soft_wrap=True,
    )
    _say_table(found, screen)
    if found.question.relations:
        _say_relations(found, screen)
    for form in found.rewritten[:_N_SHOWN]:
        screen.print(f"The same law ({form.holds}): {rewrite_formula(law, form)}", soft_wrap=True)
    for frame, title in ((found.comparison, "Methods on the same rows"), (found.predictions, "Predictions")):
        if frame is not None:
            screen.print()
            screen.print(_frame(frame.head(40), title))
    _say_end(found, screen)


def _validation_line(found: TableAnswer) -> str:
    """Say what the law is worth on rows that neither fit nor search has seen."""
    score = found.validation
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


def _say_table(found: TableAnswer, screen: Any) -> None:
    """Say what was repaired in the table and which rows were left out."""
    repairs = _repairs(found.reading.table)
    for repair in repairs[:5]:
        place = f"row {repair['row']}, column {repair['column']!r}" if repair["row"] is not None else "table"
        screen.print(f"Repaired, {place}: {repair['message']} {repair['repair']}".rstrip(), soft_wrap=True)
    if len(repairs) > 5:
        screen.print(f"... and {len(repairs) - 5} more repairs; the report lists them all.")
    if found.reading.dropped:
        rows = ", ".join(str(record["row"]) for record in found.reading.dropped[:10])
        screen.print(
            f"{len(found.reading.dropped)} rows without a number in every column are left out: {rows}"
        )


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
    for note in found.notes:
        screen.print(f"Note: {note}", soft_wrap=True)
    if question.save is not None:
        screen.print(f"Law: {question.save}", soft_wrap=True)
    if question.output is not None:
        screen.print(f"Report: {question.output / 'report.html'}", soft_wrap=True)
    hints = [
        (question.output is None, "--output DIR writes a report with figures"),
        (question.groups is None, "--groups COL tests the law on whole groups it has not seen"),
        (not question.relations, "--relations lists which descriptors may replace each other"),
    ]
    shown = "; ".join(text for wanted, text in hints if wanted)
    if shown:
        screen.print(f"Next: {shown}.", style="dim", soft_wrap=True)


def _frame(frame: Any, title: str) -> Any:
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
