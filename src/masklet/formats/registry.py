"""The formats that are written, and the readers of what they write."""

from masklet.errors import InvalidInputError
from masklet.formats.reading.coco_folder import CocoFolder
from masklet.formats.reading.cvat_images_folder import CvatImagesFolder
from masklet.formats.reading.cvat_video_folder import CvatVideoFolder
from masklet.formats.reading.davis_folder import DavisFolder
from masklet.formats.reading.label_studio_folder import LabelStudioFolder
from masklet.formats.reading.labelme_folder import LabelmeFolder
from masklet.formats.reading.opening import Layout
from masklet.formats.reading.plain_folder import PlainFolder
from masklet.formats.reading.sav_folder import SavFolder
from masklet.formats.reading.sav_split_folder import SavSplitFolder
from masklet.formats.reading.yolo_folder import YoloFolder
from masklet.formats.reading.youtube_vis_folder import YoutubeVisFolder
from masklet.formats.reading.youtube_vos_folder import YoutubeVosFolder
from masklet.formats.writing.coco import CocoWriter
from masklet.formats.writing.cut_outs import CutOutsWriter
from masklet.formats.writing.cvat import CvatImagesWriter, CvatVideoWriter
from masklet.formats.writing.format import AnyWriter
from masklet.formats.writing.label_map_folders import DavisWriter, YoutubeVosWriter
from masklet.formats.writing.label_studio import LabelStudioVideoWriter, LabelStudioWriter
from masklet.formats.writing.labelme import LabelmeWriter
from masklet.formats.writing.mask_videos import MaskVideosWriter
from masklet.formats.writing.masks import MasksWriter
from masklet.formats.writing.sav import SavSplitWriter, SavWriter
from masklet.formats.writing.shards import ParquetWriter, WebDatasetWriter
from masklet.formats.writing.yolo import YoloWriter
from masklet.formats.writing.youtube_vis import YoutubeVisWriter

READERS: dict[AnyWriter, Layout | None] = {
    CocoWriter: CocoFolder,
    MasksWriter: PlainFolder,
    LabelmeWriter: LabelmeFolder,
    YoloWriter: YoloFolder,
    CvatImagesWriter: CvatImagesFolder,
    LabelStudioWriter: LabelStudioFolder,
    CutOutsWriter: None,
    ParquetWriter: None,
    WebDatasetWriter: None,
    YoutubeVisWriter: YoutubeVisFolder,
    YoutubeVosWriter: YoutubeVosFolder,
    DavisWriter: DavisFolder,
    SavWriter: SavFolder,
    SavSplitWriter: SavSplitFolder,
    CvatVideoWriter: CvatVideoFolder,
    LabelStudioVideoWriter: None,
    MaskVideosWriter: None,
}
"""What reads the files of each writer; None: they hold too little of the masks."""

WRITERS: dict[str, AnyWriter] = {each.NAME: each for each in READERS}


def writer_named(name: str) -> AnyWriter:
    """Return the writer of a format by its name; InvalidInputError, which lists all, if there is none."""
    if name not in WRITERS:
        raise InvalidInputError(f"There is no format {name!r} to write; there are {', '.join(WRITERS)}.")
    return WRITERS[name]
