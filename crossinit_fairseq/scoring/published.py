"""Published figures of unsupervised translation to see scores beside: Table 7 of CrossInit's paper."""

from dataclasses import dataclass
from typing import Dict, List, Tuple


@dataclass(frozen=True)
class Published:
    """figures: {(source, target): (key of the metric nearest to its scoring, BLEU)}; scoring: what is known of that."""

    name: str
    figures: Dict[Tuple[str, str], Tuple[str, float]]
    scoring: str


_DEFAULT_RULES = 'sacreBLEU "with default rules" (the paper\'s words) in every direction'

# The two columns of a pair have no clear heading in Table 7 ("Ro <-", "-> En"). The row of mBART25 tells: in its own
# paper the columns of "En-Ro" are <- and ->, so 30.5 is Ro-En and 35.0 En-Ro, 10.0 Ne-En and 4.4 En-Ne.
TABLE_7 = [
    Published(
        "mBART25",
        {
            ("ro", "en"): ("bleu", 30.5),
            ("en", "ro"): ("bleu_ro_no_diacritics", 35.0),
            ("ne", "en"): ("bleu", 10.0),
            ("en", "ne"): ("bleu_flores", 4.4),
        },
        "Liu et al. 2020, pre-trained on the 25 languages of CC25; into English sacreBLEU's default, into Romanian "
        "Moses tokens without diacritics, into Nepali tokens of Indic NLP",
    ),
    Published(
        "bi-mBART",
        {
            ("ro", "en"): ("bleu", 31.5),
            ("en", "ro"): ("bleu", 32.9),
            ("ne", "en"): ("bleu", 2.3),
            ("en", "ne"): ("bleu", 0.9),
        },
        "Ai and Huang, their own training; Nepali with Hindi; " + _DEFAULT_RULES,
    ),
    Published(
        "bi-mBART+CrossInit",
        {
            ("ro", "en"): ("bleu", 32.2),
            ("en", "ro"): ("bleu", 35.1),
            ("ne", "en"): ("bleu", 4.2),
            ("en", "ne"): ("bleu", 2.1),
        },
        "the same, with CrossInit",
    ),
]


def published_for(pair: Tuple[str, str]) -> List[Tuple[Published, Tuple[str, float]]]:
    """[(row of Table 7, (metric's key, BLEU))] for a (source, target) pair of ISO 639-1 codes."""
    return [(row, row.figures[pair]) for row in TABLE_7 if pair in row.figures]
