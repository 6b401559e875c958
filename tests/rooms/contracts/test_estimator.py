"""Tables come in by name, and what is wrong with them is said in our sentence."""

import numpy as np
import pandas as pd
import pytest

from sozai.contracts.errors import InputError
from sozai.contracts.estimator import BaseEstimator, input_names, validate_table


class Holder(BaseEstimator):
    """The least an estimator can be."""


FRAME = pd.DataFrame({"T": [1.0, 2.0, 3.0], "p": [4.0, 5.0, 6.0]})


@pytest.fixture
def fitted():
    holder = Holder()
    validate_table(holder, FRAME, np.arange(3.0))
    return holder


def message_of(*args, **kwargs):
    with pytest.raises(InputError) as caught:
        validate_table(*args, **kwargs)
    return str(caught.value)


def test_columns_are_put_in_the_order_of_fit(fitted):
    other = pd.DataFrame({"extra": [0.0], "p": [9.0], "T": [8.0]})
    assert validate_table(fitted, other, reset=False).tolist() == [[8.0, 9.0]]
    assert other.columns.tolist() == ["extra", "p", "T"]


def test_a_missing_column_is_named(fitted):
    message = message_of(fitted, FRAME.rename(columns={"p": "pressure"}), reset=False)
    assert "Holder.predict: X must have the columns seen in fit (T, p). Got 'missing: p'." in message
    assert message.endswith("Add these columns or rename yours.")


def test_values_that_are_not_finite_are_named_in_x_and_y():
    bad = FRAME.assign(p=[4.0, np.nan, 6.0])
    assert "Holder.fit: X must be finite. Input X contains NaN" in message_of(Holder(), bad)
    assert "row 1, column 'p'" in message_of(Holder(), bad)
    assert "Input y contains infinity" in message_of(Holder(), FRAME, np.array([1.0, np.inf, 2.0]))
    assert np.isnan(validate_table(Holder(), bad, finite=False)).sum() == 1


def test_target_that_is_needed_or_too_short():
    assert "requires y to be passed" in message_of(Holder(), FRAME, need_target=True)
    assert "inconsistent numbers of samples: [3, 2]" in message_of(Holder(), FRAME, np.ones(2))


def test_too_few_samples_keeps_scikit_learn_s_words():
    assert "minimum of 5 is required" in message_of(Holder(), FRAME, min_samples=5)


def test_names_of_columns_with_and_without_a_frame(fitted):
    assert input_names(fitted) == ("T", "p")
    bare = Holder()
    validate_table(bare, FRAME.to_numpy())
    assert input_names(bare) == ("x0", "x1")


@pytest.mark.parametrize("dtype", [object, str, "string"])
def test_a_word_in_the_target_is_named(dtype):
    y = pd.Series(["1.5", "2", "n.d.", "3"], dtype=dtype)
    with pytest.raises(
        InputError, match=r"Holder\.fit: y must hold numbers\. Got 'n\.d\.' at row 2\. Correct or drop"
    ):
        validate_table(Holder(), np.arange(8.0).reshape(4, 2), y)
