"""Drawings of effects and limits: what they show, from records and from plain numbers."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from sozai.contracts.errors import InputError
from sozai.displays.effects import EffectsDisplay
from sozai.displays.limits import LimitsDisplay

EFFECTS = SimpleNamespace(
    names=("base", "高さ"),
    finite_effects=np.array([0.4, -0.9]),
    finite_errors=np.array([0.1, np.nan]),
    quantiles=np.array([[1.0, 2.0], [0.5, 0.75]]),
    same_sign=np.array([1.0, 0.6]),
    column_units=("m", None),
    target="area",
    target_unit="m^2",
)


def limit(goal, value, **place):
    active = (
        SimpleNamespace(kind="upper bound", of="base", multiplier=1.25),
        SimpleNamespace(kind="constraint", of="base + height <= 3", multiplier=0.5),
    )
    names = ("base", "height")
    return SimpleNamespace(
        goal=goal,
        value=value,
        x=place,
        active=active,
        unit="m^2",
        target="area",
        units=dict.fromkeys(names, "m"),
        domain={"base": (0.0, 2.0), "height": (1.0, 1.0)},
        training={"base": (1.0, 3.0), "height": (0.0, 3.0)},
    )


LIMITS = (limit("max", 2.5, base=2.0, height=1.0), limit("min", -np.inf, base=0.5, height=1.0))


def words(figure):
    """All text of a drawing."""
    return "\n".join(item.get_text() for item in figure.findobj(lambda item: hasattr(item, "get_text")))


def test_effects_are_ordered_by_size_and_carry_ranges_and_units():
    shown = EffectsDisplay.from_effects(EFFECTS)
    assert shown.order.tolist() == [1, 0]
    text = words(shown.plot().figure_)
    assert "base, 1 to 2 m" in text
    assert "高さ, 0.5 to 0.75" in text
    assert "change of area [m^2]" in text
    assert "open: the slope changes its sign" in text


def test_effects_from_numbers_alone():
    shown = EffectsDisplay(["a"], [1.0], [0.1])
    figure = shown.to_figure()
    assert isinstance(figure, Figure)
    assert "open" not in words(figure)


def test_only_the_largest_effects_are_drawn():
    shown = EffectsDisplay([f"c{k}" for k in range(40)], np.arange(40.0), np.ones(40))
    assert shown.order.tolist() == list(range(39, 19, -1))
    assert shown.to_svg("effects").startswith("<svg")


def test_limits_show_places_ends_and_multipliers():
    shown = LimitsDisplay.from_limits(*LIMITS)
    assert shown.relative(np.array([2.0, 1.0])).tolist() == [1.0, 0.5]
    text = words(shown.plot().figure_)
    for expected in ("maximum 2.5 m^2", "minimum -inf m^2", "base [m]", "seen in training", "+1.25"):
        assert expected in text
    assert "+0.5" not in text  # of a constraint: it belongs to no column
    assert shown.to_svg("limits").startswith("<svg")


def test_limits_draw_on_given_axes_and_to_files(tmp_path):
    from matplotlib import pyplot

    _, ax = pyplot.subplots()
    assert LimitsDisplay.from_limits(LIMITS[0]).plot(ax).ax_ is ax
    pyplot.close("all")
    assert LimitsDisplay.from_limits(LIMITS[0]).save(tmp_path / "limits.png").stat().st_size > 1000


def test_wrong_lengths_are_refused():
    with pytest.raises(InputError, match=r"effects"):
        EffectsDisplay(["a", "b"], [1.0], [0.1, 0.1])
    with pytest.raises(InputError, match=r"places\['max'\] must have one value per column \(2\)"):
        LimitsDisplay(["a", "b"], [[0, 1], [0, 1]], [[0, 1], [0, 1]], {"max": [1.0]})
