"""Convert the pose_cfg.yaml of a project of DeepLabCut's TensorFlow versions to one for this code.

    python tools/deeplabcut2cfg.py mouse/dlc-models/iteration-0/mouseMay1-trainset95shuffle1/train/pose_cfg.yaml \\
        --out models/mouse/pose_cfg.yaml
    python demo/singleperson.py photo.jpg --cfg models/mouse/pose_cfg.yaml

prints what each key became. The dataset is the project's .mat file, in its place; init_weights is the newest snapshot
beside the file read, else the one that this file names. It is for one animal: DeepLabCut's part affinity fields, which
tell several apart, have no counterpart.
"""

try:
    from util.cli import parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from config import KEYS, WITHOUT_EFFECT, make_config
from nnet.snapshots import latest_snapshot
from util.errors import InputError
from util.files import atomic_path
from util.report import printable, table
from util.yamlfile import read_yaml

EVERY_SAMPLE = "not here: each sample is changed at random"
NO_SUCH_CHANGE = "not here: photos are not changed in this way"
SEVERAL_ANIMALS = "not here: it tells several animals apart"
WINDOWS = "not here: crop_size cuts random windows that show a joint"
# Keys of DeepLabCut that have no counterpart, and why.
LEFT_OUT = {
    "metadataset": "not here: the .mat file has only images to train on",
    "project_path": "part of dataset",
    "snapshot_prefix": "left at its default: snapshots are written where training runs",
    "min_input_size": "not here: small images are used, too",
    "deterministic": "not here: seed decides every random choice",
    "pre_resize": "not here: global_scale and max_input_size say what the network sees",
    "lr_init": "not here: multi_step has the learning rates (and cosine_decay a cosine)",
    "decay_steps": "as lr_init", "alpha_r": "as lr_init",
    "apply_prob": EVERY_SAMPLE, "rotratio": EVERY_SAMPLE, "cropratio": EVERY_SAMPLE,
    "contrast": "color_jitter, if you want it", "clahe": "as contrast", "claheratio": "as contrast",
    "histeq": "as contrast", "histeqratio": "as contrast", "hist_eq": "as contrast",
    "convolution": NO_SUCH_CHANGE, "sharpen": NO_SUCH_CHANGE, "sharpenratio": NO_SUCH_CHANGE, "edge": NO_SUCH_CHANGE,
    "emboss": NO_SUCH_CHANGE, "embossratio": NO_SUCH_CHANGE, "covering": NO_SUCH_CHANGE,
    "elastic_transform": NO_SUCH_CHANGE, "gaussian_noise": NO_SUCH_CHANGE, "grayscale": NO_SUCH_CHANGE,
    "motion_blur": NO_SUCH_CHANGE, "motion_blur_params": NO_SUCH_CHANGE,
    "fliplr": "mirror, if you want it; it needs left/right pairs (skeleton)",
    "crop_sampling": WINDOWS, "max_shift": WINDOWS, "crop_by": WINDOWS, "minsize": WINDOWS, "leftwidth": WINDOWS,
    "rightwidth": WINDOWS, "topheight": WINDOWS, "bottomheight": WINDOWS,
    "multi_stage": SEVERAL_ANIMALS, "num_limbs": SEVERAL_ANIMALS, "num_idchannel": SEVERAL_ANIMALS,
    "pafwidth": SEVERAL_ANIMALS, "partaffinityfield_graph": SEVERAL_ANIMALS,
    "partaffinityfield_predict": SEVERAL_ANIMALS, "gradient_masking": SEVERAL_ANIMALS,
}  # fmt: skip


def main(argv: list[str] | None = None) -> None:
    arguments = parser(__doc__)
    arguments.add_argument("pose_cfg", type=Path, help="DeepLabCut's pose_cfg.yaml, of its train or test folder")
    arguments.add_argument("--out", type=Path, default=Path("pose_cfg.yaml"), help="to write (default: %(default)s)")
    options = arguments.parse_args(argv)
    found = read_yaml(options.pose_cfg)
    if not isinstance(found, dict):
        raise InputError(f"{options.pose_cfg}: expected lines of 'key: value'")
    if options.out.resolve() == options.pose_cfg.resolve():
        raise InputError(f"{options.out}: --out must not be the file that is read")
    values, became = translate(found, options.pose_cfg)
    write(values, options.pose_cfg, options.out)
    print(table(["key", "here"], [[printable(key), text] for key, text in became.items()]))
    print(f"\nwritten to {options.out}")


def translate(found: Mapping[str, Any], source: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The values for this code, and what each key of DeepLabCut's file `source` became, in words.

    Raises InputError for a value that this code cannot take.
    """
    values = {key: value for key, value in found.items() if key in KEYS and key not in LEFT_OUT and value is not None}
    values |= translated(found, source)
    try:
        make_config(**values)
    except InputError as error:
        raise InputError(f"{source}: {str(error).removeprefix('make_config: ')}") from error
    return values, {key: describe(key, value, values) for key, value in found.items()}


def translated(found: Mapping[str, Any], source: Path) -> dict[str, Any]:
    """Values of the keys whose meaning differs."""
    values = {"dataset_type": "default"}
    project, dataset = (str(found.get(key) or "").replace("\\", "/") for key in ("project_path", "dataset"))
    values["dataset"] = os.path.join(project, dataset) if dataset.endswith(".mat") else ""
    if isinstance(found.get("rotation"), bool):
        values["rotation"] = 25 if found["rotation"] else 0
    sides = found.get("crop_size")
    if isinstance(sides, list) and sides and all(isinstance(side, int) for side in sides):
        values["crop_size"] = min(sides) // 16 * 16
    trained = latest_snapshot(source.parent, "snapshot")
    if trained:
        values["init_weights"] = os.path.abspath(trained)
    return values


def describe(key: str, value: Any, values: Mapping[str, Any]) -> str:
    """What a key became."""
    if key in LEFT_OUT:
        return LEFT_OUT[key]
    if key in WITHOUT_EFFECT:
        return "no effect"
    if key not in KEYS:
        return "unknown to this code: left out"
    if key not in values:
        return "without a value: its default"
    return "the same" if values[key] == value else f"now {values[key] or 'empty'}"


def write(values: Mapping[str, Any], source: Path, out: Path) -> None:
    """Write the configuration, in the order of config.py's table."""
    ordered = {key: values[key] for key in KEYS if key in values}
    with atomic_path(out) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write(f"# From DeepLabCut's {source}\n")
        yaml.safe_dump(ordered, file, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)


if __name__ == "__main__":
    run(main)
