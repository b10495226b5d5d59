"""Photographs of every kind are read as upright 8-bit RGB."""

import numpy as np
import pytest
from PIL import Image

from util.errors import InputError
from util.images import (
    MAX_SIDE,
    find_images,
    open_image,
    read_image,
    read_image_size,
    readable_images,
    resize_image,
    write_image,
)


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)


def test_rgb_is_kept(tmp_path, picture):
    Image.fromarray(picture).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), picture)
    assert read_image_size(tmp_path / "a.png") == (6, 9)


def test_exif_orientation_is_applied(tmp_path, picture):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    for name in ("a.png", "a.tif", "a.webp"):
        Image.fromarray(picture).save(tmp_path / name, exif=exif, lossless=True)
        np.testing.assert_array_equal(read_image(tmp_path / name), np.rot90(picture, -1))
        assert read_image_size(tmp_path / name) == (9, 6)
    Image.fromarray(picture[..., 0]).save(tmp_path / "gray.tif", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "gray.tif")[..., 0], np.rot90(picture[..., 0], -1))


def test_other_modes_become_rgb(tmp_path, picture):
    Image.fromarray(picture[..., 0]).save(tmp_path / "gray.png")
    np.testing.assert_array_equal(read_image(tmp_path / "gray.png"), np.repeat(picture[..., :1], 3, axis=2))
    deep = picture[..., 0].astype(np.uint16) * 257
    Image.fromarray(deep).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(read_image(tmp_path / "deep.png"), np.repeat(picture[..., :1], 3, axis=2))
    clear = np.dstack([picture, np.zeros((6, 9), np.uint8)])
    Image.fromarray(clear).save(tmp_path / "clear.png")
    assert (read_image(tmp_path / "clear.png") == 255).all()


def test_broken_files_are_named(tmp_path, picture):
    (tmp_path / "text.jpg").write_text("not an image")
    Image.fromarray(np.tile(picture, (40, 40, 1))).save(tmp_path / "whole.png")
    whole = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    for name, message in (("text.jpg", "not an image"), ("cut.png", "cut.png: "), ("missing.png", "cannot be read")):
        with pytest.raises(InputError, match=message):
            read_image(tmp_path / name)


@pytest.mark.parametrize("kind", ["DDS", "EPS", "ICNS", "JPEG2000", "PPM", "TGA"])
def test_formats_that_photographs_do_not_have_are_refused(tmp_path, picture, kind):
    """Whatever their name: Pillow goes by the content, and calls Ghostscript for an EPS."""
    Image.fromarray(picture).save(tmp_path / "a.jpg", kind)
    for reader in (read_image, read_image_size):
        with pytest.raises(InputError, match=r"a\.jpg: not an image, or not of a kind that is read here"):
            reader(tmp_path / "a.jpg")


@pytest.mark.parametrize("fault", [ZeroDivisionError("by zero"), MemoryError(), IndexError(), RuntimeError("x"),
                                   NotImplementedError("a\nb"), SyntaxError("broken PNG")])  # fmt: skip
def test_whatever_a_decoder_raises_is_a_line_about_the_file(tmp_path, picture, fault):
    Image.fromarray(picture).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"a\.png: cannot be read: [^\n]+$"), open_image(tmp_path / "a.png"):
        raise fault


def test_broken_exif_data_do_not_change_the_pixels(tmp_path, picture):
    exif = Image.Exif()
    exif[0x0112] = 6
    intact = exif.tobytes()
    for name, data in (
        ("cut", intact[:-9]),
        ("noise", b"Exif\0\0" + bytes(range(40))),
        ("odd", intact.replace(b"\6\0\0\0", b"\x63\0\0\0")),
    ):
        path = tmp_path / f"{name}.png"
        Image.fromarray(picture).save(path, exif=data)
        np.testing.assert_array_equal(read_image(path), picture, name)
        assert read_image_size(path) == (6, 9)


def test_sides_have_a_limit(tmp_path):
    Image.new("1", (MAX_SIDE, 1)).save(tmp_path / "long.png")
    Image.new("1", (1, MAX_SIDE + 1)).save(tmp_path / "longer.png")
    assert read_image(tmp_path / "long.png").shape == (1, MAX_SIDE, 3)
    for reader in (read_image, read_image_size):
        with pytest.raises(InputError, match="longer.png: 1x65501 pixels; a side may have 65500"):
            reader(tmp_path / "longer.png")


def test_bombs_are_refused_from_their_headers(broken_files):
    for file in broken_files.images:
        if "bomb" in file.path.name:
            for reader in (read_image, read_image_size):
                with pytest.raises(InputError, match="megapixels"):
                    reader(file.path)


def test_images_that_cannot_be_read_are_named_and_left_out(tmp_path, picture, caplog):
    paths = [tmp_path / name for name in ("a.png", "broken.png", "b.png")]
    for path in paths:
        Image.fromarray(picture).save(path)
    paths[1].write_text("no image")
    assert [number for number, _ in readable_images(paths)] == [0, 2]
    assert [image.shape for _, image in readable_images(paths[2:])] == [picture.shape]
    assert caplog.text.count("skipped ") == 1
    with pytest.raises(InputError, match=r"broken\.png: not an image"):
        list(readable_images(paths[1:2]))
    with pytest.raises(InputError, match=r"none of the 2 images can be read; the first: .*broken\.png"):
        list(readable_images([paths[1], tmp_path / "missing.png"]))


def test_an_image_of_the_right_size_is_left_alone(picture):
    assert resize_image(picture, (6, 9)) is picture


def test_images_are_found_in_folders(tmp_path, picture):
    for name in ("b.png", "a.PNG", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in find_images([tmp_path])] == ["a.PNG", "b.png"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no images in this folder"):
        find_images([tmp_path / "empty"])
    with pytest.raises(InputError, match="no such file or folder"):
        find_images([tmp_path / "nothing"])


def test_files_of_other_kinds_are_told(tmp_path, caplog):
    for name in ("b.JPG", "a.jfif", "._b.JPG", "notes.txt", "e.HEIC", "d.heic", "c.dng", "f.avif"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert find_images([tmp_path]) == [tmp_path / "a.jfif", tmp_path / "b.JPG"]
    assert caplog.messages == [
        f"skipped {tmp_path}: 4 of a kind that is not read here: c.dng, d.heic, e.HEIC, ...; save them as JPEG"
    ]
    with pytest.raises(InputError, match="folder.png: no images in this folder"):
        find_images([tmp_path / "folder.png"])


def test_images_are_written_without_a_visible_loss(tmp_path):
    """Even stripes of strong colours, and the longest image that can be read."""
    stripes = np.zeros((40, 60, 3), np.uint8)
    stripes[:, ::2], stripes[:, 1::2] = (255, 40, 0), (0, 90, 255)
    write_image(tmp_path / "a.png", stripes)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), stripes)
    write_image(tmp_path / "a.jpg", stripes)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - stripes).max() < 20
    write_image(tmp_path / "long.jpg", np.zeros((1, MAX_SIDE, 3), np.uint8))
    assert read_image(tmp_path / "long.jpg").shape == (1, MAX_SIDE, 3)
