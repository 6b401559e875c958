"""Numbered references stay inside their docstring, and what scikit-learn adds is left to its own pages."""

import re

from sphinx.application import Sphinx

_ENTRY = re.compile(r"^(\s*)\.\. \[(\d+)\] ")
_MARK = re.compile(r"\[(\d+)\]_")


def number_references(app, what, name, obj, options, lines: list[str]) -> None:
    """Turn ``.. [1] paper`` into a list and ``[1]_`` into ``[1]``: many docstrings share a page."""
    lines[:] = [_MARK.sub(r"[\1]", _ENTRY.sub(r"\1* [\2] ", line)) for line in lines]


def is_from_scikit_learn(app, what, name, obj, skip, options) -> bool | None:
    """Skip re-exported scikit-learn names and its ``set_..._request`` methods."""
    home = getattr(obj, "__module__", None) or ""
    if home.startswith("sklearn.") or re.fullmatch(r"set_\w+_request", name):
        return True
    return None


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect both, before the sections of the docstring are read."""
    app.connect("autodoc-process-docstring", number_references, priority=100)
    app.connect("autodoc-skip-member", is_from_scikit_learn)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
