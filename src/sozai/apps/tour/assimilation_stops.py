"""The room ``assimilation`` on the tour: a few measurements carried far by many calculations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sozai.apps.tour.stops import Finding, Stop, beside
from sozai.displays.assimilation import (
    AssimilationDisplay,
    CouplingDisplay,
    PatternDisplay,
    TwoSourceDisplay,
)

__all__ = ["STOPS"]

_MAGNET = "Y. Harashima et al., Phys. Rev. Materials 5, 013806 (2021); here planted: make_magnet_pair"
_LOOP = "arXiv:2408.08539 (2024); here planted: make_sine_pair"
_DEMOS, _LOOPS, _MAGNETS = 9, 3, 9


def extrapolation() -> Finding:
    """Ten calculations of a curve and five measurements of its left half: the right half, predicted."""
    from sozai.assimilation import GaussianAssimilator
    from sozai.datasets import make_assimilation_demo

    right = np.linspace(0.5, 1.0, 101)[:, None]
    errors: dict[str, list[float]] = {"joined": [], "given": [], "separate": []}
    inside, chosen, first = [], [], None
    for seed in range(_DEMOS):
        made = make_assimilation_demo(rng=seed)
        truth = made.exact(right)[:, 1]
        model = GaussianAssimilator("polynomial:3", domain=[(0.0, 1.0)]).fit(made.features, made.sources)
        fixed = GaussianAssimilator(
            "polynomial:3", domain=[(0.0, 1.0)], coupling=1.0, restricted="degree>0"
        ).fit(made.features, made.sources)
        mean, std = model.predict(right, return_std=True)
        told = made.frame.dropna(subset=["experiment"])
        cubic = np.polynomial.Polynomial.fit(told["x"], told["experiment"], 3)
        for name, found in (
            ("joined", mean), ("given", fixed.predict(right)), ("separate", cubic(right[:, 0]))
        ):  # fmt: skip
            errors[name].append(_rms(found - truth))
        inside.append(float(np.mean(np.abs(mean - truth) <= 1.645 * std)))
        chosen.append(model.kept_terms_[1] == ("1",))
        first = first or (made, model)
    joined, given, separate = (float(np.median(errors[name])) for name in ("joined", "given", "separate"))
    verdicts = (
        beside(f"RMSE where nothing was measured, median of {_DEMOS}", joined, 0.0, 0.2),
        beside("the same, coupling and terms given", given, 0.0, 0.06),
        beside("separate least squares are 30 times worse", bool(separate > 30 * joined), True),
        beside("share of the truth inside 90 % bands", float(np.mean(inside)), 0.9, 0.1),
        beside("a constant difference is recognized, share", float(np.mean(chosen)), 1.0, 0.4),
    )
    return Finding(
        verdicts,
        figures=_demonstration(*first) if first else (),
        text=(
            f"The shape comes from the calculations, the level from the measurements: RMSE {joined:.3f} on "
            f"the half that was never measured, where the curve ranges over 2.52; separate least squares "
            f"{separate:.1f}, and {given:.3f} if it were known that the difference is a constant."
        ),
        source="planted: make_assimilation_demo",
    )


def recursive() -> Finding:
    """Rows told one by one, in another order, and by two laboratories that exchange no data."""
    from sozai.assimilation import GaussianAssimilator
    from sozai.datasets import make_assimilation_demo

    made = make_assimilation_demo(40, 12, rng=3)
    X, Y = made.features.to_numpy(), made.sources.to_numpy()
    grid = np.linspace(0.0, 1.0, 41)[:, None]

    def fresh() -> Any:
        return GaussianAssimilator("polynomial:3", domain=[(0.0, 1.0)])

    batch = fresh().fit(X, Y)
    one_by_one = fresh()
    for row in np.random.default_rng(0).permutation(len(X)):
        one_by_one.partial_fit(X[[row]], Y[[row]])
    here, there = fresh().fit(X[::2], Y[::2]), fresh().fit(X[1::2], Y[1::2])
    merged = GaussianAssimilator.from_state(here.state()).merge(GaussianAssimilator.from_state(there.state()))
    kept = sum(factor.triangle.size for factor in batch.statistics_.factors.values())
    longer = fresh().fit(np.repeat(X, 50, axis=0), np.repeat(Y, 50, axis=0))
    same = sum(factor.triangle.size for factor in longer.statistics_.factors.values())
    expected = batch.predict(grid, return_std=True)
    verdicts = (
        *(
            beside(f"largest difference of {word}, {name}", float(np.abs(a - b).max()), 0.0, 1e-7)
            for name, model in (("told one by one", one_by_one), ("merged", merged))
            for word, a, b in zip(
                ("means", "deviations"), model.predict(grid, return_std=True), expected, strict=True
            )
        ),
        beside("numbers kept of 52 rows and of 2,600", kept, same),
    )
    return Finding(
        verdicts,
        text=(
            f"What is kept of the data are {kept} numbers, however many rows there are; laboratories add "
            "theirs up and get what one would get from all rows."
        ),
        source="law of the method: sums of squares add",
    )


def two_source_loop() -> Finding:
    """A landscape of 49 waves: the best of 1,681 points in the experiment, sought by two rules."""
    from sozai.assimilation import GaussianAssimilator, Sine
    from sozai.datasets import make_sine_pair
    from sozai.proposals import (
        CostAware,
        MaximumVariance,
        TwoSourceProposer,
        rounds_to_best,
        simulate_two_sources,
    )

    made = make_sine_pair(2, 41, rng=0)
    exact = made.truth.to_numpy()
    # Before the data the simulation is believed to vary as much as all values do: the squares of the waves
    # have the sum 15.
    model = GaussianAssimilator(Sine(6))
    rules = {"5 calculations a round": MaximumVariance(5), "by price": CostAware()}
    tables = {
        name: simulate_two_sources(
            TwoSourceProposer(made.features.to_numpy(), model, explore=rule), exact, 25, _LOOPS,
            noise=(0.03, 0.1),
        )
        for name, rule in rules.items()
    }  # fmt: skip
    rounds = rounds_to_best(tables["5 calculations a round"])
    spent = {name: _asked(rounds_to_best(table, "spent"), table) for name, table in tables.items()}
    ratio = spent["by price"] / spent["5 calculations a round"]
    verdicts = (
        beside("terms of the simulation", Sine(6).n_terms(2), 49),
        beside("row of the best point, planted", int(exact[:, 1].argmax()), int(made.facts["best_row"])),
        beside(f"loops of {_LOOPS} that find it", int(np.isfinite(rounds).sum()), _LOOPS),
        beside("experiments until then, median", float(rounds.median()), 6.0, 3.0),
        beside("cost after the start, by price over published, at most 0.7", bool(ratio <= 0.7),
               True),
    )  # fmt: skip
    return Finding(
        verdicts,
        figures=(
            (
                TwoSourceDisplay.from_simulations(tables, by="spent", optimum=float(exact[:, 1].max())),
                "Best measured point against what was spent; an experiment costs 50 calculations.",
            ),
        ),
        text=(
            f"Experiments until the best of 1,681 points was measured: "
            f"{', '.join(f'{value:.0f}' for value in sorted(rounds))}. The rule that knows the prices "
            f"spends {ratio:.2f} times as much after the ten values of the start."
        ),
        source=_LOOP,
    )


def magnet() -> Finding:
    """A permanent magnet: the temperature from which on cobalt strengthens it."""
    from sozai.assimilation import GaussianAssimilator
    from sozai.datasets import make_magnet_pair

    test = make_magnet_pair(400, 1, rng=99)
    points = test.features.iloc[:400]
    truth = test.exact(points)[:, 1]
    crossings, ratios, first = [], [], None
    for seed in range(_MAGNETS):
        made = make_magnet_pair(rng=seed)
        domain = made.domain.to_numpy()
        model = GaussianAssimilator("polynomial:3", domain=domain).fit(made.features, made.sources)
        own = made.frame["experiment"].notna()
        alone = GaussianAssimilator("polynomial:3", domain=domain).fit(
            made.features[own], made.sources.loc[own, ["experiment"]]
        )
        ratios.append(_rms(model.predict(points) - truth) / _rms(alone.predict(points) - truth))
        crossings.append(_crossover(model, made))
        first = first or (made, model)
    planted = float(make_magnet_pair(rng=0).facts["crossover"])
    verdicts = (
        beside(
            f"sign change of dM/dCo in K, median of {_MAGNETS}", float(np.median(crossings)), planted, 10.0
        ),
        beside(
            "share of magnets where it is found within 10 K",
            float(np.mean(np.abs(np.array(crossings) - planted) <= 10.0)),
            1.0,
            0.4,
        ),
        beside("held-out RMSE over that of measurements alone", float(np.median(ratios)), 0.0, 1 / 3),
        beside("largest of these ratios", float(np.max(ratios)), 0.0, 1 / 3),
    )
    shown = ", ".join(f"{value:.0f}" for value in crossings)
    return Finding(
        verdicts,
        figures=_magnet_figures(*first) if first else (),
        text=(
            f"Cobalt weakens the cold magnet and strengthens the hot one; the calculations alone put the "
            f"change at 370 K. Joined with 30 measurements: {shown} K, planted {planted:.0f} K."
        ),
        source=_MAGNET,
    )


def _asked(spent: Any, table: Any) -> float:
    """Mean cost of what was asked for, without the start."""
    start = table[table["round"] == 0].groupby("repeat")["spent"].max()
    return float((spent - start).mean())


def _crossover(model: Any, made: Any, step: float = 0.02) -> float:
    """Temperature where the slope with cobalt changes its sign, by central differences."""
    import pandas as pd

    low, high = made.domain.loc["T"]
    T = np.linspace(low, high, 501)
    sides = []
    for sign in (-1.0, 1.0):
        frame = pd.DataFrame(0.0, index=range(len(T)), columns=list(made.feature_names))
        frame["Co"], frame["T"] = made.facts["crossover_Co"] + sign * step, T
        sides.append(model.predict(frame))
    slope = sides[1] - sides[0]
    up = np.flatnonzero((slope[:-1] < 0) & (slope[1:] >= 0))
    if not len(up):
        return math.nan
    k = int(up[0])
    return float(T[k] - slope[k] * (T[k + 1] - T[k]) / (slope[k + 1] - slope[k]))


def _demonstration(made: Any, model: Any) -> tuple[tuple[Any, str], ...]:
    """Curves, coupling and patterns of one demonstration."""
    grid = np.linspace(0.0, 1.0, 201)
    display = AssimilationDisplay.from_estimator(model, made.features, made.sources, name="f")
    exact = made.exact(display.x[:, None]) if len(display.x) else made.exact(grid[:, None])
    display.truth = dict(zip(made.source_names, exact.T, strict=True))
    return (
        (display, "Calculated everywhere, measured on the left half: predictions and their 90 % bands."),
        (CouplingDisplay.from_estimator(model), "How strongly the experiment follows the simulation."),
        (PatternDisplay.from_estimator(model), "By which terms the experiment differs, and their weights."),
    )


def _magnet_figures(made: Any, model: Any) -> tuple[tuple[Any, str], ...]:
    """Magnetization along the temperature, without and with cobalt."""
    at = {"Pr": 0.0, "La": 0.0, "Ce": 0.0, "Ni": 0.0}
    figures = []
    for cobalt in (0.0, 0.4):
        display = AssimilationDisplay.from_estimator(
            model, made.features, made.sources, along="T", at={**at, "Co": cobalt}, name="M", unit="T",
            descriptor="T [K]",
        )  # fmt: skip
        points = np.zeros((len(display.x), 6))
        points[:, 3], points[:, 5] = cobalt, display.x
        display.truth = dict(zip(made.source_names, made.exact(points).T, strict=True))
        figures.append((display, f"Magnetization of Nd2(Fe,Co)14B with {cobalt:g} Co on the iron site."))
    return tuple(figures)


def _rms(values: Any) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


_ROOM = "assimilation"
STOPS = (
    Stop(_ROOM, "extrapolation", "What lies beyond the measured half of a curve?", extrapolation),
    Stop(_ROOM, "recursive", "Is learning row by row the same as learning from all?", recursive),
    Stop(_ROOM, "two-source loop", "Calculate or measure, and where?", two_source_loop),
    Stop(_ROOM, "permanent magnet", "From which temperature on does cobalt help?", magnet),
)
