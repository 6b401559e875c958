"""An option that takes one value is given once."""


def test_a_second_target_is_refused(run, tmp_path):
    code, out, err = run("explain", "table", tmp_path / "a.csv", "--target", "y", "--target", "z")
    assert (code, out) == (2, "")
    assert "--target: can be given once. Got it 2 times." in err


def test_lists_may_repeat(run, tmp_path):
    code, _, err = run(
        "explain", "table", tmp_path / "a.csv", "--target", "y", "--ignore", "b", "--ignore", "c"
    )
    assert code == 3
    assert "must name an existing file" in err
