"""crossinit_fairseq/preparation/downloads/aligned_sets.py"""

import hashlib
import io
import os
import pathlib
import shutil
import sys
import tarfile
import urllib.error

import pytest

pytest.importorskip("requests", reason="needs pip install mtdata, which brings requests")

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.preparation.downloads import aligned_sets

from .conftest import use_archive

SHARED = pathlib.Path(__file__).resolve().parents[4] / "shared" / "data" / "test"


def test_flores(tmp_path, web):
    assert aligned_sets.get_aligned("ne-en", str(tmp_path)) == ["dev.en", "dev.ne", "test.en", "test.ne"]
    assert (tmp_path / "test.ne").read_text() == "devtest ne 0\ndevtest ne 1\n"
    assert (tmp_path / "dev.en").read_text() == "dev en 0\ndev en 1\ndev en 2\n"
    assert os.listdir(str(tmp_path / "download")) == []
    web.gets()
    assert aligned_sets.get_aligned("ne-en", str(tmp_path)) == [] and not web.gets()
    # a truncated file is fetched again
    (tmp_path / "test.ne").write_text("devtest ne 0\n")
    assert aligned_sets.get_aligned("ne-en", str(tmp_path)) and (tmp_path / "test.ne").read_text().count("\n") == 2


def test_another_flores_is_refused(tmp_path, web, monkeypatch):
    monkeypatch.setattr(aligned_sets, "FLORES_SHA256", "ab" * 32)
    with pytest.raises(InputError, match="SHA-256 abab.* expected"):
        aligned_sets.get_aligned("ne-en", str(tmp_path))
    use_archive(web, monkeypatch, web.files["/flores.tgz"])
    monkeypatch.setitem(aligned_sets.LINES["ne-en"], "test", 7)
    with pytest.raises(InputError, match="test.ne has 2 lines instead of 7"):
        aligned_sets.get_aligned("ne-en", str(tmp_path))
    assert not (tmp_path / "test.ne").exists()


def sgm(lines):
    return "<refset>\n" + "".join(f'<seg id="{k}"> {line} </seg>\n' for k, line in enumerate(lines))


@pytest.fixture
def sacrebleu(tmp_path, server, monkeypatch):
    """sacreBLEU's own download, of small archives from the server on this machine. Gives its folder."""
    pytest.importorskip("sacrebleu")
    from sacrebleu.dataset import DATASETS

    monkeypatch.setattr(aligned_sets, "LINES", {"ro-en": {"dev": 2, "test": 3}})
    folder = tmp_path / "sacrebleu"
    monkeypatch.setattr("sacrebleu.utils.SACREBLEU_DIR", str(folder))
    for name, path, count in (("wmt16/dev", "dev/newsdev2016", 2), ("wmt16", "test/newstest2016", 3)):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w:gz") as tar:
            for side in ("src.en", "ref.ro"):
                content = sgm(f"{path} {side} {k}" for k in range(count)).encode()
                member = tarfile.TarInfo(f"{path}-enro-{side}.sgm")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        server.files[f"/{path}.tgz"] = file.getvalue()
        data = DATASETS[name]
        monkeypatch.setattr(data, "data", [server.root + f"/{path}.tgz"])
        monkeypatch.setattr(data, "md5", [hashlib.md5(file.getvalue()).hexdigest()])
        monkeypatch.setattr(data, "_outdir", str(folder / name), raising=False)
        monkeypatch.setattr(data, "_rawdir", str(folder / name / "raw"), raising=False)
    return folder


def test_newstest_by_sacrebleu(tmp_path, sacrebleu):
    out = tmp_path / "out"
    out.mkdir()
    assert aligned_sets.get_aligned("ro-en", str(out)) == ["dev.en", "dev.ro", "test.en", "test.ro"]
    assert (out / "test.ro").read_text().splitlines() == [f"test/newstest2016 ref.ro {k}" for k in range(3)]
    assert (out / "dev.en").read_text().splitlines() == [f"dev/newsdev2016 src.en {k}" for k in range(2)]


def test_a_wrong_checksum_and_a_broken_copy_of_sacrebleu(tmp_path, sacrebleu, server):
    archive = server.files["/test/newstest2016.tgz"]
    server.files["/test/newstest2016.tgz"] = archive[:-20]
    for _ in range(2):  # at the second time sacreBLEU takes the broken copy as it is
        with pytest.raises(InputError, match="copy of wmt16 is broken: delete .*wmt16 and run"):
            aligned_sets.get_aligned("ro-en", str(tmp_path))
    shutil.rmtree(str(sacrebleu / "wmt16"))
    server.files["/test/newstest2016.tgz"] = archive
    assert aligned_sets.get_aligned("ro-en", str(tmp_path))


def test_no_network_for_sacrebleu(tmp_path, sacrebleu, monkeypatch):
    def unreachable(*arguments):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    with pytest.raises(InputError, match="download wmt16/dev .Name or service not known.: see to the network"):
        aligned_sets.get_aligned("ro-en", str(tmp_path))


def test_sacrebleu_has_both_sets():
    sacrebleu = pytest.importorskip("sacrebleu.dataset")
    for name in ("wmt16", "wmt16/dev"):
        assert "en-ro" in sacrebleu.DATASETS[name].langpairs and all(sacrebleu.DATASETS[name].md5)


def test_line_counts_are_those_of_the_real_sets():
    if not SHARED.is_dir():
        pytest.skip(f"needs the real test sets in {SHARED}")
    counts = {
        name: sum(1 for _ in open(str(SHARED / name), "rb"))
        for name in ("newstest2016.en-ro.ro", "flores.dev.ne-en.ne", "flores.devtest.ne-en.en")
    }
    lines = aligned_sets.LINES
    assert list(counts.values()) == [lines["ro-en"]["test"], lines["ne-en"]["dev"], lines["ne-en"]["test"]]


def test_without_sacrebleu(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu.utils", None)
    with pytest.raises(InputError, match="sacrebleu is not installed"):
        aligned_sets.get_aligned("ro-en", str(tmp_path))
