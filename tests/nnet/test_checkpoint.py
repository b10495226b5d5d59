"""Checkpoints against TensorFlow's own reader and writer; broken and unwritable ones."""

import resource

import numpy as np
import pytest
import tensorflow as tf

from nnet import checkpoint
from nnet.snapshots import DATA, INDEX, prune_snapshots, snapshots
from util.errors import InputError

ARRAYS = {
    "resnet_v1_50/conv1/weights": np.arange(6, dtype=np.float32).reshape(2, 3),
    "pose/part_pred/block4/biases": np.ones(4, np.float32),
    "global_step": np.int64(7),
}


def variables(**changes):
    arrays = {name: value for name, value in ARRAYS.items() if name != "global_step"} | changes
    return {name: tf.Variable(np.zeros_like(value)) for name, value in arrays.items()}


def test_tensorflow_reads_what_we_write(tmp_path):
    checkpoint.write_checkpoint(tmp_path / "snapshot-7", ARRAYS)
    reader = tf.train.load_checkpoint(str(tmp_path / "snapshot-7"))
    assert set(reader.get_variable_to_shape_map()) == set(ARRAYS)
    for name, value in ARRAYS.items():
        np.testing.assert_array_equal(reader.get_tensor(name), value)
    assert {path.name for path in tmp_path.iterdir()} == {"snapshot-7.index", "snapshot-7.data-00000-of-00001"}


@pytest.mark.parametrize("version", ["V1", "V2"])
def test_we_read_what_tensorflow_writes(tmp_path, version):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, value in ARRAYS.items():
            tf.compat.v1.get_variable(name, initializer=value)
        session.run(tf.compat.v1.global_variables_initializer())
        saver = tf.compat.v1.train.Saver(write_version=getattr(tf.compat.v1.train.SaverDef, version))
        saver.save(session, str(tmp_path / "model.ckpt"), global_step=7)
    ours = variables()
    checkpoint.load_weights(ours, tmp_path / "model.ckpt-7")
    for name, variable in ours.items():
        np.testing.assert_array_equal(variable, ARRAYS[name])


def test_training_starts_from_the_backbone_and_the_heads_that_fit(tmp_path, caplog):
    checkpoint.write_checkpoint(tmp_path / "a", ARRAYS)
    for changes, loaded, random in (
        ({}, 2, None),
        ({"pose/part_pred/block4/biases": np.zeros(5, "f")}, 1, "part_pred"),
        ({"pose/pairwise_pred/block4/biases": np.zeros(9, "f")}, 2, "pairwise_pred"),
    ):
        caplog.clear()
        ours = variables(**changes)
        with caplog.at_level("INFO"):
            checkpoint.initialize(ours, tmp_path / "a")
        assert f"{loaded} of {len(ours)} variables loaded" in caplog.text
        assert (f"start at random: {random}" in caplog.text) if random else "random" not in caplog.text
        np.testing.assert_array_equal(ours["resnet_v1_50/conv1/weights"], ARRAYS["resnet_v1_50/conv1/weights"])
    with pytest.raises(InputError, match="resnet_v1_50/more is missing there"):
        checkpoint.initialize(variables(**{"resnet_v1_50/more": np.zeros(1, "f")}), tmp_path / "a")


def test_inference_takes_the_moving_averages_of_weights(tmp_path):
    name = "pose/part_pred/block4/biases"
    checkpoint.write_checkpoint(tmp_path / "a", ARRAYS | {f"{name}/ExponentialMovingAverage": 3 * ARRAYS[name]})
    ours = variables()
    for averaged, factor in ((True, 3), (False, 1)):
        checkpoint.load_weights(ours, tmp_path / "a", averaged)
        np.testing.assert_array_equal(ours[name], factor * ARRAYS[name])


def test_what_does_not_fit_is_listed_and_nothing_is_loaded(tmp_path):
    checkpoint.write_checkpoint(tmp_path / "a", ARRAYS)
    ours = variables(**{"pose/part_pred/block4/biases": np.zeros(5, "f"), "resnet_v1_50/extra": np.zeros(1, "f")})
    with pytest.raises(InputError) as caught:
        checkpoint.load_weights(ours, tmp_path / "a")
    message = str(caught.value)
    assert "resnet_v1_50/extra is missing there" in message
    assert "pose/part_pred/block4/biases is (4,) there and (5,) here" in message
    assert not any(variable.numpy().any() for variable in ours.values())


def test_missing_and_cut_off_files_are_named(tmp_path):
    checkpoint.write_checkpoint(tmp_path / "good", ARRAYS)
    with pytest.raises(InputError, match="no such checkpoint.*found there: good"):
        checkpoint.load_weights(variables(), tmp_path / "bad")
    for part, message in ((DATA, "good: .* cannot be read: "), (INDEX, "good: not a readable checkpoint: ")):
        path = tmp_path / f"good{part}"
        path.write_bytes(path.read_bytes()[:20])
        with pytest.raises(InputError, match=message):
            checkpoint.load_weights(variables(), tmp_path / "good")


def not_finite(name):
    return ARRAYS | {name: np.full_like(ARRAYS[name], np.nan)}


def test_values_that_are_not_finite_are_neither_written_nor_read(tmp_path):
    name = "pose/part_pred/block4/biases"
    with pytest.raises(InputError, match=rf"a: {name} holds values that are not finite"):
        checkpoint.write_checkpoint(tmp_path / "a", not_finite(name))
    assert not list(tmp_path.iterdir())
    write_anything(tmp_path / "a", not_finite(name))
    ours = variables()
    for load in (checkpoint.load_weights, checkpoint.initialize):
        with pytest.raises(InputError, match=rf"a: {name} holds values that are not finite"):
            load(ours, tmp_path / "a")
    assert not any(variable.numpy().any() for variable in ours.values())


def write_anything(prefix, arrays):
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=list(arrays),
        shape_and_slices=[""] * len(arrays),
        tensors=list(arrays.values()),
    )


def test_the_newest_good_snapshot_is_found(tmp_path, caplog):
    assert checkpoint.read_newest(tmp_path, "snapshot") is None
    for step in (1, 2):
        checkpoint.write_checkpoint(tmp_path / f"snapshot-{step}", ARRAYS | {"global_step": np.int64(step)})
    checkpoint.write_checkpoint(tmp_path / "snapshot-3", ARRAYS)
    (tmp_path / "snapshot-3.data-00000-of-00001").write_bytes(b"x")
    write_anything(tmp_path / "snapshot-4", ARRAYS | {"pose/part_pred/block4/biases/Adam": np.array(np.inf)})
    path, arrays = checkpoint.read_newest(tmp_path, "snapshot")
    assert path == str(tmp_path / "snapshot-2") and arrays["global_step"] == 2
    assert [record.message.split(": ")[1].rpartition("-")[2] for record in caplog.records] == ["4", "3"]
    prune_snapshots(tmp_path, "snapshot", 2)
    with pytest.raises(InputError, match=r"none of the snapshots snapshot-\* is good .*snapshot-4: .*/Adam holds"):
        checkpoint.read_newest(tmp_path, "snapshot")


def test_a_checkpoint_cut_off_by_a_full_disk_is_removed(tmp_path):
    """A limit on the size of files fails inside TensorFlow, as a full disk does."""
    checkpoint.write_checkpoint(tmp_path / "snapshot-1", ARRAYS)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit[1]))
    try:
        with pytest.raises(InputError, match="snapshot-2: the checkpoint cannot be written: .*are untouched"):
            checkpoint.write_checkpoint(tmp_path / "snapshot-2", {"large": np.zeros(1_000_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert list(snapshots(tmp_path, "snapshot")) == [1]
    assert len(list(tmp_path.iterdir())) == 2
    checkpoint.read_checkpoint(tmp_path / "snapshot-1")
