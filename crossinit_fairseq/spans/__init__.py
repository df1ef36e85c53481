"""Step 2, Pairing (paper section 2.2): drawing languages i, j and a span of ranks around a centre k.

Or pairs of a lexicon.
"""

from crossinit_fairseq.spans.dataset import DrawDataset
from crossinit_fairseq.spans.draws import SpanDraws, SpanSampler
from crossinit_fairseq.spans.pair_draws import PairDraws, PairSampler

__all__ = ["DrawDataset", "PairDraws", "PairSampler", "SpanDraws", "SpanSampler"]
