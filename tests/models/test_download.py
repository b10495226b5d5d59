"""Downloads from a folder, and from a local server that can continue an interrupted one."""

import re
import shutil
import subprocess
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from nnet import checkpoint

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture
def models(tmp_path):
    """The scripts, in a copy of the folder."""
    for script in [*MODELS.glob("*.sh"), *MODELS.glob("*/*.sh")]:
        target = tmp_path / "models" / script.relative_to(MODELS)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(script, target)
    return tmp_path / "models"


@pytest.fixture
def mirror(tmp_path):
    """Small files under the names of those on the servers."""
    folder = tmp_path / "mirror"
    checkpoint.write_checkpoint(folder / "mpii-single-resnet-101", {"a": np.random.default_rng(0).random(50_000)})
    (folder / "resnet_v1_50.ckpt").write_bytes(b"weights")
    with tarfile.open(folder / "resnet_v1_50_2016_08_28.tar.gz", "w:gz") as archive:
        archive.add(folder / "resnet_v1_50.ckpt", "resnet_v1_50.ckpt")
    return folder


@pytest.fixture
def server(mirror):
    """Serves the mirror, from any place on; yields its URL and the ranges asked for."""

    class Handler(BaseHTTPRequestHandler):
        asked = []

        def do_GET(self):
            content = (mirror / self.path.lstrip("/")).read_bytes()
            self.asked.append(self.headers.get("Range"))
            first = int(re.findall(r"\d+", self.asked[-1])[0]) if self.asked[-1] else 0
            if first and first >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if first else 200)
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - first))
            self.end_headers()
            self.wfile.write(content[first:])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", Handler.asked
    server.shutdown()
    server.server_close()


def run(script, mirror, *arguments):
    return subprocess.run(
        ["bash", script, *arguments],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "POSE_MIRROR": str(mirror)},
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_files_are_fetched_from_a_folder_and_only_once(models, mirror):
    script = models / "mpii/download_models.sh"
    first = run(script, f"file://{mirror}")
    assert first.returncode == 0 and f"ready: {models}/mpii/mpii-single-resnet-101" in first.stdout, first.stderr
    assert checkpoint.read_checkpoint(models / "mpii/mpii-single-resnet-101")["a"].shape == (50_000,)
    assert "is here already" in run(script, "file:///nowhere").stdout


def test_archives_are_unpacked(models, mirror):
    assert run(models / "pretrained/download.sh", f"file://{mirror}", "50").returncode == 0
    assert (models / "pretrained/resnet_v1_50.ckpt").read_bytes() == b"weights"


@pytest.mark.parametrize("length", [1000, 400_000_000])
def test_an_interrupted_download_goes_on(models, mirror, server, length):
    """Even if the part is whole already, to which servers answer with an error."""
    url, asked = server
    name = "mpii-single-resnet-101.data-00000-of-00001"
    content = (mirror / name).read_bytes()
    (models / "mpii" / f"{name}.part").write_bytes(content[:length])
    result = run(models / "mpii/download_models.sh", url)
    assert result.returncode == 0, result.stderr
    assert f"bytes={min(length, len(content))}-" in asked
    assert (models / "mpii" / name).read_bytes() == content


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mpii-single-resnet-101.index", b"<html>gone</html>"),
        ("mpii-single-resnet-101.data-00000-of-00001", b"<html>gone</html>"),
    ],
)
def test_other_files_are_refused(models, mirror, name, content):
    (mirror / name).write_bytes(content)
    result = run(models / "mpii/download_models.sh", f"file://{mirror}")
    assert result.returncode == 2 and "did not give the file that its name promises" in result.stderr
    assert not list((models / "mpii").glob(f"{name}*"))


def test_cut_archives_are_refused(models, mirror):
    archive = mirror / "resnet_v1_50_2016_08_28.tar.gz"
    archive.write_bytes(archive.read_bytes()[:-20])
    result = run(models / "pretrained/download.sh", f"file://{mirror}", "50")
    assert result.returncode == 2 and not list((models / "pretrained").glob("*.ckpt"))


def test_a_missing_file_is_named(models, mirror):
    result = run(models / "coco/download_models.sh", f"file://{mirror}")
    assert result.returncode == 2 and "coco-resnet-101.index cannot be fetched; models/README.md" in result.stderr
