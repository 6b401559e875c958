"""Drawings one after the other in one file."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sozai.contracts.optional import need
from sozai.contracts.whole_file import replace_file
from sozai.displays.style import house_style

__all__ = ["write_frames"]

_COLORS = 256
#: Left, bottom, width and height of a map that stays where it is.
_PLACE = (0.1, 0.15, 0.54, 0.78)


def write_frames(displays: Iterable[Any], path: Path, seconds: float, dpi: int) -> Path:
    """Write displays as an animated GIF on white paper, whole or not at all.

    Parameters
    ----------
    displays : iterable of Display
        Drawn one by one, so that a single figure is in memory, with all frames as pictures of 256 colors.
    path : Path
    seconds : float
        Time of a frame; the last one stays four times as long.
    dpi : int

    Returns
    -------
    pathlib.Path
    """
    Image: Any = need("PIL.Image", for_="animations")
    pictures = []
    for display in displays:
        buffer = io.BytesIO()
        with house_style():
            figure = display.to_figure()
            if getattr(display, "show", "") == "phases":
                # One place for the map in all frames: names that come and go would make it jump.
                figure.set_layout_engine("none")
                figure.axes[0].set_position(_PLACE)
            figure.savefig(buffer, format="png", dpi=dpi, facecolor="white")
        buffer.seek(0)
        picture = Image.open(buffer).convert("RGB")
        pictures.append(
            picture.quantize(colors=_COLORS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        )
    times = [round(1000 * seconds)] * (len(pictures) - 1) + [round(4000 * seconds)]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=times,
        loop=0,
        optimize=False,
    )
    replace_file(path, buffer.getvalue())
    return path
