"""Maps in files: under the names of pose-tensorflow, and those of one network in a folder."""

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from config import make_config
from dataset.model_spec import from_config
from multiperson.mapcache import MapCache, load_maps, save_maps
from util.errors import InputError
from util.maps import Maps

SPEC = from_config(make_config(num_joints=3))


@pytest.fixture
def maps():
    rng = np.random.default_rng(0)
    return Maps(
        rng.random((2, 4, 3)).astype("f"), 8, rng.random((2, 4, 3, 2)).astype("f"), rng.random((2, 4, 6, 2)).astype("f")
    )


@pytest.mark.parametrize("dense", [True, False])
def test_maps_are_read_as_saved_under_pose_tensorflows_names(tmp_path, maps, dense):
    path = MapCache(tmp_path / "new", "one").path("b/7")
    pairwise = maps.pairwise if dense else lambda cells: maps.pairwise[tuple(cells.T)]
    save_maps(path, maps._replace(pairwise=pairwise))
    assert path == tmp_path / "new/b/7.mat"
    assert loadmat(path)["pairwise_diff"].shape == (2, 4, 6, 2) and "locreg_pred" in loadmat(path)
    found = load_maps(path, SPEC)
    assert found.stride == SPEC.stride
    for ours, theirs in zip((found.part_prob, *found[2:]), (maps.part_prob, *maps[2:]), strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == np.float32 and ours.flags.c_contiguous


def test_maps_of_single_person_networks_have_parts_alone(tmp_path, maps):
    save_maps(tmp_path / "a.mat", Maps(maps.part_prob, 8))
    assert load_maps(tmp_path / "a.mat", SPEC)[2:] == (None, None)


def test_wrong_files_are_named(tmp_path, maps):
    path = tmp_path / "a.mat"
    with pytest.raises(InputError, match=r"no such file; tools/cache_scoremaps\.py writes it"):
        load_maps(path, SPEC)
    save_maps(path, maps)
    with pytest.raises(InputError, match=r"part_prob: expected \(2, 4, 4\) for 4 joints, found \(2, 4, 3\)"):
        load_maps(path, from_config(make_config(num_joints=4)))
    savemat(path, {"scoremaps": maps.part_prob, "locreg_pred": np.zeros((2, 4, 6))})
    with pytest.raises(InputError, match=r"locref: expected \(2, 4, 3, 2\) for 3 joints, found \(2, 4, 6\)"):
        load_maps(path, SPEC)
    savemat(path, {"scoremaps": "text"})
    with pytest.raises(InputError, match="expected arrays of numbers"):
        load_maps(path, SPEC)

    savemat(path, {"scoremaps": maps.part_prob * np.nan})
    with pytest.raises(InputError, match="not finite"):
        load_maps(path, SPEC)


def test_a_folder_holds_the_maps_of_one_network(tmp_path, maps):
    image = tmp_path / "a.png"
    image.write_bytes(b"1")
    written = MapCache(tmp_path / "maps", "one")
    assert not (written.is_known or written.has("a", image))
    written.save("a", image, maps)
    for network in ("one", None):
        found = MapCache(tmp_path / "maps", network)
        assert found.is_known and found.has("a", image) and not found.has("b", image)
        np.testing.assert_array_equal(found.load("a", image, SPEC).part_prob, maps.part_prob)
    with pytest.raises(InputError, match="maps: holds the maps of another network"):
        MapCache(tmp_path / "maps", "two")


def test_maps_of_an_unknown_network_are_read_but_not_added_to(tmp_path, maps):
    image = tmp_path / "a.png"
    image.write_bytes(b"1")
    save_maps(tmp_path / "a.mat", maps)
    found = MapCache(tmp_path, "one")
    assert not found.is_known
    np.testing.assert_array_equal(found.load("a", image, SPEC).part_prob, maps.part_prob)
    with pytest.raises(InputError, match=r"holds maps of an unknown network \(no source\.json\)"):
        found.save("b", image, maps)


@pytest.mark.parametrize("name", ["../a", "/tmp/a", "a/../../b", ""])
def test_names_stay_in_the_folder(tmp_path, name):
    with pytest.raises(InputError, match="leads out of"):
        MapCache(tmp_path, None).path(name)
