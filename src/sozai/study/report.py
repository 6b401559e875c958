"""One self-contained HTML page of formulas, tables and figures; nothing is fetched from a network."""

from __future__ import annotations

import html
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.whole_file import replace_file
from sozai.displays.style import inline_svg, readable
from sozai.study.mathml import formula_html

__all__ = ["Report", "Verdict", "number_text", "write_text"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_WORDS = {"passed": "passed", "failed": "failed", "not_run": "not run"}


@dataclass(frozen=True)
class Verdict:
    """One figure found beside the published one.

    Parameters
    ----------
    name : str
        What is compared.
    found, published : float or str
        The two figures.
    tolerance : float or str
        Largest difference that passes, or the rule in words.
    status : {"passed", "failed", "not_run"}
    reason : str
        Why it failed or did not run.

    Examples
    --------
    >>> Verdict("rank", 10, 10, 0, "passed").status
    'passed'
    """

    name: str
    found: Any
    published: Any
    tolerance: Any
    status: Literal["passed", "failed", "not_run"]
    reason: str = ""

    @property
    def texts(self) -> tuple[str, str, str]:
        """Found, published and tolerance with the digits that the tolerance makes worth reading."""
        found, published = (_to_tolerance(value, self.tolerance) for value in (self.found, self.published))
        return found, published, number_text(self.tolerance)


class Report:
    """HTML page built section by section and written whole or not at all.

    Everything lies inside the file: style, figures (SVG with real text, so Japanese
    stays intact and searchable) and formulas (MathML). User text is escaped, and the
    page itself forbids scripts and network access.

    Parameters
    ----------
    title : str
        Headline.
    lead : str
        One or two sentences below it.
    language : str, default="en"
        Language tag of the page.

    Examples
    --------
    >>> report = Report("Area of a triangle", lead="From 20 rows.")
    >>> _ = report.section("The law").formula("0.5*base*height", left="area")
    >>> "<script" in report.to_html()
    False
    """

    def __init__(self, title: str, *, lead: str = "", language: str = "en"):
        self.title, self.lead, self.language = title, lead, language
        self._sections: list[tuple[str, list[str]]] = []
        self._n_figures = 0

    def section(self, title: str, text: str = "") -> Self:
        """Begin a section; what follows goes into it."""
        self._sections.append((title, []))
        return self.text(text) if text else self

    def heading(self, title: str) -> Self:
        """Put a heading inside the section."""
        return self._add(f"<h3>{_text(title)}</h3>")

    def text(self, text: str) -> Self:
        """Put a paragraph."""
        return self._add(f"<p>{_text(text)}</p>")

    def note(self, text: str) -> Self:
        """Put a paragraph that asks for attention."""
        return self._add(f'<p class="note">{_text(text)}</p>')

    def facts(self, facts: Mapping[str, object]) -> Self:
        """Put a row of named values."""
        items = "".join(
            f"<div><dt>{_text(k)}</dt><dd>{_text(number_text(v))}</dd></div>" for k, v in facts.items()
        )
        return self._add(f'<dl class="facts">{items}</dl>')

    def formula(self, text: str, *, left: str | None = None, source: bool = True) -> Self:
        """Put a formula: drawn, and (with ``source``) as text to be copied."""
        drawn = formula_html(text, left=left)
        copied = f"<code>{_text(f'{left} = {text}' if left else text)}</code>"
        return self._add(
            f'<div class="formula">{drawn}{copied if source and drawn.startswith("<math") else ""}</div>'
        )

    def table(
        self,
        frame: Any,
        *,
        caption: str = "",
        units: Mapping[str, str | None] | None = None,
        max_rows: int = 200,
    ) -> Self:
        """Put a DataFrame: units in the head, numbers aligned, the rows beyond ``max_rows`` counted."""
        units = units or {}
        numeric = {name for name in frame.columns if _is_numeric(frame[name])}
        classes = [' class="number"' if name in numeric else "" for name in frame.columns]
        head = "".join(
            f"<th{kind}>{_text(name)}{_unit(units.get(str(name)))}</th>"
            for name, kind in zip(frame.columns, classes, strict=True)
        )
        rows = [
            "".join(f"<td{kind}>{_text(number_text(v))}</td>" for v, kind in zip(row, classes, strict=True))
            for row in frame.head(max_rows).itertuples(index=False, name=None)
        ]
        return self._table(head, rows, caption, len(frame) - len(rows))

    def verdicts(self, rows: Iterable[Verdict], *, caption: str = "") -> Self:
        """Put found figures beside published ones, each with its verdict."""
        head = "<th>figure</th><th class='number'>found</th><th class='number'>published</th>"
        head += "<th class='number'>tolerance</th><th>verdict</th>"
        body = [_verdict_row(row) for row in rows]
        return self._table(head, body, caption, 0)

    def overview(self, rows: Iterable[Verdict]) -> Self:
        """Put one line a question: how many figures agree, out of how many, how long it took."""
        head = "<th>question</th><th class='number'>agree</th><th class='number'>of</th>"
        head += "<th class='number'>time</th><th>verdict</th>"
        return self._table(head, [_verdict_row(row) for row in rows], "", 0)

    def figure(self, figure: Any, caption: str = "") -> Self:
        """Put a display or a matplotlib figure as inline SVG."""
        return self.figures([(figure, caption)])

    def figures(self, figures: Sequence[tuple[Any, str]]) -> Self:
        """Put several figures side by side where the page is wide enough."""
        return self._add(f'<div class="figures">{"".join(self._figure(*pair) for pair in figures)}</div>')

    def to_html(self) -> str:
        """Whole page as text."""
        links = "".join(
            f'<li><a href="#s{k}">{_text(title)}</a></li>'
            for k, (title, _) in enumerate(self._sections)
            if title
        )
        body = "".join(
            f'<section id="s{k}"><h2>{_text(title)}</h2>{"".join(parts)}</section>'
            for k, (title, parts) in enumerate(self._sections)
        )
        lead = f'<p class="lead">{_text(self.lead)}</p>' if self.lead else ""
        navigation = f"<nav><ol>{links}</ol></nav>" if len(self._sections) > 2 else ""
        return (
            f'<!DOCTYPE html>\n<html lang="{_text(self.language)}"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{_text(self.title)}</title><style>{_style()}</style></head><body>"
            f"<header><h1>{_text(self.title)}</h1>{lead}{navigation}</header><main>{body}</main>"
            f"<footer>sozai {_text(_version())}</footer></body></html>\n"
        )

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to ``path``; a file that was there is replaced only when the new one is whole."""
        return write_text(path, self.to_html())

    def _add(self, markup: str) -> Self:
        if not self._sections:
            self._sections.append(("", []))
        self._sections[-1][1].append(markup)
        return self

    def _table(self, head: str, rows: list[str], caption: str, n_left_out: int) -> Self:
        caption = f"<caption>{_text(caption)}</caption>" if caption else ""
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        more = f'<p class="lead">{n_left_out} more rows are not shown.</p>' if n_left_out > 0 else ""
        table = f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return self._add(f'<div class="wide">{table}</div>{more}')

    def _figure(self, figure: Any, caption: str) -> str:
        self._n_figures += 1
        drawn = figure.to_figure() if hasattr(figure, "to_figure") else figure
        if not hasattr(drawn, "savefig"):
            raise InputError(
                sentence(
                    "Report.figure",
                    "figure",
                    "be a Display or a matplotlib Figure",
                    type(figure).__name__,
                    remedy="Pass the object that plot() returned.",
                )
            )
        svg = inline_svg(drawn, label=caption, prefix=f"f{self._n_figures}")
        below = f"<figcaption>{_text(caption)}</figcaption>" if caption else ""
        return f"<figure>{svg}{below}</figure>"


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write UTF-8 text whole or not at all, through a file beside the target."""
    target = Path(path)
    replace_file(target, text.encode("utf-8"))
    return target


def _text(value: object) -> str:
    """Escape text for any place in the page."""
    return html.escape(readable(value), quote=True)


def number_text(value: object) -> str:
    """Value as a reader wants it: six digits, a true minus sign, nothing for what is missing."""
    if value is None:
        return "–"
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    if isinstance(value, (int, str)):
        return str(value)
    if hasattr(value, "__float__"):
        number = float(value)
        return "–" if math.isnan(number) else f"{number:.6g}".replace("-", "−")
    if isinstance(value, (list, tuple)):
        return ", ".join(number_text(part) for part in value)
    return str(value)


def _to_tolerance(value: object, tolerance: object) -> str:
    """Decimal number to the first digit that the tolerance leaves open."""
    if not (isinstance(value, float) and isinstance(tolerance, (int, float)) and math.isfinite(value)):
        return number_text(value)
    if 0 < abs(value) < tolerance:
        return number_text(float(f"{value:.2g}"))
    decimals = max(0, -math.floor(math.log10(tolerance))) if tolerance > 0 else 99
    return (f"{value:.{decimals}f}" if decimals <= 8 else f"{value:.8g}").replace("-", "−")


def _verdict_row(row: Verdict) -> str:
    """Cells of one verdict."""
    values = "".join(f"<td class='number'>{_text(text)}</td>" for text in row.texts)
    verdict = f"<td><span class='verdict {row.status}'>{_WORDS[row.status]}</span> {_text(row.reason)}</td>"
    return f"<td>{_text(row.name)}</td>{values}{verdict}"


def _unit(unit: str | None) -> str:
    return f" <small>[{_text(unit)}]</small>" if unit else ""


def _is_numeric(column: Any) -> bool:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    return bool(is_numeric_dtype(column) and not is_bool_dtype(column))


@cache
def _style() -> str:
    return resources.files("sozai.study").joinpath("report.css").read_text(encoding="utf-8")


def _version() -> str:
    import sozai

    return sozai.__version__
