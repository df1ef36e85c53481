"""Count the words of binarised text: exact, in bounded pieces, without leaving numpy."""

import logging
from typing import Dict, Iterable, Iterator, List, Tuple

import numpy as np

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks.binarised import BinarisedText
from crossinit_fairseq.ranks.ranked_words import RankedWords
from crossinit_fairseq.ranks.sentencepiece_model import no_prefix
from crossinit_fairseq.ranks.word_pieces import MAX_PIECES, SENTENCEPIECE, WordPieces

logger = logging.getLogger(__name__)

_MANY_ENTITIES = 500  # one in so many words
_FEW, _LOOKED_AT = 50, 100_000  # sentences whose beginnings are looked at, at least and at most
_CHUNK = 1 << 22  # tokens at a time: 4 million need about 200 MB while they are counted


def rank_words(texts: Iterable[BinarisedText], pieces: WordPieces, chunk: int = _CHUNK) -> RankedWords:
    """Step 1, Sorting (paper section 2.1): count the words of one language and sort them by falling count.

    texts: BinarisedText of one language, any number of shards; pieces: WordPieces of their dictionary;
    chunk: tokens to count at a time.
    Returns RankedWords. Raises InputError when a token lies outside the dictionary or no word is found. Warns of text
    that still has its entities (``&quot;``), whose names would be among the most frequent words.
    """
    entities = 0
    singles = np.zeros(len(pieces), dtype=np.int64)
    longer: Dict[int, _Tally] = {}  # by length in sub-tokens
    for text in texts:
        check_sentence_starts(text, pieces)
        for tokens in sentence_chunks(text, chunk):
            for token in (int(tokens.max()), int(tokens.min())):
                if not 0 <= token < len(pieces):
                    raise InputError(
                        f"the binarised text holds token {token} but the dictionary has {len(pieces)} symbols: "
                        "binarise it with this dictionary"
                    )
            _count_chunk(tokens, pieces, singles, longer)
            entities += pieces.count_entities(tokens)
    kept = np.flatnonzero(singles)
    groups = [(kept[:, None], singles[kept])]
    groups += [longer[length].words_and_counts() for length in sorted(longer)]
    if not sum(len(counts) for _, counts in groups):
        raise InputError("the binarised text holds no word, only punctuation, special symbols or <unk>")
    words = RankedWords.sort(groups)
    if _MANY_ENTITIES * entities > int(words.counts.sum()):
        logger.warning(
            f"the binarised text holds {entities:,} entities such as &quot;, whose names count as words: unescape the "
            "text (`crossinit-prepare clean` does), then encode and binarise it again"
        )
    return words


def check_sentence_starts(text: BinarisedText, pieces: WordPieces) -> None:
    """Raise InputError when most sentences begin in the middle of a SentencePiece word.

    A model without a dummy prefix writes so. A sentence that was cut somewhere begins so too: half of them are allowed.
    """
    if pieces.style != SENTENCEPIECE or len(text.lengths) < _FEW:
        return
    lengths = text.lengths[:_LOOKED_AT]
    first = text.tokens[(np.cumsum(lengths, dtype=np.int64) - lengths)[lengths > 0]]
    first = first[(first >= 0) & (first < len(pieces))]
    words = pieces.in_word[first] & (first != pieces.unk)
    if 2 * np.count_nonzero(words & ~pieces.starts[first]) > np.count_nonzero(words) >= _FEW:
        raise no_prefix("the binarised text")


def sentence_chunks(text: BinarisedText, size: int) -> Iterator[np.ndarray]:
    """Cut the tokens after whole sentences, so that no word is cut."""
    ends = np.cumsum(text.lengths, dtype=np.int64)
    begin = 0
    while begin < len(text.tokens):
        last = np.searchsorted(ends, begin + size, side="right") - 1
        # a sentence longer than a chunk is taken whole
        end = int(ends[last]) if last >= 0 and ends[last] > begin else int(ends[last + 1])
        yield np.asarray(text.tokens[begin:end])
        begin = end


def _count_chunk(tokens: np.ndarray, pieces: WordPieces, singles: np.ndarray, longer: Dict[int, "_Tally"]) -> None:
    """Add the words of integer [T] tokens to the counts."""
    begins, lengths, known = find_words(tokens, pieces)
    if not len(begins):
        return
    first = tokens[begins[known & (lengths == 1)]]
    found = np.bincount(first, minlength=len(singles))
    if pieces.lone_start >= 0:
        found[pieces.lone_start] = 0  # a word start with nothing after it
    singles += found
    for length in (np.flatnonzero(np.bincount(lengths[known], minlength=2)[2:]) + 2).tolist():
        where = begins[known & (lengths == length)]
        tally = longer.setdefault(length, _Tally(length, len(pieces)))
        tally.add(tokens[where[:, None] + np.arange(length)])


def find_words(tokens: np.ndarray, pieces: WordPieces) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The runs of sub-tokens that WordPieces calls words, in integer [T] tokens of whole sentences.

    Returns (int64 [n] where each begins, int64 [n] its length, bool [n] False where it holds <unk> or is too long). A
    lone SentencePiece word start is among them.
    """
    in_word = pieces.in_words(tokens)
    start = in_word.copy()
    # inside a run, only a piece that marks a word start, or follows one that marks a word end, starts a word
    start[1:] &= pieces.starts[tokens[1:]] | ~in_word[:-1] | pieces.ends[tokens[:-1]]
    begins = np.flatnonzero(start)
    # a word goes on as long as its pieces do: those outside words are not counted
    inside = np.flatnonzero(start[in_word])
    lengths = np.diff(inside, append=np.count_nonzero(in_word))
    known = lengths <= MAX_PIECES
    if pieces.unk >= 0 and len(begins):
        spoiled = tokens == pieces.unk
        if spoiled.any():
            known &= ~np.logical_or.reduceat(spoiled, begins)
    return begins, lengths, known


def pack_words(words: np.ndarray, vocabulary: int) -> np.ndarray:
    """Keys that sort as integer [m, length] words do: int64 [m] where they fit into 63 bits, else bytes."""
    if is_packed(words.shape[1], vocabulary):
        keys = np.zeros(len(words), dtype=np.int64)
        for column in words.T:
            keys *= vocabulary
            keys += column
        return keys
    # big-endian bytes compare as the numbers do
    return np.ascontiguousarray(words, dtype=">u4").view(np.dtype((np.void, 4 * words.shape[1]))).ravel()


def is_packed(length: int, vocabulary: int) -> bool:
    """Whether a word of that many sub-tokens is one number: numpy's integers would wrap around."""
    return int(vocabulary) ** int(length) < 2**63


class KeyCounts:
    """How often each of many keys was seen, of which a part at a time is added."""

    def __init__(self) -> None:
        # (keys, counts); the keys of each are sorted and different, and may stand in several parts
        self._parts: List[Tuple[np.ndarray, np.ndarray]] = []

    def add(self, keys: np.ndarray) -> None:
        """keys: [m], each seen once more."""
        if not len(keys):
            return
        self._parts.append(np.unique(keys, return_counts=True))
        # parts of like size are merged, so that a key is copied only as often as the number of keys doubles
        while len(self._parts) > 1 and len(self._parts[-2][0]) < 2 * len(self._parts[-1][0]):
            self._merge_last_two()

    def _merge_last_two(self) -> None:
        (keys, counts), (others, more) = self._parts.pop(), self._parts.pop()
        self._parts.append(merge_counts(np.concatenate([others, keys]), np.concatenate([more, counts])))

    def total(self) -> Tuple[np.ndarray, np.ndarray]:
        """(different keys [n], sorted; int64 [n] how often each was seen)."""
        if not self._parts:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        while len(self._parts) > 1:
            self._merge_last_two()
        return self._parts[0]


class _Tally:
    """Counts of words of one length in sub-tokens. A word is kept as one number where it fits into 63 bits."""

    def __init__(self, length: int, vocabulary: int):
        self.length, self.vocabulary = length, vocabulary
        self.packed = is_packed(length, vocabulary)
        self.counts = KeyCounts()

    def add(self, words: np.ndarray) -> None:
        """words: integer [m, length]."""
        self.counts.add(pack_words(words, self.vocabulary))

    def words_and_counts(self) -> Tuple[np.ndarray, np.ndarray]:
        """Return (integer [m, length] words in lexicographic order, int64 [m])."""
        keys, counts = self.counts.total()
        if not self.packed:
            return np.frombuffer(keys.tobytes(), dtype=">u4").reshape(-1, self.length), counts
        words = np.empty((len(keys), self.length), dtype=np.int64)
        rest = keys.copy()
        for column in range(self.length - 1, -1, -1):
            rest, words[:, column] = np.divmod(rest, self.vocabulary)
        return words, counts


def merge_counts(keys: np.ndarray, counts: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Add up the counts of equal keys: the distinct keys, sorted, and the sum of the counts of each.

    keys: [m], as pack_words makes them; counts: int64 [m].
    """
    order = np.argsort(keys, kind="stable")  # as fast as a merge where two sorted parts follow each other
    keys = keys[order]
    begins = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    return keys[begins], np.add.reduceat(counts[order], begins)
