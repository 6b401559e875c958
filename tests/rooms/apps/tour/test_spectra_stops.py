"""Stops of the room spectra: all of them need nothing but the package."""

import pytest

from sozai.apps.tour.spectra_stops import STOPS
from sozai.apps.tour.stops import run_stops
from sozai.apps.tour.tour_report import as_report

BY_NAME = {stop.name: stop for stop in STOPS}


@pytest.fixture(scope="module")
def results():
    """Every stop once, without data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SOZAI_DATA", raising=False)
        return {result.stop.name: result for result in run_stops(STOPS, quick=True)}


def test_nothing_needs_data_and_quick_leaves_nothing_out(results):
    assert list(BY_NAME) == [
        "three overlapping peaks", "certified peaks", "map of positions", "number of peaks",
    ]  # fmt: skip
    assert not any(stop.needs_data or stop.slow for stop in STOPS)
    assert set(results) == set(BY_NAME)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_stop_passes_and_shows_a_figure(results, name):
    result = results[name]
    assert result.status == "passed", result.reason
    assert len(result.finding.figures) >= 1
    for display, caption in result.finding.figures:
        assert display.to_svg().startswith("<svg")
        assert caption.endswith(".")


def test_certified_values_are_those_of_nist(results):
    shown = results["certified peaks"].to_dict()
    assert shown["published"]["Gauss1: first position"] == 67.481111276
    assert shown["published"]["Gauss2: second position"] == 153.27010194
    assert shown["found"]["Gauss3: first position"] == pytest.approx(111.63619459, rel=1e-9)
    assert min(value for key, value in shown["found"].items() if "digits" in key) > 9


def test_the_published_time_is_named(results):
    assert "13.4 s" in results["three overlapping peaks"].finding.text
    assert "spectra per second" in results["map of positions"].finding.text


def test_stops_stand_in_the_report(results):
    page = as_report(list(results.values())).to_html()
    assert "Three overlapping peaks" in page
    assert "Is this one peak or two?" in page
