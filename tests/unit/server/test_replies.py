"""What replies and events say: nothing where there is nothing, and all of what they are about."""

import json

from masklet.server.messages import ItemMessage
from masklet.server.replies import ErrorMessage, Event, Reply

ITEM = ItemMessage(
    id="itm_1", project="prj_1", kind="stream", name="s", width=4, height=4, frames=None, fps=None, sha256=None,
    status="ready", revision=1, seq=1, retention="spill",
)  # fmt: skip


def test_an_item_is_complete_as_the_description_says() -> None:
    for message in (Reply(re=1, ok=True, item=ITEM), Event(ev="item", seq=7, item=ITEM)):
        found = json.loads(message.model_dump_json(by_alias=True))
        assert found.pop("item").keys() == ItemMessage.model_fields.keys()
        assert found in ({"re": 1, "ok": True}, {"ev": "item", "seq": 7})


def test_an_error_without_a_field() -> None:
    reply = Reply(re=1, ok=False, error=ErrorMessage(code="busy", message="Later."))
    assert json.loads(reply.model_dump_json()) == {
        "re": 1,
        "ok": False,
        "error": {"code": "busy", "message": "Later."},
    }
