"""Rows by name and by number, and what is said of results, failures and releases."""

import pytest

COUNTED = "No,x,T,y\n1,0.1,3,\n2,0.2,5,4\n3,0.3,2,\n4,0.4,9,1\n5,0.5,7,\n"
NAMED = "No,x,T,y\n1001,0.1,3,\n1002,0.2,5,4\n1003,0.3,2,\n1004,0.4,9,1\n1005,0.5,7,\n"
QUICK = ("--objective", "y:max", "--method", "exhaustive")


@pytest.fixture
def said(run):
    """What the terminal shows."""

    def call(path, *options):
        code, out, err = run("propose", "candidates", path, *options)
        assert (code, err) == (0, "")
        return out

    return call


def cells(path):
    return [line.split(",")[-1] for line in path.read_text().splitlines()[1:]]


def test_names_that_are_numbers_are_names(said, written, tmp_path):
    path = written(tmp_path, NAMED)
    out = said(path, *QUICK, "--id", "No", "--tell", "1003=5", "--tell", "0=2")
    assert cells(path) == ["2.0", "4", "5.0", "1", ""]
    assert "Entered 5 for row 2 (No 1003).\nEntered 2 for row 0 (No 1001).\nEntered 2 results" in out
    assert cells(written(tmp_path, NAMED, "plain.csv"))[2] == ""
    assert "Entered 5 for row 2.\n" in said(tmp_path / "plain.csv", *QUICK, "--tell", "2=5")


def test_a_name_that_is_another_row_is_refused(said, refused, written, tmp_path):
    path = written(tmp_path, COUNTED)
    options = (*QUICK, "--id", "No")
    words = refused(path, *options, "--tell", "3=5")
    assert "row 2 (No 3) has this name, row 3 (No 4) this number. Got '3=5'. Write row:2 or row:3." in words
    for option in ("--release", "--withdraw"):
        assert "Write row:2 or row:3." in refused(path, *options, option, "3")
    said(path, *options, "--tell", "row:2=5", "--tell", "row:4:y=6", "--tell", "0=8")
    assert cells(path) == ["8.0", "4", "5.0", "1", "6.0"]
    begun = written(tmp_path, COUNTED.replace("0.1,3,", "0.1,3,7"), "begun.csv")
    assert "--tell row:2=VALUE enters a result" in said(begun, *options)


def test_names_of_samples_of_a_phase_diagram(run, written, tmp_path):
    path = written(tmp_path, "No,x,T,phase\n1,0.1,300,A\n2,0.2,500,B\n3,0.3,200,\n4,0.4,900,\n15,0.5,100,\n")
    command = ("propose", "phases", path, "--id", "No", "--json")
    code, _, err = run(*command, "--tell", "3=A")
    assert (code, "Write row:2 or row:3." in err) == (3, True)
    assert run(*command, "--tell", "15=A", "--tell", "row:3=B")[0] == 0
    assert cells(path) == ["A", "B", "", "B", "A"]


def test_a_name_that_stands_twice_is_refused(refused, written, tmp_path):
    path = written(tmp_path, NAMED.replace("1003", "S").replace("1005", "S"))
    words = refused(path, *QUICK, "--id", "No", "--tell", "S=3")
    assert "'S' stands in rows 2 and 4. Got 'S=3'. Name the row: row:2 or row:4." in words


def test_a_failure_beside_a_result_says_that_it_changes_nothing(ask, written, tmp_path):
    path = written(tmp_path, NAMED)
    notes = ask(path, *QUICK, "--tell", "1=failed")["warnings"]
    assert any("Row 1 keeps its result 4: " in note and "--withdraw 1 takes" in note for note in notes)
    ask(path, *QUICK, "--withdraw", "1", "--withdraw", "1")
    assert cells(path)[1] == ""


def test_releasing_what_does_not_run_names_the_row(run, written, tmp_path):
    path = written(tmp_path, NAMED)
    _, out, _ = run("propose", "candidates", path, *QUICK, "--release", "2")
    assert "Row 2 is not running; there is nothing to release." in out
    assert "Released" not in out
    assert "Nothing is running" in run("propose", "candidates", path, *QUICK, "--release")[1]


def test_an_approximate_value_is_pointed_at(ask, written, tmp_path):
    path = written(tmp_path, NAMED.replace(",4\n", ",~4\n"))
    notes = ask(path, *QUICK, "--tell", "0=~3")["warnings"]
    assert any("'~4' at line 3, column 'y'" in note and "(1 such cell)" in note for note in notes)
    assert any(note.startswith("'~3' for row 0 is approximate") for note in notes)


# --- columns that come and go --------------------------------------------------------------------------


def with_column(text, name="P"):
    head, *rows = text.splitlines()
    return "\n".join([f"{name},{head}", *(f"{7 * k % 5},{row}" for k, row in enumerate(rows))]) + "\n"


def test_a_new_column_is_left_alone(ask, said, written, tmp_path):
    text = "x,T,y\n0.1,3,\n0.2,5,4\n0.3,2,\n0.4,9,1\n"
    ask(written(tmp_path, text), *QUICK, "--start")
    path = written(tmp_path, with_column(text))
    assert ask(path)["warnings"] == ["Not used: 'P' (was not there when the campaign began)."]
    quiet = ask(path, "--ignore", "P", "--tell", "0=2")
    assert (quiet["warnings"], quiet["descriptors"]) == ([], ["x", "T"])
    assert path.read_text().splitlines()[1] == "0,0.1,3,2.0"


def test_a_lost_column_is_to_be_restored(ask, refused, written, tmp_path):
    ask(written(tmp_path, "x,T,y\n0.1,3,\n0.2,5,4\n0.3,2,\n"), *QUICK, "--start")
    path = written(tmp_path, "x,y\n0.1,\n0.2,4\n0.3,\n")
    assert "Restore the column 'T', or begin anew" in refused(path)


# --- the file and the places ---------------------------------------------------------------------------


def test_results_without_objectives_point_to_the_option(refused, written, tmp_path):
    path = written(tmp_path, "x,a,b\n0,1,2\n1,3,1\n2,,\n3,,\n")
    assert "at line 4, column 'a'" in refused(path)
    assert refused(path).endswith("leave the row out; if it holds results, give --objectives 2.")
    assert refused(written(tmp_path, "x,a,b\n0,1,2\n,3,1\n2,4,\n")).endswith("leave the row out.")


@pytest.mark.parametrize(("sign", "encoding"), [(",", "utf-8-sig"), (";", "cp932"), ("\t", "utf-16")])
def test_the_line_that_names_the_delimiter_stays(ask, written, tmp_path, sign, encoding):
    text = f"sep={sign}\r\nx,温度,y\r\n0.1,300,1\r\n0.2,310,\r\n0.3,305,\r\n".replace(",", sign)
    path = written(tmp_path, text, encoding=encoding)
    answer = ask(path, "--method", "exhaustive", "--tell", "1=2")
    assert answer["descriptors"] == ["x", "温度"]
    assert path.read_bytes().decode(encoding) == text.replace(f"310{sign}", f"310{sign}2.0")


def test_no_descriptor_is_left(refused, written, tmp_path):
    path = written(tmp_path, COUNTED)
    words = refused(path, "--id", "No", "--ignore", "x", "--ignore", "T")
    assert "'T' left out, 'y' result" in words
    assert words.endswith("Give fewer columns to --id, --cost or --ignore.")


def test_figures_of_an_earlier_call_are_removed(ask, written, tmp_path):
    path = written(tmp_path, "x,a,b\n0,1,2\n1,3,1\n2,4,0\n3,,\n4,,\n")
    out = tmp_path / "report"
    ask(path, "--objectives", 2, "--output", out)
    (out / "figures" / "mine.png").write_bytes(b"")
    assert (out / "figures" / "why_2.png").exists()
    ask(written(tmp_path, "x,a\n0,1\n1,3\n2,4\n3,\n4,\n", "one.csv"), "--output", out)
    names = {file.name for file in (out / "figures").glob("*.png")}
    assert names == {"history.png", "why.png", "mine.png"}


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_entered(refused, listed, monkeypatch):
    import tempfile

    def none(**_):
        raise PermissionError

    monkeypatch.setattr(tempfile, "TemporaryFile", none)
    words = refused(listed, *("--objective", "Tc:max", "--tell", "0=2", "--output", listed.parent / "report"))
    assert "lie in a folder you may write" in words
    assert [file.name for file in listed.parent.iterdir()] == ["candidates.csv"]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (["Tc:max"], "ei"),
        (["Tc:target=42"], "target"),
        (["Tc:range=40..42"], "range"),
        (["Tc:max", "--acquisition", "pi"], "pi"),
        (["Tc:thresholds=40"], "least_confident"),
        (["Tc:max", "--method", "random"], None),
        (["Tc:max", "--objective", "T:min"], "ehvi"),
    ],
)
def test_the_acquisition_has_a_name(ask, listed, options, name):
    answer = ask(listed, "--objective", *options)
    assert answer["acquisition"] == name
    assert answer["units"] == {"x": None, "T": "K", "Tc": "K"}
