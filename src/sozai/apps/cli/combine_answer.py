"""From calculated and measured rows to predictions of the experiment: read, fit, predict."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.combine_question import (
    CombineQuestion,
    check_combine_places,
    in_combine_words,
    read_basis,
    say_in_combine_words,
)
from sozai.apps.cli.combine_reading import SourcesReading, read_sources
from sozai.apps.cli.output import collected_warnings, progress_console
from sozai.apps.cli.table_reading import NewRows, read_new_rows
from sozai.apps.cli.wording import in_command_words
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CombineAnswer", "answer", "combine"]


@dataclass
class CombineAnswer:
    """Everything found for one question about two sources.

    Attributes
    ----------
    question : CombineQuestion
    reading : SourcesReading
    model : GaussianAssimilator
        Fitted.
    shown : DataFrame
        Descriptors of the predicted rows; NaN where a row lacks one.
    rows, ids : list
        Row of the file, and name, of each predicted row.
    means, stds : DataFrame
        By source, without noise; NaN where a row lacks a descriptor.
    lower, upper : Series
        Of the experiment, at the level asked for.
    notes : list of str
    seconds : float
    """

    question: CombineQuestion
    reading: SourcesReading
    model: Any
    shown: pd.DataFrame
    rows: list[int]
    ids: list[Any]
    means: pd.DataFrame
    stds: pd.DataFrame
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def experiment(self) -> str:
        """Name of the experiment."""
        return str(self.reading.sources.columns[-1])

    @property
    def interval(self) -> tuple[pd.Series, pd.Series]:
        """Lower and upper end for the experiment without noise, at the level asked for."""
        from statistics import NormalDist

        mean, std = self.means[self.experiment], self.stds[self.experiment]
        width = NormalDist().inv_cdf(0.5 + 0.5 * self.question.level) * std
        return mean - width, mean + width

    @property
    def kept(self) -> dict[str, list[str]]:
        """Terms of the correction of every source beyond the first."""
        names = list(self.reading.sources.columns)[1:]
        return {name: list(terms) for name, terms in zip(names, self.model.kept_terms_[1:], strict=True)}


def answer(question: CombineQuestion) -> None:
    """Answer the question on the terminal, as JSON, and into files."""
    from sozai.apps.cli.combine_output import deliver

    start = time.perf_counter()
    with collected_warnings() as notes:
        check_combine_places(question)
        found = combine(question, notes)
        found.seconds = time.perf_counter() - start
        found.notes = list(dict.fromkeys(in_command_words(say_in_combine_words(note)) for note in notes))
        deliver(found)


def combine(question: CombineQuestion, notes: list[str]) -> CombineAnswer:
    """Read, fit and predict, with a line of progress on a terminal."""
    import pandas as pd

    from sozai.assimilation.gaussian import GaussianAssimilator

    basis = read_basis(question.basis)
    screen = progress_console()
    with screen.status("reading the table", spinner="line") as status, in_combine_words(question):
        reading = read_sources(question)
        notes += reading.notes
        new = _new_rows(question, reading, notes)
        status.update(f"joining {reading.sources.shape[1]} sources in {len(reading.sources)} rows")
        model = GaussianAssimilator(
            basis, restricted=question.restricted, coupling=question.coupling,
            domain=_domain(reading.table.X), allow_prior=question.allow_prior,
        )  # fmt: skip
        model.fit(reading.table.X, reading.sources)
        points = reading.table.X if new is None else new.values
        status.update(f"predicting {len(points)} rows")
        means, stds = {}, {}
        for source, name in enumerate(reading.sources.columns):
            start = len(notes)
            means[name], stds[name] = model.predict(points, source, return_std=True)
            notes[start:] = [f"{name}: {say_in_combine_words(note)}" for note in notes[start:]]
    notes += _doubts(reading, new)
    known = (pd.DataFrame(part, index=points.index) for part in (means, stds))
    if new is None:
        order, rows, ids = points.index, reading.rows, reading.table.row_names
    else:
        order = [row["label"] for row in new.rows]
        rows, ids = [row["row"] for row in new.rows], [row["id"] for row in new.rows]
    shown, mean, std = (part.reindex(order).reset_index(drop=True) for part in (points, *known))
    return CombineAnswer(question, reading, model, shown, rows, ids, mean, std)


def _new_rows(question: CombineQuestion, reading: SourcesReading, notes: list[str]) -> NewRows | None:
    """Rows of ``--predict``."""
    path = question.reading.apply
    if path is None:
        return None
    new = read_new_rows(question.reading, reading.table)
    notes += new.notes
    lacking = [row for row in new.rows if row["missing"]]
    if len(lacking) == len(new.rows):
        raise InputError(
            sentence("combine sources", str(path), "have rows with a number in every descriptor", "none",
                     remedy="Check that the right file was saved.")
        )  # fmt: skip
    if lacking:
        first = lacking[0]
        counts = f"{len(lacking)} of {len(new.rows)} rows of {path} are not predicted"
        notes.append(f"{counts}; row {first['row']}: {first['missing']}.")
    return new


def _doubts(reading: SourcesReading, new: NewRows | None) -> list[str]:
    """What the reader may not have meant: sources the wrong way round, predictions beyond all data."""
    counts = reading.sources.notna().sum()
    *cheaper, last = reading.sources.columns
    notes = [
        f"{last!r} has more values ({counts[last]}) than {name!r} ({counts[name]}): if it is the one that is "
        "calculated, exchange --simulation and --experiment."
        for name in cheaper
        if counts[last] > counts[name]
    ]
    if new is None:
        return notes
    told = reading.table.X[reading.sources.notna().any(axis=1)]
    low, high = told.min(), told.max()
    beyond = (new.values < low) | (new.values > high)
    n = int(beyond.any(axis=1).sum())
    if n:
        units = reading.table.units
        parts = [
            f"{name} {low[name]:g} to {high[name]:g}{' ' + units[name] if units.get(name) else ''}"
            for name in beyond.columns[beyond.any()]
        ]
        rows = "1 predicted row lies" if n == 1 else f"{n} predicted rows lie"
        notes.append(f"{rows} outside the data ({', '.join(parts)}): there all rests on the basis.")
    return notes


def _domain(X: pd.DataFrame) -> Any:
    """Range of every descriptor in the file: what else is asked for does not change the model."""
    import numpy as np

    low, high = X.min().to_numpy(), X.max().to_numpy()
    return np.column_stack([low, np.where(high > low, high, low + 1.0)])
