"""Inverse map: certificates, words, standard errors, warnings."""

import warnings

import numpy as np
import pytest

from sozai.composition.kernel_mean_inverse import invert, invertibility
from sozai.contracts.errors import ConvergenceWarning, ExtrapolationWarning, InputError, NotInvertibleError

NAMES = ("Ti", "Zr", "Hf", "O")


def kernel_matrix(m, n_features, n_points=10, seed=0):
    """Gaussian kernels of random scaled features at equal steps: the published layout, other elements."""
    features = np.random.default_rng(seed).uniform(size=(m, n_features))
    grid = np.linspace(0, 1, n_points)
    step = 1 / (n_points - 1)
    return np.exp(-(((features[:, :, None] - grid) / step) ** 2)).reshape(m, -1).T.copy()


def test_record_of_an_invertible_matrix():
    record = invertibility(np.diag([3.0, 2.0, 0.5]))
    assert (record.rank, record.sigma_max, record.sigma_min) == (3, 3.0, 0.5)
    assert record.condition_number == 6.0
    assert record.tolerance == pytest.approx(3 * 3 * 2.220446049250313e-16)
    assert record.unique
    assert record.to_frame().loc[0, "rank"] == 3
    assert repr(record) == "Invertibility(rank 3, condition number 6, unique)"


def test_record_with_more_components_than_features():
    record = invertibility(np.ones((1, 3)))
    assert (record.rank, record.sigma_min, record.condition_number, record.unique) == (1, 0.0, np.inf, False)


def test_few_components_are_certified_although_the_matrix_is_not_invertible():
    H = kernel_matrix(80, 4)  # 40 features, 80 components
    rng = np.random.default_rng(1)
    W = np.zeros((60, 80))
    for row in W:
        row[rng.choice(80, 3, replace=False)] = rng.dirichlet(np.ones(3))
    result = invert(H, W @ H.T, [f"c{j}" for j in range(80)])
    assert not result.invertibility.unique
    assert result.unique.mean() > 0.9
    np.testing.assert_allclose(result.fractions[result.unique], W[result.unique], atol=1e-8)


def test_equal_columns_are_named_and_shared():
    H = kernel_matrix(4, 3)
    H[:, 2] = H[:, 1]
    phi = H @ [0.3, 0.4, 0.0, 0.3]
    words = r"1 of 2 rows.*first row 0: (Hf can replace Zr|Zr can replace Hf) at no cost"
    with pytest.warns(ConvergenceWarning, match=words):
        result = invert(H, [phi, 0.5 * H[:, 0] + 0.5 * H[:, 3]], NAMES)
    assert result.unique.tolist() == [False, True]
    np.testing.assert_allclose(result.fractions, [[0.3, 0.2, 0.2, 0.3], [0.5, 0, 0, 0.5]], atol=1e-10)
    assert result.null_directions[1] is None
    with pytest.raises(NotInvertibleError, match="1 of 1 rows have more than one nearest composition"):
        invert(H, phi, NAMES, on_not_unique="raise")


def test_smallest_norm_is_below_every_other_optimum():
    rng = np.random.default_rng(3)
    H = rng.normal(size=(2, 6))
    w = rng.dirichlet(np.ones(6))
    result = invert(H, H @ w, [f"c{j}" for j in range(6)], on_not_unique="ignore")
    found = result.fractions[0]
    assert not result.unique[0]
    np.testing.assert_allclose(H @ found, H @ w, atol=1e-10)
    null = np.linalg.svd(np.vstack([H, np.ones(6)]))[2][3:]
    for _ in range(2000):
        other = w + rng.normal(size=3) * 0.3 @ null
        if other.min() >= 0:
            assert np.linalg.norm(found) <= np.linalg.norm(other) + 1e-9


def test_a_mixture_is_said_with_its_amounts():
    H = np.array([[1.0, 0.0, 0.25], [0.0, 1.0, 0.75]])
    result = invert(H, [0.4, 0.6], ["A", "B", "AB3"], on_not_unique="ignore")
    assert result.null_directions[0] in (
        "0.75 B + 0.25 A can replace AB3 at no cost", "AB3 can replace 0.75 B + 0.25 A at no cost",
    )  # fmt: skip


def test_long_exchanges_are_cut():
    H = np.array([[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 2.5]])
    H = np.vstack([np.eye(7)[:6].T[:6].T, np.r_[np.full(6, 1 / 6)]]).T[:6]
    result = invert(H, H[:, 6], [*"ABCDEF", "mean"], on_not_unique="ignore")
    assert "+ 2 more" in result.null_directions[0]


def test_standard_errors_cover_the_truth():
    H = kernel_matrix(20, 12)
    rng = np.random.default_rng(4)
    w = np.zeros(20)
    w[[2, 5, 9]] = [0.5, 0.3, 0.2]
    phi = H @ w + 0.01 * rng.normal(size=(400, len(H)))
    chosen = H[:, [2, 5, 9]]
    result = invert(chosen, phi, ["a", "b", "c"], return_std=True)
    scores = (result.fractions - [0.5, 0.3, 0.2]) / result.std
    assert scores.std() == pytest.approx(1.0, abs=0.08)
    known = invert(chosen, phi, ["a", "b", "c"], metric=np.full(len(H), 0.01), return_std=True)
    np.testing.assert_allclose(known.std, np.tile(known.std[0], (400, 1)), rtol=1e-9)
    np.testing.assert_allclose(result.std.mean(axis=0), known.std[0], rtol=0.03)
    assert invert(H[:2, :2], H[:2, 0], ["a", "b"]).std is None


def test_no_degrees_of_freedom_gives_no_standard_error():
    result = invert([[1.0, 0.0]], [0.5], ["a", "b"], return_std=True)
    assert np.isnan(result.std[0]).all() or (result.std[0] >= 0).all()
    three = invert(np.eye(3)[:2], [0.2, 0.3], ["a", "b", "c"], return_std=True)
    assert np.isnan(three.std[0]).all()


def test_metric_trusts_the_sure_columns():
    phi = [0.9, 0.2]  # the two entries disagree about the fractions
    assert invert(np.eye(2), phi, ["a", "b"]).fractions[0].tolist() == pytest.approx([0.85, 0.15])
    sure_of_first = invert(np.eye(2), phi, ["a", "b"], metric=[1e-6, 1.0])
    assert sure_of_first.fractions[0].tolist() == pytest.approx([0.9, 0.1])


def test_far_descriptors_are_answered_with_a_warning():
    H = np.eye(3)
    with pytest.warns(ExtrapolationWarning, match=r"1 of 2 descriptors.*row 1 is 70.7 % of the norm of phi"):
        result = invert(H, [[1.0, 0, 0], [1.0, 1.0, -1.0]], ["a", "b", "c"])
    # (1, 1, -1) is nearest to (1/2, 1/2, 0): residual sqrt(3/2) of sqrt(3) is 70.7 %
    assert result.residual_ratio.tolist() == pytest.approx([0.0, np.sqrt(0.5)])


def test_frame_holds_one_column_per_component():
    result = invert(np.eye(2), [[0.25, 0.75]], ["Fe", "O"], return_std=True)
    assert list(result.to_frame().columns) == [
        "Fe", "O", "residual_ratio", "unique", "null_direction", "std:Fe", "std:O",
    ]  # fmt: skip
    assert len(result) == 1
    assert repr(result) == "InverseResult(1 row, 2 components, 1 unique, largest residual 0 %)"


def test_zero_rows_and_zero_descriptors():
    assert invert(np.eye(2), np.empty((0, 2)), ["a", "b"]).fractions.shape == (0, 2)
    assert invert(np.ones((1, 2)), np.empty((0, 1)), ["a", "b"]).fractions.shape == (0, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        assert invert(np.eye(2), [[0.0, 0.0]], ["a", "b"]).residual_ratio[0] == np.inf


def test_errors_state_both_lengths():
    with pytest.raises(InputError, match=r"phi must have 2 columns, the length.*Got '3 columns'"):
        invert(np.eye(2), [[0.0, 1.0, 0.0]], ["a", "b"])
    with pytest.raises(InputError, match=r"names must have one entry per column \(2\). Got 3"):
        invert(np.eye(2), [[0.0, 1.0]], ["a", "b", "c"])
    with pytest.raises(InputError, match=r"on_not_unique must be 'warn', 'raise' or 'ignore'\. Got 'stop'"):
        invert(np.eye(2), [[0.0, 1.0]], ["a", "b"], on_not_unique="stop")
    with pytest.raises(InputError, match="first at row 0"):
        invert(np.eye(2), [[0.0, np.nan]], ["a", "b"])
