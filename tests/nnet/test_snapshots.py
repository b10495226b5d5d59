"""Snapshots are found by their names; what is incomplete is none."""

from nnet.snapshots import DATA, INDEX, latest_snapshot, prune_snapshots, snapshots


def test_snapshots_are_ordered_by_step_and_pruned(tmp_path):
    for name in ("snapshot-9", "snapshot-10", "snapshot-100", "snapshot-20", "other-500"):
        for suffix in (INDEX, DATA):
            (tmp_path / f"{name}{suffix}").touch()
    (tmp_path / f"snapshot-300{INDEX}").touch()  # its data is missing
    assert list(snapshots(tmp_path, "snapshot")) == [9, 10, 20, 100]
    assert latest_snapshot(tmp_path, "snapshot") == str(tmp_path / "snapshot-100")
    prune_snapshots(tmp_path, "snapshot", 2)
    assert list(snapshots(tmp_path, "snapshot")) == [20, 100]
    assert latest_snapshot(tmp_path, "nothing") is None


def test_a_prefix_may_lead_to_another_folder(tmp_path):
    (tmp_path / "sub").mkdir()
    for suffix in (INDEX, DATA):
        (tmp_path / f"sub/snap-5{suffix}").touch()
    for prefix in ("sub/snap", str(tmp_path / "sub/snap")):
        assert snapshots(tmp_path, prefix) == {5: str(tmp_path / "sub/snap-5")}
