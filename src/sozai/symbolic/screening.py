"""Laws among millions of formulas that are never stored: grow, screen, search the survivors."""

from sozai.symbolic.search.budget import space_within
from sozai.symbolic.search.candidates import CandidateSpace
from sozai.symbolic.search.partial_gain import PartialGain
from sozai.symbolic.search.records import SearchResult
from sozai.symbolic.search.rungs import Rungs, grow
from sozai.symbolic.search.screen_then_l0 import ScreenThenL0
from sozai.symbolic.search.screening import ScreenResult, screen

__all__ = [
    "CandidateSpace",
    "PartialGain",
    "Rungs",
    "ScreenResult",
    "ScreenThenL0",
    "SearchResult",
    "grow",
    "screen",
    "space_within",
]
