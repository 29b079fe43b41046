"""`masklet serve`: the studio's server for programs and teams, without the page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from masklet.cli.model_options import DeviceOption, ModelOption, PresetOption
from masklet.cli.serving_options import (
    DATA,
    AllowHostOption,
    AllowUrlOption,
    CertificateOption,
    DataOption,
    HostOption,
    KeyOption,
    PortOption,
    ProxyOption,
    ReadOnlyOption,
    RootOption,
    run_server,
)
from masklet.configuration.presets import SpeedPreset


def serve(
    users: Annotated[Path, typer.Option("--users", help="JSON file of user names and tokens.")],
    data: DataOption = DATA,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8765,
    model: ModelOption = None,
    device: DeviceOption = None,
    preset: PresetOption = SpeedPreset.EXACT,
    root: RootOption = None,
    allow_host: AllowHostOption = None,
    allow_url: AllowUrlOption = None,
    proxy: ProxyOption = None,
    read_only: ReadOnlyOption = False,
    certificate: CertificateOption = None,
    key: KeyOption = None,
) -> None:
    """Serve the HTTP interface to programs and teams; there is no page, and every user has a token."""
    run_server(
        data=data,
        host=host,
        port=port,
        users=users,
        roots=root,
        allowed_hosts=allow_host,
        allowed_urls=allow_url,
        proxies=proxy,
        is_read_only=read_only,
        has_page=False,
        model=model,
        device=device,
        preset=preset,
        certificate=certificate,
        key=key,
    )
