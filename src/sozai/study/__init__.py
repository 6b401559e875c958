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

_CAMPAIGNS = ("open_campaign", "save_campaign", "write_proposals")

__all__ = ["Report", "Verdict", "formula_html", "open_campaign", "save_campaign", "write_proposals"]


def __getattr__(name: str) -> object:
    if name in _CAMPAIGNS:  # a report needs no campaign
        return getattr(importlib.import_module("sozai.study.campaign_folder"), name)
    raise AttributeError(f"module 'sozai.study' has no attribute {name!r}")
