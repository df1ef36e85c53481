"""Token embeddings out of and into fairseq checkpoints: safetensors, word2vec text, Hugging Face models.

It reads checkpoints itself and knows no fairseq.
"""

from crossinit_fairseq.export.checkpoint import Checkpoint
from crossinit_fairseq.export.counterparts import find_counterparts
from crossinit_fairseq.export.hugging_face import HuggingFaceModel
from crossinit_fairseq.export.safetensors_file import read_safetensors, write_safetensors
from crossinit_fairseq.export.tables import EmbeddingTable
from crossinit_fairseq.export.word2vec import read_word2vec, write_word2vec

__all__ = [
    "Checkpoint",
    "EmbeddingTable",
    "HuggingFaceModel",
    "find_counterparts",
    "read_safetensors",
    "read_word2vec",
    "write_safetensors",
    "write_word2vec",
]
