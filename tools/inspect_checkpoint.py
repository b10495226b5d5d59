"""Show the content of a checkpoint, and which part of it fits a configuration.

    python tools/inspect_checkpoint.py models/pretrained/resnet_v1_101.ckpt
    cd models/coco/test
    python ../../../tools/inspect_checkpoint.py ../coco-resnet-101 --cfg pose_cfg.yaml

Any checkpoint under slim's names: ImageNet weights, the published COCO and MPII models, DeepLabCut's TensorFlow
snapshots, our own. The exit status is 1 if the configuration can neither start training from it nor predict with it.
"""

try:
    from util.cli import parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

import math
from collections import Counter
from collections.abc import Mapping

from config import load_config
from nnet.checkpoint_names import AVERAGE, SLOTS, head_of
from nnet.description import describe
from nnet.snapshots import require_checkpoint
from util.report import table

HEADS = "part_pred", "locref_pred", "pairwise_pred", "intermediate_supervision"
SHOWN = 10

Shapes = Mapping[str, tuple[int, ...]]


def main(argv: list[str] | None = None) -> int:
    arguments = parser(__doc__)
    arguments.add_argument("checkpoint", help="its path without .index")
    arguments.add_argument("--cfg", help="configuration to use it with, such as pose_cfg.yaml")
    arguments.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="key=value",
        dest="overrides",
        help="keys of the configuration (config.py), such as num_joints=14",
    )
    options = arguments.parse_args(argv)
    cfg = load_config(options.cfg, options.overrides) if options.cfg else None
    require_checkpoint(options.checkpoint)  # before TensorFlow is loaded

    from nnet.checkpoint import read_shapes

    shapes = read_shapes(options.checkpoint)
    print(contents_table(shapes))
    print(f"\n{description(shapes)}")
    return report_fit(shapes, cfg, options.checkpoint) if cfg else 0


def group_of(name: str) -> str:
    """The group that an array belongs to."""
    first, _, rest = name.partition("/")
    last = name.rsplit("/", 1)[-1]
    if last in SLOTS:
        return "optimizer"
    if last == AVERAGE:
        return "moving averages of weights"
    if head_of(name):
        return f"head {head_of(name)}"
    if rest.startswith("logits"):
        return "ImageNet's classifier (left aside)"
    return f"backbone {first}" if rest else "other"


def contents_table(shapes: Shapes) -> str:
    """A row for each group of arrays."""
    arrays, numbers = Counter(), Counter()
    for name, shape in shapes.items():
        arrays[group_of(name)] += 1
        numbers[group_of(name)] += math.prod(shape)
    return table(["what", "arrays", "numbers"], [[group, arrays[group], numbers[group]] for group in sorted(arrays)])


def description(shapes: Shapes) -> str:
    """The kind of model."""
    backbones = sorted({group_of(name).split()[1] for name in shapes if group_of(name).startswith("backbone")})
    heads = [head for head in HEADS if f"pose/{head}/block4/biases" in shapes]
    lines = [f"backbone: {', '.join(backbones) or 'none'}", f"heads: {', '.join(heads) or 'none'}"]
    if "part_pred" in heads:
        lines.append(f"joints: {shapes['pose/part_pred/block4/biases'][0]}")
    return "\n".join(lines)


def report_fit(shapes: Shapes, cfg, checkpoint: str) -> int:
    """Print what fits the network of `cfg` and what does not; returns 1 if it is useless for that."""
    from nnet.checkpoint import misfits, starting_variables
    from nnet.net_factory import pose_net

    variables = pose_net(cfg, describe(cfg, checkpoint)).slim_variables()
    unfit = misfits(variables, shapes)
    print(f"\n{cfg.config_file}: {len(variables) - len(unfit)} of the network's {len(variables)} variables fit")
    missing = [misfit.name for misfit in unfit if misfit.there is None]
    differing = [misfit for misfit in unfit if misfit.there is not None]
    for what, listed in (("missing there", missing), ("of another shape", differing)):
        if listed:
            print(f"{what}: {len(listed)}", *listed[:SHOWN], *["..."] * (len(listed) > SHOWN), sep="\n  ")
    wanted, random = starting_variables(variables, shapes)
    trains = not misfits({name: variables[name] for name in wanted}, shapes)
    predicts = all(head_of(misfit.name) == "intermediate_supervision" for misfit in unfit)
    start = f"yes, but for the heads {', '.join(random)}" if random else "yes"
    print(f"training can start from it: {start if trains else 'no'}")
    print(f"it can predict: {'yes' if predicts else 'no'}")
    return 0 if trains or predicts else 1


if __name__ == "__main__":
    run(main)
