"""The room ``proposals`` on the tour: how soon the best of a list is found, beside chance."""

from __future__ import annotations

from typing import Any

import numpy as np

from sozai.apps.tour.stops import Finding, Stop, as_printed, beside
from sozai.displays import FrontDisplay, HistoryDisplay

__all__ = ["STOPS"]

_KIYOHARA = "S. Kiyohara et al., Jpn. J. Appl. Phys. 55, 045502 (2016); examples of PHYSBO"
_REPEATS, _BY_CHANCE = 8, 40


def grain_boundary() -> Finding:
    """Among 17,982 shifts of a copper grain boundary, 40 calculations: ten at random, thirty proposed."""
    from sozai.datasets import fetch_grain_boundary_pool

    data = fetch_grain_boundary_pool()
    energies = data.target.to_numpy()
    found, chance = _replayed(data, "minimize", 10, 40)
    ranks, lucky = _final_ranks(found), _final_ranks(chance)
    best = int(np.argmin(energies))
    verdicts = (
        as_printed("lowest energy of the list", energies[best], "0.957449716"),
        beside("shift dx of the lowest", float(data.frame["dx"][best]), 3.2),
        beside("candidates", len(energies), 17982),
        beside(f"rank of the best of 40, median of {_REPEATS} campaigns", float(np.median(ranks)), 1.0, 49.0),
        beside("rank by chance, median, is larger", bool(np.median(lucky) > np.median(ranks)), True),
    )
    seconds = found.loc[found["seconds"] > 0, "seconds"].median()
    return Finding(
        verdicts,
        figures=(_history(found, chance, energies.min(), "energy", "J/m²"),),
        text=(
            f"After 40 calculations the best of a campaign has rank {np.median(ranks):.0f} of 17,982 "
            f"(median), by chance {np.median(lucky):.0f}; one proposal took {seconds * 1e3:.0f} ms."
        ),
        source=_KIYOHARA,
    )


def ternary_liquidus() -> Finding:
    """Among 351 Al-Si-Zn alloys, the one that melts lowest."""
    from sozai.datasets import fetch_al_si_zn_liquidus
    from sozai.proposals import evaluations_to

    data = fetch_al_si_zn_liquidus()
    found, chance = _replayed(data, "minimize", 5, 40)
    best = int(data.target.argmin())
    needed = evaluations_to(found, 1)
    verdicts = (
        as_printed("lowest liquidus of the list", float(data.target.min()), "656.14"),
        beside("its aluminum content", int(data.frame["Al"][best]), 12),
        as_printed("highest, of pure silicon", float(data.target.max()), "1687.0"),
        beside(f"campaigns of {_REPEATS} that find it", int(np.isfinite(needed).sum()), _REPEATS),
        beside("measurements needed, median, at most 20", bool(needed.median() <= 20), True),
    )
    shown = ", ".join(f"{value:.0f}" for value in sorted(needed))
    return Finding(
        verdicts,
        figures=(_history(found, chance, float(data.target.min()), "liquidus", "K"),),
        text=(
            f"Measurements until the lowest alloy was found, five of them at random: {shown}. "
            f"Chance finds it within 40 in {np.isfinite(evaluations_to(chance, 1)).mean():.0%} of campaigns."
        ),
        source="examples of NIMO (R. Tamura et al., Sci. Technol. Adv. Mater. Methods 3, 2232297 (2023))",
    )


def noisy_list() -> Finding:
    """One broad and one high optimum among 500 candidates, every result with noise."""
    from sozai.datasets import make_noisy_pool

    made = make_noisy_pool(500, 3, noise=0.05, rng=0)
    exact = made.truth["y"].to_numpy()
    found, chance = _replayed(made, "maximize", 10, 40, values=exact, noise=0.05)
    reached = np.array([(part["rank"] == 1).any() for _, part in found.groupby("repeat")])
    lucky = np.array([(part["rank"] == 1).any() for _, part in chance.groupby("repeat")])
    verdicts = (
        beside("row of the best, planted", int(np.argmax(exact)), made.truth.attrs["best_row"]),
        beside(f"share of {_REPEATS} campaigns that measure it", float(reached.mean()), 1.0, 0.4),
        beside("more often than chance", bool(reached.mean() > lucky.mean()), True),
        beside("median rank of the best of 40", float(np.median(_final_ranks(found))), 1.0, 2.0),
    )
    return Finding(
        verdicts,
        figures=(_history(found, chance, float(exact.max()), "y without noise", None),),
        text=(
            f"The high optimum is half as wide as the broad one. {reached.mean():.0%} of the campaigns "
            f"measure its best candidate within 40 measurements, {lucky.mean():.0%} by chance."
        ),
        source="planted: make_noisy_pool",
    )


def two_objectives() -> Finding:
    """Two objectives whose front is part of a circle: the compromises found in 48 measurements."""
    from sozai.datasets import make_two_objective_pool
    from sozai.proposals import BayesianProposer, RandomProposer, hypervolume

    made = make_two_objective_pool(400, 3, rng=0)
    values = made.frame[["a", "b"]].to_numpy()
    whole = float(made.truth.attrs["hypervolume"])
    shares: dict[str, list[float]] = {"model": [], "chance": []}
    last: Any = None
    for seed in range(4):
        for word, proposer in (("model", BayesianProposer()), ("chance", RandomProposer())):
            campaign = _two_objective_campaign(made, values, proposer, seed)
            area = hypervolume(values[campaign.observations_.rows], np.zeros(2))
            shares[word].append(float(area) / whole)
            last = campaign if word == "model" else last
    found, lucky = float(np.mean(shares["model"])), float(np.mean(shares["chance"]))
    front = made.truth["on_front"].to_numpy()
    on_front = int(front[last.observations_.rows].sum())
    verdicts = (
        beside("area of the front, all results known", hypervolume(values[front], np.zeros(2)), whole, 1e-12),
        beside("share of it after 48 of 400, mean of 4", found, 1.0, 0.12),
        beside("share is larger than by chance", bool(found > lucky), True),
        beside("measured compromises that no candidate beats, at least 12", bool(on_front >= 12), True),
    )
    return Finding(
        verdicts,
        figures=(
            (
                FrontDisplay.from_campaign(last, last.ask(3)),
                "Results, the front among them, and the next three proposals with one standard deviation.",
            ),
        ),
        text=(
            f"{found:.1%} of the area under the true front is found with a model, {lucky:.1%} by chance; of "
            f"the {int(front.sum())} candidates that no other beats the last campaign measured {on_front}."
        ),
        source="planted: make_two_objective_pool",
    )


def _replayed(
    data: Any, goal: str, n_start: int, n_total: int, *, values: Any = None, noise: float = 0.0
) -> tuple[Any, Any]:
    """Campaigns on a list whose results are known: with a model, and by chance."""
    from sozai.proposals import BayesianProposer, Objective, RandomProposer, simulate_campaign

    X = data.features.to_numpy(dtype=float)
    y = data.target.to_numpy() if values is None else values
    options = {"objective": Objective(data.target_name, goal), "noise": noise, "random_state": 0}
    return tuple(  # type: ignore[return-value]
        simulate_campaign(X, y, proposer, n_start, n_total, repeats=repeats, **options)
        for proposer, repeats in ((BayesianProposer(), _REPEATS), (RandomProposer(), _BY_CHANCE))
    )


def _final_ranks(table: Any) -> np.ndarray:
    """Rank of the best at the end of each repeat."""
    return table.groupby("repeat")["rank"].min().to_numpy()


def _history(
    found: Any, chance: Any, optimum: float, name: str, unit: str | None
) -> tuple[HistoryDisplay, str]:
    """Best so far with a model and by chance."""
    display = HistoryDisplay.from_simulations(
        {"proposed": found}, random=chance, optimum=float(optimum), name=name, unit=unit
    )
    return display, "Best so far: median and the middle eight tenths of the campaigns; gray, chance."


def _two_objective_campaign(made: Any, values: np.ndarray, proposer: Any, seed: int) -> Any:
    """Eight results at random, forty proposed."""
    from sozai.proposals import Campaign, Objective

    campaign = Campaign(made.features, [Objective("a"), Objective("b")], proposer=proposer, random_state=seed)
    for row in np.random.default_rng(seed).permutation(len(values))[:8]:
        campaign.tell(int(row), values[row].tolist())
    for _ in range(40):
        (proposal,) = campaign.ask()
        campaign.tell(proposal, values[proposal.index].tolist())
    return campaign


_ROOM = "proposals"
STOPS = (
    Stop(_ROOM, "noisy list", "Is the best of 500 found in 40 noisy measurements?", noisy_list),
    Stop(_ROOM, "two objectives", "Which compromises are worth measuring?", two_objectives),
    Stop(_ROOM, "grain boundary", "Which of 17,982 structures is the most stable?", grain_boundary, True),
    Stop(_ROOM, "ternary liquidus", "Which alloy melts lowest?", ternary_liquidus, True),
)
