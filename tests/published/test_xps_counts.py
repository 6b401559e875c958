"""Number of lines in measured photoemission regions, beside what their chemistry says.

PET has three carbons and a shake-up satellite (G. Beamson, D. Briggs, High Resolution XPS of Organic
Polymers, 1992); W 4f and S 2p are spin-orbit doublets, W with its 5p line beside them (J. F. Moulder et al.,
Handbook of X-ray Photoelectron Spectroscopy, 1992).
"""

import warnings

import pytest

from sozai.contracts.errors import MissingDataError
from sozai.datasets import fetch_xps_spectra
from sozai.spectra.files import read_spectra
from sozai.spectra.peaks.background import Constant, Shirley, Sum
from sozai.spectra.peaks.count import select_n_components


@pytest.fixture(scope="module")
def files():
    try:
        return fetch_xps_spectra().paths
    except MissingDataError as missing:
        pytest.skip(str(missing))


def lines_of(path, region=0):
    """Count, and positions of the lines that are no background."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        count = select_n_components(
            read_spectra(path)[region], range(7), background=Sum((Constant(), Shirley())), random_state=0
        )
    chosen = count.table.set_index("n_components").loc[count.n_components]
    peaks = [peak for peak in count.best.peaks if peak.label not in chosen["background_like"]]
    assert len(peaks) == count.n_lines
    assert chosen["admitted"]
    return count, [peak.position for peak in peaks]


@pytest.mark.parametrize(
    ("file", "region", "expected"),
    [
        ("PET_C1s.csv", 0, [284.61, 286.16, 288.57, 291.0]),
        ("0-150W_NiWW4f_W4f.txt", 0, [33.55, 35.68, 39.3]),
        ("Mutlipak_vms.npl", 2, [161.25, 162.73]),
        ("Mutlipak_vms.npl", 3, [394.36, 399.40]),
        ("0-150W_NiWNi2p_Ni2p.txt", 0, []),
    ],
)
def test_lines_are_those_of_the_chemistry(files, file, region, expected):
    _, found = lines_of(files[file], region)
    assert found == pytest.approx(expected, abs=0.35)


def test_scaled_counts_are_known_by_their_step(files):
    count, _ = lines_of(files["PET_C1s.csv"])
    assert "all counts are multiples of 1.04271" in " ".join(count.best.notes)


def test_counts_of_no_known_size_are_not_ended_early(files):
    count, found = lines_of(files["FeO_analyzed.vms"])
    assert len(found) >= 4
    assert count.best.noise_name.startswith("PoissonNoise(gain=0.73")
