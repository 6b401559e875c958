"""# A symmetric law for alloys: average plus mixing moment

The magnetic moment of an alloy does not care which of its two elements is called A. Telling the regressor
so halves the number of descriptors and makes every law it finds symmetric by construction.
"""

# %%
# ## The table
# Nine alloy systems X-Fe at eleven compositions, with the printed moments of the pure elements and of the
# impurities. The target is computed from a symmetric law that we pretend not to know: the average of the
# moments plus a mixing term that vanishes for the pure elements.
import numpy as np
import pandas as pd

from sozai import datasets
from sozai.symbolic import SymbolicRegressor, SymmetryGroup, nested_score

elements = datasets.load_binary_alloy_elements().frame.set_index("element")
rows = []
for symbol, element in elements.drop(index="Fe").iterrows():
    for fraction in np.linspace(0.0, 1.0, 11).round(1):
        rows.append(
            {
                "alloy": f"{symbol}-Fe",
                "x[0]": 1.0 - fraction,
                "x[1]": fraction,
                "M_P[0]": element["M_P"],
                "M_P[1]": elements.loc["Fe", "M_P"],
                "Z[0]": element["Z"],
                "Z[1]": elements.loc["Fe", "Z"],
            }
        )
table = pd.DataFrame(rows)
average = table["x[0]"] * table["M_P[0]"] + table["x[1]"] * table["M_P[1]"]
moment = average + 1.2 * table["x[0]"] * table["x[1]"]
primary = table.drop(columns="alloy")

# %%
# ## The law
# Columns declare their slots in brackets, and the group exchanges slot 0 and slot 1 everywhere. Products are
# formed first and symmetrized afterwards, so the average of the moments is *one* descriptor.
group = SymmetryGroup.from_slots(primary.columns)
law = SymbolicRegressor(max_order=2, symmetry=group).fit(primary, moment)
print(law.formula_)
print(f"{law.n_candidates_} candidates, rank {law.rank_}, symmetry error {law.symmetry_error_:.1e}")
assert law.symmetry_error_ < 1e-12
assert law.model_.rmse < 1e-12

# %%
# ## The same law in other words
# The fractions sum to one, so the squares and the product of the fractions can stand for each other. The
# physicist's form has the product: the mixing term of a regular solution. It holds for these rows, where
# the fractions sum to one.
forms = law.rewrite(prefer=["`x[0]`*`x[1]`"])
print(forms[0])
assert forms[0].n_terms == 2

# %%
# ## The same alloy read from the other side
swapped = primary.rename(columns=lambda name: name.translate(str.maketrans("01", "10")))
assert np.allclose(law.predict(swapped[primary.columns]), law.predict(primary), atol=1e-12)

# %%
# ## Would it hold for an alloy it has not seen?
# Everything is repeated with one alloy system left out at a time: eleven compositions of one system are not
# eleven independent materials.
score = nested_score(SymbolicRegressor(max_order=2, symmetry=group), primary, moment, groups=table["alloy"])
print(score)
