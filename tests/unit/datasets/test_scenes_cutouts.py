import cv2
import numpy as np
import pytest
from PIL import Image

from masklet.datasets.scenes import ClipGenerator, ClipMixture, ImageBank, SceneGenerator, SceneMixture
from masklet.datasets.scenes.cutouts import Cutout, recoloured, transparent_cutouts

RED = (40, 50, 220)  # blue, green, red, as opencv writes


def drawing(*boxes, size=(60, 90), around=(0, 255, 0)):
    """Opaque red boxes (top, left, bottom, right) on a transparent ground of another colour."""
    image = np.zeros((*size, 4), np.uint8)
    image[..., :3] = around
    for top, left, bottom, right in boxes:
        image[top:bottom, left:right] = (*RED, 255)
    return image


def written(folder, image, name="drawing.png"):
    folder.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(folder / name), image)
    return folder / name


@pytest.mark.parametrize("name", ["drawing.png", "drawing.webp"])
def test_a_image_transparent_around_an_object_is_that_object_in_its_own_colours(tmp_path, name):
    (cutout,) = transparent_cutouts(written(tmp_path, drawing((10, 20, 50, 80)), name))
    assert cutout.mask.shape == (44, 64)  # two pixels more on each side
    assert np.count_nonzero(cutout.mask) == 40 * 60
    # Nothing of the green behind it, neither inside nor in the rim that is blended where it is pasted.
    assert np.abs(cutout.image.astype(int) - RED[::-1]).max() <= 8


def test_sixteen_bits_a_channel_are_drawings_too(tmp_path):
    path = written(tmp_path, drawing((10, 20, 50, 80)).astype(np.uint16) * 257)
    (cutout,) = transparent_cutouts(path)
    assert np.abs(cutout.image[cutout.mask > 0].astype(int) - RED[::-1]).max() == 0


@pytest.mark.parametrize("mode", ["P", "LA"])
def test_palettes_and_shades_of_grey_can_be_drawings_too(tmp_path, mode):
    path = tmp_path / "drawing.png"
    image = Image.fromarray(drawing((10, 20, 50, 80))[..., [2, 1, 0, 3]])
    (image.quantize() if mode == "P" else image.convert(mode)).save(path)
    with Image.open(path) as saved:
        assert saved.mode == mode
    (cutout,) = transparent_cutouts(path)
    assert np.count_nonzero(cutout.mask) == 40 * 60


def test_a_file_too_large_for_pillow_is_left_to_who_decodes_it(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert transparent_cutouts(written(tmp_path, drawing((10, 20, 50, 80)))) is None


def test_large_drawings_are_shrunk(tmp_path):
    (cutout,) = transparent_cutouts(written(tmp_path, drawing((0, 0, 400, 600), size=(500, 600))))
    assert max(cutout.mask.shape) <= 192 + 4
    assert np.count_nonzero(cutout.mask) == pytest.approx(192 * 128, rel=0.02)


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(drawing((0, 0, 30, 40), (35, 50, 60, 90)), id="two pieces"),
        pytest.param(drawing((0, 0, 5, 5)), id="a speck"),
        pytest.param(drawing(), id="nothing"),
    ],
)
def test_transparent_images_without_one_object_are_neither_objects_nor_images(tmp_path, image):
    assert transparent_cutouts(written(tmp_path, image)) == []
    written(tmp_path, np.full((60, 60, 3), 90, np.uint8), "image.png")
    bank = ImageBank.load([tmp_path])
    assert (len(bank.images), len(bank.drawings)) == (1, 0)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_opaque_images_are_images(tmp_path, channels):
    path = written(tmp_path, np.full((60, 60, channels), 255, np.uint8))
    assert transparent_cutouts(path) is None
    assert len(ImageBank.load([tmp_path]).images) == 1


def test_a_drawing_keeps_its_shape_and_gets_other_colours():
    image = np.zeros((20, 30, 3), np.uint8)
    image[:, 15:] = (200, 60, 30)
    cutout = Cutout(image, np.full((20, 30), 255, np.uint8))
    swatch = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    colours = set()
    for seed in range(20):
        changed = recoloured(np.random.default_rng(seed), cutout, swatch)
        assert changed.mask is cutout.mask
        assert changed.image.shape == image.shape
        assert np.abs(changed.image[:, :14].astype(int)).max() == 0  # black stays black: shading is kept
        colours.add(tuple(changed.image[10, 20]))
    assert len(colours) == 20


def test_half_of_the_objects_are_drawings_where_there_are_both():
    one, other = (Cutout(np.full((9, 9, 3), 80, np.uint8), np.full((9, 9), 255, np.uint8)) for _ in range(2))
    rng = np.random.default_rng(0)
    both = ImageBank((), (), (), (one,), (other,))
    assert 60 < sum(both.any_object(rng) is one for _ in range(160)) < 100
    assert ImageBank((), (), (), (one,)).any_object(rng) is one
    assert ImageBank((), (), (), (), (other,)).any_object(rng).mask is other.mask


def test_drawings_alone_are_enough_for_pasted_scenes_and_clips(tmp_path):
    written(tmp_path, drawing((10, 20, 50, 80)))
    bank = ImageBank.load([tmp_path])
    only_pasted = SceneMixture(
        labelled_image=0, copy_paste=1, clutter=0, small_goods=0, parts_and_wholes=0, micrograph=0
    )
    assert SceneGenerator(bank, 96, only_pasted).scene(3).kind == "copy_paste"
    clips = ClipGenerator(bank, 96, 3, ClipMixture(labelled_image=0, pasted_objects=1, shapes=0))
    assert clips.clip(3).kind == "pasted_objects"
