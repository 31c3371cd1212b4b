"""The folder that `make space` puts together: its content, what it replaces, and that it runs as a Space."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import gradio_client
import httpx
import pytest

from demo.examples.draw import draw_example
from deploy import space
from deploy.reach import ROOT, pins
from mura_core.errors import MuraError
from mura_core.study import Call
from tests.space_folder import digest, started_space

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture(scope="module")
def files() -> Mapping[str, bytes]:
    return space.space_files()


def test_it_holds_what_the_page_needs_and_nothing_of_its_making(files: Mapping[str, bytes]) -> None:
    assert {"README.md", "requirements.txt", "app.py", "LICENSE", "demo/viewer.js"} <= set(files)
    assert {"mura_core/predictor.py", "mura_core/review/report.css"} <= set(files)
    # Named as text alone: a plug-in of a library, and a process.
    assert {"mura_core/dicom_rle.py", "mura_core/gdcm_process.py"} <= set(files)
    assert {"weights/weights.json", "weights/README.md", "weights/MODEL_CARD.md"} <= set(files)
    folders = {name.partition("/")[0] for name in files if "/" in name}
    assert folders == {"demo", "mura_core", "weights"}
    assert not {"mura_core/train.py", "mura_core/evaluate.py", "mura_core/augment.py"} & set(files)
    ignored = subprocess.run(
        ["git", "check-ignore", "--stdin"],  # noqa: S607 - wherever it is
        cwd=ROOT,
        input="\n".join(files),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ignored.stdout == ""


def test_every_shard_of_the_weights_is_in_it_and_no_file_needs_large_file_storage(
    files: Mapping[str, bytes],
) -> None:
    shards = {f"weights/{shard['file']}" for shard in json.loads(files["weights/weights.json"])["shards"]}
    assert shards
    assert shards <= set(files)
    assert max(map(len, files.values())) < 10_000_000
    with pytest.raises(MuraError, match="10000000 bytes.*less than"):
        space._check_sizes({"film.dcm": bytes(10_000_000)})
    with pytest.raises(MuraError, match="large-file storage"):
        space._check_sizes({"weights/a": b"version https://git-lfs.github.com/spec/v1\n"})


def test_its_front_page_has_the_header_and_the_notices(files: Mapping[str, bytes]) -> None:
    text = files["README.md"].decode()
    header = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n---\n")[0]
    assert text.startswith(header + "\n---\n")
    assert "hf_oauth: true" in header
    assert "Send no patient data to a public Space" in text
    assert "Not a medical device, and not a replacement for clinician review" in text


def test_the_space_installs_what_is_pinned_torch_only_for_a_gpu() -> None:
    usual, gpu = (
        space.space_files(zero_gpu=zero_gpu)["requirements.txt"].decode().splitlines()[1:]
        for zero_gpu in (False, True)
    )
    assert set(usual) <= set(gpu) <= set(pins().values())
    assert {pins()["torch"], pins()["python-gdcm"]} <= set(gpu)
    assert not any(line.startswith("gradio") for line in gpu)
    of_torch = {line for name, line in pins().items() if name in space.TORCH}
    assert {pins()["torch"], pins()["torchvision"]} <= set(gpu) - set(usual) <= of_torch


def test_the_same_files_give_the_same_folder_and_it_replaces_itself(
    files: Mapping[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "new" / "space"
    space.place(dict(files), out)
    first = digest(out)
    assert set(first) == {*files, space.MANIFEST}
    for line in (out / space.MANIFEST).read_text().splitlines():
        sha256, _, name = line.partition("  ")
        assert first[name] == sha256
    (out / "demo" / "__pycache__").mkdir()
    (out / "demo" / "__pycache__" / "ui.pyc").write_bytes(b"cache")
    space.place(space.space_files(), out)
    assert digest(out) == first
    assert [path.name for path in out.parent.iterdir()] == ["space"]


def test_what_it_did_not_make_is_left_alone(files: Mapping[str, bytes], tmp_path: Path) -> None:
    small = {"a.txt": b"a", "b/c.txt": b"c"}
    someones = tmp_path / "films"
    someones.mkdir()
    (someones / "film.png").write_bytes(b"film")
    file = tmp_path / "file"
    file.write_text("mine")
    linked = tmp_path / "link"
    linked.symlink_to(someones)
    for out in (someones, file, linked):
        with pytest.raises(MuraError, match="left alone.*--out"):
            space.place(small, out)
    assert (someones / "film.png").read_bytes() == b"film"
    assert file.read_text() == "mine"

    out = tmp_path / "space"
    space.place(small, out)
    (out / "b" / "c.txt").write_bytes(b"edited")
    with pytest.raises(MuraError, match="b/c.txt was not put there by make space, or was changed"):
        space.place(dict(files), out)
    (out / "b" / "c.txt").write_bytes(b"c")
    (out / ".git").mkdir()
    (out / ".git" / "HEAD").write_text("history")
    with pytest.raises(MuraError, match=r"\.git/HEAD"):
        space.place(dict(files), out)
    assert (out / "a.txt").read_bytes() == b"a"


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    space.place({"a.txt": b"a"}, tmp_path)
    assert (tmp_path / "a.txt").read_bytes() == b"a"


def test_without_git_it_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert space.main(["--out", str(tmp_path / "space")]) == 1
    assert "Run it in a clone, with git installed" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_it_runs_as_a_space_would_run_it_and_writes_nowhere(tmp_path: Path) -> None:
    folder, scratch, mine = (tmp_path / name for name in ("app", "scratch", "mine"))
    assert space.main(["--out", str(folder)]) == 0
    scratch.mkdir()
    mine.mkdir()
    paths = []
    for name, content in draw_example("forearm"):
        (mine / name).write_bytes(content)
        paths.append(gradio_client.handle_file(mine / name))
    before = digest(folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    oauth = {"OAUTH_CLIENT_ID": "given", "OAUTH_CLIENT_SECRET": "given", "OAUTH_SCOPES": "openid profile"}
    with started_space(folder, scratch, OPENID_PROVIDER_URL="https://127.0.0.1:1", **oauth) as (address, _):
        page = httpx.get(address, timeout=60)
        assert page.status_code == 200
        assert "Musculoskeletal" in page.text
        assert '"sign-in"' in httpx.get(f"{address}review", timeout=60).text
        client = gradio_client.Client(address, verbose=False, download_files=mine, analytics_enabled=False)
        client.predict(paths, api_name="/add")
        shown = client.predict(api_name="/analyse")
        shown = shown[0] if isinstance(shown, tuple) else shown
        assert shown["verdict"]["call"] in set(Call)
        assert shown["verdict"]["model"].startswith("densenet169")
        assert [view["result"]["call"] for view in shown["views"]]
        kept = [path for path in (scratch / "tmp").rglob("*") if path.is_file()]
        assert kept == []
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert digest(folder) == before
    # Not even where it may, as root may everywhere.
    assert list((scratch / "home").rglob("*")) == []
