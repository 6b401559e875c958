"""Stops of the room proposals: two need nothing but the package, two the published lists."""

import pytest

from sozai.apps.tour.proposal_stops import STOPS
from sozai.apps.tour.stops import run_stops
from sozai.apps.tour.tour_report import as_report

BY_NAME = {stop.name: stop for stop in STOPS}
MADE = ["noisy list", "two objectives"]
FETCHED = ["grain boundary", "ternary liquidus"]


def passes(result):
    assert result.status == "passed", result.reason
    for display, caption in result.finding.figures:
        assert display.to_svg().startswith("<svg")
        assert caption.endswith(".")


def test_which_stops_need_data():
    assert list(BY_NAME) == [*MADE, *FETCHED]
    assert [name for name, stop in BY_NAME.items() if stop.needs_data] == FETCHED
    assert not any(stop.slow for stop in STOPS)


@pytest.mark.parametrize("name", MADE)
def test_a_made_list(name):
    (result,) = run_stops([BY_NAME[name]], quick=True)
    passes(result)
    assert "chance" in result.finding.text
    assert BY_NAME[name].question in as_report([result]).to_html()


@pytest.mark.parametrize("name", FETCHED)
def test_a_published_list(name, data_folder):
    (result,) = run_stops([BY_NAME[name]], quick=True)
    passes(result)


def test_published_figures(data_folder):
    (result,) = run_stops([BY_NAME["ternary liquidus"]])
    assert result.to_dict()["published"]["lowest liquidus of the list"] == 656.14


@pytest.mark.parametrize("name", FETCHED)
def test_without_data_a_stop_is_not_run(monkeypatch, name):
    monkeypatch.delenv("SOZAI_DATA", raising=False)
    (result,) = run_stops([BY_NAME[name]])
    assert result.status == "not_run"
