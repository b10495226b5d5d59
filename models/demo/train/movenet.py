"""Run MoveNet MultiPose on photos: labels for the training, and what the table in ../README.md compares with.

    python movenet.py package/models/movenet-multipose.json person_keypoints_dev.json dev movenet_dev.json --side 512

reads the photos that a COCO file lists and writes COCO keypoint results: up to six people a photo, COCO's 17 joints.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # the project

from util.cli import parser, run

import time

import numpy as np
from PIL import Image
from tqdm import tqdm

from util.errors import InputError
from util.files import read_json, write_json
from util.images import read_image


def find_people(network, image: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Joints (6, 17, 3) x, y, confidence in pixels of an RGB image (H, W, 3), and the people's scores (6,).

    side: pixels of the square, a multiple of 32, that the image fills as far as its shape allows
    """
    height, width = image.shape[:2]
    scale = side / max(height, width)
    shown = Image.fromarray(image).resize((round(scale * width), round(scale * height)), Image.Resampling.BILINEAR)
    square = np.zeros((1, side, side, 3), np.int32)
    square[0, : shown.height, : shown.width] = np.asarray(shown)
    rows = network(square)
    # Of each person: 17 times y, x in parts of the square and confidence; the box, four numbers; the score.
    joints = rows[:, :51].reshape(-1, 17, 3)[..., [1, 0, 2]]
    return joints * [side / scale, side / scale, 1], rows[:, 55]


def load(path: Path):
    """The model as a function of a square (1, side, side, 3) int32 to rows (6, 56)."""
    from nnet.tfjs import graph_function, read_graph_model

    # isort: split
    import tensorflow as tf  # after nnet, which keeps it quiet

    function = graph_function(read_graph_model(path))
    return lambda square: function(tf.constant(square))[0].numpy()[0]


def main(argv: list[str] | None = None) -> None:
    arguments = parser(__doc__)
    arguments.add_argument("model", type=Path, help="movenet-multipose.json")
    arguments.add_argument("annotations", type=Path, help="COCO file that lists the photos")
    arguments.add_argument("img_dir", type=Path, help="their folder")
    arguments.add_argument("out", type=Path, help="file to write")
    arguments.add_argument("--side", type=int, default=512, help="pixels, a multiple of 32 (default: %(default)s)")
    arguments.add_argument("--min_score", type=float, default=0.1, help="of a person (default: %(default)s)")
    options = arguments.parse_args(argv)
    if options.side < 32 or options.side % 32:
        raise InputError(f"--side {options.side}: expected a multiple of 32")

    network, results, seconds = load(options.model), [], []
    for record in tqdm(read_json(options.annotations)["images"], unit="photo", disable=None):
        image = read_image(options.img_dir / record["file_name"])
        began = time.perf_counter()
        joints, scores = find_people(network, image, options.side)
        seconds.append(time.perf_counter() - began)
        for person, score in zip(joints, scores, strict=True):
            if score >= options.min_score:
                keypoints = np.round(person, 3).reshape(-1).tolist()
                results.append(
                    {"image_id": record["id"], "category_id": 1, "score": float(score), "keypoints": keypoints}
                )
    write_json(options.out, results)
    print(f"{len(results)} people, {np.median(seconds):.3f} s a photo, written to {options.out}")


if __name__ == "__main__":
    run(main)
