"""A project on disk: the HTML report and the files beside it."""

from sozai.study.mathml import formula_html
from sozai.study.report import Report, Verdict

__all__ = ["Report", "Verdict", "formula_html"]
