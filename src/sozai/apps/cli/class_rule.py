"""From a table with classes to a rule: fit, honest accuracy, classes of new rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.class_plan import ClassPlan, make_classifier, plan_classes
from sozai.apps.cli.output import quiet
from sozai.apps.cli.progress_line import Steps
from sozai.apps.cli.table_answer import Conversions
from sozai.apps.cli.table_question import TableQuestion
from sozai.apps.cli.table_reading import NewRows, Reading, answered_rows, outside, read_new_rows
from sozai.apps.cli.table_resume import kept_parts, parts_folder
from sozai.contracts.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ClassAnswer", "find_rule"]


@dataclass
class ClassAnswer(Conversions):
    """Everything found for one question about classes.

    Attributes
    ----------
    question : TableQuestion
    reading : Reading
        ``y`` has the labels.
    plan : ClassPlan
    law : SymbolicClassifier
        Fitted.
    n_right : int
        Training rows classed correctly.
    test : NestedAccuracy or None
        Accuracy with the whole search repeated in every fold.
    protocol : str
        How the rule was tested, or why it was not.
    comparison : DataFrame or None
        Other classifiers on the same folds.
    predictions : DataFrame or None
    notes : list of str
        Warnings.
    seconds : float
    """

    question: TableQuestion
    reading: Reading
    plan: ClassPlan
    law: Any
    n_right: int
    test: Any = None
    protocol: str = ""
    comparison: pd.DataFrame | None = None
    predictions: pd.DataFrame | None = None
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def search_notes(self) -> tuple[str, ...]:
        """What the search says of itself."""
        return tuple(self.law.notes_)

    @property
    def classes(self) -> dict[Any, int]:
        """Rows of every class."""
        labels = self.reading.y.tolist()
        return {label: labels.count(label) for label in self.law.classes_.tolist()}

    @property
    def accuracy(self) -> float:
        """Share of the training rows classed correctly: conditional on the search that chose the rule."""
        return self.n_right / len(self.reading.y)

    @property
    def blind(self) -> float:
        """Share of the rows in the largest class: what no rule at all gets right."""
        return max(self.classes.values()) / len(self.reading.y)

    @property
    def recalls(self) -> dict[Any, float]:
        """Share of the rows of every class that were classed correctly when left out."""
        if self.test is None:
            return dict.fromkeys(self.classes, float("nan"))
        table = self.test.confusion()
        return {
            label: float(table.loc[label, label] / max(table.loc[label].sum(), 1)) for label in table.index
        }


def find_rule(
    question: TableQuestion, reading: Reading, notes: list[str], update: Callable[[str], object]
) -> ClassAnswer:
    """Plan, fit, test and class new rows, with a line of progress."""
    plan = plan_classes(question, reading)
    new = None if question.apply is None else read_new_rows(question, reading)
    update(f"searching rules among {plan.n_candidates:,} formulas, {len(reading.y)} rows ({plan})")
    with kept_parts(parts_folder(question), notes) as store:
        steps = Steps(update, "screening formulas: {done} parts done")
        law = make_classifier(question, reading, plan, progress=steps, store=store)
        law.fit(reading.X, reading.y, groups=reading.groups)
        with quiet():
            found = ClassAnswer(
                question, reading, plan, law, int((law.predict(reading.X) == reading.y).sum())
            )
        found.test, found.protocol = _test(question, reading, plan, update, store)
    notes += law.notes_
    if not law.model_.n_terms:
        notes.append(
            "No formula tells the classes apart better than luck among so many would: the largest it is."
        )
    if question.compare and found.test is None:
        notes.append("--compare: there are no folds to compare on, because the rule was not tested.")
    elif question.compare:
        from sozai.apps.cli.class_comparison import compare_classifiers

        found.comparison = compare_classifiers(found.test, reading, question.seed, update)
    if new is not None:
        update(f"classing the rows of {question.apply}")
        notes += new.notes
        found.predictions = _predict(new, law)
        notes += outside(found.predictions, question.apply, "the law's range")
    return found


def _test(
    question: TableQuestion,
    reading: Reading,
    plan: ClassPlan,
    update: Callable[[str], object],
    store: Path | None,
) -> tuple[Any, str]:
    """Accuracy on rows whose folds never saw them, and how it was found, or why it was not."""
    from sozai.symbolic import nested_accuracy

    if not plan.n_folds:
        seconds = f"{plan.seconds:.2g} s" if plan.seconds < 120 else f"{plan.seconds / 60:.2g} min"
        return None, f"not tested, one search takes about {seconds}: a lower --max-candidates leaves time"
    whole_groups = reading.groups is not None and plan.n_folds == len(set(reading.groups.tolist()))
    steps = Steps(update, f"testing the rule on rows it has not seen: {{done}} of {plan.n_folds} folds")
    steps.advance(0)
    try:
        with quiet():
            # Which class is likeliest does not depend on how probabilities are calibrated.
            score = nested_accuracy(
                make_classifier(question, reading, plan, calibration="boundary", store=store),
                reading.X,
                reading.y,
                cv=None if whole_groups else plan.n_folds,
                groups=reading.groups,
                random_state=question.seed,
                progress=steps,
            )
    except InputError:  # the whole table gave a rule, so what failed is a fold
        if reading.groups is None:
            return None, "not tested, too few rows to leave some out"
        return None, "not tested, a class occurs in one group only and cannot be learned without it"
    if reading.groups is None:
        return score, f"{plan.n_folds} shuffled folds"
    if whole_groups:
        return score, f"each of {plan.n_folds} groups of {question.groups!r} left out in turn"
    return score, f"{plan.n_folds} folds of whole groups of {question.groups!r}"


def _predict(new: NewRows, law: Any) -> pd.DataFrame:
    """Class, probabilities and domain reason of every new row, or what it lacks."""
    import numpy as np
    import pandas as pd

    names = [f"p({label})" for label in law.classes_.tolist()]
    known = pd.DataFrame(index=new.values.index)
    if len(new.values):
        with quiet():  # what lies outside is said row by row
            chance = law.predict_proba(new.values)
            given = law.predict(new.values).tolist()
            domain = law.applicability(new.values)
        undefined = np.isnan(chance).any(axis=1)
        known["class"] = pd.Series(
            [None if gone else label for label, gone in zip(given, undefined, strict=True)],
            index=known.index,
            dtype=object,
        )
        known[names] = chance
        known["in_domain"], known["reason"] = list(domain["in_domain"]), list(domain["reason"])
    return answered_rows(new, known, {"class": None, **dict.fromkeys(names, float("nan"))})
