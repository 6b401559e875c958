"""# Predict a yield, and say how sure

Forty reactions were run; which yields will others have? A black box answers, with intervals that hold 90 of
100 new values, never below 0 or above 100 %, and with a word on every row it should not be asked about.
Beside it, a formula: what does it cost to understand?
"""

# %%
# ## A table whose truth we know
# Temperature is in the table twice, once in kelvin and once, with reading errors, in degrees Celsius.
import numpy as np
import pandas as pd

from sozai.numerics.table_predictor import TablePredictor
from sozai.symbolic import SymbolicRegressor
from sozai.symbolic.price import price_of_interpretability

rng = np.random.default_rng(0)
reactions = pd.DataFrame(
    {
        "T [K]": rng.uniform(300, 400, 240),
        "time [h]": rng.uniform(1, 24, 240),
        "catalyst [mol%]": rng.uniform(0.5, 5, 240),
    }
)
reactions["T outside [degC]"] = reactions["T [K]"] - 273.15 + rng.normal(size=240)
activity = (
    0.04 * (reactions["T [K]"] - 350)
    + 0.15 * (reactions["time [h]"] - 10)
    + 0.4 * reactions["catalyst [mol%]"]
)
truth = (100 / (1 + np.exp(-activity)) + 3 * rng.normal(size=240)).clip(0, 100).rename("yield [%]")
X, y, new, later = reactions[:40], truth[:40], reactions[40:], truth[40:]

# %%
# ## Learn, and be tested on rows left out
# `fraction` models the logit; the unit of the target says that the whole is 100. Every figure is of rows the
# model had not seen, with all choices repeated without them.
predictor = TablePredictor(target="fraction", random_state=0).fit(X, y)
print(predictor.validation_)
assert predictor.validation_.q2 > 0.9

# %%
# ## Predict, with an interval and a domain
lower, upper = predictor.predict_interval(new, level=0.9)
inside = (lower <= later) & (later <= upper)
print(f"{inside.mean():.1%} of {len(new)} later yields lie in their 90 % interval")
assert 0.83 < inside.mean() < 0.97
assert lower.min() >= 0
assert upper.max() <= 100

hot = new.iloc[:2].assign(**{"T [K]": [350.0, 600.0]})
print(predictor.applicability(hot).to_string())
assert predictor.applicability(hot)["reason"].iloc[1].startswith("T [K] = 600 is above")

# %%
# ## What matters
# Columns that say the same are shuffled together, so that neither hides the other.
print(predictor.importances_.drop(columns="columns").to_string())
assert ("T [K]", "T outside [degC]") in set(predictor.importances_["columns"])

# %%
# ## What a formula costs
# A formula for the logit of the yield, beside two black boxes on the same rows left out.
logit = np.log((y + 1) / (101 - y)).rename("logit of the yield")
columns = ["T [K]", "time [h]", "catalyst [mol%]"]
law = SymbolicRegressor(max_order=1)
price = price_of_interpretability(law, X[columns], logit, cv=5, models=["gp", "forest"])
print(price)
assert price.ratio < 1.1
assert law.fit(X[columns], logit).model_.n_terms == 3
