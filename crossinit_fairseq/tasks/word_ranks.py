"""Step 1 for a task: the ranked words of a language, from binarised text or from a rank table."""

import logging
import os

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import RankTable, WordPieces, open_binarised, rank_words, to_ranked_words
from crossinit_fairseq.tasks.data_folder import MASK, language_token

logger = logging.getLogger(__name__)


def parse_tables(option):
    """``en=FILE,ro=FILE`` as {language: path}. Raises InputError for anything else, or when a file is missing."""
    tables = {}
    for part in (option or "").split(","):
        language, equals, path = part.strip().partition("=")
        if not part.strip():
            continue
        if not equals or not language or not os.path.isfile(path):
            raise InputError("--ranks takes LANG=FILE,LANG=FILE of rank tables that exist, not {!r}".format(part))
        tables[language] = path
    return tables


def from_binarised(prefixes, dictionary, languages, style):
    """Count the words of binarised text. prefixes: one for each shard; style: of the sub-tokens. Returns RankedWords."""
    special = [dictionary.index(symbol) for symbol in [MASK] + [language_token(lang) for lang in languages]]
    pieces = WordPieces(
        dictionary.symbols, special=list(range(dictionary.nspecial)) + special, unk=dictionary.unk(), style=style
    )
    return rank_words([open_binarised(prefix) for prefix in prefixes], pieces)


def from_table(path, dictionary, sentencepiece_model):
    """Cut the words of a rank table into the dictionary's sub-tokens. Returns RankedWords.

    Raises InputError when there is no SentencePiece model to cut them with, or no word can be cut.
    """
    if not sentencepiece_model or not os.path.isfile(sentencepiece_model):
        raise InputError(
            "--ranks needs --sentencepiece-model, the model that the text was cut with, to cut the words of {}; got {!r}".format(
                path, sentencepiece_model
            )
        )
    import sentencepiece

    model = sentencepiece.SentencePieceProcessor(model_file=sentencepiece_model)

    def encode(word):
        tokens = [dictionary.index(piece) for piece in model.encode(word, out_type=str)]
        return None if dictionary.unk() in tokens else tokens

    words, dropped = to_ranked_words(RankTable.load(path), encode)
    if dropped:
        logger.warning("{}: left out {:,} words that the SentencePiece model cannot cut".format(path, dropped))
    return words
