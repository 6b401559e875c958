"""What is similar, delivered: table, folder, JSON or terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.delivery import say_end
from sozai.apps.cli.formula_columns import as_written
from sozai.apps.cli.formula_places import delimiter_of
from sozai.apps.cli.output import console, emit_json, staged_folder
from sozai.apps.cli.property_output import as_grid
from sozai.apps.cli.report_parts import Figures, notes_section, write_figures
from sozai.contracts.tables import write_table

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.similar_materials import SimilarAnswer

__all__ = ["as_payload", "deliver", "hit_table"]

_N_PROPERTIES = 2  # columns of the database that the terminal shows
_N_GROUPS, _N_FEATURES = 2, 3  # named beside a hit
_N_PROFILES = 5
_N_CURVES = 6


def deliver(found: SimilarAnswer) -> None:
    """Write what was asked for; files first, so that a line about them is true."""
    question = found.question
    if question.output is not None:
        with staged_folder(question.output) as stage:
            _write_folder(found, stage)
    if question.place is not None:
        write_table(hit_table(found), question.place, delimiter=delimiter_of(question.place))
    if question.json:
        source = None if question.source is None else str(question.source.path)
        emit_json(as_payload(found), schema="sozai.describe.similar/1", source=source, notes=found.notes)
    else:
        _say(found)


def hit_table(found: SimilarAnswer) -> pd.DataFrame:
    """One row a hit, nearest first, with the largest contributions as text and all properties."""
    import pandas as pd

    columns = ["rank", "row", "formula", "distance", "percentile"]
    rows = [
        {
            **{name: hit[name] for name in columns},
            "differs most in": _largest_groups(hit),
            "features": ", ".join(part["feature"] for part in hit["features"][:_N_FEATURES]),
            **hit["properties"],
        }
        for hit in found.hits
    ]
    columns += ["differs most in", "features"]
    if not rows:
        return pd.DataFrame(columns=columns)
    frame = pd.DataFrame(rows)
    properties: pd.DataFrame = as_written(frame.drop(columns=columns))
    return pd.concat([frame[columns], properties], axis=1)


def as_payload(found: SimilarAnswer) -> dict[str, Any]:
    """Keys of the JSON object beyond those every command shares."""
    question, rows = found.question, found.database.rows
    return {
        "query": question.formula,
        "database": found.database.source,
        "n_formulas": len(found.database.similar),
        "n_refused": 0 if rows is None else int(rows.refused.sum()),
        "k": question.k,
        "include": list(question.include),
        "exclude": list(question.exclude),
        "ranges": {name: list(ends) for name, ends in question.ranges.items()},
        "hits": found.hits,
        "issues": [] if rows is None else rows.issues,
        "seconds": found.seconds,
    }


def _largest_groups(hit: dict[str, Any]) -> str:
    """Groups of features with the largest parts of the squared distance."""
    if not hit["groups"]:
        return "same composition"
    parts = sorted(hit["groups"].items(), key=lambda part: -part[1])[:_N_GROUPS]
    return ", ".join(f"{name} {100 * share:.0f} %" for name, share in parts)


def _say(found: SimilarAnswer) -> None:
    """Say the hits on the terminal."""
    screen, question = console(), found.question
    n = len(found.database.similar)
    screen.print(f"Nearest to {question.formula} among {n} formulas", style="bold", soft_wrap=True)
    screen.print(f"{found.database.source}; {found.seconds:.1f} s", soft_wrap=True)
    screen.print()
    frame = hit_table(found)
    properties = [name for name in frame.columns[7:]][:_N_PROPERTIES]
    shown = frame[["rank", "formula", "distance", "percentile", "differs most in", "features", *properties]]
    screen.print(as_grid(shown.rename(columns={"percentile": "percentile [%]"})))
    if found.hits:
        screen.print(
            "distance: discrepancy of the kernel means; percentile: share of random pairs of the database "
            "that are nearer; then the largest parts of the squared distance.",
            style="dim", soft_wrap=True,
        )  # fmt: skip
    hints = [
        (not question.different, "--different leaves out rows of exactly this composition"),
        (question.place is None, "-o OUT.csv writes the hits"),
        (question.output is None, "--output DIR writes a report with profiles"),
    ]
    say_end(screen, found.notes, {"Table": question.place}, question.output, hints)


def _write_folder(found: SimilarAnswer, folder: Path) -> None:
    """Write report.html, the hits and the figures into ``folder``."""
    from sozai.displays.kernel_mean_profile import KernelMeanProfileDisplay
    from sozai.study.report import Report

    question, frame = found.question, hit_table(found)
    write_table(frame, folder / "similar.csv")
    lead = f"Nearest of {len(found.database.similar)} formulas of {found.database.source}."
    report = Report(f"Similar to {question.formula}", lead=lead)
    report.section("Hits", "Distances are discrepancies of kernel means; the percentile is the share of "
                   "random pairs of the database that are nearer.").table(frame)  # fmt: skip
    figures: Figures = {}
    if found.hits:
        descriptor = found.database.similar.descriptor
        labels = [question.formula, *(hit["formula"] for hit in found.hits[:_N_PROFILES])]
        formulas = [question.formula, *_compositions(found, _N_PROFILES)]
        figures = {
            "profile": (
                KernelMeanProfileDisplay.from_descriptor(
                    descriptor, formulas, labels=labels, shown=_N_CURVES
                ),
                f"{question.formula} and its nearest, in the features in which they differ most.",
            ),
            "strip": (
                KernelMeanProfileDisplay.from_descriptor(descriptor, formulas, labels=labels),
                "The same in all features.",
            ),
        }
        report.section("Profiles")
        for display, caption in figures.values():
            report.figure(display, caption)
    notes_section(report, found.notes)
    report.write(folder / "report.html")
    write_figures(figures, folder)


def _compositions(found: SimilarAnswer, n: int) -> list[dict[str, float]]:
    """Elements and fractions of the first hits, as the database has them."""
    similar = found.database.similar
    names, dense = similar.descriptor.components_, similar.weights[found.rows[:n]].toarray()
    return [{names[j]: float(row[j]) for j in row.nonzero()[0]} for row in dense]
