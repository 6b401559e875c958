"""The documentation names everything public, and the papers of the house keep their promises."""

import importlib
import inspect
import pkgutil
import re
import shlex
from pathlib import Path

import pytest

import sozai

ROOT = Path(__file__).resolve().parents[2]
API = ROOT / "docs" / "api"
DESCRIBED = re.compile(r"^\.\. auto(?:module|class|function):: (\S+)$", re.MULTILINE)
ROOMS = (
    "assimilation", "composition", "contracts", "datasets", "displays", "numerics", "proposals", "spectra",
    "study", "symbolic",
)  # fmt: skip


def public_names():
    """Every public object of the house: what a room exports, or its modules where it has no list."""
    for room in ROOMS:
        package = importlib.import_module(f"sozai.{room}")
        if hasattr(package, "__all__"):
            yield from exported(package)
            continue
        for info in pkgutil.iter_modules(package.__path__, f"sozai.{room}."):
            module = importlib.import_module(info.name)
            if not info.name.rpartition(".")[2].startswith("_") and hasattr(module, "__all__"):
                yield from exported(module)


def exported(module):
    for label in module.__all__:
        thing = getattr(module, label)
        ours = getattr(thing, "__module__", None) or ""
        if (inspect.isclass(thing) or inspect.isfunction(thing)) and ours.startswith("sozai."):
            yield f"{module.__name__}.{label}"


def described_names():
    return {name for page in API.glob("*.md") for name in DESCRIBED.findall(page.read_text(encoding="utf-8"))}


def lookup(name):
    """Object of a dotted name: a module, or something inside one."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        home, _, label = name.rpartition(".")
        return getattr(importlib.import_module(home), label)


def test_every_public_class_and_function_has_a_place_in_the_api_pages():
    described = described_names()
    missing = {name for name in public_names() if not {name, name.rpartition(".")[0]} & described}
    assert missing == set()


def test_the_api_pages_name_nothing_that_is_gone():
    for name in described_names():
        assert lookup(name) is not None


@pytest.mark.parametrize("name", sorted(public_names()))
def test_every_public_class_and_function_has_a_docstring(name):
    assert inspect.getdoc(lookup(name))


def fenced_blocks(path):
    return re.findall(r"^```(\w*)\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_first_fenced_block_of_the_readme_holds_the_two_commands():
    _, block = fenced_blocks(ROOT / "README.md")[0]
    commands = [line for line in block.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert commands == ["pip install uv && uv run sozai tour", "uv run pytest"]


def test_the_python_example_of_the_readme_runs(capsys):
    codes = [code for language, code in fenced_blocks(ROOT / "README.md") if language == "python"]
    assert codes
    for code in codes:
        lines = [line for line in code.splitlines() if line.strip()]
        assert len(lines) <= 12
        promised = [line.split("# ", 1)[1] for line in lines if line.startswith("print(") and "# " in line]
        exec(compile(code, "README.md", "exec"), {})
        assert capsys.readouterr().out.splitlines() == promised


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "rooms").glob("*.md")), ids=lambda page: page.stem)
def test_the_python_examples_of_the_room_pages_run(page, capsys):
    for code in [code for language, code in fenced_blocks(page) if language == "python"]:
        prints = [line for line in code.splitlines() if line.startswith("print(")]
        exec(compile(code, page.name, "exec"), {})
        assert capsys.readouterr().out.splitlines() == [line.split("  # ", 1)[1] for line in prints]


def test_links_inside_the_papers_lead_somewhere():
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        text = path.read_text(encoding="utf-8")
        targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", text) + re.findall(
            r'<img[^>]* src="([^"]+)"', text
        )
        missing = [target for target in targets if not (ROOT / target).exists()]
        assert missing == []


def test_commands_in_the_documentation_use_options_that_exist():
    """Every ``sozai VERB ...`` line of a fenced block names only options that the verb's help lists."""
    from typer.main import get_command
    from typer.testing import CliRunner

    from sozai.apps.cli.application import app

    runner = CliRunner(env={"COLUMNS": "200", "TERM": "dumb"})
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for language, block in fenced_blocks(path):
            if language not in ("", "bash", "console"):
                continue
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line.split(" # ")[0].removeprefix("uv run "), comments=True)
                if words[:1] != ["sozai"] or len(words) < 2:
                    continue
                command = get_command(app)
                verbs = []
                for word in words[1:]:
                    if not hasattr(command, "commands") or word not in command.commands:
                        break
                    command = command.commands[word]
                    verbs.append(word)
                known = {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
                used = {word.split("=")[0] for word in words if word.startswith("-")}
                assert used <= known | {"--help"}, f"{path.name}: {line}"
                assert runner.invoke(app, [*verbs, "--help"]).exit_code == 0


def test_the_citation_file_has_the_version_of_the_package():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {sozai.__version__}\n" in text


@pytest.mark.parametrize("path", sorted((ROOT / "changelog.d").glob("*.*.md")), ids=lambda path: path.name)
def test_a_changelog_fragment_is_one_sentence_of_a_known_kind(path):
    assert path.name.split(".")[-2] in {"added", "changed", "fixed", "removed"}
    lines = path.read_text(encoding="utf-8").strip().splitlines()
    assert len(lines) == 1
    assert lines[0].endswith(".") or lines[0].endswith("`.") or lines[0].endswith("`")
