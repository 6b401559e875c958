"""What is similar to a formula: the nearest of a database, how near, and in which features they differ."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sozai.apps.cli.formula_columns import FormulaFile, as_written
from sozai.apps.cli.formula_places import check_result_folder, check_result_place, check_text_table
from sozai.apps.cli.formula_reading import in_option_words
from sozai.apps.cli.formula_wording import in_formula_words
from sozai.apps.cli.output import collected_warnings, progress_console
from sozai.apps.cli.similar_database import INDEX, Database, known_database, make_database, read_index
from sozai.apps.cli.usage import UsageError
from sozai.apps.cli.wording import in_command_words
from sozai.contracts.errors import InputError, sentence

if TYPE_CHECKING:
    import numpy as np

__all__ = ["SimilarAnswer", "SimilarQuestion", "answer", "read_ranges"]

_SHARE = "share: "
_N_FEATURES = 5
_SAME = 1e-9  # distance below which two compositions are one
Range = tuple[float | None, float | None]


@dataclass(frozen=True)
class SimilarQuestion:
    """Options of ``sozai describe similar`` as they were given.

    Examples
    --------
    >>> SimilarQuestion("LiFePO4", None).k
    10
    """

    formula: str
    source: FormulaFile | None
    table: str = "sozai"
    k: int = 10
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    ranges: Mapping[str, Range] = field(default_factory=dict)
    different: bool = False
    place: Path | None = None
    output: Path | None = None
    json: bool = False


@dataclass
class SimilarAnswer:
    """The nearest materials, with what makes the difference.

    Attributes
    ----------
    question : SimilarQuestion
    database : Database
    hits : list of dict
        ``rank, row, formula, distance, percentile, groups, features, properties``, nearest first.
    rows : ndarray of int
        Rows of the hits in the database.
    notes : list of str
    seconds : float
    """

    question: SimilarQuestion
    database: Database
    hits: list[dict[str, Any]]
    rows: np.ndarray
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def answer(question: SimilarQuestion) -> None:
    """Answer on the terminal, as JSON, and into files."""
    from sozai.apps.cli.similar_output import deliver

    start = time.perf_counter()
    _check_usage(question)
    with collected_warnings() as notes:
        source = None if question.source is None else question.source.path
        check_text_table("-o", question.place)
        check_result_place("-o", question.place, (source,), "similar.csv")
        check_result_folder(question.output)
        with progress_console().status("reading the database", spinner="line") as status:
            found = _find(question, status)
        found.seconds = time.perf_counter() - start
        spoken = (in_command_words(in_formula_words(note)) for note in [*found.notes, *notes])
        found.notes = list(dict.fromkeys(spoken))
        deliver(found)


def read_ranges(entries: tuple[str, ...]) -> dict[str, Range]:
    """Read ``COL=LOW:HIGH`` entries; either end may be left out.

    Examples
    --------
    >>> read_ranges(("gap [eV]=1:", "density=:5.5"))
    {'gap [eV]': (1.0, None), 'density': (None, 5.5)}
    """
    ranges: dict[str, Range] = {}
    for entry in entries:
        name, equals, text = entry.rpartition("=")
        low, colon, high = text.partition(":")
        try:
            ends = tuple(float(end) if end.strip() else None for end in (low, high))
        except ValueError:
            ends = (None, None)
        numbers = [end for end in ends if end is not None]
        if not (equals and colon and name.strip() and numbers) or any(end != end for end in numbers):
            raise UsageError(
                sentence(
                    "--range", "each entry", "read COL=LOW:HIGH", entry,
                    remedy='Write for example --range "gap=1:3", or gap=1: for 1 and more.',
                )
            )  # fmt: skip
        if len(numbers) == 2 and numbers[0] > numbers[1]:
            raise UsageError(
                sentence("--range", "LOW", "not exceed HIGH", entry, remedy="Exchange the two ends.")
            )
        ranges[name.strip()] = (ends[0], ends[1])
    return ranges


def _check_usage(question: SimilarQuestion) -> None:
    """Refuse a formula or an element that is none, and options that do not go together."""
    from sozai.composition import ELEMENTS, parse_formula

    try:
        with collected_warnings():
            parse_formula(question.formula)
    except InputError as error:
        text = in_formula_words(str(error)).replace("parse_formula: formula", "FORMULA", 1)
        raise UsageError(text) from None
    for option, names in (("--include", question.include), ("--exclude", question.exclude)):
        for name in names:
            if name not in ELEMENTS:
                raise UsageError(
                    sentence(
                        option, "each entry", "be the symbol of an element", name, remedy="Write e.g. Fe."
                    )
                )
    both = sorted(set(question.include) & set(question.exclude))
    if both:
        raise UsageError(
            sentence("--exclude", "an element", "not be in --include, too", both[0], remedy="Choose one.")
        )
    source = question.source
    is_index = source is not None and source.path.suffix.lower() == INDEX
    if is_index and question.table != "sozai":
        raise UsageError(
            sentence(
                "--table", "the option", f"be left out with a database that ends in {INDEX}", question.table,
                remedy="The table was chosen when the database was made.",
            )
        )  # fmt: skip
    if source is None or not is_index:
        return
    for option, value in (("formula", source.formula), ("basis", source.basis), ("values", source.values)):
        if value:
            raise UsageError(
                sentence(
                    f"--{option}", "the option", f"be left out with a database that ends in {INDEX}", value,
                    remedy="It was read when the database was made: give it to 'describe database'.",
                )
            )  # fmt: skip


def _find(question: SimilarQuestion, status: Any) -> SimilarAnswer:
    """Database, hits and what is to be said about them."""
    if question.source is None:
        database = known_database(question.table, status)
    elif question.source.path.suffix.lower() == INDEX:
        database = read_index(question.source.path)
    else:
        database = make_database(question.source, status)
    status.update(f"seeking among {len(database.similar)} formulas")
    ranges = {_property(database, name): ends for name, ends in question.ranges.items()}
    try:
        with in_option_words():
            result = database.similar.find(
                question.formula, question.k, include=question.include, exclude=question.exclude,
                properties=ranges or None, same=not question.different,
            )  # fmt: skip
    except InputError as error:
        raise type(error)(_in_similar_words(str(error))) from None
    notes = list(database.notes)
    if len(result) < question.k:
        said = "No formula passes" if not len(result) else f"Only {len(result)} formulas pass"
        said = "Only 1 formula passes" if len(result) == 1 else said
        notes.append(f"{said} all filters, of the {len(database.similar)} of the database.")
    hits = _hits(database.similar, question.formula, result)
    return SimilarAnswer(question, database, hits, result.rows, notes)


def _hits(similar: Any, query: str, result: Any) -> list[dict[str, Any]]:
    """One record a hit, with the parts that groups of features and single features own in the distance."""
    frame = result.to_frame()
    shares = [name for name in frame.columns if name.startswith(_SHARE)]
    own = [
        name for name in frame.columns if name not in ("formula", "distance", "percentile", "row", *shares)
    ]
    written = as_written(similar.properties)
    for name in own:
        frame[name] = written[name].to_numpy()[result.rows]
    features = _feature_shares(similar, query, result.rows)
    hits = []
    for rank, row in enumerate(frame.to_dict("records"), start=1):
        same = float(row["distance"]) < _SAME
        groups = {} if same else {name.removeprefix(_SHARE): float(row[name]) for name in shares}
        hits.append(
            {
                "rank": rank,
                "row": int(row["row"]) if "row" in row else None,
                "formula": row["formula"],
                "distance": 0.0 if same else float(row["distance"]),
                "percentile": float(row["percentile"]),
                "groups": groups,
                "features": [] if same else features[rank - 1],
                "properties": {name: row[name] for name in own},
            }
        )
    return hits


def _feature_shares(similar: Any, query: str, rows: np.ndarray) -> list[list[dict[str, Any]]]:
    """For every hit, the features with the largest parts of the squared distance."""
    import numpy as np

    from sozai.composition import parse_formulas
    from sozai.contracts.parallel import one_thread

    if not len(rows):
        return []
    descriptor = similar.descriptor
    with collected_warnings():
        parsed = parse_formulas([query], components=descriptor.components_)
    gaps = similar.weights[rows].toarray() - parsed.fractions.toarray()
    with one_thread():
        blocks = descriptor.isometric_blocks()
    parts = np.array([((gaps @ factor) ** 2).sum(axis=1) for _, factor in blocks]).T
    parts /= np.maximum(parts.sum(axis=1, keepdims=True), 1e-300)
    names = [name for name, _ in blocks]
    return [
        [{"feature": names[j], "share": float(row[j])} for j in np.argsort(-row, kind="stable")[:_N_FEATURES]]
        for row in parts
    ]


def _property(database: Database, name: str) -> str:
    """Property by its name, with or without its unit."""
    from sozai.contracts.unit_headers import split_unit

    known = [str(label) for label in database.similar.properties.columns if label != "row"]
    if name in known:
        return name
    found = [label for label in known if name in (label.removesuffix(" (given)"), split_unit(label)[0])]
    if len(found) == 1:
        return found[0]
    import difflib

    near = difflib.get_close_matches(name, [*known, *(split_unit(label)[0] for label in known)], n=1)
    listed = ", ".join(map(repr, known)) or "none"
    remedy = f"Did you mean {near[0]!r}?" if near else "Name one of them."
    raise InputError(
        sentence("--range", "the column", f"be a property of the database ({listed})", name, remedy=remedy)
    )


def _in_similar_words(text: str) -> str:
    """Return what the library refuses with the options of this command."""
    for said, option in (
        ("SimilarMaterials.find: formula", "FORMULA"),
        ("SimilarMaterials.find: include", "--include"),
        ("SimilarMaterials.find: exclude", "--exclude"),
        ("SimilarMaterials.find: properties", "--range"),
    ):
        text = text.replace(said, option, 1)
    return text
