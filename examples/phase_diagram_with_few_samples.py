"""# A phase diagram with few samples

An unknown ternary section, a furnace, and a proposer that says which alloy to make next, and why.

未知の三元系等温断面を、次に作るべき試料を提案させながら、少ない試料で描きます。共存相の組成を測るとさらに減ります。
"""

# %%
# ## An alloy system that nobody has drawn yet
# A made one, so that the answer is known: regular solutions, whose fields follow from a convex hull.
from pathlib import Path

import numpy as np

from sozai.datasets import make_ternary_section
from sozai.displays import PhaseDiagramDisplay
from sozai.proposals import Campaign, Coexistence, Objective, PhaseDiagramProposer, PhaseGoal
from sozai.study import open_phase_diagram

section = make_ternary_section(
    {
        "FCC": {(0, 1): 2.0e4, (0, 2): 1.7e4, (1, 2): 2.1e4},
        "BCC": {(0, 1): 1.2e4, (0, 2): 1.2e4, (1, 2): 1.0e4},
        "LIQUID": {(0, 1): -2e3, (1, 2): 2e3},
    },
    T=800,
    reference={"FCC": (0, 0, 0), "BCC": (2500, -1500, 2500), "LIQUID": (3500, 4200, 3000)},
    step=0.02,
)
table = section.table(0.05)
points, truth = table[["A", "B", "C"]], table["phase"]
print(len(points), "alloys,", truth.nunique(), "sets of phases")

# %%
# ## Ask, melt, look, tell
# X-ray diffraction gives the names of the phases. The corners come first.
proposer = PhaseDiagramProposer(points)
for _ in range(70):
    (sample,) = proposer.ask()
    proposer.tell(sample.index, truth[sample.index])
right = np.mean(proposer.labels_ == truth)
print(sample.reason)
print(f"{right:.0%} of the map is right after 70 of {len(points)} alloys")
assert right > 0.9

# %%
# ## Is it better than chance?
lucky = PhaseDiagramProposer(points, score="random", random_state=0)
for _ in range(70):
    (sample,) = lucky.ask()
    lucky.tell(sample.index, truth[sample.index])
print(f"at random: {np.mean(lucky.labels_ == truth):.0%}")
assert np.mean(lucky.labels_ == truth) < right

# %%
# ## Compositions of the phases: tie-lines and triangles
# A microprobe measures each phase of a sample. One sample in a three-phase field then closes all of it.
probed = PhaseDiagramProposer(points)
for _ in range(16):
    (sample,) = probed.ask()
    phases, compositions, _ = section.equilibrium(points.iloc[sample.index])
    known = Coexistence(phases, compositions) if len(phases) > 1 else None
    probed.tell(sample.index, truth[sample.index], known)
share = np.mean(probed.labels_ == truth)
print(f"{share:.0%} after 16 alloys, {len(probed.fields_)} points known without a sample")
assert share > 0.9
assert len(probed.phase_rule_violations_) == 0

# %%
# ## The drawing
PhaseDiagramDisplay.from_proposer(proposer, proposals=3).save("diagram.svg")
PhaseDiagramDisplay.from_proposer(proposer, show="uncertainty").save("uncertainty.png")
PhaseDiagramDisplay.animate(probed, "campaign.gif", every=4)
assert Path("campaign.gif").stat().st_size > 10_000

# %%
# ## The same in files
# The list stays as it was written; the phase cells are the results.
path = Path("alloys.csv")
points.assign(phase="").to_csv(path, index=False)
study = open_phase_diagram(path, "phase")
for sample in study.ask(3):
    study.tell(sample, truth[sample.index])
study.save()
print(open_phase_diagram(path))
assert path.read_text().count("FCC") + path.read_text().count("BCC") >= 1

# %%
# ## Phases defined by a number
# Creep rates span decades. Which alloys are slow, usable and fast? A number says more than its name.
rate = 0.01 * np.exp(6 * points["A"] + 4 * points["B"] * points["C"])
goal = PhaseGoal([0.05, 0.5], unit="%/h", transform="log", names=["slow", "usable", "fast"])
campaign = Campaign(points, Objective("rate [%/h]", goal))
for _ in range(15):
    (sample,) = campaign.ask()
    campaign.tell(sample, rate[sample.index])
campaign.ask()
guess = np.array(goal.names)[campaign.proposer.probabilities_.argmax(axis=1)]
found = np.mean(guess == [goal.phase_of(value) for value in rate])
print(f"{found:.0%} of the alloys are classed right after 15 creep tests")
assert found > 0.9
