"""From measured formulas to predictions: read, fit, leave formulas out, predict."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.formula_reading import in_option_words, read_components
from sozai.apps.cli.formula_wording import in_formula_words
from sozai.apps.cli.output import collected_warnings, progress_console, quiet
from sozai.apps.cli.property_doubts import class_doubts, score_doubts
from sozai.apps.cli.property_formula_reading import (
    MeasuredFormulas,
    NewFormulas,
    read_measured,
    read_new_formulas,
)
from sozai.apps.cli.property_question import (
    PropertyQuestion,
    check_property_places,
    choose_kind,
    in_property_words,
    refuse_few_rows,
    refuse_with_classes,
    say_in_property_words,
)
from sozai.apps.cli.wording import in_command_words
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["FormulaAnswer", "answer_from_formulas", "find_formula_predictions"]

_GROUP_WORDS = {"formula": "formula", "system": "system", "rows": None}
_FOLDS = 5


@dataclass
class FormulaAnswer:
    """Everything found for one question about a property of formulas.

    Attributes
    ----------
    question : PropertyQuestion
    measured : MeasuredFormulas
    new : NewFormulas or None
    kind : str
        Kind of target that was modelled; ``"classes"`` for labels.
    model : CompositionRegressor or CompositionClassifier
        Fitted.
    score : FoldScore or None
        Of formulas left out, with intervals of the level asked for; None for classes.
    predictions : DataFrame
        Of the new rows, or of measured rows left out.
    side : DataFrame
        Side columns of the same rows.
    truth : ndarray or None
        What was measured in the same rows; None for new rows.
    notes : list of str
        Warnings.
    seconds : float
    """

    question: PropertyQuestion
    measured: MeasuredFormulas
    new: NewFormulas | None
    kind: str
    model: Any
    score: Any
    predictions: pd.DataFrame
    side: pd.DataFrame
    truth: np.ndarray | None
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_class(self) -> bool:
        """Whether the target holds classes."""
        return self.measured.reading.is_class

    @property
    def model_name(self) -> str:
        """What the model is, in words."""
        names = {
            "GaussianProcess": "Gaussian process",
            "SmoothNetworks": "mean of neural networks",
            "ExtraTreesClassifier": "randomized trees",
        }
        kind = type(self.model.model_).__name__
        return names.get(kind, kind)


def answer_from_formulas(question: PropertyQuestion) -> None:
    """Answer the question on the terminal, as JSON, and into files."""
    from sozai.apps.cli.property_formula_output import deliver

    start = time.perf_counter()
    with collected_warnings() as notes:
        check_property_places(question)
        found = find_formula_predictions(question, notes)
        found.seconds = time.perf_counter() - start
        found.notes = _spoken(notes, found.measured.reading.target)
        deliver(found)


def find_formula_predictions(question: PropertyQuestion, notes: list[str]) -> FormulaAnswer:
    """Read, fit, leave formulas out and predict, with a line of progress on a terminal."""
    screen = progress_console()
    with screen.status("reading the table", spinner="line") as status, in_property_words(question):
        table = read_components(question.components)
        measured = read_measured(question, table.components)
        reading = measured.reading
        notes += reading.notes
        refuse_few_rows(question, len(reading.y))
        new = None
        if question.reading.apply is not None:
            new = read_new_formulas(question, measured, table.components)
            notes += new.notes
        if reading.is_class:
            refuse_with_classes(question)
            kind = "classes"
        else:
            kind, words = choose_kind(question, reading)
            notes += [*words, *_constant(reading)]
        status.update(f"learning from {len(reading.y)} formulas, leaving some out in turn")
        with in_option_words():
            model = (_fit_classes if reading.is_class else _fit)(question, measured, table, kind, notes)
        if new is not None:
            status.update(f"predicting the rows of {question.reading.apply}")
        answer = _class_tables if reading.is_class else _tables
        score, predictions, side, truth = answer(question, measured, new, model)
    if new is not None:
        notes += _outside(predictions, question)
    elif len(predictions) < len(reading.y):
        notes.append(
            f"Only the {len(predictions)} rows kept back are listed; the model has learned from the other "
            f"{len(reading.y) - len(predictions)}."
        )
    if reading.is_class:
        notes += class_doubts(model.class_scores_, reading.target)
    else:
        notes += score_doubts(score, reading.target)
    if score is not None and score.level < question.level - 1e-12:
        notes.append(
            f"{len(score.predictions)} formulas left out can promise intervals of {100 * score.level:.3g} % "
            f"at most, not {100 * question.level:g} %."
        )
    return FormulaAnswer(question, measured, new, kind, model, score, predictions, side, truth)


# --- fitting -------------------------------------------------------------------------------------------


def _fit(
    question: PropertyQuestion, measured: MeasuredFormulas, table: Any, kind: str, notes: list[str]
) -> Any:
    """Fitted regressor."""
    import pandas as pd

    from sozai.composition import CompositionRegressor, KernelMeanDescriptor
    from sozai.composition.property_coordinates import default_descriptor

    reading = measured.reading
    groups, labels = _groups(question, measured)
    plain = default_descriptor(extra=tuple(map(str, reading.X.columns)))
    descriptor = KernelMeanDescriptor(table, **_without_table(plain.get_params(deep=False)))
    unit = reading.target_unit
    y = pd.Series(reading.y, name=f"{reading.target} [{unit}]" if unit else reading.target)
    model = CompositionRegressor(
        descriptor, question.model, target=kind, groups=groups, random_state=question.reading.seed,
        n_jobs=question.reading.n_jobs,
    )  # fmt: skip
    return model.fit(measured.X, y, groups=labels)


def _fit_classes(
    question: PropertyQuestion, measured: MeasuredFormulas, table: Any, kind: str, notes: list[str]
) -> Any:
    """Fitted classifier; folds as many as the rarest class has formulas, five at most."""
    import numpy as np

    from sozai.composition import CompositionClassifier, KernelMeanDescriptor

    reading = measured.reading
    groups, labels = _groups(question, measured)
    keys, what = _left_out_keys(measured, groups, labels)
    counts = {
        label: len({key for key, own in zip(keys, reading.y, strict=True) if own == label})
        for label in np.unique(reading.y).tolist()
    }
    rarest = min(counts, key=lambda label: counts[label])
    if counts[rarest] < 2:
        raise InputError(
            sentence(
                "--target", f"column {reading.target!r}", f"hold every class in at least 2 different {what}",
                counts[rarest], at=f"for class {rarest!r}",
                remedy="Add such rows, or join the class with another.",
            )
        )  # fmt: skip
    folds = min(_FOLDS, counts[rarest])
    if folds < _FOLDS:
        notes.append(
            f"Class {rarest!r} has {counts[rarest]} different {what} only, so the rows are left out in "
            f"{folds} folds instead of {_FOLDS}; its scores say little."
        )
    model = CompositionClassifier(
        KernelMeanDescriptor(table, extra=tuple(map(str, reading.X.columns))), groups=groups, cv=folds,
        random_state=question.reading.seed, n_jobs=question.reading.n_jobs,
    )  # fmt: skip
    return model.fit(measured.X, reading.y, groups=labels)


def _left_out_keys(
    measured: MeasuredFormulas, groups: str | None, labels: np.ndarray | None
) -> tuple[list[Any], str]:
    """What every row is left out with, and what these are."""
    if labels is not None:
        return labels.tolist(), "groups"
    if groups is None:
        return list(measured.file_rows), "rows"
    parsed = measured.rows.parsed
    names = parsed.keys() if groups == "formula" else parsed.chemical_systems()
    known = dict(zip(map(int, measured.rows.table.rows), names, strict=True))
    what = "formulas" if groups == "formula" else "chemical systems"
    return [known[row] for row in measured.file_rows], what


def _without_table(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if name != "table"}


def _groups(question: PropertyQuestion, measured: MeasuredFormulas) -> tuple[str | None, np.ndarray | None]:
    """What is left out together: a word of the model, or the labels of a column."""
    asked = question.reading.groups
    if asked is None:
        return "formula", None
    if asked in _GROUP_WORDS:
        return _GROUP_WORDS[asked], None
    from sozai.apps.cli.formula_columns import resolve_column

    table, reading = measured.rows.table, measured.reading
    column = resolve_column(table, asked, "--groups")
    labels = table.frame[column].loc[reading.X.index].astype(str).to_numpy()
    if len(set(labels)) < 2:
        raise InputError(
            sentence(
                "--groups", repr(column), "hold at least 2 different values", len(set(labels)),
                remedy="Name a column that tells the groups apart.",
            )
        )  # fmt: skip
    return "formula", labels


# --- predictions ---------------------------------------------------------------------------------------


def _tables(
    question: PropertyQuestion, measured: MeasuredFormulas, new: NewFormulas | None, model: Any
) -> tuple[Any, pd.DataFrame, pd.DataFrame, np.ndarray | None]:
    """Score, predictions, side columns and measured values of the rows shown."""
    score = model.left_out(question.level)
    if new is None:
        rows = model.validation_rows_
        columns = {"mean": score.predictions, "lower": score.lower, "upper": score.upper}
        return score, *_left_out(question, measured, rows, columns)
    known: dict[str, Any] = {}
    if new.X is not None:
        lower, upper = model.predict_interval(new.X, level=question.level)
        known = {"mean": model.predict(new.X), "lower": lower, "upper": upper}
    return score, _new_table(question, new, model, known), new.side, None


def _class_tables(
    question: PropertyQuestion, measured: MeasuredFormulas, new: NewFormulas | None, model: Any
) -> tuple[Any, pd.DataFrame, pd.DataFrame, np.ndarray | None]:
    """The same for classes: class, probabilities and set of every row."""
    import numpy as np

    y = measured.reading.y
    if new is None:
        score = model.left_out(question.level)
        columns = _class_columns(model, score.predictions, score.probabilities, score.sets)
        return None, *_left_out(question, measured, np.arange(len(y)), columns)
    known: dict[str, Any] = {}
    if new.X is not None:
        inside = model.predict_set(new.X, level=question.level)
        known = _class_columns(model, model.predict(new.X), model.predict_proba(new.X), inside)
    return None, _new_table(question, new, model, known), new.side, None


def _class_columns(model: Any, found: np.ndarray, p: np.ndarray, inside: np.ndarray) -> dict[str, Any]:
    """Class, probabilities and set of some rows."""
    names = model.classes_.tolist()
    return {
        "class": found.tolist(),
        "probabilities": [dict(zip(names, row, strict=True)) for row in p.tolist()],
        "set": [[name for name, held in zip(names, row, strict=True) if held] for row in inside],
    }


def _left_out(
    question: PropertyQuestion, measured: MeasuredFormulas, rows: np.ndarray, columns: dict[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Measured rows, each predicted by a fit that had not seen its formula."""
    import pandas as pd

    reading = measured.reading
    frame = pd.DataFrame(
        {
            "row": [measured.file_rows[at] for at in rows],
            "id": [reading.row_names[at] for at in rows] if question.reading.identifiers else None,
            "formula": [measured.texts[at] for at in rows],
            **columns,
            "in_domain": True,
            "reason": "",
            "nearest": None,
            "distance": float("nan"),
        }
    )
    return frame, reading.X.iloc[rows].reset_index(drop=True), reading.y[rows]


def _new_table(
    question: PropertyQuestion, new: NewFormulas, model: Any, known: dict[str, Any]
) -> pd.DataFrame:
    """Every new row: prediction and domain, or what it lacks."""
    import pandas as pd

    names = ["class", "probabilities", "set"] if hasattr(model, "classes_") else ["mean", "lower", "upper"]
    if new.X is not None:
        with quiet():
            domain = model.applicability(new.X)
        known = known | {name: list(domain[name]) for name in ("in_domain", "reason", "nearest", "distance")}
    records, at = [], 0
    for row in new.rows:
        if row["missing"]:
            cells = {
                name: None if name in ("class", "probabilities", "set") else float("nan") for name in names
            }
            cells |= {"in_domain": False, "reason": row["missing"], "nearest": None, "distance": float("nan")}
        else:
            cells, at = {name: values[at] for name, values in known.items()}, at + 1
        records.append({"row": row["row"], "id": row["id"], "formula": row["formula"], **cells})
    return pd.DataFrame(records)


def _outside(predictions: pd.DataFrame, question: PropertyQuestion) -> list[str]:
    """Say how many rows lie outside, and the first of them as the file counts it."""
    outside = predictions[~predictions["in_domain"].astype(bool)]
    if outside.empty:
        return []
    first = outside.iloc[0]
    counts = f"{len(outside)} of {len(predictions)} rows of {question.reading.apply}"
    named = f"row {first['row']} ({first['formula']})" if first["formula"] else f"row {first['row']}"
    reason = str(first["reason"]).rstrip(".")
    return [f"{counts} lie outside the measured formulas or lack something; {named}: {reason}."]


def _constant(reading: Any) -> list[str]:
    """Say that a target that never varies teaches nothing."""
    y = reading.y
    if (y != y[0]).any():
        return []
    return [f"{reading.target!r} is {y[0]:g} in all {len(y)} rows: there is nothing to learn from them."]


def _spoken(notes: list[str], target: str) -> list[str]:
    """Notes in the words of the command, each once."""
    said = (in_command_words(in_formula_words(say_in_property_words(note, target))) for note in notes)
    return list(dict.fromkeys(said))
