"""The option `--lexicon` of the tasks: lexicon files, and their words in the sub-tokens of the data folder."""

import logging
import os
from typing import Dict, List, Mapping, Tuple

from fairseq.data import Dictionary

from crossinit_fairseq.data.folder import data_folders
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import language_pair
from crossinit_fairseq.lexicon import Lexicon
from crossinit_fairseq.lexicon.word_by_word import PieceTranslator
from crossinit_fairseq.lexicon.word_forms import LexiconTokens, WordForms, to_tokens
from crossinit_fairseq.ranks import RankedWords, WordPieces
from crossinit_fairseq.tasks.word_ranks import from_binarised

logger = logging.getLogger(__name__)


def parse_lexicons(option: str, languages: List[str]) -> Dict[Tuple[str, str], Lexicon]:
    """``en-ro=FILE,en-ne=FILE`` as {(source, target): Lexicon}, in the order of the option; nothing for no option.

    Raises InputError for another form, for a language that is none of `languages`, for two lexicons of the same two
    languages, and for a file that is missing, malformed or of other languages.
    """
    lexicons: Dict[Tuple[str, str], Lexicon] = {}
    for part in (option or "").split(","):
        pair, equals, path = part.strip().partition("=")
        if not part.strip():
            continue
        if not equals or "-" not in pair or not path:
            raise InputError(f"--lexicon takes SOURCE-TARGET=FILE, such as en-ro=en-ro.tsv, not {part!r}")
        if pair in {f"{language}-{language}" for language in languages}:
            raise InputError(f"--lexicon {part}: a lexicon is of two languages, not of one")
        try:
            named = language_pair(pair, languages)
        except InputError:
            raise InputError(
                f"--lexicon names the languages {pair}, but this run has {', '.join(languages)}: name two of these, "
                "with a hyphen between them"
            ) from None
        if named in lexicons or named[::-1] in lexicons:
            raise InputError(f"--lexicon names {pair} twice: put the pairs of both files into one")
        if not os.path.isfile(path):
            raise InputError(f"--lexicon {part}: the file {path} does not exist; `crossinit-lexicon induce` makes one")
        lexicons[named] = Lexicon.load(path, named)
    return lexicons


def lexicon_tokens(
    lexicon: Lexicon, words: Dict[str, RankedWords], dictionary: Dictionary, name: str = ""
) -> LexiconTokens:
    """A lexicon's words as the sub-tokens that the binarised training text writes them in.

    words: RankedWords of the lexicon's two languages; name: of the lexicon, for the log (default: its languages).
    Words that the text does not hold are left out, and counted in one line of the log; see `lexicon.word_forms` for how
    the case of a lower-cased lexicon comes back. Raises InputError when no pair is left.
    """
    name = name or f"{lexicon.source}-{lexicon.target}"
    forms = [
        WordForms(words[language], dictionary.symbols, language, lexicon.lowercase)
        for language in (lexicon.source, lexicon.target)
    ]
    tokens = to_tokens(lexicon, *forms)
    if not tokens.forward and not tokens.backward:
        raise InputError(
            f"no pair of the lexicon {name} has both of its words in the training text: is it of these languages and "
            "of this data folder?"
        )
    logger.info(
        f"lexicon {name}: {len(lexicon):,} pairs; {tokens.found:,} of its words occur in the training text, "
        f"{tokens.missing:,} do not and are left out; with cased forms {len(tokens.pairs):,} mutual pairs, "
        f"{len(tokens.forward):,} words of {lexicon.source} and {len(tokens.backward):,} of {lexicon.target} are "
        "translated"
    )
    return tokens


def training_words(
    data: str, languages: List[str], dictionary: Dictionary, train_subset: str = "train", style: str = "auto"
) -> Dict[str, RankedWords]:
    """RankedWords of each language, counted in the training text of all shards; style: of the sub-tokens.

    data: the data folders, separated by colons. Raises InputError when a file is missing or holds no word.
    """
    return {
        language: from_binarised(
            [os.path.join(folder, language, train_subset) for folder in data_folders(data)],
            dictionary,
            languages,
            style,
        )
        for language in languages
    }


def piece_translators(
    lexicons: Mapping[Tuple[str, str], Lexicon],
    data: str,
    languages: List[str],
    dictionary: Dictionary,
    pieces: WordPieces,
    train_subset: str = "train",
) -> Dict[Tuple[str, str], PieceTranslator]:
    """{(source, target): PieceTranslator} of each lexicon, both ways; for the arguments see training_words.

    Counts the words of the training text if there is any lexicon. Raises InputError as `lexicon_tokens` does.
    """
    words = training_words(data, languages, dictionary, train_subset) if lexicons else {}
    translators = {}
    for (source, target), lexicon in lexicons.items():
        tokens = lexicon_tokens(lexicon, words, dictionary)
        translators[source, target] = PieceTranslator(pieces, tokens.forward)
        translators[target, source] = PieceTranslator(pieces, tokens.backward)
    return translators
