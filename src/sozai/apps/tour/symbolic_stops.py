"""The room ``symbolic`` on the tour: laws of physics found again, relations found and undone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sozai.apps.tour.alloy_stops import ALLOY_STOPS
from sozai.apps.tour.kepler_stop import KEPLER_STOP
from sozai.apps.tour.large_search_stops import LARGE_SEARCH_STOPS
from sozai.apps.tour.octet_stops import OCTET_STOPS
from sozai.apps.tour.sparse_tutorial_stop import SPARSE_TUTORIAL_STOP
from sozai.apps.tour.stops import Finding, Stop, as_printed, beside
from sozai.displays import (
    FormulaMapDisplay,
    ParetoDisplay,
    ParityDisplay,
    RelationMapDisplay,
    ResidualDisplay,
)

__all__ = ["STOPS"]

_RYDBERG_HYDROGEN = 10_967_758.34  # 1/m, from the constant for an infinite nucleus and the mass of the proton


def triangle_area() -> Finding:
    """Area of a triangle from base and height, without being told to multiply."""
    from sozai.datasets import load_triangle_area
    from sozai.symbolic import SymbolicRegressor
    from sozai.symbolic.selection import AllTerms

    table = load_triangle_area()
    straight = SymbolicRegressor(max_order=1).fit(table.features, table.target)
    linear = next(model for model in straight.models_ if model.n_terms == 2)
    weight = dict(zip(linear.terms, linear.coefficients, strict=True))
    law = SymbolicRegressor(max_order=2).fit(table.features, table.target)
    model = law.model_
    product = law.generated_.values[:, list(model.columns)]
    bare = AllTerms().select(product, table.target, fit_intercept=False)[0]
    verdicts = (
        beside("linear: coefficient of base", weight["base"], 0.11681, 5e-6),
        beside("linear: coefficient of height", weight["height"], 0.13780, 5e-6),
        beside("linear: adjusted R²", linear.adj_r2, 0.5515, 5e-5),
        beside("terms of the law", " + ".join(model.terms), "base*height"),
        beside("coefficient of base*height", model.coefficients[0], 0.4998, 5e-5),
        as_printed("coefficient without a constant", bare.coefficients[0], "0.499939"),
        beside("its distance from 1/2, in standard errors", _from_half(bare), 0, 2),
        beside("size of the constant", abs(model.intercept), 2.333e-5, 5e-9),
        beside("adjusted R²", model.adj_r2, 1.0, 5e-5),
    )
    return Finding(
        verdicts,
        formulas=(("area", law.formula_),),
        figures=(
            (ParityDisplay.from_model(model, table.target, name="area"), "Twenty triangles."),
            (
                FormulaMapDisplay.from_estimator(
                    law, table.features, table.target, x="base", y="height", name="area"
                ),
                "The law over base and height.",
            ),
        ),
        text=(
            "A straight line in base and height explains half of the variance; their product explains "
            "all of it."
        ),
        source="manual of the LIDG program, H. Fujii (2024)",
    )


def rydberg_law() -> Finding:
    """Series of hydrogen from measured wavelengths and two whole numbers."""
    from sozai.datasets import load_hydrogen_lines
    from sozai.symbolic import SymbolicRegressor

    lines = load_hydrogen_lines()
    wavenumber = 1e9 / lines.frame["wavelength"]
    law = SymbolicRegressor(operations=["inverse"], max_order=2).fit(lines.features, wavenumber)
    model = law.model_
    weight = dict(zip(model.terms, model.coefficients, strict=True))
    lower, upper = _term_of(weight, "n1"), _term_of(weight, "n2")
    unit = "1/m"
    verdicts = (
        beside("number of terms", model.n_terms, 2),
        beside("R, from the lower level", weight[lower], _RYDBERG_HYDROGEN, 200),
        beside("R, from the upper level", -weight[upper], _RYDBERG_HYDROGEN, 200),
        beside("constant, relative to R", model.intercept / _RYDBERG_HYDROGEN, 0, 1e-5),
        beside("prediction, each line left out, relative to R", model.rmse_loo / _RYDBERG_HYDROGEN, 0, 1e-5),
    )
    labels = [f"{s} {a}-{b}" for s, a, b in lines.frame[["series", "n1", "n2"]].itertuples(index=False)]
    return Finding(
        verdicts,
        formulas=(("wavenumber", law.formula_),),
        figures=(
            (
                ParityDisplay.from_model(model, wavenumber, name="wavenumber", unit=unit),
                "25 lines, six series.",
            ),
            (
                ResidualDisplay.from_model(model, wavenumber, labels=labels, name="wavenumber", unit=unit),
                "What is left is fine structure, a few parts in a million.",
            ),
        ),
        text=(
            "Rydberg's law R (1/n1² − 1/n2²), both coefficients found independently. Tolerance: the "
            "fine structure, which the law does not know."
        ),
        source="Rydberg constant for hydrogen; wavelengths from the NIST handbook",
    )


def planted_relations() -> Finding:
    """Relations that were planted in a table: found, told from near ones, and undone."""
    from sozai.datasets import make_collinear
    from sozai.symbolic.independence import find_relations
    from sozai.symbolic.selection import AllTerms

    n_independent, n_exact, nearness = 8, 5, 1e-5
    planted = make_collinear(60, n_independent, relations=n_exact, near=[nearness], rng=1)
    table = find_relations(planted.frame)
    worst = 0.0
    for relation in table.relations:
        found = dict(zip(relation.basis, relation.coefficients, strict=True))
        truth = planted.truth[relation.dependent]
        worst = max(worst, *(abs(found.get(name, 0.0) - truth[name]) for name in truth.index))
    # The dependent columns make any fit ambiguous; on a basis, also one you choose, it is not.
    y = planted.frame["x0"] - 2 * planted.frame["x3"] + 0.5
    fits = [
        AllTerms().select(planted.frame[list(names)], y)[0]
        for names in (table.basis_names, table.choose(["exact0", "exact3"]))
    ]
    weight = dict(zip(fits[0].terms, fits[0].coefficients, strict=True))
    verdicts = (
        beside("rank", table.rank, n_independent + 1),
        beside("exact relations", table.n_relations, n_exact),
        beside("largest error of a coefficient", worst, 0, 1e-9),
        beside("near relations", len(table.near_relations), 1),
        beside("how near", table.near_relations[0].relative_residual, nearness, 1e-8),
        beside("coefficient of x0 after undoing", weight["x0"], 1, 1e-6),
        beside("coefficient of x3 after undoing", weight["x3"], -2, 1e-6),
        beside("prediction changes with another basis by", _change(fits), 0, 1e-8),
    )
    return Finding(
        verdicts,
        figures=((RelationMapDisplay.from_relations(table), "Five columns made of eight."),),
        text=(
            "Five columns are whole-number combinations of eight others and one is nearly one; the "
            "relations are found with their coefficients, and the fit no longer depends on which "
            "columns are kept."
        ),
        source="planted; known by construction",
    )


def symmetric_alloy() -> Finding:
    """Moment of an alloy that cannot know which element is called A."""
    from sozai.symbolic import SymbolicRegressor

    X = alloys()
    y = X["x_A"] * X["M_A"] + X["x_B"] * X["M_B"] - 0.25 * X["x_A"] * X["x_B"] * (X["Z_A"] - X["Z_B"]).abs()
    law = SymbolicRegressor(
        pair_operations=["abs_difference"], max_order=3, symmetry="A<->B", dimensions="ignore"
    ).fit(X, y)
    swapped = X.rename(columns=_swap)[list(X.columns)]
    change = np.abs(law.predict(swapped) - law.predict(X)).max() / np.ptp(y)
    model = law.model_
    verdicts = (
        beside("number of terms", model.n_terms, 2),
        beside("coefficient of the average", model.coefficients[0], 1, 1e-9),
        beside("coefficient of the mixing term", model.coefficients[1], -0.25, 1e-9),
        beside("change when A and B are exchanged, relative to the range", float(change), 0, 1e-12),
        beside("error on the alloys, relative to the range", model.rmse / np.ptp(y), 0, 1e-12),
    )
    return Finding(
        verdicts,
        formulas=(("M", law.formula_),),
        figures=(
            (ParityDisplay.from_model(model, y, name="M", unit="mu_B"), f"{len(y)} alloys of ten elements."),
            (ParetoDisplay.from_models(law.models_, unit="mu_B"), "Symmetric laws by complexity."),
        ),
        text=(
            "Average of the two elements plus a mixing term, as in the regular-solution model; every "
            "descriptor is a sum over both namings of the elements, so no law can tell A from B."
        ),
        source="planted on the printed table of element moments and valences",
    )


def _from_half(model) -> float:
    """Distance of the only coefficient from one half, in its standard errors."""
    return abs(model.coefficients[0] - 0.5) / model.standard_errors[0]


def _term_of(weight: dict[str, float], name: str) -> str:
    """The term that holds one column."""
    return next(term for term in weight if name in term)


def _change(fits) -> float:
    return float(np.abs(fits[0].fitted - fits[1].fitted).max())


def _swap(label: str) -> str:
    return label[:-1] + {"A": "B", "B": "A"}[label[-1]]


def alloys() -> pd.DataFrame:
    """Every pair of the ten elements at three compositions, with moments and valences of both."""
    from itertools import combinations

    from sozai.datasets import load_binary_alloy_elements

    elements = load_binary_alloy_elements().frame
    rows = [
        {"M_A": a.M_P, "M_B": b.M_P, "Z_A": float(a.Z), "Z_B": float(b.Z), "x_A": x, "x_B": 1 - x}
        for a, b in combinations(elements.itertuples(), 2)
        for x in (0.25, 0.5, 0.875)
    ]
    return pd.DataFrame(rows)


STOPS = (
    Stop("symbolic", "area of a triangle", "Which law gives the area from base and height?", triangle_area),
    Stop("symbolic", "Rydberg's law", "Which law orders the spectral lines of hydrogen?", rydberg_law),
    Stop(
        "symbolic", "planted relations", "Which columns say the same, and what if they do?", planted_relations
    ),
    Stop(
        "symbolic",
        "a symmetric alloy law",
        "Which law does not depend on naming the elements?",
        symmetric_alloy,
    ),
    KEPLER_STOP,
    *LARGE_SEARCH_STOPS,
    *ALLOY_STOPS,
    *OCTET_STOPS,
    SPARSE_TUTORIAL_STOP,
)
