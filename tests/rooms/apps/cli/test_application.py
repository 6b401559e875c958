import json
import subprocess
import sys

import pytest

import sozai
from sozai.apps.cli import main


def test_version(run):
    assert run("--version") == (0, f"sozai {sozai.__version__}\n", "")


def test_help_loads_no_heavy_package():
    code = (
        "import sys\nfrom sozai.apps.cli import main\n"
        "try:\n    main(['explain', 'table', '--help'])\n"
        "except SystemExit as left:\n    code = left.code\n"
        "heavy = {'pandas', 'sklearn', 'matplotlib', 'scipy', 'numba'} & set(sys.modules)\n"
        "sys.exit(f'{code} {heavy}' if heavy or code else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--target" in done.stdout


def test_module_is_the_same_program():
    done = subprocess.run(
        [sys.executable, "-m", "sozai", "--version"], capture_output=True, text=True, check=False
    )
    assert done.stdout == f"sozai {sozai.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "nonsense"),
        (["explain", "table", "a.csv"], "--target"),
        (["explain", "table", "a.csv", "--target", "y", "--order", "zero"], "1, 2, 3, ... or auto"),
        (["explain", "table", "a.csv", "--target", "y", "--select", "magic"], "magic"),
        (["tour", "--only", "kitchen"], "symbolic"),
    ],
)
def test_usage_errors_exit_2_and_leave_stdout_empty(run, arguments, said):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_cite(run):
    code, out, _ = run("cite", "find_relations", "--json")
    papers = json.loads(out)
    assert code == 0
    assert papers["schema"] == "sozai.cite/1"
    assert papers["papers"][0]["key"] == "sozai"


def test_cite_suggests_near_names(run):
    code, out, err = run("cite", "find_relation")
    assert (code, out) == (3, "")
    assert "Did you mean 'find_relations'" in err


def test_errors_of_our_own_keep_their_traceback(monkeypatch):
    from sozai.contracts import citations

    def broken(_):
        raise TypeError("ours")

    monkeypatch.setattr(citations, "cite", broken)
    with pytest.raises(TypeError, match="ours"):
        main(["cite"])


def test_ctrl_c_exits_130(run, monkeypatch):
    from sozai.contracts import citations

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(citations, "cite", interrupted)
    code, out, err = run("cite")
    assert (code, out, err) == (130, "", "Interrupted; no answer was written.\n")
