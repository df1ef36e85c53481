"""The option `--lexicon` of the tasks: lexicon files, and their words in the sub-tokens of the data folder."""

import logging
import os
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from fairseq.data import Dictionary

from crossinit_fairseq.command_line import between_commas
from crossinit_fairseq.data.folder import data_folders
from crossinit_fairseq.data.noise import WordNoise
from crossinit_fairseq.data.special_tokens import SpecialTokens
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import language_pair
from crossinit_fairseq.lexicon import Lexicon
from crossinit_fairseq.lexicon.word_by_word import PieceTranslator
from crossinit_fairseq.lexicon.word_forms import LexiconTokens, WordForms, to_tokens
from crossinit_fairseq.ranks import RankedWords, WordPieces
from crossinit_fairseq.tasks.crossinit_unmt_config import CrossInitUnmtConfig
from crossinit_fairseq.tasks.word_ranks import from_binarised
from crossinit_fairseq.unmt.lexicon import LexiconNoise, WordByWordSources

logger = logging.getLogger(__name__)


def parse_lexicons(option: str, languages: List[str]) -> Dict[Tuple[str, str], Lexicon]:
    """``en-ro=FILE,en-ne=FILE`` as {(source, target): Lexicon}, in the order of the option; nothing for no option.

    Raises InputError for another form, for a language that is none of `languages`, for two lexicons of the same two
    languages, and for a file that is missing, malformed or of other languages. Warns of a lexicon that its header says
    is not to be trusted.
    """
    lexicons: Dict[Tuple[str, str], Lexicon] = {}
    for part in between_commas(option or "", "--lexicon"):
        pair, equals, path = part.partition("=")
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
        lexicons[named] = lexicon = Lexicon.load(path, named)
        if not lexicon.trusted:
            logger.warning(
                f"the lexicon {path} is not to be trusted: from different starts the search found different pairs; "
                "look at it with `crossinit-lexicon show`, and make it anew with --seeds or more text"
            )
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
    wanted = {lexicon.source: [pair.source for pair in lexicon.pairs]}
    wanted[lexicon.target] = [pair.target for pair in lexicon.pairs]
    forms = [
        WordForms(words[language], dictionary.symbols, language, lexicon.lowercase, found)
        for language, found in wanted.items()
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
    data: str,
    languages: List[str],
    dictionary: Dictionary,
    train_subset: str = "train",
    style: str = "auto",
    wanted: Optional[Iterable[str]] = None,
) -> Dict[str, RankedWords]:
    """RankedWords of each language, counted in the training text of all shards; style: of the sub-tokens.

    data: the data folders, separated by colons; languages: all of the run, whose tokens are no words; wanted: those to
    count (default: all). Raises InputError when a file is missing or holds no word.
    """
    return {
        language: from_binarised(
            [os.path.join(folder, language, train_subset) for folder in data_folders(data)],
            dictionary,
            languages,
            style,
        )
        for language in (languages if wanted is None else wanted)
    }


class TranslationLexicons:
    """The lexicons of a translation run, and what its options make of them.

    lexicons: {(source, target): Lexicon}, maybe none; cfg: of the task; pieces: WordPieces of the dictionary.
    """

    def __init__(
        self,
        lexicons: Mapping[Tuple[str, str], Lexicon],
        cfg: CrossInitUnmtConfig,
        languages: List[str],
        dictionary: Dictionary,
        pieces: WordPieces,
    ):
        self.lexicons, self.cfg = lexicons, cfg
        self.languages, self.dictionary, self.pieces = languages, dictionary, pieces
        self._translators: Optional[Dict[Tuple[str, str], PieceTranslator]] = None

    @property
    def translators(self) -> Dict[Tuple[str, str], PieceTranslator]:
        """{(source, target): PieceTranslator} of each lexicon, both ways. Made on first use, for which the words of the
        training text are counted. Raises InputError as `lexicon_tokens` does."""
        if self._translators is None:
            self._translators, cfg = {}, self.cfg
            words = {}
            if self.lexicons:
                named = sorted({language for pair in self.lexicons for language in pair})
                words = training_words(cfg.data, self.languages, self.dictionary, cfg.train_subset, wanted=named)
            for (source, target), lexicon in self.lexicons.items():
                tokens = lexicon_tokens(lexicon, words, self.dictionary)
                self._translators[source, target] = PieceTranslator(self.pieces, tokens.forward)
                self._translators[target, source] = PieceTranslator(self.pieces, tokens.backward)
        return self._translators

    def denoising_noise(self, longest: int) -> Optional[LexiconNoise]:
        """By --lexicon-noise. longest: of a sentence with ``</s>``, in tokens."""
        share = self.cfg.lexicon_noise
        return LexiconNoise(self.translators, share, longest) if share else None

    def word_by_word(
        self, generated: Sequence[Tuple[str, str]], special_tokens: SpecialTokens, noise: WordNoise, longest: int
    ) -> Optional[WordByWordSources]:
        """By --lexicon-bt-updates. generated: the directions that back-translation generates in; noise: for
        --lexicon-bt-noise; longest: of a sentence with ``</s>``, in tokens."""
        cfg = self.cfg
        if not cfg.lexicon_bt_updates:
            return None
        for source, target in generated:
            if (source, target) not in self.translators:
                logger.info(f"no lexicon for {source}-{target}: the model translates there from the first update")
        own_noise = noise if cfg.lexicon_bt_noise else None
        return WordByWordSources(self.translators, cfg.lexicon_bt_updates, special_tokens, own_noise, longest - 1)
