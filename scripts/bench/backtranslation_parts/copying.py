"""Weights with which a BART copies its source."""

import torch


@torch.no_grad()
def make_copying(model, generator):
    """Set a BART's weights so that it writes its source: the last attention to the source looks at the place that is
    being written and brings its token; every other sublayer adds nothing. It costs what any other weights cost."""
    encoder, decoder = model.encoder, model.decoder
    table, width = decoder.embed_tokens.weight, decoder.embed_dim
    head = decoder.layers[0].self_attn.head_dim

    def directions(count, dim):
        return torch.nn.functional.normalize(torch.randn(count, dim, generator=generator))

    # a token's vector fills all dimensions but the last `head`, a place's the last `head`
    table.zero_()
    table[:, :-head] = directions(len(table), width - head)
    table[decoder.padding_idx] = 0
    places = directions(decoder.embed_positions.num_embeddings, head) * decoder.embed_scale
    for side in (encoder, decoder):
        side.embed_positions.weight.zero_()
        side.embed_positions.weight[:, -head:] = places
        for layer in side.layers:
            for last in (layer.self_attn.out_proj, layer.fc2, getattr(layer, "encoder_attn", layer.self_attn).out_proj):
                last.weight.zero_()
    attention = decoder.layers[-1].encoder_attn
    for projection in (attention.q_proj, attention.k_proj):
        projection.weight.zero_()
        # normed, both vectors have squared length D / 2: the attention to one's own place is e^40 times that to another
        for index in range(attention.num_heads):
            of_head = slice(index * head, (index + 1) * head)
            projection.weight[of_head, -head:] = torch.eye(head) * (80 / width * head**0.5) ** 0.5
    attention.v_proj.weight.copy_(torch.eye(width))
    attention.out_proj.weight.copy_(torch.eye(width) * 3)
    attention.out_proj.weight[-head:] = 0
