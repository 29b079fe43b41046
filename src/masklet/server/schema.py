"""The tables of a project, and the triggers that note how each change of a person is taken back."""

FORMAT = 3
_FOUND = """
CREATE TABLE proposal (
    id INTEGER PRIMARY KEY, item INTEGER NOT NULL REFERENCES item(key) ON DELETE CASCADE, number INTEGER NOT NULL,
    frame INTEGER NOT NULL, score REAL NOT NULL, area INTEGER NOT NULL, x INTEGER NOT NULL, y INTEGER NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, runs BLOB NOT NULL, UNIQUE (item, number)
);
CREATE TABLE overlap (
    item INTEGER NOT NULL REFERENCES item(key) ON DELETE CASCADE, frame INTEGER NOT NULL, object INTEGER NOT NULL,
    run INTEGER NOT NULL, other INTEGER NOT NULL, other_run INTEGER NOT NULL,
    PRIMARY KEY (item, frame, object, run, other, other_run)
) WITHOUT ROWID;
"""

TABLES = """
CREATE TABLE project (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, classes TEXT NOT NULL, revision INTEGER NOT NULL, created REAL NOT NULL
);
CREATE TABLE item (
    key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, name TEXT NOT NULL, media TEXT NOT NULL,
    width INTEGER, height INTEGER, frames INTEGER, fps REAL, sha256 TEXT, size INTEGER NOT NULL,
    status TEXT NOT NULL, error TEXT, revision INTEGER NOT NULL DEFAULT 0, seq INTEGER NOT NULL DEFAULT 1,
    next_object INTEGER NOT NULL DEFAULT 1, next_proposal INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE object (
    item INTEGER NOT NULL REFERENCES item(key) ON DELETE CASCADE, object INTEGER NOT NULL, name TEXT NOT NULL,
    class TEXT, colour TEXT NOT NULL, hidden INTEGER NOT NULL DEFAULT 0, locked INTEGER NOT NULL DEFAULT 0,
    place INTEGER NOT NULL, PRIMARY KEY (item, object)
);
CREATE TABLE prompt (
    id INTEGER PRIMARY KEY AUTOINCREMENT, item INTEGER NOT NULL REFERENCES item(key) ON DELETE CASCADE,
    object INTEGER NOT NULL, frame INTEGER NOT NULL, prompt TEXT NOT NULL, corrects INTEGER NOT NULL
);
CREATE INDEX prompt_of_object ON prompt(item, object, frame);
CREATE TABLE range (
    item INTEGER NOT NULL REFERENCES item(key) ON DELETE CASCADE, object INTEGER NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL
);
CREATE INDEX range_of_object ON range(item, object);
CREATE TABLE stale (
    item INTEGER NOT NULL REFERENCES item(key) ON DELETE CASCADE, object INTEGER NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL
);
CREATE INDEX stale_of_object ON stale(item, object);
CREATE TABLE mark (
    item INTEGER NOT NULL REFERENCES item(key) ON DELETE CASCADE, object INTEGER NOT NULL, frame INTEGER NOT NULL,
    run INTEGER NOT NULL, verdict TEXT NOT NULL, PRIMARY KEY (item, object, frame)
);
CREATE TABLE run (
    id INTEGER PRIMARY KEY AUTOINCREMENT, item INTEGER NOT NULL REFERENCES item(key) ON DELETE CASCADE,
    kind TEXT NOT NULL, job TEXT, active INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX run_of_item ON run(item);
CREATE TABLE frame_stat (
    item INTEGER NOT NULL REFERENCES item(key) ON DELETE CASCADE, object INTEGER NOT NULL, frame INTEGER NOT NULL,
    run INTEGER NOT NULL, state INTEGER NOT NULL, score REAL NOT NULL, presence REAL NOT NULL, area INTEGER NOT NULL,
    x INTEGER NOT NULL, y INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
    revision INTEGER NOT NULL, pieces INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (item, object, frame, run)
) WITHOUT ROWID;
CREATE TABLE mask (
    item INTEGER NOT NULL REFERENCES item(key) ON DELETE CASCADE, object INTEGER NOT NULL, frame INTEGER NOT NULL,
    run INTEGER NOT NULL, runs BLOB NOT NULL, PRIMARY KEY (item, object, frame, run)
) WITHOUT ROWID;
CREATE TABLE job (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, item TEXT, kind TEXT NOT NULL,
    state TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0, spec TEXT NOT NULL,
    error TEXT, notes TEXT NOT NULL DEFAULT '[]', result TEXT,
    created REAL NOT NULL DEFAULT 0
);
CREATE TABLE operation (
    item INTEGER NOT NULL REFERENCES item(key) ON DELETE CASCADE, number INTEGER NOT NULL, kind TEXT NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (item, number)
);
CREATE TABLE change (
    id INTEGER PRIMARY KEY AUTOINCREMENT, item INTEGER NOT NULL, operation INTEGER NOT NULL, statement TEXT NOT NULL,
    FOREIGN KEY (item, operation) REFERENCES operation(item, number) ON DELETE CASCADE
);
CREATE INDEX change_of_operation ON change(item, operation);
CREATE TABLE journal (item INTEGER, operation INTEGER);
INSERT INTO journal VALUES (NULL, NULL);
"""

UNDONE_TABLES = {
    "object": ("item", "object", "name", "class", "colour", "hidden", "locked", "place"),
    "prompt": ("id", "item", "object", "frame", "prompt", "corrects"),
    "range": ("item", "object", "first", "last"),
    "stale": ("item", "object", "first", "last"),
    "mark": ("item", "object", "frame", "run", "verdict"),
    "proposal": ("id", "item", "number", "frame", "score", "area", "x", "y", "width", "height", "runs"),
}
"""Tables, and their columns, whose changes are journalled row by row. Masks are not: undoing hides their run."""


def script() -> str:
    """Return the statements that make an empty project."""
    return TABLES + _FOUND + "".join(map(_triggers, UNDONE_TABLES)) + _RUNS


def later(older: int) -> str:
    """Return the statements that make the next format of an older one."""
    if older == 1:
        return "ALTER TABLE job ADD COLUMN created REAL NOT NULL DEFAULT 0;"
    return (
        "ALTER TABLE item ADD COLUMN next_proposal INTEGER NOT NULL DEFAULT 1;"
        "ALTER TABLE frame_stat ADD COLUMN pieces INTEGER NOT NULL DEFAULT 0;" + _FOUND + _triggers("proposal")
    )


def _triggers(table: str) -> str:
    columns = UNDONE_TABLES[table]
    old = " || ',' || ".join(f"quote(OLD.{name})" for name in columns)
    settings = " || ',' || ".join(f"'{name}=' || quote(OLD.{name})" for name in columns)
    inverses = {
        "INSERT": f"'DELETE FROM {table} WHERE rowid=' || NEW.rowid",
        "DELETE": f"'INSERT INTO {table}(rowid,{','.join(columns)}) VALUES(' || OLD.rowid || ',' || {old} || ')'",
        "UPDATE": f"'UPDATE {table} SET ' || {settings} || ' WHERE rowid=' || OLD.rowid",
    }
    return "".join(_trigger(f"{table}_{event.lower()}", f"{event} ON {table}", sql) for event, sql in inverses.items())


def _trigger(name: str, event: str, statement: str) -> str:
    return (
        f"CREATE TRIGGER undo_{name} AFTER {event} WHEN (SELECT operation FROM journal) IS NOT NULL BEGIN "
        f"INSERT INTO change(item, operation, statement) SELECT item, operation, {statement} FROM journal; END;\n"
    )


_RUNS = _trigger("run_insert", "INSERT ON run", "'UPDATE run SET active=0 WHERE id=' || NEW.id") + _trigger(
    "run_update", "UPDATE OF active ON run", "'UPDATE run SET active=' || OLD.active || ' WHERE id=' || OLD.id"
)
