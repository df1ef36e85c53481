"""Files of a language: options that name them (`en=dev.en.tsv`), their rows, and whether they are in its script."""

import json
import logging
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Tuple

from crossinit_fairseq.command_line import between_commas
from crossinit_fairseq.errors import InputError, first_line
from crossinit_fairseq.languages import check_code, doubt_of_script
from crossinit_fairseq.text_files import decode, numbered_lines, unreadable

logger = logging.getLogger(__name__)

LanguageFile = Tuple[str, str]  # language, path


def language_files(text: str, option: str) -> List[LanguageFile]:
    """ "en=a.tsv,de=b.tsv" -> [("en", "a.tsv"), ("de", "b.tsv")]. A language may be named several times.

    option: the name of the option, for the message. Raises InputError for what is not of that form.
    """
    return [language_file(part, option) for part in between_commas(text, option)]


def language_file(text: str, option: str) -> LanguageFile:
    """ "en=a.tsv" -> ("en", "a.tsv"). Raises InputError for what is not of that form."""
    language, equals, path = text.strip().partition("=")
    if not equals or not language or not path:
        raise InputError(f"{option} {text}: give LANG=FILE, such as en=dev.en.tsv")
    return check_code(language), path


def unique(files: Sequence[LanguageFile], option: str) -> Dict[str, str]:
    """{language: path}. Raises InputError for a language that is named twice."""
    found = dict(files)
    if len(found) < len(files):
        twice = next(language for language in found if [other for other, _ in files].count(language) > 1)
        raise InputError(f"{option} names {twice} twice: give one file for each language")
    return found


def warn_of_another_script(language: str, texts: Sequence[str], place: str) -> None:
    """Log a warning when most letters of some texts are of another script than the language's. place: where they
    stand, such as the path of the file."""
    doubt = doubt_of_script(language, texts)
    if doubt:
        logger.warning(f"{place}: {doubt}")


def check_characters(texts: Iterable[str], place: str) -> None:
    """Raise InputError for half of a surrogate pair, which JSON can write (`\\ud83d` alone) and which is no character.

    place: where the texts stand.
    """
    for text in texts:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InputError(
                f"{place}: \\u{ord(text[error.start]):04x} is half of a character, as of an emoji that was cut: mend it"
            ) from None


def read_json(path: str) -> Any:
    """What a JSON file holds. Raises InputError when it cannot be read, or is no JSON."""
    try:
        with open(path, "rb") as stream:
            return json.loads(decode(stream.read(), path))
    except OSError as error:
        raise unreadable(path, error) from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is no JSON ({first_line(error)}): give the file as it was published") from None


def json_lines(path: str) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """Yield (place, object) of a file of one JSON object a line. place: "FILE, line 3". Raises InputError."""
    for number, line in numbered_lines(path):
        place = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{place}: no JSON ({first_line(error)}): give one object a line") from None
        if not isinstance(row, dict):
            raise InputError(f"{place}: no JSON object but {line[:40]!r}: give one object a line")
        yield place, row


def json_rows(path: str) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """Yield (place, object) of a list of objects, or of one object a line, as Hugging Face's `to_json` writes them.

    place: "FILE, object 3" or "FILE, line 3". Raises InputError.
    """
    first = next((line for _, line in numbered_lines(path)), "")
    if not first.lstrip().startswith("["):
        yield from json_lines(path)
        return
    for number, row in enumerate(read_json(path), 1):
        if not isinstance(row, dict):
            raise InputError(f"{path}, object {number}: no JSON object but {str(row)[:40]!r}")
        yield f"{path}, object {number}", row


def parquet_rows(path: str) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """Yield (place, row) of a Parquet file. place: "FILE, row 3". Raises InputError."""
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise InputError(f"{path}: reading Parquet needs pyarrow: `pip install 'pyarrow<26'`") from None
    import pyarrow

    try:
        number = 0
        for batch in parquet.ParquetFile(path).iter_batches():
            for row in batch.to_pylist():
                number += 1
                yield f"{path}, row {number}", row
    except OSError as error:
        raise unreadable(path, error) from None
    except pyarrow.ArrowException as error:
        raise InputError(f"{path} is no Parquet file ({first_line(error)})") from None
