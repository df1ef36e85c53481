"""Writing translations token by token, of several batches at once."""

import logging
from dataclasses import dataclass
from typing import Any, Callable, Optional

import torch

from crossinit_fairseq.translation.cached_decoder import CachedDecoder, unsupported
from crossinit_fairseq.translation.growing_decoder import GrowingDecoder

logger = logging.getLogger(__name__)

# A sentence that has ended goes on being computed, unseen, until it pays to drop it. On a GPU to look whether one has
# ended is to wait for the device.
_SHARE_TO_DROP = 0.1
_STEPS_BETWEEN_LOOKS = {"cpu": 1}
_STEPS_BETWEEN_LOOKS_ELSEWHERE = 8

_told = set()


@dataclass
class Job:
    """A batch to translate.

    source: int64 [B, S], dressed and padded on the right; language: to translate into; choose: from logits [n, A] and
    int64 [n], the indices in the batch of the n sentences that are being written, return int64 [n], the columns chosen;
    allowed: bool [V] tokens that may be generated, or None for all.
    """

    source: torch.Tensor
    language: str
    choose: Callable[[Any, Any], Any]
    allowed: Optional[torch.Tensor] = None


@torch.no_grad()
def write_stepwise(model, jobs, convention, max_len_a=1.3, max_len_b=5, max_len=None):
    """Translate the batches of some Jobs, the steps of all of them together.

    model: encoder-decoder in eval mode; the other arguments are those of generate_greedily. Returns for each job int64
    [B, T]: rows of ``x </s>`` and padding. Raises ValueError if the model is in training mode.
    """
    if model.training:
        raise ValueError("a model generates in eval mode only")
    limits = [longest_output(model, job.source, max_len_a, max_len_b, max_len) for job in jobs]
    decoder = _decoder(model, max(limits) + 1)
    batches = [_Batch(model, decoder, job, convention, longest) for job, longest in zip(jobs, limits)]
    device = jobs[0].source.device.type
    interval = _STEPS_BETWEEN_LOOKS.get(device, _STEPS_BETWEEN_LOOKS_ELSEWHERE)

    # inference mode saves a tenth of the time; a module that keeps what it computes would keep it beyond the mode
    with torch.inference_mode() if decoder.knows_positions else torch.no_grad():
        decoder.read_tokens([batch.cache for batch in batches], [batch.tokens[:, :1] for batch in batches])
        end = 2
        left = [batch for batch in batches if batch.longest > 0]
        while left:
            logits = decoder([batch.cache for batch in left], [batch.tokens[: batch.left, :end] for batch in left])
            look = (end - 2) % interval == interval - 1
            for batch, of_batch in zip(left, logits):
                batch.write(of_batch, end)
                if look:
                    batch.drop(end)
            end += 1
            left = [batch for batch in left if batch.left and end < batch.longest + 2]
    return [batch.finished() for batch in batches]


class _Batch:
    """A job on its way. The first `left` rows of `tokens` are sentences that are being written, `rows` says which."""

    def __init__(self, model, decoder, job, convention, longest):
        source, device = job.source, job.source.device
        self.pad, self.eos, self.longest, self.left = convention.pad, convention.eos, longest, len(source)
        self.choose, self.candidates = job.choose, candidate_tokens(job.allowed, convention, device)
        # the decoder reads [language] <s> and all but the last of what it writes
        self.tokens = torch.full((len(source), longest + 3), self.pad, dtype=torch.long, device=device)
        self.tokens[:, 0], self.tokens[:, 1] = convention.languages[job.language], convention.bos
        self.rows = torch.arange(len(source), device=device)
        self.ended = torch.zeros(len(source), dtype=torch.bool, device=device)
        self.written = torch.full((len(source), longest + 1), self.pad, dtype=torch.long, device=device)
        encoded = model.encoder(source, source.ne(self.pad).sum(1))
        self.cache = decoder.cache(encoded, longest + 1, self.candidates)

    def write(self, logits, end):
        """Write the token at place `end`; logits: [n, A]."""
        ended = self.ended[: self.left]
        if self.candidates is None:
            logits[:, self.pad] = float("-inf")
        chosen = self.choose(logits, self.rows[: self.left])
        if self.candidates is not None:
            chosen = self.candidates[chosen]
        self.tokens[: self.left, end] = chosen.masked_fill_(ended, self.pad)
        ended.logical_or_(chosen.eq(self.eos))

    def drop(self, end):
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
            for of_sentence in (self.tokens, self.rows, self.ended):
                of_sentence[takers] = of_sentence[givers]

    def finished(self):
        """All translations; those that have not ended end here."""
        left = self.left
        self.tokens[:left, -1].masked_fill_(~self.ended[:left], self.eos)
        self.written[self.rows[:left]] = self.tokens[:left, 2:]
        return self.written[:, : int(self.written.ne(self.pad).sum(1).max())]


def longest_output(model, source, max_len_a, max_len_b, max_len):
    """How many tokens a translation may have, ``</s>`` not counted; see generate_greedily for the arguments."""
    longest = min(int(max_len_a * source.size(1) + max_len_b), model.max_decoder_positions() - 2)
    return longest if max_len is None else min(longest, max_len)


def candidate_tokens(allowed, convention, device):
    """The tokens that may be written: those of bool [V] `allowed`, ``</s>``, never padding. Returns int64 [A] by rising
    index, None if allowed is None."""
    if allowed is None:
        return None
    allowed = allowed.to(device=device, copy=True)
    allowed[convention.eos], allowed[convention.pad] = True, False
    return allowed.nonzero().squeeze(1)


def _decoder(model, steps):
    reason = unsupported(model.decoder)
    if reason is None:
        return CachedDecoder(model.decoder, steps)
    if reason not in _told:
        _told.add(reason)
        logger.warning("generation takes fairseq's own decoder, which is slower than ours: {}".format(reason))
    return GrowingDecoder(model.decoder, model.encoder)
