import codecs

import numpy as np
import pytest

from sozai.contracts.errors import InputError, UnitError
from sozai.proposals.campaign_events import CampaignWarning
from sozai.proposals.candidates_table import read_candidates, read_proposals
from sozai.proposals.table_bytes import plain_numbers, read_cells

PLAIN = "x,T [K],Tc [K]\r\n0.10,300,\r\n0.20,300,41.5\r\n1e-3,350,\r\n"


def read(text, encoding="utf-8", **options):
    return read_candidates(text.encode(encoding), **options)


class TestBytes:
    @pytest.mark.parametrize(
        "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-mark", "utf-16-be-mark", "cp932"]
    )
    @pytest.mark.parametrize("newline", ["\r\n", "\n"])
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_unchanged_cells_keep_their_bytes(self, encoding, newline, delimiter):
        text = "組成 x,温度 [K],磁化 [emu/g]\n0.10,\uff13\uff10\uff10,\n.2,3.0e2,41.50\n1,299.999, 7\n"
        text = text.replace("\n", newline).replace(",", delimiter)
        marks = {"utf-16-le-mark": codecs.BOM_UTF16_LE, "utf-16-be-mark": codecs.BOM_UTF16_BE}
        codec = encoding.removesuffix("-mark")
        data = marks.get(encoding, b"") + text.encode(codec)
        table = read_candidates(data)
        assert table.to_bytes() == data
        assert table.with_results({}) == data
        assert table.with_results({(1, 0): 41.5, (0, 0): None}) == data
        assert table.descriptors["温度 [K]"].tolist() == [300.0, 300.0, 299.999]
        changed = text.replace(f"\uff13\uff10\uff10{delimiter}", f"\uff13\uff10\uff10{delimiter}0.1")
        assert table.with_results({(0, 0): 0.1}) == marks.get(encoding, b"") + changed.encode(codec)

    def test_bytes_that_cp932_writes_in_two_ways_are_kept(self):
        data = b"x \x81\xe6,y \x87\x9a\n1,\n2,5\n"  # two codes of the same sign
        assert read_candidates(data).with_results({(0, 0): 2.5}) == b"x \x81\xe6,y \x87\x9a\n1,2.5\n2,5\n"

    def test_a_thousand_results_leave_the_rest_alone(self):
        rng = np.random.default_rng(0)
        cells = [[f"{a:.3f}", f"{b:+.4e}", ""] for a, b in rng.random((1500, 2))]
        lines = [",".join(row) for row in [["a", "b", "y"], *cells]]
        data = "\r\n".join(lines).encode()
        for k in range(1000):
            data = read_candidates(data).with_results({(k, 0): k / 7}) if k % 100 == 0 else data
        table = read_candidates(data)
        data = table.with_results({(k, 0): k / 7 for k in range(1000)})
        for k, (row, line) in enumerate(zip(cells, data.decode().split("\r\n")[1:], strict=True)):
            assert line == ",".join(row[:2]) + "," + (repr(k / 7) if k < 1000 else "")

    def test_files_without_a_last_line_end_quotes_and_carriage_returns(self):
        assert read("x,y\n1,\n2,").with_results({(1, 0): 5.0}) == b"x,y\n1,\n2,5.0"
        quoted = '"x, first","y"\n"1.50",""\n"2",\n'
        assert read(quoted).descriptors["x, first"].tolist() == [1.5, 2.0]
        assert read(quoted).with_results({(1, 0): 3.0}) == quoted.replace('"2",', '"2",3.0').encode()
        assert read("x,y\r1,\r2,3\r").with_results({(0, 0): 7.5}) == b"x,y\r1,7.5\r2,3\r"
        assert read('x,"y\nz"\n1,\n2,3\n').cells.header == ("x", "y\nz")

    def test_short_rows_and_empty_rows_at_the_end(self):
        table = read("x,y\n1\n2,3\n,,\n\n")
        assert len(table.descriptors) == 2
        assert table.with_results({(0, 0): 4.0}) == b"x,y\n1,4.0\n2,3\n,,\n\n"
        assert read("x,y\n1,2,\n2,3,\n").descriptors["x"].tolist() == [1, 2]

    def test_added_rows(self):
        table = read("x,n,y\n0.10,1,5\n0.20,2,")
        added = [{"x": 0.3, "n": 3}]
        assert table.with_results({(2, 0): 9.0}, added) == b"x,n,y\n0.10,1,5\n0.20,2,\n0.3,3,9.0\n"

    def test_text_that_a_spreadsheet_would_run_is_quoted(self):
        table = read("x,phase\n1,A\n2,\n", label="phase")
        assert table.with_results({(1, 0): "=1+1"}) == b'x,phase\n1,A\n2,"=1+1"\n'
        assert table.with_results({(1, 0): "-1"}) == b"x,phase\n1,A\n2,-1\n"

    def test_a_character_that_the_encoding_lacks(self):
        table = read("温度,phase\n1,A\n2,\n", "cp932", label="phase")
        with pytest.raises(InputError, match=r"fit the encoding cp932 of the file. Got 'é'"):
            table.with_results({(1, 0): "é"})

    def test_numbers_are_read_to_the_last_bit(self):
        rng = np.random.default_rng(1)
        values = np.concatenate([rng.random(500), rng.random(500) * 10.0 ** rng.integers(-300, 300, 500)])
        texts = [repr(value) for value in values.tolist()] + [
            "0.1",
            "1e22",
            "9007199254740993",
            "123456789012345678901",
        ]
        texts += ["1E+05", "-0.0", "+5", "00012", ".5", "5.", "1e-320"]
        cells = read_cells(("x,y\n" + "".join(f"{text},\n" for text in texts)).encode())
        found, odd, _, _ = plain_numbers(cells, 0)
        assert odd.tolist() == []
        np.testing.assert_array_equal(found, [float(text) for text in texts])

    @pytest.mark.parametrize(
        "text", ["1_0", "1e", "--1", "1.2.3", "e5", "nan", "inf", "0x10", "1e999", "+", "."]
    )
    def test_what_is_no_plain_number(self, text):
        cells = read_cells(f"x,y\n{text},\n".encode())
        assert plain_numbers(cells, 0)[1].tolist() == [0]


class TestFaults:
    @pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\xef\xbb\xbf", b"  "])
    def test_empty(self, data):
        with pytest.raises(InputError, match=r"a file that has no rows' in 'list.csv'"):
            read_candidates(data, source="list.csv")

    def test_header_only(self):
        with pytest.raises(InputError, match=r"a file that has only a header' in 'list.csv' \(x, y\)"):
            read("x,y\n", source="list.csv")

    @pytest.mark.parametrize(
        ("cell", "shown"), [("", "a blank"), ("red", "red"), ("inf", "inf"), ("1e999", "1e999")]
    )
    def test_descriptors(self, cell, shown):
        with pytest.raises(InputError, match=rf"Got '{shown}' at line 3, column 'b' of 'list.csv'"):
            read(f"a,b,y\n1,2,\n3,{cell},\n5,6,\n", source="list.csv")

    def test_infinite_and_wordy_results(self):
        with pytest.raises(InputError, match=r"Got 'inf' at line 2, column 'y'"):
            read("x,y\n1,inf\n")
        with pytest.raises(InputError, match=r"Got 'nice' at line 3, column 'y'"):
            read("x,y\n1,2\n2,nice\n", dialect="nimo")

    def test_more_objectives_than_columns(self):
        with pytest.raises(
            InputError, match=r"leave a descriptor when the last 3 of 3.*'x' result, 'y' result, 'z'"
        ):
            read("x,y,z\n1,2,3\n", n_objectives=3)
        with pytest.raises(InputError, match=r"n_objectives must be 1 or more. Got 0"):
            read("x,y\n1,2\n", n_objectives=0)

    def test_one_extra_field(self):
        with pytest.raises(InputError, match=r"row must have 3 cells, as the header has. Got 4 at line 3"):
            read("x,y,z\n1,2,3\n1,2,3,4\n")

    def test_headers(self):
        with pytest.raises(InputError, match=r"header must name each column once. Got 'x'"):
            read("x, x ,y\n1,2,3\n")
        with pytest.raises(InputError, match=r"header must name every column. Got 'a blank' at column 2"):
            read("x,,y\n1,2,3\n")
        assert list(read(",x,y\n0,5,\n1,6,\n").descriptors) == ["x"]
        with pytest.warns(CampaignWarning, match=r"holds only numbers \(1, 2\): no header\?"):
            read("1,2\n3,4\n")

    def test_open_quotes_and_unknown_encodings(self):
        with pytest.raises(InputError, match=r"quotes must come in pairs"):
            read('x,y\n"1,2\n')
        with pytest.raises(InputError, match="EUC"):
            read("温度の測定値,磁化の測定値\n1,2\n", "euc_jp")

    def test_options(self):
        with pytest.raises(InputError, match=r"dialect must be one of .*Got 'csv'"):
            read(PLAIN, dialect="csv")
        with pytest.raises(InputError, match=r"objectives must name a column of .*Got 'Hc'. Columns are 'x'"):
            read(PLAIN, objectives=["Hc"])
        with pytest.raises(InputError, match=r"decimal must be '\.' or ','. Got '/'"):
            read(PLAIN, decimal="/")


class TestNumbers:
    def test_repairs_are_made_and_reported(self):
        table = read('x [K],y\n"1,234",\n\uff13\uff10\uff10,\n−5,\n300 K,\n')
        assert table.descriptors["x [K]"].tolist() == [1234.0, 300.0, -5.0, 300.0]
        assert table.repairs.codes() == {"repaired": 4}
        assert [repair.row for repair in table.repairs] == [2, 3, 4, 5]

    def test_units_in_cells(self):
        assert read("T [K],y\n27 degC,\n").descriptors["T [K]"].tolist() == [pytest.approx(300.15)]
        with pytest.raises(UnitError, match=r"fit the column \(K\). Got '5 eV' at line 2"):
            read("T [K],y\n5 eV,\n")
        with pytest.raises(UnitError, match=r"stand in the header. Got '300 K' at line 2.*'T \[K\]'"):
            read("T,y\n300 K,\n")

    def test_decimal_comma(self):
        table = read("x;y\n1,5;2,25\n2;\n")
        assert table.descriptors["x"].tolist() == [1.5, 2.0]
        assert table.results[0].values[0] == 2.25
        assert table.with_results({(1, 0): 3.5}) == b"x;y\n1,5;2,25\n2;3,5\n"
        with pytest.raises(InputError, match=r"Got '1,5' at line 2, column 'x'.*decimal point"):
            read('x,y\n"1,5",\n')
        with pytest.raises(InputError, match=r"Got '1,234' at line 2, column 'x'.*meanings; pass decimal"):
            read("x;y\n1,234;5\n")
        assert read("x;y\n1,234;5\n", decimal=",").descriptors["x"].tolist() == [1.234]
        assert read("x;y\n1,234;5,5\n").descriptors["x"].tolist() == [1.234]
        with pytest.raises(InputError, match=r"Got '1,5' at line 3.*one decimal sign"):
            read("x;y\n1.5;\n1,5;\n")

    def test_result_cells(self):
        with pytest.warns(CampaignWarning, match=r"'#N/A' at line 7, column 'y' .*\(2 such cells\)"):
            table = read("x,y\n1,1.5±0.2\n2,<0.1\n3,>5\n4,失敗\n5,NG\n6,#N/A\n7,未測定\n8,1.52(3)\n")
        column = table.results[0]
        assert column.status.tolist() == [
            "ok", "censored_low", "censored_high", "failed", "failed", "blank", "blank", "ok",
        ]  # fmt: skip
        np.testing.assert_array_equal(column.values[[0, 1, 2, 7]], [1.5, 0.1, 5.0, 1.52])
        np.testing.assert_allclose(column.sigma[[0, 7]], [0.2, 0.03])


class TestRoles:
    def test_the_last_columns_are_results(self):
        table = read("a,b,y,z\n1,2,3,\n", n_objectives=2)
        assert list(table.descriptors) == ["a", "b"]
        assert [column.name for column in table.results] == ["y", "z"]

    def test_roles_by_name(self):
        text = "name,T [K],x,remark,Tc [K],price\nA,300,1,good,,5\nB,310,2,,7,6\n"
        table = read(text, objectives=["Tc"], id="name", cost="price")
        assert list(table.descriptors) == ["T [K]", "x"]
        assert table.ids == ["A", "B"]
        assert table.cost.tolist() == [5.0, 6.0]
        assert table.roles.dropped == ("remark",)
        table = read(text, objectives="Tc [K]", id="name", cost="price", ignore=["x"])
        assert list(table.descriptors) == ["T [K]"]

    def test_integers_stay_integers(self):
        frame = read("n,x,y\n1,2.0,\n").descriptors
        assert frame.dtypes.astype(str).tolist() == ["int64", "float64"]


class TestPhases:
    def test_phases_are_sets(self):
        table = read("x,phase\n1,A+B\n2,B \uff0b A\n3,A+A\n4,\n5,NA\n6,A/B\n")
        column = table.results[0]
        assert column.labels == ["A+B", "A+B", "A+A", None, "NA", "A+B"]
        assert column.phases == ["A+B", "A+A", "NA"]

    def test_numbered_phases(self):
        table = read("p,x\n1,0.5\n1.0,0.6\n\uff11,0.7\n2,0.8\n", dialect="aiphad", label="p")
        assert table.results[0].labels == ["1", "1", "1", "2"]
        with pytest.warns(CampaignWarning, match=r"'-1' among phases .* at line 3"):
            table = read("x,p\n1,0\n2,-1\n3,1\n", label="p")
        assert table.results[0].labels == ["0", None, "1"]

    def test_where_the_labels_are(self):
        assert read("p,a,b\nL,1,2\nS,3,4\n").roles.objectives == (0,)
        assert read("a,b,p\n1,2,L\n3,4,S\n").roles.objectives == (2,)
        assert read("p,a,b\n,1,2\n1,3,4\n", dialect="aiphad").roles.objectives == (0,)
        with pytest.raises(
            InputError, match=r"label must be given .*Got \['p', 'b'\].*label='p' or label='b'"
        ):
            read("p,a,b\n0,1,2\n1,3,4\n", dialect="aiphad")


class TestProposals:
    def test_descriptors_as_written(self):
        table = read(PLAIN)
        assert table.proposals([2, 0]) == b"actions,x,T [K]\r\n2,1e-3,350\r\n0,0.10,300\r\n"
        assert read_proposals(table.proposals([2, 0]), table) == [2, 0]
        assert table.proposals([]) == b"actions,x,T [K]\r\n"
        assert read_proposals(table.proposals([]), table) == []
        with pytest.raises(InputError, match=r"be rows of .* \(0 to 2\). Got 3"):
            table.proposals([3])

    def test_no_mark_inside_a_name(self):
        marked = read(PLAIN, "utf-8-sig").proposals([0])
        assert marked.decode("utf-8-sig").splitlines()[0] == "actions,x,T [K]"
        assert read("温度,y\n1,\n", "cp932").proposals([0]).decode("cp932") == "actions,温度\n0,1\n"

    def test_a_list_that_was_sorted_since(self):
        table = read(PLAIN)
        with pytest.raises(InputError, match=r"column 'x' must be 0.2, as in data row 1 .* 0.1 at line 2"):
            read_proposals(b"actions,x\n1,0.10\n", table)
        with pytest.raises(InputError, match=r"actions must be rows of .* \(0 to 2\). Got 9 at line 2"):
            read_proposals(b"actions,x\n9,0.10\n", table)
        with pytest.raises(InputError, match=r"begin with 'actions'"):
            read_proposals(b"x,y\n1,2\n", table)


@pytest.mark.parametrize(
    "name",
    [
        "s5-210", "Crossed_barrel_dataset", "P3HT_dataset", "nimo_al-si-zn_352", "nimo_al-si-zn_67",
        "Cu-Mg_Zn_800K", "Cu-Mg_Zn_900K", "Cu-Mg_Zn_1000K",
    ],
)  # fmt: skip
def test_published_lists_come_back_byte_for_byte(data_folder, name):
    data = (data_folder / "proposals" / f"{name}.csv").read_bytes()
    table = read_candidates(data)
    assert table.roles.phases == name.startswith("Cu-Mg")
    assert table.with_results({}) == data
    if not table.roles.phases:
        values = table.results[0].values
        assert table.with_results({(row, 0): value for row, value in enumerate(values.tolist())}) == data
        text = "温度の" + data.decode()
        assert read(text, "cp932").to_bytes() == text.encode("cp932")
    n_rows = data.rstrip().count(b"\n")
    assert len(table.descriptors) == n_rows


@pytest.mark.slow
def test_a_million_candidates():
    X = np.random.default_rng(0).random((1_000_000, 4)).round(4)
    lines = ["a,b,c,d,y", *(f"{a:.4f},{b:.4f},{c:.4f},{d:.4f}," for a, b, c, d in X.tolist())]
    table = read_candidates("\n".join(lines).encode())
    np.testing.assert_array_equal(table.descriptors.to_numpy(), X)
    assert np.isnan(table.results[0].values).all()
