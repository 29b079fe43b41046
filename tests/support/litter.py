"""What systems and programs leave in folders without being asked."""

import shutil
import tempfile
from pathlib import Path

APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        "


def litter(root: Path) -> None:
    """Put into `root` and every folder below what macOS, Windows, Jupyter and storage servers leave there.

    Among it are copies of all files and folders, which a reader would take for more of the same.
    """
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    with tempfile.TemporaryDirectory() as place:
        clean = Path(place) / "clean"
        shutil.copytree(root, clean)
        for folder in folders:
            _litter_folder(folder, clean / folder.relative_to(root))


def _litter_folder(folder: Path, clean: Path) -> None:
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "Icon\r"):
        (folder / name).write_bytes(b"\x00\x01Bud1")
    for name in (".ipynb_checkpoints", "__MACOSX", "@eaDir", ".Trashes"):
        shutil.copytree(clean, folder / name)
    for path in clean.iterdir():
        (folder / f"._{path.name}").write_bytes(APPLE_DOUBLE)
        (folder / "__MACOSX" / f"._{path.name}").write_bytes(APPLE_DOUBLE)
        if path.is_file():
            copy = f"{path.stem}-checkpoint{path.suffix}"
            shutil.copyfile(path, folder / ".ipynb_checkpoints" / copy)
            (folder / f"{path.name}:Zone.Identifier").write_text("[ZoneTransfer]\nZoneId=3\n")
            (folder / "@eaDir" / path.name).unlink()
            (folder / "@eaDir" / path.name).mkdir()
            (folder / "@eaDir" / path.name / "SYNOPHOTO_THUMB_M.jpg").write_bytes(b"\xff\xd8")
