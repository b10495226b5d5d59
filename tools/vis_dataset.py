"""Draw training samples as the network gets them: look at them before you train.

    cd models/coco/train
    python ../../../tools/vis_dataset.py --number 8 --out_dir out           # reads pose_cfg.yaml
    python ../../../tools/vis_dataset.py mirror=false scale_jitter_lo=1 scale_jitter_up=1

One PNG a sample: on the left the people (left limbs red, right limbs blue, hidden joints hollow) and, hatched, the
ignore regions; on the right the cells that are positive for any joint.
"""

try:
    from util.cli import config_parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from tqdm import tqdm

from config import load_config
from dataset.aic import COCO_FLAG, HIDDEN
from dataset.factory import create
from dataset.model_spec import ModelSpec, from_config
from dataset.pipeline import training_batches
from dataset.skeleton import MIDDLE, Skeleton
from util.draw import enlarge_points, enlarge_small
from util.images import write_image


def main(argv: list[str] | None = None) -> None:
    arguments = config_parser(__doc__)
    arguments.add_argument("--number", type=int, default=8, help="how many samples (default: %(default)s)")
    arguments.add_argument("--out_dir", type=Path, default=Path("out"), help="folder to write to (default: out)")
    options = arguments.parse_args(argv)
    # The statistics of a pairwise head are not needed to look at samples.
    cfg = load_config(options.cfg, [*options.overrides, "batch_size=1", "pairwise_predict=false"])
    dataset = create(cfg)
    spec = from_config(cfg, dataset.skeleton)
    batches = training_batches(dataset, cfg, spec)
    for number in tqdm(range(options.number), unit="sample", disable=None):
        batch = next(batches)
        sample = dataset[int(batch["index"][0])]
        write_image(options.out_dir / f"{number:04d}_{sample.image.stem}.png", picture(batch, cfg, spec))
    print(f"{options.number} pictures written to {options.out_dir}")


def picture(batch: dict[str, np.ndarray], cfg, spec: ModelSpec) -> np.ndarray:
    """Both views of the first sample of a batch, side by side, uint8 (H, W, 3)."""
    from nnet.targets import make_targets

    people, weight = batch["people"][0], batch["weight"][0]
    targets = make_targets(batch["people"], batch["weight"], batch["scale"], cfg, spec)
    image, factor = enlarge_small(batch["image"][0])
    stride = factor * spec.stride
    left = _hatch(image, weight, stride)
    _draw_people(left, np.dstack([enlarge_points(people[..., :2], factor), people[..., 2]]), spec.skeleton)
    right = Image.fromarray(image // 2)
    _draw_cells(right, targets.part[0].numpy(), spec.skeleton.colours, stride)
    both = Image.new("RGB", (2 * left.width + 4, left.height), "white")
    both.paste(left, (0, 0))
    both.paste(right, (left.width + 4, 0))
    return np.asarray(both)


def _hatch(image: np.ndarray, weight: np.ndarray, stride: int) -> Image.Image:
    """The image with stripes where the weight is 0."""
    height, width = image.shape[:2]
    ignored = np.kron(weight == 0, np.ones((stride, stride), bool))[:height, :width]
    rows, cols = np.indices((height, width), sparse=True)
    stripes = (rows + cols) % stride < stride // 2
    return Image.fromarray(np.where((ignored & stripes)[..., None], np.uint8(255) - image // 3, image))


def _draw_people(image: Image.Image, people: np.ndarray, skeleton: Skeleton) -> None:
    canvas, colours = ImageDraw.Draw(image), skeleton.colours
    radius = max(2, round(max(image.size) / 200))
    for person in people:
        labelled = person[:, 2] > 0
        for a, b in skeleton.limbs:
            if labelled[a] and labelled[b]:
                colour = colours[a] if colours[a] == colours[b] else MIDDLE
                canvas.line([*person[a, :2], *person[b, :2]], fill=colour, width=radius)
        for joint in np.flatnonzero(labelled):
            x, y, flag = person[joint]
            fill = None if flag == COCO_FLAG[HIDDEN] else colours[joint]
            canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill, outline=colours[joint])


def _draw_cells(image: Image.Image, positive: np.ndarray, colours, stride: int) -> None:
    canvas = ImageDraw.Draw(image)
    for row, col, joint in np.argwhere(positive):
        x, y = col * stride, row * stride
        canvas.rectangle((x + 1, y + 1, x + stride - 2, y + stride - 2), fill=colours[joint])


if __name__ == "__main__":
    run(main)
