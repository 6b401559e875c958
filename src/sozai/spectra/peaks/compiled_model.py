"""A sum of peaks and background on one grid, ready to be fitted: expectation, components, derivatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.checks import as_vector
from sozai.contracts.errors import InputError, sentence
from sozai.spectra.peaks.background import Background, as_background
from sozai.spectra.peaks.background_arrays import held_strength, penalty_matrix, pieces_of, program_of
from sozai.spectra.peaks.fit_kernels import Ties
from sozai.spectra.peaks.grid import Grid
from sozai.spectra.peaks.model_kernels import Program, fill_components, fill_model, room_for
from sozai.spectra.peaks.parameter_box import (
    TieRows,
    box_of,
    default_bounds,
    free_box,
    parameter_names,
    peak_labels,
    require_known,
    tie_matrix,
    ties_of,
)

__all__ = ["CompiledModel", "Grid", "TieRows", "compile_model", "default_bounds", "parameter_names"]

Array = NDArray[np.float64]

_PLACE = "compile_model"


@dataclass(frozen=True, eq=False, repr=False)
class CompiledModel:
    """Peaks and background on a grid, as arrays.

    Made by :func:`compile_model`.

    Attributes
    ----------
    shapes : tuple
        One shape per peak.
    background : Background
    grid : Grid
    names : tuple of str
        ``"label.parameter"`` of every entry of θ, peaks first.
    labels : tuple of str
        One per peak.
    T, t0 : ndarray of shape (p, q), (p,)
        θ = T u + t0.
    lower, upper : ndarray of shape (p,)
        Box of θ.
    free_lower, free_upper : ndarray of shape (q,)
        Box of u, the meeting of the bounds of all parameters that hang on one free one.
    penalty : ndarray of shape (p, p) or (0, 0)
        R of the term θᵀRθ added to the deviance.

    Examples
    --------
    >>> from sozai.spectra.peaks.background import Constant
    >>> from sozai.spectra.peaks.shapes import Gaussian
    >>> model = compile_model([Gaussian()], Constant(), Grid.of(np.arange(5.0), "midpoint"))
    >>> model
    CompiledModel(1 peak, 4 parameters, 4 free, 5 channels)
    >>> model.expected([2.0, 2.0, 100.0, 1.0]).round(2).tolist()
    [3.94, 24.49, 47.97, 24.49, 3.94]
    """

    shapes: tuple[Any, ...]
    background: Background
    grid: Grid
    names: tuple[str, ...]
    labels: tuple[str, ...]
    T: Array
    t0: Array
    lower: Array
    upper: Array
    free_lower: Array
    free_upper: Array
    penalty: Array
    program: Program = field(repr=False)
    ties: Ties = field(repr=False)
    inverse: Array = field(repr=False)

    def __repr__(self) -> str:
        k = len(self.shapes)
        return (
            f"CompiledModel({k} peak{'' if k == 1 else 's'}, {self.n_parameters} parameters, "
            f"{self.n_free} free, {self.grid.n_channels} channels)"
        )

    @property
    def n_parameters(self) -> int:
        """Entries of θ."""
        return len(self.names)

    @property
    def n_free(self) -> int:
        """Entries of u."""
        return int(self.T.shape[1])

    @property
    def n_peak_parameters(self) -> int:
        """Entries of θ that belong to peaks."""
        return int(self.program.firsts[-1])

    def block(self, peak: int) -> slice:
        """Entries of θ of one peak."""
        return slice(int(self.program.firsts[peak]), int(self.program.firsts[peak + 1]))

    def index(self, name: str) -> int:
        """Entry of θ with a name.

        Raises
        ------
        InputError
            When there is none.
        """
        if name not in self.names:
            raise InputError(
                sentence("CompiledModel.index", "name", f"be one of {', '.join(self.names)}", name,
                         remedy="Write it as 'label.parameter'.")
            )  # fmt: skip
        return self.names.index(name)

    def free_of(self, theta: ArrayLike) -> Array:
        """Free parameters u nearest to θ in least squares; exact where θ obeys the ties.

        Parameters
        ----------
        theta : array-like of shape (..., p)

        Returns
        -------
        ndarray of shape (..., q)
        """
        return (np.asarray(theta, dtype=np.float64) - self.t0) @ self.inverse.T

    def theta_of(self, free: ArrayLike) -> Array:
        """Parameters θ = T u + t0.

        Parameters
        ----------
        free : array-like of shape (..., q)

        Returns
        -------
        ndarray of shape (..., p)
        """
        return np.asarray(free, dtype=np.float64) @ self.T.T + self.t0

    def _evaluate(self, theta: ArrayLike) -> tuple[Array, Array]:
        """Expectation and Jacobian."""
        p, n = self.n_parameters, self.grid.n_channels
        values = np.array(as_vector(theta, p, place="CompiledModel.expected", argument="theta"))
        mu, jacobian = np.zeros(n), np.zeros((p, n))
        program = self.program
        if program.loss_first >= 0:  # derivatives by held parameters too
            program = program._replace(loss_moves=True)
        fill_model(program, values, mu, jacobian, np.ones(p, dtype=np.bool_), room_for(program))
        return mu, jacobian

    def expected(self, theta: ArrayLike) -> Array:
        """Expected content of every channel.

        Parameters
        ----------
        theta : array-like of shape (p,)

        Returns
        -------
        ndarray of shape (n,)
        """
        return self._evaluate(theta)[0]

    def jacobian(self, theta: ArrayLike) -> Array:
        """Derivatives of :meth:`expected` by θ; by u they are ``T.T @ jacobian``.

        Parameters
        ----------
        theta : array-like of shape (p,)

        Returns
        -------
        ndarray of shape (p, n)
        """
        return self._evaluate(theta)[1]

    def components(self, theta: ArrayLike) -> Array:
        """Content of every peak alone, without its step and its losses.

        Parameters
        ----------
        theta : array-like of shape (p,)

        Returns
        -------
        ndarray of shape (K, n)
        """
        place = "CompiledModel.components"
        values = np.array(as_vector(theta, self.n_parameters, place=place, argument="theta"))
        components = np.zeros((len(self.shapes), self.grid.n_channels))
        fill_components(self.program, values, components)
        return components

    def background_at(self, theta: ArrayLike) -> Array:
        """Expectation without the peaks: curves, steps and losses.

        Parameters
        ----------
        theta : array-like of shape (p,)

        Returns
        -------
        ndarray of shape (n,)
        """
        return self.expected(theta) - self.components(theta).sum(axis=0)


def compile_model(
    shapes: Sequence[Any],
    background: Background | str | None,
    grid: Grid,
    *,
    labels: Sequence[str] | None = None,
    ties: TieRows | None = None,
    bounds: Mapping[str, tuple[float | None, float | None]] | None = None,
    fixed: Mapping[str, float] | None = None,
    counts: ArrayLike | None = None,
    main_line: float | None = None,
) -> CompiledModel:
    """Put shapes and a background on a grid and make them ready for fits.

    Parameters
    ----------
    shapes : sequence of shape
        One per peak; empty for background only.
    background : Background, str or None
        See :func:`~sozai.spectra.peaks.background.as_background`.
    grid : Grid
    labels : sequence of str, optional
        Names of the peaks; ``"peak1"``, ``"peak2"``, ... when left out.
    ties : object with T, t0, lower, upper, optional
        θ = T u + t0 and the box of u, as ``compile_ties`` makes it for :func:`parameter_names`.
    bounds : mapping, optional
        ``{name: (lower, upper)}``, in the place of :func:`default_bounds`; None is no bound.
    fixed : mapping, optional
        ``{name: value}``; these parameters are not fitted.
    counts : array-like of shape (n,), optional
        Needed for :class:`~sozai.spectra.peaks.background.StaticShirley` only.
    main_line : float, optional
        Axis value of the strongest line, to judge whether Tougaard's B can be told; the end of the
        window when left out.

    Returns
    -------
    CompiledModel

    Raises
    ------
    InputError
        For unknown names, crossed bounds, and ties of another model.

    Warns
    -----
    ConvergenceWarning
        When the window is too short for Tougaard's B.

    Notes
    -----
    Memory n (p + M) numbers, and n² for losses on an uneven axis.

    Examples
    --------
    >>> from sozai.spectra.peaks.shapes import Gaussian
    >>> grid = Grid.of(np.arange(50.0), narrowest_fwhm=10.0)
    >>> model = compile_model([Gaussian()], "linear", grid, labels=["A"], fixed={"A.fwhm": 12.0})
    >>> model.names[:3], model.n_free
    (('A.position', 'A.fwhm', 'A.area'), 4)
    """
    under = as_background(background, place=_PLACE)
    tags = peak_labels(shapes, labels)
    names = parameter_names(shapes, under, tags)
    bounds, fixed = dict(bounds or {}), {name: float(value) for name, value in (fixed or {}).items()}
    require_known(names, bounds, "bounds")
    require_known(names, fixed, "fixed")
    box = box_of(names, default_bounds(shapes, under, grid, tags), bounds)
    still = {**under.held, **held_strength(under, grid, main_line)}
    held = {f"background.{name}": value for name, value in still.items()}
    T, t0, low, high = tie_matrix(names, ties, fixed, held)
    u_box = free_box(names, T, t0, box, (low, high))
    n_peak_rows = sum(len(shape.parameters) for shape in shapes)
    pieces = pieces_of(under, grid, n_peak_rows, tags, counts)
    penalty = penalty_matrix(len(names), pieces)
    return CompiledModel(
        shapes=tuple(shapes), background=under, grid=grid, names=names, labels=tags, T=T, t0=t0,
        lower=box[0], upper=box[1], free_lower=u_box[0], free_upper=u_box[1], penalty=penalty,
        program=program_of(shapes, grid, pieces), ties=ties_of(T, t0, *u_box, penalty),
        inverse=np.linalg.pinv(T),
    )  # fmt: skip
