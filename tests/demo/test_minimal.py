"""The steps of the method, called one after the other, find what the model finds."""

import numpy as np
from PIL import Image

from demo import minimal
from multiperson import load_model
from util.draw import palette


def test_the_steps_find_and_draw_the_people(tmp_path, capsys):
    photo, picture = "demo/people.jpg", tmp_path / "people.png"
    minimal.main([photo, str(picture)])
    everybody = {"min_keypoints": 1, "min_person_score": 0.0, "precision": "float32"}
    people = load_model("models/demo", everybody)(photo).people
    assert capsys.readouterr().out == f"{len(people.score)} people, drawn into {picture}\n"
    drawn = np.asarray(Image.open(picture)).astype(int)
    x, y = people.keypoints[0, people.keypoints[0, :, 2].argmax(), :2].round().astype(int)
    colors = 255 * palette(range(len(people.score)))
    assert np.abs(drawn[y, x] - colors).max(axis=1).min() < 3
