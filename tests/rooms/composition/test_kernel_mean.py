import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sozai.composition.elements import ComponentTable
from sozai.composition.kernel_grids import GridPoints, QuantileGrid, UniformGrid
from sozai.composition.kernel_landmarks import (
    KMeansLandmarks,
    PivotedCholeskyLandmarks,
    RandomFourierFeatures,
)
from sozai.composition.kernel_matrix import UserKernel
from sozai.composition.kernel_mean import KernelMeanDescriptor, load_kernel_mean
from sozai.contracts.errors import ExtrapolationWarning, InputError
from sozai.numerics.kernels import Gaussian, Laplace, Matern

FRAME = pd.DataFrame(
    {
        "radius [pm]": [186.0, 227.0, 70.0, 60.0, 100.0, 126.0],
        "chi": [0.93, 0.82, 2.55, 3.44, 3.16, 1.83],
        "atomic_weight": [22.99, 39.098, 12.011, 15.999, 35.45, 55.845],
    },
    index=["Na", "K", "C", "O", "Cl", "Fe"],
)
FORMULAS = ["Na2CO3", "NaCl", "Fe2O3", "KCl", "CO2", "Fe3O4"]


def fitted(**options):
    return KernelMeanDescriptor(FRAME, **options).fit()


def scaled(values):
    return (values - values.min(axis=0)) / (values.max(axis=0) - values.min(axis=0))


# --- the three modes against their formulas ---------------------------------------------------------


def test_one_kernel_for_each_feature():
    descriptor = fitted(grid=4)
    w = np.array([2, 0, 1, 3, 0, 0]) / 6
    z, points = scaled(FRAME.to_numpy()), np.array([0, 1 / 3, 2 / 3, 1])
    expected = [w @ np.exp(-9 * (z[:, k] - g) ** 2) for k in range(3) for g in points]
    np.testing.assert_allclose(descriptor.transform(["Na2CO3"])[0], expected, rtol=0, atol=1e-15)
    np.testing.assert_allclose(descriptor.gamma_, 9.0, rtol=1e-14)
    assert descriptor.matrix_.shape == (12, 6)
    assert descriptor.matrix_.flags.c_contiguous


def test_one_joint_kernel():
    descriptor = fitted(mode="md")
    values = FRAME.to_numpy()
    z = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    squared = ((z[:, None] - z[None]) ** 2).sum(axis=2)
    np.fill_diagonal(squared, np.inf)
    gamma = 1 / np.median(squared.min(axis=1))
    np.fill_diagonal(squared, 0.0)
    np.testing.assert_allclose(descriptor.gamma_, gamma, rtol=1e-13)
    np.testing.assert_allclose(descriptor.matrix_, np.exp(-gamma * squared), rtol=0, atol=1e-14)
    assert descriptor.get_feature_names_out()[-1] == "md@Fe"
    np.testing.assert_array_equal(descriptor.gram_, descriptor.matrix_)


def test_one_joint_kernel_for_each_group():
    groups = {"size": ["radius", "atomic_weight"], "bond": ["chi"]}
    descriptor = fitted(mode="product", groups=groups)
    z = scaled(FRAME.to_numpy())[:, [0, 2]]
    squared = ((z[:, None] - z[None]) ** 2).sum(axis=2)
    np.fill_diagonal(squared, np.inf)
    gamma = 1 / np.median(squared.min(axis=1))
    np.fill_diagonal(squared, 0.0)
    np.testing.assert_allclose(descriptor.matrix_[:6], np.exp(-gamma * squared), rtol=0, atol=1e-14)
    assert list(descriptor.get_feature_names_out()[[0, 6]]) == ["size@Na", "bond@Na"]


def test_sigma_counts_in_scaled_units_and_width_multiplies():
    for options in ({"sigma": 0.2}, {"sigma": 0.1, "kernel": Gaussian(width=2.0)}):
        descriptor = fitted(grid=3, **options)
        z = scaled(FRAME.to_numpy())[:, 0]
        expected = np.exp(-((z - 0.5) ** 2) / (2 * 0.2**2))
        np.testing.assert_allclose(descriptor.matrix_[1], expected, atol=1e-15)
        np.testing.assert_allclose(descriptor.gamma_, 12.5, rtol=1e-14)


@pytest.mark.parametrize(
    ("kernel", "function"),
    [
        ("laplace", lambda r: np.exp(-r)),
        (Laplace(), lambda r: np.exp(-r)),
        (Matern(1.5), lambda r: (1 + np.sqrt(3) * r) * np.exp(-np.sqrt(3) * r)),
        ("matern", lambda r: (1 + np.sqrt(5) * r + 5 * r**2 / 3) * np.exp(-np.sqrt(5) * r)),
        (UserKernel(lambda A, B: 1 / (1 + (A - B.T) ** 2), characteristic=True), lambda r: 1 / (1 + r**2)),
    ],
)
def test_other_kernels(kernel, function):
    z = scaled(FRAME.to_numpy())[:, 1]
    apart = np.abs(np.linspace(0, 1, 5)[:, None] - z) / (0.25 / np.sqrt(2))
    np.testing.assert_allclose(fitted(kernel=kernel, grid=5).matrix_[5:10], function(apart), atol=1e-14)


def test_names_and_grid_carry_physical_values_and_units():
    descriptor = fitted(grid=4)
    names = descriptor.get_feature_names_out()
    assert list(names[:4]) == ["radius@0.000", "radius@0.333", "radius@0.667", "radius@1.000"]
    grid = descriptor.grid_
    assert grid.loc[1, ["feature", "unit"]].to_list() == ["radius", "pm"]
    np.testing.assert_allclose(grid.loc[:3, "value"], [60, 60 + 167 / 3, 60 + 334 / 3, 227])
    assert grid["unit"].to_list()[4] is None
    fine = KernelMeanDescriptor(FRAME, grid=GridPoints((0.5, 0.5001))).fit()
    assert list(fine.get_feature_names_out()[:2]) == ["radius@0.5000", "radius@0.5001"]


def test_quantiles_of_components_and_of_samples():
    descriptor = fitted(grid=QuantileGrid(3))
    np.testing.assert_allclose(descriptor.grid_.loc[:2, "value"], [60, 113, 227])
    weighted = KernelMeanDescriptor(FRAME, grid=QuantileGrid(3, of="samples")).fit(["Na2O", "Na2O", "Fe"])
    np.testing.assert_allclose(weighted.grid_.loc[:2, "value"], [60, 126, 186])
    with pytest.raises(InputError, match=r"Got none in fit\. Call fit\(X\)"):
        fitted(grid=QuantileGrid(3, of="samples"))


def test_landmarks():
    clusters = fitted(mode="md", landmarks=KMeansLandmarks(3))
    assert clusters.transform(FORMULAS).shape == (6, 3)
    np.testing.assert_array_equal(clusters.matrix_, fitted(mode="md", landmarks=KMeansLandmarks(3)).matrix_)
    full = fitted(mode="md")
    picked = fitted(mode="md", landmarks=PivotedCholeskyLandmarks(tolerance=0.0))
    assert sorted(picked.get_feature_names_out()) == sorted(full.get_feature_names_out())
    waves = fitted(mode="md", landmarks=RandomFourierFeatures(20_000))
    phi = waves.transform(FORMULAS)
    squared = ((phi[:, None] - phi[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(np.sqrt(squared), full.mmd_distance(FORMULAS), atol=0.03)


# --- what may stand together ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "md", "grid": 5}, r"grid must stand with mode='1d'\. Got 5 with mode='md'"),
        ({"landmarks": KMeansLandmarks(2)}, r"landmarks must stand with mode='md' or 'product'"),
        ({"groups": {"a": ["chi"]}}, r"groups must stand with mode='product'"),
        ({"mode": "product"}, r"groups must name the features of every group.*Got None"),
        ({"mode": "product", "groups": {"a": ["chi", "mass"]}}, r"Got 'mass' in group 'a'"),
        ({"mode": "product", "groups": {"a": ["chi"], "b": ["chi"]}}, r"Got 'chi' in groups 'a' and 'b'"),
        ({"grid": 1}, r"sigma must be given where a feature has one point, here 'radius'\. Got None"),
        ({"grid": "ten"}, r"grid must be a number of points.*Got 'ten'"),
        ({"kernel": "rbf"}, r"kernel must be one of 'gaussian'.*Got 'rbf'"),
        (
            {"representation": "isometric", "imputed": "renormalise"},
            r"imputed must stand with representation='grid'.*Got 'renormalise'",
        ),
        (
            {"mode": "md", "representation": "isometric", "landmarks": KMeansLandmarks(2)},
            r"landmarks must stand with representation='grid'",
        ),
        ({"weights": "volume"}, r"Got 'volume' and no column 'atomic_volume' or 'molar_volume'"),
        ({"extra": "n_atoms"}, r"extra must be a tuple of names, each once\. Got 'n_atoms'"),
        ({"mode": "md", "landmarks": "all"}, r"landmarks must be AllComponents.*Got 'all'"),
        ({"mode": "md", "landmarks": KMeansLandmarks(7)}, r"distinct components \(6\)\. Got 7"),
    ],
)
def test_options_that_do_not_fit_together(options, message):
    with pytest.raises(InputError, match=message):
        fitted(**options)


def test_one_point_with_sigma_stands_in_the_middle():
    z = scaled(FRAME.to_numpy())[:, 0]
    np.testing.assert_allclose(fitted(grid=1, sigma=0.5).matrix_[0], np.exp(-2 * (z - 0.5) ** 2))


def test_constant_and_equal_features():
    frame = FRAME.assign(flat=7.0, chi_again=2 * FRAME["chi"] + 1)
    with pytest.warns(UserWarning, match=r"left out|count twice") as caught:
        descriptor = KernelMeanDescriptor(frame, grid=2).fit()
    messages = [str(warning.message) for warning in caught]
    assert "same for all components and are left out: flat." in messages[0]
    assert "count twice: chi = chi_again." in messages[1]
    assert descriptor.dropped_features_ == ("flat",)
    assert descriptor.duplicate_features_ == (("chi", "chi_again"),)
    assert descriptor.table_.features == ("radius", "chi", "atomic_weight", "chi_again")
    assert np.isfinite(descriptor.matrix_).all()
    with pytest.raises(InputError, match=r"Got '2 components, constant: a'"):
        KernelMeanDescriptor(pd.DataFrame({"a": [1.0, 1.0]}, index=["A", "B"])).fit()


def test_a_kernel_that_is_not_characteristic_warns():
    with pytest.warns(UserWarning, match="UserKernel is not characteristic"):
        descriptor = fitted(kernel="polynomial", mode="md")
    assert descriptor.isometric_.shape[1] <= 6


def test_a_function_of_the_user_is_checked():
    kernel = UserKernel(lambda A, B: np.ones(len(A)), characteristic=True)
    with pytest.raises(InputError, match=r"finite numbers of shape \(6, 6\)\. Got 'shape \(6,\)"):
        fitted(kernel=kernel, mode="md")


# --- filled-in cells, weights, side columns ---------------------------------------------------------


def masked_table():
    imputed = np.zeros((6, 3), dtype=bool)
    imputed[3, 0] = imputed[0, 1] = imputed[4, 1] = True
    return ComponentTable.from_frame(FRAME, imputed=imputed)


def test_means_over_known_components():
    descriptor = KernelMeanDescriptor(masked_table(), imputed="renormalise", grid=3).fit()
    phi = descriptor.transform(["Na2CO3", "KCl"])
    z = scaled(FRAME.to_numpy())
    radius = FRAME["radius [pm]"].to_numpy()
    low, high = np.delete(radius, 3).min(), radius.max()
    h = np.exp(-4 * ((radius - low) / (high - low) - np.array([[0.0], [0.5], [1.0]])) ** 2)
    np.testing.assert_allclose(phi[0, :3], (2 * h[:, 0] + h[:, 2]) / 3, atol=1e-15)  # without O
    chi = FRAME["chi"].to_numpy()
    h = np.exp(-4 * ((chi - 0.82) / (3.44 - 0.82) - np.array([[0.0], [0.5], [1.0]])) ** 2)
    np.testing.assert_allclose(phi[0, 3:6], (h[:, 2] + 3 * h[:, 3]) / 4, atol=1e-15)  # without Na
    np.testing.assert_allclose(phi[1, 3:6], h[:, 1], atol=1e-15)  # without Cl
    h = np.exp(-4 * (z[:, 2] - np.array([[0.0], [0.5], [1.0]])) ** 2)
    np.testing.assert_allclose(phi[1, 6:], (h[:, 1] + h[:, 4]) / 2, atol=1e-15)


def test_a_row_with_nothing_known_uses_the_filled_in_values_and_says_so():
    descriptor = KernelMeanDescriptor(masked_table(), imputed="renormalise", grid=3).fit()
    with pytest.warns(ExtrapolationWarning, match=r"1 features have rows.*'chi' \(2 rows\)"):
        phi = descriptor.transform(["NaCl", "KCl", "Na"])
    h = descriptor.matrix_[3:6]
    np.testing.assert_allclose(phi[[0, 2], 3:6], [(h[:, 0] + h[:, 4]) / 2, h[:, 0]], atol=1e-15)
    with pytest.raises(InputError, match="imputed must be 'use' for the way back"):
        descriptor.inverse_transform(phi)


def test_share_of_filled_in_cells():
    descriptor = KernelMeanDescriptor(masked_table(), grid=3).fit()
    share = descriptor.imputation_share(["Na2CO3"])
    np.testing.assert_allclose(share.to_numpy(), [[0.5, 1 / 3, 0.0]])
    assert list(share) == ["radius", "chi", "atomic_weight"]


@pytest.mark.parametrize("weights", ["mass", "atomic_weight"])
def test_fractions_by_mass(weights):
    descriptor = fitted(weights=weights, grid=3)
    mass = FRAME["atomic_weight"].to_numpy() * [2, 0, 1, 3, 0, 0]
    np.testing.assert_allclose(descriptor.transform(["Na2CO3"])[0], descriptor.matrix_ @ mass / mass.sum())


def test_weights_must_be_positive():
    frame = FRAME.assign(charge=[1.0, 1.0, 4.0, -2.0, -1.0, 3.0])
    with pytest.raises(InputError, match=r"'charge' must be positive.*Got -2\.0 for O"):
        KernelMeanDescriptor(frame, weights="charge").fit()


def test_side_columns():
    descriptor = fitted(grid=2, extra=("n_atoms", "T"))
    X = pd.DataFrame({"T": [300, 400], "formula": ["Fe2O3", "NaCl"]})
    phi = descriptor.transform(X)
    np.testing.assert_array_equal(phi[:, 6:], [[5, 300], [2, 400]])
    np.testing.assert_array_equal(phi[:, :6], fitted(grid=2).transform(["Fe2O3", "NaCl"]))
    assert list(descriptor.get_feature_names_out()[-2:]) == ["n_atoms", "T"]
    with pytest.raises(InputError, match=r"side columns 'T'\. Got 'DataFrame with formula'"):
        descriptor.transform(X[["formula"]])
    with pytest.raises(InputError, match=r"side columns 'T'\. Got 'list with no named columns'"):
        descriptor.transform(["NaCl"])
    with pytest.raises(InputError, match=r"Got nan at row 1, column 'T'"):
        descriptor.transform(X.assign(T=[300.0, np.nan]))
    with pytest.raises(InputError, match=r"number of atoms.*Got 'fractions' at row 0"):
        fitted(grid=2, extra=("n_atoms",)).transform(np.eye(6))


# --- input and output -------------------------------------------------------------------------------


def test_formulas_fractions_and_frames_give_the_same():
    descriptor = fitted()
    W = np.array([[0.5, 0, 0, 0, 0.5, 0], [0, 0, 0, 0.6, 0, 0.4]])
    expected = W @ descriptor.matrix_.T
    for X in (
        ["NaCl", "Fe2O3"],
        np.array(["NaCl", "Fe2O3"], dtype=object),
        pd.Series(["NaCl", "Fe2O3"]),
        pd.DataFrame({"formula": ["NaCl", "Fe2O3"]}),
        [{"Na": 1, "Cl": 1}, {"Fe": 2, "O": 3}],
        W,
        sp.csr_array(W),
    ):
        np.testing.assert_allclose(descriptor.transform(X), expected, rtol=0, atol=1e-15)


def test_rows_that_cannot_be_read():
    formulas = ["NaCl", "AmO2", "Fe2O3"]
    with pytest.raises(InputError, match="Am"):
        fitted().transform(formulas)
    marked = fitted(on_error="nan").transform(formulas)
    assert np.isnan(marked[1]).all()
    np.testing.assert_array_equal(marked[[0, 2]], fitted().transform(["NaCl", "Fe2O3"]))
    left_out = fitted(on_error="skip", extra=("T",)).transform(
        pd.DataFrame({"formula": formulas, "T": [1.0, 2.0, 3.0]})
    )
    np.testing.assert_array_equal(left_out[:, -1], [1.0, 3.0])


def test_half_precision_of_the_result():
    phi = fitted(dtype="float32").transform(FORMULAS)
    assert phi.dtype == np.float32
    np.testing.assert_allclose(phi, fitted().transform(FORMULAS), rtol=3e-7, atol=1e-7)


def test_writing_blocks_to_a_file(tmp_path):
    descriptor = fitted(extra=("n_atoms",))
    formulas = FORMULAS * 7
    expected = descriptor.transform(formulas)
    written = descriptor.transform_to(formulas, tmp_path / "phi.npy", chunk=5)
    assert isinstance(written, np.memmap)
    np.testing.assert_array_equal(np.load(tmp_path / "phi.npy"), expected)
    out = np.empty_like(expected)
    assert descriptor.transform_to(pd.Series(formulas), out, chunk=4) is out
    np.testing.assert_array_equal(out, expected)
    sparse = sp.csr_array(np.tile(np.eye(6), (4, 1)))
    plain = fitted()
    np.testing.assert_array_equal(
        plain.transform_to(sparse, np.empty((24, 30)), chunk=7), plain.transform(sparse)
    )
    with pytest.raises(InputError, match=r"shape \(42, 31\) and type float64\. Got '\(3, 31\), float64'"):
        descriptor.transform_to(formulas, np.empty((3, 31)))
    with pytest.raises(InputError, match=r"chunk must be a number of rows, 1 or more\. Got 0"):
        descriptor.transform_to(formulas, out, chunk=0)
    with pytest.raises(InputError, match="Got 'skip'"):
        fitted(on_error="skip").transform_to(formulas, out)


def test_an_error_in_a_later_block_names_the_row_of_the_whole(tmp_path):
    with pytest.raises(InputError, match="row 41"):
        fitted().transform_to([*(FORMULAS * 7)[:41], "AmO2"], tmp_path / "phi.npy", chunk=10)
    assert list(tmp_path.iterdir()) == []


def test_manners_of_an_estimator():
    descriptor = KernelMeanDescriptor(FRAME, grid=4, kernel=Laplace(2.0))
    again = clone(descriptor)
    assert again.get_params()["grid"] == 4
    assert again.kernel == Laplace(2.0)
    assert "grid=4" in repr(descriptor)
    with pytest.raises(NotFittedError):
        descriptor.transform(FORMULAS)
    with pytest.raises(NotFittedError):
        _ = descriptor.gram_
    with pytest.raises(ValueError, match="'mode' parameter"):
        fitted(mode="2d")
    np.testing.assert_array_equal(
        descriptor.fit_transform(FORMULAS), again.fit(FORMULAS[:1]).transform(FORMULAS)
    )
    frame = descriptor.set_output(transform="pandas").transform(FORMULAS)
    assert list(frame.columns) == list(descriptor.get_feature_names_out())
    piped = make_pipeline(KernelMeanDescriptor(FRAME), StandardScaler()).fit_transform(FORMULAS)
    np.testing.assert_allclose(piped.mean(axis=0), 0, atol=1e-12)


def test_the_table_is_not_changed():
    frame, copy = FRAME.copy(), FRAME.copy()
    X = pd.DataFrame({"formula": FORMULAS, "T": 1.0})
    before = X.copy()
    KernelMeanDescriptor(frame, extra=("T",)).fit().transform(X)
    pd.testing.assert_frame_equal(frame, copy)
    pd.testing.assert_frame_equal(X, before)


# --- files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"grid": UniformGrid(3), "extra": ("n_atoms",), "weights": "mass"},
        {"grid": QuantileGrid(4), "kernel": Matern(1.5, width=0.5), "dtype": "float32"},
        {"mode": "product", "groups": {"size": ["radius"], "rest": ["chi"]}, "landmarks": KMeansLandmarks(2)},
        {"representation": "isometric"},
        {"grid": GridPoints((0.0, 0.3, 1.0))},
    ],
)
def test_a_file_gives_the_same_bits(tmp_path, options):
    descriptor = fitted(**options)
    loaded = load_kernel_mean(descriptor.save(tmp_path / "kmd.sozai"))
    np.testing.assert_array_equal(loaded.transform(FORMULAS), descriptor.transform(FORMULAS))
    np.testing.assert_array_equal(loaded.mmd_distance(FORMULAS), descriptor.mmd_distance(FORMULAS))
    assert loaded.get_feature_names_out().tolist() == descriptor.get_feature_names_out().tolist()
    pd.testing.assert_frame_equal(loaded.grid_, descriptor.grid_)
    assert loaded.kernel == descriptor.kernel
    again = loaded.fit().transform(FORMULAS)
    np.testing.assert_allclose(again, descriptor.transform(FORMULAS), rtol=1e-6, atol=1e-12)


def test_functions_and_foreign_files_are_refused(tmp_path):
    kernel = UserKernel(lambda A, B: np.exp(-((A - B.T) ** 2)), characteristic=True)
    with pytest.raises(InputError, match=r"kernel must be a kernel, grid or landmarks.*Got 'UserKernel'"):
        fitted(kernel=kernel).save(tmp_path / "kmd.sozai")
    (tmp_path / "other.sozai").write_bytes(b"no zip")
    with pytest.raises(InputError, match="be a model file"):
        load_kernel_mean(tmp_path / "other.sozai")


# --- the way back -----------------------------------------------------------------------------------


def test_fractions_come_back():
    pytest.importorskip("sozai.composition.kernel_mean_inverse")
    W = np.random.default_rng(0).dirichlet(np.ones(6), size=5)
    for options in (
        {},
        {"mode": "md"},
        {"representation": "isometric"},
        {"extra": ("n_atoms",)},
        {"weights": "mass"},
    ):
        descriptor = fitted(**options)
        phi = fitted(**{**options, "extra": ()}).transform(W)
        np.testing.assert_allclose(descriptor.inverse_transform(phi).fractions, W, atol=1e-9)
    assert fitted().invertibility_.unique
    few = fitted().inverse_transform(fitted().transform(["NaCl"]), components=["Cl", "Na", "O"])
    np.testing.assert_allclose(few.fractions, [[0.5, 0.5, 0.0]], atol=1e-12)


def test_what_cannot_be_inverted():
    pytest.importorskip("sozai.composition.kernel_mean_inverse")
    with pytest.raises(InputError, match=r"30 columns of the fitted.*\(3 features.*shape \(1, 29\)"):
        fitted().inverse_transform(np.zeros((1, 29)))
    with pytest.raises(InputError, match=r"name components of the table 'table'.*Got 'Am'"):
        fitted().inverse_transform(np.zeros((1, 30)), components=["Na", "Am"])
    with pytest.raises(InputError, match="return_std must be False"):
        fitted(weights="mass").inverse_transform(np.zeros((1, 30)), return_std=True)


def test_formulas_come_back():
    pytest.importorskip("sozai.composition.decoding")
    descriptor = fitted()
    assert descriptor.decode(descriptor.transform(["Fe2O3"])[0])[0].formula == "Fe2O3"
    with pytest.raises(InputError, match=r"weights must be 'atomic'.*Got 'mass'"):
        fitted(weights="mass").decode(np.zeros(30))


def test_no_warning_on_the_bundled_table():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        descriptor = KernelMeanDescriptor().fit()
    assert descriptor.transform(["LiFePO4"]).shape == (1, 10 * len(descriptor.table_.features))
