"""From a file or a grid to the samples of a phase diagram, with everything odd about them said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.loop_question import refuse_workbook
from sozai.apps.cli.loop_rows import find_row
from sozai.apps.cli.phases_question import PhasesQuestion, make_phase_proposer
from sozai.apps.cli.propose_reading import header_of, sheet_as_text
from sozai.apps.cli.usage import UsageError, as_usage
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    from sozai.proposals.candidates_table import CandidatesTable
    from sozai.proposals.table_bytes import TableBytes
    from sozai.study.phase_folder import PhaseStudy

__all__ = ["grid_list", "read_phase_list", "read_phase_results"]

_USUAL = ("phase", "phases", "phase_name", "phase name", "label", "phase_label", "相", "相名")
_UNMEASURED = {"nan", "none", "null", "n/a", "-", "--", "?", "未測定", "未", "unknown", "tbd"}
_FAILED = {"failed", "fail", "ng", "失敗", "error"}
_NUMBER = re.compile(r"\s*[+-]?\d+(?:\.0*)?\s*")
_FORM = "Write e.g. --tell 17=FCC_A1+LIQUID."


def grid_list(question: PhasesQuestion) -> bytes:
    """List of the points of a grid with an empty column of phases, as a new file."""
    from sozai.proposals.phase_grids import parse_grid

    with as_usage():
        try:
            frame = parse_grid(question.grid or "")
        except InputError as error:
            raise InputError(re.sub(r"^\w+: ", "--grid: ", str(error))) from None
    name = question.phase or "phase"
    if name in frame.columns:
        raise UsageError(sentence("--phase", "the name", "be none of the grid", name))
    for column in frame.columns:
        if (frame[column] % 1 == 0).all():
            frame[column] = frame[column].astype(int)
    text = frame.assign(**{name: ""}).to_csv(index=False, lineterminator="\r\n", float_format="%.10g")
    return text.encode("utf-8-sig")


def read_phase_list(question: PhasesQuestion, notes: list[str]) -> PhaseStudy:
    """The list with its samples and what was remembered of it.

    Raises
    ------
    InputError
        With file, row, column and remedy.
    """
    from sozai.contracts.table_files import read_bytes
    from sozai.contracts.table_sheets import is_workbook
    from sozai.study.phase_folder import PhaseStudy, phase_record_path, read_phase_record

    record: dict[str, Any] = {}
    path: Path | None = None
    if question.grid is not None:
        data, path = grid_list(question), question.file and question.list_path
    else:
        path = question.list_path
        data = read_bytes(path)
        if is_workbook(data, path):
            refuse_workbook(question, "phases")
            data = sheet_as_text(data, question)
        elif question.sheet is not None:
            raise InputError(
                sentence("--sheet", f"'{path}'", "be an XLSX file", question.sheet, remedy="Leave it out.")
            )
        beside = phase_record_path(path)
        record = read_phase_record(beside) if beside.exists() else {}
    table = _table(question, data, record.get("label"), notes)
    _doubt_cells(table, notes)
    proposer = make_phase_proposer(question).set_params(cost=table.cost)
    _check_columns(question, table)
    study = PhaseStudy(table, proposer, path=path, record=record)
    if question.compositions is not None:
        from sozai.apps.cli.phase_compositions import read_compositions

        study.with_compositions(read_compositions(question.compositions, study))
    notes += study.notes
    return study


def read_phase_results(question: PhasesQuestion, study: PhaseStudy) -> list[tuple[int, str]]:
    """Rows and phases of ``--tell ROW=PHASE``; the first sign of equality divides.

    Raises
    ------
    UsageError
        For an entry of another form.
    InputError
        For a row that is not in the list, or an experiment that failed.
    """
    found = []
    for text in question.tells:
        head, equals, phase = (part.strip() for part in text.partition("="))
        if not equals or not phase:
            raise UsageError(sentence("--tell", "each entry", "read ROW=PHASE", text, remedy=_FORM))
        if phase.casefold() in _FAILED:
            raise InputError(
                sentence("--tell", "PHASE", "name phases", text,
                         remedy="A sample that failed has none: leave its cell empty, or name what came out.")
            )  # fmt: skip
        if phase.casefold() in _UNMEASURED:
            raise InputError(
                sentence("--tell", "PHASE", "name phases", text, remedy="Leave out what was not measured.")
            )
        found.append((row_of("--tell", head, text, study), phase))
    return found


def row_of(option: str, head: str, text: str, study: PhaseStudy) -> int:
    """Row of an entry: its number from 0, or its name in the column of ``--id``."""
    tell = option == "--tell"
    form, remedy = ("read ROW=PHASE with", _FORM) if tell else ("be", f"Write e.g. {option} 17.")
    return find_row(option, head.strip(), text, study.table, form, remedy)[0]


# --- the table ------------------------------------------------------------------------------------------


def _table(
    question: PhasesQuestion, data: bytes, remembered: str | None, notes: list[str]
) -> CandidatesTable:
    """The table with its column of phases; columns of words that nobody named are left out."""
    from sozai.proposals.candidates_table import read_candidates
    from sozai.proposals.table_bytes import read_cells

    source = str(question.file or "the grid")
    reading = {"encoding": question.encoding, "delimiter": question.delimiter}
    cells = read_cells(data, **reading, source=source)
    ignored = [header_of(name, cells.header, "--ignore", source) for name in question.ignore]
    named = None if question.id is None else header_of(question.id, cells.header, "--id", source)
    cost = None if question.cost is None else header_of(question.cost, cells.header, "--cost", source)
    label = _phase_column(question, cells, remembered, [*ignored, named, cost], source)
    for option, names in (("--ignore", ignored), ("--id", [named]), ("--cost", [cost])):
        if label in names:
            raise UsageError(sentence(option, "the column", "not be that of phases", label))
    words = [
        name for k, name in enumerate(cells.header)
        if name and name not in (label, named, cost, *ignored) and _is_words(cells, k)
    ]  # fmt: skip
    if words:
        notes.append(f"Not used: {', '.join(map(repr, words))} (not numbers).")
    table = read_candidates(
        data, label=label, id=named, cost=cost, ignore=[*ignored, *words], decimal=question.decimal,
        **reading, source=source,
    )  # fmt: skip
    _check_costs(table, cost)
    notes += _counting_columns(table)
    return table


def _check_costs(table: CandidatesTable, column: str | None) -> None:
    """Costs divide scores; the first that cannot is named with its line."""
    import numpy as np

    if table.cost is None:
        return
    wrong = ~(np.isfinite(table.cost) & (table.cost > 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            sentence("--cost", f"column {column!r}", "hold positive numbers", float(table.cost[row]),
                     at=f"at line {int(table.cells.lines[row])} of '{table.source}'",
                     remedy="Correct the cell.")
        )  # fmt: skip


def _phase_column(
    question: PhasesQuestion, cells: TableBytes, remembered: str | None, others: list[Any], source: str
) -> str:
    """The column of phases: as asked, as remembered, by its name, or the one of words at an end."""
    header = cells.header
    if question.phase is not None:
        return header_of(question.phase, header, "--phase", source)
    if remembered in header:
        return str(remembered)
    free = [name for name in header if name and name not in others]
    usual = [name for name in free if name.strip().casefold() in _USUAL]
    if len(usual) == 1:
        return usual[0]
    ends = [name for name in dict.fromkeys((free[0], free[-1])) if _is_words(cells, header.index(name))]
    ends = ends or [name for name in free[-1:] if _is_blank(cells, header.index(name))]
    if len(ends) > 1:  # names of samples are all there and all different
        ends = [name for name in ends if not _names_rows(cells, header.index(name))] or ends
    if len(ends) == 1:
        return ends[0]
    raise UsageError(
        sentence("--phase", "the column of phases", "be named", list(header), at=f"in '{source}'",
                 remedy="Name it, or add an empty column 'phase'.")
    )  # fmt: skip


def _is_words(cells: TableBytes, column: int) -> bool:
    """Whether a column holds words, or mostly."""
    from sozai.contracts.table_cells import read_cell
    from sozai.proposals.table_bytes import plain_numbers

    _, odd, blank, _ = plain_numbers(cells, column)
    texts = cells.column(column, odd[:1000])
    words = sum(read_cell(text).kind not in ("number", "infinite") for text in texts)
    filled = cells.n_rows - int(blank.sum())
    return words > 0 and 2 * words >= min(filled, 1000)


def _names_rows(cells: TableBytes, column: int) -> bool:
    """Whether every row has a word of its own."""
    texts = cells.column(column)
    return len({text.strip() for text in texts if text.strip()}) == cells.n_rows


def _is_blank(cells: TableBytes, column: int) -> bool:
    """Whether a column has blank cells."""
    from sozai.proposals.table_bytes import plain_numbers

    return bool(plain_numbers(cells, column)[2].any())


def _counting_columns(table: CandidatesTable) -> list[str]:
    """A remark about descriptors that only count the rows, and about fractions that miss their sum."""
    import numpy as np

    notes = []
    values = table.descriptors.to_numpy(dtype=np.float64)
    total, whole = values.sum(axis=1), 100.0 if values.max() > 1.5 else 1.0
    fractions = values.min() >= 0 and values.shape[1] >= 2 and values.max() <= 1.02 * whole
    names = ", ".join(table.descriptors.columns)
    exact = np.abs(total / whole - 1) <= 2e-3
    if fractions and values.shape[1] > 2 and exact.mean() < 0.9 and abs(np.median(total) / whole - 1) < 0.05:
        row = int(np.argmax(~exact))
        notes.append(
            f"{names} look like a composition, but {int((~exact).sum())} of {len(total)} rows do not add up "
            f"to {whole:g} (line {int(table.cells.lines[row])}: {total[row]:.6g}). They were taken for "
            "conditions: no phase rule, no triangle. Correct the rows."
        )
    elif fractions and abs(total.max() / whole - 1) <= 2e-3 and exact.mean() < 0.9:
        notes.append(
            f"{names} look like fractions of a composition whose last component is left out. Add it as a "
            "column, so that all components are treated alike and the phase rule counts."
        )
    elif values.shape[1] == 2:
        ends = [(part.min(), part.max()) in ((0.0, 1.0), (0.0, 100.0)) for part in values.T]
        if sum(ends) == 1:
            name = str(table.descriptors.columns[ends.index(True)])
            notes.append(
                f"Column {name!r} looks like the fraction of a binary whose other component is left out. Add "
                "it as a column, so that both are treated alike and the phase rule counts."
            )
    for name, column in table.descriptors.items():
        values = column.to_numpy(dtype=np.float64)
        if len(values) > 2 and (np.diff(values) == 1).all() and table.descriptors.shape[1] > 1:
            notes.append(
                f"Column {name!r} only counts the rows, and is used as a condition. If it means nothing, "
                "give it to --id or --ignore."
            )
    return notes


def _doubt_cells(table: CandidatesTable, notes: list[str]) -> None:
    """Say which cells were read in a way that their writer may not have meant."""
    column = table.roles.objectives[0]
    header = table.cells.header[column]
    texts = table.cells.column(column)
    seen = list(dict.fromkeys(text for text in texts if text.strip()))
    unread = {text for text, label in zip(texts, table.results[0].labels or (), strict=True) if not label}
    numbers = [text for text in seen if _NUMBER.fullmatch(text) and text not in unread]
    joined = [text for text in seen if re.search(r"[^(]*[,;\u3001\u30fb](?![^(]*\))", text)]
    if joined:
        notes.append(
            f"{joined[0]!r} in column {header!r} was read as one phase ({len(joined)} such labels). If it is "
            "several, join them by '+'."
        )
    if len(seen) > 60:
        notes.append(f"Column {header!r} has {len(seen)} different labels. Is it the column of phases?")
    if numbers:
        shown = ", ".join(f"{text.strip()!r} as {_whole(text)!r}" for text in numbers[:5])
        notes.append(f"Phases of column {header!r} are numbers and were read as names: {shown}.")
    for words, meaning in (
        (_UNMEASURED, "is not measured, empty the cell"),
        (_FAILED, "says that nothing came out, empty the cell"),
    ):
        odd = [text for text in seen if text.strip().casefold() in words]
        if odd:
            row, n = texts.index(odd[0]), sum(text in odd for text in texts)
            notes.append(
                f"{odd[0]!r} in column {header!r}, line {int(table.cells.lines[row])}, was read as a phase "
                f"({n} such cell{'s' * (n != 1)}). If it {meaning}."
            )


def _whole(text: str) -> str:
    return str(int(float(text)))


def _check_columns(question: PhasesQuestion, table: CandidatesTable) -> None:
    """Columns that constraints and the composition name."""
    header = tuple(str(name) for name in table.descriptors.columns)
    for option, names in (
        ("--composition", question.composition), ("--same", question.same), ("--free", question.free),
    ):  # fmt: skip
        for name in names:
            if name not in header:
                header_of(name, header, option, str(question.file or "the grid"))
                raise InputError(sentence(option, "the name", f"be one of {', '.join(header)}", name))
