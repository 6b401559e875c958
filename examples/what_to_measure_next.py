"""# What to measure next

A list of candidates, an experiment that costs, and a campaign that says where to measure next, and why.

候補の一覧から、次に測る点とその理由を得て、結果を書き戻すまでの一巡です。
"""

# %%
# ## A list, and an experiment
# 231 alloys A-B-C in steps of 5 %. The hidden truth stands for a furnace and a week of work.
from pathlib import Path

import numpy as np
import pandas as pd

from sozai.displays import AcquisitionDisplay, HistoryDisplay
from sozai.proposals import (
    Campaign,
    Objective,
    RandomProposer,
    evaluations_to,
    posterior_slices,
    simulate_campaign,
)
from sozai.study import open_campaign, save_campaign

steps = np.arange(0, 101, 5)
grid = [(a, b, 100 - a - b) for a in steps for b in steps if a + b <= 100]
alloys = pd.DataFrame(grid, columns=["A", "B", "C"])


def hardness(alloy):
    """What the furnace would say, in GPa."""
    a, b = alloy["A"] / 100, alloy["B"] / 100
    return 2 + 8 * np.exp(-((a - 0.35) ** 2 + (b - 0.45) ** 2) / 0.03) + a * b


truth = hardness(alloys).to_numpy()
print(len(alloys), "alloys; the best is", alloys.iloc[truth.argmax()].to_dict())

# %%
# ## Ask, measure, tell
# Three at a time, as in a furnace with three places. One melt was spilled.
campaign = Campaign(alloys, Objective("hardness [GPa]", "maximize"))
for round_ in range(6):
    proposals = campaign.ask(3)
    campaign.start(proposals)
    for place, proposal in enumerate(proposals):
        spilled = (round_, place) == (0, 2)
        campaign.tell(proposal, "failed" if spilled else truth[proposal.index])
print(campaign.status_)
print(campaign.best_)
assert campaign.status_.n_failed == 1
assert campaign.best_.value > np.sort(truth)[-5]

# %%
# ## Why this point?
(next_one,) = campaign.ask()
print(next_one.reason)
print(campaign.explain(next_one, n=3).round(3).to_string(index=False))
slices = posterior_slices(campaign.proposer, campaign.observations_, next_one.index)
AcquisitionDisplay.from_slices(slices).save("why.png")
HistoryDisplay.from_campaign(campaign).save("history.png")

# %%
# ## The same in files
# The list stays as it was written; results are the only cells that change.
path = Path("alloys.csv")
alloys.assign(**{"hardness [GPa]": ""}).to_csv(path, index=False)
before = path.read_text().splitlines()
filed = open_campaign(path, objectives=Objective("hardness [GPa]", "maximize"))
filed.tell(7, 5.25)
save_campaign(filed, path)
after = path.read_text().splitlines()
print([line for old, line in zip(before, after, strict=True) if old != line])
assert sum(old != line for old, line in zip(before, after, strict=True)) == 1

# %%
# ## Is it better than chance?
# Replay campaigns on a list whose results are known, beside random ones.
by_chance = simulate_campaign(alloys, truth, RandomProposer(), 3, 60, repeats=40)
measured = len(campaign.results_)
lucky = (evaluations_to(by_chance, 4) <= measured).mean()
print(f"one of the four best within {measured} melts: by chance in {lucky:.0%} of 40 campaigns")
assert lucky < 0.5
