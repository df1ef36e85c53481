"""The task `crossinit_mlm`: masked-LM pre-training of XLM on the data folder that all stages share."""

import logging
from dataclasses import dataclass, field
from typing import Any, List, Mapping

import numpy as np
from fairseq.data import (
    ConcatDataset,
    Dictionary,
    FairseqDataset,
    ResamplingDataset,
    SortDataset,
    TokenBlockDataset,
    data_utils,
)
from fairseq.dataclass import ChoiceEnum
from fairseq.models import BaseFairseqModel, FairseqEncoderModel
from fairseq.tasks import register_task

from crossinit_fairseq.data.datasets.corpus import BREAK_MODES
from crossinit_fairseq.data.datasets.fixed_dictionary import load_dictionary
from crossinit_fairseq.data.datasets.grouped_batches import GroupedBatches
from crossinit_fairseq.data.datasets.masked_text import MaskedText
from crossinit_fairseq.data.datasets.noisy_text import sampling_ratios
from crossinit_fairseq.data.dictionary import languages_in
from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.models.checkpoint_fit import check_dictionary_fits
from crossinit_fairseq.tasks.pretraining import PretrainingConfig, PretrainingTask, check_sampling

logger = logging.getLogger(__name__)


@dataclass
class CrossInitMlmConfig(PretrainingConfig):
    """Options of `--task crossinit_mlm`."""

    tokens_per_sample: int = field(
        default=256, metadata={"help": "longest input, in sub-tokens, its first and last included (XLM: 256)"}
    )
    sample_break_mode: ChoiceEnum(list(BREAK_MODES)) = field(
        default="complete",
        metadata={
            "help": "complete: an input is as many whole sentences as fit; eos: one sentence; none: a piece of the "
            "running text, cut anywhere, as XLM (default: complete)"
        },
    )
    mask_prob: float = field(default=0.15, metadata={"help": "share of the tokens to predict"})
    leave_unmasked_prob: float = field(default=0.1, metadata={"help": "share of those that stay as they are"})
    random_token_prob: float = field(default=0.1, metadata={"help": "share of those that become a random token"})


@register_task("crossinit_mlm", dataclass=CrossInitMlmConfig)
class CrossInitMlmTask(PretrainingTask):
    """Predict masked tokens (Devlin et al., 2019) in many languages, the model knowing which (Lample and Conneau,
    2019).

    An input is ``<s> x </s> [lang]``, where XLM writes ``</s> x </s>``: so sentences stand in the encoder of
    `crossinit_unmt` (see SpecialTokens), which may start from this model and is asked nothing new. ``<s>`` and
    ``[lang]`` are never masked and no token becomes one of them; x holds one sentence or several, each with its
    ``</s>``, which may be masked as in XLM. Architectures without language embeddings (roberta, masked_lm) are given
    the language as well, and ignore it.

    Against the stock `multilingual_masked_lm`: the model gets the language; sampled text is sorted into batches
    anew in every epoch, not by the lengths of the first; a language's validation loss is logged (``loss_en``).
    """

    cfg: CrossInitMlmConfig
    name = "crossinit_mlm"
    criterion = "masked_lm"

    def __init__(self, cfg: CrossInitMlmConfig, dictionary: Dictionary, languages: List[str]):
        super().__init__(cfg, dictionary, languages)
        self.tokens = languages_in(dictionary.symbols)
        unknown = [language for language in languages if language not in self.tokens]
        if unknown:
            raise InputError(
                f"the tokens of {', '.join(unknown)} are not at the end of dict.txt, with those of the other languages "
                f"({', '.join(self.tokens)}) and <mask>"
            )

    @classmethod
    def setup_task(cls, cfg: CrossInitMlmConfig, **kwargs: Any) -> "CrossInitMlmTask":
        """Check the data folder and the options before anything is built."""
        with one_sentence():
            folders, languages = cls.folders_and_languages(cfg)
            _check_options(cfg)
            return cls(cfg, load_dictionary(folders, languages), languages)

    def build_model(self, cfg: Any, from_checkpoint: bool = False) -> BaseFairseqModel:
        """Build the model; a checkpoint of another dictionary will be refused in words."""
        with one_sentence():
            self.check_architecture(cfg, FairseqEncoderModel, "a masked language model such as xlm_tiny_3 or roberta")
            model = self.build_fairseq_model(cfg, from_checkpoint)
            check_dictionary_fits(model, self.dictionary, self.cfg.data)
            if not from_checkpoint:
                self.check_starting_checkpoint()
            if model.max_positions() < self.cfg.tokens_per_sample:
                raise InputError(
                    f"--tokens-per-sample is {self.cfg.tokens_per_sample} but the model has {model.max_positions()} "
                    "positions: give one more or the other fewer"
                )
        return model

    def load_dataset(self, split: str, epoch: int = 1, combine: bool = False, **kwargs: Any) -> None:
        """Training: languages sampled anew for each epoch, from its folder. Else: all text, batches of one language."""
        folders, training = self.folders, split == self.cfg.train_subset
        folder = folders[(epoch - 1) % len(folders)] if training else folders[0]
        with one_sentence():
            text = self._text()
            blocks = {language: text.blocks(folder, language, split) for language in self.languages}
        if training:
            self.datasets[split] = self._sampled(text, blocks, epoch)
        else:
            self.datasets[split] = GroupedBatches([(name, text.masked(own, name)) for name, own in blocks.items()])

    def _text(self) -> MaskedText:
        cfg = self.cfg
        chances = {key: getattr(cfg, key) for key in ("mask_prob", "leave_unmasked_prob", "random_token_prob")}
        mode = str(cfg.sample_break_mode)
        return MaskedText(self.dictionary, self.tokens, cfg.tokens_per_sample, mode, chances, cfg.seed)

    def _sampled(self, text: MaskedText, blocks: Mapping[str, TokenBlockDataset], epoch: int) -> FairseqDataset:
        """One dataset of the blocks of all languages, of the same number as there are."""
        counts = [len(own) for own in blocks.values()]
        parts: List[FairseqDataset] = []
        for (language, own), ratio in zip(blocks.items(), sampling_ratios(counts, self.cfg.multilang_sampling_alpha)):
            logger.info(f"{language}: {len(own):,} blocks, sampled {ratio:.2f} times")
            parts += self._times(text, language, own, ratio, epoch)
        dataset = ConcatDataset(parts)
        with data_utils.numpy_seed(self.cfg.seed + epoch):
            shuffle = np.random.permutation(len(dataset))
        return SortDataset(dataset, sort_order=[shuffle, dataset.sizes])

    def _times(
        self, text: MaskedText, language: str, blocks: TokenBlockDataset, ratio: float, epoch: int
    ) -> List[FairseqDataset]:
        """Blocks as often as `ratio` says: whole, and a sample for the fraction (stock tasks leave blocks out of the
        whole); masked otherwise each time."""
        whole, rest = int(ratio), ratio - int(ratio)
        repeated: List[FairseqDataset] = [text.masked(blocks, language, number) for number in range(whole)]
        if rest * len(blocks) >= 1:
            masked = text.masked(blocks, language, whole)
            repeated.append(ResamplingDataset(masked, size_ratio=rest, seed=self.cfg.seed, epoch=epoch, replace=False))
        return repeated

    def has_sharded_data(self, split: str) -> bool:
        """Yes for training: fairseq then loads, samples and sorts it anew for each epoch."""
        return split == self.cfg.train_subset

    def max_positions(self) -> int:
        """Longest input, in sub-tokens."""
        return self.cfg.tokens_per_sample


def _check_options(cfg: CrossInitMlmConfig) -> None:
    """Raises InputError where an option is out of range."""
    check_sampling(cfg)
    if not 0 < cfg.mask_prob < 1:
        raise InputError(f"--mask-prob is {cfg.mask_prob}; it must lie between 0 and 1")
    left, random = cfg.leave_unmasked_prob, cfg.random_token_prob
    if left < 0 or random < 0 or left + random > 1:
        raise InputError(
            f"--leave-unmasked-prob {left} and --random-token-prob {random} are shares of the masked tokens, of 1 "
            "together at most"
        )
    if cfg.tokens_per_sample < 4:
        raise InputError(f"--tokens-per-sample is {cfg.tokens_per_sample}; <s>, a word, </s> and [lang] make 4")
