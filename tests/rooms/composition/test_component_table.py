"""Component tables: what they hold, what they refuse, and the relations they name."""

import numpy as np
import pandas as pd
import pytest

from sozai.composition.component_table import ComponentTable
from sozai.contracts.errors import InputError


def radii(**changes):
    given = {
        "values": [[11, 186.0], [6, 70.0], [8, 60.0]],
        "components": ["Na", "C", "O"],
        "features": ["Z", "radius"],
    }
    return ComponentTable(**{**given, **changes})


def test_a_table_is_a_read_only_copy():
    values = np.array([[11, 186.0], [6, 70.0], [8, 60.0]])
    table = radii(values=values)
    values[0, 0] = 99
    assert table.values[0, 0] == 11
    with pytest.raises(ValueError, match=r"read-only"):
        table.values[0, 0] = 1
    with pytest.raises(ValueError, match=r"read-only"):
        table.imputed[0, 0] = True
    with pytest.raises(AttributeError):
        table.name = "other"
    column = table.column("radius")
    column[0] = 0
    assert table.column("radius").tolist() == [186, 70, 60]
    assert table.units == (None, None)
    assert repr(table) == "ComponentTable table: 3 components Na ... O, 2 features, 0 imputed cells"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"values": [[11, 186.0], [6, np.nan], [8, np.inf]]},
            r"values must be finite\. Got nan 2 times, first at row 'C', column 'radius'",
        ),
        ({"components": ["Na", "C", "C"]}, "must be unique. Got 'C'"),
        ({"components": ["Na", "C"]}, r"have one entry per column \(3\). Got 2"),
        ({"features": ["Z", "Z"]}, "must be unique. Got 'Z'"),
        ({"units": ["pm"]}, r"units must have the shape \(2,\). Got \(1,\)"),
        ({"sources": ["a", "b", "c"]}, r"sources must have the shape \(2,\). Got \(3,\)"),
        ({"imputed": [[True, False]]}, r"imputed must have the shape \(3, 2\). Got \(1, 2\)"),
    ],
)
def test_what_a_table_refuses(changes, message):
    with pytest.raises(InputError, match=message):
        radii(**changes)


def test_from_frame_reads_units_and_flags():
    frame = pd.DataFrame({"radius [pm]": [186.0, None, 60.0], "Z": ["11", 6, 8]}, index=["Na", "C", "O"])
    table = ComponentTable.from_frame(frame, name="radii", imputed=frame.isna())
    assert table.features == ("radius", "Z")
    assert table.units == ("pm", None)
    assert table.values[1, 0] == 123.0  # the mean of 186 and 60
    assert table.imputed.tolist() == [[False, False], [True, False], [False, False]]
    pd.testing.assert_frame_equal(
        table.to_frame(),
        pd.DataFrame({"radius": [186.0, 123, 60], "Z": [11.0, 6, 8]}, index=["Na", "C", "O"]),
    )


def test_from_frame_names_text_and_gaps():
    frame = pd.DataFrame({"radius": [186.0, "small", 60.0]}, index=["Na", "C", "O"])
    with pytest.raises(InputError, match=r"Got 'small' at row 'C', column 'radius'"):
        ComponentTable.from_frame(frame)
    gaps = pd.DataFrame({"radius": [186.0, None, 60.0]}, index=["Na", "C", "O"])
    with pytest.raises(InputError, match=r"Got nan 1 times, first at row 'C', column 'radius'"):
        ComponentTable.from_frame(gaps)
    nothing = pd.DataFrame({"radius": [np.nan, np.nan]}, index=["Na", "C"])
    with pytest.raises(InputError, match=r"column 'radius' must hold a number"):
        ComponentTable.from_frame(nothing, imputed=nothing.isna())
    with pytest.raises(InputError, match=r"imputed must have the shape \(3, 1\). Got \(1, 3\)"):
        ComponentTable.from_frame(gaps, imputed=[[True, True, True]])


def test_from_csv(tmp_path):
    (tmp_path / "atoms.csv").write_text("type,mass [Da],charge\nNA,22.99,1\nO2,16,\n", encoding="utf-8")
    (tmp_path / "flags.csv").write_text("type,mass [Da],charge\nNA,0,0\nO2,0,1\n", encoding="utf-8")
    (tmp_path / "other.csv").write_text("type,mass [Da]\nNA,0\nO2,0\n", encoding="utf-8")
    table = ComponentTable.from_csv(tmp_path / "atoms.csv", tmp_path / "flags.csv")
    assert table.name == "atoms"
    assert table.components == ("NA", "O2")  # a name, not a missing value
    assert table.units == ("Da", None)
    assert table.values.tolist() == [[22.99, 1], [16, 1]]
    assert table.imputed.tolist() == [[False, False], [False, True]]
    with pytest.raises(
        InputError, match=r"name the rows and columns of atoms.csv, in their order. Got '2 rows and 1"
    ):
        ComponentTable.from_csv(tmp_path / "atoms.csv", tmp_path / "other.csv")


def test_subset_and_columns():
    table = radii(
        units=[None, "pm"], imputed=[[False, True], [False] * 2, [False] * 2], sources=["rule", "paper"]
    )
    part = table.subset(["O", "Na"], ["radius"])
    assert part.values.tolist() == [[60], [186]]
    assert part.imputed.tolist() == [[False], [True]]
    assert (part.units, part.sources) == (("pm",), ("paper",))
    with pytest.raises(
        InputError, match=r"components must be among the 3 components of table 'table'. Got 'Am'"
    ):
        table.subset(["Am"])
    with pytest.raises(
        InputError, match=r"features must be among the 2 features of table 'table'. Got 'mass'"
    ):
        table.column("mass")


def test_with_components():
    table = radii(units=[None, "pm"])
    more = table.with_components(pd.DataFrame({"radius": [150.0], "Z": [3]}, index=["Li"]))
    assert more.components == ("Na", "C", "O", "Li")
    assert more.values[3].tolist() == [3, 150]
    assert more.units == (None, "pm")
    with pytest.raises(InputError, match=r"name components that table 'table' does not hold. Got 'C'"):
        table.with_components(pd.DataFrame({"radius": [70.0], "Z": [6]}, index=["C"]))
    with pytest.raises(
        InputError, match=r"have all 2 features of table 'table'. Got '1 missing'. Add radius"
    ):
        table.with_components(pd.DataFrame({"Z": [3]}, index=["Li"]))


def test_relations():
    rng = np.random.default_rng(0)
    s, p, d = rng.integers(0, 9, size=(3, 12)).astype(float)
    noise = rng.normal(size=12)
    columns = {"total": s + p + d, "s": s, "p": p, "d": d, "seven": np.full(12, 7.0), "free": noise}
    table = ComponentTable.from_frame(pd.DataFrame(columns, index=list("ABCDEFGHIJKL")))
    assert [text.split(" = ")[0] for text in table.relations()] == ["total", "seven"]
    assert set(table.relations()[0].split(" = ")[1].split(" + ")) == {"s", "p", "d"}
    assert table.relations()[1] == "seven = 7"
    assert table.subset(features=["s", "p", "d", "free"]).relations() == ()
    minus = ComponentTable.from_frame(
        pd.DataFrame({"a": noise, "b": 3 - 2 * noise}, index=list("ABCDEFGHIJKL"))
    )
    assert minus.relations() == ("b = 3 - 2 a",)
    assert table.subset(["A", "B"]).relations() == ()


def test_relations_of_the_published_table(data_folder):
    relations = {
        text.split(" = ")[0]: text.split(" = ")[1]
        for text in ComponentTable.elements("published").relations()
    }
    assert set(relations) == {"num_valance", "num_unfilled", "gs_est_fcc_latcnt"}
    assert set(relations["num_valance"].split(" + ")) == {f"num_{kind}_valence" for kind in "spdf"}
    assert relations["gs_est_fcc_latcnt"] == "1.25992 gs_est_bcc_latcnt"


def test_the_bundled_table_knows_its_flags_units_and_sources():
    table = ComponentTable.elements()
    assert table.values.shape == table.imputed.shape == (103, 59)
    assert table.relations() == ()
    place = table.features.index("en_pauling")
    assert [table.components[i] for i in np.flatnonzero(table.imputed[:, place])] == ["He", "Ne", "Ar"]
    assert table.units[table.features.index("melting_point")] == "K"
    assert "pymatgen" in table.sources[place]
    with pytest.raises(InputError, match=r"which must be 'sozai' or 'published'. Got 'magpie'"):
        ComponentTable.elements("magpie")
