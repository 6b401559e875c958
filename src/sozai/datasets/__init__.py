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
from sozai.datasets.fetch_proposals import (
    fetch_al_si_zn_liquidus,
    fetch_crossed_barrel,
    fetch_grain_boundary_pool,
    fetch_p3ht,
)
from sozai.datasets.fetch_spectra import FileSet, NistProblem, fetch_nist_problems, fetch_xps_spectra
from sozai.datasets.load import (
    load_assimilation_example,
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
from sozai.datasets.make_phases import MadeSection, make_binary_section, make_ternary_section
from sozai.datasets.make_pools import make_noisy_pool, make_two_objective_pool
from sozai.datasets.make_sources import (
    MadeSources,
    make_assimilation_demo,
    make_magnet_pair,
    make_sine_pair,
)
from sozai.datasets.make_spectra import MadeMap, make_spectrum, make_spectrum_map
from sozai.datasets.make_water import make_water_diagram

__all__ = [
    "Dataset",
    "FileSet",
    "MadeMap",
    "MadeSection",
    "MadeSources",
    "NistProblem",
    "fetch_al_si_zn_liquidus",
    "fetch_binary_alloys",
    "fetch_crossed_barrel",
    "fetch_formation_energies",
    "fetch_grain_boundary_pool",
    "fetch_hypermaterials",
    "fetch_kmd_elements",
    "fetch_nist_problems",
    "fetch_octet_binaries",
    "fetch_p3ht",
    "fetch_perovskites",
    "fetch_polymers",
    "fetch_stable_formulas",
    "fetch_xps_spectra",
    "load_assimilation_example",
    "load_binary_alloy_elements",
    "load_calculated_radii",
    "load_elements",
    "load_hydrogen_lines",
    "load_nist_peaks",
    "load_oxidation_states",
    "load_planets",
    "load_shannon_radii",
    "load_triangle_area",
    "make_assimilation_demo",
    "make_binary_section",
    "make_collinear",
    "make_magnet_pair",
    "make_noisy_pool",
    "make_planted_law",
    "make_sine_pair",
    "make_spectrum",
    "make_spectrum_map",
    "make_ternary_section",
    "make_two_objective_pool",
    "make_water_diagram",
]
