"""Rock salt or zinc blende: the energy difference of 82 octet binaries from atoms alone."""

from __future__ import annotations

from functools import cache
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import pandas as pd

from sozai.apps.tour.stops import Finding, Stop, beside
from sozai.displays import FormulaMapDisplay, ParityDisplay, RelationMapDisplay

__all__ = ["OCTET_STOPS"]

_KANDA = "Y. Kanda, H. Fujii, T. Oguchi, Sci. Technol. Adv. Mater. 20, 1178 (2019)"
_GHIRINGHELLI = "L. M. Ghiringhelli et al., Phys. Rev. Lett. 114, 105503 (2015)"
_UNIT = "eV/atom"


def identities_of_two_radii() -> Finding:
    """Ranks of the products of S, D and 1/S: every relation is an identity."""
    from sozai.symbolic.generation import generate
    from sozai.symbolic.independence import find_relations

    radii, verdicts, tables = _octet()[1], [], {}
    for order in range(1, 9):
        made = generate(radii, operations=["inverse"], columns=["S"], order=order, keep_constant=True)
        # In double precision the products of orders 7 and 8 can no longer be told apart.
        method = "qr" if order <= 6 else "exact"
        tables[order] = found = find_relations(radii, generated=made, method=method)
        n_columns = (4, 10, 20, 35, 56, 84, 120, 165)[order - 1]
        verdicts.append(beside(f"order {order}: columns", found.rank + found.n_relations, n_columns))
        verdicts.append(beside(f"order {order}: rank ({method})", found.rank, (order + 1) ** 2))
    return Finding(
        tuple(verdicts),
        figures=(
            (RelationMapDisplay.from_relations(tables[3]), "Order three: every relation is S·(1/S) = 1."),
        ),
        text=(
            "S is the sum and D the difference of two atomic radii. All relations follow from "
            "S·(1/S) = 1, so order k has (k+1)² independent descriptors."
        ),
        source=_KANDA,
    )


def two_radii_law() -> Finding:
    """Energy difference from the sum and the difference of the calculated radii of the atoms."""
    from sozai.symbolic.selection import Exhaustive

    _, radii, y = _octet()
    best = {}
    for order in range(1, 5):
        columns = _products(order)
        models = Exhaustive(max_terms=2, min_terms=2).select(columns.drop(columns="1"), y)
        best[order] = models.best("rmse")
    model = best[4]
    powers = {_exponents(term): value for term, value in zip(model.terms, model.coefficients, strict=True)}
    cubes, mixed = powers.get((-3, 0), np.nan), powers.get((-3, 1), np.nan)
    S, D = radii["S"].to_numpy(), radii["D"].to_numpy()
    printed = 6.87 / S**3 - 5.02 * D / S**3 - 0.18
    verdicts = (
        beside(
            "best pair at order 4",
            "S^-3, D S^-3" if len(powers) == 2 and cubes == cubes else "another",
            "S^-3, D S^-3",
        ),
        beside("coefficient of S^-3", float(cubes), 6.938, 5e-4),
        beside("coefficient of D S^-3", float(mixed), -4.881, 5e-4),
        beside("constant", model.intercept, -0.189, 5e-4),
        beside("RMSE", model.rmse, 0.15514, 5e-6),
        beside("R²", model.r2, 0.87987, 5e-6),
        beside("adjusted R²", model.adj_r2, 0.87683, 5e-6),
        beside("Q²", model.q2, 0.87088, 5e-6),
        beside("RMSE, each compound left out", model.rmse_loo, 0.16084, 5e-6),
        beside("printed formula: RMSE", _rmse(y - printed), 0.15538, 5e-6),
        *(
            beside(f"best pair at order {order}: RMSE", best[order].rmse, value, 5e-5)
            for order, value in ((1, 0.2560), (2, 0.2175), (3, 0.1689), (4, 0.1551))
        ),
    )
    naming = {"name": "ΔE", "unit": _UNIT}
    grid = _grid(S), _grid(D)
    inner, outer = np.meshgrid(*grid)
    values = cubes / inner**3 + mixed * outer / inner**3 + model.intercept
    map_display = FormulaMapDisplay(*grid, values, points=(S, D, y), x_name="S [Å]", y_name="D [Å]", **naming)
    return Finding(
        verdicts,
        formulas=(("ΔE", f"{cubes:.4g}*S**-3 - {-mixed:.4g}*D*S**-3 - {-model.intercept:.3g}"),),
        figures=(
            (ParityDisplay.from_model(model, y, **naming), "82 compounds, two terms."),
            (map_display, "Small atoms prefer zinc blende (ΔE > 0), atoms of unlike size rock salt."),
        ),
        text=(
            "Symmetric in the two atoms by construction; all pairs of products up to order four were scored."
        ),
        source=f"{_KANDA}; recomputed on the same rows",
    )


def atomic_descriptors() -> Finding:
    """The three published descriptors, typed in and refitted on the same rows."""
    from sozai.symbolic.operations import parse_expression
    from sozai.symbolic.selection import AllTerms, Exhaustive

    frame, _, y = _octet()
    typed = ("(IP_B - EA_B)/square(r_p_A)", "abs(r_s_A - r_p_B)/exp(r_s_A)", "abs(r_p_B - r_s_B)/exp(r_d_A)")
    numbers = frame.select_dtypes("number")
    columns = pd.DataFrame({text: parse_expression(text, list(numbers)).evaluate(numbers) for text in typed})
    fits = [AllTerms().select(columns.iloc[:, :n], y)[0] for n in (1, 2, 3)]
    raw = numbers[[f"{name}_{site}" for name in ("IP", "EA", "r_s", "r_p", "r_d") for site in "AB"]]
    smallest = Exhaustive(max_terms=5, n_best=1).select(raw, y)
    verdicts = [
        beside("1 term: RMSE", fits[0].rmse, 0.1398, 5e-5),
        beside("1 term: each compound left out", fits[0].rmse_loo, 0.1422, 5e-5),
        beside("2 terms: RMSE", fits[1].rmse, 0.1002, 5e-5),
        beside("2 terms: each compound left out", fits[1].rmse_loo, 0.1045, 5e-5),
        beside("3 terms: RMSE", fits[2].rmse, 0.0773, 5e-5),
        beside("3 terms: each compound left out", fits[2].rmse_loo, 0.0826, 5e-5),
        *(
            beside(f"3 terms: coefficient {k + 1}", float(fits[2].coefficients[k]), value, tolerance)
            for k, (value, tolerance) in enumerate(((-0.1095, 5e-5), (-1.732, 5e-4), (-3.783, 5e-4)))
        ),
        beside("3 terms: constant", fits[2].intercept, -0.034, 5e-4),
        *(
            beside(
                f"best {n} of the 10 raw columns: RMSE", smallest.of_size(n).best("rmse").rmse, value, 5e-6
            )
            for n, value in enumerate((0.31334, 0.29494, 0.28015, 0.27525, 0.26282), start=1)
        ),
    ]
    return Finding(
        tuple(verdicts),
        formulas=(
            (
                "ΔE",
                " + ".join(f"{c:.4g}*{t}" for c, t in zip(fits[2].coefficients, typed, strict=True)).replace(
                    "+ -", "- "
                ),
            ),
        ),
        figures=(
            (
                ParityDisplay.from_model(fits[2], y, name="ΔE", unit=_UNIT),
                "Three descriptors of the free atoms.",
            ),
        ),
        text=(
            "More accurate than the law of two radii, at the price of complexity and of the symmetry "
            "between atoms."
        ),
        source=_GHIRINGHELLI,
    )


@cache
def _octet() -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """The table, S and D of the calculated radii, and the energy difference."""
    from sozai.datasets import fetch_octet_binaries, load_calculated_radii

    frame = fetch_octet_binaries().frame
    radius = load_calculated_radii().frame.set_index("element")["radius"]
    a, b = (radius.loc[frame[site]].to_numpy() for site in "AB")
    return frame, pd.DataFrame({"S": a + b, "D": np.abs(a - b)}), frame["energy_diff"].to_numpy()


@cache
def _products(order: int) -> pd.DataFrame:
    """The constant and all products of up to ``order`` of S, D and 1/S."""
    radii = _octet()[1]
    factors = {"S": radii["S"].to_numpy(), "D": radii["D"].to_numpy(), "1/S": 1 / radii["S"].to_numpy()}
    columns: dict[str, Any] = {"1": np.ones(len(radii))}
    for k in range(1, order + 1):
        for names in combinations_with_replacement(factors, k):
            columns["·".join(names)] = np.prod([factors[name] for name in names], axis=0)
    return pd.DataFrame(columns)


def _exponents(term: str) -> tuple[int, int]:
    """Exponents of S and D in a product."""
    names = term.split("·")
    return names.count("S") - names.count("1/S"), names.count("D")


def _rmse(residuals: np.ndarray) -> float:
    return float(np.sqrt(np.mean(residuals**2)))


def _grid(values: np.ndarray) -> np.ndarray:
    return np.linspace(values.min(), values.max(), 60)


OCTET_STOPS = (
    Stop(
        "symbolic",
        "identities among products of radii",
        "How many products of S, D and 1/S are independent?",
        identities_of_two_radii,
        needs_data=True,
    ),
    Stop(
        "symbolic",
        "rock salt or zinc blende from two radii",
        "Do the sizes of two atoms decide the structure?",
        two_radii_law,
        needs_data=True,
    ),
    Stop(
        "symbolic",
        "rock salt or zinc blende from free atoms",
        "How accurate are the published descriptors?",
        atomic_descriptors,
        needs_data=True,
    ),
)
