"""What the system gives the process."""

import asyncio
import socket
import subprocess
import sys

import pytest

from masklet.server.process import resident_bytes
from masklet.server.serving import listening

resource = pytest.importorskip("resource")


def test_memory_is_measured() -> None:
    assert 2**23 < resident_bytes() < 2**40


@pytest.mark.parametrize(("current", "most", "expected"), [(64, 256, 256), (256, 256, 256)])
def test_as_many_files_as_allowed(current: int, most: int, expected: int) -> None:
    program = (
        f"import resource as r; r.setrlimit(r.RLIMIT_NOFILE, ({current}, {most}));"
        "from masklet.server.process import allow_many_files; allow_many_files();"
        "print(r.getrlimit(r.RLIMIT_NOFILE)[0])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(run.stdout) == expected


def test_small_messages_are_sent_at_once() -> None:
    """Without this option the second of two waits until the first was acknowledged, 40 ms later."""
    sockets = listening("127.0.0.1", 0)

    async def accepted() -> int:
        options: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def seen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            options.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(seen, sock=sockets[0]):
            _, writer = await asyncio.open_connection(*sockets[0].getsockname())
            found = await options
            writer.close()
            await writer.wait_closed()
        return found

    try:
        assert asyncio.run(accepted())
    finally:
        for each in sockets:
            each.close()
