import pytest

from sozai.apps.tour.stops import Finding, Stop, beside, run_stops, summary
from sozai.apps.tour.tour_report import as_report, as_table, closing_line
from sozai.contracts.errors import MissingDataError


def good():
    return Finding(
        (beside("half", 0.4998, 0.5, 0.001),), formulas=(("area", "0.5*base*height"),), source="a book"
    )


def bad():
    return Finding((beside("half", 0.4, 0.5, 0.001), beside("law", "a*b", "a*b")))


def broken():
    raise ZeroDivisionError("by zero")


def absent():
    raise MissingDataError("octet82.csv comes from the authors")


def results(*runs, **options):
    return list(run_stops([Stop("sums", run.__name__, "Why?", run) for run in runs], **options))


@pytest.mark.parametrize(
    ("found", "published", "tolerance", "status"),
    [
        (0.5, 0.5, 0, "passed"),
        (0.501, 0.5, 0.001, "passed"),
        (0.5011, 0.5, 0.001, "failed"),
        (10, 10, 0, "passed"),
        (11, 10, 0, "failed"),
        ("a*b", "a*b", 0, "passed"),
        (float("nan"), 0.5, 1, "failed"),
        (True, True, 0, "passed"),
    ],
)
def test_verdict(found, published, tolerance, status):
    assert beside("x", found, published, tolerance).status == status


def test_a_failed_figure_says_by_how_much():
    assert beside("x", 0.6, 0.5, 0.01).reason == "differs by 0.1, tolerance 0.01"


def test_keys_of_a_stop():
    (result,) = results(good)
    shown = result.to_dict()
    assert list(shown) == [
        "room", "name", "question", "status", "reason", "found", "published", "tolerance", "seconds",
    ]  # fmt: skip
    assert shown["found"] == {"half": 0.4998}
    assert shown["published"] == {"half": 0.5}
    assert shown["tolerance"] == {"half": 0.001}


def test_one_broken_stop_does_not_end_the_tour():
    found = summary(results(good, broken, bad))
    assert [stop["status"] for stop in found["stops"]] == ["passed", "failed", "failed"]
    assert found["stops"][1]["reason"] == "ZeroDivisionError: by zero"
    assert found["stops"][2]["reason"] == "half differs by 0.1, tolerance 0.001"
    assert (found["n_passed"], found["n_failed"], found["n_not_run"], found["passed"]) == (1, 2, 0, False)


def test_absent_data_are_not_a_failure_and_name_the_variable(monkeypatch):
    monkeypatch.delenv("SOZAI_DATA", raising=False)
    stops = [Stop("sums", "a", "?", absent), Stop("sums", "b", "?", good, needs_data=True)]
    found = summary(list(run_stops(stops)))
    assert [stop["status"] for stop in found["stops"]] == ["not_run", "not_run"]
    assert all("SOZAI_DATA" in stop["reason"] for stop in found["stops"])
    assert not found["passed"]


def test_quick_leaves_out_slow_stops():
    (result,) = run_stops([Stop("sums", "a", "?", good, slow=True)], quick=True)
    assert (result.status, result.reason) == ("not_run", "left out by --quick")


def test_passed_needs_at_least_one():
    assert summary(results(good, absent))["passed"]
    assert not summary([])["passed"]


def test_a_stop_that_compares_nothing_fails():
    (result,) = results(lambda: Finding(()))
    assert result.status == "failed"


def test_ctrl_c_ends_the_tour():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        results(good, interrupted)


def test_page_and_table_show_every_figure():
    walked = results(good, bad, absent)
    page = as_report(walked).to_html()
    assert "<math" in page
    assert "Published: a book" in page
    assert "octet82.csv comes from the authors" in page
    assert as_table(walked).row_count == 3 + 3 + 1
    assert closing_line(walked).startswith("1 passed, 1 failed, 1 not run in ")
