"""What is timed: models, and text in batches."""

from dataclasses import dataclass, fields
from typing import List

# layers, model and feed-forward dimensions, heads, vocabulary
SIZES = {
    "tiny": (1, 64, 128, 2, 100),
    "quickstart": (2, 128, 512, 4, 2500),
    "mbart_base": (6, 768, 3072, 12, 32000),
}
SHORT = 10.5  # sub-tokens, the median of the quickstart's text
LONG = 67.0  # sub-tokens, 40 words: three in five of the sub-tokens begin one


@dataclass(frozen=True)
class Workload:
    """name: for people; max_tokens: of a batch of one language; median_length: of its sentences, in sub-tokens."""

    name: str
    max_tokens: int
    median_length: float


# the default: fairseq's share of a step in generation depends on nothing so much as on the batch
WORKLOADS = (
    Workload("short sentences, 800 sub-tokens a batch", 800, SHORT),
    Workload("long sentences, 200 sub-tokens a batch", 200, LONG),
    Workload("long sentences, 800 sub-tokens a batch", 800, LONG),
    Workload("long sentences, 3,000 sub-tokens a batch", 3000, LONG),
)


@dataclass(frozen=True)
class Setting:
    """One workload on one model, and how it is timed; `help` of scripts/bench/backtranslation.py explains the rest."""

    layers: int
    dim: int
    ffn: int
    heads: int
    vocabulary: int
    workload: str
    max_tokens: int
    median_length: float
    repeats: int
    sentences: int
    dropout: float
    restrict_vocab: bool
    bt_ahead: int
    cpu_time: bool
    fp16: bool
    seed: int


def settings_of(args) -> List[Setting]:
    """The Settings that the options of backtranslation.py ask for: the default workloads, or one of the user's own."""
    workloads = WORKLOADS
    if args.max_tokens or args.median_length:
        median, tokens = args.median_length or SHORT, args.max_tokens or 800
        name = f"sentences of {median:g} sub-tokens in the median, {tokens:,} a batch"
        workloads = (Workload(name, tokens, median),)
    shared = {field.name: getattr(args, field.name) for field in fields(Setting) if hasattr(args, field.name)}
    return [
        Setting(
            *SIZES[args.size],
            **dict(shared, workload=one.name, max_tokens=one.max_tokens, median_length=one.median_length),
        )
        for one in workloads
    ]
