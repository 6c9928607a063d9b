"""Messages of every family: each encodes, and what almost is one is refused for the reason that comes with it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.signalling import fields, wire
from e2ee.signalling.errors import WireError
from e2ee.signalling.messages import CALL, LETTER, SERVICE, Family, Hangup, Message
from e2ee.testing.strategies import almost_messages, messages_of

FAMILIES: list[Family[Any]] = [SERVICE, CALL, LETTER]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@given(data=st.data())
def test_what_is_drawn_encodes(family: Family[Any], data: st.DataObject) -> None:
    message = data.draw(messages_of(family))
    assert wire.decode(family, wire.encode(message)) == message


@pytest.mark.parametrize("message", [m for f in FAMILIES for m in f.messages.values()])
@given(data=st.data())
def test_each_message_is_drawn_alone(message: type[Message], data: st.DataObject) -> None:
    assert type(data.draw(messages_of(message))) is message


@given(messages_of([Hangup], {fields.Text: st.just("done")}))
def test_what_is_usual_is_drawn_beside_what_can_be(message: Hangup) -> None:
    assert isinstance(message.reason, str)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@given(data=st.data())
def test_what_almost_is_a_message_is_refused(family: Family[Any], data: st.DataObject) -> None:
    almost = data.draw(almost_messages(family))
    with pytest.raises(WireError) as refused:
        wire.decode(family, almost.data)
    assert refused.value.reason is almost.reason
