"""To a machine with a GPU and JAX, and back: photos, labels and weights as plain files; weights as a checkpoint.

    python jax/exchange.py pack ../weights packed      # in models/demo/train, after prepare.py
    python jax/train.py --data packed --out trained    # there
    python jax/exchange.py unpack trained snapshot     # here again

Photos are stored as WebP of at most 640 pixels, those of LSPET cut out around the labelled person.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))  # the project

from util.cli import parser, run

import io
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image
from tqdm import tqdm

# So many people and boxes of people without joints are kept of a photo.
PEOPLE, BOXES = 16, 24
# Of each data set: longest side, quality, photos at most.
SETS = {"coco": (640, 62, None), "lspet": (384, 58, None), "dev": (640, 62, 120)}
# Of LSPET: around the person, in its extent; its largest extent, in pixels.
LSPET_MARGIN, LSPET_EXTENT = 1.15, 300


def records(name):
    """(file name, annotations) of each photo."""
    content = json.loads(Path(f"data/annotations/person_keypoints_{name}.json").read_text())
    of = {}
    for annotation in content["annotations"]:
        of.setdefault(annotation["image_id"], []).append(annotation)
    return [(image["file_name"], of.get(image["id"], [])) for image in content["images"]]


def labels(annotations):
    """People (n, 14, 3), the best labelled first, and boxes x0, y0, x1, y1 of those without joints."""
    people, boxes = [], []
    for annotation in annotations:
        joints = np.array(annotation["keypoints"], np.float32).reshape(14, 3)
        x, y, width, height = annotation["bbox"]
        box = [x, y, x + width, y + height]
        if annotation["iscrowd"] or not joints[:, 2].any():
            boxes.append(box)
        else:
            people.append((joints, box))
    people.sort(key=lambda person: -np.count_nonzero(person[0][:, 2]))
    boxes += [box for _, box in people[PEOPLE:]]
    return np.array([joints for joints, _ in people[:PEOPLE]]).reshape(-1, 14, 3), np.array(boxes).reshape(-1, 4)


def pack_photo(name, file_name, annotations):
    """WebP, (height, width), people (PEOPLE, 14, 3) and boxes (BOXES, 4) in its pixels, 0 for nobody."""
    side, quality, _ = SETS[name]
    photo = Image.open(Path("data/images", name, file_name)).convert("RGB")
    people, boxes = labels(annotations)
    scale = 1.0
    if name == "lspet":
        points = people[0][people[0][:, 2] > 0, :2]
        low, high = points.min(axis=0), points.max(axis=0)
        extent = max((high - low).max(), 20)
        middle, reach = (low + high) / 2, extent * LSPET_MARGIN
        start = np.maximum(np.floor(middle - reach), 0).astype(int)
        end = np.minimum(np.ceil(middle + reach), photo.size).astype(int)
        photo = photo.crop((*start, *end))
        people[..., :2] -= start
        boxes = boxes - [*start, *start]
        scale = LSPET_EXTENT / extent
    scale = min(scale, side / max(photo.size), 1)
    size = tuple(max(round(length * scale), 1) for length in photo.size)
    if scale < 1:
        photo = photo.resize(size, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    photo.save(buffer, "WEBP", quality=quality, method=4)
    all_people, all_boxes = np.zeros((PEOPLE, 14, 3), np.float32), np.zeros((BOXES, 4), np.float32)
    all_people[: len(people)] = np.where(people[..., 2:] > 0, people * [scale, scale, 1], 0)
    all_boxes[: len(boxes[:BOXES])] = boxes[:BOXES] * scale
    return buffer.getvalue(), size[::-1], all_people, all_boxes


def pack(weights: str, out: Path) -> None:
    from dataset.pair_offsets import load_pairwise_stats
    from nnet.checkpoint import read_checkpoint

    jobs = [(name, *record) for name, (_, _, limit) in SETS.items() for record in records(name)[:limit]]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        packed = list(tqdm(pool.map(lambda job: pack_photo(*job), jobs), total=len(jobs), unit="photo", disable=None))
    out.mkdir(parents=True, exist_ok=True)
    photos, sizes, people, boxes = zip(*packed, strict=True)
    (out / "photos.bin").write_bytes(b"".join(photos))
    group = [list(SETS).index(name) for name, *_ in jobs]
    np.savez_compressed(
        out / "index.npz",
        group=np.array(group, np.uint8),
        length=np.array([len(p) for p in photos]),
        size=np.array(sizes, np.int32),
        people=np.array(people),
        boxes=np.array(boxes),
    )
    np.savez(out / "weights.npz", **read_checkpoint(weights))
    stats = load_pairwise_stats("pairwise_stats.mat", 14)
    np.savez(out / "stats.npz", means=stats.means, std_devs=stats.std_devs)
    print(f"{len(jobs)} photos, {sum(map(len, photos)) / 1e6:.0f} MB, written to {out}")


def unpack(trained: Path, checkpoint: str) -> None:
    from nnet.checkpoint import write_checkpoint

    arrays = np.load(trained / "weights.npz")
    write_checkpoint(checkpoint, {name: arrays[name] for name in arrays.files})
    draw_losses((trained / "log.txt").read_text(), f"{checkpoint}.png")
    print(f"{len(arrays.files)} variables written to {checkpoint}, the losses drawn in {checkpoint}.png")


def draw_losses(log: str, path: str) -> None:
    """The three losses over the steps: of the training, and of the photos that are only watched."""
    from matplotlib.figure import Figure

    figure = Figure((10, 3), layout="constrained")
    for axes, name in zip(figure.subplots(1, 3), ("part", "locref", "pairwise"), strict=True):
        for label, start in (("training", r"rate.*"), ("watched", r".*watched.*")):
            found = re.findall(rf"step (\d+):? {start} ?{name} ([\d.]+)", log)
            axes.plot(*np.array(found, float).T, label=label)
        axes.set(title=name, xlabel="step")
    axes.legend()
    figure.savefig(path)


def main(argv: list[str] | None = None) -> None:
    arguments = parser(__doc__)
    commands = arguments.add_subparsers(dest="command", required=True)
    command = commands.add_parser("pack", help="photos, labels and weights")
    command.add_argument("weights", help="checkpoint to start from")
    command.add_argument("out", type=Path, help="folder to write")
    command = commands.add_parser("unpack", help="a checkpoint")
    command.add_argument("trained", type=Path, help="folder that train.py wrote")
    command.add_argument("checkpoint", help="checkpoint to write")
    options = arguments.parse_args(argv)
    if options.command == "pack":
        pack(options.weights, options.out)
    else:
        unpack(options.trained, options.checkpoint)


if __name__ == "__main__":
    run(main)
