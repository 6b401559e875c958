"""# Columns that say the same thing, and a choice among them

A table of descriptors often repeats itself: a sum beside the two values it was made of, a difference beside
them again, a column that never changes. This page finds every relation, tells identities from coincidences,
and lets you choose which columns stay.
"""

# %%
# ## A table with hidden relations
# The printed element table of the alloy study, with the columns someone might add to it by hand.
import pandas as pd

from sozai import datasets
from sozai.contracts.errors import NotIndependentError
from sozai.symbolic import find_relations, generate

elements = datasets.load_binary_alloy_elements().frame.dropna()
table = pd.DataFrame(
    {
        "one": 1.0,
        "Z": elements["Z"],
        "M_P": elements["M_P"],
        "M_sum": elements["M_P"] + elements["M_I_in_Fe"],
        "M_difference": elements["M_P"] - elements["M_I_in_Fe"],
        "M_I": elements["M_I_in_Fe"],
        "Z_Fe": 8.0,
    }
)

# %%
# ## Every relation
# Seven columns, rank four: exactly three independent relations.
relations = find_relations(table)
print(relations.to_frame().to_string())
assert relations.rank == 4
assert relations.n_relations == 3

# %%
# ## Which columns may stand for which
# Each list names columns of one span, those that are not in the present basis first, then the basis in
# brackets.
for subspace in relations.subspaces:
    print(subspace)
moments = next(subspace for subspace in relations.subspaces if "M_P" in subspace.members)
assert moments.dimension == 2
print(moments.alternatives("M_P").to_string())

# %%
# ## Choose
# I would rather see the sum and the difference. The choice is the best one possible for this preference,
# and it keeps every bit of information.
chosen = relations.choose(["M_sum", "M_difference"])
print(chosen)
assert chosen[:2] == ("M_sum", "M_difference")

# %%
# A choice that would lose information is refused, with the relation that forbids it and a choice that works.
try:
    relations.space.choose(["M_P", "M_I", "M_sum"], strict=True)
except NotIndependentError as error:
    print(error)
else:
    raise AssertionError("three columns of a plane cannot be independent")

# %%
# ## Always, or only in this sample?
# When the columns are built by our own operations, their expressions are known, and every relation is
# marked: an identity holds for every future sample, a coincidence is a property of these rows. Here the sum
# and the difference give identities, and adding the number of iron's electrons, a constant of this table, a
# coincidence.
primary = table[["M_P", "M_I", "Z_Fe"]]
made = generate(primary, list(primary), pair_operations=("sum", "difference"))
marked = find_relations(primary, generated=made)
print(marked.to_frame().to_string())
holds = dict(zip(marked.to_frame()["dependent"], marked.to_frame()["holds"], strict=True))
assert holds["M_P + M_I"] == "always"
assert holds["M_I + Z_Fe"] == "in this sample"
