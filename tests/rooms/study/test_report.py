import os
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.displays import ParityDisplay
from sozai.study.report import Report, Verdict, number_text, write_text

EVIL = "<script>alert('x')</script>"


class Collector(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.words, self.open = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture
def report():
    frame = pd.DataFrame({EVIL: [EVIL, "b"], "磁化": [1.5, np.nan], "n": [1, 2]})
    report = Report(f"law {EVIL}", lead=EVIL)
    report.section(EVIL, EVIL).heading(EVIL).note(EVIL).facts({EVIL: EVIL})
    report.formula(EVIL, left=EVIL).formula(f"`{EVIL}`*2 + a/b", left="磁化")
    report.table(frame, units={"磁化": "emu/g", "n": EVIL}, caption=EVIL)
    report.section("Verdicts").verdicts([Verdict(EVIL, EVIL, 1.0, 0, "failed", EVIL)], caption=EVIL)
    report.section("Figures").figure(ParityDisplay([1.0, 2.0], [1.0, 2.0], name=EVIL), EVIL)
    return report


def test_user_text_is_harmless_everywhere(report):
    page = Collector(report.to_html())
    assert not {"script", "img", "iframe", "link", "object"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert page.open == []
    assert EVIL in "".join(page.words)


def test_nothing_is_fetched_from_a_network(report):
    page = report.to_html()
    assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)", page)
    assert "default-src 'none'" in page


def test_japanese_and_units_stay_intact(report, tmp_path):
    page = report.write(tmp_path / "報告.html").read_text(encoding="utf-8")
    assert '<th class="number">磁化 <small>[emu/g]</small></th>' in page
    assert '<meta charset="utf-8">' in page


def test_numbers_are_aligned_and_missing_ones_shown_as_dashes(report):
    page = report.to_html()
    assert '<td class="number">1.5</td>' in page
    assert '<td class="number">–</td>' in page


def test_page_suits_paper_and_dark_rooms(report):
    page = report.to_html()
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_verdicts_carry_their_class(report):
    assert "<span class='verdict failed'>failed</span>" in report.to_html()


def test_long_tables_say_what_is_left_out():
    page = Report("t").table(pd.DataFrame({"a": range(9)}), max_rows=4).to_html()
    assert "5 more rows are not shown." in page
    assert page.count("<tr>") == 5


def test_what_is_no_figure_is_named():
    with pytest.raises(InputError, match=r"matplotlib Figure\. Got 'str'"):
        Report("t").figure("parity.png")


def test_writing_is_whole_or_not_at_all(tmp_path, monkeypatch):
    target = tmp_path / "report.html"
    write_text(target, "old")

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        write_text(target, "new")
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (True, "yes"),
        (np.False_, "no"),
        (np.int64(7), "7"),
        (-0.24671649, "−0.246716"),
        (1e-9, "1e−09"),
        (("a", 1.0), "a, 1"),
        ("Fe", "Fe"),
    ],
)
def test_values_as_a_reader_wants_them(value, text):
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("found", "published", "tolerance", "texts"),
    [
        (0.24671649, 0.246716, 5e-7, ("0.2467165", "0.2467160", "5e−07")),
        (10967890.12, 10967758.34, 200, ("10967890", "10967758", "200")),
        (-4.8811, -4.881, 5e-4, ("−4.8811", "−4.8810", "0.0005")),
        (2.4313841e-7, 2.431384e-7, 5e-14, ("2.4313841e−07", "2.431384e−07", "5e−14")),
        (10, 10, 0, ("10", "10", "0")),
        ("a*b", "a*b", 0, ("a*b", "a*b", "0")),
        (-2.1234e-7, 0, 1e-5, ("−2.1e−07", "0", "1e−05")),
    ],
)
def test_verdicts_show_the_digits_that_the_tolerance_makes_worth_reading(found, published, tolerance, texts):
    assert Verdict("x", found, published, tolerance, "passed").texts == texts
