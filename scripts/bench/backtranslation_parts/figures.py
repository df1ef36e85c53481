"""Medians and ratios of what was measured."""

import statistics

import torch
from backtranslation_parts.text import SPREAD


def figures_of(timed, source_words, source_sentences, size, args):
    """What is reported, as a dict.

    timed: {"ours" or "stock": {what: list of float, one for each update}}; source_words, source_sentences: of all updates;
    size: a row of SIZES; args: the options.
    """

    def ratio(of_stock, of_ours):
        return statistics.median([s / o for s, o in zip(of_stock, of_ours)])

    def rates(name):
        return [tokens / seconds for tokens, seconds in zip(timed[name]["tokens"], timed[name]["generation"])]

    def learning(name):
        return [step - generation for step, generation in zip(timed[name]["step"], timed[name]["generation"])]

    def whole(name):
        return [batch + step for batch, step in zip(timed[name]["batch"], timed[name]["step"])]

    return {
        "device": (
            torch.cuda.get_device_name()
            if torch.cuda.is_available()
            else "cpu, {} threads".format(torch.get_num_threads())
        ),
        "torch": torch.__version__,
        "settings": dict(
            {k: v for k, v in vars(args).items() if k != "json"},
            layers=size[0],
            dim=size[1],
            ffn=size[2],
            heads=size[3],
            vocabulary=size[4],
            max_tokens=size[5],
            repeats=size[6],
            spread=SPREAD,
        ),
        "source_length": source_words / source_sentences,
        "sentences_a_step": source_sentences / size[6],
        "generation_speedup": ratio(rates("ours"), rates("stock")),
        "step_speedup": ratio(timed["stock"]["step"], timed["ours"]["step"]),
        "learning_speedup": ratio(learning("stock"), learning("ours")),
        "step_and_batch_speedup": ratio(whole("stock"), whole("ours")),
        "generation_share": sum(timed["ours"]["generation"]) / sum(timed["ours"]["step"]),
        "sides": {
            name: {
                "generated_length": sum(of["tokens"]) / sum(of["sentences"]),
                "generated_words_per_second": sum(of["tokens"]) / sum(of["generation"]),
                "generation_seconds": statistics.median(of["generation"]),
                "learning_seconds": statistics.median(learning(name)),
                "step_seconds": statistics.median(of["step"]),
                "batch_seconds": statistics.median(of["batch"]),
                "generation_share": sum(of["generation"]) / sum(of["step"]),
            }
            for name, of in timed.items()
        },
    }
