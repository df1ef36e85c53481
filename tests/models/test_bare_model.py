"""crossinit_fairseq/models/bare_model.py"""

import pytest
import torch

from crossinit_fairseq.models.bare_model import unwrap


class Wrapper(torch.nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module


class FullyShardedDataParallel(Wrapper):
    pass


def test_the_model_inside_all_wrappers():
    model = torch.nn.Linear(2, 2)
    assert unwrap(model) is model and unwrap(Wrapper(Wrapper(model))) is model


def test_spread_weights_are_refused_in_words():
    for wrapped in (
        FullyShardedDataParallel(torch.nn.Linear(2, 2)),
        Wrapper(FullyShardedDataParallel(torch.nn.Linear(2, 2))),
    ):
        with pytest.raises(SystemExit, match="use pytorch_ddp or legacy_ddp"):
            unwrap(wrapped)
