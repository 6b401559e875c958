"""Stops about phase diagrams: four need nothing but the package, one a published isotherm."""

import pytest

from sozai.apps.tour.phase_stops import STOPS
from sozai.apps.tour.stops import run_stops
from sozai.apps.tour.tour_report import as_report

BY_NAME = {stop.name: stop for stop in STOPS}
MADE = ["made section", "equal graphs", "coexistence", "water"]


def passes(result):
    assert result.status == "passed", result.reason
    assert result.seconds < 60  # a few seconds on a free machine
    for display, caption in result.finding.figures:
        assert display.to_svg().startswith("<svg")
        assert caption.endswith(".")


def test_which_stops_need_data():
    assert [name for name, stop in BY_NAME.items() if not stop.needs_data] == MADE
    assert not any(stop.slow for stop in STOPS)


@pytest.mark.parametrize("name", MADE)
def test_a_made_diagram(name):
    (result,) = run_stops([BY_NAME[name]], quick=True)
    passes(result)
    assert BY_NAME[name].question in as_report([result]).to_html()


@pytest.mark.slow
def test_the_published_isotherm(data_folder):
    (result,) = run_stops([BY_NAME["Cu-Mg-Zn"]])
    passes(result)
    assert "at random" in result.finding.text


def test_without_data_the_stop_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("SOZAI_DATA", str(tmp_path))
    (result,) = run_stops([BY_NAME["Cu-Mg-Zn"]])
    assert result.status == "not_run"
    assert "Cu-Mg_Zn_900K.csv" in result.reason
