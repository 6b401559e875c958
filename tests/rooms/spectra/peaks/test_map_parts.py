"""Pieces of the fit of a map: blocks, labels, suspects, missing peaks, the template."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sozai.contracts.progress import Silent
from sozai.spectra.noise import PoissonNoise
from sozai.spectra.peaks.compiled_model import Grid, compile_model
from sozai.spectra.peaks.fit_errors import covariance_of
from sozai.spectra.peaks.likelihood_fit import fit_spectra
from sozai.spectra.peaks.map_fit import MapModel, covariances
from sozai.spectra.peaks.map_labels import assign_labels, exchangeable
from sozai.spectra.peaks.map_presence import peaks_together, without_peaks
from sozai.spectra.peaks.map_prior import fit_with_prior, smoothness_prior
from sozai.spectra.peaks.map_repair import find_suspects, neighbors_of
from sozai.spectra.peaks.map_rows import MapRows, rows_of
from sozai.spectra.peaks.map_source import MapSource, cells_of
from sozai.spectra.peaks.map_template import group_means
from sozai.spectra.peaks.map_workers import run_tiles
from sozai.spectra.peaks.shapes import Gaussian, PseudoVoigt
from sozai.spectra.peaks.ties import Doublet, compile_ties
from sozai.spectra.spectrum import SpectrumMap

GRID = Grid.of(np.arange(80.0))


def _setup(model, template):
    nothing = np.zeros((0, model.n_parameters))
    return MapModel(model, PoissonNoise(), np.array(template), 1.0, nothing, np.zeros(0), (1, 2, 3, 4))


def _doublet_model():
    names = [f"{tag}.{p}" for tag in "ab" for p in ("position", "fwhm", "area")] + [
        "c.position",
        "c.fwhm",
        "c.area",
    ]
    ties = compile_ties(
        [*names, "background.level"], Doublet(10.0, 0.5).ties("a", "b", ("position", "fwhm", "area"))
    )
    return compile_model([Gaussian()] * 3, "constant", GRID, labels="abc", ties=ties)


@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (35, 17), (33, 600)])
@pytest.mark.parametrize("tile", [1, 300, 4096])
def test_tiles_cover_every_pixel_once(shape, tile):
    source = MapSource.of(SpectrumMap(np.arange(4.0), np.zeros((*shape, 4))), place="test")
    pixels = np.concatenate([b.pixels(shape[1]) for t in source.tiles(tile) for b in t])
    assert sorted(pixels.tolist()) == list(range(shape[0] * shape[1]))


def test_a_block_holds_the_counts_of_its_pixels():
    counts = np.arange(20 * 35 * 3, dtype=float).reshape(20, 35, 3)
    source = MapSource.of(SpectrumMap([3.0, 1.0, 2.0], counts), place="test")
    for tile in source.tiles(512):
        raw = source.read(tile)
        for block in tile:
            found, _ = source.prepare(raw, tile, block)
            np.testing.assert_array_equal(found, counts.reshape(-1, 3)[block.pixels(35)][:, [1, 2, 0]])


def test_channels_of_one_position_are_averaged():
    counts = np.array([[[1.0, 3.0, 5.0], [1.0, np.nan, 5.0]]])
    source = MapSource.of(SpectrumMap([2.0, 2.0, 1.0], counts), place="test")
    tile = source.tiles(1)[0]
    found, weights = source.prepare(source.read(tile), tile, tile[0])
    assert source.axis.tolist() == [1.0, 2.0]
    assert found.tolist() == [[5.0, 2.0], [5.0, 1.0]]
    assert weights.tolist() == [[1.0, 2.0], [1.0, 1.0]]


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 2, 4, 8, 16]))
def test_cells_keep_the_sum(rows, columns, edge):
    counts = np.random.default_rng(rows + columns).integers(0, 9, (rows * columns, 3)).astype(float)
    cells = cells_of(counts, (rows, columns), edge, False)
    assert len(cells) == -(-rows // edge) * -(-columns // edge)
    np.testing.assert_array_equal(cells.sum(axis=0), counts.sum(axis=0))
    np.testing.assert_array_equal(cells[0], counts.reshape(rows, columns, 3)[:edge, :edge].sum(axis=(0, 1)))


def test_labels_are_the_cheapest_of_all_assignments():
    model = compile_model([PseudoVoigt()] * 4, "constant", GRID)
    rng = np.random.default_rng(0)
    template = np.concatenate(
        [np.column_stack([[10, 30, 40, 60], [4, 6, 5, 8], [9] * 4, [9] * 4]).ravel(), [1.0]]
    )
    theta = np.tile(template, (50, 1))
    theta[:, 0:16:4] += rng.normal(0, 2.5, (50, 4))
    theta[:, 1:16:4] *= rng.uniform(0.7, 1.4, (50, 4))
    for s, places in enumerate(rng.permuted(np.tile(np.arange(4), (50, 1)), axis=1)):
        theta[s, :16] = theta[s, :16].reshape(4, 4)[places].ravel()
    moved, order, unmatched = assign_labels(model, template, theta)
    assert not unmatched.any()

    def cost(row):
        x, w = row[0:16:4], row[1:16:4]
        return (np.abs(x - template[0:16:4]) / template[1:16:4] + np.abs(np.log(w / template[1:16:4]))).sum()

    for row, new, where in zip(theta, moved, order, strict=True):
        blocks = row[:16].reshape(4, 4)
        least = min(cost(np.append(blocks[list(p)].ravel(), 1.0)) for p in permutations(range(4)))
        assert cost(new) == pytest.approx(least, abs=1e-12)
        np.testing.assert_array_equal(new[:16].reshape(4, 4), blocks[where])


def test_peaks_that_match_nothing_are_said():
    model = compile_model([Gaussian()] * 2, "constant", GRID)
    template = np.array([20.0, 4.0, 1.0, 50.0, 4.0, 1.0, 1.0])
    far = np.array([[20.0, 4.0, 1.0, 70.0, 4.0, 1.0, 1.0], [51.0, 4.0, 1.0, 20.0, 4.0, 1.0, 1.0]])
    moved, _, unmatched = assign_labels(model, template, far)
    assert unmatched.tolist() == [True, False]
    assert moved[1, 0] == 20.0
    present = np.array([[True, False], [True, True]])
    assert not assign_labels(model, template, far, present)[2].any()


def test_tied_peaks_keep_their_place():
    model = _doublet_model()
    assert exchangeable(model).tolist() == [-1, -1, 0]
    assert sorted(map(sorted, peaks_together(model))) == [[0, 1], [2]]
    template = np.array([20.0, 5.0, 100.0, 30.0, 5.0, 50.0, 60.0, 4.0, 80.0, 2.0])
    small = without_peaks(model, frozenset({0, 1}), template)
    assert small.n_free == 4
    theta = small.theta_of(small.free_of(template))
    np.testing.assert_allclose(theta, [20, 5, 0, 30, 5, 0, 60, 4, 80, 2], atol=1e-12)


def test_covariances_of_many_are_those_of_each():
    model = _doublet_model()
    theta = np.array([20.0, 5.0, 1000.0, 30.0, 5.0, 500.0, 60.0, 4.0, 800.0, 2.0])
    counts = np.random.default_rng(1).poisson(model.expected(theta), (5, 80)).astype(float)
    counts[2, 50:70] = 2.0
    fit = fit_spectra(model, counts, theta)
    found = covariances(model, fit.theta, fit.fisher, np.ones(5))
    for s in (0, 1, 3, 4):
        np.testing.assert_allclose(found[s], covariance_of(model, fit, s), rtol=1e-6, atol=1e-9)


def test_neighbors():
    assert sorted(neighbors_of(np.array([4]), (3, 3))[0].tolist()) == [0, 1, 2, 3, 5, 6, 7, 8]
    assert sorted(k for k in neighbors_of(np.array([2]), (5, 1))[0].tolist() if k >= 0) == [1, 3]


def _smooth_rows(n=6):
    model = compile_model([Gaussian()], "constant", GRID)
    theta = np.tile([40.0, 6.0, 3000.0, 4.0], (n * n, 1))
    setup = _setup(model, theta[0])
    counts = np.random.default_rng(3).poisson(model.expected(theta[0]), (n * n, 80)).astype(float)
    fit = fit_spectra(model, counts, theta)
    rows = MapRows.empty(setup, np.zeros(n * n, dtype=np.int8))
    rows.put(np.arange(n * n), rows_of(setup, fit))
    return setup, counts, fit, rows


def test_suspects_are_the_odd_ones():
    _, _, _, rows = _smooth_rows()
    rows.values[7, 0, 0] += 3.0
    rows.deviance[20] *= 3.0
    rows.status[30] = 1
    suspect, bad = find_suspects(rows, (6, 6), 0, 2)
    assert suspect[[7, 20, 30]].all()
    assert suspect.sum() <= 6
    assert bad[[20, 30]].all()
    assert not bad[7]


def test_a_prior_far_too_narrow_gives_its_center():
    setup, counts, fit, rows = _smooth_rows()
    prior = smoothness_prior(setup, rows, (6, 6))
    prior.variance[:] = 1e-14
    chosen = np.arange(36)
    held, _, _ = fit_with_prior(setup, counts, np.ones((1, 80)), fit, prior, chosen)
    np.testing.assert_allclose(held.theta[:, 0], prior.center[:, 0], atol=1e-6)
    np.testing.assert_allclose(np.log(held.theta[:, 1]), prior.center[:, 1], atol=1e-6)
    prior.variance[:] = 1e14
    free, _, _ = fit_with_prior(setup, counts, np.ones((1, 80)), fit, prior, chosen)
    np.testing.assert_allclose(free.theta, fit.theta, rtol=1e-4)


def test_groups_of_alike_cells_are_told_apart():
    rng = np.random.default_rng(0)
    a, b = 50 + 20 * np.sin(np.arange(40.0)), 50 + 20 * np.cos(np.arange(40.0))
    cells = np.concatenate([rng.poisson(a, (60, 40)), rng.poisson(b, (4, 40))]).astype(float)
    means, numbers, _ = group_means(cells, np.ones(64), (1, 2, 3, 4))
    assert numbers[0] == 64
    assert numbers[1:].sum() == 64
    np.testing.assert_allclose((means[1:] * numbers[1:, None]).sum(axis=0), cells.sum(axis=0))
    likeness = [np.corrcoef(mean, b)[0, 1] for mean in means[1:]]
    assert max(likeness) > 0.9


def test_errors_of_tiles_end_the_run():
    def work(tile, beat):
        if tile == 3:
            raise ValueError("tile 3")
        beat(1)

    with pytest.raises(ValueError, match="tile 3"):
        run_tiles(work, 6, n_workers=2, bar=Silent())
    tries = []

    def shaky(tile, beat):
        tries.append(tile)
        if len(tries) == 1:
            raise OSError("once")
        return tile

    assert run_tiles(shaky, 1, n_workers=1, bar=Silent()) == ([0], [])
    assert tries == [0, 0]
