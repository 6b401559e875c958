"""What the library says about formulas, in the words of the command line; rows counted and named."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["in_formula_words", "listed_rows"]

_N_NAMED = 10

# What the library advises to one who writes Python, and how the same is done here.
_SPOKEN = tuple(
    (re.compile(python), command)
    for python, command in (
        (r"[Pp]ass values=\{'([^']*)': ([\d.]+)\} with", r"Give --values \1=\2 with"),
        (r"; values=\{\} has it worked out", "; --values NAME=NUMBER has it worked out"),
        (r"Pass basis='at%' or basis='wt%'", "Give --basis at% or --basis wt%"),
        (r"pass basis='(\S+?)'", r"give --basis \1"),
        (r"with basis='(\S+?)'", r"with --basis \1"),
        (r" \(or pass allow_nan_like=True\)", ""),
        (r"Close the bracket above the caret", "Close the bracket"),
        (r"must be a formula, not a gap \(missing formula\)", "must not be missing"),
        (r"must not be missing \(missing formula\)", "must not be missing"),
        (r"Add (.+?) with ComponentTable\.with_components, or leave", r"Name a table that has \1, or leave"),
        (r"Extend the table with ComponentTable\.with_components\.", "Name a table that has it by --table."),
        (r"leave `table` out for the elements", "leave --table out for the bundled one"),
        (r"Leave it out for the elements", "Leave --table out for the bundled one"),
        (r"must be 'sozai', 'published', a ComponentTable, a DataFrame or", "must be sozai, published or"),
        (r"^(?:as_table|ComponentTable\.\w+): table", "--table: the value"),
        (r" Leave them out with table\.subset\(features=\.\.\.\) where that matters\.", ""),
        (r"^(?:SummaryStatistics|KernelMeanDescriptor|Composition\w+)\.\w+: ", ""),
    )
)


def in_formula_words(text: str) -> str:
    """Return a message of the library about formulas with its remedies spelled as options.

    Examples
    --------
    >>> in_formula_words("it needs a value for x. Pass values={'x': 0.1} with the value you mean.")
    'it needs a value for x. Give --values x=0.1 with the value you mean.'
    """
    for python, command in _SPOKEN:
        text = python.sub(command, text)
    return text


def listed_rows(rows: Sequence[int], noun: str = "row") -> str:
    """Count rows and name the first ten.

    Examples
    --------
    >>> listed_rows([3]), listed_rows([3, 8])
    ('1 row (3)', '2 rows (3, 8)')
    """
    more = f" and {len(rows) - _N_NAMED} more" if len(rows) > _N_NAMED else ""
    counted = f"1 {noun}" if len(rows) == 1 else f"{len(rows)} {noun}s"
    return f"{counted} ({', '.join(str(row) for row in rows[:_N_NAMED])}{more})"
