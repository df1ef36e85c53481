"""What crossinit-retrieve looks at: the vectors that a checkpoint has for texts, layer by layer."""

import logging
import os
from typing import Any, Dict, Optional, Sequence

import numpy as np

from crossinit_fairseq.cli.command import load_checkpoint

logger = logging.getLogger(__name__)


class States:
    """Mean-pooled rows of a checkpoint's token table, and states of its layers.

    data: the data folder; path: of the checkpoint; pieces: SentencePiece model, None for that of the data folder;
    max_tokens: of a batch. Raises InputError for a checkpoint that is not there or cannot be loaded.
    """

    def __init__(self, data: str, path: str, pieces: Optional[str], max_tokens: int):
        from crossinit_fairseq.finetuning.encoding import PieceEncoder
        from crossinit_fairseq.models.token_tables import find_token_tables
        from crossinit_fairseq.tasks.fine_tuning import dictionary_and_form  # says what to do without fairseq

        # what a table was aligned by need not be there any more either
        self.model, task = load_checkpoint(path, data=data, pieces=pieces, lexicon=None, ranks=None)
        self.max_tokens = max_tokens
        # of fine-tuning, which knows the form of its inputs; pre-training has none
        if hasattr(task, "form"):
            dictionary, self.form = task.dictionary, task.form
        else:
            dictionary, self.form = dictionary_and_form(data, "auto")
        self.table = next(iter(find_token_tables(self.model, dictionary).values())).detach()
        self.pieces = PieceEncoder(pieces or os.path.join(data, "spm.model"), dictionary.indices, data)
        positions: Any = self.model.max_positions()
        self.longest = (positions[0] if isinstance(positions, tuple) else positions) - 4

    def of(self, texts: Sequence[str], language: str) -> np.ndarray:
        """float32 [1 + layers, N, d], of the table first. A text of no token is its end. Raises InputError."""
        import torch

        from crossinit_fairseq.data.datasets.examples import Example, Examples
        from crossinit_fairseq.data.datasets.grouped_batches import GroupedBatches
        from crossinit_fairseq.models.layer_states import layer_states, mean_states

        examples = []
        for number, text in enumerate(texts):
            encoded = self.form.single(self.pieces.encode(text)[: self.longest], language)
            languages = None if encoded.languages is None else [encoded.languages]
            examples.append(Example(number, [encoded.tokens], languages, [[encoded.length]]))
        empty = sum(example.targets[0][0] == 0 for example in examples)
        if empty:
            logger.warning(f"{language}: no token is left of {empty:,} of {len(texts):,} texts; </s> stands for each")
            examples = [example._replace(targets=[[max(*example.targets[0], 1)]]) for example in examples]
        dataset = Examples(examples)
        vectors: Dict[int, np.ndarray] = {}
        for batch in GroupedBatches([("", dataset)]).batch_by_size(None, max_tokens=self.max_tokens):
            sample = dataset.collater([dataset[index] for index in batch])
            with torch.no_grad():
                rows = self.table[sample["net_input"]["src_tokens"]]
                states = [rows, *layer_states(self.model, **sample["net_input"])]
                means = mean_states(states, 1, sample["target"][:, 0]).numpy()
            vectors.update({number: means[:, row] for row, number in enumerate(sample["id"].tolist())})
        return np.stack([vectors[number] for number in range(len(texts))], axis=1)
