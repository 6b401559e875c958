"""The large search, limits, black boxes and invariants from the command line."""

import json

import pytest

from sozai.apps.cli.table_question import read_memory
from sozai.contracts.errors import InputError
from sozai.datasets import load_planets, load_triangle_area


@pytest.fixture
def triangles(tmp_path):
    path = tmp_path / "triangles.csv"
    load_triangle_area().frame.to_csv(path, index=False)
    return path


def explain(run, path, *options):
    code, out, err = run("explain", "table", path, "--target", "area", *options, "--json")
    assert code == 0, err
    return json.loads(out)


def test_the_large_search_finds_the_law_and_says_what_it_screened(run, triangles):
    found = explain(run, triangles, "--search", "large", "--max-rung", "2", "--memory", "200MB")
    assert [term["name"] for term in found["laws"][0]["terms"]] == ["base*height"]
    assert found["search"]["size"] == "large"
    assert found["operations"]["order"] == 2
    assert found["search"]["screens"][0]["n_scored"] > 50
    assert found["n_candidates"] > 50
    assert found["warnings"] == []
    assert found["search"]["log"][0].startswith("screen 1: ")
    _, out, _ = run("explain", "table", triangles, "--target", "area", "--search", "large")
    assert "screen 1" not in out
    assert "Note:" not in out


def test_a_rung_asks_for_the_large_search(run, triangles):
    assert explain(run, triangles, "--max-rung", "1")["search"]["size"] == "large"


def test_a_space_beyond_the_budget_is_cut_and_the_cut_is_said(run, triangles):
    found = explain(run, triangles, "--max-rung", "3", "--max-candidates", "500")
    assert found["n_candidates"] <= 500
    (note,) = found["warnings"]
    assert "more complex ones exceed --max-candidates" in note
    assert note not in found["search"]["log"]


def test_the_report_keeps_the_log_of_the_search(run, triangles, tmp_path):
    explain(run, triangles, "--search", "large", "--output", tmp_path / "out")
    assert "screen 1: " in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("option", "value"), [("--order", "3"), ("--symmetry", "base<->height"), ("--select", "backward")]
)
def test_options_of_the_small_search_are_refused(run, triangles, option, value):
    code, out, err = run(
        "explain", "table", triangles, "--target", "area", "--search", "large", option, value
    )
    assert (code, out) == (2, "")
    assert f"{option}: the option must be left out with --search large" in err


def test_limits_and_effects_are_part_of_the_answer(run, triangles):
    found = explain(run, triangles, "--limits", "base=0.1:0.9", "--limits", "base+height<=1")
    (law,) = [found["limits"]["max"]]
    slope, constant = found["laws"][0]["terms"][0]["coefficient"], found["laws"][0]["intercept"]
    assert law["value"] == pytest.approx(slope * 0.25 + constant, abs=1e-6)
    assert law["upper"] >= law["value"] - 1e-12
    assert {row["column"] for row in found["effects"]} == {"base", "height"}


def test_wrong_limits_are_refused_before_the_search(run, triangles):
    code, out, err = run("explain", "table", triangles, "--target", "area", "--limits", "base=2:1")
    assert (code, out) == (2, "")
    assert "the smaller one first" in err


def test_invariants_need_no_target(run, tmp_path):
    path = tmp_path / "planets.csv"
    load_planets().frame.to_csv(path, index=False)
    code, out, err = run("explain", "table", path, "--invariants", "--json")
    assert code == 0, err
    assert json.loads(out)["invariants"][0]["formula"] == "a**3/T**2"


def test_without_target_and_invariants_it_is_a_usage_error(run, triangles):
    code, out, _ = run("explain", "table", triangles)
    assert (code, out) == (2, "")


@pytest.mark.parametrize(
    ("option", "value"),
    [("--max-candidates", "9"), ("--max-rung", "2"), ("--order", "2"), ("--operations", "abs")],
)
def test_options_about_a_law_are_refused_beside_invariants(run, triangles, option, value):
    code, out, err = run("explain", "table", triangles, "--invariants", option, value)
    assert (code, out) == (2, "")
    assert f"{option}: the option must be left out with --invariants" in err


def test_a_target_is_refused_beside_invariants(run, triangles):
    code, _, err = run("explain", "table", triangles, "--target", "area", "--invariants")
    assert code == 2
    assert "--target: the option must be left out with --invariants. Got 'area'" in err


@pytest.mark.parametrize(("text", "size"), [("200MB", 2e8), ("1 GiB", 2**30), ("5e8", 5e8), ("3k", 3e3)])
def test_sizes_of_memory(text, size):
    assert read_memory(text) == size


@pytest.mark.parametrize("text", ["", "much", "-5MB", "0", "10XB"])
def test_a_size_that_is_none_is_refused(text):
    with pytest.raises(InputError, match="--memory: the size must be a number of bytes"):
        read_memory(text)
