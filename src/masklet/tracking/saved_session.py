"""Sessions as folders: `session.json` says what there is, safetensors files beside it hold the tensors.

The frames are not saved. Every save writes new tensor files; `session.json`, which names them, comes last, so that a
folder always holds one whole session.
"""

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from masklet.atomic_files import folder_written_whole
from masklet.errors import CheckpointError, InvalidInputError
from masklet.folders import matching
from masklet.modeling.video_network import VideoNetwork
from masklet.tracking.fingerprint import fingerprint
from masklet.tracking.frame_prompt import FramePrompt
from masklet.tracking.frames import Frames
from masklet.tracking.memory_bank import FrameMemory, FrameResult
from masklet.tracking.retention import RetentionChoice
from masklet.tracking.session import Sam2VideoInferenceSession
from masklet.tracking.stepping import answer_all
from masklet.tracking.tracked_object import TrackedObject

FILE, FORMAT = "session.json", 1
OPTIONS = ("video_height", "video_width", "max_results")
NEEDED = ("model", "is_stream", "num_frames", "dtype", "retention", *OPTIONS, "memories", "objects")

Tensors = dict[str, Tensor]


def save_session(session: Sam2VideoInferenceSession, folder: str | os.PathLike[str], network: VideoNetwork) -> None:
    """Write all of a session but its frames. What was saved there before is replaced once all is written.

    New prompts on the frames of a stream are answered first, because these frames will not be there when it goes on.
    """
    if session.is_stream:
        with torch.inference_mode():
            answer_all(network, session)
    name = f"memories-{uuid.uuid4().hex}"
    tensors: Tensors = {}
    objects = [_described(target, str(index), tensors) for index, target in enumerate(session.objects())]
    description = {
        "format": FORMAT,
        "model": fingerprint(network),
        "is_stream": session.is_stream,
        "num_frames": session.num_frames,
        "dtype": str(session.dtype).removeprefix("torch."),
        "retention": session.retention if isinstance(session.retention, str) else "spill",
        **{option: getattr(session, option) for option in OPTIONS},
        "memories": name,
        "objects": objects,
    }
    with folder_written_whole(folder) as unfinished:
        save_file(tensors, unfinished / f"{name}.safetensors")
        for index, target in enumerate(session.objects()):
            for frame, path in target.bank.archived_files().items():
                shutil.copyfile(path, unfinished / f"{name}-{index}-{frame}.safetensors")
        (unfinished / FILE).write_text(json.dumps(description, indent=1), encoding="utf-8")
    for old in matching(folder, "memories-*.safetensors"):
        if not old.name.startswith(name):
            old.unlink()


def load_session(
    folder: str | os.PathLike[str],
    video: Frames | None,
    network: VideoNetwork,
    retention: RetentionChoice | None = None,
    **options: Any,
) -> Sam2VideoInferenceSession:
    """Return a saved session, ready to go on in the same video (None: the stream goes on), with the same model.

    retention: default as it was; a `Spill(folder)` goes on in a temporary folder. `options` are those of the session
    about devices and caches. Raises `CheckpointError` for a folder without a readable session, and `InvalidInputError`
    for another model or another video.
    """
    description, tensors = _read(Path(folder))
    _check(description, folder, video, network)
    devices = {"inference_device": network.device, **options}
    session = Sam2VideoInferenceSession(
        video,
        dtype=description["dtype"],
        retention=retention or description["retention"],
        **{option: description[option] for option in OPTIONS},
        **devices,
    )
    session.frames.go_on_from(description["num_frames"])
    with _damage_named(folder):
        for index, described in enumerate(description["objects"]):
            target = session.new_object(described["object_id"])
            place = Path(folder) / f"{description['memories']}-{index}"
            _restore(target, described, _below(tensors, str(index)), session)
            if target.bank.archive is not None:
                for frame, reverse in described["archived"]:
                    target.bank.archive.take(frame, place.with_name(f"{place.name}-{frame}.safetensors"), reverse)
            session.keep(target)
    return session


def _described(target: TrackedObject, place: str, tensors: Tensors) -> dict[str, Any]:
    """What JSON says of an object; its tensors are added to `tensors`, below `place`."""
    bank = target.bank
    is_answer_to_all = {frame: target.prompts.get(frame) is prompt for frame, prompt in target.answered.items()}
    earlier_prompts = {frame: target.answered[frame] for frame, is_same in is_answer_to_all.items() if not is_same}
    for kind, entries in (
        ("prompts", target.prompts),
        ("answered", earlier_prompts),
        ("conditioning", bank.conditioning),
        ("tracked", bank.tracked),
    ):
        for frame, entry in entries.items():
            for field, value in vars(entry).items():
                if isinstance(value, Tensor):
                    tensors[f"{place}/{kind}/{frame}/{field}"] = value.detach().cpu().clone().contiguous()
    return {
        "object_id": target.object_id,
        "prompts": list(target.prompts),
        "answered": list(is_answer_to_all.items()),
        "conditioning": [(frame, memory.reverse) for frame, memory in bank.conditioning.items()],
        "tracked": [(frame, memory.reverse) for frame, memory in bank.tracked.items()],
        "results": [(frame, asdict(result)) for frame, result in bank.results.items()],
        "archived": [] if bank.archive is None else bank.archive.entries(),
    }


def _restore(
    target: TrackedObject, described: Mapping[str, Any], tensors: Tensors, session: Sam2VideoInferenceSession
) -> None:
    for frame in described["prompts"]:
        target.prompts[frame] = FramePrompt(**_below(tensors, f"prompts/{frame}"))
    for frame, is_answer_to_all in described["answered"]:
        target.answered[frame] = (
            target.prompts[frame] if is_answer_to_all else FramePrompt(**_below(tensors, f"answered/{frame}"))
        )
    for kind, kept in (("conditioning", target.bank.conditioning), ("tracked", target.bank.tracked)):
        for frame, reverse in described[kind]:
            found = _below(tensors, f"{kind}/{frame}")
            placed: dict[str, Any] = {field: value.to(session.inference_state_device) for field, value in found.items()}
            kept[frame] = FrameMemory(**{"features": None, **placed}, reverse=reverse)
    for frame, result in described["results"]:
        target.bank.results[frame] = FrameResult(**result)


def _below(tensors: Tensors, place: str) -> Tensors:
    prefix = f"{place}/"
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _read(folder: Path) -> tuple[dict[str, Any], Tensors]:
    with _damage_named(folder):
        description = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if description["format"] != FORMAT:
            raise CheckpointError(
                f"{folder / FILE} has format {description['format']}; this version reads format {FORMAT}."
            )
        missing = [name for name in NEEDED if name not in description]
        if missing:
            raise CheckpointError(f"{folder / FILE} does not say {', '.join(missing)}.")
        return description, load_file(folder / f"{description['memories']}.safetensors")


@contextmanager
def _damage_named(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Whatever reading a damaged session ends by becomes a `CheckpointError` that names its folder."""
    try:
        yield
    except CheckpointError:
        raise
    except Exception as error:
        raise CheckpointError(f"{os.fspath(folder)} holds no readable session: {error}") from error


def _check(
    description: Mapping[str, Any], folder: str | os.PathLike[str], video: Frames | None, network: VideoNetwork
) -> None:
    if description["model"] != fingerprint(network):
        raise InvalidInputError(
            f"The session in {os.fspath(folder)} was made with another model: other weights, settings, image size or "
            "number type. Load the model that it was made with."
        )
    if description["is_stream"] != (video is None):
        raise InvalidInputError(
            f"The session in {os.fspath(folder)} is of a {'stream' if description['is_stream'] else 'video'}; "
            f"{'give no video' if description['is_stream'] else 'give its video'}."
        )
    if video is None:
        return
    for name, found in (
        ("num_frames", len(video)),
        ("video_height", getattr(video, "height", None)),
        ("video_width", getattr(video, "width", None)),
    ):
        if found is not None and description[name] is not None and found != description[name]:
            raise InvalidInputError(
                f"The session in {os.fspath(folder)} is of another video: its {name} is {description[name]}, "
                f"not {found}."
            )
