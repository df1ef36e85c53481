"""fairseq's own generator, as fairseq-generate, fairseq-interactive and the hub use it with these models."""

import threading
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Optional, Sequence

import torch
from fairseq.models import FairseqEncoderDecoderModel
from fairseq.search import Search
from fairseq.sequence_scorer import SequenceScorer
from torch import Tensor

from crossinit_fairseq.data.special_tokens import SpecialTokens
from crossinit_fairseq.models.bare_model import forget_beam_size

# a model keeps the size of the beam that it is used with, so of several threads one generates at a time
_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def beam_in_models(models: Sequence[FairseqEncoderDecoderModel], beam: int = 1) -> Iterator[None]:
    """Within it no other thread generates, and the models know the size of the beam; afterwards they know of none."""
    with _ONE_AT_A_TIME:
        for model in models:
            forget_beam_size(model)
            if beam > 1 and hasattr(model, "set_beam_size"):
                model.set_beam_size(beam)
        try:
            yield
        finally:
            for model in models:
                forget_beam_size(model)


def translate(
    generator: Any,
    models: Sequence[FairseqEncoderDecoderModel],
    sample: Dict[str, Any],
    special_tokens: SpecialTokens,
    language: str,
    prefix_tokens: Optional[Tensor] = None,
    constraints: Optional[Tensor] = None,
) -> List[List[Dict[str, Any]]]:
    """Generate from ``[language] <s>``; fairseq's tasks would begin with ``</s>``, and the model write any language.

    Returns for each sentence what fairseq's generator does, hypotheses from the best on. A SequenceScorer scores the
    references of the sample instead, see `score_references`.
    """
    if isinstance(generator, SequenceScorer):
        return score_references(generator, models, sample)
    if prefix_tokens is None:
        source = sample["net_input"]["src_tokens"]
        prefix_tokens = source.new_full((source.size(0), 1), special_tokens.bos)
    with torch.no_grad(), beam_in_models(models, getattr(generator, "beam_size", 1)):
        return generator.generate(
            models,
            sample,
            prefix_tokens=prefix_tokens,
            constraints=constraints,
            bos_token=special_tokens.languages[language],
        )


def score_references(
    scorer: SequenceScorer, models: Sequence[FairseqEncoderDecoderModel], sample: Dict[str, Any]
) -> List[List[Dict[str, Any]]]:
    """The scores of references ``<s> x </s> [language]``: of ``<s> x </s>``, as a generated sentence is scored.

    Returns for each sentence one hypothesis, whose score is the mean of its `positional_scores`.
    """
    with torch.no_grad(), beam_in_models(models):
        found = scorer.generate(models, sample)
    for hypotheses in found:
        for hypothesis in hypotheses:
            hypothesis["tokens"] = hypothesis["tokens"][:-1]
            hypothesis["positional_scores"] = hypothesis["positional_scores"][:-1]
            hypothesis["score"] = hypothesis["positional_scores"].mean()
    return found


def restrict(search: Search, allowed: Tensor) -> None:
    """Let one of fairseq's searches (beam, sampling, ...) choose only of the allowed tokens.

    A row in which all of them are ruled out, because fairseq forces another token (a prefix), stays as it is.
    search: of fairseq.search, changed in place; allowed: bool [V].
    """
    step = search.step

    def restricted_step(number: int, lprobs: Tensor, *more: Any, **named: Any) -> Any:
        """lprobs: float [B, beam, V]."""
        banned = ~allowed.to(lprobs.device)
        held_back = lprobs.masked_fill(banned, float("-inf"))
        forced = held_back.amax(-1, keepdim=True) == float("-inf")
        return step(number, held_back.where(~forced, lprobs), *more, **named)

    search.step = restricted_step
