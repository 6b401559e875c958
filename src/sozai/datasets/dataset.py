"""One table with its units, its meaning and its source: what every loader returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import pandas as pd

from sozai.contracts.citations import Citations

__all__ = ["Dataset"]


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A table and what must be known about it.

    Attributes
    ----------
    name : str
        Name of the data set.
    frame : DataFrame
        All columns, labels without units. Yours to change: every call of a
        loader reads the file anew.
    units : mapping of str to str or None
        Unit of every column; ``None`` for pure numbers and text.
    description : str
        Columns, units, source, licence and checksum, in Markdown.
    citation : Citations
        The papers to cite.
    feature_names : tuple of str
        Columns to explain the target with.
    target_name : str or None
        Column to explain.
    truth : DataFrame or None
        What is known by construction; made data sets only.

    Examples
    --------
    >>> from sozai.datasets import load_triangle_area
    >>> triangles = load_triangle_area()
    >>> triangles
    Dataset triangle_area: 20 rows, features base, height, target area
    >>> triangles.features.shape, triangles.target.name
    ((20, 2), 'area')
    """

    name: str
    frame: pd.DataFrame
    units: Mapping[str, str | None]
    description: str
    feature_names: tuple[str, ...]
    target_name: str | None = None
    citation: Citations = field(default_factory=lambda: Citations(()))
    truth: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", MappingProxyType(dict(self.units)))

    @property
    def features(self) -> pd.DataFrame:
        """Columns to explain the target with, a table of their own."""
        return self.frame[list(self.feature_names)].copy()

    @property
    def target(self) -> pd.Series | None:
        """Column to explain, or ``None``."""
        return None if self.target_name is None else self.frame[self.target_name].copy()

    def to_frame(self) -> pd.DataFrame:
        """Return the table as one writes it down, with the unit in each column's label.

        Examples
        --------
        >>> from sozai.datasets import load_calculated_radii
        >>> list(load_calculated_radii().to_frame())
        ['element', 'radius [Å]']
        """
        labels = {name: f"{name} [{unit}]" for name, unit in self.units.items() if unit}
        return self.frame.rename(columns=labels)

    def __repr__(self) -> str:
        text = f"Dataset {self.name}: {len(self.frame)} rows, features {', '.join(self.feature_names)}"
        return text if self.target_name is None else f"{text}, target {self.target_name}"
