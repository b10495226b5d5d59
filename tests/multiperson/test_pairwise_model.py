"""Features follow their definition; model files have the published layout, and broken ones are refused."""

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from dataset.model_spec import PIXELS, REACH
from multiperson.detections import Nodes
from multiperson.pairwise_model import (
    Origin,
    PairModel,
    distance_units,
    load_model,
    model_path,
    pair_edges,
    pair_features,
    require_origin,
    save_model,
)
from util.errors import InputError


def some_model():
    return PairModel(np.arange(9.0) - 3, np.linspace(0, 0.1, 8), np.array([300, 3, 300, 3, 1, 1, 1, 0.7]))


def two_detections():
    """One of part 0 and one of part 2, of three parts, with the offset that each expects to the other."""
    return Nodes(
        part=np.array([0, 2]),
        coord=np.array([[11.0, 22], [15, 25]]),
        grid=np.array([[12.0, 20], [12, 28]]),
        conf=np.array([0.5, 0.5]),
        outgoing=np.array([[[np.nan, np.nan], [3, 1]], [[-1, -2], [np.nan, np.nan]]]),
    )


def test_features_of_known_offsets():
    # Seen: (3, 5) forwards, (-1, -6) backwards.
    features = pair_features(two_detections(), np.array([[0, 1]]))[:, 0]
    angles = np.arctan2(5, 3) - np.arctan2(1, 3), np.arctan2(6, 1) - np.arctan2(2, 1)
    np.testing.assert_allclose(features[:4], [4, angles[0], 4, angles[1]])
    np.testing.assert_allclose(features[4:], np.exp(-features[:4]))


def test_angles_are_at_most_half_a_turn():
    nodes = two_detections()
    nodes.outgoing[1, 0] = -3, 1e-9  # seen after the shift: (-3, -1e-9)
    features = pair_features(nodes, np.array([[0, 1]]), shift=np.array([[2.0, -6 + 1e-9]]))[:, 0]
    np.testing.assert_allclose(features[2:4], [2e-9, 2e-9 / 3], rtol=1e-5)


def test_a_shift_moves_the_second_detection():
    nodes, edges = two_detections(), np.array([[0, 1]])
    moved = nodes._replace(coord=nodes.coord + [[0, 0], [7, -3]], grid=nodes.grid + [[0, 0], [7, -3]])
    np.testing.assert_allclose(pair_features(nodes, edges, shift=np.array([[7, -3]])), pair_features(moved, edges))


def test_features_in_units_of_reach_do_not_depend_on_the_size_of_the_people():
    rng = np.random.default_rng(0)
    small = Nodes(np.array([0, 0, 1, 2]), *rng.uniform(0, 90, (2, 4, 2)), np.ones(4), rng.uniform(9, 60, (4, 2, 2)))
    large = small._replace(coord=3 * small.coord, grid=3 * small.grid, outgoing=3 * small.outgoing)
    edges = np.array([[0, 2], [1, 3], [2, 3]])
    features = [pair_features(nodes, edges, distance_units(nodes, REACH)) for nodes in (small, large)]
    np.testing.assert_allclose(*features)
    pixels = [pair_features(nodes, edges, distance_units(nodes, PIXELS)) for nodes in (small, large)]
    np.testing.assert_allclose(3 * pixels[0][0:4:2], pixels[1][0:4:2])


def test_reach_is_the_mean_distance_to_the_other_parts():
    nodes = two_detections()._replace(outgoing=np.array([[[3.0, 4], [0, 15]], [[0, 0], [0, 0]]]))
    assert nodes.reach().tolist() == [10, 4]
    assert nodes._replace(outgoing=np.zeros((2, 0, 2))).reach().tolist() == [4, 4]


def test_edges_are_ordered_by_pairs():
    edges = pair_edges([(1, 2), (0, 0), (0, 2)], np.array([3, 0, 2]))
    assert edges.tolist() == [[0, 1], [0, 2], [1, 2], [0, 3], [0, 4], [1, 3], [1, 4], [2, 3], [2, 4]]
    assert pair_edges([], np.array([3, 0, 2])).shape == (0, 2)


def test_the_linear_form_equals_the_scaled_one():
    model = some_model()._replace(x_max=np.full(8, 2.0))
    features = np.random.default_rng(0).uniform(size=8)
    scaled = (features - model.x_min) / (model.x_max - model.x_min)
    np.testing.assert_allclose(model.linear() @ [*features, 1], model.w @ [*scaled, 1])


def test_models_are_read_as_written_in_the_published_layout(tmp_path):
    path = model_path(tmp_path, 0, 4)
    assert path.name == "spatial_model_cidx_1_5.mat"
    origin = Origin("Right Hand", "h\u00fcfte", "12ab", REACH)
    save_model(path, some_model(), origin)
    model, found = load_model(path)
    assert found == origin
    for saved, loaded in zip(some_model(), model, strict=True):
        np.testing.assert_array_equal(loaded, saved)
    struct = loadmat(path)["spatial_model"]
    assert struct["training_opts"][0, 0]["X_min"][0, 0].shape == (1, 8)
    assert struct["log_reg"][0, 0]["w"][0, 0].shape == (9, 1)


def published(w, x_min, x_max):
    """What a published file holds."""
    return {"spatial_model": {"log_reg": {"w": w}, "training_opts": {"X_min": x_min, "X_max": x_max}}}


@pytest.mark.parametrize("content, message", [
    ({"other": 1}, "variable .spatial_model. is missing"),
    ({"spatial_model": 1.0}, "no spatial_model"),
    (published("abc", 1, 2), "no spatial_model"),
    (published([1, 2], 1, 2), "found .2, 1, 1."),
    (published(np.full(9, np.nan), np.zeros(8), np.ones(8)), "not finite"),
    (published(np.ones(9), np.zeros(8), np.full(8, 1e-320)), "X_min is not below X_max"),
    (published(np.ones(9), np.ones(8), np.ones(8)), "X_min is not below X_max"),
])  # fmt: skip
def test_wrong_content_is_refused(tmp_path, content, message):
    savemat(tmp_path / "model.mat", content)
    with pytest.raises(InputError, match=rf"model\.mat: .*{message}"):
        load_model(tmp_path / "model.mat")


def test_a_model_must_be_that_of_its_joints():
    known = Origin("neck", "head_top")
    require_origin("a.mat", known, "neck", "head_top")
    require_origin("a.mat", known, "", "")
    require_origin("a.mat", Origin(), "neck", "left_hip")
    for names in (("neck", "left_hip"), ("head_top", "neck")):
        message = rf"a\.mat: the model of neck and head_top, in the place of that of {' and '.join(names)}"
        with pytest.raises(InputError, match=message):
            require_origin("a.mat", known, *names)


def test_published_models_have_no_origin(tmp_path):
    model = some_model()
    savemat(tmp_path / "a.mat", published(*model))
    assert load_model(tmp_path / "a.mat")[1] == Origin()
    save_model(tmp_path / "b.mat", model)
    assert load_model(tmp_path / "b.mat")[1] == Origin()


def test_an_unknown_unit_of_distances_is_refused(tmp_path):
    save_model(tmp_path / "a.mat", some_model(), Origin(unit="metres"))
    with pytest.raises(InputError, match=r"a\.mat: distances in metres, a unit unknown here; train the model again"):
        load_model(tmp_path / "a.mat")


def test_broken_files_are_refused(tmp_path):
    path = tmp_path / "model.mat"
    save_model(path, some_model())
    whole = path.read_bytes()
    for data in (b"text", whole[:200], whole[:-30]):
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"model\.mat: (not a MATLAB file|the file is empty)"):
            load_model(path)
    with pytest.raises(InputError, match="cannot be read"):
        load_model(tmp_path)
