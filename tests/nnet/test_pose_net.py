"""The network against the outputs of the original TensorFlow 1 graph."""

import numpy as np
import pytest

from nnet.pose_net import PoseNet
from tests.nnet.described import described
from tests.rounding import rounding
from util.errors import InputError

pytestmark = pytest.mark.usefixtures("tiny_resnet")


@pytest.fixture(scope="module", params=[50, 101])
def case(request, golden_dir, set_formula_weights):
    """(golden arrays of one depth, the network with the weights that made them)"""
    depth = request.param
    with np.load(golden_dir / "network.npz") as archive:
        golden = {key.partition("/")[2]: archive[key] for key in archive.files if key.startswith(f"{depth}/")}
    model = described(
        pairwise=True,
        num_joints=17,
        net_type=f"resnet_{depth}",
        location_refinement=True,
        intermediate_supervision=True,
        intermediate_supervision_layer=6 if depth == 50 else 12,
    )
    net = PoseNet(*model)
    set_formula_weights(net.slim_variables())
    return golden, net


def image_numbers(golden):
    return sorted({key[0] for key in golden if key.endswith("/image")})


def test_variables_have_slims_names_and_shapes(case):
    golden, net = case
    ours = {f"{name} {'x'.join(map(str, var.shape))}" for name, var in net.slim_variables().items()}
    assert ours == set(golden["names"])


def assert_equal_maps(found, expected):
    tolerance = rounding(9 * 512, layers=101) * np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def original_features(net, image):
    """What the original's backbone makes of an image, which it does not fill up to whole cells."""
    return net.backbone(image - net.mean_pixel)


def test_heads_equal_the_original(case):
    golden, net = case
    for number in image_numbers(golden):
        features = original_features(net, golden[f"{number}/image"])
        heads, cells = net.apply_heads(features), golden[f"{number}/cells"]
        for name in ("part_pred", "locref_pred", "intermediate_supervision"):
            assert_equal_maps(heads[name], golden[f"{number}/{name}"])
        dense = heads["pairwise_pred"].numpy()[tuple(cells.T)]
        for at_cells in (dense, net.apply_heads(features, cells)["pairwise_pred"]):
            assert_equal_maps(at_cells, golden[f"{number}/pairwise_pred"])


@pytest.mark.parametrize("net_type", ["resnet_18", "mobilenet_v2_0.35"])
def test_folding_changes_nothing(net_type, set_formula_weights):
    net = PoseNet(*described(num_joints=4, net_type=net_type))
    set_formula_weights({name: var for name, var in net.slim_variables().items() if "depthwise" not in name})
    image = np.random.default_rng(0).integers(0, 256, (1, 50, 70, 3), np.uint8)
    before = net(image)["part_pred"].numpy()
    net.fold()
    assert_equal_maps(net(image)["part_pred"], before)
    assert before.shape == (1, 8, 10, 4)


@pytest.mark.parametrize(("net_type", "rows"), [("resnet_18", 6), ("mobilenet_v2_0.35", 6), ("movenet_fpn", 12)])
def test_images_of_all_sizes_are_seen_in_whole_cells(net_type, rows):
    """Also if coarser layers fill up more, as in MoveNet's body; the maps keep their size."""
    values = {"mean_pixel": [120, 117, 104], "batch_norm": "frozen"}
    net = PoseNet(*described(num_joints=2, net_type=net_type, **values))
    image = np.random.default_rng(0).integers(0, 256, (1, 46, 61, 3), np.uint8)
    filled = np.full((1, 48, 64, 3), (120, 117, 104), np.uint8)
    filled[:, :46, :61] = image
    for training in (False, True):
        seen = net(image, training=training)["part_pred"]
        np.testing.assert_array_equal(seen, net(filled, training=training)["part_pred"])
        assert seen.shape == (1, rows, rows // 3 * 4, 2)


def test_weights_and_maps_are_float32_in_any_arithmetic():
    net = PoseNet(*described(num_joints=2, net_type="resnet_18"), "bfloat16")
    image = np.zeros((1, 32, 32, 3), np.uint8)
    assert net.features(image)["features"].dtype == "bfloat16"
    assert {variable.dtype for variable in net.slim_variables().values()} == {"float32"}
    assert net(image)["part_pred"].dtype == "float32"


def test_supervised_layer_beyond_the_block_is_an_error():
    with pytest.raises(InputError, match=r"intermediate_supervision_layer is 7.*has 6 units"):
        PoseNet(
            *described(
                num_joints=2, net_type="resnet_50", intermediate_supervision=True, intermediate_supervision_layer=7
            )
        )
