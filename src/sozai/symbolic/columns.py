"""Names, units and conversion of the columns a law is built from."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sozai.contracts.errors import InputError, UnitError, sentence
from sozai.contracts.units import convert, parse_unit, split_unit

__all__ = ["PrimaryColumns"]

_log = logging.getLogger("sozai.symbolic")


@dataclass(frozen=True)
class PrimaryColumns:
    """Names and units in which the columns of a table enter a law.

    Attributes
    ----------
    labels : tuple of str
        Column labels as given, e.g. ``"r_A [Å]"``.
    names : tuple of str
        Labels without units, e.g. ``"r_A"``.
    given_units, units : dict of str to str or None
        Unit as given, and the unit in which the column enters the law: the
        first one that occurs for its dimension; kelvin for °C and °F.
    target, target_unit : str or None
        Name and unit of the target.

    Examples
    --------
    >>> import numpy as np
    >>> columns = PrimaryColumns.read(["r_A [Å]", "a [nm]"])
    >>> columns.names, columns.units
    (('r_A', 'a'), {'r_A': 'Å', 'a': 'Å'})
    >>> columns.convert(np.array([[1.0, 0.5]])).tolist()
    [[1.0, 5.0]]
    """

    labels: tuple[str, ...]
    names: tuple[str, ...]
    given_units: dict[str, str | None]
    units: dict[str, str | None]
    target: str | None = None
    target_unit: str | None = None

    @classmethod
    def read(
        cls, labels: Sequence[str], dimensions: str | Mapping[str, str] = "infer", target: str | None = None
    ) -> PrimaryColumns:
        """Take labels apart and choose one unit for every physical dimension.

        Parameters
        ----------
        labels : sequence of str
        dimensions : {"infer", "ignore"} or mapping of str to str
            As in :class:`sozai.symbolic.regressor.SymbolicRegressor`; keys are
            labels or names, the target's among them.
        target : str, optional
            Label of the target.

        Raises
        ------
        InputError
            If a key of ``dimensions`` names no column.
        """
        labels = tuple(str(label) for label in labels)
        parts = [split_unit(label) for label in labels]
        names = [name for name, _ in parts]
        if len(set(names)) < len(names):
            names = list(labels)
        target_name, target_unit = split_unit(target) if target is not None else (None, None)
        given = dict(zip(names, (unit for _, unit in parts), strict=True))
        if isinstance(dimensions, Mapping):
            target_unit = _declare(
                given, dict(zip(labels, names, strict=True)), dimensions, target, target_unit
            )
        if dimensions == "ignore":
            return cls(labels, tuple(names), given, dict(given), target_name, target_unit)
        return cls(labels, tuple(names), given, _common_units(given), target_name, target_unit)

    @property
    def dimensions(self) -> dict[str, str] | None:
        """Units the generation may compare, or None where no column has one."""
        known = {name: unit for name, unit in self.units.items() if unit is not None and _known(unit)}
        return known or None

    def aligned(self, table):
        """Table whose labels are those of the fit, for one that names or measures its columns otherwise.

        Parameters
        ----------
        table : DataFrame
            ``"T [K]"`` stands for ``"T"`` and the other way round; a column in
            another unit of the same dimension is converted.

        Raises
        ------
        UnitError
            The unit of a column cannot be converted to that of the fit.
        """
        present = {str(label): label for label in table.columns}
        if all(label in present for label in self.labels):
            return table
        parts = {split_unit(label)[0]: (given, split_unit(label)[1]) for label, given in present.items()}
        renamed, converted = {}, {}
        for label, name in zip(self.labels, self.names, strict=True):
            if label in present or name not in parts:
                continue
            given, unit = parts[name]
            renamed[given] = label
            wanted = self.given_units[name]
            if unit is not None and wanted is not None and unit != wanted:
                converted[given] = convert(table[given].to_numpy(dtype=np.float64), unit, wanted)
        return table.assign(**converted).rename(columns=renamed)

    def convert(self, X: np.ndarray) -> np.ndarray:
        """Copy of the values in the law's units, shape (n_samples, n_columns)."""
        X = np.array(X, dtype=np.float64)
        for j, name in enumerate(self.names):
            given, unit = self.given_units[name], self.units[name]
            if given is not None and given != unit:
                X[:, j] = convert(X[:, j], given, unit)
        return X


def _declare(
    given: dict[str, str | None],
    names: dict[str, str],
    dimensions: Mapping[str, str],
    target: str | None,
    target_unit: str | None,
) -> str | None:
    """Put declared units over those of the labels; return the target's."""
    for key, unit in dimensions.items():
        name = names.get(key, key)
        if name in given:
            given[name] = unit
        elif target is not None and key in (target, split_unit(target)[0]):
            target_unit = unit
        else:
            raise InputError(
                sentence(
                    "SymbolicRegressor",
                    "dimensions",
                    f"name columns of the table ({', '.join(given)})",
                    key,
                    remedy="Check the spelling.",
                )
            )
    return target_unit


def _known(unit: str) -> bool:
    """Whether our table of units has it; the empty text is a pure number."""
    try:
        parse_unit(unit)
    except UnitError:
        return unit.strip() == ""
    return True


def _common_units(given: dict[str, str | None]) -> dict[str, str | None]:
    """First unit of every dimension; an unknown unit is warned about and stays alone."""
    first: dict[tuple, str] = {}
    chosen: dict[str, str | None] = {}
    for name, unit in given.items():
        chosen[name] = unit
        if unit is None or unit.strip() == "":
            continue
        try:
            parsed = parse_unit(unit)
        except UnitError as error:
            warnings.warn(
                f"SymbolicRegressor.fit: the unit {unit!r} of {name!r} is not known, so the column is "
                f"never added to another. {error}",
                UserWarning,
                stacklevel=4,
            )
            continue
        if not parsed.dimension:
            continue
        absolute = unit if parsed.offset == 0 else "K"  # products and reciprocals need a true zero
        reference = first.setdefault(parsed.dimension, absolute)
        if reference != unit:
            _log.info("%s is converted from %s to %s.", name, unit, reference)
            chosen[name] = reference
    return chosen
