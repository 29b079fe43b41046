"""The names of runtimes and of what is exported for them; no torch, so that commands show their help at once."""

from enum import StrEnum


class RuntimeName(StrEnum):
    """How a model is run.

    A checkpoint runs as it is (`EAGER`) or through torch's compiler (`COMPILED`), the graphs of a folder that
    `masklet export` wrote in `ONNXRUNTIME` or `OPENVINO`. `AUTO` takes the first of them that is there: eager for a
    checkpoint, OpenVINO, else ONNX Runtime, for such a folder.
    """

    EAGER = "eager"
    COMPILED = "compiled"
    ONNXRUNTIME = "onnxruntime"
    OPENVINO = "openvino"
    AUTO = "auto"


OF_FOLDERS = (RuntimeName.OPENVINO, RuntimeName.ONNXRUNTIME)
"""The runtimes of exported folders, the one that `auto` prefers first."""


class Target(StrEnum):
    """The files of graphs: `ONNX`, which all runtimes read, or OpenVINO's own, which it opens faster."""

    ONNX = "onnx"
    OPENVINO = "openvino"

    @property
    def runtimes(self) -> tuple[RuntimeName, ...]:
        """The runtimes that read them, the one that `auto` prefers first."""
        return OF_FOLDERS if self is Target.ONNX else (RuntimeName.OPENVINO,)


class Precision(StrEnum):
    """In which numbers graphs compute. In bfloat16 that is up to OpenVINO, int8 is the image encoder."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    INT8 = "int8"


class GraphName(StrEnum):
    """The graphs of a model, one a verb of `masklet.runtimes.protocol`; `decode` is three, where an axis differs.

    `DECODE_IMAGE` takes one image for all objects, `DECODE` one an object, `DECODE_MASK` also an earlier mask each.
    """

    ENCODE_IMAGE = "encode_image"
    DECODE_IMAGE = "decode_image"
    DECODE_MASK = "decode_mask"
    CONDITION = "condition"
    DECODE = "decode"
    EMBED_MASK = "embed_mask"
    ENCODE_MEMORY = "encode_memory"


class Layout(StrEnum):
    """Whose names and shapes exported graphs have: masklet's own, or those of programs of others."""

    MASKLET = "masklet"
    SAMEXPORTER = "samexporter"
    TRANSFORMERSJS = "transformersjs"


class Parts(StrEnum):
    """What is exported: the graphs that images take, or all."""

    IMAGES = "images"
    ALL = "all"

    @property
    def graphs(self) -> tuple[GraphName, ...]:
        """The graphs, those of images first."""
        return tuple(GraphName) if self is Parts.ALL else tuple(GraphName)[:3]
