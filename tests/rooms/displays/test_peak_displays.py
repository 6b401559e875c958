"""Displays of peaks say what they draw, draw binding energies falling, and refuse what does not fit."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.displays import PeakCountDisplay, PeakDisplay, PeakMapDisplay

N = 121
AXIS = np.linspace(280.0, 292.0, N)
PEAKS = np.array([900 * np.exp(-((AXIS - 284.8) ** 2)), 300 * np.exp(-((AXIS - 287.0) ** 2))])
BACKGROUND = np.full(N, 40.0)


def fit(**changes):
    """A fitted record as a display meets it."""
    expected = BACKGROUND + PEAKS.sum(axis=0)
    record = {
        "axis": AXIS,
        "counts": np.round(expected),
        "expected": expected,
        "background_curve": BACKGROUND,
        "components": PEAKS,
        "residuals": (np.round(expected) - expected) / np.sqrt(expected),
        "mask": np.zeros(N, dtype=bool),
        "peaks": (
            SimpleNamespace(label="C-C", position=284.8),
            SimpleNamespace(label="C-O", position=287.0),
        ),
        "unit": "eV",
        "axis_kind": "binding",
        "counts_unit": "counts",
        "noise_name": "poisson",
        "label": "C 1s",
    }
    return SimpleNamespace(**{**record, **changes})


def test_binding_energies_fall_from_left_to_right():
    display = PeakDisplay.from_fit(fit()).plot()
    left, right = display.ax_.get_xlim()
    assert left > right
    below = display.ax_.child_axes[0]
    assert below.get_xlim() == (left, right)
    rising = PeakDisplay.from_fit(fit(axis_kind="shift", unit="cm-1")).plot()
    left, right = rising.ax_.get_xlim()
    assert left < right


def test_peaks_are_named_with_axis_and_scatter():
    svg = PeakDisplay.from_fit(fit()).to_svg("C 1s")
    for said in ("C-C", "C-O", "284.8", "287", "binding energy [eV]", "counts", "residual/√μ", "background"):
        assert said in svg
    assert "residual/σ" in PeakDisplay.from_fit(fit(noise_name="gaussian")).to_svg()


def test_order_of_the_axis_does_not_matter():
    flipped = fit(
        axis=AXIS[::-1], counts=fit().counts[::-1], expected=fit().expected[::-1], components=PEAKS[:, ::-1],
        residuals=fit().residuals[::-1],
    )  # fmt: skip
    a, b = PeakDisplay.from_fit(fit()), PeakDisplay.from_fit(flipped)
    np.testing.assert_array_equal(a.axis, b.axis)
    np.testing.assert_array_equal(a.components, b.components)
    np.testing.assert_array_equal(a.residuals, b.residuals)


def test_a_fit_without_peaks_and_with_gaps_is_drawn():
    gaps = fit().counts.copy()
    gaps[3] = np.nan
    mask = np.zeros(N, dtype=bool)
    mask[:5] = True
    display = PeakDisplay.from_fit(fit(components=np.zeros((0, N)), peaks=(), counts=gaps, mask=mask))
    assert display.components.shape == (0, N)
    assert "left out" in display.to_svg()


def test_large_residuals_stay_inside_their_panel():
    residuals = np.full(N, 0.5)
    residuals[7] = 40.0
    display = PeakDisplay.from_fit(fit(residuals=residuals)).plot()
    low, high = display.ax_.child_axes[0].get_ylim()
    assert low < -40 < 40 < high


def test_count_marks_the_choice_and_knows_the_next_best():
    table = pd.DataFrame(
        {
            "n_components": [0, 1, 2, 3],
            "criterion": [9000.0, 620.0, 401.0, 409.5],
            "weight": [0, 0, 0.98, 0.02],
        }
    )
    count = SimpleNamespace(table=table, n_components=2)
    display = PeakCountDisplay.from_count(count, name="BIC")
    assert display.next_best == (3, 8.5)
    svg = display.to_svg()
    for said in ("chosen: 2", "0.98", "BIC above the best", "number of peaks"):
        assert said in svg
    assert PeakCountDisplay([1], [5.0], 1).next_best is None


def test_map_spans_its_colors_by_quantiles_and_counts_what_is_missing():
    values = np.tile(np.linspace(284.0, 285.0, 50), (40, 1))
    values[0, 0], values[1, :5] = 9999.0, np.nan
    display = PeakMapDisplay(values, name="C-O.position", unit="eV")
    assert display.n_missing == 5
    assert display.limits[1] < 286
    svg = display.to_svg()
    assert "C-O.position [eV]" in svg
    assert "5 of 2,000 have no value" in svg


def test_map_of_a_series_is_a_line_and_a_map_without_values_is_drawn():
    svg = PeakMapDisplay([1.0, np.nan, 3.0], name="area", errors=[0.1, 0.1, 0.1]).to_svg()
    assert "1 have no value" in svg
    assert "4 of 4 have no value" in PeakMapDisplay(np.full((2, 2), np.nan)).to_svg()
    record = SimpleNamespace(image=lambda name: np.zeros((2, 3)) if name == "peak 1.area" else None)
    assert PeakMapDisplay.from_map(record, "peak 1.area").values.shape == (2, 3)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: PeakDisplay.from_fit(fit(counts=np.zeros(N - 1))), r"counts .* channel \(121\).* \(120,\)"),
        (lambda: PeakDisplay.from_fit(fit(peaks=())), r"labels .* component \(2\)\. Got 0"),
        (lambda: PeakCountDisplay([0, 1], [1.0], 0), r"criterion .* \(2\)\. Got 'shape \(1,\)'"),
        (lambda: PeakCountDisplay([0, 1], [1.0, 2.0], 3), r"chosen must be one of \[0, 1\]\. Got 3"),
        (lambda: PeakMapDisplay(np.zeros((2, 2, 2))), r"shape \(2, 2, 2\)"),
        (lambda: PeakMapDisplay(np.zeros((2, 2)), errors=np.zeros(3)), r"\(2, 2\)\. Got 'shape \(3,\)'"),
        (lambda: PeakMapDisplay([1.0], span=(0.9, 0.1)), r"rising quantiles .*\(0\.9, 0\.1\)"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused_with_its_numbers(make, said):
    with pytest.raises(InputError, match=said):
        make()
