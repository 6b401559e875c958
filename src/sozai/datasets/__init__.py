"""Data with a birth certificate: bundled tables, checked downloads, and truths made to order."""

from sozai.datasets.dataset import Dataset
from sozai.datasets.fetch import (
    fetch_binary_alloys,
    fetch_formation_energies,
    fetch_hypermaterials,
    fetch_kmd_elements,
    fetch_octet_binaries,
    fetch_perovskites,
    fetch_polymers,
    fetch_stable_formulas,
)
from sozai.datasets.fetch_spectra import FileSet, NistProblem, fetch_nist_problems, fetch_xps_spectra
from sozai.datasets.load import (
    load_binary_alloy_elements,
    load_calculated_radii,
    load_elements,
    load_hydrogen_lines,
    load_nist_peaks,
    load_oxidation_states,
    load_planets,
    load_shannon_radii,
    load_triangle_area,
)
from sozai.datasets.make import make_collinear, make_planted_law
from sozai.datasets.make_spectra import MadeMap, make_spectrum, make_spectrum_map

__all__ = [
    "Dataset",
    "FileSet",
    "MadeMap",
    "NistProblem",
    "fetch_binary_alloys",
    "fetch_formation_energies",
    "fetch_hypermaterials",
    "fetch_kmd_elements",
    "fetch_nist_problems",
    "fetch_octet_binaries",
    "fetch_perovskites",
    "fetch_polymers",
    "fetch_stable_formulas",
    "fetch_xps_spectra",
    "load_binary_alloy_elements",
    "load_calculated_radii",
    "load_elements",
    "load_hydrogen_lines",
    "load_nist_peaks",
    "load_oxidation_states",
    "load_planets",
    "load_shannon_radii",
    "load_triangle_area",
    "make_collinear",
    "make_planted_law",
    "make_spectrum",
    "make_spectrum_map",
]
