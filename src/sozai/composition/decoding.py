"""From a kernel mean descriptor to chemical formulas: few elements, whole numbers, charges that cancel."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sozai.composition.charge_balance import MIXED, assign_states, nearest_charge
from sozai.composition.decoding_request import Request, read_request
from sozai.composition.decoding_search import (
    Found,
    Row,
    bound_outside,
    force_included,
    neutral_supports,
    prices,
    read_row,
    search,
)
from sozai.composition.decoding_supports import Supports, find_supports
from sozai.composition.inverse_certificate import certify
from sozai.composition.reduced_formula import reduced_formula
from sozai.contracts.parallel import run_chunks
from sozai.contracts.records import Failure

__all__ = ["DecodedFormula", "decode"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Rows of one chunk of work.
CHUNK = 64
#: Residuals below this share of the norm of the descriptor are rounding.
ROUNDING = 1e-12
#: The same where the descriptor was kept in single precision: no ratio is made of them.
SINGLE = 1e-6
#: Formulas among which the nearest charge is looked for.
_NEAREST = 50


@dataclass(frozen=True)
class DecodedFormula:
    """One formula that explains a descriptor.

    Attributes
    ----------
    formula : str
        Reduced formula.
    fractions : dict of str to float
        Its atomic fractions.
    residual : float
        Norm of descriptor minus descriptor of the formula.
    residual_ratio : float or None
        The same over that of the convex optimum (any fractions, any number of elements); 1 when
        the residual is rounding (below 1e-6 of the norm of the descriptor), None when only that of the
        convex optimum is: nothing can be compared with it.
    n_atoms : int
        Atoms in the reduced formula.
    charge : int or None
        0 for formulas that were asked to be neutral, else None.
    oxidation_states : dict or None
        For each element a dict of state to number of atoms, when charges were asked for.
    unique : bool
        Whether the convex optimum is the only one.
    optimal : bool
        Whether it is proved that no formula with an element outside the 12 tried scores better.
    reason : str
        Why it stands here, in words.

    Examples
    --------
    >>> best = decode([[1.0, 0.0], [0.0, 1.0]], [0.41, 0.6], ["Fe", "O"], noise=0.1)[0]
    >>> best
    DecodedFormula('Fe2O3', residual 0.01, 5 atoms)
    >>> best.reason
    'best by distance, atoms and elements; residual 1.38 % of phi, free fractions leave 0.973 %'
    """

    formula: str
    fractions: dict[str, float]
    residual: float
    residual_ratio: float | None
    n_atoms: int
    charge: int | None
    oxidation_states: dict[str, dict[int, int]] | None
    unique: bool
    optimal: bool
    reason: str

    def __repr__(self) -> str:
        charge = "" if self.charge is None else f", charge {self.charge}"
        return f"DecodedFormula({self.formula!r}, residual {self.residual:.3g}, {self.n_atoms} atoms{charge})"

    def to_frame(self) -> pd.DataFrame:
        """One row with all fields."""
        return pd.DataFrame([asdict(self)])


def decode(
    matrix: ArrayLike,
    phi: ArrayLike,
    components: Sequence[str],
    *,
    max_elements: int = 5,
    elements: Sequence[str] | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    max_atoms: int = 40,
    charge_balance: bool = False,
    oxidation_states: Mapping[str, Sequence[int]] | str | None = None,
    mixed_valence: bool = False,
    electronegativity: Mapping[str, float] | None = None,
    noise: float | None = None,
    n_best: int = 10,
    n_jobs: int | None = None,
    place: str = "decode",
) -> Any:
    r"""Chemical formulas whose descriptors are nearest to ``phi``, the best first.

    Parameters
    ----------
    matrix : array-like of shape (p, m)
        H: column i is the descriptor of pure component i.
    phi : array-like of shape (p,) or (n, p)
        One descriptor, or several.
    components : sequence of str
        Names of the m columns.
    max_elements : int
        Most elements in a formula.
    elements : sequence of str, optional
        The only elements that may occur.
    include, exclude : sequence of str
        Elements that must and must not occur.
    max_atoms : int
        Most atoms in a reduced formula.
    charge_balance : bool
        Only formulas whose oxidation states can cancel. Leave it off for intermetallics.
    oxidation_states : mapping of str to sequence of int, or {"common", "known"}, optional
        Allowed states, the preferred first; the common ones of the package when left out.
    mixed_valence : bool
        Let the atoms of one element be split between two states, as in Fe3O4.
    electronegativity : mapping of str to float, optional
        Pauling's test: every cation must be less electronegative than every anion.
    noise : float, optional
        Standard deviation of the entries of ``phi``; estimated from the convex optimum when left out.
    n_best : int
        Number of formulas.
    n_jobs : int, optional
        Workers for chunks of 64 descriptors.
    place : str
        Who asks, for messages.

    Returns
    -------
    list of DecodedFormula, or a list of these
        One list for a descriptor, a list of lists for several. A descriptor without any formula has a
        :class:`~sozai.contracts.records.Failure` in place of the list; it names the nearest charge.

    Raises
    ------
    InputError
        Sizes that do not fit, unknown element names, limits that contradict each other.

    Notes
    -----
    The sum of fractions is 1, so an L1 penalty is constant: few elements need a limit on their number.

    1. *Elements.* The convex optimum ranks the elements (weight, then multiplier). All sets of at most
       ``max_elements`` of the first 12 are solved exactly; members of the three nearest sets are exchanged
       for every other element.
    2. *Whole numbers.* For each set and each total M: largest-remainder rounding of Mw and all
       transfers of one atom. A formula n with k elements scores

       .. math:: \|\phi - Hn/M\|^2 + \eta\,(\ln M + 2 k \ln m),

       :math:`\eta` the noise variance, m the number of allowed elements. The second price is the
       gain that the best of m useless elements brings by chance (risk inflation [2]_). Without noise an
       exact formula with at most ``max_atoms`` atoms comes first.
    3. *Charges.* Only formulas with :math:`\sum_i n_i q_i = 0` for some choice of states. When
       there are none near the free fractions, :math:`q^Tw = 0` becomes a second equality for each
       choice of states.

    *Proof.* With multipliers d of the convex optimum w*, any fractions have
    :math:`\|\phi - Hw\|^2 = \|\phi - Hw^*\|^2 + 2 d^Tw + \|H(w - w^*)\|^2`, and an element that
    occurs has at least 1/``max_atoms``. Where this bound is worse than the score of a formula for
    every element that was not among the 12, the formula is marked ``optimal``.

    Cost: one to four ms for a descriptor with 580 features and 94 elements, of which the largest
    part is step 2; independent of other rows.

    References
    ----------
    .. [1] M. Kusaba, Y. Hayashi, C. Liu, A. Wakiuchi, R. Yoshida, Representation of materials by kernel
       mean embedding, Phys. Rev. B 108, 134107 (2023). https://doi.org/10.1103/PhysRevB.108.134107
    .. [2] D. P. Foster and E. I. George, The risk inflation criterion for multiple regression, Ann. Stat.
       22, 1947-1975 (1994). https://doi.org/10.1214/aos/1176325766

    Examples
    --------
    >>> pure = [[1.0, 0.0, 0.2], [0.0, 1.0, 0.3], [0.1, 0.0, 1.0]]
    >>> decode(pure, [0.31, 0.57, 0.28], ["Li", "O", "Co"], noise=0.01, n_best=1)
    [DecodedFormula('LiCoO2', residual 0.0122, 4 atoms)]
    """
    job, rows, single = read_request(
        matrix, phi, components, place=place, max_elements=max_elements, elements=elements, include=include,
        exclude=exclude, max_atoms=max_atoms, charge_balance=charge_balance,
        oxidation_states=oxidation_states, mixed_valence=mixed_valence,
        electronegativity=electronegativity, noise=noise, n_best=n_best,
    )  # fmt: skip
    solution = job.system.solve(rows, n_jobs=n_jobs, place=place, argument="phi")
    _, unique, _ = certify(job.system, solution, job.names, n_jobs)
    pieces = (rows, solution.weights, solution.multipliers, unique)
    chunks = [(k, *(piece[k : k + CHUNK] for piece in pieces)) for k in range(0, len(rows), CHUNK)]
    parts = run_chunks(functools.partial(_decode_chunk, job), chunks, n_jobs=n_jobs, progress=False)
    answers = [answer for part in parts for answer in part]
    return answers[0] if single else answers


# --- one descriptor ----------------------------------------------------------------------------------


def _decode_chunk(job: Request, chunk: tuple[Any, ...]) -> list[list[DecodedFormula] | Failure]:
    """Formulas of some descriptors."""
    first, *pieces = chunk
    rows = enumerate(zip(*pieces, strict=True))
    return [_decode_row(job, read_row(job, *piece), first + k) for k, piece in rows]


def _decode_row(job: Request, row: Row, index: int) -> list[DecodedFormula] | Failure:
    """Elements, whole numbers, charges."""
    supports = find_supports(row.products, row.order, job.include, job.max_elements)
    if job.include.size:
        supports = force_included(job, row, supports)
    found, how = search(job, row, supports, job.valence, job.n_best), ""
    if job.valence and not found.counts:
        found = search(job, row, neutral_supports(job, row, supports), job.valence, job.n_best)
        how = "fractions moved to where charges cancel"
    if not found.counts:
        return _failure(job, row, supports, index)
    bound = -np.inf if how else bound_outside(job, row, supports.pool)
    against = [job.names[j] for j in job.include if not row.weights[j] > 0]
    if against:
        how = "; ".join(filter(None, [how, f"free fractions hold no {' and no '.join(against)}"]))
    return [_formula(job, row, found, k, bound, how) for k in range(len(found.counts))]


# --- answers -----------------------------------------------------------------------------------------


def _formula(job: Request, row: Row, found: Found, k: int, bound: float, how: str) -> DecodedFormula:
    """One answer with its words."""
    held, counts = found.members[k], found.counts[k]
    names, total = [job.names[j] for j in held], int(counts.sum())
    inside = counts / total @ row.shifted[held]
    square = float(inside @ inside)
    residual = float(np.sqrt(square + row.outside))
    floor, free = ROUNDING * row.norm, row.convex_residual
    score = square + row.variance * np.log(total) + prices(job, row, len(held))[-1]
    states = _assigned(job, held, counts) if job.valence else None
    fractions = {name: int(count) / total for name, count in zip(names, counts, strict=True)}
    return DecodedFormula(
        formula=reduced_formula(names, list(fractions.values()), float(total)),
        fractions=fractions,
        residual=residual,
        residual_ratio=_ratio(residual, free, SINGLE * row.norm),
        n_atoms=total,
        charge=0 if job.valence else None,
        oxidation_states=states,
        unique=row.unique,
        optimal=bool(score <= bound + floor**2),
        reason=_reason(row, residual, states, how, k),
    )


def _ratio(residual: float, free: float, rounding: float) -> float | None:
    """Residual over that of free fractions; None where these leave nothing but rounding."""
    if residual <= rounding:
        return 1.0
    return residual / free if free > rounding else None


def _assigned(job: Request, held: Ints, counts: Ints) -> dict[str, dict[int, int]]:
    """States of the atoms of each element."""
    chosen = assign_states(
        counts.tolist(), [job.states[j, : job.n_states[j]].tolist() for j in held],
        mixed_valence=job.valence == MIXED, ranks=_ranks_of(job, held),
    )  # fmt: skip
    assert chosen is not None, "the search keeps neutral formulas only"
    return {job.names[j]: dict(choice) for j, choice in zip(held, chosen, strict=True)}


def _ranks_of(job: Request, held: Ints) -> list[int] | None:
    """Order of electronegativity of the members, None without Pauling's test."""
    return None if job.ranks[held[0]] < 0 else job.ranks[held].tolist()


def _reason(row: Row, residual: float, states: dict[str, dict[int, int]] | None, how: str, k: int) -> str:
    """Why this formula, in words."""
    scale = 100 / row.norm if row.norm > 0 else 0.0
    parts = [("best" if k == 0 else f"number {k + 1}") + " by distance, atoms and elements"]
    if residual <= 100 * ROUNDING * row.norm:
        parts.append("descriptor met exactly")
    else:
        free = row.convex_residual
        left = f"leave {free * scale:.3g} %" if free > SINGLE * row.norm else "meet it"
        parts.append(f"residual {residual * scale:.3g} % of phi, free fractions {left}")
    if states is not None:
        terms = [f"{name} {q:+d}" for name, choice in states.items() for q in choice]
        parts.append("neutral with " + ", ".join(terms))
    if how:
        parts.append(how)
    return "; ".join(parts)


def _failure(job: Request, row: Row, supports: Supports, index: int) -> Failure:
    """Say that there is no formula, and which charge comes nearest."""
    limits = f"at most {job.max_elements} elements and {job.max_atoms} atoms"
    found = search(job, row, supports, 0, _NEAREST)
    charged = []
    for held, counts in zip(found.members, found.counts, strict=True):
        states = [job.states[j, : job.n_states[j]].tolist() for j in held]
        charge = nearest_charge(
            counts.tolist(), states, mixed_valence=job.valence == MIXED, ranks=_ranks_of(job, held)
        )
        if charge is not None:
            names = [job.names[j] for j in held]
            total = int(counts.sum())
            charged.append(
                (abs(charge), len(charged), charge, reduced_formula(names, (counts / total).tolist(), total))
            )
    if charged:
        _, _, charge, formula = min(charged)
        text = f"Nearest: {formula} with charge {charge:+d}. "
    elif found.counts:
        bare = sorted({job.names[j] for held in found.members for j in held if not job.n_states[j]})
        text = f"No oxidation state is known for {', '.join(bare[:5])}. "
    else:
        text = ""
    kind = "NoNeutralFormula" if job.valence else "NoFormula"
    what = "neutral formula" if job.valence else "formula"
    remedy = "more oxidation states or mixed_valence=True" if job.valence else "more elements"
    message = f"There is no {what} with {limits} near the descriptor. {text}Allow more atoms, {remedy}."
    return Failure(index, "decode", kind, message)
