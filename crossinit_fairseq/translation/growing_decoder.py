"""Decoding step by step with fairseq's own incremental state, for decoders that CachedDecoder does not know."""

import torch


class GrowingDecoder:
    """The same steps as CachedDecoder's by the decoder itself, one batch after the other."""

    knows_positions = False

    def __init__(self, decoder, encoder):
        """Both of one model of fairseq."""
        self.decoder, self.encoder = decoder, encoder

    def cache(self, encoded, steps, candidates=None):
        """The memory of a batch; the arguments are DecoderCache's."""
        return GrowingCache(self.encoder, self.decoder, encoded, candidates)

    def __call__(self, caches, prefixes):
        """As CachedDecoder's; or log-probabilities."""
        return [self._logits(cache, prefix) for cache, prefix in zip(caches, prefixes)]

    def _logits(self, cache, prefix):
        output = self.decoder(prefix, encoder_out=cache.encoded, incremental_state=cache.state)
        logits = output[0][:, -1]
        if getattr(self.decoder, "adaptive_softmax", None) is not None:
            logits = self.decoder.get_normalized_probs((output[0][:, -1:], None), log_probs=True, sample=None)[:, -1]
        return logits if cache.candidates is None else logits[:, cache.candidates]

    def read_tokens(self, caches, prefixes):
        """Take one step."""
        for cache, prefix in zip(caches, prefixes):
            self.decoder(prefix, encoder_out=cache.encoded, incremental_state=cache.state, features_only=True)


class GrowingCache:
    """fairseq's incremental state of one batch."""

    def __init__(self, encoder, decoder, encoded, candidates):
        self.encoder, self.decoder, self.encoded, self.candidates = encoder, decoder, encoded, candidates
        self.state = {}

    def move(self, takers, givers, end, left):
        """As DecoderCache's."""
        order = torch.arange(left, device=takers.device)
        order[takers] = givers
        self.decoder.reorder_incremental_state_scripting(self.state, order)
        self.encoded = self.encoder.reorder_encoder_out(self.encoded, order)
