"""Run lengths for pipelines: a record an image, or a frame of a video, in shards of a few thousand records."""

import io
import json
import tarfile
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from masklet.atomic_files import written_whole
from masklet.errors import InvalidInputError
from masklet.formats.items import ImageItem
from masklet.formats.losses import Holds
from masklet.formats.writing.format import FormatWriter, Fragments, WritingOptions

RECORDS = 4096  # of a shard


class ShardsWriter(FormatWriter[ImageItem]):
    """Records without images: `name`, `height`, `width`, `video`, `frame` and the `objects`.

    An object has `id`, `category`, `score`, `is_crowd`, `box` (x1, y1, x2, y2), `area` and the `counts` of COCO's run
    lengths. In a frame of a video `id` is that of the object, and `video` and `frame` say which it is.
    """

    HOLDS = Holds(scores=True, crowds=True)
    IS_FOR_PIPELINES = True
    ENDING: ClassVar[str]

    def write(self, item: ImageItem) -> Iterator[Any]:
        """Yield the record of an image."""
        video, frame = item.video or (None, None)
        about = {"name": item.name, "height": item.height, "width": item.width, "video": video, "frame": frame}
        objects = [
            {
                "id": each.object_id,
                "category": each.category,
                "score": each.score,
                "is_crowd": each.is_crowd,
                "box": list(each.box),
                "area": each.area,
                "counts": each.run_length["counts"],
            }
            for each in item.objects
        ]
        yield {**about, "objects": objects}

    def finish(self, fragments: Fragments) -> None:
        """Write the shards, one in memory at a time."""
        left = iter(fragments())
        number = 0
        while records := list(islice(left, RECORDS)):
            with written_whole(self.folder / f"{number:06}{self.ENDING}") as unfinished:
                self._write_shard(unfinished, records)
            number += 1

    @abstractmethod
    def _write_shard(self, path: Path, records: Sequence[dict[str, Any]]) -> None:
        """Write one file."""


class WebDatasetWriter(ShardsWriter):
    """Tar files of JSON files. Their names are keys, in which the first dot would begin the suffix: dots are %2E."""

    NAME = "webdataset"
    TITLE = "WebDataset"
    LAYOUT = "000000.tar of IMAGE.json"
    ENDING = ".tar"

    def _write_shard(self, path: Path, records: Sequence[dict[str, Any]]) -> None:
        with tarfile.open(path, "w") as tar:
            for record in records:
                content = json.dumps(record).encode()
                member = tarfile.TarInfo(f"{record['name'].replace('%', '%25').replace('.', '%2E')}.json")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))


class ParquetWriter(ShardsWriter):
    """Parquet files, a row a record. pyarrow is imported when one is to be written."""

    NAME = "parquet"
    TITLE = "Parquet"
    LAYOUT = "000000.parquet, a row an image"
    ENDING = ".parquet"

    def __init__(self, folder: Path, options: WritingOptions) -> None:
        super().__init__(folder, options)
        self._pyarrow = _pyarrow()

    def _write_shard(self, path: Path, records: Sequence[dict[str, Any]]) -> None:
        table = self._pyarrow.Table.from_pylist(records, schema=self._schema())
        self._pyarrow.parquet.write_table(table, path)

    def _schema(self) -> Any:
        text, number, size = self._pyarrow.string(), self._pyarrow.int64(), self._pyarrow.int32()
        of_object = {
            "id": number,
            "category": text,
            "score": self._pyarrow.float32(),
            "is_crowd": self._pyarrow.bool_(),
        }
        of_object |= {"box": self._pyarrow.list_(size), "area": number, "counts": text}
        objects = self._pyarrow.list_(self._pyarrow.struct(list(of_object.items())))
        return self._pyarrow.schema(
            [
                ("name", text),
                ("height", size),
                ("width", size),
                ("video", text),
                ("frame", number),
                ("objects", objects),
            ]
        )


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise InvalidInputError("pyarrow is not installed: pip install 'masklet[parquet]'.") from error
    return pyarrow
