"""The task `crossinit_mlm`: masked-LM pre-training of XLM on the data folder that all stages share."""

import logging
import math
from dataclasses import dataclass, field
from typing import Optional

import numpy as np
from fairseq.data import ConcatDataset, ResamplingDataset, SortDataset, data_utils
from fairseq.dataclass import ChoiceEnum, FairseqDataclass
from fairseq.logging import metrics
from fairseq.models import ARCH_MODEL_REGISTRY, FairseqEncoderModel
from fairseq.tasks import register_task
from omegaconf import II, MISSING

from crossinit_fairseq.data.dictionary import languages_in
from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.models.checkpoint_fit import check_dictionary_fits
from crossinit_fairseq.tasks.architecture import build_for
from crossinit_fairseq.tasks.data_folder import (
    MASK,
    check_languages,
    data_folders,
    languages_of,
    load_dictionary,
)
from crossinit_fairseq.tasks.masked_text import MaskedText
from crossinit_fairseq.tasks.one_dictionary import OneDictionaryTask
from crossinit_fairseq.translation.direction_batches import DirectionBatches

logger = logging.getLogger(__name__)


@dataclass
class CrossInitMlmConfig(FairseqDataclass):
    """Options of `--task crossinit_mlm`."""

    data: str = field(
        default=MISSING,
        metadata={
            "help": "folder with dict.txt, LANG/train.{bin,idx} and LANG/valid.{bin,idx}; several folders of training shards, "
            "separated by colons"
        },
    )
    langs: Optional[str] = field(
        default=None,
        metadata={"help": "languages to train on, such as en,ro (default: every folder in DATA with a train.idx)"},
    )
    tokens_per_sample: int = field(
        default=256, metadata={"help": "longest input, in sub-tokens, its first and last included (XLM: 256)"}
    )
    sample_break_mode: ChoiceEnum(["complete", "eos", "none"]) = field(
        default="complete",
        metadata={
            "help": "complete: an input is as many whole sentences as fit; eos: one sentence; none: a piece of the running text, cut "
            "anywhere, as XLM (default: complete)"
        },
    )
    mask_prob: float = field(default=0.15, metadata={"help": "share of the tokens to predict"})
    leave_unmasked_prob: float = field(default=0.1, metadata={"help": "share of those that stay as they are"})
    random_token_prob: float = field(default=0.1, metadata={"help": "share of those that become a random token"})
    multilang_sampling_alpha: float = field(
        default=0.5,
        metadata={
            "help": "a language with the share p of the text is drawn in proportion to p ** alpha (paper: 0.5; 1: as it is)"
        },
    )
    seed: int = II("common.seed")
    train_subset: str = II("dataset.train_subset")


@register_task("crossinit_mlm", dataclass=CrossInitMlmConfig)
class CrossInitMlmTask(OneDictionaryTask):
    """Predict masked tokens (Devlin et al., 2019) in many languages, the model knowing which (Lample and Conneau, 2019).

    An input is ``<s> x </s> [lang]``, where XLM writes ``</s> x </s>``: so sentences stand in the encoder of
    `crossinit_unmt` (see Convention), which may start from this model and is asked nothing new. ``<s>`` and ``[lang]`` are
    never masked and no token becomes one of them; x holds one sentence or several, each with its ``</s>``, which may be
    masked as in XLM. Architectures without language embeddings (roberta, masked_lm) are given the language as well, and
    ignore it.

    Against the stock `multilingual_masked_lm`: the model gets the language; sampled text is sorted into batches
    anew in every epoch, not by the lengths of the first; a language's validation loss is logged (``loss_en``).
    """

    cfg: CrossInitMlmConfig

    def __init__(self, cfg, dictionary, languages):
        super().__init__(cfg, dictionary, languages)
        self.tokens = languages_in(dictionary.symbols)
        unknown = [language for language in languages if language not in self.tokens]
        if unknown:
            raise InputError(
                "the tokens of {} are not at the end of dict.txt, with those of the other languages ({}) and <mask>".format(
                    ", ".join(unknown), ", ".join(self.tokens)
                )
            )

    @classmethod
    def setup_task(cls, cfg, **kwargs):
        """Check the data folder and the options before anything is built."""
        with one_sentence():
            folders = data_folders(cfg.data)
            languages = check_languages(cfg.langs or ",".join(languages_of(folders[0])), folders, cfg.train_subset)
            if not languages:
                raise InputError("{} has no language: no folder in it has a train.idx".format(folders[0]))
            _check_options(cfg)
            return cls(cfg, load_dictionary(folders[0], languages), languages)

    def build_model(self, cfg, from_checkpoint=False):
        """Build the model; a checkpoint of another dictionary will be refused in words."""
        with one_sentence():
            _check_predicts(cfg)
            model = build_for(self, "crossinit_mlm", cfg, from_checkpoint)
            check_dictionary_fits(model, self.dictionary, self.cfg.data)
            if model.max_positions() < self.cfg.tokens_per_sample:
                raise InputError(
                    "--tokens-per-sample is {} but the model has {} positions: give one more or the other fewer".format(
                        self.cfg.tokens_per_sample, model.max_positions()
                    )
                )
        return model

    def load_dataset(self, split, epoch=1, combine=False, **kwargs):
        """Training: languages sampled anew for each epoch, from its folder. Else: all text, batches of one language."""
        folders, training = data_folders(self.cfg.data), split == self.cfg.train_subset
        folder = folders[(epoch - 1) % len(folders)] if training else folders[0]
        with one_sentence():
            text = self._text()
            parts = [(language, text.read(folder, language, split)) for language in self.languages]
        self.datasets[split] = (
            self._sampled([part for _, part in parts], epoch) if training else DirectionBatches(parts)
        )

    def _text(self):
        cfg = self.cfg
        chances = {key: getattr(cfg, key) for key in ("mask_prob", "leave_unmasked_prob", "random_token_prob")}
        mask, mode = self.dictionary.index(MASK), str(cfg.sample_break_mode)
        return MaskedText(self.dictionary, self.tokens, mask, cfg.tokens_per_sample, mode, chances, cfg.seed)

    def _sampled(self, parts, epoch):
        """One dataset of the blocks of all languages, of the same number as there are."""
        counts = np.array([len(part) for part in parts], dtype=float)
        shares = (counts / counts.sum()) ** self.cfg.multilang_sampling_alpha
        ratios = shares / shares.sum() * counts.sum() / counts
        for language, count, ratio in zip(self.languages, counts, ratios):
            logger.info("{}: {:,} blocks, sampled {:.2f} times".format(language, int(count), ratio))
        dataset = ConcatDataset([part for pair in zip(parts, ratios) for part in self._times(*pair, epoch)])
        with data_utils.numpy_seed(self.cfg.seed + epoch):
            shuffle = np.random.permutation(len(dataset))
        return SortDataset(dataset, sort_order=[shuffle, dataset.sizes])

    def _times(self, part, ratio, epoch):
        """A dataset as often as `ratio` says: whole, and a sample for the fraction (stock tasks leave blocks out of the whole)."""
        copies, rest = [part] * int(ratio), ratio - int(ratio)
        if rest * len(part) >= 1:
            copies.append(ResamplingDataset(part, size_ratio=rest, seed=self.cfg.seed, epoch=epoch, replace=False))
        return copies

    def has_sharded_data(self, split):
        """Yes for training: fairseq then loads, samples and sorts it anew for each epoch."""
        return split == self.cfg.train_subset

    def valid_step(self, sample, model, criterion):
        """fairseq's own, with the loss under the name of its language."""
        loss, sample_size, logs = super().valid_step(sample, model, criterion)
        for language in self.languages:
            own = 1 if sample["tag"] == language else 0
            for key in ("loss", "sample_size"):  # all of them always: processes add their logs up
                logs["{}_{}".format(key, language)] = logs[key] * own
        return loss, sample_size, logs

    def reduce_metrics(self, logging_outputs, criterion):
        """The criterion's, and the validation loss of each language, in bits."""
        if sum(log.get("sample_size", 0) for log in logging_outputs):
            super().reduce_metrics(logging_outputs, criterion)
        for language in self.languages:
            size = sum(log.get("sample_size_" + language, 0) for log in logging_outputs)
            if size:
                loss = sum(log.get("loss_" + language, 0) for log in logging_outputs)
                metrics.log_scalar("loss_" + language, loss / size / math.log(2), size, round=3)

    def max_positions(self):
        """Longest input, in sub-tokens."""
        return self.cfg.tokens_per_sample


def _check_options(cfg):
    if not 0 < cfg.mask_prob < 1:
        raise InputError("--mask-prob is {}; it must lie between 0 and 1".format(cfg.mask_prob))
    left, random = cfg.leave_unmasked_prob, cfg.random_token_prob
    if left < 0 or random < 0 or left + random > 1:
        raise InputError(
            "--leave-unmasked-prob {} and --random-token-prob {} are shares of the masked tokens, of 1 together at most".format(
                left, random
            )
        )
    if cfg.tokens_per_sample < 4:
        raise InputError("--tokens-per-sample is {}; <s>, a word, </s> and [lang] make 4".format(cfg.tokens_per_sample))


def _check_predicts(cfg):
    name = getattr(cfg, "arch", None) or getattr(cfg, "_name", None)
    model = ARCH_MODEL_REGISTRY.get(name)
    if model is not None and not issubclass(model, FairseqEncoderModel):
        raise InputError(
            "--task crossinit_mlm needs a masked language model such as xlm_tiny_3 or roberta, not {}".format(name)
        )
