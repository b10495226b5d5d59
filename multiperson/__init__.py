"""From an image's maps to its people.

from multiperson import load_model

model = load_model("models/demo")
for person in model("photo.jpg").as_dict()["people"]:
    print(person["score"], person["keypoints"])
"""

from multiperson.load import load_model

__all__ = ["load_model"]
