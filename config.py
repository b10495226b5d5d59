"""Configuration: the defaults in the table below, overridden by a YAML file; all keys and values are checked.

    cfg = load_config("pose_cfg.yaml", ["batch_size=4"])

returns a fresh EasyDict; nothing is global, and nothing changes it later.
"""

import difflib
import os
import re
import reprlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from easydict import EasyDict

from util.errors import InputError
from util.values import FILE_PATH, FLAG, PATH, TEXT, Kind, choice, either, integer, list_of, mapping, number, row
from util.yamlfile import parse_yaml, read_yaml


def checkpoint_prefix(path: str | os.PathLike) -> str:
    """The prefix of a checkpoint, from that or from the name of one of its files."""
    return re.sub(r"\.(index|meta|data-\d{5}-of-\d{5})$", "", os.fspath(path))


class Key(NamedTuple):
    """A key of the configuration: the values it accepts, its default (None: it has none), its meaning in a line."""

    kind: Kind
    default: Any
    doc: str


NET_TYPES = ("resnet_18", "resnet_50", "resnet_101", "resnet_152",
             "mobilenet_v2_1.0", "mobilenet_v2_0.75", "mobilenet_v2_0.5", "mobilenet_v2_0.35",
             "resnet_18_fpn", "resnet_50_fpn", "resnet_101_fpn", "resnet_152_fpn", "mobilenet_v2_1.0_fpn",
             "movenet_fpn")  # fmt: skip

COUNT = integer(1, 1000)
STEPS, STEP = integer(0, 10**9), integer(1, 10**9)
SHARE = number(0, 1)
FACTOR = number(0.01, 100)
WEIGHT = number(0, 10**6)
RATE = number(0, 10**6)
# Input paths: relative to the YAML file, then to the current directory.
INPUT = Kind(PATH.wanted, PATH.convert)
CHECKPOINT = Kind(PATH.wanted, lambda value: checkpoint_prefix(PATH.convert(value)))

DATASET_TYPE = choice("default", "coco", "mpii")
JOINTS = list_of(integer(0, 999), what="joint ids")
PAIR = list_of(integer(0, 999), 2, "joint ids")
RATE_UNTIL = row(RATE, STEP)
TABLE = Kind("a table of joints, pairs and limbs", lambda value: {**value})

MAX_NAMED = 30  # the most unknown keys that a message lists
DEEPLABCUT = {"metadataset", "project_path", "multi_stage", "lr_init"}  # keys that only its files have

# Keys that each data set of `mixture` may set; it shares all others.
DATA_SET = {
    "dataset": INPUT,
    "dataset_type": DATASET_TYPE,
    "dataset_phase": TEXT,
    "dataset_ann": TEXT,
    "coco_only_images_with_people": FLAG,
    "global_scale": FACTOR,
    "weight": number(0.001, 1000),
}

KEYS = {
    # Joints
    "num_joints": Key(COUNT, None, "number of parts (score maps)"),
    "all_joints": Key(list_of(JOINTS, what="groups"), None,
                      "joints grouped by kind; a group of two is a left/right pair"),
    "all_joints_names": Key(list_of(TEXT, what="names"), None, "a name for each group of all_joints"),
    "skeleton": Key(either(TABLE, PATH), "",
                    "names, left/right pairs and limbs of the joints: coco, neckhead, aic, mpii, a YAML file, or a "
                    "table as in dataset/skeletons/; empty: from all_joints, the data or the weights"),
    # Data
    "dataset": Key(INPUT, "", "folder of the data set (coco), or its dataset.mat file"),
    "dataset_type": Key(DATASET_TYPE, "default", "how `dataset` is read"),
    "dataset_phase": Key(TEXT, "train", "coco: annotations/<dataset_ann>_<phase>.json and images/<phase>"),
    "dataset_ann": Key(TEXT, "person_keypoints", "coco: first part of the annotation file's name"),
    "coco_only_images_with_people": Key(FLAG, False, "coco: leave out images without labelled people"),
    "mixture": Key(list_of(mapping(DATA_SET, "dataset"), what="data sets"), [],
                   "training: several data sets in place of one, each with its own dataset, global_scale, ..., and its "
                   "weight: how often an epoch shows its images"),
    "shuffle": Key(FLAG, True, "visit the images in random order, a new one each epoch"),
    "seed": Key(integer(0, 2**32 - 1), 0, "every random choice is a function of this and of the step"),
    "batch_size": Key(integer(1, 10_000), 1, "images at once, shared among all devices"),
    "accumulate_steps": Key(integer(1, 10_000), 1, "batches that make a step of training, for a step of more images "
                            "than the memory holds"),
    "mirror": Key(FLAG, False, "mirror half of the training images"),
    "crop": Key(FLAG, False, "crop around the people while training"),
    "crop_pad": Key(integer(0, 10_000), 0, "pixels kept around them"),
    "global_scale": Key(FACTOR, 1.0, "factor from the image's pixels to the network's"),
    "scale_jitter_lo": Key(FACTOR, 1.0, "training: random factor on top, at least"),
    "scale_jitter_up": Key(FACTOR, 1.0, "training: random factor on top, at most"),
    "crop_size": Key(integer(0, 8192, multiple_of=16), 0,
                     "training: a random window of this side (px) that shows a person; 0: all of the image"),
    "mosaic": Key(SHARE, 0.0, "training: share of samples put together from four images (needs crop_size)"),
    "rotation": Key(number(0, 180), 0.0, "training: rotation by a random angle up to this many degrees"),
    "color_jitter": Key(SHARE, 0.0, "training: random factors 1 +- this on brightness, contrast and colour"),
    "background_weight": Key(SHARE, 1.0, "weight of the part loss away from labelled people: below 1 where others are "
                             "not labelled (needs weigh_part_predictions)"),
    "max_input_size": Key(integer(16, 100_000), 850,
                          "larger inputs (height x width > its square) are scaled down to fit"),
    "mean_pixel": Key(list_of(number(-255, 255), 3, "numbers"), [123.68, 116.779, 103.939],
                      "mean colour (RGB), subtracted"),
    # Targets and losses
    "pos_dist_thresh": Key(number(0, 10_000), 17.0,
                           "a cell within this distance (px, times scale) of a joint is positive"),
    "pos_dist_share": Key(SHARE, 0.0, "or within this share of the person's extent, if that is farther: for people of "
                          "very different sizes"),
    "weigh_part_predictions": Key(FLAG, False, "multiply the part loss by its weights (else they only select)"),
    "weigh_negatives": Key(FLAG, False, "balance foreground and background cells by fg_fraction"),
    "fg_fraction": Key(SHARE, 0.25, "weigh_negatives: share of the loss for the foreground"),
    "ignore_unlabelled": Key(FLAG, False, "no part loss for a person's unlabelled joints within the box of the others"),
    "weigh_only_present_joints": Key(FLAG, False, "no part loss for parts that an image does not show"),
    "location_refinement": Key(FLAG, False, "regress the offset from cell to joint"),
    "locref_stdev": Key(number(0.001, 10_000), 7.2801, "px; offsets are stored divided by it"),
    "locref_loss_weight": Key(WEIGHT, 1.0, "weight of the offset loss"),
    "locref_huber_loss": Key(FLAG, True, "Huber loss (k = 1) for offsets, else squared error"),
    "pairwise_predict": Key(FLAG, False, "regress the offsets between joints"),
    "pairwise_loss_weight": Key(WEIGHT, 1.0, "weight of the pairwise loss"),
    "pairwise_huber_loss": Key(FLAG, True, "Huber loss (k = 1) for pairwise offsets, else squared error"),
    "pairwise_stats_fn": Key(INPUT, "pairwise_stats.mat", "mean and deviation of each pair (tools/pairwise_stats.py)"),
    "pairwise_scale": Key(FACTOR, None, "of weights without a model.yaml: global_scale at which the pairwise head was "
                          "trained, by default that of now"),
    "tensorflow_pairwise_order": Key(FLAG, True, "pairwise channels in this code's order, else by the stats' graph"),
    "intermediate_supervision": Key(FLAG, False, "a second part loss, on an earlier layer"),
    "intermediate_supervision_layer": Key(COUNT, 12, "which unit of ResNet block 3"),
    # Network and optimiser
    "net_type": Key(choice(*NET_TYPES), "resnet_101", "backbone; _fpn: a feature pyramid on top"),
    "stride": Key(choice(4, 8), None, "pixels per cell of the maps; follows net_type: 4 with a pyramid, else 8"),
    "init_weights": Key(CHECKPOINT, "", "checkpoint to start from; empty: random weights"),
    "batch_norm": Key(choice("auto", "frozen", "train"), "auto",
                      "moments: stored (frozen) or of the batch (train); auto: frozen if init_weights is set"),
    "batch_norm_decay": Key(SHARE, 0.997, "training moments: share kept at each step; .95 for short runs"),
    "precision": Key(choice("auto", "float32", "bfloat16", "float16"), "float32",
                     "arithmetic of the convolutions; auto: the fastest that the hardware supports"),
    "freeze_backbone": Key(FLAG, False, "train the heads only"),
    "backbone_rate": Key(SHARE, 1.0, "factor on the learning rate of the backbone's weights"),
    "optimizer": Key(choice("sgd", "adam", "adamw"), "sgd",
                     "sgd has momentum .9; adamw decouples weight_decay from the gradients (arXiv 1711.05101)"),
    "adam_lr": Key(RATE, None, "adam: constant learning rate instead of multi_step"),
    "warmup_steps": Key(STEPS, 0, "the learning rate rises to its value during the first steps"),
    "cosine_decay": Key(FLAG, False, "half a cosine from multi_step's first rate to 0 instead of its steps"),
    "ema_decay": Key(SHARE, 0.0, "share kept at each step by a moving average of the weights, which inference then "
                     "uses, such as .999; 0: no average"),
    "multi_step": Key(list_of(RATE_UNTIL, what="[learning rate, last step]"), None,
                      "[[learning rate, up to this step], ...]; training ends with the last"),
    "regularize": Key(FLAG, False, "weight decay"),
    "weight_decay": Key(number(0, 1000), 0.0001, "regularize: factor of the L2 term; adamw: share lost at rate 1"),
    # The held-out set
    "eval_iters": Key(STEPS, 0, "steps between two scores on held-out images, of which the best keeps its snapshot; "
                      "0: no scores"),
    "eval_dataset": Key(INPUT, "", "their data set, read as `dataset` is; empty: the same (dataset_type coco)"),
    "eval_phase": Key(TEXT, "val", "coco: their phase"),
    "eval_images": Key(integer(1, 10**9), 200, "at most this many of them, always the same"),
    # The run
    "display_iters": Key(STEP, 20, "steps between two lines of the log"),
    "save_iters": Key(STEP, 5000, "steps between two snapshots"),
    "snapshot_prefix": Key(FILE_PATH, "snapshot", "snapshots are the files <snapshot_prefix>-<step>"),
    "log_dir": Key(PATH, "log", "folder for TensorBoard; empty: nothing is written"),
    # Inference and grouping
    "tta": Key(list_of(either(choice("flip"), number(0.1, 10)), what="views"), [],
               "maps are averaged with those of the mirrored image (flip) and of other sizes, as in [flip, 0.8, 1.25]"),
    "predict_batch": Key(integer(1, 1000), 1,
                         "demos: so many images in a row go through the network together if they have one size"),
    "scoremap_dir": Key(PATH, "test", "folder into which tools/cache_scoremaps.py writes score maps"),
    "cached_scoremaps": Key(INPUT, "", "folder of such score maps to group from, instead of running the network"),
    "nms_radius": Key(number(0, 1000), 5.0, "cells; a detection suppresses weaker ones of its part within it"),
    "det_min_score": Key(SHARE, 0.2, "detections with less confidence are dropped"),
    "scmap_threshold": Key(SHARE, 0.1, "single person: joints with less confidence are not drawn"),
    "solver": Key(choice("fast", "exact", "greedy"), "fast",
                  "grouping: multicut by search; by an integer program, with proof; or the most certain pair first"),
    "solver_seconds": Key(number(0, 10**6), 0.0, "limit for grouping an image, best solution so far; 0: no limit"),
    "sparse_graph": Key(either(choice("skeleton"), list_of(PAIR, what="pairs")), [],
                        "pairs of parts with edges between them; skeleton: those of the skeleton; empty: all pairs of "
                        "used parts"),
    "pairwise_model_dir": Key(INPUT, "pairwise", "folder of spatial_model_cidx_*.mat (tools/train_pairwise.py)"),
    "min_keypoints": Key(COUNT, None, "people with fewer parts are dropped; by default 3, at most num_joints"),
    "min_person_score": Key(SHARE, 0.0, "people whose mean confidence over all joints is lower are dropped"),
    "fill_missing_joints": Key(FLAG, False, "guess a person's missing parts from the pairwise offsets of the others"),
    "pck_threshold": Key(number(0, 100), 0.2, "a joint counts as right within this fraction of the torso"),
}  # fmt: skip

# Keys that YAML files of pose-tensorflow may hold, without effect here.
WITHOUT_EFFECT = {
    "use_gt_segm": Key(FLAG, False, "unlabelled people are always ignored"),
}
# The keys of inputs, and the suffix of the file that such a key names.
PATH_KEYS = {
    name: ".index" if key.kind is CHECKPOINT else "" for name, key in KEYS.items() if key.kind in (INPUT, CHECKPOINT)
}

# Skeletons with a name.
NAMED_SKELETONS = {path.stem: path for path in sorted(Path(__file__).parent.glob("dataset/skeletons/*.yaml"))}


def load_config(
    filename: str | os.PathLike = "pose_cfg.yaml", overrides: Iterable[str] | Mapping[str, Any] = ()
) -> EasyDict:
    """The configuration of a YAML file, completed by the defaults.

    filename: relative to the folder in the environment variable POSE_PARAM_PATH, if that is set
    overrides: texts "key=value" (the value in YAML), or a mapping; `overridden` in the result lists their keys, `given`
        these and those of the file

    Raises InputError for an unreadable file, an unknown key or an impossible value.
    """
    path = Path(os.environ.get("POSE_PARAM_PATH", ""), filename).expanduser()
    overrides = _parse_overrides(overrides)
    values = _read_file(path)
    cfg = _checked(_checked(_defaults(), values, str(path)), overrides, "command line")
    for key, suffix in PATH_KEYS.items():
        cfg[key] = _resolve(cfg[key], path.parent, suffix)
    for part in cfg.mixture:
        part["dataset"] = _resolve(part["dataset"], path.parent, "")
    return _completed(cfg, str(path), path.parent, values | overrides, overrides)


def make_config(**values: Any) -> EasyDict:
    """The defaults with `values` over them, checked like those of a file."""
    return _completed(_checked(_defaults(), values, "make_config"), "make_config", Path(), values, ())


def named_skeleton_table(name: str) -> dict[str, Any]:
    """The table of one of NAMED_SKELETONS. Our own files need no checks, and libyaml is eight times as fast."""
    return yaml.load(NAMED_SKELETONS[name].read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def read_skeleton_table(path: str | os.PathLike) -> dict[str, Any]:
    """The table in a skeleton's YAML file, for `dataset.skeleton.from_table`. Raises InputError."""
    table = read_yaml(path)
    if not isinstance(table, dict):
        raise InputError(f"{path}: expected the table of a skeleton, with 'joints', the list of their names")
    return {"name": Path(path).stem, **table}


def settings(cfg: EasyDict) -> dict[str, Any]:
    """The values of all keys but paths, which are equal in runs that do the same on different machines."""
    values = {name: cfg[name] for name in KEYS if name not in PATH_KEYS}
    return values | {"mixture": [{key: part[key] for key in part if key != "dataset"} for part in cfg.mixture]}


def require(cfg: EasyDict, *keys: str) -> None:
    """Raise InputError for the first of `keys` that has no value."""
    for key in keys:
        if cfg[key] is None or cfg[key] == "":
            raise InputError(f"{cfg.config_file}: {key} is missing: {KEYS[key].doc}")


def _defaults() -> dict[str, Any]:
    return {name: key.default for name, key in (KEYS | WITHOUT_EFFECT).items()}


def _read_file(path: Path) -> dict:
    values = read_yaml(path, "run this in a model directory (such as models/coco/train) or set POSE_PARAM_PATH")
    if not isinstance(values, dict | None):
        raise InputError(f"{path}: expected lines of 'key: value', found {_shown(values)}")
    return values or {}


def _parse_overrides(overrides: Iterable[str] | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(overrides, Mapping):
        return dict(overrides)
    values = {}
    for text in overrides:
        key, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"command line: {text!r}: expected key=value, such as batch_size=4")
        values[key.strip()] = parse_yaml(value, f"command line: {text!r}")
    return values


def _checked(base: Mapping[str, Any], values: Mapping[Any, Any], source: str) -> EasyDict:
    """A copy of `base` with `values` over it; raises InputError that names `source` and the key."""
    keys = KEYS | WITHOUT_EFFECT
    _refuse_unknown([name for name in values if name not in keys], source)
    result = {name: list(value) if isinstance(value, list) else value for name, value in base.items()}
    for name, value in values.items():
        if value is None:  # an empty value in YAML: keep the default
            continue
        try:
            result[name] = keys[name].kind.check(value)
        except ValueError as error:
            raise InputError(f"{source}: {name}: expected {error}, found {_shown(value)}") from None
    return EasyDict(result)


def _completed(cfg: EasyDict, config_file: str, folder: Path, values: Mapping, overrides: Iterable[str]) -> EasyDict:
    """Adds where the values come from, and checks them together."""
    cfg.config_file, cfg.overridden = config_file, sorted(overrides)
    cfg.given = sorted(name for name, value in values.items() if value is not None)
    cfg.skeleton, cfg.skeleton_source = _skeleton_table(cfg, folder)
    _check_together(cfg)
    return cfg


def _refuse_unknown(names: list[Any], source: str) -> None:
    if not names:
        return
    deeplabcut = not DEEPLABCUT.isdisjoint(names)
    hint = "tools/deeplabcut2cfg.py takes over DeepLabCut's files" if deeplabcut else "config.py lists all keys"
    described = [_shown(name) if deeplabcut else _shown(name) + _suggestion(name) for name in names[:MAX_NAMED]]
    rest = f" and {len(names) - MAX_NAMED} others" if len(names) > MAX_NAMED else ""
    raise InputError(f"{source}: unknown key{'s' * (len(names) > 1)} {', '.join(described)}{rest}; {hint}")


def _suggestion(name: Any) -> str:
    close = difflib.get_close_matches(str(name)[:100], KEYS, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _shown(value: Any) -> str:
    """A value for an error message, shortened."""
    short = reprlib.Repr()
    short.maxstring = short.maxlong = 100
    short.maxlevel = 3
    try:
        return short.repr(value)[:300]
    except ValueError:
        return "a number of thousands of digits"  # which Python refuses to write


def _resolve(text: str, folder: Path, suffix: str) -> str:
    if not text or os.path.isabs(text):
        return text
    beside = os.path.normpath(folder / text)
    if not os.path.exists(beside + suffix) and os.path.exists(text + suffix):
        return text
    return beside


def _skeleton_table(cfg: EasyDict, folder: Path) -> tuple[dict[str, Any] | None, str]:
    """The table of `skeleton` (itself, by name or by file), and its source; None if the key is empty."""
    wanted = cfg.skeleton
    if not wanted or isinstance(wanted, dict):
        return wanted or None, cfg.config_file
    if wanted in NAMED_SKELETONS:
        return named_skeleton_table(wanted), cfg.config_file
    path = _resolve(wanted, folder, "")
    if not os.path.exists(path):
        raise InputError(
            f"{cfg.config_file}: skeleton: {wanted!r} is neither one of {', '.join(NAMED_SKELETONS)} nor a YAML file"
        )
    return read_skeleton_table(path), str(path)


def _check_together(cfg: EasyDict) -> None:
    """Checks of several keys; fills num_joints from skeleton or all_joints."""
    where = cfg.config_file
    if cfg.skeleton:
        _count_joints(cfg)
    if cfg.all_joints:
        _check_joint_groups(cfg)
    if cfg.scale_jitter_lo > cfg.scale_jitter_up:
        limits = cfg.scale_jitter_lo, cfg.scale_jitter_up
        raise InputError(f"{where}: scale_jitter_lo {limits[0]} is above scale_jitter_up {limits[1]}")
    if cfg.mosaic and not cfg.crop_size:
        raise InputError(f"{where}: mosaic needs crop_size, the side of the mosaics")
    if cfg.eval_iters and not cfg.eval_dataset and cfg.dataset_type != "coco":
        raise InputError(f"{where}: eval_iters needs eval_dataset, the held-out set")
    if cfg.background_weight < 1 and not cfg.weigh_part_predictions:
        raise InputError(f"{where}: background_weight needs weigh_part_predictions: true")
    if cfg.multi_step is not None:
        ends = [end for _, end in cfg.multi_step]
        if not ends or ends != sorted(set(ends)):
            raise InputError(
                f"{where}: multi_step: expected [learning rate, last step] with growing steps, "
                f"found {_shown(cfg.multi_step)}"
            )


def _count_joints(cfg: EasyDict) -> None:
    joints = cfg.skeleton.get("joints")
    if not isinstance(joints, list):
        raise InputError(f"{cfg.skeleton_source}: skeleton: 'joints' must be a list of names, found {_shown(joints)}")
    _agree_on_joints(cfg, len(joints), f"the skeleton {cfg.skeleton.get('name', 'own')} in {cfg.skeleton_source}")


def _agree_on_joints(cfg: EasyDict, count: int, source: str) -> None:
    if cfg.num_joints is None:
        cfg.num_joints = count
    if cfg.num_joints != count:
        raise InputError(f"{cfg.config_file}: num_joints is {cfg.num_joints}, but {source} has {count} joints")


def _check_joint_groups(cfg: EasyDict) -> None:
    where = cfg.config_file
    ids = sorted(joint for group in cfg.all_joints for joint in group)
    if ids != list(range(len(ids))):
        raise InputError(f"{where}: all_joints: every joint id from 0 on exactly once, found {_shown(ids)}")
    _agree_on_joints(cfg, len(ids), "all_joints")
    if cfg.all_joints_names and len(cfg.all_joints_names) != len(cfg.all_joints):
        raise InputError(
            f"{where}: all_joints_names: {len(cfg.all_joints)} names expected (one a group of "
            f"all_joints), found {len(cfg.all_joints_names)}"
        )
