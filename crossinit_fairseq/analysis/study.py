"""All measures of some tables as one report."""

from dataclasses import dataclass, field
from itertools import combinations
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from crossinit_fairseq.analysis.analogies import Analogy, find_analogies, measure_analogies
from crossinit_fairseq.analysis.claims import Claim, claim_table, summary_table
from crossinit_fairseq.analysis.concepts import Concept, WordRanks, compare_ranks
from crossinit_fairseq.analysis.controls import random_space, rank_only_space
from crossinit_fairseq.analysis.pictures import bars, curves, projections, rank_against_rank
from crossinit_fairseq.analysis.report import Cell, Picture, Report, Table
from crossinit_fairseq.analysis.retrieval import (
    COSINE,
    CSLS,
    Retrieved,
    Translations,
    exchange,
    measure_retrieval,
    retrieve,
)
from crossinit_fairseq.analysis.shape import compare_languages, compare_tables, explained, project
from crossinit_fairseq.analysis.spread import measure_spread
from crossinit_fairseq.analysis.statements import Statements, measure_statements
from crossinit_fairseq.analysis.training_logs import Curve
from crossinit_fairseq.analysis.words import Space, TableWords

_ABOUT = (
    "Every figure stands beside its controls: random words of the same rank band, a random table, a table that knows "
    "ranks alone, and the same table without its mean vector and without its first two directions. A figure that one "
    "of them reaches is marked \u201cno evidence\u201d. Of a control, the value shown is what it may reach by chance."
)
_SHOWN = 15  # words of a table of ranks
_MISSING = 20  # words that are named where they are missing


@dataclass
class Study:
    """Tables side by side, with the words that all of them have.

    names: of the tables; tables: TableWords of each, of the same words; seed: of everything random; gaps:
    sentences that say how much of what was asked for could not be measured, and why.
    The methods add a section each to `report`; `finish` puts the verdicts before them.
    """

    names: Sequence[str]
    tables: Sequence[TableWords]
    seed: int = 1
    report: Report = field(default_factory=lambda: Report("What the embeddings show, and what their controls show"))
    claims: List[Claim] = field(default_factory=list)
    gaps: List[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.words = self.tables[0].words
        self.spaces = [table.space(name) for name, table in zip(self.names, self.tables)]
        self.untrained: List[List[Space]] = []
        for at, (table, space) in enumerate(zip(self.tables, self.spaces)):
            alike = [k for k in range(at) if self._have_equal_rows(k, at)]
            self.untrained.append(
                self.untrained[alike[0]]
                if alike
                else [random_space(table, self.seed), rank_only_space(self.words, space.dimension, self.seed)]
            )
        self.pairs = list(combinations(self.words, 2))

    def _have_equal_rows(self, one: int, other: int) -> bool:
        """Whether two tables have the same symbols and dimension: their untrained controls are the same then."""
        left, right = self.tables[one], self.tables[other]
        return left.table.symbols == right.table.symbols and left.table.dimension == right.table.dimension

    def finish(self) -> Report:
        """The report, with its summary."""
        self.report.about.append(_ABOUT)
        if self.claims:
            held = sum(claim.is_evidence for claim in self.claims)
            summary = self.report.section("Verdicts")
            summary.parts.append(f"{held:,} of {len(self.claims):,} figures are above every control of theirs.")
            summary.parts.append(summary_table(self.claims))
            self.report.sections.insert(0, self.report.sections.pop())
        self.report.data["claims"] = [claim.as_dict() for claim in self.claims]
        return self.report

    def add_words(self, found: Sequence[TableWords]) -> None:
        """How many words each table has. found: before they were restricted to the common ones."""
        rows: List[Sequence[Cell]] = []
        for name, table in zip(self.names, found):
            for language, own in table.words.items():
                rows.append((name, language, own.listed, len(own), len(own) / own.listed, len(self.words[language])))
        titles = ("table", "language", "ranked words", "found", "share", "in all tables")
        self.report.section("Words").parts.append(Table("Words of the rank tables that have vectors", titles, rows))

    def add_spread(self) -> None:
        """Directions, isotropy, cosines and norms."""
        section = self.report.section("How the words are spread")
        shown = [(space.name, space) for space in self.spaces]
        shown += [(f"{other.name} (control)", other) for other in self.untrained[0]]
        spreads = [(name, measure_spread(self.words, space)) for name, space in shown]
        rows: List[Sequence[Cell]] = [
            (name, spread.directions, spread.isotropy, spread.within, spread.across) for name, spread in spreads
        ]
        heads = ("table", "directions", "isotropy", "cosine within a language", "across languages")
        section.parts.append(Table("Directions: 1 / mean squared cosine of two words; isotropy: 0 to 1", heads, rows))
        bands = list(dict.fromkeys(entry[:3] for _, spread in spreads for entry in spread.norms))
        rows = []
        for language, first, last in bands:
            lengths = [dict((entry[:3], entry[3]) for entry in spread.norms) for _, spread in spreads]
            row: List[Cell] = [language, _band(first, last)]
            rows.append(row + [one.get((language, first, last)) for one in lengths])
        titles = ("language", "ranks", *(name for name, _ in spreads))
        section.parts.append(Table("Mean norm by rank", titles, rows))

    def add_shape(self) -> None:
        """PCA of every table and of a random one, and whether later tables keep the shape of the first."""
        section = self.report.section("Shape")
        shared = {}
        for language, own in self.words.items():
            others = set().union(*(other.words for name, other in self.words.items() if name != language))
            shared[language] = np.array([word in others for word in own.words])
        points = project(self.spaces) + [project([other])[0] for other in self.untrained[0]]
        names = list(self.names) + [f"{other.name} (control)" for other in self.untrained[0]]
        alt = (
            f"The words of {' and '.join(self.words)} on the first two principal components of {self.names[0]}: "
            f"{', '.join(self.names)}, and two controls. Words that several languages have are grey."
        )
        section.parts.append(Picture("pca", alt, projections(list(zip(names, points)), shared)))
        rows: List[Sequence[Cell]] = [
            (name, explained(space)) for name, space in zip(names, [*self.spaces, *self.untrained[0]])
        ]
        section.parts.append(Table("Variance that two components hold", ("table", "share"), rows))
        claims, distances = [], []
        for space in self.spaces[1:]:
            for own in self.words.values():
                if len(own) > 2:
                    result = compare_tables(own, self.spaces[0], space, self.seed)
                    claims.append(Claim(f"keeps its shape, CKA, {own.language}", space.name, result.findings))
                    distances.append((result.what, result.count, result.procrustes))
        if claims:
            section.parts.append(claim_table(f"CKA with {self.names[0]}", claims))
            section.parts.append(
                Table("Procrustes distance, 0 to 1", ("from, to", "words", "distance"), list(distances))
            )
            self.claims += claims

    def add_concepts(
        self, ranks: Mapping[str, WordRanks], concepts: Mapping[str, Mapping[Concept, Sequence[str]]]
    ) -> None:
        """Ranks of concepts side by side (Figures 1 and 3)."""
        section = self.report.section("Rank and concept")
        for pair in combinations(concepts, 2):
            found = compare_ranks(ranks, pair, concepts, self.seed)
            claim = Claim(f"Spearman's rho of concepts' ranks, {'-'.join(pair)}", "ranks alone", [found.finding])
            self.claims.append(claim)
            title = f"{len(found.concepts):,} concepts, {found.missing:,} have no ranked word in one language"
            if found.missing > len(found.concepts):
                self.gaps.append(f"{'-'.join(pair)}: {title}; are the mappings and the rank tables of these languages?")
            section.parts.append(claim_table(title, [claim]))
            labels = [concept.gloss for concept in found.concepts]
            alt = (
                f"Ranks of {len(labels):,} concepts in {pair[0]} and {pair[1]} on logarithmic axes; Spearman's rho "
                f"{found.finding.value:.2f}, exchanged at random {found.finding.controls[0].limit:.2f} at most."
            )
            picture = rank_against_rank(found.ranks, labels, pair, "Rank and concept")
            section.parts.append(Picture(f"concepts.{'-'.join(pair)}", alt, picture))
            order = np.argsort(np.log(found.ranks).sum(1))[:_SHOWN]
            rows = [(labels[at].lower(), int(found.ranks[at, 0]), int(found.ranks[at, 1])) for at in order]
            section.parts.append(Table("The most frequent ones", ("concept", *pair), list(rows)))

    def add_analogies(self, analogies: Mapping[str, Analogy]) -> None:
        """King - Man + Woman against Queen, in all mixes (Table 1)."""
        section = self.report.section("Analogies in all mixes of languages")
        places, missing = find_analogies(self.words, analogies)
        said = self._say_missing(missing, sum(map(len, analogies.values())), "words of the analogies")
        section.parts += said
        self.gaps += said
        for at, space in enumerate(self.spaces if places else []):
            results = measure_analogies(self.words, space, places, self.untrained[at])
            claims = [Claim(f"cos({one.left}, {one.target})", space.name, one.findings) for one in results]
            section.parts.append(claim_table(f"Cosines in {space.name}", claims))
            rows = [(f"{one.left}, {one.target}", one.l2, one.place, one.band) for one in results]
            titles = ("analogy", "L2", "place of the target", "of words of its rank band")
            section.parts.append(Table(f"Distances in {space.name}", titles, list(rows)))
            self.claims += claims

    def add_statements(self, statements: Statements, source: str) -> None:
        """object 1 - subject 1 + subject 2 against object 2, per pair of languages (Table 2)."""
        section = self.report.section(f"Statements as analogies ({source})")
        claims, rows = [], []
        for at, space in enumerate(self.spaces):
            for one in measure_statements(self.words, space, statements, self.untrained[at], self.seed):
                rows.append((one.pair, space.name, one.count, one.left_out, one.same, one.l2))
                if one.cosine:
                    claims.append(Claim(f"mean cosine of statements ({source}), {one.pair}", space.name, one.cosine))
        if claims:
            section.parts.append(claim_table("Cosines", claims))
        else:
            section.parts.append("No two statements of one pair of languages have all of their words.")
            self.gaps.append(f"no two statements of {source} have all of their words in the vocabulary")
        titles = ("languages", "table", "analogies", "left out: words missing", "left out: spelt alike", "mean L2")
        section.parts.append(Table("Distances", titles, list(rows)))
        self.claims += claims

    def add_translations(self, translations: Translations) -> None:
        """Word retrieval by a dictionary, and the shape that its words form in both languages."""
        one, other = translations.source, translations.target
        section = self.report.section(f"Words found from {one} to {other}")
        section.parts.append(
            f"{len(translations.entries):,} of {translations.total:,} words are judged ({translations.coverage:.0%}); "
            f"{translations.same:,} have a translation that is spelt alike and are left out: it would find itself."
        )
        section.parts += self._say_missing(translations.missing, translations.total, "words of the dictionary")
        claims, rows, bands, shares, labels = [], [], [], {}, []
        exchanged = exchange(self.words, translations, self.seed)
        known: Dict[Tuple[int, str], Retrieved] = {}  # tables with the same rows share their untrained controls
        for at, space in enumerate(self.spaces):
            for metric in (COSINE, CSLS):
                for each in self.untrained[at]:
                    if (id(each), metric) not in known:
                        known[id(each), metric] = retrieve(each, translations, metric)
                untrained = {each.name: known[id(each), metric] for each in self.untrained[at]}
                found = measure_retrieval(self.words, space, translations, metric, untrained, exchanged)
                claims.append(Claim(f"P@1 by {metric}, {one} to {other}", space.name, found.findings))
                rows.append((space.name, metric, found.findings[0].value, found.p5, found.mrr))
                bands.append((space.name, metric, *(share for *_, share in found.bands)))
                if metric == COSINE:
                    labels = [f"{_band(first, last)}\n({count:,})" for first, last, count, _ in found.bands]
                    shares[space.name] = [share for *_, share in found.bands]
            base = self.untrained[at][1]
            rows.append((f"{base.name}, for {space.name}", COSINE, *_figures(known[id(base), COSINE])))
        section.parts.append(claim_table("P@1", claims))
        section.parts.append(Table("All figures", ("table", "metric", "P@1", "P@5", "MRR"), list(rows)))
        titles = ("table", "metric", *(label.replace("\n", " ") for label in labels))
        section.parts.append(Table("P@1 by rank of the source word (words)", titles, list(bands)))
        alt = f"P@1 by cosine from {one} to {other} by rank of the source word: {', '.join(shares)}."
        picture = bars(labels, shares, "P@1", "by rank of the source word (words)")
        section.parts.append(Picture(f"retrieval.{one}-{other}", alt, picture))
        pairs = [(word, min(right)) for word, right in translations.entries.items()]
        if len(pairs) > 2:
            shapes = [compare_languages(space, pairs, (one, other), self.seed) for space in self.spaces]
            same = [
                Claim(f"same shape in {one} and {other}, CKA", space.name, shape.findings)
                for space, shape in zip(self.spaces, shapes)
            ]
            section.parts.append(claim_table("CKA of words and their translations", same))
            distances = [(shape.what, shape.count, shape.procrustes) for shape in shapes]
            section.parts.append(Table("Procrustes distance", ("languages", "words", "distance"), list(distances)))
            claims += same
        self.claims += claims

    def add_curves(self, runs: Sequence[Curve]) -> None:
        """Losses by updates (Figure 4)."""
        section = self.report.section("Losses")
        for figure in dict.fromkeys(run.figure for run in runs):
            own = [run for run in runs if run.figure == figure]
            ends = ", ".join(f"{run.name} {run.values[-1]:.3g} after {run.updates[-1]:,}" for run in own)
            name = figure.replace("_", " ")
            alt = f"{name} by updates; at the end: {ends}."
            section.parts.append(Picture(f"curves.{figure}", alt, curves(own, name, "")))
        damaged: Dict[str, int] = {run.name: run.damaged for run in runs if run.damaged}
        for name, count in damaged.items():
            section.parts.append(f"{name}: {count:,} damaged lines of statistics were passed over.")

    def _say_missing(self, missing: Sequence[str], total: int, what: str) -> List[str]:
        if not missing:
            return []
        named = ", ".join(missing[:_MISSING]) + (", \u2026" if len(missing) > _MISSING else "")
        return [f"{len(missing):,} of {total:,} {what} are not in the vocabulary: {named}."]


def _band(first: int, last: Optional[int]) -> str:
    return f"{first:,}\u2013{last:,}" if last else f"{first:,} on"


def _figures(found: Retrieved) -> Tuple[float, float, float]:
    return found.precision(1), found.precision(5), found.mrr
