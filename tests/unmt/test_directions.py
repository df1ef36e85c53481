"""crossinit_fairseq/unmt/directions.py"""

import pytest

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.unmt.directions import Directions


def test_all_pairs_by_default():
    assert Directions(None, ["aa", "bb"]) == [("aa", "bb"), ("bb", "aa")]
    assert len(Directions("", ["aa", "bb", "cc"])) == 6


def test_a_third_language_beside():
    directions = Directions("ne-en, en-ne,hi-en,en-hi", ["ne", "hi", "en"])
    assert directions == [("ne", "en"), ("en", "ne"), ("hi", "en"), ("en", "hi")]
    # English is learnt from both in turn, the others from English alone
    assert [directions.source_of("en", turn) for turn in range(4)] == ["ne", "hi", "ne", "hi"]
    assert {directions.source_of(lang, turn) for lang in ("ne", "hi") for turn in range(3)} == {"en"}
    assert set(directions.generated()) == set(directions)
    assert directions.round_trips() == [("ne", "en"), ("hi", "en"), ("en", "ne")]
    assert directions.only_denoised() == []


def test_one_way():
    directions = Directions("hi-en", ["en", "hi", "ne"])
    assert directions.source_of("en", 7) == "hi" and directions.source_of("hi", 0) is None
    assert directions.generated() == [("en", "hi")], "to learn Hindi to English, English is translated into Hindi"
    assert directions.only_denoised() == ["hi", "ne"]
    assert directions.round_trips() == []


@pytest.mark.parametrize("wrong", ["aa", "aa-aa", "aa-xx", "aa-bb-aa", "", "aa_bb"])
def test_anything_else_is_refused(wrong):
    with pytest.raises(InputError, match=f"names '{wrong}'; .* of the languages aa, bb"):
        Directions("bb-aa," + wrong, ["aa", "bb"])
    with pytest.raises(InputError, match="'bb-aa' twice"):
        Directions("bb-aa,bb-aa", ["aa", "bb"])
