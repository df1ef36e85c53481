"""Step 1, Sorting (paper section 2.1): what a word is, counting words, and their order by count."""

from crossinit_fairseq.ranks.binarised import BinarisedText, open_binarised
from crossinit_fairseq.ranks.counting import rank_words
from crossinit_fairseq.ranks.ranked_words import RankedWords
from crossinit_fairseq.ranks.words import BPE_STYLES, WordPieces

__all__ = ["BPE_STYLES", "BinarisedText", "RankedWords", "WordPieces", "open_binarised", "rank_words"]
