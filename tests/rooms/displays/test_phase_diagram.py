"""Drawings of phase diagrams: which plane, which sections, names and colors of many fields, animations."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from sozai.contracts.errors import InputError
from sozai.displays import PhaseDiagramDisplay
from sozai.displays.phase_fields import boundary_lines, field_colors, name_places, nearest_points
from sozai.displays.phase_plane import PhasePlane, in_triangle
from sozai.proposals import PhaseDiagramProposer, parse_grid


def ternary(step=0.1):
    grid = parse_grid(f"ternary:step={step}")
    proposer = PhaseDiagramProposer(grid)
    for _ in range(4):
        rows = [proposal.index for proposal in proposer.ask(5)]
        proposer.tell(rows, [label_of(grid.iloc[row]) for row in rows])
    return proposer


def label_of(point):
    return "液相" if point["A"] > 0.55 else "固相" if point["B"] > 0.4 else "液相+固相"


# --- planes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grid", "kind", "axes", "levels"),
    [
        ("ternary:step=0.5", "ternary", (0, 1, 2), ()),
        ("ternary:step=0.5,T=300..500..100", "ternary", (0, 1, 2), (3,)),
        ("quaternary:step=0.25", "ternary", (0, 1, 2), (3,)),
        ("quinary:step=0.5", "ternary", (0, 1, 2), (3, 4)),
        ("binary:step=0.1,T=300..500..100", "binary", (1, 2), ()),
        ("binary:step=0.1,T=300..500..100,p=1..3..1", "binary", (1, 2), (3,)),
        ("binary:step=0.1", "line", (1,), ()),
    ],
)
def test_the_plane_follows_from_what_varies(grid, kind, axes, levels):
    shown = PhaseDiagramDisplay.from_proposer(PhaseDiagramProposer(grid))
    assert (shown.plane.kind, shown.plane.axes, shown.plane.levels) == (kind, axes, levels)
    assert shown.to_svg().startswith("<svg")


def test_two_conditions_make_a_plane_and_a_fixed_fraction_is_no_section():
    X = np.array([[300.0, 1.0], [400.0, 1.0], [300.0, 2.0]])
    assert PhasePlane.of(X, ("T", "p")).kind == "binary"
    four = np.array([[0.9, 0, 0, 0.1], [0, 0.9, 0, 0.1], [0, 0, 0.9, 0.1]])
    plane = PhasePlane.of(four, tuple("ABCD"), composition=(0, 1, 2, 3))
    assert (plane.axes, plane.levels) == ((0, 1, 2), ())
    np.testing.assert_allclose(plane.place(four), in_triangle(np.eye(3)))


def test_wrong_kinds_and_sections_are_refused():
    proposer = PhaseDiagramProposer("ternary:step=0.5,T=300..500..100")
    with pytest.raises(InputError, match=r"kind must be one of auto, ternary, binary, line\. Got 'round'"):
        PhaseDiagramDisplay.from_proposer(proposer, "round")
    with pytest.raises(InputError, match=r"kind must suit the columns that vary \(A, B, C, T\)\. Got 'line'"):
        PhaseDiagramDisplay.from_proposer(proposer, "line")
    with pytest.raises(InputError, match=r"at must name columns among \['T'\]\. Got 'p'"):
        PhaseDiagramDisplay.from_proposer(proposer, at={"p": 1})
    with pytest.raises(InputError, match=r"show must be one of .*\. Got 'heat'"):
        PhaseDiagramDisplay.from_proposer(proposer, show="heat")
    shown = PhaseDiagramDisplay.from_proposer(proposer, at={"T": 420})
    assert [(title, len(rows)) for title, rows in shown.sections] == [("T = 400", 6)]


def test_of_many_sections_those_with_samples_are_drawn():
    proposer = PhaseDiagramProposer("ternary:step=0.5,T=100..1200..100")
    assert len(PhaseDiagramDisplay.from_proposer(proposer).sections) == 6
    table = proposer.to_frame()
    rows = [int(table.index[table["T"] == T][0]) for T in (300, 1100)]
    proposer.tell(rows, ["A", "B"])
    shown = PhaseDiagramDisplay.from_proposer(proposer)
    titles = [title for title, _ in shown.sections]
    assert {"T = 300", "T = 1100"} <= set(titles)
    assert titles == sorted(titles, key=lambda title: float(title[4:]))
    assert "6 of 12 sections" in shown.to_svg()


# --- fields -------------------------------------------------------------------------------------


def test_forty_colors_differ_and_begin_with_the_fewer():
    colors = field_colors(40)
    assert len(set(colors)) == 40
    assert field_colors(9) == colors[:9]
    rgb = np.array([to_rgb(color) for color in colors])
    distance = np.sqrt(((rgb[:, None] - rgb[None]) ** 2).sum(axis=2)) + np.eye(40)
    assert distance.min() > 0.05
    luminance = rgb @ [0.2126, 0.7152, 0.0722]
    assert luminance.min() > 0.45  # ink is read on every one of them


def test_pixels_take_the_nearest_point_and_lines_lie_halfway():
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    low, high, scale = np.zeros(2), np.ones(2), np.ones(2)
    near = nearest_points(points, low, high, (10, 10), scale)
    assert [near[0, 0], near[0, 9], near[9, 0], near[9, 9]] == [0, 1, 2, 3]
    assert np.bincount(near.ravel()).tolist() == [25, 25, 25, 25]
    lines, pairs = boundary_lines(points, np.array([0, 1, 0, 1]), low, high, scale)
    assert set(pairs) <= {(0, 1), (2, 3), (1, 2), (0, 3)}
    assert {(0, 1), (2, 3)} <= set(pairs)
    for line in lines:
        np.testing.assert_allclose(line[:, 0], 0.5, atol=1e-12)
    assert boundary_lines(points, np.zeros(4, dtype=int), low, high, scale) == ([], [])


def test_a_name_stands_inside_its_field_or_is_a_number():
    codes = np.zeros((100, 200), dtype=int)
    codes[:, 150:] = 1
    codes[40:44, 20:24] = 2
    names = ["wide", "a very long name indeed", "tiny"]
    found = name_places(codes, names, np.zeros(2), np.array([2.0, 1.0]), 1.0, 8.0)
    places = {place.code: place for place in found}
    assert places[0].fits
    assert 0.1 < places[0].x < 1.4
    assert not places[1].fits
    assert places[1].tip is None
    assert 1.5 < places[1].x < 2.0
    assert not places[2].fits
    assert (round(places[2].tip[0], 1), round(places[2].tip[1], 1)) == (0.2, 0.4)


@pytest.mark.parametrize("n", [28, 40])
def test_every_one_of_many_fields_has_its_name_on_the_drawing(n):
    grid = parse_grid("ternary:step=0.05")
    rng = np.random.default_rng(n)
    seeds = rng.dirichlet(np.ones(3), size=n)
    nearest = ((grid.to_numpy()[:, None] - seeds[None]) ** 2).sum(axis=2).argmin(axis=1)
    names = [f"ALPHA_{k}+LIQUID_{k}" for k in range(n)]
    plane = PhasePlane.of(grid.to_numpy(), ("A", "B", "C"), composition=(0, 1, 2))
    display = PhaseDiagramDisplay(plane, grid, names, np.eye(n)[nearest])
    svg = display.to_svg()
    for k in np.unique(nearest):
        assert names[k] in svg
    figure = display.to_figure()
    figure.savefig(io.BytesIO(), format="svg")
    (key,) = [artist for artist in figure.axes[0].artists if hasattr(artist, "get_texts")]
    assert key.get_window_extent().x1 <= figure.bbox.x1 + 1  # no name is cut off


# --- marks --------------------------------------------------------------------------------------


def test_samples_next_points_and_japanese_names_are_drawn():
    proposer = ternary()
    shown = PhaseDiagramDisplay.from_proposer(proposer, proposals=3)
    np.testing.assert_array_equal(shown.proposed, proposer.to_frame()[["A", "B", "C"]].iloc[
        [proposal.index for proposal in proposer.ask(3)]])  # fmt: skip
    assert len(shown.points) == 20
    svg = shown.to_svg()
    for word in ("液相", "固相", "measured (20)", "measure next", "A", "B", "C"):
        assert word in svg
    assert "http" not in svg.replace("http://www.w3.org", "")
    for show, word in (("probability", "largest probability"), ("uncertainty", "uncertainty (score)")):
        assert word in PhaseDiagramDisplay.from_proposer(proposer, show=show).to_svg()


def test_tie_lines_lie_at_the_measured_compositions():
    proposer = PhaseDiagramProposer("ternary:step=10%")
    proposer.tell(0, "A")
    corners = [[80.0, 20.0, 0.0], [20.0, 80.0, 0.0]]
    proposer.tell({"A": 50, "B": 50, "C": 0}, "FCC+BCC", corners)
    shown = PhaseDiagramDisplay.from_proposer(proposer)
    marks = shown._marks_of(shown.sections[0][1])
    np.testing.assert_allclose(marks.ties[0], [[0.2, 0.0], [0.8, 0.0]], atol=1e-12)
    assert marks.crossed == [False]
    assert "measured phases" in shown.to_svg()


def test_crossing_tie_lines_and_doubtful_samples_are_marked():
    proposer = PhaseDiagramProposer("ternary:step=0.05")
    proposer.tell({"A": 0.5, "B": 0.25, "C": 0.25}, "P+Q", [[0.8, 0.1, 0.1], [0.2, 0.4, 0.4]])
    proposer.tell({"A": 0.45, "B": 0.3, "C": 0.25}, "R+S", [[0.4, 0.6, 0.0], [0.5, 0.0, 0.5]])
    shown = PhaseDiagramDisplay.from_proposer(proposer)
    assert [crossed for *_, crossed in shown.ties] == [True, True]
    doubtful = PhaseDiagramProposer("ternary:step=0.05").tell([0, 0, 230], ["A", "B", "C"])
    shown = PhaseDiagramDisplay.from_proposer(doubtful)
    np.testing.assert_array_equal(shown.suspects, [[1, 0, 0], [1, 0, 0]])
    assert "doubtful" in shown.to_svg()


def test_violations_of_the_predicted_map_are_dashed_and_only_between_equal_temperatures():
    grid = parse_grid("binary:step=0.25,T=300..400..100")
    proposer = PhaseDiagramProposer(grid).tell(
        list(range(10)), ["A", "A+B", "A+B", "A+B", "B", "A", "L+A", "L", "B", "B"]
    )
    pairs = proposer.boundary_violations()
    table = proposer.to_frame()
    assert pairs == [(7, 8)]
    assert table["T"][7] == table["T"][8]
    assert "fields that cannot touch" in PhaseDiagramDisplay.from_proposer(proposer).to_svg()


def test_before_the_first_sample_there_is_an_empty_map():
    svg = PhaseDiagramDisplay.from_proposer(PhaseDiagramProposer("ternary:step=0.1"), proposals=3).to_svg()
    assert "measure next" in svg
    assert "measured (" not in svg


# --- animations ---------------------------------------------------------------------------------


def test_frames_replay_the_campaign_in_colors_that_stay(tmp_path):
    proposer = ternary()
    frames = list(PhaseDiagramDisplay.frames(proposer, every=6))
    assert [len(frame.points) for frame in frames] == [1, 7, 13, 19, 20]
    assert len({frame.names for frame in frames}) == 1
    last = PhaseDiagramDisplay.from_proposer(proposer)
    np.testing.assert_allclose(frames[-1].probabilities, last.probabilities, atol=1e-9)
    path = PhaseDiagramDisplay.animate(proposer, tmp_path / "map.gif", every=10, seconds=0.2, dpi=40)
    with Image.open(path) as picture:
        assert picture.n_frames == 3
        assert picture.info["duration"] == 200
    assert list(tmp_path.iterdir()) == [path]


def test_animations_refuse_what_they_cannot_write(tmp_path):
    proposer = PhaseDiagramProposer("ternary:step=0.5")
    with pytest.raises(InputError, match=r"hold at least one sample\. Got 0"):
        PhaseDiagramDisplay.animate(proposer, tmp_path / "map.gif")
    with pytest.raises(InputError, match=r"path must end in \.gif\. Got .*map\.mp4"):
        PhaseDiagramDisplay.animate(proposer.tell(0, "A"), tmp_path / "map.mp4")
    with pytest.raises(InputError, match=r"every must be a whole number of 1 or more\. Got 0"):
        list(PhaseDiagramDisplay.frames(proposer, every=0))
    assert list(tmp_path.iterdir()) == []


def test_a_list_that_is_no_grid_is_drawn_too():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"T [K]": rng.uniform(300, 900, 40), "ρ": rng.uniform(0, 1, 40)})
    proposer = PhaseDiagramProposer(table).tell([0, 1, 2], ["A", "B", "C"])
    assert "T [K]" in PhaseDiagramDisplay.from_proposer(proposer).to_svg()


def test_the_pixels_of_one_plane_are_reckoned_once():
    points = np.random.default_rng(0).random((50, 2))
    ends = np.zeros(2), np.ones(2)
    first = nearest_points(points, *ends, (40, 30), np.ones(2))
    assert nearest_points(points.copy(), *ends, (40, 30), np.ones(2)) is first
    moved = nearest_points(points[::-1], *ends, (40, 30), np.ones(2))
    np.testing.assert_array_equal(49 - moved, first)
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 1
