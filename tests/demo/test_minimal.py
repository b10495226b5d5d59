"""The steps of the method, called one after the other, find what the model finds."""

import numpy as np

from demo import minimal
from multiperson import load_model
from util.draw import palette
from util.images import read_image, sample_photographs


def test_the_steps_find_and_draw_the_people(tmp_path, capsys):
    photo, picture = sample_photographs()[0], tmp_path / "people.png"
    minimal.main([str(photo), str(picture)])
    everybody = {"min_keypoints": 1, "min_person_score": 0.0, "precision": "float32"}
    people = load_model("models/demo", everybody)(photo).people
    assert capsys.readouterr().out == f"{len(people.score)} people, drawn into {picture}\n"
    drawn, colors = read_image(picture).astype(int), 255 * palette(range(len(people.score)))

    def is_drawn(x, y):
        near = drawn[max(y - 3, 0) : y + 4, max(x - 3, 0) : x + 4, None]
        return np.abs(near - colors).max(axis=3).min() < 3

    found = people.keypoints[0][people.keypoints[0, :, 2] > 0]
    # Not all: without `drop_strays` some joints are means of two places.
    assert np.mean([is_drawn(x, y) for x, y in found[:, :2].round().astype(int)]) > 0.6
