"""crossinit_fairseq/models/checkpoint_fit.py"""

import pytest
import torch

from crossinit_fairseq.models.checkpoint_fit import check_dictionary_fits
from tests.helpers import dictionary_of, is_kept, tiny_model

SMALL, LARGE = dictionary_of("abcd"), dictionary_of("abcdefgh")  # 11 and 15 symbols


def checked(dictionary, kind="bart", **options):
    model = tiny_model(dictionary, kind, **options)
    check_dictionary_fits(model, dictionary, "my/data-bin")
    return model


@pytest.mark.parametrize("mine, other", [(SMALL, LARGE), (LARGE, SMALL)])
@pytest.mark.parametrize("kind", ["bart", "transformer", "roberta"])
def test_another_dictionary_is_refused_in_words(mine, other, kind):
    model, state = checked(mine, kind), tiny_model(other, kind).state_dict()
    with pytest.raises(SystemExit) as caught:
        model.load_state_dict(state)
    message = str(caught.value)
    assert message.startswith("crossinit_fairseq: error: the checkpoint's encoder.")
    assert f"has {len(other)} rows but my/data-bin/dict.txt has {len(mine)} symbols" in message


def test_each_table_is_looked_at():
    model = checked(SMALL, "transformer")
    state = model.state_dict()
    state["decoder.embed_tokens.weight"] = torch.zeros(12, 8)
    with pytest.raises(SystemExit, match="decoder.embed_tokens.weight has 12 rows .* 11 symbols"):
        model.load_state_dict(state)


@pytest.mark.parametrize("kind", ["bart", "transformer", "roberta"])
def test_the_same_dictionary_loads(kind):
    model, other = checked(SMALL, kind), tiny_model(SMALL, kind)
    model.load_state_dict(other.state_dict())
    for name, value in other.state_dict().items():
        assert torch.equal(model.state_dict()[name], value) or not is_kept(name), name


def test_a_missing_table_is_left_to_fairseq():
    model = checked(SMALL, "transformer")
    state = model.state_dict()
    del state["decoder.embed_tokens.weight"]
    with pytest.raises(RuntimeError, match="Missing key"):
        model.load_state_dict(state)
