"""Maps of spectra: pixel fits from good starts beside other programs; a file to a report; memory.

    python benchmarks/spectrum_maps.py --peer sozai --size 3-400     warm fits, one leg
    python benchmarks/spectrum_maps.py                               our pipeline, a process for each part
    python benchmarks/spectrum_maps.py --full                        the same, memory at a million pixels

*Warm fits*: three pseudo-Voigt peaks in 400 channels, 20,000 counts, a fifth of them in the background. Every
pixel starts 0.2 FWHM off (either way) with areas wrong by up to 30 %, widths by up to 15 % and equal shares.
``seconds`` is the processor time of a spectrum, one thread, after one unmeasured fit; ``error`` the share of
pixels in which a center lies more than 0.15 FWHM from the truth. The same starts and counts for all legs;
slow ones do fewer pixels (``n_spectra``).

*From file to report*: a map of 100 x 100 such pixels with drifting peaks, written to a file beforehand, then
``sozai explain map FILE --peaks 3 --output FOLDER`` as a process of its own, blind, imports and report
included. ``seconds`` is the time on the wall with all threads, ``processor_seconds`` that of its threads
together. *Blind map*: the fit alone, one thread, ``times_warm`` its processor time over that of warm fits
of the same pixels.

*Memory*: a map on disk (400 channels, 16 bits), mapped into memory. ``own_mb`` is the largest resident size
without mapped files, ``added_mb`` the part that came with the fit; ``bytes_per_pixel`` the slope between
two sizes and ``million_mb`` what a million pixels would take with it; with ``--full`` they are fitted.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 (after the thread counts, which it reads once)
from legs import peak_mb  # noqa: E402
from peaks import WINDOW, contents, least_squares_fit, lmfit_fit, version  # noqa: E402

N, TOTAL, BACKGROUND = 400, 2e4, 0.2
SIDE = 100
WARM_PIXELS = {"sozai": 4000, "scipy": 60, "lmfit": 15}
MOST_MB = 4096.0
EDGES = np.linspace(0.0, WINDOW, N + 1)
AXIS = 0.5 * (EDGES[1:] + EDGES[:-1])


def true_peaks(n_pixels: int, first: int = 0, side: int = SIDE) -> np.ndarray:
    """Three peaks of pixels that lie row by row, (n_pixels, 3, 4): smooth drifts, areas that trade places."""
    place = np.arange(first, first + n_pixels)
    across, down = place % side / side, place // side / side
    position = np.stack([29 + 2 * across, 47 + across - down, 66 + 2 * down], axis=-1)
    fwhm = np.stack([6 + down, 7 + 0 * down, 8 - across], axis=-1)
    share = np.stack([0.6 - 0.3 * across, 0.35 + 0 * down, 0.3 + 0.3 * across], axis=-1)
    area = TOTAL * (1 - BACKGROUND) * share / share.sum(axis=-1, keepdims=True)
    mixed = np.stack([0.2 + 0 * down, 0.3 + 0 * down, 0.4 + 0.2 * down], axis=-1)
    return np.stack([position, fwhm, area, mixed], axis=-1)


def drawn_counts(peaks: np.ndarray, seed: int) -> np.ndarray:
    expected = contents(EDGES, peaks) + BACKGROUND * TOTAL / N
    return np.random.default_rng([11, seed]).poisson(expected).astype(np.uint16)


def warm_starts(peaks: np.ndarray, seed: int) -> np.ndarray:
    """Position, FWHM, area, share of each peak and the background of a channel, (n_pixels, 13)."""
    rng = np.random.default_rng([12, seed])
    start = peaks.copy()
    start[..., 0] += 0.2 * peaks[..., 1] * rng.choice([-1.0, 1.0], peaks.shape[:2])
    start[..., 1] *= rng.uniform(0.85, 1.15, peaks.shape[:2])
    start[..., 2] *= rng.uniform(0.7, 1.3, peaks.shape[:2])
    start[..., 3] = 0.5
    level = np.full((len(peaks), 1), BACKGROUND * TOTAL / N)
    return np.concatenate([start.reshape(len(peaks), -1), level], axis=1)


# --- warm fits ------------------------------------------------------------------------------------------


def engine(starts: np.ndarray):
    """Our model, and the starts in its parameters."""
    from sozai.spectra.peaks import Constant, Grid, PseudoVoigt, compile_model

    model = compile_model([PseudoVoigt()] * 3, Constant(), Grid.of(AXIS, narrowest_fwhm=6.0))
    rows = starts.copy()
    blocks = rows[:, :-1].reshape(len(rows), 3, 4)
    area, share = blocks[..., 2].copy(), blocks[..., 3].copy()
    blocks[..., 2], blocks[..., 3] = area * (1 - share), area * share
    return model, rows


def our_pixels(counts: np.ndarray, starts: np.ndarray) -> np.ndarray:
    from sozai.spectra.peaks import fit_spectra

    model, rows = engine(starts)
    return fit_spectra(model, counts, rows).theta[:, :-1].reshape(len(rows), 3, 4)[..., 0]


def scipy_pixels(counts: np.ndarray, starts: np.ndarray) -> np.ndarray:
    fits = [least_squares_fit(AXIS, y, x, True).x for y, x in zip(counts.astype(float), starts, strict=True)]
    return np.array([theta[:-1].reshape(3, 4)[:, 0] for theta in fits])


def lmfit_pixels(counts: np.ndarray, starts: np.ndarray) -> np.ndarray:
    fits = [lmfit_fit(AXIS, y, x).best_values for y, x in zip(counts.astype(float), starts, strict=True)]
    return np.array([[best[f"p{k}_center"] for k in range(3)] for best in fits])


LEGS = {
    "sozai": (("sozai", our_pixels),),
    "lmfit": (("lmfit", lmfit_pixels), ("scipy, analytic slopes", scipy_pixels)),
}


def warm(peer: str, seed: int) -> list[dict]:
    rows = []
    for name, work in LEGS[peer]:
        package = name.partition(",")[0]
        n_pixels = WARM_PIXELS[package]
        peaks = true_peaks(SIDE * SIDE)[:: SIDE * SIDE // n_pixels][:n_pixels]
        counts, starts = drawn_counts(peaks, seed), warm_starts(peaks, seed)
        work(counts[:1], starts[:1])
        start = time.process_time()
        position = work(counts, starts)
        seconds = (time.process_time() - start) / n_pixels
        near = np.abs(np.sort(position, axis=1) - peaks[..., 0]) < 0.15 * peaks[..., 1]
        rows.append(
            {
                "task": "warm fits of a map, three peaks",
                "size": f"{N} channels",
                "peer": name,
                "version": version(package),
                "repeat": seed,
                "seconds": seconds,
                "n_spectra": n_pixels,
                "peak_mb": None if rows else peak_mb(),
                "error": 1 - float(near.all(axis=1).mean()),
                "success": True,
            }
        )
    return rows


# --- our pipeline ---------------------------------------------------------------------------------------


def ours(task: str, size: str, seconds: float, **more: object) -> dict:
    stem = {"task": task, "size": size, "peer": "sozai", "version": version("sozai"), "seconds": seconds}
    return stem | {"peak_mb": peak_mb(), "error": None, "success": True} | more


def file_to_report() -> dict:
    from sozai.spectra import SpectrumMap, write_map

    peaks = true_peaks(SIDE * SIDE)
    cube = SpectrumMap(AXIS, drawn_counts(peaks, 0).reshape(SIDE, SIDE, N))
    with tempfile.TemporaryDirectory() as folder:
        path, output = Path(folder) / "map.npz", Path(folder) / "out"
        write_map(path, cube)
        command = [sys.executable, "-m", "sozai", "explain", "map", str(path), "--peaks", "3"]
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [*command, "--n-jobs", "-1", "--output", str(output)], capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        good = done.returncode == 0 and (output / "report.html").exists()
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    row = ours("from file to report", f"{SIDE} x {SIDE} pixels, {N} channels", seconds)
    row |= {"processor_seconds": used, "peak_mb": after.ru_maxrss * 1024 / 1e6, "success": good}
    return row if good else row | {"message": (done.stderr.strip().splitlines() or ["no message"])[-1][:300]}


def blind_map() -> dict:
    from sozai.spectra import SpectrumMap
    from sozai.spectra.peaks.map import SpectrumMapPeaks
    from sozai.spectra.peaks.mixture import PeakMixture

    peaks = true_peaks(SIDE * SIDE)
    counts, starts = drawn_counts(peaks, 0), warm_starts(peaks, 0)
    our_pixels(counts[:8], starts[:8])
    fitter = SpectrumMapPeaks(PeakMixture(3), random_state=0)
    fitter.fit_map(SpectrumMap(AXIS, counts.reshape(SIDE, SIDE, N)[:16, :16]))
    start = time.process_time()
    our_pixels(counts, starts)
    warm_seconds = time.process_time() - start
    start = time.process_time()
    found = fitter.fit_map(SpectrumMap(AXIS, counts.reshape(SIDE, SIDE, N)))
    seconds = time.process_time() - start
    position = found.values[..., found.parameters.index("position")]
    near = np.abs(np.sort(position, axis=1) - peaks[..., 0]) < 0.15 * peaks[..., 1]
    return ours(
        "blind map, one thread",
        f"{SIDE} x {SIDE} pixels, {N} channels",
        seconds,
        error=1 - float(near.all(axis=1).mean()),
        times_warm=seconds / warm_seconds,
        warm_seconds=warm_seconds,
        spectra_per_second=len(peaks) / seconds,
    )


def memory(side: int) -> dict:
    from composition_scale import OwnMemory

    from sozai.spectra import read_map
    from sozai.spectra.peaks.map import SpectrumMapPeaks
    from sozai.spectra.peaks.mixture import PeakMixture

    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        path = Path(folder) / "cube.npy"
        cube = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint16, shape=(side, side, N))
        for row in range(side):
            cube[row] = drawn_counts(true_peaks(side, first=row * side, side=side), row)
        del cube
        fitter = SpectrumMapPeaks(PeakMixture(3), random_state=0, n_jobs=1)
        spectra = read_map(path, axis=AXIS)
        with OwnMemory() as watch:
            start = time.process_time()
            found = fitter.fit_map(spectra)
            seconds = time.process_time() - start
    added = watch.largest - watch.first
    return ours(
        "map on disk",
        f"{side * side:,} pixels, {N} channels",
        seconds,
        own_mb=watch.largest,
        added_mb=added,
        pixels=side * side,
        share_ok=float(np.mean(found.status == 0)),
        success=watch.largest < MOST_MB,
    )


PARTS = {"report": file_to_report, "blind": blind_map}


def part_rows(part: str, *more: str) -> list[dict]:
    """Rows of one part, each part in a process of its own."""
    command = [sys.executable, __file__, "--part", part, *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def pipeline(full: bool) -> None:
    for part in PARTS:
        for row in part_rows(part):
            print(json.dumps(row, ensure_ascii=False), flush=True)
    small, large = (part_rows("memory", "--side", str(side))[0] for side in (64, 1000 if full else 128))
    slope = (large["own_mb"] - small["own_mb"]) / (large["pixels"] - small["pixels"])
    more = {"bytes_per_pixel": 1e6 * slope, "million_mb": large["own_mb"] + slope * (1e6 - large["pixels"])}
    for row in (small, large | more):
        print(json.dumps(row, ensure_ascii=False), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", choices=tuple(LEGS), help="one leg of the warm fits")
    parser.add_argument("--size", default="3-400", choices=("3-400",))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--part", choices=(*PARTS, "memory"), help="one part of the pipeline, in this process"
    )
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--full", action="store_true", help="memory at a million pixels")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.peer:
        rows = warm(options.peer, options.seed)
    elif options.part:
        rows = [memory(options.side) if options.part == "memory" else PARTS[options.part]()]
    else:
        return pipeline(options.full)
    for row in rows:
        print(json.dumps(row, ensure_ascii=False), flush=True)
    return None


if __name__ == "__main__":
    main()
