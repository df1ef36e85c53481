"""The one table of the paper's settings, and the numbers in options and files. Tests compare all places with it."""

import ast

# the paper's own numbers: of section 3.2 and 3.3 (CrossInit), 4.2 (pre-training), 5.3 (translation), and of the model
# card of Table 4, facebook/mbart-large-en-ro
PAPER = {
    "crossinit": {"optimizer": "adam", "lr": [1e-4], "max_rank": 20000},
    "mbart": {
        "optimizer": "adam",
        "adam_betas": (0.9, 0.99),
        "adam_eps": 1e-6,
        "lr": [1e-4],
        "warmup_updates": 30000,
        "dropout": 0.1,
    },
    "translation": {
        "optimizer": "adam",
        "adam_betas": (0.9, 0.997),
        "adam_eps": 1e-9,
        "lr": [7e-4],
        "warmup_updates": 8000,
        "dropout": 0.1,
        "criterion": "label_smoothed_cross_entropy",
        "label_smoothing": 0.1,
    },
}
SPANS = (1000, 2000, 3000, 4000)  # section 3.3
BATCH = 256  # section 4.2
CARD = {
    f"{side}_{name}": value for side in ("encoder", "decoder") for name, value in (("layers", 12), ("embed_dim", 1024))
}
CARD.update(
    {
        f"{side}_{name}": v
        for side in ("encoder", "decoder")
        for name, v in (("ffn_embed_dim", 4096), ("attention_heads", 16))
    }
)

# of section 3.6: XLM-tiny-3 (6 layers) for Table 3; of sections 4.3 and 4.4: fine-tuning
FAST_XNLI = {"updates": 200000, "batch_size": 128, "lr": 1e-4, "alpha": 0.5, "layers": 6}
XNLI = {"batch_size": 8, "lr": 5e-6}
QA = {"lr": 5e-5, "lr_scheduler": "polynomial_decay"}
# of XTREME (Hu et al., 2020), the second ready setting of fine-tuning
XTREME_XNLI = {"batch_size": 32, "lr": 2e-5, "max_epoch": 5, "max_length": 128}
XTREME_QA = {"lr": 3e-5, "max_epoch": 3, "max_length": 384, "doc_stride": 128, "warmup_updates": 500}


def value(found):
    """An option as a command line and as a file have it: numbers as numbers, those in brackets as a tuple."""
    try:
        return ast.literal_eval(found) if isinstance(found, str) else found
    except (ValueError, SyntaxError):
        return found
