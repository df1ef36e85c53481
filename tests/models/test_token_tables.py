"""crossinit_fairseq/models/token_tables.py"""

import pytest
import torch.nn as nn

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.models.token_tables import find_token_tables
from tests.helpers import SizedDictionary, dictionary_of, tiny_model

BOTH_SIDES = ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"]


@pytest.fixture(scope="module")
def dictionary():
    return dictionary_of("abcdefgh")


@pytest.mark.parametrize(
    "kind, options, names",
    [
        ("bart", {}, BOTH_SIDES[:1]),  # shares encoder, decoder and output
        ("transformer", {}, BOTH_SIDES),
        ("transformer", {"share_all_embeddings": True}, BOTH_SIDES[:1]),
        ("transformer", {"share_decoder_input_output_embed": True}, BOTH_SIDES),
        ("roberta", {}, ["encoder.sentence_encoder.embed_tokens.weight"]),
        ("masked_lm", {}, ["encoder.sentence_encoder.embed_tokens.weight"]),
    ],
)
def test_tables_of_fairseq_models(dictionary, kind, options, names):
    model = tiny_model(dictionary, kind, **options)
    tables = find_token_tables(model, dictionary)
    assert list(tables) == names
    for name, table in tables.items():
        assert table is dict(model.named_parameters())[name]
        assert table.shape == (len(dictionary), 8)


class Named(nn.Module):
    """Modules by name."""

    def __init__(self, **modules):
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)


def test_another_name_is_found_by_its_rows():
    model = Named(words=nn.Embedding(10, 4), positions=nn.Embedding(32, 4), out=nn.Linear(4, 10))
    assert list(find_token_tables(model, SizedDictionary(10))) == ["words.weight"]


def test_the_usual_name_goes_before_the_right_number_of_rows():
    model = Named(embed_tokens=nn.Embedding(10, 4), positions=nn.Embedding(10, 4))
    assert list(find_token_tables(model, SizedDictionary(10))) == ["embed_tokens.weight"]


def test_two_modules_with_one_parameter_are_one_table():
    one, other = Named(embed_tokens=nn.Embedding(10, 4)), Named(embed_tokens=nn.Embedding(10, 4))
    other.embed_tokens.weight = one.embed_tokens.weight
    assert list(find_token_tables(Named(b=one, a=other), SizedDictionary(10))) == ["b.embed_tokens.weight"]


@pytest.mark.parametrize("model", [Named(out=nn.Linear(4, 10)), Named(positions=nn.Embedding(32, 4))])
def test_no_token_embedding(model):
    with pytest.raises(InputError, match=r"architecture \(Named\) has no token embedding"):
        find_token_tables(model, SizedDictionary(10))


@pytest.mark.parametrize("rows", [9, 12])
def test_wrong_number_of_rows(rows):
    model = Named(encoder=Named(embed_tokens=nn.Embedding(10, 4)), decoder=Named(embed_tokens=nn.Embedding(rows, 4)))
    with pytest.raises(InputError, match=f"decoder.embed_tokens.weight has {rows} rows .* 10 symbols"):
        find_token_tables(model, SizedDictionary(10))
