"""Scoring translations so that they can be compared: sacreBLEU with its signatures, and what papers report beside it.

Knows no fairseq and no torch: it reads what fairseq-generate prints.
"""

from crossinit_fairseq.scoring.comparison import compare
from crossinit_fairseq.scoring.metrics import metrics_for
from crossinit_fairseq.scoring.outputs import read_output

__all__ = ["compare", "metrics_for", "read_output"]
