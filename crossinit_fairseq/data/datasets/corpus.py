"""The binarised text of a data folder: which files hold it, which of its sentences can be used, and as what."""

import logging
import os
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np
import torch
from fairseq.data import Dictionary, LanguagePairDataset, TokenBlockDataset, data_utils

from crossinit_fairseq.data.datasets.grouped_batches import GroupedBatches, WithSpecialTokens, pair_dataset
from crossinit_fairseq.data.datasets.monolingual_updates import MonolingualUpdates, SentenceNoise
from crossinit_fairseq.data.noise import WordNoise
from crossinit_fairseq.data.sentences import ShortenedSentences, Subset, usable_sentences
from crossinit_fairseq.data.special_tokens import SpecialTokens
from crossinit_fairseq.data.text_check import find_control_symbols, report_control_symbols
from crossinit_fairseq.data.vocabularies import count_tokens, vocabularies
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import open_binarised

logger = logging.getLogger(__name__)

BREAK_MODES = ("complete", "eos", "none")  # see open_blocks


def open_text(prefix: str, dictionary: Dictionary) -> Any:
    """The sentences of ``prefix.{bin,idx}`` as a fairseq dataset of int64 [T], each ``x </s>``, with `sizes`.

    Raises InputError where a file is missing or damaged, of which fairseq would crash or read garbage.
    """
    open_binarised(prefix)
    return data_utils.load_indexed_dataset(prefix, dictionary, "mmap")


def open_usable_text(
    prefix: str, dictionary: Dictionary, languages: Iterable[str], longest: int
) -> Tuple[Any, np.ndarray]:
    """The same, and the numbers of the sentences that are used, int64 [n]: those that hold a word, have `longest`
    tokens at most and hold no control symbols (see find_control_symbols; languages: whose tokens these are, too).

    What is left out is counted in the log. Raises InputError also for text that does not fit the dictionary, and where
    no sentence is left.
    """
    found = find_control_symbols(prefix, dictionary.symbols, languages)
    report_control_symbols(prefix, found, "they are left out")
    text = open_text(prefix, dictionary)
    usable = np.setdiff1d(usable_sentences(text.sizes, longest, prefix), found.sentences, assume_unique=True)
    if not len(usable):
        raise InputError(f"{prefix} has no sentence that can be used")
    return text, usable


def open_blocks(
    prefix: str, dictionary: Dictionary, languages: Iterable[str], longest: int, break_mode: str
) -> TokenBlockDataset:
    """The text of ``prefix.{bin,idx}`` in blocks of at most `longest` tokens: int64 [T] each, with `sizes`.

    break_mode: "complete", a block is as many whole sentences as fit, each with its ``</s>``; "eos", one sentence;
    "none", a piece of the running text, cut anywhere. Empty sentences, and those longer than a block, are counted and
    left out ("none" cuts them instead); so are those with control symbols, see open_usable_text (languages: as there).
    Raises InputError when the text is missing, damaged, or has no sentence left.
    """
    fits = np.iinfo(np.int64).max if break_mode == "none" else longest
    text, usable = open_usable_text(prefix, dictionary, languages, fits)
    text = Subset(text, usable)
    return TokenBlockDataset(
        text, text.sizes, longest, pad=dictionary.pad(), eos=dictionary.eos(), break_mode=break_mode
    )


class Corpus:
    """Binarised text of some languages under one dictionary, as translation uses it.

    folders: the data folders; text to validate and to score on is in the first one alone; noise: added to sentences
    that are to be denoised; longest: the most tokens of a binarised sentence, ``</s>`` included; seed: of the noise and
    of the order.
    """

    def __init__(
        self,
        folders: List[str],
        languages: List[str],
        dictionary: Dictionary,
        special_tokens: SpecialTokens,
        noise: WordNoise,
        longest: int,
        seed: int,
    ):
        self.folders, self.languages = folders, languages
        self.dictionary, self.special_tokens, self.noise = dictionary, special_tokens, noise
        self.longest, self.seed = longest, seed

    def updates(
        self, split: str, epoch: int, alpha: Optional[float] = None, lexicon_noise: Optional[SentenceNoise] = None
    ) -> MonolingualUpdates:
        """The monolingual text to train on in an epoch: folders are shards, taken in turn.

        alpha, lexicon_noise: see MonolingualUpdates.
        """
        folder = self.folders[(epoch - 1) % len(self.folders)]
        opened = {language: self._monolingual(folder, language, split) for language in self.languages}
        return MonolingualUpdates(
            {language: text for language, (text, _) in opened.items()},
            {language: usable for language, (_, usable) in opened.items()},
            self.special_tokens,
            self.noise,
            self.seed,
            alpha,
            lexicon_noise,
        )

    def vocabularies(self, split: str) -> Dict[str, torch.Tensor]:
        """Which tokens are of each language, {language: bool [V]}, by the text of all folders; see `vocabularies`."""
        counts = {}
        for language in self.languages:
            prefixes = [os.path.join(folder, language, split) for folder in self.folders]
            for prefix in prefixes:  # a token beyond the dictionary could not be counted
                find_control_symbols(prefix, self.dictionary.symbols, self.languages)
            counts[language] = sum(count_tokens(open_binarised(p), len(self.dictionary)) for p in prefixes)
        found = {language: torch.from_numpy(own) for language, own in vocabularies(counts).items()}
        for language, own in found.items():
            logger.info(f"{language}: {int(own.sum()):,} of {len(own):,} symbols are of its text")
        return found

    def aligned(
        self, split: str, source: str, target: str, all_sentences: bool = False, shorten: bool = False
    ) -> Optional[LanguagePairDataset]:
        """The aligned text of a direction, None if there is none.

        all_sentences: keep those that cannot be used, for fairseq-generate's own options to deal with; shorten: or
        rather cut those that are too long, which is logged. Raises InputError when a file is damaged, the two texts
        are of unequal length or, unless all are kept, no pair can be used.
        """
        for first, second in ((source, target), (target, source)):
            prefix = os.path.join(self.folders[0], f"{split}.{first}-{second}.")
            if os.path.exists(prefix + source + ".idx"):
                break
        else:
            return None
        texts = [open_text(prefix + language, self.dictionary) for language in (source, target)]
        if len(texts[0]) != len(texts[1]):
            raise InputError(
                f"{prefix}{{{source},{target}}} are not aligned: {len(texts[0]):,} and {len(texts[1]):,} sentences"
            )
        with_symbols = []
        for language in (source, target):
            found = find_control_symbols(prefix + language, self.dictionary.symbols, self.languages)
            consequence = "they are translated as they are" if all_sentences else "these pairs are left out"
            report_control_symbols(prefix + language, found, consequence)
            with_symbols.append(found.sentences)
        if not all_sentences:
            usable = usable_sentences(np.maximum(texts[0].sizes, texts[1].sizes), self.longest, prefix + "*")
            usable = np.setdiff1d(usable, np.union1d(*with_symbols), assume_unique=True)
            if not len(usable):
                raise InputError(f"{prefix}{{{source},{target}}} have no pair that can be used")
            texts = [Subset(text, usable) for text in texts]
        elif shorten:
            texts = [ShortenedSentences(text, self.longest) for text in texts]
            if texts[0].cut:
                logger.warning(
                    f"{prefix}{source}: {texts[0].cut:,} of {len(texts[0]):,} sentences are cut to {self.longest:,} "
                    "sub-tokens"
                )
        pair = [WithSpecialTokens(text, self.special_tokens, lang) for text, lang in zip(texts, (source, target))]
        return pair_dataset(pair[0], pair[1], self.dictionary, self.special_tokens, target)

    def validation(
        self,
        split: str,
        directions: Iterable[Tuple[str, str]],
        round_trips: Sequence[Tuple[str, str]],
        sentences: int,
    ) -> GroupedBatches:
        """All that validation measures, in groups named ("bleu" or "round_trip", source, target).

        directions: (source, target) each, of which those that have aligned text are taken; round_trips: (language, by
        way of); sentences: of each language to translate there and back, 0 for none; without any aligned text there are
        some all the same.
        """
        aligned = [(direction, self.aligned(split, *direction)) for direction in directions]
        groups = [(("bleu",) + tuple(direction), dataset) for direction, dataset in aligned if dataset is not None]
        if sentences or not groups:
            groups += self._round_trips(split, round_trips, sentences or 200)
        return GroupedBatches(groups)

    def _round_trips(self, split: str, round_trips: Sequence[Tuple[str, str]], count: int) -> List[Tuple[Any, Any]]:
        """Monolingual text: with noise as source, clean as target."""
        groups = []
        for source, other in round_trips:
            text, usable = self._monolingual(self.folders[0], source, split)
            chosen = Subset(text, usable[:count])
            noisy = WithSpecialTokens(chosen, self.special_tokens, source, self.noise, self.seed)
            clean = WithSpecialTokens(chosen, self.special_tokens, source)
            pairs = pair_dataset(noisy, clean, self.dictionary, self.special_tokens, source)
            groups.append((("round_trip", source, other), pairs))
        return groups

    def _monolingual(self, folder: str, language: str, split: str) -> Tuple[Any, np.ndarray]:
        """(sentences, numbers of the usable ones)."""
        prefix = os.path.join(folder, language, split)
        return open_usable_text(prefix, self.dictionary, self.languages, self.longest)
