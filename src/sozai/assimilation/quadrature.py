"""Integrate over coupling and noise: a few nodes around their best values, weighted by evidence."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, qmc

from sozai.assimilation.inner_fit import LOG_FLOOR, LOG_TOP
from sozai.assimilation.posterior import Node, make_node, point_node
from sozai.assimilation.selection import Scored

__all__ = ["integration_nodes"]

Array = NDArray[np.float64]

#: Unknowns beyond which noise and coupling are integrated by Laplace's formula alone.
LARGEST = 150
#: How far the points for the noise lie out, in standard deviations over the square root of their number.
_OUT = 1.8


def star(n: int, corners: bool) -> tuple[Array, Array]:
    """Points (m, n) and weights (m,) of a rule for the unit Gaussian: center, axes, and corners if wanted."""
    if n == 0:
        return np.zeros((1, 0)), np.ones(1)
    rays = np.vstack([np.eye(n), -np.eye(n)])
    if corners and n > 1:
        rays = np.vstack([rays, np.array(list(itertools.product((1.0, -1.0), repeat=n))) / np.sqrt(n)])
    points = np.vstack([np.zeros((1, n)), rays * _OUT * np.sqrt(n)])
    weights = np.full(len(points), 1 / (len(rays) * _OUT**2))
    weights[0] = 1 - 1 / _OUT**2
    return points, weights


def unit_rule(n_coupling: int, n_noise: int, n_offset: int, fine: bool) -> tuple[Array, Array]:
    """Points and logarithms of weight over density of the unit Gaussian; steps along coupling and offsets."""
    n = n_coupling + n_noise + n_offset
    if n_coupling > 1:
        z = 1.3 * norm.ppf(qmc.Halton(n, scramble=False).random(257 if fine else 65)[1:])
        return z, -norm.logpdf(z / 1.3).sum(axis=1)
    noise, weights = star(n_noise, corners=fine)
    logs = np.log(weights) + 0.5 * (noise**2).sum(axis=1)
    steps = np.linspace(-4.5, 4.5, 15)[:, None] if fine else np.linspace(-4.0, 4.0, 9)[:, None]
    none = np.zeros((1, 0))
    parts = [steps if n_coupling else none, noise, steps if n_offset else none]
    rows = np.indices([len(part) for part in parts]).reshape(3, -1)
    z = np.hstack([part[row] for part, row in zip(parts, rows, strict=True)])
    return z, logs[rows[1]]


def integration_nodes(scored: Scored, weight: float, *, fine: bool) -> list[Node]:
    r"""Nodes of one pattern.

    Parameters
    ----------
    scored : Scored
    weight : float
        Of the pattern.
    fine : bool
        15 steps over one coupling (and over the spread of offsets) in place of 9, and corners beside
        the axes of the noise; several couplings take 256 points of Halton's sequence in place of 64.

    Returns
    -------
    list of Node

    Notes
    -----
    Points are :math:`\hat\phi + Lz` with :math:`LL^T` the Laplace covariance; every
    node weighs its evidence times the weight of the rule over its density. With
    more than 150 unknowns one node remains, with the covariance of coupling
    and noise carried along to first order. Cost: one evaluation of the evidence
    per point, one solve for every node of more than a thousandth of the weight.
    """
    fit, optimum = scored.fit, scored.optimum
    if len(fit.unknowns.source) > LARGEST:
        return [point_node(scored, weight)]
    root = np.linalg.cholesky(optimum.covariance + 1e-12 * np.eye(fit.size))
    root = _rounded(root)
    points, logs = unit_rule(fit.n_coupling, fit.d, int(fit.search_offset), fine)
    places = optimum.phi + points @ root.T
    places[:, fit.n_coupling :] = np.clip(places[:, fit.n_coupling :], LOG_FLOOR, LOG_TOP)
    heights = np.array([-fit.value_and_gradient(place)[0] for place in places]) + logs
    weights = np.exp(heights - heights.max())
    weights /= weights.sum()
    nothing = np.zeros((fit.size, fit.size))
    return [
        make_node(fit, place, nothing, weight * float(w))
        for place, w in zip(places, weights, strict=True)
        if w > 1e-3
    ]


def _rounded(root: Array) -> Array:
    """Four digits: where the points lie must not depend on the last bits of the sums."""
    size = 10.0 ** np.floor(np.log10(np.maximum(np.abs(root), 1e-300)))
    return np.asarray(np.round(root / size, 4) * size)
