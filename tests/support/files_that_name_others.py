"""Files that have players open other files or addresses."""

import struct
from collections.abc import Iterator
from pathlib import Path

PATH_OF_REFERENCES = (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref")


def scripts(target: str) -> dict[str, str]:
    """Playlists and scripts, by the suffix they usually have, that say nothing but to show `target`."""
    return {
        ".ffconcat": f"ffconcat version 1.0\nfile '{target}'\n",
        ".m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{target}\n#EXT-X-ENDLIST\n",
        ".mpd": (
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet '
            f'contentType="video"><Representation id="1" mimeType="video/mp4"><BaseURL>{target}</BaseURL>'
            "</Representation></AdaptationSet></Period></MPD>"
        ),
        ".sdp": (
            f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns={target}\nc=IN IP4 127.0.0.1\nt=0 0\n"
            "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
        ),
        ".asx": f'<ASX version="3.0"><ENTRY><REF HREF="{target}"/></ENTRY></ASX>',
        ".m3u": f"#EXTM3U\n{target}\n",
        ".pls": f"[playlist]\nFile1={target}\nNumberOfEntries=1\n",
        ".smil": f'<smil><body><video src="{target}"/></body></smil>',
        ".svg": (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="64" height="48">'
            f'<image xlink:href="{target}" width="64" height="48"/></svg>'
        ),
        ".txt": f"file '{target}'\n",
    }


def write_external_reference(path: Path, movie: Path) -> Path:
    """Write at `path` a QuickTime file without pixels, whose frames are said to lie in `movie`, beside it."""
    content = bytearray(movie.read_bytes())
    boxes = list(_boxes(content, PATH_OF_REFERENCES))
    start, size = boxes[-1]
    entry = _alias(movie.name)
    references = content[start : start + 12] + struct.pack(">I", 1) + entry
    content[start : start + size] = references
    for box, box_size in boxes:
        content[box : box + 4] = struct.pack(">I", box_size + len(references) - size)
    data, data_size = next(_boxes(content, (b"mdat",)))
    assert data < boxes[0][0], "the frames' places would have moved"
    content[data + 8 : data + data_size] = bytes(data_size - 8)
    path.write_bytes(content)
    return path


def _boxes(content: bytearray, names: tuple[bytes, ...]) -> Iterator[tuple[int, int]]:
    """Yield start and size of the first box of each of `names`, each inside the one before."""
    start, end = 0, len(content)
    for name in names:
        while start < end:
            size, kind = struct.unpack_from(">I4s", content, start)
            if kind == name:
                yield start, size
                start, end = start + 8, start + size
                break
            start += size


def _alias(name: str) -> bytes:
    """A data reference of the kind `alis` to a file in the same folder."""
    path = name.encode()
    record = bytes(10) + bytes(28) + bytes(12) + bytes([len(path)]) + path.ljust(63, b"\0") + bytes(16)
    record += struct.pack(">hh", 1, 1) + bytes(16)
    record += struct.pack(">hH", 2, len(path)) + path + bytes(len(path) % 2) + struct.pack(">hH", -1, 0)
    return struct.pack(">I4sI", 12 + len(record), b"alis", 0) + record
