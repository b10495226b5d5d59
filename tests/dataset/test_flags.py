"""Flags of joints in both formats."""

from dataset.flags import AIC_FLAGS, AIC_FLAGS_OF_COCO, COCO_FLAG


def test_flags_of_both_formats_correspond():
    """AI Challenger: 1 visible, 2 hidden, 3 not labelled; COCO: 2 visible, 1 hidden, 0 not labelled."""
    assert COCO_FLAG == {1: 2, 2: 1, 3: 0} and COCO_FLAG.keys() == AIC_FLAGS
    assert AIC_FLAGS_OF_COCO.tolist() == [3, 2, 1]
