"""One leg of a composition task: formulas to fractions, fractions or formulas to descriptor columns.

    python benchmarks/composition_peers.py --peer sozai --size stable-35463 --seed 0

Needs SOZAI_DATA (35,463 stable formulas, 58 features of 94 elements). Runs in the environment of the peer it
names, one thread; processor time, medians of three to nine passes. Every leg leaves its answer (or some rows
of it) for the other leg of the record, which says how far apart they are (``difference``).

The *published route* is an emulation: the published program is not in the package index, so its steps are
written in NumPy and pymatgen. One pymatgen object and 94 look-ups for each formula; the kernels of all
features and one product with the dense fractions; one pass in Python for each row and statistic.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import warnings
from importlib.metadata import version

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 (after the thread counts, which it reads once)
from legs import difference, element_features, kernel_matrix, peak_mb, stable_formulas, timed  # noqa: E402

TASKS = {
    "stable-35463": "formulas-to-fractions",
    "brackets-7520": "formulas-to-fractions",
    "hydrates-8640": "formulas-to-fractions",
    "hydrates-dot-8640": "formulas-to-fractions",
    "580-float64": "formulas-to-columns",
    "580-float32": "formulas-to-columns",
    "means-float64": "fractions-to-columns",
    "means-float32": "fractions-to-columns",
    "statistics-290": "fractions-to-columns",
}
N_ELEMENTS = 118
SAMPLE = 50  # every 50th row of a descriptor is laid beside the other leg's
PART = 59  # the slow peers get every 59th formula (602 of them: more than pymatgen keeps in its cache)
METALS = (
    "Mg", "Ca", "Sr", "Ba", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Cd", "Al", "Ga", "In",
    "Sn", "Pb", "Y", "La", "Ce", "Pr", "Nd", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu",
    "Zr", "Hf", "Pd", "Pt", "Rh", "Ir",
)  # fmt: skip
CATIONS = ("Li", "Na", "K", "Rb", "Cs", "Tl", "Ag", "(NH4)", "(N(CH3)4)")
HALIDES = ("F", "Cl", "Br", "I")
COMPLEXES = (
    "{A}4[{M}(CN)6]", "{A}3[{M}(CN)6]", "[{M}(NH3)6]{X}3", "[{M}(NH3)5(H2O)]{X}3", "[{M}(NH3)4{X}2]{X}",
    "{A}2[{M}{X}6]", "{A}2{M}(SO4)2", "{A}{M}(SO4)2", "{A}[{M}(C2O4)2(H2O)2]", "{A}3[{M}(C2O4)3]",
    "{A}2[{M}(CN)4]", "{A}{M}(PO3)3", "{A}3{M}2(PO4)3", "[{M}(H2O)6]({X}O4)2", "{A}[{M}(NH3)2(NO2)4]",
    "{M}[{M}2(CN)6]2", "{M}10(PO4)6{X}2", "{M}3(Fe(CN)6)2", "{A}2{M}3(Si2O5)4({X}H)2", "{M}4[Si4O10](O{X})8",
)  # fmt: skip
ANIONS = (
    "SO4", "Cl2", "(NO3)2", "Br2", "CO3", "C2O4", "(ClO4)2", "SeO4", "(CH3COO)2", "CrO4", "HPO4", "(BrO3)2",
    "SiF6", "(IO3)2", "MoO4", "WO4", "S2O3", "S2O6",
)  # fmt: skip


def complexes() -> list[str]:
    """Distinct formulas with brackets, some of them nested."""
    parts = itertools.product(COMPLEXES, CATIONS, METALS, HALIDES)
    return list(dict.fromkeys(text.format(A=a, M=m, X=x) for text, a, m, x in parts))


def hydrates(separator: str) -> list[str]:
    """Salts with 1 to 12 waters; an empty separator puts the water into brackets."""
    found = []
    for metal, anion, n in itertools.product(METALS, ANIONS, range(1, 13)):
        count = "" if n == 1 else str(n)
        water = f"{separator}{count}H2O" if separator else f"(H2O){count}"
        found.append(f"{metal}{anion}{water}")
    return found


def texts_of(size: str, peer: str) -> list[str]:
    """What a leg reads. pymatgen gets hydrates in brackets: it refuses · and reads 4.5 in CuSO4.5H2O."""
    if size.startswith("brackets"):
        return complexes()
    if size.startswith("hydrates"):
        return hydrates("" if peer != "sozai" else "." if "dot" in size else "·")
    return stable_formulas()


# --- ours ------------------------------------------------------------------------------------------------


def our_fractions(size: str):
    from sozai.composition import parse_formulas

    texts = texts_of(size, "sozai")
    parse_formulas(texts[:50])
    seconds, found = timed(lambda: parse_formulas(texts).fractions)
    return [("sozai", seconds, found.toarray(), {})]


def our_descriptors(size: str):
    from sozai.composition import KernelMeanDescriptor

    texts = stable_formulas()
    descriptor = KernelMeanDescriptor("published", dtype=size.split("-")[-1]).fit()
    descriptor.transform(texts[:50])
    seconds, found = timed(lambda: descriptor.transform(texts))
    return [("sozai", seconds, found[::PART], {})]


def our_columns(size: str):
    from sozai.composition import KernelMeanDescriptor, SummaryStatistics, as_table, parse_formulas

    components = as_table("published", place="benchmark").components
    parsed = parse_formulas(stable_formulas(), components=components)
    if size.startswith("statistics"):
        made, given, more = SummaryStatistics("published"), parsed.fractions, {"n_atoms": parsed.n_atoms}
    else:
        made, more = KernelMeanDescriptor("published", dtype=size.split("-")[-1]), {}
        given = parsed.fractions
    made.fit()
    seconds, found = timed(lambda: made.transform(given, **more))
    return [("sozai", seconds, found[::SAMPLE], {})]


# --- peers -----------------------------------------------------------------------------------------------


def pymatgen_fractions(size: str):
    """A loop of ``Composition``; for the stable formulas also the look-up of every element."""
    from pymatgen.core import Composition, Element
    from scipy.sparse import csr_array

    texts = texts_of(size, "pymatgen")
    column_of = {Element.from_Z(z).symbol: z - 1 for z in range(1, N_ELEMENTS + 1)}

    def loop():
        columns, amounts, ends = [], [], [0]
        for text in texts:
            for element, amount in Composition(text).items():
                columns.append(column_of[element.symbol])
                amounts.append(amount)
            ends.append(len(columns))
        found = csr_array((amounts, columns, ends), shape=(len(texts), N_ELEMENTS), dtype=np.float64)
        found.sort_indices()
        found.data /= np.repeat(np.add.reduceat(found.data, found.indptr[:-1]), np.diff(found.indptr))
        return found

    seconds, found = timed(loop)
    rows = [("pymatgen", seconds, found.toarray(), {})]
    if size.startswith("stable"):
        seconds, part = timed(lambda: look_up(texts[::10]))
        scaled = {"extrapolated": True, "n_timed": len(part)}
        rows.append(("published route, emulated", seconds * len(texts) / len(part), None, scaled))
    return rows


def look_up(texts: list[str]) -> np.ndarray:
    """Dense fractions of 94 elements: one object a formula, one question an element."""
    from pymatgen.core import Composition

    symbols = element_features()[0]
    rows = []
    for text in texts:
        composition = Composition(text)
        rows.append(np.array([composition.get_atomic_fraction(symbol) for symbol in symbols]))
    return np.array(rows)


def route_from_formulas(size: str):
    """Fractions by look-up, kernels, one dense product."""
    texts, (_, features) = stable_formulas(), element_features()
    seconds_read, part = timed(lambda: look_up(texts[::PART]))
    dense = np.resize(part, (len(texts), part.shape[1]))
    seconds, _ = timed(lambda: dense @ kernel_matrix(features))
    total = seconds_read * len(texts) / len(part) + seconds
    more = {"extrapolated": True, "n_timed": len(part)}
    return [("published route, emulated", total, part @ kernel_matrix(features), more)]


def route_from_fractions(size: str):
    """Kernels and products with dense fractions; or a loop over the rows for the statistics."""
    from pymatgen.core import Composition

    symbols, features = element_features()
    place = {symbol: k for k, symbol in enumerate(symbols)}
    texts = stable_formulas()
    dense, n_atoms = np.zeros((len(texts), len(symbols))), np.empty(len(texts))
    for row, text in enumerate(texts):
        composition = Composition(text)
        n_atoms[row] = composition.num_atoms
        for element, amount in composition.items():
            dense[row, place[element.symbol]] = amount / composition.num_atoms
    if size.startswith("statistics"):
        routes = {
            "published route, emulated": lambda: statistics_by_rows(dense, n_atoms, features),
            "one loop over rows": lambda: statistics_one_loop(dense, n_atoms, features),
        }
    else:
        routes = {
            "published route, emulated": lambda: dense @ kernel_matrix(features),
            "one dense product a feature": lambda: products_by_feature(dense, kernel_matrix(features)),
        }
    rows = []
    for name, route in routes.items():
        seconds, found = timed(route)
        rows.append((name, seconds, found[::SAMPLE], {}))
    return rows


def products_by_feature(dense: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    blocks = np.split(kernels, kernels.shape[1] // 10, axis=1)
    return np.concatenate([dense @ block for block in blocks], axis=1)


def statistics_by_rows(dense: np.ndarray, n_atoms: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Mean and sum by products; variance over all elements, extremes over those that occur, row by row."""
    mean, rows = dense @ features, range(len(dense))
    occurs = dense != 0
    variance = np.array([dense[k] @ (features - mean[k]) ** 2 for k in rows])
    largest = np.array([features[occurs[k]].max(axis=0) for k in rows])
    smallest = np.array([features[occurs[k]].min(axis=0) for k in rows])
    return np.concatenate([mean, n_atoms[:, None] * mean, variance, largest, smallest], axis=1)


def statistics_one_loop(dense: np.ndarray, n_atoms: np.ndarray, features: np.ndarray) -> np.ndarray:
    """The same with one visit a row, which sees the elements that occur and writes into the result."""
    p = features.shape[1]
    out = np.empty((len(dense), 5 * p))
    for row, weights in enumerate(dense):
        held = weights.nonzero()[0]
        share, values = weights[held], features[held]
        mean = share @ values
        out[row, :p] = mean
        out[row, p : 2 * p] = n_atoms[row] * mean
        out[row, 2 * p : 3 * p] = share @ (values - mean) ** 2
        out[row, 3 * p : 4 * p] = values.max(axis=0)
        out[row, 4 * p :] = values.min(axis=0)
    return out


def matminer_columns(size: str):
    """The Magpie preset, 132 columns; ``Composition`` objects made in the timed part."""
    from matminer.featurizers.composition import ElementProperty
    from pymatgen.core import Composition

    texts = stable_formulas()
    part = texts[::PART]
    preset = ElementProperty.from_preset("magpie")
    preset.featurize(Composition("Fe2O3"))
    seconds, found = timed(lambda: np.array([preset.featurize(Composition(text)) for text in part]))
    more = {"extrapolated": True, "n_timed": len(part), "n_columns": found.shape[1]}
    return [("matminer", seconds * len(texts) / len(part), None, more)]


LEGS = {
    ("formulas-to-fractions", "sozai"): our_fractions,
    ("formulas-to-fractions", "pymatgen"): pymatgen_fractions,
    ("formulas-to-columns", "sozai"): our_descriptors,
    ("formulas-to-columns", "pymatgen"): route_from_formulas,
    ("formulas-to-columns", "matminer"): matminer_columns,
    ("fractions-to-columns", "sozai"): our_columns,
    ("fractions-to-columns", "pymatgen"): route_from_fractions,
}
#: Largest difference between two legs that is rounding; statistics in units of the largest of their column.
TOLERANCES = {"formulas-to-fractions": 1e-15, "580-float32": 1e-6, "means-float32": 1e-6}


def leg(peer: str, size: str, seed: int) -> list[dict]:
    task, rows = TASKS[size], []
    tolerance = TOLERANCES.get(size, TOLERANCES.get(task, 1e-13))
    wheel = "numpy" if task == "fractions-to-columns" else peer
    for name, seconds, answer, more in LEGS[task, peer](size):
        if size.startswith("statistics"):
            largest = np.abs(answer).max(axis=0)
            answer = answer / np.where(largest > 0, largest, 1.0)
        apart = None if answer is None else difference(size, peer == "sozai", answer)
        rows.append(
            {
                "task": task,
                "size": size,
                "peer": name,
                "version": version(peer) if name == peer else f"with {wheel} {version(wheel)}",
                "repeat": seed,
                "seconds": seconds,
                "peak_mb": None if rows or "extrapolated" in more else peak_mb(),
                "error": None,
                "difference": apart,
                "success": apart is None or apart <= tolerance,
                **more,
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", choices=("sozai", "pymatgen", "matminer"), default="sozai")
    parser.add_argument("--size", choices=tuple(TASKS), default="stable-35463")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for row in leg(options.peer, options.size, options.seed):
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
