"""Published tables that stay where their owners put them: found, checked, read."""

from __future__ import annotations

import ast
import io
import os
from dataclasses import replace
from pathlib import Path

import pandas as pd

from sozai.contracts.errors import MissingDataError
from sozai.contracts.optional import need
from sozai.datasets.birth_certificate import BirthCertificate, read_certificate
from sozai.datasets.dataset import Dataset

__all__ = [
    "fetch_binary_alloys",
    "fetch_formation_energies",
    "fetch_hypermaterials",
    "fetch_kmd_elements",
    "fetch_octet_binaries",
    "fetch_perovskites",
    "fetch_polymers",
    "fetch_stable_formulas",
]


def fetch_octet_binaries() -> Dataset:
    """Fetch the energy of rock salt against zinc blende for 82 octet compounds AB.

    The file is never downloaded, because its owners state no licence: put it
    at ``symbolic/octet82.csv`` in the folder that ``SOZAI_DATA`` names.

    Returns
    -------
    Dataset
        82 rows; target ``energy_diff`` (eV/atom), features of the free atoms.

    Raises
    ------
    MissingDataError
        When the file is not there; the message says where it comes from.
    InputError
        When its SHA-256 is another.

    Examples
    --------
    >>> octet = fetch_octet_binaries()  # doctest: +SKIP
    >>> octet.units["r_s_A"]  # doctest: +SKIP
    'Å'
    """
    certificate = read_certificate("octet_binaries")
    return certificate.dataset(pd.read_csv(io.BytesIO(_bytes(certificate))))


def fetch_binary_alloys() -> Dataset:
    """Fetch the magnetic moments of nine binary alloys X-Fe at eleven compositions.

    The file belongs at ``symbolic/slater_pauling_99.dat`` in the folder that
    ``SOZAI_DATA`` names.

    Returns
    -------
    Dataset
        99 rows; target ``M`` (μB/atom), features ``x`` (fraction of B), ``M_A``,
        ``Z_A``, ``M_B``, ``Z_B``, ``M_AB``, ``M_BA``.

    Raises
    ------
    MissingDataError, InputError
        As for :func:`fetch_octet_binaries`.

    Examples
    --------
    >>> fetch_binary_alloys().frame.loc[1, ["A", "B", "x"]].to_list()  # doctest: +SKIP
    ['Sc', 'Fe', 0.1]
    """
    certificate = read_certificate("binary_alloys")
    table = pd.read_csv(io.BytesIO(_bytes(certificate)), sep=r"\s+", engine="python")
    labels = table.index.str.strip("()").str.split(",", expand=True)
    elements = pd.DataFrame({"A": labels.get_level_values(0), "B": labels.get_level_values(1)})
    raw = pd.concat([elements, table.reset_index(drop=True)], axis=1)
    return certificate.dataset(raw)


def fetch_perovskites() -> Dataset:
    """Fetch which of 576 compounds ABX3 are perovskites, with radii and tolerance factors.

    Read from ``symbolic/bartel2019_TableS1_576_ABX3.csv`` in the folder that
    ``SOZAI_DATA`` names; otherwise downloaded once from the authors'
    repository (MIT licence) into the user's cache.

    Returns
    -------
    Dataset
        576 rows; target ``label`` (1 perovskite, -1 not).

    Raises
    ------
    MissingDataError, InputError
        As for :func:`fetch_octet_binaries`.

    Examples
    --------
    >>> int((fetch_perovskites().target > 0).sum())  # doctest: +SKIP
    313
    """
    certificate = read_certificate("perovskites")
    dataset = certificate.dataset(pd.read_csv(io.BytesIO(_bytes(certificate))))
    dataset.frame["label"] = dataset.frame["label"].astype("int64")
    return dataset


def fetch_kmd_elements() -> Dataset:
    """Fetch the 58 features of 94 elements that the study of kernel mean descriptors used.

    Read from ``composition/element_features.csv`` in the folder that
    ``SOZAI_DATA`` names.

    Returns
    -------
    Dataset
        94 rows, hydrogen to plutonium; no target.

    Raises
    ------
    MissingDataError, InputError
        As for :func:`fetch_octet_binaries`.

    Notes
    -----
    Gaps were filled without a flag: the bulk modulus of hydrogen is 56.8 GPa
    here. ``num_valance`` and ``num_unfilled`` are the sums of their four
    parts, so a linear model on all features has no single solution.

    Examples
    --------
    >>> fetch_kmd_elements().frame.shape  # doctest: +SKIP
    (94, 59)
    """
    return fetch_table("kmd_elements")


def fetch_stable_formulas() -> Dataset:
    """Fetch the formation energies of 35,463 stable compounds of the Materials Project.

    Read from ``composition/MP_stable_formula_20220807.csv`` in the folder that
    ``SOZAI_DATA`` names.

    Returns
    -------
    Dataset
        Column ``formula``; target ``formation_energy`` (eV/atom).

    Raises
    ------
    MissingDataError, InputError
        As for :func:`fetch_octet_binaries`.

    Examples
    --------
    >>> len(fetch_stable_formulas().frame)  # doctest: +SKIP
    35463
    """
    return fetch_table("stable_formulas")


def fetch_formation_energies() -> Dataset:
    """Fetch the formation energies of 132,752 crystals, many of them of one formula.

    Read from ``composition/crabnet_matbench_mp_e_form.csv`` in the folder that
    ``SOZAI_DATA`` names.

    Returns
    -------
    Dataset
        Column ``formula``; target ``formation_energy`` (eV/atom).

    Raises
    ------
    MissingDataError, InputError
        As for :func:`fetch_octet_binaries`.

    Notes
    -----
    Polymorphs share a formula: split by formula, or the test rows are known.

    Examples
    --------
    >>> fetch_formation_energies().frame.loc[0, "formula"]  # doctest: +SKIP
    'C1Pt1'
    """
    return fetch_table("formation_energies")


def fetch_hypermaterials() -> Dataset:
    """Fetch 80 quasicrystals, 78 approximants and 10,000 other compositions.

    Read from ``composition/xenonpy_hypermaterials_QC_AC_data.csv`` and
    ``composition/xenonpy_hypermaterials_OTHERS_data.csv`` in the folder that
    ``SOZAI_DATA`` names.

    Returns
    -------
    Dataset
        10,158 rows; columns ``name`` (as in the files), ``formula`` and
        ``for_test`` (the published split); target ``label``: ``"QC"``,
        ``"AC"`` or ``"OTHERS"``.

    Raises
    ------
    MissingDataError, InputError
        As for :func:`fetch_octet_binaries`.

    Examples
    --------
    >>> fetch_hypermaterials().target.value_counts().to_dict()  # doctest: +SKIP
    {'OTHERS': 10000, 'QC': 80, 'AC': 78}
    """
    certificate = read_certificate("hypermaterials")
    parts = [pd.read_csv(io.BytesIO(_bytes(part))) for part in (certificate, _part(certificate, "others"))]
    raw = pd.concat(parts, ignore_index=True)
    raw["composition"] = raw["composition"].map(_formula)
    return certificate.dataset(raw)


def fetch_polymers() -> Dataset:
    """Fetch four properties of 500 polymers with their repeating units.

    Read from ``composition/xenonpy_polymer_test_data.csv`` in the folder that
    ``SOZAI_DATA`` names.

    Returns
    -------
    Dataset
        Columns ``smiles`` (``[*]`` marks the ends of the unit), ``band_gap``
        (eV), ``refractive_index``, ``density`` (g/cm³) and
        ``glass_transition_temperature`` (K), which is the target.

    Raises
    ------
    MissingDataError, InputError
        As for :func:`fetch_octet_binaries`.

    Examples
    --------
    >>> fetch_polymers().frame.shape  # doctest: +SKIP
    (500, 5)
    """
    return fetch_table("polymers")


def fetch_table(name: str) -> Dataset:
    """One CSV file below ``SOZAI_DATA``, held against its description.

    Parameters
    ----------
    name : str
        Of the description, ``descriptions/<name>.md``.

    Returns
    -------
    Dataset
    """
    certificate = read_certificate(name)
    return certificate.dataset(pd.read_csv(io.BytesIO(_bytes(certificate)), keep_default_na=False))


def _part(certificate: BirthCertificate, part: str) -> BirthCertificate:
    """Return the certificate of a further file of the set."""
    fields = certificate.fields
    other = {"file": fields[f"file_{part}"], "sha256": fields[f"sha256_{part}"]}
    return replace(certificate, fields={**fields, **other})


def _formula(amounts: str) -> str:
    """Turn ``{'Zn': 58.0, 'Mg': 40.0}`` into ``Zn58Mg40``."""
    return "".join(f"{symbol}{float(amount):g}" for symbol, amount in ast.literal_eval(amounts).items())


def _bytes(certificate: BirthCertificate) -> bytes:
    """Read the file from ``SOZAI_DATA``, else from the licensed address, else say where it comes from."""
    place = f"fetch_{certificate.name}"
    folder = os.environ.get("SOZAI_DATA", "")
    path = Path(folder, certificate.fields["file"])
    if folder and path.is_file():
        return certificate.check(path.read_bytes(), place, path)
    if "url" in certificate.fields:
        return _download(certificate, place)
    looked = f"The file {path} does not exist" if folder else "SOZAI_DATA is not set"
    raise MissingDataError(f"{place}: the data must be on this machine. {_where(certificate, looked)}")


def _download(certificate: BirthCertificate, place: str) -> bytes:
    """File from the licensed address, kept in the user's cache and checked on every read."""
    pooch = need("pooch", for_=f"downloading the data of {place}")
    pooch.get_logger().setLevel("WARNING")
    try:
        path = pooch.retrieve(
            certificate.fields["url"],
            known_hash=f"sha256:{certificate.fields['sha256']}",
            fname=Path(certificate.fields["file"]).name,
            path=pooch.os_cache("sozai"),
        )
    except (OSError, ValueError) as error:
        raise MissingDataError(
            f"{place}: the data must be on this machine or be downloadable. "
            + _where(certificate, f"The download from {certificate.fields['url']} failed ({error})")
        ) from error
    return certificate.check(Path(path).read_bytes(), place, path)


def _where(certificate: BirthCertificate, looked: str) -> str:
    """Say where the file comes from and where to put it."""
    fields = certificate.fields
    return (
        f"{looked}. It comes from {fields['source']}. "
        f"Set SOZAI_DATA to a folder that holds {fields['file']} (SHA-256 {fields['sha256'][:12]}...)."
    )
