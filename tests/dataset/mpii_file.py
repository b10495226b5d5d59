"""A small file with the layout of mpii_human_pose_v1_u12_1.mat, oddities included."""

import numpy as np
from scipy.io import savemat

EMPTY = np.zeros((0, 0))


def struct(records):
    """A MATLAB struct array (1, N) of dicts with the same keys."""
    records = list(records)
    array = np.empty((1, len(records)), [(key, object) for key in records[0]])
    for i, record in enumerate(records):
        array[0, i] = tuple(np.array([[v]]) if isinstance(v, int | float) else v for v in record.values())
    return array


def person(points, head=(100, 40, 130, 80), visible="1"):
    """An annorect of a training image; points: {id: (x, y)}. A head of .6 * 50 = 30 pixels by default."""
    rows = [{"x": float(x), "y": float(y), "id": id_, "is_visible": visible} for id_, (x, y) in points.items()]
    x1, y1, x2, y2 = map(float, head)
    return {
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
        "annopoints": struct([{"point": struct(rows)}]) if rows else EMPTY,
        "scale": 1.2,
        "objpos": struct([{"x": 100, "y": 120}]),
    }


def write_release(path, images):
    """images: (name, annorects, whether it is for training, the persons that stand alone, from 1 on)"""
    annolist = struct(
        {
            "image": struct([{"name": name}]),
            "annorect": struct(rects) if rects else EMPTY,
            "frame_sec": EMPTY if not train else 12.0,
            "vididx": EMPTY if not train else 3,
        }
        for name, rects, train, _ in images
    )
    single = np.empty((len(images), 1), object)
    for i, (*_, alone) in enumerate(images):
        single[i, 0] = np.array(alone, np.uint8).reshape(-1, 1) if alone else EMPTY
    activity = struct({"act_name": "curling", "cat_name": "winter activities", "act_id": 1} for _ in images)
    videos = np.empty((1, 1), object)
    videos[0, 0] = "_"
    release = {
        "annolist": annolist,
        "img_train": np.array([[float(train) for *_, train, _ in images]]),
        "version": "12",
        "single_person": single,
        "act": activity.T,
        "video_list": videos,
    }
    savemat(path, {"RELEASE": struct([release])}, do_compression=True)
