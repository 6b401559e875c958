"""How every figure looks: colors, fonts, axis labels, SVG for reports and files on disk."""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.contracts.whole_file import replace_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "GREEN",
    "GRID",
    "INK",
    "MUTED",
    "ORANGE",
    "PURPLE",
    "VERMILION",
    "axis_label",
    "blank_figure",
    "diverging",
    "dress",
    "house_style",
    "inline_svg",
    "readable",
    "save_figure",
]

# Okabe and Ito's palette: told apart with every common form of color vision.
BLUE, ORANGE, GREEN, VERMILION, PURPLE = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7"
# These three follow the page: a report replaces them by its own variables, so figures suit light and dark.
INK, MUTED, GRID = "#1b2027", "#5c6773", "#d7dde3"

_PAGE_VARIABLES = {INK: "var(--ink)", MUTED: "var(--muted)", GRID: "var(--rule)"}
_JAPANESE_FONTS = (
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "IPAexGothic",
    "Yu Gothic",
    "Meiryo",
    "Hiragino Sans",
    "Hiragino Kaku Gothic ProN",
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


@contextmanager
def house_style() -> Iterator[None]:
    """Matplotlib settings of every figure here; the user's own settings come back afterwards."""
    import matplotlib

    settings = {
        "font.family": _fonts(),
        "font.size": 9.5,
        "text.color": INK,
        "text.parse_math": False,
        "axes.unicode_minus": True,
        "axes.formatter.use_mathtext": False,
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
        "svg.fonttype": "none",
        "svg.hashsalt": "sozai",
        "lines.linewidth": 1.6,
        "legend.frameon": False,
        "legend.fontsize": 8.5,
    }
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # A missing glyph matters only in a PNG: in an SVG the browser draws the text.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        yield


def blank_figure(width: float = 5.2, height: float = 4.0, *, interactive: bool = True) -> Figure:
    """Empty figure; a notebook or window shows it when ``interactive``."""
    if interactive:
        from matplotlib import pyplot

        return pyplot.figure(figsize=(width, height), layout="constrained")
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def dress(ax: Axes, *, x: str = "", y: str = "", title: str = "", grid: str = "both") -> None:
    """Give one axes its labels, thin frame and quiet grid."""
    ax.set_facecolor("none")
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(MUTED)
        spine.set_linewidth(0.8)
    ax.tick_params(colors=MUTED, labelcolor=INK, labelsize=8.5, length=3, width=0.8)
    ax.set_xlabel(readable(x), color=INK)
    ax.set_ylabel(readable(y), color=INK)
    if title:
        ax.set_title(readable(title), color=INK, fontsize=10, loc="left")
    ax.set_axisbelow(True)
    if grid:
        ax.grid(visible=True, axis=grid, color=GRID, linewidth=0.7)


def axis_label(name: str, unit: str | None = None) -> str:
    """Name and unit as the table's own headers write them.

    Examples
    --------
    >>> axis_label("磁化", "emu/g"), axis_label("x")
    ('磁化 [emu/g]', 'x')
    """
    return f"{name} [{unit}]" if unit else str(name)


def readable(text: object, width: int | None = None) -> str:
    """Text that any figure can hold: no control characters, cut in the middle when too long.

    Examples
    --------
    >>> readable("abs(M_A + MI_AB)/Z_A", 13)
    'abs(M_…B)/Z_A'
    """
    clean = _CONTROL.sub("", str(text))
    if width is None or len(clean) <= width:
        return clean
    half = (width - 1) // 2
    return f"{clean[:half]}…{clean[-half:]}"


def diverging() -> Any:
    """Color map from blue over white to vermilion, for signed values around zero."""
    from matplotlib.colors import LinearSegmentedColormap

    colors = [BLUE, "#8cc0de", "#ffffff", "#f0b48a", VERMILION]
    return LinearSegmentedColormap.from_list("sozai", colors)


def save_figure(figure: Figure, path: str | os.PathLike[str], *, dpi: int = 200) -> Path:
    """Write one figure (PNG, SVG or PDF by its ending) on white paper, whole or not at all."""
    target, buffer = Path(path), io.BytesIO()
    kind = target.suffix.lstrip(".") or "png"
    with house_style():
        figure.savefig(buffer, format=kind, dpi=dpi, facecolor="white", metadata=_no_date(target.suffix))
    replace_file(target, buffer.getvalue())
    return target


def inline_svg(figure: Figure, *, label: str = "", prefix: str = "figure") -> str:
    """Figure as an ``<svg>`` element for one HTML page.

    Text stays text, so the browser draws Japanese and the page can be searched;
    ids carry ``prefix``, so several figures share a page; ink follows the page.
    """
    buffer = io.StringIO()
    with house_style():
        figure.savefig(
            buffer,
            format="svg",
            metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")),
            facecolor="none",
        )
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    for color, variable in _PAGE_VARIABLES.items():
        text = text.replace(color, variable)
    head, body = text.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)
    body = re.sub(r'\bid="', f'id="{prefix}-', body)
    body = re.sub(r"url\(#", f"url(#{prefix}-", body)
    body = re.sub(r'(?:xlink:)?href="#', f'href="#{prefix}-', body).replace(
        'xlink:href="data:', 'href="data:'
    )
    title = _escape(readable(label))
    return f'<svg {box.group() if box else ""} role="img" aria-label="{title}">{body}'


def _fonts() -> list[str]:
    """DejaVu Sans, then the first Japanese font installed here."""
    from matplotlib.font_manager import fontManager

    installed = set(fontManager.get_font_names())
    return ["DejaVu Sans", *[name for name in _JAPANESE_FONTS if name in installed][:1]]


def _no_date(suffix: str) -> dict[str, Any]:
    """Metadata without a date, so the same figure gives the same bytes."""
    return {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(suffix.lower(), {})


def _escape(text: str) -> str:
    import html

    return html.escape(text, quote=True)
