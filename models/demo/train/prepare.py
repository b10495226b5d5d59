"""The data of the training of models/demo, all with AI Challenger's 14 joints; run it in this folder (README.md there).

Reads  coco_people/person_keypoints_{train,dev}.json with photos in coco_people/{train,dev}/,
       coco_mini/ as COCO lays its folders out, pelota/annotations/ and pelota/photos/, coco_more/annotations.json and
       coco_more/photos/ (more people; may be missing),
       lspet/annotations_train.json with photos in lspet/images/,
       lspet_movenet.json, what MoveNet finds in these (movenet.py)
Writes data/annotations/person_keypoints_{coco,lspet,dev}.json and links in data/images/.

    python prepare.py --licences 4 5 7     # of COCO's photos only those under BY, BY-SA or without known restrictions
"""

import argparse
import json
from itertools import combinations
from pathlib import Path

import numpy as np

AIC = ["right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
       "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
       "head_top", "neck"]  # fmt: skip
# COCO's ids of AI Challenger's first twelve joints.
BODY = [6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15]
# Points from which the head top and the neck are guessed, as means of COCO's joints.
ANCHORS = {"nose": [0], "eyes": [1, 2], "ears": [3, 4], "shoulders": [5, 6], "hips": [11, 12]}
# Of MoveNet: joints above are believed, people above are labels, those above the second only hide what they cover.
SURE_JOINT, SURE_PERSON, UNSURE_PERSON = 0.3, 0.3, 0.1


def read(path):
    return json.loads(Path(path).read_text())


def anchors(joints):
    """Position of each anchor of COCO joints (17, 3), where all of its joints are there."""
    return {name: joints[ids, :2].mean(axis=0) for name, ids in ANCHORS.items() if (joints[ids, 2] > 0).all()}


class HeadModel:
    """Head top and neck as weighted means of anchors, the weights fitted on people who have both kinds of labels."""

    def __init__(self, coco, aic):
        """coco: (n, 17, 3) joints that somebody found; aic: (n, 14, 3) labels of the same people."""
        seen = [anchors(person) for person in coco]
        self.weights = {}
        for count in range(len(ANCHORS), 1, -1):
            for names in combinations(ANCHORS, count):
                for joint in (12, 13):
                    rows = [i for i, found in enumerate(seen) if set(names) <= set(found) and aic[i, joint, 2] > 0]
                    if len(rows) >= 50:
                        self.weights[joint, names] = self._fit(names, seen, aic[:, joint, :2], rows)

    @staticmethod
    def _fit(names, seen, target, rows):
        # Weights that sum to 1 do not care where the picture begins: all relative to the last anchor.
        last = np.array([seen[i][names[-1]] for i in rows])
        inputs = np.array([[seen[i][name] for name in names[:-1]] for i in rows]) - last[:, None]
        size = np.abs(inputs).max(axis=(1, 2)).clip(1)
        matrix = (inputs / size[:, None, None]).transpose(0, 2, 1).reshape(-1, len(names) - 1)
        goal = ((target[rows] - last) / size[:, None]).reshape(-1)
        weights = np.linalg.lstsq(matrix, goal, rcond=None)[0]
        for _ in range(5):  # wrong labels count less
            error = np.abs(matrix @ weights - goal)
            factor = 1 / np.maximum(error, np.median(error))
            weights = np.linalg.lstsq(matrix * factor[:, None] ** 0.5, goal * factor**0.5, rcond=None)[0]
        error = np.abs(matrix @ weights - goal)
        return weights, float(np.median(error))

    def guess(self, joints, joint):
        """x, y, 1 of AI Challenger's `joint` for COCO joints (17, 3), or zeros."""
        found = anchors(joints)
        # A face alone says little about a neck.
        if joint == 13 and "shoulders" not in found:
            return np.zeros(3)
        for count in range(len(found), 1, -1):
            for names in combinations(found, count):
                if (joint, names) in self.weights:
                    weights = self.weights[joint, names][0]
                    last = found[names[-1]]
                    return np.append(
                        last + sum(w * (found[n] - last) for w, n in zip(weights, names[:-1], strict=True)), 1
                    )
        return np.zeros(3)

    def to_aic(self, joints):
        """(14, 3) of COCO joints (17, 3), flags 0, 1 or 2."""
        return np.concatenate([joints[BODY], [self.guess(joints, joint) for joint in (12, 13)]])


def extent(joints):
    points = joints[joints[:, 2] > 0, :2]
    return (points.min(axis=0), points.max(axis=0)) if len(points) else (np.zeros(2), np.zeros(2))


def distance(a, b):
    """Mean distance of the joints that two people (n, 3) have in common, in parts of the larger one's extent."""
    both = (a[:, 2] > 0) & (b[:, 2] > 0)
    if not both.any():
        return np.inf
    size = max(float(np.ptp(p[p[:, 2] > 0, :2], axis=0).max()) for p in (a, b))
    return float(np.hypot(*(a[both, :2] - b[both, :2]).T).mean() / max(size, 1))


class Writer:
    """A COCO file of AI Challenger's joints."""

    def __init__(self, phase):
        self.phase = phase
        self.content = {"images": [], "annotations": [],
                        "categories": [{"id": 1, "name": "person", "keypoints": AIC}]}  # fmt: skip

    def image(self, file_name, **entries):
        self.content["images"].append({"id": len(self.content["images"]) + 1, "file_name": file_name, **entries})
        return self.content["images"][-1]["id"]

    def person(self, image_id, joints, box=None, **entries):
        if box is None:
            low, high = extent(joints)
            margin = 0.1 * (high - low).max()
            box = [*(low - margin), *(high - low + 2 * margin)]
        box = [round(float(value), 1) for value in box]
        self.content["annotations"].append({
            "id": len(self.content["annotations"]) + 1, "image_id": image_id, "category_id": 1, "iscrowd": 0,
            "keypoints": np.round(joints, 1).reshape(-1).tolist(), "num_keypoints": int((joints[:, 2] > 0).sum()),
            "bbox": box, "area": round(box[2] * box[3] * 0.521, 1), **entries})  # fmt: skip

    def region(self, image_id, box):
        """Somebody is there of whom no joint is known."""
        self.person(image_id, np.zeros((14, 3)), box)

    def write(self):
        path = Path("data/annotations", f"person_keypoints_{self.phase}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.content))
        people = sum(entry["num_keypoints"] > 0 for entry in self.content["annotations"])
        print(f"{path}: {len(self.content['images'])} images, {people} people")


def movenet_people(path):
    """What MoveNet found by image: (joints (17, 3), score), unsure joints with flag 0."""
    found = {}
    for entry in read(path):
        joints = np.array(entry["keypoints"]).reshape(17, 3)
        joints[:, 2] = joints[:, 2] >= SURE_JOINT
        joints[joints[:, 2] == 0] = 0
        if joints[:, 2].any():
            found.setdefault(entry["image_id"], []).append((joints, entry["score"]))
    return found


def lspet_labels(record):
    joints = np.array(record["keypoint_annotations"]["human1"], float).reshape(14, 3)
    joints[joints[:, 2] == 3] = 0
    return joints


def fit_head(records, found):
    pairs = []
    for record in records:
        label = lspet_labels(record)
        for joints, score in found.get(record["image_id"], ()):
            if score > SURE_PERSON and distance(joints[BODY], label[:12]) < 0.06:
                pairs.append((joints, label))
    model = HeadModel(*(np.array(side) for side in zip(*pairs, strict=True)))
    for joint, names in ((12, ("nose", "eyes", "ears", "shoulders", "hips")), (13, ("shoulders", "hips"))):
        weights, error = model.weights[joint, names]
        print(f"{AIC[joint]} from {', '.join(names)}: weights {np.round(weights, 2)}, "
              f"median error {error:.3f} of the anchors' extent ({len(pairs)} people)")  # fmt: skip
    return model


def add_coco(writer, content, folder, head):
    people = {}
    for entry in content["annotations"]:
        people.setdefault(entry["image_id"], []).append(entry)
    for image in content["images"]:
        size = {"width": image["width"], "height": image["height"]}
        number = writer.image(f"{folder}/{image['file_name']}", **size)
        for entry in people.get(image["id"], ()):
            joints = np.array(entry.get("keypoints") or [0] * 51, float).reshape(17, 3)
            if entry.get("iscrowd"):
                writer.person(number, np.zeros((14, 3)), entry["bbox"], iscrowd=1, segmentation=entry["segmentation"])
            else:
                writer.person(number, head.to_aic(joints), entry["bbox"])


def under_licences(content, licences):
    """The COCO file with only its photos under these licences, by their numbers in COCO's files; None: all of it."""
    if licences is None:
        return content
    return content | {"images": [image for image in content["images"] if image.get("license") in licences]}


def add_lspet(writer, records, found, head):
    for record in records:
        label = lspet_labels(record)
        number = writer.image(f"lspet/{record['image_id']}.jpg")
        writer.person(number, label)
        low, high = extent(label)
        for joints, score in found.get(record["image_id"], ()):
            mid = np.mean(extent(joints), axis=0)
            same = distance(joints[BODY], label[:12]) < 0.35 or bool(((mid > low) & (mid < high)).all())
            if same:
                continue
            if score >= SURE_PERSON and joints[5:, 2].sum() >= 6:
                writer.person(number, head.to_aic(joints))
            elif score >= UNSURE_PERSON:
                start, end = extent(joints)
                margin = 0.15 * (end - start).max()
                writer.region(number, [*(start - margin), *(end - start + 2 * margin)])


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--licences", nargs="+", type=int, help="for training, only COCO's photos under these")
    licences = arguments.parse_args().licences
    found, records = movenet_people("lspet_movenet.json"), read("lspet/annotations_train.json")
    head = fit_head(records, found)
    coco, dev, lspet = Writer("coco"), Writer("dev"), Writer("lspet")
    people, mini = "coco_people/person_keypoints_train.json", "coco_mini/annotations/person_keypoints_train2017.json"
    add_coco(coco, under_licences(read(people), licences), "train", head)
    add_coco(coco, under_licences(read(mini), licences), "mini", head)
    if Path("pelota").exists() and licences is None:
        for part in ("train2017", "val2017"):
            add_coco(coco, read(f"pelota/annotations/person_keypoints_{part}.json"), "pelota", head)
    if Path("coco_more").exists() and licences is None:
        add_coco(coco, read("coco_more/annotations.json"), "more", head)
    add_coco(dev, read("coco_people/person_keypoints_dev.json"), "dev", head)
    add_lspet(lspet, records, found, head)
    for writer in (coco, dev, lspet):
        writer.write()
        folder = Path("data/images", writer.phase)
        folder.mkdir(parents=True, exist_ok=True)
        for name, target in (("train", "coco_people/train"), ("dev", "coco_people/dev"), ("lspet", "lspet/images"),
                             ("mini", "coco_mini/images/train2017"), ("pelota", "pelota/photos"),
                             ("more", "coco_more/photos")):  # fmt: skip
            link = folder / name
            link.unlink(missing_ok=True)
            link.symlink_to(Path(target).absolute(), target_is_directory=True)


if __name__ == "__main__":
    main()
