"""OUT/sources.json: what was downloaded, and what became of it. One entry for each file that is finished."""

import json
import os
from datetime import date
from typing import Any, Dict, List, Optional

from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.preparation.downloads.fetching import sha256_of


class Manifest:
    """Entries by name (a path relative to the folder), and `listings`, which sources.files_of fills."""

    def __init__(self, folder: str):
        """Raises InputError when the file is there and cannot be read."""
        self.folder, self.path = folder, os.path.join(folder, "sources.json")
        self.files: Dict[str, Dict[str, Any]] = {}
        self.listings: Dict[str, List[Any]] = {}
        try:
            if os.path.exists(self.path):
                with open(self.path, encoding="utf-8") as file:
                    content = json.load(file)
                self.files, self.listings = dict(content["files"]), dict(content["listings"])
                for entry in self.files.values():
                    if not isinstance(entry["url"], str) or not isinstance(entry["sha256"], str):
                        raise TypeError("an address or a checksum is no text")
                    entry["file"]["bytes"], entry["file"]["sha256"], entry["file"]["mtime_ns"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise InputError(f"{self.path} cannot be read: delete it, and everything is downloaded again") from None

    def save(self) -> None:
        """Write the file, whole or not at all."""
        with complete_file(self.path) as part, open(part, "w", encoding="utf-8") as file:
            json.dump({"files": self.files, "listings": self.listings}, file, indent=1, sort_keys=True)

    def add(self, name: str, url: str, size: int, sha256: str, lines: int) -> None:
        """A finished file: where it came from, bytes and SHA-256 of the download, lines of the result."""
        path = os.path.join(self.folder, name)
        self.files[name] = {
            "url": url,
            "downloaded": date.today().isoformat(),
            "bytes": size,
            "sha256": sha256,
            "lines": lines,
            "file": {"bytes": os.path.getsize(path), "sha256": sha256_of(path), "mtime_ns": os.stat(path).st_mtime_ns},
        }
        self.save()

    def has(self, name: str, url: str) -> bool:
        """Whether the file is there as it was finished. Its SHA-256 is taken again only when its time has changed."""
        entry, path = self.files.get(name), os.path.join(self.folder, name)
        if entry is None or entry["url"] != url or not os.path.exists(path):
            return False
        known, status = entry["file"], os.stat(path)
        if status.st_size != known["bytes"]:
            return False
        if status.st_mtime_ns != known["mtime_ns"]:
            if sha256_of(path) != known["sha256"]:
                return False
            known["mtime_ns"] = status.st_mtime_ns
            self.save()
        return True

    def first_sha256(self, name: str, url: str) -> Optional[str]:
        """The SHA-256 of an earlier download of the same address, or None."""
        entry = self.files.get(name, {})
        return entry["sha256"] if entry.get("url") == url else None
