"""Stops of the room composition that need nothing but the package, and what becomes of the others."""

import pytest

from sozai.apps.tour.composition_stops import STOPS
from sozai.apps.tour.stops import run_stops
from sozai.apps.tour.tour_report import as_report

BY_NAME = {stop.name: stop for stop in STOPS}
BUNDLED = ["sodium carbonate", "formulas from noise", "ions on their sites"]


def walked(*names, **options):
    return list(run_stops([BY_NAME[name] for name in names], **options))


def test_what_runs_without_data_and_what_quick_leaves_out():
    assert [stop.name for stop in STOPS if not stop.needs_data] == BUNDLED
    assert {stop.name for stop in STOPS if stop.slow} == {"formation energies", "quasicrystals"}


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_stop_passes_without_data(name, monkeypatch):
    monkeypatch.delenv("SOZAI_DATA", raising=False)
    (result,) = walked(name)
    assert result.status == "passed", result.reason
    assert result.seconds < 10


def test_taught_figures_of_sodium_carbonate():
    shown = walked("sodium carbonate")[0].to_dict()
    assert shown["published"]["mean atomic number"] == 8.667
    assert shown["found"]["mean atomic number"] == pytest.approx(26 / 3)
    assert shown["found"]["mean radius (pm)"] == pytest.approx((2 * 186 + 70 + 3 * 60) / 6)
    assert (shown["found"]["least atomic number"], shown["found"]["least radius (pm)"]) == (6.0, 60.0)


def test_other_stops_are_not_run_and_say_why(monkeypatch):
    monkeypatch.delenv("SOZAI_DATA", raising=False)
    for result in run_stops([stop for stop in STOPS if stop.needs_data]):
        assert result.status == "not_run"
        assert "SOZAI_DATA" in result.reason


def test_quick_leaves_the_models_out():
    for result in walked("formation energies", "quasicrystals", quick=True):
        assert (result.status, result.reason) == ("not_run", "left out by --quick")


def test_stops_stand_in_the_report():
    page = as_report(walked("sodium carbonate", "ions on their sites")).to_html()
    assert "Sodium carbonate" in page
    assert "Which ion sits where in a perovskite?" in page


def test_data_stops_that_are_quick(data_folder):
    results = walked("tolerance factors from formulas", "35,463 formulas there and back")
    assert [result.status for result in results] == ["passed", "passed"], [r.reason for r in results]
    assert results[0].to_dict()["published"]["accuracy of tau below 4.18"] == 0.9167
    assert results[1].to_dict()["found"]["largest sum of errors of the fractions"] <= 1e-12
