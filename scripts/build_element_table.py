"""Write the bundled tables of elements and oxidation states, hydrogen to lawrencium, with their descriptions.

Run in an environment of its own, because the package itself needs none of the three sources:

    python -m venv element_table
    element_table/bin/pip install mendeleev==1.3.0 pymatgen==2026.10.24 matminer==0.10.1
    element_table/bin/python scripts/build_element_table.py

Values come from mendeleev (MIT), pymatgen (MIT) and the elemental columns of Magpie that matminer
carries (BSD-3-Clause-LBNL); some columns are computed by a rule. Cells that no source fills are predicted
by ridge regression and flagged. A column is left out when more than 35 % of its cells are empty, when
leave-one-out prediction explains less than half of its variance, or when it is a linear combination of
columns before it. The same versions give the same bytes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import logging
import re
import sqlite3
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd

LOG = logging.getLogger("build_element_table")
DATASETS = Path(__file__).resolve().parents[1] / "src" / "sozai" / "datasets"
N_ELEMENTS = 103
MAX_GAPS, MIN_R2, MAX_CORRELATION = 0.35, 0.5, 0.9995
SWEEPS, SETTLED, TOLERANCE, STRETCH = 20, 3, 1e-4, 1.2
PENALTIES = np.logspace(0.5, 5, 37)  # below 3, gaps that predict each other drift away
BOHR, HARTREE = 52.9177210903, 27.211386245988  # pm, eV
TEXTBOOK = {"Au": {1}, "Np": {4}, "Pu": {3}, "No": {2}}  # common, yet not main in any of the sources
NOBLE = {"He": 2, "Ne": 10, "Ar": 18, "Kr": 36, "Xe": 54, "Rn": 86}
RENAMED = {  # our name: pymatgen's
    "en_pauling": "X",
    "sound_velocity": "velocity_of_sound",
    "shear_modulus": "rigidity_modulus",
    "crystal_radius_mean": "average_ionic_radius",
}
CAPACITY = {"s": 2, "p": 6, "d": 10, "f": 14}


@dataclass
class Column:
    """One column: 103 numbers with NaN where no source has one, and where they come from."""

    name: str
    unit: str
    meaning: str
    values: np.ndarray
    log: bool = False
    r2: float = float("nan")
    error: float = float("nan")
    gaps: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))

    @property
    def label(self) -> str:
        """Column header of the file."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name


# --- the three sources ---------------------------------------------------------------------------


class Sources:
    """The tables of mendeleev, pymatgen and Magpie, each read by one method."""

    def __init__(self) -> None:
        import matminer
        import mendeleev
        from pymatgen.core import Element

        database = sqlite3.connect(Path(mendeleev.__file__).parent / "elements.db")
        self.table = pd.read_sql("select * from elements", database).set_index("atomic_number")
        self.table = self.table.sort_index().iloc[:N_ELEMENTS]
        self.ionization = pd.read_sql("select * from ionizationenergies", database)
        self.states = pd.read_sql("select * from oxidationstates", database)
        self.elements = [Element.from_Z(z) for z in range(1, N_ELEMENTS + 1)]
        self.symbols = [element.symbol for element in self.elements]
        self.folder = Path(matminer.__file__).parent / "utils" / "data_files" / "magpie_elementdata"
        database.close()

    def mendeleev(self, name: str) -> np.ndarray:
        """Return a column of mendeleev's table of elements."""
        return pd.to_numeric(self.table[name]).to_numpy(dtype=float)

    def ionization_energy(self, charge: int) -> np.ndarray:
        """Return the energy in eV that takes an electron from the ion of this charge."""
        chosen = self.ionization[self.ionization.ion_charge == charge].set_index("atomic_number")
        return chosen.ionization_energy.reindex(range(1, N_ELEMENTS + 1)).to_numpy(dtype=float)

    def pymatgen(self, attribute: str, scale: float = 1.0) -> np.ndarray:
        """Return an attribute of pymatgen's elements, times ``scale``."""
        values = [as_number(getattr(element, attribute)) for element in self.elements]
        return scale * np.array(values)

    def pymatgen_key(self, key: str, read: Callable[[object], float]) -> np.ndarray:
        """Return ``read`` of an entry of pymatgen's data."""
        return np.array([read(element.data.get(key)) for element in self.elements])

    def magpie(self, name: str) -> np.ndarray:
        """Return one of Magpie's elemental tables."""
        lines = (self.folder / f"{name}.table").read_text().splitlines()[:N_ELEMENTS]
        return np.array([as_number(line.strip()) for line in lines])


def as_number(value: object) -> float:
    """Return the value as a float, NaN for words and for what is not finite."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")
    return number if np.isfinite(number) else float("nan")


def copied(values: np.ndarray) -> np.ndarray:
    """Mark runs of three or more equal neighbors: Magpie fills elements without data with copies.

    A run that reaches the end repeats its first element, which keeps its value.
    """
    same = values[1:] == values[:-1]
    marks = np.zeros(len(values), dtype=bool)
    for start in range(len(values) - 2):
        if same[start] and same[start + 1]:
            marks[start : start + 3] = True
    unmarked = np.flatnonzero(~marks)
    marks[unmarked[-1] + 1 : unmarked[-1] + 2] = False
    return marks


# --- columns by rule ---------------------------------------------------------------------------------


def period_of(number: int) -> int:
    """Row of the periodic table."""
    return 1 + sum(number > core for core in NOBLE.values())


def group_of(number: int) -> int:
    """Group 1 to 18; lanthanides and actinides count as group 3."""
    core = max((z for z in NOBLE.values() if z < number), default=0)
    place = number - core
    if number <= 2:
        return 1 if number == 1 else 18
    if core in (2, 10):
        return place if place <= 2 else place + 10
    if core in (18, 36):
        return place
    return place if place <= 2 else max(3, place - 14)


def block_of(number: int) -> str:
    """Block s, p, d or f; La and Ac count as d."""
    if 57 <= number <= 70 or 89 <= number <= 102:
        return "f"
    group = group_of(number)
    return "s" if group <= 2 or number == 2 else "d" if group <= 12 else "p"


def shells(configuration: str) -> dict[str, tuple[int, int]]:
    """Electrons and holes of the open s, p, d and f shells outside the noble-gas core."""
    counts = {kind: (0, 0) for kind in CAPACITY}
    for _, kind, number in re.findall(r"(\d)([spdf])(\d*)", configuration.split("]")[-1]):
        electrons = int(number or 1)
        counts[kind] = (electrons, CAPACITY[kind] - electrons)
    return counts


def computed_columns(sources: Sources, states: pd.DataFrame) -> list[Column]:
    """Columns that follow from the place in the periodic table and from electron counts."""
    numbers = np.arange(1, N_ELEMENTS + 1)
    counts = [shells(text) for text in sources.table.electronic_configuration]
    known = states["known"].map(lambda text: [int(word) for word in text.split()] or [0])
    rule = "by rule"
    columns = [
        Column("atomic_number", "", rule, numbers.astype(float)),
        Column("period", "", rule, np.array([period_of(z) for z in numbers], dtype=float)),
        Column(
            "group", "", f"{rule}; lanthanides and actinides count as group 3",
            np.array([group_of(z) for z in numbers], dtype=float),
        ),
    ]  # fmt: skip
    for position, word in enumerate(["valence", "unfilled"]):
        what = ("electrons in", "holes in an occupied")[position]
        for kind in list(CAPACITY)[position:]:  # s holes are 2 minus s electrons but for palladium
            values = np.array([count[kind][position] for count in counts], dtype=float)
            meaning = f"{what} {kind} shell outside the noble-gas core; ground state of the atom, mendeleev"
            columns.append(Column(f"num_{kind}_{word}", "", meaning, values))
    columns.append(
        Column("oxidation_state_max", "", f"highest known oxidation state, 0 without any; {rule}",
               known.map(max).to_numpy(dtype=float))
    )  # fmt: skip
    columns.append(
        Column("oxidation_state_min", "", f"lowest known oxidation state, 0 without any; {rule}",
               known.map(min).to_numpy(dtype=float))
    )  # fmt: skip
    return columns


# --- columns from the sources --------------------------------------------------------------------


def tabulated_columns(sources: Sources) -> list[Column]:
    """Every candidate, in the order of preference."""
    from_mendeleev = [
        ("atomic_weight", "Da", "standard atomic weight, or mass number of a long-lived isotope"),
        ("mendeleev_number", "", "Mendeleev number of Villars et al. (2004), extended"),
        ("pettifor_number", "", "place on the scale of Pettifor (1984)"),
        ("glawe_number", "", "place on the modified Pettifor scale of Glawe et al. (2016)"),
        ("atomic_radius_slater", "pm", "atomic radius of Slater (1964)"),
        ("atomic_radius_rahm", "pm", "radius of electron density 0.001 e/bohr³, Rahm (2016)"),
        ("covalent_radius_cordero", "pm", "covalent radius of Cordero (2008)"),
        ("covalent_radius_pyykko", "pm", "single-bond radius of Pyykkö (2009)"),
        ("covalent_radius_pyykko_double", "pm", "double-bond radius of Pyykkö (2009)"),
        ("covalent_radius_pyykko_triple", "pm", "triple-bond radius of Pyykkö (2005)"),
        ("vdw_radius", "pm", "van der Waals radius, CRC Handbook"),
        ("vdw_radius_alvarez", "pm", "van der Waals radius of Alvarez (2013)"),
        ("vdw_radius_uff", "pm", "van der Waals distance of the universal force field"),
        ("dipole_polarizability", "bohr³", "static polarizability, Schwerdtfeger (2023)"),
        ("c6_gb", "hartree/bohr⁶", "C6 dispersion coefficient of Gould and Bučko (2016)"),
        ("en_allen", "eV", "configuration energy of Allen"),
        ("en_ghosh", "1/pm", "electronegativity of Ghosh (2005)"),
        ("en_miedema", "V", "electronegativity of Miedema's model"),
        ("en_robles_bartolotti", "eV", "electronegativity of Robles and Bartolotti (1984)"),
        ("miedema_electron_density", "", "electron density of Miedema's model"),
        ("density", "g/cm³", "density at 295 K, gases at 101 kPa; estimates for At, Fr, Es to Lr"),
        ("heat_of_formation", "kJ/mol", "enthalpy of formation of the gaseous atom"),
        ("molar_heat_capacity", "J/(mol K)", "molar heat capacity at 25 °C"),
        ("specific_heat_capacity", "J/(g K)", "specific heat capacity at 25 °C"),
        ("lattice_constant", "Å", "lattice constant a of the solid"),
        ("abundance_crust", "mg/kg", "abundance in the crust of the Earth"),
    ]  # fmt: skip
    columns = [
        Column(name, unit, f"{meaning}; mendeleev", sources.mendeleev(name.removesuffix("_slater")))
        for name, unit, meaning in from_mendeleev
    ]
    for charge, word in enumerate(["first", "second", "third"]):
        meaning = f"{word} ionization energy; mendeleev, from NIST"
        columns.append(
            Column(f"ionization_energy_{charge + 1}", "eV", meaning, sources.ionization_energy(charge))
        )
    return [*columns, *pymatgen_columns(sources), *magpie_columns(sources)]


def pymatgen_columns(sources: Sources) -> list[Column]:
    """Candidates from pymatgen."""

    def highest(orbitals: object) -> float:
        return max(orbitals.values()) * HARTREE if isinstance(orbitals, dict) else float("nan")

    listed = [
        ("electron_affinity", 1.0, "eV", "electron affinity, negative where the ion is not bound"),
        ("en_pauling", 1.0, "", "electronegativity of Pauling"),
        ("melting_point", 1.0, "K", "melting point"),
        ("boiling_point", 1.0, "K", "boiling point"),
        ("molar_volume", 1.0, "cm³/mol", "molar volume of the condensed element"),
        ("thermal_conductivity", 1.0, "W/(m K)", "thermal conductivity"),
        ("electrical_resistivity", 1.0, "Ω m", "electrical resistivity"),
        ("sound_velocity", 1.0, "m/s", "velocity of sound"),
        ("bulk_modulus", 1.0, "GPa", "bulk modulus"),
        ("shear_modulus", 1.0, "GPa", "shear modulus"),
        ("youngs_modulus", 1.0, "GPa", "Young's modulus"),
        ("mineral_hardness", 1.0, "", "hardness on the scale of Mohs"),
        ("atomic_radius_calculated", 100.0, "pm", "calculated radius of Clementi (1967)"),
        ("crystal_radius_mean", 100.0, "pm", "mean crystal radius of the ions, Shannon (1976)"),
    ]  # fmt: skip
    columns = []
    for name, scale, unit, meaning in listed:
        values = sources.pymatgen(RENAMED.get(name, name), scale)
        if name == "crystal_radius_mean":
            values[values == 0.0] = np.nan  # no ion is listed
            values[0] = np.nan  # the 90 pm listed for H+ are not Shannon's
        columns.append(Column(name, unit, f"{meaning}; pymatgen", values))
    meaning = (
        "energy of the highest occupied orbital of the atom in the local density approximation; pymatgen"
    )
    orbital = sources.pymatgen_key("Atomic orbitals", highest)
    return [*columns, Column("highest_orbital_energy", "eV", meaning, orbital)]


def magpie_columns(sources: Sources) -> list[Column]:
    """Candidates from Magpie, copies taken out."""
    filled = copied(sources.magpie("GSenergy_pa"))
    listed = [
        ("fusion_enthalpy", "FusionEnthalpy", "kJ/mol", "enthalpy of fusion per mole of atoms"),
        ("evaporation_enthalpy", "HeatVaporization", "kJ/mol", "enthalpy of evaporation"),
        ("miracle_radius", "MiracleRadius", "pm", "radius in metallic glasses, Miracle (2010)"),
        ("pseudopotential_radius_sigma", "ZungerPP-r_sigma", "bohr", "s plus p radius of Zunger, extended"),
        ("pseudopotential_radius_pi", "ZungerPP-r_pi", "bohr", "difference of s and p radius of Zunger"),
        ("gs_energy", "GSenergy_pa", "eV/atom", "energy of the calculated ground state, OQMD"),
        ("gs_volume", "GSvolume_pa", "Å³/atom", "volume of the calculated ground state, OQMD"),
        ("gs_bandgap", "GSbandgap", "eV", "band gap of the calculated ground state, OQMD"),
        ("gs_magmom", "GSmagmom", "μB/atom", "moment of the calculated ground state, OQMD"),
    ]  # fmt: skip
    columns = []
    for name, key, unit, meaning in listed:
        values = sources.magpie(key)
        if name.startswith("gs_"):
            values[filled] = np.nan
        columns.append(Column(name, unit, f"{meaning}; Magpie", values))
    return columns


# --- empty cells -------------------------------------------------------------------------------------


def frame_predictors(masses: np.ndarray, villars: np.ndarray) -> np.ndarray:
    """Period, group, block, their products, Mendeleev number and log mass: known for every element."""
    numbers = np.arange(1, N_ELEMENTS + 1)
    period = standard(np.array([period_of(z) for z in numbers], dtype=float))
    group = standard(np.array([group_of(z) for z in numbers], dtype=float))
    block = np.array([[block_of(z) == kind for kind in CAPACITY] for z in numbers], dtype=float)
    products = [(period * group)[:, None], period[:, None] * block, group[:, None] * block]
    single = [period[:, None], group[:, None], block, villars[:, None], np.log(masses)[:, None]]
    return np.hstack([*single, *products])


def standard(values: np.ndarray) -> np.ndarray:
    """Zero mean, unit standard deviation."""
    return (values - np.nanmean(values, axis=0)) / np.nanstd(values, axis=0)


def skewness(values: np.ndarray) -> float:
    """Third standardized moment of the known values."""
    known = values[np.isfinite(values)]
    return float(np.mean(((known - known.mean()) / known.std()) ** 3))


def ridge(
    x: np.ndarray, y: np.ndarray, new: np.ndarray, penalties: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return predictions at ``new``, leave-one-out predictions at ``x``, and the penalty they like best."""
    center, spread = x.mean(axis=0), x.std(axis=0)
    varies = spread > 1e-9
    u, sizes, vt = np.linalg.svd((x[:, varies] - center[varies]) / spread[varies], full_matrices=False)
    keep = sizes > 1e-9 * sizes[0]
    u, sizes, vt = u[:, keep], sizes[keep], vt[keep]
    products = u.T @ (y - y.mean())
    best = None
    for penalty in penalties:
        shrink = sizes**2 / (sizes**2 + penalty)
        residuals = y - y.mean() - u @ (shrink * products)
        left_out = residuals / (1 - 1 / len(y) - (u**2) @ shrink)
        if best is None or np.sum(left_out**2) < np.sum(best[0] ** 2):
            best = left_out, penalty
    left_out, penalty = best
    weights = vt.T @ (sizes / (sizes**2 + penalty) * products)
    return y.mean() + (new[:, varies] - center[varies]) / spread[varies] @ weights, y - left_out, penalty


def impute(columns: list[Column], base: np.ndarray) -> None:
    """Fill the empty cells of every column from the others, again and again until nothing moves."""
    raw = np.column_stack([column.values for column in columns])
    for column in columns:
        column.gaps = ~np.isfinite(column.values)
        known = column.values[~column.gaps]
        column.log = bool((known > 0).all() and skewness(known) > 2)
    scaled = np.column_stack([np.log(c.values) if c.log else c.values for c in columns])
    center, spread = np.nanmean(scaled, axis=0), np.nanstd(scaled, axis=0)
    scaled = (scaled - center) / spread
    order = sorted(np.flatnonzero(np.isnan(raw).any(axis=0)), key=lambda k: (columns[k].gaps.sum(), k))
    filled = scaled.copy()
    penalties = dict.fromkeys(order, PENALTIES)
    for sweep in range(SWEEPS + 1):  # the first one starts from the complete columns only
        before = filled.copy()
        for k in order:
            ready = np.isfinite(filled).all(axis=0)
            ready[k] = False
            x = np.hstack([base, filled[:, ready]])
            gaps = columns[k].gaps
            answer, left_out, penalty = ridge(x[~gaps], scaled[~gaps, k], x[gaps], penalties[k])
            if sweep == SETTLED:  # choosing on would jump between two penalties for ever
                penalties[k] = np.array([penalty])
            raw_answer = clip(columns[k], answer * spread[k] + center[k])
            moved = ((np.log(raw_answer) if columns[k].log else raw_answer) - center[k]) / spread[k]
            filled[gaps, k] = moved
            grade(columns[k], scaled[~gaps, k], left_out, center[k], spread[k])
            raw[gaps, k] = raw_answer
        if sweep and np.abs(filled - before).max() < TOLERANCE:
            break
    moved = np.abs(filled - before).max()
    LOG.info("%d incomplete columns, %d sweeps, last change %.1e", len(order), sweep, moved)
    for k in order:
        columns[k].values = raw[:, k]


def clip(column: Column, scaled: np.ndarray) -> np.ndarray:
    """Predictions in the column's unit, inside 1.2 times the observed range; quantities stay positive."""
    known = column.values[~column.gaps]
    margin = (STRETCH - 1) / 2 * (known.max() - known.min())
    low, high = known.min() - margin, known.max() + margin
    if known.min() >= 0:
        low = known.min() / STRETCH
    return np.clip(np.exp(scaled) if column.log else scaled, low, high)


def grade(column: Column, known: np.ndarray, left_out: np.ndarray, center: float, spread: float) -> None:
    """Leave-one-out R² and root mean square error, of the natural logarithm where one was taken."""
    column.r2 = 1 - float(np.sum((known - left_out) ** 2) / np.sum((known - known.mean()) ** 2))
    before, after = (v * spread + center for v in (known, left_out))
    column.error = float(np.sqrt(np.mean((before - after) ** 2)))


# --- which columns -----------------------------------------------------------------------------------


def choose(columns: list[Column]) -> tuple[list[Column], list[str]]:
    """Leave out what has too many gaps, cannot be predicted, or repeats; name it, too."""
    limit = MAX_GAPS * N_ELEMENTS
    kept = [column for column in columns if np.isnan(column.values).sum() <= limit]
    say("more than 35 % empty", columns, kept)
    given = {column.name: column.values.copy() for column in kept}
    base = frame_predictors(given["atomic_weight"], given["mendeleev_number"])
    while True:
        for column in kept:
            column.values = given[column.name].copy()
        impute(kept, base)
        weak = [column for column in kept if column.gaps.any() and column.r2 < MIN_R2]
        if not weak:
            break
        worst = min(weak, key=lambda column: column.r2)
        LOG.info("left out %s: leave-one-out R2 %.2f", worst.name, worst.r2)
        kept.remove(worst)
    for column in kept:
        digits = np.where(column.gaps, 4, 10)
        column.values = np.array([float(f"{v:.{d}g}") for v, d in zip(column.values, digits, strict=True)])
    chosen = independent(kept)
    say("a combination of columns before it", kept, chosen)
    return chosen, sorted({column.name for column in columns} - {column.name for column in chosen})


def independent(columns: list[Column]) -> list[Column]:
    """Columns that are not in the span of 1 and the columns before them, nor proportional to one of them."""
    basis = [np.full(N_ELEMENTS, N_ELEMENTS**-0.5)]
    chosen: list[Column] = []
    for column in columns:
        unit = standard(column.values) / np.sqrt(N_ELEMENTS)
        rest = unit.copy()
        for _ in range(2):
            for direction in basis:
                rest -= direction * (direction @ rest)
        near = [
            c.name for c in chosen if abs(unit @ standard(c.values)) / np.sqrt(N_ELEMENTS) > MAX_CORRELATION
        ]
        if np.linalg.norm(rest) > 1e-8 and not near:
            basis.append(rest / np.linalg.norm(rest))
            chosen.append(column)
    return chosen


def say(reason: str, before: list[Column], after: list[Column]) -> None:
    """Log what was left out and why."""
    names = [column.name for column in before if column not in after]
    LOG.info("left out, %s: %s", reason, ", ".join(names) or "none")


# --- oxidation states --------------------------------------------------------------------------------


def oxidation_states(sources: Sources) -> pd.DataFrame:
    """Common and known states; every state with the source that lists it."""
    rows = []
    for number, element in enumerate(sources.elements, start=1):
        listed = sources.states[sources.states.atomic_number == number]
        main = set(listed.loc[listed.category == "main", "oxidation_state"])
        found = {
            "mendeleev": set(listed.oxidation_state),
            "pymatgen": set(element.data.get("Oxidation states") or ()),
            "ICSD": set(element.data.get("ICSD oxidation states") or ()),
        }
        common = main | TEXTBOOK.get(element.symbol, set())
        common |= {state for state in found["ICSD"] & found["pymatgen"] if state > 0}
        known = set().union(*found.values(), common)
        source = " ".join(name for name, states in found.items() if states) or "none"
        rows.append((element.symbol, words(common - {0}), words(known - {0}), source))
    return pd.DataFrame(rows, columns=["element", "common", "known", "source"])


def words(states: set[int]) -> str:
    """Numbers in increasing order, separated by spaces."""
    return " ".join(str(int(state)) for state in sorted(states))


# --- files -----------------------------------------------------------------------------------------------


def table_bytes(header: list[str], rows: list[list[str]]) -> bytes:
    """CSV with Unix line ends."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode("utf-8")


def number_text(value: float) -> str:
    """Shortest text that reads back as the same number."""
    return str(int(value)) if value == int(value) and abs(value) < 1e6 else repr(float(value))


def write(name: str, file: str, payload: bytes, head: str, rows: list[str]) -> None:
    """Write a file and the description that holds its SHA-256."""
    digest = hashlib.sha256(payload).hexdigest()
    (DATASETS / "data" / file).write_bytes(payload)
    table = ["| column | in the file | unit | meaning |", "|---|---|---|---|", *rows]
    text = head.replace("SHA256", digest) + "\n" + "\n".join(table) + "\n"
    (DATASETS / "descriptions" / f"{name}.md").write_text(text, encoding="utf-8")
    LOG.info("%s %s", file, digest)


def versions() -> str:
    """Name and version of the sources."""
    return ", ".join(f"{name} {metadata.version(name)}" for name in ["mendeleev", "pymatgen", "matminer"])


ELEMENTS_HEAD = """# Properties of the elements hydrogen to lawrencium

{n} properties of 103 elements without a gap; every cell that was predicted, not tabulated, is flagged.

- file: element_table.csv
- sha256: SHA256
- source: {versions} (elemental columns of Magpie), written by scripts/build_element_table.py
- licence: published facts; mendeleev and pymatgen are MIT, matminer is BSD-3-Clause-LBNL
- citation: mentel2014, ong2013, ward2016, ward2018
- features: {features}

The column `imputed` names the columns in which the element's value was predicted: {cells} of
{all_cells} cells. Positive columns with skewness above 2 were predicted as logarithms. Predictors are
period, group, block, their products, Mendeleev number, logarithm of the mass and all other columns;
ridge regressions with penalties by leave-one-out were repeated until nothing moved, and clipped to 1.2
times the observed range. R² and error (root mean square) are those of leave-one-out prediction of the
tabulated cells; R² is {low:.2f} to {high:.2f}. Gaps are not at random: most lie beyond plutonium and
among noble gases, so predictions there are less certain than that.

Left out for more than 35 % empty cells over H-Lr or a leave-one-out R² below 0.5: {refused}.
No column repeats or combines others exactly. Magpie gives Po, At, Rn, Fr, Ra and everything beyond Pu copied
ground-state values without saying so; they count as empty here.
"""

STATES_HEAD = """# Oxidation states of the elements hydrogen to lawrencium

Common and known oxidation states, separated by spaces; empty where none is known.

- file: oxidation_states.csv
- sha256: SHA256
- source: {versions}, written by scripts/build_element_table.py
- licence: published facts; mendeleev and pymatgen are MIT
- citation: mentel2014, ong2013
- features: common, known

Common are the main states of mendeleev, the positive states that both pymatgen's list and its
statistics of the Inorganic Crystal Structure Database hold, and Au +1, Np +4, Pu +3 and No +2. Known
are all that any source lists. The state 0 is left out.
"""


def write_elements(sources: Sources, columns: list[Column], refused: list[str]) -> None:
    """Write the table of elements."""
    flags = np.column_stack([column.gaps for column in columns])
    names = np.array([column.name for column in columns])
    header = ["element", *[column.label for column in columns], "imputed"]
    rows = [
        [symbol, *[number_text(column.values[i]) for column in columns], " ".join(names[flags[i]])]
        for i, symbol in enumerate(sources.symbols)
    ]
    described = ["| element | element |  | chemical symbol |"]
    for column in columns:
        meaning = column.meaning
        if column.gaps.any():
            unit = " in ln" if column.log else f" {column.unit}".rstrip()
            meaning += f"; {column.gaps.sum()} imputed, R² {column.r2:.2f}, error {column.error:.3g}{unit}"
        described.append(f"| {column.name} | {column.label} | {column.unit} | {meaning} |")
    described.append("| imputed | imputed |  | columns whose value was predicted for this element |")
    r2 = [column.r2 for column in columns if column.gaps.any()]
    head = ELEMENTS_HEAD.format(
        n=len(columns), versions=versions(), features=", ".join(names), cells=int(flags.sum()),
        all_cells=flags.size, low=min(r2), high=max(r2), refused=", ".join(refused),
    )  # fmt: skip
    write("elements", "element_table.csv", table_bytes(header, rows), head, described)
    LOG.info("%d columns, %d imputed cells, R2 %.2f to %.2f", len(columns), flags.sum(), min(r2), max(r2))


def write_states(states: pd.DataFrame) -> None:
    """Write the table of oxidation states."""
    meanings = {
        "element": "chemical symbol",
        "common": "states to try first",
        "known": "all states that a source lists",
        "source": "sources that list states of the element",
    }
    table = states[list(meanings)]
    rows = [f"| {name} | {name} |  | {meaning} |" for name, meaning in meanings.items()]
    payload = table_bytes(list(table), table.to_numpy().tolist())
    write("oxidation_states", "oxidation_states.csv", payload, STATES_HEAD.format(versions=versions()), rows)


def main() -> None:
    """Read, choose, fill, write."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymatgen warns for every element without a value
        sources = Sources()
        states = oxidation_states(sources)
        columns = [*computed_columns(sources, states), *tabulated_columns(sources)]
    write_elements(sources, *choose(columns))
    write_states(states)


if __name__ == "__main__":
    main()
