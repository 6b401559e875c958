"""Deviation of every row from a constant, as a picture."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from sozai.contracts.errors import InputError
from sozai.datasets import load_planets
from sozai.displays.invariants import InvariantDisplay
from sozai.symbolic.invariants import find_invariants


def test_rows_stand_by_name_with_the_law_and_its_unit():
    planets = load_planets().to_frame().set_index("planet")
    law = find_invariants(planets)[0]
    shown = InvariantDisplay.from_invariant(law, labels=planets.index)
    assert shown.spread == law.spread
    assert shown.farthest(1)[0][1] == "Uranus"
    svg = shown.to_svg("planets")
    for text in ("Mercury", "Neptune", "a**3/T**2", "[%]"):
        assert text in svg


def test_many_rows_are_drawn_in_order_and_the_farthest_named():
    deviations = 0.05 * np.sin(np.arange(100.0))
    deviations[41] = 0.9
    shown = InvariantDisplay(deviations, labels=[f"row{k}" for k in range(100)])
    assert shown.unit == ""
    svg = shown.to_svg()
    assert "row41" in svg
    assert "row50" not in svg


@pytest.mark.parametrize(
    ("size", "unit"), [(0.5, ""), (0.02, " %"), (2e-6, " ppm"), (0.0, " ppm"), (1e-12, " ppm")]
)
def test_the_axis_has_a_readable_unit(size, unit):
    assert InvariantDisplay([size, -size / 2]).unit == unit


def test_plot_keeps_axes_and_draws_on_given_ones(tmp_path):
    from matplotlib import pyplot

    shown = InvariantDisplay([0.1, -0.1, 0.0])
    assert shown.plot() is shown
    assert shown.figure_ is shown.ax_.figure
    ax = Figure().add_subplot()
    assert shown.plot(ax).ax_ is ax
    assert shown.save(tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"
    pyplot.close("all")


def test_labels_must_fit():
    with pytest.raises(InputError, match=r"labels must name every row \(3\)\. Got 2"):
        InvariantDisplay([0.1, 0.2, 0.3], labels=["a", "b"])
