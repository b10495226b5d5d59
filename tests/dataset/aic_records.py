"""Records of AI Challenger's files, for tests."""

PERSON = [x for joint in range(14) for x in (10 * joint, 20 * joint, 1)]
BOX = [0, 0, 130, 260]


def record(image_id="a", keypoints=None, boxes=None):
    """An image of one person, or of other keypoints and boxes by name."""
    keypoints = {"human1": PERSON} if keypoints is None else keypoints
    boxes = dict.fromkeys(keypoints, BOX) if boxes is None else boxes
    return {"image_id": image_id, "keypoint_annotations": keypoints, "human_annotations": boxes}
