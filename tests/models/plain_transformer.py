"""The slow reference of the XLM architectures: their equations in plain torch, sentence by sentence, without padding.

Parameters are read from state dicts by the names that fairseq's Transformer gives them.
"""

import math

import torch


def normalise(x, state, name):
    """Layer normalisation of [T, d]."""
    centred = x - x.mean(1, keepdim=True)
    deviation = (centred.pow(2).mean(1, keepdim=True) + 1e-5).sqrt()
    return centred / deviation * state[name + ".weight"] + state[name + ".bias"]


def linear(x, state, name):
    """[T, a] to [T, b]."""
    return x @ state[name + ".weight"].t() + state[name + ".bias"]


def attend(x, memory, state, name, heads, causal=False):
    """Attention of [T, d] to [S, d], head by head."""
    q, k, v = (linear(y, state, name + "." + kind + "_proj") for kind, y in (("q", x), ("k", memory), ("v", memory)))
    size = q.size(1) // heads
    got = []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        scores = q[:, part] @ k[:, part].t() / math.sqrt(size)
        if causal:
            scores = scores.masked_fill(torch.ones_like(scores).triu(1).bool(), float("-inf"))
        got.append(torch.softmax(scores, 1) @ v[:, part])
    return linear(torch.cat(got, 1), state, name + ".out_proj")


def gelu(x):
    """x times the standard normal distribution function."""
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


def layer(x, state, name, heads, memory=None):
    """An encoder layer, or with a memory [S, d] a decoder layer, of [T, d]."""
    decoding = memory is not None
    x = normalise(x + attend(x, x, state, name + ".self_attn", heads, decoding), state, name + ".self_attn_layer_norm")
    if decoding:
        y = attend(x, memory, state, name + ".encoder_attn", heads)
        x = normalise(x + y, state, name + ".encoder_attn_layer_norm")
    y = linear(gelu(linear(x, state, name + ".fc1")), state, name + ".fc2")
    return normalise(x + y, state, name + ".final_layer_norm")


def embed(tokens, language, state, names):
    """[T] tokens to [T, d]; names: of the tables of tokens, positions and languages and of the normalisation."""
    table, positions, languages, norm = names
    # fairseq's first position is row 2: its padding has the index 1
    places = state[positions][2 : 2 + len(tokens)]
    return normalise(state[table][tokens] + places + state[languages][language], state, norm)


def xlm(tokens, language, state, layers, heads):
    """Features [T, d] and logits [T, V] of an XLMModel."""
    root = "encoder.sentence_encoder."
    names = [root + "embed_tokens.weight", root + "embed_positions.weight", root + "segment_embeddings.weight"]
    x = embed(tokens, language, state, names + [root + "emb_layer_norm"])
    for k in range(layers):
        x = layer(x, state, root + f"layers.{k}", heads)
    return x, x @ state[names[0]].t() + state["encoder.output_bias"]


def side(tokens, language, state, layers, heads, name, memory=None):
    """Features [T, d] of the "encoder" or the "decoder" of an XLMTranslationModel."""
    names = [
        ".embed_tokens.weight",
        ".embed_positions.weight",
        ".embed_positions.languages.weight",
        ".layernorm_embedding",
    ]
    x = embed(tokens, language, state, [name + end for end in names])
    for k in range(layers):
        x = layer(x, state, f"{name}.layers.{k}", heads, memory)
    return x


def translation(source, source_language, written, target_language, state, layers, heads):
    """Logits [T, V] of an XLMTranslationModel for [S] source tokens and [T] tokens written so far."""
    memory = side(source, source_language, state, layers, heads, "encoder")
    x = side(written, target_language, state, layers, heads, "decoder", memory)
    return x @ state["decoder.embed_tokens.weight"].t() + state["decoder.output_projection.bias"]
