"""Step 3, Contrastive Learning (paper section 2.3): span means or word pairs over an embedding table, and the
objectives.

No fairseq.
"""

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
from crossinit_fairseq.alignment.word_pairs import PairedWords, PairPlan, PairVectors, pair_objective, pair_vectors

__all__ = [
    "OBJECTIVES",
    "Contrast",
    "Measures",
    "PairPlan",
    "PairVectors",
    "PairedWords",
    "RandomWords",
    "RankedTable",
    "Rescaling",
    "SpanMeans",
    "SpanPlan",
    "infonce_objective",
    "keep_as_trained",
    "pair_objective",
    "pair_vectors",
    "restore_as_trained",
    "sigmoid_objective",
    "softmax_objective",
]
