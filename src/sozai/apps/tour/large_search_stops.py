"""Millions of formulas on the tour: a law found among them, its limits, and what it costs."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from sozai.apps.tour.stops import Finding, Stop, as_printed, beside
from sozai.displays import LimitsDisplay, ParetoDisplay, ParityDisplay

__all__ = ["LARGE_SEARCH_STOPS"]

_LAW = "0.7*q_1*q_2/(eps*(r + s)**2)"  # attraction of two charged spheres


def million_candidates() -> Finding:
    """One law among more than a million formulas, nested three deep."""
    from sozai.symbolic import SymbolicRegressor, parse_expression
    from sozai.symbolic.screening import ScreenThenL0

    rng = np.random.default_rng(2018)
    names = ["q_1 [C]", "q_2 [C]", "eps [F/m]", "r [m]", "s [m]"]
    X = pd.DataFrame(rng.uniform(1, 2, (80, 5)), columns=names)
    y = parse_expression(_LAW, [name.split()[0] for name in names]).evaluate(X.to_numpy())
    y = pd.Series(y * (1 + 0.02 * rng.normal(size=80)), name="F [N]")
    search = ScreenThenL0(max_terms=2, max_candidates=3e6)
    start = time.perf_counter()
    law = SymbolicRegressor(max_rung=3, search=search).fit(X, y)
    seconds = time.perf_counter() - start
    scored = sum(screen.n_scored for screen in law.screens_)
    in_screens = sum(screen.seconds for screen in law.screens_)
    verdicts = (
        beside("at least a million formulas", law.n_candidates_ >= 10**6, True),
        beside("the law", " + ".join(law.model_.terms), "q_1*q_2/(eps*(r + s)**2)"),
        beside("its coefficient", float(law.model_.coefficients[0]), 0.7, 0.01),
        beside("terms", law.model_.n_terms, 1),
    )
    return Finding(
        verdicts,
        formulas=(("F", law.formula_),),
        figures=(
            (ParityDisplay.from_model(law.model_, y, name="F", unit="N"), "Eighty rows, 2 % noise."),
            (ParetoDisplay.from_models(law.models_, unit="N"), "The best formulas by complexity."),
        ),
        text=(
            f"{law.n_candidates_:,} formulas of five columns with units were screened without being stored, "
            f"{len(law.screens_)} times ({scored / in_screens / 1e6:.1f} million a second here; "
            f"{seconds:.1f} s in all)."
        ),
        source="planted: Coulomb's law between two spheres that touch",
    )


def limits_of_the_triangle() -> Finding:
    """How large the area can become, and which side holds it back."""
    from sozai.datasets import load_triangle_area
    from sozai.symbolic import SymbolicRegressor

    table = load_triangle_area()
    law = SymbolicRegressor(max_order=2).fit(table.features, table.target)
    high = table.features.max()
    found = law.limits()
    effects = law.effects(table.features).to_frame().set_index("column")
    slope = float(law.model_.coefficients[0])
    half = 0.5 * float(high["base"] * high["height"])
    rng = np.random.default_rng(0)
    low = table.features.min()
    inside = pd.DataFrame(rng.uniform(low, high, (100_000, 2)), columns=list(table.features))
    values = law.model_.predict((inside["base"] * inside["height"]).to_numpy()[:, None])
    verdicts = (
        beside("largest area in the box, against base·height/2", found.value, half, 1e-3),
        beside("distance of its two bounds", found.upper - found.lower, 0.0, 1e-6),
        beside("random triangles beyond the bound, of 100,000", int((values > found.upper).sum()), 0),
        beside(
            "gain per unit of base", found.multipliers[_bound("base", high)], slope * high["height"], 1e-6
        ),
        beside(
            "gain per unit of height", found.multipliers[_bound("height", high)], slope * high["base"], 1e-6
        ),
        beside("rows on which a longer base helps", float(effects.loc["base", "same_sign"]), 1.0),
    )
    return Finding(
        verdicts,
        formulas=(("area", law.formula_),),
        figures=((LimitsDisplay.from_limits(found), "Where the limit lies, and what moves it."),),
        text=found.hint,
        source="S = base·height/2: dS/d(base) = height/2",
    )


def _bound(name: str, high: pd.Series) -> str:
    """How the upper bound of a column is named among the multipliers."""
    return f"{name} <= {high[name]:g}"


def price_on_the_alloys() -> Finding:
    """What a formula costs against the best black box, on alloys it has not seen."""
    from sozai.apps.tour.symbolic_stops import alloys  # that module lists these stops
    from sozai.symbolic import SymbolicRegressor, price_of_interpretability

    X = alloys()
    rng = np.random.default_rng(7)
    y = X["x_A"] * X["M_A"] + X["x_B"] * X["M_B"] - 0.25 * X["x_A"] * X["x_B"] * (X["Z_A"] - X["Z_B"]).abs()
    y = (y + 0.02 * rng.normal(size=len(y))).rename("M")
    law = SymbolicRegressor(
        pair_operations=["abs_difference"], max_order=3, symmetry="A<->B", dimensions="ignore"
    )
    systems = np.repeat(np.arange(len(X) // 3), 3)
    price = price_of_interpretability(law, X, y, groups=systems, cv=5, random_state=0)
    verdicts = (
        beside("formula over best black box, on left-out systems, at most 1.02", price.ratio <= 1.02, True),
        beside("the noise of the data is inside the formula's error", price.formula.score.rmse, 0.02, 0.004),
    )
    return Finding(
        verdicts,
        figures=(),
        text=str(price),
        source="planted on the printed table of element moments and valences",
    )


def tolerance_factor() -> Finding:
    """Which ABX3 is a perovskite: the printed factors, and what a search of the same columns finds."""
    from sozai.datasets import fetch_perovskites
    from sozai.symbolic import SymbolicClassifier, parse_expression

    table = fetch_perovskites().frame
    names = ["n_A", "r_A", "r_B", "r_X"]
    X, is_perovskite = table[names], (table["label"] > 0).to_numpy()
    tau = parse_expression("r_X/r_B - n_A*(n_A - (r_A/r_B)/log(r_A/r_B))", names).evaluate(X)
    t = parse_expression("(r_A + r_X)/(r_B + r_X)", names).evaluate(X) / np.sqrt(2)
    inside = (t > 0.825) & (t < 1.059)
    labels = np.where(is_perovskite, "perovskite", "other")
    law = SymbolicClassifier(
        ["log", "square"], ["ratio", "product", "sum", "difference"], max_rung=2, max_terms=1
    ).fit(X, labels)
    accuracy = float(np.mean(law.predict(X) == labels))
    verdicts = (
        beside("compounds", len(table), 576),
        as_printed("accuracy of t between 0.825 and 1.059", np.mean(inside == is_perovskite), "0.7378"),
        as_printed("accuracy of τ below 4.18", np.mean((tau < 4.18) == is_perovskite), "0.9167"),
        beside("a searched formula beats t", accuracy > 0.7378, True),
    )
    return Finding(
        verdicts,
        text=(
            f"Found by search among {law.n_candidates_:,} formulas of the same columns: {law.rule_} "
            f"(accuracy {accuracy:.3f} on the rows it was chosen on)."
        ),
        source="C. J. Bartel et al., Sci. Adv. 5, eaav0693 (2019), table S1",
    )


LARGE_SEARCH_STOPS = (
    Stop(
        "symbolic",
        "a law among a million",
        "Which of more than a million formulas is the law?",
        million_candidates,
    ),
    Stop(
        "symbolic",
        "limits of the triangle",
        "How large can the area become, and what holds it back?",
        limits_of_the_triangle,
    ),
    Stop(
        "symbolic",
        "the price of interpretability",
        "What does a formula cost against the best black box?",
        price_on_the_alloys,
        slow=True,
    ),
    Stop(
        "symbolic",
        "perovskite or not",
        "Which of 576 compounds are perovskites?",
        tolerance_factor,
        needs_data=True,
    ),
)
