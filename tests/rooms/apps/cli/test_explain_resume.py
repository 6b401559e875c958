"""A large search that was killed goes on where it stopped, with the same bits."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from sozai.apps.cli.progress_line import Steps
from sozai.apps.cli.table_question import TableQuestion
from sozai.apps.cli.table_resume import forget_parts, kept_parts, parts_folder
from sozai.symbolic import ScreenThenL0, SymbolicRegressor, nested_score


def rows(n=40, n_columns=4):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.uniform(1, 2, (n, n_columns)).round(6), columns=list("abcdefgh")[:n_columns])
    frame["y"] = frame["a"] * frame["b"] / (frame["c"] + frame["d"]) + 0.05 * rng.normal(size=n).round(6)
    return frame


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    rows().to_csv(path, index=False)
    return path


LARGE = ("--max-rung", "2", "--max-terms", "2", "--json")


def answer(out):
    """Everything but the clock and what is said about earlier runs."""
    found = json.loads(out)
    for record in (found, *found["search"]["screens"]):
        del record["seconds"]
    del found["warnings"]
    return found


def explain(run, table, *options):
    code, out, err = run("explain", "table", table, "--target", "y", *options)
    assert code == 0, err
    return out


class Dies:
    """A watcher that kills the run after so many parts."""

    def __init__(self, after):
        self.left = after

    def advance(self, n=1):
        self.left -= n
        if self.left < 0:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_parts_found_in_the_output_folder_are_used_and_then_removed(run, table, tmp_path, monkeypatch):
    out = tmp_path / "out"
    plain = answer(explain(run, table, *LARGE))
    from sozai.apps.cli import table_law

    monkeypatch.setattr(table_law, "deliver", lambda found: 1 / 0)  # dies at the last step
    code, _, _ = run("explain", "table", table, "--target", "y", *LARGE, "--output", out)
    assert code == 4
    parts = sorted((out / ".resume").rglob("chunk-*.zip"))
    assert len({part.parents[2] for part in parts}) == 6  # the whole table and five folds
    for part in parts[::3]:
        part.unlink()
    monkeypatch.undo()
    said = explain(run, table, *LARGE, "--output", out)
    assert answer(said) == plain
    n_left = len(parts) - len(parts[::3])
    assert f"{n_left} finished parts of an earlier run" in "\n".join(json.loads(said)["warnings"])
    assert not (out / ".resume").exists()
    assert (out / "report.html").exists()


def test_without_an_output_folder_nothing_is_kept(run, table, tmp_path):
    explain(run, table, *LARGE)
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_another_question_has_another_folder(table, tmp_path):
    question = {"file": table, "target": "y", "output": tmp_path / "out"}
    first = parts_folder(TableQuestion(**question))
    assert first.parent == tmp_path / "out" / ".resume"
    assert parts_folder(TableQuestion(**question, n_jobs=2, json=True)) == first
    assert parts_folder(TableQuestion(**question, max_rung=3)) != first
    table.write_text(table.read_text() + "1,1,1,1,1\n")
    assert parts_folder(TableQuestion(**question)) != first
    assert parts_folder(TableQuestion(file=table, target="y")) is None


def test_ctrl_c_says_where_the_parts_are(table, tmp_path, capsys):
    question = TableQuestion(file=table, target="y", output=tmp_path / "out")
    folder = parts_folder(question)
    folder.mkdir(parents=True)
    with pytest.raises(KeyboardInterrupt), kept_parts(folder, []) as store:
        Dies(0).advance(len(str(store)))
    assert capsys.readouterr().err == (
        f"Finished parts are kept in {folder}: the same command goes on from there.\n"
    )
    forget_parts(question)
    assert not folder.parent.exists()


def test_folds_share_one_store(tmp_path):
    frame = rows()
    law = SymbolicRegressor(max_rung=2, search=ScreenThenL0(20, 2, store=tmp_path, progress=False))
    X, y = frame[list("abcd")], frame["y"]
    plain = nested_score(SymbolicRegressor(max_rung=2, search=ScreenThenL0(20, 2)), X, y, cv=3)
    for _ in range(2):
        np.testing.assert_array_equal(nested_score(law, X, y, cv=3).predictions, plain.predictions)
    assert len(list(tmp_path.iterdir())) == 3


def test_an_interrupted_search_goes_on(tmp_path):
    frame = rows()
    search = ScreenThenL0(20, 2, store=tmp_path, progress=False)
    X, y = frame[list("abcd")], frame["y"]
    plain = SymbolicRegressor(max_rung=2, search=ScreenThenL0(20, 2)).fit(X, y)
    with pytest.raises(KeyboardInterrupt):
        SymbolicRegressor(max_rung=2, search=clone(search).set_params(progress=Dies(2))).fit(X, y)
    assert list(tmp_path.rglob("chunk-*.zip"))
    law = SymbolicRegressor(max_rung=2, search=search).fit(X, y)
    assert [model.terms for model in law.models_] == [model.terms for model in plain.models_]
    np.testing.assert_array_equal(law.predict(X), plain.predict(X))


def test_a_copied_search_talks_to_the_same_line():
    said = []
    steps = Steps(said.append, "{done} done")
    copied = clone(ScreenThenL0(progress=steps)).progress
    copied.advance(1200)
    steps.advance()
    assert said == ["1,200 done", "1,201 done"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_killed_run_goes_on_with_the_same_bits(run, tmp_path):
    path, out = tmp_path / "table.csv", tmp_path / "out"
    rows().to_csv(path, index=False)
    options = ("--max-rung", "3", "--max-candidates", "3e5", "--max-terms", "2", "--json")
    command = [sys.executable, "-m", "sozai", "explain", "table", str(path), "--target", "y", *options]
    running = subprocess.Popen(
        [*command, "--output", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and len(list((out / ".resume").rglob("chunk-*.zip"))) < 3:
        assert running.poll() is None, running.communicate()
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=30)
    n_parts = len(list((out / ".resume").rglob("chunk-*.zip")))
    assert n_parts >= 3
    assert [item.name for item in out.iterdir()] == [".resume"]
    said = explain(run, path, *options, "--output", out)
    assert f"{n_parts} finished parts of an earlier run" in said
    assert answer(said) == answer(explain(run, path, *options))
    assert not (out / ".resume").exists()
