import numpy as np
import pandas as pd
import pytest

from sozai.composition.side_columns import check_extra, is_text, row_blocks, split_side_columns
from sozai.contracts.errors import InputError


def test_which_input_is_parsed_block_by_block():
    assert is_text(["NaCl"])
    assert is_text([{"Na": 1}])
    assert is_text(np.array(["NaCl"], dtype=object))
    assert is_text(pd.DataFrame({"formula": ["NaCl"]}))
    assert not is_text([[0.5, 0.5]])
    assert not is_text(pd.DataFrame({"Na": [1.0]}))
    assert not is_text(pd.DataFrame({"formula": ["NaCl"], "more": ["KCl"]}))


def test_blocks_cover_all_rows():
    frame = pd.DataFrame({"formula": list("abcde")})
    blocks = list(row_blocks(frame, 2))
    assert [start for start, _ in blocks] == [0, 2, 4]
    assert pd.concat([block for _, block in blocks]).equals(frame)


def test_atoms_may_be_a_column():
    frame = pd.DataFrame({"formula": ["NaCl"], "n_atoms": [8]})
    rest, side = split_side_columns(frame, ("n_atoms",), place="x")
    assert list(rest) == ["formula"]
    assert side["n_atoms"].to_list() == [8.0]
    assert split_side_columns(["NaCl"], ("n_atoms",), place="x") == (["NaCl"], None)


def test_text_among_the_numbers():
    frame = pd.DataFrame({"formula": ["a", "b"], "T": [300, "hot"]})
    with pytest.raises(InputError, match=r"Got 'hot' at row 1, column 'T'"):
        split_side_columns(frame, ("T",), place="x")


@pytest.mark.parametrize("extra", ["T", ("T", "T"), (1,), None])
def test_names_of_side_columns(extra):
    with pytest.raises(InputError, match="be a tuple of names, each once"):
        check_extra(extra, place="x")
