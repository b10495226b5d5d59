"""Names of the arrays in a checkpoint, as slim and TensorFlow 1 give them, and what a name says."""

from collections.abc import Iterable

GLOBAL_STEP = "global_step"
# In the best snapshot: its score.
SCORE = "validation_score"
LOSS_SCALE, LOSS_SCALE_GOOD_STEPS = "loss_scale", "loss_scale_good_steps"
# How many steps the optimizer's state comes from. Snapshots of ours without it keep another momentum (nnet.trainer).
OPTIMIZER_STEPS = "optimizer_steps"
_OF_TRAINING = GLOBAL_STEP, SCORE, LOSS_SCALE, LOSS_SCALE_GOOD_STEPS, OPTIMIZER_STEPS
# After a variable's name: its moving average, and the state of the optimizers.
AVERAGE = "ExponentialMovingAverage"
SLOTS = MOMENTUM, FIRST_MOMENT, SECOND_MOMENT = "Momentum", "Adam", "Adam_1"


def head_of(name: str) -> str | None:
    """The head of a variable, "part_pred" for "pose/part_pred/block4/weights"; None for the backbone's."""
    return name.split("/")[1] if name.startswith("pose/") else None


def is_kernel(name: str) -> bool:
    """Whether a variable is a convolution's kernel, which weight decay acts on."""
    return name.rpartition("/")[2] in ("weights", "depthwise_weights")


def inference_sources(names: Iterable[str]) -> dict[str, str]:
    """Of the arrays of a checkpoint those that inference takes, by variable: its moving average where there is one."""
    names = set(names)
    variables = [
        name
        for name in names
        if name.rpartition("/")[2] not in (*SLOTS, AVERAGE)
        and name not in _OF_TRAINING
        and head_of(name) != "intermediate_supervision"
    ]
    return {name: f"{name}/{AVERAGE}" if f"{name}/{AVERAGE}" in names else name for name in sorted(variables)}
