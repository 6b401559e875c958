"""Phase diagrams on the tour: a section from nine starting points, equal graphs, tie-lines that count."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd

from sozai.apps.tour.stops import Finding, Stop, as_printed, beside
from sozai.contracts.errors import MissingDataError
from sozai.displays import PhaseDiagramDisplay

__all__ = ["STOPS"]

_TERAYAMA = "K. Terayama et al., Phys. Rev. Mater. 3, 033802 (2019), doi 10.1103/PhysRevMaterials.3.033802"
_COEXISTENCE = "K. Terayama et al., Scripta Mater. 208, 114335 (2022), doi 10.1016/j.scriptamat.2021.114335"
#: Interactions and energies of the pure components (J/mol) of a made section with seven fields.
_MADE = {
    "FCC": {(0, 1): 2.0e4, (0, 2): 1.7e4, (1, 2): 2.1e4},
    "BCC": {(0, 1): 1.2e4, (0, 2): 1.2e4, (1, 2): 1.0e4},
    "LIQUID": {(0, 1): -2e3, (1, 2): 2e3},
}
_BASE = {"FCC": (0, 0, 0), "BCC": (2500, -1500, 2500), "LIQUID": (3500, 4200, 3000)}


def cu_mg_zn() -> Finding:
    """The isotherm of Cu-Mg-Zn at 900 K, 19 sets of phases, rebuilt from nine samples at random."""
    from sozai.proposals import PhaseDiagramProposer

    points, truth = _read_isotherm(900)
    proposer = PhaseDiagramProposer(points)
    curve, seconds = _campaign(proposer, truth, 9, 300)
    lucky = PhaseDiagramProposer(points, score="random", random_state=0)
    by_chance, _ = _campaign(lucky, truth, 9, 300, every=300)
    verdicts = (
        beside("points of the grid", len(truth), 5151),
        beside("sets of phases", len(set(truth)), 19),
        beside("sets found with 300 samples, at least 17", len(set(proposer.classes_)) >= 17, True),
        beside("mean F1 over all sets with 300 samples", curve[300], 1.0, 0.25),
        beside("larger than at random", bool(curve[300] > by_chance[300]), True),
    )
    return Finding(
        verdicts,
        figures=((PhaseDiagramDisplay.from_proposer(proposer, proposals=3),
                  "The map that follows from 300 of 5,151 points, and the next three."),),
        text=(
            f"Mean F1 over all 19 sets with 100, 200 and 300 samples: {curve[100]:.2f}, {curve[200]:.2f}, "
            f"{curve[300]:.2f}; at random {by_chance[300]:.2f} with 300. One sample took "
            f"{1e3 * seconds / 291:.0f} ms."
        ),
        source=_TERAYAMA,
    )  # fmt: skip


def made_section() -> Finding:
    """A made ternary section, fields known, from nine samples at random."""
    from sozai.proposals import PhaseDiagramProposer

    table = _made().table(0.04)
    truth = table["phase"].to_numpy()
    points = table[["A", "B", "C"]]
    shares = {}
    for word, options in (("asked", {}), ("chance", {"score": "random", "random_state": 1})):
        proposer = PhaseDiagramProposer(points, **options)
        curve, _ = _campaign(proposer, truth, 9, 90, every=10)
        shares[word] = (curve, proposer)
    asked, chance = shares["asked"][0], shares["chance"][0]
    verdicts = (
        beside("sets of phases found", len(set(shares["asked"][1].classes_)), len(set(truth))),
        beside("mean F1 with 90 of 351 samples", asked[90], 1.0, 0.1),
        beside("larger than at random", bool(asked[90] > chance[90]), True),
    )
    return Finding(
        verdicts,
        figures=((PhaseDiagramDisplay.from_proposer(shares["asked"][1], proposals=3),
                  "The map that follows from 90 of 351 points, and the next three."),),
        text=f"Mean F1 over all sets with 90 samples: {asked[90]:.2f} asked, {chance[90]:.2f} at random.",
        source="planted: make_ternary_section",
    )  # fmt: skip


def equal_graphs() -> Finding:
    """Label propagation and spreading in closed form beside scikit-learn's iteration, run to the end."""
    from sklearn.semi_supervised import LabelPropagation as TheirPropagation
    from sklearn.semi_supervised import LabelSpreading as TheirSpreading

    from sozai.proposals import LabelPropagation, LabelSpreading, PhaseDiagramProposer

    table = _made().table(0.05)
    points, truth = table[["A", "B", "C"]], table["phase"].to_numpy()
    names = sorted(set(truth))
    rows = [int(row) for row in np.random.default_rng(3).permutation(len(truth))[:24]]
    verdicts, spent = [], {}
    for word, ours, theirs in (
        ("propagation", LabelPropagation(gamma=20), TheirPropagation(gamma=20, max_iter=200000, tol=1e-13)),
        ("spreading", LabelSpreading(gamma=20, alpha=0.2),
         TheirSpreading(gamma=20, alpha=0.2, max_iter=2000, tol=1e-14)),
    ):  # fmt: skip
        proposer = PhaseDiagramProposer(
            points, ours, coordinates="standard", corners=False, phase_rule=None
        ).tell(rows, truth[rows].tolist())
        clock = time.perf_counter()
        (proposal,) = proposer.ask()
        spent[word] = time.perf_counter() - clock
        Z = (points - points.mean()) / points.std(ddof=0)
        labels = np.full(len(truth), -1)
        labels[rows] = [names.index(label) for label in truth[rows]]
        p = theirs.fit(Z, labels).label_distributions_
        there = [names.index(label) for label in proposer.classes_]
        difference = np.abs(p[:, [sorted(set(labels[rows])).index(k) for k in there]]
                            - proposer.probabilities_).max()  # fmt: skip
        doubt = np.where(np.isin(np.arange(len(truth)), rows), -1.0, 1.0 - p.max(axis=1))
        verdicts += [
            beside(f"label {word}: largest difference of a probability", float(difference), 0.0, 1e-8),
            beside(f"label {word}: the next point is as doubtful",
                   float(doubt[proposal.index]), float(doubt.max()), 1e-9),
        ]  # fmt: skip
    return Finding(
        tuple(verdicts),
        text="scikit-learn stops after a number of steps; run to the end it gives what the closed forms do.",
        source="F. Pedregosa et al., J. Mach. Learn. Res. 12, 2825 (2011)",
    )


def coexistence() -> Finding:
    """The same section with the compositions of coexisting phases: tie-lines and triangles count."""
    from sozai.proposals import PhaseDiagramProposer

    made = _made()
    table = made.table(0.04)
    points, truth = table[["A", "B", "C"]], table["phase"].to_numpy()
    needed: dict[str, float] = {}
    for word in ("labels", "compositions", "chance"):
        options = {"score": "random", "random_state": 2} if word == "chance" else {}
        proposer = PhaseDiagramProposer(points, **options)
        measure = made if word == "compositions" else None
        curve, _ = _campaign(proposer, truth, 3, 351, made=measure, until=0.9)
        needed[word] = min(count for count, f1 in curve.items() if f1 >= 0.9)
        if word == "compositions":
            shown = proposer
    lever = next(one for one in shown.samples_ if one.lever is not None and len(one.lever.fractions) > 1)
    verdicts = (
        beside("samples to F1 0.9, at most those of names alone",
               bool(needed["compositions"] <= needed["labels"]), True),
        beside("part of the samples at random", needed["compositions"] / needed["chance"], 0.1, 0.15),
        beside("lever rule: amounts add up to", float(sum(lever.lever.fractions.values())), 1.0, 1e-9),
        beside("measured fields that cross", len(shown.phase_rule_violations_), 0),
    )  # fmt: skip
    return Finding(
        verdicts,
        figures=((PhaseDiagramDisplay.from_proposer(shown),
                  "Samples with the measured compositions of their phases: tie-lines and triangles."),),
        text=(
            f"Samples until the mean F1 is 0.9: {needed['compositions']:.0f} with compositions of phases, "
            f"{needed['labels']:.0f} with their names alone, {needed['chance']:.0f} at random. The paper "
            "reports about an eighth of random sampling."
        ),
        source=_COEXISTENCE,
    )  # fmt: skip


def water() -> Finding:
    """Water in temperature and pressure, from one start and from nine."""
    from sozai.datasets import make_water_diagram
    from sozai.datasets.make_water import melting_pressure, saturation_pressure, sublimation_pressure
    from sozai.proposals import PhaseDiagramProposer

    table = make_water_diagram(41, 41, p=(1.0, 1e10))
    points, truth = table[["T", "log_p"]], table["phase"].to_numpy()
    needed = {}
    for start in (1, 9):
        counts = []
        for seed in range(3):
            proposer = PhaseDiagramProposer(points)
            curve, _ = _campaign(proposer, truth, start, 120, every=1, until=0.9, seed=seed)
            counts.append(min(count for count, f1 in curve.items() if f1 >= 0.9))
        needed[start] = float(np.median(counts))
    verdicts = (
        as_printed("melting pressure of ice Ih at 260 K (MPa)", melting_pressure(260.0) / 1e6, "138.268"),
        as_printed("sublimation pressure at 230 K (Pa)", sublimation_pressure(230.0), "8.94735"),
        as_printed("saturation pressure at 500 K (MPa)", saturation_pressure(500.0) / 1e6, "2.63889776"),
        beside("samples to F1 0.9 from one start, at most 1.1 times those from nine",
               bool(needed[1] <= 1.1 * needed[9]), True),
    )  # fmt: skip
    return Finding(
        verdicts,
        figures=((PhaseDiagramDisplay.from_proposer(proposer, proposals=2),
                  "The map of water after the last of these campaigns."),),
        text=f"Median samples to a mean F1 of 0.9: {needed[1]:.0f} from one, {needed[9]:.0f} from nine.",
        source="IAPWS R14-08(2011) and IF97: check values",
    )  # fmt: skip


def _made() -> Any:
    """A ternary section of three phases with one triangle."""
    from sozai.datasets import make_ternary_section

    return make_ternary_section(_MADE, T=800, reference=_BASE, step=0.02)


def _read_isotherm(T: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Compositions and phases of one isotherm of Cu-Mg-Zn, in the folder that SOZAI_DATA names."""
    import os
    from pathlib import Path

    path = Path(os.environ.get("SOZAI_DATA", ""), "proposals", f"Cu-Mg_Zn_{T}K.csv")
    if not path.is_file():
        raise MissingDataError(f"'{path}' is not there")
    table = pd.read_csv(path, keep_default_na=False)
    return table[["Zn", "Mg", "Cu"]], table["phase_name"].to_numpy()


def _campaign(
    proposer: Any, truth: np.ndarray, n_start: int, n_labels: int, *, every: int = 100, made: Any = None,
    until: float | None = None, seed: int = 0,
) -> tuple[dict[int, float], float]:  # fmt: skip
    """Mean F1 over all true sets by number of samples, and the seconds of asking and telling."""
    from sozai.proposals.phase_evaluation import phase_map_scores

    rows = [int(row) for row in np.random.default_rng(seed).permutation(len(truth))[:n_start]]
    measured = np.zeros(len(truth), dtype=bool)
    curve, spent, count = {}, 0.0, 0
    every = 1 if until is not None else every
    while rows:
        clock = time.perf_counter()
        for row in rows:
            proposer.tell(row, truth[row], _measured(proposer, made, row, truth[row]))
        spent += time.perf_counter() - clock
        measured[rows] = True
        count += len(rows)
        if count % every == 0 or count >= n_labels or until is not None:
            classes = proposer.classes_.astype(str)
            scores = phase_map_scores(truth.astype(str), classes, proposer.probabilities_, measured)
            curve[count] = scores["f1"]
            if until is not None and scores["f1"] >= until:
                break
        clock = time.perf_counter()
        rows = [int(one.index) for one in proposer.ask()] if count < n_labels else []
        spent += time.perf_counter() - clock
    return curve, spent


def _measured(proposer: Any, made: Any, row: int, label: str) -> Any:
    """Compositions of the phases of a sample, where they are measured."""
    if made is None or "+" not in label:
        return None
    from sozai.proposals import Coexistence

    point = proposer.to_frame()[["A", "B", "C"]].iloc[row].to_numpy()
    phases, compositions, _ = made.equilibrium(point)
    return Coexistence(phases, compositions)


_ROOM = "phases"
STOPS = (
    Stop(_ROOM, "made section", "Which 90 samples draw a ternary section?", made_section),
    Stop(_ROOM, "equal graphs", "Do closed forms give what label propagation iterates to?", equal_graphs),
    Stop(_ROOM, "coexistence", "How much do measured tie-lines save?", coexistence),
    Stop(_ROOM, "water", "From how many points does one start?", water),
    Stop(_ROOM, "Cu-Mg-Zn", "Can 19 fields be found from nine starting points?", cu_mg_zn, True),
)
