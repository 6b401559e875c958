"""Replayed phase diagrams."""

import joblib
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from sozai.contracts.errors import InputError
from sozai.proposals.phase_diagram import PhaseDiagramProposer
from sozai.proposals.phase_evaluation import evaluate_phase_sampling, labels_to_reach, phase_map_scores
from sozai.proposals.phase_grids import composition_grid

GRID = composition_grid(3, 0.1)
TRUTH = np.where(GRID["A"] > 0.55, "A", np.where(GRID["B"] > 0.45, "B", "A+B")).tolist()


def least(points, seed):
    return PhaseDiagramProposer(points, random_state=seed)


def chance(points, seed):
    return PhaseDiagramProposer(points, score="random", random_state=seed)


def test_scores_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth = rng.choice(["A", "B", "C", "D"], 200, p=[0.5, 0.3, 0.15, 0.05])
    classes = np.array(["A", "B", "C"])  # D was not found
    p = rng.dirichlet(np.ones(3), 200)
    found = phase_map_scores(truth, classes, p, np.zeros(200, dtype=bool))
    guess = classes[p.argmax(axis=1)]
    labels = ["A", "B", "C", "D"]
    expected = f1_score(truth, guess, labels=labels, average="macro", zero_division=0)
    assert found["f1"] == pytest.approx(expected)
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, guess))
    assert found["n_found"] == 3
    full = np.column_stack([p, np.zeros(200)])
    onehot = (truth[:, None] == np.array(labels)[None]).astype(float)
    assert found["brier"] == pytest.approx(((full - onehot) ** 2).sum(axis=1).mean())


def test_calibration_error_of_a_calibrated_and_a_careless_map():
    rng = np.random.default_rng(0)
    q = rng.uniform(0.5, 1.0, 20_000)
    truth = np.where(rng.uniform(size=len(q)) < q, "A", "B")
    p = np.column_stack([q, 1 - q])
    measured = np.zeros(len(q), dtype=bool)
    assert phase_map_scores(truth, np.array(["A", "B"]), p, measured)["calibration_error"] < 0.02
    sure = np.column_stack([np.ones(len(q)), np.zeros(len(q))])
    assert phase_map_scores(truth, np.array(["A", "B"]), sure, measured)["calibration_error"] > 0.2


def test_uncertainty_needs_fewer_labels_than_chance():
    clever = evaluate_phase_sampling(GRID, TRUTH, least, 3, 33, repeats=3, every=3)
    blind = evaluate_phase_sampling(GRID, TRUTH, chance, 3, 33, repeats=3, every=3)
    assert clever["f1"].iloc[-1] > 0.9
    reached = [labels_to_reach(table, (0.9,))[0.9].replace(np.inf, 66).mean() for table in (clever, blind)]
    assert reached[0] < reached[1]
    first = [table[table["n_labels"] == 3]["n_found"].tolist() for table in (clever, blind)]
    assert first[0] == first[1]  # the same starting points


def test_result_does_not_depend_on_jobs_or_on_an_interruption(tmp_path):
    options = {"n_start": 3, "n_labels": 12, "repeats": 3, "every": 3, "batch_size": 3}
    whole = evaluate_phase_sampling(GRID, TRUTH, least, **options).drop(columns="seconds")
    with joblib.parallel_config("threading"):
        two = evaluate_phase_sampling(GRID, TRUTH, least, n_jobs=2, **options).drop(columns="seconds")
    store = tmp_path / "study"
    kept = evaluate_phase_sampling(GRID, TRUTH, least, store=store, **options)
    chunk = sorted(store.glob("chunk-*.zip"))[1]
    chunk.unlink()
    again = evaluate_phase_sampling(GRID, TRUTH, least, store=store, **options)
    assert whole.equals(two)
    assert whole.equals(kept.drop(columns="seconds"))
    assert whole.equals(again.drop(columns="seconds"))
    assert chunk.exists()
    with pytest.raises(InputError, match="belong to this run"):
        evaluate_phase_sampling(GRID, TRUTH, chance, store=store, **options)


def test_bad_sizes():
    with pytest.raises(InputError, match=r"truth must have 66 labels, one a candidate\. Got 65"):
        evaluate_phase_sampling(GRID, TRUTH[1:], least)
    with pytest.raises(InputError, match=r"between n_start \(9\) and 66 candidates\. Got 200"):
        evaluate_phase_sampling(GRID, TRUTH, least)
    with pytest.raises(InputError, match=r"every must be a whole number of 1 or more\. Got 0"):
        evaluate_phase_sampling(GRID, TRUTH, least, n_labels=20, every=0)
