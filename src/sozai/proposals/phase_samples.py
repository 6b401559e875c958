"""Results of a phase diagram as told: labels read, spelled alike, doubted, with compositions of phases."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.proposals.coexistence import Coexistence, LeverRule
from sozai.proposals.phase_cells import split_phases
from sozai.proposals.phase_coordinates import PhaseCoordinates

__all__ = ["PhaseSample", "canonical_phase", "implied_labels", "similar_phase"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PhaseSample:
    """One result.

    Attributes
    ----------
    number : int
        In the order told, from 0.
    row : int
        Row of the list; -1 for a point outside it.
    point : ndarray of shape (p,)
        Descriptors.
    label : str
        Canonical set of phases.
    coexistence : Coexistence or None
    lever : LeverRule or None
    replicate : str or None

    Examples
    --------
    >>> PhaseSample(0, 3, np.zeros(2), "A+B").label
    'A+B'
    """

    number: int
    row: int
    point: Array
    label: str
    coexistence: Coexistence | None = None
    lever: LeverRule | None = None
    replicate: str | None = None


def canonical_phase(phase: Any, known: Iterable[str], *, place: str, at: str) -> str:
    """Label as it was first written, whatever the order of its phases.

    Parameters
    ----------
    phase : str
    known : iterable of str
        Labels so far.
    place, at : str
        Who asks, and for which point.

    Raises
    ------
    InputError
        For a phase that is no text, or empty.

    Examples
    --------
    >>> canonical_phase("LIQUID + FCC", ["FCC+LIQUID"], place="tell", at="")
    'FCC+LIQUID'
    """
    if not isinstance(phase, str):
        raise InputError(
            f"{place}: phase must be text. Got {phase!r} ({type(phase).__name__}) {at}. "
            "Write phases as text, e.g. 'alpha'."
        )
    parts = split_phases(phase)
    if not parts:
        raise InputError(sentence(place, "phase", "be text", phase, at=at, remedy="Name the phases found."))
    key = sorted(parts)
    for label in known:
        if sorted(split_phases(label)) == key:
            return label
    return "+".join(parts)


def similar_phase(phase: str, known: Iterable[str]) -> str | None:
    """Known phase of nearly the same spelling, if any.

    Notes
    -----
    The same letters and digits in another punctuation or case, two neighbors swapped, or one letter too
    many or too few; another digit or letter is another phase.

    Examples
    --------
    >>> similar_phase("FCCA1", ["FCC_A1", "HCP_A3"]), similar_phase("BCC_A2", ["BCC_B2"])
    ('FCC_A1', None)
    """
    plain = _plain(phase)
    for other in known:
        if other == phase:
            return None
    for other in known:
        theirs = _plain(other)
        if plain == theirs or (min(len(plain), len(theirs)) >= 4 and _slipped(plain, theirs)):
            return other
    return None


def implied_labels(
    sample: PhaseSample, coordinates: PhaseCoordinates, labels: Iterable[str], margin: float = 0.0
) -> list[tuple[str, Array]]:
    """Labels that the compositions of the phases of a sample imply, with their descriptors.

    Parameters
    ----------
    sample : PhaseSample
    coordinates : PhaseCoordinates
    labels : iterable of str
        Known labels, so that sets are spelled alike.
    margin : float, default=0
        See :meth:`~sozai.proposals.coexistence.Coexistence.implied`.

    Returns
    -------
    list of (str, ndarray of shape (p,))
        Other conditions are those of the sample.
    """
    if sample.coexistence is None:
        return []
    known = list(labels)
    found = []
    for label, fractions in sample.coexistence.implied(margin):
        point = np.array(sample.point)
        point[list(coordinates.composition)] = coordinates.whole * fractions
        name = canonical_phase(label, known, place="tell", at="")
        known.append(name)
        found.append((name, point))
    return found


def read_coexistence(
    phase: str, compositions: Any, fractions: Array | None, tolerance: float, *, place: str, at: str
) -> tuple[Coexistence | None, LeverRule | None]:
    """Compositions of the phases of a sample, and their amounts.

    Returns
    -------
    coexistence : Coexistence or None
        None, after a warning, where the sample is no mixture of its phases within the tolerance.
    lever : LeverRule or None
    """
    if compositions is None:
        return None, None
    if fractions is None:
        raise InputError(
            sentence(place, "compositions", "belong to candidates with a composition", at=at,
                     remedy="Name its columns by composition=.")
        )  # fmt: skip
    field = (
        compositions
        if isinstance(compositions, Coexistence)
        else Coexistence(split_phases(phase), compositions, place=place)
    )
    if sorted(field.phases) != sorted(split_phases(phase)):
        raise InputError(
            sentence(place, "compositions", f"be of the phases in {phase!r}", field.label, at=at)
        )
    if field.compositions.shape[1] != len(fractions):
        raise InputError(
            sentence(place, "compositions", f"have {len(fractions)} columns, one a component",
                     field.compositions.shape[1], at=at)
        )  # fmt: skip
    lever = field.lever(fractions)
    if lever.residual > tolerance:
        warnings.warn(
            f"{place}: the sample {at} is no mixture of its phases: it lies {100 * lever.residual:.2g} at.% "
            f"away (tolerance {100 * tolerance:.2g} at.%). Its compositions were not used.",
            UserWarning,
            stacklevel=3,
        )
        return None, lever
    return field, lever


def _plain(phase: str) -> str:
    return re.sub(r"[\W_]+", "", phase).casefold()


def _slipped(a: str, b: str) -> bool:
    """Whether two words differ by one letter more or by two neighbors swapped."""
    if len(a) == len(b):
        differ = [k for k in range(len(a)) if a[k] != b[k]]
        swapped = len(differ) == 2 and differ[1] == differ[0] + 1
        return swapped and a[differ[0]] == b[differ[1]] and a[differ[1]] == b[differ[0]]
    long, short = (a, b) if len(a) > len(b) else (b, a)
    if len(long) != len(short) + 1:
        return False
    return any(long[:k] + long[k + 1 :] == short and long[k].isalpha() for k in range(len(long)))
