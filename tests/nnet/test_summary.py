"""Scalars and pictures for TensorBoard, read back, and on a disk that fails."""

import io
import logging

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from nnet.summary import SummaryWriter
from util.errors import InputError
from util.maps import Maps, cell_centers, map_size


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file/log: cannot be written \(log_dir\): "):
        SummaryWriter(tmp_path / "file" / "log")


def pictures(folder):
    """The pictures in a folder's event file by name, each (count, H, W) or (count, H, W, 3)."""
    found = {}
    for record in tf.data.TFRecordDataset(str(next(folder.iterdir()))).as_numpy_iterator():
        for value in tf.compat.v1.Event.FromString(record).summary.value:
            _, _, *files = tf.make_ndarray(value.tensor)
            found[value.tag] = np.stack([np.asarray(Image.open(io.BytesIO(file))) for file in files])
    return found


def brightest(picture):
    return list(np.unravel_index(picture.argmax(), picture.shape))


@pytest.mark.parametrize("stride", [4, 8])
@pytest.mark.parametrize("size", [(96, 128), (101, 211)])
def test_parts_are_bright_where_the_joints_of_the_photo_are(tmp_path, stride, size):
    """Also where the maps reach beyond the image."""
    height, width = size
    joints = np.array([[22, 14], [width - 9, 50], [70, height - 10]])
    cells = (joints[:, ::-1] // stride).tolist()
    rows, cols = map_size(height, width, stride)
    away = cell_centers(np.argwhere(np.ones((rows, cols))), stride)[:, None] - joints
    prob = np.exp(-np.square(away / stride).sum(axis=-1)).reshape(rows, cols, -1).astype(np.float32)
    for number, (x, y) in enumerate(joints):
        image = np.zeros((height, width, 3), np.uint8)
        half = stride // 2
        image[y - half : y + half, x - half : x + half] = 255
        SummaryWriter(tmp_path / str(number)).score_maps(7, "batch", image, Maps(prob, stride))
        found = pictures(tmp_path / str(number))
        photo, strongest = np.split(found["batch/parts"][0, ..., 0], 2, axis=1)
        assert list(map(brightest, found["batch/part"])) == cells and brightest(photo) == cells[number]
        np.testing.assert_array_equal(strongest, found["batch/part"].max(axis=0))


class FailingWriter:
    """TensorFlow's writer on a full disk."""

    def as_default(self, step):
        return tf.summary.create_noop_writer().as_default(step)

    def flush(self):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")


def test_a_disk_that_fails_later_is_one_warning(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(tf.summary, "create_file_writer", lambda _: FailingWriter())
    writer = SummaryWriter(tmp_path)
    with caplog.at_level(logging.WARNING):
        for step in range(2):
            writer.scalars(step, {"loss": 1.0})
            writer.score_maps(step, "batch", np.zeros((16, 16, 3), np.uint8), Maps(np.zeros((2, 2, 3), np.float32), 8))
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}: cannot be written: No space left on device; training goes on without it"
    ]
