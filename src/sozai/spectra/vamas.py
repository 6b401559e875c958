"""Read the VAMAS transfer format (ISO 14976) line by line, with every declared number checked."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.spectra.vamas_lines import VamasLines, vamas_lines

__all__ = ["FORMAT_LINE", "MISSING", "VamasBlock", "VamasFile", "read_vamas"]

FORMAT_LINE = "VAMAS Surface Chemical Analysis Standard Data Transfer Format 1988 May 4"
"""First line of every file."""

MISSING = 1e37
"""Number that stands for a missing value."""

EXPERIMENT_MODES = ("MAP", "MAPDP", "MAPSV", "MAPSVDP", "NORM", "SDP", "SDPSV", "SEM", "NOEXP")
SCAN_MODES = ("REGULAR", "IRREGULAR", "MAPPING")
TECHNIQUES = (
    "AES diff", "AES dir", "EDX", "ELS", "FABMS", "FABMS energy spec", "ISS", "SIMS", "SIMS energy spec",
    "SNMS", "SNMS energy spec", "UPS", "XPS", "XRF",
)  # fmt: skip

_REGIONS = ("MAP", "MAPDP", "NORM", "SDP")
_POSITIONS = ("MAP", "MAPDP")
_PROFILES = ("MAPDP", "MAPSVDP", "SDP", "SDPSV")
_IMAGES = ("MAP", "MAPDP", "MAPSV", "MAPSVDP", "SEM")
_LINE_SCANS = ("MAPSV", "MAPSVDP", "SEM")
_ION_TECHNIQUES = tuple(name for name in TECHNIQUES if name.startswith(("FABMS", "ISS", "SIMS", "SNMS")))
_ETCHED_TECHNIQUES = ("AES diff", "AES dir", "EDX", "ELS", "UPS", "XPS", "XRF")
_N_ITEMS = 40

# Items of a block between the sample and the abscissa, in file order: number in the inclusion list, names
# with their type (int, float or text), and when the item stands at all.
ITEMS_BEFORE: tuple[tuple[int, tuple[tuple[str, str], ...], str], ...] = (
    (12, (("source_label", "text"),), ""),
    (13, (("sputtering_atomic_number", "float"), ("sputtering_n_atoms", "float"),
          ("sputtering_charge", "float")), "ion"),
    (14, (("source_energy", "float"),), ""),
    (15, (("source_strength", "float"),), ""),
    (16, (("source_width_x", "float"), ("source_width_y", "float")), ""),
    (17, (("field_of_view_x", "float"), ("field_of_view_y", "float")), "image"),
    (18, tuple((f"{which}_linescan_{end}_{axis}", "float") for which, end in
               (("first", "start"), ("first", "finish"), ("last", "finish")) for axis in "xy"), "linescan"),
    (19, (("source_polar_angle", "float"),), ""),
    (20, (("source_azimuth", "float"),), ""),
    (21, (("analyzer_mode", "text"),), ""),
    (22, (("pass_energy", "float"),), ""),
    (23, (("differential_width", "float"),), "differential"),
    (24, (("magnification", "float"),), ""),
    (25, (("work_function", "float"),), ""),
    (26, (("target_bias", "float"),), ""),
    (27, (("analysis_width_x", "float"), ("analysis_width_y", "float")), ""),
    (28, (("take_off_polar_angle", "float"), ("take_off_azimuth", "float")), ""),
    (29, (("species", "text"),), ""),
    (30, (("transition", "text"), ("particle_charge", "int")), ""),
    (31, (("abscissa_label", "text"), ("abscissa_unit", "text"), ("abscissa_start", "float"),
          ("abscissa_increment", "float")), "regular"),
)  # fmt: skip
ITEMS_AFTER: tuple[tuple[int, tuple[tuple[str, str], ...], str], ...] = (
    (33, (("signal_mode", "text"),), ""),
    (34, (("collection_time", "float"),), ""),
    (35, (("n_scans", "int"),), ""),
    (36, (("time_correction", "float"),), ""),
    (37, (("sputtering_energy", "float"), ("sputtering_current", "float"), ("sputtering_width_x", "float"),
          ("sputtering_width_y", "float"), ("sputtering_polar_angle", "float"),
          ("sputtering_azimuth", "float"), ("sputtering_mode", "text")), "etched"),
    (38, (("tilt_polar_angle", "float"), ("tilt_azimuth", "float")), ""),
    (39, (("rotation_angle", "float"),), ""),
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class VamasBlock:
    """One block of a VAMAS file.

    Attributes
    ----------
    name, sample : str
        Block and sample identifier.
    date : tuple of float
        Year, month, day, hour, minute, second, hours ahead of Greenwich.
    comment : tuple of str
        Lines as they stand in the file.
    technique : str
    position : tuple of float
        Coordinates of an analysis position, in modes MAP and MAPDP; else empty.
    experiment_values : tuple of str
        Value of each experimental variable, as text.
    items : dict of str to (str, float or int)
        Every other single value, by name; a missing number is 1e37, as in the file.
    variables : tuple of (label, unit)
        What was measured per channel, the abscissa first where the scan is irregular.
    extras : tuple of (label, unit, value)
        Additional numerical parameters, as text.
    upgrades : tuple of str
        Lines of future versions of the format.
    limits : ndarray of shape (n_variables, 2)
        Declared minimum and maximum of each variable; many programs write something else here.
    values : ndarray of shape (n_channels, n_variables)
        1e37 where missing, as in the file.
    line : int
        Line where the block starts, counted from 1.

    Examples
    --------
    >>> nothing, values = np.empty((1, 2)), np.array([[12.0], [15.0]])
    >>> counts = (("counts", "d"),)
    >>> VamasBlock("1", "iron", (2026.0,), (), "XPS", (), (), {}, counts, (), (), nothing, values)
    VamasBlock '1': XPS, 2 channels, 1 variables
    """

    name: str
    sample: str
    date: tuple[float, ...]
    comment: tuple[str, ...]
    technique: str
    position: tuple[float, ...]
    experiment_values: tuple[str, ...]
    items: dict[str, Any]
    variables: tuple[tuple[str, str], ...]
    extras: tuple[tuple[str, str, str], ...]
    upgrades: tuple[str, ...]
    limits: NDArray[np.float64]
    values: NDArray[np.float64]
    line: int = 0

    def __repr__(self) -> str:
        n, m = self.values.shape
        return f"VamasBlock {self.name!r}: {self.technique}, {n} channels, {m} variables"


@dataclass(frozen=True, eq=False, repr=False)
class VamasFile:
    """A VAMAS file: header and blocks.

    Attributes
    ----------
    institution, instrument, operator, experiment : str
    comment : tuple of str
    experiment_mode : str
        ``"NORM"``, ``"MAP"``, ``"MAPDP"``, ``"MAPSV"``, ``"MAPSVDP"``, ``"SDP"``, ``"SDPSV"``, ``"SEM"``
        or ``"NOEXP"``.
    scan_mode : str
        ``"REGULAR"``, ``"IRREGULAR"`` or ``"MAPPING"``.
    n_regions : int or None
        Spectral regions, in modes that have them.
    map_size : tuple of int
        Analysis positions, columns and rows of a full map, in modes MAP and MAPDP; else empty.
    experiment_variables : tuple of (label, unit)
    listed : tuple of int
        Items 1-40 that all blocks hold; negative numbers: items that only the first block holds.
    manual : tuple of int
        Items that were typed in by hand.
    upgrades : tuple of str
        Lines of future versions of the format.
    n_block_upgrades : int
    blocks : tuple of VamasBlock
    notes : tuple of str
        What was not as the format wants it.
    source : str

    Examples
    --------
    >>> VamasFile(experiment="oxidation of iron").scan_mode
    'REGULAR'
    """

    institution: str = ""
    instrument: str = ""
    operator: str = ""
    experiment: str = ""
    comment: tuple[str, ...] = ()
    experiment_mode: str = "NORM"
    scan_mode: str = "REGULAR"
    n_regions: int | None = None
    map_size: tuple[int, ...] = ()
    experiment_variables: tuple[tuple[str, str], ...] = ()
    listed: tuple[int, ...] = ()
    manual: tuple[int, ...] = ()
    upgrades: tuple[str, ...] = ()
    n_block_upgrades: int = 0
    blocks: tuple[VamasBlock, ...] = ()
    notes: tuple[str, ...] = field(default=())
    source: str = ""

    def __repr__(self) -> str:
        return f"VamasFile {self.experiment_mode} {self.scan_mode}: {len(self.blocks)} blocks"


def read_vamas(path: str | os.PathLike[str]) -> VamasFile:
    """Read a VAMAS file as it stands.

    Parameters
    ----------
    path : path-like
        ``.vms`` or ``.npl``.

    Returns
    -------
    VamasFile

    Raises
    ------
    InputError
        Where a line does not hold what must stand there, or the file ends early: with line and block.

    See Also
    --------
    sozai.spectra.files.read_spectra : The same file as spectra.
    sozai.spectra.vamas_writing.write_vamas : The inverse.

    Notes
    -----
    The format is a list of lines without names: the header says how many comments, variables, listed
    items and blocks follow, each block how many ordinates. A wrong number would silently shift everything
    below it, so each one is held against what follows; ordinates must divide by the number of variables,
    and ``end of experiment`` must stand where the last block ends. Items that the inclusion list leaves
    out of later blocks are taken from the first. Cost: one pass over the lines.

    References
    ----------
    .. [1] W. A. Dench, L. B. Hazell, M. P. Seah, Surface and Interface Analysis 13, 63 (1988);
       ISO 14976:1998.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from sozai.spectra.spectrum import Spectrum
    >>> from sozai.spectra.files import write_spectra
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.vms"
    >>> write_spectra(path, [Spectrum([284.0, 284.5], [3, 5], "eV", "binding", label="C 1s")])
    >>> read_vamas(path).blocks
    (VamasBlock 'C 1s': XPS, 2 channels, 1 variables,)
    """
    source = Path(path)
    lines = vamas_lines(source)
    lines.skip_blank()
    if lines.text("format identifier").strip() != FORMAT_LINE:
        lines.fail("format identifier", f"be {FORMAT_LINE!r}", lines.last, "Pass a VAMAS file (.vms, .npl).")
    head = _read_header(lines)
    blocks: list[VamasBlock] = []
    n_blocks = lines.count("number of blocks", atleast=1)
    for k in range(n_blocks):
        lines.block = f"block {k + 1} of {n_blocks}"
        blocks.append(_read_block(lines, head, blocks[0] if blocks else None))
    lines.block = ""
    notes = _read_end(lines, n_blocks)
    return VamasFile(**head, blocks=tuple(blocks), notes=notes, source=str(source))


# --------------------------------------------------------------------------------------------
# Header
# --------------------------------------------------------------------------------------------


def _read_header(lines: VamasLines) -> dict[str, Any]:
    """Everything above the number of blocks."""
    head: dict[str, Any] = {
        name: lines.text(f"{name} identifier") for name in ("institution", "instrument", "operator")
    }
    head["experiment"] = lines.text("experiment identifier")
    head["comment"] = lines.texts("number of comment lines", "comment")
    head["experiment_mode"] = mode = lines.choice("experiment mode", EXPERIMENT_MODES)
    head["scan_mode"] = lines.choice("scan mode", SCAN_MODES)
    head["n_regions"] = lines.count("number of spectral regions") if mode in _REGIONS else None
    head["map_size"] = ()
    if mode in _POSITIONS:
        names = ("analysis positions", "discrete x coordinates", "discrete y coordinates")
        head["map_size"] = tuple(lines.count(f"number of {name}", atleast=1) for name in names)
    head["experiment_variables"] = lines.pairs("number of experimental variables", "experimental variable")
    listed = lines.whole("number of entries in the inclusion list")
    sign = -1 if listed < 0 else 1
    head["listed"] = tuple(sign * _item(lines) for _ in range(abs(listed)))
    manual = lines.count("number of manually entered items")
    head["manual"] = tuple(_item(lines) for _ in range(manual))
    n_upgrades = lines.count("number of future upgrade experiment entries")
    head["n_block_upgrades"] = lines.count("number of future upgrade block entries")
    head["upgrades"] = tuple(lines.text("future upgrade entry") for _ in range(n_upgrades))
    return head


def _item(lines: VamasLines) -> int:
    """Number of a block item."""
    item = lines.whole("item of the inclusion list")
    if not 1 <= item <= _N_ITEMS:
        lines.fail("item of the inclusion list", f"lie between 1 and {_N_ITEMS}", item, "Correct the list.")
    return item


def _read_end(lines: VamasLines, n_blocks: int) -> tuple[str, ...]:
    """Notes about the end; what follows the last block must be the terminator."""
    while not lines.at_end():
        text = lines.text("experiment terminator")
        if text.strip().lower() == "end of experiment":
            return ()
        if text.strip():
            lines.fail(
                "experiment terminator", f"be 'end of experiment' after {n_blocks} declared blocks", text,
                "Correct the number of blocks or of ordinates.",
            )  # fmt: skip
    return ("The line 'end of experiment' is missing; all declared blocks are there.",)


# --------------------------------------------------------------------------------------------
# Blocks
# --------------------------------------------------------------------------------------------


def item_stands(condition: str, head: dict[str, Any], technique: str) -> bool:
    """Whether an item exists in a block of this mode and technique."""
    mode = head["experiment_mode"]
    return {
        "": True,
        "ion": mode in _PROFILES or technique in _ION_TECHNIQUES,
        "image": mode in _IMAGES,
        "linescan": mode in _LINE_SCANS,
        "differential": technique == "AES diff",
        "regular": head["scan_mode"] == "REGULAR",
        "etched": mode in _PROFILES and technique in _ETCHED_TECHNIQUES,
        "position": mode in _POSITIONS,
    }[condition]


def listed_items(listed: tuple[int, ...], first: bool) -> frozenset[int]:
    """Items that stand in the first block, or in a later one."""
    every = frozenset(range(1, _N_ITEMS + 1))
    if first or not listed:
        return every
    return frozenset(listed) if listed[0] > 0 else every - {-item for item in listed}


def _read_block(lines: VamasLines, head: dict[str, Any], first: VamasBlock | None) -> VamasBlock:
    """One block; items that are not listed come from the first one."""
    line = lines.number + 1
    here = listed_items(head["listed"], first is None)
    name, sample = lines.text("block identifier"), lines.text("sample identifier")
    lines.block = f"{lines.block.partition(' (')[0]} ({name.strip()!r})"
    date = tuple(
        lines.real(what) if k in here else first.date[k - 1]
        for k, what in enumerate(("year", "month", "day", "hour", "minute", "second", "time zone"), start=1)
    )
    comment = lines.texts("number of block comment lines", "block comment") if 8 in here else first.comment
    technique = lines.text("technique").strip() if 9 in here else first.technique
    position: tuple[float, ...] = ()
    if item_stands("position", head, technique):
        position = (lines.real("x coordinate"), lines.real("y coordinate")) if 10 in here else first.position
    n_values = len(head["experiment_variables"])
    values = (
        tuple(lines.text("value of an experimental variable") for _ in range(n_values))
        if 11 in here
        else first.experiment_values
    )
    items = _read_items(lines, ITEMS_BEFORE, head, technique, here, first)
    variables = (
        lines.pairs("number of corresponding variables", "corresponding variable", atleast=1)
        if 32 in here
        else first.variables
    )
    items |= _read_items(lines, ITEMS_AFTER, head, technique, here, first)
    extras = first.extras if 40 not in here else _read_extras(lines)
    upgrades = tuple(lines.text("future upgrade entry") for _ in range(head["n_block_upgrades"]))
    limits, ordinates = _read_ordinates(lines, len(variables), irregular=head["scan_mode"] == "IRREGULAR")
    return VamasBlock(
        name, sample, date, comment, technique, position, values, items, variables, extras, upgrades,
        limits, ordinates, line,
    )  # fmt: skip


def _read_items(
    lines: VamasLines,
    table: tuple[tuple[int, tuple[tuple[str, str], ...], str], ...],
    head: dict[str, Any],
    technique: str,
    here: frozenset[int],
    first: VamasBlock | None,
) -> dict[str, Any]:
    """Single values in file order."""
    read = {"text": lines.text, "float": lines.real, "int": lines.whole_or_missing}
    items: dict[str, Any] = {}
    for number, names, condition in table:
        if not item_stands(condition, head, technique):
            continue
        for name, kind in names:
            if number in here:
                items[name] = read[kind](name.replace("_", " "))
            elif first is not None and name in first.items:
                items[name] = first.items[name]
            else:
                lines.fail(
                    name.replace("_", " "), "stand in the first block, which leaves it out",
                    f"item {number}", "List the item for every block.",
                )  # fmt: skip
    return items


def _read_extras(lines: VamasLines) -> tuple[tuple[str, str, str], ...]:
    """Additional numerical parameters: label, unit, value."""
    n = lines.count("number of additional numerical parameters")
    names = ("label of an additional parameter", "unit of an additional parameter", "additional parameter")
    return tuple(tuple(lines.text(name) for name in names) for _ in range(n))  # type: ignore[misc]


def _read_ordinates(
    lines: VamasLines, n_variables: int, *, irregular: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Declared limits, and the values: all variables of a channel, then the next channel."""
    n = lines.count("number of ordinate values", atleast=1)
    if n % n_variables:
        lines.fail(
            "number of ordinate values", f"divide by the number of variables ({n_variables})", n,
            "Correct the number of ordinates or of variables.",
        )  # fmt: skip
    if irregular and n_variables < 2:
        lines.fail(
            "corresponding variables", "hold the abscissa and one signal in an IRREGULAR scan", n_variables,
            "Correct the scan mode or the variables.",
        )  # fmt: skip
    limits = lines.reals("limit of a variable", 2 * n_variables).reshape(-1, 2)
    return limits, lines.reals("ordinate value", n).reshape(-1, n_variables)


def require_vamas(value: object, place: str) -> None:
    """Refuse what is no VamasFile."""
    if not isinstance(value, VamasFile):
        raise InputError(
            sentence(
                place, "file", "be a VamasFile", type(value).__name__,
                remedy="Pass spectra to write_spectra instead.",
            )
        )  # fmt: skip
