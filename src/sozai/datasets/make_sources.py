"""Experiment and simulation of one quantity, made so that both are known everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sozai.contracts.checks import as_generator, as_matrix
from sozai.contracts.errors import InputError, sentence
from sozai.datasets.dataset import Dataset

__all__ = ["MadeSources", "make_assimilation_demo", "make_magnet_pair", "make_sine_pair"]

Array = NDArray[np.float64]

_SOURCES = ("simulation", "experiment")
#: Coefficients of 1, sin 2 pi x, ..., sin 12 pi x in the calculated series.
_SERIES = np.array([2.0, 0.2, 0.3, -0.2, 0.1, -0.3, 0.2])

# The magnet: columns Pr, La, Ce on the site of neodymium, Co and Ni on that of iron, and T in K.
_MAGNET = ("Pr", "La", "Ce", "Co", "Ni", "T")
_M0, _TC = 1.85, 586.0  # magnetization at 0 K in T and Curie temperature in K of Nd2Fe14B
_SHAPE = 0.7  # s of the Kuz'min curve
_TC_STEPS = np.array([-21.0, -56.0, -162.0, 700.0, 150.0])  # K per fraction
_TC_BEND = -300.0  # K per squared fraction of Co
_M0_STEPS = np.array([0.02, -0.15, -0.21, np.nan, -1.0])  # relative, per fraction; Co from the crossover
_CROSSOVER, _CO = 320.0, 0.15  # where the slope with Co changes sign, and at which content of Co
_TC_ERROR, _M0_ERROR = 1.2, 0.15  # of the calculation: factor, and shift in T
_HIGH = np.array([0.5, 0.3, 0.5, 0.5, 0.2])  # largest fractions
_CORNER = np.array([0.2, 0.1, 0.2, 0.5, 0.05])  # largest measured ones
_T_RANGE, _T_CORNER = (200.0, 450.0), (250.0, 420.0)


@dataclass(frozen=True, eq=False, repr=False)
class MadeSources(Dataset):
    """A table of two sources with empty cells, and the functions behind both.

    Attributes
    ----------
    source_names : tuple of str
        Columns of the sources, the calculation first.
    functions : mapping of str to callable
        Source without noise: takes an array of shape (n, n_features), gives one of shape (n,).
    domain : DataFrame
        Index the features; columns ``low`` and ``high``: where the functions are meant to be asked.
    noise : mapping of str to float
        Standard deviation of one value.
    facts : mapping of str to float
        Further planted numbers, by name.

    See Also
    --------
    Dataset : Its other attributes; ``truth`` has the rows without noise and without empty cells.

    Examples
    --------
    >>> made = make_assimilation_demo(rng=0)
    >>> made
    MadeSources assimilation_demo: 15 rows, features x, simulation 10 values, experiment 5 values
    >>> made.exact([[0.7]]).round(3).tolist()
    [[1.46, -0.04]]
    """

    source_names: tuple[str, ...] = _SOURCES
    functions: Mapping[str, Callable[[Array], Array]] = field(default_factory=dict)
    domain: pd.DataFrame = field(default_factory=pd.DataFrame)
    noise: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def sources(self) -> pd.DataFrame:
        """Values of the sources, NaN where there is none; a table of their own."""
        return self.frame[list(self.source_names)].copy()

    def exact(self, X: ArrayLike) -> Array:
        """Both sources without noise, at any points.

        Parameters
        ----------
        X : array-like of shape (n, n_features)

        Returns
        -------
        ndarray of shape (n, n_sources)
        """
        points = as_matrix(X, place="MadeSources.exact")
        wanted = len(self.feature_names)
        if points.shape[1] != wanted:
            raise InputError(
                sentence("MadeSources.exact", "X", f"have {wanted} columns ({', '.join(self.feature_names)})",
                         points.shape[1])
            )  # fmt: skip
        return np.column_stack([self.functions[name](points) for name in self.source_names])

    def __repr__(self) -> str:
        counts = (f"{name} {int(self.frame[name].notna().sum())} values" for name in self.source_names)
        features = ", ".join(self.feature_names)
        return f"MadeSources {self.name}: {len(self.frame)} rows, features {features}, {', '.join(counts)}"


def make_assimilation_demo(
    n_simulation: int = 10,
    n_experiment: int = 5,
    *,
    noise: tuple[float, float] = (0.03, 0.1),
    rng: Any = None,
) -> MadeSources:
    r"""Make the demonstration: a curve calculated everywhere and measured on its left half only.

    Parameters
    ----------
    n_simulation : int, default=10
        Calculations, uniform on [0, 1].
    n_experiment : int, default=5
        Measurements, uniform on [0, 0.5].
    noise : (float, float), default=(0.03, 0.1)
        Standard deviations of a calculation and of a measurement.
    rng : None, int, RandomState or Generator

    Returns
    -------
    MadeSources
        Feature ``x``, sources ``simulation`` and ``experiment``; a row has one of them.

    Notes
    -----
    .. math:: f_1 = 2 - x + 5(x - 0.7)^2 + 20(x - 0.5)^3, \qquad f_2 = f_1 - 1.5 .

    The question is f₂ on [0.5, 1], where nothing was measured and where it ranges over 2.52.

    Examples
    --------
    >>> made = make_assimilation_demo(rng=1)
    >>> bool((made.frame.loc[made.frame["experiment"].notna(), "x"] <= 0.5).all())
    True
    """
    place = "make_assimilation_demo"
    rng = as_generator(rng)
    n = (_count(place, "n_simulation", n_simulation), _count(place, "n_experiment", n_experiment))

    def simulation(X: Array) -> Array:
        x = X[:, 0]
        values: Array = 2.0 - x + 5.0 * (x - 0.7) ** 2 + 20.0 * (x - 0.5) ** 3
        return values

    def experiment(X: Array) -> Array:
        return simulation(X) - 1.5

    points = [rng.uniform(0.0, 1.0, size=(n[0], 1)), rng.uniform(0.0, 0.5, size=(n[1], 1))]
    return _separate(
        "assimilation_demo", points, (simulation, experiment), _noise(place, noise), rng,
        names=("x",), domain=[(0.0, 1.0)],
    )  # fmt: skip


def make_sine_pair(
    n_features: int = 2,
    n_steps: int = 41,
    *,
    noise: tuple[float, float] = (0.03, 0.1),
    rng: Any = None,
) -> MadeSources:
    r"""Make a grid on which calculation and experiment are sine series that differ by a few slow terms.

    Parameters
    ----------
    n_features : {1, 2}, default=2
        Descriptors ``x0, x1``. In two dimensions the series has 49 terms.
    n_steps : int, default=41
        Points of the grid on [0, 1], along every descriptor.
    noise : (float, float), default=(0.03, 0.1)
        Standard deviations of a calculation and of a measurement.
    rng : None, int, RandomState or Generator

    Returns
    -------
    MadeSources
        One row a grid point, with a noisy value of both sources; ``truth`` without noise, and
        ``facts["best_row"]`` the row where the experiment is largest.

    Notes
    -----
    With :math:`\varphi_0 = 1, \varphi_k = \sin 2\pi kx`, in one dimension

    .. math:: y_1 = 2\varphi_0 + 0.2\varphi_1 + 0.3\varphi_2 - 0.2\varphi_3 + 0.1\varphi_4 - 0.3\varphi_5
        + 0.2\varphi_6, \qquad y_2 = y_1 - 2\varphi_0 - 0.6\varphi_1 .

    In two dimensions the coefficients of :math:`\varphi_j(x_0)\varphi_k(x_1)` are half the outer product of
    that series with itself, and :math:`y_2 = y_1 - 2 - 0.6\,(\varphi_1(x_0) + \varphi_1(x_1))`: the
    experiment differs by three terms of the 49.

    Examples
    --------
    >>> made = make_sine_pair(1, 101, rng=0)
    >>> made
    MadeSources sine_pair: 101 rows, features x0, simulation 101 values, experiment 101 values
    >>> int(made.facts["best_row"]), int(made.truth["simulation"].idxmax())
    (56, 55)
    """
    place = "make_sine_pair"
    if n_features not in (1, 2):
        raise InputError(sentence(place, "n_features", "be 1 or 2", n_features))
    n_steps = _count(place, "n_steps", n_steps, 2)
    deviations, rng = _noise(place, noise), as_generator(rng)
    if n_features == 1:
        series, difference = _SERIES, np.zeros(7)
        difference[[0, 1]] = -2.0, -0.6
    else:
        series, difference = 0.5 * np.outer(_SERIES, _SERIES), np.zeros((7, 7))
        difference[[0, 0, 1], [0, 1, 0]] = -2.0, -0.6, -0.6
    functions = (_sines(series), _sines(series + difference))
    axis = np.linspace(0.0, 1.0, n_steps)
    grid = np.stack(np.meshgrid(*[axis] * n_features, indexing="ij"), axis=-1).reshape(-1, n_features)
    exact = np.column_stack([function(grid) for function in functions])
    told = exact + deviations * rng.standard_normal(exact.shape)
    return _made(
        "sine_pair", grid, told, exact, functions, deviations,
        names=tuple(f"x{j}" for j in range(n_features)), domain=[(0.0, 1.0)] * n_features,
        facts={"best_row": float(np.argmax(exact[:, 1]))},
    )  # fmt: skip


def make_magnet_pair(
    n_simulation: int = 300,
    n_experiment: int = 30,
    *,
    noise: tuple[float, float] = (0.002, 0.002),
    rng: Any = None,
) -> MadeSources:
    r"""Make a permanent magnet: calculated over all compositions and temperatures, measured in a corner.

    The magnetization of (Nd,Pr,La,Ce)₂(Fe,Co,Ni)₁₄B falls with cobalt in the cold and rises with it in the
    heat; where one turns into the other is planted.

    Parameters
    ----------
    n_simulation : int, default=300
        Calculations over the whole space.
    n_experiment : int, default=30
        Measurements, of alloys with little Pr, La, Ce and Ni between 250 and 420 K.
    noise : (float, float), default=(0.002, 0.002)
        Standard deviations in T of a calculation and of a measurement.
    rng : None, int, RandomState or Generator

    Returns
    -------
    MadeSources
        Features ``Pr, La, Ce`` (fractions of the rare-earth site), ``Co, Ni`` (of the iron site) and ``T``
        (K); sources ``simulation`` and ``experiment`` (T). ``facts``: ``crossover``, the temperature in K
        where :math:`\partial M/\partial\mathrm{Co}` changes its sign at the content ``crossover_Co`` of
        cobalt and none of Pr, La, Ce and Ni.

    Notes
    -----
    .. math:: M = M_0(x)\,m(T/T_c(x)), \qquad m(t) = [1 - s\,t^{3/2} - (1 - s)\,t^{5/2}]^{1/3}

    with s = 0.7 [1]_, M₀ falling linearly and T_c rising with cobalt as in the published magnets [2]_. The
    slope of M₀ with cobalt follows from the crossover: the derivative of M vanishes where
    :math:`\partial\ln M_0 = t\,m'/m\;\partial\ln T_c`. The calculation has T_c 1.2 times too high, as
    mean-field theory has, and M₀ too large by 0.15 T.

    References
    ----------
    .. [1] M. D. Kuz'min, Shape of temperature dependence of spontaneous magnetization of ferromagnets:
       quantitative analysis, Phys. Rev. Lett. 94, 107204 (2005).
    .. [2] Y. Harashima et al., Data assimilation method for experimental and first-principles data:
       Finite-temperature magnetization of (Nd,Pr,La,Ce)2(Fe,Co,Ni)14B, Phys. Rev. Materials 5, 013806
       (2021).

    Examples
    --------
    >>> made = make_magnet_pair(rng=0)
    >>> print(repr(made)[:70])
    MadeSources magnet_pair: 330 rows, features Pr, La, Ce, Co, Ni, T, sim
    >>> T = made.facts["crossover"]
    >>> less, more = made.exact([[0, 0, 0, 0.149, 0, T], [0, 0, 0, 0.151, 0, T]])[:, 1]
    >>> T, bool(abs(more - less) < 1e-5)
    (320.0, True)
    """
    place = "make_magnet_pair"
    rng = as_generator(rng)
    n = (_count(place, "n_simulation", n_simulation), _count(place, "n_experiment", n_experiment))
    points = [_alloys(n[0], _HIGH, _T_RANGE, rng), _alloys(n[1], _CORNER, _T_CORNER, rng)]
    domain = [*((0.0, high) for high in _HIGH), _T_RANGE]
    return _separate(
        "magnet_pair", points, (_calculated_magnet, _magnet), _noise(place, noise), rng, names=_MAGNET,
        domain=domain, units={"T": "K", **dict.fromkeys(_SOURCES, "T")},
        facts={"crossover": _CROSSOVER, "crossover_Co": _CO},
    )  # fmt: skip


# --- the functions --------------------------------------------------------------------------------------


def _sines(coefficients: Array) -> Callable[[Array], Array]:
    """Series in 1, sin 2 pi x, ..., and in products of two of them."""

    def waves(x: Array) -> Array:
        return np.column_stack([np.ones(len(x)), np.sin(2.0 * np.pi * x[:, None] * np.arange(1, 7))])

    def series(X: Array) -> Array:
        if coefficients.ndim == 1:
            return np.asarray(waves(X[:, 0]) @ coefficients)
        return np.asarray(((waves(X[:, 0]) @ coefficients) * waves(X[:, 1])).sum(axis=1))

    return series


def _alloys(n: int, high: Array, temperatures: tuple[float, float], rng: np.random.Generator) -> Array:
    """Random compositions and temperatures; fractions of a site that exceed 1 are drawn again."""
    fractions = rng.uniform(size=(n, 5)) * high
    while (bad := fractions[:, :3].sum(axis=1) > 1.0).any():
        fractions[bad] = rng.uniform(size=(int(bad.sum()), 5)) * high
    return np.column_stack([fractions, rng.uniform(*temperatures, size=n)])


def _curie(X: Array) -> Array:
    """Curie temperature in K."""
    return np.asarray(_TC + X[:, :5] @ _TC_STEPS + _TC_BEND * X[:, 3] ** 2)


def _shape(t: Array) -> Array:
    """Kuz'min's curve; zero from the Curie temperature on."""
    inside = 1.0 - _SHAPE * t**1.5 - (1.0 - _SHAPE) * t**2.5
    return np.asarray(np.cbrt(np.where(t < 1.0, inside, 0.0)))


def _cobalt_step() -> float:
    """Relative slope of the magnetization at 0 K with cobalt that makes the crossover what it is."""
    curie = float(_curie(np.array([[0.0, 0.0, 0.0, _CO, 0.0]]))[0])
    t = _CROSSOVER / curie
    inside = 1.0 - _SHAPE * t**1.5 - (1.0 - _SHAPE) * t**2.5
    falling = (1.5 * _SHAPE * t**1.5 + 2.5 * (1.0 - _SHAPE) * t**2.5) / (3.0 * inside)
    rising = falling * (_TC_STEPS[3] + 2.0 * _TC_BEND * _CO) / curie
    return -rising / (1.0 + rising * _CO)


def _at_zero(X: Array) -> Array:
    """Magnetization at 0 K in T."""
    steps = np.where(np.isnan(_M0_STEPS), _cobalt_step(), _M0_STEPS)
    return np.asarray(_M0 * (1.0 + X[:, :5] @ steps))


def _magnet(X: Array) -> Array:
    """Measured magnetization in T."""
    return _at_zero(X) * _shape(X[:, 5] / _curie(X))


def _calculated_magnet(X: Array) -> Array:
    """Calculated magnetization in T."""
    return (_at_zero(X) + _M0_ERROR) * _shape(X[:, 5] / (_TC_ERROR * _curie(X)))


# --- the record -----------------------------------------------------------------------------------------


def _separate(
    name: str,
    points: list[Array],
    functions: tuple[Callable[[Array], Array], Callable[[Array], Array]],
    noise: Array,
    rng: np.random.Generator,
    **options: Any,
) -> MadeSources:
    """Rows of one source each, the calculations first."""
    X = np.vstack(points)
    exact = np.column_stack([function(X) for function in functions])
    told = exact + noise * rng.standard_normal(exact.shape)
    told[: len(points[0]), 1] = np.nan
    told[len(points[0]) :, 0] = np.nan
    return _made(name, X, told, exact, functions, noise, **options)


def _made(
    name: str,
    X: Array,
    told: Array,
    exact: Array,
    functions: tuple[Callable[[Array], Array], Callable[[Array], Array]],
    noise: Array,
    *,
    names: tuple[str, ...],
    domain: list[tuple[float, float]],
    units: Mapping[str, str] | None = None,
    facts: Mapping[str, float] | None = None,
) -> MadeSources:
    """Wrap both sources; pure numbers, nothing to cite."""
    columns = {**dict(zip(names, X.T, strict=True)), **dict(zip(_SOURCES, told.T, strict=True))}
    return MadeSources(
        name=name,
        frame=pd.DataFrame(columns),
        units={**dict.fromkeys(columns), **(units or {})},
        description=f"Made by sozai.datasets.make_{name}; the truth is known by construction.",
        feature_names=names,
        target_name=_SOURCES[1],
        truth=pd.DataFrame(exact, columns=list(_SOURCES)),
        functions=dict(zip(_SOURCES, functions, strict=True)),
        domain=pd.DataFrame(domain, index=list(names), columns=["low", "high"]),
        noise=dict(zip(_SOURCES, noise.tolist(), strict=True)),
        facts=dict(facts or {}),
    )


def _count(place: str, argument: str, value: Any, least: int = 1) -> int:
    """A whole number that is large enough."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(sentence(place, argument, f"be a whole number of {least} or more", value))
    return int(value)


def _noise(place: str, noise: Any) -> Array:
    """Two standard deviations."""
    values = np.asarray(noise, dtype=np.float64)
    if values.shape != (2,) or not (np.isfinite(values).all() and (values >= 0.0).all()):
        raise InputError(
            sentence(place, "noise", "be two standard deviations of 0 or more, of simulation and experiment",
                     noise)
        )  # fmt: skip
    return values
