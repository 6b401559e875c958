"""Data with a birth certificate: bundled tables, checked downloads, and truths made to order."""

from sozai.datasets.dataset import Dataset
from sozai.datasets.fetch import fetch_binary_alloys, fetch_octet_binaries, fetch_perovskites
from sozai.datasets.load import (
    load_binary_alloy_elements,
    load_calculated_radii,
    load_hydrogen_lines,
    load_planets,
    load_triangle_area,
)
from sozai.datasets.make import make_collinear, make_planted_law

__all__ = [
    "Dataset",
    "fetch_binary_alloys",
    "fetch_octet_binaries",
    "fetch_perovskites",
    "load_binary_alloy_elements",
    "load_calculated_radii",
    "load_hydrogen_lines",
    "load_planets",
    "load_triangle_area",
    "make_collinear",
    "make_planted_law",
]
