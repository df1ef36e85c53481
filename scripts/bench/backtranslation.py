"""Time a training step of `crossinit_unmt` against stock `online_backtranslation`.

    python scripts/bench/backtranslation.py [--json FILE] [--size quickstart|mbart_base] [--repeats N]

Both tasks train through fairseq's own Trainer, in this process, in turns, on the same sentences and on models of the same
weights; the learning rate is 0, so that they stay the same. A batch of stock is made by stock's own datasets from the
sentences of ours. What is timed:

    generation  stock: SequenceGenerator.generate; ours: what write_stepwise does. Tokens written, </s> not counted, per second
    step        Trainer.train_step: generation, denoising and back-translation forward and backward, clipping, Adam
    batch       reading the sentences, noise, padding: what a training without workers waits for besides

Medians over updates; ratios are medians of the ratios of the updates.

The text is made up: two languages with disjoint halves of the vocabulary, sub-tokens drawn by Zipf's law, sentence
lengths from a log-normal distribution of the median and spread of the quickstart's text (10.5 sub-tokens; the logarithm's
standard deviation 0.75; 2 to 200). So that both write sentences as long as their sources, which random weights would not, the weights
are set by hand to copy the source; the lengths are reported.
"""

import argparse
import json
import logging
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

# layers, model and feed-forward dimensions, heads, vocabulary, max tokens, repeats
SIZES = {
    "tiny": (1, 64, 128, 2, 100, 200, 2),
    "quickstart": (2, 128, 512, 4, 2500, 800, 15),
    "mbart_base": (6, 768, 3072, 12, 32000, 512, 2),
}
LANGUAGES = ("aa", "bb")
MEDIAN_LENGTH, SPREAD, LENGTHS = 10.5, 0.75, (2, 200)


def write_data(folder, vocabulary, sentences, median, rng):
    """A data folder that both tasks take: stock adds __aa__ and the like to its dictionary unless they are there."""
    from fairseq.data import Dictionary, indexed_dataset

    words = vocabulary - 9  # fairseq's four symbols, two tokens a language, <mask>
    # two in five sub-tokens go on with a word
    symbols = ["{}{}".format("" if k % 5 in (1, 3) else "\u2581", k) for k in range(words)]
    symbols += ["__{}__".format(name) for name in LANGUAGES] + ["[{}]".format(name) for name in LANGUAGES] + ["<mask>"]
    (folder / "dict.txt").write_text("".join(symbol + " 1\n" for symbol in symbols), encoding="utf-8")
    dictionary = Dictionary.load(str(folder / "dict.txt"))
    half = words // 2
    chances = 1 / np.arange(3, half + 3)
    for number, language in enumerate(LANGUAGES):
        (folder / language).mkdir()
        lengths = np.exp(rng.normal(np.log(median), SPREAD, sentences)).round().clip(*LENGTHS).astype(int)
        for split, lengths in (("train", lengths), ("valid", lengths[:20])):
            path = str(folder / language / split)
            builder = indexed_dataset.make_builder(path + ".bin", impl="mmap", vocab_size=len(dictionary))
            for length in lengths:
                text = 4 + number * half + rng.choice(half, length, p=chances / chances.sum())
                builder.add_item(torch.tensor(text.tolist() + [dictionary.eos()]))
            builder.finalize(path + ".idx")


class Side:
    """A task with its model, trained by fairseq's Trainer as fairseq-train would, but that the learning rate is 0."""

    def __init__(self, data, size, seed, cuda, *options):
        from fairseq import options as fairseq_options
        from fairseq import tasks
        from fairseq.dataclass.utils import convert_namespace_to_omegaconf
        from fairseq.trainer import Trainer

        layers, dim, ffn, heads, _, max_tokens, _ = size
        command = [str(data), "--arch", "mbart_base", "--share-all-embeddings", "--criterion"]
        command += ["label_smoothed_cross_entropy", "--label-smoothing", "0.1", "--dropout", "0.1"]
        command += ["--optimizer", "adam", "--lr", "0", "--clip-norm", "1.0", "--seed", str(seed), "--max-tokens"]
        command += [
            str(max_tokens),
            "--num-workers",
            "0",
            "--max-source-positions",
            "512",
            "--max-target-positions",
            "512",
        ]
        for side in ("encoder", "decoder"):
            command += ["--{}-layers".format(side), str(layers), "--{}-embed-dim".format(side), str(dim)]
            command += ["--{}-ffn-embed-dim".format(side), str(ffn), "--{}-attention-heads".format(side), str(heads)]
        command += [] if cuda else ["--cpu"]
        args = fairseq_options.parse_args_and_arch(fairseq_options.get_training_parser(), command + list(options))
        cfg = convert_namespace_to_omegaconf(args)
        self.task = tasks.setup_task(cfg.task)
        self.model = self.task.build_model(cfg.model)
        self.criterion = self.task.build_criterion(cfg.criterion)
        self.task.load_dataset("train", epoch=1)
        self.trainer = Trainer(cfg, self.task, self.model, self.criterion)
        self.trainer.lr_step_begin_epoch(1)


class Meter:
    """Seconds spent in a function and tokens that it wrote, up to the last `take`."""

    def __init__(self, clock, count):
        self.clock, self.count = clock, count
        self.seconds = self.tokens = self.sentences = 0

    def around(self, function):
        """The function, metered."""

        def metered(*args, **kwargs):
            begin = self.clock()
            result = function(*args, **kwargs)
            self.seconds += self.clock() - begin
            tokens, sentences = self.count(result)
            self.tokens, self.sentences = self.tokens + tokens, self.sentences + sentences
            return result

        return metered

    def take(self):
        """Return (seconds, tokens, sentences) and begin anew."""
        taken = self.seconds, self.tokens, self.sentences
        self.seconds = self.tokens = self.sentences = 0
        return taken


def our_batch(ours, update):
    """The batch of an update, and the indices of its sentences by language."""
    dataset = ours.task.datasets["train"]
    chosen = dict(dataset.sentences_of(update))
    return dataset.collater([dataset[update]]), chosen


def stock_batch(stock, chosen):
    """The same sentences as stock's own datasets give them."""
    batch = {}
    for key, dataset in stock.task.datasets["train"].datasets.items():
        batch[key] = dataset.collater([dataset[int(index)] for index in chosen[key.split("-")[0]]])
    return batch


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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=sorted(SIZES), default="quickstart", help="of the model and its batches")
    parser.add_argument("--repeats", type=int, help="updates timed (default: 15; 2 at mbart_base)")
    parser.add_argument("--sentences", type=int, default=4000, help="of each language")
    parser.add_argument(
        "--max-tokens", type=int, help="tokens of a batch of one language (default: 800; 512 at mbart_base)"
    )
    parser.add_argument("--median-length", type=float, default=MEDIAN_LENGTH, metavar="N", help="of the sentences")
    parser.add_argument(
        "--restrict-vocab", action="store_true", help="ours generates tokens of the target language only"
    )
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="count the seconds of CPU that this process gets, not those of the clock: for a busy machine, with OMP_NUM_THREADS=1",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    args = parser.parse_args()
    size = list(SIZES[args.size])
    for place, given in ((5, args.max_tokens), (6, args.repeats)):
        size[place] = size[place] if given is None else given
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), size, args)
    report(figures)
    if args.json:
        Path(args.json).write_text(json.dumps(figures, indent=2) + "\n")


def measure(folder, size, args):
    """Set both sides up and time them. Returns the figures as a dict."""
    from fairseq import utils

    logging.disable(logging.WARNING)  # the tasks tell of their set-up, and stock prints translations
    warnings.simplefilter("ignore")
    utils.import_user_module(argparse.Namespace(user_dir=str(ROOT / "crossinit_fairseq")))
    from crossinit_fairseq.translation import generation, greedy

    cuda = torch.cuda.is_available()

    def clock():
        if cuda:
            torch.cuda.synchronize()
        return time.process_time() if args.cpu_time else time.perf_counter()

    write_data(folder, size[4], args.sentences, args.median_length, np.random.default_rng(args.seed))
    restrict = ["--restrict-vocab-updates", "-1"] if args.restrict_vocab else []
    ours = Side(folder, size, args.seed, cuda, "--task", "crossinit_unmt", "--langs", ",".join(LANGUAGES), *restrict)
    stock_options = ["--mono-langs", ",".join(LANGUAGES), "--valid-lang-pairs", "-".join(LANGUAGES)]
    stock = Side(folder, size, args.seed, cuda, "--task", "online_backtranslation", *stock_options)
    if len(ours.task.dictionary) != len(stock.task.dictionary):
        raise SystemExit("the tasks' dictionaries are of unlike sizes; this is a fault of the benchmark")
    dataset = ours.task.datasets["train"]
    dataset.set_epoch(1)
    dataset.batch_by_size(None, max_tokens=size[5])
    torch.manual_seed(args.seed)
    make_copying(ours.model, torch.Generator().manual_seed(args.seed))
    stock.model.load_state_dict(ours.model.state_dict())

    pad, eos = ours.task.dictionary.pad(), ours.task.dictionary.eos()
    meters = {
        "ours": Meter(
            clock, lambda made: (sum(int((m.ne(pad) & m.ne(eos)).sum()) for m in made), sum(len(m) for m in made))
        ),
        "stock": Meter(clock, lambda made: (sum(len(best[0]["tokens"]) - 1 for best in made), len(made))),
    }
    for module in (greedy, generation):  # wherever the task generates from
        module.write_stepwise = meters["ours"].around(module.write_stepwise)
    for generator in stock.task.sequence_generators.values():
        generator.generate = meters["stock"].around(generator.generate)

    sides = {"ours": ours, "stock": stock}
    timed = {name: {"batch": [], "step": [], "generation": [], "tokens": [], "sentences": []} for name in sides}
    source_words = source_sentences = 0
    for repeat in tqdm(range(size[6] + 1), desc="updates timed", disable=not sys.stderr.isatty()):
        _, chosen = our_batch(ours, repeat % len(dataset))
        # each goes first in every other update
        for name in sorted(sides, reverse=bool(repeat % 2)):
            begin = clock()
            batch = our_batch(ours, repeat % len(dataset))[0] if name == "ours" else stock_batch(stock, chosen)
            made = clock()
            sides[name].trainer.train_step([batch])
            end = clock()
            generation, tokens, sentences = meters[name].take()
            if repeat:  # the first warms up
                values = (made - begin, end - made, generation, tokens, sentences)
                for key, value in zip(("batch", "step", "generation", "tokens", "sentences"), values):
                    timed[name][key].append(value)
        if repeat:
            for language, indices in chosen.items():
                source_words += int((np.asarray(dataset.texts[language].sizes)[indices] - 1).sum())
                source_sentences += len(indices)

    def ratio(of_stock, of_ours):
        return statistics.median([s / o for s, o in zip(of_stock, of_ours)])

    def rates(name):
        return [tokens / seconds for tokens, seconds in zip(timed[name]["tokens"], timed[name]["generation"])]

    def whole(name):
        return [batch + step for batch, step in zip(timed[name]["batch"], timed[name]["step"])]

    return {
        "device": torch.cuda.get_device_name() if cuda else "cpu, {} threads".format(torch.get_num_threads()),
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
        "step_and_batch_speedup": ratio(whole("stock"), whole("ours")),
        "generation_share": sum(timed["ours"]["generation"]) / sum(timed["ours"]["step"]),
        "sides": {
            name: {
                "generated_length": sum(of["tokens"]) / sum(of["sentences"]),
                "generated_words_per_second": sum(of["tokens"]) / sum(of["generation"]),
                "generation_seconds": statistics.median(of["generation"]),
                "step_seconds": statistics.median(of["step"]),
                "batch_seconds": statistics.median(of["batch"]),
                "generation_share": sum(of["generation"]) / sum(of["step"]),
            }
            for name, of in timed.items()
        },
    }


def report(figures):
    """Print the figures."""
    of, settings = figures["sides"], figures["settings"]
    print(
        "crossinit_unmt against online_backtranslation (stock): {layers} + {layers} layers, d = {dim}, V = {vocabulary:,}, "
        "{max_tokens} tokens a batch and language".format(**settings)
    )
    clock = "CPU time" if settings["cpu_time"] else "time by the clock"
    print(
        "on {}, torch {}; {}, medians of {} updates".format(
            figures["device"], figures["torch"], clock, settings["repeats"]
        )
    )
    print(
        "sources have {:.1f} sub-tokens; generated: stock {:.1f}, ours {:.1f}".format(
            figures["source_length"], of["stock"]["generated_length"], of["ours"]["generated_length"]
        )
    )
    print("{:36}{:>12}{:>12}{:>10}".format("", "stock", "ours", "speedup"))
    for title, key, figure, form in (
        ("generation, sub-tokens/s", "generated_words_per_second", "generation_speedup", "{:12,.0f}"),
        ("training step, s", "step_seconds", "step_speedup", "{:12.3f}"),
        ("making its batch, s", "batch_seconds", None, "{:12.3f}"),
        ("share of the step in generation", "generation_share", None, "{:12.1%}"),
    ):
        last = "{:9.2f}x".format(figures[figure]) if figure else ""
        print("{:36}".format(title) + form.format(of["stock"][key]) + form.format(of["ours"][key]) + last)
    print("step and batch together: {:.2f}x".format(figures["step_and_batch_speedup"]))


if __name__ == "__main__":
    main()
