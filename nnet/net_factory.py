"""From configuration to network."""

from nnet.pose_net import PoseNet


def pose_net(cfg, dtype: str = "float32") -> PoseNet:
    """The network of `cfg`, with random weights."""
    return PoseNet(cfg, dtype)
