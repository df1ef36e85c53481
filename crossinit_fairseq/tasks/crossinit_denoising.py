"""The task `crossinit_denoising`: mBART's pre-training on the data folder that all stages share."""

import logging
import os
from dataclasses import dataclass, field, fields
from typing import Any, Collection, Dict, Set

import numpy as np
from fairseq.dataclass import ChoiceEnum
from fairseq.models import BaseFairseqModel
from fairseq.tasks import register_task

from crossinit_fairseq.data.bart_noise import MASK_LENGTHS, SPANS, BartNoise, NoiseLaw
from crossinit_fairseq.data.datasets.corpus import BREAK_MODES, open_blocks
from crossinit_fairseq.data.datasets.fixed_dictionary import load_dictionary
from crossinit_fairseq.data.datasets.grouped_batches import GroupedBatches
from crossinit_fairseq.data.datasets.noisy_text import NoisyText, sampling_ratios
from crossinit_fairseq.data.dictionary import EOS, MASK, language_token, special_rows
from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.ranks import WordPieces
from crossinit_fairseq.tasks.encoder_decoder import EncoderDecoderConfig, EncoderDecoderTask
from crossinit_fairseq.tasks.pretraining import PretrainingConfig, PretrainingTask, check_sampling

logger = logging.getLogger(__name__)


@dataclass
class CrossInitDenoisingConfig(EncoderDecoderConfig, PretrainingConfig):
    """Options of `--task crossinit_denoising`; by name those of fairseq's multilingual_denoising, by default mBART's
    noise on single sentences."""

    tokens_per_sample: int = field(
        default=512,
        metadata={
            "help": "longest input, in sub-tokens, its first and last included (mBART: 512); the model's positions and "
            "--max-source-positions and --max-target-positions may set a lower bound"
        },
    )
    sample_break_mode: ChoiceEnum(list(BREAK_MODES)) = field(
        default="eos",
        metadata={
            "help": "eos: an input is one sentence, as in translation; complete: as many whole sentences as fit, as "
            "mBART; none: a piece of the running text, cut anywhere (default: eos)"
        },
    )
    mask: float = field(default=0.35, metadata={"help": "share of the words that are masked, rounded up (mBART: 0.35)"})
    mask_length: ChoiceEnum(list(MASK_LENGTHS)) = field(
        default=SPANS,
        metadata={
            "help": "what a mask stands for: a span of words (span-poisson, as mBART), a word, or a sub-token (subword)"
        },
    )
    poisson_lambda: float = field(
        default=3.5, metadata={"help": "mean length of a span, in words; a span of none inserts a mask (mBART: 3.5)"}
    )
    replace_length: int = field(
        default=1,
        metadata={"help": "a masked span becomes nothing (0), one <mask> (1) or one for each sub-token (-1)"},
    )
    mask_random: float = field(
        default=0.0, metadata={"help": "share of the masks that are a random sub-token instead of <mask>"}
    )
    insert: float = field(default=0.0, metadata={"help": "masks to insert, as a share of the sub-tokens"})
    permute: float = field(default=0.0, metadata={"help": "share of the sub-tokens that are permuted among each other"})
    rotate: float = field(default=0.0, metadata={"help": "share of the inputs that begin elsewhere (rotated)"})
    permute_sentences: float = field(
        default=0.0, metadata={"help": "share of the sentences of an input that are permuted among each other"}
    )
    no_whole_word_mask_langs: str = field(
        default="",
        metadata={
            "help": "languages without spaces, such as ja,zh: each of their sub-tokens counts as a word. In the others "
            "a word is a run of sub-tokens, as the dictionary's symbols tell; --bpe is not needed"
        },
    )
    add_lang_token: bool = field(
        default=False,
        metadata={
            "help": "end inputs with the token of their language, [en], and start the decoder with it, as mBART; "
            "crossinit_unmt reads and writes sentences so. Without, </s> stands in its place"
        },
    )


@register_task("crossinit_denoising", dataclass=CrossInitDenoisingConfig)
class CrossInitDenoisingTask(EncoderDecoderTask, PretrainingTask):
    """Restore text from noise, with any encoder-decoder (Lewis et al., 2020; in many languages: Liu et al., 2020).

    With --add-lang-token an input is ``<s> x </s> [lang]`` and the decoder begins with ``[lang]``, as
    `multilingual_denoising` writes it and `crossinit_unmt` expects it. Checkpoints of the two tasks are alike. Against
    the stock task: noise is a function of (seed, epoch, place in the epoch), not of how a run was interrupted, or of
    how many workers read; batches are of like lengths in every epoch; words are whole words without --bpe; sentences
    that are too long are left out of validation too; a language's validation loss is logged (``loss_en``).
    """

    cfg: CrossInitDenoisingConfig
    name = "crossinit_denoising"

    @classmethod
    def setup_task(cls, cfg: CrossInitDenoisingConfig, **kwargs: Any) -> "CrossInitDenoisingTask":
        """Check the data folder and the options before anything is built."""
        with one_sentence():
            folders, languages = cls.folders_and_languages(cfg)
            _check_options(cfg, languages)
            if not cfg.add_lang_token:
                logger.warning(
                    "without --add-lang-token the model is not told the languages, and crossinit_unmt will find "
                    "sentences written otherwise than in its pre-training"
                )
            return cls(cfg, load_dictionary(folders, languages), languages)

    def build_model(self, cfg: Any, from_checkpoint: bool = False) -> BaseFairseqModel:
        """Build the model; a checkpoint of another dictionary will be refused in words."""
        model = super().build_model(cfg, from_checkpoint)
        if self.longest < 4:
            with one_sentence():
                raise InputError(f"the model has {self.longest} positions; <s>, a word, </s> and [lang] make 4")
        return model

    @property
    def longest(self) -> int:
        """Of an input, with noise and without, in sub-tokens, its first and last included."""
        return min(self.cfg.tokens_per_sample, self.fewest_positions)

    def load_dataset(self, split: str, epoch: int = 1, combine: bool = False, **kwargs: Any) -> None:
        """Training: the languages together, sampled anew in each epoch. Else: all text, batches of one language."""
        folders, training = self.folders, split == self.cfg.train_subset
        folder = folders[(epoch - 1) % len(folders)] if training else folders[0]
        with one_sentence():
            blocks = {
                language: open_blocks(
                    os.path.join(folder, language, split),
                    self.dictionary,
                    self.languages,
                    self.longest - 2,
                    str(self.cfg.sample_break_mode),
                )
                for language in self.languages
            }
            if training:
                self._log_ratios({language: len(own) for language, own in blocks.items()})
                self.datasets[split] = self._noisy(blocks, self.cfg.multilang_sampling_alpha)
            else:
                groups = [(language, self._noisy({language: own})) for language, own in blocks.items()]
                self.datasets[split] = GroupedBatches(groups)

    def _log_ratios(self, counts: Dict[str, int]) -> None:
        ratios = sampling_ratios(list(counts.values()), self.cfg.multilang_sampling_alpha)
        for (language, count), ratio in zip(counts.items(), ratios):
            logger.info(f"{language}: {count:,} inputs, sampled {ratio:.2f} times")

    def _noisy(self, blocks: Dict[str, Any], alpha: Any = None) -> NoisyText:
        cfg, symbols = self.cfg, self.dictionary.symbols
        special = special_rows(symbols, self.languages)
        pieces = WordPieces(symbols, special=special, unk=self.dictionary.unk())
        text_tokens = np.setdiff1d(np.arange(len(symbols)), special)
        mask, law, spaceless = self.dictionary.index(MASK), noise_law(cfg), without_word_masks(cfg)
        noise = {
            language: BartNoise(law, pieces, mask, text_tokens, self.longest, whole_words=language not in spaceless)
            for language in blocks
        }
        ends = {
            language: self.dictionary.index(language_token(language)) if cfg.add_lang_token else EOS
            for language in blocks
        }
        return NoisyText(blocks, noise, ends, cfg.seed, alpha)


def noise_law(cfg: CrossInitDenoisingConfig) -> NoiseLaw:
    """The options of the noise. Raises InputError where one is out of range."""
    values = {option.name: getattr(cfg, option.name) for option in fields(NoiseLaw)}
    law = NoiseLaw(**dict(values, mask_length=str(cfg.mask_length)))
    law.check()
    return law


def _check_options(cfg: CrossInitDenoisingConfig, languages: Collection[str]) -> None:
    """Raises InputError where an option is out of range. languages: those of the run."""
    noise_law(cfg)
    if cfg.tokens_per_sample < 4:
        raise InputError(f"--tokens-per-sample is {cfg.tokens_per_sample}; <s>, a word, </s> and [lang] make 4")
    check_sampling(cfg)
    unknown = sorted(without_word_masks(cfg) - set(languages))
    if unknown:
        raise InputError(
            f"--no-whole-word-mask-langs names {', '.join(unknown)}, but this run has {', '.join(languages)}"
        )


def without_word_masks(cfg: CrossInitDenoisingConfig) -> Set[str]:
    """The languages of --no-whole-word-mask-langs."""
    return {name.strip() for name in cfg.no_whole_word_mask_langs.split(",") if name.strip()}
