"""Tables small and free enough to come with the package."""

from __future__ import annotations

import io
from importlib import resources

import pandas as pd

from sozai.datasets.birth_certificate import read_certificate
from sozai.datasets.dataset import Dataset

__all__ = [
    "load_binary_alloy_elements",
    "load_calculated_radii",
    "load_hydrogen_lines",
    "load_planets",
    "load_triangle_area",
]


def load_triangle_area() -> Dataset:
    """Load base, height and area of twenty triangles: the smallest law that is not linear.

    Returns
    -------
    Dataset
        Columns ``area``, ``base``, ``height``; target ``area``.

    Examples
    --------
    >>> load_triangle_area().frame.shape
    (20, 3)
    """
    return _load("triangle_area")


def load_hydrogen_lines() -> Dataset:
    """Load the wavelengths of hydrogen, printed and in vacuum, with their two quantum numbers.

    Returns
    -------
    Dataset
        Columns ``series``, ``n1``, ``n2``, ``wavelength`` (nm, vacuum),
        ``printed_wavelength`` (nm) and ``medium``; target ``wavelength``.

    Notes
    -----
    Against the Rydberg formula every line is short by 3 to 13 parts in a
    million, the fine structure, which the formula does not know.

    Examples
    --------
    >>> lines = load_hydrogen_lines().frame
    >>> lines.loc[(lines.n1 == 2) & (lines.n2 == 3), "wavelength"].round(2).item()
    656.46
    """
    return _load("hydrogen_lines")


def load_binary_alloy_elements() -> Dataset:
    """Load moments and valences of the 3d elements, from which the alloys' descriptors are built.

    Returns
    -------
    Dataset
        Columns ``element``, ``M_P`` (μB), ``Z``, ``M_I_in_Fe`` and
        ``M_I_Fe_in`` (μB); no target.

    See Also
    --------
    fetch_binary_alloys : The 99 alloys, with the same numbers at full precision.

    Examples
    --------
    >>> load_binary_alloy_elements().frame.set_index("element").loc["Co", "M_I_Fe_in"].item()
    2.673
    """
    return _load("binary_alloy_elements")


def load_planets() -> Dataset:
    """Load semi-major axis and period of the eight planets: a law that has no target.

    Returns
    -------
    Dataset
        Columns ``planet``, ``a`` (AU) and ``T`` (yr); target ``T``.

    See Also
    --------
    sozai.symbolic.invariants.find_invariants : Finds Kepler's third law in them.

    Examples
    --------
    >>> planets = load_planets().frame
    >>> (planets.a**3 / planets["T"] ** 2).round(2).unique().tolist()
    [1.0]
    """
    return _load("planets")


def load_calculated_radii() -> Dataset:
    """Load calculated radii of the free atoms, hydrogen to radon.

    Returns
    -------
    Dataset
        Columns ``element`` and ``radius`` (Å); no target.

    Examples
    --------
    >>> load_calculated_radii().frame.set_index("element").loc[["Na", "Cl"], "radius"].to_list()
    [1.9, 0.79]
    """
    return _load("calculated_radii")


def _load(name: str) -> Dataset:
    """One bundled table, held against its description."""
    certificate = read_certificate(name)
    file = resources.files("sozai.datasets") / "data" / certificate.fields["file"]
    payload = certificate.check(file.read_bytes(), f"load_{name}", file)
    return certificate.dataset(pd.read_csv(io.BytesIO(payload), encoding="utf-8"))
