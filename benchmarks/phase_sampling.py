"""Labels until a phase diagram is right: campaigns replayed on computed sections with every label known.

    python benchmarks/phase_sampling.py                      all campaigns without a record
    python benchmarks/phase_sampling.py --legs "process, LC" --maps "900 K" --seeds 0 5

Isothermal sections of Cu-Mg-Zn (``Cu-Mg_Zn_{800,900,1000}K.csv``, 5,151 compositions, 28, 19 and 12 sets of
phases): nine random compositions, the same for every leg, then one by one (or 5, or 10 at once) to 430.
*process*: one Gaussian process a set; *presence*: one a phase. *propagation*, *spreading*: the label
propagation and label spreading of scikit-learn, converged, in our loop; *published*: label propagation as
the published programs have it, in their coordinates, without our corners first and without the phase
rule. Scores: least confident (LC), margin (MS), entropy (EA), random (RS). *made*: two sections of
``make_ternary_section`` with 1,326 compositions, three at the start; with compositions each result says
what its phases consist of.

``to_70``, ``to_80``, ``to_90``: median labels until the mean F1 over all true sets (one not found counts 0),
with 90 % bootstrap intervals; null where more than half of the seeds did not reach it. ``n_found``: sets
found at the end; ``calibration_error`` at 200 labels; ``seconds``: asking and telling of one campaign. One
file a campaign in ``results/phase_sampling``, so that a study that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 (after the thread counts, which it reads once)
import pandas as pd  # noqa: E402
import proposal_sets as sets  # noqa: E402

from sozai.proposals.coexistence import Coexistence  # noqa: E402
from sozai.proposals.label_graph import LabelPropagation, LabelSpreading  # noqa: E402
from sozai.proposals.phase_classifiers import PresenceGaussianProcess  # noqa: E402
from sozai.proposals.phase_diagram import PhaseDiagramProposer  # noqa: E402
from sozai.proposals.phase_evaluation import evaluate_phase_sampling, labels_to_reach  # noqa: E402

KEPT = Path(__file__).resolve().parent / "results" / "phase_sampling"
SEEDS, LEVELS = (0, 20), (0.7, 0.8, 0.9)
MEASURED, MADE = ("800 K", "900 K", "1000 K"), ("made, three phases", "made, a gap")
_SCORES = {"LC": "least_confident", "MS": "margin", "EA": "entropy", "RS": "random"}
_FREE = {"process": None, "presence": PresenceGaussianProcess()}


class Shared:
    """A graph whose solver is set up once for all campaigns on one list."""

    def __init__(self, model: Any) -> None:
        self.model, self.stream_, self.calibrate = model, None, False

    def stream(self, Z: np.ndarray, **options: Any) -> Any:
        if self.stream_ is None:
            self.stream_ = self.model.stream(Z, **options)
        return self.stream_.fresh()


#: Leg: model, score, at once, labels at the end, maps.
LEGS = {
    "process, LC": ("process", "LC", 1, 430, MEASURED + MADE),
    "presence, LC": ("presence", "LC", 1, 430, MEASURED),
    "published, LC": ("published", "LC", 1, 430, MEASURED),
    "propagation, LC": ("propagation", "LC", 1, 430, MEASURED),
    "spreading, LC": ("spreading", "LC", 1, 430, MEASURED),
    "process, RS": ("process", "RS", 1, 430, MEASURED + MADE),
    "propagation, RS": ("propagation", "RS", 1, 430, MEASURED),
    "propagation, MS": ("propagation", "MS", 1, 430, MEASURED),
    "propagation, EA": ("propagation", "EA", 1, 430, MEASURED),
    "spreading, MS": ("spreading", "MS", 1, 430, MEASURED),
    "spreading, EA": ("spreading", "EA", 1, 430, MEASURED),
    "process, LC, batches of 5": ("process", "LC", 5, 430, MEASURED),
    "process, LC, batches of 10": ("process", "LC", 10, 430, MEASURED),
    "process, LC, with compositions": ("process", "LC", 1, 120, MADE),
}


@lru_cache
def section(name: str) -> Any:
    from sozai.datasets import make_ternary_section

    if name == "made, a gap":
        return make_ternary_section(
            {"F": {(0, 1): 2e4, (0, 2): 2.2e4, (1, 2): 1.9e4}, "L": {}}, 750,
            reference={"F": [0, 0, 0], "L": [2500, 2000, 2800]}, step=0.01,
        )  # fmt: skip
    interactions = {
        "L": {(0, 1): -8e3, (1, 2): 4e3},
        "F": {(0, 1): 1.6e4, (0, 2): 2e4, (1, 2): 1.2e4},
        "H": {(0, 1): 1e4, (1, 2): 2e4, (0, 2): -5e3},
    }
    reference = {"L": [1500, 1200, -500], "F": [0, 600, 900], "H": [900, 0, 400]}
    return make_ternary_section(interactions, 800, reference=reference, step=0.01)


@lru_cache
def truth(name: str) -> tuple[pd.DataFrame, list[str]]:
    """Compositions and labels."""
    if name in MADE:
        table = section(name).table(0.02)
        return table[["A", "B", "C"]], table["phase"].tolist()
    file = f"Cu-Mg_Zn_{name.split()[0]}K.csv"
    folder = os.environ.get("SOZAI_DATA")
    if not folder:
        raise SystemExit(f"SOZAI_DATA must name the folder that holds proposals/{file}. Set it.")
    table = pd.read_csv(Path(folder) / "proposals" / file)
    return table[["Zn", "Mg", "Cu"]], ["+".join(sorted(text.split("+"))) for text in table["phase_name"]]


@lru_cache
def shared(model: str, name: str) -> Shared:
    return Shared(LabelSpreading() if model == "spreading" else LabelPropagation())


def found_compositions(name: str) -> Any:
    """What a measurement of a made section says of its phases."""
    points = truth(name)[0].to_numpy()

    def of(row: int) -> Coexistence | None:
        phases, compositions, _ = section(name).equilibrium(points[row])
        return Coexistence(list(phases), compositions) if len(phases) > 1 else None

    return of


def campaign(leg: str, name: str, seed: int) -> dict:
    """Scores at every tenth label, or every second of few."""
    model, score, at_once, n_labels, _ = LEGS[leg]
    points, labels = truth(name)

    def make(candidates: Any, random_state: int) -> PhaseDiagramProposer:
        guest = _FREE[model] if model in _FREE else shared(model, name)
        plain = {"coordinates": "cartesian", "corners": False, "phase_rule": None}
        return PhaseDiagramProposer(
            candidates, guest, score=_SCORES[score], random_state=random_state,
            **(plain if model == "published" else {}),
        )  # fmt: skip

    n_start = 3 if name in MADE else 9
    table = evaluate_phase_sampling(
        points, labels, make, n_start, n_labels, 1, every=2 if n_labels < 200 else 10,
        batch_size=at_once, random_state=seed,
        compositions=found_compositions(name) if leg.endswith("compositions") else None,
    )  # fmt: skip
    stem = {"leg": leg, "map": name, "seed": seed, "version": sets.release("sozai")}
    return stem | {"curve": table.drop(columns="repeat").round(6).to_dict("list")}


def kept(leg: str, name: str, seed: int) -> Path:
    return KEPT / f"{leg}-{name}-{seed}.json".replace(", ", "-").replace(" ", "-").lower()


def measure(leg: str, name: str, seed: int) -> None:
    path = kept(leg, name, seed)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(campaign(leg, name, seed)) + "\n")
    os.replace(part, path)


def median(values: np.ndarray) -> list[float | None]:
    """Median and the ends of its 90 % bootstrap interval; None where it was not reached."""
    from proposal_efficiency import with_interval

    bound = 1e9
    return [None if value > bound / 2 else value for value in with_interval(np.minimum(values, bound))]


def summary(leg: str, name: str, seeds: range) -> dict | None:
    """One row from the campaigns that there are."""
    found = [json.loads(kept(leg, name, s).read_text()) for s in seeds if kept(leg, name, s).exists()]
    if not found:
        return None
    tables = [pd.DataFrame(record["curve"]).assign(repeat=record["seed"]) for record in found]
    reached = labels_to_reach(pd.concat(tables), LEVELS)
    ends = [table.iloc[-1] for table in tables]
    at_200 = [table.loc[(table["n_labels"] - 200).abs().idxmin()] for table in tables]
    row = {
        "task": "phase diagrams", "size": name, "peer": f"sozai: {leg}", "n_seeds": len(found),
        "version": found[0]["version"], "error": None, "success": True, "peak_mb": None,
        "seconds": float(np.median([end["seconds"] for end in ends])),
    }  # fmt: skip
    row |= {f"to_{round(100 * level)}": median(reached[level].to_numpy()) for level in LEVELS}
    row["f1_end"] = float(np.mean([end["f1"] for end in ends]))
    row["n_found"] = float(np.mean([end["n_found"] for end in ends]))
    return row | {"calibration_error": float(np.mean([one["calibration_error"] for one in at_200]))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--legs", nargs="*", default=list(LEGS), choices=tuple(LEGS))
    parser.add_argument("--maps", nargs="*", default=list(MEASURED + MADE), choices=MEASURED + MADE)
    parser.add_argument("--seeds", type=int, nargs=2, default=SEEDS, metavar=("FIRST", "END"))
    parser.add_argument("--report", action="store_true", help="only what has a record")
    options = parser.parse_args()
    seeds = range(*options.seeds)
    if not options.report:
        for leg in options.legs:
            for name in options.maps:
                for seed in seeds if name in LEGS[leg][4] else ():
                    measure(leg, name, seed)
                    print(f"{leg} {name} {seed}", file=sys.stderr, flush=True)
    for name in options.maps:
        for leg in options.legs:
            row = summary(leg, name, seeds)
            if row is not None:
                print(json.dumps(row, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
