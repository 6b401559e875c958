"""Lists of candidates whose results are all known: published figures, and a sentence where one is missing."""

import numpy as np
import pytest

from sozai import datasets
from sozai.contracts.errors import MissingDataError


def test_grain_boundary_pool(data_folder):
    data = datasets.fetch_grain_boundary_pool()
    assert data.features.shape == (17982, 3)
    assert data.target.min() == 0.957449716
    assert data.frame.loc[data.target.idxmin(), ["dx", "gb", "dz"]].tolist() == [3.2, 1.2, 1.8]
    assert np.ptp(np.sort(data.target)[:3]) < 2e-5
    assert data.units["energy"] == "J/m^2"


def test_crossed_barrel_has_three_results_a_design(data_folder):
    data = datasets.fetch_crossed_barrel()
    designs = data.frame.groupby(list(data.feature_names))["toughness"]
    assert designs.ngroups == 600
    assert set(designs.size()) == {3}
    assert round(float(np.sqrt(designs.var().mean())), 2) == 5.30
    assert designs.mean().idxmax() == (12, 150, 1.9, 1.4)
    assert round(designs.mean().max(), 3) == 46.711


def test_blends_repeat(data_folder):
    data = datasets.fetch_p3ht()
    blends = data.frame.groupby(list(data.feature_names))["conductivity"]
    assert (len(data.frame), blends.ngroups) == (233, 178)
    assert round(float(np.sqrt(blends.var().mean())), 1) == 85.9
    assert blends.mean().max() == pytest.approx(838.31)


def test_ternary_liquidus(data_folder):
    data = datasets.fetch_al_si_zn_liquidus()
    assert data.features.shape == (351, 3)
    assert (data.features.sum(axis=1) == 100).all()
    assert data.target.min() == 656.14
    assert data.features.loc[data.target.idxmin()].tolist() == [12, 0, 88]
    assert data.features.loc[data.target.idxmax()].tolist() == [0, 100, 0]


@pytest.mark.parametrize("name", ["grain_boundary_pool", "crossed_barrel", "p3ht", "al_si_zn_liquidus"])
def test_missing_files_say_where_they_come_from(monkeypatch, tmp_path, name):
    monkeypatch.setenv("SOZAI_DATA", str(tmp_path))
    with pytest.raises(MissingDataError, match=r"does not exist.*proposals/.*SHA-256"):
        getattr(datasets, f"fetch_{name}")()
