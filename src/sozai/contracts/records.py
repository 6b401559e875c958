"""Frozen result records shared by rooms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Failure", "Proposal", "digits_of", "with_error"]


@dataclass(frozen=True, slots=True)
class Failure:
    """One piece of work that could not be done, among others that could.

    Attributes
    ----------
    index : int
        Which piece: the position in the list of results.
    name : str
        Name of the function that was to do it.
    kind : str
        The exception that ended it, e.g. ``"TerminatedWorkerError"``.
    message : str
        What happened and what to do, in one sentence.

    Examples
    --------
    >>> Failure(3, "screen", "KilledWorker", "The worker died twice. Use smaller chunks.")
    Failure: screen, chunk 3: The worker died twice. Use smaller chunks.
    """

    index: int
    name: str
    kind: str
    message: str

    def __repr__(self) -> str:
        return f"Failure: {self.name}, chunk {self.index}: {self.message}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One candidate worth measuring next, and why.

    Attributes
    ----------
    id : str
        Identity of the candidate, a hash of its descriptor values: 12 hexadecimal digits.
    index : int or None
        Row of the candidate list, from 0; None in a continuous space.
    x : dict of str to value
        Descriptors by name, as the user wrote them.
    score : float
        What the proposer maximized.
    mean, std : float or dict of str to float
        Prediction in the user's unit and sign: a number for one objective, a
        mapping for several; NaN where there is no model.
    reason : str
        One sentence.
    round : int
        Round of the campaign in which it was proposed.
    model, version : str
        Who proposed, and the version of the package.
    source : str
        What is to be done there, where there is a choice: ``"experiment"`` or ``"simulation"``; else empty.

    Examples
    --------
    >>> proposal = Proposal("0f3a5c7e9b1d", 7, {"x": 0.5}, -1.2, 412.0, 31.0, "Highest expected improvement.")
    >>> proposal
    Proposal(row 7, x=0.5, 412 ± 31, score -1.2)
    >>> proposal.to_frame().loc[0, ["x", "mean"]].tolist()
    [0.5, 412.0]
    """

    id: str
    index: int | None
    x: dict[str, Any]
    score: float
    mean: float | dict[str, float]
    std: float | dict[str, float]
    reason: str
    round: int = 0
    model: str = ""
    version: str = ""
    source: str = ""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Proposal):
            return NotImplemented
        mine = [getattr(self, name) for name in self.__slots__]
        theirs = [getattr(other, name) for name in other.__slots__]
        return all(map(_same, mine, theirs))

    def __hash__(self) -> int:
        return hash((self.id, self.index, self.round, self.source))

    def __repr__(self) -> str:
        where = f"row {self.index}" if self.index is not None else self.id
        values = [f"{name}={_shown(value)}" for name, value in self.x.items()]
        if isinstance(self.mean, dict) and isinstance(self.std, dict):
            predicted = [
                f"{name} {with_error(mean, self.std[name])}"
                for name, mean in self.mean.items()
                if not math.isnan(mean)
            ]
        else:
            both = isinstance(self.mean, float) and isinstance(self.std, float)
            predicted = [with_error(self.mean, self.std)] if both and not math.isnan(self.mean) else []  # type: ignore[arg-type]
        named = [self.source] if self.source else []
        parts = [where, *named, *values, *predicted, f"score {_shown(self.score)}"]
        return f"Proposal({', '.join(parts)})"

    def to_frame(self) -> pd.DataFrame:
        """One row: id, index, source if any, descriptors, score, mean and std, reason, round."""
        import pandas as pd

        named = {"source": self.source} if self.source else {}
        row: dict[str, Any] = {"id": self.id, "index": self.index, **named, **self.x, "score": self.score}
        for word, value in (("mean", self.mean), ("std", self.std)):
            if isinstance(value, dict):
                row |= {f"{word} {name}": number for name, number in value.items()}
            else:
                row[word] = value
        row |= {"reason": self.reason, "round": self.round, "model": self.model, "version": self.version}
        return pd.DataFrame([row])


def with_error(value: float | None, error: float | None) -> str:
    """Value and error to the second digit of the error.

    Parameters
    ----------
    value, error : float or None

    Returns
    -------
    str
        The value alone, to six digits, where the error is no positive number; a dash where there is no value.

    Examples
    --------
    >>> with_error(59.6685, 9.863), with_error(0.77, 0.0249), with_error(12345.6, 131.0)
    ('59.7 ± 9.9', '0.770 ± 0.025', '12350 ± 130')
    >>> with_error(10.0, None), with_error(2.5e-9, 3e-11)
    ('10', '2.5e-09 ± 3e-11')
    """
    if value is None or not math.isfinite(value):
        return "-"
    if error is None or not (math.isfinite(error) and error > 0.0):
        return f"{value:.6g}"
    if _decimals(error) > 8 or max(abs(value), error) >= 1e7:
        return f"{value:.6g} ± {error:.2g}"
    return f"{digits_of(value, error)} ± {digits_of(error, error)}"


def digits_of(value: float, error: float | None) -> str:
    """Number to the second digit of an error.

    Parameters
    ----------
    value : float
    error : float or None

    Returns
    -------
    str
        To six digits where the error is no positive number; a dash where the value is none.

    Examples
    --------
    >>> digits_of(284.80312, 0.00417), digits_of(12345.6, 131.0), digits_of(0.123456789, None)
    ('284.8031', '12350', '0.123457')
    """
    if not math.isfinite(value):
        return "-"
    if error is None or not (math.isfinite(error) and error > 0.0) or abs(_decimals(error)) > 12:
        return f"{value:.6g}"
    decimals = _decimals(error)
    return f"{round(value, decimals):.0f}" if decimals <= 0 else f"{value:.{decimals}f}"


def _decimals(error: float) -> int:
    """Decimals down to the second digit of an error."""
    return 1 - math.floor(math.log10(float(f"{error:.1e}")))


def _shown(value: object) -> str:
    """Number with six digits; text as it is."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _same(left: object, right: object) -> bool:
    """Equality in which NaN equals NaN."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    return left == right
