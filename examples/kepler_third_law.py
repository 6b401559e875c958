"""
Kepler's third law, without a target
====================================

Semi-major axis and period of eight planets. Nobody says which column is to be
explained: the question is which product of powers stays the same.

目的変数を決めずに、惑星の表から「変わらない量」を探します。
"""

# %%
# Eight planets
# -------------
# The units stand in the labels, so the constant will have one too.
from sozai.datasets import load_planets
from sozai.symbolic.invariants import find_invariants

planets = load_planets().to_frame().set_index("planet")
print(planets)

# %%
# What stays constant
# -------------------
# Every subset of columns is tried; a law must be tighter than anything in tables
# of the same columns, each shuffled by itself.
found = find_invariants(planets)
law = found[0]
print(found)
print(law)
print(f"one of {found.n_permutations} shuffled tables at most is as firmly tied: p = {law.p_value}")
assert law.formula == "a**3/T**2"
assert len(found) == 1

# %%
# The exponents as found
# ----------------------
# Only their ratio is fixed by the data. They were read as whole numbers because
# that is far more probable than any other number so near.
print(law.to_frame().round(5).to_string(index=False))
assert round(law.free_exponents[1], 4) == -2.0002

# %%
# How constant, and what is left
# ------------------------------
# Six parts in ten thousand. Jupiter is ahead of the small planets by one part in a
# thousand: Newton's form of the law holds the mass of the planet too.
deviations = dict(zip(planets.index, law.deviations, strict=True))
for name, deviation in deviations.items():
    print(f"{name:8} {1e4 * deviation:+6.1f} e-4")
assert 5.75e-4 < law.spread < 5.85e-4
assert 0.9e-3 < deviations["Jupiter"] - deviations["Earth"] < 1.3e-3

# %%
# A new body
# ----------
# Ceres, which was not in the table: a = 2.766 AU, T = 4.60 yr.
import pandas as pd

ceres = pd.DataFrame({"a [AU]": [2.766], "T [yr]": [4.60]})
value = float(law.evaluate(ceres)[0])
print(f"a³/T² of Ceres: {value:.4f}")
assert abs(value - law.constant) < 2e-3

# %%
# Every deviation as a picture
# ----------------------------
from sozai.displays.invariants import InvariantDisplay

InvariantDisplay.from_invariant(law, labels=planets.index).plot()
