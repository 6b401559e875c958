"""Run every benchmark leg that has no row yet, ours and the peer's in turn, each in its own environment.

    uv run python benchmarks/run.py                  every script, three repeats
    uv run python benchmarks/run.py --only octet --repeats 5

A record is one JSON file in ``benchmarks/results`` and holds the rows of one repeat; a record that exists
is not measured again (unless our own leg failed in it), so a study that was interrupted goes on where it
stopped. ``table.py`` turns the records into ``benchmarks/README.md``.

Each row is ``{task, size, peer, version, seconds, peak_mb, error, success}``; ``peer`` is ``sozai`` for
our own leg, ``error`` is the accuracy that the task defines (or null), and a leg that fails has ``success:
false`` and a ``message``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = HERE / ".environments"
RESULTS = HERE / "results"
OURS = "sozai"


@dataclass(frozen=True)
class Pair:
    """One comparison: our leg and a peer's leg of the same script on the same size, run in turn.

    The first leg may leave its answer in the folder ``SOZAI_BENCHMARK_ANSWERS`` for the second to look at.
    """

    script: str
    task: str
    size: str
    peer: str

    @property
    def name(self) -> str:
        return f"{self.task}-{self.size}-{self.peer}"

    def run(self, repeat: int, timeout: float) -> list[dict]:
        """Our leg first in even repeats, the peer's first in odd ones: a drift of the machine cancels."""
        order = (OURS, self.peer) if repeat % 2 == 0 else (self.peer, OURS)
        rows = []
        with tempfile.TemporaryDirectory() as answers:
            for peer in order:
                arguments = [str(HERE / self.script), "--peer", peer, "--size", self.size]
                command = [str(interpreter(peer)), *arguments, "--seed", str(repeat)]
                stem = {"task": self.task, "size": self.size, "peer": peer}
                rows += run_leg(command, stem, timeout, answers)
        return rows


@dataclass(frozen=True)
class Script:
    """A plain script that runs all its legs itself and prints one JSON row a leg.

    One that repeats with seeds of its own runs ``once``; ``patience`` multiplies the time it may take.
    """

    script: str
    once: bool = False
    patience: float = 1.0

    @property
    def name(self) -> str:
        return Path(self.script).stem

    def run(self, repeat: int, timeout: float) -> list[dict]:
        stem = {"task": self.name, "size": "", "peer": OURS}
        return run_leg([sys.executable, str(HERE / self.script)], stem, self.patience * timeout)


def plan() -> Iterator[Pair | Script]:
    """Everything there is to measure, quick things first."""
    for script in ("generation.py", "relations.py", "selection.py", "recovery.py", "screening.py"):
        if (HERE / script).exists():
            yield Script(script)
    for size in ("radii-6", "raw-10"):
        for peer in ("gplearn", "autofeat"):
            yield Pair("octet_peers.py", "octet", size, peer)
    for size in ("rung-2-radii-6", "rung-2-raw-10"):
        for peer in ("torchsisso", "gplearn"):
            yield Pair("large_search_peers.py", "large-search", size, peer)
    for size in ("stable-35463", "brackets-7520", "hydrates-8640", "hydrates-dot-8640"):
        yield Pair("composition_peers.py", "formulas-to-fractions", size, "pymatgen")
    for size in ("means-float64", "means-float32", "statistics-290"):
        yield Pair("composition_peers.py", "fractions-to-columns", size, "pymatgen")
    for size in ("580-float64", "580-float32"):
        for peer in ("pymatgen", "matminer"):
            yield Pair("composition_peers.py", "formulas-to-columns", size, peer)
    for size in ("noise-free-35463", "noise-0.01-35463"):
        yield Pair("inverse.py", "inverse", size, "quadprog")
    yield Script("composition_scale.py")
    for size in ("3-400", "5-400", "3-100", "3-2000"):
        for peer in ("empeaks", "lmfit"):
            yield Pair("peaks.py", "blind-peaks", size, peer)
    yield Pair("spectrum_maps.py", "warm-map", "3-400", "lmfit")
    yield Script("peak_count.py", once=True)
    yield Script("spectrum_maps.py", once=True)
    yield Script("decoding.py", once=True)
    for peer in ("physbo", "botorch", "nimo", "skopt"):
        yield Pair("proposals.py", "proposals", "s5-17982", peer)
    yield Script("proposals.py")
    for size in ("1326", "5151"):
        for peer in ("nimo", "aiphad"):
            yield Pair("phases.py", "phases", size, peer)
    for script in ("assimilation.py", "assimilation_time.py", "two_source_loops.py"):
        yield Script(script, once=script != "assimilation_time.py")
    for script in ("proposal_efficiency.py", "proposal_fronts.py", "phase_sampling.py"):
        yield Script(script, once=True, patience=8.0)
    for script in ("large_recovery.py", "intervals.py"):
        yield Script(script, once=True, patience=3.0)
    for script in ("quasicrystal_classes.py", "formation_energy.py"):
        yield Script(script, once=True, patience=8.0)


def interpreter(peer: str) -> Path:
    """The Python of a peer's environment, made from ``peers/<name>.txt`` when missing or out of date."""
    if peer == OURS:
        return Path(sys.executable)
    wanted = HERE / "peers" / f"{peer}.txt"
    place = ENVIRONMENTS / peer
    made_from = place / "made-from.txt"
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if made_from.exists() and made_from.read_text() == wanted.read_text():
        return python
    uv = shutil.which("uv")
    if uv is None:
        raise SystemExit(
            "run.py: uv must be installed to make the peers' environments. Run 'pip install uv'."
        )
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(place)], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", str(python), "-r", str(wanted)], check=True)
    made_from.write_text(wanted.read_text())
    return python


def run_leg(command: list[str], stem: dict, timeout: float, answers: str = "") -> list[dict]:
    """Rows that one process prints; a crash, a kill or a timeout becomes a row that says so."""
    environment = os.environ | {"SOZAI_BENCHMARK_ANSWERS": answers}
    failed = stem | {"version": None, "seconds": None, "peak_mb": None, "error": None, "success": False}
    start = time.perf_counter()
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        return [failed | {"seconds": timeout, "message": f"stopped after {timeout:g} s"}]
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not rows:
        lines = done.stderr.strip().splitlines() or ["no message"]
        seconds = time.perf_counter() - start
        rows.append(failed | {"seconds": seconds, "message": f"exit {done.returncode}: {lines[-1][:300]}"})
    return rows


def measure(job: Pair | Script, repeat: int, timeout: float) -> Path:
    """Write the record of one repeat; the file appears only when all of its legs have ended."""
    path = RESULTS / f"{job.name}-{repeat}.json"
    if path.exists() and all(row["success"] for row in rows_of(path) if row["peer"].startswith(OURS)):
        return path
    record = {
        "script": job.script.removesuffix(".py"),
        "repeat": repeat,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "rows": job.run(repeat, timeout),
    }
    RESULTS.mkdir(exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, path)
    return path


def rows_of(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["rows"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="measure only what has this text in its name")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=1800.0, help="seconds that one leg may take")
    options = parser.parse_args()
    jobs = [job for job in plan() if options.only in job.name]
    for repeat in range(options.repeats):
        for job in jobs:
            if repeat > 0 and isinstance(job, Script) and job.once:
                continue
            rows = rows_of(measure(job, repeat, options.timeout))
            good = sum(bool(row["success"]) for row in rows)
            print(f"{job.name} repeat {repeat}: {good} of {len(rows)} legs succeeded", flush=True)


if __name__ == "__main__":
    main()
