"""Translation pairs from word rank and context, without a dictionary and without parallel text. No fairseq."""

from crossinit_fairseq.lexicon.lexicon_file import Lexicon, Pair, read_word_pairs

__all__ = ["Lexicon", "Pair", "read_word_pairs"]
