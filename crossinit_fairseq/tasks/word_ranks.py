"""Step 1 for a task: the ranked words of a language, from binarised text or from a rank table."""

import logging
import os
from typing import Dict, List, Optional, Sequence

from fairseq.data import Dictionary

from crossinit_fairseq.command_line import between_commas
from crossinit_fairseq.data.dictionary import special_rows
from crossinit_fairseq.data.text_check import find_control_symbols, report_control_symbols
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import RankedWords, RankTable, WordPieces, open_binarised, rank_words, to_ranked_words
from crossinit_fairseq.ranks.sentencepiece_model import check_dictionary, check_model, check_same_model, load_model

logger = logging.getLogger(__name__)


def parse_tables(option: Optional[str]) -> Dict[str, str]:
    """``en=FILE,ro=FILE`` as {language: path}. Raises InputError for anything else, or when a file is missing."""
    tables = {}
    for part in between_commas(option or "", "--ranks"):
        language, equals, path = part.partition("=")
        if not equals or not language or not os.path.isfile(path):
            raise InputError(f"--ranks takes LANG=FILE,LANG=FILE of rank tables that exist, not {part!r}")
        tables[language] = path
    return tables


def from_binarised(
    prefixes: Sequence[str], dictionary: Dictionary, languages: Sequence[str], style: str
) -> RankedWords:
    """Count the words of binarised text. prefixes: one for each shard; style: of the sub-tokens.

    Raises InputError when a file is missing or damaged, or the text holds no word.
    """
    for prefix in prefixes:
        found = find_control_symbols(prefix, dictionary.symbols, languages)
        report_control_symbols(prefix, found, "the words around them are counted")
    special = special_rows(dictionary.symbols, languages)
    pieces = WordPieces(dictionary.symbols, special=special, unk=dictionary.unk(), style=style)
    return rank_words([open_binarised(prefix) for prefix in prefixes], pieces)


def from_table(
    path: str, dictionary: Dictionary, sentencepiece_model: Optional[str], language: str, folder: str
) -> RankedWords:
    """Cut the words of a rank table into the dictionary's sub-tokens. folder: of the dictionary.

    Raises InputError when there is no SentencePiece model to cut them with, when its words cannot be told apart, when
    it has not cut the text of the data folder, when the table is of another language, or no word can be cut.
    """
    if not sentencepiece_model or not os.path.isfile(sentencepiece_model):
        raise InputError(
            f"--ranks needs --sentencepiece-model, the model that the text was cut with, to cut the words of {path}; "
            f"got {sentencepiece_model!r}"
        )
    model = load_model(sentencepiece_model)
    check_model(model, sentencepiece_model)
    check_same_model(sentencepiece_model, folder)
    check_dictionary(model, sentencepiece_model, dictionary.symbols, os.path.join(folder, "dict.txt"))

    def encode(word: str) -> Optional[List[int]]:
        tokens = [dictionary.index(piece) for piece in model.encode(word, out_type=str)]
        return None if dictionary.unk() in tokens else tokens

    words, dropped = to_ranked_words(RankTable.load(path, language), encode)
    if dropped:
        logger.warning(f"{path}: left out {dropped:,} words that the SentencePiece model cannot cut")
    return words
