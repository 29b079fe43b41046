"""Machines that share the work: what their options stand for."""

from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from masklet.cli.machine_options import MachineCommand, RayOption


def address_of(*arguments: str) -> Any:
    app, given = typer.Typer(), []

    @app.command(cls=MachineCommand)
    def command(jobs: str, ray: RayOption = None, strict: bool = False) -> None:
        given.append(ray)

    result = CliRunner().invoke(app, ["jobs", *arguments])
    assert result.exit_code == 0, result.output
    return given[0]


def test_a_command_can_stand_alone() -> None:
    app = typer.Typer()
    app.command(cls=MachineCommand)(lambda: None)
    assert CliRunner().invoke(app, []).exit_code == 0


def test_ray_alone_is_the_cluster_of_the_environment_or_one_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert address_of() is None
    assert [address_of("--ray"), address_of("--ray", "--strict")] == ["local", "local"]
    assert [address_of("--ray", "head:6379"), address_of("--ray=auto", "--strict")] == ["head:6379", "auto"]
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    assert [address_of("--ray"), address_of("--ray", "auto")] == ["head:6379", "auto"]
