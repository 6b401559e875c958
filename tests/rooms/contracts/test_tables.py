"""Tables as they come from instruments, spreadsheets and hands."""

# ruff: noqa: RUF001 - full-width characters are what is tested

from __future__ import annotations

import math
import os
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.contracts.tables import Table, decode_text, read_table, split_unit, write_table


@pytest.fixture
def read(tmp_path: Path):
    """Write text or bytes to a file and read it as a table."""

    def _read(content: str | bytes, name: str = "data.csv", *, write_as: str = "utf-8", **options) -> Table:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(write_as))
        return read_table(path, **options)

    return _read


@pytest.fixture
def workbook(tmp_path: Path):
    """Write rows to sheets of a workbook; ``edit`` may change it before it is saved."""
    openpyxl = pytest.importorskip("openpyxl")

    def _write(edit=None, **sheets) -> Path:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            page = book.create_sheet(title)
            for row in rows:
                page.append(row)
        if edit is not None:
            edit(book)
        path = tmp_path / "book.xlsx"
        book.save(path)
        return path

    return _write


def codes(table: Table) -> dict[str, int]:
    return table.repairs.codes()


def only(table: Table, code: str):
    """The one repair of a kind."""
    found = [repair for repair in table.repairs if repair.code == code]
    assert len(found) == 1, table.repairs
    return found[0]


# --------------------------------------------------------------------------------------------
# Encodings
# --------------------------------------------------------------------------------------------

JAPANESE = "試料,温度 [K],磁化 [emu/g]\n鉄①,300,1.5\n銅,310,2.5\n"


@pytest.mark.parametrize(
    ("write_as", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp932", "cp932"),
        ("utf-32", "utf-32"),
    ],
)
def test_every_encoding_of_a_japanese_table_reads_alike(read, write_as, found):
    table = read(JAPANESE, write_as=write_as)
    assert list(table.frame.columns) == ["試料", "温度", "磁化"]
    assert table.units == {"試料": None, "温度": "K", "磁化": "emu/g"}
    assert table.frame["試料"].tolist() == ["鉄①", "銅"]
    assert table.frame["磁化"].tolist() == [1.5, 2.5]
    assert table.encoding == found
    assert table.repairs == ()


def test_utf16_without_mark_of_ascii_text_is_not_binary():
    assert decode_text("T,M\n300,1\n".encode("utf-16-le")) == ("T,M\n300,1\n", "utf-16-le")


def test_euc_jp_is_refused_with_its_name(read):
    with pytest.raises(InputError, match=r"EUC-JP.*encoding='euc_jp'"):
        read("温度,磁化\n300,1\n", write_as="euc_jp")
    table = read("温度,磁化\n300,1\n", write_as="euc_jp", encoding="euc_jp")
    assert list(table.frame.columns) == ["温度", "磁化"]


def test_western_degree_sign_is_not_read_as_katakana(read):
    with pytest.raises(InputError, match=r"Western European.*encoding='cp1252'"):
        read("T [°C],M\n300,1\n", write_as="cp1252")
    assert read("T [°C],M\n300,1\n", write_as="cp1252", encoding="cp1252").units["T"] == "°C"


def test_jis_escape_sequences_are_refused(read):
    with pytest.raises(InputError, match=r"ISO-2022-JP.*encoding='iso2022_jp'"):
        read("温度,M\n300,1\n", write_as="iso2022_jp")


def test_bytes_of_no_encoding_are_refused(read):
    with pytest.raises(InputError, match="neither UTF-8 nor CP932"):
        read(b"a,b\n\xff\xfe\xfd\x80,1\n"[0:4] + b"\x80\xfd\xa0,1\n")


def test_a_wrong_encoding_names_the_line(read):
    with pytest.raises(InputError, match=r"text in utf-8.*near line 2"):
        read("a,b\n温度,1\n", write_as="cp932", encoding="utf-8")


def test_an_unknown_encoding_is_named(read):
    with pytest.raises(InputError, match="Got 'utf-99'"):
        read("a,b\n1,2\n", encoding="utf-99")


def test_half_width_katakana_of_old_instruments(read):
    table = read("ｵﾝﾄﾞ,ｼﾞｶ\n300,1\n310,2\n", write_as="utf-8")
    assert table.frame["ｵﾝﾄﾞ"].tolist() == [300, 310]


# --------------------------------------------------------------------------------------------
# Files that are no tables
# --------------------------------------------------------------------------------------------


def test_missing_file_names_the_path_and_the_folder(tmp_path):
    with pytest.raises(InputError, match=r"existing file.*nothing\.csv.*exists"):
        read_table(tmp_path / "nothing.csv")
    with pytest.raises(InputError, match="does not exist either"):
        read_table(tmp_path / "no" / "nothing.csv")


def test_directory_is_refused(tmp_path):
    with pytest.raises(InputError, match="name a file"):
        read_table(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_file_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    path.chmod(0)
    with pytest.raises(InputError, match="readable file"):
        read_table(path)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"   \n \n", b",,\n,,\n"])
def test_empty_files_are_refused(read, content):
    with pytest.raises(InputError, match="hold a table"):
        read(content)


def test_comments_only_is_refused(read):
    with pytest.raises(InputError, match="comments only"):
        read("# measured\n# by hand\n")


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", bytes(range(256)) * 4])
def test_binary_files_are_refused(read, content):
    with pytest.raises(InputError, match=r"text table or an \.xlsx workbook"):
        read(content)


def test_header_only_is_an_empty_table_with_a_report(read):
    table = read("T [K],M\n")
    assert table.frame.shape == (0, 2)
    assert only(table, "no_rows").row == 1


# --------------------------------------------------------------------------------------------
# Delimiters, comments, titles, quotes
# --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "delimiter"),
    [
        ("T,M\n300,1.5\n310,2.5\n", "a.csv", ","),
        ("T;M\n300;1.5\n310;2.5\n", "a.csv", ";"),
        ("T\tM\n300\t1.5\n310\t2.5\n", "a.tsv", "\t"),
        ("T|M\n300|1.5\n310|2.5\n", "a.txt", "|"),
        ("  T     M\n300   1.5\n310   2.5  \n", "a.dat", "whitespace"),
        ("T　M\n300　1.5\n310　2.5\n", "a.txt", "whitespace"),
    ],
)
def test_delimiters_are_found(read, text, name, delimiter):
    table = read(text, name)
    assert table.delimiter == delimiter
    assert table.frame["T"].tolist() == [300, 310]
    assert table.frame["M"].tolist() == [1.5, 2.5]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(read, end):
    table = read(end.join(["T,M", "300,1", "310,2", ""]))
    assert table.frame["M"].tolist() == [1, 2]
    assert table.rows.tolist() == [2, 3]


def test_two_possible_delimiters_are_refused(read):
    with pytest.raises(InputError, match=r"';' and ',' both divide.*delimiter=';'"):
        read("a,b;c,d\n1,2;3,4\n5,6;7,8\n")
    assert read("a,b;c,d\n1,2;3,4\n5,6;7,8\n", delimiter=";").frame.shape == (2, 2)


def test_unknown_delimiter_is_refused(read):
    with pytest.raises(InputError, match="Got ':'"):
        read("a:b\n1:2\n", delimiter=":")


def test_excel_separator_line(read):
    table = read("sep=;\nT;M\n300;1\n310;2\n")
    assert table.frame["M"].tolist() == [1, 2]
    assert only(table, "separator_line").row == 1
    assert table.rows.tolist() == [3, 4]


def test_comments_are_skipped_with_a_report_and_rows_keep_their_numbers(read):
    table = read("# SQUID\nT,M\n300,1\n#310,2\n320,失敗\n")
    assert table.frame["T"].tolist() == [300, 320]
    assert only(table, "comment").message.startswith("2 comment rows")
    assert only(table, "missing").row == 5


def test_excel_error_in_the_first_column_is_no_comment(read):
    table = read("T,M\n300,1\n#N/A,2\n320,3\n")
    assert math.isnan(table.frame["T"][1])
    assert only(table, "spreadsheet_error")[:2] == (3, "T")


def test_header_behind_a_hash_as_numpy_writes_it(read):
    table = read("# made by savetxt\n# T M\n300 1.5\n310 2.5\n", "a.dat")
    assert list(table.frame.columns) == ["T", "M"]
    assert only(table, "commented_header").row == 2


def test_title_line_above_the_header(read):
    table = read("磁化測定 2024年1月,,\n試料,T [K],M\nA,300,1\nB,310,2\n")
    assert list(table.frame.columns) == ["試料", "T", "M"]
    assert only(table, "title").row == 1
    assert table.rows.tolist() == [3, 4]


def test_title_line_without_delimiters(read):
    table = read("Magnetization of sample 3\nT,M\n300,1\n310,2\n320,3\n")
    assert list(table.frame.columns) == ["T", "M"]
    assert "Magnetization" in only(table, "title").message


def test_unit_row_below_the_header(read):
    table = read("試料,温度,磁化\n-,K,emu/g\nA,300,1.5\nB,310,2.5\n")
    assert table.units == {"試料": None, "温度": "K", "磁化": "emu/g"} or table.units["試料"] == "-"
    assert table.frame["温度"].tolist() == [300, 310]
    assert only(table, "unit_row").row == 2


def test_unit_row_in_brackets_and_conflict_with_the_header(read):
    table = read("T,M\n(K),[emu/g]\n300,1.5\n310,2.5\n")
    assert table.units == {"T": "K", "M": "emu/g"}
    with pytest.raises(
        InputError, match=r"same in header and unit row; the header says 'K'. Got '°C' at row 2"
    ):
        read("T [K],M\n°C,emu/g\n300,1.5\n310,2.5\n")


def test_numbers_in_scientific_notation_are_no_unit_row(read):
    table = read("a,b\n1e+16,1e+16\n0.5,1.5\n")
    assert table.frame["a"].tolist() == [1e16, 0.5]
    assert table.repairs == ()


def test_remarks_that_say_none_are_padded_too(read):
    table = read("T,M,備考\n300,1,なし\n310,2\n320,3,良\n")
    assert table.frame["備考"].tolist()[0] == "なし"
    assert only(table, "padded").row == 3


def test_dated_line_above_the_header(read):
    table = read("測定日,2024-01-05\nT,M\n300,1\n310,2\n")
    assert list(table.frame.columns) == ["T", "M"]
    assert only(table, "title").row == 1
    assert table.units == {"T": None, "M": None}


def test_first_row_of_data_in_place_of_a_header_is_pointed_at(read):
    table = read("Fe,Co,1.2\nNi,Cu,2.2\nNi,Zn,2.4\n")
    assert only(table, "numeric_header").message == "numbers among the 3 column names: 1"


def test_ctrl_z_of_old_instruments(read):
    table = read("T,M\n300,1\n310,2\n\x1a")
    assert table.frame["M"].tolist() == [1, 2]
    assert codes(table) == {"end_mark": 1}


def test_potassium_below_the_header_is_no_unit_row(read):
    table = read("element,symbol,mass\nK,K,39.1\nNa,Na,23.0\n")
    assert table.frame["element"].tolist() == ["K", "Na"]
    table = read("A,B\nK,V\nNa,Fe\n")
    assert table.frame["A"].tolist() == ["K", "Na"]


def test_quoted_cells_with_delimiters_and_line_breaks(read):
    table = read('試料,備考,M\n"A,1","二行\nの備考",1\nB,,2\n')
    assert table.frame["試料"].tolist() == ["A,1", "B"]
    assert table.frame["備考"][0] == "二行\nの備考"
    assert table.rows.tolist() == [2, 4]


def test_unclosed_quote_names_the_row(read):
    with pytest.raises(InputError, match=r"quotes must come in pairs.*row 3"):
        read('a,b\n1,2\n3,"4\n5,6\n')


def test_header_with_a_line_break(read):
    table = read('"T\n(K)","磁化\n[emu/g]"\n300,1\n310,2\n')
    assert table.units == {"T": "K", "磁化": "emu/g"}
    assert table.resolve("T (K)") == "T"


def test_units_set_off_by_spaces_in_a_column_file(read):
    table = read("T (K)  M (emu/g)\n300 1.5\n310 2.5\n", "a.dat")
    assert table.units == {"T": "K", "M": "emu/g"}
    assert only(table, "header").repair == "joined to their names"


def test_header_repeated_in_the_middle_of_joined_files(read):
    table = read("T,M\n300,1\nT,M\n310,2\n")
    assert table.frame["M"].tolist() == [1, 2]
    assert only(table, "repeated_header").row == 3


# --------------------------------------------------------------------------------------------
# Rows that do not fit
# --------------------------------------------------------------------------------------------


def test_one_cell_too_many_names_row_and_column(read):
    with pytest.raises(
        InputError, match=r"row of 3 cells must .* header \(2\)\. Got '7' at row 3, column 'column 3'"
    ):
        read("T,M\n300,1\n310,2,7\n320,3\n")


def test_every_row_one_cell_longer_is_never_shifted(read):
    with pytest.raises(InputError, match=r"header \(2\)"):
        read("T,M\nA,300,1\nB,310,2\n")


def test_decimal_commas_between_commas_get_a_hint(read):
    with pytest.raises(InputError, match="For decimal commas, separate the cells by ';'"):
        read("T,M\n300,5,1,2\n310,5,2,2\n")


def test_missing_cells_in_a_number_column_are_refused(read):
    with pytest.raises(InputError, match=r"row of 2 cells must .* \(3\)\. Got '310' at row 3, column 'M'"):
        read("試料,T,M\nA,300,1\nB,310\nC,320,3\n")


def test_remarks_cut_by_a_spreadsheet_are_padded(read):
    table = read("T,M,備考\n300,1,良\n310,2\n320,3,\n")
    assert table.frame["備考"].isna().tolist() == [False, True, True]
    assert only(table, "padded").row == 3


def test_a_file_cut_off_in_its_last_row_is_refused(read):
    with pytest.raises(InputError, match=r"row 3.*may be cut off here"):
        read("T,M,備考\n300,1,良\n310,2")


def test_short_rows_between_spaces_are_refused(read):
    with pytest.raises(InputError, match="row of 2 cells"):
        read("T M 備考\n300 1 良\n310 2\n320 3 良\n", "a.dat")


def test_trailing_delimiter_on_every_line(read):
    table = read("T,M,\n300,1,\n310,2,\n")
    assert list(table.frame.columns) == ["T", "M"]
    assert "dropped" in only(table, "empty_column").repair
    table = read("T,M\n300,1,\n310,2,\n")
    assert table.frame["M"].tolist() == [1, 2]
    assert only(table, "trailing_delimiter").row == 2


def test_trailing_delimiter_on_one_line_is_refused(read):
    with pytest.raises(InputError, match="row 3"):
        read("T,M\n300,1\n310,2,\n320,3\n")


def test_blank_rows_are_reported(read):
    table = read("T,M\n300,1\n\n,\n310,2\n\n")
    assert table.rows.tolist() == [2, 5]
    assert only(table, "blank_row").message == "2 blank rows"


# --------------------------------------------------------------------------------------------
# Names
# --------------------------------------------------------------------------------------------


def test_duplicate_headers_are_made_unique(read):
    table = read("T,T,T.2,T [K]\n1,2,3,4\n5,6,7,8\n")
    assert list(table.frame.columns) == ["T", "T.3", "T.2", "T.4"]
    assert codes(table)["duplicate_name"] == 2
    assert table.headers["T.4"] == "T [K]"


def test_blank_header_is_named_by_its_place(read):
    table = read(",T\nA,300\nB,310\n")
    assert list(table.frame.columns) == ["column 1", "T"]
    assert only(table, "blank_name").row == 1


def test_empty_trailing_columns_are_dropped(read):
    table = read("T,M,,\n300,1,,\n310,2,,\n")
    assert list(table.frame.columns) == ["T", "M"]
    assert only(table, "empty_column").message == "2 columns without name and cells"


def test_full_width_header(read):
    table = read("温度（Ｋ）,Ｍ［ｅｍｕ／ｇ］\n300,1\n310,2\n")
    assert table.units == {"温度": "K", "M": "emu/g"}
    assert table.resolve("温度（Ｋ）") == "温度"
    assert table.resolve("M [emu/g]") == "M"


def test_resolve_takes_name_header_and_width_and_lists_near_names(read):
    table = read("磁化 [emu/g],T (K)\n1,300\n2,310\n")
    assert table.resolve("磁化") == "磁化"
    assert table.resolve("磁化 [emu/g]") == "磁化"
    assert table.resolve("磁化[emu/g]") == "磁化"
    assert table.resolve("ｔ（ｋ）") == "T"
    with pytest.raises(InputError, match=r"Got '磁'.*Did you mean '磁化'"):
        table.resolve("磁")
    with pytest.raises(InputError, match=r"Columns are '磁化', 'T'"):
        table.resolve("unfindable")


def test_resolve_refuses_another_unit_and_two_columns(read):
    table = read("T (K),M\n1,300\n2,310\n")
    with pytest.raises(InputError, match=r"own unit. Got 'T \[degC\]'.*'T \[K\]'"):
        table.resolve("T [degC]")
    table = read("m,M\n1,300\n2,310\n")
    with pytest.raises(InputError, match=r"name one column. Got 'ｍ'"):
        table.resolve("ｍ")


def test_all_numeric_header_is_pointed_at(read):
    table = read("300,310\n1.5,2.5\n1.6,2.6\n")
    assert list(table.frame.columns) == ["300", "310"]
    assert only(table, "numeric_header").row == 1
    with pytest.raises(InputError, match=r"header must name every column. Got '1.0' at row 1"):
        read("1.0,1.0\n1.5,2.5\n1.6,2.6\n")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("磁化 [emu/g]", ("磁化", "emu/g")),
        ("T (K)", ("T", "K")),
        ("M_P[0]", ("M_P[0]", None)),
        ("M_I[0,1]", ("M_I[0,1]", None)),
        ("f(x)", ("f(x)", None)),
    ],
)
def test_split_unit_is_at_hand(header, expected):
    assert split_unit(header) == expected


def test_unknown_unit_and_doubtful_bracket_are_reported(read):
    table = read("P [gpa],x(K),a [A]\n1,2,3\n4,5,6\n")
    messages = " ".join(repair.message for repair in table.repairs)
    assert "'gpa' is not a known unit; did you mean GPa" in messages
    assert "write 'x [K]'" in messages
    assert "write 'a [Å]'" in messages
    assert table.units == {"P": "gpa", "x(K)": None, "a": "A"}


def test_celsius_written_as_c(read):
    table = read("温度 (C),M\n27,1\n30,2\n")
    assert table.units["温度"] == "°C"
    assert "coulomb" in only(table, "unit").message


# --------------------------------------------------------------------------------------------
# Numbers
# --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "value", "code"),
    [
        ("１２．５", 12.5, "characters"),
        ("−5.5", -5.5, "characters"),
        ("–5.5", -5.5, "characters"),
        ("ー5.5", -5.5, "characters"),
        ("\u00a05.5", 5.5, "characters"),
        ("5.5\u3000", 5.5, "characters"),
        ("1.2×10^-3", 1.2e-3, "power_of_ten"),
        ("1.2×10⁻³", 1.2e-3, "power_of_ten"),
        ("1.2x10-3", 1.2e-3, "power_of_ten"),
        ("10^-3", 1e-3, "power_of_ten"),
        ("1.5D+02", 150.0, "power_of_ten"),
        ("1.2(3)", 1.2, "uncertainty"),
        ("1.2±0.3", 1.2, "uncertainty"),
        ("1.2 +/- 0.3", 1.2, "uncertainty"),
        ("約300", 300.0, "approximate"),
        ("~300", 300.0, "approximate"),
        ("1,234.5", 1234.5, "thousands"),
        ("1\u202f234.5", 1234.5, "thousands"),
    ],
)
def test_numbers_in_other_notations_are_read_and_reported(read, cell, value, code):
    table = read(f"試料\tM\nA\t0.5\nB\t{cell}\n", "a.tsv")
    assert table.frame["M"].tolist() == [0.5, value]
    repair = next(repair for repair in table.repairs if repair.code == code)
    assert (repair.row, repair.column) == (3, "M")


@pytest.mark.parametrize("cell", ["1.2e-3", "1.2E-3", "+1.2e-3", ".0012", "0.0012", " 0.0012 "])
def test_plain_numbers_need_no_report(read, cell):
    table = read(f"M,x\n{cell},1\n1,2\n")
    assert table.frame["M"].tolist() == [0.0012, 1.0]
    assert table.repairs == ()


@pytest.mark.parametrize(
    "cell",
    [
        "#N/A",
        "N/A",
        "NA",
        "nan",
        "NaN",
        "-",
        "--",
        "—",
        "failed",
        "FAILED",
        "失敗",
        "欠測",
        "測定不可",
        "測定不能",
        "未測定",
    ],
)
def test_words_for_missing_become_missing_in_a_number_column(read, cell):
    table = read(f"試料,M\nA,1.5\nB,{cell}\nC,2.5\n")
    assert np.isnan(table.frame["M"][1])
    assert table.frame["M"].dtype == np.float64
    repair = next(repair for repair in table.repairs if repair.column == "M")
    assert (repair.row, repair.repair) == (3, "read as missing")
    assert repr(cell) in repair.message


def test_empty_cells_are_missing_and_counted(read):
    table = read("T,M\n300,\n310,2\n320,\n")
    repair = only(table, "empty")
    assert (repair.row, repair.column, repair.message) == (2, "M", "2 empty cells")


@pytest.mark.parametrize("cell", ["<0.1", ">5", "＜0.1", "≦3", "0.1以下", "5 以上", "N.D.", "検出限界以下"])
def test_bounds_are_never_numbers(read, cell):
    table = read(f"試料,M\nA,1.5\nB,{cell}\n")
    assert np.isnan(table.frame["M"][1])
    repair = only(table, "censored")
    assert (repair.row, repair.column) == (3, "M")
    assert "bound" in repair.message


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e999", "OL", "∞"])
def test_infinities_are_missing_with_a_report(read, cell):
    table = read(f"試料,M\nA,1.5\nB,{cell}\n")
    assert np.isnan(table.frame["M"][1])
    assert only(table, "infinite").row == 3


def test_elements_stay_text(read):
    table = read("element,x\nNa,1\nNA,2\nNo,3\nNone,4\nIn,5\ninf,6\nnan,7\nNd,8\nND,9\n")
    assert table.frame["element"].tolist() == ["Na", "NA", "No", "None", "In", "inf", "nan", "Nd", "ND"]
    kept = [repair for repair in table.repairs if repair.code == "kept_text"]
    assert [(repair.row, repair.message.split()[0]) for repair in kept] == [
        (3, "'NA'"),
        (5, "'None'"),
        (8, "'nan'"),
    ]


def test_a_column_of_missing_words_only_stays_text(read):
    table = read("試料,M\nA,失敗\nB,NA\n")
    assert table.frame["M"].tolist() == ["失敗", "NA"]
    assert codes(table)["kept_text"] == 2


def test_sodium_among_numbers_is_neither_missing_nor_number(read):
    table = read("試料,M\nA,1\nB,Na\nC,3\n")
    assert table.frame["M"].tolist() == ["1", "Na", "3"]
    assert only(table, "mixed").row == 3
    with pytest.raises(InputError, match=r"column 'M' must hold numbers. Got 'Na' at row 3, column 'M'"):
        table.numeric(["M"])


@pytest.mark.parametrize("cells", [("001", "002", "010"), ("１", "007", "8")])
def test_leading_zeros_stay_text(read, cells):
    table = read("id,x\n" + "".join(f"{cell},1.5\n" for cell in cells))
    assert table.frame["id"].tolist() == list(cells)
    assert "leading zeros" in only(table, "identifier").message
    with pytest.raises(InputError, match="without leading zeros"):
        table.numeric("id")


def test_long_digit_strings_stay_text(read):
    table = read("barcode,x\n4901234567890123456,1\n4901234567890123457,2\n")
    assert table.frame["barcode"].tolist() == ["4901234567890123456", "4901234567890123457"]


def test_id_columns_stay_text(read):
    table = read("lot [-],x\n12,1\n13,2\n", id_columns=["lot"])
    assert table.frame["lot"].tolist() == ["12", "13"]
    with pytest.raises(InputError, match=r"id_columns.*Got 'lod'.*Did you mean 'lot'"):
        read("lot,x\n12,1\n13,2\n", id_columns=["lod"])


@pytest.mark.parametrize(
    "cells",
    [("2024-01-05", "2024-01-06"), ("2024/1/5", "2024/1/6"), ("12:30", "12:40"), ("1月5日", "1月6日")],
)
def test_dates_and_times_are_not_numbers(read, cells):
    table = read(f"day,x\n{cells[0]},1\n{cells[1]},2\n")
    assert table.frame["day"].tolist() == list(cells)


def test_booleans_are_kept(read):
    table = read("stable,M\nTrue,1\nfalse,2\n")
    assert table.frame["stable"].dtype == bool
    assert table.texts["stable"] == {0: "True", 1: "false"}
    assert table.numeric(["stable"])[0]["stable"].tolist() == [1.0, 0.0]
    table = read("stable,M\nTRUE,1\n,2\n")
    assert table.frame["stable"].isna().tolist() == [False, True]


def test_polytypes_and_orbitals_are_no_units(read):
    table = read("polytype,x\n3C,1\n4H,2\n6H,3\n")
    assert table.frame["polytype"].tolist() == ["3C", "4H", "6H"]
    assert only(table, "identifier").row == 2
    assert read("n,x\n3d,1\n4s,2\n").frame["n"].tolist() == ["3d", "4s"]


def test_sentinels_stay_numbers_but_are_pointed_at(read):
    table = read("T,M\n300,-999\n310,2\n")
    assert table.frame["M"].tolist() == [-999, 2]
    assert "-999 in 1 cell" in only(table, "mark").message


@pytest.mark.parametrize("cell", ["1_000", "0x1F", "1/2", "٣", "1 234", "5-", "3x4", "3OO"])
def test_what_python_or_people_might_read_as_a_number_is_not_one(read, cell):
    table = read(f"M,x\n{cell},1\n5,2\n")
    assert table.frame["M"].tolist() == [cell, "5"]
    assert only(table, "mixed").row == 2


def test_integers_and_floats_keep_their_kind(read):
    table = read("n,x\n1,1\n2,2.5\n")
    assert table.frame["n"].dtype == np.int64
    assert table.frame["x"].dtype == np.float64


def test_many_repairs_end_in_a_count(read):
    table = read("n,x\n0,1\n" + "".join(f"{k},失敗\n" for k in range(1, 31)))
    found = [repair for repair in table.repairs if repair.code == "missing"]
    assert len(found) == 21
    assert "9 more such cells below" in found[-1].message
    assert table.frame["x"].isna().sum() == 30


# --------------------------------------------------------------------------------------------
# Decimal comma and thousands
# --------------------------------------------------------------------------------------------


def test_decimal_comma_beside_semicolons(read):
    table = read("T;M\n300;1,25\n310;-0,5\n")
    assert table.frame["M"].tolist() == [1.25, -0.5]
    assert only(table, "decimal_comma").message.startswith("a decimal comma in 2 cells")


def test_decimal_comma_with_points_for_thousands(read):
    table = read("a;b\n1.234,5;1\n12.345.678,5;2\n")
    assert table.frame["a"].tolist() == [1234.5, 12345678.5]


def test_group_of_three_takes_the_decimal_sign_of_its_column(read):
    assert read("a;b\n1,234;1\n1,5;2\n").frame["a"].tolist() == [1.234, 1.5]
    assert read("a;b\n1,234;1\n1,234.5;2\n").frame["a"].tolist() == [1234.0, 1234.5]
    assert read("a;b\n1,234;1\n1,234,567;2\n").frame["a"].tolist() == [1234, 1234567]


def test_group_of_three_takes_the_decimal_sign_of_the_file(read):
    table = read("a;b\n1,234;0,5\n2,345;0,6\n")
    assert table.frame["a"].tolist() == [1.234, 2.345]
    table = read("a;b\n1,234;0.5\n2,345;0.6\n")
    assert table.frame["a"].tolist() == [1234, 2345]
    assert any(repair.code == "thousands" and repair.column == "a" for repair in table.repairs)


def test_group_of_three_alone_is_refused_and_settled_by_the_user(read):
    text = "a;b\n1,234;1\n2,345;2\n"
    with pytest.raises(InputError, match=r"it can be 1234 or 1.234. Got '1,234' at row 2, column 'a'"):
        read(text)
    assert read(text, decimal=",").frame["a"].tolist() == [1.234, 2.345]
    assert read(text, decimal=".").frame["a"].tolist() == [1234, 2345]
    assert read(text, id_columns="a").frame["a"].tolist() == ["1,234", "2,345"]


def test_points_before_three_digits_in_a_file_of_decimal_commas_are_refused(read):
    with pytest.raises(InputError, match=r"it can be 1.234 or 1234. Got '1.234' at row 2, column 'b'"):
        read("a;b\n0,5;1.234\n0,6;2.345\n")


def test_two_decimal_signs_in_a_column_are_refused(read):
    with pytest.raises(InputError, match=r"'2.5' stands at row 3. Got '1,5' at row 2, column 'a'"):
        read("a;b\n1,5;1\n2.5;2\n")
    with pytest.raises(InputError, match=r"'1.234' stands at row 3. Got '1,5' at row 2"):
        read("a;b\n1,5;1\n1.234;2\n")


def test_a_given_decimal_sign_refuses_the_other(read):
    with pytest.raises(InputError, match=r"decimal comma. Got '1.5' at row 2, column 'a'"):
        read("a;b\n1.5;1\n2.5;2\n", decimal=",")
    with pytest.raises(InputError, match=r"decimal point. Got '1,5' at row 2, column 'a'"):
        read("a;b\n1,5;1\n2,5;2\n", decimal=".")
    with pytest.raises(InputError, match="Got '·'"):
        read("a;b\n1;2\n", decimal="·")


def test_quoted_thousands_in_a_comma_file(read):
    table = read('a,b\n"1,234",0.5\n"12,345",0.6\n')
    assert table.frame["a"].tolist() == [1234, 12345]
    assert any(repair.code == "thousands" for repair in table.repairs)


def test_lists_in_quotes_stay_text(read):
    assert read('hkl,x\n"1,0,0",1\n"1,1,1",2\n').frame["hkl"].tolist() == ["1,0,0", "1,1,1"]


# --------------------------------------------------------------------------------------------
# Units in cells
# --------------------------------------------------------------------------------------------


def test_units_in_cells_move_to_the_column(read):
    table = read("T,M\n300 K,1\n310 K,2\n")
    assert table.frame["T"].tolist() == [300, 310]
    assert table.units["T"] == "K"
    assert only(table, "unit_in_cell").repair == "moved to the column as [K]"


def test_units_equal_to_the_header_are_removed(read):
    table = read("T [K],M\n300K,1\n310,2\n")
    assert table.frame["T"].tolist() == [300, 310]
    assert "it is the unit of the column" in only(table, "unit_in_cell").repair


def test_kelvin_and_celsius_are_converted(read):
    table = read("T,M\n300 K,1\n27 ℃,2\n")
    assert table.frame["T"].tolist() == pytest.approx([300.0, 300.15])
    repair = only(table, "unit_converted")
    assert (repair.row, repair.repair) == (3, "converted to K")
    table = read("温度 [℃],M\n300 K,1\n27,2\n")
    assert table.frame["温度"].tolist() == pytest.approx([26.85, 27.0])


def test_units_that_do_not_convert_are_refused(read):
    with pytest.raises(InputError, match=r"convertible to 'K'.*Got '5 GPa' at row 3, column 'x'"):
        read("x,M\n300 K,1\n5 GPa,2\n")
    with pytest.raises(InputError, match=r"convertible to 'wt%'.*Got '5 at%' at row 3"):
        read("x,M\n3 wt%,1\n5 at%,2\n")


def test_bare_numbers_beside_differing_units_are_refused(read):
    with pytest.raises(InputError, match=r"units differ \(K and ℃\). Got '300' at row 3, column 'T'"):
        read("T,M\n300 K,1\n300,2\n27 ℃,3\n")


def test_bare_numbers_beside_one_unit_are_reported(read):
    table = read("T,M\n300 K,1\n310,2\n")
    assert "1 cell without unit taken as K" in only(table, "unit_in_cell").repair


def test_percent_signs(read):
    table = read("収率,M\n45%,1\n50.5 ％,2\n")
    assert table.frame["収率"].tolist() == [45.0, 50.5]
    assert table.units["収率"] == "%"


def test_two_quantities_in_a_cell_stay_text(read):
    table = read("time,M\n1 h 20 min,1\n2 h 10 min,2\n")
    assert table.frame["time"].tolist() == ["1 h 20 min", "2 h 10 min"]


# --------------------------------------------------------------------------------------------
# Table.numeric
# --------------------------------------------------------------------------------------------


def test_numeric_names_file_row_column_text_and_remedy(read):
    table = read("試料,M\nA,1.5\nB,失敗\nC,2.5\n", "測定.csv")
    with pytest.raises(
        InputError, match=r"Got '失敗' at row 3, column 'M' of '.*測定.csv'. Fill the cell.*missing='drop'"
    ):
        table.numeric(["M"])


def test_numeric_drops_rows_and_says_which(read):
    table = read("T,M\n300,1.5\n310,失敗\n,2.5\n330,3.5\n")
    values, kept, dropped = table.numeric(["T", "M"], missing="drop")
    assert kept.tolist() == [0, 3]
    assert values.to_numpy().tolist() == [[300.0, 1.5], [330.0, 3.5]]
    assert [tuple(row) for row in dropped] == [(3, 1, "M", "失敗"), (4, 2, "T", "")]


def test_numeric_refuses_odd_requests(read):
    table = read("T,M\n300,1.5\n310,2\n")
    with pytest.raises(InputError, match="Got 'ignore'"):
        table.numeric(["T"], missing="ignore")
    with pytest.raises(InputError, match=r"named once. Got 'T'"):
        table.numeric(["T", "T"])


def test_repairs_as_a_frame(read):
    frame = read("T,M\n300,失敗\n310,2\n").repairs.to_frame()
    assert frame.columns.tolist() == ["row", "column", "code", "message", "repair"]
    assert frame.loc[0].tolist() == [2, "M", "missing", "'失敗' is no number", "read as missing"]


# --------------------------------------------------------------------------------------------
# Workbooks
# --------------------------------------------------------------------------------------------


def test_workbook(workbook):
    table = read_table(
        workbook(測定=[["試料", "T [K]", "M"], ["A", 300, 1.5], ["B", 310, None], ["C", 320, "失敗"]])
    )
    assert table.frame["T"].tolist() == [300, 310, 320]
    assert table.frame["M"].isna().tolist() == [False, True, True]
    assert table.sheet == "測定"
    assert table.delimiter is None
    assert only(table, "missing")[:2] == (4, "M")


def test_several_sheets(workbook):
    path = workbook(空=[], 一=[["a"], [1]], 二=[["b"], [2]])
    table = read_table(path)
    assert table.frame["a"].tolist() == [1]
    assert "'二'" in only(table, "sheet").message
    assert read_table(path, sheet="二").frame["b"].tolist() == [2]
    assert read_table(path, sheet=2).frame["b"].tolist() == [2]
    with pytest.raises(InputError, match=r"one of '空', '一', '二'. Got '三'"):
        read_table(path, sheet="三")


def test_merged_cells_are_refused_below_the_title_only(workbook):
    rows = [["表題", None, None], ["試料", "T", "M"], ["A", 300, 1], [None, 310, 2]]
    table = read_table(workbook(lambda book: book["s"].merge_cells("A1:C1"), s=rows))
    assert table.frame["T"].tolist() == [300, 310]
    with pytest.raises(InputError, match=r"no merged cells in the table. Got 'A3:A4' at row 3"):
        read_table(workbook(lambda book: book["s"].merge_cells("A3:A4"), s=rows))


def test_formula_without_stored_value_is_refused(workbook):
    with pytest.raises(
        InputError, match=r"formula must have a stored value. Got '=A2\*2' at row 2, column 'B'"
    ):
        read_table(workbook(s=[["a", "b"], [1, "=A2*2"]]))


def test_numbers_stored_as_text(workbook):
    table = read_table(workbook(s=[["T", "id"], ["300", "001"], [310, "002"]]))
    assert table.frame["T"].tolist() == [300, 310]
    assert only(table, "text_number").message.startswith("numbers stored as text in 1 cell")
    assert table.frame["id"].tolist() == ["001", "002"]


def test_percent_and_padded_formats_mean_what_is_shown(workbook):
    def style(book):
        for row in (2, 3):
            book["s"][f"A{row}"].number_format = "0.0%"
            book["s"][f"B{row}"].number_format = "000"

    table = read_table(workbook(style, s=[["収率 [%]", "id"], [0.07, 1], [0.455, 12]]))
    assert table.frame["収率"].tolist() == [7.0, 45.5]
    assert table.frame["id"].tolist() == ["001", "012"]


def test_dates_of_a_workbook_stay_text(workbook):
    from datetime import datetime

    table = read_table(workbook(s=[["日付", "M"], [datetime(2024, 1, 5), 1], [datetime(2024, 1, 6), 2]]))
    assert table.frame["日付"].tolist() == ["2024-01-05", "2024-01-06"]


def test_error_values_and_hidden_rows_of_a_workbook(workbook):
    def hide(book):
        book["s"].row_dimensions[3].hidden = True

    table = read_table(workbook(hide, s=[["a", "b"], [1, "#N/A"], [2, 3]]))
    assert table.frame["b"].isna().tolist() == [True, False]
    assert only(table, "hidden_row").row == 3


def test_thousands_as_text_in_a_workbook_are_not_settled_by_its_numbers(workbook):
    with pytest.raises(InputError, match=r"it can be 1234 or 1\.234"):
        read_table(workbook(s=[["a", "b"], ["1,234", 0.5], ["2,345", 0.6]]))


def test_other_office_files_are_named(read, tmp_path):
    with pytest.raises(InputError, match=r"not an old \.xls or a protected one"):
        read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(64), "old.xls")
    with pytest.raises(InputError, match=r"whole \.xlsx workbook"):
        read(b"PK\x03\x04broken", "broken.xlsx")


def test_missing_openpyxl_says_how_to_install(workbook, monkeypatch):
    import sys

    from sozai.contracts.errors import MissingPackageError

    path = workbook(s=[["a"], [1]])
    for name in [name for name in sys.modules if name.split(".")[0] == "openpyxl"]:
        monkeypatch.delitem(sys.modules, name)

    class Absent:
        def find_spec(self, name, *_):
            if name == "openpyxl":
                raise ModuleNotFoundError("No module named 'openpyxl'", name="openpyxl")

    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])
    with pytest.raises(MissingPackageError, match=r'pip install "sozai\[excel\]"'):
        read_table(path)


# --------------------------------------------------------------------------------------------
# Writing
# --------------------------------------------------------------------------------------------


def test_written_tables_read_back(tmp_path):
    frame = pd.DataFrame({"試料": ["鉄", "Na"], "T": [300.1, 1e-300], "n": [1, 2]})
    path = write_table(frame, tmp_path / "out.csv", units={"T": "K"})
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    table = read_table(path)
    pd.testing.assert_frame_equal(table.frame, frame)
    assert table.units["T"] == "K"


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(InputError, match=r"encoding cp932. Got 'Å' at row 3"):
        write_table(pd.DataFrame({"a": ["鉄", "\u00c5"]}), path, encoding="cp932")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(InputError, match="writable"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "no" / "out.csv")


def test_a_written_file_keeps_its_rights(tmp_path):
    path = tmp_path / "out.csv"
    write_table(pd.DataFrame({"a": [1]}), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


# --------------------------------------------------------------------------------------------
# Real files
# --------------------------------------------------------------------------------------------

DATA = os.environ.get("SOZAI_DATA")


@pytest.mark.skipif(DATA is None, reason="SOZAI_DATA is not set")
def test_published_tables_read_like_pandas():
    folder = Path(str(DATA)) / "symbolic"
    octet = read_table(folder / "octet82.csv")
    pd.testing.assert_frame_equal(octet.frame, pd.read_csv(folder / "octet82.csv", keep_default_na=False))
    assert octet.repairs == ()
    perovskites = read_table(folder / "bartel2019_TableS1_576_ABX3.csv")
    assert perovskites.units["rA"] == "Ang"
    assert perovskites.frame.shape == (576, 17)
    assert "Na" in set(perovskites.frame["A"])
    elements = read_table(folder / "lidg_binary_alloy_rdb3.dat")
    assert elements.frame["MP"][3] == 0.0000
    assert elements.frame["E"].tolist()[:3] == ["Sc", "Ti", "V"]
    with pytest.raises(InputError, match="row 2"):
        read_table(folder / "slater_pauling_99.dat")
