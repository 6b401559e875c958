"""From measured rows to predictions: read, fit, leave out, predict."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.output import collected_warnings, progress_console, quiet
from sozai.apps.cli.property_doubts import score_doubts
from sozai.apps.cli.property_question import (
    PropertyQuestion,
    check_property_places,
    choose_kind,
    in_property_words,
    refuse_no_rows,
    say_in_property_words,
)
from sozai.apps.cli.table_reading import (
    NewRows,
    Reading,
    answered_rows,
    outside,
    read_new_rows,
    read_question,
)
from sozai.apps.cli.wording import in_command_words

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PropertyAnswer", "answer", "find_predictions"]


@dataclass
class PropertyAnswer:
    """Everything found for one question about a property.

    Attributes
    ----------
    question : PropertyQuestion
    reading : Reading
    kind : str
        Kind of target that was modelled.
    predictor : TablePredictor
        Fitted.
    score : FoldScore
        Of the training rows, each left out, with intervals of the level asked for.
    predictions : DataFrame
        Of the new rows, or of the training rows left out.
    shown : DataFrame
        The features of the same rows.
    notes : list of str
        Warnings.
    seconds : float
    """

    question: PropertyQuestion
    reading: Reading
    kind: str
    predictor: Any
    score: Any
    predictions: pd.DataFrame
    shown: pd.DataFrame
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def model_name(self) -> str:
        """What the model is, in words."""
        names = {"GaussianProcess": "Gaussian process", "AveragedTrees": "averaged trees"}
        kind = type(self.predictor.model_).__name__
        return names.get(kind, kind)


def answer(question: PropertyQuestion) -> None:
    """Answer the question on the terminal, as JSON, and into files."""
    from sozai.apps.cli.property_output import deliver

    start = time.perf_counter()
    with collected_warnings() as notes:
        check_property_places(question)
        found = find_predictions(question, notes)
        found.seconds = time.perf_counter() - start
        target = found.reading.target
        spoken = (in_command_words(say_in_property_words(note, target)) for note in notes)
        found.notes = list(dict.fromkeys(spoken))
        deliver(found)


def find_predictions(question: PropertyQuestion, notes: list[str]) -> PropertyAnswer:
    """Read, fit, leave rows out and predict, with a line of progress on a terminal."""
    screen = progress_console()
    with screen.status("reading the table", spinner="line") as status:
        with in_property_words(question):
            reading = read_question(question.reading)
            notes += reading.notes
            new = None if question.reading.apply is None else read_new_rows(question.reading, reading)
            refuse_no_rows(question, new)
        kind, words = choose_kind(question, reading)
        notes += words
        status.update(f"learning from {len(reading.y)} rows, leaving some out in turn")
        with in_property_words(question):
            predictor = _fit(question, reading, kind)
        score = predictor.left_out(question.level)
        notes += score_doubts(score, reading.target)
        if new is None:
            predictions, shown = _left_out_table(question, reading, score), reading.X.reset_index(drop=True)
        else:
            status.update(f"predicting the rows of {question.reading.apply}")
            notes += new.notes
            predictions, shown = _new_table(new, predictor, question.level)
            notes += outside(predictions, question.reading.apply, "the measured rows")
    return PropertyAnswer(question, reading, kind, predictor, score, predictions, shown)


def _fit(question: PropertyQuestion, reading: Reading, kind: str) -> Any:
    """Fitted predictor."""
    import pandas as pd

    from sozai.numerics.table_predictor import TablePredictor

    unit = reading.target_unit
    y = pd.Series(reading.y, name=f"{reading.target} [{unit}]" if unit else reading.target)
    predictor = TablePredictor(
        target=kind, random_state=question.reading.seed, n_jobs=question.reading.n_jobs
    )
    return predictor.fit(reading.X, y, groups=reading.groups)


def _left_out_table(question: PropertyQuestion, reading: Reading, score: Any) -> pd.DataFrame:
    """Training rows, each predicted without itself."""
    import pandas as pd

    rows = reading.table.rows[reading.table.frame.index.get_indexer(reading.X.index)]
    return pd.DataFrame(
        {
            "row": [int(row) for row in rows],
            "id": reading.row_names if question.reading.identifiers else None,
            "mean": score.predictions,
            "lower": score.lower,
            "upper": score.upper,
            "in_domain": True,
            "reason": "",
        }
    )


def _new_table(new: NewRows, predictor: Any, level: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Prediction, interval and domain of every new row, or what the row lacks; and its features."""
    import pandas as pd

    known = pd.DataFrame(index=new.values.index)
    if len(new.values):
        known["mean"] = predictor.predict(new.values)
        known["lower"], known["upper"] = predictor.predict_interval(new.values, level=level)
        with quiet():
            domain = predictor.applicability(new.values)
        known["in_domain"], known["reason"] = list(domain["in_domain"]), list(domain["reason"])
    features = new.values.reindex([row["label"] for row in new.rows]).reset_index(drop=True)
    return answered_rows(new, known, dict.fromkeys(("mean", "lower", "upper"), float("nan"))), features
