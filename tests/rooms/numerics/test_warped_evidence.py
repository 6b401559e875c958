import numpy as np
import pytest
from sklearn.preprocessing import PowerTransformer

from sozai.numerics.kernels import Matern
from sozai.numerics.process_evidence import Evidence, maximize_evidence
from sozai.numerics.warped_evidence import WarpedEvidence, bend, unbend


@pytest.mark.parametrize("exponent", [-2.0, 0.0, 1e-9, 0.5, 1.0, 2.0, 3.7])
def test_bending_is_the_map_of_scikit_learn_and_is_undone(exponent):
    y = np.linspace(-3, 3, 61)
    transformer = PowerTransformer(standardize=False)
    transformer.lambdas_ = np.array([exponent])
    transformer.n_features_in_ = 1
    np.testing.assert_allclose(bend(y, exponent), transformer.transform(y[:, None])[:, 0], atol=1e-9)
    np.testing.assert_allclose(unbend(bend(y, exponent), exponent), y, rtol=1e-6, atol=1e-6)
    assert (np.diff(bend(y, exponent)) > 0).all()


def test_beyond_the_range_of_a_bend_the_inverse_stays_finite():
    # for exponent -1 no bent value is above 1
    assert np.isfinite(unbend(np.array([0.5, 1.0, 5.0, -1e9]), -1.0)).all()


def test_exponent_one_is_no_bend():
    rng = np.random.default_rng(0)
    Z, y = rng.random((10, 2)), rng.standard_normal(10)
    y = (y - y.mean()) / y.std()
    theta = np.array([0.1, -0.2, 0.3, -2.0])
    plain = Evidence(Matern(), Z, y).likelihood(theta)[0]
    assert WarpedEvidence(Matern(), Z, y).likelihood(np.append(theta, 1.0))[0] == pytest.approx(plain)


def test_the_likelihood_is_a_density_of_the_target():
    # another exponent moves the log likelihood by that of the bent values and by the log of the bend's slopes
    rng = np.random.default_rng(1)
    Z, y = rng.random((6, 2)), rng.standard_normal(6)
    y = (y - y.mean()) / y.std()
    theta = np.array([0.1, -0.2, 0.3, -2.0])
    evidence = WarpedEvidence(Matern(), Z, y)
    for exponent in (0.4, 1.8):
        w, step = bend(y, exponent), 1e-6
        slopes = (bend(y + step, exponent) - bend(y - step, exponent)) / (2 * step) / w.std()
        plain = Evidence(Matern(), Z, (w - w.mean()) / w.std()).likelihood(theta)[0]
        expected = plain - np.log(slopes).sum()
        assert evidence.likelihood(np.append(theta, exponent))[0] == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(("power", "side"), [(3.0, -1.0), (-3.0, 1.0)])
def test_a_skewed_target_is_bent_towards_its_tail(power, side):
    rng = np.random.default_rng(2)
    Z = rng.random((40, 2))
    y = np.exp(power * np.sin(3 * Z).sum(axis=1)) * np.sign(power)
    y = (y - y.mean()) / y.std()
    evidence = WarpedEvidence(Matern(), Z, y)
    theta, _, _ = maximize_evidence(evidence, evidence.starts(1, np.random.default_rng(0)))
    if side < 0:
        assert theta[-1] < 0.8
        assert evidence.target(theta[-1]).max() < y.max()
    else:
        assert theta[-1] > 1.2
        assert evidence.target(theta[-1]).min() > y.min()
