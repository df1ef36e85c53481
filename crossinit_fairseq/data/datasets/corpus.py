"""The text of unsupervised translation: which files hold it, which of its sentences can be used, and as what."""

import logging
import os

import numpy as np
import torch
from fairseq.data import data_utils

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import open_binarised
from crossinit_fairseq.translation.batches import Subset, usable_sentences
from crossinit_fairseq.translation.direction_batches import DirectionBatches, Dressed, pair_dataset
from crossinit_fairseq.translation.monolingual_updates import MonolingualUpdates
from crossinit_fairseq.translation.truncated import Truncated
from crossinit_fairseq.translation.vocabulary import count_tokens, target_tokens

logger = logging.getLogger(__name__)


class Corpus:
    """Binarised text of some languages under one dictionary.

    folders: the data folders, of which only the first has text to validate and to score on; convention: Convention;
    noise: WordNoise; longest: of a sentence as binarised, in sub-tokens, ``</s>`` included; seed: of noise and order.
    """

    def __init__(self, folders, languages, dictionary, convention, noise, longest, seed):
        self.folders, self.languages = folders, languages
        self.dictionary, self.convention, self.noise = dictionary, convention, noise
        self.longest, self.seed = longest, seed

    def updates(self, split, epoch, alpha=None, word_noise=None):
        """The monolingual text to train on in an epoch: folders are shards, taken in turn. Returns MonolingualUpdates.

        alpha, word_noise: see MonolingualUpdates.
        """
        folder = self.folders[(epoch - 1) % len(self.folders)]
        loaded = {language: self._monolingual(folder, language, split) for language in self.languages}
        return MonolingualUpdates(
            {language: text for language, (text, _) in loaded.items()},
            {language: usable for language, (_, usable) in loaded.items()},
            self.convention,
            self.noise,
            self.seed,
            alpha,
            word_noise,
        )

    def target_tokens(self, split):
        """Which tokens are of each language, {language: bool [V]}; see vocabulary.target_tokens."""
        counts = {}
        for language in self.languages:
            texts = [open_binarised(os.path.join(folder, language, split)) for folder in self.folders]
            counts[language] = sum(count_tokens(text, len(self.dictionary)) for text in texts)
        found = {language: torch.from_numpy(own) for language, own in target_tokens(counts).items()}
        for language, own in found.items():
            logger.info("{}: {:,} of {:,} symbols are of its text".format(language, int(own.sum()), len(own)))
        return found

    def aligned(self, split, source, target, all_sentences=False, truncate=False):
        """The aligned text of a direction as a LanguagePairDataset, None if there is none.

        all_sentences: keep those that cannot be used, for fairseq-generate's own options to deal with; truncate: or rather cut
        those that are too long, which is logged.
        Raises InputError when a file is damaged or the sides are of unequal length.
        """
        for pair in ((source, target), (target, source)):
            prefix = os.path.join(self.folders[0], "{}.{}-{}.".format(split, *pair))
            if os.path.exists(prefix + source + ".idx"):
                break
        else:
            return None
        for language in pair:
            open_binarised(prefix + language)
        sides = [data_utils.load_indexed_dataset(prefix + lang, self.dictionary, "mmap") for lang in (source, target)]
        if len(sides[0]) != len(sides[1]):
            raise InputError(
                "{}{{{},{}}} are not aligned: {:,} and {:,} sentences".format(
                    prefix, source, target, len(sides[0]), len(sides[1])
                )
            )
        if not all_sentences:
            usable = usable_sentences(np.maximum(sides[0].sizes, sides[1].sizes), self.longest, prefix + "*")
            sides = [Subset(side, usable) for side in sides]
        elif truncate:
            sides = [Truncated(side, self.longest) for side in sides]
            if sides[0].cut:
                logger.warning(
                    "{}{}: {:,} of {:,} sentences are cut to {:,} sub-tokens".format(
                        prefix, source, sides[0].cut, len(sides[0]), self.longest
                    )
                )
        dressed = [Dressed(side, self.convention, lang) for side, lang in zip(sides, (source, target))]
        return pair_dataset(dressed[0], dressed[1], self.dictionary, self.convention, target)

    def validation(self, split, directions, round_trips):
        """All that validation measures, as DirectionBatches tagged ("bleu" or "round_trip", source, target).

        directions: Directions; round_trips: sentences of each language to translate there and back, 0 for
        none; without any aligned text there are some all the same.
        """
        aligned = [(direction, self.aligned(split, *direction)) for direction in directions]
        parts = [(("bleu",) + direction, dataset) for direction, dataset in aligned if dataset is not None]
        if round_trips or not parts:
            parts += self._round_trips(split, directions, round_trips or 200)
        return DirectionBatches(parts)

    def _round_trips(self, split, directions, count):
        """Monolingual text of every language with a way there and back: disturbed as source, clean as target."""
        parts = []
        for source, other in directions.there_and_back():
            text, usable = self._monolingual(self.folders[0], source, split)
            chosen = Subset(text, usable[:count])
            noisy = Dressed(chosen, self.convention, source, self.noise, self.seed)
            clean = Dressed(chosen, self.convention, source)
            pairs = pair_dataset(noisy, clean, self.dictionary, self.convention, source)
            parts.append((("round_trip", source, other), pairs))
        return parts

    def _monolingual(self, folder, language, split):
        """Return (dataset, usable indices)."""
        prefix = os.path.join(folder, language, split)
        open_binarised(prefix)  # says what is wrong, where fairseq would crash or read garbage
        text = data_utils.load_indexed_dataset(prefix, self.dictionary, "mmap")
        usable = usable_sentences(text.sizes, self.longest, prefix)
        if not len(usable):
            raise InputError("{} has no sentence that can be used".format(prefix))
        return text, usable
