"""# Experiment and simulation in one model

300 calculations of a magnet with a systematic error, 30 measurements in a corner of the space: where does
cobalt help, and how sure is that?

系統誤差のある計算300点と限られた範囲の測定30点を合わせて、磁石の磁化を全域で誤差つきで予測します。
"""

# %%
# ## Two columns, many empty cells
# (Nd,Pr,La,Ce)2(Fe,Co,Ni)14B: five fractions and the temperature. Every row was calculated or measured; an
# empty cell is no zero, and no row is thrown away for it.
import warnings

import numpy as np
import pandas as pd

from sozai.assimilation import GaussianAssimilator
from sozai.datasets import make_magnet_pair
from sozai.displays import AssimilationDisplay, CouplingDisplay, PatternDisplay

made = make_magnet_pair(rng=1)
print(made)
print(made.to_frame().iloc[[0, 1, -2, -1]].round(3).to_string(index=False))

# %%
# ## Learn both together
# The measured magnetization is the calculated one times C, plus a correction with few terms. Which terms,
# and how large C is, the data say. Warned of is that 30 measurements cannot decide over all 84 terms, and
# later that measurements alone are asked far beyond where they were made: both are what is shown here.
warnings.simplefilter("ignore", UserWarning)
model = GaussianAssimilator("polynomial:3", domain=made.domain.to_numpy())
model.fit(made.features, made.sources)
C, error = model.coupling_[1, 0], model.coupling_std_[1, 0]
print(f"C = {C:.2f} ± {error:.2f}; the correction keeps {', '.join(model.kept_terms_[1])}")
print(model.pattern_table_[["n_terms", "log_evidence", "weight"]].round(3).head(3).to_string(index=False))
CouplingDisplay.from_estimator(model).save("coupling.png")
PatternDisplay.from_estimator(model).save("patterns.png")

# %%
# ## How far does it reach?
# 400 points over the whole space, nearly all of them outside the measured corner, beside what measurements
# alone would give.
test = make_magnet_pair(400, 1, rng=99)
points = test.features.iloc[:400]
truth = test.exact(points)[:, 1]
measured = made.frame["experiment"].notna()
alone = GaussianAssimilator("polynomial:3", domain=made.domain.to_numpy())
alone.fit(made.features[measured], made.sources.loc[measured, ["experiment"]])


def rmse(values):
    return float(np.sqrt(np.mean((values - truth) ** 2)))


mean, std = model.predict(points, return_std=True)
inside = np.mean(np.abs(mean - truth) <= 1.645 * std)
joined, separate, calculated = rmse(mean), rmse(alone.predict(points)), rmse(test.exact(points)[:, 0])
print(f"RMSE: joined {joined:.3f} T, measurements alone {separate:.3f} T, calculations {calculated:.3f} T")
print(f"{inside:.0%} of the truth lies inside the 90 % bands")
assert joined <= separate / 3

# %%
# ## From which temperature on does cobalt help?
# The slope of M with cobalt changes its sign at a temperature that was planted.
T = np.linspace(200, 450, 501)
alloy = pd.DataFrame(0.0, index=range(len(T)), columns=list(made.feature_names)).assign(T=T)
co = made.facts["crossover_Co"]
slope = model.predict(alloy.assign(Co=co + 0.02)) - model.predict(alloy.assign(Co=co - 0.02))
found = T[np.argmax(slope >= 0)]
print(f"dM/dCo changes its sign at {found:.0f} K (planted: {made.facts['crossover']:.0f} K)")
assert abs(found - made.facts["crossover"]) <= 10

display = AssimilationDisplay.from_estimator(
    model, made.features, made.sources, along="T", at={"Pr": 0, "La": 0, "Ce": 0, "Co": 0.3, "Ni": 0},
    name="M", unit="T", descriptor="T [K]",
)  # fmt: skip
display.save("magnetization.png")

# %%
# ## Another laboratory joins
# What is kept are sums of squares, no rows: two laboratories add theirs up, and nobody sees the data.
here = GaussianAssimilator("polynomial:3", domain=made.domain.to_numpy())
there = GaussianAssimilator("polynomial:3", domain=made.domain.to_numpy())
here.partial_fit(made.features[::2], made.sources[::2])
there.partial_fit(made.features[1::2], made.sources[1::2])
both = here.merge(there)
difference = np.abs(both.predict(points) - mean).max()
print(f"largest difference from learning all rows at once: {difference:.1e} T")
assert difference < 1e-6
