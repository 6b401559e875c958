"""Published tables that stay where their owners put them: found, checked, read."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pandas as pd

from sozai.contracts.errors import MissingDataError
from sozai.contracts.optional import need
from sozai.datasets.birth_certificate import BirthCertificate, read_certificate
from sozai.datasets.dataset import Dataset

__all__ = ["fetch_binary_alloys", "fetch_octet_binaries", "fetch_perovskites"]


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
