"""Write the VAMAS transfer format (ISO 14976) so that reading it back gives the same numbers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.whole_file import replace_file
from sozai.spectra.vamas import (
    FORMAT_LINE,
    ITEMS_AFTER,
    ITEMS_BEFORE,
    VamasBlock,
    VamasFile,
    item_stands,
    listed_items,
    require_vamas,
)

__all__ = ["vamas_text", "write_vamas"]


def write_vamas(path: str | os.PathLike[str], file: VamasFile) -> None:
    """Write a VAMAS file, all of it or nothing.

    Parameters
    ----------
    path : path-like
        File to write, usually ``.vms``; an older one is replaced in one step.
    file : VamasFile

    Raises
    ------
    InputError
        When a text holds a line break, or a block lacks an item that its mode needs.

    Notes
    -----
    Numbers are written with the fewest digits that read back to the same float64.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from sozai.spectra.spectrum import Spectrum
    >>> from sozai.spectra.vamas_spectra import vamas_of
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.vms"
    >>> write_vamas(path, vamas_of([Spectrum([1.0, 2.0], [0.1, 1 / 3], "eV", "kinetic")]))
    >>> path.read_text(encoding="utf-8").splitlines()[-3:]
    ['0.1', '0.3333333333333333', 'end of experiment']
    """
    require_vamas(file, "write_vamas")
    replace_file(Path(path), vamas_text(file).encode("utf-8"))


def vamas_text(file: VamasFile) -> str:
    """Text of a VAMAS file, lines ended by CR LF."""
    lines: list[Any] = [FORMAT_LINE, file.institution, file.instrument, file.operator, file.experiment]
    lines += [len(file.comment), *file.comment, file.experiment_mode, file.scan_mode]
    lines += [] if file.n_regions is None else [file.n_regions]
    lines += file.map_size
    lines += _pairs(file.experiment_variables)
    negative = bool(file.listed) and file.listed[0] < 0
    lines += [-len(file.listed) if negative else len(file.listed), *(abs(item) for item in file.listed)]
    lines += [len(file.manual), *file.manual, len(file.upgrades), file.n_block_upgrades, *file.upgrades]
    lines += [len(file.blocks)]
    for k, block in enumerate(file.blocks):
        lines += _block_lines(file, block, first=k == 0)
    lines += ["end of experiment"]
    return "".join(f"{_line(value)}\r\n" for value in lines)


def _block_lines(file: VamasFile, block: VamasBlock, *, first: bool) -> list[Any]:
    """All lines of one block."""
    head = {"experiment_mode": file.experiment_mode, "scan_mode": file.scan_mode}
    here = listed_items(file.listed, first)
    lines: list[Any] = [block.name, block.sample]
    lines += [value for k, value in enumerate(block.date, start=1) if k in here]
    lines += [len(block.comment), *block.comment] if 8 in here else []
    lines += [block.technique] if 9 in here else []
    lines += block.position if 10 in here else ()
    lines += block.experiment_values if 11 in here else ()
    lines += _item_lines(ITEMS_BEFORE, block, head, here)
    lines += _pairs(block.variables) if 32 in here else []
    lines += _item_lines(ITEMS_AFTER, block, head, here)
    if 40 in here:
        lines += [len(block.extras), *(text for extra in block.extras for text in extra)]
    lines += block.upgrades
    lines += [block.values.size, *block.limits.ravel().tolist()]
    return lines + np.where(np.isnan(block.values), 1e37, block.values).ravel().tolist()


def _item_lines(
    table: tuple[tuple[int, tuple[tuple[str, str], ...], str], ...],
    block: VamasBlock,
    head: dict[str, Any],
    here: frozenset[int],
) -> list[Any]:
    """Single values in file order."""
    lines = []
    for number, names, condition in table:
        if number not in here or not item_stands(condition, head, block.technique):
            continue
        for name, _ in names:
            if name not in block.items:
                raise InputError(
                    sentence(
                        "write_vamas", f"block {block.name!r}", f"hold the item {name!r}", "nothing",
                        remedy=f"Add it; mode {head['experiment_mode']} needs it.",
                    )
                )  # fmt: skip
            lines.append(block.items[name])
    return lines


def _pairs(pairs: tuple[tuple[str, str], ...]) -> list[Any]:
    """Their number, then labels and units."""
    return [len(pairs), *(text for pair in pairs for text in pair)]


def _line(value: Any) -> str:
    """One value as a line."""
    if isinstance(value, str):
        if "\n" in value or "\r" in value:
            raise InputError(
                sentence("write_vamas", "text", "be one line", value, remedy="Split it into comment lines.")
            )
        return value
    if isinstance(value, int | np.integer):
        return str(int(value))
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
