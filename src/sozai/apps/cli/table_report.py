"""The answer to a question about a table, as a folder: report.html, tables, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sozai.apps.cli.report_parts import Figures, table_section, write_figures
from sozai.apps.cli.table_limits import limit_figures, limit_section, limit_tables
from sozai.apps.cli.table_records import relation_records, rewrite_formula, subspace_records
from sozai.contracts.tables import write_table
from sozai.displays import (
    CorrelationDisplay,
    FormulaMapDisplay,
    ParetoDisplay,
    ParityDisplay,
    RelationMapDisplay,
    ResidualDisplay,
    SelectionPathDisplay,
)
from sozai.study.report import Report

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.table_answer import TableAnswer

__all__ = ["write_files", "write_folder"]

_MAX_NEIGHBORS = 60  # columns in the map of correlations


def write_folder(found: TableAnswer, folder: Path) -> None:
    """Write report.html, the tables as CSV and the figures as PNG and SVG into ``folder``."""
    figures = _figures(found)
    tables = _tables(found)
    write_files(_report(found, figures, tables), tables, figures, folder)


def write_files(report: Report, tables: dict[str, pd.DataFrame], figures: Figures, folder: Path) -> None:
    """Page, tables and figures as files."""
    report.write(folder / "report.html")
    for name, frame in tables.items():
        write_table(frame, folder / f"{name}.csv")
    write_figures(figures, folder)


def _tables(found: TableAnswer) -> dict[str, pd.DataFrame]:
    """Every result table by its file name."""
    import pandas as pd

    law = found.law
    models = pd.DataFrame(
        [
            {
                "rank": k,
                "formula": law.formula_of(model),
                "n_terms": model.n_terms,
                "complexity": model.complexity,
                "rmse": model.rmse,
                "rmse_loo": model.rmse_loo,
                "q2": model.q2,
                "r2": model.r2,
                "aic": model.aic,
                "bic": model.bic,
                "latex": law.latex_of(model),
            }
            for k, model in enumerate(found.models, start=1)
        ]
    )
    relations = pd.DataFrame(
        [
            {
                **record,
                "basis": " ; ".join(record["basis"]),
                "coefficients": " ; ".join(map(repr, map(float, record["coefficients"]))),
            }
            for record in relation_records(law.relations_)
        ],
        columns=["dependent", "basis", "coefficients", "relative_residual", "kind", "holds"],
    )
    subspaces = pd.DataFrame(
        [
            {"dimension": s["dimension"], "members": " ; ".join(s["members"])}
            for s in subspace_records(law.relations_)
        ],
        columns=["dimension", "members"],
    )
    tables = {"models": models, "relations": relations, "subspaces": subspaces}
    if found.predictions is not None:
        tables["predictions"] = found.predictions
    if found.limits is not None:
        tables |= limit_tables(found.limits)
    if found.comparison is not None:
        tables["comparison"] = found.comparison
    return tables


def _figures(found: TableAnswer) -> Figures:
    """Make the displays with their captions, by file name."""
    law, reading, model = found.law, found.reading, found.law.model_
    naming = {"name": reading.target, "unit": reading.target_unit}
    figures = {
        "parity": (
            ParityDisplay.from_model(model, reading.y, **naming),
            "Measured against the law; rings: the row itself left out of the fit.",
        ),
        "residuals": (
            ResidualDisplay.from_model(model, reading.y, labels=reading.row_names, **naming),
            "What the law leaves; the three largest are named, rows of high leverage ringed.",
        ),
        "pareto": (
            ParetoDisplay.from_models(found.models, chosen=0, unit=reading.target_unit),
            "Error against complexity; numbers are ranks in the list.",
        ),
    }
    path = law.selection_path_
    if path is not None or len({m.n_terms for m in found.models}) > 1:
        source = law.models_ if path is None else path
        make = SelectionPathDisplay.from_models if path is None else SelectionPathDisplay.from_frame
        figures["selection_path"] = (
            make(source, chosen=model.n_terms),
            "Scores of the best law of each size.",
        )
    plane = _plane(found)
    if plane:
        display = FormulaMapDisplay.from_estimator(
            law, reading.X, reading.y, x=plane[0], y=plane[1], units=reading.units, **naming
        )
        figures["map"] = (display, f"The law over {plane[0]} and {plane[1]}.")
    if law.relations_.n_relations:
        figures["relations"] = (
            RelationMapDisplay.from_relations(law.relations_),
            "Which descriptors are made of which; columns inside one frame may replace each other.",
        )
    if found.limits is not None:
        figures |= limit_figures(found.limits)
    varying = reading.X.loc[:, reading.X.max() > reading.X.min()]
    if 2 <= varying.shape[1] <= _MAX_NEIGHBORS:
        display = CorrelationDisplay.from_columns(varying)
        figures["correlation"] = (display, "Correlation of the columns of the table.")
    return figures


def _plane(found: TableAnswer) -> tuple[str, str] | None:
    """Two columns over which the law changes most, or None when it uses fewer than two."""
    import warnings

    import numpy as np

    law, X = found.law, found.reading.X
    swing = {}
    for name in X.columns:
        rows = X.copy()
        rows[name] = X[name].median()
        with warnings.catch_warnings():
            # A median among the rows may lie outside the domain; only the size of the change is wanted.
            warnings.simplefilter("ignore")
            change = np.asarray(law.predict(rows)) - found.law.model_.fitted
        swing[name] = float(np.nan_to_num(np.std(change)))
    scale = float(np.std(found.reading.y))
    used = [name for name in sorted(swing, key=lambda name: -swing[name]) if swing[name] > 1e-9 * scale]
    return (used[0], used[1]) if len(used) >= 2 else None


def _report(found: TableAnswer, figures: Figures, tables: dict[str, pd.DataFrame]) -> Report:
    """Page with law, list, relations, predictions, table and settings."""
    reading = found.reading
    lead = f"{reading.target} explained by {reading.X.shape[1]} columns of {found.question.file.name}."
    report = Report(f"A law for {reading.target}", lead=lead)
    _law_section(report, found, figures)
    _list_section(report, found, figures, tables)
    if found.limits is not None:
        limit_section(report, found.limits)
    if found.predictions is not None:
        report.section(
            "Predictions", f"Rows of {found.question.apply}; the interval holds 95 of 100 new values."
        )
        units = dict.fromkeys(("mean", "lower", "upper"), reading.target_unit)
        report.table(found.predictions, units=units)
    if found.comparison is not None:
        report.section("Other methods", "Same rows, same folds; each search is repeated in every fold.")
        report.text(str(found.price))
        report.table(found.comparison)
    _relation_section(report, found, figures, tables)
    table_section(report, reading, found.question.file)
    _settings_section(report, found)
    return report


def _law_section(report: Report, found: TableAnswer, figures: Figures) -> None:
    law, reading, model, score = found.law, found.reading, found.law.model_, found.validation
    unit = f" {reading.target_unit}" if reading.target_unit else ""
    report.section("The law").formula(law.formula_, left=reading.target)
    if found.simplified:
        report.text("Within two standard errors, with simple fractions:")
        report.formula(found.simplified, left=reading.target)
    report.facts(
        {
            "rows": len(reading.y),
            "terms": model.n_terms,
            "RMSE": f"{model.rmse:.4g}{unit}",
            "RMSE, each row left out": f"{model.rmse_loo:.4g}{unit}",
            "Q²": f"{model.q2:.5f}",
            "Q², search repeated": f"{score['q2']:.5f}",
        }
    )
    report.text(
        f"The last figure repeats the whole search without the rows to be predicted ({score['protocol']}); "
        "it is the one to quote. Standard errors hold for a law fixed beforehand."
    )
    frame = model.to_frame()
    report.table(frame, units={"coefficient": None}, caption="Coefficients")
    report.figures([figures[name] for name in ("parity", "residuals", "map") if name in figures])
    for form in found.rewritten[:10]:
        report.heading(f"The same law, in your words ({form.holds})").formula(
            rewrite_formula(law, form), left=reading.target
        )


def _list_section(
    report: Report, found: TableAnswer, figures: Figures, tables: dict[str, pd.DataFrame]
) -> None:
    report.section(
        "All laws, ranked", "The kept law first. A simpler law with nearly the same error is worth a look."
    )
    models = tables["models"].drop(columns=["latex", "bic"])
    unit = found.reading.target_unit
    report.table(models, units={"rmse": unit, "rmse_loo": unit}, max_rows=50)
    report.figures([figures[name] for name in ("pareto", "selection_path") if name in figures])


def _relation_section(
    report: Report, found: TableAnswer, figures: Figures, tables: dict[str, pd.DataFrame]
) -> None:
    table = found.law.relations_
    report.section(
        "Relations",
        "Linear relations among the descriptors. “always” is an identity; the others may fail for new rows.",
    )
    report.facts(
        {"descriptors": table.rank + table.n_relations, "rank": table.rank, "relations": table.n_relations}
    )
    report.figures([figures[name] for name in ("relations", "correlation") if name in figures])
    if len(tables["subspaces"]):
        report.table(
            tables["subspaces"],
            caption="Lists: that many independent members carry all the information.",
            max_rows=40,
        )
    if len(tables["relations"]):
        report.table(
            tables["relations"], caption="Each dependent column and what it is made of.", max_rows=60
        )


def _screens(found: TableAnswer) -> pd.DataFrame:
    """One row a pass of the large search."""
    import pandas as pd

    return pd.DataFrame(
        [
            {"pass": k, "scored": screen.n_scored, "kept": len(screen.ids), "seconds": screen.seconds}
            for k, screen in enumerate(found.law.screens_, start=1)
        ]
    )


def _settings_section(report: Report, found: TableAnswer) -> None:
    question = found.question
    report.section(
        "How it was found", f"{found.plan}; selection: {question.select}; criterion: {question.criterion}."
    )
    if found.plan.large:
        report.table(_screens(found), caption="Passes over the formulas: what was scored, what was kept.")
        for line in found.search_log:
            report.text(f"{line}.")
    generated = found.law.generation_report_
    if generated is not None and len(generated):
        report.table(generated, caption="Descriptors dropped, by reason.")
    for note in found.notes:
        report.note(note)
