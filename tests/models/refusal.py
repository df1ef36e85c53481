"""What the tests of several architectures ask of a checkpoint that does not fit."""

import pytest

from tests.helpers import tiny_model


def check_refused(model, dictionary, sentence, kind="xlm", **sizes):
    """The checkpoint of a `tiny_model` does not load into `model`, and the error, one line, matches `sentence`.

    sizes: of the tiny_model, where they are not those of the tests' own models.
    """
    state = tiny_model(dictionary, kind, **dict(dict(encoder_layers=2, encoder_ffn_embed_dim=20), **sizes)).state_dict()
    with pytest.raises(SystemExit, match="crossinit_fairseq: error: .*" + sentence):
        model.load_state_dict(state)
