"""Magnetic moments of 99 binary alloys: the published path from 44 descriptors to a short law."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from sozai.apps.tour.stops import Finding, Stop, as_printed, beside
from sozai.displays import CorrelationDisplay, ParityDisplay, RelationMapDisplay, SelectionPathDisplay
from sozai.study.report import Verdict

__all__ = ["ALLOY_STOPS"]

_SOURCE = "LIDG program 0.4 and manual, H. Fujii (2024)"
# Terms in the order of their removal (w = x(1-x)), and TQ² after each.
_BACKWARD = {
    "x6": "0.997330", "x·x3": "0.997518", "w·a(x2+x6)": "0.997664", "a(x2+x6)": "0.997715",
    "a(x6)": "0.997780", "x0": "0.997842", "x·a(x6)": "0.997913", "x·x6": "0.998003",
    "x3": "0.997991", "x7": "0.997987", "x·a(x2+x6)": "0.998001", "w·a(x6+x7)": "0.998022",
    "w·x6": "0.997977",
}  # fmt: skip
_ELEVEN = {
    "x": "2.32743", "x2": "1.03019", "a(x6+x7)": "-0.01908", "x·x2": "-1.04617", "x·x7": "-0.04615",
    "x·a(x6+x7)": "0.05472", "w": "-4.43070", "w·x2": "-0.19333", "w·x3": "0.31804", "w·x7": "0.62687",
    "w·a(x6)": "0.46706",
}  # fmt: skip
# Scores of all independent descriptors, by path and order.
_PRINTED = {
    ("automatic", 1): {
        "e²": "6.026001", "RMSE": "0.246716", "R²": "0.906386", "eq²": "7.552861", "Q²": "0.882666",
        "TR²": "0.971003", "TQ²": "0.963655", "AIC": "23.845240",
    },
    ("automatic", 2): {"RMSE": "0.141890", "Q²": "0.944391", "AIC": "-67.685204"},
    ("automatic", 3): {"RMSE": "0.043300", "R²": "0.997116", "Q²": "0.992703", "AIC": "-284.690920"},
    ("pruned", 1): {"e²": "6.043920", "RMSE": "0.247082", "Q²": "0.886105", "AIC": "22.139194"},
    ("pruned", 2): {"RMSE": "0.141892", "Q²": "0.948495", "AIC": "-69.682357"},
    ("pruned", 3): {"RMSE": "0.044781", "R²": "0.996916", "Q²": "0.992727", "AIC": "-280.034296"},
}  # fmt: skip
_VOLUMES = {
    "a(x6+x7)": "2.431384e-7", "a(x3-x5)": "6.671216e-8", "a(x4-x7)": "4.540304e-8",
    "a(x6-x7)": "4.403741e-9",
}  # fmt: skip
_ELEVEN_SCORES = {"RMSE": "0.057694", "R²": "0.994881", "Q²": "0.993468", "AIC": "-261.866235"}
_PRUNED = ("x0", "x1", "x2", "x3", "x6", "x7", "a(x6)", "a(x6+x7)", "a(x2+x6)")


def relations_of_the_alloys() -> Finding:
    """Rank, relations and subspace lists of the 44 descriptors of order 1."""
    from sozai.symbolic.independence import find_relations

    columns, _ = _order_one()
    table = find_relations(columns, method="rref")
    order = [int(j) for j in table.order]
    lists = [set(space.members) for space in table.subspaces]
    verdicts = (
        beside("descriptors", columns.shape[1], 44),
        beside("rank", table.rank, 10),
        beside("relations", table.n_relations, 34),
        beside("order of the basis", ",".join(map(str, order[:10])), "0,1,2,3,6,33,17,28,40,35"),
        beside("the others ascend", order[10:] == sorted(order[10:]), True),
        beside("subspace lists", len(lists), 9),
        beside(
            "members of the list of x0", _members(lists, "x0", "x4"), "a(x4),a(x4+x5),a(x4-x5),a(x5),x0,x4,x5"
        ),
        beside("x4 in terms of x0", table.relation("x4").coefficients[0], 2.2604, 1e-9),
        beside("x5 in terms of x0", table.relation("x5").coefficients[0], 8, 1e-9),
    )
    return Finding(
        verdicts,
        figures=(
            (RelationMapDisplay.from_relations(table), "34 of the 44 descriptors are made of the other ten."),
        ),
        text=(
            "B is iron in every row, so its moment and valence are multiples of the constant: a "
            "coincidence of this sample. Nine alloys leave nine dimensions to functions of the alloy, "
            "plus the fraction x: rank ten."
        ),
        source=_SOURCE,
    )


def moments_order_by_order() -> Finding:
    """Errors of all independent descriptors of orders one, two and three, and of the best few."""
    y = _order_one()[1]
    verdicts: list[Verdict] = []
    for path, ranks in (("automatic", "10, 19, 28"), ("pruned", "9, 18, 27")):
        bases = _bases(path)
        shapes = ", ".join(str(basis.shape[1]) for basis in bases)
        verdicts.append(beside(f"{path} path: ranks of orders 1, 2, 3", shapes, ranks))
        for order, basis in enumerate(bases, start=1):
            verdicts += _scores_beside(f"{path} path, order {order}", _fit(basis, y), _PRINTED[path, order])
    best = {n: _best_of(basis, y, n) for n, basis in zip((5, 9, 7), _bases("automatic"), strict=True)}
    verdicts += [
        beside("best 5 of 10", ",".join(best[5][0].terms), "x0,x1,x2,x3,a(x2-x7)"),
        *_scores_beside("best 5 of 10", best[5][0], {"e²": "6.094796", "eq²": "6.919070", "Q²": "0.892512"}),
        beside("second best 5 of 10", ",".join(best[5][1].terms), "x0,x1,x2,x3,a(x4-x7)"),
        *_scores_beside("second best 5 of 10", best[5][1], {"e²": "6.176706"}),
        *_scores_beside("best 9 of 19", best[9][0], {"e²": "2.059529"}),
        *_scores_beside("best 7 of 28", best[7][0], {"e²": "0.574262", "Q²": "0.989457"}),
    ]
    figure = ParityDisplay.from_model(best[7][0], y, name="M", unit="μB/atom")
    return Finding(
        tuple(verdicts),
        figures=(
            (figure, "The best 7 of 28 descriptors of order three; all 1,184,040 choices were scored."),
        ),
        text="Functions of nine alloys span nine dimensions, so order k has rank 9k + 1 = 10, 19, 28.",
        source=_SOURCE,
    )


def choice_of_basis() -> Finding:
    """Ten descriptors chosen by hand instead: same fit, and which of them stand badly together."""
    from sozai.numerics.least_squares import fit_least_squares

    columns, y = _order_one()
    hand = columns[[*_PRUNED, "a(x7)"]]
    fit = fit_least_squares(hand.to_numpy(), y)
    where = {name: j for j, name in enumerate(hand.columns)}
    eight = [name for name in hand.columns if name not in ("x1", "a(x6+x7)")]
    automatic = _fit(_bases("automatic")[0], y)
    verdicts = (
        beside(
            "change of the fit with the basis", float(np.abs(fit.fitted - automatic.fitted).max()), 0, 1e-9
        ),
        as_printed("g of a(x7) and x7", fit.partial_correlations[where["a(x7)"], where["x7"]], "0.999997"),
        as_printed("TR² of x1 on the others", fit.total_r2[where["x1"]], "0.714286"),
        *(
            as_printed(f"hypervolume with {name}", _volume(columns[[*eight, name]]), printed)
            for name, printed in _VOLUMES.items()
        ),
        beside(
            "hypervolume with a(x2-x7), which is dependent", _volume(columns[[*eight, "a(x2-x7)"]]), 0, 1e-12
        ),
    )
    return Finding(
        verdicts,
        figures=((CorrelationDisplay.from_columns(hand, kind="g"), "Partial correlations of the ten."),),
        text=(
            "Any independent ten carry the same information; the hypervolume of the unit columns tells "
            "how well a choice stands, and g near 1 tells which of two columns can go."
        ),
        source=_SOURCE,
    )


def short_law_of_the_moments() -> Finding:
    """Backward elimination from 24 terms to 11, and the law that was read off them."""
    from sozai.symbolic.operations import parse_expression
    from sozai.symbolic.selection import BackwardElimination

    columns, y = _mixing_terms()
    whole = _fit(columns, y)
    models = BackwardElimination(rule="share_of_fit").select(columns, y, fit_intercept=False)
    path = models.path
    removed = [str(change).lstrip("- ") for change in path["change"].iloc[1:14]]
    tq2 = path["tq2"].iloc[1:14].to_numpy()
    eleven = _fit(columns[list(_ELEVEN)], y)
    printed = "(1-x)*M_A + x*M_B + x*(1-x)*(-4.03 + 0.28*Z_A + 0.62*M_BA + 0.20*abs(M_A + M_AB))"
    frame = _alloys()
    published = parse_expression(printed, list(frame)).evaluate(frame)
    verdicts = (
        *_scores_beside("24 terms", whole, {"TR²": "0.998619", "TQ²": "0.997228", "AIC": "-249.554303"}),
        beside("13 terms removed", ", ".join(removed), ", ".join(_BACKWARD)),
        *(
            as_printed(f"TQ² after removing {name}", found, printed_tq2)
            for (name, printed_tq2), found in zip(_BACKWARD.items(), tq2, strict=True)
        ),
        *_scores_beside("11 terms", eleven, _ELEVEN_SCORES),
        *(
            as_printed(f"coefficient of {name}", found, value)
            for (name, value), found in zip(_ELEVEN.items(), eleven.coefficients, strict=True)
        ),
        as_printed("printed formula: RMSE", np.sqrt(np.mean((y - published) ** 2)), "0.0734"),
        *_refits_beside(frame, y),
    )
    return Finding(
        verdicts,
        formulas=(("M", printed),),
        figures=(
            (SelectionPathDisplay.from_frame(path, chosen=11), "Backward elimination by the share of fit."),
            (
                ParityDisplay(y, published, name="M", unit="μB/atom"),
                "The printed formula, typed in and evaluated.",
            ),
        ),
        text=(
            "An average linear in the composition plus a mixing moment x(1−x)Ω(A, B), as in the "
            "regular-solution model. Here w = x(1−x), a(.) is the absolute value."
        ),
        source=_SOURCE,
    )


@cache
def _alloys() -> pd.DataFrame:
    from sozai.datasets import fetch_binary_alloys

    dataset = fetch_binary_alloys()
    return dataset.frame[[*dataset.feature_names, dataset.target_name]]


@cache
def _order_one() -> tuple[pd.DataFrame, np.ndarray]:
    """The 44 published descriptors and the target."""
    frame = _alloys()
    x = dict(zip([f"x{k}" for k in range(1, 8)], frame.to_numpy().T[:7], strict=True))
    columns: dict[str, Any] = {"x0": np.ones(len(frame)), **x}
    mixed = [f"x{k}" for k in range(2, 8)]
    columns |= {f"a({name})": np.abs(x[name]) for name in mixed}
    columns |= {f"a({i}+{j})": np.abs(x[i] + x[j]) for i, j in combinations(mixed, 2)}
    columns |= {f"a({i}-{j})": np.abs(x[i] - x[j]) for i, j in combinations(mixed, 2)}
    return pd.DataFrame(columns), frame["M"].to_numpy()


@cache
def _bases(path: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Independent descriptors of orders one, two and three on the automatic or the pruned path."""
    first = _order_one()[0]
    first = first[list(_PRUNED)] if path == "pruned" else _independent(first)
    factors = {name: first[name].to_numpy() for name in first.columns if name != "x0"}
    bases, products = [first], {(name,): column for name, column in factors.items()}
    names = list(factors)
    for _ in range(2):
        products = {
            (*key, name): column * factors[name]
            for key, column in products.items()
            for name in names[names.index(key[-1]) :]
        }
        joined = pd.DataFrame({"·".join(key): column for key, column in products.items()})
        bases.append(_independent(pd.concat([bases[-1], joined], axis=1)))
    return bases[0], bases[1], bases[2]


def _independent(columns: pd.DataFrame) -> pd.DataFrame:
    """Basis by the published elimination, in its order."""
    from sozai.symbolic.independence import find_relations

    return columns[list(find_relations(columns, method="rref").basis_names)]


def _mixing_terms() -> tuple[pd.DataFrame, np.ndarray]:
    """The 24 terms f, x·f and x(1−x)·f of eight functions of the alloy."""
    columns, y = _order_one()
    x = columns["x1"].to_numpy()
    functions = ("x0", "x2", "x3", "x6", "x7", "a(x6)", "a(x6+x7)", "a(x2+x6)")
    terms = {}
    for mark, factor in (("", 1.0), ("x", x), ("w", x * (1 - x))):
        for name in functions:
            label = name if not mark else mark if name == "x0" else f"{mark}·{name}"
            terms[label] = factor * columns[name].to_numpy()
    return pd.DataFrame(terms), y


def _fit(columns: pd.DataFrame, y: np.ndarray) -> Any:
    from sozai.symbolic.selection import AllTerms

    return AllTerms().select(columns, y, fit_intercept=False)[0]


def _best_of(columns: pd.DataFrame, y: np.ndarray, n_terms: int) -> Any:
    """Best two choices of so many columns, the constant being a column like any other."""
    from sozai.symbolic.selection import Exhaustive

    search = Exhaustive(max_terms=n_terms, min_terms=n_terms, n_best=2)
    return search.select(columns, y, fit_intercept=False)


def _scores_beside(label: str, model: Any, printed: dict[str, str]) -> list[Verdict]:
    """Scores of a model beside the printed ones; e² and eq² are sums of squared (leave-one-out) errors."""
    found = {
        "e²": float(np.sum(model.residuals**2)),
        "eq²": float(np.sum(model.loo_residuals**2)),
        **{
            "RMSE": model.rmse,
            "R²": model.r2,
            "Q²": model.q2,
            "TR²": model.tr2,
            "TQ²": model.tq2,
            "AIC": model.aic,
        },
    }
    return [as_printed(f"{label}: {name}", found[name], text) for name, text in printed.items()]


def _refits_beside(frame: pd.DataFrame, y: np.ndarray) -> list[Verdict]:
    """The printed form fitted again: first the bracket alone, then the averages too."""
    x, w = frame["x"], frame["x"] * (1 - frame["x"])
    average = pd.DataFrame({"(1-x)*M_A": (1 - x) * frame["M_A"], "x*M_B": x * frame["M_B"]})
    inside = {
        "1": 1.0,
        "Z_A": frame["Z_A"],
        "M_BA": frame["M_BA"],
        "|M_A+M_AB|": (frame["M_A"] + frame["M_AB"]).abs(),
    }
    bracket = pd.DataFrame({f"w*{name}": w * column for name, column in inside.items()})
    fixed = _fit(bracket, y - average.sum(axis=1).to_numpy())
    free = _fit(pd.concat([average, bracket], axis=1), y)
    rows = [as_printed("refitted bracket: RMSE", fixed.rmse, "0.0685")]
    printed = (("constant", "-3.834"), ("Z", "0.281"), ("M_I(B,A)", "0.610"), ("abs", "0.160"))
    rows += [
        as_printed(f"refitted bracket: {n}", c, t)
        for (n, t), c in zip(printed, fixed.coefficients, strict=True)
    ]
    return [
        *rows,
        as_printed("averages free too: RMSE", free.rmse, "0.0638"),
        as_printed("averages free too: Q²", free.q2, "0.99293"),
    ]


def _volume(columns: pd.DataFrame) -> float:
    """Volume spanned by the columns, each of unit length."""
    values = columns.to_numpy()
    return float(np.prod(np.linalg.svd(values / np.linalg.norm(values, axis=0), compute_uv=False)))


def _members(lists: list[set[str]], *names: str) -> str:
    """Sorted members of the list that holds these names."""
    return next((",".join(sorted(members)) for members in lists if set(names) <= members), "none")


ALLOY_STOPS = (
    Stop(
        "symbolic",
        "relations of 44 alloy descriptors",
        "Which descriptors of an alloy say the same?",
        relations_of_the_alloys,
        needs_data=True,
    ),
    Stop(
        "symbolic",
        "moments of 99 alloys, order by order",
        "How well do products of descriptors give the moment?",
        moments_order_by_order,
        needs_data=True,
    ),
    Stop(
        "symbolic",
        "a short law of the moments",
        "Which few terms make the Slater-Pauling curves?",
        short_law_of_the_moments,
        needs_data=True,
    ),
    Stop(
        "symbolic",
        "a basis of one's own",
        "What changes if other descriptors are kept?",
        choice_of_basis,
        needs_data=True,
    ),
)
