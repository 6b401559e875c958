"""From measured formulas and goals, or from descriptors, to formulas: read, learn, search, say."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.delivery import say_end
from sozai.apps.cli.formula_places import check_result_place, check_text_table, delimiter_of
from sozai.apps.cli.formula_reading import (
    FormulaFile,
    FormulaRows,
    in_option_words,
    read_components,
    read_formulas,
)
from sozai.apps.cli.output import collected_warnings, console, emit_json, progress_console
from sozai.apps.cli.progress_line import Steps
from sozai.apps.cli.property_doubts import score_doubts
from sozai.apps.cli.property_output import as_grid
from sozai.apps.cli.usage import UsageError, as_usage
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["DesignQuestion", "answer", "read_goal"]

_LEAST_ROWS = 5
_UNLIKELY = 0.05  # probability below which a goal is out of reach
_LIMITS = re.compile(r"\b(?:elements|include|exclude|max_elements|max_atoms)\b")
_ALLOWED = {"auto": "auto", "yes": True, "no": False}


@dataclass(frozen=True)
class DesignQuestion:
    """Options of ``sozai design formula`` as they were given."""

    reading: FormulaFile
    targets: tuple[str, ...] = ()
    is_descriptor: bool = False
    noise: float | None = None
    grid: int = 10
    limits: Mapping[str, Any] = field(default_factory=dict)
    charge_balance: str = "auto"
    anywhere: bool = False
    number: int = 10
    level: float = 0.9
    out: Path | None = None
    json: bool = False
    seed: int = 0
    n_jobs: int | None = None


def answer(question: DesignQuestion) -> None:
    """Answer the question on the terminal, as JSON, and into a file."""
    start = time.perf_counter()
    check_text_table("-o", question.out)
    check_result_place("-o", question.out, (question.reading.path,), "designed.csv")
    with collected_warnings() as notes:
        if question.is_descriptor:
            payload, frame = _decoded(question, notes)
        else:
            payload, frame = _designed(question, notes)
    payload["seconds"] = time.perf_counter() - start
    if question.out is not None:
        from sozai.contracts.tables import write_table

        write_table(frame, question.out, delimiter=delimiter_of(question.out))
    if question.json:
        source = str(question.reading.path)
        emit_json(payload, schema="sozai.design.formula/1", source=source, notes=list(dict.fromkeys(notes)))
        return
    _say(question, payload, frame, list(dict.fromkeys(notes)))


def read_goal(text: str) -> tuple[str, Any]:
    """Read ``COL=GOAL``.

    Examples
    --------
    >>> read_goal("gap [eV]=1.2:1.5"), read_goal("Tc=max"), read_goal("E=:-2"), read_goal("n=1.5")
    (('gap [eV]', (1.2, 1.5)), ('Tc', 'max'), ('E', (None, -2.0)), ('n', 1.5))
    """
    column, equals, goal = text.rpartition("=")
    goal = goal.strip()
    if equals and column.strip():
        if goal in ("max", "min"):
            return column.strip(), goal
        ends = goal.split(":")
        try:
            numbers = [float(end) if end.strip() else None for end in ends]
        except ValueError:
            numbers = []
        if not all(number is None or math.isfinite(number) for number in numbers):
            numbers = []
        if len(numbers) == 1 and numbers[0] is not None:
            return column.strip(), numbers[0]
        if len(numbers) == 2 and None not in numbers and numbers[0] > numbers[1]:
            numbers = []
        if len(numbers) == 2 and any(number is not None for number in numbers):
            return column.strip(), (numbers[0], numbers[1])
    raise UsageError(
        sentence(
            "--target", "each entry", "read COL=GOAL with a number, LOW:HIGH (LOW <= HIGH), max or min", text,
            remedy='Write e.g. --target "gap [eV]=1.2:1.5".',
        )
    )  # fmt: skip


# --- from measured properties --------------------------------------------------------------------------


def _designed(question: DesignQuestion, notes: list[str]) -> tuple[dict[str, Any], pd.DataFrame]:
    """Learn every property, search formulas."""
    if not question.targets:
        raise UsageError(
            sentence(
                "design formula", "--target", "name a property and a goal",
                remedy='Write e.g. --target "gap [eV]=1.2:1.5", or --target COL=max.',
            )
        )  # fmt: skip
    wishes = dict(read_goal(text) for text in question.targets)
    from sozai.composition import design_formulas

    screen = progress_console()
    with screen.status("reading the table", spinner="line") as status:
        components = read_components(question.reading.table)
        rows = read_formulas(question.reading, components.components)
        notes += rows.notes
        goals = {rows.table.resolve(name): wish for name, wish in wishes.items()}
        values = {label: _numbers(rows, label) for label in goals}
        with as_usage(), _in_design_words():
            _check_search(question, rows, values, goals, components)
        models = {}
        for label in goals:
            status.update(f"learning {label}")
            models[label] = _model(question, rows, values[label], label, components)
            notes += score_doubts(models[label].validation_, label)
        status.update("searching formulas")
        with as_usage(), _in_design_words():
            found = design_formulas(
                models, goals, **question.limits, charge_balance=_ALLOWED[question.charge_balance],
                in_domain=not question.anywhere, n_formulas=question.number, level=question.level,
                progress=Steps(status.update, "searching formulas, round {done}"),
            )  # fmt: skip
    if len(found.frame) and float(found.frame["probability"].max()) < _UNLIKELY:
        best = float(found.frame["probability"].max())
        notes.append(f"No formula reaches the goal: the likeliest does with a probability of {best:.2g}.")
    if found.frame.empty:
        notes.append(
            f"None of {found.n_tried} formulas keeps all limits. Allow more elements or atoms, "
            "--charge-balance no, or --anywhere."
        )
    return {
        "goals": {
            name: {"low": goal.low, "high": goal.high, "unit": rows.table.units.get(name)}
            for name, goal in found.goals.items()
        },
        "level": question.level,
        "n_tried": found.n_tried,
        "validation": {name: _validation(model) for name, model in models.items()},
        "formulas": _records(found.frame, list(models)),
        "issues": [issue for issue in rows.issues if issue["refused"]],
    }, found.frame


def _numbers(rows: FormulaRows, label: str) -> np.ndarray:
    """Numbers of one property; NaN where the row cannot be learned from."""
    import numpy as np
    import pandas as pd

    column = rows.table.frame[label]
    if not pd.api.types.is_numeric_dtype(column):
        raise InputError(
            sentence(
                "design formula", f"column {label!r}", "hold numbers", str(column.dropna().iloc[0]),
                at=f"in '{rows.table.source}'", remedy="Name a column of numbers by --target COL=GOAL.",
            )
        )  # fmt: skip
    values = np.where(rows.refused, np.nan, column.to_numpy(dtype=np.float64))
    if np.isfinite(values).sum() < _LEAST_ROWS:
        raise InputError(
            sentence(
                "design formula", f"column {label!r}", f"have at least {_LEAST_ROWS} numbers beside formulas",
                int(np.isfinite(values).sum()), remedy="Measure more, or name another column.",
            )
        )  # fmt: skip
    return values


def _check_search(
    question: DesignQuestion,
    rows: FormulaRows,
    values: Mapping[str, np.ndarray],
    goals: Mapping[str, Any],
    components: Any,
) -> None:
    """Refuse goals and limits that leave nothing to search before the fits, not after them."""
    import numpy as np

    from sozai.composition.inverse_design import Goal, open_search
    from sozai.composition.property_coordinates import default_descriptor

    parsed, known, start = rows.parsed, [], set()
    formulas = parsed.keys()
    for label, numbers in values.items():
        usable = np.isfinite(numbers)
        Goal.of(goals[label], numbers[usable], name=label)
        held = np.unique(parsed.fractions[np.flatnonzero(usable)].indices)
        known.append({parsed.components[j] for j in held})
        start |= set(formulas[usable].tolist())
    descriptor = default_descriptor().set_params(table=components).fit()
    open_search(
        descriptor,
        set.intersection(*known),
        sorted(start),
        **question.limits,
        in_domain=not question.anywhere,
    )


def _model(
    question: DesignQuestion, rows: FormulaRows, values: np.ndarray, label: str, components: Any
) -> Any:
    """Regressor of one property, learned from the rows that have it."""
    import numpy as np
    import pandas as pd

    from sozai.composition import CompositionRegressor
    from sozai.composition.property_coordinates import default_descriptor

    usable = np.isfinite(values)
    texts = [text for text, good in zip(rows.texts(), usable, strict=True) if good]
    descriptor = default_descriptor().set_params(table=components)
    model = CompositionRegressor(descriptor, random_state=question.seed, n_jobs=question.n_jobs)
    from sozai.composition import parse_formulas

    with in_option_words():
        parsed = parse_formulas(
            texts, components=components.components, basis=rows.basis,
            values=dict(question.reading.values) or None,
        )  # fmt: skip
        return model.fit(parsed, pd.Series(values[usable], name=label))


def _validation(model: Any) -> dict[str, Any]:
    """Scores of formulas left out."""
    score = model.validation_
    return {
        "n_rows": len(model.training_target_),
        "protocol": score.protocol,
        "mae": score.mae,
        "rmse": score.rmse,
        "q2": score.q2,
        "coverage": score.coverage,
    }


@contextmanager
def _in_design_words() -> Iterator[None]:
    """Let what the search refuses be said with the options of this command."""
    try:
        with in_option_words():
            yield
    except InputError as error:
        what, must, rest = str(error).partition(" must ")
        what = what.replace("design_formulas:", "design formula:")
        what = _LIMITS.sub(lambda found: f"--{found[0].replace('_', '-')}", what)
        raise type(error)(what + must + rest.replace("in_domain=False", "--anywhere")) from None


def _records(frame: pd.DataFrame, names: list[str]) -> list[dict[str, Any]]:
    """One object a formula, the properties together."""
    records = []
    for row in frame.to_dict("records"):
        properties = {
            name: {
                "mean": row.pop(name),
                "lower": row.pop(f"{name}_lower"),
                "upper": row.pop(f"{name}_upper"),
            }
            for name in names
        }
        records.append({"formula": row.pop("formula"), "properties": properties, **row})
    return records


# --- from descriptors ----------------------------------------------------------------------------------


def _decoded(question: DesignQuestion, notes: list[str]) -> tuple[dict[str, Any], pd.DataFrame]:
    """Formulas behind every row of a descriptor file."""
    import pandas as pd

    from sozai.apps.cli.table_reading import read_asked
    from sozai.composition import KernelMeanDescriptor
    from sozai.contracts.records import Failure

    if question.targets:
        raise UsageError(
            sentence(
                "design formula", "--target", "stand with MEASURED, not with --descriptor",
                question.targets[0], remedy="Leave out one of them.",
            )
        )  # fmt: skip
    source = question.reading
    with progress_console().status("reading the descriptors", spinner="line") as status:
        components = read_components(source.table)
        table = read_asked(source.path, source, id_columns=(), sheet=source.sheet)
        descriptor = KernelMeanDescriptor(components, grid=question.grid).fit()
        names = list(descriptor.get_feature_names_out())
        values = _descriptor_rows(table, names, question)
        status.update(f"decoding {len(values)} descriptors")
        options = dict(question.limits)
        options["charge_balance"] = question.charge_balance == "yes"
        with as_usage(), in_option_words():
            answers = descriptor.decode(
                values, noise=question.noise, n_best=question.number, n_jobs=question.n_jobs, **options
            )
    if question.charge_balance == "auto":
        notes.append("Charges were not asked for; --charge-balance yes keeps neutral formulas only.")
    records, lines = [], []
    for row, found in zip(table.rows, answers, strict=True):
        if isinstance(found, Failure):
            notes.append(f"Row {int(row)}: {found.message}")
            records.append({"row": int(row), "formulas": [], "failure": found.message})
            continue
        listed = [one.to_frame().iloc[0].to_dict() for one in found]
        records.append({"row": int(row), "formulas": listed, "failure": None})
        lines += [{"row": int(row), **one} for one in listed]
    frame = pd.DataFrame(lines)
    if len(frame):
        for name in ("fractions", "oxidation_states"):
            frame[name] = [str(cell) if cell else "" for cell in frame[name]]
    return {"table": components.name, "n_columns": len(names), "rows": records}, frame


def _descriptor_rows(table: Any, names: list[str], question: DesignQuestion) -> Any:
    """Numbers of the descriptor's columns; what is missing is named."""
    import numpy as np

    frame = table.frame
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise InputError(
            sentence(
                "--descriptor", f"'{table.source}'", f"hold the {len(names)} columns of the descriptor",
                f"{len(names) - len(missing)} of them; the first missing is {missing[0]!r}",
                remedy=f"Write it with describe formulas --table {question.reading.table} --grid "
                f"{question.grid}, or give the --table and --grid it was made with.",
            )
        )  # fmt: skip
    values = frame[names].to_numpy(dtype=np.float64)
    bad = ~np.isfinite(values)
    if bad.any():
        row, column = (int(k) for k in np.argwhere(bad)[0])
        raise InputError(
            sentence(
                "--descriptor", f"'{table.source}'", "hold a number in every cell", "an empty cell",
                at=f"in row {int(table.rows[row])}, column {names[column]!r}", remedy="Leave the row out.",
            )
        )  # fmt: skip
    return values


# --- saying it -----------------------------------------------------------------------------------------


def _say(question: DesignQuestion, payload: dict[str, Any], frame: pd.DataFrame, notes: list[str]) -> None:
    """Say the answer on the terminal."""
    screen = console()
    if question.is_descriptor:
        screen.print(f"Formulas behind {len(payload['rows'])} descriptors", style="bold")
        columns = ["row", "formula", "residual_ratio", "n_atoms", "unique", "optimal", "reason"]
        shown = frame[columns] if len(frame) else frame
    else:
        screen.print(f"Formulas for {', '.join(map(_goal_words, payload['goals'].items()))}", style="bold")
        for name, score in payload["validation"].items():
            screen.print(
                f"{name} from {score['n_rows']} formulas ({score['protocol']}): MAE {score['mae']:.4g}, "
                f"Q2 {score['q2']:.3f}, {100 * score['coverage']:.0f} % in their interval",
                soft_wrap=True,
            )
        screen.print(f"{payload['n_tried']} formulas predicted; {payload['seconds']:.1f} s")
        hidden = ["in_domain", "reason", "neutral", "oxidation_states"]
        shown = frame.drop(columns=[name for name in hidden if name in frame and not question.anywhere])
    screen.print()
    if len(shown):
        screen.print(as_grid(shown))
    say_end(screen, notes, {"Table": question.out})
    if not question.is_descriptor and len(shown):
        screen.print(
            "A prediction is no synthesis: measure the first few before you trust the rest.", style="dim"
        )


def _goal_words(item: tuple[str, dict[str, Any]]) -> str:
    """Goal in words."""
    name, goal = item
    unit = f" {goal['unit']}" if goal["unit"] else ""
    if goal["low"] is None:
        return f"{name} below {goal['high']:.4g}{unit}"
    if goal["high"] is None:
        return f"{name} above {goal['low']:.4g}{unit}"
    return f"{name} from {goal['low']:.4g} to {goal['high']:.4g}{unit}"
