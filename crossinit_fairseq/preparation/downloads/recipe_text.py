"""All the text of a translation recipe from the web, into one folder.

OUT/mono/LANG/*.txt.gz (one sentence a line), OUT/dev.LANG and OUT/test.LANG (aligned), and OUT/sources.json (where each
file came from, its size and SHA-256). What is finished is kept; what was interrupted goes on where it stopped.
"""

import os
import shutil
from typing import Callable, List, Sequence

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.preparation.downloads import aligned_sets
from crossinit_fairseq.preparation.downloads.fetching import fetch, human
from crossinit_fairseq.preparation.downloads.manifest import Manifest
from crossinit_fairseq.preparation.downloads.sentences import to_sentences
from crossinit_fairseq.preparation.downloads.sources import RECIPES, Remote, files_of, table, with_size


def sources_table(recipe: str, size: str) -> List[List[str]]:
    """The sources of a recipe as rows of a table, the title first. Asks no network."""
    return table(recipe, size) + [list(aligned_sets.TABLE[recipe])]


def download(recipe: str, size: str, out: str, agree: Callable[[], None]) -> None:
    """Fetch all that a recipe needs and is not there yet, after its size was printed.

    recipe: ro-en or ne-en; size: base or paper; agree: called before the first byte, raises InputError for a no.
    Raises InputError.
    """
    folder = os.path.abspath(out)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be made: {error.strerror}") from None
    manifest = Manifest(folder)
    remotes = [remote for source in RECIPES[recipe, size] for remote in files_of(source, manifest.listings)]
    manifest.save()
    pending = [with_size(remote) for remote in remotes if not manifest.has(remote.target, remote.url)]
    if pending:
        check_space(pending, folder)
        agree()
    for name in aligned_sets.get_aligned(recipe, folder):
        print(name)
    for remote in pending:
        get_monolingual(remote, folder, manifest)
    shutil.rmtree(os.path.join(folder, "download"), ignore_errors=True)
    print(f"complete: {len(remotes)} files in {folder}/mono")


def check_space(pending: Sequence[Remote], folder: str) -> None:
    """Print the estimate. Raises InputError when the disk is too small for it.

    The most that is on the disk at once: all that is kept, and the largest download that is still being converted.
    """
    parts = [download_path(folder, remote) + ".part" for remote in pending]
    downloaded = sum(os.path.getsize(path) for path in parts if os.path.exists(path))
    download_size = sum(remote.size or 0 for remote in pending) - downloaded
    converted = [remote.size or 0 for remote in pending if remote.form != "gz"]
    need = sum(remote.kept_bytes() for remote in pending) + max(converted + [0]) - downloaded
    free = shutil.disk_usage(folder).free
    unknown = sum(remote.size is None for remote in pending)
    for remote in pending:
        print(f"{human(remote.size):>10}  {remote.url}")
    more = f"; {unknown} files of unknown size come on top" if unknown else ""
    print(
        f"{len(pending)} files to get: {human(download_size)} to download, {human(need)} of disk space; "
        f"{folder} has {human(free)} free{more}",
        flush=True,
    )
    if need > free:
        raise InputError(
            f"this needs {human(need)} and {folder} has {human(free)} free: choose --size base or another --out"
        )


def download_path(folder: str, remote: Remote) -> str:
    """Where a file lies until it is complete: outside mono/, so that no other program reads half a file."""
    return os.path.join(folder, "download", remote.target.replace("/", "-") + "." + remote.form)


def get_monolingual(remote: Remote, folder: str, manifest: Manifest) -> None:
    """Fetch one file, make sentences of it, and enter it in the manifest.

    Where the publisher gives no checksum, that of the first download is pinned, and said. Raises InputError.
    """
    pinned = manifest.first_sha256(remote.target, remote.url)
    path = download_path(folder, remote)
    size, digest = fetch(remote.url, path, remote.size, remote.sha256 or pinned)
    lines = to_sentences(path, remote.form, remote.source.lang, os.path.join(folder, remote.target))
    manifest.add(remote.target, remote.url, size, digest, lines)
    checked = "its publisher's SHA-256" if remote.sha256 else "the SHA-256 of the first download" if pinned else None
    how = f"has {checked}" if checked else f"pinned by this first download, SHA-256 {digest} in sources.json"
    print(f"{remote.target}: {lines:,} lines; {how}", flush=True)
