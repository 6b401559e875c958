"""Nearest rows: the answer of a full search, bit for bit."""

import numpy as np
import pytest

from sozai.composition.nearest_search import NearestSearch


@pytest.mark.parametrize("rank", [1, 5, 31, 32, 80])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_it_is_a_full_search(rank, offset):
    rng = np.random.default_rng(rank)
    points = rng.normal(size=(500, rank)) * np.geomspace(1, 1e-3, rank) + offset
    points[::50] = points[1]  # ties
    search = NearestSearch(points)
    passed = rng.random(500) < 0.4
    for query in points[:20] + 0.01 * rng.normal(size=(20, rank)):
        for mask in (None, passed):
            exact = np.sqrt(((points - query) ** 2).sum(axis=1))
            usable = np.arange(500) if mask is None else np.flatnonzero(mask)
            order = usable[np.lexsort((usable, exact[usable]))][:7]
            rows, distances = search.nearest(query, 7, mask)
            assert rows.tolist() == order.tolist()
            assert distances.tolist() == exact[order].tolist()


def test_all_rows_can_be_asked_for():
    rows, _ = NearestSearch(np.array([[0.0], [2.0], [1.0]])).nearest(np.array([0.1]), 3)
    assert rows.tolist() == [0, 2, 1]
