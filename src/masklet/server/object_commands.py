"""Commands about objects: names, order, merging, splitting, absence, marks; and undoing."""

from contextlib import AbstractContextManager

from masklet.server.acts import Act, act
from masklet.server.acts import redo as redo_act
from masklet.server.acts import undo as undo_act
from masklet.server.commands import (
    Absent,
    Add,
    Command,
    EditObject,
    Mark,
    Merge,
    Redo,
    Remove,
    Split,
    Swap,
    Undo,
)
from masklet.server.handling import Handling
from masklet.server.item_records import (
    ItemRecords,
    add_object,
    keep_masks,
    new_run,
    set_spans,
)
from masklet.server.packets import PackedMask, State
from masklet.server.problems import conflict, unusable
from masklet.server.pruning import pruned_frames
from masklet.server.replies import Reply
from masklet.server.rows import StoredMask
from masklet.server.spans import joined, without


def edit(handling: Handling, command: EditObject) -> Reply:
    """Change an object."""
    records = handling.item.records
    fields = {"name": "name", "class_name": "class", "colour": "colour", "hidden": "hidden", "locked": "locked"}
    given = {column: getattr(command, name) for name, column in (fields | {"order": "place"}).items()}
    changed = {column: value for column, value in given.items() if value is not None}
    with handling.item.acting:
        records.known_object(command.object, is_changed=set(changed) != {"locked"} and set(changed) != {"hidden"})
        with act(records.database, records.key, "object", command.if_revision) as now:
            for column, value in changed.items():
                query = f"UPDATE object SET {column}=? WHERE item=? AND object=?"
                now.connection.execute(query, (value, now.item, command.object))
    return _told(handling, now, command.object)


def add(handling: Handling, command: Add) -> Reply:
    """Add an object without prompts."""
    handling.item.ready()
    with handling.item.acting, _acting(handling, command) as now:
        most = handling.limits.objects_per_item
        number = add_object(now, command.name, command.class_name, command.colour, most=most)
    return _told(handling, now, number)


def remove(handling: Handling, command: Remove) -> Reply:
    """Remove an object with its prompts; its masks come back by undoing."""
    records = handling.item.records
    with handling.item.acting:
        records.known_object(command.object, is_changed=True)
        with _acting(handling, command) as now:
            for table in ("object", "prompt", "range", "stale", "mark"):
                query = f"DELETE FROM {table} WHERE item=? AND object=?"
                now.connection.execute(query, (now.item, command.object))
    return _told(handling, now, command.object)


def merge(handling: Handling, command: Merge) -> Reply:
    """Make two objects one; where both have a mask, it is the union."""
    records, height_width = handling.item.records, handling.item.size()
    if command.from_ == command.into:
        raise unusable("An object cannot be merged into itself.", "into")
    with handling.item.acting:
        for number in (command.from_, command.into):
            records.known_object(number, is_changed=True)
        own = {each.frame: each for each in records.masks([command.into])}
        with _acting(handling, command) as now:
            run = new_run(now.connection, now.item, "edit")
            moved = []
            for each in records.masks([command.from_]):
                mask, other = each.mask, own.get(each.frame)
                if other is not None and other.mask.width:
                    mask = PackedMask.of(mask.mask(*height_width) | other.mask.mask(*height_width))
                numbers = _plain(each.state), each.score, each.presence, now.revision
                moved.append(StoredMask(command.into, each.frame, run, *numbers, mask))
            keep_masks(now.connection, now.item, moved)
            _move_prompts(now, command.from_, command.into, 0)
            now.connection.execute("DELETE FROM object WHERE item=? AND object=?", (now.item, command.from_))
    return _told(handling, now, command.into, command.from_)


def split(handling: Handling, command: Split) -> Reply:
    """Give what an object has from a frame on to a new object."""
    records = handling.item.records
    handling.item.check_frame(command.frame)
    with handling.item.acting:
        old = records.known_object(command.object, is_changed=True)
        with _acting(handling, command) as now:
            most = handling.limits.objects_per_item
            number = add_object(now, None, old.class_name, None, most=most)
            _exchange(now, records, {command.object: number}, command.frame)
    return _told(handling, now, number, command.object)


def swap(handling: Handling, command: Swap) -> Reply:
    """Exchange what two objects have from a frame on."""
    records = handling.item.records
    handling.item.check_frame(command.from_, "from")
    if command.a == command.b:
        raise unusable("Two different objects are swapped.", "b")
    with handling.item.acting:
        for number in (command.a, command.b):
            records.known_object(number, is_changed=True)
        with _acting(handling, command) as now:
            _exchange(now, records, {command.a: command.b, command.b: command.a}, command.from_)
    return _told(handling, now, command.a, command.b)


def absent(handling: Handling, command: Absent) -> Reply:
    """Mark an object as absent on frames, or take that back; the model does not run for it."""
    records = handling.item.records
    for first, last in command.frames:
        handling.item.check_frame(max(first, last), "frames")
        if first > last:
            raise unusable(f"A stretch begins before it ends; got {first} to {last}.", "frames")
    with handling.item.acting:
        records.known_object(command.object, is_changed=True)
        known = records.spans("range", command.object)
        wanted = joined([*known, *command.frames]) if command.value else without(known, command.frames)
        with _acting(handling, command) as now:
            set_spans(now, "range", command.object, wanted)
    handling.publish(ev="masks", revision=now.revision, objects=[command.object], frames=list(command.frames))
    return _told(handling, now, command.object)


def review(handling: Handling, command: Mark) -> Reply:
    """Note what a person thinks of a mask."""
    records = handling.item.records
    records.known_object(command.object)
    handling.item.check_frame(command.frame)
    shown = records.stats([command.object], command.frame, command.frame)
    with handling.item.acting, _acting(handling, command) as now:
        place = (now.item, command.object, command.frame)
        now.connection.execute("DELETE FROM mark WHERE item=? AND object=? AND frame=?", place)
        if command.verdict != "clear":
            values = (*place, shown[0].run if shown else 0, command.verdict)
            now.connection.execute("INSERT INTO mark(item, object, frame, run, verdict) VALUES(?, ?, ?, ?, ?)", values)
    return _told(handling, now, command.object)


def undo(handling: Handling, command: Undo) -> Reply:
    """Take the last act back."""
    return _turned(handling, command)


def redo(handling: Handling, command: Redo) -> Reply:
    """Do again what was taken back."""
    return _turned(handling, command)


def _turned(handling: Handling, command: Undo | Redo) -> Reply:
    records, turn = handling.item.records, undo_act if isinstance(command, Undo) else redo_act
    tracking = [job for job in handling.jobs.running(handling.item.id) if job.kind == "track"]
    if tracking and isinstance(command, Redo):
        raise conflict("A job of this item is running; cancel it first.")
    for job in tracking:  # the last act is the job at hand: it ends after its step, and what it made is taken back
        handling.jobs.cancel(job)
        job.ended.wait()
    with handling.item.acting:
        revision = turn(records.database, records.key, command.if_revision)
    numbers = [each.object for each in records.objects()]
    handling.publish(ev="objects", revision=revision, objects=numbers)
    handling.publish(ev="masks", revision=revision, objects=numbers)
    gone = pruned_frames(records).items()
    notes = [f"object {number} has {count} masks no more; tracking makes them again" for number, count in gone]
    return handling.reply(revision=revision, objects=numbers, notes=notes or None)


def _acting(handling: Handling, command: Command) -> AbstractContextManager[Act]:
    records = handling.item.records
    return act(records.database, records.key, command.do, command.if_revision)


def _exchange(now: Act, records: ItemRecords, names: dict[int, int], first: int) -> None:
    """Give masks and prompts from a frame on to other objects."""
    run = new_run(now.connection, now.item, "edit")
    moved, left = [], []
    for each in records.masks(names, first):
        numbers = _plain(each.state), each.score, each.presence, now.revision
        moved.append(StoredMask(names[each.object], each.frame, run, *numbers, each.mask))
        left.append(StoredMask(each.object, each.frame, run, State.NONE, 0.0, 0.0, now.revision, PackedMask()))
    keep_masks(now.connection, now.item, [*left, *moved])
    kept = -1
    for old, new in names.items():  # by way of a number that no object has, so that two can be exchanged
        _move_prompts(now, old, kept - new, first)
    for new in names.values():
        _move_prompts(now, kept - new, new, 0)


def _move_prompts(now: Act, old: int, new: int, first: int) -> None:
    query = "UPDATE prompt SET object=? WHERE item=? AND object=? AND frame>=?"
    now.connection.execute(query, (new, now.item, old, first))


def _plain(state: State) -> State:
    return State.TRACKED if state is State.STALE else state


def _told(handling: Handling, now: Act, *objects: int) -> Reply:
    handling.publish(ev="objects", revision=now.revision, objects=list(objects))
    return handling.reply(revision=now.revision, object=objects[0])
