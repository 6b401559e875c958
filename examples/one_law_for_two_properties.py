"""# One law for two properties

Electrical and thermal conductivity of metals, measured on different samples. Both follow n tau/m (Drude and
Sommerfeld), each with a factor of its own; small tables that share their terms help each other.

二つの物性に共通の項を、小さな二つの表から一緒に見つけます。
"""

# %%
# ## Two small tables in one
# Density n in 1e28/m3, relaxation time in fs, mass in electron masses; 3 % noise at 300 K.
import numpy as np
import pandas as pd

from sozai.symbolic import MultiTaskSymbolicRegressor

rng = np.random.default_rng(0)
columns = {"n": (2, 20), "tau": (5, 40), "mass": (0.8, 2.0), "melting": (300, 3000)}
metals = pd.DataFrame({name: rng.uniform(*ends, 28) for name, ends in columns.items()})
task = np.repeat(["electrical", "thermal"], 14)
drude = metals["n"] * 1e28 * metals["tau"] * 1e-15 / (metals["mass"] * 9.109e-31)
factor = np.where(task == "electrical", 1.602e-19**2, np.pi**2 * 1.381e-23**2 * 300 / 3)
y = factor * drude * (1 + 0.03 * rng.normal(size=28))

# %%
# ## The shared term
# The targets differ by five powers of ten, so each counts by its own variance.
law = MultiTaskSymbolicRegressor(weights="variance", n_terms=1).fit(metals, y, task)
print(law.formulas_)
print(law.scores_[["n_rows", "q2"]])
assert law.terms_ == ("n*tau/mass",)

# %%
# ## The ratio of the factors
# Wiedemann and Franz: (pi k/e)^2/3 = 2.44e-8 W Ohm/K2, whatever the metal.
slopes = law.coefficients_["n*tau/mass"]
lorenz = slopes["thermal"] / slopes["electrical"] / 300
print(f"Lorenz number {lorenz:.3g} W Ohm/K2")
assert abs(lorenz / 2.44e-8 - 1) < 0.05
