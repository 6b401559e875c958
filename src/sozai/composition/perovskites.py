"""Sites of a perovskite from its formula: ions, radii, charges and tolerance factors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from sozai.composition.cation_charges import ANIONS, ORGANIC, balance_charges, electronegativity
from sozai.composition.formula import parse_formula
from sozai.composition.ionic_radii import ionic_radius
from sozai.contracts.errors import InputError, sentence

__all__ = [
    "PerovskiteSite", "PerovskiteSites", "octahedral_factor", "perovskite_descriptors", "perovskite_sites",
    "tau_factor", "tolerance_factor",
]  # fmt: skip

#: Effective radii of organic cations in Å (Kieslich, Sun, Cheetham 2014).
_ORGANIC_RADII = {"MA": 2.17, "FA": 2.53, "NH4": 1.46}
#: Carbon, nitrogen and hydrogen of CH3NH3, CH(NH2)2 and NH4, one column each.
_ORGANIC_ATOMS = np.array([[1.0, 1.0, 0.0], [1.0, 2.0, 1.0], [6.0, 5.0, 4.0]])
#: Anions make up at least this share of the atoms, and exceed 3 per formula unit by at most this number.
_ANION_SHARE, _EXCESS = 0.5, 0.25
_EQUAL = 1e-3

#: Columns of the table of descriptors.
_COLUMNS = (
    *("r_A [Å]", "r_B [Å]", "r_X [Å]", "n_A", "n_B", "n_X", "chi_A", "chi_B", "chi_X"),
    *("variance_A [Å^2]", "variance_B [Å^2]", "delta", "t", "tau", "mu"),
)


def tolerance_factor(r_A: Any, r_B: Any, r_X: Any) -> Any:
    r"""Tolerance factor of Goldschmidt, :math:`t = (r_A + r_X)/(\sqrt2\,(r_B + r_X))`.

    Parameters
    ----------
    r_A, r_B, r_X : float or array-like
        Radii in one unit.

    Examples
    --------
    >>> round(float(tolerance_factor(1.44, 0.605, 1.40)), 3)
    1.002
    """
    r_A, r_B, r_X = (_number(value) for value in (r_A, r_B, r_X))
    return (r_A + r_X) / (np.sqrt(2.0) * (r_B + r_X))


def tau_factor(r_A: Any, r_B: Any, r_X: Any, n_A: Any) -> Any:
    r"""Tolerance factor of Bartel et al.; a perovskite is likely below 4.18.

    .. math:: \tau = \frac{r_X}{r_B} - n_A\Big(n_A - \frac{r_A/r_B}{\ln(r_A/r_B)}\Big)

    Parameters
    ----------
    r_A, r_B, r_X : float or array-like
        Radii in one unit, :math:`r_A > r_B`.
    n_A : float or array-like
        Charge of A.

    Examples
    --------
    >>> round(float(tau_factor(1.44, 0.605, 1.40, 2)), 2)
    3.8
    """
    r_A, r_B, r_X, n_A = (_number(value) for value in (r_A, r_B, r_X, n_A))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = r_A / r_B
        return r_X / r_B - n_A * (n_A - ratio / np.log(ratio))


def octahedral_factor(r_B: Any, r_X: Any) -> Any:
    r"""Octahedral factor :math:`\mu = r_B/r_X`; octahedra stand from 0.414 on.

    Examples
    --------
    >>> round(float(octahedral_factor(0.605, 1.40)), 3)
    0.432
    """
    return _number(r_B) / _number(r_X)


def _number(value: Any) -> Any:
    """Floats as arrays, scalars as NumPy scalars."""
    return np.asarray(value, dtype=np.float64)[()]


@dataclass(frozen=True)
class PerovskiteSite:
    """One of the sites A, B, X.

    Attributes
    ----------
    ions : mapping of str to (float, float, float)
        For every ion the amount per formula unit, its charge, and its radius in Å.
    vacancy : float
        What is missing of a full site; for X the oxygen non-stoichiometry, negative for an excess.

    Examples
    --------
    >>> perovskite_sites("La0.7Sr0.3MnO3").A
    PerovskiteSite(La0.7 Sr0.3, radius 1.384 Å, charge 2.7)
    """

    ions: Mapping[str, tuple[float, float, float]]
    vacancy: float

    def _mean(self, values: list[float]) -> float:
        """Mean over the ions, weighted by amount."""
        return float(np.average(values, weights=[ion[0] for ion in self.ions.values()]))

    @property
    def charge(self) -> float:
        """Mean charge of the ions."""
        return self._mean([ion[1] for ion in self.ions.values()])

    @property
    def radius(self) -> float:
        """Mean radius of the ions in Å."""
        return self._mean([ion[2] for ion in self.ions.values()])

    @property
    def variance(self) -> float:
        """Variance of the radii in Å^2: the mismatch of sizes on the site."""
        return self._mean([(ion[2] - self.radius) ** 2 for ion in self.ions.values()])

    @property
    def electronegativity(self) -> float:
        """Mean Pauling electronegativity; NaN with an organic cation."""
        return self._mean([electronegativity(name) for name in self.ions])

    def __repr__(self) -> str:
        inside = " ".join(f"{name}{amount:.4g}" for name, (amount, _, _) in self.ions.items())
        gap = f", vacancy {self.vacancy:.4g}" if abs(self.vacancy) > 1e-9 else ""
        return f"PerovskiteSite({inside}{gap}, radius {self.radius:.3f} Å, charge {self.charge:.4g})"


@dataclass(frozen=True)
class PerovskiteSites:
    """A perovskite formula with its ions on their sites.

    Attributes
    ----------
    formula : str
    A, B, X : PerovskiteSite
    notes : tuple of str
        Radii taken at another number of neighbors, cations on two sites.

    Examples
    --------
    >>> sites = perovskite_sites("BaZr0.2Ti0.8O3")
    >>> sites
    PerovskiteSites(BaZr0.2Ti0.8O3: A = Ba, B = Zr0.2 Ti0.8, X = O3; t = 1.050, tau = 3.68)
    >>> round(sites.octahedral_factor, 3)
    0.449
    """

    formula: str
    A: PerovskiteSite
    B: PerovskiteSite
    X: PerovskiteSite
    notes: tuple[str, ...] = ()

    @property
    def tolerance_factor(self) -> float:
        """Goldschmidt's t of the mean radii."""
        return float(tolerance_factor(self.A.radius, self.B.radius, self.X.radius))

    @property
    def tau(self) -> float:
        """Tolerance factor of Bartel et al. of the mean radii and the mean charge of A."""
        return float(tau_factor(self.A.radius, self.B.radius, self.X.radius, self.A.charge))

    @property
    def octahedral_factor(self) -> float:
        """Mean radius of B over that of X."""
        return self.B.radius / self.X.radius

    @property
    def delta(self) -> float:
        """Anions missing per formula unit ABX3."""
        return self.X.vacancy

    def to_frame(self) -> pd.DataFrame:
        """One row with the columns of :func:`perovskite_descriptors`."""
        return pd.DataFrame([self._row()], columns=list(_COLUMNS), index=[self.formula])

    def _row(self) -> tuple[float, ...]:
        sites = (self.A, self.B, self.X)
        return (
            *(site.radius for site in sites),
            *(site.charge for site in sites),
            *(site.electronegativity for site in sites),
            *(self.A.variance, self.B.variance, self.delta),
            *(self.tolerance_factor, self.tau, self.octahedral_factor),
        )

    def __repr__(self) -> str:
        names = (" ".join(_short(n, ion[0]) for n, ion in s.ions.items()) for s in (self.A, self.B, self.X))
        listed = ", ".join(f"{site} = {inside}" for site, inside in zip("ABX", names, strict=True))
        factors = f"t = {self.tolerance_factor:.3f}, tau = {self.tau:.2f}"
        return f"PerovskiteSites({self.formula}: {listed}; {factors})"


def perovskite_sites(
    formula: str, *, values: Mapping[str, float] | None = None, spin: str = "high"
) -> PerovskiteSites:
    r"""Put the ions of a formula on the sites A, B and X.

    Parameters
    ----------
    formula : str
        ``"SrTiO3"``, mixed sites (``"La0.7Sr0.3MnO3"``), double perovskites (``"Sr2FeMoO6"``), missing
        oxygen (``"SrFeO2.5"``), mixed anions, methylammonium (``"CH3NH3PbI3"``).
    values : mapping of str to float, optional
        Numbers for letters: ``{"δ": 0.1}``.
    spin : {"high", "low"}, default="high"
        Of transition metals whose table has both.

    Returns
    -------
    PerovskiteSites

    Raises
    ------
    InputError
        When the formula cannot be :math:`ABX_{3-\delta}`, or no charges are neutral.

    See Also
    --------
    perovskite_descriptors : The same for a column of formulas.

    Notes
    -----
    1. X is the most electronegative anion-forming element, and the next ones until half the atoms are anions.
    2. A formula unit has two cations; with more than three anions to them, and a multiple of three written,
       sites of cations are empty, and else the anions are in excess.
    3. Charges follow from neutrality, see :func:`~sozai.composition.cation_charges.balance_charges`.
    4. A holds the larger cations: the radius with 6 neighbors decides, then that with 12, then the lower
       charge. A partition in which both sites are whole goes before one that splits an element.
    5. Radii with 12 neighbors on A, 6 on B and X, or the nearest number that Shannon lists; a mixed valence
       takes the weighted mean.

    This is the procedure of Bartel et al. [1]_ for :math:`ABX_3`, carried on to mixed sites by us. About
    0.2 ms a formula.

    References
    ----------
    .. [1] C. J. Bartel et al., Sci. Adv. 5, eaav0693 (2019).
    .. [2] R. D. Shannon, Acta Cryst. A 32, 751 (1976).
    .. [3] G. Kieslich, S. Sun, A. K. Cheetham, Chem. Sci. 5, 4712 (2014).

    Examples
    --------
    >>> perovskite_sites("CaTiO3")
    PerovskiteSites(CaTiO3: A = Ca, B = Ti, X = O3; t = 0.966, tau = 3.88)
    >>> perovskite_sites("SrFeO2.5").delta, perovskite_sites("SrFeO2.5").B.charge
    (0.5, 3.0)
    """
    place = "perovskite_sites"
    amounts = _with_organic(dict(parse_formula(formula, values=values).amounts))
    cations, anions = _split_ions(amounts, formula, place)
    cations, anions, gap = _per_formula_unit(cations, anions, formula, place)
    needed = -sum(amount * ANIONS[name] for name, amount in anions.items())
    charges = balance_charges(cations, needed, oxide=set(anions) == {"O"}, place=place, text=formula)
    notes: list[str] = []
    on_A, on_B = _assign(cations, charges, gap, spin)
    both = sorted(set(on_A) & set(on_B))
    notes += [f"{name} is on both sites" for name in both]
    A = _site(on_A, charges, 12, 1.0 - sum(on_A.values()), spin, notes)
    B = _site(on_B, charges, 6, 1.0 - sum(on_B.values()), spin, notes)
    X = _site(anions, {name: ANIONS[name] for name in anions}, 6, 3.0 - sum(anions.values()), spin, notes)
    return PerovskiteSites(formula, A, B, X, tuple(notes))


def perovskite_descriptors(
    formulas: Any, *, values: Mapping[str, float] | None = None, spin: str = "high", on_error: str = "raise"
) -> pd.DataFrame:
    """Radii, charges, electronegativities and tolerance factors of many perovskite formulas.

    Parameters
    ----------
    formulas : sequence of str or Series
        An equal formula is worked out once.
    values, spin : as for :func:`perovskite_sites`
    on_error : {"raise", "nan"}, default="raise"
        ``"nan"`` leaves rows empty that are no perovskites, and says why in ``DataFrame.attrs["refused"]``.

    Returns
    -------
    DataFrame
        One row a formula; labels carry units, ready for a search of formulas.

    Raises
    ------
    InputError
        As :func:`perovskite_sites`, with the row.

    Examples
    --------
    >>> table = perovskite_descriptors(["CaTiO3", "CsPbI3"])
    >>> table[["t", "tau", "mu"]].round(3).to_numpy().tolist()
    [[0.966, 3.885, 0.432], [0.851, 4.303, 0.541]]
    """
    place = "perovskite_descriptors"
    if on_error not in ("raise", "nan"):
        raise InputError(sentence(place, "on_error", "be 'raise' or 'nan'", on_error, remedy="Take 'nan'."))
    index = formulas.index if isinstance(formulas, pd.Series) else None
    codes, texts = pd.factorize(np.asarray(formulas, dtype=object), use_na_sentinel=False)
    rows, refused = np.full((len(texts), len(_COLUMNS)), np.nan), {}
    for k, text in enumerate(texts):
        try:
            rows[k] = perovskite_sites(text, values=values, spin=spin)._row()
        except InputError as error:
            if on_error == "raise":
                row = int(np.argmax(codes == k))
                raise InputError(f"{place}: row {row}: {error}") from error
            refused[text] = str(error)
    frame = pd.DataFrame(rows[codes], columns=list(_COLUMNS), index=index)
    frame.attrs["refused"] = refused
    return frame


# --- inside ------------------------------------------------------------------------------------------


def _with_organic(amounts: dict[str, float]) -> dict[str, float]:
    """Replace C, N and H by methylammonium, formamidinium and ammonium where they are made of these."""
    if "H" not in amounts or "N" not in amounts:
        return amounts
    atoms = np.array([amounts.get(name, 0.0) for name in "CNH"])
    found = np.linalg.solve(_ORGANIC_ATOMS, atoms)
    if found.min() < -1e-6:
        return amounts
    rest = {name: amount for name, amount in amounts.items() if name not in "CNH"}
    organic = {name: float(n) for name, n in zip(ORGANIC, found, strict=True) if n > 1e-6}
    return {**organic, **rest}


def _split_ions(
    amounts: dict[str, float], text: str, place: str
) -> tuple[dict[str, float], dict[str, float]]:
    """Cations and anions."""
    total = sum(amounts.values())
    candidates = sorted(
        (name for name in amounts if name in ANIONS), key=lambda name: -electronegativity(name)
    )
    anions: dict[str, float] = {}
    for name in candidates:
        if anions and sum(anions.values()) >= (_ANION_SHARE - 1e-9) * total:
            break
        anions[name] = amounts[name]
    cations = {name: amount for name, amount in amounts.items() if name not in anions}
    if not anions or len(cations) < 2:
        found = f"{len(cations)} cations and {len(anions)} anions"
        raise InputError(
            sentence(
                place, "formula", "hold two cations or more and an anion (N, O, S, Se, Te, F, Cl, Br, I)",
                text, at=f"with {found}", remedy="Pass a formula such as 'SrTiO3'.",
            )
        )  # fmt: skip
    return cations, anions


def _per_formula_unit(
    cations: dict[str, float], anions: dict[str, float], text: str, place: str
) -> tuple[dict[str, float], dict[str, float], float]:
    """Amounts per ABX3, and how much of the cations' sites is empty."""
    n_cations, n_anions = sum(cations.values()), sum(anions.values())
    units = 0.5 * n_cations
    whole = round(n_anions / 3.0)
    if n_anions > 3.0 * units * (1 + 1e-6) and whole >= 1 and abs(n_anions - 3.0 * whole) < 1e-6:
        units = float(whole)
    gap, delta = 2.0 - n_cations / units, 3.0 - n_anions / units
    if not (-_EXCESS <= delta <= 1.0 + 1e-9 and gap < 1.0):
        raise InputError(
            f"{place}: formula must be ABX3 with 2 to {3 + _EXCESS:g} anions for two cations. "
            f"Got {text!r} with {2.0 * n_anions / n_cations:.4g}. Check the formula."
        )
    scaled = [{name: amount / units for name, amount in part.items()} for part in (cations, anions)]
    return scaled[0], scaled[1], gap


def _assign(
    cations: dict[str, float], charges: dict[str, float], gap: float, spin: str
) -> tuple[dict[str, float], dict[str, float]]:
    """Amounts on A and on B; the larger cations go to A."""

    def size(name: str) -> tuple[float, float, float]:
        return (*(_radius(name, charges[name], n, spin)[0] for n in (6, 12)), -charges[name])

    order = sorted(cations, key=size, reverse=True)
    whole = _whole_partition(order, cations, gap)
    if whole is not None:
        on_A = {name: amount for name, amount in cations.items() if name in whole}
        return on_A, {name: amount for name, amount in cations.items() if name not in whole}
    on_A, on_B, room = {}, {}, 1.0 - gap
    for name in order:
        here = min(room, cations[name])
        room -= here
        if here > _EQUAL:
            on_A[name] = here
        if cations[name] - here > _EQUAL:
            on_B[name] = cations[name] - here
    return on_A, on_B


def _whole_partition(order: list[str], cations: dict[str, float], gap: float) -> tuple[str, ...] | None:
    """Cations on A when a set of them fills one site; of several such sets the one with the largest."""
    targets = {1.0, 1.0 - gap}
    best, best_key = None, None
    for size in range(1, len(order)):
        for chosen in combinations(range(len(order)), size):
            amount = sum(cations[order[k]] for k in chosen)
            if min(abs(amount - target) for target in targets) > _EQUAL:
                continue
            key = sum(cations[order[k]] * (len(order) - k) for k in chosen) / amount
            if best_key is None or key > best_key + 1e-9:
                best, best_key = tuple(order[k] for k in chosen), key
    return best


def _radius(name: str, charge: float, coordination: int, spin: str) -> tuple[float, int, bool]:
    """Radius, number of neighbors of the entry, and whether it is the wanted one."""
    if name in _ORGANIC_RADII:
        return _ORGANIC_RADII[name], coordination, True
    return ionic_radius(name, charge, coordination, spin=spin)


def _site(
    amounts: dict[str, float],
    charges: Mapping[str, float],
    coordination: int,
    vacancy: float,
    spin: str,
    notes: list[str],
) -> PerovskiteSite:
    """One site with its radii; entries of another number of neighbors are noted."""
    ions = {}
    for name, amount in amounts.items():
        radius, found, exact = _radius(name, charges[name], coordination, spin)
        ions[name] = (amount, float(charges[name]), radius)
        if not exact:
            neighbors = f"{found} neighbors" if found else "any number of neighbors"
            notes.append(f"radius of {name} is that with {neighbors}, not {coordination}")
    return PerovskiteSite(ions, 0.0 if abs(vacancy) < 1e-9 else vacancy)


def _short(name: str, amount: float) -> str:
    """Name and amount, 1 left out."""
    return name if abs(amount - 1.0) < 1e-9 else f"{name}{amount:.4g}"
