"""The batches that unsupervised translation trains on: monolingual text."""

from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
import torch
from fairseq.data import FairseqDataset

from crossinit_fairseq.data.datasets.update_groups import UpdateGroups
from crossinit_fairseq.data.noise import WordNoise, add_noise
from crossinit_fairseq.data.sentences import cut_batches
from crossinit_fairseq.data.special_tokens import SpecialTokens

# of (sentences, language, generator of draws): the sentences with noise
SentenceNoise = Callable[[List[torch.Tensor], str, np.random.Generator], List[torch.Tensor]]


class MonolingualUpdates(FairseqDataset):
    """For each update, batches of the languages whose turn it is: clean to back-translate, and with noise to denoise.

    Item k of epoch e is a function of (seed, e, k): the same on every process and after a resume, new every epoch.
    A language whose batches are used up begins again, in another order.

    texts: {language: dataset of int64 [T] sentences ending in </s>, with `sizes`}; usable: {language: int64 [n],
    numbers of the sentences that may be used}; alpha: see language_turns; lexicon_noise: function (sentences, language,
    numpy Generator) -> sentences, applied before the other noise to what is to be denoised, or None.

    The attribute `groups`, if it is set, says which updates are translated together.
    """

    can_reuse_epoch_itr_across_epochs = False

    def __init__(
        self,
        texts: Mapping[str, Any],
        usable: Mapping[str, np.ndarray],
        special_tokens: SpecialTokens,
        noise: WordNoise,
        seed: int,
        alpha: Optional[float] = None,
        lexicon_noise: Optional[SentenceNoise] = None,
    ):
        super().__init__()
        self.texts, self.usable = texts, usable
        self.special_tokens, self.noise, self.seed, self.alpha = special_tokens, noise, seed, alpha
        self.lexicon_noise = lexicon_noise
        self.groups: Optional[UpdateGroups] = None
        self.epoch = 1
        self.batches: Dict[str, List[np.ndarray]] = {}
        # int64 [updates, languages] each: the language's number, how many turns it had before, which of its batches
        self.drawn: Optional[np.ndarray] = None
        self.turns: Optional[np.ndarray] = None
        self.chosen: Optional[np.ndarray] = None

    def set_epoch(self, epoch: int) -> None:
        """Draw anew from now on (fairseq counts epochs from 1)."""
        self.epoch = epoch

    def ordered_indices(self) -> np.ndarray:
        """As many as the largest language has sentences; how they fall into updates is for batch_by_size to say."""
        return np.arange(max(len(usable) for usable in self.usable.values()))

    def filter_indices_by_size(self, indices: np.ndarray, max_sizes: Any) -> Tuple[np.ndarray, List[int]]:
        """Nothing is left to filter: see usable_sentences."""
        return indices, []

    def batch_by_size(
        self,
        indices: Optional[np.ndarray],
        max_tokens: Optional[int] = None,
        max_sentences: Optional[int] = None,
        required_batch_size_multiple: int = 1,
    ) -> List[List[int]]:
        """Sort this epoch's sentences into batches of like lengths. Returns one singleton list per update."""
        for number, language in enumerate(self.texts):
            rng = np.random.default_rng([self.seed, self.epoch, number])
            order = rng.permutation(self.usable[language])
            lengths = np.asarray(self.texts[language].sizes)[order] + 2  # <s> and the language token are added
            by_length = np.argsort(lengths, kind="stable")
            self.batches[language] = cut_batches(order[by_length], lengths[by_length], max_tokens, max_sentences)
        self._draw_turns()
        return [[update] for update in range(len(self.drawn))]

    def _draw_turns(self) -> None:
        """Draw int [updates, languages] `drawn`, `turns` and `chosen`: of which language each batch of an update
        is, its number among those of that language in the epoch, and which of the language's batches it is."""
        counts = [len(self.batches[language]) for language in self.texts]
        sentences = [len(self.usable[language]) for language in self.texts]
        rng = np.random.default_rng([self.seed, self.epoch, len(counts), 3])
        self.drawn = language_turns(counts, sentences, self.alpha, rng)
        self.turns, self.chosen = np.zeros_like(self.drawn), np.zeros_like(self.drawn)
        for number, count in enumerate(counts):
            rng = np.random.default_rng([self.seed, self.epoch, number, 1])
            own = self.drawn == number
            turns = int(own.sum())
            rounds = [rng.permutation(count) for _ in range(-(-turns // count))]
            self.turns[own] = np.arange(turns)
            self.chosen[own] = np.concatenate(rounds)[:turns] if rounds else []

    def __len__(self) -> int:
        return len(self.ordered_indices()) if self.drawn is None else len(self.drawn)

    def __getitem__(self, update: int) -> Dict[str, Any]:
        """Return {"update": k, "batches": [...]}, for each batch {"language", "turn", "clean", "denoise"}.

        clean: int64 [B, T] of x </s>; denoise: a training sample, whose "id" are the sentences' numbers in their text;
        turn: how many batches of this language came earlier in the epoch. With `groups`, the first update of a group
        also has {"ahead": the other updates of the group, without "denoise"; "has_later": whether any process has such
        updates}.
        """
        batches = []
        for slot, (language, indices) in enumerate(self.sentences_of(update)):
            number = int(self.drawn[update, slot])
            key = [self.seed, self.epoch, number], [update, slot]
            batches.append(self._batch(language, int(self.turns[update, slot]), indices, key))
        item = {"update": update, "batches": batches}
        if self.groups is not None and self.groups.begins_at(update):
            item["ahead"] = [self._clean(later) for later in self.groups.later(update, len(self.drawn))]
            item["has_later"] = self.groups.has_later(update, len(self.drawn))
        return item

    def _clean(self, update: int) -> Dict[str, Any]:
        """An update's sentences to translate."""
        batches = []
        for slot, (language, indices) in enumerate(self.sentences_of(update)):
            clean = self.special_tokens.collate([self.texts[language][int(index)] for index in indices])
            batches.append({"language": language, "turn": int(self.turns[update, slot]), "clean": clean})
        return {"update": update, "batches": batches}

    def sentences_of(self, update: int) -> List[Tuple[str, np.ndarray]]:
        """Which sentences an update's batches are of: [(language, int64 [B] numbers in its text), ...]."""
        names = [list(self.texts)[number] for number in self.drawn[update].tolist()]
        return [(name, self.batches[name][chosen]) for name, chosen in zip(names, self.chosen[update].tolist())]

    def _batch(self, language: str, turn: int, indices: np.ndarray, key: Tuple[List[int], List[int]]) -> Dict[str, Any]:
        special_tokens, (begin, end) = self.special_tokens, key
        sentences = noisy = [self.texts[language][int(index)] for index in indices]
        if self.lexicon_noise is not None:  # draws of its own: the other noise is the same with a lexicon and without
            noisy = self.lexicon_noise(noisy, language, np.random.default_rng(begin + [4] + end))
        rng = np.random.default_rng(begin + [2] + end)
        noisy = [add_noise(sentence, self.noise, rng) for sentence in noisy]
        denoise = special_tokens.training_sample(
            special_tokens.collate([special_tokens.add(sentence, language) for sentence in noisy]),
            special_tokens.collate([special_tokens.add(sentence, language) for sentence in sentences]),
            language,
        )
        denoise["id"] = torch.from_numpy(np.asarray(indices, dtype=np.int64))
        return {"language": language, "turn": turn, "clean": special_tokens.collate(sentences), "denoise": denoise}

    def collater(self, samples: Sequence[Dict[str, Any]]) -> Optional[Dict[str, Any]]:
        """An item is a whole update already."""
        return samples[0] if samples else None


def language_turns(
    batches: Sequence[int], sentences: Sequence[int], alpha: Optional[float], rng: np.random.Generator
) -> np.ndarray:
    """The languages of every update of an epoch: int64 [updates, languages], each a language's number.

    Every update takes as many batches as there are languages. alpha None: one of each language, until the language with
    the most batches has been through. Else a batch is of language l with a chance in proportion to ``p_l ** alpha``,
    p_l being its share of all sentences (Lample and Conneau 2019, section 3.1); over the epoch each language gets its
    share, but for one batch, and the epoch is about as long as it takes the language with the most batches to be
    through once.

    batches, sentences: their number in each language, as a list; rng: numpy Generator.
    """
    count, largest = len(batches), int(np.argmax(batches))
    if alpha is None:
        return np.tile(np.arange(count), (batches[largest], 1))
    weights = np.asarray(sentences, dtype=np.float64)
    shares = (weights / weights.sum()) ** alpha
    shares /= shares.sum()
    updates = int(np.ceil(batches[largest] / shares[largest] / count))
    # evenly spaced points from a random start: no language is off its share by a batch, and none is rounded away always
    points = (np.arange(updates * count) + rng.random()) / (updates * count)
    drawn = np.searchsorted(np.cumsum(shares)[:-1], points, side="right")
    return rng.permutation(drawn).reshape(updates, count)
