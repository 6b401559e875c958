"""Which combinations of the columns of a table are the same in every row: laws without a target."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from sozai.contracts.checks import as_generator, as_matrix, as_names, spawn
from sozai.contracts.errors import ConvergenceWarning, InputError, UnitError, sentence
from sozai.contracts.parallel import run_chunks
from sozai.contracts.progress import Progress
from sozai.contracts.records import Failure
from sozai.contracts.units import parse_unit
from sozai.symbolic.columns import PrimaryColumns
from sozai.symbolic.relations.invariant_record import Invariant, InvariantList, product_unit
from sozai.symbolic.relations.partial_correlations import (
    chance_of_looseness,
    count_subsets,
    looseness_at_chance,
    tied_subsets,
    weakest_ties,
)
from sozai.symbolic.relations.tightest_combination import (
    TightestCombination,
    simple_weights,
    tightest_combination,
    unit_deviations,
)

__all__ = ["Invariant", "InvariantList", "find_invariants"]

_PLACE = "find_invariants"
#: A subset counts as tied when every two members explain at least half of what the others leave of each
#: other. Where two combinations are constant at once, some pair explains a quarter at most.
_LOOSEST = 0.5
_MOST_SUBSETS = 3e9
_SPEED = 6e6  # subsets a second on one core, for the estimate in the message
_SHUFFLES = 25  # tables in one chunk
_CONSTANT = 1e-12


def find_invariants(
    X: Any,
    form: str = "power",
    *,
    names: Any = None,
    max_terms: int = 4,
    tolerance: float = 0.05,
    significance: float = 0.01,
    max_denominator: int = 6,
    dimensions: str | Mapping[str, str] = "infer",
    n_best: int = 10,
    n_permutations: int = 199,
    rng: Any = 0,
    n_jobs: int | None = None,
    progress: Progress | bool | None = None,
) -> InvariantList:
    r"""Find combinations of columns that are the same in every row, such as a³/T² of the planets.

    No column is the target. Every subset of up to ``max_terms`` columns is tried.

    Parameters
    ----------
    X : DataFrame or array of shape (n_samples, n_columns)
        At least 4 rows and 2 columns, at most a few dozen. Labels may carry units.
    form : {"power", "linear"}, default="power"
        Products of powers (all values positive), or sums.
    names : sequence of str, optional
        Column names; a DataFrame brings its own.
    max_terms : int, default=4
        Most columns in one invariant; never more than two fewer than rows.
    tolerance : float, default=0.05
        Largest spread, relative to the one expected if the columns had nothing to
        do with each other.
    significance : float, default=0.01
        Largest probability that a table of shuffled columns holds anything as
        firmly tied: the chance of finding something where nothing is.
    max_denominator : int, default=6
        Largest common denominator of the exponents, i.e. largest whole exponent of
        the column that takes the largest part.
    dimensions : {"infer", "ignore"} or mapping of str to str, default="infer"
        Units from the labels, none, or by column. Columns of one dimension enter
        in one unit, temperatures in kelvin; sums are formed only within a dimension.
    n_best : int, default=10
        Invariants to list.
    n_permutations : int, default=199
        Shuffled tables; at least 1/significance − 1.
    rng : None, int, RandomState or Generator, default=0
        Source of the shuffles.
    n_jobs : int, optional
        Workers for the shuffled tables; the result does not depend on it.
    progress : object with ``advance(n)``, bool or None
        Shown on a terminal when it takes more than two seconds.

    Returns
    -------
    InvariantList
        Empty where nothing is constant beyond chance.

    Raises
    ------
    InputError
        A value that has no logarithm (row and column are named), too few rows, or
        a search that would take too long (with its size).

    Warns
    -----
    UserWarning
        A unit is not known, so its column is added to no other (``"linear"``).
    ConvergenceWarning
        Nothing was found, and the rows are too few for anything to be told from chance.

    See Also
    --------
    find_relations : Exact linear relations, and which descriptors may replace each other.
    SymbolicRegressor : One column as a function of the others.

    Notes
    -----
    With :math:`\ell_j = \ln x_j` (``"linear"``: :math:`x_j`) an invariant is a combination
    :math:`\sum_j p_j \ell_j` of small variance.

    ========================  ====================  =================================================
    Symbol                    Name                  Meaning
    ========================  ====================  =================================================
    :math:`p_j`               ``exponents``         last right singular vector of the centred columns
                                                    at unit norm, divided by their norms
    :math:`\sigma_k`          ``ratio``             the singular value
    :math:`g_{ij}`            –                     partial correlation of two members
    ========================  ====================  =================================================

    The smallest singular vector of many columns is an arbitrary mixture where several laws hold, so
    small subsets are tried, and one is a law only if *all* its members are needed:
    :math:`g_{ij}^2 \ge 1/2` for every pair, given the other members. A member without part, or two laws
    at once, make some :math:`g_{ij}` vanish. Laws that follow from simpler ones are listed as implied
    (abc and c/(de) imply abde).

    *Honesty.* The weakest pair of a subset is turned into a probability by normal theory
    (:math:`g^2` is beta distributed) and multiplied by the number of subsets of that size. ``p_value``
    is the share of tables with every column shuffled by itself whose best subset has as small a number,
    so it accounts for all subsets tried and for the columns' own distributions (outliers, few values).
    With very few rows nothing can be significant: 2 columns of 4 rows have 24 shuffles. A strong
    correlation is not yet a law: ``tolerance`` bounds the spread as well.

    Exponents become whole numbers where the odds for simple fractions against any other numbers, given
    the exponents found and their errors, are at least three to one.

    Cost :math:`O(\binom{n}{k} k^3)` a table, 6 million subsets a second: 36 columns, 4 terms and 199
    shuffles take two seconds. Relations to less than a millionth of the columns' spreads are told apart
    no further. Errors of the exponents assume that all columns are in error alike, relative to their
    spreads.

    References
    ----------
    .. [1] P. H. Westfall, S. S. Young, Resampling-based multiple testing, Wiley (1993).
    .. [2] T. W. Anderson, Ann. Math. Stat. 34, 122 (1963).

    Examples
    --------
    >>> from sozai.datasets import load_planets
    >>> planets = load_planets().to_frame()
    >>> found = find_invariants(planets[["a [AU]", "T [yr]"]])
    >>> found[0], found[0].p_value
    (a**3/T**2 = 1.00047 AU^3/yr^2 ± 0.058 %, 0.005)
    >>> x = np.array([0.1, 0.25, 0.5, 0.6, 0.7, 0.85, 0.9])
    >>> find_invariants(np.column_stack([x, 1 - x]), "linear", names=["x_A", "x_B"])[0].formula
    'x_A + x_B'
    """
    _check(form, max_terms, tolerance, significance, max_denominator, n_best, n_permutations)
    labels, values = _table(X, names)
    columns = _columns(labels, dimensions, form)
    values = columns.convert(values)
    varying = np.ptp(values, axis=0) > _CONSTANT * np.abs(values).max(axis=0)
    constants = [(columns.names[j], float(values[0, j])) for j in np.flatnonzero(~varying)]
    if form == "power":
        _require_positive(values, columns.names, varying)
    kept = np.flatnonzero(varying)
    taken = np.log(values[:, kept]) if form == "power" else values[:, kept]
    added = form == "linear" and dimensions != "ignore"
    search = _Search(
        taken, _classes(columns, kept, added), max_terms, tolerance, significance, n_permutations
    )
    found = search.run(rng, n_jobs, progress)
    laws = [
        _invariant(subset, figures, taken, values, kept, columns, form, max_denominator)
        for subset, figures in found
    ]
    laws = [law for law in laws if law[0].ratio <= tolerance]
    ordered = _ordered(laws, taken)
    laws = InvariantList(
        invariants=tuple(ordered[:n_best]),
        form=form,
        n_samples=values.shape[0],
        n_columns=kept.size,
        n_subsets=search.n_subsets,
        n_found=len(ordered),
        n_independent=sum(law.kind == "independent" for law in ordered),
        constant_columns=tuple(constants),
        tolerance=tolerance,
        significance=significance,
        n_permutations=n_permutations,
    )
    if laws.too_few:
        warnings.warn(f"{_PLACE}: {laws.too_few}", ConvergenceWarning, stacklevel=2)
    return laws


# --- which subsets are tied beyond chance ------------------------------------------------------------


class _Search:
    """All subsets of the columns, and the shuffled tables that say what chance can do."""

    def __init__(self, columns, classes, max_terms, tolerance, significance, n_permutations):
        m, n = columns.shape
        self.unit = unit_deviations(columns)[0]
        self.classes, self.tolerance = classes, tolerance
        self.significance, self.n_permutations = significance, n_permutations
        sizes = [k for k in range(2, min(max_terms, m - 2, n) + 1) if count_subsets(classes, k)]
        self.sizes = tuple(sizes)
        self.counts = np.array([count_subsets(classes, k) for k in sizes], dtype=float)
        self.n_subsets = int(self.counts.sum())
        total = self.n_subsets * (n_permutations + 1)
        if total > _MOST_SUBSETS:
            raise InputError(
                sentence(
                    _PLACE, "the search", f"take at most {_MOST_SUBSETS:.1g} subsets in all tables",
                    f"{self.n_subsets:,} subsets of up to {sizes[-1]} of {n} columns, {n_permutations} times",
                    remedy=f"It takes about {total / _SPEED:.3g} s on one core: lower max_terms or leave "
                    "columns out.",
                )
            )  # fmt: skip

    def run(self, rng, n_jobs, progress):
        """List (subset, (p_value, expected_by_chance)) of every subset tied beyond chance."""
        if not self.sizes:
            return []
        null = np.sort(self._shuffled(rng, n_jobs, progress))
        limit = null[int(self.significance * (self.n_permutations + 1)) - 1]
        correlation = np.ascontiguousarray(self.unit.T @ self.unit)
        m, found = self.unit.shape[0], []
        for size, count in zip(self.sizes, self.counts, strict=True):
            loosest = min(_LOOSEST, float(looseness_at_chance(limit / count, m, size)))
            subsets, looseness = tied_subsets(
                correlation, self.classes, size, loosest=loosest, largest_ratio=self.tolerance
            )
            expected = count * chance_of_looseness(looseness, m, size)
            p_values = (1 + np.searchsorted(null, expected, side="right")) / (self.n_permutations + 1)
            for subset, p_value, chance in zip(subsets, p_values, expected, strict=True):
                if p_value <= self.significance:
                    found.append((subset, (float(p_value), float(chance))))
        return found

    def _shuffled(self, rng, n_jobs, progress):
        """Smallest expected number by chance in every shuffled table, shape (n_permutations,)."""
        sizes = [min(_SHUFFLES, self.n_permutations - k) for k in range(0, self.n_permutations, _SHUFFLES)]
        work = partial(_shuffled_ties, self.unit, self.classes, self.sizes)
        (seed,) = spawn(as_generator(rng), 1)
        results = run_chunks(
            work, sizes, n_jobs=n_jobs, seed=seed, progress=progress, description="shuffled tables"
        )
        for result in results:
            if isinstance(result, Failure):
                raise RuntimeError(result.message)
        ties = np.concatenate(results)
        chances = [
            count * chance_of_looseness(ties[:, k], self.unit.shape[0], size)
            for k, (size, count) in enumerate(zip(self.sizes, self.counts, strict=True))
        ]
        return np.min(chances, axis=0)


def _shuffled_ties(unit, classes, sizes, n_tables, rng):
    """Smallest looseness of each size, (n_tables, n_sizes), with every column shuffled by itself."""
    ties = np.empty((n_tables, len(sizes)))
    for table in range(n_tables):
        shuffled = rng.permuted(unit, axis=0)
        ties[table] = weakest_ties(np.ascontiguousarray(shuffled.T @ shuffled), classes, sizes)
    return ties


# --- from a subset to a law --------------------------------------------------------------------------


def _invariant(subset, figures, taken, values, kept, columns, form, max_denominator):
    """Record of one tied subset, and its combination; ``taken`` are the columns that are combined."""
    found = tightest_combination(taken[:, subset])
    exact = simple_weights(found, taken.shape[0] - subset.size, max_denominator)
    scale = float(exact[found.reference]) if exact else float(np.sign(found.weights[0]))
    exponents = exact or tuple((scale * found.weights).tolist())
    weights = np.array([float(exponent) for exponent in exponents])
    combined = taken[:, subset] @ weights
    mean = float(combined.mean())
    members = [int(j) for j in kept[subset]]
    if form == "power":
        constant, size, deviations = _exponential(mean, members, columns), 1.0, np.expm1(combined - mean)
        unit = product_unit([columns.units[columns.names[j]] for j in members], exponents)
    else:
        terms = values[:, members] * weights
        largest = np.abs(terms).max()
        size = float(largest * np.sqrt(np.mean((terms / largest) ** 2, axis=0)).max())
        constant, deviations = mean, (combined - mean) / size
        units = {columns.units[columns.names[j]] or None for j in members}
        unit = units.pop() if len(units) == 1 else None
    record = Invariant(
        names=tuple(columns.names[j] for j in members),
        exponents=exponents,
        free_exponents=tuple((scale * found.weights).tolist()),
        standard_errors=tuple((abs(scale) * np.sqrt(np.diag(found.covariance))).tolist()),
        constant=constant,
        unit=unit,
        spread=float(np.sqrt(np.mean(((combined - mean) / size) ** 2))),
        ratio=found.ratio,
        p_value=figures[0],
        expected_by_chance=figures[1],
        left_out_spread=_or_infinite(np.sqrt(np.mean((scale / size * found.left_out) ** 2))),
        exponent_shift=_or_infinite(np.abs(scale * (found.left_out_weights - found.weights)).max()),
        kind="independent",
        form=form,
        scale=constant if form == "power" else size,
        deviations=deviations,
        columns=_of(columns, members),
    )
    return record, subset, found


def _exponential(mean: float, members: list[int], columns: PrimaryColumns) -> float:
    """Geometric mean of the product, which must be a number."""
    if abs(mean) > 700:
        names = ", ".join(columns.names[j] for j in members)
        raise InputError(
            sentence(
                _PLACE, f"the constant product of powers of {names}", "lie between 1e-304 and 1e304",
                f"10^{mean / np.log(10):.0f}", remedy="Measure these columns in other units.",
            )
        )  # fmt: skip
    return float(np.exp(mean))


def _or_infinite(value) -> float:
    """The number, or infinity where one row alone fixes a weight."""
    return float(value) if np.isfinite(value) else float("inf")


def _ordered(laws: list[tuple[Invariant, np.ndarray, TightestCombination]], taken) -> list[Invariant]:
    """Independent laws, then implied, then coarse ones; the tightest first within each."""
    norms = unit_deviations(taken)[1]
    coarse, fine = [], []
    for law, subset, found in laws:
        wider = any(
            set(subset.tolist()) < set(other.tolist()) and record.ratio < law.ratio
            for record, other, _ in laws
        )
        (coarse if wider else fine).append((law, subset, found))
    # A matroid: walking from the simplest to the most complex gives the simplest independent set.
    fine.sort(key=lambda entry: (*_complexity(entry[0]), entry[0].ratio))
    basis, blur, kinds = np.zeros((0, taken.shape[1])), 0.0, []
    for law, subset, found in fine:
        vector = np.zeros(taken.shape[1])
        vector[subset] = [float(exponent) for exponent in law.exponents] * norms[subset]
        vector /= np.abs(vector).max()
        vector /= np.linalg.norm(vector)
        blur_here = blur + (0.0 if law.snapped else found.direction_error**2)
        rest = vector - basis.T @ np.linalg.lstsq(basis.T, vector, rcond=None)[0] if len(basis) else vector
        if np.linalg.norm(rest) <= 1e-9 + 4 * np.sqrt(blur_here):
            kinds.append((replace(law, kind="implied"), 1))
            continue
        basis, blur = np.vstack([basis, vector]), blur_here
        kinds.append((law, 0))
    kinds += [(replace(law, kind="coarse"), 2) for law, _, _ in coarse]
    return [law for law, _ in sorted(kinds, key=lambda entry: (entry[1], entry[0].ratio))]


def _complexity(law: Invariant) -> tuple[int, float]:
    """Number of columns, and size of the exponents where they are whole."""
    return len(law.names), float(sum(abs(p) for p in law.exponents)) if law.snapped else float("inf")


# --- what the user gave ------------------------------------------------------------------------------


def _table(X, names) -> tuple[tuple[str, ...], np.ndarray]:
    """Labels and finite values."""
    given = getattr(X, "columns", None) if names is None else names
    given = None if given is None else list(map(str, given))
    values = as_matrix(X, place=_PLACE, min_samples=4, min_columns=2, names=given)
    return as_names(given, values.shape[1], place=_PLACE), values


def _columns(labels, dimensions, form) -> PrimaryColumns:
    """Names and units; messages name this function. An unknown unit matters only where columns are added."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            columns = PrimaryColumns.read(labels, dimensions)
    except InputError as error:
        raise type(error)(str(error).replace("SymbolicRegressor", _PLACE, 1)) from None
    for warning in caught if form == "linear" else ():
        text = str(warning.message).replace("SymbolicRegressor.fit", _PLACE, 1)
        warnings.warn(text, warning.category, stacklevel=3)
    return columns


def _of(columns: PrimaryColumns, members: list[int]) -> PrimaryColumns:
    """Those columns that take part."""
    names = tuple(columns.names[j] for j in members)
    return PrimaryColumns(
        tuple(columns.labels[j] for j in members),
        names,
        {name: columns.given_units[name] for name in names},
        {name: columns.units[name] for name in names},
    )


def _classes(columns: PrimaryColumns, kept, by_dimension: bool) -> np.ndarray:
    """Number of the class of every column; only columns of one class are put together."""
    if not by_dimension:
        return np.zeros(len(kept), dtype=np.int64)
    kinds: dict[Any, int] = {}
    return np.array(
        [kinds.setdefault(_kind(columns.units[columns.names[j]]), len(kinds)) for j in kept], dtype=np.int64
    )


def _kind(unit: str | None) -> Any:
    """Dimension of a unit; columns without a unit are of one kind, an unknown unit is its own."""
    if unit is None or not unit.strip():
        return ()
    try:
        parsed = parse_unit(unit)
    except UnitError:
        return unit
    return parsed.dimension, parsed.of


def _require_positive(values, names, varying) -> None:
    """Refuse values without a logarithm."""
    bad = (values <= 0) & varying
    if bad.any():
        row, column = (int(k) for k in np.argwhere(bad)[0])
        raise InputError(
            sentence(
                _PLACE, "X", "be positive for form='power'", float(values[row, column]),
                at=f"at row {row}, column {names[column]!r} ({int(bad[:, column].sum())} such values)",
                remedy="Take the magnitude of this column, leave it out, or search form='linear'.",
            )
        )  # fmt: skip


def _check(form, max_terms, tolerance, significance, max_denominator, n_best, n_permutations) -> None:
    """Refuse options that make no sense."""
    if form not in ("power", "linear"):
        raise InputError(sentence(_PLACE, "form", "be 'power' or 'linear'", form))
    for name, value, least in (
        ("max_terms", max_terms, 2), ("max_denominator", max_denominator, 1), ("n_best", n_best, 1),
    ):  # fmt: skip
        if not (isinstance(value, (int, np.integer)) and value >= least):
            raise InputError(sentence(_PLACE, name, f"be a whole number of at least {least}", value))
    for name, value in (("tolerance", tolerance), ("significance", significance)):
        if not 0 < value < 1:
            raise InputError(sentence(_PLACE, name, "lie between 0 and 1", value))
    if significance * (n_permutations + 1) < 1:
        raise InputError(
            sentence(
                _PLACE, "n_permutations", f"be at least {int(np.ceil(1 / significance)) - 1} for "
                f"significance={significance:g}", n_permutations,
                remedy="So many shuffled tables are needed to see so small a probability.",
            )
        )  # fmt: skip
