"""What images of masks mean: a row of the table in `mask_images.py` for each test case, written and read as files."""

import cv2
import numpy as np
import pytest
from PIL import Image

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.masks.segmentation import Segmentation
from masklet.media.label_maps import MAXIMUM_OBJECT_ID, UnknownLabelError, write_label_map
from masklet.media.mask_files import write_mask_png
from masklet.media.mask_images import read_label_map, read_mask_image
from masklet.media.mask_sequences import write_label_maps, write_mask_videos
from masklet.media.recorded_masks import RecordedMasks
from masklet.media.video_reader import open_video

LEFT, TOP = np.zeros((24, 32), dtype=bool), np.zeros((24, 32), dtype=bool)
LEFT[6:18, 2:13], TOP[3:12, 18:30] = True, True
RIM = cv2.dilate(LEFT.astype(np.uint8), np.ones((3, 3))) > LEFT  # one pixel around LEFT

BLACK, WHITE, RED, DARK_RED, GREEN = (0, 0, 0), (255, 255, 255), (255, 0, 0), (128, 0, 0), (0, 128, 0)


def painted(left, top=0, outside=0, dtype=np.uint8):
    """One value in LEFT, another in TOP; tuples make channels."""
    values = np.full((*LEFT.shape, *np.shape(outside)), outside, dtype=dtype)
    values[LEFT], values[TOP] = left, top
    return values


def grey_with_a_transparent_value(values, transparent):
    image = Image.fromarray(values)
    image.info["transparency"] = transparent
    return image


def indexed(values, *colours, transparency=None):
    """A palette image that has these colours."""
    image = Image.fromarray(values)
    image.putpalette([channel for each in colours for channel in each])
    if transparency is not None:
        image.info["transparency"] = transparency
    return image


def many_greys(low, high):
    """LEFT from `low` to `high`, in 132 values."""
    values = painted(0)
    values[LEFT] = np.linspace(low, high, LEFT.sum()).round()
    return values


def noise(around):
    """Colours that differ by up to 16 in every channel from `around`, [H, W, 3]."""
    drawn = np.random.default_rng(0).integers(-16, 17, (*LEFT.shape, 3))
    return (np.array(around) + drawn).clip(0, 255).astype(np.uint8)


ONE_OBJECT = {
    "1": Image.fromarray(LEFT),
    "L, black and white": painted(255),
    "L, 0 and 1": painted(1),
    "L, white and a grey below 128": painted(255, 127),
    "L, greys from 128 on and below": painted(0, 127) + many_greys(128, 254),
    "L, noise below white": painted(253, 1) - np.arange(24, dtype=np.uint8)[:, None] // 12 * LEFT,
    "L, transparent grey": grey_with_a_transparent_value(painted(0, 7, 7), 7),
    "LA, opaque": np.dstack([painted(255), painted(255, 255, 255)]),
    "LA, one grey, partly transparent": np.dstack([painted(9, 9, 9), painted(200, 90)]),
    "LA, many greys, partly transparent": np.dstack([many_greys(1, 255), painted(255)]),
    "LA, black and white, partly transparent": np.dstack([painted(255, 255), painted(255, 0, 255)]),
    "P, 0 is white": indexed(painted(0, 1, 1), WHITE, BLACK),
    "P, 0 is red": indexed(painted(0, 1, 1), RED, BLACK),
    "P, 0 is neither": indexed(painted(3, 2, 2), RED, GREEN, BLACK, WHITE, RED),
    "P, 0 and 255": indexed(painted(255), *[(each,) * 3 for each in range(256)]),
    "P, 1 is transparent": indexed(painted(0, 1, 1), BLACK, RED, transparency=1),
    "P, 1 is transparent by a list": indexed(painted(0, 1, 1), RED, RED, transparency=bytes([255, 0])),
    "RGB, black and white": painted(WHITE, BLACK, BLACK),
    "RGB, black and grey": painted((200,) * 3, BLACK, BLACK),
    "RGB, dark red": painted(DARK_RED, BLACK, BLACK),
    "RGB, nearly black": painted(RED, (9, 0, 31), BLACK),
    "RGB, noise": np.where(LEFT[..., None], noise(WHITE), noise(BLACK)),
    "RGB, dark noise": np.where(LEFT[..., None], noise((160, 60, 40)), noise(BLACK)),
    "RGBA, opaque": np.dstack([painted(WHITE, BLACK, BLACK), painted(255, 255, 255)]),
    "RGBA, black on transparent": np.dstack([painted(BLACK, BLACK, BLACK), painted(255)]),
    "RGBA, an image that is cut out": np.dstack([noise((90, 120, 60)), painted(255)]),
    "RGBA, half transparent": np.dstack([painted(RED, BLACK, WHITE), painted(127)]),
    "RGBA, a soft edge": np.dstack([painted(WHITE, WHITE, WHITE), painted(255) + RIM * np.uint8(127)]),
    "I;16, black and white": painted(65535, dtype=np.uint16),
    "I;16, black and white of 8 bits": painted(255, dtype=np.uint16),
    "I;16, 12 bits": painted(4095, 2047, dtype=np.uint16),
    "I;16, many greys": many_greys(128, 254).astype(np.uint16) * 256 + painted(0, 32767, dtype=np.uint16),
    "I, black and white": painted(255, dtype=np.int32),
    "F, 0 to 1": painted(0.5, 0.49, 0.2, dtype=np.float32),
    "F, 0 to 255": painted(127.5, 127.4, 0, dtype=np.float32),
    "F, 0 and 1": painted(1, dtype=np.float32),
    "F, black and white": painted(255, dtype=np.float32),
}


@pytest.mark.parametrize("name", ONE_OBJECT)
def test_one_object(tmp_path, name):
    found = read_mask_image(saved(tmp_path, ONE_OBJECT[name], name.partition(",")[0]))
    np.testing.assert_array_equal(found.mask_of(), LEFT)
    np.testing.assert_array_equal(found.mask_of(7), LEFT)  # it has no id
    assert (found.is_label_map, found.object_ids) == (False, (1,))


LABEL_MAPS = {
    "L": painted(1, 2),
    "L, up to 254": painted(254, 128),
    "L, 0 and one value": painted(128),
    "L, 32 values": np.where(TOP, 200, painted(1) * (np.arange(32, dtype=np.uint8) % 31)).astype(np.uint8),
    "L, transparent": grey_with_a_transparent_value(painted(9, 2), 0),
    "LA": np.dstack([painted(1, 2), painted(255, 255, 255)]),
    "LA, partly transparent": np.dstack([painted(1, 2, 3), painted(255, 255)]),
    "P": indexed(painted(1, 2), BLACK, RED, GREEN),
    "P, black and white": indexed(painted(1), BLACK, WHITE),
    "P, 0 is white": indexed(painted(1, 2), WHITE, BLACK, RED),
    "P, colours that all are black": indexed(painted(1), BLACK, BLACK),
    "P, one object of many": indexed(painted(2), BLACK, RED, WHITE),
    "P, without background": indexed(painted(1, 2, 1), BLACK, RED, GREEN),
    "P, 2 is transparent": indexed(painted(1, 3, 2), BLACK, RED, GREEN, RED, transparency=2),
    "RGB": painted((1, 1, 1), (2, 2, 2), BLACK),
    "I;16": painted(300, 2, dtype=np.uint16),
    "I;16, instances": np.arange(24 * 32, dtype=np.uint16).reshape(24, 32),
    "I": painted(70_000, 2, dtype=np.int32),
    "F": painted(1, 2, dtype=np.float32),
}


@pytest.mark.parametrize("name", LABEL_MAPS)
def test_label_map(tmp_path, name):
    image = LABEL_MAPS[name]
    found = read_mask_image(saved(tmp_path, image, name.partition(",")[0]))
    values = np.asarray(image)
    labels = values[..., 0] if values.ndim == 3 else values
    if "transparent" in name:
        labels = labels * (LEFT | TOP)
    assert found.is_label_map
    np.testing.assert_array_equal(found.labels, labels)
    assert found.object_ids == tuple(each for each in np.unique(labels) if each)


def saved(folder, image, mode):
    """Write an image of this mode as PNG, or as TIFF where PNG has no such mode, and return its path."""
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    path = folder / ("mask.tif" if mode in {"I", "F"} else "mask.png")
    image.save(path)
    with Image.open(path) as written:
        assert written.mode == mode
    return path


@pytest.mark.parametrize(
    "image",
    [painted(127, 3, 255) * 0, indexed(painted(10, 10, 10), *[BLACK] * 11, WHITE), np.zeros((24, 32, 4), np.uint8)],
    ids=["black", "an entry that is black", "transparent"],
)
def test_no_object(tmp_path, image):
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(tmp_path / "mask.png")
    found = read_mask_image(tmp_path / "mask.png")
    assert (found.object_ids, found.is_label_map, found.mask_of().any()) == ((), False, False)


@pytest.mark.parametrize("colour", [WHITE, RED, (128, 128, 128)])
def test_a_mask_can_fill_the_image(tmp_path, colour):
    Image.new("RGB", (32, 24), colour).save(tmp_path / "mask.png")
    assert read_mask_image(tmp_path / "mask.png").mask_of().all()


def test_colours_without_black_are_refused(tmp_path):
    Image.fromarray(painted(RED, RED, WHITE)).save(tmp_path / "mask.png")
    with pytest.raises(InvalidInputError, match=r"mask\.png shows 2 colours and no black"):
        read_mask_image(tmp_path / "mask.png")


@pytest.mark.parametrize("value", [-1, np.nan, np.inf])
def test_numbers_that_no_mask_has_are_refused(tmp_path, value):
    Image.fromarray(painted(1, value, dtype=np.float32)).save(tmp_path / "mask.tif")
    with pytest.raises(UnreadableImageError, match=r"mask\.tif holds negative, infinite or NaN values"):
        read_mask_image(tmp_path / "mask.tif")


@pytest.mark.parametrize("content", [None, b"no image"])
@pytest.mark.parametrize("read", [read_mask_image, read_label_map])
def test_unreadable_files(tmp_path, read, content):
    if content is not None:
        (tmp_path / "mask.png").write_bytes(content)
    with pytest.raises(UnreadableImageError, match=r"mask\.png"):
        read(tmp_path / "mask.png")


@pytest.mark.parametrize("read", [read_mask_image, read_label_map])
@pytest.mark.parametrize(("colours", "highest"), [(4, 3), (3, None)])
def test_labels_outside_the_palette_are_refused(tmp_path, read, colours, highest):
    indexed(painted(3, 1), *[BLACK, RED, GREEN, WHITE][:colours]).save(tmp_path / "a.png")
    if highest:
        found = read(tmp_path / "a.png")
        assert getattr(found, "labels", found).max() == highest
    else:
        with pytest.raises(UnknownLabelError, match=r"a\.png shows the label 3, its palette ends at 2"):
            read(tmp_path / "a.png")


def test_an_object_of_a_label_map(tmp_path):
    write_label_map(tmp_path / "map.png", painted(3, 5, 0))
    found = read_mask_image(tmp_path / "map.png")
    np.testing.assert_array_equal(found.mask_of(5), TOP)
    np.testing.assert_array_equal(found.mask_of(4), LEFT | TOP)  # of which it says nothing
    np.testing.assert_array_equal(found.mask_of(), LEFT | TOP)


def test_void_is_no_object(tmp_path):
    write_label_map(tmp_path / "map.png", painted(3, 255))
    assert read_mask_image(tmp_path / "map.png").object_ids == (3,)


def test_masks_are_upright_as_their_images_are(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(painted(255))).save(tmp_path / "mask.png", exif=exif)
    np.testing.assert_array_equal(read_mask_image(tmp_path / "mask.png").mask_of(), LEFT)


def disc(radius, x, y):
    rows, columns = np.mgrid[:144, :192]
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


def test_a_soft_mask_is_the_object_within_the_middle_of_its_edge(tmp_path):
    mask = disc(22, 96, 70)
    soft = cv2.GaussianBlur(mask.astype(np.uint8) * 255, (0, 0), 8)
    assert np.count_nonzero(soft) > 3 * mask.sum()
    Image.fromarray(soft).save(tmp_path / "grey.png")
    indexed(soft, *[(each,) * 3 for each in range(256)]).save(tmp_path / "indexed.png")
    for path in tmp_path.iterdir():
        np.testing.assert_array_equal(read_mask_image(path).mask_of(), soft >= 128)


@pytest.mark.parametrize("side", [1, 2, 4, 7])
@pytest.mark.parametrize(("highest", "columns"), [(254, 16), (255, 16), (256, 16), (1023, 32), (4095, 64)])
def test_the_last_of_many_instances_is_not_white(tmp_path, highest, columns, side):
    ids = np.arange(-(-(highest + 1) // columns) * columns).reshape(-1, columns)
    labels = np.where(ids <= highest, ids, 0).repeat(side, 0).repeat(side, 1).astype(np.uint16)
    Image.fromarray(labels).save(tmp_path / "map.png")
    found = read_mask_image(tmp_path / "map.png")
    assert found.is_label_map
    np.testing.assert_array_equal(found.labels, labels)


@pytest.mark.parametrize("sigma", [1, 3, 8])
@pytest.mark.parametrize("white", [255, 1023, 4095, 16383, 65535])
def test_a_deep_soft_mask_is_one_object(tmp_path, white, sigma):
    soft = cv2.GaussianBlur(disc(50, 96, 70).astype(np.float32) * white, (0, 0), sigma).round().astype(np.uint16)
    assert len(np.unique(soft)) > 32
    Image.fromarray(soft).save(tmp_path / "soft.png")
    found = read_mask_image(tmp_path / "soft.png")
    assert not found.is_label_map
    np.testing.assert_array_equal(found.mask_of(), soft >= white / 2)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(("suffix", "options"), [("jpg", {"quality": 60}), ("webp", {"quality": 50})])
def test_the_noise_of_lossy_images_is_no_object(tmp_path, mode, suffix, options):
    mask = disc(22, 96, 70)
    Image.fromarray(mask.astype(np.uint8) * 255).convert(mode).save(tmp_path / f"mask.{suffix}", **options)
    found = read_mask_image(tmp_path / f"mask.{suffix}")
    np.testing.assert_array_equal(found.mask_of(), mask)
    assert not found.is_label_map


@pytest.mark.parametrize("object_ids", [(9,), (1, 2), (3, MAXIMUM_OBJECT_ID)])
def test_mask_files_come_back(tmp_path, object_ids):
    masks = np.array([LEFT, TOP][: len(object_ids)])
    write_mask_png(tmp_path / "mask.png", Segmentation(masks, np.ones(len(masks)), object_ids))
    found = read_mask_image(tmp_path / "mask.png")
    for object_id, mask in zip(object_ids, masks, strict=True):
        np.testing.assert_array_equal(found.mask_of(object_id), mask)
    assert found.object_ids == (object_ids if len(object_ids) > 1 else (1,))


def test_label_maps_and_mask_videos_come_back(tmp_path):
    """The frames of mask videos as FFmpeg extracts them: PNG in colours or grey, and JPEG."""
    masks = [np.array([disc(20, 40 + 9 * frame, 60), disc(9, 150, 40 + 9 * frame)]) for frame in range(5)]
    frames = [np.zeros((144, 192, 3), np.uint8)] * len(masks)
    with open_video(frames) as video, RecordedMasks(144, 192) as recorded:
        for frame, of_frame in enumerate(masks):
            recorded.record(frame, Segmentation(of_frame, np.ones(2), (2, 7)))
        write_label_maps(tmp_path / "maps", video, recorded, recorded)
        write_mask_videos({each: tmp_path / f"{each}.mp4" for each in (2, 7)}, video, recorded, recorded)
    for place, object_id in enumerate((2, 7)):
        with open_video(tmp_path / f"{object_id}.mp4") as video:
            for frame, of_frame in enumerate(masks):
                image = Image.fromarray(video[frame])
                files = [tmp_path / name for name in ("colours.png", "grey.png", "frame.jpg")]
                for file, version in zip(files, (image, image.convert("L"), image), strict=True):
                    version.save(file)
                    found = read_mask_image(file)
                    assert not found.is_label_map
                    np.testing.assert_array_equal(found.mask_of(), of_frame[place])
                in_map = read_mask_image(tmp_path / f"maps/0000{frame}.png")
                np.testing.assert_array_equal(in_map.mask_of(object_id), of_frame[place])
