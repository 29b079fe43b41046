"""Ways to spoil values, JSON documents, files and folders. All chance comes from the generator that is given."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

Place = tuple[Any, Any]  # a list or dict, and the index or key in it

DEEP = "\x00nested deeply"  # stands for what json.dumps cannot write
DEPTHS = (1_000, 100_000)
HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 7, 255, 256, 0.5, -0.0, 1e-320, 1e308, -1e308, 2**31, -(2**31), 2**63, 10**12,
    10**400, -(10**400), float("nan"), float("inf"), float("-inf"), "", " ", "x", "0", "-1", "nan", "1e999", "\x00",
    "é\u202e☃", "x" * 2_000, "../../../etc/passwd", "/dev/zero", "/", ".", "a\nb", [], {}, [[]], [None], [0], [1, 2],
    [-1, -1], [0.5, 1.5], ["x"], [[[[0]]]], [float("nan")] * 4, [10**400] * 4, [True] * 4, [0] * 1_000, {"a": 1},
    {"": None}, {"counts": "", "size": [0, 0]}, {"height": -1, "width": 1}, DEEP,
)  # fmt: skip


def spoiled_json(rng: Random, document: Any) -> tuple[str, Any]:
    """Change a JSON document at one to three places; return what was done, and the document."""
    names = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = list(_places(document))
        if not places:
            return "replaced as a whole", rng.choice(HOSTILE)
        path, (holder, key) = rng.choice(places)
        change = rng.choice(_CHANGES)
        names.append(f"{change.__name__.strip('_')} {path}")
        change(rng, holder, key)
    return ", ".join(names), document


def json_text(document: Any, depth: int = DEPTHS[0]) -> str:
    """Return a document as JSON; where DEEP stands, so many lists inside each other."""
    return json.dumps(document).replace(json.dumps(DEEP), "[" * depth + "]" * depth)


def spoil_json_file(rng: Random, path: Path) -> str:
    """Spoil what a JSON file holds, or now and then its bytes."""
    if rng.random() < 0.15:
        return spoil_bytes(rng, path)
    name, document = spoiled_json(rng, json.loads(path.read_text(encoding="utf-8")))
    path.write_text(json_text(document, rng.choice(DEPTHS)), encoding="utf-8")
    return f"{path.name}: {name}"


def spoil_json_lines(rng: Random, path: Path) -> str:
    """Spoil what one line of a file of JSON lines holds, or the order of its lines, or now and then its bytes."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or rng.random() < 0.15:
        return spoil_bytes(rng, path)
    place = rng.randrange(len(lines))
    if rng.random() < 0.2:
        name, lines = rng.choice(
            (
                ("without a line", lines[:place] + lines[place + 1 :]),
                ("a line twice", lines[: place + 1] + lines[place:]),
                ("turned round", lines[::-1]),
            )
        )
    else:
        name, document = spoiled_json(rng, json.loads(lines[place]))
        lines[place] = json_text(document, rng.choice(DEPTHS))
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return f"{path.name}, line {place}: {name}"


def spoil_file(rng: Random, path: Path) -> str:
    """Spoil a file by what its suffix says that it holds."""
    spoil = {".json": spoil_json_file, ".jsonl": spoil_json_lines}.get(path.suffix, spoil_bytes)
    return spoil(rng, path)


def spoil_bytes(rng: Random, path: Path) -> str:
    """Spoil a file, whatever it is: the first bytes, which say what follows, more often than others."""
    content = bytearray(path.read_bytes())
    change = rng.choice(_CHANGES_OF_BYTES)
    place = rng.randrange(min(len(content), rng.choice((16, 64, 512, len(content)))) or 1) if content else 0
    path.write_bytes(bytes(change(rng, content, place)))
    return f"{path.name}: {change.__name__.strip('_')} at {place}"


def spoil_folder(rng: Random, folder: Path, names: str = "*") -> str:
    """Spoil one file of a folder, by what it holds or by what it is."""
    files = sorted(path for path in folder.rglob(names) if path.is_file())
    path = rng.choice(files)
    if rng.random() < 0.3:
        change = rng.choice(_CHANGES_OF_FILES)
        change(path, rng.choice(files))
        return f"{path.relative_to(folder)}: {change.__name__.strip('_')}"
    return spoil_file(rng, path)


def _places(node: Any, path: str = "") -> Any:
    items: Sequence[tuple[Any, Any]] = ()
    if isinstance(node, dict):
        items = list(node.items())
    elif isinstance(node, list):
        items = list(enumerate(node))
    for key, value in items:
        here = f"{path}.{key}"[:60]
        yield here, (node, key)
        yield from _places(value, here)


def _replaced(rng: Random, holder: Any, key: Any) -> None:
    holder[key] = rng.choice(HOSTILE)


def _removed(_: Random, holder: Any, key: Any) -> None:
    del holder[key]


def _wrapped(rng: Random, holder: Any, key: Any) -> None:
    holder[key] = rng.choice((lambda value: [value], lambda value: {"x": value}, lambda value: [value, value]))(
        holder[key]
    )


def _unwrapped(_: Random, holder: Any, key: Any) -> None:
    value = holder[key]
    inner = list(value.values()) if isinstance(value, dict) else value
    holder[key] = inner[0] if isinstance(inner, list) and inner else str(value)


def _as_text(_: Random, holder: Any, key: Any) -> None:
    holder[key] = str(holder[key])


def _nearby(rng: Random, holder: Any, key: Any) -> None:
    value = holder[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        holder[key] = value[:-1] if isinstance(value, str | list) else rng.choice(HOSTILE)
    else:
        holder[key] = rng.choice(
            (value + 1, value - 1, -value, value * 1000, value * 0.5 if abs(value) < 2**53 else 0, value * 10**9)
        )


def _exchanged(rng: Random, holder: Any, key: Any) -> None:
    other = rng.choice(list(holder)) if isinstance(holder, dict) else rng.randrange(len(holder))
    holder[key], holder[other] = holder[other], holder[key]


def _with_another_key(rng: Random, holder: Any, key: Any) -> None:
    if isinstance(holder, dict):
        holder[rng.choice(("", "x", "\x00", "0", f"{key} "))] = holder.pop(key)
    else:
        holder.append(holder[key])


_CHANGES: tuple[Callable[[Random, Any, Any], None], ...] = (
    _replaced, _replaced, _replaced, _removed, _wrapped, _unwrapped, _as_text, _nearby, _exchanged, _with_another_key,
)  # fmt: skip


def _cut(_: Random, content: bytearray, place: int) -> bytes:
    return content[:place]


def _cut_at_the_end(rng: Random, content: bytearray, _: int) -> bytes:
    return content[: -rng.choice((1, 2, 8, 100)) or None]


def _changed_byte(rng: Random, content: bytearray, place: int) -> bytes:
    return content[:place] + bytes([rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))]) + content[place + 1 :]


def _changed_number(rng: Random, content: bytearray, place: int) -> bytes:
    number = rng.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\0\0\x40\0"))
    return content[:place] + number + content[place + 4 :]


def _removed_bytes(rng: Random, content: bytearray, place: int) -> bytes:
    return content[:place] + content[place + rng.choice((1, 2, 4, 64)) :]


def _inserted_bytes(rng: Random, content: bytearray, place: int) -> bytes:
    return content[:place] + rng.randbytes(rng.choice((1, 2, 4, 64))) + content[place:]


def _repeated_bytes(rng: Random, content: bytearray, place: int) -> bytes:
    return content[: place + rng.choice((4, 64, 512))] + content[place:]


def _zeroes(rng: Random, content: bytearray, place: int) -> bytes:
    length = rng.choice((4, 64, len(content)))
    return content[:place] + bytes(len(content[place : place + length])) + content[place + length :]


def _noise(rng: Random, content: bytearray, _: int) -> bytes:
    return rng.randbytes(rng.choice((1, 10, len(content))))


def _other_text(rng: Random, _: bytearray, __: int) -> bytes:
    return rng.choice((b"", b"null", b"[]", b"{}", b"hello", b"<html></html>", b"\xff\xfe", b"version https://git-lfs"))


_CHANGES_OF_BYTES: tuple[Callable[[Random, bytearray, int], bytes], ...] = (
    _cut, _cut, _cut_at_the_end, _changed_byte, _changed_byte, _changed_byte, _changed_number, _changed_number,
    _removed_bytes, _inserted_bytes, _repeated_bytes, _zeroes, _noise, _other_text,
)  # fmt: skip


def _missing(path: Path, _: Path) -> None:
    path.unlink()


def _a_folder(path: Path, _: Path) -> None:
    path.unlink()
    path.mkdir()


def _a_link_to_itself(path: Path, _: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def _another_file(path: Path, other: Path) -> None:
    if path != other:
        shutil.copyfile(other, path)


def _renamed(path: Path, _: Path) -> None:
    path.rename(path.with_name(f"{path.stem}  ☃{path.suffix}"))


def _beside_a_copy(path: Path, _: Path) -> None:
    shutil.copyfile(path, path.with_name(f"{path.stem}_2{path.suffix}"))


_CHANGES_OF_FILES: tuple[Callable[[Path, Path], None], ...] = (
    _missing, _missing, _a_folder, _a_link_to_itself, _another_file, _renamed, _beside_a_copy,
)  # fmt: skip
