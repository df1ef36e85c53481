"""The words of a lexicon as sub-tokens: in every written form of the binarised text, cased as their translation is."""

import unicodedata
from dataclasses import dataclass
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from crossinit_fairseq.data.dictionary import WORD_START
from crossinit_fairseq.lexicon.lexicon_file import Lexicon
from crossinit_fairseq.markup import unescape
from crossinit_fairseq.ranks import RankedWords, TextWords
from crossinit_fairseq.ranks.sentencepiece_model import decode_bytes

Tokens = Tuple[int, ...]


class Form(NamedTuple):
    """One written form of a word. text: its string; tokens: its sub-tokens; count: how often it occurs so; marked:
    whether it begins with SentencePiece's mark of a blank, which it lacks after a quotation mark, a hyphen, an elided
    article."""

    text: str
    tokens: Tokens
    count: int  # type: ignore[assignment]  # hides tuple.count
    marked: bool = False


def word_text(symbols: Iterable[str]) -> str:
    """The string of a word, in NFC: its symbols joined, without the marks of SentencePiece and of subword-nmt.

    Pieces of bytes are decoded, and entities such as `&apos;` are what they stand for.
    """
    parts = [symbol[:-2] if symbol.endswith("@@") else symbol for symbol in symbols]
    return unicodedata.normalize("NFC", unescape(decode_bytes("".join(parts).replace(WORD_START, ""))))


class WordForms:
    """The written forms of one language's words, found by their string.

    words: RankedWords of the language, as the binarised text holds them; symbols: of the dictionary, in index order;
    language: its code; lowercase: words are looked up with their case folded; wanted: the only words that will be
    looked up, None where any may be; of a large text most are not among them, and are not kept. A word is found in
    every spelling that TextWords takes for one: with either apostrophe, with or without tatweel.
    """

    def __init__(
        self,
        words: RankedWords,
        symbols: Sequence[str],
        language: str,
        lowercase: bool,
        wanted: Optional[Iterable[str]] = None,
    ):
        fold = TextWords.of_cut_words(language, lowercase).spell
        kept = None if wanted is None else {fold(word) for word in wanted}
        self._forms: Dict[str, List[Form]] = {}
        tokens, offsets, counts = words.tokens.tolist(), words.offsets.tolist(), words.counts.tolist()
        for begin, end, count in zip(offsets, offsets[1:], counts):
            text = word_text(symbols[token] for token in tokens[begin:end])
            word = fold(text)
            if kept is None or word in kept:
                marked = symbols[tokens[begin]].startswith(WORD_START)
                self._forms.setdefault(word, []).append(Form(text, tuple(tokens[begin:end]), count, marked))
        self._fold = fold

    def find(self, word: str) -> List[Form]:
        """All forms of a word, the most frequent first; none where the text does not hold it."""
        return self._forms.get(self._fold(word), [])

    def like(self, word: str, form: Form) -> Form:
        """The most frequent form of a word that is marked and cased as `form` is; else marked so, else cased so, else
        the most frequent one.

        Raises KeyError when the text does not hold the word.
        """
        forms = self._forms[self._fold(word)]
        wanted = case_pattern(form.text)
        return max(forms, key=lambda own: (own.marked == form.marked, case_pattern(own.text) == wanted))


def case_pattern(text: str) -> str:
    """How a word is cased: "lower", "Capitalised", "UPPER" (two letters or more), or "mixed".

    A word without cased letters is "lower"; one capital letter alone (I, A) is "Capitalised".
    """
    cased = [character for character in text if character.lower() != character.upper()]
    if not any(character.isupper() or character.istitle() for character in cased):
        return "lower"
    if not cased[0].islower() and all(character.islower() for character in cased[1:]):
        return "Capitalised"
    return "UPPER" if all(character.isupper() for character in cased) else "mixed"


class TokenPair(NamedTuple):
    """Two words that translate each other, as sub-tokens; words: the two words of the lexicon that they are forms
    of."""

    source: Tokens
    target: Tokens
    words: Tuple[str, str]


@dataclass(frozen=True)
class LexiconTokens:
    """What a lexicon says in sub-tokens.

    source, target: the languages' codes; pairs: of the lexicon's mutual pairs, each form of either word with the form
    of the other that is cased alike; forward, backward: sub-tokens of every form of a word of the source (target)
    language to those of its best translation; missing: words of the lexicon that the text does not hold; found: those
    it holds.
    """

    source: str
    target: str
    pairs: List[TokenPair]
    forward: Dict[Tokens, Tokens]
    backward: Dict[Tokens, Tokens]
    missing: int
    found: int


def to_tokens(lexicon: Lexicon, source: WordForms, target: WordForms) -> LexiconTokens:
    """A lexicon in the sub-tokens of its two languages' texts. source, target: the forms of their words."""
    forward, backward = lexicon.translations(), lexicon.reversed().translations()
    words = [{pair.source for pair in lexicon.pairs}, {pair.target for pair in lexicon.pairs}]
    found = sum(bool(side.find(word)) for side, these in zip((source, target), words) for word in these)
    pairs: Dict[Tuple[Tokens, Tokens], TokenPair] = {}
    for pair in lexicon.mutual():
        left, right = source.find(pair.source), target.find(pair.target)
        if left and right:
            cased = [(form, target.like(pair.target, form)) for form in left]
            cased += [(source.like(pair.source, form), form) for form in right]
            for one, other in cased:
                tokens = TokenPair(one.tokens, other.tokens, (pair.source, pair.target))
                pairs.setdefault((one.tokens, other.tokens), tokens)
    return LexiconTokens(
        lexicon.source,
        lexicon.target,
        list(pairs.values()),
        _translations(forward, source, target),
        _translations(backward, target, source),
        missing=sum(map(len, words)) - found,
        found=found,
    )


def _translations(best: Dict[str, str], source: WordForms, target: WordForms) -> Dict[Tokens, Tokens]:
    return {
        form.tokens: target.like(translation, form).tokens
        for word, translation in best.items()
        if target.find(translation)
        for form in source.find(word)
    }
