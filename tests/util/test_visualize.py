"""Pictures keep the size and pixels of the image, need no display, and have marks in their places."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.backend_bases import KeyEvent
from PIL import Image

from util.errors import InputError
from util.visualize import Window, figure_image, image_figure, save_figure, show, show_heatmaps


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (333, 217), (480, 640), (1001, 7)])
def test_a_figure_keeps_the_image(size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    figure, _ = image_figure(image)
    np.testing.assert_array_equal(figure_image(figure), image)


def test_axes_coordinates_are_pixels():
    figure, axes = image_figure(np.zeros((60, 80, 3), np.uint8))
    axes.plot([70], [10], "s", color="red", markersize=2)
    rows, cols = np.nonzero(figure_image(figure)[..., 0] > 128)
    assert (round(rows.mean()), round(cols.mean())) == (10, 70)


def test_heatmaps_show_every_part():
    part_prob = np.zeros((8, 10, 5), np.float32)
    part_prob[2, 3, 4] = 0.9
    picture = figure_image(show_heatmaps(np.full((60, 80, 3), 99, np.uint8), part_prob, list("abcde"), np.ones((5, 3))))
    assert picture.std() > 0


def test_a_figure_is_saved_or_the_path_named(tmp_path):
    figure, _ = image_figure(np.zeros((30, 40, 3), np.uint8))
    save_figure(tmp_path / "new" / "a.png", figure)
    assert Image.open(tmp_path / "new" / "a.png").size == (40, 30)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        save_figure(tmp_path / "file" / "a.png", figure)


def test_a_window_without_a_display_is_an_input_error(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    with pytest.raises(InputError, match="no display"):
        show(np.zeros((5, 5, 3), np.uint8))


def test_any_key_ends_a_window():
    from matplotlib import pyplot

    pyplot.switch_backend("template")  # does nothing
    window = Window()
    for level in (3, 200):
        window.show(np.full((30, 40, 3), level, np.uint8))
        assert not window.closed
    (number,) = pyplot.get_fignums()
    canvas = pyplot.figure(number).canvas
    assert (canvas.figure.axes[0].images[0].get_array() == 200).all()
    canvas.callbacks.process("key_press_event", KeyEvent("key_press_event", canvas, "q"))
    assert window.closed
    pyplot.close("all")


def test_pyplot_is_not_imported_nor_matplotlib_to_draw_people():
    code = (
        "import sys, multiperson.visualize; assert 'matplotlib' not in sys.modules\n"
        "import util.visualize; assert 'matplotlib.pyplot' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
