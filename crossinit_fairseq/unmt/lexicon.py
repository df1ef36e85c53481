"""What a lexicon does in unsupervised translation: sources for back-translation before the model can write any, and
noise."""

from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch

from crossinit_fairseq.data.noise import WordNoise, add_noise
from crossinit_fairseq.data.special_tokens import SpecialTokens
from crossinit_fairseq.lexicon.word_by_word import PieceTranslator

Translators = Dict[Tuple[str, str], PieceTranslator]


class WordByWordSources:
    """Translates batches word by word for the first updates: the first iteration of Lample et al. (2018, "Unsupervised
    machine translation using monolingual corpora only", section 2.3).

    translators: PieceTranslator of each (source, target) that has a lexicon; updates: for how many; noise: WordNoise
    for what is written, or None; max_len: longest translation in tokens, ``</s>`` not counted: the rest is cut off.
    """

    def __init__(
        self,
        translators: Translators,
        updates: int,
        special_tokens: SpecialTokens,
        noise: Optional[WordNoise],
        max_len: int,
    ):
        self.translators, self.updates = translators, updates
        self.special_tokens, self.noise, self.max_len = special_tokens, noise, max_len

    def writes(self, source: str, target: str, update: int) -> bool:
        """Whether it is the lexicon that translates this direction in an update, rather than the model."""
        return update < self.updates and (source, target) in self.translators

    def __call__(self, clean: torch.Tensor, source: str, target: str, seed: Sequence[int]) -> torch.Tensor:
        """clean: int64 [B, T] rows of ``x </s>`` and padding, in the source language; seed: ints >= 0, for the noise.
        Returns int64 [B, T'] of the same form on the same device."""
        rows = clean.cpu().numpy()
        lengths = (rows != self.special_tokens.pad).sum(1)
        sentences = [row[:length] for row, length in zip(rows, lengths.tolist())]
        written = []
        rng = np.random.default_rng(list(seed) + [1])
        for sentence in self.translators[source, target](sentences):
            cut = torch.from_numpy(np.append(sentence[:-1][: self.max_len], sentence[-1]))
            written.append(cut if self.noise is None else add_noise(cut, self.noise, rng))
        return self.special_tokens.collate(written).to(clean.device)


class LexiconNoise:
    """Replaces words of a sentence that is to be denoised by their translations: the model then reads both languages'
    words in one place, and what it has to write stays.

    translators: PieceTranslator of each (source, target) that has a lexicon; probability: of a word that has a
    translation; longest: of a sentence with ``</s>``, in tokens: the rest is cut off.
    """

    def __init__(self, translators: Translators, probability: float, longest: int):
        self.probability, self.longest = probability, longest
        self._of: Dict[str, List[PieceTranslator]] = {}
        for (source, _), translator in sorted(translators.items(), key=lambda item: item[0]):
            self._of.setdefault(source, []).append(translator)

    def __call__(
        self, sentences: Sequence[torch.Tensor], language: str, rng: np.random.Generator
    ) -> Sequence[torch.Tensor]:
        """sentences: int64 [T] each with ``</s>``; rng draws which language, if there are several, and which words."""
        if language not in self._of:
            return sentences
        own = self._of[language]
        translator = own[int(rng.integers(len(own)))]
        mixed = translator([sentence.numpy() for sentence in sentences], self.probability, rng)
        return [torch.from_numpy(np.append(sentence[:-1][: self.longest - 1], sentence[-1])) for sentence in mixed]
