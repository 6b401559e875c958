"""Tables small and free enough to come with the package."""

from __future__ import annotations

import io
from importlib import resources

import pandas as pd

from sozai.datasets.birth_certificate import read_certificate
from sozai.datasets.dataset import Dataset

__all__ = [
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


def load_assimilation_example() -> Dataset:
    """Load five calculated and three measured values of one quantity: the smallest table of two sources.

    Returns
    -------
    Dataset
        Columns ``x``, ``simulation`` and ``experiment`` (two empty cells); target ``experiment``.

    See Also
    --------
    make_assimilation_demo : A curve that is known everywhere, calculated and measured.

    Examples
    --------
    >>> load_assimilation_example().frame["experiment"].tolist()
    [1000.0, 994.0, nan, 965.0, nan]
    """
    return _load("assimilation_example")


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


def load_nist_peaks() -> Dataset:
    """Load two peaks on a falling background, three times, each with a certified fit.

    Returns
    -------
    Dataset
        Columns ``problem`` (Gauss1, Gauss2, Gauss3), ``x`` and ``y``; target ``y``. The description holds
        the certified parameters.

    See Also
    --------
    fetch_nist_problems : All 27 problems of the collection, with their official starts.

    Examples
    --------
    >>> load_nist_peaks().frame.groupby("problem").size().to_dict()
    {'Gauss1': 250, 'Gauss2': 250, 'Gauss3': 250}
    """
    return _load("nist_peaks")


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


def load_shannon_radii() -> Dataset:
    """Load the effective ionic radii of Shannon, by charge, coordination number and spin.

    Returns
    -------
    Dataset
        Columns ``element``, ``charge``, ``coordination``, ``geometry``, ``spin`` and ``radius`` (Å); no
        target. An empty ``geometry`` or ``spin`` is the usual one.

    See Also
    --------
    load_calculated_radii : Radii of free atoms.

    Examples
    --------
    >>> radii = load_shannon_radii().frame.query("element == 'La' and charge == 3")
    >>> radii.set_index("coordination")["radius"].loc[[6, 12]].to_list()
    [1.032, 1.36]
    """
    dataset = _load("shannon_radii")
    words = ["geometry", "spin"]
    dataset.frame[words] = dataset.frame[words].fillna("")
    return dataset


def load_elements() -> Dataset:
    """Load 59 properties of the elements hydrogen to lawrencium, without gaps.

    Returns
    -------
    Dataset
        103 rows. Column ``imputed`` names, for each element, the properties
        that were predicted and not tabulated; no target.

    See Also
    --------
    sozai.composition.elements.ComponentTable : The same table, with flags as an array.

    Notes
    -----
    Written by ``scripts/build_element_table.py``; the description says how
    each property was measured and how well its gaps can be predicted.

    Examples
    --------
    >>> elements = load_elements()
    >>> elements.frame.set_index("element").loc["Fe", ["atomic_number", "en_pauling"]].to_list()
    [26.0, 1.83]
    >>> elements.units["melting_point"]
    'K'
    """
    return _load("elements")


def load_oxidation_states() -> Dataset:
    """Load common and known oxidation states of the elements hydrogen to lawrencium.

    Returns
    -------
    Dataset
        Columns ``element``, ``common`` and ``known`` (numbers separated by
        spaces, empty where there are none) and ``source``; no target.

    See Also
    --------
    sozai.composition.elements.oxidation_states : The same, as tuples of integers.

    Examples
    --------
    >>> load_oxidation_states().frame.set_index("element").loc["Fe", "common"]
    '2 3'
    """
    dataset = _load("oxidation_states")
    dataset.frame[["common", "known"]] = dataset.frame[["common", "known"]].fillna("")
    return dataset


def _load(name: str) -> Dataset:
    """One bundled table, held against its description."""
    certificate = read_certificate(name)
    file = resources.files("sozai.datasets") / "data" / certificate.fields["file"]
    payload = certificate.check(file.read_bytes(), f"load_{name}", file)
    return certificate.dataset(pd.read_csv(io.BytesIO(payload), encoding="utf-8"))
