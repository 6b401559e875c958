"""Similar materials: the nearest, the filters, what makes the distance, and the file."""

import time

import numpy as np
import pandas as pd
import pytest

from sozai.composition.formula import parse_formulas
from sozai.composition.kernel_mean import KernelMeanDescriptor
from sozai.composition.similar_materials import SimilarMaterials, load_similar_materials
from sozai.contracts.errors import InputError

FORMULAS = ["NaCl", "KCl", "LiF", "MgO", "CaO", "Fe2O3", "Al2O3", "GaAs", "InP", "LiFePO4"]


@pytest.fixture(scope="module")
def descriptor():
    return KernelMeanDescriptor(representation="isometric").fit()


@pytest.fixture(scope="module")
def database():
    kinds = ["experiment"] * 6 + ["calculation"] * 4
    gaps = [8.5, 8.7, 13.6, 7.8, 7.0, 2.2, np.nan, 1.4, 1.3, 3.8]
    return pd.DataFrame({"compound": FORMULAS, "gap": gaps, "kind": kinds})


@pytest.fixture(scope="module")
def similar(database, descriptor):
    return SimilarMaterials(database, descriptor, formula="compound")


def test_hits_are_those_of_the_full_table_of_distances(similar, descriptor):
    hits = similar.find("NaBr", k=10)
    distances = descriptor.mmd_distance(["NaBr"], FORMULAS)[0]
    np.testing.assert_allclose(hits.frame["distance"], np.sort(distances), atol=1e-12)
    assert hits.rows.tolist() == np.argsort(distances).tolist()
    assert hits.frame["formula"].to_list() == [FORMULAS[row] for row in hits.rows]


def test_formulas_that_were_read_already():
    texts = ["Ti90Al6V4", "Fe50Ni50", "Al99Mg1"]
    parsed = parse_formulas(texts, basis="wt%")
    by_weight = SimilarMaterials(texts, parsed=parsed)
    assert by_weight.formulas.tolist() == texts
    iron = (50 / 55.845) / (50 / 55.845 + 50 / 58.6934)
    assert by_weight.weights.toarray()[1].max() == pytest.approx(iron, rel=1e-4)
    with pytest.raises(InputError, match=r"parsed must have one row for each of the 2 formulas\. Got 3"):
        SimilarMaterials(texts[:2], parsed=parsed)


def test_shares_are_parts_of_the_squared_distance(similar, descriptor):
    frame = similar.find("NaBr", k=4).to_frame()
    shares = frame.filter(like="share: ")
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    features = similar._groups["size"]
    part = KernelMeanDescriptor(descriptor.table_.subset(features=features)).fit()
    n_features = len(descriptor.table_.features)
    squares = part.mmd_distance(["NaBr"], frame["formula"].to_list())[0] ** 2 * len(features) / n_features
    np.testing.assert_allclose(frame["share: size"], squares / frame["distance"] ** 2, rtol=1e-7)


def test_every_feature_is_in_one_group(similar, descriptor):
    features = [name for group in similar._groups.values() for name in group]
    assert sorted(features) == sorted(descriptor.table_.features)


def test_filters(similar):
    def found(**options):
        return set(similar.find("NaBr", k=10, **options).frame["formula"])

    assert found(include=["O"]) == {"MgO", "CaO", "Fe2O3", "Al2O3", "LiFePO4"}
    assert found(include=["Li"], exclude=["F"]) == {"LiFePO4"}
    assert found(properties={"gap": (7.5, 9.0)}) == {"NaCl", "KCl", "MgO"}
    assert found(properties={"gap": (None, 2.0)}, kind="calculation") == {"GaAs", "InP"}
    assert found(include="Xe") == set()
    assert len(similar.find("NaBr", include="Xe").to_frame()) == 0


def test_the_composition_itself(similar):
    assert similar.find("Na2Cl2", k=1).frame.loc[0, ["formula", "distance"]].to_list() == ["NaCl", 0.0]
    assert np.isnan(similar.find("NaCl", k=1).frame.loc[0, "share: size"])
    assert similar.find("NaCl", k=1, same=False).frame["formula"].item() == "KCl"
    assert similar.find({"Na": 1, "Cl": 1}, k=1).frame["formula"].item() == "NaCl"


def test_percentile_counts_random_pairs(similar):
    frame = similar.find("NaBr", k=10).to_frame()
    below = [np.mean(similar.pair_distances < d) * 100 for d in frame["distance"]]
    np.testing.assert_allclose(frame["percentile"], below)
    assert frame["percentile"].is_monotonic_increasing


def test_the_file_gives_the_same_answers(similar, tmp_path):
    again = load_similar_materials(similar.save(tmp_path / "salts.sozai"))
    for query in ["NaBr", "LiMnPO4"]:
        pd.testing.assert_frame_equal(similar.find(query).frame, again.find(query).frame, check_dtype=False)
    assert similar.save(tmp_path / "b").read_bytes() == again.save(tmp_path / "c").read_bytes()


def test_groups_of_one_s_own(descriptor):
    groups = {"mass": ["atomic_weight"], "metal": ["atomic_number"]}
    similar = SimilarMaterials(FORMULAS, descriptor, groups=groups)
    assert similar.group_names == ("mass", "metal", "rest")
    np.testing.assert_allclose(similar.find("NaBr").frame.filter(like="share").sum(axis=1), 1.0)


def test_messages(similar, database, descriptor):
    with pytest.raises(
        InputError, match=r"name a column of the database \(compound, gap, kind\)\. Got 'formula'"
    ):
        SimilarMaterials(database, descriptor)
    with pytest.raises(InputError, match=r"k must be a whole number of 1 or more. Got 0"):
        similar.find("NaCl", k=0)
    with pytest.raises(InputError, match=r"exclude must name elements of the descriptor's table. Got 'Xx'"):
        similar.find("NaCl", exclude=["Xx"])
    with pytest.raises(InputError, match=r"\(gap, kind\). Got 'density'"):
        similar.find("NaCl", properties={"density": (0, 1)})
    with pytest.raises(InputError, match=r"be a range .* Got \(3, 1\)"):
        similar.find("NaCl", properties={"gap": (3, 1)})
    with pytest.raises(InputError, match=r"hold two formulas or more. Got 1"):
        SimilarMaterials(["NaCl"], descriptor)
    with pytest.raises(InputError, match=r"Got 'RfO2' with Rf"):
        similar.find("RfO2")
    twice = {"a": ["atomic_weight"], "b": ["atomic_weight"]}
    with pytest.raises(InputError, match=r"name every feature once. Got 'atomic_weight'"):
        SimilarMaterials(FORMULAS, descriptor, groups=twice)


def test_objects_are_not_saved(descriptor, tmp_path):
    frame = pd.DataFrame({"formula": ["NaCl", "KCl"], "what": [[1], [2]]})
    with pytest.raises(InputError, match=r"property 'what' must hold numbers or text. Got 'list'"):
        SimilarMaterials(frame, descriptor).save(tmp_path / "x")


@pytest.mark.slow
def test_a_large_database_answers_at_once(data_folder, descriptor):
    """35,463 formulas; 5 ms a query on a quiet machine, the fastest of many here."""
    path = data_folder / "composition" / "MP_stable_formula_20220807.csv"
    frame = pd.read_csv(path, index_col=0, keep_default_na=False)
    similar = SimilarMaterials(frame, descriptor, formula="formula_pretty")
    seconds = []
    for query in frame["formula_pretty"].iloc[::1500]:
        start = time.perf_counter()
        hits = similar.find(query, k=5)
        seconds.append(time.perf_counter() - start)
        assert hits.frame["distance"].iloc[0] < 1e-7
    assert min(seconds) < 0.02
