import numpy as np
import pytest
from scipy.io import loadmat, savemat

from util.errors import InputError
from util.mapcache import cache_path, load_maps, save_maps
from util.maps import Maps


@pytest.fixture
def maps():
    rng = np.random.default_rng(0)
    return Maps(rng.random((2, 4, 3)).astype("f"), rng.random((2, 4, 3, 2)).astype("f"),
                rng.random((2, 4, 6, 2)).astype("f"))  # fmt: skip


@pytest.mark.parametrize("dense", [True, False])
def test_what_was_saved_comes_back_under_the_lineages_names(tmp_path, maps, dense):
    path = cache_path(tmp_path / "new", 7)
    pairwise = maps.pairwise if dense else lambda cells: maps.pairwise[tuple(cells.T)]
    save_maps(path, maps._replace(pairwise=pairwise))
    assert path.name == "7.mat"
    assert loadmat(path)["pairwise_diff"].shape == (2, 4, 6, 2) and "locreg_pred" in loadmat(path)
    for ours, theirs in zip(load_maps(path, 3), maps, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == np.float32 and ours.flags.c_contiguous


def test_maps_of_a_single_person_network(tmp_path, maps):
    save_maps(tmp_path / "a.mat", Maps(maps.part_prob))
    assert load_maps(tmp_path / "a.mat", 3)[1:] == (None, None)


def test_wrong_files(tmp_path, maps):
    path = tmp_path / "a.mat"
    with pytest.raises(InputError, match=r"no such file; tools/cache_scoremaps\.py writes it"):
        load_maps(path, 3)
    save_maps(path, maps)
    with pytest.raises(InputError, match=r"scoremaps are \(2, 4, 3\); expected \(rows, cols, 4\)"):
        load_maps(path, 4)
    savemat(path, {"scoremaps": maps.part_prob, "locreg_pred": np.zeros((2, 4, 6))})
    with pytest.raises(InputError, match=r"locreg_pred is \(2, 4, 6\); expected \(2, 4, 3, 2\)"):
        load_maps(path, 3)
    savemat(path, {"scoremaps": "text"})
    with pytest.raises(InputError, match="expected arrays of numbers"):
        load_maps(path, 3)


@pytest.mark.parametrize("image_id", ["../a", "/tmp/a", "a/../../b", ""])
def test_ids_stay_in_the_folder(tmp_path, image_id):
    with pytest.raises(InputError, match="leads out of"):
        cache_path(tmp_path, image_id)
