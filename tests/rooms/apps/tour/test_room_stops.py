"""Every stop of every room passes; what needs data runs where the data are."""

import os

import pytest

from sozai.apps.tour.stops import ROOMS, run_stops, stops_of

STOPS = stops_of()


def test_stops_belong_to_rooms_and_have_names_of_their_own():
    assert {stop.room for stop in STOPS} == set(ROOMS)
    assert len({stop.name for stop in STOPS}) == len(STOPS)
    assert all(stop.question.endswith("?") for stop in STOPS)


@pytest.mark.slow
@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.name)
def test_stop(stop):
    if stop.needs_data and not os.environ.get("SOZAI_DATA"):
        pytest.skip("SOZAI_DATA is not set")
    (result,) = run_stops([stop])
    assert result.status == "passed", result.reason
    for display, _ in result.finding.figures:
        assert display.to_svg().startswith("<svg")
