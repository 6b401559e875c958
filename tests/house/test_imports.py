"""Imports go down the stairs, and starting up is quick because nothing heavy is loaded before it is used."""

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "sozai"
MODULES = sorted(PACKAGE.rglob("*.py"))

HEAVY = {
    "ase", "dask", "distributed", "fastapi", "jax", "matplotlib", "openpyxl", "pooch", "pymatgen", "torch",
}  # fmt: skip
# the contracts about tables and estimators; every other one starts without pandas and scikit-learn
TABLE_CONTRACTS = {"estimator"} | {path.stem for path in (PACKAGE / "contracts").glob("*table*.py")}


def module_level_imports(path):
    """Top-level packages that a module imports when it is itself imported."""
    found = set()
    pending = list(ast.parse(path.read_text(encoding="utf-8")).body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).partition(".")[0])
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending += node.orelse
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            pending += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
    return found


def loaded_after(code):
    """Names of the packages loaded in a new interpreter after some code."""
    code += "\nimport sys; print('\\n' + ' '.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=120, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def seconds(code):
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], timeout=120, check=True)
    return time.perf_counter() - start


def test_imports_only_go_down_the_stairs():
    check = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", check],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout


def test_no_heavy_import_at_module_level():
    assert {path.name: found for path in MODULES if (found := module_level_imports(path) & HEAVY)} == {}


def test_light_contracts_import_nothing_but_numpy():
    for path in sorted((PACKAGE / "contracts").glob("*.py")):
        if path.stem not in TABLE_CONTRACTS:
            outside = module_level_imports(path) - set(sys.stdlib_module_names)
            assert outside <= {"numpy", "sozai"}, path.name


def test_importing_sozai_costs_no_more_than_numpy():
    ours, numpys = zip(*[(seconds("import sozai"), seconds("import numpy")) for _ in range(5)], strict=True)
    assert min(ours) <= 1.3 * min(numpys)


def test_importing_sozai_and_citing_load_no_tables_and_no_models():
    loaded = loaded_after("import sozai; sozai.cite('find_relations'); sozai.show_versions()")
    assert loaded & {"pandas", "sklearn", "scipy", "numba", "joblib", "rich", *HEAVY} == set()


def test_help_of_the_command_line_loads_no_tables_and_no_models():
    loaded = loaded_after(
        "import sys\n"
        "from sozai.apps.cli import main\n"
        "sys.argv = ['sozai', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass"
    )
    assert "typer" in loaded
    assert loaded & {"pandas", "sklearn", "scipy", "numba", *HEAVY} == set()


def test_every_room_can_be_reached_from_the_top():
    import sozai

    for name in sozai.__all__:
        assert getattr(sozai, name) is not None
    assert dir(sozai) == sorted(sozai.__all__)
    with pytest.raises(AttributeError, match=r"no attribute 'kitchen'\. Rooms are: assimilation, comp"):
        _ = sozai.kitchen
