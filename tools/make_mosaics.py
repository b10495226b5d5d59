"""Make images of several people from photos of one, with AI Challenger annotations, to test grouping without crowds.

    cd models/demo/train
    python ../../../tools/make_mosaics.py --number 250 --out mosaics dataset_phase=val
    python ../../../tools/predict_multiperson.py --cfg ../pose_cfg.yaml --images mosaics/images/val --out_dir results
    python ../../../tools/eval_aic.py --submit results/aic.json --ref mosaics/annotations/val.json

Reads the data set of pose_cfg.yaml, writes the folders of make_toy_dataset.py, named by dataset_phase. Each mosaic has
four windows of photos at their own size, each around one person; joints that a window cuts off are not labelled, and
nor are bystanders.
"""

try:
    from util.cli import config_parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

import json
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from config import load_config
from dataset.aic import AIC_FLAGS_OF_COCO, annotation_record
from dataset.extent import joint_extent
from dataset.factory import create
from dataset.model_spec import from_config
from dataset.pipeline import training_batches
from util.files import atomic_path

BOX_MARGIN = 0.1  # of the joints' extent, on each side


def main(argv: list[str] | None = None) -> None:
    arguments = config_parser(__doc__)
    arguments.add_argument("--number", type=int, default=250, help="how many (default: %(default)s)")
    arguments.add_argument("--side", type=int, default=384, help="pixels, a multiple of 16 (default: %(default)s)")
    arguments.add_argument("--out", type=Path, default=Path("mosaics"), help="folder (default: %(default)s)")
    options = arguments.parse_args(argv)
    plain = {"scale_jitter_lo": 1, "scale_jitter_up": 1, "rotation": 0, "color_jitter": 0, "mirror": "false",
             "pairwise_predict": "false"}  # fmt: skip
    settings = {"crop_size": options.side, "mosaic": 1, "batch_size": 1, **plain}
    cfg = load_config(options.cfg, [*options.overrides, *(f"{key}={value}" for key, value in settings.items())])
    dataset = create(cfg)
    to_aic = list(dataset.skeleton.to_aic)
    batches = training_batches(dataset, cfg, from_config(cfg, dataset.skeleton))
    folder = options.out / "images" / cfg.dataset_phase
    records = []
    for number in tqdm(range(options.number), unit="image", disable=None):
        batch = next(batches)
        records.append(record(f"mosaic_{number:04d}", batch["people"][0][:, to_aic], options.side))
        with atomic_path(folder / f"mosaic_{number:04d}.png") as path:
            Image.fromarray(batch["image"][0]).save(path, "PNG")
    with atomic_path(options.out / "annotations" / f"{cfg.dataset_phase}.json") as path:
        path.write_text(json.dumps(records))
    people = sum(len(entry["keypoint_annotations"]) for entry in records)
    print(f"{options.number} images, {people} people written to {options.out}")


def record(image_id: str, people: np.ndarray, side: int) -> dict:
    """An AI Challenger record of people (P, 14, 3) with COCO's flags; those without any joint are left out."""
    people = people[(people[..., 2] > 0).any(axis=1)]
    keypoints = np.rint(people).astype(int)
    keypoints[..., 2] = AIC_FLAGS_OF_COCO[keypoints[..., 2]]
    low, high = joint_extent(people)
    margin = np.maximum(BOX_MARGIN * (high - low), 4)
    boxes = np.clip(np.rint(np.hstack([low - margin, high + margin])), 0, side - 1).astype(int)
    return annotation_record(image_id, keypoints, boxes)


if __name__ == "__main__":
    run(main)
