"""How a trace is written: what happens to one device, step by step, and what is expected of it.

    script = Script(case)
    script.applied(0, 2)
    early = script.frame(900, epoch=3, becomes=HELD)
    script.applied(1_000, 3, then={early: OPENED})

Each line makes the step's bytes, asks the model (``rules``) what must become of them, and writes both down. What
is expected in words (``becomes``, ``then``) must be what the model says: a trace on which the two differ is not made.
A walk (``walks``) expects nothing, and writes down what the model says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from e2ee.vectorgen.models import SUITES, compose_kid, protect, split
from e2ee.vectorgen.registry import Case
from e2ee.vectorgen.scenes import CODEC, MICROPHONE, VP8_KEY_FRAME, Refusal, flipped
from e2ee.vectorgen.traces.rules import (
    HELD,
    OPENED,
    Epoch,
    Facts,
    Receiving,
    Sending,
    Stream,
    Verdict,
)

__all__ = ["ALL", "OWN_LEAF", "Frame", "Script"]

OWN_LEAF = 1
ALL = (0, 1, 2)

Fates = Mapping[int, str]
"""Step in which a frame came -> what must become of it."""

NOTHING: Fates = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Frame:
    """A protected frame, what is true of it, and the frame that was protected."""

    data: bytes
    facts: Facts
    content: bytes
    zeros: int = 0
    """With how many bytes 0 ``data`` ends that are not written down."""


class Script:
    """The trace of a device at leaf 1. It receives on one stream for each of ``receives``, and sends those of ``sends``."""

    def __init__(
        self,
        case: Case,
        *,
        receives: Sequence[Stream] = (Stream(MICROPHONE),),
        sends: Sequence[Stream] = (),
        suite: int = 0x0004,
    ) -> None:
        self.case = case
        self.suite = suite
        self.receives = [replace(stream) for stream in receives]
        self.sends = sends
        self.receiving = Receiving(OWN_LEAF)
        self.sending = Sending(OWN_LEAF)
        self.frames: dict[int, Frame] = {}
        """The frames that came, by their steps."""
        self._keys = case.entropy.fork(b"base keys")
        case.input |= {
            "sframe_suite": suite,
            "own_leaf": OWN_LEAF,
            "receives": [_receive_stream(stream) for stream in receives],
            "sends": [_send_stream(stream) for stream in sends],
            "steps": [],
        }
        case.intermediate["send_deadlines"] = {}
        case.output["fates"] = []

    @property
    def next_step(self) -> int:
        return len(self.case.input["steps"])

    def base_key(self, epoch: int, branch: str = "") -> bytes:
        """The base_key of ``epoch``; of a ``branch`` that lost, or of another call, another one."""
        label = f"{epoch}{branch}".encode()
        return self._keys.fork(label).random(SUITES[self.suite][1].Nk)

    def applied(
        self,
        at: int,
        number: int,
        *,
        roster: Collection[int] = ALL,
        speakers: Collection[int] = (),
        hosts: Collection[int] = (),
        added: Collection[int] = (),
        removed: Collection[int] = (),
        then: Fates | None = NOTHING,
    ) -> None:
        """The device applies epoch ``number``; ``then`` is what becomes of frames that were held, None: whatever it is."""
        base_key = self.base_key(number)
        may_speak = frozenset([*speakers, *hosts]) if speakers else frozenset(roster)
        epoch = Epoch(
            at, number, base_key, frozenset(roster), may_speak, frozenset(added), frozenset(removed)
        )
        step = self._step(
            at,
            "applied",
            epoch=number,
            base_key=base_key,
            roster=sorted(roster),
            speakers=sorted(speakers),
            hosts=sorted(hosts),
            added=sorted(added),
            removed=sorted(removed),
        )
        fates = [*self._expired(at), *self.receiving.apply(epoch)]
        self.sending.epochs.append(epoch)
        self.case.intermediate["send_deadlines"][number] = self.sending.deadline(epoch)
        self._settle(step, fates, then)

    def made(
        self,
        epoch: int,
        ctr: int,
        *,
        leaf: int = 0,
        kind: int | None = None,
        instance: int = 0,
        branch: str = "",
        key_frame: bool = False,
    ) -> Frame:
        """A frame that somebody protects who says to be at ``leaf``, and has the key of ``epoch`` (of ``branch``)."""
        kind = self.receives[0].kind if kind is None else kind
        base_key = self.base_key(epoch, branch)
        content = self._content(CODEC[kind], key_frame=key_frame)
        kid = compose_kid(kind, instance, leaf, epoch)
        sealed = protect(self.suite, base_key, kid, ctr, *split(CODEC[kind], content))
        facts = Facts(kind, instance, leaf, epoch, ctr, base_key)
        return Frame(sealed.frame, facts, content)

    def frame(
        self,
        at: int,
        epoch: int,
        ctr: int = 0,
        *,
        becomes: str | None = OPENED,
        then: Fates | None = NOTHING,
        stream: int = 0,
        **made: Any,
    ) -> int:
        """A frame comes that was made so; the step in which it came."""
        return self.comes(at, self.made(epoch, ctr, **made), becomes, then=then, stream=stream)

    def filling(self, at: int, size: int, epoch: int, *, stream: int = 0) -> int:
        """What ``size`` bytes on a stream cost whoever invents them: the header of a frame of ``epoch``, and zeros. It is held."""
        made = self.made(epoch, 0)
        header = made.data[:1]
        zeros = bytes(size - len(header))
        facts = replace(made.facts, changed=True)
        return self.comes(at, Frame(header + zeros, facts, b"", len(zeros)), HELD, stream=stream)

    def again(self, at: int, step: int, becomes: str | None, *, stream: int = 0) -> int:
        """The very bytes of an earlier step come again."""
        return self.comes(at, self.frames[step], becomes, stream=stream)

    def changed(self, at: int, frame: Frame, becomes: str | None, *, stream: int = 0) -> int:
        """``frame`` comes with its last bit flipped."""
        facts = replace(frame.facts, changed=True)
        other = Frame(flipped(frame.data, -1), facts, frame.content)
        return self.comes(at, other, becomes, stream=stream)

    def unreadable(self, at: int, data: bytes, why: Refusal, *, told: bool = True) -> int:
        """Bytes come that are no protected frame. ``told``: and nothing else happens."""
        facts = Facts(0, 0, 0, 0, 0, b"", unreadable=why)
        return self.comes(at, Frame(data, facts, b""), why if told else None)

    def comes(
        self,
        at: int,
        frame: Frame,
        becomes: str | None = OPENED,
        *,
        then: Fates | None = NOTHING,
        stream: int = 0,
    ) -> int:
        """``frame`` comes on a stream; ``then`` is what becomes of frames whose time is over."""
        written = frame.data[: len(frame.data) - frame.zeros]
        zeros = {"zeros": frame.zeros} if frame.zeros else {}
        step = self._step(at, "frame", stream=stream, frame=written, **zeros)
        self.frames[step] = frame
        fates = self._expired(at)
        verdict = self.receiving.frame(
            at, step, self.receives[stream], len(frame.data), frame.facts
        )
        expected = None if becomes is None else {**(then or {}), step: becomes}
        self._settle(step, [*fates, (step, verdict)], expected)
        return step

    def time(self, at: int, then: Fates | None = NOTHING) -> None:
        """Time passes; ``then`` is what becomes of frames that were held."""
        self._settle(self._step(at, "time"), self._expired(at), then)

    def heard(self, at: int, leaf: int, epoch: int, then: Fates | None = NOTHING) -> None:
        """A message of ``leaf`` authenticates in ``epoch`` that acknowledges nothing."""
        step = self._step(at, "heard", leaf_index=leaf, epoch=epoch)
        self.receiving.hear(at, leaf, epoch)
        self._settle(step, self._expired(at), then)

    def acknowledged(self, at: int, leaf: int, epoch: int, then: Fates | None = NOTHING) -> None:
        """``alive`` of ``leaf`` in ``epoch``."""
        step = self._step(at, "acknowledged", leaf_index=leaf, epoch=epoch)
        self.receiving.hear(at, leaf, epoch)
        self.sending.acknowledged(leaf, epoch)
        self._settle(step, self._expired(at), then)

    def reopened(self, at: int, stream: int = 0, then: Fates | None = NOTHING) -> None:
        """The stream that is sent ends, and one of the same kind and instance takes its place."""
        self._settle(self._step(at, "reopened", stream=stream), self._expired(at), then)
        ended = self.sends[stream]
        self.sending.reopened(ended.kind, ended.instance or 0)

    def send(
        self, at: int, expected: tuple[int, int] | None, *, stream: int = 0, key_frame: bool = False
    ) -> None:
        """The device's encoder has made a frame: it is sent with ``expected`` (epoch, CTR), or not at all."""
        found = self.sends_any(at, stream)
        if found != (expected and (*expected, key_frame)):
            raise ValueError(f"{self.case.id}: at {at} the model sends {found}")

    def sends_any(self, at: int, stream: int = 0) -> tuple[int, int, bool] | None:
        """The same, whatever the model says: (epoch, CTR, whether a key frame was due)."""
        kind, instance = self.sends[stream].kind, self.sends[stream].instance or 0
        codec = CODEC[kind]
        content = self._content(codec)
        inputs: dict[str, Any] = {"stream": stream, "frame": content}
        if codec == "VP8":
            inputs["key_frame"] = self._content(codec, key_frame=True)
        step = self._step(at, "send", **inputs)
        self._settle(step, self._expired(at), None)
        found = self.sending.frame(at, kind, instance)
        if found is None:
            self._fate(step, "not-sent")
            return None
        epoch, ctr, due = found
        content = inputs["key_frame"] if due else content
        kid = compose_kid(kind, instance, OWN_LEAF, epoch.number)
        sealed = protect(self.suite, epoch.base_key, kid, ctr, *split(codec, content))
        self._fate(step, "sent", epoch=epoch.number, ctr=ctr, key_frame=due, protected=sealed.frame)
        return epoch.number, ctr, due

    def _content(self, codec: str, *, key_frame: bool = False) -> bytes:
        """Few bytes: what is told here is not in them."""
        content = self.case.entropy.random(2)
        if codec == "opus":
            return content
        return VP8_KEY_FRAME + content if key_frame else bytes([content[0] | 1]) + content[1:]

    def _step(self, at: int, event: str, **more: Any) -> int:
        step = self.next_step
        self.case.input["steps"].append({"step": step, "at": at, "event": event, **more})
        return step

    def _expired(self, at: int) -> Iterable[tuple[int, Verdict]]:
        return [*self.receiving.pass_time(at)]

    def _settle(
        self, step: int, fates: Iterable[tuple[int, Verdict]], expected: Fates | None
    ) -> None:
        """Write down what becomes of frames in ``step``. Raises ValueError if something else was expected."""
        found = [*fates]
        for name, verdict in found:
            self._write(name, step, verdict)
        if expected is not None and {name: verdict.fate for name, verdict in found} != expected:
            raise ValueError(f"{self.case.id}: in step {step} the model says {found}")

    def _write(self, came: int, step: int, verdict: Verdict) -> None:
        late = {} if step == came else {"settled_in": step}
        match verdict.fate:
            case "held":
                self._fate(came, HELD)
            case "opened":
                frame = self.frames[came]
                self._fate(came, OPENED, **late, **_opened(frame, verdict))
            case reason:
                self._fate(came, "refused", **late, reason=reason)

    def _fate(self, step: int, fate: str, **more: Any) -> None:
        self.case.output["fates"].append({"step": step, "fate": fate, **more})


def _opened(frame: Frame, verdict: Verdict) -> dict[str, Any]:
    facts = frame.facts
    return {
        "leaf_index": facts.leaf,
        "kind": facts.kind,
        "instance": facts.instance,
        "epoch": verdict.epoch,
        "ctr": facts.ctr,
        "frame": frame.content,
    }


def _receive_stream(stream: Stream) -> dict[str, Any]:
    return {
        "kind": stream.kind,
        "codec": CODEC[stream.kind],
        "announced_sender": stream.sender,
        "announced_instance": stream.instance,
    }


def _send_stream(stream: Stream) -> dict[str, Any]:
    return {"kind": stream.kind, "instance": stream.instance or 0, "codec": CODEC[stream.kind]}
