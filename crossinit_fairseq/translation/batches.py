"""The batches of unsupervised translation: monolingual ones to train on, and ones to validate on."""

import logging

import numpy as np
import torch
from fairseq.data import FairseqDataset, LanguagePairDataset

from crossinit_fairseq.translation.language_turns import language_turns

logger = logging.getLogger(__name__)


def usable_sentences(sizes, longest, name):
    """Indices of the sentences that hold a word and fit the model; the others are counted and reported.

    sizes: integer [N] in tokens, ``</s>`` included; longest: in the same measure.
    """
    sizes = np.asarray(sizes)
    empty, long = sizes <= 1, sizes > longest
    if empty.any() or long.any():
        logger.warning(
            "{}: skipped {:,} empty and {:,} sentences of more than {} sub-tokens, of {:,}".format(
                name, int(empty.sum()), int(long.sum()), longest - 1, len(sizes)
            )
        )
    return np.flatnonzero(~(empty | long))


class MonolingualUpdates(FairseqDataset):
    """For each update, batches of the languages whose turn it is: clean to back-translate, and with noise to denoise.

    Item k of epoch e is a function of (seed, e, k): the same on every process and after a resume, new every epoch.
    A language whose batches are used up begins again, in another order.

    texts: {language: dataset of int64 [T] sentences ending in </s>, with `sizes`}; usable: {language: their indices};
    convention: Convention; noise: WordNoise; alpha: see language_turns.
    """

    can_reuse_epoch_itr_across_epochs = False

    def __init__(self, texts, usable, convention, noise, seed, alpha=None):
        super().__init__()
        self.texts, self.usable = texts, usable
        self.convention, self.noise, self.seed, self.alpha = convention, noise, seed, alpha
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
            rng = np.random.default_rng([self.seed, self.epoch, number, 2, update, slot])
            batches.append(self._batch(language, int(self.turns[update, slot]), indices, rng))
        return {"update": update, "batches": batches}

    def sentences_of(self, update):
        """Which sentences an update's batches are of: [(language, int64 [B] numbers in its text), ...]."""
        names = [list(self.texts)[number] for number in self.drawn[update].tolist()]
        return [(name, self.batches[name][chosen]) for name, chosen in zip(names, self.chosen[update].tolist())]

    def _batch(self, language, turn, indices, rng):
        convention = self.convention
        sentences = [self.texts[language][int(index)] for index in indices]
        noisy = [disturb(sentence, self.noise, rng) for sentence in sentences]
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


def disturb(sentence, noise, rng):
    """Apply WordNoise to an int64 [T] sentence that ends in </s>, which stays."""
    return torch.cat([torch.from_numpy(noise(sentence[:-1].numpy(), rng)), sentence[-1:]])


def cut_batches(indices, lengths, max_tokens, max_sentences):
    """Cut sentences, sorted by length, into batches of at most max_tokens padded tokens and max_sentences sentences.

    Unlike the batch_by_size of the forks of fairseq, the last batch is never dropped.
    """
    batches, begin = [], 0
    for end in range(1, len(indices) + 1):
        if end == len(indices) or (
            (max_sentences and end - begin >= max_sentences)
            or (max_tokens and (end + 1 - begin) * int(lengths[end]) > max_tokens)
        ):
            batches.append(indices[begin:end])
            begin = end
    return batches


class DirectionBatches(FairseqDataset):
    """Validation batches of several directions, each batch of one direction.

    parts: list of (tag, LanguagePairDataset); a batch carries its part's tag under "tag".
    """

    def __init__(self, parts):
        super().__init__()
        self.parts = parts
        self.firsts = np.cumsum([0] + [len(dataset) for _, dataset in parts])

    def _locate(self, index):
        part = int(np.searchsorted(self.firsts, index, side="right")) - 1
        return part, int(index - self.firsts[part])

    def __len__(self):
        return int(self.firsts[-1])

    def __getitem__(self, index):
        part, inner = self._locate(index)
        return part, self.parts[part][1][inner]

    def collater(self, samples):
        """Merge samples of one part."""
        if not samples:
            return {}
        part = samples[0][0]
        batch = self.parts[part][1].collater([sample for _, sample in samples])
        batch["tag"] = self.parts[part][0]
        return batch

    def ordered_indices(self):
        return np.arange(len(self))

    def num_tokens(self, index):
        part, inner = self._locate(index)
        return self.parts[part][1].num_tokens(inner)

    def size(self, index):
        part, inner = self._locate(index)
        return self.parts[part][1].size(inner)

    def filter_indices_by_size(self, indices, max_sizes):
        """Nothing is left to filter: see usable_sentences."""
        return indices, []

    def batch_by_size(self, indices, max_tokens=None, max_sentences=None, required_batch_size_multiple=1):
        """Batches of like lengths within each part; the last one of each is kept, whatever its size."""
        batches = []
        for part, (_, dataset) in enumerate(self.parts):
            lengths = np.array([dataset.num_tokens(i) for i in range(len(dataset))])
            order = np.argsort(lengths, kind="stable")
            batches += cut_batches(self.firsts[part] + order, lengths[order], max_tokens, max_sentences)
        return [list(map(int, batch)) for batch in batches]


class Subset(torch.utils.data.Dataset):
    """Some sentences of a dataset, in a given order, with their sizes."""

    def __init__(self, dataset, indices):
        self.dataset, self.indices = dataset, np.asarray(indices)
        self.sizes = np.asarray(dataset.sizes)[self.indices]

    def __len__(self):
        return len(self.indices)

    def __getitem__(self, index):
        return self.dataset[int(self.indices[index])]


class Dressed(torch.utils.data.Dataset):
    """Sentences of a language in mBART's dress, with noise or without."""

    def __init__(self, dataset, convention, language, noise=None, seed=0):
        self.dataset, self.convention, self.language = dataset, convention, language
        self.noise, self.seed = noise, seed
        self.sizes = np.asarray(dataset.sizes) + 2

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        sentence = self.dataset[index]
        if self.noise is not None:
            sentence = disturb(sentence, self.noise, np.random.default_rng([self.seed, int(index)]))
        return self.convention.dress(sentence, self.language)


def pair_dataset(source, target, dictionary, convention, target_language):
    """A LanguagePairDataset of dressed sides whose decoder starts with the target language's token.

    target may be None (no reference).
    """
    return LanguagePairDataset(
        source,
        source.sizes,
        dictionary,
        target,
        None if target is None else target.sizes,
        dictionary,
        left_pad_source=False,
        left_pad_target=False,
        shuffle=False,
        eos=convention.languages[target_language],
    )
