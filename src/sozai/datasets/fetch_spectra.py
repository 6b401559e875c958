"""Published spectra and certified fits that stay where their owners put them: found, checked, read."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sozai.contracts.citations import BIBLIOGRAPHY, Citations
from sozai.contracts.errors import InputError, MissingDataError, sentence
from sozai.datasets.birth_certificate import BirthCertificate, read_certificate

__all__ = ["FileSet", "NistProblem", "fetch_nist_problems", "fetch_xps_spectra"]

_FILE = re.compile(r"^\| (\S+) \| ([0-9a-f]{64}) \|$", re.MULTILINE)
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_CERTIFIED = re.compile(
    rf"^\s*b(\d+)\s*=\s*({_NUMBER})\s+({_NUMBER})\s+({_NUMBER})\s+({_NUMBER})\s*$", re.MULTILINE
)


@dataclass(frozen=True, eq=False, repr=False)
class NistProblem:
    """One certified problem of non-linear regression.

    Attributes
    ----------
    name, level : str
        Name of the data set; ``"Lower"``, ``"Average"`` or ``"Higher"`` level of difficulty.
    formula : str
        The model as printed, in one line.
    x : ndarray of shape (n, n_predictors)
    y : ndarray of shape (n,)
    starts : ndarray of shape (2, p)
        Official starting values, the far one first.
    certified, certified_sd : ndarray of shape (p,)
        Parameters and their standard deviations, 11 digits.
    residual_sum, residual_sd : float
        Certified residual sum of squares and standard deviation.
    dof : int
        Degrees of freedom, n - p. (The file of Rat43 prints 9 for 11; its standard deviation used 11.)

    Examples
    --------
    >>> fetch_nist_problems()["Misra1a"]  # doctest: +SKIP
    NistProblem Misra1a (Lower): 14 points, 2 parameters, y = b1*(1-exp[-b2*x])  +  e
    """

    name: str
    level: str
    formula: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    starts: NDArray[np.float64]
    certified: NDArray[np.float64]
    certified_sd: NDArray[np.float64]
    residual_sum: float
    residual_sd: float
    dof: int

    def __repr__(self) -> str:
        size = f"{len(self.y)} points, {len(self.certified)} parameters"
        return f"NistProblem {self.name} ({self.level}): {size}, {self.formula}"


@dataclass(frozen=True, eq=False, repr=False)
class FileSet:
    """Files of one data set, each held against its SHA-256.

    Attributes
    ----------
    name : str
    paths : mapping of str to Path
        By file name.
    description : str
        Source, licence and checksums, in Markdown.
    citation : Citations
    truth : DataFrame
        What another program found in one of the files.

    Examples
    --------
    >>> fetch_xps_spectra()  # doctest: +SKIP
    FileSet xps_spectra: 25 files
    """

    name: str
    paths: Mapping[str, Path]
    description: str
    citation: Citations
    truth: pd.DataFrame

    def __repr__(self) -> str:
        return f"FileSet {self.name}: {len(self.paths)} files"


def fetch_nist_problems() -> Mapping[str, NistProblem]:
    """Fetch the 27 certified problems of non-linear regression, by name.

    The files belong in ``spectra/nist_strd`` in the folder that ``SOZAI_DATA`` names.

    Returns
    -------
    mapping of str to NistProblem

    Raises
    ------
    MissingDataError
        When a file is not there; the message says where it comes from.
    InputError
        When its SHA-256 is another.

    Examples
    --------
    >>> problems = fetch_nist_problems()  # doctest: +SKIP
    >>> problems["Gauss1"].certified[3]  # doctest: +SKIP
    np.float64(67.481111276)
    """
    certificate = read_certificate("nist_problems")
    payloads = _checked(certificate)
    problems = (_problem(payload.decode("ascii"), path) for path, payload in payloads.items())
    return MappingProxyType({problem.name: problem for problem in problems})


def fetch_xps_spectra() -> FileSet:
    """Fetch photoemission spectra in the formats of five instruments.

    The files belong in ``spectra/xps_csv``, ``spectra/xps_vamas`` and ``spectra/xps_pynx`` in the folder
    that ``SOZAI_DATA`` names; :func:`sozai.spectra.files.read_spectra` reads all that hold spectra.

    Returns
    -------
    FileSet
        ``truth`` holds the peaks that a commercial program found in ``FeO_analyzed.vms``: columns
        ``position`` and ``fwhm`` (eV) and ``area``.

    Raises
    ------
    MissingDataError, InputError
        As for :func:`fetch_nist_problems`.

    Examples
    --------
    >>> fetch_xps_spectra().truth["position"].to_list()  # doctest: +SKIP
    [709.03, 715.73, 722.18, 730.22]
    """
    certificate = read_certificate("xps_spectra")
    payloads = _checked(certificate)
    results = next(data for path, data in payloads.items() if path.name == "FeO_analyzed_results.csv")
    return FileSet(
        name=certificate.name,
        paths=MappingProxyType(
            {path.name: path for path in payloads if not path.name.endswith("_results.csv")}
        ),
        description=certificate.text,
        citation=Citations(BIBLIOGRAPHY[key] for key in certificate.fields["citation"].split(", ")),
        truth=_fitted_peaks(results.decode("ascii")),
    )


def _checked(certificate: BirthCertificate) -> dict[Path, bytes]:
    """Every file that the description lists, held against its checksum."""
    place = f"fetch_{certificate.name}"
    folder = os.environ.get("SOZAI_DATA", "")
    payloads = {}
    for file, sha256 in _FILE.findall(certificate.text):
        path = Path(folder, file)
        if not (folder and path.is_file()):
            looked = f"The file {path} does not exist" if folder else "SOZAI_DATA is not set"
            raise MissingDataError(
                f"{place}: the data must be on this machine. {looked}. It comes from "
                f"{certificate.fields['source']}. Set SOZAI_DATA to a folder that holds {file} "
                f"(SHA-256 {sha256[:12]}...)."
            )
        listed = replace(certificate, fields={**certificate.fields, "sha256": sha256})
        payloads[path] = listed.check(path.read_bytes(), place, path)
    return payloads


def _problem(text: str, path: Path) -> NistProblem:
    """One file: head with certified values, then rows of response and predictors."""
    lines = text.splitlines()
    head = "\n".join(lines[:60])
    rows = np.array(_CERTIFIED.findall(head), dtype=np.float64)
    first, last = (int(n) for n in _after(head, r"Data\s+\(lines\s+(\d+)\s+to\s+(\d+)\)", path))
    data = np.array([line.split() for line in lines[first - 1 : last]], dtype=np.float64)
    (n,) = _after(head, r"Number of Observations:\s+(\d+)", path)
    (n_parameters,) = _after(head, r"(\d+)\s+Parameters?\s+\(b1", path)
    if (len(data), len(rows)) != (int(n), int(n_parameters)):
        raise InputError(
            sentence(
                "fetch_nist_problems", "file", f"hold {n} observations and {n_parameters} parameters",
                (len(data), len(rows)), at=f"in '{path}'", remedy="Get the file again from its source.",
            )
        )  # fmt: skip
    residual_sum, residual_sd = (
        _after(head, rf"{words}:\s+({_NUMBER})", path)[0]
        for words in ("Residual Sum of Squares", "Residual Standard Deviation")
    )
    return NistProblem(
        _after(head, r"Dataset Name:\s+(\S+)", path)[0],
        _after(head, r"(\w+)\s+Level of Difficulty", path)[0],
        _formula(head),
        data[:, 1:].copy(),
        data[:, 0].copy(),
        rows[:, 1:3].T.copy(),
        rows[:, 3].copy(),
        rows[:, 4].copy(),
        float(residual_sum),
        float(residual_sd),
        len(data) - len(rows),
    )


def _after(head: str, pattern: str, path: Path) -> tuple[str, ...]:
    """Groups of a pattern that every file holds."""
    found = re.search(pattern, head)
    if found is None:
        raise InputError(
            sentence("fetch_nist_problems", "file", f"hold {pattern!r}", "nothing of it", at=f"in '{path}'")
        )
    return found.groups()


def _formula(head: str) -> str:
    """Return the model as printed, over several lines or one."""
    printed = re.search(r"\(b1[^)]*\)\s*\n(.*?)\n\s*\n\s*Starting", head, re.DOTALL | re.IGNORECASE)
    lines = printed.group(1).splitlines() if printed else []
    return " ".join(line.strip() for line in lines if line.strip())


def _fitted_peaks(text: str) -> pd.DataFrame:
    """Peaks of the first table of the program's report."""
    rows = [line.split("\t") for line in text.splitlines()]
    peaks = [row[1:4] for row in rows if len(row) >= 7 and re.fullmatch(_NUMBER, row[1])]
    return pd.DataFrame(np.array(peaks, dtype=np.float64), columns=["position", "fwhm", "area"])
