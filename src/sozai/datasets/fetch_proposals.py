"""Published lists of candidates whose results are all known: campaigns can be replayed on them."""

from __future__ import annotations

from sozai.datasets.dataset import Dataset
from sozai.datasets.fetch import fetch_table

__all__ = ["fetch_al_si_zn_liquidus", "fetch_crossed_barrel", "fetch_grain_boundary_pool", "fetch_p3ht"]


def fetch_grain_boundary_pool() -> Dataset:
    """Fetch the energy of a copper grain boundary for 17,982 shifts of one grain against the other.

    Read from ``proposals/s5-210.csv`` in the folder that ``SOZAI_DATA`` names.

    Returns
    -------
    Dataset
        17,982 rows; features ``dx``, ``gb``, ``dz`` (Å), target ``energy`` (J/m²), to be minimized.

    Raises
    ------
    MissingDataError
        When the file is not there; the message says where it comes from.
    InputError
        When its SHA-256 is another.

    Examples
    --------
    >>> round(fetch_grain_boundary_pool().target.min(), 6)  # doctest: +SKIP
    0.95745
    """
    return fetch_table("grain_boundary_pool")


def fetch_crossed_barrel() -> Dataset:
    """Fetch the toughness of 600 designs of a printed part, tested three times each.

    Read from ``proposals/Crossed_barrel_dataset.csv`` in the folder that ``SOZAI_DATA`` names.

    Returns
    -------
    Dataset
        1,800 rows; features ``n``, ``theta`` (deg), ``r``, ``t`` (mm), target ``toughness`` (J), to be
        maximized. Rows of one design are replicates.

    Raises
    ------
    MissingDataError, InputError
        As for :func:`fetch_grain_boundary_pool`.

    Examples
    --------
    >>> fetch_crossed_barrel().frame.groupby(["n", "theta", "r", "t"]).ngroups  # doctest: +SKIP
    600
    """
    return fetch_table("crossed_barrel")


def fetch_p3ht() -> Dataset:
    """Fetch the conductivity of 178 blends of a polymer with carbon nanotubes.

    Read from ``proposals/P3HT_dataset.csv`` in the folder that ``SOZAI_DATA`` names.

    Returns
    -------
    Dataset
        233 rows; features ``P3HT``, ``D1``, ``D2``, ``D6``, ``D8`` (%), target ``conductivity`` (S/cm), to
        be maximized. Rows of one blend are replicates.

    Raises
    ------
    MissingDataError, InputError
        As for :func:`fetch_grain_boundary_pool`.

    Examples
    --------
    >>> fetch_p3ht().target.max()  # doctest: +SKIP
    1243.67
    """
    return fetch_table("p3ht")


def fetch_al_si_zn_liquidus() -> Dataset:
    """Fetch the liquidus temperature of Al-Si-Zn on a grid of 4 at.%.

    Read from ``proposals/nimo_al-si-zn_352.csv`` in the folder that ``SOZAI_DATA`` names.

    Returns
    -------
    Dataset
        351 rows; features ``Al``, ``Si``, ``Zn`` (at.%), target ``liquidus`` (K).

    Raises
    ------
    MissingDataError, InputError
        As for :func:`fetch_grain_boundary_pool`.

    Examples
    --------
    >>> fetch_al_si_zn_liquidus().target.min()  # doctest: +SKIP
    656.14
    """
    return fetch_table("al_si_zn_liquidus")
