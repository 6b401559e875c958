"""What the drawing of a library holds: field, positions, boxes, two and three corners."""

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.displays import LibraryMapDisplay
from sozai.displays.library_map_display import _box_corners
from sozai.proposals import LibraryGrid, LibraryMap, NextLibrary

CORNERS = ["A", "B", "C"]
AMOUNTS = pd.DataFrame(
    [[a / 4, b / 4, (4 - a - b) / 4] for a in range(5) for b in range(5 - a)], columns=CORNERS
)
GRID = AMOUNTS.assign(mean=AMOUNTS["A"], std=0.1, known=AMOUNTS["C"] < 0.9)
DOTS = AMOUNTS.iloc[:4].assign(value=[1.0, np.nan, 3.0, 2.0], mean=[1.0, 2.0, 3.0, 2.0], probability=0.25)
BOX = NextLibrary(
    {"A": 0.1, "B": 0.1, "C": 0.1, "D": 0.2}, {"A": 0.3, "B": 0.5, "C": 0.2, "D": 0.5}, 1.0, 0.5, {}, 0.0, 1.0
)


def test_a_triangle_shows_everything():
    record = LibraryGrid(tuple(CORNERS), (0.0, 0.0, 0.0), GRID, DOTS, "Ms", "T")
    box = NextLibrary(
        dict.fromkeys(CORNERS, 0.2),
        dict.fromkeys(CORNERS, 0.5),
        1.0,
        0.5,
        dict.fromkeys(CORNERS, 1 / 3),
        0.0,
        1.0,
    )
    display = LibraryMapDisplay.from_map(record, [box])
    assert display.best == 2
    svg = display.to_svg()
    for words in ("Ms [T]", "measured, drift taken off", "not measured", "best expected", "next library"):
        assert words in svg
    assert "sd of Ms [T]" in LibraryMapDisplay.from_map(record, show="std").to_svg()


def test_points_lie_in_the_triangle_of_the_record():
    display = LibraryMapDisplay(GRID, DOTS, CORNERS, origin=[0.2, 0.2, 0.1])
    tips = display.place([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.2, 0.2, 0.6]])
    np.testing.assert_allclose(tips, [[0, 0], [1, 0], [0.5, np.sqrt(0.75)]], atol=1e-12)


def test_boxes_over_joined_components_are_sums():
    groups = {"A": ("A",), "B + C": ("B", "C"), "D": ("D",)}
    names = dict(zip(CORNERS, groups, strict=True))
    record = LibraryGrid(
        tuple(groups), (0.0, 0.0, 0.0), GRID.rename(columns=names), DOTS.rename(columns=names), groups=groups
    )
    low, high = LibraryMapDisplay.from_map(record, [BOX]).boxes[0]
    np.testing.assert_allclose(low, [0.1, 0.2, 0.2])
    np.testing.assert_allclose(high, [0.3, 0.7, 0.5])


def test_a_box_is_cut_by_the_triangle():
    polygon = _box_corners(np.array([0.2, 0.0, 0.0]), np.array([0.4, 1.0, 1.0]), np.zeros(3), 1.0)
    assert sorted(map(tuple, polygon.round(9))) == [
        (0.2, 0.0, 0.8),
        (0.2, 0.8, 0.0),
        (0.4, 0.0, 0.6),
        (0.4, 0.6, 0),
    ]
    assert len(_box_corners(np.full(3, 0.5), np.full(3, 0.9), np.zeros(3), 1.0)) == 0


def test_two_corners_make_a_line():
    grid = pd.DataFrame({"A": [0.0, 0.5, 1.0], "B": [1.0, 0.5, 0.0], "mean": 1.0, "std": 0.1, "known": True})
    dots = pd.DataFrame(
        {"A": [0.5], "B": [0.5], "value": [1.1], "error": [0.1], "mean": [1.0], "probability": 1.0}
    )
    display = LibraryMapDisplay(grid, dots, ["A", "B"], boxes=[([0.2, 0.6], [0.4, 0.8])], name="S")
    figure = display.to_figure()
    assert figure.axes[0].get_xlabel() == "A"
    assert figure.axes[0].get_ylabel() == "S"


def test_a_field_that_is_nowhere_known_stays_blank():
    assert LibraryMapDisplay(GRID.assign(known=False), DOTS, CORNERS).to_svg().startswith("<svg")


def test_bad_input_is_named():
    with pytest.raises(InputError, match=r"grid must have the columns .* Got 'known'"):
        LibraryMapDisplay(GRID.drop(columns="known"), DOTS, CORNERS)
    with pytest.raises(InputError, match=r"corners must be two or three\. Got \['A'\]"):
        LibraryMapDisplay(GRID, DOTS, ["A"])
    with pytest.raises(InputError, match=r"show must be one of mean, std\. Got 'value'"):
        LibraryMapDisplay(GRID, DOTS, CORNERS, show="value")


def test_a_fitted_map_is_drawn_as_it_is():
    rng = np.random.default_rng(0)
    amounts = rng.dirichlet(np.ones(3), 30)
    table = pd.DataFrame(amounts, columns=CORNERS).assign(**{"Ms [T]": 2.0 - (amounts[:, 0] - 0.4) ** 2})
    fitted = LibraryMap(CORNERS, columns=["Ms [T]"]).fit(table)
    display = LibraryMapDisplay.from_map(fitted, fitted.next_library())
    assert (display.name, display.unit, len(display.boxes)) == ("Ms", "T", 1)
    assert display.best == fitted.best_.row
