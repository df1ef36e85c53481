"""Generation by sampling, for back-translation with more variety than the most probable translations have."""

import numpy as np
import torch

from crossinit_fairseq.translation.stepwise import Job, write_stepwise


def generate_by_sampling(
    model,
    source,
    language,
    convention,
    max_len_a=1.3,
    max_len_b=5,
    allowed=None,
    max_len=None,
    sampling_topk=-1,
    sampling_topp=-1.0,
    temperature=1.0,
    seed=0,
):
    """Translate a batch, drawing every token at random (Edunov et al. 2018, "Understanding back-translation at scale").

    The first eight arguments and what is returned are those of generate_greedily. The probabilities are those of the
    logits divided by `temperature`, among the `sampling_topk` most probable tokens if that is positive, or among the
    fewest tokens that make up `sampling_topp` of the probability if that is. seed: an integer >= 0 or a sequence of them;
    equal seeds give equal translations, whatever was drawn elsewhere.
    """
    choose = draws(len(source), source.device, seed, sampling_topk, sampling_topp, temperature)
    job = Job(source, language, choose, allowed)
    return write_stepwise(model, [job], convention, max_len_a, max_len_b, max_len)[0]


def draws(batch, device, seed, sampling_topk=-1, sampling_topp=-1.0, temperature=1.0):
    """A function that draws tokens for a batch of `batch` sentences; see generate_by_sampling, and Job.choose."""
    generator = torch.Generator(device=device)
    generator.manual_seed(int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0] >> np.uint64(1)))

    def draw(logits, rows):
        # a number for every sentence of the batch: what one draws does not depend on which others have ended
        numbers = torch.rand(batch, 1, generator=generator, device=logits.device, dtype=torch.float64)[rows]
        probabilities, tokens = _most_probable(logits.double() / temperature, sampling_topk, sampling_topp)
        cumulated = probabilities.cumsum(1)
        # right: a token of probability 0 is never drawn
        drawn = torch.searchsorted(cumulated, numbers * cumulated[:, -1:], right=True).clamp_(max=cumulated.size(1) - 1)
        return (drawn if tokens is None else tokens.gather(1, drawn)).squeeze(1)

    return draw


def _most_probable(logits, topk, topp):
    """Probabilities float64 [n, K], and the columns they are of, int64 [n, K], or None if all of them in order."""
    if topk > 0:
        logits, columns = logits.topk(min(topk, logits.size(1)))
        return torch.softmax(logits, 1), columns
    probabilities = torch.softmax(logits, 1)
    if topp > 0:
        probabilities, columns = probabilities.sort(1, descending=True)
        before = probabilities.cumsum(1) - probabilities
        return probabilities.masked_fill(before >= topp, 0), columns
    return probabilities, None
