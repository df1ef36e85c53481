"""Options of the task `crossinit_pretrain`."""

from dataclasses import dataclass, field
from typing import Optional

from fairseq.dataclass import ChoiceEnum
from omegaconf import II

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import BPE_STYLES
from crossinit_fairseq.tasks.base import CrossInitConfig


@dataclass
class CrossInitPretrainConfig(CrossInitConfig):
    """Options of `--task crossinit_pretrain`."""

    ranks: Optional[str] = field(
        default=None,
        metadata={
            "help": "rank tables of crossinit-ranks, LANG=FILE,LANG=FILE, for languages whose word counts are better "
            "known from elsewhere than from DATA/LANG/train, or that have no text in DATA"
        },
    )
    sentencepiece_model: Optional[str] = field(
        default=None,
        metadata={"help": "with --ranks: the SentencePiece model of the dictionary, which cuts their words"},
    )
    lexicon: Optional[str] = field(
        default=None,
        metadata={
            "help": "lexicons of `crossinit-lexicon induce`, en-ro=FILE,en-ne=FILE: their mutual pairs are the "
            "Positives, the other words of the batch the Negatives, instead of spans of ranks"
        },
    )
    lexicon_beside_spans: bool = field(
        default=False,
        metadata={"help": "with --lexicon: the spans stay, and the losses of both are added"},
    )
    span: int = field(
        default=3000,
        metadata={
            "help": "n, how many consecutive ranks are one span of Positives (paper: 1000 to 4000; default: 3000)"
        },
    )
    max_rank: int = field(
        default=20000,
        metadata={
            "help": "only the most frequent words up to this rank are Positives (default: 20000, as the paper); "
            "Negatives are of all ranks"
        },
    )
    language_pairs: ChoiceEnum(["distinct", "any"]) = field(
        default="distinct",
        metadata={
            "help": "distinct: languages i and j of a draw differ (paper); any: drawn with replacement, maybe equal "
            "(trial code; default: distinct)"
        },
    )
    negatives: ChoiceEnum(["all", "sample"]) = field(
        default="all",
        metadata={
            "help": "all: every word outside the span is a Negative (Eq. 1); sample: a random sample of twice the "
            "span's width, new for every draw (trial code; far slower; default: all)"
        },
    )
    sub_tokens: ChoiceEnum(BPE_STYLES) = field(
        default="auto",
        metadata={
            "help": "how the dictionary marks words: sentencepiece (\u2581 at a word start), subword_nmt (@@ where a "
            "word goes on), none (each token is a word); auto looks for the marks (default: auto)"
        },
    )
    rescale: bool = field(
        default=False,
        metadata={
            "help": "save the table at its initial scale: norms grow several-fold, and pre-training with a tied output "
            "layer then starts from a far too large loss"
        },
    )
    start_as_copier: bool = field(
        default=False,
        metadata={
            "help": "set the weights of the new model so that it repeats its source, word by word: with a table in "
            "which translations lie side by side it translates so before its first update (--arch transformer with "
            "sinusoidal positions)"
        },
    )
    updates_per_epoch: int = field(
        default=1000,
        metadata={
            "help": "draws are made as they are needed; after this many batches of each process (GPU) fairseq ends an "
            "epoch, validates and saves (default: 1000). A batch is --batch-size draws (default: 256) of each process: "
            "an update on 8 GPUs learns from 8 times that, with --update-freq N from N times more"
        },
    )
    valid_batches: int = field(
        default=10,
        metadata={
            "help": "batches of draws, the same at every validation, that the validation loss is the mean of (default: "
            "10)"
        },
    )
    flatness: float = field(
        default=0.005,
        metadata={
            "help": "validation also logs coarse_loss, the loss in steps of this many nats: with "
            "--best-checkpoint-metric coarse_loss, --patience N ends the run when the loss has not fallen by a step in "
            "N validations (default: 0.005)"
        },
    )
    stop_directions: float = field(
        default=0,
        metadata={
            "help": "end the run when a validation finds random words along this many directions or fewer, as logged "
            "under that name (default: 0, never)"
        },
    )
    tokens_per_sample: int = field(
        default=512,
        metadata={"help": "longest input of roberta and masked_lm architectures; as in the pre-training that follows"},
    )
    max_source_positions: int = field(
        default=1024,
        metadata={"help": "longest input of the encoder; as in the pre-training that follows"},
    )
    max_target_positions: int = field(
        default=1024,
        metadata={"help": "longest output of the decoder; as in the pre-training that follows"},
    )
    # whether anybody finds out how many directions there are
    disable_validation: bool = II("dataset.disable_validation")


_OF_SPANS = ("span", "max_rank", "language_pairs", "negatives")


def check_options(cfg: CrossInitPretrainConfig) -> None:
    """Raises InputError where an option is out of range or has no effect."""
    for option, value in (("--updates-per-epoch", cfg.updates_per_epoch), ("--valid-batches", cfg.valid_batches)):
        if value < 1:
            raise InputError(f"{option} is {value}; it must be 1 or more")
    if cfg.flatness <= 0:
        raise InputError(f"--flatness must be above 0, not {cfg.flatness}")
    if cfg.stop_directions < 0:
        raise InputError(f"--stop-directions is a number of directions, 0 or more, not {cfg.stop_directions}")
    if cfg.lexicon_beside_spans and not cfg.lexicon:
        raise InputError("--lexicon-beside-spans needs --lexicon SOURCE-TARGET=FILE")
    if cfg.lexicon and not cfg.lexicon_beside_spans:
        for name in filter(lambda name: _differs(cfg, name), _OF_SPANS):
            raise InputError(
                f"{_option(name)} has no effect with --lexicon, whose pairs stand in the place of the spans: leave it "
                "out, or add --lexicon-beside-spans"
            )
    if cfg.sentencepiece_model and not cfg.ranks:
        raise InputError("--sentencepiece-model has no effect without --ranks, whose words it cuts: leave it out")
    ranked = {part.partition("=")[0].strip() for part in (cfg.ranks or "").split(",")}
    if _differs(cfg, "sub_tokens") and cfg.langs and ranked.issuperset(cfg.langs.split(",")):
        raise InputError("--sub-tokens has no effect where --ranks has the words of all languages: leave it out")
    if cfg.stop_directions and cfg.disable_validation is True:
        raise InputError(
            "--stop-directions has no effect with --disable-validation, as it is a validation that counts them: leave "
            "one of them out"
        )
    if cfg.start_as_copier and cfg.finetune_from_model:
        raise InputError(
            "--start-as-copier sets the weights of a new model, but --finetune-from-model takes all of them from "
            f"{cfg.finetune_from_model}: give it to the run that made that checkpoint"
        )


def _differs(cfg: CrossInitPretrainConfig, name: str) -> bool:
    """Whether an option is not as it is by default."""
    return str(getattr(cfg, name)) != str(CrossInitPretrainConfig.__dataclass_fields__[name].default)


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
