"""Cu-Mg-Zn isotherms: K. Terayama et al., Phys. Rev. Mater. 3, 033802 (2019) and its data."""

import numpy as np
import pandas as pd
import pytest

from sozai.proposals.phase_diagram import PhaseDiagramProposer
from sozai.proposals.phase_evaluation import evaluate_phase_sampling, labels_to_reach

CLASSES = {800: 28, 900: 19, 1000: 12}


def section(folder, T):
    table = pd.read_csv(folder / "proposals" / f"Cu-Mg_Zn_{T}K.csv", keep_default_na=False)
    labels = ["+".join(sorted(name.split("+"))) for name in table["phase_name"]]
    return table[["Zn", "Mg", "Cu"]], labels


def least(points, seed):
    return PhaseDiagramProposer(points, random_state=seed)


def chance(points, seed):
    return PhaseDiagramProposer(points, score="random", random_state=seed)


@pytest.mark.parametrize("T", CLASSES)
def test_tables_are_what_was_published(data_folder, T):
    points, labels = section(data_folder, T)
    assert points.shape == (5151, 3)
    assert len(set(labels)) == CLASSES[T]


@pytest.mark.slow
def test_few_labels_draw_the_1000_K_isotherm(data_folder):
    points, labels = section(data_folder, 1000)
    clever = evaluate_phase_sampling(points, labels, least, 9, 260, repeats=2, every=5)
    reached = labels_to_reach(clever, (0.7, 0.9))
    assert (reached[0.7] < 140).all()
    assert (reached[0.9] <= 0.05 * 5151).all()
    assert (clever[clever["n_labels"] > 150]["calibration_error"] <= 0.05).all()
    assert clever["n_found"].max() == 12


@pytest.mark.slow
def test_chance_needs_many_times_the_labels(data_folder):
    """Published: uncertainty sampling needs about a fifth of the samples of random sampling."""
    points, labels = section(data_folder, 1000)
    clever = evaluate_phase_sampling(points, labels, least, 9, 100, repeats=2, every=10)
    blind = evaluate_phase_sampling(points, labels, chance, 9, 300, repeats=2, every=10)
    level = np.round(blind.groupby("repeat")["f1"].last().mean(), 2)
    assert labels_to_reach(clever, (level,))[level].mean() < 0.5 * 300
