"""Step 2, Pairing (paper section 2.2): drawing languages i, j and a span of ranks around a centre k."""

from crossinit_fairseq.spans.dataset import SpanDataset
from crossinit_fairseq.spans.draws import SpanDraws, SpanSampler

__all__ = ["SpanDataset", "SpanDraws", "SpanSampler"]
