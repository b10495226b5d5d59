"""Damaged files of every kind: the code that reads them gives an answer or one line, never a traceback.

A long run takes a quarter of an hour:

    python -m pytest tests/test_fuzz.py --hypothesis-profile long
"""

import copy
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat

from config import KEYS, load_config, make_config
from dataset import aic_to_coco
from dataset.augment import prepare
from dataset.factory import create
from dataset.model_spec import from_config
from dataset.pair_offsets import load_pairwise_stats, save_pairwise_stats
from multiperson.pairwise_model import Origin, PairModel, load_model, save_model
from nnet.cluster import read_cluster
from nnet.lite_file import read_notes, seal
from tests.annotations import aic_record, coco_document
from tools import ai2coco_art_neckhead_json, check_dataset, coco2aic, eval_aic, eval_mscoco, eval_pck
from util.errors import InputError
from util.images import open_image, read_image, read_image_size
from util.video import is_clip, read_clip

MODELS = Path(__file__).parents[1] / "models"

odd_value = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from([0, 1, 2, 3, 7, -1, 1e308, 10**400, 2**63, "", "a", "../a", "\ud800", [], {}, -0.0]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


@st.composite
def mutated(draw, document):
    """The document with a few values replaced, removed, doubled or moved."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 4))):
        place, key = document, None
        parent = None
        while isinstance(place, (list, dict)) and place and draw(st.integers(0, 5)):
            keys = list(place) if isinstance(place, dict) else range(len(place))
            parent, key = place, draw(st.sampled_from(keys))
            place = place[key]
        if parent is None:
            continue
        action = draw(st.sampled_from(["replace", "replace", "remove", "double"]))
        if action == "replace":
            parent[key] = draw(odd_value)
        elif action == "remove":
            del parent[key]
        elif isinstance(parent, list):
            parent.append(copy.deepcopy(place))
        else:
            parent[draw(st.text(max_size=3))] = copy.deepcopy(place)
    return document


@st.composite
def damaged(draw, content):
    """The bytes with a few places overwritten, cut out or doubled, or the end cut off."""
    content = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 8))
        action = draw(st.sampled_from(["overwrite", "overwrite", "overwrite", "cut out", "double", "end"]))
        if action == "overwrite":
            new = draw(st.sampled_from([b"\0", b"\1", b"\x7f", b"\xff", b"\xff\xff\xff\x7f"]) | st.binary(max_size=4))
            content[place : place + len(new)] = new
        elif action == "cut out":
            del content[place : place + length]
        elif action == "double":
            content[place:place] = content[place : place + length]
        elif not draw(st.integers(0, 3)):
            del content[place:]
    return bytes(content)


def damaged_json(document):
    """Mostly JSON with other content, sometimes no JSON."""
    text = json.dumps(document).encode()
    return st.one_of(*[mutated(document).map(lambda content: json.dumps(content).encode())] * 4, damaged(text))


def aic_document():
    person = [x for joint in range(14) for x in (10 * joint, 5 * joint + 1, 1 + joint % 3)]
    boxes = {"human1": [0, 0, 99, 99], "human2": [1, 2, 30, 40]}
    return [aic_record(name, dict.fromkeys(boxes, person), boxes) | {"url": "u"} for name in "abc"]


def coco_annotations():
    annotation = {"image_id": 1, "keypoints": [1, 2, 2] * 17, "num_keypoints": 17,
                  "bbox": [1, 2, 30, 40], "area": 9, "iscrowd": 0, "segmentation": [[1, 2, 3, 4, 5, 6]]}  # fmt: skip
    crowd = {**annotation, "iscrowd": 1, "segmentation": {"size": [99, 99], "counts": [0, 9801]}}
    images = [{"file_name": f"{name}.jpg", "height": 99, "width": 99, "coco_url": "u"} for name in "abc"]
    return coco_document(images, [annotation, crowd]) | {"categories": [dict(aic_to_coco.CATEGORY)]}


def results_document():
    return [
        {"image_id": i, "category_id": 1, "keypoints": [1, 2, 2] * 17, "score": 0.5, "bbox": [1, 2, 3, 4]}
        for i in (1, 2)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz")
    (path / "images").mkdir()
    for name in "abc":
        Image.new("L", (99, 99)).save(path / f"images/{name}.jpg")
    (path / "images/t").symlink_to(path / "images")
    (path / "annotations").mkdir()
    for name, document in (("aic", aic_document()), ("coco", coco_annotations()), ("results", results_document())):
        (path / f"{name}.json").write_text(json.dumps(document))
    return path


def answer_of(read):
    """What `read` returns, or None if it refuses its file in one line."""
    try:
        return read()
    except InputError as error:
        assert len(str(error).splitlines()) == 1 and len(str(error)) < 1000
        return None


def survives(main, folder, *arguments):
    """The tool succeeds or fails with one line, and leaves no half-written file."""
    before = set(os.listdir(folder))
    try:
        assert main([str(a) for a in arguments]) in (None, 0, 1)
    except InputError as error:
        assert len(str(error).splitlines()) == 1
        assert set(os.listdir(folder)) == before
    else:
        for new in set(os.listdir(folder)) - before:
            if new.endswith(".json"):
                json.loads((folder / new).read_text(encoding="utf-8"))
            os.unlink(folder / new)


@given(content=damaged_json(aic_document()))
def test_aic_files(folder, content):
    bad, good = folder / "bad.json", folder / "aic.json"
    bad.write_bytes(content)
    survives(ai2coco_art_neckhead_json.main, folder, "--keypoint_json", bad, "--img_dir", folder / "images")
    survives(eval_aic.main, folder, "--submit", bad, "--ref", good)
    survives(eval_aic.main, folder, "--submit", good, "--ref", bad)
    survives(eval_pck.main, folder, "--submit", bad, "--ref", good)
    survives(eval_pck.main, folder, "--submit", good, "--ref", bad)
    survives(check_dataset.main, folder, bad, "--img_dir", folder / "images")


@given(content=damaged_json(coco_annotations()))
def test_coco_files(folder, content):
    bad = folder / "bad.json"
    bad.write_bytes(content)
    survives(coco2aic.main, folder, "--coco_json", bad, "--out", folder / "out.json")
    survives(eval_mscoco.main, folder, "--submit", folder / "results.json", "--ref", bad)
    survives(check_dataset.main, folder, bad, "--img_dir", folder / "images", "--decode")


@given(content=damaged_json(coco_annotations()), mirror=st.booleans())
def test_coco_data_sets(folder, content, mirror):
    (folder / "annotations/x_t.json").write_bytes(content)
    cfg = make_config(dataset=str(folder), dataset_type="coco", dataset_ann="x", dataset_phase="t", crop=True)
    read_all_samples(cfg, mirror)


def read_all_samples(cfg, mirror):
    """As training does."""

    def read():
        dataset = create(cfg)
        spec = from_config(cfg, dataset.skeleton)
        return [prepare(dataset, spec, sample, 1.0, mirror) for sample in dataset]

    assert all(np.isfinite(sample.people).all() for sample in answer_of(read) or [])


@given(content=damaged_json(results_document()))
def test_results_files(folder, content):
    bad = folder / "bad.json"
    bad.write_bytes(content)
    survives(eval_mscoco.main, folder, "--submit", bad, "--ref", folder / "coco.json", "--subset")


YAML_TEXT = (MODELS / "coco/train/pose_cfg.yaml").read_bytes()
odd_config = st.dictionaries(st.sampled_from(list(KEYS)) | st.text(max_size=4), odd_value, max_size=3).map(
    lambda content: yaml.safe_dump(content).encode("utf-8", "surrogateescape")
)
odd_yaml = st.builds(
    lambda key, value: f"{key}: {value}\n".encode("utf-8", "replace"),
    st.sampled_from(list(KEYS)),
    st.text("0123456789:-+.eExXbo_~!&*[]{}<<'\"?|>%@` ,#\n", max_size=12),
)


@given(content=damaged(YAML_TEXT) | odd_config | odd_yaml)
def test_configurations(folder, content):
    (folder / "bad.yaml").write_bytes(content)
    answer_of(lambda: load_config(folder / "bad.yaml"))


def dataset_mat(folder):
    joints = np.empty((1, 2), object)
    joints[0, :] = [np.array([[0, 10, 20], [1, 13, 24]]), np.array([[0, 1.5, 2]])]
    paths = "images/a.jpg", np.array([["images", "b.jpg"]])
    records = np.array(
        [[(path, np.array([[3, 99, 99]]), joints) for path in paths]],
        dtype=[("image", "O"), ("size", "O"), ("joints", "O")],
    )
    savemat(folder / "dataset.mat", {"dataset": records})
    return (folder / "dataset.mat").read_bytes()


@given(data=st.data(), mirror=st.booleans())
def test_data_sets_of_matlab(folder, data, mirror):
    (folder / "bad.mat").write_bytes(data.draw(damaged(dataset_mat(folder))))
    read_all_samples(make_config(dataset=str(folder / "bad.mat"), num_joints=2), mirror)


def pairwise_stats_mat(folder):
    save_pairwise_stats(folder / "stats.mat", np.ones((182, 2)), np.ones((182, 2)))
    return (folder / "stats.mat").read_bytes()


def pair_model_mat(folder):
    ramp = np.arange(9.0)
    save_model(folder / "model.mat", PairModel(ramp, ramp[:8], ramp[1:]), Origin("neck", "head_top", "5eed"))
    return (folder / "model.mat").read_bytes()


@pytest.mark.parametrize(
    "content, read",
    [
        (pairwise_stats_mat, lambda path: load_pairwise_stats(path, 14)[:2]),
        (pair_model_mat, lambda path: load_model(path)[0]),
    ],
)
@given(data=st.data())
def test_models_of_matlab(folder, content, read, data):
    (folder / "bad.mat").write_bytes(data.draw(damaged(content(folder))))
    arrays = answer_of(lambda: read(folder / "bad.mat"))
    assert all(np.isfinite(array).all() for array in arrays or [])


# Formats that Pillow reads and we do not, and the modes they store: their decoders must not run.
FOREIGN = {"AVIF": "RGB", "BLP": "P", "DDS": "RGB", "EPS": "RGB", "ICNS": "RGB", "JPEG2000": "RGB", "PCX": "RGB",
           "PPM": "RGB", "QOI": "RGB", "SGI": "RGB", "SPIDER": "F", "TGA": "RGB"}  # fmt: skip


def image_files():
    """Small images of every format and mode."""
    pixels = np.random.default_rng(0).integers(0, 256, (12, 17, 4), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds = {
        "RGB": Image.fromarray(pixels[..., :3]),
        "RGBA": Image.fromarray(pixels),
        "L": Image.fromarray(pixels[..., 0]),
        "I;16": Image.fromarray(pixels[..., 0].astype(np.uint16) << 8),
        "P": Image.fromarray(pixels[..., :3]).quantize(8),
        "1": Image.fromarray(pixels[..., 0]).convert("1"),
        "F": Image.fromarray(pixels[..., 0].astype(np.float32)),
        "CMYK": Image.fromarray(pixels[..., :3]).convert("CMYK"),
    }
    formats = {
        "JPEG": ["RGB", "L", "CMYK"],
        "PNG": ["RGB", "RGBA", "L", "I;16", "P", "1"],
        "GIF": ["P"],
        "BMP": ["RGB", "P", "1"],
        "TIFF": ["RGB", "CMYK", "I;16", "RGBA", "F"],
        "WEBP": ["RGB", "RGBA"],
        "MPO": ["RGB"],
    }
    Image.init()
    formats |= {name: [mode] for name, mode in FOREIGN.items() if name in Image.SAVE}
    for name, modes in formats.items():
        for mode in modes:
            options = {"exif": exif} if name in ("JPEG", "PNG", "WEBP", "TIFF") else {}
            stream = io.BytesIO()
            kinds[mode].save(stream, name, **options)
            yield stream.getvalue()


@given(content=st.sampled_from(list(image_files())).flatmap(damaged))
def test_images(folder, content):
    path = folder / "bad.image"
    path.write_bytes(content)
    image = answer_of(lambda: read_image(path))
    if image is not None:
        with open_image(path) as opened:
            assert opened.format not in FOREIGN
        assert image.dtype == np.uint8 and image.shape == (*read_image_size(path), 3)


def clip_files():
    """An animation in both formats that have them."""
    frames = [Image.new("P", (17, 12), level) for level in (0, 90, 180)]
    for kind in ("GIF", "WEBP"):
        stream = io.BytesIO()
        frames[0].save(stream, kind, save_all=True, append_images=frames[1:], duration=40)
        yield stream.getvalue()


@given(content=st.sampled_from(list(clip_files())).flatmap(damaged))
def test_animations(folder, content):
    path = folder / "bad.gif"
    path.write_bytes(content)
    frames = answer_of(lambda: [image for _, image in read_clip(path).frames] if is_clip(path) else [])
    assert all(frame.dtype == np.uint8 and frame.shape[2] == 3 for frame in frames or [])


@given(content=damaged(seal(b"model" * 20, {"model": {}})))
def test_tensorflow_lite_models(folder, content):
    (folder / "bad.tflite").write_bytes(content)
    # An answer where the damage happens to change nothing.
    assert answer_of(lambda: read_notes(folder / "bad.tflite")) in (None, {"model": {}})


CLUSTER = {"cluster": {"chief": ["a:1"], "worker": ["b:2", "c:3"]}, "task": {"type": "worker", "index": 1}}


@given(content=damaged_json(CLUSTER))
def test_environment_variables(content):
    workers, worker = answer_of(lambda: read_cluster(content.decode("utf-8", "surrogateescape"))) or (1, 0)
    assert 0 <= worker < workers
