"""Missing files of published models name the script that fetches them."""

from pathlib import Path

import pytest

from util.published import fetching_hint

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path, command", [
    ("models/pretrained/resnet_v1_152.ckpt", "models/pretrained/download.sh 152"),
    ("resnet_v1_50.ckpt", "models/pretrained/download.sh 50"),
    ("../coco-resnet-101", "models/coco/download_models.sh"),
    ("models/coco/pairwise/pairwise_stats.mat", "models/coco/download_models.sh"),
    ("models/mpii/mpii-single-resnet-101", "models/mpii/download_models.sh"),
])  # fmt: skip
def test_published_files_have_a_script(path, command):
    assert fetching_hint(ROOT / path) == f"; {command} fetches it"
    assert (ROOT / command.split()[0]).exists()


@pytest.mark.parametrize("path", ["models/aic/pairwise/pairwise_stats.mat", "my-coco-resnet-101", "resnet_v1_18.ckpt"])
def test_other_files_have_none(path):
    assert fetching_hint(path) == ""
