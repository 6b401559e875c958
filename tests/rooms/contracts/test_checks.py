"""User input becomes arrays - or one sentence with the right numbers in it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import sparse

from sozai.contracts.checks import as_generator, as_matrix, as_names, as_vector, require_finite, spawn
from sozai.contracts.errors import InputError


def message_of(function, *args, **kwargs):
    with pytest.raises(InputError) as caught:
        function(*args, **kwargs)
    return str(caught.value)


@given(arrays.arrays(np.float64, arrays.array_shapes(min_dims=2, max_dims=2), elements=st.floats(-1e9, 1e9)))
def test_a_finite_matrix_passes_unchanged(values):
    np.testing.assert_array_equal(as_matrix(values, place="f"), values)


def test_numbers_in_any_clothes_become_float64():
    frame = pd.DataFrame({"a": [1, 2], "b": [True, False]})
    for given_table in (frame, frame.to_numpy().astype(object), [["1", "0"], ["2", "0"]]):
        values = as_matrix(given_table, place="f")
        assert values.dtype == np.float64
        assert values[:, 0].tolist() == [1.0, 2.0]


def test_the_first_bad_value_is_named_by_row_and_column():
    frame = pd.DataFrame({"T": [1.0, 2.0, 3.0], "p": [1.0, np.nan, np.inf]})
    message = message_of(as_matrix, frame, place="fit")
    assert message == (
        "fit: X must be finite. Input X contains NaN (2 non-finite of 6 values), first at row 1, column 'p'. "
        "Fill or drop these rows first."
    )
    assert "infinity" in message_of(as_matrix, frame.iloc[[0, 2]], place="fit")
    assert as_matrix(frame, place="fit", finite=False).shape == (3, 2)


def test_text_is_named():
    message = message_of(as_matrix, [["1", "2"], ["3", "tin"]], place="fit")
    assert "fit: X must hold numbers only. Got" in message
    assert "tin" in message
    assert "row 1, column 1" in message
    frame = pd.DataFrame({"T": [1, 2], "phase": ["alpha", "beta"]})
    assert "'alpha' at row 0, column 'phase' (dtype object)" in message_of(as_matrix, frame, place="fit")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (np.ones((2, 2)) * 1j, ["Complex data not supported", "complex128"]),
        (np.ones(3), ["2D array", "shape (3,)", "reshape(-1, 1)"]),
        (np.ones((2, 2, 2)), ["shape (2, 2, 2)"]),
        (sparse.eye_array(3), ["dense array", "toarray()"]),
    ],
)
def test_what_is_no_matrix(table, words):
    message = message_of(as_matrix, table, place="fit")
    for word in words:
        assert word in message


def test_too_few_rows_or_columns():
    message = message_of(as_matrix, np.ones((2, 3)), place="fit", min_samples=4, min_columns=2)
    assert "at least 4 rows and 2 columns. Got 'shape (2, 3)'" in message
    assert "at least 1 rows and 4 columns" in message_of(as_matrix, np.ones((2, 3)), place="f", min_columns=4)


def test_a_vector_has_one_value_per_row():
    assert as_vector([1, 2, 3], 3, place="fit").tolist() == [1, 2, 3]
    assert as_vector(np.ones((4, 1)), place="fit").shape == (4,)
    message = message_of(as_vector, [1, 2, 3], 5, place="fit")
    assert "one value per row of X (5). Got 3. Check that both come from the same table." in message
    assert "1D array. Got 'shape (2, 2)'" in message_of(as_vector, np.ones((2, 2)), place="fit")
    assert "row 1" in message_of(as_vector, [1.0, np.inf], place="fit")
    assert "Complex data not supported" in message_of(as_vector, [1j], place="fit")


def test_require_finite_counts():
    values = np.array([[1.0, -np.inf], [np.nan, np.nan]])
    message = message_of(require_finite, values, place="f", names=["a", "b"])
    assert "contains infinity (3 non-finite of 4 values), first at row 0, column 'b'" in message


def test_names_are_made_up_counted_and_unique():
    assert as_names(None, 3, place="f") == ("x0", "x1", "x2")
    assert as_names([1, "b"], 2, place="f") == ("1", "b")
    assert "one entry per column (3). Got 2." in message_of(as_names, ["a", "b"], 3, place="f")
    assert "be unique. Got 'a'." in message_of(as_names, ["a", "b", "a"], 3, place="f")


def test_every_kind_of_random_state_becomes_a_generator():
    generator = np.random.default_rng(1)
    assert as_generator(generator) is generator
    assert as_generator(5).random() == as_generator(np.int64(5)).random()
    assert as_generator(np.random.RandomState(3)).random() == as_generator(np.random.RandomState(3)).random()
    assert isinstance(as_generator(None), np.random.Generator)
    assert "Got 'seven'. Pass an integer seed." in message_of(as_generator, "seven")


def test_spawned_seeds_are_distinct_and_repeatable():
    first = [np.random.default_rng(child).random() for child in spawn(as_generator(0), 20)]
    again = [np.random.default_rng(child).random() for child in spawn(as_generator(0), 20)]
    assert first == again
    assert len(set(first)) == 20
