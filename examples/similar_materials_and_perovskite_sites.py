"""# What is similar, and which ion sits where

Two questions before an experiment: which known materials are like mine, and if it is to be a perovskite, do
its ions fit?

似た材料を探し、ペロブスカイトのサイトと許容因子を化学式だけから求めます。
"""

# %%
# ## A small database
# Any column of formulas; other columns come along as properties. Band gaps in eV, from handbooks, rounded.
import numpy as np
import pandas as pd

from sozai.composition import SimilarMaterials, perovskite_descriptors, perovskite_sites

database = pd.DataFrame(
    {
        "formula": [
            "Si", "Ge", "GaAs", "GaP", "InP", "InAs", "AlAs", "ZnS", "ZnSe", "ZnTe", "CdS", "CdSe", "CdTe",
            "ZnO", "GaN", "AlN", "NaCl", "KCl", "MgO", "CaO", "TiO2", "SiO2", "Al2O3", "PbS", "PbTe", "Cu2O",
        ],
        "gap [eV]": [
            1.1, 0.7, 1.4, 2.3, 1.3, 0.4, 2.2, 3.6, 2.7, 2.3, 2.4, 1.7, 1.5,
            3.3, 3.4, 6.1, 8.8, 8.7, 7.8, 7.1, 3.0, 9.0, 8.8, 0.4, 0.3, 2.1,
        ],
    }
)  # fmt: skip
similar = SimilarMaterials(database)

# %%
# ## Which are like HgTe?
# The distance is exact (no grid), and its square is the sum of the shares of groups of features.
hits = similar.find("HgTe", k=3)
print(hits.to_frame().round(2).T.to_string())
assert hits.frame["formula"].iloc[0] == "CdTe"
shares = hits.frame.filter(like="share: ").to_numpy()
assert np.allclose(shares.sum(axis=1), 1.0)

# %%
# ## Only without cadmium, and with a gap above 1 eV
filtered = similar.find("HgTe", k=2, exclude=["Cd"], properties={"gap [eV]": (1.0, None)})
print(filtered)
assert not filtered.frame["formula"].str.contains("Cd").any()
assert (filtered.frame["gap [eV]"] >= 1.0).all()

# %%
# ## Which ion sits where?
# Charges follow from neutrality, radii from Shannon's table. Mixed sites, missing oxygen and methylammonium
# are read.
for formula in ["SrTiO3", "La0.7Sr0.3MnO3", "SrFeO2.5", "Sr2FeMoO6", "CH3NH3PbI3"]:
    print(perovskite_sites(formula))
manganite = perovskite_sites("La0.7Sr0.3MnO3")
assert round(manganite.B.charge, 6) == 3.3
assert perovskite_sites("SrFeO2.5").delta == 0.5

# %%
# ## Does it fit?
# Below 4.18, tau says perovskite (C. J. Bartel et al., 2019). The last four are none: ilmenites and others.
# CsPbI3, a perovskite only when hot, lies just above.
names = ["CaTiO3", "SrTiO3", "LaAlO3", "KTaO3", "CsPbI3", "MgTiO3", "FeTiO3", "MnTiO3", "LiNbO3"]
table = perovskite_descriptors(names)
table.index = names
print(table[["t", "tau", "mu"]].round(3).to_string())
assert (table["tau"] < 4.18).tolist() == [True] * 4 + [False] * 5
assert table.loc["CsPbI3", "tau"] < 4.4
