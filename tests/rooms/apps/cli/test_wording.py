"""Remedies of the library, said as options."""

import pytest

from sozai.apps.cli.wording import in_command_words

FEWER = "Give a lower --order or --max-terms, fewer --operations, or leave columns out with --ignore."


@pytest.mark.parametrize(
    ("python", "command"),
    [
        (
            "Declare pure numbers with dimensionless=[...].",
            "Declare pure numbers with --units COL= (no unit).",
        ),
        ("leave such rows out with missing='drop'.", "leave such rows out with --missing drop."),
        (
            "Write one decimal sign, or pass decimal='.' or decimal=','.",
            'Write one decimal sign, or pass --decimal "." or --decimal ",".',
        ),
        ("Pass delimiter=';' or delimiter=','.", 'Pass --delimiter ";" or --delimiter ",".'),
        ("read the first, 'a'; choose with sheet=", "read the first, 'a'; choose with --sheet"),
        (
            "at most max_features=1,000,000 columns. Got 9. Lower the order, or raise max_features.",
            f"at most 1,000,000 columns. Got 9. {FEWER}",
        ),
        ("first row 4: far. See applicability(X).", "first row 4: far."),
    ],
)
def test_a_remedy_names_the_option(python, command):
    assert in_command_words(python) == command


def test_other_text_stays():
    assert in_command_words("Got '失敗' at row 6.") == "Got '失敗' at row 6."


def test_notes_lose_the_name_of_the_python_call():
    note = "BayesianProposer.propose: 2 of 5 candidates: no more are open."
    assert in_command_words(note) == "2 of 5 candidates: no more are open."
