"""What every question of the closed loop asks: the list, what to enter, how many next, places to write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sozai.contracts.errors import InputError, sentence

__all__ = ["LoopQuestion", "read_release", "refuse_other_table", "refuse_workbook"]


@dataclass(frozen=True)
class LoopQuestion:
    """Options that ``sozai propose candidates`` and ``sozai propose phases`` share.

    Examples
    --------
    >>> LoopQuestion(Path("list.csv"), start=True).changes_record
    True
    """

    file: Path | None = None
    id: str | None = None
    cost: str | None = None
    ignore: tuple[str, ...] = ()
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    tells: tuple[str, ...] = ()
    start: bool = False
    release: tuple[str, ...] | None = None
    withdraw: tuple[str, ...] = ()
    number: int = 1
    out: Path | None = None
    output: Path | None = None
    json: bool = False
    seed: int | None = None

    @property
    def changes_record(self) -> bool:
        """Whether anything is to be remembered."""
        return self.tells_anything or self.start

    @property
    def tells_anything(self) -> bool:
        """Whether something is entered or taken back before anything is chosen."""
        return bool(self.tells or self.withdraw) or self.release is not None

    @property
    def list_path(self) -> Path:
        """The list itself; in a folder, ``candidates.csv``."""
        assert self.file is not None
        return self.file / "candidates.csv" if self.file.is_dir() else self.file


def read_release(entries: Any) -> tuple[str, ...] | None:
    """Rows to release, as they were typed; empty for all that are running, None for none.

    Examples
    --------
    >>> read_release([]), read_release(["all"]), read_release(["3", "5"])
    (None, (), ('3', '5'))
    """
    if not entries:
        return None
    return () if "all" in entries else tuple(entries)


def refuse_other_table(out: Path | None) -> None:
    """Refuse to write proposals over anything else."""
    if out is not None and out.exists() and not _is_proposals(out.read_bytes()):
        raise InputError(
            sentence("-o", "the place", "be new or hold proposals (a header that begins with 'actions')",
                     str(out), remedy="Name another file; this one is left as it is.")
        )  # fmt: skip


def refuse_workbook(question: LoopQuestion, what: str) -> None:
    """A workbook is read, never written: neither results nor phases are entered into it."""
    asked = [
        option
        for option, given in (
            ("--tell", question.tells), ("--start", question.start),
            ("--release", question.release is not None), ("--withdraw", question.withdraw),
        )
        if given
    ]  # fmt: skip
    if asked:
        raise InputError(
            sentence(asked[0], f"'{question.list_path}'", f"be a text table, into which {what} are entered",
                     "an XLSX file", remedy=f"Save the sheet as CSV and use that, or enter {what} in Excel.")
        )  # fmt: skip


def _is_proposals(data: bytes) -> bool:
    """Whether a file is empty or begins as a list of proposals does."""
    head = data[:64].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe").lstrip(b'"')
    return not head.strip() or head.startswith(b"actions")
