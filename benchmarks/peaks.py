"""One leg of the blind-fit task: pseudo-Voigt peaks on a flat background, nobody says where.

    python benchmarks/peaks.py --peer sozai --size 3-400

Runs in the environment of the peer it names, so it imports nothing else at the top. A size is the number of
peaks and of channels. Spectra: FWHM 5 to 10 on a window from 0 to 100, centers more than one mean FWHM
apart, areas within a factor of three, Lorentz shares from 0 to 1, 100,000 counts, a fifth of them in the
background; the same for every leg. ``error`` is the share of spectra in which a center lies more than
0.15 FWHM or an area more than 15 % from the truth; ``seconds`` the median processor time of a spectrum
after one unmeasured fit, one thread. **The name of a leg states its number of starts.**

A leg goes on to the next spectrum until it has done 60, or its time is up (``--budget`` seconds, two spectra
at least); ``n_spectra`` says how many. Our leg also says in how many spectra it came to the optimum of
the likelihood (``at_optimum``: the best of 60 other starts and one at the truth), and its ``success`` is
97 % of them. A start of a peer is drawn as ours: a position from each K-th of the signal, FWHM between
three channels and the window over 2 K, half of it Lorentzian; EMPeaks draws its own, and its areas are those
inside the window, which is what they are held against. Least squares is weighted by the counts and
bounded, with the tolerances of scipy and of lmfit as they come.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 (after the thread counts, which it reads once)
from legs import peak_mb  # noqa: E402
from scipy.special import ndtr  # noqa: E402

WINDOW, TOTAL, BACKGROUND = 100.0, 1e5, 0.2
N_SPECTRA, MANY = 60, 20
SIZES = ("3-400", "5-400", "3-100", "3-2000")
OURS = "sozai"
SIGMAS = np.sqrt(8 * np.log(2))


def contents(edges: np.ndarray, peaks: np.ndarray) -> np.ndarray:
    """Expected counts of channels: rows of position, FWHM, area, Lorentz share."""
    position, fwhm, area, share = (column[..., None] for column in np.moveaxis(peaks, -1, 0))
    z = (edges - position) / fwhm
    whole = (1 - share) * ndtr(SIGMAS * z) + share * (0.5 + np.arctan(2 * z) / np.pi)
    return (area * np.diff(whole, axis=-1)).sum(axis=-2)


def made(n_peaks: int, n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Axis, counts and true peaks of one spectrum."""
    rng = np.random.default_rng([n_peaks, n, seed])
    fwhm = rng.uniform(5, 10, n_peaks)
    while True:
        position = np.sort(rng.uniform(10, WINDOW - 10, n_peaks))
        if np.diff(position).min() > fwhm.mean():
            break
    area = rng.uniform(0.5, 1.5, n_peaks)
    area *= TOTAL * (1 - BACKGROUND) / area.sum()
    peaks = np.column_stack([position, fwhm, area, rng.uniform(0, 1, n_peaks)])
    edges = np.linspace(0, WINDOW, n + 1)
    counts = rng.poisson(contents(edges, peaks) + BACKGROUND * TOTAL / n).astype(np.float64)
    return 0.5 * (edges[1:] + edges[:-1]), counts, peaks


def found_all(truth: np.ndarray, position: np.ndarray, area: np.ndarray, inside: bool = False) -> bool:
    """Whether every peak is where and as large as it was made; ``inside``: areas count in the window only."""
    whole = contents(np.array([0.0, WINDOW]), truth[:, None])[:, 0] if inside else truth[:, 2]
    order = np.argsort(position)
    near = np.abs(np.asarray(position)[order] - truth[:, 0]) < 0.15 * truth[:, 1]
    return bool(np.all(near & (np.abs(np.asarray(area)[order] / whole - 1) < 0.15)))


# --- a start, and least squares from it -----------------------------------------------------------------


def drawn_start(axis: np.ndarray, counts: np.ndarray, n_peaks: int, rng: np.random.Generator) -> np.ndarray:
    """Position, FWHM, area and share of each peak, then the counts of a background channel."""
    level = float(np.quantile(counts, 0.05))
    share = np.cumsum(np.maximum(counts - level, 0.0))
    at = (np.arange(n_peaks) + rng.random(n_peaks)) / n_peaks * share[-1]
    step = axis[1] - axis[0]
    fwhm = np.exp(rng.uniform(np.log(3 * step), np.log(WINDOW / (2 * n_peaks)), n_peaks))
    rows = [np.interp(at, share, axis), fwhm, np.full(n_peaks, share[-1] / n_peaks), np.full(n_peaks, 0.5)]
    return np.append(np.column_stack(rows).ravel(), level)


def density_and_slopes(axis: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expected counts at the centers of the channels, and their derivatives, shape (n, p)."""
    step = axis[1] - axis[0]
    position, fwhm, area, share = theta[:-1].reshape(-1, 4).T[:, :, None]
    z = (axis - position) / fwhm
    gauss = SIGMAS / np.sqrt(2 * np.pi) * np.exp(-0.5 * (SIGMAS * z) ** 2) / fwhm * step
    lorentz = 2 / np.pi / (1 + 4 * z * z) / fwhm * step
    slope_gauss, slope_lorentz = -(SIGMAS**2) * z * gauss, -8 * z / (1 + 4 * z * z) * lorentz
    both = (1 - share) * gauss + share * lorentz
    slope = area * ((1 - share) * slope_gauss + share * slope_lorentz)
    by = [-slope / fwhm, -(slope * z + area * both) / fwhm, both, area * (lorentz - gauss)]
    slopes = np.stack(by, axis=1).reshape(-1, len(axis))
    return (area * both).sum(axis=0) + theta[-1], np.vstack([slopes, np.ones(len(axis))]).T


def least_squares_fit(axis: np.ndarray, counts: np.ndarray, start: np.ndarray, analytic: bool):
    """Bounded and weighted, by scipy."""
    from scipy.optimize import least_squares

    sigma = np.sqrt(np.maximum(counts, 1.0))
    step, n_peaks = axis[1] - axis[0], len(start) // 4
    low = np.append(np.tile([axis[0], 1.5 * step, 0.0, 0.0], n_peaks), 0.0)
    high = np.append(np.tile([axis[-1], 2 * WINDOW, np.inf, 1.0], n_peaks), np.inf)

    def residual(theta: np.ndarray) -> np.ndarray:
        return (density_and_slopes(axis, theta)[0] - counts) / sigma

    def jacobian(theta: np.ndarray) -> np.ndarray:
        return density_and_slopes(axis, theta)[1] / sigma[:, None]

    inside = np.clip(start, low + 1e-9, np.where(np.isfinite(high), high - 1e-9, high))
    slopes = jacobian if analytic else "2-point"
    return least_squares(residual, inside, jac=slopes, bounds=(low, high), x_scale="jac")


def scipy_leg(n_starts: int, analytic: bool) -> Callable:
    def fit(axis, counts, n_peaks, seed):
        rng = np.random.default_rng([7, seed])
        starts = [drawn_start(axis, counts, n_peaks, rng) for _ in range(n_starts)]
        fits = [least_squares_fit(axis, counts, start, analytic) for start in starts]
        best = min(fits, key=lambda fit: fit.cost).x[:-1].reshape(-1, 4)
        return best[:, 0], best[:, 2]

    return fit


def lmfit_fit(axis: np.ndarray, counts: np.ndarray, start: np.ndarray):
    """The same model in lmfit's own words."""
    from lmfit.models import ConstantModel, PseudoVoigtModel

    step, n_peaks = axis[1] - axis[0], len(start) // 4
    model = ConstantModel()
    for k in range(n_peaks):
        model = model + PseudoVoigtModel(prefix=f"p{k}_")
    parameters = model.make_params(c=start[-1])
    parameters["c"].set(min=0)
    for k, (position, fwhm, area, share) in enumerate(start[:-1].reshape(-1, 4)):
        parameters[f"p{k}_center"].set(position, min=axis[0], max=axis[-1])
        parameters[f"p{k}_sigma"].set(fwhm / 2, min=0.75 * step, max=WINDOW)
        parameters[f"p{k}_amplitude"].set(area * step, min=0)
        parameters[f"p{k}_fraction"].set(share, min=0, max=1)
    return model.fit(counts, parameters, x=axis, weights=1 / np.sqrt(np.maximum(counts, 1.0)))


def lmfit_leg(axis, counts, n_peaks, seed):
    start = drawn_start(axis, counts, n_peaks, np.random.default_rng([7, seed]))
    best = lmfit_fit(axis, counts, start).best_values
    step = axis[1] - axis[0]
    names = [f"p{k}_" for k in range(n_peaks)]
    return (
        np.array([best[name + "center"] for name in names]),
        np.array([best[name + "amplitude"] for name in names]) / step,
    )


def empeaks_leg(trials: int) -> Callable:
    """One start of its own, or its ``sampling`` with so many."""

    def fit(axis, counts, n_peaks, seed):
        from EMPeaks.PseudoVoigtMixture import PseudoVoigtMixtureModel

        np.random.seed(seed)  # noqa: NPY002 (it draws from the global state)
        model = PseudoVoigtMixtureModel(
            K=n_peaks, x_min=0.0, x_max=WINDOW, gamma_min=0.75, gamma_max=50.0, background="uniform"
        )
        with contextlib.redirect_stdout(io.StringIO()):
            if trials == 1:
                model.init_param_uniform()
                model.fit(axis, counts, stdout=False)
            else:
                model.sampling(axis, counts, trial=trials)
        position = np.array([model.model[k].x0 for k in range(n_peaks)])
        return position, np.asarray(model.pi)[:n_peaks] * model.N_tot / (axis[1] - axis[0])

    return fit


# --- our leg --------------------------------------------------------------------------------------------


def our_leg(n_starts: int) -> Callable:
    from sozai.spectra.peaks.mixture import fit_peaks

    def fit(axis, counts, n_peaks, seed):
        found = fit_peaks((axis, counts), n_peaks, n_init=n_starts, random_state=seed)
        return (
            np.array([peak.position for peak in found.peaks]),
            np.array([peak.area for peak in found.peaks]),
            found.deviance,
        )

    return fit


def best_known(axis, counts, truth, seed) -> tuple[float, bool]:
    """Deviance of the optimum, and whether even a start at the truth ends within the tolerances."""
    from sozai.spectra.peaks.mixture import fit_peaks

    given = fit_peaks((axis, counts), len(truth), start=[tuple(row) for row in truth])
    blind = fit_peaks((axis, counts), len(truth), n_init=60, random_state=10_000 + seed)
    position, area = zip(*((peak.position, peak.area) for peak in given.peaks), strict=True)
    return min(given.deviance, blind.deviance), found_all(truth, np.array(position), np.array(area))


LEGS = {
    "sozai": (
        ("sozai", MANY, lambda: our_leg(MANY)),
        ("sozai, 10 starts", 10, lambda: our_leg(10)),
    ),
    "empeaks": (
        ("EMPeaks, its own start, 1", 1, lambda: empeaks_leg(1)),
        ("EMPeaks, sampling, 10 starts", 10, lambda: empeaks_leg(10)),
    ),
    "lmfit": (
        ("lmfit, 1 start", 1, lambda: lmfit_leg),
        ("scipy, analytic slopes, 1 start", 1, lambda: scipy_leg(1, True)),
        (f"scipy, analytic slopes, {MANY} starts", MANY, lambda: scipy_leg(MANY, True)),
        ("scipy, 2-point slopes, 1 start", 1, lambda: scipy_leg(1, False)),
        (f"scipy, 2-point slopes, {MANY} starts", MANY, lambda: scipy_leg(MANY, False)),
    ),
}


def measured(fit: Callable, n_peaks: int, n: int, budget: float, peer: str) -> dict:
    """Times and successes, spectrum after spectrum until the time is up."""
    axis, counts, _ = made(n_peaks, n, 999)
    fit(axis, counts, n_peaks, 999)
    seconds, right, optimum, possible = [], [], [], []
    for seed in range(N_SPECTRA):
        axis, counts, truth = made(n_peaks, n, seed)
        start = time.process_time()
        position, area, *deviance = fit(axis, counts, n_peaks, seed)
        seconds.append(time.process_time() - start)
        right.append(found_all(truth, position, area, inside=peer == "empeaks"))
        if peer == OURS:
            least, reachable = best_known(axis, counts, truth, seed)
            optimum.append(deviance[0] <= least + 0.01)
            possible.append(reachable)
        if sum(seconds) > budget and seed >= 1:
            break
    row = {
        "seconds": float(np.median(seconds)),
        "mean_seconds": float(np.mean(seconds)),
        "error": 1 - float(np.mean(right)),
        "n_spectra": len(seconds),
    }
    if peer == OURS:
        row |= {"at_optimum": float(np.mean(optimum)), "possible": float(np.mean(possible))}
    return row


def leg(peer: str, size: str, seed: int, budget: float) -> list[dict]:
    n_peaks, n = map(int, size.split("-"))
    rows = []
    for name, n_starts, make in LEGS[peer]:
        found = measured(make(), n_peaks, n, budget, peer)
        package = "scipy" if name.startswith("scipy") else {"empeaks": "EMPeaks"}.get(peer, peer)
        rows.append(
            {
                "task": f"blind fit of {n_peaks} peaks",
                "size": f"{n} channels",
                "peer": name,
                "version": version(package),
                "repeat": seed,
                "n_starts": n_starts,
                "peak_mb": None if rows else peak_mb(),
                "success": found.get("at_optimum", 1.0) >= 0.97,
                **found,
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", choices=tuple(LEGS), default="sozai")
    parser.add_argument("--size", choices=SIZES, default="3-400")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--budget", type=float, default=15.0, help="processor seconds of a leg, at most")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for row in leg(options.peer, options.size, options.seed, options.budget):
        print(json.dumps(row, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
