"""One training set from photos of people, photos without people, and drawn people; run it in this folder.

Reads the converted annotations of lspet/ and toy/ and those of coco_mini/ as they come, writes
mixed/annotations/person_keypoints_train.json. The images are found below mixed/images/train/{lspet,toy,coco}.
"""

import json
from pathlib import Path


def read(path):
    return json.loads(Path(path).read_text())


photos, drawn = (read(f"{name}/annotations/person_keypoints_train.json") for name in ("lspet", "toy"))
coco = read("coco_mini/annotations/person_keypoints_train2017.json")
mixed = {"categories": photos["categories"], "images": [], "annotations": []}
for name, part in (("lspet", photos), ("toy", drawn)):
    for image in part["images"]:
        mixed["images"].append({**image, "id": f"{name}{image['id']}", "file_name": f"{name}/{image['file_name']}"})
    for entry in part["annotations"]:
        number = len(mixed["annotations"]) + 1
        mixed["annotations"].append({**entry, "id": number, "image_id": f"{name}{entry['image_id']}"})
with_people = {entry["image_id"] for entry in coco["annotations"]}
empty = [image for image in coco["images"] if image["id"] not in with_people]
for copy in range(8):  # they are few: seen more often
    for image in empty:
        mixed["images"].append({**image, "id": f"empty{copy}_{image['id']}", "file_name": f"coco/{image['file_name']}"})
out = Path("mixed/annotations/person_keypoints_train.json")
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text(json.dumps(mixed))
print(len(mixed["images"]), "images,", len(mixed["annotations"]), "people")
