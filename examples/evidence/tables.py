"""Make the embedding tables that are compared: python tables.py --data DATA --langs en,fr --seed 1 --out DIR ...

Each is what `fairseq-train --task crossinit_pretrain` makes of the same data, seed and options, up to rounding;
RESULTS.md names the options. They are made in one process because starting fairseq takes longer than most of them. No
fairseq is imported: the model has no part in the table. Adam, --clip-norm 1 and --rescale are as in examples/captions.
"""

import os
import sys
import time
from dataclasses import dataclass, replace
from typing import Callable, Dict, List, Tuple

import torch

from crossinit_fairseq.alignment import (
    PairedWords,
    PairPlan,
    RandomWords,
    RankedTable,
    Rescaling,
    SpanPlan,
    pair_objective,
    pair_vectors,
    sigmoid_objective,
)
from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.data.dictionary import PAD, UNK, read_symbols, special_rows
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.export.safetensors_file import read_safetensors, write_safetensors
from crossinit_fairseq.export.tables import EmbeddingTable
from crossinit_fairseq.lexicon import Lexicon
from crossinit_fairseq.lexicon.lexicon_file import MUTUAL
from crossinit_fairseq.lexicon.word_forms import LexiconTokens, TokenPair, WordForms, to_tokens
from crossinit_fairseq.ranks import RankedWords, WordPieces, open_binarised, rank_words
from crossinit_fairseq.spans import DrawDataset, PairSampler, SpanDraws, SpanSampler

NAMES = ("random", "spans-flat", "spans-stop", "spans", "spans-within", "lexicon", "lexicon-then-spans")
NAMES += ("lexicon-and-spans", "lexicon-exchanged", "words-within", "oracle")
TEMPERATURE = 0.1  # of the pairs: --lexicon-temperature
FLATNESS, PATIENCE, VALID_BATCHES = 0.005, 3, 10
MAX_RANK, WIDE_RANK = 10000, 20000  # --max-rank of the short spans and of the paper's
ALIKE = 100  # words of like rank: so many neighbours by count, of whom exchanged translations are drawn


@dataclass(frozen=True)
class Setting:
    """draws: --batch-size; updates: --max-update; epoch: --updates-per-epoch; rate: --lr."""

    draws: int
    updates: int
    epoch: int
    rate: float


SPANS = Setting(draws=64, updates=50, epoch=50, rate=0.005)  # of examples/captions, with --span 30
PAIRS = Setting(draws=512, updates=300, epoch=100, rate=0.01)  # of examples/captions
FLAT = Setting(draws=256, updates=20000, epoch=50, rate=0.001)  # of examples/spans, with --span 3000
STOPPED = replace(SPANS, updates=500, epoch=5)


class WithinSampler:
    """Draws the spans of a SpanSampler, and pairs each language with itself instead of with another one."""

    def __init__(self, sampler: SpanSampler):
        self.sampler = sampler

    def draw(self, count: int, epoch: int, index: int) -> SpanDraws:
        draws = self.sampler.draw(count, epoch, index)
        return replace(draws, right=draws.left)


class Words:
    """The words of a data folder, and what is drawn from them.

    data: folder of fairseq-preprocess; languages: two codes; seed: of the draws.
    """

    def __init__(self, data: str, languages: Tuple[str, str], seed: int):
        self.languages, self.seed = languages, seed
        self.symbols = read_symbols(os.path.join(data, "dict.txt"))
        pieces = WordPieces(self.symbols, special=special_rows(self.symbols, languages), unk=UNK, style="auto")
        self.words: List[RankedWords] = [
            rank_words([open_binarised(os.path.join(data, language, "train"))], pieces) for language in languages
        ]

    def forms(self, at: int, lexicon: Lexicon) -> WordForms:
        """The written forms of the words of language number `at`."""
        return WordForms(self.words[at], self.symbols, self.languages[at], lexicon.lowercase)

    def pairs(self, lexicon: Lexicon) -> PairedWords:
        """The mutual pairs of a lexicon."""
        return PairedWords([to_tokens(lexicon, self.forms(0, lexicon), self.forms(1, lexicon))])

    def with_themselves(self, lexicon: Lexicon) -> PairedWords:
        """The words of a lexicon's mutual pairs, each paired with itself: nothing goes between the languages."""
        own = []
        for at, language in enumerate(self.languages):
            forms = self.forms(at, lexicon)
            words = dict.fromkeys(pair[at] for pair in lexicon.mutual())
            pairs = [TokenPair(form.tokens, form.tokens, (word, word)) for word in words for form in forms.find(word)]
            own.append(LexiconTokens(language, language, pairs, {}, {}, 0, len(words)))
        return PairedWords(own)

    def spans(self, span: int, max_rank: int, within: bool = False) -> Tuple[SpanSampler, RankedTable]:
        """A sampler of spans, and the words to average over them; within: see WithinSampler."""
        sampler = SpanSampler([len(words) for words in self.words], span, max_rank, self.seed, names=self.languages)
        return WithinSampler(sampler) if within else sampler, RankedTable(self.words, max_rank, len(self.symbols))


def exchanged(lexicon: Lexicon, seed: int) -> Lexicon:
    """A lexicon that knows ranks alone: each mutual pair has the translation of one of ALIKE neighbours by count."""
    pairs = sorted(lexicon.mutual(), key=lambda pair: -pair.counts[0])
    generator = torch.Generator().manual_seed(seed)
    mixed = []
    for first in range(0, len(pairs), ALIKE):
        group = pairs[first : first + ALIKE]
        order = torch.randperm(len(group), generator=generator).tolist()
        mixed += [one._replace(target=group[other].target, found=MUTUAL) for one, other in zip(group, order)]
    return Lexicon(lexicon.source, lexicon.target, mixed, lexicon.settings)


class Adam:
    """fairseq's Adam. It adds 1e-8 before the bias is corrected, torch's after it: tiny gradients feel that."""

    def __init__(self, table: torch.Tensor, rate: float):
        self.table, self.rate, self.updates = table, rate, 0
        self.mean, self.square = torch.zeros_like(table), torch.zeros_like(table)

    @torch.no_grad()
    def step(self) -> None:
        """Update the table by its gradient, which is used up."""
        self.updates += 1
        self.mean.lerp_(self.table.grad, 1 - 0.9)
        self.square.mul_(0.999).addcmul_(self.table.grad, self.table.grad, value=1 - 0.999)
        size = self.rate * (1 - 0.999**self.updates) ** 0.5 / (1 - 0.9**self.updates)
        self.table.addcdiv_(self.mean, self.square.sqrt().add_(1e-8), value=-size)
        self.table.grad = None


class Run:
    """One table in training. start: float [V, d]; spans: of Words.spans; pairs: PairedWords; one of them or both."""

    def __init__(self, words: Words, start: torch.Tensor, setting: Setting, spans=None, pairs=None):
        self.words, self.setting, self.pairs = words, setting, pairs
        self.table = start.clone().requires_grad_()
        self.ranked = spans and spans[1]
        kinds = {}
        if spans:
            kinds["spans"] = (spans[0], self.ranked.plan)
        if pairs:
            kinds["pairs"] = (PairSampler(pairs.sizes, words.seed), pairs.plan)
        self.train = DrawDataset(kinds, setting.draws, setting.epoch)
        self.valid = DrawDataset(kinds, setting.draws, VALID_BATCHES, fixed_epoch=0)
        trained = (words.words if spans else []) + ([pairs.all_words()] if pairs else [])
        self.rescaling = Rescaling([self.table], trained)
        self.adam = Adam(self.table, setting.rate)
        self.updates = 0

    def loss(self, inputs: Dict[str, Dict[str, torch.Tensor]]) -> torch.Tensor:
        """The mean loss of an item of a DrawDataset in nats, that of spans and of pairs added."""
        losses = []
        if "spans" in inputs:
            losses.append(sigmoid_objective(self.ranked(self.table, SpanPlan(**inputs["spans"]))).loss.mean())
        if "pairs" in inputs:
            plan = PairPlan(**inputs["pairs"])
            losses.append(pair_objective(pair_vectors(self.table, plan), plan.related, TEMPERATURE).loss.mean())
        return sum(losses)

    def step(self) -> None:
        """One update."""
        epoch, index = divmod(self.updates, self.setting.epoch)
        self.train.set_epoch(1 + epoch)
        loss = self.loss(self.train[index]["net_input"])
        loss.backward()
        torch.nn.utils.clip_grad_norm_([self.table], 1.0)
        self.adam.step()
        self.updates += 1

    def go(self, ends: Callable[["Run"], bool] = lambda run: False) -> "Run":
        """Train for the setting's updates, or until `ends`, asked after every epoch, says so."""
        while self.updates < self.setting.updates:
            self.step()
            if self.updates % self.setting.epoch == 0 and ends(self):
                break
        return self

    @torch.no_grad()
    def valid_loss(self) -> float:
        """The mean loss of the draws that are the same at every validation."""
        return sum(float(self.loss(self.valid[k]["net_input"])) for k in range(len(self.valid))) / len(self.valid)

    def rescaled(self) -> torch.Tensor:
        """The table at its initial scale, float [V, d]."""
        return self.rescaling([self.table])[0]


def until_flat() -> Callable[[Run], bool]:
    """Whether PATIENCE validations in a row have not brought the loss, in steps of FLATNESS nats, down: --patience."""
    best, waited = float("inf"), 0

    def ends(run: Run) -> bool:
        nonlocal best, waited
        loss = round(round(run.valid_loss() / FLATNESS) * FLATNESS, 6)
        best, waited = (loss, 0) if loss < best else (best, waited + 1)
        return waited >= PATIENCE

    return ends


def random_table(symbols: List[str], dimension: int, seed: int) -> torch.Tensor:
    """What fairseq's transformer begins with: normal, standard deviation d ** -0.5, zeros for <pad>; float [V, d]."""
    torch.manual_seed(seed)
    table = torch.nn.Embedding(len(symbols), dimension, padding_idx=PAD)
    torch.nn.init.normal_(table.weight, mean=0, std=dimension**-0.5)
    torch.nn.init.constant_(table.weight[table.padding_idx], 0)
    return table.weight.detach()


class Tables:
    """The tables of one seed, each made when it is asked for and not there yet.

    folder: where NAME.safetensors go; induced, oracle: lexicons; dimension: d; span, wide: --span of the short and of
    the paper's spans; stops: numbers for --stop-directions, falling.
    """

    def __init__(self, folder, words, induced, oracle, dimension, span, wide, stops):
        self.folder, self.words = folder, words
        self.start = random_table(words.symbols, dimension, words.seed)
        self.span, self.wide, self.stops = span, wide, stops
        self.induced, self.oracle = induced, oracle

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name + ".safetensors")

    def save(self, name: str, run: Run) -> None:
        write_safetensors(EmbeddingTable(self.words.symbols, run.rescaled(), name), self.path(name))
        with open(os.path.join(self.folder, "updates.tsv"), "a", encoding="utf-8") as stream:
            stream.write(f"{name}\t{run.updates}\n")
        print(f"{name}: {run.updates:,} updates, {time.process_time():.0f} s so far", flush=True)

    def make(self, wanted: List[str]) -> None:
        """Make those that are wanted, the cheapest first; `random` always, `lexicon` for lexicon-then-spans too."""
        wanted = wanted + ["lexicon"] * ("lexicon-then-spans" in wanted)
        write_safetensors(EmbeddingTable(self.words.symbols, self.start, "random"), self.path("random"))
        with open(os.path.join(self.folder, "updates.tsv"), "a", encoding="utf-8"):
            pass  # it is there where no table is trained, too
        for name, setting, spans, pairs in (
            ("spans", SPANS, self._short, None),
            ("spans-within", SPANS, lambda: self._short(within=True), None),
            ("lexicon", PAIRS, None, lambda: self.words.pairs(self.induced)),
            ("lexicon-then-spans", SPANS, self._short, None),
            ("lexicon-and-spans", PAIRS, self._short, lambda: self.words.pairs(self.induced)),
            ("lexicon-exchanged", PAIRS, None, lambda: self.words.pairs(exchanged(self.induced, self.words.seed))),
            ("words-within", PAIRS, None, lambda: self.words.with_themselves(self.induced)),
            ("oracle", PAIRS, None, lambda: self.words.pairs(self.oracle)),
        ):
            if name in wanted and not os.path.exists(self.path(name)):
                start = self.start if name != "lexicon-then-spans" else read_safetensors(self.path("lexicon")).values
                self.save(name, Run(self.words, start, setting, spans and spans(), pairs and pairs()).go())
        if "spans-stop" in wanted and not all(os.path.exists(self.path(f"spans-stop-{k}")) for k in self.stops):
            self._stopped()
        if "spans-flat" in wanted and not os.path.exists(self.path("spans-flat")):
            spans = self.words.spans(self.wide, WIDE_RANK)
            self.save("spans-flat", Run(self.words, self.start, FLAT, spans).go(until_flat()))

    def _short(self, within: bool = False) -> Tuple[SpanSampler, RankedTable]:
        return self.words.spans(self.span, MAX_RANK, within)

    def _stopped(self) -> None:
        """The tables at which --stop-directions ends one and the same run, which may end before the last of them."""
        run = Run(self.words, self.start, STOPPED, self._short())
        measure = RandomWords(self.words.words, MAX_RANK)
        for stop in self.stops:
            while run.updates % run.setting.epoch or measure(run.table.detach()).directions > stop:
                if run.updates == run.setting.updates:
                    print(f"spans-stop-{stop}: not within {run.updates:,} updates")
                    return
                run.step()
            run.step()  # the run ends after one more update
            self.save(f"spans-stop-{stop}", run)


def main(arguments=None):
    parser = CommandParser(description=__doc__)
    parser.add_argument("--data", required=True, metavar="DIR", help="text that fairseq-preprocess binarised")
    parser.add_argument("--langs", required=True, help="such as en,fr")
    parser.add_argument("--lexicon", required=True, metavar="TSV", help="of crossinit-lexicon induce")
    parser.add_argument("--oracle", required=True, metavar="TSV", help="of examples/captions/oracle.py")
    parser.add_argument("--tables", default=",".join(NAMES), help="some of these (default: all): %(default)s")
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--span", type=int, default=30, help="of the short spans (default: 30)")
    parser.add_argument("--wide", type=int, default=3000, help="of the paper's (default: 3000)")
    parser.add_argument("--stops", default="64,32,16,8,4", help="numbers of --stop-directions (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True, metavar="DIR")
    args = parser.parse_args(arguments)
    languages = tuple(args.langs.split(","))
    wanted = args.tables.split(",")
    unknown = sorted(set(wanted) - set(NAMES))
    if unknown:
        sys.exit(f"tables.py: --tables: there is no {unknown[0]}; there are {', '.join(NAMES)}")
    torch.set_num_threads(1)
    try:
        words = Words(args.data, languages, args.seed)
        lexicons = [Lexicon.load(path, languages) for path in (args.lexicon, args.oracle)]
        stops = sorted({int(stop) for stop in args.stops.split(",")}, reverse=True)
        Tables(args.out, words, *lexicons, args.dimension, args.span, args.wide, stops).make(wanted)
    except InputError as error:
        sys.exit(f"tables.py: {error}")


if __name__ == "__main__":
    main()
