"""One person in an image or in a box of it: a network that sees where the white pixel is."""

import itertools

import numpy as np
import pytest

from config import make_config
from dataset.model_spec import from_config
from multiperson.detections import Detections
from multiperson.single_person import (
    COST_LIMIT,
    COST_OF_REACH,
    SinglePersonEstimator,
    agreeing_pose,
    padded_window,
    person_boxes,
)
from util.maps import Maps, map_size


class BrightestPixel:
    """Part 0 is at the brightest pixel of the image that it gets, with exact offsets."""

    spec = from_config(make_config(num_joints=1))

    def maps(self, image):
        self.seen = image.shape[:2]
        gray = image.sum(axis=2)
        y, x = np.argwhere(gray == gray.max()).mean(axis=0)
        cells = map_size(*image.shape[:2], 8)
        part_prob, locref = np.zeros((*cells, 1), np.float32), np.zeros((*cells, 1, 2), np.float32)
        row, col = int(y // 8), int(x // 8)
        part_prob[row, col] = 0.75
        locref[row, col, 0] = x - (8 * col + 4), y - (8 * row + 4)
        return Maps(part_prob, 8, locref)


@pytest.fixture
def image():
    """White squares: a large one at (20, 30), where x comes first, a gray one at (70, 40)."""
    image = np.zeros((60, 100, 3), np.uint8)
    image[28:33, 18:23] = 255
    image[38:43, 68:73] = 200
    return image


def estimator(**keys):
    return SinglePersonEstimator(BrightestPixel(), make_config(**keys))


def joint(result):
    """x, y of the first joint of the first person."""
    return result.people.keypoints[0, 0, :2].tolist()


def test_a_person_is_found_in_the_whole_image(image):
    result = estimator()(image)
    assert result.people.keypoints.tolist() == [[[20, 30, 0.75]]] and result.people.score.tolist() == [0.75]
    assert result.maps.part_prob.shape == (*map_size(60, 100, 8), 1)
    assert result.view.size == result.image_size == (60, 100)


def test_only_the_box_counts_and_the_result_is_in_pixels_of_the_image(image):
    boxes = [[50, 20, 90, 50], None, [0, 0, 40, 50]]
    people = estimator().in_boxes(image, boxes).people
    assert people.keypoints[:, 0, :2].tolist() == [[70, 40], [20, 30], [20, 30]]
    assert estimator().in_boxes(image, []).people.keypoints.shape == (0, 1, 3)


def test_padding_grows_the_box(image):
    find = estimator()
    find.in_boxes(image, [[50, 20, 90, 50]], pad=0.25)
    assert find.network.seen == (50, 60)  # 10 px more on each side, as far as there is an image on the right
    assert joint(find.in_boxes(image, [[50, 20, 90, 50]], pad=1)) == [20, 30]


def test_scale_and_limit_set_the_size_that_the_network_sees(image):
    find = estimator(global_scale=2.0)
    assert joint(find(image)) == pytest.approx([20, 30], abs=0.5)
    assert find.network.seen == (120, 200)
    find.in_boxes(image, [[50, 20, 90, 50]], pad=0, side=80)
    assert find.network.seen == (60, 80)
    find = estimator(max_input_size=38)  # (38 / 77)^2 of the pixels
    assert joint(find(image)) == pytest.approx([20, 30], abs=1.5)  # pixels of two
    assert find.network.seen == (29, 49)
    assert find(image).reduction == ((60, 100), (29, 49))
    assert find.in_boxes(image, [[50, 20, 80, 40]], pad=0).reduction is None


@pytest.mark.parametrize("box, margin, rows, cols", [
    ((2.5, 3.5, 7.2, 8.0), 0, (3, 8), (2, 8)),
    ((2, 3, 7, 8), 100, (0, 20), (0, 30)),
    ((35, 25, 40, 30), 0, (19, 20), (29, 30)),  # outside: the nearest pixel
    ((-9, -9, -5, -5), 0, (0, 1), (0, 1)),
])  # fmt: skip
def test_windows_stay_within_the_image(box, margin, rows, cols):
    assert padded_window(box, margin, (20, 30)) == (slice(*rows), slice(*cols))


def test_a_single_person_without_a_box_has_the_whole_image():
    one, two = np.ones((1, 3, 3)), np.array([[[1, 2, 1], [5, 9, 1], [0, 0, 0]], [[3, 3, 0], [4, 4, 1], [2, 6, 1]]])
    assert person_boxes(None, one) == [None]
    assert person_boxes(None, two) == [[1, 2, 5, 9], [2, 4, 4, 6]]


ALL_PAIRS = ~np.eye(3, dtype=bool)


def detections(*parts):
    """Of parts with (x, y, confidence, offsets to the other parts) each, at the centres of their cells."""
    coord = [np.reshape([[x, y] for x, y, _, _ in part], (-1, 2)).astype(float) for part in parts]
    conf = [np.reshape([conf for _, _, conf, _ in part], (-1, 1)) for part in parts]
    others = len(parts) - 1
    pairwise = []
    for number, part in enumerate(parts):
        offsets = np.zeros((len(part), len(parts) * others, 2))
        for row, (*_, outgoing) in enumerate(part):
            offsets[row, number * others : (number + 1) * others] = outgoing
        pairwise.append(offsets)
    return Detections(coord, coord, conf, pairwise)


def test_the_joint_that_the_others_expect_is_taken_although_another_is_a_little_surer():
    shoulder = (10, 10, 0.9, [[0, 40], [0, 80]])
    wrong, elbow = (150, 20, 0.5, [[0, -40], [0, 40]]), (10, 50, 0.4, [[0, -40], [0, 40]])
    wrist = (10, 90, 0.8, [[0, -80], [0, -40]])
    pose = np.array([[10, 10, 0.9], [150, 20, 0.5], [10, 90, 0.8]])
    found = agreeing_pose(pose, detections([shoulder], [wrong, elbow], [wrist]), ALL_PAIRS)
    assert found.tolist() == [[10, 10, 0.9], [10, 50, 0.4], [10, 90, 0.8]]
    # A joint without pairs that count, and a joint of which the network is much surer, stay.
    alone = ALL_PAIRS & (np.arange(3) != 1) & (np.arange(3) != 1)[:, None]
    assert agreeing_pose(pose, detections([shoulder], [wrong, elbow], [wrist]), alone).tolist() == pose.tolist()
    doubtful = (10, 50, 0.5 * np.exp(-2.1 * COST_LIMIT), elbow[3])
    assert agreeing_pose(pose, detections([shoulder], [wrong, doubtful], [wrist]), ALL_PAIRS).tolist() == pose.tolist()


def test_joints_without_a_detection_stay_where_the_map_is_highest():
    pose = np.array([[10, 10, 0.9], [3, 4, 0.01], [10, 90, 0.8]])
    others = [[0, 40], [0, 80]], [[0, -80], [0, -40]]
    some = detections([(10, 10, 0.9, others[0])], [], [(10, 90, 0.8, others[1])])
    assert agreeing_pose(pose, some, ALL_PAIRS).tolist() == pose.tolist()
    assert agreeing_pose(pose, detections([], [], []), ALL_PAIRS) is pose


def test_the_pose_is_nearly_always_the_cheapest_of_all():
    def energy(nodes):
        total = -sum(np.log(node[2]) for node in nodes)
        for (a, one), (b, other) in itertools.combinations(enumerate(nodes), 2):
            for (i, start), (j, end) in (((a, one), (b, other)), ((b, other), (a, one))):
                offsets = np.array(start[3], float)
                miss = np.linalg.norm(np.add(start[:2], offsets[j - (j > i)]) - end[:2])
                reach = max(np.linalg.norm(offsets, axis=1).mean(), 4)
                total += min(COST_OF_REACH * miss / reach, COST_LIMIT) / 2
        return total

    rng, best = np.random.default_rng(0), 0
    for _ in range(100):
        parts = [
            sorted(
                ((*rng.uniform(0, 99, 2), rng.uniform(0.05, 1), rng.normal(0, 30, (2, 2))) for _ in range(4)),
                key=lambda node: -node[2],
            )
            for _ in range(3)
        ]
        found = agreeing_pose(np.zeros((3, 3)), detections(*parts), ALL_PAIRS)
        chosen = [next(node for node in part if node[2] == joint[2]) for part, joint in zip(parts, found, strict=True)]
        lowest = min(map(energy, itertools.product(*parts)))
        assert energy(chosen) >= lowest - 1e-9
        best += energy(chosen) <= lowest + 1e-9
    assert best >= 90


class TwoPeaks(BrightestPixel):
    """Part 1 is surer at a cell where part 0 does not expect it."""

    spec = from_config(make_config(num_joints=2))

    def maps(self, image):
        part_prob = np.zeros((10, 10, 2), np.float32)
        part_prob[2, 2, 0] = 0.9
        part_prob[2, 8, 1], part_prob[8, 2, 1] = 0.6, 0.5
        offsets = np.zeros((10, 10, 2, 2), np.float32)
        offsets[2, 2, 0], offsets[8, 2, 1], offsets[2, 8, 1] = (0, 48), (0, -48), (0, -48)
        return Maps(part_prob, 8, None, lambda cells: offsets[tuple(np.transpose(cells))])


def test_offsets_between_joints_decide_where_the_network_predicts_them():
    image = np.zeros((80, 80, 3), np.uint8)
    result = SinglePersonEstimator(TwoPeaks(), make_config())(image)
    assert result.people.keypoints[0, :, :2].tolist() == [[20, 20], [20, 68]]
