"""From what a caller has, a model or the name of a file and of a way to run it, to a runtime."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from masklet.configuration.presets import SpeedPreset
from masklet.devices import as_device, as_dtype, is_bfloat16_faster, keep_freed_memory, round_convolutions
from masklet.errors import InvalidInputError
from masklet.json_files import one_of, shown
from masklet.modeling.image_model import Sam2Model
from masklet.runtimes.compiled import compiled_network
from masklet.runtimes.exported import ExportedRuntime, GraphRunner
from masklet.runtimes.manifest import Manifest
from masklet.runtimes.names import OF_FOLDERS, Precision, RuntimeName
from masklet.runtimes.onnx import OnnxRunner
from masklet.runtimes.openvino import OpenVinoRunner
from masklet.runtimes.protocol import ImageRuntime
from masklet.sources import finish_moves_in

AnyRuntime = TypeVar("AnyRuntime", bound=ImageRuntime)
Network = TypeVar("Network", bound=Sam2Model)
Source = str | os.PathLike[str] | None

_OPTIONS = {"device", "dtype", "torch_dtype", "image_size"}


def image_runtime(
    source: Source, preset: str = SpeedPreset.EXACT, name: RuntimeName = RuntimeName.AUTO, **options: Any
) -> ImageRuntime:
    """Open what segments images: the network of a checkpoint, or the graphs of an exported folder.

    Args:
        source: a checkpoint, with options and errors as of `Sam2Model.from_pretrained`; or such a folder.
        preset: see `network_at` and `exported_runtime`.
        name: how it is run.
        options: see `exported_runtime`, too.

    Raises:
        InvalidInputError: if it cannot be run that way.
    """
    exported = exported_runtime(source, preset, name, options)
    return as_runtime(network_at(preset, Sam2Model, source, options), name) if exported is None else exported


def network_at(preset: str, kind: type[Network], source: Source, options: Mapping[str, Any]) -> Network:
    """Load a network with the number type and the image size of a preset (`SpeedPreset`).

    `options` are those of `kind.from_pretrained` and override the preset; errors as that raises them.
    """
    chosen = one_of(preset, "preset", SpeedPreset)
    rounds = _rounds(chosen, options)
    chosen_type: dict[str, Any] = {"dtype": torch.bfloat16} if rounds else {}
    network = kind.from_pretrained(source, **chosen_type, **options)
    if "image_size" not in options:
        network.resize(chosen.image_size(network.config.image_size))
    _set_up(network.device, chosen)
    return network


def _set_up(device: torch.device, preset: SpeedPreset) -> None:
    """Set what counts for all that the process computes on a device."""
    if device.type == "cpu":
        keep_freed_memory()
    elif device.type == "cuda":
        round_convolutions(is_allowed=preset.may_round)


def _rounds(preset: SpeedPreset, options: Mapping[str, Any]) -> bool:
    """Whether a preset computes in bfloat16 here, which a number type among the options overrides."""
    is_type_given = options.keys() & {"dtype", "torch_dtype"}
    return preset.may_round and not is_type_given and is_bfloat16_faster(options.get("device") or "cpu")


def as_runtime(network: Network, name: RuntimeName) -> Network:
    """Return a network as the runtime of that name; `auto` runs it as it is."""
    return compiled_network(network) if name is RuntimeName.COMPILED else network


def exported_runtime(
    source: Source, preset: str, name: RuntimeName, options: Mapping[str, Any]
) -> ExportedRuntime | None:
    """Open the graphs of an exported folder; return None for a checkpoint that its network is to run.

    Args:
        source: the folder.
        preset: "exact", or "balanced", which in OpenVINO is bfloat16 where that is faster.
        name: how it is run.
        options: `device`, the CPU; `dtype`, float32 or, in OpenVINO, bfloat16, and none for graphs in int8;
            `image_size`, which has to be the folder's.

    Raises:
        InvalidInputError: if the runtime does not run what `source` holds, or is not installed; for other options.
        CheckpointError: for a damaged folder.
    """
    if source is None or not is_exported(source):
        if name in OF_FOLDERS:
            raise InvalidInputError(
                f"The runtime {name.value!r} runs graphs: write them by `masklet export MODEL -o FOLDER`, and give "
                f"the folder as the model; got {shown(source)}."
            )
        return None
    folder = Path(source)
    manifest = Manifest.read(folder)
    manifest.check_settings(folder)
    chosen = one_of(preset, "preset", SpeedPreset)
    if "image_size" not in options and (side := chosen.image_size(manifest.image_size)) != manifest.image_size:
        raise InvalidInputError(
            f"The preset {chosen.value!r} takes images of another size, and the size {manifest.image_size} is in these "
            f"graphs: export them with --image-size {side}, and use the preset {SpeedPreset.BALANCED.value!r}."
        )
    _check_options(manifest, options)
    name = _of_folder(name, manifest, folder)
    can_round = name is RuntimeName.OPENVINO and manifest.precision is not Precision.INT8
    rounds = can_round and _rounds(chosen, options)
    precision = _precision(manifest, {"dtype": torch.bfloat16, **options} if rounds else options)
    if precision is Precision.BFLOAT16 and name is not RuntimeName.OPENVINO:
        raise InvalidInputError("ONNX Runtime has no bfloat16 on processors; the runtime 'openvino' has.")
    return ExportedRuntime(folder, manifest, graph_runner(name, folder, manifest, precision), precision)


def graph_runner(name: RuntimeName, folder: Path, manifest: Manifest, precision: Precision) -> GraphRunner:
    """Return what runs the graphs of a folder; InvalidInputError where the runtime is not installed."""
    if name is RuntimeName.OPENVINO:
        return OpenVinoRunner(folder, manifest, precision)
    return OnnxRunner(folder, manifest)


def is_exported(source: Source) -> bool:
    """Whether a model is named by a folder that `masklet export` wrote; what a killed one left there is moved first."""
    if not isinstance(source, str | os.PathLike) or not Path(source).is_dir():
        return False
    finish_moves_in(Path(source))
    return Manifest.is_in(Path(source))


def for_inference(runtime: AnyRuntime) -> AnyRuntime:
    """Return a runtime that is not training: a network is set to evaluation, others know nothing else."""
    return runtime.eval() if isinstance(runtime, nn.Module) else runtime


def is_installed(name: RuntimeName) -> bool:
    """Whether the library of a runtime is there."""
    return name not in OF_FOLDERS or find_spec(name) is not None


def _of_folder(name: RuntimeName, manifest: Manifest, folder: Path) -> RuntimeName:
    """Return which runtime opens a folder; InvalidInputError if none, or not the one that is asked for."""
    able = manifest.target.runtimes
    if name in able:
        return name
    if name is not RuntimeName.AUTO:
        raise InvalidInputError(
            f"{folder} holds graphs in the format {manifest.target.value!r}: the runtimes "
            f"{[each.value for each in able]} run them, and not {name.value!r}."
        )
    for each in able:
        if is_installed(each):
            return each
    raise InvalidInputError(f"{folder} holds graphs, and nothing here runs them: pip install 'masklet[{able[0]}]'.")


def _check_options(manifest: Manifest, options: Mapping[str, Any]) -> None:
    if unknown := options.keys() - _OPTIONS:
        raise InvalidInputError(f"An exported folder takes the options {sorted(_OPTIONS)}; got {sorted(unknown)}.")
    if as_device(options.get("device")).type != "cpu":
        raise InvalidInputError(f"Exported graphs run on the CPU here; got device {shown(options['device'])}.")
    if options.get("image_size", manifest.image_size) != manifest.image_size:
        raise InvalidInputError(
            f"These graphs take images of {manifest.image_size} pixels; for {shown(options['image_size'])} export them "
            "with --image-size."
        )


def _precision(manifest: Manifest, options: Mapping[str, Any]) -> Precision:
    given = {key: options[key] for key in ("dtype", "torch_dtype") if options.get(key) not in (None, "auto")}
    if not given:
        return manifest.precision
    dtype = as_dtype(**given)
    if manifest.precision is Precision.INT8:
        raise InvalidInputError(f"These graphs compute in int8 and take no dtype; got {shown(dtype)}.")
    kinds: dict[torch.dtype | None, Precision] = {
        torch.float32: Precision.FLOAT32,
        torch.bfloat16: Precision.BFLOAT16,
    }
    if dtype not in kinds:
        raise InvalidInputError(f"Exported graphs compute in float32 or bfloat16; got {shown(dtype)}.")
    return kinds[dtype]
