"""Read a data set's description, and hold the file against it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import resources

import pandas as pd

from sozai.contracts.citations import BIBLIOGRAPHY, Citations
from sozai.contracts.errors import InputError
from sozai.datasets.dataset import Dataset

__all__ = ["BirthCertificate", "Column", "read_certificate"]

_FIELD = re.compile(r"^- (\w+): (.*)$", re.MULTILINE)
_ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([^|]*)\| ([^|]+) \|$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Column:
    """One row of a description's table."""

    name: str
    label: str
    unit: str | None
    meaning: str


@dataclass(frozen=True, slots=True)
class BirthCertificate:
    """What ``descriptions/<name>.md`` says, in a form that code can use."""

    name: str
    text: str
    fields: dict[str, str]
    columns: tuple[Column, ...]

    def check(self, payload: bytes, place: str, path: object) -> bytes:
        """Return the bytes when their SHA-256 is the one written down."""
        found = hashlib.sha256(payload).hexdigest()
        if found != self.fields["sha256"]:
            raise InputError(
                f"{place}: {path} must have the SHA-256 {self.fields['sha256']}. Got {found}. "
                "Get the file again from its source."
            )
        return payload

    def dataset(self, raw: pd.DataFrame) -> Dataset:
        """Join a raw table, labels as in the file, with what the description says."""
        frame = raw.rename(columns={column.label: column.name for column in self.columns})
        return Dataset(
            name=self.name,
            frame=frame[[column.name for column in self.columns]],
            units={column.name: column.unit for column in self.columns},
            description=self.text,
            feature_names=tuple(self.fields["features"].split(", ")),
            target_name=self.fields.get("target"),
            citation=Citations(BIBLIOGRAPHY[key] for key in self.fields["citation"].split(", ")),
        )


def read_certificate(name: str) -> BirthCertificate:
    """Read ``descriptions/<name>.md``.

    Examples
    --------
    >>> read_certificate("triangle_area").fields["target"]
    'area'
    """
    text = (resources.files("sozai.datasets") / "descriptions" / f"{name}.md").read_text(encoding="utf-8")
    rows = [tuple(cell.strip() for cell in row) for row in _ROW.findall(text)]
    columns = [Column(name, label, unit or None, meaning) for name, label, unit, meaning in rows]
    return BirthCertificate(name, text, dict(_FIELD.findall(text)), tuple(columns[1:]))
