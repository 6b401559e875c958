"""How the source is written: what no file may hold, and what every one must."""

import ast
import importlib
import inspect
import io
import pkgutil
import re
import tokenize
from pathlib import Path

import pytest

from sozai.contracts import citations

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "sozai"
MODULES = sorted(PACKAGE.rglob("*.py"))
CITED = citations.cited_names()  # before any test registers an example
ROOMS = [
    "assimilation", "composition", "datasets", "displays", "numerics", "proposals", "spectra",
    "spectra.peaks", "study", "symbolic",
]  # fmt: skip


def in_every_module(rule):
    """Places where a rule is broken; ``rule(path, tree)`` yields (line, what)."""
    return [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for path in MODULES
        for line, what in rule(path, ast.parse(path.read_text(encoding="utf-8")))
    ]


def calls_of(tree, names):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node.lineno, node.func.id


def imports_of(tree, names):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found = {str(node.module).partition(".")[0]}
        else:
            continue
        for name in found & names:
            yield node.lineno, name


def glued_words(source):
    """Lines where two adjacent string literals run a word or a sentence into the next."""
    lines, end = [], None
    for text, line in string_pieces(source):
        if text is None:
            end = None
            continue
        starts_with_word = text[:1].isalnum() or text.startswith("{")
        if end is not None and starts_with_word and (end.isalnum() or end in ".,;:!?)}"):
            value_next_to_value = end == "}" and text.startswith("{")
            text_before_value = text.startswith("{") and end.isalnum()
            if not (value_next_to_value or text_before_value):
                lines.append(line)
        end = text[-1:] or end
    return lines


def string_pieces(source):
    """(text, line) of every string literal, and (None, line) wherever something else stands between."""
    skipped = {tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT}
    starts, ends = getattr(tokenize, "FSTRING_START", -1), getattr(tokenize, "FSTRING_END", -1)
    depth, begin, lines = 0, None, source.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == starts:
            depth += 1
            begin = begin or token.start
        elif token.type == ends:
            depth -= 1
            if depth == 0:
                yield literal_text(between(lines, begin, token.end)), begin[0]
                begin = None
        elif depth == 0 and token.type == tokenize.STRING:
            yield literal_text(token.string), token.start[0]
        elif depth == 0 and token.type not in skipped:
            yield None, token.start[0]


def between(lines, start, end):
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]]
    middle = lines[start[0] : end[0] - 1]
    return "".join([lines[start[0] - 1][start[1] :], *middle, lines[end[0] - 1][: end[1]]])


def literal_text(literal):
    """What stands between the quotes, with escaped white space as spaces."""
    body = re.fullmatch(r"[A-Za-z]*(\"\"\"|'''|\"|')(.*)\1", literal, re.DOTALL).group(2)
    return re.sub(r"\\[nrtvf]", " ", body)


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('x = "Install it; use" "transform"', [1]),
        ('x = (\n    "one sentence."\n    "Another"\n)', [3]),
        ('x = (\n    f"{n}"\n    "samples"\n)', [3]),
        ('x = f"got {n}" f"{m}"', []),
        ('x = "ends here. " "Starts here"', []),
        ('x = "a\\n" "b"', []),
        ('x = ["a", "b"]\ny = "a"', []),
        ('x = "a"\n"b"', []),
        ('f("a", n="b" "c")', [1]),
    ],
)
def test_glued_words_are_found(source, lines):
    assert glued_words(source) == lines


def test_no_glued_words():
    def rule(path, tree):
        return ((line, "words run together") for line in glued_words(path.read_text(encoding="utf-8")))

    assert in_every_module(rule) == []


def test_no_print_outside_the_apps():
    def rule(path, tree):
        return () if in_the_apps(path) else calls_of(tree, {"print"})

    assert in_every_module(rule) == []


def test_nothing_is_evaluated():
    def rule(path, tree):
        return calls_of(tree, {"eval", "exec", "compile", "__import__"})

    assert in_every_module(rule) == []


def test_nothing_is_pickled():
    def rule(path, tree):
        yield from imports_of(tree, {"pickle", "cPickle", "dill", "marshal", "shelve", "cloudpickle"})
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and ast.unparse(node) == "allow_pickle=True":
                yield node.lineno, "allow_pickle"

    assert in_every_module(rule) == []


def test_no_bare_except():
    def rule(path, tree):
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler) and node.type is None:
                yield node.lineno, "bare except"

    assert in_every_module(rule) == []


def test_the_library_does_not_end_the_program():
    def rule(path, tree):
        for node in () if in_the_apps(path) else ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in {"sys.exit", "os._exit"}:
                yield node.lineno, ast.unparse(node)

    assert in_every_module(rule) == []


def test_every_module_has_a_one_line_caption():
    def rule(path, tree):
        caption, _, rest = (ast.get_docstring(tree) or "").partition("\n")
        if not (10 < len(caption) <= 107 and caption.endswith((".", "?"))) or rest.partition("\n")[0]:
            yield 1, repr(caption)

    assert in_every_module(rule) == []


def test_no_room_or_file_has_a_name_that_says_nothing():
    empty = {"utils", "util", "common", "helpers", "helper", "misc", "core", "tools", "stuff"}

    def rule(path, tree):
        return ((1, name) for name in empty & set(path.relative_to(PACKAGE).with_suffix("").parts))

    assert in_every_module(rule) == []


def in_the_apps(path):
    return path.relative_to(PACKAGE).parts[0] in {"apps", "__main__.py"}


@pytest.mark.parametrize("room", ROOMS)
def test_every_class_that_a_room_exports_has_an_example(room):
    package = importlib.import_module(f"sozai.{room}")
    without = [
        name
        for name in getattr(package, "__all__", ())
        if inspect.isclass(getattr(package, name))
        and ">>> " not in (inspect.getdoc(getattr(package, name)) or "")
    ]
    assert without == []


def test_every_registered_citation_belongs_to_something_public():
    public = set()
    for room in ROOMS:
        package = importlib.import_module(f"sozai.{room}")
        public |= set(getattr(package, "__all__", ()))
        if not hasattr(package, "__all__"):  # a room whose modules are imported one by one
            for info in pkgutil.iter_modules(package.__path__, f"sozai.{room}."):
                public |= set(getattr(importlib.import_module(info.name), "__all__", ()))
    assert set(CITED) - public == set()


@pytest.mark.parametrize("name", ["cite", "show_versions"])
def test_the_top_level_holds_functions_of_the_contracts(name):
    sozai = importlib.import_module("sozai")
    assert getattr(sozai, name).__module__.startswith("sozai.contracts.")
