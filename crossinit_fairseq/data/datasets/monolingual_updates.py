"""The batches that unsupervised translation trains on: monolingual text."""

import numpy as np
import torch
from fairseq.data import FairseqDataset

from crossinit_fairseq.translation.batches import cut_batches
from crossinit_fairseq.translation.language_turns import language_turns
from crossinit_fairseq.translation.noise import disturb


class MonolingualUpdates(FairseqDataset):
    """For each update, batches of the languages whose turn it is: clean to back-translate, and with noise to denoise.

    Item k of epoch e is a function of (seed, e, k): the same on every process and after a resume, new every epoch.
    A language whose batches are used up begins again, in another order.

    texts: {language: dataset of int64 [T] sentences ending in </s>, with `sizes`}; usable: {language: their indices};
    convention: Convention; noise: WordNoise; alpha: see language_turns; word_noise: LexiconNoise of what is to be denoised,
    or None.
    """

    can_reuse_epoch_itr_across_epochs = False

    def __init__(self, texts, usable, convention, noise, seed, alpha=None, word_noise=None):
        super().__init__()
        self.texts, self.usable = texts, usable
        self.convention, self.noise, self.seed, self.alpha = convention, noise, seed, alpha
        self.word_noise = word_noise
        self.epoch = 1
        self.batches = {}
        self.drawn = self.turns = self.chosen = None

    def set_epoch(self, epoch):
        self.epoch = epoch

    def ordered_indices(self):
        """As many as the largest language has sentences; how they fall into updates is for batch_by_size to say."""
        return np.arange(max(len(usable) for usable in self.usable.values()))

    def filter_indices_by_size(self, indices, max_sizes):
        """Nothing is left to filter: see usable_sentences."""
        return indices, []

    def batch_by_size(self, indices, max_tokens=None, max_sentences=None, required_batch_size_multiple=1):
        """Sort this epoch's sentences into batches of like lengths. Returns one singleton list per update."""
        for number, language in enumerate(self.texts):
            rng = np.random.default_rng([self.seed, self.epoch, number])
            order = rng.permutation(self.usable[language])
            lengths = np.asarray(self.texts[language].sizes)[order] + 2  # dressed: <s> and the language token
            by_length = np.argsort(lengths, kind="stable")
            self.batches[language] = cut_batches(order[by_length], lengths[by_length], max_tokens, max_sentences)
        self._draw_turns()
        return [[update] for update in range(len(self.drawn))]

    def _draw_turns(self):
        """int [updates, languages]: of which language each batch is, the how manieth of that language, and which."""
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

    def __len__(self):
        return len(self.ordered_indices()) if self.drawn is None else len(self.drawn)

    def __getitem__(self, update):
        """Return {"update": k, "batches": [...]}, for each batch {"language", "turn", "clean", "denoise"}.

        clean: int64 [B, T] of x </s>; denoise: a training sample, whose "id" are the sentences' numbers in their text;
        turn: how many batches of this language the epoch has had before this one.
        """
        batches = []
        for slot, (language, indices) in enumerate(self.sentences_of(update)):
            number = int(self.drawn[update, slot])
            key = [self.seed, self.epoch, number], [update, slot]
            batches.append(self._batch(language, int(self.turns[update, slot]), indices, key))
        return {"update": update, "batches": batches}

    def sentences_of(self, update):
        """Which sentences an update's batches are of: [(language, int64 [B] numbers in its text), ...]."""
        names = [list(self.texts)[number] for number in self.drawn[update].tolist()]
        return [(name, self.batches[name][chosen]) for name, chosen in zip(names, self.chosen[update].tolist())]

    def _batch(self, language, turn, indices, key):
        convention, (begin, end) = self.convention, key
        sentences = noisy = [self.texts[language][int(index)] for index in indices]
        if self.word_noise is not None:  # draws of its own: the other noise is the same with a lexicon and without
            noisy = self.word_noise(noisy, language, np.random.default_rng(begin + [4] + end))
        rng = np.random.default_rng(begin + [2] + end)
        noisy = [disturb(sentence, self.noise, rng) for sentence in noisy]
        denoise = convention.sample(
            convention.stack([convention.dress(sentence, language) for sentence in noisy]),
            convention.stack([convention.dress(sentence, language) for sentence in sentences]),
            language,
        )
        denoise["id"] = torch.from_numpy(np.asarray(indices, dtype=np.int64))
        return {"language": language, "turn": turn, "clean": convention.stack(sentences), "denoise": denoise}

    def collater(self, samples):
        """An item is a whole update already."""
        return samples[0] if samples else None
