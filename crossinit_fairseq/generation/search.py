"""The search for translations: greedy, by sampling or by beam, among all tokens or only those of a language."""

import logging
from dataclasses import dataclass
from typing import Callable, List, Optional, Sequence, Union

import numpy as np
import torch
from fairseq.models import FairseqEncoderDecoderModel
from fairseq.sequence_generator import SequenceGenerator
from torch import Tensor

from crossinit_fairseq.data.special_tokens import SpecialTokens
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.generation.growing_decoder import GrowingDecoder, unsupported
from crossinit_fairseq.generation.incremental_decoder import CachedDecoder
from crossinit_fairseq.models.bare_model import forget_beam_size

logger = logging.getLogger(__name__)

# A sentence that has ended goes on being computed, unseen, until it pays to drop it. On a GPU to look whether one has
# ended is to wait for the device.
_SHARE_TO_DROP = 0.1
_STEPS_BETWEEN_LOOKS = {"cpu": 1}
_STEPS_BETWEEN_LOOKS_ELSEWHERE = 8

_told = set()

# from logits [n, A] and int64 [n], the numbers in the batch of the n sentences that are being written: int64 [n],
# columns
Choice = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class TranslationRequest:
    """A batch to translate.

    source: int64 [B, S], with special tokens, padded on the right; language: to translate into; allowed: bool [V],
    tokens that may be written, or None for all; seed: for sampling, an integer >= 0 or a sequence of them, such as
    (seed, update, number of the batch): equal seeds give equal translations, whatever was drawn elsewhere.
    """

    source: Tensor
    language: str
    allowed: Optional[Tensor] = None
    seed: Union[int, Sequence[int]] = 0


@dataclass(frozen=True)
class Search:
    """How translations are found, under fairseq's names. Greedy by default.

    A greedy search gives the tokens that fairseq's SequenceGenerator gives at beam 1, without its scores and its
    book-keeping for each sentence; of tokens exactly as probable as each other the one with the lowest row is taken
    (fairseq takes any). Sampling (Edunov et al. 2018, "Understanding back-translation at scale") draws every token, of
    logits divided by `temperature`, among the `sampling_topk` most probable if that is positive. A beam over 1 is
    fairseq's own, with scores divided by lengths. A translation has at most ``max_len_a * S + max_len_b`` tokens,
    ``</s>`` not counted, S being the length of the longest source of its batch with special tokens.

    Raises InputError for settings that contradict each other.
    """

    special_tokens: SpecialTokens
    beam: int = 1
    sampling: bool = False
    sampling_topk: int = -1
    temperature: float = 1.0
    max_len_a: float = 1.3
    max_len_b: int = 5

    def __post_init__(self):
        if self.beam < 1:
            raise InputError(f"a beam of {self.beam} holds no sentence: give 1 (greedy) or more")
        if not self.temperature > 0:
            raise InputError(f"the temperature is {self.temperature}; it must be above 0")
        if self.sampling and self.beam > 1:
            raise InputError(f"either sampling or a beam of {self.beam}, not both")
        if not self.sampling and self.sampling_topk > 0:
            raise InputError("sampling-topk needs sampling")
        if not self.sampling and self.beam == 1 and self.temperature != 1:
            raise InputError("a temperature changes nothing in greedy generation: it needs sampling or a beam")

    def __call__(
        self,
        model: FairseqEncoderDecoderModel,
        requests: Sequence[TranslationRequest],
        max_len: Optional[int] = None,
    ) -> List[Tensor]:
        """Translate batches; each step writes a token in all of them, which takes less time than one after the other.

        model: in eval mode; max_len: no translation has more tokens, ``</s>`` not counted. Returns for each request
        int64 [B, T]: rows of ``x </s>`` and padding. Raises ValueError if the model is in training mode.
        """
        if not requests:
            return []
        if model.training:
            raise ValueError("a model generates in eval mode only")
        if self.beam > 1:
            return [self._by_beam(model, request, max_len) for request in requests]
        return self._step_by_step(model, requests, max_len)

    def longest_output(
        self, model: FairseqEncoderDecoderModel, request: TranslationRequest, max_len: Optional[int]
    ) -> int:
        """How many tokens a translation of the batch may have, ``</s>`` not counted."""
        longest = int(self.max_len_a * request.source.size(1) + self.max_len_b)
        longest = min(longest, model.max_decoder_positions() - 2)  # the decoder reads [language] <s> first
        return longest if max_len is None else min(longest, max_len)

    @torch.no_grad()
    def _step_by_step(
        self, model: FairseqEncoderDecoderModel, requests: Sequence[TranslationRequest], max_len: Optional[int]
    ) -> List[Tensor]:
        limits = [self.longest_output(model, request, max_len) for request in requests]
        decoder = _decoder_for(model, max(limits) + 1)
        batches = [
            _WrittenBatch(model, decoder, request, self.special_tokens, self._choice(request), longest)
            for request, longest in zip(requests, limits)
        ]
        device = requests[0].source.device.type
        interval = _STEPS_BETWEEN_LOOKS.get(device, _STEPS_BETWEEN_LOOKS_ELSEWHERE)
        # inference mode saves a tenth of the time; a module that keeps what it computes would keep it beyond the mode
        with torch.inference_mode() if decoder.knows_positions else torch.no_grad():
            decoder.read_tokens([batch.cache for batch in batches], [batch.tokens[:, :1] for batch in batches])
            end = 2
            left = [batch for batch in batches if batch.longest > 0]
            while left:
                logits = decoder([batch.cache for batch in left], [batch.tokens[: batch.left, :end] for batch in left])
                look = (end - 2) % interval == interval - 1
                for batch, part in zip(left, logits):
                    batch.write(part, end)
                    if look:
                        batch.drop_ended(end)
                end += 1
                left = [batch for batch in left if batch.left and end < batch.longest + 2]
        return [batch.finished() for batch in batches]

    def _choice(self, request: TranslationRequest) -> Choice:
        if not self.sampling:
            return most_probable
        return sampled(len(request.source), request.source.device, request.seed, self.sampling_topk, self.temperature)

    @torch.no_grad()
    def _by_beam(
        self, model: FairseqEncoderDecoderModel, request: TranslationRequest, max_len: Optional[int]
    ) -> Tensor:
        source, special_tokens = request.source, self.special_tokens
        longest = self.longest_output(model, request, max_len)
        try:
            # its longest output counts the <s> that it is made to begin with
            generator = SequenceGenerator(
                [model],
                model.decoder.dictionary,
                beam_size=self.beam,
                max_len_a=0,
                max_len_b=longest + 1,
                max_len=longest + 3,
                temperature=self.temperature,
            )
            candidates = candidate_tokens(request.allowed, special_tokens, source.device)
            if candidates is not None:
                suppressed = torch.ones(len(request.allowed), dtype=torch.bool, device=source.device)
                suppressed[candidates] = False
                generator.token_indices_to_suppress = suppressed.nonzero().squeeze(1)
            found = generator.generate(
                [model],
                {"net_input": {"src_tokens": source, "src_lengths": source.ne(special_tokens.pad).sum(1)}},
                prefix_tokens=source.new_full((source.size(0), 1), special_tokens.bos),
                bos_token=special_tokens.languages[request.language],
            )
        finally:
            forget_beam_size(model)
        return special_tokens.collate([hypotheses[0]["tokens"][1:] for hypotheses in found])


class _WrittenBatch:
    """A batch that is being translated. The first `left` rows of `tokens` are sentences that have not ended, or have
    not been dropped yet; `rows` says which of the batch they are."""

    def __init__(
        self,
        model: FairseqEncoderDecoderModel,
        decoder: Union[CachedDecoder, GrowingDecoder],
        request: TranslationRequest,
        special_tokens: SpecialTokens,
        choose: Choice,
        longest: int,
    ):
        source, device = request.source, request.source.device
        self.pad, self.eos, self.longest, self.left = special_tokens.pad, special_tokens.eos, longest, len(source)
        self.choose, self.candidates = choose, candidate_tokens(request.allowed, special_tokens, device)
        # the decoder reads [language] <s> and all but the last of what it writes
        self.tokens = torch.full((len(source), longest + 3), self.pad, dtype=torch.long, device=device)
        self.tokens[:, 0], self.tokens[:, 1] = special_tokens.languages[request.language], special_tokens.bos
        self.rows = torch.arange(len(source), device=device)
        self.ended = torch.zeros(len(source), dtype=torch.bool, device=device)
        self.written = torch.full((len(source), longest + 1), self.pad, dtype=torch.long, device=device)
        encoded = model.encoder(source, source.ne(self.pad).sum(1))
        self.cache = decoder.cache(encoded, longest + 1, self.candidates)

    def write(self, logits: Tensor, end: int) -> None:
        """Write the token at place `end`; logits: [n, A]."""
        ended = self.ended[: self.left]
        if self.candidates is None:
            logits[:, self.pad] = float("-inf")
        chosen = self.choose(logits, self.rows[: self.left])
        if self.candidates is not None:
            chosen = self.candidates[chosen]
        self.tokens[: self.left, end] = chosen.masked_fill_(ended, self.pad)
        ended.logical_or_(chosen.eq(self.eos))

    def drop_ended(self, end: int) -> None:
        """Take the sentences that have ended out, if that pays; `end`: the place just written."""
        left = self.left
        going = left - int(self.ended[:left].sum())
        if going and left - going < _SHARE_TO_DROP * left:
            return
        over = self.ended[:left].nonzero().squeeze(1)
        self.written[self.rows[over]] = self.tokens[over, 2:]
        self.left = going
        if going:
            takers = self.ended[:going].nonzero().squeeze(1)
            givers = going + (~self.ended[going:left]).nonzero().squeeze(1)
            self.cache.move(takers, givers, end, going)
            for values in (self.tokens, self.rows, self.ended):
                values[takers] = values[givers]

    def finished(self) -> Tensor:
        """All translations, int64 [B, T]; those that have not ended end here."""
        left = self.left
        self.tokens[:left, -1].masked_fill_(~self.ended[:left], self.eos)
        self.written[self.rows[:left]] = self.tokens[:left, 2:]
        return self.written[:, : int(self.written.ne(self.pad).sum(1).max())]


def _decoder_for(model: FairseqEncoderDecoderModel, steps: int) -> Union[CachedDecoder, GrowingDecoder]:
    reason = unsupported(model.decoder)
    if reason is None:
        return CachedDecoder(model.decoder, steps)
    if reason not in _told:
        _told.add(reason)
        logger.warning(f"generation takes fairseq's own decoder, which is slower than ours: {reason}")
    return GrowingDecoder(model.decoder, model.encoder)


def most_probable(logits: Tensor, rows: Tensor) -> Tensor:
    """A Choice: the most probable token of each row of logits [n, A], whatever the numbers; int64 [n]."""
    if logits.device.type == "cpu" and logits.dtype in (torch.float32, torch.float64):
        return torch.from_numpy(logits.numpy().argmax(1))  # ten times as fast as torch's
    return logits.argmax(1)


def sampled(
    batch: int, device: torch.device, seed: Union[int, Sequence[int]], topk: int = -1, temperature: float = 1.0
) -> Choice:
    """A function that draws tokens for a batch of `batch` sentences; see Search for the arguments."""
    generator = torch.Generator(device=device)
    generator.manual_seed(int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0] >> np.uint64(1)))

    def draw(logits: Tensor, rows: Tensor) -> Tensor:
        # a number for every sentence of the batch: what one draws does not depend on which others have ended
        numbers = torch.rand(batch, 1, generator=generator, device=logits.device, dtype=torch.float64)[rows]
        scores, columns = logits.double() / temperature, None
        if topk > 0:
            scores, columns = scores.topk(min(topk, scores.size(1)))
        cumulated = torch.softmax(scores, 1).cumsum(1)
        # right: a token of probability 0 is never drawn
        drawn = torch.searchsorted(cumulated, numbers * cumulated[:, -1:], right=True).clamp_(max=cumulated.size(1) - 1)
        return (drawn if columns is None else columns.gather(1, drawn)).squeeze(1)

    return draw


def candidate_tokens(
    allowed: Optional[Tensor], special_tokens: SpecialTokens, device: torch.device
) -> Optional[Tensor]:
    """The tokens that may be written: those of bool [V] `allowed`, ``</s>``, never padding. Returns int64 [A] by rising
    row, None if allowed is None."""
    if allowed is None:
        return None
    allowed = allowed.to(device=device, copy=True)
    allowed[special_tokens.eos], allowed[special_tokens.pad] = True, False
    return allowed.nonzero().squeeze(1)
