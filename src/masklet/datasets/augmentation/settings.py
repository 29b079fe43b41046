"""Settings of augmentation: probabilities and largest changes."""

from dataclasses import dataclass, fields

from masklet.errors import InvalidInputError

PROBABILITIES = ("flip", "affine", "crop", "grey", "blur", "mosaic")
STEEPEST_SHEAR = 60.0


@dataclass(frozen=True)
class ColourJitter:
    """Largest changes of `brightness`, `contrast` and `saturation`, 0..1: 0.1 is a factor between 0.9 and 1.1."""

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0

    def __post_init__(self) -> None:
        for each in fields(self):
            if not 0 <= getattr(self, each.name) <= 1:
                raise InvalidInputError(f"{each.name}={getattr(self, each.name)} of a colour jitter; allowed is 0..1.")


@dataclass(frozen=True)
class Augmentation:
    """Probabilities 0..1 and largest changes; the defaults are those of the SAM 2 paper for videos (appendix D.2.2).

    `flip` (left and right), `affine` (a turn by up to `rotation` and a slant by up to `shear` degrees), `crop` (to a
    rectangle of `smallest_crop` to 1 of both sides), `colours`, `grey`, `blur` (Gaussian, up to `strongest_blur` pixels
    of the network's image) and `mosaic` (the clip four times, in a grid of two by two; objects of one of the four are
    prompted, which only position and motion distinguish from their copies) are drawn once a clip. `frame_colours` is
    drawn every frame.
    """

    flip: float = 0.5
    affine: float = 1.0
    rotation: float = 25.0
    shear: float = 20.0
    crop: float = 0.0
    smallest_crop: float = 0.5
    colours: ColourJitter = ColourJitter(brightness=0.1, contrast=0.03, saturation=0.03)
    grey: float = 0.05
    blur: float = 0.0
    strongest_blur: float = 1.5
    mosaic: float = 0.1
    frame_colours: ColourJitter = ColourJitter(brightness=0.1, contrast=0.05, saturation=0.05)

    def __post_init__(self) -> None:
        ranges = dict.fromkeys(PROBABILITIES, (0.0, 1.0))
        ranges |= {"rotation": (0.0, 180.0), "shear": (0.0, STEEPEST_SHEAR), "smallest_crop": (0.05, 1.0)}
        for name, (low, high) in (ranges | {"strongest_blur": (0.0, 20.0)}).items():
            if not low <= getattr(self, name) <= high:
                raise InvalidInputError(f"{name}={getattr(self, name)} of an augmentation; allowed is {low}..{high}.")

    @classmethod
    def none(cls) -> "Augmentation":
        """Return settings that change nothing."""
        still = ColourJitter()
        return cls(flip=0, affine=0, crop=0, colours=still, grey=0, blur=0, mosaic=0, frame_colours=still)

    @classmethod
    def for_images(cls) -> "Augmentation":
        """Return settings for images: the paper only flips SA-1B's 11 million; fewer need crops and colours as well."""
        colours = ColourJitter(brightness=0.2, contrast=0.2, saturation=0.2)
        return cls(affine=0, crop=0.5, colours=colours, blur=0.1, mosaic=0, frame_colours=ColourJitter())
