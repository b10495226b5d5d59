"""Configuration: a YAML file over the defaults below, every key and value checked.

    cfg = load_config("pose_cfg.yaml", ["batch_size=4"])

returns a fresh EasyDict; nothing global, nothing mutated.  `KEYS` is the reference of all keys.
"""

import difflib
import math
import os
import reprlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from easydict import EasyDict

from util.errors import InputError

NET_TYPES = ("resnet_18", "resnet_50", "resnet_101", "resnet_152",
             "mobilenet_v2_1.0", "mobilenet_v2_0.75", "mobilenet_v2_0.5", "mobilenet_v2_0.35")  # fmt: skip


class Key(NamedTuple):
    """One configuration key. `check` returns the value, converted, or raises ValueError with what it wants."""

    default: Any
    check: Callable[[Any], Any]
    doc: str


def _flag(value):
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _text(value):
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def _as_float(value):
    # YAML 1.1 reads 1e-4 (no dot) as a text.
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    return float(value)


def _number(low=-math.inf, high=math.inf, above=False):
    wanted = "a number"
    if low > -math.inf:
        wanted += f" {'>' if above else '>='} {low:g}"
    if high < math.inf:
        wanted += f" and <= {high:g}"

    def check(value):
        try:
            number = _as_float(value)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(wanted) from None
        if not low <= number <= high or math.isinf(number) or (above and number == low):
            raise ValueError(wanted)
        return number

    return check


def _integer(low):
    def check(value):
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise ValueError(f"a whole number >= {low}")
        return value

    return check


def _multiple_of(step):
    def check(value):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0 or value % step:
            raise ValueError(f"a multiple of {step}, or 0")
        return value

    return check


def _choice(*names):
    def check(value):
        if value not in names:
            raise ValueError("one of " + ", ".join(map(str, names)))
        return value

    return check


def _list_of(check_item, length=None, what="values"):
    wanted = f"a list of {length or ''} {what}".replace("  ", " ")

    def check(value):
        if not isinstance(value, list | tuple) or (length is not None and len(value) != length):
            raise ValueError(wanted)
        try:
            return [check_item(item) for item in value]
        except ValueError as error:
            raise ValueError(f"{wanted}, each {error}") from None

    return check


def _multi_step(value):
    steps = _list_of(_list_of(_number(0), 2, "numbers"), what="[learning rate, last step]")(value)
    ends = [end for _, end in steps]
    if not steps or ends != sorted(set(ends)):
        raise ValueError("a list of [learning rate, last step] with growing steps")
    return [[rate, int(end)] for rate, end in steps]


def _augmentation(value):
    if value == "flip":
        return value
    try:
        return _number(0.1, 10)(value)
    except ValueError:
        raise ValueError("flip or a factor of size from 0.1 to 10") from None


_NAT, _POS = _integer(0), _integer(1)
_PAIRS = _list_of(_list_of(_NAT, 2, "joint ids"), what="pairs of joint ids")

# None as default: the key has no default; what needs it says so (`require`).
KEYS: dict[str, Key] = {
    # Parts
    "num_joints": Key(None, _POS, "number of parts (score maps)"),
    "all_joints": Key(None, _list_of(_list_of(_NAT, what="joint ids"), what="groups of joint ids"),
                      "joints grouped by kind; a group of two is a left/right pair"),
    "all_joints_names": Key(None, _list_of(_text, what="names"), "a name for each group of all_joints"),
    "skeleton": Key("", _choice("", "coco", "neckhead", "aic", "mpii"),
                    "names, limbs and left/right pairs of the joints; empty: from all_joints and all_joints_names"),
    # Data
    "dataset": Key("", _text, "folder of the data set (coco), or its dataset.mat file"),
    "dataset_type": Key("default", _choice("default", "coco", "mpii"), "how `dataset` is read"),
    "dataset_phase": Key("train", _text, "coco: annotations/<dataset_ann>_<phase>.json and images/<phase>"),
    "dataset_ann": Key("person_keypoints", _text, "coco: first part of the annotation file's name"),
    "coco_only_images_with_people": Key(False, _flag, "coco: leave out images without labelled people"),
    "shuffle": Key(True, _flag, "visit the images in random order, anew each epoch"),
    "seed": Key(0, _NAT, "every random choice is a function of this and of the step"),
    "batch_size": Key(1, _POS, "images at once, shared among all devices"),
    "accumulate_steps": Key(1, _POS, "so many batches make a step of training: larger ones than the memory holds"),
    "mirror": Key(False, _flag, "mirror half of the training images"),
    "crop": Key(False, _flag, "crop around the people while training"),
    "crop_pad": Key(0, _NAT, "pixels kept around them"),
    "global_scale": Key(1.0, _number(0, above=True), "factor from the image's pixels to the network's"),
    "scale_jitter_lo": Key(1.0, _number(0, above=True), "training: random factor on top, at least"),
    "scale_jitter_up": Key(1.0, _number(0, above=True), "training: random factor on top, at most"),
    "crop_size": Key(0, _multiple_of(16), "training: a random window of this side (px) that shows a person; 0: all"),
    "mosaic": Key(0.0, _number(0, 1), "training: share of samples put together from four images (needs crop_size)"),
    "rotation": Key(0.0, _number(0, 180), "training: turned by a random angle up to this many degrees"),
    "color_jitter": Key(0.0, _number(0, 1), "training: random factors 1 +- this on brightness, contrast and colour"),
    "background_weight": Key(1.0, _number(0, 1), "weight of the part loss away from labelled people: below 1 where "
                             "others are not labelled (needs weigh_part_predictions)"),
    "max_input_size": Key(850, _integer(16), "larger inputs (height x width > its square) are scaled down to fit"),
    "mean_pixel": Key([123.68, 116.779, 103.939], _list_of(_number(), 3, "numbers"), "mean colour (RGB), subtracted"),
    "use_gt_segm": Key(False, _flag, "no effect: unlabelled people are always ignored"),
    # Targets and losses
    "stride": Key(8, _choice(8), "pixels per cell of the maps"),
    "pos_dist_thresh": Key(17.0, _number(0), "a cell within this distance (px, times scale) of a joint is positive"),
    "weigh_part_predictions": Key(False, _flag, "multiply the part loss by its weights (else they only select)"),
    "weigh_negatives": Key(False, _flag, "balance foreground and background cells by fg_fraction"),
    "fg_fraction": Key(0.25, _number(0, 1), "weigh_negatives: share of the loss for the foreground"),
    "weigh_only_present_joints": Key(False, _flag, "no part loss for parts that an image does not show"),
    "location_refinement": Key(False, _flag, "regress the offset from cell to joint"),
    "locref_stdev": Key(7.2801, _number(0, above=True), "px; offsets are stored divided by it"),
    "locref_loss_weight": Key(1.0, _number(0), "weight of the offset loss"),
    "locref_huber_loss": Key(True, _flag, "Huber loss (k = 1) for offsets, else squared error"),
    "pairwise_predict": Key(False, _flag, "regress the offsets between joints"),
    "pairwise_loss_weight": Key(1.0, _number(0), "weight of the pairwise loss"),
    "pairwise_huber_loss": Key(True, _flag, "Huber loss (k = 1) for pairwise offsets, else squared error"),
    "pairwise_stats_fn": Key("pairwise_stats.mat", _text, "mean and deviation of each pair (tools/pairwise_stats.py)"),
    "tensorflow_pairwise_order": Key(True, _flag, "pairwise channels in this code's order, else by the stats' graph"),
    "intermediate_supervision": Key(False, _flag, "a second part loss, on an earlier layer"),
    "intermediate_supervision_layer": Key(12, _POS, "which unit of ResNet block 3"),
    # Network and optimiser
    "net_type": Key("resnet_101", _choice(*NET_TYPES), "backbone"),
    "init_weights": Key("", _text, "checkpoint to start from; empty: random weights"),
    "batch_norm": Key("auto", _choice("auto", "frozen", "train"),
                      "moments: stored (frozen) or of the batch (train); auto: frozen if init_weights is set"),
    "batch_norm_decay": Key(0.997, _number(0, 1), "training moments: share kept at each step; .95 for short runs"),
    "precision": Key("float32", _choice("auto", "float32", "bfloat16", "float16"),
                     "arithmetic of the convolutions; auto: the quickest that the hardware has"),
    "freeze_backbone": Key(False, _flag, "train the heads only"),
    "optimizer": Key("sgd", _choice("sgd", "adam", "adamw"),
                     "sgd has momentum .9; adamw decouples weight_decay from the gradients (arXiv 1711.05101)"),
    "adam_lr": Key(None, _number(0, above=True), "adam: constant learning rate instead of multi_step"),
    "warmup_steps": Key(0, _NAT, "the learning rate rises to its value during the first steps"),
    "cosine_decay": Key(False, _flag, "half a cosine from multi_step's first rate to 0 instead of its steps"),
    "ema_decay": Key(0.0, _number(0, 1), "share kept at each step by a moving average of the weights, which inference "
                     "then uses, such as .999; 0: none"),
    "multi_step": Key(None, _multi_step, "[[learning rate, up to this step], ...]; training ends with the last"),
    "regularize": Key(False, _flag, "weight decay"),
    "weight_decay": Key(0.0001, _number(0), "regularize: factor of the L2 term; adamw: share lost at rate 1"),
    # The held-out set
    "eval_iters": Key(0, _NAT, "steps between two scores on held-out images, of which the best keeps its snapshot; "
                      "0: none"),
    "eval_dataset": Key("", _text, "their data set, read as `dataset` is; empty: the same (dataset_type coco)"),
    "eval_phase": Key("val", _text, "coco: their phase"),
    "eval_images": Key(200, _POS, "at most so many of them, always the same"),
    # The run
    "display_iters": Key(20, _POS, "steps between two lines of the log"),
    "save_iters": Key(5000, _POS, "steps between two snapshots"),
    "snapshot_prefix": Key("snapshot", _text, "snapshots are called <snapshot_prefix>-<step>"),
    "log_dir": Key("log", _text, "folder for TensorBoard; empty: none"),
    # Inference and grouping
    "tta": Key([], _list_of(_augmentation, what="views"),
               "maps are averaged with those of the mirrored image (flip) and of other sizes, as in [flip, 0.8, 1.25]"),
    "scoremap_dir": Key("test", _text, "folder into which tools/cache_scoremaps.py writes score maps"),
    "cached_scoremaps": Key("", _text, "folder of such score maps to group from, instead of running the network"),
    "nms_radius": Key(5.0, _number(0), "cells; a detection suppresses weaker ones of its part within it"),
    "det_min_score": Key(0.2, _number(0, 1), "detections below are dropped"),
    "scmap_threshold": Key(0.1, _number(0, 1), "single person: joints below are not drawn"),
    "solver": Key("fast", _choice("fast", "exact", "greedy"),
                  "grouping: multicut by search; by an integer program, with proof; or the surest pair first"),
    "solver_seconds": Key(0.0, _number(0), "limit for the grouping of an image, best solution so far; 0: none"),
    "sparse_graph": Key([], _PAIRS, "pairs of parts with edges between them; empty: all"),
    "pairwise_model_dir": Key("pairwise", _text, "folder of spatial_model_cidx_*.mat (tools/train_pairwise.py)"),
    "min_keypoints": Key(3, _POS, "people with fewer parts are dropped"),
    "min_person_score": Key(0.0, _number(0, 1), "people whose mean confidence over all joints is below are dropped"),
    "fill_missing_joints": Key(False, _flag, "guess a person's missing parts from the pairwise offsets of the others"),
    "pck_threshold": Key(0.2, _number(0), "a joint counts as right within this fraction of the torso"),
}  # fmt: skip

# Relative to the YAML file, then to the current directory; a checkpoint exists when its index does.
PATHS = {"dataset": "", "eval_dataset": "", "cached_scoremaps": "", "pairwise_stats_fn": "", "pairwise_model_dir": "",
          "init_weights": ".index"}  # fmt: skip


def load_config(
    filename: str | os.PathLike = "pose_cfg.yaml", overrides: Iterable[str] | Mapping[str, Any] = ()
) -> EasyDict:
    """The configuration of a YAML file, completed by the defaults.

    filename: relative to the folder in the environment variable POSE_PARAM_PATH, if that is set
    overrides: texts "key=value" (the value in YAML), or a mapping

    Raises InputError for an unreadable file, an unknown key or an impossible value.
    """
    path = Path(os.environ.get("POSE_PARAM_PATH", ""), filename)
    values = _read_yaml(path)
    cfg = _checked(_defaults(), values, str(path))
    cfg = _checked(cfg, _parse_overrides(overrides), "command line")
    for key, suffix in PATHS.items():
        cfg[key] = _resolve(cfg[key], path.parent, suffix)
    cfg.config_file = str(path)
    _check_together(cfg)
    return cfg


def make_config(**values: Any) -> EasyDict:
    """The defaults with `values` over them, checked as if they stood in a file."""
    cfg = _checked(_defaults(), values, "make_config")
    cfg.config_file = "make_config"
    _check_together(cfg)
    return cfg


def require(cfg: EasyDict, *keys: str) -> None:
    """Raise InputError for the first of `keys` that has no value."""
    for key in keys:
        if cfg[key] is None or cfg[key] == "":
            raise InputError(f"{cfg.config_file}: {key} is missing: {KEYS[key].doc}")


def _defaults() -> dict:
    return {name: key.default for name, key in KEYS.items()}


def _read_yaml(path: Path) -> dict:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; run this in a model directory "
                         "(such as models/coco/train) or set POSE_PARAM_PATH") from error  # fmt: skip
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8") from error
    values = _parse_yaml(text, str(path))
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected lines of 'key: value', found {type(values).__name__}")
    return values


def _parse_overrides(overrides) -> dict:
    if isinstance(overrides, Mapping):
        return dict(overrides)
    values = {}
    for text in overrides:
        key, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"command line: {text!r}: expected key=value, such as batch_size=4")
        values[key.strip()] = _parse_yaml(value, f"command line: {text!r}")
    return values


def _parse_yaml(text: str, source: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(f"{source}: {place}not YAML: {problem}") from error
    except (ValueError, LookupError, AttributeError, OverflowError, RecursionError) as error:
        # Values that look like numbers or dates and are none (2001-99-99, 0x_), and nesting without end.
        raise InputError(f"{source}: not usable YAML: {error}") from error


def _checked(base: Mapping[str, Any], values: Mapping[Any, Any], source: str) -> EasyDict:
    """A copy of `base` with `values` over it; raises InputError that names `source` and the key."""
    result = {key: list(value) if isinstance(value, list) else value for key, value in base.items()}
    for key, value in values.items():
        if key not in KEYS:
            close = difflib.get_close_matches(str(key)[:100], KEYS, n=1)
            hint = f"; did you mean {close[0]}?" if close else "; config.py lists all keys"
            raise InputError(f"{source}: unknown key {_shown(key)}{hint}")
        if value is None:  # an empty value in YAML: keep the default
            continue
        try:
            result[key] = KEYS[key].check(value)
        except ValueError as error:
            raise InputError(f"{source}: {key}: expected {error}, found {_shown(value)}") from None
    return EasyDict(result)


def _shown(value: Any) -> str:
    """A value for an error message, shortened: a few anchors of YAML can stand for billions of values."""
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


def _check_together(cfg: EasyDict) -> None:
    """Checks between keys; fills num_joints from all_joints."""
    where = cfg.config_file
    if cfg.all_joints:
        ids = sorted(joint for group in cfg.all_joints for joint in group)
        if ids != list(range(len(ids))):
            raise InputError(f"{where}: all_joints: every joint id from 0 on exactly once, found {ids}")
        if cfg.num_joints is None:
            cfg.num_joints = len(ids)
        if cfg.num_joints != len(ids):
            raise InputError(f"{where}: num_joints is {cfg.num_joints}, but all_joints has {len(ids)} joints")
        if cfg.all_joints_names and len(cfg.all_joints_names) != len(cfg.all_joints):
            raise InputError(f"{where}: all_joints_names: {len(cfg.all_joints)} names expected (one a group of "
                             f"all_joints), found {len(cfg.all_joints_names)}")  # fmt: skip
    if cfg.scale_jitter_lo > cfg.scale_jitter_up:
        limits = cfg.scale_jitter_lo, cfg.scale_jitter_up
        raise InputError(f"{where}: scale_jitter_lo {limits[0]} is above scale_jitter_up {limits[1]}")
    if cfg.mosaic and not cfg.crop_size:
        raise InputError(f"{where}: mosaic needs crop_size, the side of the mosaics")
    if cfg.eval_iters and not cfg.eval_dataset and cfg.dataset_type != "coco":
        raise InputError(f"{where}: eval_iters needs eval_dataset, the held-out set")
    if cfg.background_weight < 1 and not cfg.weigh_part_predictions:
        raise InputError(f"{where}: background_weight needs weigh_part_predictions: true")
    for pair in cfg.sparse_graph:
        if pair[0] == pair[1] or (cfg.num_joints and max(pair) >= cfg.num_joints):
            raise InputError(f"{where}: sparse_graph: {pair} is no pair of two of the {cfg.num_joints} joints")
