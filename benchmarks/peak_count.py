"""How often the number of peaks is found: two overlapping peaks by distance and counts, and none at all.

Run ``python benchmarks/peak_count.py [--spectra 16] [--design scattered|equal] [--criterion bic]``; one JSON
row a cell with task, size, peer, version, seconds (least processor time of a run), peak_mb, error
(share with a wrong number), success.

Two pseudo-Voigt peaks of equal area on 0 to 100 in 400 channels, 20 % of the counts in a flat background.
``scattered``: FWHM drawn from 7 to 9 and Lorentz shares from 0.1 to 0.5 for each peak; ``equal``: 8 and 0.3
for both. Distances are in mean FWHM. ``wanted`` is the share of K = 2 out of 1 to 4 that has been reached
before with ``scattered``; a cell is a success when it is at most 0.05, or 1.64 standard errors of so few
spectra, below. Figures to be quoted want ``--spectra 100``, some five minutes.

Two exactly equal lines are told apart less often than that: the median fall of the deviance from one to two
peaks, at the best optimum of 200 more starts and of a start at the truth, is 13.9 at 1e4 counts and 0.6
FWHM and 12.1 at 1e5 and 0.4, while four more parameters cost 4 ln 400 = 24.
"""

import argparse
import json
import resource
import time
import warnings
from importlib.metadata import version

import numpy as np

from sozai.datasets import make_spectrum
from sozai.spectra.peaks.count import select_n_components

SEPARATIONS = (0.4, 0.6, 0.8, 1.0)
WANTED = {
    1e4: (0.00, 0.21, 0.96, 1.00),
    1e5: (0.46, 0.92, 0.96, 1.00),
    1e6: (0.83, 0.92, 1.00, 1.00),
}


def spectrum(design, separation, total, seed):
    """Axis and counts of one spectrum."""
    rng = np.random.default_rng([int(total), round(10 * separation), seed])
    fwhm, share = np.full(2, 8.0), np.full(2, 0.3)
    if design == "scattered":
        fwhm, share = rng.uniform(7, 9, 2), rng.uniform(0.1, 0.5, 2)
    first = 45 + rng.uniform(-3, 3)
    rows = [
        [first, fwhm[0], 0.4 * total, share[0]],
        [first + separation * fwhm.mean(), fwhm[1], 0.4 * total, share[1]],
    ]
    frame = make_spectrum(rows, background=0.2 * total / 400, rng=seed).frame
    return frame["axis"].to_numpy(), frame["counts"].to_numpy()


def flat(seed):
    """Background alone, 1e4 counts."""
    counts = np.random.default_rng([9, seed]).poisson(1e4 / 400, 400)
    return np.linspace(0.125, 99.875, 400), counts


def cell(task, size, spectra, numbers, truth, wanted, criterion):
    """Print the row of one cell."""
    seconds, chosen = np.inf, []
    for axis, counts in spectra:
        start = time.process_time()
        count = select_n_components(axis, counts, numbers, criterion)
        seconds = min(seconds, time.process_time() - start)
        chosen.append(count.n_components)
    share = float(np.mean(np.array(chosen) == truth))
    slack = max(0.05, 1.64 * np.sqrt(max(wanted * (1 - wanted), 0.01) / len(chosen)))
    record = {
        "task": task,
        "size": size,
        "peer": "sozai",
        "version": version("sozai"),
        "seconds": round(seconds, 4),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "error": round(1 - share, 3),
        "success": bool(share >= wanted - slack),
        "share": round(share, 3),
        "wanted": wanted,
        "fewer": round(float(np.mean(np.array(chosen) < truth)), 3),
        "more": round(float(np.mean(np.array(chosen) > truth)), 3),
        "spectra": len(chosen),
    }
    print(json.dumps(record), flush=True)


def main():
    """All cells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spectra", type=int, default=16)
    parser.add_argument("--design", choices=["scattered", "equal"], default="scattered")
    parser.add_argument("--criterion", default="bic")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    rule = given.criterion
    name = f"{rule}, {given.design}"
    some = [flat(seed) for seed in range(given.spectra)]
    cell(f"no peak, {rule}", "0..4 peaks, 1e4 counts", some, range(5), 0, 1.0, rule)
    for total, wanted in WANTED.items():
        for separation, share in zip(SEPARATIONS, wanted, strict=True):
            some = (spectrum(given.design, separation, total, seed) for seed in range(given.spectra))
            size = f"{separation} FWHM, {total:.0e} counts"
            cell(f"two peaks, {name}", size, some, range(1, 5), 2, share, rule)


if __name__ == "__main__":
    main()
