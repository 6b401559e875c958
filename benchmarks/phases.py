"""Time from one label more to the next point, on triangular grids: exact updates and published refits.

    python benchmarks/phases.py --peer sozai --size 1326          our models and scikit-learn's, in turn
    python benchmarks/phases.py --peer nimo --size 5151

A made diagram of 12 fields on compositions in steps of 2 % (1,326 points, 40 labels) or 1 % (5,151, 100).
*set up* is what is done once for a list; *label* is one label more, the probabilities of all points, and
the least confident one. scikit-learn refits for each label, as the published programs do, with its
defaults (gamma 20, 1,000 or 30 iterations) and our coordinates; NIMO's PDC reads and writes its files,
AIPHAD fits and scores in memory. ``difference`` is the largest of our probabilities from scikit-learn's
run to a tight tolerance, ``same`` whether the next point is that of scikit-learn's defaults. One thread,
processor time.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import functools
import io
import itertools
import json
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 (after the thread counts, which it reads once)
import proposal_sets as sets  # noqa: E402
from legs import peak_mb, timed  # noqa: E402

STEPS, LABELS = {"1326": 50, "5151": 100}, {"1326": 40, "5151": 100}
KINDS = ("propagation", "spreading")
#: A tight iteration of label propagation at 5,151 points takes hours.
TIGHT = {("propagation", "1326"), ("spreading", "1326"), ("spreading", "5151")}


def grid(size: str) -> tuple[np.ndarray, np.ndarray]:
    """Compositions, and the field of each."""
    n = STEPS[size]
    parts = np.array([(i, j, n - i - j) for i in range(n + 1) for j in range(n + 1 - i)]) / n
    fields = (3.0 * parts[:, 0]).astype(int) * 4 + (3.5 * parts[:, 1]).astype(int)
    return parts, np.unique(fields, return_inverse=True)[1]


def known(size: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labeled points, and labels of all with -1 for none; classes without a label are closed up."""
    _, fields = grid(size)
    rows = np.random.default_rng(seed).permutation(len(fields))[: LABELS[size]]
    labels = np.full(len(fields), -1)
    labels[rows] = np.unique(fields[rows], return_inverse=True)[1]
    return rows, labels


def row(task: str, size: str, peer: str, release: str, seconds: float, **more: Any) -> dict:
    stem = {"task": task, "size": f"{int(size):,} points", "peer": peer, "version": release}
    return stem | {"seconds": seconds, "peak_mb": peak_mb(), "error": None, "success": True} | more


def next_of(probabilities: np.ndarray, labels: np.ndarray) -> int:
    """Least confident point without a label; probabilities (C, N)."""
    return int(np.where(labels < 0, 1.0 - probabilities.max(axis=0), -1.0).argmax())


def our_legs(size: str, seed: int) -> Iterator[dict]:
    import sklearn
    from sklearn.semi_supervised import LabelPropagation as PeerPropagation
    from sklearn.semi_supervised import LabelSpreading as PeerSpreading

    from sozai.proposals.label_graph import LabelPropagation, LabelSpreading
    from sozai.proposals.phase_coordinates import PhaseCoordinates

    warnings.simplefilter("ignore")
    parts, _ = grid(size)
    Z = np.ascontiguousarray(PhaseCoordinates.fit(parts).transform(parts))
    rows, labels = known(size, seed)
    n_classes = int(labels.max()) + 1
    spread = functools.partial(PeerSpreading, alpha=0.2)
    models = {
        "propagation": (LabelPropagation(), PeerPropagation, {"max_iter": 200_000, "tol": 1e-13}),
        "spreading": (LabelSpreading(), spread, {"max_iter": 500, "tol": 1e-15}),
    }
    for kind in KINDS:
        ours, make, tight = models[kind]
        LabelPropagation().stream(Z[:50], 2).add(0, 0).probabilities()
        set_up, stream = timed(lambda ours=ours: ours.stream(Z, n_classes), least=1, most=3)
        for one in rows[:-1]:
            stream.add(int(one), int(labels[one]))
        last = int(rows[-1])
        others = itertools.cycle(np.random.default_rng(seed).permutation(len(Z)).tolist())

        def label(stream: Any = stream, others: Any = others) -> None:
            """Another point each time, so that nothing of it lies in the cache."""
            mark = stream.mark()
            next_of(stream.add(next(others), 0).probabilities(), labels)
            stream.back(mark)

        label()
        seconds = timed(label, least=50, most=200)[0]
        found = stream.add(last, int(labels[last])).probabilities()
        theirs, refit = timed(lambda make=make: make(gamma=20).fit(Z, labels), least=1, most=3)
        more = {"same": next_of(found, labels) == next_of(refit.label_distributions_.T, labels)}
        if (kind, size) in TIGHT:
            exact = make(gamma=20, **tight).fit(Z, labels).label_distributions_
            more["difference"] = float(np.abs(exact.T - found).max())
        release = sets.release("sozai")
        yield row(f"label, {kind}", size, "sozai", release, seconds)
        peer = "scikit-learn, a fit for each"
        yield row(f"label, {kind}", size, peer, sklearn.__version__, theirs, **more)
        yield row(f"set up, {kind}", size, "sozai", release, set_up)
        yield row(f"set up, {kind}", size, "scikit-learn, one fit", sklearn.__version__, theirs)


def nimo_legs(size: str, seed: int) -> Iterator[dict]:
    """From file to file, as a robot would call it."""
    import nimo

    parts, _ = grid(size)
    _, labels = known(size, seed)
    folder = Path(tempfile.mkdtemp())
    with (folder / "candidates.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["A", "B", "C", "phase"])
        writer.writerows([*part, f"P{k}" if k >= 0 else ""] for part, k in zip(parts, labels, strict=True))

    def ask(estimation: str) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            nimo.selection(
                method="PDC", input_file=str(folder / "candidates.csv"),
                output_file=str(folder / "proposals.csv"), num_objectives=1, num_proposals=1,
                pdc_estimation=estimation, pdc_sampling="LC",
            )  # fmt: skip

    for kind, name in zip(KINDS, ("LP", "LS"), strict=True):
        seconds = timed(lambda name=name: ask(name), least=1, most=3)[0]
        yield row(f"label, {kind}", size, "NIMO, files included", sets.release("nimo"), seconds)


def aiphad_legs(size: str, seed: int) -> Iterator[dict]:
    """As its example for arrays."""
    from importlib.metadata import version

    import aiphad

    parts, _ = grid(size)
    _, labels = known(size, seed)

    def ask(estimation: str) -> None:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sampler = aiphad.pdc_sampler(
                page_type="ternary_section",
                estimation=estimation,
                sampling="LC",
                proposal=1,
                multi_method="OU",
            )
            sampler.fit(100.0 * parts, labels)
            sampler.us()

    for kind, name in zip(KINDS, ("LP", "LS"), strict=True):
        seconds = timed(lambda name=name: ask(name), least=1, most=3)[0]
        yield row(f"label, {kind}", size, "AIPHAD", version("aiphad"), seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", choices=("sozai", "nimo", "aiphad"), default="sozai")
    parser.add_argument("--size", choices=tuple(STEPS), default="1326")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    legs = {"sozai": our_legs, "nimo": nimo_legs, "aiphad": aiphad_legs}[options.peer]
    for found in legs(options.size, options.seed):
        print(json.dumps(found, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
