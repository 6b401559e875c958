"""The lines of a VAMAS file, taken one after the other as text or numbers; errors name line and block."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from sozai.contracts.errors import InputError, sentence
from sozai.contracts.table_files import read_bytes

__all__ = ["VamasLines", "decode_any", "vamas_lines"]


@dataclass
class VamasLines:
    """Lines with a place in them.

    Parameters
    ----------
    lines : list of str
    source : str
        File, for messages.
    number : int
        Lines taken so far; also the number of the last one, counted from 1.
    block : str
        What is being read, for messages.

    Examples
    --------
    >>> lines = VamasLines(["2", "first", "second", "1E37"], "a.vms")
    >>> lines.texts("number of comment lines", "comment"), lines.real("bias")
    (('first', 'second'), 1e+37)
    """

    lines: list[str]
    source: str
    number: int = 0
    block: str = ""

    @property
    def last(self) -> str:
        """The line taken last."""
        return self.lines[self.number - 1]

    def at_end(self) -> bool:
        """Whether all lines are taken."""
        return self.number >= len(self.lines)

    def skip_blank(self) -> None:
        """Skip empty lines above the header."""
        while not self.at_end() and not self.lines[self.number].strip():
            self.number += 1

    def text(self, what: str) -> str:
        """Next line as it stands."""
        if self.at_end():
            self._cut(what)
        self.number += 1
        return self.last

    def choice(self, what: str, options: tuple[str, ...]) -> str:
        """Next line, one of a few words."""
        word = self.text(what).strip().upper()
        if word not in options:
            self.fail(what, f"be one of {', '.join(options)}", self.last, "Correct the line above all.")
        return word

    def whole(self, what: str) -> int:
        """Next line as a whole number."""
        value = self.real(what, "be a whole number")
        if value != int(value):
            self.fail(what, "be a whole number", self.last, "Correct the line.")
        return int(value)

    def whole_or_missing(self, what: str) -> int | float:
        """Next line as a whole number, or a missing value."""
        value = self.real(what, "be a whole number")
        return int(value) if value == int(value) and abs(value) < 2**53 else value

    def count(self, what: str, *, atleast: int = 0) -> int:
        """Next line as a number of things; more than the file has lines is refused at once."""
        n = self.whole(what)
        if n < atleast:
            self.fail(what, f"be at least {atleast}", n, "Correct the line.")
        if what != "number of spectral regions" and not what.startswith("number of discrete"):
            left = len(self.lines) - self.number
            if n > left:
                self.fail(
                    what, f"fit the {left} lines that follow", n,
                    "The file is truncated or a number above is wrong; get it again from its source.",
                )  # fmt: skip
        return n

    def texts(self, what: str, each: str) -> tuple[str, ...]:
        """A number, and as many lines."""
        return tuple(self.text(each) for _ in range(self.count(what)))

    def pairs(self, what: str, each: str, *, atleast: int = 0) -> tuple[tuple[str, str], ...]:
        """A number, and as many labels with units."""
        n = self.count(what, atleast=atleast)
        return tuple((self.text(f"label of {each}"), self.text(f"unit of {each}")) for _ in range(n))

    def real(self, what: str, requirement: str = "be a number") -> float:
        """Next line as a number."""
        text = self.text(what)
        try:
            value = float(text)
        except ValueError:
            value = np.nan
        if not np.isfinite(value):
            self.fail(what, requirement, text, "A number above is wrong, or a line is missing.")
        return value

    def reals(self, what: str, n: int) -> NDArray[np.float64]:
        """``n`` lines as numbers."""
        if self.number + n > len(self.lines):
            missing = self.number + n - len(self.lines)
            self.number = len(self.lines)
            self._cut(f"{n} lines of {what}s ({missing} missing)")
        part = self.lines[self.number : self.number + n]
        try:
            values = np.array(list(map(float, part)))
        except ValueError:
            values = np.full(n, np.nan)
        if not np.isfinite(values).all():
            for _ in range(n):
                self.real(what)
        self.number += n
        return values

    def fail(self, what: str, requirement: str, value: object, remedy: str) -> NoReturn:
        """Raise an error that names line, block and file."""
        block = f", {self.block}," if self.block else ""
        shown = value.strip() if isinstance(value, str) else value
        raise InputError(
            sentence(
                "read_vamas", what, requirement, shown, at=f"at line {self.number}{block} of '{self.source}'",
                remedy=remedy,
            )
        )  # fmt: skip

    def _cut(self, what: str) -> NoReturn:
        """The file ends early."""
        block = f" in {self.block}" if self.block else " in the header"
        raise InputError(
            f"read_vamas: '{self.source}' must be complete. It ends after line {len(self.lines)}{block}, "
            f"where {what} should follow. Get the file again from its source."
        )


def vamas_lines(path: Path) -> VamasLines:
    """Lines of a file, without line ends; a last line without line end counts."""
    lines = decode_any(read_bytes(path)).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return VamasLines(lines, str(path))


def decode_any(data: bytes) -> str:
    """Text of a file that is ASCII by rule and anything by habit: UTF-8, UTF-16, CP932, else Latin-1.

    Bytes that would be half-width katakana alone are more often a Western Å, ° or µ.

    Examples
    --------
    >>> decode_any("Å".encode("latin-1")), decode_any("試料".encode("cp932"))
    ('Å', '試料')
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    with contextlib.suppress(UnicodeDecodeError):
        return data.decode("utf-8-sig")
    with contextlib.suppress(UnicodeDecodeError):
        text = data.decode("cp932")
        if any("\u3000" <= char < "\uff61" for char in text):
            return text
    return data.decode("latin-1")
