"""From an image's maps to its people. Nothing in this package imports TensorFlow.

For example:

    from multiperson import load_model

    estimator = load_model("models/demo")
    for person in estimator("photo.jpg").as_dict()["people"]:
        print(person["score"], person["keypoints"])
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnet.load import load_model

__all__ = ["load_model"]


def __getattr__(name):
    """Offer `load_model`, where users look for it; it belongs to nnet, which loads networks.

    This is the only import against the direction of the packages. It is made on first use, so that the modules of this
    package work without nnet.
    """
    if name == "load_model":
        from nnet.load import load_model

        return load_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
