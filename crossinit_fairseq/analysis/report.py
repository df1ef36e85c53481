"""A report of sections: one HTML file that needs no network, Markdown, JSON, and the pictures as files."""

import base64
import html
import json
import os
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Union

from crossinit_fairseq.complete_files import complete_file

Cell = Union[str, int, float, None]
_JOINERS = "\u200c\u200d"  # the spelling of Indic and Persian words needs them

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --quiet: #777; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 0 auto; padding: 0 1rem 3rem;
  overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
.wide { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; font-size: .85rem; margin: .7rem 0; overflow-wrap: normal; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
caption { text-align: left; color: var(--quiet); padding: .2rem 0; }
figure { margin: 1rem 0; } figure img { max-width: 100%; height: auto; background: #fff; }
figcaption { color: var(--quiet); font-size: .85rem; }
""".strip()


@dataclass(frozen=True)
class Table:
    """A table of a report. caption: what it holds; titles: of the columns; rows: numbers are rounded for people, and
    stand in the JSON file as they are; None is shown as a dash; decimals: of the columns, by title, that have always as
    many."""

    caption: str
    titles: Sequence[str]
    rows: List[Sequence[Cell]]
    decimals: Dict[str, int] = field(default_factory=dict)

    def shown(self) -> List[List[str]]:
        """The rows as people read them."""
        return [[show(cell, self.decimals.get(title)) for title, cell in zip(self.titles, row)] for row in self.rows]


@dataclass(frozen=True)
class Picture:
    """A picture of a report. name: of its file, without .png; alt: what it shows, for who cannot see it; png: bytes."""

    name: str
    alt: str
    png: bytes


@dataclass
class Section:
    """A part of a report: its title, and paragraphs, tables and pictures in order."""

    title: str
    parts: List[Union[str, Table, Picture]] = field(default_factory=list)


@dataclass
class Report:
    """title: of the report; about: paragraphs before the sections."""

    title: str
    about: List[str] = field(default_factory=list)
    sections: List[Section] = field(default_factory=list)
    data: Dict[str, Any] = field(default_factory=dict)  # what report.json holds besides

    def section(self, title: str) -> Section:
        """Add a section and return it."""
        self.sections.append(Section(title))
        return self.sections[-1]

    def write(self, folder: str) -> None:
        """Write report.html, report.md, report.json and figures/NAME.png into a folder, each complete or not at all."""
        os.makedirs(os.path.join(folder, "figures"), exist_ok=True)
        for section in self.sections:
            for part in section.parts:
                if isinstance(part, Picture):
                    with complete_file(os.path.join(folder, "figures", part.name + ".png")) as path:
                        with open(path, "wb") as stream:
                            stream.write(part.png)
        for name, content in (
            ("report.html", self.html()),
            ("report.md", self.markdown()),
            ("report.json", json.dumps(self.as_dict(), ensure_ascii=False, indent=1) + "\n"),
        ):
            write_text(os.path.join(folder, name), content)

    def html(self) -> str:
        """The whole report as one page: pictures inside, no script, nothing from elsewhere."""
        body = [f"<h1>{_text(self.title)}</h1>"] + [f"<p>{_text(text)}</p>" for text in self.about]
        for section in self.sections:
            body.append(f"<h2>{_text(section.title)}</h2>")
            for part in section.parts:
                if isinstance(part, str):
                    body.append(f"<p>{_text(part)}</p>")
                elif isinstance(part, Table):
                    body.append(_html_table(part))
                else:
                    data = base64.b64encode(part.png).decode("ascii")
                    alt = html.escape(one_line(part.alt), quote=True)
                    body.append(
                        f'<figure><img src="data:image/png;base64,{data}" alt="{alt}">'
                        f"<figcaption>{_text(part.alt)}</figcaption></figure>"
                    )
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{_text(self.title)}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n"
            + "\n".join(body)
            + "\n</body>\n</html>\n"
        )

    def markdown(self) -> str:
        """The report as Markdown, with links to figures/NAME.png."""
        lines = [f"# {_markdown(self.title)}", ""]
        for text in self.about:
            lines += [_markdown(text), ""]
        for section in self.sections:
            lines += [f"## {_markdown(section.title)}", ""]
            for part in section.parts:
                if isinstance(part, str):
                    lines += [_markdown(part), ""]
                elif isinstance(part, Table):
                    lines += [_markdown(part.caption), ""] if part.caption else []
                    lines.append("| " + " | ".join(map(_markdown, part.titles)) + " |")
                    lines.append("|" + " --- |" * len(part.titles))
                    lines += ["| " + " | ".join(map(_markdown, row)) + " |" for row in part.shown()]
                    lines.append("")
                else:
                    lines += [f"![{_markdown(part.alt)}](figures/{part.name}.png)", ""]
        return "\n".join(lines)

    def as_dict(self) -> Dict[str, Any]:
        """For JSON: every paragraph, and every table as a list of {title: value}."""
        sections = []
        for section in self.sections:
            parts: List[Any] = []
            for part in section.parts:
                if isinstance(part, str):
                    parts.append(part)
                elif isinstance(part, Table):
                    rows = [dict(zip(part.titles, map(_plain, row))) for row in part.rows]
                    parts.append({"table": part.caption, "rows": rows})
                else:
                    parts.append({"picture": f"figures/{part.name}.png", "alt": part.alt})
            sections.append({"title": section.title, "parts": parts})
        return {"title": self.title, "about": self.about, "sections": sections, **self.data}


def write_text(path: str, content: str) -> None:
    """Write a text file, complete or not at all. What is no character, as in names of files, is written by its code."""
    with complete_file(path) as part, open(
        part, "w", encoding="utf-8", errors="backslashreplace", newline="\n"
    ) as stream:
        stream.write(content)


def show(cell: Cell, decimals: Optional[int] = None) -> str:
    """A cell as people read it: three digits of a number or so many decimals, thousands apart, a dash for nothing."""
    if cell is None or cell != cell:
        return "\u2013"
    if isinstance(cell, str):
        return one_line(cell)
    if isinstance(cell, int):
        return f"{cell:,}"
    if decimals is not None:
        return f"{cell:,.{decimals}f}"
    return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.1f}" if abs(cell) >= 100 else f"{cell:.3f}"


def one_line(text: str) -> str:
    """A text without line breaks and control characters, which would end a row or a heading."""
    text = " ".join(text.split())
    return "".join(character if character.isprintable() or character in _JOINERS else "\ufffd" for character in text)


def _plain(cell: Cell) -> Cell:
    # JSON has no nan
    return None if cell is None or cell != cell else cell


def _text(text: str) -> str:
    return html.escape(one_line(text))


def _html_table(table: Table) -> str:
    rows = ["<tr>" + "".join(f"<th>{_text(title)}</th>" for title in table.titles) + "</tr>"]
    for row, shown in zip(table.rows, table.shown()):
        cells = []
        for cell, text in zip(row, shown):
            kind = "" if isinstance(cell, str) else ' class="number"'
            cells.append(f"<td{kind}>{_text(text)}</td>")
        rows.append("<tr>" + "".join(cells) + "</tr>")
    caption = f"<caption>{_text(table.caption)}</caption>" if table.caption else ""
    return f'<div class="wide"><table>{caption}\n' + "\n".join(rows) + "\n</table></div>"


def _markdown(text: str) -> str:
    # words of a text may look like marks: a table's bar, emphasis, links, HTML
    text = one_line(text)
    for mark in "\\`*_[]<|#":
        text = text.replace(mark, "\\" + mark if mark != "<" else "&lt;")
    return text
