import pytest

from sozai.contracts.records import with_error


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (284.80312, 0.00417, "284.8031 ± 0.0042"),
        (0.0996, 0.0996, "0.10 ± 0.10"),
        (12345.6, 131.0, "12350 ± 130"),
        (412.3, 31.2, "412 ± 31"),
        (12.0, float("nan"), "12"),
        (2.5, 0.0, "2.5"),
        (None, None, "-"),
        (float("nan"), 1.0, "-"),
        (3.0, 1e-20, "3 ± 1e-20"),
        (3.2e9, 1.5e7, "3.2e+09 ± 1.5e+07"),
        (1.5e-9, 2e-11, "1.5e-09 ± 2e-11"),
    ],
)
def test_values_stop_at_the_second_digit_of_their_error(value, error, text):
    assert with_error(value, error) == text
