"""From configuration and description to network."""

from dataset.model_spec import ModelSpec
from nnet.pose_net import PoseNet


def pose_net(cfg, spec: ModelSpec, dtype: str = "float32") -> PoseNet:
    """The network that `spec` describes, with random weights, to be trained as `cfg` says."""
    return PoseNet(cfg, spec, dtype)
