"""Options of the task `crossinit_unmt`."""

import math
from dataclasses import dataclass, field, replace
from typing import List, Optional, Tuple

from fairseq.dataclass import ChoiceEnum
from omegaconf import II

from crossinit_fairseq.data.special_tokens import SpecialTokens
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.generation.search import Search
from crossinit_fairseq.tasks.encoder_decoder import EncoderDecoderConfig
from crossinit_fairseq.unmt.training_step import weight_schedule


@dataclass
class CrossInitUnmtConfig(EncoderDecoderConfig):
    """Options of `--task crossinit_unmt`."""

    directions: Optional[str] = field(
        default=None,
        metadata={
            "help": "directions to learn, such as en-ro,ro-en or ne-en,en-ne,hi-en,en-hi (default: all pairs of "
            "--langs)"
        },
    )
    source_lang: Optional[str] = field(
        default=None,
        metadata={
            "help": "translate from this language (fairseq-generate, fairseq-interactive)",
            "argparse_alias": "-s",
        },
    )
    target_lang: Optional[str] = field(
        default=None,
        metadata={
            "help": "translate into this language (fairseq-generate, fairseq-interactive)",
            "argparse_alias": "-t",
        },
    )
    lambda_dae: str = field(
        default="1.0",
        metadata={
            "help": "weight of denoising: a number, or a schedule update:weight of straight lines, such as "
            "0:1,100000:0.1"
        },
    )
    lambda_bt: str = field(
        default="1.0", metadata={"help": "weight of back-translation, as --lambda-dae; 0 generates nothing"}
    )
    max_word_shuffle_distance: float = field(
        default=3.0, metadata={"help": "denoising: a word moves by less than this many places"}
    )
    word_dropout_prob: float = field(default=0.1, metadata={"help": "denoising: probability that a word is left out"})
    word_blanking_prob: float = field(
        default=0.2, metadata={"help": "denoising: probability that a word becomes one <mask>"}
    )
    sampling_alpha: Optional[float] = field(
        default=None,
        metadata={
            "help": "language sampling temperature: an update takes as many batches as there are languages, each of a "
            "language drawn with a chance in proportion to (share of all sentences) ** ALPHA; 1 follows the sizes, 0.5 "
            "is XLM's and the paper's choice in pre-training, 0 is even (default: one batch of every language in every "
            "update). A batch is --batch-size or --max-tokens of each process"
        },
    )
    bt_max_len_a: float = field(
        default=1.3,
        metadata={
            "help": "generation ends after A * (length of the longest source of the batch) + B tokens; this is A"
        },
    )
    bt_max_len_b: int = field(default=5, metadata={"help": "see --bt-max-len-a; this is B"})
    bt_beam: int = field(
        default=1, metadata={"help": "back-translation: beam of its generation; 1 is greedy, and several times faster"}
    )
    bt_sampling: bool = field(
        default=False, metadata={"help": "back-translation: draw every token, instead of taking the most probable one"}
    )
    bt_sampling_topk: int = field(
        default=-1, metadata={"help": "with --bt-sampling: draw from this many most probable tokens (-1: from all)"}
    )
    bt_temperature: float = field(
        default=1.0, metadata={"help": "with --bt-sampling or a beam: scores are divided by this; under 1 is bolder"}
    )
    bt_ahead: int = field(
        default=1,
        metadata={
            "help": "back-translation: translate the sources of this many updates together, by the model as it is "
            "before the first of them, in larger batches, which fill a GPU better; 1: each update's by the model as it "
            "is (default: 1)"
        },
    )
    restrict_vocab_updates: int = field(
        default=0,
        metadata={
            "help": "for this many updates, back-translation generates only tokens that are at least a tenth as "
            "frequent in the target language's training text as in any other's: a cure against copying the source (0: "
            "no restriction, -1: for all of training)"
        },
    )
    lexicon: Optional[str] = field(
        default=None,
        metadata={
            "help": "lexicons of `crossinit-lexicon induce`, such as en-ro=LEX.tsv,en-ne=OTHER.tsv, for "
            "--lexicon-bt-updates and --lexicon-noise; each serves both of its directions"
        },
    )
    lexicon_bt_updates: int = field(
        default=0,
        metadata={
            "help": "for this many updates, back-translation learns from sentences translated word by word with the "
            "lexicon, and generates nothing in the directions that have one (Lample et al. 2018, the first iteration)"
        },
    )
    lexicon_bt_noise: bool = field(
        default=False,
        metadata={"help": "add noise to the sentences translated word by word, as denoising does to its input"},
    )
    lexicon_noise: float = field(
        default=0.0,
        metadata={
            "help": "denoising: probability that a word which the lexicon knows is replaced by its translation, before "
            "the other noise; where lexicons lead into several languages, each batch takes one of them"
        },
    )
    freeze_table_updates: int = field(
        default=0,
        metadata={
            "help": "for this many updates the token embedding table stays as it is (-1: for all of training), so that "
            "an aligned table is not undone while the rest of the model is still random"
        },
    )
    valid_round_trip: int = field(
        default=200,
        metadata={
            "help": "sentences of each language's monolingual valid split to translate there and back at every "
            "validation, scored as round_trip_bleu (0: none); without any aligned valid split they are also what the "
            "valid loss is of"
        },
    )
    valid_round_trip_vocab: ChoiceEnum(["target", "all"]) = field(
        default="target",
        metadata={
            "help": "round trip: target lets the way there use only tokens of its language, as "
            "--restrict-vocab-updates does, so that copying the source does not win; all lets it use any token "
            "(default: target)"
        },
    )
    generation_vocab: ChoiceEnum(["target", "all"]) = field(
        default="all",
        metadata={
            "help": "fairseq-generate, fairseq-interactive and the hub: target lets a translation have only tokens of "
            "its language, as --restrict-vocab-updates does in training, and needs that training text in DATA; all: "
            "any token (default: all)"
        },
    )
    start_as_copier: bool = field(
        default=False,
        metadata={
            "help": "set the weights of the new model so that it repeats its source, word by word: with a table in "
            "which translations lie side by side it translates so before its first update (--arch transformer with "
            "sinusoidal positions). With --finetune-from-model, give it to the run that made that checkpoint"
        },
    )
    valid_samples: int = field(
        default=3,
        metadata={"help": "translations of each direction to write into the log at every validation (default: 3)"},
    )
    truncate_source: bool = field(
        default=False,
        metadata={
            "help": "fairseq-generate: cut sentences that the model is too short for, and say how many, instead of "
            "stopping; every line of a test set is then translated"
        },
    )
    # how many batches of a process make an update, by epoch
    update_freq: List[int] = II("optimization.update_freq")


def check_options(cfg: CrossInitUnmtConfig) -> None:
    """Raises InputError where options contradict each other or are out of range."""
    for name in ("lexicon_noise", "word_dropout_prob", "word_blanking_prob"):
        if not 0 <= getattr(cfg, name) <= 1:
            raise InputError(f"{_option(name)} is {getattr(cfg, name)}; it is a probability, 0 to 1")
    for name in (
        "lexicon_bt_updates",
        "max_word_shuffle_distance",
        "bt_max_len_a",
        "bt_max_len_b",
        "valid_round_trip",
        "valid_samples",
    ):
        if not getattr(cfg, name) >= 0:
            raise InputError(f"{_option(name)} is {getattr(cfg, name)}; it must be 0 or more")
    if cfg.sampling_alpha is not None and not 0 <= cfg.sampling_alpha < math.inf:
        raise InputError(f"--sampling-alpha is {cfg.sampling_alpha}; it must be 0 or more")
    if cfg.bt_ahead < 1:
        raise InputError(f"--bt-ahead is {cfg.bt_ahead}; it must be 1 or more updates")
    for name in ("freeze_table_updates", "restrict_vocab_updates"):
        if getattr(cfg, name) < -1:
            raise InputError(f"{_option(name)} is {getattr(cfg, name)}; it must be 0 or more, or -1 for all")
    weight_schedule("--lambda-dae", cfg.lambda_dae)
    weight_schedule("--lambda-bt", cfg.lambda_bt)
    searches(cfg, SpecialTokens({}))
    if cfg.lexicon_bt_noise and not cfg.lexicon_bt_updates:
        raise InputError("--lexicon-bt-noise changes nothing without --lexicon-bt-updates: say for how many updates")
    if cfg.start_as_copier and cfg.finetune_from_model:
        raise InputError(
            "--start-as-copier sets the weights of a new model, but --finetune-from-model takes all of them from "
            f"{cfg.finetune_from_model}: give it to the run that made that checkpoint"
        )
    used = [
        option
        for option, value in (
            ("--lexicon-bt-updates", cfg.lexicon_bt_updates),
            ("--lexicon-noise", cfg.lexicon_noise),
        )
        if value
    ]
    if used and not cfg.lexicon:
        raise InputError(f"{used[0]} needs a lexicon: give one with --lexicon, such as en-ro=LEX.tsv")
    if cfg.lexicon and not used:
        raise InputError("--lexicon changes nothing by itself: add --lexicon-bt-updates, --lexicon-noise or both")


def check_training(cfg: CrossInitUnmtConfig) -> None:
    """Raises InputError for options that are for translating alone."""
    if cfg.source_lang and cfg.target_lang:
        raise InputError(
            "training takes no -s and -t, which are for translating with what is trained: --directions says what to "
            "learn"
        )


def searches(cfg: CrossInitUnmtConfig, special_tokens: SpecialTokens) -> Tuple[Search, Search]:
    """How validation translates, greedily, and how back-translation does, by the options. Raises InputError where they
    contradict each other."""
    greedy = Search(special_tokens, max_len_a=cfg.bt_max_len_a, max_len_b=cfg.bt_max_len_b)
    chosen = replace(
        greedy,
        beam=cfg.bt_beam,
        sampling=cfg.bt_sampling,
        sampling_topk=cfg.bt_sampling_topk,
        temperature=cfg.bt_temperature,
    )
    return greedy, chosen


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
