"""Options of the task `crossinit_denoising`."""

from dataclasses import dataclass, field, fields
from typing import Collection, Set

from fairseq.dataclass import ChoiceEnum

from crossinit_fairseq.data.bart_noise import MASK_LENGTHS, SPANS, NoiseLaw
from crossinit_fairseq.data.datasets.corpus import BREAK_MODES
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.tasks.encoder_decoder import EncoderDecoderConfig


@dataclass
class CrossInitDenoisingConfig(EncoderDecoderConfig):
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
    multilang_sampling_alpha: float = field(
        default=0.5,
        metadata={
            "help": "a language with the share p of the text is drawn in proportion to p ** alpha (paper: 0.5; 1: as "
            "it is)"
        },
    )


def noise_law(cfg: CrossInitDenoisingConfig) -> NoiseLaw:
    """The options of the noise. Raises InputError where one is out of range."""
    values = {option.name: getattr(cfg, option.name) for option in fields(NoiseLaw)}
    law = NoiseLaw(**dict(values, mask_length=str(cfg.mask_length)))
    law.check()
    return law


def check_options(cfg: CrossInitDenoisingConfig, languages: Collection[str]) -> None:
    """Raises InputError where an option is out of range. languages: those of the run."""
    noise_law(cfg)
    if cfg.tokens_per_sample < 4:
        raise InputError(f"--tokens-per-sample is {cfg.tokens_per_sample}; <s>, a word, </s> and [lang] make 4")
    if cfg.multilang_sampling_alpha < 0:
        raise InputError(f"--multilang-sampling-alpha is {cfg.multilang_sampling_alpha}; it must be 0 or more")
    unknown = sorted(without_word_masks(cfg) - set(languages))
    if unknown:
        raise InputError(
            f"--no-whole-word-mask-langs names {', '.join(unknown)}, but this run has {', '.join(languages)}"
        )


def without_word_masks(cfg: CrossInitDenoisingConfig) -> Set[str]:
    """The languages of --no-whole-word-mask-langs."""
    return {name.strip() for name in cfg.no_whole_word_mask_langs.split(",") if name.strip()}
