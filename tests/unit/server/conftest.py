"""Projects and items that tests of the server share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from masklet.server.database import Database
from masklet.server.item_records import ItemRecords
from masklet.server.projects import Project, Projects


@pytest.fixture
def projects(tmp_path: Path) -> Iterator[Projects]:
    (tmp_path / "data").mkdir()
    made = Projects(tmp_path / "data")
    yield made
    made.close()


@pytest.fixture
def project(projects: Projects) -> Project:
    return projects.make("ann", "p", [])


@pytest.fixture
def records(tmp_path: Path) -> Iterator[ItemRecords]:
    """Those of a video of nine frames, without objects."""
    database = Database(tmp_path)
    with database.writing() as connection:
        query = (
            "INSERT INTO item(id, kind, name, media, size, status, frames) VALUES('itm_1', 'video', 'v', '', 0, '', 9)"
        )
        key = connection.execute(query).lastrowid
    assert key is not None
    yield ItemRecords(database, key)
    database.close()
