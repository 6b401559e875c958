"""A project on disk: the HTML report and the files beside it, and the folder of a campaign."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from sozai.study.mathml import formula_html
from sozai.study.report import Report, Verdict

if TYPE_CHECKING:
    from sozai.study.campaign_folder import open_campaign as open_campaign
    from sozai.study.campaign_folder import save_campaign as save_campaign
    from sozai.study.campaign_folder import write_proposals as write_proposals
    from sozai.study.phase_folder import PhaseStudy as PhaseStudy
    from sozai.study.phase_folder import open_phase_diagram as open_phase_diagram

# A report needs no campaign.
_HOMES = {
    "open_campaign": "sozai.study.campaign_folder",
    "save_campaign": "sozai.study.campaign_folder",
    "write_proposals": "sozai.study.campaign_folder",
    "PhaseStudy": "sozai.study.phase_folder",
    "open_phase_diagram": "sozai.study.phase_folder",
}

__all__ = [
    "PhaseStudy",
    "Report",
    "Verdict",
    "formula_html",
    "open_campaign",
    "open_phase_diagram",
    "save_campaign",
    "write_proposals",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'sozai.study' has no attribute {name!r}")
