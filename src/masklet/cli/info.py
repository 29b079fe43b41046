"""`masklet info`: what is installed and what it runs on."""

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from masklet import __version__
from masklet.cli.model_options import ModelOption
from masklet.errors import CheckpointError

PACKAGES = ("torch", "numpy", "pillow", "opencv-python-headless", "pycocotools", "safetensors", "huggingface-hub")


def info(model: ModelOption = None) -> None:
    """Show versions, devices, the model (bundled, or as --model says) and the folder of downloaded checkpoints."""
    from huggingface_hub.constants import HF_HUB_CACHE

    from masklet.cli.progress import progress_bar

    with progress_bar() as progress:
        progress.add_task("Loading the model", total=None)
        rows = [
            ("masklet", __version__),
            ("python", platform.python_version()),
            *((name, _version(name)) for name in PACKAGES),
            *(("device", device) for device in _devices()),
            *(("runtime", runtime) for runtime in _runtimes()),
            ("model", _describe(model)),
            ("hub cache", HF_HUB_CACHE),
        ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:{width}}  {value}")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed under this name"


def _devices() -> Iterator[str]:
    import torch

    for index in range(torch.cuda.device_count()):
        yield f"cuda:{index} ({torch.cuda.get_device_name(index)})"
    if torch.backends.mps.is_available():
        yield "mps"
    yield f"cpu ({torch.get_num_threads()} threads{_faster_products()})"


def _faster_products() -> str:
    """Return which products of rounded numbers this processor has instructions for, as an addition to its line."""
    import torch

    kinds = {
        "int8 by VNNI": "_is_vnni_supported",
        "bfloat16 by AVX-512": "_is_avx512_bf16_supported",
        "bfloat16 by AMX": "_is_amx_tile_supported",
    }
    found = [kind for kind, name in kinds.items() if getattr(torch.cpu, name, bool)()]
    return "".join(f", {kind}" for kind in found)


def _runtimes() -> Iterator[str]:
    """Yield the runtimes: those of torch, and those of exported folders with their versions."""
    from masklet.runtimes.names import OF_FOLDERS, RuntimeName
    from masklet.runtimes.opening import is_installed

    yield f"{RuntimeName.EAGER}, {RuntimeName.COMPILED}"
    for name in OF_FOLDERS:
        yield f"{name} {_version(name)}" if is_installed(name) else f"{name}: pip install 'masklet[{name}]'"


def _describe(source: str | None) -> str:
    from masklet.modeling.image_model import Sam2Model
    from masklet.runtimes.manifest import Manifest
    from masklet.runtimes.opening import is_exported

    if source is not None and is_exported(source):
        manifest = Manifest.read(Path(source))
        kind = f"{manifest.target}, {manifest.precision}, image size {manifest.image_size}"
        return f"{source}: {len(manifest.graphs)} graphs of {manifest.model}, {kind}"
    try:
        model = Sam2Model.from_pretrained(source, dtype="auto")
    except CheckpointError as error:
        if source is not None:
            raise
        return f"none ({error})"
    megabytes = sum(each.numel() * each.element_size() for each in model.parameters()) / 1e6
    name = "bundled" if source is None else source
    size = f"{model.num_parameters() / 1e6:.1f} million parameters, {megabytes:.1f} MB"
    return f"{name}: {size}, {str(model.dtype).removeprefix('torch.')}, image size {model.config.image_size}"
