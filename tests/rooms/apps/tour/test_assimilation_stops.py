"""Stops of the room assimilation: all of them need nothing but the package."""

import pytest

from sozai.apps.tour.assimilation_stops import STOPS
from sozai.apps.tour.stops import run_stops
from sozai.apps.tour.tour_report import as_report

BY_NAME = {stop.name: stop for stop in STOPS}


@pytest.fixture(scope="module")
def results():
    """Every stop once."""
    return {result.stop.name: result for result in run_stops(STOPS, quick=True)}


def test_no_stop_needs_data():
    assert list(BY_NAME) == ["extrapolation", "recursive", "two-source loop", "permanent magnet"]
    assert not any(stop.needs_data or stop.slow for stop in STOPS)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(BY_NAME))
def test_a_stop_passes(name, results):
    result = results[name]
    assert result.status == "passed", result.reason
    for display, caption in result.finding.figures:
        assert display.to_svg().startswith("<svg")
        assert caption.endswith(".")
    assert BY_NAME[name].question in as_report([result]).to_html()


def test_learning_row_by_row_is_learning_from_all():
    (result,) = run_stops([BY_NAME["recursive"]])
    assert result.status == "passed", result.reason
    assert max(value for name, value in result.to_dict()["found"].items() if "difference" in name) < 1e-10


@pytest.mark.slow
def test_planted_figures(results):
    shown = results["permanent magnet"].to_dict()
    (name,) = (name for name in shown["published"] if "sign change" in name)
    assert (shown["published"][name], shown["tolerance"][name]) == (320.0, 10.0)
    assert results["two-source loop"].to_dict()["published"]["terms of the simulation"] == 49
