"""Exchanges of columns as people write them: ``A<->B``, ``A->B->C`` and slots ``M_I[0,1]``."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

from sozai.contracts.errors import InputError, sentence

__all__ = ["slot_image", "slots_of", "text_mapping"]

_SLOTS = re.compile(r"(.*?)\[(\d+(?:,\d+)*)\]", flags=re.DOTALL)
_ARROW = re.compile(r"<\s*-+\s*>|<\s*=+\s*>|↔|⇔|⟷")


def slots_of(name: str) -> tuple[str, tuple[int, ...]]:
    """Stem and slots of ``M_I[0,1]``; no slots for other names."""
    match = _SLOTS.fullmatch(name.replace(", ", ","))
    if match is None:
        return name, ()
    return match.group(1), tuple(int(k) for k in match.group(2).split(","))


def slot_image(name: str, exchange: Mapping[int, int]) -> str:
    """Name after the slots were permuted."""
    stem, slots = slots_of(name)
    if not slots:
        return name
    return f"{stem}[{','.join(str(exchange.get(k, k)) for k in slots)}]"


def text_mapping(names: tuple[str, ...], text: str) -> dict[str, str]:
    """Column mapping of exchanges joined by commas."""
    columns: dict[str, str] = {}
    tokens: dict[str, str] = {}
    slots: dict[int, int] = {}
    for part in _split_outside_brackets(text):
        words, cyclic = _words(part)
        pairs = (
            list(itertools.pairwise([*words, words[0]]))
            if cyclic
            else [(words[0], words[1]), (words[1], words[0])]
        )
        if all(word.isdecimal() for word in words) and not any(word in names for word in words):
            slots.update((int(a), int(b)) for a, b in pairs)
            continue
        target = columns if all(word in names for word in words) else tokens
        if target is tokens and any(word in names for word in words):
            missing = next(word for word in words if word not in names)
            raise InputError(
                sentence(
                    "SymmetryGroup.from_text",
                    "both sides of <->",
                    f"be columns ({', '.join(names[:20])})",
                    missing,
                    remedy="Add the column or correct its name.",
                )
            )
        target.update(pairs)
    if slots:
        moved = {name: image for name in names if (image := slot_image(name, slots)) != name}
        columns = {**moved, **columns}
    if tokens or not columns:
        moved = {name: image for name in names if (image := _token_image(name, tokens, names)) != name}
        if not moved:
            raise InputError(
                sentence(
                    "SymmetryGroup.from_text",
                    "symmetry",
                    f"name columns or parts of columns ({', '.join(names[:20])})",
                    text.strip(),
                    remedy="Name the columns by a token, e.g. r_A and r_B, or write 'r_1<->r_2'.",
                )
            )
        columns = {**moved, **columns}
    return columns


def _split_outside_brackets(text: str) -> list[str]:
    """Parts between commas that are not inside brackets."""
    return [part for part in re.split(r",(?![^\[]*\])", text) if part.strip()]


def _words(part: str) -> tuple[list[str], bool]:
    """Words of one exchange ``A<->B`` or one cycle ``A->B->C``."""
    words = [word.strip().strip("`") for word in _ARROW.split(part)]
    cyclic = False
    if len(words) == 1:
        words = [word.strip().strip("`") for word in re.split(r"->|→", part)]
        cyclic = len(words) > 1
    if len(words) < 2 or (len(words) > 2 and not cyclic) or not all(words) or len(set(words)) < len(words):
        raise InputError(
            sentence(
                "SymmetryGroup.from_text",
                "symmetry",
                "be exchanges such as 'A<->B' or cycles such as 'A->B->C'",
                part.strip(),
                remedy="Write two different names with <-> between them.",
            )
        )
    return words, cyclic


def _token_image(name: str, tokens: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Name after a token exchange: most parts exchanged first, the first that is a column wins.

    Parts between underscores are exchanged as a whole or by their capitals,
    so that ``M_AB`` becomes ``M_BA`` and ``EA_A`` becomes ``EA_B``.
    """
    stem, slots = slots_of(name)
    suffix = name[len(stem) :] if slots else ""
    parts = stem.split("_")
    choices = []
    for part in parts:
        if part in tokens:
            choices.append([tokens[part]])
            continue
        pieces = re.findall(r"[A-Z][a-z]*|[^A-Z]+", part)
        exchanged = "".join(tokens.get(piece, piece) for piece in pieces)
        choices.append([exchanged, part] if exchanged != part else [part])
    candidates = ["_".join(choice) + suffix for choice in itertools.product(*choices)]
    return next((c for c in candidates if c in names and c != name), candidates[0])
