"""Saved sessions as earlier versions wrote them, and as damage makes them."""

import json
import shutil
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from masklet import Sam2VideoInferenceSession


def index_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "session.json").read_text())
    return content


def write_index(folder: Path, content: dict[str, Any]) -> None:
    """Write a `session.json` whose checksum is right, whatever it says."""
    plain = {name: value for name, value in content.items() if name != "checksum"}
    checksum = zlib.crc32(json.dumps(plain, sort_keys=True).encode())
    (folder / "session.json").write_text(json.dumps({**plain, "checksum": checksum}))


def rewrite_as_format_1(folder: Path, session: Sam2VideoInferenceSession) -> None:
    """Make of a session that was just saved what the first version would have written."""
    described, name = index_of(folder)["session"], "memories-" + 32 * "0"
    shutil.move(folder / described["tensors"][0], folder / f"{name}.safetensors")
    for index, (target, entry) in enumerate(zip(session.objects(), described["objects"], strict=True)):
        archive = target.bank.archive
        frames = {} if archive is None else archive.frames()
        for frame, archived in frames.items():
            shutil.copyfile(archived.path, folder / f"{name}-{index}-{frame}.safetensors")
        entry["archived"] = [[frame, archived.reverse] for frame, archived in frames.items()]
        entry["results"] = [[frame, asdict(result)] for frame, result in target.bank.results.items()]
    for path in [*folder.glob("history-*"), *folder.glob("memory-*")]:
        path.unlink()
    content = {key: value for key, value in described.items() if key not in ("tensors", "history")}
    (folder / "session.json").write_text(json.dumps({"format": 1, **content, "memories": name}))
