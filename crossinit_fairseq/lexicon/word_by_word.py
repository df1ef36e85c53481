"""Translation word by word: each word by its best translation in a lexicon, in its place. The baseline that
unsupervised translation has to beat, and what it may start from (Lample et al. 2018, "Unsupervised machine translation
using monolingual corpora only", section 2.3)."""

import re
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import base_language
from crossinit_fairseq.lexicon.lexicon_file import Lexicon
from crossinit_fairseq.markup import unescape
from crossinit_fairseq.ranks import TextWords, WordPieces
from crossinit_fairseq.ranks.counting import find_words
from crossinit_fairseq.ranks.text.words import Segmenter, is_spaceless

_BLANKS = re.compile(r"(\s+)")
_TURKISH_CAPITALS = str.maketrans({"i": "\u0130", "\u0131": "I"})


class PieceTranslator:
    """Translates the words of binarised sentences. Words without a translation, punctuation and special symbols stay.

    pieces: WordPieces of the dictionary; translations: {sub-tokens of a word: sub-tokens of its translation}. A word is
    what `ranks.rank_words` counts as one, so one that holds ``<unk>`` is none.

    A translation that the text only writes without SentencePiece's mark of a blank, say after an elided article, gets
    one where its word has one, as the lone mark: it would else be read as the end of the word before it.
    """

    def __init__(self, pieces: WordPieces, translations: Dict[Tuple[int, ...], Tuple[int, ...]]):
        self.pieces, mark = pieces, pieces.lone_start
        self.translations = {
            word: (mark,) + translation
            if mark >= 0 and pieces.starts[word[0]] and not pieces.starts[translation[0]]
            else translation
            for word, translation in translations.items()
        }

    def __len__(self) -> int:
        return len(self.translations)

    def __call__(
        self, sentences: Sequence[np.ndarray], share: float = 1.0, rng: Optional[np.random.Generator] = None
    ) -> List[np.ndarray]:
        """sentences: integer [T] each, which end in ``</s>``, so that no word goes from one into the next. Returns
        int64 [T'] for each.

        share: the chance of a word to be translated, where it has a translation; rng: draws it, one number for each
        word that has one. A share of 1 draws nothing.
        """
        if not len(sentences):
            return []
        # one pass over all: numpy's calls cost more than a sentence's words
        tokens = np.concatenate(sentences).astype(np.int64, copy=False)
        listed = tokens.tolist()
        begins, ends = (places.tolist() for places in word_places(tokens, self.pieces))
        get = self.translations.get
        looked_up = ((begin, end, get(tuple(listed[begin:end]))) for begin, end in zip(begins, ends))
        found = [(begin, end, translation) for begin, end, translation in looked_up if translation is not None]
        if share < 1:
            if rng is None:
                raise ValueError("a share below 1 is drawn: give rng")
            found = [word for word, number in zip(found, rng.random(len(found)).tolist()) if number < share]
        written: List[int] = []
        done = 0
        for begin, end, translation in found:
            written += listed[done:begin]
            written += translation
            done = end
        written += listed[done:]
        # where a sentence ends now: as much further as the words before it have grown
        lengths = np.cumsum([len(sentence) for sentence in sentences], dtype=np.int64)
        grown = np.cumsum(np.array([0] + [len(translation) - (end - begin) for begin, end, translation in found]))
        lengths += grown[np.searchsorted([begin for begin, _, _ in found], lengths)]
        return np.split(np.array(written, dtype=np.int64), lengths[:-1])


def word_places(tokens: np.ndarray, pieces: WordPieces) -> Tuple[np.ndarray, np.ndarray]:
    """Where the words of a text begin and end, as `ranks.rank_words` cuts it: int64 [N] and int64 [N], ends exclusive.

    tokens: integer [T]; a word never goes across a special symbol, and the ends of sentences are such. A word start
    with nothing after it, and a run that holds ``<unk>``, are no words (WordPieces).
    """
    if not len(tokens):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    begins, lengths, known = find_words(tokens, pieces)
    known &= (lengths > 1) | (tokens[begins] != pieces.lone_start)
    return begins[known], (begins + lengths)[known]


class WordByWord:
    """Translates lines of text from a lexicon's source language into its target language.

    A word is what TextWords says; one in a lower-cased lexicon is looked up with its case folded, and its translation
    gets the case that it had: Capitalised, UPPER, or as the lexicon writes it. All that is no word stays as it is, but
    the apostrophe of an elided word goes with it: l'homme becomes the man.

    lexicon: Lexicon; segmenter: cuts the runs of languages without spaces, see ranks/text/segmenters.py.
    Raises InputError for such a language without one.
    """

    def __init__(self, lexicon: Lexicon, segmenter: Optional[Segmenter] = None):
        try:
            import regex
        except ImportError:
            raise InputError("translating text word by word needs a library: pip install regex") from None
        self.words = TextWords(lexicon.source, lexicon.lowercase, segmenter)
        self.target, self.lowercase = lexicon.target, lexicon.lowercase
        self.translations = lexicon.translations()
        # where a quotation mark opens before the word, the apostrophe closes that
        elided = r"(?P<elided>(?<!'\p{L}+)'(?=\p{L}|$))?" if self.words.elides else "(?P<elided>)?"
        self._pattern = regex.compile(self.words.pattern + elided)
        self.words_read = self.known = 0  # words of all lines so far, and those that had a translation
        self._between = "" if segmenter is None or is_spaceless(lexicon.target) else " "

    def translate_line(self, line: str) -> str:
        """One line, with or without its line break. Entities such as `&quot;` become what they stand for."""
        # white space is in no word; a stretch in which no word is known stays as it was spelt
        return "".join(self._translate(part) for part in _BLANKS.split(unescape(line)))

    def _translate(self, part: str) -> str:
        found = False

        def replace(match: Any) -> str:
            nonlocal found
            elided = match["elided"] or ""
            translated = [self._word(word) for word in self._cut(match.group()[: -len(elided) or None])]
            found = found or any(known for _, known in translated)
            if elided and translated[-1][1]:
                elided = "" if match.end() == len(match.string) else " "
            return self._between.join(word for word, _ in translated) + elided

        written = self._pattern.sub(replace, self.words.normalise(part))
        return written if found else part

    def _cut(self, run: str) -> List[str]:
        if self.words.segmenter is None:
            return [run]
        return self.words.segmenter.segment([run])[0]

    def _word(self, word: str) -> Tuple[str, bool]:
        """(its translation or itself, whether it has one)."""
        translation = self.translations.get(self.words.lower(word) if self.lowercase else word)
        self.words_read += 1
        self.known += translation is not None
        if translation is None:
            return word, False
        return (with_case_of(word, translation, self.target) if self.lowercase else translation), True


def with_case_of(word: str, translation: str, language: str) -> str:
    """A lower-cased translation in the case of a word: UPPER where it has two letters or more and all are capitals,
    Capitalised where its first letter is one, else as it is. language: of the translation; tr and az have an i of their
    own.
    """
    if not word[:1].isupper() and not word[:1].istitle():
        return translation
    all_capitals = word.isupper() and sum(character.isalpha() for character in word) > 1
    raised, rest = (translation, "") if all_capitals else (translation[:1], translation[1:])
    if base_language(language) in ("tr", "az"):
        raised = raised.translate(_TURKISH_CAPITALS)
    return (raised.upper() if all_capitals else raised.title()) + rest
