"""One sentence form for every error."""

import pytest

from sozai.contracts import errors
from sozai.contracts.errors import InputError, NotIndependentError, UnitError, sentence


def test_the_sentence_says_what_must_hold_what_came_where_and_what_to_do():
    text = sentence("Law.fit", "phase", "be text", 1.0, at="for candidate 17", remedy="Write 'alpha'.")
    assert text == "Law.fit: phase must be text. Got 1.0 for candidate 17. Write 'alpha'."


def test_a_place_without_a_value():
    assert sentence("read", "cell", "be filled", at="row 3") == "read: cell must be filled. Found row 3."


def test_none_is_a_value_like_any_other():
    assert sentence("f", "x", "be a number", None) == "f: x must be a number. Got None."


def test_a_long_value_is_cut_at_120_characters():
    shown = sentence("f", "x", "be short", "a" * 500).partition("Got ")[2].removesuffix(".")
    assert len(shown) == 120
    assert shown.endswith("...")
    assert "a" * 119 not in shown


def test_exceptions_are_what_a_caller_expects_to_catch():
    assert issubclass(InputError, ValueError)
    assert issubclass(UnitError, InputError)
    assert issubclass(NotIndependentError, InputError)
    assert issubclass(errors.NotInvertibleError, ValueError)
    assert issubclass(errors.MissingPackageError, ImportError)
    assert issubclass(errors.MissingDataError, LookupError)
    for kind in (errors.ConvergenceWarning, errors.ExtrapolationWarning):
        assert issubclass(kind, UserWarning)
    with pytest.raises(ValueError, match="both sides"):
        raise UnitError("both sides")
