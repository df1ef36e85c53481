"""fairseq's search, held back from tokens that are not of the target language."""


def restrict(search, allowed):
    """Let one of fairseq's searches (beam, sampling, ...) choose only of the allowed tokens.

    A row in which all of them are ruled out, because fairseq forces another token (a prefix), stays as it is.
    search: of fairseq.search, changed in place; allowed: bool [V].
    """
    step = search.step

    def restricted_step(number, lprobs, *more, **named):
        """lprobs: float [B, beam, V]."""
        banned = ~allowed.to(lprobs.device)
        held_back = lprobs.masked_fill(banned, float("-inf"))
        forced = held_back.amax(-1, keepdim=True) == float("-inf")
        return step(number, held_back.where(~forced, lprobs), *more, **named)

    search.step = restricted_step
