"""Generation by beam search, through fairseq's own SequenceGenerator."""

import torch
from fairseq.sequence_generator import SequenceGenerator

from crossinit_fairseq.translation.stepwise import candidate_tokens, longest_output


@torch.no_grad()
def generate_by_beam(
    model, source, language, convention, max_len_a=1.3, max_len_b=5, allowed=None, max_len=None, beam=5, temperature=1.0
):
    """Translate a batch by beam search, scores divided by lengths.

    The first eight arguments and what is returned are those of generate_greedily; beam: its size.
    """
    longest = longest_output(model, source, max_len_a, max_len_b, max_len)
    try:
        # its longest output counts the <s> that it is made to begin with
        generator = SequenceGenerator(
            [model],
            model.decoder.dictionary,
            beam_size=beam,
            max_len_a=0,
            max_len_b=longest + 1,
            max_len=longest + 3,
            temperature=temperature,
        )
        candidates = candidate_tokens(allowed, convention, source.device)
        if candidates is not None:
            suppressed = torch.ones(len(allowed), dtype=torch.bool, device=source.device)
            suppressed[candidates] = False
            generator.token_indices_to_suppress = suppressed.nonzero().squeeze(1)
        found = generator.generate(
            [model],
            {"net_input": {"src_tokens": source, "src_lengths": source.ne(convention.pad).sum(1)}},
            prefix_tokens=source.new_full((source.size(0), 1), convention.bos),
            bos_token=convention.languages[language],
        )
    finally:
        if hasattr(model, "set_beam_size"):
            model.set_beam_size(1)  # a BART keeps the size, and would then misread every batch
    return convention.stack([hypotheses[0]["tokens"][1:] for hypotheses in found])
