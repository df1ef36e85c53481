"""Medians and ratios of what was measured."""

import dataclasses
import statistics

import torch

from backtranslation_parts.text import SPREAD


def figures_of(timed, source_words, source_sentences, compared, alike, setting):
    """What is reported of a workload, as a dict.

    timed: {"ours" or "stock": {what: list of float, one for each repeat}}; source_words, source_sentences: of all
    repeats; compared: how many sentences were compared; alike: how many of them both have
    written; setting: of workloads.py.
    """

    def ratio(of_stock, of_ours):
        return statistics.median([s / o for s, o in zip(of_stock, of_ours)])

    def rates(name):
        return [tokens / seconds for tokens, seconds in zip(timed[name]["tokens"], timed[name]["generation"])]

    def learning(name):
        return [step - generation for step, generation in zip(timed[name]["step"], timed[name]["generation"])]

    def whole(name):
        return [batch + step for batch, step in zip(timed[name]["batch"], timed[name]["step"])]

    def share(name):
        return sum(timed[name]["generation"]) / sum(timed[name]["step"])

    updates = setting.repeats * setting.bt_ahead
    return {
        "name": setting.workload,
        "stock_share": share("stock"),
        "generation_speedup": ratio(rates("ours"), rates("stock")),
        "step_speedup": ratio(timed["stock"]["step"], timed["ours"]["step"]),
        "learning_speedup": ratio(learning("stock"), learning("ours")),
        "step_and_batch_speedup": ratio(whole("stock"), whole("ours")),
        "generation_share": share("ours"),
        "sentences_compared": compared,
        "identical_tokens": alike == compared,  # in single precision, anything else ends the benchmark
        "identical_share": alike / compared,
        "source_length": source_words / source_sentences,
        "sentences_a_step": source_sentences / updates,
        "device": (
            torch.cuda.get_device_name() if torch.cuda.is_available() else f"cpu, {torch.get_num_threads()} threads"
        ),
        "torch": torch.__version__,
        "settings": dict(dataclasses.asdict(setting), spread=SPREAD),
        "sides": {
            name: {
                "generated_length": sum(of["tokens"]) / sum(of["sentences"]),
                "generated_words_per_second": sum(of["tokens"]) / sum(of["generation"]),
                "generation_seconds": statistics.median(of["generation"]) / setting.bt_ahead,
                "learning_seconds": statistics.median(learning(name)) / setting.bt_ahead,
                "step_seconds": statistics.median(of["step"]) / setting.bt_ahead,
                "batch_seconds": statistics.median(of["batch"]) / setting.bt_ahead,
                "generation_share": share(name),
            }
            for name, of in timed.items()
        },
    }
