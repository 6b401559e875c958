"""Other methods on the same rows and folds: what a short law costs, and what it is worth."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.output import quiet
from sozai.apps.cli.table_question import Plan, default_plan
from sozai.apps.cli.table_regressor import make_regressor

if TYPE_CHECKING:
    import pandas as pd

    from sozai.apps.cli.table_question import TableQuestion
    from sozai.apps.cli.table_reading import Reading

__all__ = ["compare_methods"]


def compare_methods(
    question: TableQuestion,
    reading: Reading,
    plan: Plan,
    *,
    update: Callable[[str], object] = lambda text: None,
) -> tuple[pd.DataFrame, Any]:
    """Score every method with its whole search repeated in each fold, and black boxes on the same folds.

    Returns
    -------
    DataFrame
        One row a method: ``method, n_terms, complexity, rmse, rmse_loo, nested_rmse, nested_q2, seconds``;
        a black box has neither terms nor complexity.
    Price
        What the formula costs against the best black box.
    """
    import pandas as pd

    from sozai.symbolic.price import price_of_interpretability

    rows = []
    for name, method in _methods(question, reading, plan).items():
        update(f"comparing: {name}")
        rows.append({"method": name, **_score(method, reading, question.seed)})
    update("comparing: black boxes")
    with quiet():
        price = price_of_interpretability(
            make_regressor(question, reading, plan),
            reading.X,
            reading.y,
            groups=reading.groups,
            random_state=question.seed,
        )
    boxes = price.to_frame().iloc[1:][["method", "nested_rmse", "nested_q2", "seconds"]]
    frame = pd.DataFrame([*rows, *boxes.to_dict("records")])
    return frame.sort_values("nested_rmse", ignore_index=True), price


def _methods(question: TableQuestion, reading: Reading, plan: Plan) -> dict[str, Any]:
    """List the searches over the generated descriptors, and linear baselines on the columns as they are."""
    from sozai.symbolic import selection

    raw = Plan((), (), 1)
    methods = {}
    if plan.large:
        methods["short law (large search)"] = make_regressor(question, reading, plan)
        question = replace(question, search="small", operations=None, max_rung=None)
        plan = default_plan(question, reading.X.shape[1])
    methods |= {
        "short law (exhaustive)": make_regressor(question, reading, plan, select="exhaustive"),
        "LASSO, then exhaustive": make_regressor(question, reading, plan, select="lasso-l0"),
        "backward elimination": make_regressor(question, reading, plan, select="backward"),
    }
    baselines = {
        "ridge, columns as they are": "Ridge",
        "principal components": "PrincipalComponents",
        "partial least squares": "PartialLeastSquares",
    }
    for name, kind in baselines.items():
        methods[name] = make_regressor(question, reading, raw, select="exhaustive").set_params(
            selection=getattr(selection, kind)(), symmetry=None
        )
    return methods


def _score(method: Any, reading: Reading, seed: int) -> dict[str, Any]:
    """Fit once for the figures of the law, then score it on rows it has not seen."""
    from sklearn.base import clone

    from sozai.symbolic.selectors.validation import nested_score

    with quiet():
        start = time.perf_counter()
        law = clone(method).fit(reading.X, reading.y, groups=reading.groups)
        seconds = time.perf_counter() - start
        nested = nested_score(method, reading.X, reading.y, groups=reading.groups, random_state=seed)
    return {
        "n_terms": law.model_.n_terms,
        "complexity": law.model_.complexity,
        "rmse": law.model_.rmse,
        "rmse_loo": law.model_.rmse_loo,
        "nested_rmse": nested.rmse,
        "nested_q2": nested.q2,
        "seconds": seconds,
    }
