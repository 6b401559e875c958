"""The words of --limits, and how its answer is said, written and drawn."""

import io
import json
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from sozai.apps.cli.output import plain_values
from sozai.apps.cli.table_limits import (
    as_records,
    limit_figures,
    limit_section,
    limit_tables,
    limits_of,
    read_limits,
    say,
)
from sozai.contracts.errors import ConvergenceWarning, ExtrapolationWarning, InputError
from sozai.study.report import Report
from sozai.symbolic import SymbolicRegressor

NAMES = ["base", "height", "T (a=b)", "p<q", "a-b", "2nd"]


@pytest.fixture(scope="module")
def triangle():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"base": rng.uniform(0, 3, 30), "height": rng.uniform(0, 3, 30)})
    X.iloc[0], X.iloc[1] = 0.0, 3.0
    area = (X["base"] * X["height"] / 2).rename("area")
    law = SymbolicRegressor(dimensions={"base": "m", "height": "m", "area": "m^2"}).fit(X, area)
    return law, SimpleNamespace(X=X, target="area", target_unit="m^2")


@pytest.mark.parametrize(
    ("entries", "domain", "constraints"),
    [
        (["data"], {}, ()),
        ([], {}, ()),
        (["base=0:1"], {"base": (0, 1)}, ()),
        ([" base = 1e-3 : 1.5 "], {"base": (1e-3, 1.5)}, ()),
        (["base=-2:\u22121"], {"base": (-2, -1)}, ()),
        (["base=2", "height=0:2"], {"base": (2, 2), "height": (0, 2)}, ()),
        (["base [mm]=0:100"], {"base [mm]": (0, 100)}, ()),
        (["T (a=b)=300:400"], {"T (a=b)": (300, 400)}, ()),
        (["base+height<=1.5"], {}, ("base+height<=1.5",)),
        (["base + height = 1"], {}, ("base + height = 1",)),
        (["base == 1"], {}, ("base == 1",)),
        (["base = height"], {}, ("base = height",)),
        (["p<q=0:1"], {"p<q": (0, 1)}, ()),
        (["`a-b`=0:5"], {"a-b": (0, 5)}, ()),
        (["`a-b` = 2", "`base` [mm] = 0:100"], {"a-b": (2, 2), "base [mm]": (0, 100)}, ()),
        (["｀2nd｀=1:2"], {"2nd": (1, 2)}, ()),  # noqa: RUF001
        (["`T (a=b)`=300:400"], {"T (a=b)": (300, 400)}, ()),
        (["`a-b` + `2nd` = 3"], {}, ("`a-b` + `2nd` = 3",)),
        (["data", "0 <= base - height <= 1", "base=0:1"], {"base": (0, 1)}, ("0 <= base - height <= 1",)),
    ],
)
def test_entries_are_read(entries, domain, constraints):
    assert read_limits(entries, NAMES) == (domain, constraints)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["base=1:0"], r"--limits: each interval must read LOW:HIGH .* Got 'base=1:0'"),
        (["base=0:1:2"], r"Got 'base=0:1:2'"),
        (["base=low:high"], r"Got 'base=low:high'"),
        (["base=0:inf"], r"Got 'base=0:inf'"),
        (["base="], r"Got 'base='"),
        (
            ["bas=0:1"],
            r"each entry must name a column \(base, height, T \(a=b\), p<q, a-b, 2nd\)\. Got 'bas=0:1'",
        ),
        (["base=0:1", "base [mm]=0:1"], r"each column must be named once\. Got 'base \[mm\]=0:1'"),
        (["training"], r"must be an interval, a constraint or 'data'\. Got 'training'"),
        (["base*height<=1"], r"--limits: a constraint must be linear .*base\*height"),
        (["`a-c`=0:1"], r"each entry must name a column .* Got '`a-c`=0:1'"),
        (["`a-b`=0:1", "a-b=0:2"], r"each column must be named once\. Got 'a-b=0:2'"),
        (["a-b+2nd<=3"], r"Got 'a'\. .* Write `a-b` and `2nd` in backticks\.\n"),
        (["`a-b` + 2nd <= 3"], r"Write `2nd` in backticks\."),
        (["bas<=1"], r"a name must be a column of the table\. Got 'bas'\. Did you mean base"),
    ],
)
def test_wrong_entries_get_a_sentence(entries, message):
    with pytest.raises(InputError, match=message):
        read_limits(entries, NAMES)


def test_limits_and_effects_of_a_law(triangle):
    found = limits_of(*triangle, ["base=0:2", "height [cm]=0:250"])
    assert found.maximum.value == pytest.approx(2.5)
    assert found.minimum.value == pytest.approx(0, abs=1e-9)
    assert found.effects.names == ("base", "height")
    assert found.failure == ""
    assert limits_of(*triangle, ["data"]).maximum.value == pytest.approx(4.5)


def test_records_are_json(triangle):
    records = as_records(limits_of(*triangle, ["base=0:2", "base+height<=3"]))
    read = json.loads(json.dumps(plain_values(records), allow_nan=False))
    assert read["limits"]["domain"] == {"base": [0, 2], "height": [0, 3]}
    assert read["limits"]["constraints"] == ["base+height<=3"]
    largest = read["limits"]["max"]
    assert largest["value"] == pytest.approx(1.125, abs=1e-5)
    assert largest["lower"] <= largest["value"] <= largest["upper"]
    assert largest["active"][0]["bound"] == "base+height<=3"
    assert largest["active"][0]["multiplier"] == pytest.approx(0.75, abs=1e-3)
    assert largest["unit"] == "m^2"
    assert "what limits area" in largest["hint"]
    assert read["limits"]["min"]["applicable"] is True
    assert [row["column"] for row in read["effects"]] == ["base", "height"]


def said(found):
    stream = io.StringIO()
    say(found, Console(file=stream, width=200, highlight=False, markup=False, emoji=False))
    return stream.getvalue()


def test_what_the_terminal_says(triangle):
    text = said(limits_of(*triangle, ["base=0:2", "height=0:2.5"]))
    assert "Effects, each column moved from its 25 % to its 75 % quantile:" in text
    assert "slope of one sign in 97 % of the rows" in text  # the row at the origin has slope 0
    assert "Maximum of area: 2.5 m^2 at base = 2 m, height = 2.5 m" in text
    assert "certainly not above 2.5 m^2 by the law as it stands" in text
    assert "Raising the upper bound of base by 1 m raises the limit by 1.25 m^2: base is what limits" in text
    assert "Minimum of area: " in text
    assert "It lies on base >= 0, height >= 0, but moving one of these alone brings nothing" in text


def test_a_region_that_leaves_nothing_does_not_lose_the_law(triangle):
    with pytest.warns(
        ConvergenceWarning, match=r"no limits: constraints must leave some .* Got 'base \+ height >= 42'"
    ):
        found = limits_of(*triangle, ["base + height >= 42"])
    assert found.limits == ()
    assert "constraints must leave some of the domain. Got 'base + height >= 42'" in found.failure
    text = said(found)
    assert "No limits: constraints must leave some of the domain." in text
    assert text.index("No limits") < text.index("Effects")
    records = as_records(found)["limits"]
    assert (records["max"], records["min"]) == (None, None)
    assert records["failure"] == found.failure
    assert set(limit_tables(found)) == {"effects"}
    assert set(limit_figures(found)) == {"effects"}


@pytest.fixture(scope="module")
def mixture():
    """A property of three fractions that add up to 1 in every row; the law needs two of them."""
    a, b = np.random.default_rng(0).dirichlet((1, 1, 1), 40).T[:2]
    X = pd.DataFrame({"x_A": a, "x_B": b, "x_C": 1 - a - b})
    law = SymbolicRegressor(max_order=2).fit(X, (3 * X["x_A"] + 5 * X["x_A"] * X["x_B"]).rename("P"))
    return law, SimpleNamespace(X=X, target="P", target_unit=None)


def test_a_limit_that_breaks_what_holds_in_every_row_says_so(mixture, tmp_path):
    law, reading = mixture
    assert set(law.formula_.replace("*", " ").split()) >= {"x_A", "x_B"}
    with pytest.warns(ExtrapolationWarning) as warned:
        found = limits_of(law, reading, ["x_A=0:1", "x_B=0:1", "x_C=0:1"])
    (text,) = (str(one.message) for one in warned if "in all rows" in str(one.message))
    # 3 a + 5 a b is largest at a = b = 1, where x_C would have to be -1
    assert found.maximum.x["x_A"] == found.maximum.x["x_B"] == 1
    assert "in all rows x_A + x_B + x_C = 1; the maximum (no x_C inside its interval meets it there)" in text
    assert text.endswith('breaks it; add --limits "x_A + x_B + x_C = 1"')
    assert "the maximum breaks it (no x_C" in said(found)
    assert not found.maximum.applicable
    assert "In all rows x_A + x_B + x_C = 1" in as_records(found)["limits"]["max"]["reasons"][0]
    report = Report("A law")
    limit_section(report, found)
    assert "In all rows x_A + x_B + x_C = 1" in report.write(tmp_path / "r.html").read_text(encoding="utf-8")


def test_a_limit_that_holds_the_sum_says_nothing_of_it(mixture):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        found = limits_of(*mixture, ["x_A=0:1", "x_B=0:1", "x_C=0:1", "x_A + x_B + x_C = 1"])
    assert not any("in all rows" in str(one.message) for one in warned)
    # a (3 + 5 (1 - a)) = 8 a - 5 a²: 3.2 at a = 0.8
    assert found.maximum.value == pytest.approx(3.2, abs=1e-5)


def test_both_limits_off_the_sum_are_said_once(mixture):
    law, reading = mixture
    with pytest.warns(ExtrapolationWarning) as warned:
        limits_of(law, reading, ["x_A=0.9:0.95", "x_B=0.9:0.95", "x_C=0.5"])
    texts = [str(one.message) for one in warned if "in all rows" in str(one.message)]
    assert len(texts) == 1
    assert "the maximum" in texts[0]
    assert "and the minimum" in texts[0]


def test_an_infinite_limit_is_said_and_is_null_in_json():
    X = pd.DataFrame({"x": np.linspace(0.5, 3, 20)})
    law = SymbolicRegressor(operations=["inverse"], max_order=1).fit(X, (1 / X["x"]).rename("y"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = limits_of(law, SimpleNamespace(X=X, target="y", target_unit=None), ["x=-1:1"])
    assert "Maximum of y: inf at x = 0" in said(found)
    assert "The limit is not finite: x reaches 0 at x = 0" in said(found)
    assert plain_values(as_records(found))["limits"]["max"]["value"] is None


def test_tables_figures_and_the_section_of_the_report(triangle, tmp_path):
    found = limits_of(*triangle, ["base=0:2", "base + height <= 3"])
    tables, figures = limit_tables(found), limit_figures(found)
    assert tables["limits"]["goal"].unique().tolist() == ["max", "min"]
    assert set(figures) == {"effects", "limits"}
    report = Report("A law")
    limit_section(report, found)
    html = report.write(tmp_path / "report.html").read_text(encoding="utf-8")
    assert html.count("<svg") == 2
    for expected in ("Effects and limits", "Maximum of area", "base + height &lt;= 3", "what limits area"):
        assert expected in html
