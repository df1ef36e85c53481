"""Greedy generation for back-translation and validation."""

import torch

from crossinit_fairseq.translation.stepwise import Job, write_stepwise


def generate_greedily(model, source, language, convention, max_len_a=1.3, max_len_b=5, allowed=None, max_len=None):
    """Translate a batch, taking the most probable token at every step.

    Gives the tokens that fairseq's SequenceGenerator gives at beam 1, without its search, scores and per-sentence
    book-keeping; sentences that have ended leave the batch. Of tokens exactly as probable as each other the one with the
    lowest index is taken (fairseq takes any).

    model: encoder-decoder in eval mode; source: int64 [B, S], dressed and padded on the right; language: to translate
    into; convention: Convention; at most ``max_len_a * S + max_len_b`` tokens, ``</s>`` not counted, nor more than
    max_len, if given; allowed: bool [V] tokens that may be generated, or None for all.
    Returns int64 [B, T]: rows of ``x </s>`` and padding.
    """
    job = Job(source, language, most_probable, allowed)
    return write_stepwise(model, [job], convention, max_len_a, max_len_b, max_len)[0]


def most_probable(logits, rows):
    """The most probable token of each row of logits [n, A], int64 [n]; rows are not looked at."""
    if logits.device.type == "cpu" and logits.dtype in (torch.float32, torch.float64):
        return torch.from_numpy(logits.numpy().argmax(1))  # ten times as fast as torch's
    return logits.argmax(1)
