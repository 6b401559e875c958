"""What a campaign answers: how it stands, what was recorded, and which candidate is best so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from sozai.contracts.records import with_error

__all__ = ["BestResult", "CampaignStatus", "TellReport"]


@dataclass(frozen=True, slots=True)
class CampaignStatus:
    """How a campaign stands.

    Attributes
    ----------
    n_candidates : int
        Different candidates, removed ones left out.
    n_observed, n_failed, n_running : int
    n_open : int
        Candidates that can still be proposed.
    round : int
        Rounds of proposals so far.
    finished : bool
        Nothing is left to propose, or the campaign was closed.

    Examples
    --------
    >>> CampaignStatus(210, 12, 1, 4, 193, 3, False)
    CampaignStatus(12 of 210 observed, 1 failed, 4 running, 193 open, round 3)
    """

    n_candidates: int
    n_observed: int
    n_failed: int
    n_running: int
    n_open: int
    round: int
    finished: bool

    def __repr__(self) -> str:
        counts = f"{self.n_observed} of {self.n_candidates} observed, {self.n_failed} failed"
        end = ", finished" if self.finished else ""
        return (
            f"CampaignStatus({counts}, {self.n_running} running, {self.n_open} open, round {self.round}{end})"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        return pd.DataFrame([{name: getattr(self, name) for name in self.__slots__}])


@dataclass(frozen=True, slots=True)
class TellReport:
    """What became of the results that were told.

    Attributes
    ----------
    events : tuple of str
        Ids of the new events, for :meth:`Campaign.correct`.
    n_recorded : int
    n_repeated : int
        Results that were known already and not recorded again.
    notes : tuple of str
        Conversions and warnings, one sentence each.

    Examples
    --------
    >>> TellReport(("0.1", "0.2"), 2, 1, ("27 degC was read as 300.15 K.",))
    TellReport(2 recorded, 1 known already, 1 note)
    """

    events: tuple[str, ...]
    n_recorded: int
    n_repeated: int
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        parts = [f"{self.n_recorded} recorded"]
        parts += [f"{self.n_repeated} known already"] if self.n_repeated else []
        parts += [f"{len(self.notes)} note{'s' * (len(self.notes) != 1)}"] if self.notes else []
        return f"TellReport({', '.join(parts)})"

    def to_frame(self) -> pd.DataFrame:
        """One row a new event."""
        return pd.DataFrame({"event": list(self.events)})


@dataclass(frozen=True, slots=True)
class BestResult:
    """The candidate with the best result so far.

    Attributes
    ----------
    id : str
    index : int or None
        Row of the candidate list.
    x : dict of str to value
    value : float
        Mean over replicates, in the unit of the objective.
    std : float
        Known standard deviation of that mean, NaN where none is known.
    n_replicates : int
    objective : str
        With its unit.

    Examples
    --------
    >>> BestResult("0000000000ff", 3, {"x": 0.5}, 41.2, float("nan"), 1, "Tc [K]")
    BestResult(row 3, x=0.5, Tc [K]: 41.2)
    """

    id: str
    index: int | None
    x: dict[str, Any]
    value: float
    std: float
    n_replicates: int
    objective: str

    def __repr__(self) -> str:
        where = "" if self.index is None else f"row {self.index}, "
        values = ", ".join(
            f"{name}={value}" if isinstance(value, str) else f"{name}={value:.6g}"
            for name, value in self.x.items()
        )
        times = f", {self.n_replicates} replicates" if self.n_replicates > 1 else ""
        return f"BestResult({where}{values}, {self.objective}: {with_error(self.value, self.std)}{times})"

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        row = {"id": self.id, "index": self.index, **self.x, self.objective: self.value}
        return pd.DataFrame([row | {"std": self.std, "n_replicates": self.n_replicates}])
