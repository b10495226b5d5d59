"""One person in an image or in a box of it: a network that sees where the white pixel is."""

import numpy as np
import pytest

from config import make_config
from multiperson.single_person import SinglePersonEstimator, padded_window, person_boxes
from util.maps import Maps, map_size


class BrightestPixel:
    """Part 0 is at the brightest pixel of the image that it gets, with exact offsets."""

    def maps(self, image):
        self.seen = image.shape[:2]
        gray = image.sum(axis=2)
        y, x = np.argwhere(gray == gray.max()).mean(axis=0)
        cells = map_size(*image.shape[:2])
        part_prob, locref = np.zeros((*cells, 1), np.float32), np.zeros((*cells, 1, 2), np.float32)
        row, col = int(y // 8), int(x // 8)
        part_prob[row, col] = 0.75
        locref[row, col, 0] = x - (8 * col + 4), y - (8 * row + 4)
        return Maps(part_prob, locref)


@pytest.fixture
def image():
    """White squares: a large one at (20, 30), where x comes first, a gray one at (70, 40)."""
    image = np.zeros((60, 100, 3), np.uint8)
    image[28:33, 18:23] = 255
    image[38:43, 68:73] = 200
    return image


def estimator(**keys):
    return SinglePersonEstimator(BrightestPixel(), make_config(num_joints=1, **keys))


def test_a_person_is_found_in_the_whole_image(image):
    pose = estimator()(image)
    assert pose.keypoints.tolist() == [[20, 30, 0.75]]
    assert pose.part_prob.shape == (*map_size(60, 100), 1)


def test_only_the_box_counts_and_the_result_is_in_pixels_of_the_image(image):
    assert estimator()(image, [50, 20, 90, 50]).keypoints[0, :2].tolist() == [70, 40]


def test_padding_grows_the_box(image):
    find = estimator()
    find(image, [50, 20, 90, 50], pad=0.25)
    assert find.network.seen == (50, 60)  # 10 px more on each side, as far as there is an image on the right
    assert find(image, [50, 20, 90, 50], pad=1).keypoints[0, :2].tolist() == [20, 30]


def test_scale_and_limit_set_the_size_that_the_network_sees(image):
    find = estimator(global_scale=2.0)
    assert find(image).keypoints[0, :2] == pytest.approx([20, 30], abs=0.5)
    assert find.network.seen == (120, 200)
    find(image, [50, 20, 90, 50], pad=0, side=80)
    assert find.network.seen == (60, 80)
    find = estimator(max_input_size=38)  # (38 / 77)^2 of the pixels
    assert find(image).keypoints[0, :2] == pytest.approx([20, 30], abs=1.5)  # pixels of two
    assert find.network.seen == (29, 49)
    assert find(image).reduction == ((60, 100), (29, 49))
    assert find(image, [50, 20, 80, 40], pad=0).reduction is None


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
