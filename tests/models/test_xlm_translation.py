"""crossinit_fairseq/models/xlm_translation.py, and xlm_positions.py and xlm_state.py beside it"""

import argparse
import logging

import pytest
import torch
from fairseq.models import ARCH_CONFIG_REGISTRY
from fairseq.models.transformer import TransformerDecoder
from fairseq.sequence_generator import SequenceGenerator

from crossinit_fairseq.generation.search import Search, TranslationRequest
from crossinit_fairseq.models.checkpoint_fit import check_dictionary_fits
from crossinit_fairseq.models.token_tables import find_token_tables
from tests.helpers import dictionary_of, is_kept, special_tokens_of, tiny_model
from tests.models import plain_transformer
from tests.models.refusal import check_refused

LANGUAGES = ("en", "de", "hi")
DICTIONARY = dictionary_of("abcdefgh", LANGUAGES)  # 4 + 8 + 3 + 1 symbols
SPECIAL_TOKENS = special_tokens_of(DICTIONARY, LANGUAGES)
BOS, PAD, EOS = 0, 1, 2
LAYERS, HEADS = 2, 2
SOURCES = [([0, 4, 5, 6, 2, 12], 0), ([0, 7, 2, 13], 1), ([0, 8, 8, 9, 10, 11, 2, 14], 2)]
TARGETS = [([13, 0, 5, 4], 1), ([14, 0, 6, 6, 7, 8], 2), ([12, 0], 0)]
ROUNDING = dict(rtol=0, atol=1e-5)
ROOT = "encoder.sentence_encoder."


def model_of(seed=0, kind="xlm_translation", **options):
    """Parameters are large enough that each of them shows."""
    torch.manual_seed(seed)
    model = tiny_model(DICTIONARY, kind, **dict(dict(encoder_layers=LAYERS, encoder_ffn_embed_dim=20), **options))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if is_kept(name):  # or the official fairseq would draw other numbers
                parameter.add_(torch.randn_like(parameter) * 0.5)
    return model


def exact(model):
    """In double precision, but that fairseq rounds some attention and gelu to single: hence ROUNDING."""
    return model.double()


def talkative(seed):
    """A model whose sentences are long and differ."""
    model = model_of(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith("decoder.") and "bias" in name:
                parameter.zero_()
        # against the tie of input and output, which makes a random model repeat its last token
        last = model.decoder.layers[-1].final_layer_norm
        last.weight.copy_(torch.tensor([3.0, -3.0]).repeat(4))
    return model


def stacked(rows):
    return SPECIAL_TOKENS.collate([torch.tensor(row) for row, _ in rows])


def logits_of(model, sources, targets):
    source = stacked(sources)
    return model(source, source.ne(PAD).sum(1), stacked(targets))[0]


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_equations(seed):
    model = exact(model_of(seed))
    logits, state = logits_of(model, SOURCES, TARGETS), model.state_dict()
    for k, ((source, from_language), (written, into)) in enumerate(zip(SOURCES, TARGETS)):
        expected = plain_transformer.translation(
            torch.tensor(source), from_language, torch.tensor(written), into, state, LAYERS, HEADS
        )
        assert torch.allclose(logits[k, : len(written)], expected, **ROUNDING)


def test_the_language_matters_beyond_its_token():
    model = exact(model_of())
    logits = logits_of(model, SOURCES[:1], TARGETS[:1])
    # the token of one language with the embedding of another
    for side in (model.encoder, model.decoder):
        own = side.embed_positions.languages.weight.detach().clone()
        with torch.no_grad():
            side.embed_positions.languages.weight.copy_(own[[1, 2, 0]])
        assert (logits_of(model, SOURCES[:1], TARGETS[:1]) - logits).abs().amax(2).min() > 1e-3
        with torch.no_grad():
            side.embed_positions.languages.weight.copy_(own)


def test_a_language_token_among_the_words_is_no_language():
    positions = model_of().encoder.embed_positions, model_of().decoder.embed_positions
    languages = positions[0].languages.weight
    row = torch.tensor([[0, 4, 14, 5, 2, 12, PAD, PAD]])
    places = torch.nn.functional.embedding(torch.arange(2, 8), positions[0].weight)
    assert torch.equal(positions[0](row)[0, :6], places + languages[0])
    row = torch.tensor([[13, 0, 4, 12, 5, 14]])
    places = torch.nn.functional.embedding(torch.arange(2, 8), positions[1].weight)
    assert torch.equal(positions[1](row)[0], places + positions[1].languages.weight[1])


def test_padding_matters_to_nothing():
    model = exact(model_of())
    together = logits_of(model, SOURCES, TARGETS)
    for k in range(3):
        alone = logits_of(model, SOURCES[k : k + 1], TARGETS[k : k + 1])[0]
        assert torch.allclose(together[k, : len(alone)], alone, **ROUNDING)


def test_step_by_step_equals_all_at_once():
    model = exact(model_of())
    rows = [([13, 0, 5, 4, 7, 9], 1), ([14, 0, 6, 6, 7, 8], 2), ([12, 0, 4, 4, 4, 4], 0)]
    source, target = stacked(SOURCES), stacked(rows)
    encoded = model.encoder(source, source.ne(PAD).sum(1))
    whole, _ = model.decoder(target, encoder_out=encoded)
    state = {}
    for end in range(1, target.size(1) + 1):
        step, _ = model.decoder(target[:, :end], encoder_out=encoded, incremental_state=state)
        assert step.size(1) == 1 and torch.allclose(step[:, 0], whole[:, end - 1], **ROUNDING)


@pytest.mark.parametrize("beam", [1, 3])
def test_generation_scores_what_all_at_once_scores(beam):
    model, source = talkative(5), stacked(SOURCES)
    generator = SequenceGenerator([model], DICTIONARY, beam_size=beam, max_len=12, normalize_scores=False)
    sample = {"net_input": {"src_tokens": source, "src_lengths": source.ne(PAD).sum(1)}}
    begin = torch.full((len(source), 1), BOS)
    found = generator.generate([model], sample, prefix_tokens=begin, bos_token=SPECIAL_TOKENS.languages["de"])
    assert len({tuple(hypotheses[0]["tokens"].tolist()) for hypotheses in found}) == 3, "or this test shows little"
    for k, hypotheses in enumerate(found):
        assert len(hypotheses) == beam
        for hypothesis in hypotheses:
            tokens = hypothesis["tokens"]
            row = [SPECIAL_TOKENS.languages["de"]] + tokens[:-1].tolist()
            chances = logits_of(model, SOURCES[k : k + 1], [(row, 1)])[0].log_softmax(1)
            expected = chances[torch.arange(len(tokens)), tokens].sum().item()
            assert hypothesis["score"].item() == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("seed", [1, 5, 8])
def test_greedy_generation_equals_fairseq_s(seed):
    model, source = talkative(seed), stacked(SOURCES)
    (got,) = Search(SPECIAL_TOKENS, max_len_a=0, max_len_b=9)(model, [TranslationRequest(source, "de")])
    generator = SequenceGenerator([model], DICTIONARY, beam_size=1, max_len_a=0, max_len_b=10)
    sample = {"net_input": {"src_tokens": source, "src_lengths": source.ne(PAD).sum(1)}}
    begin = torch.full((len(source), 1), BOS)
    found = generator.generate([model], sample, prefix_tokens=begin, bos_token=SPECIAL_TOKENS.languages["de"])
    for row, hypotheses in zip(got.tolist(), found):
        assert [token for token in row if token != PAD] == hypotheses[0]["tokens"].tolist()[1:]


def test_is_a_standard_decoder_with_one_token_table():
    model = model_of()
    assert type(model.decoder) is TransformerDecoder
    assert list(find_token_tables(model, DICTIONARY)) == ["encoder.embed_tokens.weight"]
    assert model.decoder.output_projection.weight is model.encoder.embed_tokens.weight
    logits_of(model, SOURCES, TARGETS).pow(2).sum().backward()
    idle = {name for name, parameter in model.named_parameters() if parameter.grad is None and is_kept(name)}
    assert not idle, "nothing is there in vain"


def test_architecture():
    args = argparse.Namespace()
    ARCH_CONFIG_REGISTRY["xlm_translation"](args)
    tiny = argparse.Namespace()
    ARCH_CONFIG_REGISTRY["xlm_tiny_3"](tiny)
    assert args == tiny


# --- from an XLM checkpoint


def counterparts(name, value, state):
    """The tensors of a translation model that must equal one of XLM's."""
    both = ["encoder.", "decoder."]
    names = {
        ROOT + "embed_tokens.weight": [side + "embed_tokens.weight" for side in both]
        + ["decoder.output_projection.weight"],
        ROOT + "embed_positions.weight": [side + "embed_positions.weight" for side in both],
        ROOT + "segment_embeddings.weight": [side + "embed_positions.languages.weight" for side in both],
        ROOT + "emb_layer_norm.weight": [side + "layernorm_embedding.weight" for side in both],
        ROOT + "emb_layer_norm.bias": [side + "layernorm_embedding.bias" for side in both],
        "encoder.output_bias": ["decoder.output_projection.bias"],
    }.get(name, [side + name[len(ROOT) :] for side in both])
    return {name: state[name] for name in names}


def test_all_of_xlm_is_taken_and_the_rest_stays(caplog):
    xlm, model = model_of(1, "xlm"), model_of(2)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with caplog.at_level(logging.INFO):
        model.load_state_dict(xlm.state_dict(), strict=True)
    after, taken = model.state_dict(), set()
    for name, value in xlm.state_dict().items():
        for counterpart, copied in counterparts(name, value, after).items():
            assert torch.equal(copied, value) and not torch.equal(before[counterpart], value), counterpart
            taken.add(counterpart)
    left = {name for name in after if name not in taken and is_kept(name) and not name.endswith(".version")}
    assert len(left) == LAYERS * 10 and all(
        name.startswith("decoder.layers.") and ".encoder_attn" in name for name in left
    )
    for name in left:
        assert torch.equal(after[name], before[name]), name
    count = 5 + 1 + LAYERS * 16
    assert f"from the XLM checkpoint: {count} tensors, into encoder and decoder; as initialised: " in caplog.text
    assert f"the attention of {LAYERS} " in caplog.text and f"{LAYERS * 10} tensors" in caplog.text
    assert model.decoder.output_projection.weight is model.encoder.embed_tokens.weight, "still tied"


def test_the_encoder_computes_what_xlm_computes():
    xlm, model = model_of(1, "xlm"), model_of(2)
    model.load_state_dict(xlm.state_dict())
    source = stacked(SOURCES)
    expected, _ = xlm(source, torch.tensor([language for _, language in SOURCES]), features_only=True)
    got = model.encoder(source, source.ne(PAD).sum(1))["encoder_out"][0].transpose(0, 1)
    real = source != PAD
    assert torch.allclose(got[real], expected[real], **ROUNDING)


def test_its_own_checkpoint_loads():
    one, other = model_of(1), model_of(2)
    other.load_state_dict(one.state_dict())
    for name, value in one.state_dict().items():
        assert torch.equal(other.state_dict()[name], value) or not is_kept(name), name


@pytest.mark.parametrize(
    "other, sentence",
    [
        (dict(encoder_layers=1), r"holds no encoder.layers.1.* or of fewer layers"),
        (dict(encoder_layers=3), r"layers.2.* has no place in --arch xlm_translation.* \(--encoder-layers\)"),
        (dict(encoder_embed_dim=16), r"embed_tokens.weight is \[16, 16\] in the checkpoint and \[16, 8\] in the model"),
        (dict(max_positions=32), r"embed_positions.weight is \[34, 8\] in the checkpoint .*--max-positions"),
        (dict(kind="masked_lm"), "has no place in --arch xlm_translation, which starts from the xlm architectures"),
        (dict(kind="roberta"), "has no place in --arch xlm_translation, which starts from the xlm architectures"),
        (dict(kind="bart"), "embed_positions.languages.weight: it is of another architecture"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused_in_words(other, sentence):
    check_refused(model_of(), DICTIONARY, sentence, **other)


def test_a_checkpoint_of_another_dictionary_is_refused_in_words():
    model = model_of()
    check_dictionary_fits(model, DICTIONARY, "my/data-bin")
    other = tiny_model(dictionary_of("abcd", LANGUAGES), "xlm", encoder_layers=LAYERS, encoder_ffn_embed_dim=20)
    with pytest.raises(SystemExit, match="has 12 rows but my/data-bin/dict.txt has 16 symbols"):
        model.load_state_dict(other.state_dict())


def test_a_checkpoint_of_other_languages_is_refused_in_words():
    other = tiny_model(dictionary_of("abcdefghi", ("en", "de")), "xlm", encoder_layers=LAYERS, encoder_ffn_embed_dim=20)
    with pytest.raises(
        SystemExit, match=r"languages.weight is \[2, 8\] in the checkpoint and \[3, 8\] .* same dictionary"
    ):
        model_of().load_state_dict(other.state_dict())


@pytest.mark.parametrize("source, target, where", [([0, 4, 2], [13, 0, 4], "end"), ([0, 4, 2, 12], [2, 4, 5], "begin")])
def test_a_sentence_without_its_language_is_refused_in_words(source, target, where):
    with pytest.raises(SystemExit, match=f"error: a sentence does not {where} with a language token"):
        logits_of(model_of(), [(source, None)], [(target, None)])
