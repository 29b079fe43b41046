"""Which items and sessions stay in memory."""

import gc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.shade_world import shade_tracker

from masklet.server import open_items
from masklet.server.limits import Limits
from masklet.server.media_files import Readers
from masklet.server.open_items import Model, OpenItems
from masklet.server.projects import Project, Projects

SESSIONS = 2


@pytest.fixture
def items() -> Iterator[OpenItems]:
    limits = Limits(sessions=SESSIONS)
    model = Model(shade_tracker(), limits)
    yield OpenItems(model, Readers(limits.sessions), limits, lambda owner, size: None)
    model.device.close()


@pytest.fixture
def ids(project: Project, tmp_path: Path) -> list[str]:
    """Four images of a project."""
    file = tmp_path / "image.png"
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(file)
    made = [project.add_item("image", "image.png", str(file), 0) for _ in range(4)]
    for each in made:
        project.change_item(each, status="ready", width=64, height=64, frames=1)
    return made


def loaded(items: OpenItems, project: Project, ids: list[str]) -> list[bool]:
    return [items.get(project, each).has_session for each in ids]


def test_sessions_beyond_the_limit_go_but_for_those_that_work(
    items: OpenItems, project: Project, ids: list[str]
) -> None:
    for each in ids:
        items.get(project, each).session()
    items.trim(working=[ids[0], ids[1], ids[3]])
    assert loaded(items, project, ids) == [True, True, False, True]
    items.trim(working=ids[:1])
    assert loaded(items, project, ids) == [True, False, False, True], "those go that were not used longest"


def test_the_last_news_of_an_item_come_after_it_is_gone(
    items: OpenItems, projects: Projects, project: Project, ids: list[str]
) -> None:
    item = items.get(project, ids[0])
    projects.remove_item(project, ids[0])
    item.publish_deleted()
    assert item.channel.seq == 1


def test_what_nobody_uses_is_forgotten(
    items: OpenItems, project: Project, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    held, left = items.get(project, ids[0]), items.get(project, ids[1])
    left.session()
    seq, held_seq = left.channel.seq, held.channel.seq
    del left
    monkeypatch.setattr(open_items, "_IDLE_SECONDS", 0.0)
    items.trim()
    gc.collect()
    assert items.get(project, ids[0]) is held, "what a socket or a job holds is the same item for everybody"
    assert held.channel.seq == held_seq
    assert items.get(project, ids[1]).channel.seq > seq, "what nobody holds is opened anew"
