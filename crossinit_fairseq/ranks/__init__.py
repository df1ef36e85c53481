"""Step 1, Sorting (paper section 2.1): what a word is, counting words, and their order by count."""

from crossinit_fairseq.ranks.binarised import BinarisedText, open_binarised
from crossinit_fairseq.ranks.counting import rank_words
from crossinit_fairseq.ranks.rank_table import RankTable, ZipfFit
from crossinit_fairseq.ranks.ranked_words import RankedWords, to_ranked_words
from crossinit_fairseq.ranks.text.counting import count_text
from crossinit_fairseq.ranks.text.words import TextWords
from crossinit_fairseq.ranks.word_lists import read_word_list, wordfreq_table
from crossinit_fairseq.ranks.word_pieces import BPE_STYLES, WordPieces

__all__ = [
    "BPE_STYLES",
    "BinarisedText",
    "RankTable",
    "RankedWords",
    "TextWords",
    "WordPieces",
    "ZipfFit",
    "count_text",
    "open_binarised",
    "rank_words",
    "read_word_list",
    "to_ranked_words",
    "wordfreq_table",
]
