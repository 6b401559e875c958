"""Experiment and simulation joined, delivered: table, folder, JSON or terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.delivery import deliver_predictions, say_end, say_repairs
from sozai.apps.cli.output import console
from sozai.apps.cli.property_output import as_grid
from sozai.apps.cli.table_records import repair_records
from sozai.contracts.records import digits_of, with_error

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.combine_answer import CombineAnswer

__all__ = [
    "as_payload",
    "coupling_words",
    "deliver",
    "kept_words",
    "prediction_table",
    "reader_table",
    "scatter_words",
    "told_repairs",
]

_N_SHOWN = 40


def deliver(found: CombineAnswer) -> None:
    """Write what was asked for; files first, so that a line about them is true."""
    from sozai.apps.cli.combine_report import write_folder

    deliver_predictions(
        found, schema="sozai.combine.sources/1", write_folder=write_folder, table_of=prediction_table,
        as_payload=as_payload, say=_say,
    )  # fmt: skip


def as_payload(found: CombineAnswer) -> dict[str, Any]:
    """Keys of the JSON object beyond those every command shares."""
    question, reading, model = found.question, found.reading, found.model
    two = len(question.sources) == 2
    patterns = model.pattern_table_[["terms", "log_evidence", "weight"]].to_dict("records")
    named = bool(question.reading.identifiers)
    predictions = [
        {
            "row": found.rows[row],
            **({"id": found.ids[row]} if named else {}),
            "x": x,
            "source": name,
            "mean": float(found.means[name].iloc[row]),
            "std": float(found.stds[name].iloc[row]),
        }
        for row, x in enumerate(found.shown.to_dict("records"))
        for name in found.means.columns
    ]
    return {
        "new": None if question.reading.apply is None else str(question.reading.apply),
        "descriptors": list(found.shown.columns),
        "sources": list(reading.sources.columns),
        "unit": reading.unit,
        "units": {
            name: reading.table.units.get(name) for name in [*found.shown.columns, *reading.sources.columns]
        },
        "basis": question.basis,
        "n_rows": len(reading.sources),
        "n_values": reading.sources.notna().sum().to_dict(),
        "dropped_rows": reading.table.dropped,
        "repairs": repair_records(reading.table.table),
        "coupling": float(model.coupling_[1, 0]) if two else model.coupling_,
        "coupling_std": float(model.coupling_std_[1, 0]) if two else model.coupling_std_,
        "kept_terms": found.kept[found.experiment] if two else found.kept,
        "log_evidence": model.log_evidence_,
        "noise": dict(zip(reading.sources.columns, _noise(model), strict=True)),
        "patterns": patterns,
        "level": question.level,
        "predictions": predictions,
        "seconds": found.seconds,
    }


def prediction_table(found: CombineAnswer) -> tuple[pd.DataFrame, dict[str, str | None]]:
    """Predictions of all sources beside the descriptors, and the unit of every column."""
    import pandas as pd

    reading = found.reading
    lower, upper = found.interval
    columns: dict[str, Any] = {"row": found.rows}
    if found.question.reading.identifiers:
        columns["id"] = found.ids
    columns |= {name: found.shown[name] for name in found.shown.columns}
    units = {name: reading.table.units.get(name) for name in found.shown.columns}
    if found.question.reading.apply is None:
        told = reading.sources.reset_index(drop=True)
        columns |= {f"given {name}": told[name] for name in told.columns}
    for name in found.means.columns:
        columns |= {f"{name} mean": found.means[name], f"{name} std": found.stds[name]}
    columns |= {f"{found.experiment} lower": lower, f"{found.experiment} upper": upper}
    units |= dict.fromkeys(set(columns) - {"row", "id", *units}, reading.unit)
    return pd.DataFrame(columns), units


def reader_table(found: CombineAnswer, most: int | None = None) -> pd.DataFrame:
    """The same for readers: mean and error in one cell, units in the header.

    Parameters
    ----------
    found : CombineAnswer
    most : int, optional
        Rows; all when left out.

    Returns
    -------
    DataFrame
    """
    import pandas as pd

    frame, units = prediction_table(found)
    frame = frame if most is None else frame.head(most)
    last = found.experiment
    shown: dict[str, Any] = {}
    for name in frame.columns:
        head = f"{name} [{units[name]}]" if units.get(name) else name
        source = next((one for one in found.means.columns if name in (f"{one} mean", f"{one} std")), None)
        if source is not None:
            if name.endswith(" mean"):
                pairs = zip(frame[name], frame[f"{source} std"], strict=True)
                shown[head.replace(" mean", "", 1)] = [_or_dash(with_error(*pair)) for pair in pairs]
        elif name in (f"{last} lower", f"{last} upper"):
            pairs = zip(frame[name], frame[f"{last} std"], strict=True)
            word = name.removeprefix(f"{last} ")
            shown[f"{word} [{units[name]}]" if units.get(name) else word] = [
                "–" if math.isnan(value) else digits_of(value, std) for value, std in pairs
            ]
        else:
            shown[head] = frame[name].tolist()
    return pd.DataFrame(shown)


def _or_dash(text: str) -> str:
    return "–" if text == "-" else text


def coupling_words(found: CombineAnswer) -> list[str]:
    """How strongly each source follows the cheaper ones, a line a pair."""
    names, C, std = list(found.means.columns), found.model.coupling_, found.model.coupling_std_
    given = "" if isinstance(found.question.coupling, str) else ", as given"
    return [
        f"{names[j]} follows {names[i]} by {with_error(float(C[j, i]), float(std[j, i]))}{given}"
        for j in range(1, len(names))
        for i in range(j)
        if C[j, i] != 0.0 or std[j, i] != 0.0
    ]


def kept_words(found: CombineAnswer) -> list[str]:
    """By which terms each source differs from what it follows, a line a source."""
    lines = []
    for name, terms in found.kept.items():
        words = ["a constant" if term == "1" else term for term in terms]
        lines.append(f"{name} differs by {', '.join(words) or 'nothing'}")
    return lines


def scatter_words(found: CombineAnswer) -> str:
    """Standard deviation of a single value of every source, with its unit."""
    reading = found.reading
    tail = f" {reading.unit}" if reading.unit else ""
    counts = reading.sources.notna().sum()
    words = [
        f"{name} {value:.2g}{tail}{'' if counts[name] else ' (believed, no values)'}"
        for name, value in zip(counts.index, _noise(found.model), strict=True)
    ]
    return f"single values scatter by: {', '.join(words)}"


def told_repairs(found: CombineAnswer) -> list[dict[str, Any]]:
    """Repairs of the table, without cells of a source, which are empty where nothing is known."""
    sources = set(found.reading.sources.columns)
    return [
        repair
        for repair in repair_records(found.reading.table.table)
        if repair["code"] != "empty" or repair["column"] not in sources
    ]


def _noise(model: Any) -> list[float]:
    """Standard deviation of a single value of each source."""
    return [math.sqrt(max(float(value), 0.0)) for value in model.covariance_.diagonal()]


def _say(found: CombineAnswer) -> None:
    """Say the answer on the terminal."""
    screen = console()
    question, reading = found.question, found.reading
    title = f"{found.experiment} from {', '.join(reading.sources.columns[:-1])} and few measurements"
    screen.print(title, style="bold", soft_wrap=True)
    counts = ", ".join(f"{n} of {name}" for name, n in reading.sources.notna().sum().items())
    screen.print(
        f"{counts}; basis {question.basis}; log evidence {found.model.log_evidence_:.2f}; "
        f"{found.seconds:.1f} s",
        soft_wrap=True,
    )  # fmt: skip
    for line in [*coupling_words(found), *kept_words(found)]:
        screen.print(line, soft_wrap=True)
    screen.print(scatter_words(found), soft_wrap=True)
    screen.print()
    said = f"Predictions ± standard error; lower to upper of {found.experiment} holds"
    screen.print(f"{said} {100 * question.level:g} % of the true values", style="italic", soft_wrap=True)
    screen.print(as_grid(reader_table(found, _N_SHOWN)))
    if len(found.rows) > _N_SHOWN:
        screen.print(f"... and {len(found.rows) - _N_SHOWN} more rows (-o TABLE writes them all)")
    say_repairs(told_repairs(found), screen)
    hints = [
        (question.reading.apply is None, "--predict GRID predicts other rows"),
        (question.table is None, "-o TABLE writes the predictions"),
        (question.reading.output is None, "--output DIR writes a report with figures"),
    ]
    say_end(screen, found.notes, {"Table": question.table}, question.reading.output, hints)
