"""Fine-tuning on one language and reading the others: XNLI and MLQA. Files, scores and encoding need no fairseq."""
