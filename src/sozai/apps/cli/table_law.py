"""From a table to a law: fit, honest validation, relations, comparison, prediction."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.output import collected_warnings, note_interrupt, progress_console, quiet
from sozai.apps.cli.table_question import Plan, TableQuestion, default_plan, make_selector
from sozai.apps.cli.table_reading import Reading, read_new_rows, read_question
from sozai.contracts.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TableAnswer", "TableQuestion", "answer"]

# The library's remedy, and how the same is said to this command.
_IN_PYTHON = "Declare pure numbers with dimensionless=[...]"
_ON_THE_COMMAND_LINE = "Declare pure numbers with --units COL= (no unit)"


@dataclass
class TableAnswer:
    """Everything found for one question; the parts that were not asked for stay None.

    Attributes
    ----------
    question : TableQuestion
    reading : Reading
    plan : Plan
    law : SymbolicRegressor
        Fitted.
    models : list of SymbolicModel
        The kept law first, then the best of every other size, then the rest.
    validation : dict
        Score with the whole search repeated in every fold.
    rewritten : list
        Equivalent forms with the preferred descriptors.
    comparison : DataFrame or None
    predictions : DataFrame or None
    notes : list of str
        Warnings.
    seconds : float
    """

    question: TableQuestion
    reading: Reading
    plan: Plan
    law: Any
    models: list[Any]
    validation: dict[str, Any] = field(default_factory=dict)
    rewritten: list[Any] = field(default_factory=list)
    comparison: pd.DataFrame | None = None
    predictions: pd.DataFrame | None = None
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def simplified(self) -> str | None:
        """The kept law with coefficients as simple fractions, where that is no coincidence; else None."""
        text = self.law.formula_of(self.law.model_, snap=True)
        return None if text == self.law.formula_ else str(text)


def answer(question: TableQuestion) -> None:
    """Answer the question on the terminal, as JSON, and into the output folder."""
    from sozai.apps.cli.table_output import deliver

    start = time.perf_counter()
    with collected_warnings() as notes:
        found = find_law(question, notes)
        found.seconds = time.perf_counter() - start
        found.notes = [note.replace(_IN_PYTHON, _ON_THE_COMMAND_LINE) for note in notes]
        deliver(found)


def find_law(question: TableQuestion, notes: list[str]) -> TableAnswer:
    """Read, fit, validate and do what else was asked, with a line of progress on a terminal."""
    screen = progress_console()
    with screen.status("reading the table", spinner="line") as status:
        reading = read_question(question)
        notes += reading.notes
        plan = default_plan(question, reading.X.shape[1])
        status.update(f"searching laws of {reading.X.shape[1]} columns, {len(reading.y)} rows ({plan})")
        law = _fit(question, reading, plan, status.update)
        found = TableAnswer(question, reading, plan, law, list(law.models_))
        status.update("testing the law on rows it has not seen")
        found.validation = _validate(question, reading, plan)
        if question.prefer:
            status.update("rewriting the law")
            found.rewritten = list(law.rewrite(prefer=list(question.prefer), max_terms=question.max_terms))
        if question.compare:
            status.update("comparing with other methods")
            from sozai.apps.cli.table_comparison import compare_methods

            found.comparison = compare_methods(question, reading, plan, update=status.update)
        if question.apply is not None:
            status.update(f"predicting the rows of {question.apply}")
            found.predictions = _predict(question, reading, law)
    return found


def make_regressor(
    question: TableQuestion, reading: Reading, plan: Plan, *, select: str | None = None, **options: Any
) -> Any:
    """Unfitted regressor of the question; ``options`` go to the selector."""
    from sozai.symbolic import SymbolicRegressor

    return SymbolicRegressor(
        operations=list(plan.operations) or None,
        pair_operations=list(plan.pair_operations) or None,
        max_order=plan.order,
        symmetry=question.symmetry,
        dimensions=reading.feature_units or "infer",
        selection=make_selector(
            select or question.select,
            max_terms=question.max_terms,
            criterion=question.criterion,
            n_jobs=question.n_jobs,
            **options,
        ),
        candidates=question.candidates,
        criterion=question.criterion,
        n_jobs=question.n_jobs,
        random_state=question.seed,
    )


def _fit(question: TableQuestion, reading: Reading, plan: Plan, update: Callable[[str], object]) -> Any:
    """Fitted regressor; after Ctrl-C the best law so far is said and nothing is written."""

    def progress(done: int, total: int) -> None:
        update(f"searching: {done:,} of {total:,} combinations")

    # With a fixed order there is one search, so its best list so far is worth showing.
    options = {"progress": progress, "on_interrupt": "raise" if plan.order == "auto" else "return"}
    regressor = make_regressor(
        question, reading, plan, **(options if question.select == "exhaustive" else {})
    )
    with note_interrupt() as interruption:
        regressor.fit(reading.X, reading.y, groups=reading.groups)
    if interruption.came:
        sys.stderr.write(f"Best law so far (search incomplete): {reading.target} = {regressor.formula_}\n")
        raise KeyboardInterrupt
    return regressor


def _validate(question: TableQuestion, reading: Reading, plan: Plan) -> dict[str, Any]:
    """Score of rows whose folds never saw them, the whole search repeated in each fold."""
    from sozai.symbolic.selectors.validation import nested_score

    try:
        with quiet():
            score = nested_score(
                make_regressor(question, reading, plan),
                reading.X,
                reading.y,
                groups=reading.groups,
                random_state=question.seed,
            )
    except InputError:
        # The whole table gave a law, so what failed is a fold with too few rows.
        nothing = dict.fromkeys(("rmse", "rmse_standard_error", "q2", "q2_standard_error"), float("nan"))
        return {"protocol": "too few rows to leave some out", "n_folds": 0, **nothing, "folds": []}
    n_folds = len(score.folds)
    protocol = f"{n_folds} shuffled folds"
    if reading.groups is not None:
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


def _predict(question: TableQuestion, reading: Reading, law: Any) -> pd.DataFrame:
    """Mean, 95 % interval and domain reason of every row of the new table, or what the row lacks."""
    import pandas as pd

    values, rows = read_new_rows(question, reading)
    known = pd.DataFrame(index=values.index)
    if len(values):
        known["mean"] = law.predict(values)
        known["lower"], known["upper"] = law.predict_interval(values, level=0.95)
        domain = law.applicability(values)
        known["in_domain"], known["reason"] = list(domain["in_domain"]), list(domain["reason"])
    nothing = {"mean": float("nan"), "lower": float("nan"), "upper": float("nan"), "in_domain": False}
    records = []
    for row in rows:
        lacking = {**nothing, "reason": row["missing"]}
        answer_of_row = lacking if row["missing"] else known.loc[row["label"]].to_dict()
        records.append({"row": row["row"], "id": row["id"], **answer_of_row})
    return pd.DataFrame(records, columns=["row", "id", "mean", "lower", "upper", "in_domain", "reason"])
