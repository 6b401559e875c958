"""Gauss1-3 of the NIST Statistical Reference Datasets, found blindly as two peaks on an exponential.

https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml. The model b1 exp(-b2 x) + b3 exp(-((x-b4)/b5)^2)
+ b6 exp(-((x-b7)/b8)^2) has area = b3 b5 sqrt(pi) and FWHM = 2 sqrt(ln 2) b5.
"""

import os

import numpy as np
import pytest

from sozai.contracts.errors import MissingDataError
from sozai.datasets import fetch_nist_problems
from sozai.spectra.noise import GaussianNoise
from sozai.spectra.peaks.background import Exponential
from sozai.spectra.peaks.mixture import PeakMixture

#: b4, b7 and the residual sum of squares as certified.
CERTIFIED = {
    "Gauss1": (67.481111276, 178.99805021, 1315.8222432),
    "Gauss2": (107.03095519, 153.27010194, 1247.5282092),
    "Gauss3": (111.63619459, 147.76164251, 1244.4846360),
}


@pytest.fixture(scope="module")
def problems():
    if not os.environ.get("SOZAI_DATA"):
        pytest.skip("needs spectra/nist_strd in SOZAI_DATA")
    try:
        return fetch_nist_problems()
    except MissingDataError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", CERTIFIED)
def test_two_peaks_on_an_exponential_without_a_start(problems, name):
    problem = problems[name]
    model = PeakMixture(
        2, "gaussian", Exponential(reference=0.0), noise=GaussianNoise(), integration="midpoint", tol=1e-15
    )
    fit = model.fit(problem.x[:, 0], problem.y).result_
    b4, b7, squares = CERTIFIED[name]
    a, b = fit.peaks
    assert a.position == pytest.approx(b4, rel=1e-7)
    assert b.position == pytest.approx(b7, rel=1e-7)
    assert fit.deviance == pytest.approx(squares, rel=1e-9)
    b1, b2, b3, _, b5, b6, _, b8 = problem.certified
    assert a.fwhm == pytest.approx(2 * np.sqrt(np.log(2)) * b5, rel=1e-6)
    assert b.fwhm == pytest.approx(2 * np.sqrt(np.log(2)) * b8, rel=1e-6)
    assert a.area == pytest.approx(b3 * b5 * np.sqrt(np.pi), rel=1e-6)
    assert b.area == pytest.approx(b6 * b8 * np.sqrt(np.pi), rel=1e-6)
    assert fit.background["amplitude"][0] == pytest.approx(b1, rel=1e-6)
    assert fit.background["decay"][0] == pytest.approx(b2, rel=1e-6)
    sd = problem.certified_sd
    assert a.position_error == pytest.approx(sd[3], rel=1e-5)
    assert b.position_error == pytest.approx(sd[6], rel=1e-5)
    assert fit.background["decay"][1] == pytest.approx(sd[1], rel=1e-5)
    assert np.sqrt(fit.dispersion) == pytest.approx(problem.residual_sd, rel=1e-8)
    assert fit.optimum_hits >= 3


def test_the_width_of_gauss1(problems):
    fit = PeakMixture(2, "gaussian", "exponential", noise="gaussian", integration="midpoint").fit(
        problems["Gauss1"].x[:, 0], problems["Gauss1"].y
    )
    assert 2 * np.sqrt(np.log(2)) * 23.129773360 == pytest.approx(38.5136, abs=1e-4)
    assert fit.peaks_[0].fwhm == pytest.approx(38.5136, abs=1e-3)
