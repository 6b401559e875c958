"""Turn the records of ``run.py`` into ``benchmarks/README.md``: ratios, never absolute times.

    uv run python benchmarks/table.py

A ratio is taken inside one record, where our leg and the peer's ran in turn on the same machine; the table
shows the median over the records and, in brackets, the smallest and the largest.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
OURS = "sozai"

HEAD = """\
# Benchmarks

One plain script a subject; every peer that is a package lives in an environment of its own
(`peers/*.txt`). `run.py` runs our leg and the peer's in turn, `table.py` writes this page. Ratios are peer
÷ ours, so **more than 1 means that ours is faster or smaller**; they are medians over the repeats,
smallest and largest in brackets. Absolute times are not quoted: they belong to one machine on one day.

```
export SOZAI_DATA=FOLDER        # symbolic/octet82.csv, composition/*.csv
uv run python benchmarks/run.py
uv run python benchmarks/table.py
```

"""

SUBJECTS = {
    "octet_peers": (
        "A formula for 82 octet binaries, beside other packages",
        """\
The rock-salt / zinc-blende energy difference (eV/atom) from six radii (`radii-6`), or from radii,
ionization potentials and electron affinities (`raw-10`). Same rows, same columns, one thread, one
unmeasured small fit first. *RMSE* is on the fitted rows, *error* is the RMSE on five held-out folds with
everything repeated inside each fold. The peers run with their defaults, the genetic one with the usual
eight functions; ours with inverses and decaying exponentials, products of two and three terms: chosen among
five settings by the held-out error of one seed, so our held-out figure is a little flattered. Memory is
the largest resident size of the whole process.
""",
    ),
    "large_search_peers": (
        "Three terms among all formulas nested two deep, beside other packages",
        """\
The same 82 binaries without units, operations `+ - * /` and the square, one thread. TorchSISSO searches
the same formulas with as many kept per screen as ours; gplearn evolves formulas of any depth from the same
operations. *Error* is the RMSE (eV/atom) of the law found: three terms of ours and of
TorchSISSO's, the best linear scaling of gplearn's one program. Memory is the largest resident size of the
whole process.
""",
    ),
    "screening": (
        "Screening formulas that are never stored",
        """\
82 binaries, ten columns with units (Å, eV), formulas nested three deep, two threads, de-duplicated list of
100. The peer computes every formula as a column (timed on a part of the products, *scaled up*). Memory is
what growth and screen add to the process; most of the whole process is imported libraries and compiled code.
""",
    ),
    "recovery": (
        "Which criterion brings planted laws back",
        """\
Five laws over five columns, ten seeds, forty rows, about 230 candidates; *error* is the share of tables
whose kept law has other terms than the planted one. All criteria choose from the same list of laws.
""",
    ),
    "large_recovery": (
        "Planted laws among many formulas",
        """\
Terms of equal spread over six columns, ten seeds, sixty rows; noise in units of the target's spread. *Error*
is the share of tables whose kept law is not the planted one: another number of terms, or a term of which no
copy is among them (correlation above 1 - 10⁻⁹ on new rows).
""",
    ),
    "intervals": (
        "How many new values a 90 % interval holds",
        """\
`TablePredictor` on tables whose truth is known, and on measured tables split at random: share of new rows
(of new groups, where rows come in groups) inside their 90 % interval, with its standard error over 48, 36
and 18 tables of 40, 80 and 200 rows. *Width* is the mean width over that of the interval which who
knows the law would give. *Error* is the distance of the share from 0.9; between 85 and 95 % is a success.
""",
    ),
    "composition_peers": (
        "From formulas to fractions and descriptor columns",
        """\
35,463 stable compounds of the Materials Project; 7,520 complexes with brackets and 8,640 hydrates made from
lists (written `CuSO4·5H2O` and, *dot*, `CuSO4.5H2O`; pymatgen gets `CuSO4(H2O)5`, because it refuses the
first and reads 5.5 O in the second). *Columns*: the 580 of the kernel mean or the 290 statistics of the
published 58 features, from formulas or from fractions; matminer's are the 132 of its Magpie preset, from
602 formulas one after the other (*scaled up*), `Composition` objects included. One thread, processor time.
The *published route* is an emulation, since the published program is not in the package index: one pymatgen
object and 94 look-ups for each formula (a part, *scaled up*), kernels and one product with dense fractions
in float64, a pass over the rows for each statistic. The other two peers are the same in plain NumPy, one
with a dense product for every feature, one with a single visit to every row. *Difference* is the largest
between the answers, of statistics in units of the largest value of the column; memory the largest resident
size of the whole process.
""",
    ),
    "composition_scale": (
        "A million formulas, and the nearest of 35,463",
        """\
Random formulas of two to five elements as a list of strings, each task in a process of its own. *Whole
process* is the largest resident size, libraries and strings included, and counts the pages of a mapped file
that the system has not dropped; *own* is without mapped files and shared libraries, *added* the part of it
that came after the strings. Below 500 MB for the whole process is a success. A query asks for ten
neighbors; *error* is the largest difference of a distance from that of a full search.
""",
    ),
    "inverse": (
        "From descriptors back to fractions",
        """\
The 580 columns of 35,463 formulas, as computed or with noise of 0.01 on every entry. One thread, processor
time; quadprog was timed on 710 of the rows (*scaled up*): called row by row through qpsolvers as in the
published program, and by itself with the Gram matrix factorized once. *Error* is the distance Σ|Δw| from
the true fractions, the largest without noise and the mean with it; *difference* the largest |Δw| of a
weight from ours.
""",
    ),
    "decoding": (
        "From descriptors back to formulas",
        """\
Three draws of 600 formulas with at most 20 atoms and five elements; noise on every one of the 580 entries.
The decoder knows nothing but its default limits. *Error* is the share of formulas that are not the first
answer, or have other elements than it; the peer takes every element with at least 1/40 in the convex
optimum.
""",
    ),
    "formation_energy": (
        "Formation energies from formulas",
        """\
35,463 compounds, eV/atom. The same five networks learn from each descriptor; in every fold they keep a part
of the training rows back for their 90 % intervals. Folds of whole chemical systems never show a system of
the test part in training. *Error* is the mean absolute error, mean over the folds and standard deviation;
*held* the share of test values inside their interval, *width* the median width.
""",
    ),
    "quasicrystal_classes": (
        "Quasicrystals, approximants and other compounds",
        """\
80 quasicrystals and 78 approximants among 10,158 compositions. The published split (32 of the rare in its
test part), and ten stratified random splits of 80 to 20 %. *Error* is 1 - macro-F1, mean over the splits
and standard deviation; *calibration* the expected calibration error of the probabilities, *held* the share
of test rows whose class is in their set of classes.
""",
    ),
    "peaks": (
        "Peaks in one spectrum, without a guess",
        """\
Pseudo-Voigt peaks on a flat background, 100,000 counts; ours from 20 starts, or from ten where the size
says so, with errors; the peers' starts stand in their names. Those of lmfit and scipy (weighted least
squares) are drawn as ours, EMPeaks draws its own. *Error* is the share of spectra in which a center
lies more than 0.15 FWHM or an area more than 15 % from the truth; slow legs did few spectra, so that
theirs is known to a tenth or two. One thread, median processor time. Ours succeeded when 97 % of the
fits had come to the optimum of the likelihood.
""",
    ),
    "peak_count": (
        "How many peaks",
        """\
Two overlapping peaks by distance and counts, one of four numbers chosen; and none. *Error* is the share of
spectra with a wrong number; a cell succeeds when it is, within the scatter of so few spectra, as good as
the share reached before. Least processor time of a choice.
""",
    ),
    "spectrum_maps": (
        "Peaks of a map",
        """\
*Warm fits*: three peaks in every pixel, centers 0.2 FWHM off, areas by up to 30 %; processor time of a
spectrum, one thread; *error* is the share of pixels with a center more than 0.15 FWHM from the truth. *Blind
map* is the whole fit without a start, *× warm* its processor time over that of the same pixels from such
starts. *From file to report* includes the start of Python. Memory: *own* is without mapped files,
*added* the part of the fit; below 4,096 MB is a success.
""",
    ),
    "proposals": (
        "The next experiment among 17,982, and among a million",
        """\
Grain-boundary structures with three descriptors, 20 results; processor time, one thread. *Fit and
propose*: parameters learned anew; *propose*: as learned before. Peers as their tutorials say: PHYSBO's
expected improvement with its Gaussian process and with its random features, BoTorch's log expected
improvement over the list, NIMO from file to file, scikit-optimize's process and score over the list
(its own optimizer knows boxes only). *Tell and ask*: a million candidates, eight descriptors, 100
results, parameters as learned before; *passes* is that time in units of one reading of the stored
cross-covariance. Memory is the largest resident size of the whole process.
""",
    ),
    "proposal_efficiency": (
        "Evaluations until a good candidate is found",
        """\
Lists with every result known: energies of 17,982 grain-boundary structures (`s5`), toughness of 600
printed barrels, 352 alloys (`al`), conductivity of 178 polymer films (`p3ht`). Ten random candidates,
the same for all, then thirty one by one (or in batches of 5), parameters learned again each time.
Medians with 90 % bootstrap intervals over seeds that had no part in the choice of our defaults; 41
stands for not found. *Sooner, later*: seeds in which a leg reached the best 1 % before or after ours;
*behind*: by how many evaluations it was later, the mean over seeds. A rank of 1 is the best of the list.
*Held*: unseen candidates inside our 90 % intervals after 20 random ones, with its standard error.
""",
    ),
    "proposal_fronts": (
        "Fronts of two objectives",
        """\
Share of the area above the worst values that the measured candidates cover, of what all cover: a circular
front (400 candidates, three descriptors), ZDT3 with its gaps (500, four), and polymer films with high
conductivity and little P3HT (178). Ten random candidates, the same for all, then thirty one by one,
parameters learned again each time. Medians with 90 % bootstrap intervals. *Below, above*: seeds in which a
leg covers less or more than ours after 40.
""",
    ),
    "phases": (
        "One label more on a phase diagram",
        """\
A made diagram of 12 fields on a triangular grid (1,326 points with 40 labels, 5,151 with 100). *Label*:
one label more, the probabilities of all points, the least confident one; *set up*: what is done once
for a list. Peers fit anew for each label: scikit-learn as the published programs call it, NIMO's PDC
from file to file, AIPHAD in memory. *Difference* is the largest of our probabilities from
scikit-learn's iteration run to a tight tolerance. Processor time, one thread.
""",
    ),
    "phase_sampling": (
        "Labels until a phase diagram is right",
        """\
Isothermal sections of Cu-Mg-Zn (5,151 compositions; 28, 19 and 12 sets of phases), nine random
compositions at the start, then one by one to 430; and two made sections (1,326 compositions, three at
the start), with and without the compositions of the phases found. *Propagation* and *spreading* are the
models of the published programs, converged, in our loop; *published* is label propagation in their
coordinates, without our corners first and without the phase rule. LC, MS, EA, RS: least confident,
margin, entropy, random. Medians over seeds with 90 % bootstrap intervals of the labels to a mean F1
over all true sets, one not found counting 0; a dash where half of the seeds did not get there. The
calibration error is that at 200 labels.
""",
    ),
    "assimilation": (
        "The experiment where nothing was measured",
        """\
*Extrapolation*: ten calculations of a cubic on [0, 1], five measurements on [0, 0.5], 1.5 lower; RMSE on
[0.5, 1], where the curve ranges over 2.52. *Magnet*: 300 calculations over compositions and temperatures, 30
measurements in a corner; RMSE in T over the whole space, and how far the temperature at which cobalt begins
to help is from the planted one (share of magnets within 10 K in brackets). Medians and quartiles over seeds;
*÷ ours*: of medians on the same seeds; *held*: the true function inside 90 % bands, on average. C held at 1,
and one column that says which source, *know* that both have the same size and differ by a constant: where
that is so they win, and where it is not they do not notice. Every leg has terms up to the third degree; the
processes have none. SMT does 20 of the seeds, the two-level process 5 of the magnets (there ours is off by
1.8 K).
""",
    ),
    "assimilation_time": (
        "One row more, and a million of them",
        """\
Two sources, the second in one row of a hundred, one thread, processor time. *One row more*: `partial_fit`
after 100,000 rows beside a fit of all of them; *solved*: with the new fit and a prediction. *A million rows*
are told in portions of 20,000: memory added to the process.
""",
    ),
    "two_source_loops": (
        "Calculate or measure: until the best is measured",
        """\
1,681 points of a landscape of 49 waves, an experiment at the price of 50 calculations, five random values of
each source at the start, the same for all. *Least squares* knows the experiments alone. Pattern and coupling
are learned, priors are the defaults; *first seeds* are those the rules were tried with. Medians and quartiles
of 20 loops until the best point was measured; a dash where so many did not get there in 60 rounds. *Cost* is
without the start (255), in calculations. A round by price is a single experiment or up to 8 calculations.
""",
    ),
    "selection": (
        "Choosing terms",
        """\
Every subset of a size, and the backward path. The peer legs are plain NumPy; those *scaled up* were timed
on a part of the work.
""",
    ),
    "relations": (
        "Relations among columns, and the exact rank",
        """\
*error* is the distance from the true rank. Memory is what a run allocates beyond the table.
""",
    ),
    "generation": (
        "Making descriptors",
        """\
*published program* is the rate of the published program (about 1,500 columns a second at 99 rows) that
ours reaches.
""",
    ),
}
ONE_PROCESS = {"selection"}  # legs that share a process have no memory of their own

# What a task may take on two cores, in seconds: script, start of the task, start of the size.
BARS = [
    ("selection", "best 3 of 300 columns", "", 0.05),
    ("selection", "best 3 of 1000 columns", "", 1.0),
    ("relations", "relations", "99x15", 1.0),
    ("relations", "exact rank", "99x4", 0.5),
    ("screening", "screen millions", "", 1.0),
    ("composition_scale", "similar formulas", "", 0.005),
    ("proposals", "tell and ask", "", 1.0),
]
WIDTHS = {"intervals": "width ÷ true"}  # what a width is measured in, where it has no unit


def records(folder: Path) -> list[dict]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def is_ours(row: dict) -> bool:
    return row["peer"].startswith(OURS)


def pairs(found: list[dict]) -> dict[tuple[str, str, str, str], list[tuple[dict, dict]]]:
    """(task, size, our leg, peer) -> (our row, its row) in each record; a peer stands behind its leg."""
    table = defaultdict(list)
    for record in found:
        ours = {}
        for row in reversed(record["rows"]):
            if is_ours(row):
                ours[row["task"], row["size"]] = row
        for row in record["rows"]:
            key = (row["task"], row["size"])
            if is_ours(row):
                ours[key] = row
            elif key in ours:
                table[*map(str, key), ours[key]["peer"], row["peer"]].append((ours[key], row))
    return table


def legs(found: list[dict]) -> dict[tuple[str, str, str], list[dict]]:
    """(task, size, our leg) -> our rows."""
    table = defaultdict(list)
    for record in found:
        for row in filter(is_ours, record["rows"]):
            table[row["task"], str(row["size"]), row["peer"]].append(row)
    return table


def number(value: float | None, digits: int = 3) -> str:
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 99.5 else f"{value:.{digits}g}"


def spread(values: list[float]) -> str:
    """Median with the smallest and largest in brackets."""
    if not values:
        return "–"
    middle = number(median(values), 2)
    return middle if len(values) == 1 else f"{middle} ({number(min(values), 2)} to {number(max(values), 2)})"


def ratios(rows: list[tuple[dict, dict]], field: str) -> str:
    return spread([peer[field] / ours[field] for ours, peer in rows if peer.get(field) and ours.get(field)])


def middle(rows: list[dict], field: str) -> str:
    values = [row[field] for row in rows if isinstance(row.get(field), (int, float))]
    return number(median(values)) if values else "–"


def beside(theirs: list[dict], ours: list[dict], field: str) -> str:
    left, right = middle(theirs, field), middle(ours, field)
    return "–" if left == right == "–" else f"{left} / {right}"


def held(rows: list[dict]) -> str:
    """Share of new values inside their interval, with its standard error."""
    found = [row for row in rows if "coverage" in row]
    if not found:
        return "–"
    text = f"{100 * found[0]['coverage']:.1f}"
    error = found[0].get("standard_error")
    return f"{text} %" if error is None else f"{text} ± {100 * error:.1f} %"


def with_spread(rows: list[dict], field: str) -> str:
    """Median with the standard deviation over folds or splits, where rows have one."""
    text, deviation = middle(rows, field), middle(rows, "spread")
    return text if "–" in (text, deviation) else f"{text} ± {deviation}"


def apart(rows: list[tuple[dict, dict]]) -> str:
    """Largest difference of the peer's answer from ours, where it ran second."""
    values = [peer["difference"] for _, peer in rows if peer.get("difference") is not None]
    return number(max(values), 2) if values else "–"


def versions(rows: list[dict]) -> str:
    return ", ".join(sorted({str(row["version"]) for row in rows if row.get("version")})) or "–"


def outcome(rows: list[dict]) -> str:
    """How many runs succeeded, and what the first failure said."""
    text = f"{sum(bool(row['success']) for row in rows)} of {len(rows)}"
    said = [str(row.get("message") or row.get("error")) for row in rows if not row["success"]]
    return f"{text}: {said[0].splitlines()[0][:120].replace('|', '/')}" if said else text


def label(*texts: object) -> str:
    return ", ".join(str(text) for text in texts if str(text))


def lines_of(rows: list[dict[str, str]]) -> str:
    """Markdown table; a column that says nothing anywhere is left out."""
    names = [name for name in rows[0] if any(row[name] != "–" for row in rows)]
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    lines += [f"| {' | '.join(row[name] for name in names)} |" for row in rows]
    return "\n".join(lines) + "\n"


def paired_rows(script: str, found: list[dict]) -> list[dict[str, str]]:
    rows = []
    for (task, size, leg, peer), both in pairs(found).items():
        ours, theirs = [a for a, _ in both], [b for _, b in both]
        scaled = " (scaled up)" if any(row.get("extrapolated") for row in theirs) else ""
        rows.append(
            {
                "task": label(task, size) + leg.removeprefix(OURS),
                "peer": f"{peer} {versions(theirs)}{scaled}",
                "time ÷ ours": ratios(both, "seconds"),
                "memory ÷ ours": "–" if script in ONE_PROCESS else ratios(both, "peak_mb"),
                "RMSE, peer / ours": beside(theirs, ours, "rmse"),
                "error, peer / ours": beside(theirs, ours, "error"),
                "difference": apart(both),
                "peer succeeded": outcome(theirs),
            }
        )
    return rows


def own_rows(script: str, found: list[dict]) -> list[dict[str, str]]:
    """Legs with a bar, a published rate to beat, or nothing beside them."""
    paired = {key[:3] for key in pairs(found)}
    rows = []
    for (task, size, leg), ours in legs(found).items():
        bar = next(
            (s for name, t, z, s in BARS if name == script and task.startswith(t) and size.startswith(z)),
            None,
        )
        if (task, size, leg) in paired and bar is None:
            continue
        seconds = [row["seconds"] for row in ours if row.get("seconds")]
        rows.append(
            {
                "task": label(task, size) + leg.removeprefix(OURS),
                "bar ÷ ours": spread([bar / time for time in seconds]) if bar else "–",
                "published program": spread(
                    [row["times_reference"] for row in ours if "times_reference" in row]
                ),
                "memory added, MB": middle(ours, "added_mb"),
                "own, MB": middle(ours, "own_mb"),
                "whole process, MB": middle(ours, "whole_mb"),
                "held": held(ours),
                WIDTHS.get(script, "width"): middle(ours, "width"),
                "error": with_spread(ours, "error"),
                "RMSE": middle(ours, "rmse"),
                "R²": middle(ours, "r2"),
                "calibration": middle(ours, "calibration"),
                "× warm": middle(ours, "times_warm"),
                "passes": middle(ours, "passes"),
                "at a million pixels, MB": middle(ours, "million_mb"),
                "succeeded": outcome(ours),
            }
        )
    return rows


def with_ends(ends: list[float | None]) -> str:
    """Median with the ends of its interval; a dash where half of the seeds did not get there."""
    middle, low, high = (number(end) for end in ends)
    return middle if middle == "–" else f"{middle} [{low}, {high}]"


def campaign_rows(found: list[dict]) -> list[dict[str, str]]:
    """Campaigns over seeds, ours among the peers."""
    rows = []
    for row in (row for record in found for row in record["rows"] if "to_top" in row):
        both = f"{row['sooner']}, {row['later']}" if "sooner" in row else "–"
        rows.append(
            {
                "list": row["size"],
                "leg": f"{row['peer']} {row['version']}" if row["peer"] != "random" else "random",
                "seeds": str(row["n_seeds"]),
                "to the best 1 %": with_ends(row["to_top"]),
                "sooner, later": both,
                "behind": with_ends(row["behind"]) if "behind" in row else "–",
                "to the best": with_ends(row["to_best"]),
                "found it": f"{100 * row['found_best']:.0f} %",
                "rank after 40": with_ends(row["rank"]),
                "held": "{:.1f} ± {:.1f} %".format(*(100 * part for part in row["held"]))
                if "held" in row
                else "–",
            }
        )
    return rows


def front_rows(found: list[dict]) -> list[dict[str, str]]:
    """Campaigns of two objectives over seeds, ours among the peers."""
    return [
        {
            "list": row["size"],
            "leg": f"{row['peer']} {row['version']}" if row["peer"] != "random" else "random",
            "seeds": str(row["n_seeds"]),
            "area after 20": with_ends(row["area_20"]),
            "area after 40": with_ends(row["area_40"]),
            "below, above": f"{row['below']}, {row['above']}" if "below" in row else "–",
            "seconds a campaign": number(row["seconds"], 2) if row["peer"] != "random" else "–",
        }
        for record in found
        for row in record["rows"]
        if "area_40" in row
    ]


def phase_rows(found: list[dict]) -> list[dict[str, str]]:
    """Campaigns on phase diagrams over seeds."""
    return [
        {
            "map": row["size"],
            "leg": row["peer"].removeprefix(f"{OURS}: "),
            "seeds": str(row["n_seeds"]),
            "to F1 0.7": with_ends(row["to_70"]),
            "to F1 0.8": with_ends(row["to_80"]),
            "to F1 0.9": with_ends(row["to_90"]),
            "F1 at the end": f"{row['f1_end']:.3f}",
            "sets found": f"{row['n_found']:.1f}",
            "calibration error": f"{row['calibration_error']:.3f}",
            "seconds a campaign": number(row["seconds"], 2),
        }
        for record in found
        for row in record["rows"]
        if "to_90" in row
    ]


def leg_of(row: dict) -> str:
    """Name of a leg; its release stands at the top of the page where it is ours."""
    return row["peer"].removeprefix(f"{OURS}: ") if is_ours(row) else f"{row['peer']} {row['version']}"


def error_rows(found: list[dict]) -> list[dict[str, str]]:
    """Errors over seeds where the truth is known, ours among the peers."""
    return [
        {
            "task": f"{row['task']}, {row['size']}",
            "leg": leg_of(row),
            "seeds": str(row["n_seeds"]),
            "RMSE": with_ends(row["rmse_ends"]),
            "÷ ours": number(row["times"], 2),
            "held": f"{100 * row['coverage']:.0f} %" if "coverage" in row else "–",
            "error in K": f"{number(row['crossing'][0])} ({100 * row['crossing'][1]:.0f} %)"
            if "crossing" in row
            else "–",
            "terms kept": "; ".join(f"{terms} ({n})" for terms, n in row.get("patterns", {}).items()) or "–",
        }
        for record in found
        for row in record["rows"]
        if "rmse_ends" in row
    ]


def loop_rows(found: list[dict]) -> list[dict[str, str]]:
    """Loops of two sources over repeats."""
    return [
        {
            "repeats": f"{row['n_seeds']}, {row['size']}",
            "leg": leg_of(row),
            "rounds": with_ends(row["rounds_ends"]),
            "experiments": with_ends(row["experiments_ends"]),
            "calculations": with_ends(row["calculations_ends"]),
            "cost": with_ends(row["cost_ends"]),
            "found it": f"{100 * row['found']:.0f} %",
            "seconds a loop": number(row["seconds"], 2),
        }
        for record in found
        for row in record["rows"]
        if "rounds_ends" in row
    ]


def section(script: str, found: list[dict]) -> str:
    title, words = SUBJECTS.get(script, (script, ""))
    text = f"\n## {title}\n\n{words}"
    for rows_of in (campaign_rows, front_rows, phase_rows, error_rows, loop_rows):
        if rows := rows_of(found):
            return text + "\n" + lines_of(rows)
    paired, own = paired_rows(script, found), own_rows(script, found)
    if paired:
        text += "\n" + lines_of(paired)
    if own:
        if any(row["bar ÷ ours"] != "–" or row["published program"] != "–" for row in own):
            text += (
                "\nOurs beside the time that the task may take on two cores (*bar*) or a published rate.\n"
            )
        text += "\n" + lines_of(own)
    return text


def page(found: list[dict]) -> str:
    if not found:
        return HEAD + "No records yet: run `run.py` first.\n"
    machine = sorted({f"{record['cores']} cores, Python {record['python']}" for record in found})
    own = versions([row for record in found for row in record["rows"] if is_ours(row)])
    n_repeats = max(record["repeat"] for record in found) + 1
    text = HEAD + f"Measured with sozai {own} on {'; '.join(machine)}; {n_repeats} repeats.\n"
    for script in sorted({record["script"] for record in found}, key=lambda name: list(SUBJECTS).index(name)):
        text += section(script, [record for record in found if record["script"] == script])
    return text


def main() -> None:
    path = HERE / "README.md"
    path.write_text(page(records(HERE / "results")), encoding="utf-8")
    print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
