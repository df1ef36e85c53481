"""The pictures of a report, as PNG. matplotlib is the extra `plot`."""

import io
from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from crossinit_fairseq.analysis.training_logs import Curve
from crossinit_fairseq.errors import InputError

# told apart by people who see few colours, on screen and in print (Okabe and Ito)
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
_SHARED = "#999999"
_POINTS = 1500  # of a language in a scatter


def draw(panels: int, fill: Callable[[List[Any]], None], height: float = 3.6, columns: int = 2) -> bytes:
    """A PNG of some panels, two in a row. fill: draws into the list of matplotlib's Axes that it is given."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError("the pictures need a library: pip install 'crossinit_fairseq[plot]'") from None
    columns = min(columns, panels)
    rows = -(-panels // columns)
    # not by pyplot, which would keep every figure and ask for a screen
    figure = Figure(figsize=(4.6 * columns, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    fill(list(axes[:panels]))
    for unused in axes[panels:]:
        unused.set_axis_off()
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=130)
    return stream.getvalue()


def projections(tables: Sequence[Tuple[str, Mapping[str, np.ndarray]]], shared: Mapping[str, np.ndarray]) -> bytes:
    """The words of each table on two axes, a colour for each language, words of both languages in grey.

    tables: (name, {language: float [N, 2]}); shared: {language: bool [N]}, words that several languages have.
    """

    def fill(axes: List[Any]) -> None:
        for panel, (name, points) in zip(axes, tables):
            for colour, (language, own) in zip(COLOURS, points.items()):
                step = max(1, len(own) // _POINTS)
                apart = ~shared[language][::step]
                places = own[::step]
                panel.scatter(*places[apart].T, s=3, alpha=0.5, color=colour, linewidths=0, label=language)
            several = [own[shared[language]] for language, own in points.items()]
            grey = np.concatenate(several)[:: max(1, sum(map(len, several)) // _POINTS)]
            if len(grey):
                panel.scatter(*grey.T, s=3, alpha=0.6, color=_SHARED, linewidths=0, label="in several languages")
            panel.set(title=name, xticks=[], yticks=[])
        axes[0].legend(markerscale=4, fontsize="small", framealpha=0.6)

    return draw(len(tables), fill)


def rank_against_rank(
    ranks: np.ndarray, labels: Sequence[str], pair: Tuple[str, str], title: str, named: int = 10
) -> bytes:
    """Concepts by rank in two languages, on logarithmic axes. ranks: int [n, 2]; labels: of all; the first few are
    named."""

    def fill(axes: List[Any]) -> None:
        (panel,) = axes
        panel.scatter(ranks[:, 0], ranks[:, 1], s=6, alpha=0.5, color=COLOURS[0], linewidths=0)
        order = np.argsort(np.log(ranks).sum(1))[:: max(1, len(ranks) // named)][:named]
        for at in order:
            panel.annotate(labels[at].lower(), ranks[at], fontsize=7, xytext=(3, 3), textcoords="offset points")
        limits = (max(0.8, ranks.min() * 0.8), ranks.max() * 1.6)
        panel.plot(limits, limits, color=_SHARED, linewidth=1)
        panel.set(xscale="log", yscale="log", xlabel=f"rank in {pair[0]}", ylabel=f"rank in {pair[1]}", title=title)

    return draw(1, fill, height=4.4)


def curves(runs: Sequence[Curve], label: str, title: str, groups: Optional[Mapping[str, str]] = None) -> bytes:
    """A figure by updates, a line for each run. groups: {name of a run: its group}, a colour for each group."""
    groups = groups or {run.name: run.name for run in runs}
    names = list(dict.fromkeys(groups[run.name] for run in runs))

    def fill(axes: List[Any]) -> None:
        (panel,) = axes
        said = set()
        for run in runs:
            group = groups[run.name]
            at = names.index(group)
            # lines that a lack of colours makes alike differ in their dashes
            style = ("-", "--", ":", "-.")[at // len(COLOURS) % 4]
            panel.plot(
                run.updates,
                run.values,
                style,
                color=COLOURS[at % len(COLOURS)],
                linewidth=1.4,
                alpha=0.8,
                marker="o" if len(run.updates) < 15 else None,
                markersize=3,
                label=None if group in said else group,
            )
            said.add(group)
        panel.set(xlabel="updates", ylabel=label, title=title)
        panel.grid(alpha=0.3)
        panel.legend(fontsize="small", framealpha=0.6)

    return draw(1, fill)


def bars(groups: Sequence[str], values: Mapping[str, Sequence[Optional[float]]], label: str, title: str) -> bytes:
    """Bars beside each other. groups: names along the axis; values: {series: a value of each group, or None}."""

    def fill(axes: List[Any]) -> None:
        (panel,) = axes
        width = 0.8 / len(values)
        for at, (name, own) in enumerate(values.items()):
            places = np.arange(len(groups)) + (at - (len(values) - 1) / 2) * width
            heights = [0.0 if value is None else value for value in own]
            panel.bar(places, heights, width, color=COLOURS[at % len(COLOURS)], label=name)
        panel.set(ylabel=label, title=title)
        panel.set_xticks(range(len(groups)), groups, fontsize="small")
        panel.grid(alpha=0.3, axis="y")
        # below, where it hides no bar
        panel.legend(fontsize="small", frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.12))

    return draw(1, fill)
