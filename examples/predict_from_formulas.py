"""# Predict a property from the formula alone

Lattice constants of 34 crystals with the structure of rock salt, typed in from textbooks. Is the formula
enough to foretell those of others, how sure, and for which formulas should nobody ask?

化学式だけから格子定数を予測し、区間と適用範囲を添えます。
"""

# %%
# ## The table
# In Å, at room temperature; R. W. G. Wyckoff, *Crystal Structures* 1 (1963), as textbooks print them.
import numpy as np
import pandas as pd

from sozai.composition import CompositionRegressor, design_formulas

text = """
LiF 4.02  LiCl 5.13 LiBr 5.50 LiI 6.00  NaF 4.62  NaCl 5.64 NaBr 5.97 NaI 6.47  KF 5.35   KCl 6.29
KBr 6.60  KI 7.07   RbF 5.64  RbCl 6.58 RbBr 6.85 RbI 7.34  CsF 6.01  AgF 4.92  AgCl 5.55 AgBr 5.77
MgO 4.21  MgS 5.20  MgSe 5.45 CaO 4.81  CaS 5.69  CaSe 5.91 CaTe 6.34 SrO 5.16  SrS 6.02  SrSe 6.23
BaO 5.52  BaS 6.39  BaSe 6.60 BaTe 6.99
"""
printed = text.split()
crystals = pd.DataFrame({"formula": printed[::2], "a [Å]": np.array(printed[1::2], dtype=float)})
later = crystals["formula"].isin(["NaBr", "RbBr", "KI", "CaS", "SrSe", "BaO"])
known, new = crystals[~later], crystals[later]

# %%
# ## Learn, and be tested on formulas left out
# A Gaussian process of the distance between compositions. Every figure is of formulas it had not seen.
regressor = CompositionRegressor(cv=7, random_state=0).fit(known["formula"], known["a [Å]"])
print(regressor.validation_)
assert regressor.validation_.q2 > 0.9

# %%
# ## Predict, with an interval
prediction = regressor.predict(new["formula"])
lower, upper = regressor.predict_interval(new["formula"], level=0.9)
print(new.assign(predicted=prediction, lower=lower, upper=upper).round(2).to_string(index=False))
inside = (lower <= new["a [Å]"]) & (new["a [Å]"] <= upper)
assert inside.sum() >= 5
assert np.abs(prediction - new["a [Å]"]).max() < 0.3

# %%
# ## Where not to ask
# Lead and nitrogen occur in no training formula; the model answers all the same, and says that it should not.
domain = regressor.applicability(["KBr", "PbTe", "ScN"])
print(domain.to_string())
assert domain["in_domain"].tolist() == [True, False, False]
assert "Pb" in domain["reason"][1]

# %%
# ## Which formula has a lattice constant of 6.5 Å?
# Neutral formulas of two elements that are not in the training table, the likeliest first. SrTe is found by
# its neighbors; 6.66 Å have been measured.
goal = {"a": (6.4, 6.7)}
found = design_formulas(
    {"a": regressor}, goal, max_elements=2, max_atoms=2, charge_balance=True, n_formulas=4
)
print(found.frame[["formula", "a", "a_lower", "a_upper", "probability", "hint"]].round(2).to_string())
best = found.frame.set_index("formula")
assert best.loc["SrTe", "a_lower"] < 6.66 < best.loc["SrTe", "a_upper"]
assert not set(best.index) & set(known["formula"])
