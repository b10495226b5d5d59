"""From a data set and a simulated network to models that group people; mistakes are told in one line."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from config import load_config
from dataset.model_spec import REACH, from_config
from dataset.pair_offsets import save_pairwise_stats
from dataset.pose_dataset import save_dataset_mat
from multiperson.pairwise_model import Origin, load_model
from multiperson.predict import SpatialModel, predict_people
from multiperson.simulate import simulate_maps
from tests.simulated import SeesPeople
from tools import train_pairwise
from tools.train_pairwise import main
from util.errors import InputError

POSE = np.array([[0, -80], [-30, -40], [30, -40], [-20, 60]])
SIZE = 240, 320


def people_of(image):
    """Two people, in other places in each image."""
    places = [[70, 100 + 5 * image], [210 + 8 * image, 120]]
    return np.array([[[*joint, 1] for joint in POSE + place] for place in places], float)


@pytest.fixture
def model_folder(tmp_path, monkeypatch):
    """Six images whose number is their colour, their dataset.mat, and a network that knows what they show."""
    records = []
    for k in range(6):
        Image.fromarray(np.full((*SIZE, 3), 10 * k, np.uint8)).save(tmp_path / f"{k}.png")
        records.append((f"{k}.png", SIZE, [np.column_stack([np.arange(4), person[:, :2]]) for person in people_of(k)]))
    save_dataset_mat(tmp_path / "dataset.mat", records)
    (tmp_path / "pose_cfg.yaml").write_text("num_joints: 4\ndataset: dataset.mat\npairwise_predict: true\n")
    save_pairwise_stats(tmp_path / "pairwise_stats.mat", np.zeros((12, 2)), np.ones((12, 2)))

    def load_network(cfg, weights):
        spec = replace(from_config(cfg), network=f"id of {weights}")
        return SeesPeople(cfg, spec, lambda image: people_of(int(image[0, 0, 0]) // 10), "low")

    monkeypatch.setattr(train_pairwise, "load_network", load_network)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_models_are_written_and_group_people(model_folder, capsys):
    main(["--snapshot", "any"])
    report = capsys.readouterr().out
    assert "joint0 - joint1" in report and "6 images, 12 people" in report and "6 models written to" in report
    cfg = load_config("pose_cfg.yaml")
    model = SpatialModel(cfg, from_config(cfg).skeleton).load()
    people = predict_people(model, cfg, simulate_maps(people_of(3), *SIZE, stride=8))
    found = people.keypoints[np.argsort(people.keypoints[:, 0, 0]), :, :2]
    np.testing.assert_allclose(found, people_of(3)[..., :2], atol=1e-4)


def test_pairs_folder_and_number_of_images_can_be_chosen(model_folder, capsys):
    main(["--snapshot", "any", "--images", "2", "--out_dir", "elsewhere", "sparse_graph=[[2, 0], [1, 3]]"])
    names = {path.name for path in (model_folder / "elsewhere").iterdir()}
    assert names == {"spatial_model_cidx_1_3.mat", "spatial_model_cidx_2_4.mat"}
    report = capsys.readouterr().out
    assert "2 images" in report and "few examples" in report


def test_models_know_their_joints_and_their_network(model_folder):
    main(["--snapshot", "any", "--images", "2"])
    path = model_folder / "pairwise/spatial_model_cidx_1_3.mat"
    assert load_model(path)[1] == Origin("", "", "id of any", REACH)
    with open("pose_cfg.yaml", "a") as file:
        file.write("all_joints: [[0], [1], [2], [3]]\nall_joints_names: [head, left hand, right hand, foot]\n")
    main(["--snapshot", "any", "--images", "2"])
    assert load_model(path)[1] == Origin("head", "right hand", "id of any", REACH)


def test_broken_images_are_left_out(model_folder, caplog):
    (model_folder / "2.png").write_bytes(b"no image")
    main(["--snapshot", "any"])
    assert "skipped" in caplog.text and "2.png" in caplog.text
    for path in model_folder.glob("*.png"):
        path.write_bytes(b"no image")
    with pytest.raises(InputError, match="none of the 6 images can be read"):
        main(["--snapshot", "any"])


def test_a_single_person_network_is_refused(model_folder):
    with pytest.raises(InputError, match="this network has no offsets between joints to learn from"):
        main(["--snapshot", "any", "pairwise_predict=false"])
