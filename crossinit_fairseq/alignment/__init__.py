"""Step 3, Contrastive Learning (paper section 2.3): span means over an embedding table, and the objective. No fairseq."""

from crossinit_fairseq.alignment.collapse import Measures, RandomWords
from crossinit_fairseq.alignment.objectives import (
    OBJECTIVES,
    Contrast,
    infonce_objective,
    sigmoid_objective,
    softmax_objective,
)
from crossinit_fairseq.alignment.rescaling import Rescaling, keep_as_trained, restore_as_trained
from crossinit_fairseq.alignment.span_means import RankedTable, SpanMeans, SpanPlan

__all__ = [
    "OBJECTIVES",
    "Contrast",
    "Measures",
    "RandomWords",
    "RankedTable",
    "Rescaling",
    "SpanMeans",
    "SpanPlan",
    "infonce_objective",
    "keep_as_trained",
    "restore_as_trained",
    "sigmoid_objective",
    "softmax_objective",
]
