import numpy as np
import pytest
import torch

from crossinit_fairseq.analysis.words import LanguageWords, in_common, look_up
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.export.tables import EmbeddingTable
from tests.analysis.spaces import language_words, rank_table

SYMBOLS = ["\u2581the", "\u2581King", "s", "casa", "\u2581rege"]


def table(symbols=SYMBOLS):
    return EmbeddingTable(symbols, torch.eye(len(symbols)) * torch.arange(1.0, len(symbols) + 1), "t.vec")


def test_a_word_is_the_mean_of_its_sub_tokens_and_one_without_rows_is_left_out():
    pieces = {"the": ["\u2581the"], "Kings": ["\u2581King", "s"], "queen": ["\u2581qu", "een"]}
    found = look_up(table(), {"en": rank_table("en", ["the", "queen", "Kings"])}, 10, lambda word: pieces[word])
    assert found.words["en"].words == ["the", "Kings"]
    assert found.words["en"].ranks.tolist() == [1, 3] and found.words["en"].listed == 3
    # rows 1 and 2 are 2 and 3 on their own axes
    assert found.space("t").vectors["en"].tolist() == [[1, 0, 0, 0, 0], [0, 1, 1.5, 0, 0]]


def test_without_a_model_whole_symbols_are_words_marked_or_not():
    found = look_up(table(), {"ro": rank_table("ro", ["rege", "casa", "s", "și"])}, 3)
    assert found.words["ro"].words == ["rege", "casa", "s"]


def test_ranks_beyond_the_highest_are_not_looked_for():
    assert look_up(table(), {"ro": rank_table("ro", ["casa", "rege"])}, 1).words["ro"].words == ["casa"]


def test_a_table_without_words_of_a_language_is_named():
    with pytest.raises(InputError, match="t.vec has no row for any word of hi"):
        look_up(table(), {"hi": rank_table("hi", ["घर"])}, 10)


def test_words_are_found_in_any_case_and_the_exact_spelling_first():
    words = LanguageWords("de", ["weg", "König", "Weg"], np.array([1, 2, 3]), 3)
    assert [words.find(word) for word in ("Weg", "weg", "WEG", "könig", "Königin")] == [2, 0, 0, 1, None]


def test_only_words_that_all_tables_have_are_compared():
    one = look_up(table(), {"ro": rank_table("ro", ["rege", "casa"])}, 9)
    two = look_up(table(["casa", "s", "x", "y"]), {"ro": rank_table("ro", ["rege", "casa"])}, 9)
    for each in in_common([one, two]):
        assert each.words["ro"].words == ["casa"] and each.words["ro"].ranks.tolist() == [2]
    three = look_up(table(["\u2581rege", "s"]), {"ro": rank_table("ro", ["rege", "casa"])}, 9)
    with pytest.raises(InputError, match="no word of ro in common"):
        in_common([two, three])


def test_a_rank_band_holds_the_neighbours_in_rank_and_not_the_word():
    words = language_words("aa")
    # rank 200: from 133.3 to 300; 133 is out
    assert words.band(199).tolist() == [k for k in range(133, 300) if k != 199]
    # rank 2: at least 50 on the side that has them
    assert words.band(1).tolist() == [0] + list(range(2, 52))
    assert language_words("aa", 1).band(0).tolist() == []
