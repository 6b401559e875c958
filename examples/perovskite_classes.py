"""# Which compounds are perovskites? A rule instead of a black box

A tolerance factor is a formula with a cut. Here 200 compounds are classed by a published one, with the
uncertainty of real labels, and the search is asked to find it again.

式の値で結晶構造を分ける「許容因子」を、表から見つけ直します。
"""

# %%
# ## Compounds ABX3
# The probability of a perovskite falls with tau, by one half at 4.18 (C. J. Bartel et al., 2019).
import numpy as np
import pandas as pd

from sozai.symbolic import SymbolicClassifier, nested_accuracy

rng = np.random.default_rng(0)
n_A, r_B = rng.integers(1, 4, 200), rng.uniform(0.4, 1.1, 200)
r_A, r_X = r_B + rng.uniform(0.2, 0.9, 200), rng.choice([1.33, 1.40, 1.81, 1.96, 2.20], 200)
log_ratio = (r_A / r_B) / np.log(r_A / r_B)
tau = r_X / r_B - n_A * (n_A - log_ratio)
perovskite = rng.uniform(size=200) < 1 / (1 + np.exp(4 * (tau - 4.18)))
X = pd.DataFrame({"octahedral": r_X / r_B, "n_A": n_A, "L": log_ratio})

# %%
# ## The rule
# Every difference and product nested three deep: 4,024 formulas, and the best cut of each.
law = SymbolicClassifier(None, ["difference", "product"], max_rung=3, max_terms=1, calibration="boundary")
law.fit(X, np.where(perovskite, "perovskite", "other"))
print(law.rule_)
assert law.formula_ == "octahedral - n_A*(n_A - L)"

# %%
# ## What it is worth
# The whole search is repeated without the compounds to be classed; the old factor has no formula to find.
score = nested_accuracy(law, X, np.where(perovskite, "perovskite", "other"), cv=5)
goldschmidt = (r_A + r_X) / (r_B + r_X) / np.sqrt(2)
print(score, score.interval(), np.mean(((goldschmidt > 0.825) & (goldschmidt < 1.059)) == perovskite))
assert score.accuracy > 0.85
