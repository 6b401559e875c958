"""# A law among a million formulas

The lattice energy of an ionic crystal by Kapustinskii (1956): n ions a formula unit, charges z, radii r.
The law has two terms, three operations deep. Nobody says so to the search.

何百万もの候補式から、格子エネルギーの式を見つけ直します。
"""

# %%
# ## Sixty crystals
# Energies in kJ/mol with an error of a thousandth of their spread; K = 1202.5 kJ Å/mol, d = 0.345 Å.
from sozai.datasets import make_planted_law
from sozai.symbolic import ScreenThenL0, SymbolicRegressor


def energy(n, z, r_cation, r_anion):
    distance = r_cation + r_anion
    return 1202.5 * n * z / distance * (1 - 0.345 / distance)


domain = {"n": (2, 5), "z": (1, 6), "r_cation": (0.6, 1.7), "r_anion": (1.3, 2.2)}
crystals = make_planted_law(energy, list(domain), n_samples=60, noise=1e-3, domain=domain, rng=0)
X = crystals.frame[list(domain)]

# %%
# ## The search
# Units are declared, so that no formula adds a charge to a radius. The last of the three rungs is screened
# without ever being stored, and the criterion charges for every formula that was tried.
law = SymbolicRegressor(
    max_rung=3,
    search=ScreenThenL0(max_terms=2, max_candidates=2e6),
    dimensions={"n": "", "z": "", "r_cation": "Å", "r_anion": "Å"},
).fit(X, crystals.target)
print(f"{law.n_candidates_:,} formulas: {law.formula_}")

# %%
# ## K and d
print(law.model_.to_frame())
assert law.n_candidates_ > 1e6
assert set(law.model_.terms) == {"n*z/(r_cation + r_anion)", "n*z/(r_cation + r_anion)**2"}
