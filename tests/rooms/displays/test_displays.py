"""What every display must do, and what each one says."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import sozai.displays as displays
from sozai.contracts.errors import InputError
from sozai.displays import (
    AcquisitionDisplay,
    ClassMapDisplay,
    CompositionMapDisplay,
    CorrelationDisplay,
    EffectsDisplay,
    FormulaMapDisplay,
    FrontDisplay,
    HistoryDisplay,
    ImportanceDisplay,
    IntervalParityDisplay,
    InvariantDisplay,
    KernelMeanProfileDisplay,
    LimitsDisplay,
    ParetoDisplay,
    ParityDisplay,
    PeakCountDisplay,
    PeakDisplay,
    PeakImagesDisplay,
    PeakMapDisplay,
    RelationMapDisplay,
    ResidualDisplay,
    SelectionPathDisplay,
)
from sozai.proposals import PhaseDiagramProposer

TARGET = np.array([0.0, 1.0, 2.0, 4.0])
FITTED = np.array([0.5, 1.0, 2.0, 3.5])
MODEL = SimpleNamespace(
    fitted=FITTED, loo_residuals=(TARGET - FITTED) * 2, leverages=np.array([0.1, 0.1, 0.1, 0.9])
)


class Area:
    """A law as a display meets it: base times height, learned up to base 2."""

    def predict(self, X):
        return (X["base"] * X["height"]).to_numpy()

    def applicability(self, X):
        return pd.DataFrame({"in_domain": X["base"] <= 2})


TABLE = pd.DataFrame(
    {"base": [0.0, 1.0, 2.0, 1.5], "height": [0.0, 2.0, 4.0, 1.0], "idle": [7.0, 9.0, 8.0, 8.0]}
)

SLICES = pd.DataFrame(
    {"descriptor": "base", "value": [0.0, 1.0], "mean": [1.0, 2.0], "std": [0.1, 0.5], "score": [-3.0, -1.0]}
)

EXAMPLES = {
    "ParityDisplay": lambda: ParityDisplay.from_model(MODEL, TARGET, name="M", unit="mu_B"),
    "ResidualDisplay": lambda: ResidualDisplay.from_model(MODEL, TARGET, name="M", unit="mu_B"),
    "SelectionPathDisplay": lambda: SelectionPathDisplay(
        [1, 2], {"q2": [0.5, np.nan], "r2": [0.6, 0.9], "aic": [3, 1]}
    ),
    "RelationMapDisplay": lambda: RelationMapDisplay(["2a"], ["a", "b"], [[2.0, 0.0]], always=[False]),
    "CompositionMapDisplay": lambda: CompositionMapDisplay([[0, 0], [1, 2]], values=[1, 2], new=[[1, 1]]),
    "KernelMeanProfileDisplay": lambda: KernelMeanProfileDisplay([[1, 0], [0, 1]], ["Z", "Z"], ["a", "b"]),
    "CorrelationDisplay": lambda: CorrelationDisplay.from_columns(TABLE),
    "FormulaMapDisplay": lambda: FormulaMapDisplay.from_estimator(
        Area(), TABLE, TABLE["base"] * TABLE["height"], x="base", y="height", name="area", unit="m^2"
    ),
    "ClassMapDisplay": lambda: ClassMapDisplay([np.linspace(0, 1, 6)], ["p", "q", "p", "q", "p", "q"], ["a"]),
    "ImportanceDisplay": lambda: ImportanceDisplay(["a", "b"], [1.0, 0.2], [0.1, 0.1]),
    "IntervalParityDisplay": lambda: IntervalParityDisplay([0, 1, 2], [0, 1, 2], [-1, 0, 1], [1, 2, 3]),
    "EffectsDisplay": lambda: EffectsDisplay(["a"], [1.0], [0.1]),
    "LimitsDisplay": lambda: LimitsDisplay(["a"], [[0, 1]], [[0, 1]], {"max": [1.0]}),
    "InvariantDisplay": lambda: InvariantDisplay([0.1, -0.1, 0.0]),
    "PeakDisplay": lambda: PeakDisplay([1, 2, 3], [4, 9, 5], [5, 8, 5], [4, 4, 4], [[1, 4, 1]], [0, 1, 0]),
    "PeakCountDisplay": lambda: PeakCountDisplay([0, 1, 2], [90.0, 12.0, 20.0], 1, name="BIC"),
    "PeakImagesDisplay": lambda: PeakImagesDisplay(
        {("a", "position"): [[1.0, np.nan]], ("b", "area"): [[3.0, 4.0]]},
        quality=[[1.0, 1.1]],
        status=[[0, 4]],
    ),
    "PeakMapDisplay": lambda: PeakMapDisplay([[1.0, 2.0], [np.nan, 3.0]], name="peak 1.position", unit="eV"),
    "AssimilationDisplay": lambda: displays.AssimilationDisplay(
        [0.0, 1.0],
        {"calc": ([1, 2], [0.1, 0.2]), "expt": ([0, 1], [0.2, 0.4])},
        data={"expt": ([0.5], [0.6])},
    ),
    "CouplingDisplay": lambda: displays.CouplingDisplay([[0, 0], [0.9, 0]], [[0, 0], [0.1, 0]]),
    "PatternDisplay": lambda: displays.PatternDisplay(
        pd.DataFrame({"terms": ["1", "1+x"], "log_evidence": [-2.0, -1.0], "weight": [0.3, 0.7]})
    ),
    "TwoSourceDisplay": lambda: displays.TwoSourceDisplay({"m = 5": [[0.0, 2.0], [1.0, 2.0]]}, optimum=2.0),
    "LibraryMapDisplay": lambda: displays.LibraryMapDisplay(
        pd.DataFrame({"A": [0.0, 1.0], "B": [1.0, 0.0], "mean": [1.0, 2.0], "std": 0.1, "known": True}),
        pd.DataFrame({"A": [0.5], "B": [0.5], "value": [2.1], "mean": [2.0], "probability": [1.0]}),
        ["A", "B"],
    ),
    "PhaseDiagramDisplay": lambda: displays.PhaseDiagramDisplay.from_proposer(
        PhaseDiagramProposer("binary:step=0.1").tell([0, 10], ["A", "B"])
    ),
    "AcquisitionDisplay": lambda: AcquisitionDisplay(SLICES, SLICES, TABLE, {"base": 1.0}, name="height"),
    "FrontDisplay": lambda: FrontDisplay(
        [[1, 3], [2, 2], [1, 1]],
        [True, True, False],
        [[2.5, 2.5]],
        [[0.5, 0.2]],
        names=["a", "b"],
        labels=["7"],
    ),
    "HistoryDisplay": lambda: HistoryDisplay(
        {"best so far": [1.0, 1.0, 3.0]}, random=[[1, 1, 2], [0, 2, 2]], values=[1.0, np.nan, 3.0], optimum=4
    ),
    "ParetoDisplay": lambda: ParetoDisplay([1, 3], [0.5, np.inf], labels=["a", "b"], chosen=0, unit="eV"),
}


def test_every_display_is_here():
    assert set(EXAMPLES) | {"Display"} == set(displays.__all__)


@pytest.mark.parametrize("name", EXAMPLES)
def test_plot_keeps_axes_and_figure_and_draws_on_given_axes(name):
    from matplotlib import pyplot

    display = EXAMPLES[name]()
    assert display.plot() is display
    assert display.figure_ is display.ax_.figure
    figure = Figure()
    ax = figure.add_subplot()
    assert display.plot(ax).ax_ is ax
    pyplot.close("all")


@pytest.mark.parametrize("name", EXAMPLES)
def test_report_and_file(name, tmp_path):
    display = EXAMPLES[name]()
    assert display.to_svg("caption").startswith("<svg")
    assert display.save(tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"


def test_parity_shows_units_and_both_errors():
    display = EXAMPLES["ParityDisplay"]()
    assert display.rmse == pytest.approx(np.sqrt(0.5 / 4))
    assert display.rmse_left_out == pytest.approx(np.sqrt(2.0 / 4))
    svg = display.to_svg()
    assert "measured M [mu_B]" in svg
    assert "RMSE 0.3536" in svg
    assert "RMSE 0.7071" in svg


def test_parity_refuses_unequal_lengths_with_both_numbers():
    with pytest.raises(InputError, match=r"one value per row of X \(4\)\. Got 3"):
        ParityDisplay(TARGET, FITTED[:3])


def test_residuals_name_the_worst_rows_and_ring_the_leverage():
    display = ResidualDisplay.from_model(MODEL, TARGET, labels=["Sc", "Ti", "V", "Cr"])
    assert display.largest(2) == [(0, "Sc", -0.5), (3, "Cr", 0.5)]
    assert display.leverage_limit == pytest.approx(0.9)
    assert "Cr" in display.to_svg()


def test_path_takes_the_best_law_of_each_size():
    frame = pd.DataFrame({"n_terms": [1, 2, 1], "q2": [0.1, 0.4, 0.3], "r2": [0.5, 0.6, 0.4]})
    display = SelectionPathDisplay.from_frame(frame)
    assert display.n_terms.tolist() == [1, 2]
    assert display.scores["q2"].tolist() == [0.3, 0.4]


def test_path_without_scores_says_what_it_needs():
    with pytest.raises(InputError, match="'r2', 'q2', 'aic'"):
        SelectionPathDisplay([1, 2], {"rmse": [1, 2]})


def test_relation_map_orders_connected_parts_together():
    matrix = [[2, 0, 0], [0, 1, 1], [4, 0, 0]]
    display = RelationMapDisplay(["2a", "b+c", "4a"], ["a", "b", "c"], matrix)
    assert display.dependents == ["2a", "4a", "b+c"]
    assert display.basis == ["a", "b", "c"]
    assert display.coefficients.tolist() == [[2, 0, 0], [4, 0, 0], [0, 1, 1]]


def test_relation_map_reads_records_and_marks_coincidences():
    relation = SimpleNamespace(dependent="d", basis=("a",), coefficients=(2.0,), holds="in this sample")
    display = RelationMapDisplay.from_relations(SimpleNamespace(relations=[relation]))
    assert display.coefficients.tolist() == [[2.0]]
    assert "d *" in display.to_svg()
    assert "in this sample only" in display.to_svg()


def test_relation_map_counts_what_it_does_not_draw():
    relations = [
        SimpleNamespace(dependent=f"d{k}", basis=("a",), coefficients=(2.0,), holds="always")
        for k in range(70)
    ]
    display = RelationMapDisplay.from_relations(SimpleNamespace(relations=relations), max_shown=60)
    assert display.coefficients.shape == (60, 1)
    assert "10 more relations are not drawn" in display.to_svg()


def test_relation_map_of_nothing():
    assert RelationMapDisplay([], [], np.zeros((0, 0))).blocks == []


def test_correlation_cosine_and_partial_of_a_known_table():
    # (1,0,0) and (1,1,0): cosine 1/sqrt(2), correlation 0.5; with two columns g equals the cosine
    X = np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    display = CorrelationDisplay.from_columns(X, names=["a", "b"])
    assert display.matrices["n"][0, 1] == pytest.approx(1 / np.sqrt(2))
    assert display.matrices["r"][0, 1] == pytest.approx(0.5)
    assert display.matrices["g"][0, 1] == pytest.approx(1 / np.sqrt(2))
    assert display.strongest(1)[0][:2] == ("a", "b")


def test_partial_correlation_of_dependent_columns_is_nan():
    X = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    assert np.isnan(CorrelationDisplay.from_columns(X, names=["a", "b"], kind="g").matrices["g"]).all()


def test_correlation_names_what_it_was_given():
    with pytest.raises(InputError, match=r"\(r\)\. Got 'g'"):
        CorrelationDisplay(["a"], correlation=[[1.0]], kind="g")


def test_map_holds_other_columns_and_knows_the_outside():
    display = EXAMPLES["FormulaMapDisplay"]()
    assert display.held == "idle = 8"
    assert not display.in_domain.all()
    k = np.argmin(np.abs(display.x - 1))
    assert display.values[-1, k] == pytest.approx(display.x[k] * display.y[-1])


def test_map_refuses_a_transposed_grid():
    with pytest.raises(InputError, match=r"\(n_y, n_x\) = \(2, 3\)\. Got 'shape \(3, 2\)'"):
        FormulaMapDisplay([0, 1, 2], [0, 1], np.zeros((3, 2)))


def test_front_has_no_law_both_simpler_and_better():
    assert ParetoDisplay([3, 5, 5, 9, 9], [0.5, 0.6, 0.4, 0.4, np.inf]).front.tolist() == [0, 2]
