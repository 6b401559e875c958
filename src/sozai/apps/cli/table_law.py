"""From a table to a law: fit, honest validation, relations, comparison, prediction."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.output import collected_warnings, note_interrupt, progress_console, quiet
from sozai.apps.cli.progress_line import Steps
from sozai.apps.cli.table_answer import TableAnswer
from sozai.apps.cli.table_limits import limits_of, read_limits
from sozai.apps.cli.table_output import check_places, deliver
from sozai.apps.cli.table_question import Plan, TableQuestion, default_plan
from sozai.apps.cli.table_reading import (
    NewRows,
    Reading,
    answered_rows,
    outside,
    read_new_rows,
    read_question,
)
from sozai.apps.cli.table_regressor import make_regressor, seconds_of_search
from sozai.apps.cli.table_resume import forget_parts, kept_parts, parts_folder
from sozai.apps.cli.usage import as_usage
from sozai.apps.cli.wording import in_command_words
from sozai.contracts.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.class_rule import ClassAnswer

__all__ = ["answer", "find_law"]

_MANY = 1000  # descriptors from which half as many folds keep the test of the law short
_TEST = 600.0  # seconds that the folds of a large search may take on one core


def answer(question: TableQuestion) -> None:
    """Answer the question on the terminal, as JSON, and into the output folder."""
    start = time.perf_counter()
    with collected_warnings() as notes:
        check_places(question)
        found = _find(question, notes)
        notes += found.conversions
        found.seconds = time.perf_counter() - start
        found.notes = [in_command_words(note) for note in notes]
        deliver(found)
        forget_parts(question)


def _find(question: TableQuestion, notes: list[str]) -> TableAnswer | ClassAnswer:
    """Read the table and find a law, or a rule where the target holds classes."""
    with progress_console().status("reading the table", spinner="line") as status:
        reading = read_question(question, classes=True)
        notes += reading.notes
        if not reading.is_class:
            return find_law(question, reading, notes, status.update)
        from sozai.apps.cli.class_rule import find_rule

        return find_rule(question, reading, notes, status.update)


def find_law(
    question: TableQuestion, reading: Reading, notes: list[str], update: Callable[[str], object]
) -> TableAnswer:
    """Fit, validate and do what else was asked, with a line of progress."""
    new = None if question.apply is None else read_new_rows(question, reading)
    _check_preferred(question, reading)
    plan = default_plan(question, reading.X.shape[1])
    if question.limits:
        with as_usage():  # wrong words are refused before the search
            read_limits(question.limits, list(reading.X.columns))
    update(f"searching laws of {reading.X.shape[1]} columns, {len(reading.y)} rows ({plan})")
    with kept_parts(parts_folder(question) if plan.large else None, notes) as store:
        law = _fit(question, reading, plan, update, store)
        notes += law.models_.notes if plan.large else ()
        found = TableAnswer(question, reading, plan, law, list(law.models_))
        found.validation = _validate(question, reading, plan, law.n_candidates_, update, store)
    if question.prefer:
        update("rewriting the law")
        found.rewritten = list(law.rewrite(prefer=list(question.prefer), max_terms=question.max_terms))
        if not found.rewritten:
            wanted = ", ".join(map(repr, question.prefer))
            notes.append(f"--prefer: no relation brings {wanted} into the law; it stands as it is.")
    if question.compare:
        update("comparing with other methods")
        from sozai.apps.cli.table_comparison import compare_methods

        found.comparison, found.price = compare_methods(question, reading, plan, update=update)
    if question.limits:
        update("searching the limits of the law")
        found.limits = limits_of(law, reading, question.limits)
    if new is not None:
        update(f"predicting the rows of {question.apply}")
        notes += new.notes
        found.predictions = _predict(new, law)
        notes += outside(found.predictions, question.apply, "the law's range")
    return found


def _fit(
    question: TableQuestion, reading: Reading, plan: Plan, update: Callable[[str], object], store: Path | None
) -> Any:
    """Fitted regressor; after Ctrl-C the best law so far is said and nothing is written."""

    def progress(done: int, total: int) -> None:
        update(f"searching: {done:,} of {total:,} combinations")

    # With a fixed order there is one search, so its best list so far is worth showing.
    options: dict[str, Any] = {}
    if plan.large:
        steps = Steps(update, "screening formulas: {done} parts done")
        options = {"progress": steps, "on_interrupt": "return", "store": store}
    elif question.select == "exhaustive":
        options = {"progress": progress, "on_interrupt": "raise" if plan.order == "auto" else "return"}
    regressor = make_regressor(question, reading, plan, **options)
    with note_interrupt() as interruption:
        regressor.fit(reading.X, reading.y, groups=reading.groups)
    if interruption.came:
        sys.stderr.write(f"Best law so far (search incomplete): {reading.target} = {regressor.formula_}\n")
        raise KeyboardInterrupt
    return regressor


def _validate(
    question: TableQuestion,
    reading: Reading,
    plan: Plan,
    n_candidates: int,
    update: Callable[[str], object],
    store: Path | None,
) -> dict[str, Any]:
    """Score of rows whose folds never saw them, the whole search repeated in each fold."""
    from sozai.symbolic.selectors.validation import nested_score

    n_folds = 5 if n_candidates > _MANY else min(10, len(reading.y))
    n_groups = None if reading.groups is None else len(set(reading.groups.tolist()))
    n_folds = n_groups or n_folds
    if plan.large:
        seconds = seconds_of_search(n_candidates, len(reading.y), question.max_terms or 3)
        if n_folds * seconds > _TEST:
            n_folds = min(n_folds, 5)
        if n_folds * seconds > _TEST:
            minutes = n_folds * seconds / 60
            return _untested(
                f"not tested, {n_folds} searches take about {minutes:.2g} min: a lower --max-candidates "
                "leaves time"
            )
    steps = Steps(update, f"testing the law on rows it has not seen: {{done}} of {n_folds} folds")
    steps.advance(0)
    options: dict[str, Any] = {"store": store} if plan.large else {}
    try:
        with quiet():
            score = nested_score(
                make_regressor(question, reading, plan, **options),
                reading.X,
                reading.y,
                cv=None if n_folds == n_groups else n_folds,
                groups=reading.groups,
                random_state=question.seed,
                progress=steps,
            )
    except InputError:
        # The whole table gave a law, so what failed is a fold with too few rows.
        return _untested("too few rows to leave some out")
    n_folds = len(score.folds)
    protocol = f"{n_folds} shuffled folds"
    if n_groups is not None:
        protocol = f"{n_folds} folds of whole groups of {question.groups!r}"
    if n_folds == n_groups:
        protocol = f"each of {n_folds} groups of {question.groups!r} left out in turn"
    return {
        "protocol": protocol,
        "n_folds": n_folds,
        "rmse": score.rmse,
        "rmse_standard_error": score.rmse_standard_error,
        "q2": score.q2,
        "q2_standard_error": score.q2_standard_error,
        "folds": score.to_frame().to_dict("records"),
    }


def _untested(reason: str) -> dict[str, Any]:
    """Record of a law that was not tested on rows left out."""
    nothing = dict.fromkeys(("rmse", "rmse_standard_error", "q2", "q2_standard_error"), float("nan"))
    return {"protocol": reason, "n_folds": 0, **nothing, "folds": []}


def _check_preferred(question: TableQuestion, reading: Reading) -> None:
    """Refuse a preferred descriptor that is no expression of the columns before the search begins."""
    from sozai.symbolic import parse_expression

    for text in question.prefer:
        parse_expression(text, list(reading.X.columns))


def _predict(new: NewRows, law: Any) -> pd.DataFrame:
    """Mean, 95 % interval and domain reason of every row of the new table, or what the row lacks."""
    import pandas as pd

    known = pd.DataFrame(index=new.values.index)
    if len(new.values):
        with quiet():  # what lies outside is said row by row
            known["mean"] = law.predict(new.values)
            known["lower"], known["upper"] = law.predict_interval(new.values, level=0.95)
            domain = law.applicability(new.values)
        known["in_domain"], known["reason"] = list(domain["in_domain"]), list(domain["reason"])
    return answered_rows(new, known, dict.fromkeys(("mean", "lower", "upper"), float("nan")))
