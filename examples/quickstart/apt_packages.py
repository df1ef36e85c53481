"""Packages fetched by apt into a private folder, and read in place."""

import gzip
import io
import os
import re
import subprocess
import sys
import tarfile
import time

STALE = 7 * 24 * 3600  # seconds that package lists are good for
BATCH = 8  # packages to a call of apt-get
TRIES = 3

# The user's own configuration (mirrors, proxies) stays; what it would change
# on the system is cleared, and indices that nobody needs here are left out.
APT_CONF = """\
Dir::State "{cache}";
Dir::State::lists "{cache}/lists";
Dir::State::status "{cache}/status";
Dir::Cache "{cache}";
Dir::Cache::archives "{cache}/archives";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb-src::Sources::DefaultEnabled "false";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


class Problem(Exception):
    """Something the user has to know, in one sentence."""


def say(text, end="\n"):
    """One line of progress on stderr."""
    print(text, end=end, file=sys.stderr, flush=True)


class Apt:
    """apt with private lists and caches below one folder."""

    def __init__(self, cache):
        self.cache = os.path.abspath(cache)
        self.archives = os.path.join(self.cache, "archives")
        self.conf = os.path.join(self.cache, "apt.conf")
        for name in ("lists/partial", "archives/partial"):
            os.makedirs(os.path.join(self.cache, name), exist_ok=True)
        open(os.path.join(self.cache, "status"), "a").close()
        conf = APT_CONF.format(cache=self.cache)
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            # Else apt drops to a user that may not write here, and warns.
            conf += 'APT::Sandbox::User "root";\n'
        with open(self.conf, "w", encoding="utf-8") as out:
            out.write(conf)

    def run(self, *words):
        """Run an apt program; (exit code, output, error output)."""
        try:
            done = subprocess.run(
                [words[0], "-c", self.conf] + list(words[1:]),
                cwd=self.archives,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(os.environ, LC_ALL="C.UTF-8"),
            )
        except OSError as error:
            raise Problem(f"{words[0]} was not found, so this is no Debian or Ubuntu") from error
        return (done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))

    def update(self):
        """Fetch the package lists unless fresh ones are there."""
        stamp = os.path.join(self.cache, "updated")
        if os.path.exists(stamp) and time.time() - os.path.getmtime(stamp) < STALE:
            return
        say(f"fetching the package lists into {self.cache}")
        code, _, errors = self.run("apt-get", "-q", "update")
        lists = os.listdir(os.path.join(self.cache, "lists"))
        if not any("_Packages" in name for name in lists):
            reasons = re.findall(r"^[EW]: *(.*)", errors, re.M) or ["no network?"]
            raise Problem(f"apt-get update got no package lists ({reasons[0]})")
        if code or "Failed to fetch" in errors:  # older lists still serve
            say("warning: some package lists could not be fetched")
            return
        with open(stamp, "w"):
            pass

    def candidates(self, names):
        """{name: dict of Version, Size, SHA256 ...} of known packages."""
        if not names:
            return {}
        _, out, _ = self.run("apt-cache", "show", "--no-all-versions", *names)
        found = {}
        for stanza in out.split("\n\n"):
            fields = dict(re.findall(r"^([\w-]+): (.*)$", stanza, re.M))
            if fields.get("Package") in names and "Filename" in fields:
                found.setdefault(fields["Package"], fields)
        return found

    def path(self, fields):
        """Where apt-get download puts a package."""
        version = fields["Version"].replace(":", "%3a")
        return os.path.join(self.archives, f"{fields['Package']}_{version}_{fields['Architecture']}.deb")

    def have(self, fields):
        """Whether a package is here in full."""
        path = self.path(fields)
        return os.path.exists(path) and os.path.getsize(path) == int(fields["Size"])

    def download(self, found):
        """Fetch the candidates that are not here yet; the last error line."""
        wanted = sorted(name for name in found if not self.have(found[name]))
        total = sum(int(found[name]["Size"]) for name in wanted)
        if wanted:
            say(f"downloading {len(wanted)} packages, {total / 1e6:.1f} MB")
        tty, error = sys.stderr.isatty(), ""
        for attempt in range(TRIES):
            # One bad package must not spoil its batch for good.
            size = 1 if attempt == TRIES - 1 else BATCH
            for start in range(0, len(wanted), size):
                batch = wanted[start : start + size]
                _, _, errors = self.run("apt-get", "-q", "download", *batch)
                error = (re.findall(r"^E: *(.*)", errors, re.M) or [error])[0]
                there = sum(self.have(found[name]) for name in found)
                line = f"{there} of {len(found)} packages: {batch[-1]}"
                say("\r\x1b[K" + line if tty else line, end="" if tty else "\n")
            if tty and wanted:
                say("")
            wanted = [name for name in wanted if not self.have(found[name])]
            if not wanted:
                break
        return error


def read_deb(path, langs):
    """The texts in a .deb: [(path, "mo" or language, bytes)], sorted.

    ``dpkg-deb`` knows every compression Debian and Ubuntu use; its tar
    stream is read as it comes, and only the members wanted are kept.
    """
    foreign = langs[1]
    catalogue = re.compile(rf"/{re.escape(foreign)}/LC_MESSAGES/[^/]+\.mo$")
    page = re.compile(rf"/share/man/(?:({re.escape(foreign)})(?:\.[\w-]+)?/)?man\d\w*/" r"[^/]+\.\d\w*(?:\.gz)?$")
    try:
        process = subprocess.Popen(
            ["dpkg-deb", "--fsys-tarfile", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError as error:
        raise Problem("dpkg-deb was not found, so this is no Debian or Ubuntu") from error
    found = []
    try:
        with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
            for member in tar:
                name = "/" + member.name
                if not member.isfile():
                    continue
                match = page.search(name)
                if match:
                    data = tar.extractfile(member).read()
                    if name.endswith(".gz"):
                        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
                            data = file.read()
                    found.append((name, match.group(1) or "en", data))
                elif catalogue.search(name):
                    found.append((name, "mo", tar.extractfile(member).read()))
    except (tarfile.TarError, OSError, EOFError) as error:
        say(f"warning: {os.path.basename(path)} is broken ({error})")
    finally:
        process.stdout.close()
        process.wait()
    return sorted(found)
