"""What the repository says about itself agrees, and says nothing about the machine it was written on."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import sozai

ROOT = Path(__file__).resolve().parents[2]
TEXT = {
    "", ".cff", ".cfg", ".css", ".csv", ".html", ".ini", ".json", ".md", ".py", ".rst", ".sh", ".svg",
    ".toml", ".txt", ".yaml", ".yml",
}  # fmt: skip
# an absolute path of one machine, not the middle of an address or of a relative path
MACHINE = re.compile(r"(?<![\w.\-/])/(?:work|root|opt|home|Users)/")
# an address that serves packages and is not the public index
REGISTRY = re.compile(
    r"https?://(?!(?:[\w-]+\.)?pypi\.org\b)(?!files\.pythonhosted\.org\b)"
    r"[^\s/\"'<>)]*(?:pypi|mirror|artifactory|nexus|devpi|registry)[^\s/\"'<>)]*",
    re.IGNORECASE,
)


def tracked_files():
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        [git, "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def matches(pattern):
    found = []
    for path in tracked_files():
        if path.suffix in TEXT and path != Path(__file__).resolve():
            for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                if pattern.search(line):
                    found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    return found


@pytest.mark.parametrize(
    ("pattern", "bad", "good"),
    [
        (MACHINE, "open('/work/main/x')", "https://example.org/work/x"),
        (MACHINE, "see /opt/thing", "docs/opt/thing"),
        (REGISTRY, "index = https://pypi.example.com/simple", "https://pypi.org/project/sozai"),
        (REGISTRY, "https://mirror.example.net/pypi/simple", "https://example.net/paper"),
    ],
)
def test_the_patterns_find_what_they_should(pattern, bad, good):
    assert pattern.search(bad)
    assert not pattern.search(good)


def test_no_file_names_a_path_of_one_machine():
    assert matches(MACHINE) == []


def test_no_file_names_a_registry_other_than_the_public_one():
    assert matches(REGISTRY) == []


def test_the_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == sozai.__version__
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: \"?([^\"\n]+)", citation, re.MULTILINE).group(1) == sozai.__version__


def test_no_published_data_are_in_the_repository():
    """Files of the fetched sets stay with their owners."""
    names = {path.name for path in tracked_files()}
    assert names & {"octet82.csv", "slater_pauling_99.dat", "bartel2019_TableS1_576_ABX3.csv"} == set()


def test_lock_files_are_not_tracked():
    """They record where packages were downloaded from."""
    assert {path.name for path in tracked_files()} & {"uv.lock", "poetry.lock", "package-lock.json"} == set()
