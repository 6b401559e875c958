"""What the library says, in the words of the command line."""

from __future__ import annotations

import re

__all__ = ["in_command_words"]

_FEWER = "Give a lower --order or --max-terms, fewer --operations, or leave columns out with --ignore."
_SMALLER = "Give a lower --max-rung, fewer --operations, units, or raise --max-candidates or --memory."

# What the library advises to one who writes Python, and how the same is done here.
_SPOKEN = tuple(
    (re.compile(python), command)
    for python, command in (
        (r"with dimensionless=\[\.\.\.\]", "with --units COL= (no unit)"),
        (r"missing='(\w+)'", r"--missing \1"),
        (r"\b(encoding|decimal|delimiter|sheet)='([^']*)'", r'--\1 "\2"'),
        (r"\bpass decimal=\.", "pass --decimal"),
        (r"\bchoose with sheet=", "choose with --sheet"),
        (r"\bleave encoding out\b", "leave --encoding out"),
        (r"\bid_columns\b", "--id"),
        (r"\bat most max_features=", "at most "),
        (r"\binto memory_limit=[^ ]+ bytes \(([^)]+)\)", r"into \1"),
        (r"Lower the order[^.]*?, or raise (?:max_features|memory_limit)\.", _FEWER),
        (r"\bexceed max_candidates\b", "exceed --max-candidates"),
        (r"\b(exceed|--max-candidates (?:or|and)) memory_limit\b", r"\1 --memory"),
        (r"Lower max_rung or max_complexity, use fewer columns or operations, or raise it\.", _SMALLER),
        (r"Lower max_complexity, use fewer operations or columns, or raise \w+\.", _SMALLER),
        (r"\bmax_combinations must be at least the", "the search must be shorter than"),
        (r"They take about (.+?) s on one core: raise it, .*$", rf"It takes about \1 s. {_FEWER}"),
        (r" Use method='exact'.*$", " The list of --relations may miss some; the law is not affected."),
        (
            r"Lower n_objectives, or name the objectives\.",
            "Lower --objectives, or name columns by --objective.",
        ),
        (
            r"Give fewer columns the role id, cost or ignore\.",
            "Give fewer columns to --id, --cost or --ignore.",
        ),
        (r"\bpass n_objectives=(\d+)", r"give --objectives \1"),
        (r"Use correct\(([^)]*)\)\.", r"Correct it in Python: open_campaign(path).correct(\1)."),
        (
            r"Add the candidate first, or tell it by its descriptors with adopt=True\.",
            "Add its row to the list.",
        ),
        (r"\bWrite (?:ExpectedImprovement|ExpectedHypervolumeImprovement)\(\)\.", "Leave it out."),
        (r"\bbe an acquisition object or one of\b", "be one of"),
        (r"\bserve several objectives: an object or one of\b", "serve several objectives: one of"),
        (r"\buse correct\(\) for one of the replicates\b", "--withdraw ROW takes the latest one back"),
        (r"\buse correct\(event, None\) to withdraw one\b", "--withdraw ROW takes one back"),
        (r"^[A-Z]\w*Proposer(?:\.\w+)?: ", ""),
        (r"\bDrop one of them\.", "Leave one out with --ignore."),
        (r"\bGive its column the role id or ignore\.", "Give its column to --id or --ignore."),
        (r" See applicability\(X\)\.", ""),
        (r"Call cite\(\) for the whole list\.", "Run 'sozai cite' for the whole list."),
    )
)


def in_command_words(text: str) -> str:
    """Return a message of the library with its remedies spelled as options.

    Examples
    --------
    >>> in_command_words("Fill the cell, or leave such rows out with missing='drop'.")
    'Fill the cell, or leave such rows out with --missing drop.'
    >>> in_command_words("Pass encoding='cp1252', or save it as UTF-8.")
    'Pass --encoding "cp1252", or save it as UTF-8.'
    """
    for python, command in _SPOKEN:
        text = python.sub(command, text)
    return text
