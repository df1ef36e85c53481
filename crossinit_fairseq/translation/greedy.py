"""Greedy generation for back-translation and validation."""

import torch


@torch.no_grad()
def generate_greedily(model, source, language, convention, max_len_a=1.3, max_len_b=5, allowed=None, max_len=None):
    """Translate a batch, taking the most probable token at every step.

    Gives the tokens that fairseq's SequenceGenerator gives at beam 1, without its search, scores and per-sentence
    book-keeping; sentences that have ended leave the batch.

    model: encoder-decoder in eval mode; source: int64 [B, S], dressed and padded on the right; language: to translate
    into; convention: Convention; at most ``max_len_a * S + max_len_b`` tokens, ``</s>`` not counted, nor more than
    max_len, if given; allowed: bool [V] tokens that may be generated, or None for all.
    Returns int64 [B, T]: rows of ``x </s>`` and padding.
    """
    device, batch = source.device, source.size(0)
    # the decoder reads [language] <s> and all but the last of what it writes
    longest = min(int(max_len_a * source.size(1) + max_len_b), model.max_decoder_positions() - 2)
    if max_len is not None:
        longest = min(longest, max_len)
    tokens = torch.full((batch, longest + 3), convention.pad, dtype=torch.long, device=device)
    tokens[:, 0], tokens[:, 1] = convention.languages[language], convention.bos
    forbidden = torch.zeros(len(model.encoder.dictionary), dtype=torch.bool, device=device)
    if allowed is not None:
        forbidden = ~allowed.to(device)
        forbidden[convention.eos] = False
    forbidden[convention.pad] = True

    encoded = model.encoder(source, source.ne(convention.pad).sum(1))
    state = {}
    model.decoder(tokens[:, :1], encoder_out=encoded, incremental_state=state, features_only=True)
    rows, unfinished = torch.arange(batch, device=device), tokens
    for end in range(2, longest + 2):
        logits = model.decoder(unfinished[:, :end], encoder_out=encoded, incremental_state=state)[0][:, -1]
        best = logits.masked_fill(forbidden, float("-inf")).argmax(1)
        tokens[rows, end] = best
        going = best.ne(convention.eos).nonzero().squeeze(1)
        if going.numel() < rows.numel():
            rows = rows[going]
            if rows.numel() == 0:
                break
            model.decoder.reorder_incremental_state_scripting(state, going)
            encoded = model.encoder.reorder_encoder_out(encoded, going)
        unfinished = tokens[rows]
    tokens[rows, longest + 2] = convention.eos
    written = tokens[:, 2:]
    return written[:, : int(written.ne(convention.pad).sum(1).max())]
