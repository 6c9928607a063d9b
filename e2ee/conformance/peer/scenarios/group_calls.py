"""A call of three, by link: who comes, who is removed, and under which keys the others go on."""

from __future__ import annotations

from e2ee.call.chat.events import TextReceived
from e2ee.call.end_reason import EndReason
from e2ee.call.events import Ended, RemovalComplete
from e2ee.call.group.events import GroupCallOpened, Joined, MemberLeft, MembersChanged
from e2ee.client.group_call import GroupCall
from e2ee.conformance.peer.probe import ProbeCall
from e2ee.conformance.peer.scenario import ClientOnStage, Stage, scenario
from e2ee.conformance.peer.scenarios.media import SOME, leaf_of
from e2ee.media.encoded_frame import Kind

GROUP = "group-calls"


async def hosted(stage: Stage) -> tuple[ClientOnStage, ProbeCall, str]:
    """The peer makes a group call, and the client joins by its link."""
    client, host = await stage.client(), await stage.probe("host")
    call = host.meet()
    await call.until(GroupCallOpened)
    link = _group(call).link or ""
    await client.do("join", link=link)
    await _is_in(call, client.name)
    await client.told("epoch")
    return client, call, link


async def _is_in(call: ProbeCall, account_id: str) -> None:
    await call.events.until_true(
        lambda: any(
            added.account_id == account_id
            for changed in call.told(MembersChanged)
            for added in changed.added
        ),
        f"{account_id} to be in the group",
    )


def _group(call: ProbeCall) -> GroupCall:
    assert isinstance(call.call, GroupCall)  # noqa: S101 - the scenario made it
    return call.call


def _remove(call: ProbeCall, account_id: str) -> int:
    (member,) = (each for each in call.call.members if each.account_id == account_id)
    _group(call).remove(member)
    return member.leaf_index


@scenario(GROUP, "GROUP-3", "GROUP-7", "GROUP-16", features=("group",), forwarding=True)
async def the_client_joins_by_a_link(stage: Stage) -> None:
    """The peer makes a group call; the client joins by its link, is heard and hears, and leaves."""
    client, call, _ = await hosted(stage)
    await stage.still_there(client, call, "welcome")
    await client.do("say", text="thank you")
    await call.until(TextReceived, text="thank you")
    await client.do("leave")
    await call.until(MemberLeft)
    await client.told("ended", reason="left")


@scenario(GROUP, "GROUP-18", "FKEY-2", "FKEY-16", features=("group", "media"), forwarding=True)
async def who_comes_late_sees_the_client(stage: Stage) -> None:
    """Somebody joins after the client: the client sends under the new epoch, and its pictures begin with a key frame."""
    client, call, link = await hosted(stage)
    leaf = leaf_of(call, client.name)
    await call.sees(Kind.CAMERA, SOME, leaf=leaf)
    late = (await stage.probe("late")).join(link)
    joined = await late.until(Joined)
    await client.told("epoch", epoch=joined.epoch)
    await late.sees(Kind.CAMERA, SOME, leaf=leaf)
    await late.sees(Kind.MICROPHONE, SOME, leaf=leaf, epoch=joined.epoch)
    again = [name for name, count in call.frames.twice.items() if count > 1]
    stage.expect(not again, f"used a counter twice: {again[:1]}")


@scenario(
    GROUP, "GROUP-17", "FKEY-9", "FKEY-12", "CALL-25", features=("group", "media"), forwarding=True
)
async def who_is_removed_hears_nothing_more(stage: Stage) -> None:
    """The host removes somebody: from the deadline on the client sends under the new epoch only."""
    client, call, link = await hosted(stage)
    leaf = leaf_of(call, client.name)
    other = (await stage.probe("other")).join(link)
    await other.until(Joined)
    await call.sees(Kind.MICROPHONE, SOME, leaf=leaf)
    before = call.call.epoch
    _remove(call, other.probe.name)
    await other.until(Ended, reason=EndReason.REMOVED)
    await call.until(RemovalComplete)
    await client.told("epoch", epoch=before + 1)
    await call.sees(Kind.MICROPHONE, SOME, leaf=leaf)  # those that were on their way
    old = call.frames.count(Kind.MICROPHONE, leaf=leaf, epoch=before)
    await call.sees(Kind.MICROPHONE, 2 * SOME, leaf=leaf)
    new = call.frames.count(Kind.MICROPHONE, leaf=leaf, epoch=before)
    stage.expect(new == old, f"sent {new - old} frames that who was removed can open")


@scenario(GROUP, "GROUP-17", "GROUP-15", features=("group",), forwarding=True)
async def the_client_is_removed(stage: Stage) -> None:
    """The host removes the client, which says so, and is in no call any more."""
    client, call, _ = await hosted(stage)
    _remove(call, client.name)
    await client.told("ended", reason="removed")
    state = await client.state()
    stage.expect(not state.get("in_call"), "is in the call from which it was removed")


@scenario(GROUP, "GROUP-1", "GROUP-8", "GROUP-15", features=("group", "host"), forwarding=True)
async def the_client_is_the_host(stage: Stage) -> None:
    """The client makes a group call; two peers join by its link, and it removes one of them."""
    client = await stage.client()
    link = str((await client.do("meet")).get("link", ""))
    one, two = await stage.probe("one"), await stage.probe("two")
    ones = one.join(link)
    await ones.until(Joined)
    twos = two.join(link)
    await twos.until(Joined)
    await _is_in(ones, two.name)
    await client.do("remove", account=two.name)
    await twos.until(Ended, reason=EndReason.REMOVED)
    await ones.until(RemovalComplete)
    await stage.still_there(client, ones)
