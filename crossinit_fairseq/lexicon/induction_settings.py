"""How a lexicon is induced, as options. Apart from the search, so that `--help` need not wait for its libraries."""

from dataclasses import dataclass, field
from typing import Any, List, Optional

from crossinit_fairseq.errors import InputError

_MOST_BACKOFF = 1_000_000  # times that a word may be taken to have been seen more
_HEAVIEST = 100  # beside scores of -4 to 2 ranks alone count long before
_COLDEST, _HOTTEST = 0.01, 10.0  # temperatures; colder, a plan is of one partner; hotter, of any
FEWEST_WORDS = 200  # of a language; with less there is no company to know a word by


def _setting(default: Any, help: str, choices: Optional[List[str]] = None) -> Any:
    return field(default=default, metadata={"help": help, "choices": choices})


@dataclass(frozen=True)
class InductionSettings:
    """How a lexicon is induced; each field is an option of `crossinit-lexicon induce`."""

    words: int = _setting(20000, "words of each language, the most frequent ones")
    learn_words: int = _setting(
        6000,
        "so many of them, the most frequent ones, take part in self-learning; by pairs, 3000 at most in the first two "
        "thirds of its rounds, all in the last",
    )
    dimensions: int = _setting(300, "of the word vectors")
    rank_weight: float = _setting(
        0.1, "weight of the rank prior: the difference of two words' log relative frequencies; 0: no prior"
    )
    spelling_weight: float = _setting(0.6, "weight of the similarity of spelling, 0 to 1; 0: spelling is not looked at")
    backoff: float = _setting(
        5.0,
        "each word's company counts as if it had been seen so many times more in that of the words of its language "
        "which are spelt like it, such as its inflected forms: rare words gain; 0 to 1000000; 0: none of it",
    )
    transport: float = _setting(
        0.1,
        "partners are shared out among all words by optimal transport of this temperature, the roots of their counts "
        "being the masses, so that two words seldom take the same partner; a pair's score is then the share of a word "
        "that goes to its partner; 0.01 to 10; lower: more pairs are mutual; 0: each word takes the best partner on "
        "its own (with --method mapping they are shared out once, at the end)",
    )
    anchors: str = _setting(
        "auto",
        "pairs to begin with: strings, words spelt alike (romanised where scripts differ); seeds, those of --seeds "
        "alone; ranks, the ranks of a word's neighbours; auto: seeds and strings, or ranks where there are too few; "
        "the pairs of --seeds are always among them, and in the lexicon as they are",
        ["auto", "strings", "seeds", "ranks"],
    )
    method: str = _setting(
        "pairs",
        "self-learning in the space of association with the pairs known so far (pairs), or by an orthogonal map of "
        "each language's own vectors (mapping)",
        ["pairs", "mapping"],
    )
    rounds: int = _setting(12, "of self-learning; an orthogonal map wants 40 or more")
    restarts: int = _setting(
        3,
        "starts, each from three in four of the anchors, drawn anew; the best one by agreement with the others is "
        "taken; 1: from all of them, and nothing to agree with",
    )
    neighbours: int = _setting(10, "neighbours of CSLS")
    seed: int = _setting(
        1,
        "of everything random; the same lexicon comes out where numpy's library has as many threads (OMP_NUM_THREADS)",
    )
    device: str = _setting(
        "cpu", "where the partners of all words are sought, cuda for a GPU: worth it from some 20,000 words on"
    )

    def check(self) -> None:
        """Raises InputError for a number out of its range."""
        for name, least in [("words", FEWEST_WORDS), ("learn_words", FEWEST_WORDS), ("dimensions", 2)] + [
            (name, 1) for name in ("rounds", "restarts", "neighbours")
        ]:
            if getattr(self, name) < least:
                raise InputError(f"--{name.replace('_', '-')} is {getattr(self, name)}; it must be {least} or more")
        if self.seed < 0:
            raise InputError(f"--seed is {self.seed}; it must be 0 or more")
        if not 0 <= self.rank_weight <= _HEAVIEST:
            raise InputError(f"--rank-weight is {self.rank_weight}; it must be from 0 to {_HEAVIEST}")
        if not 0 <= self.spelling_weight <= 1:
            raise InputError(f"--spelling-weight is {self.spelling_weight}; it must be from 0 to 1")
        if not 0 <= self.backoff <= _MOST_BACKOFF:
            raise InputError(f"--backoff is {self.backoff}; it must be from 0 to {_MOST_BACKOFF:,}")
        if self.transport and not _COLDEST <= self.transport <= _HOTTEST:
            raise InputError(
                f"--transport is {self.transport}; it must be 0, or a temperature from {_COLDEST:g} to {_HOTTEST:g}"
            )
        if self.device != "cpu":
            from crossinit_fairseq.lexicon.nearest_on_device import check_device

            check_device(self.device)
