"""The device of a script of calls: made of a state in the file, with its keys, and what is seen of it at each step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from e2ee.call.actions import CallActions
from e2ee.call.call import Call
from e2ee.call.configuration import Configuration
from e2ee.call.device import Device
from e2ee.call.device_memory import DeviceMemory
from e2ee.call.epochs import Epochs
from e2ee.call.group.asking import Entrance
from e2ee.call.group.group_call import GroupCall
from e2ee.call.group.link import GroupLink
from e2ee.call.incoming_invite import Invitation
from e2ee.call.key_packages import MemoryKeyPackageStore
from e2ee.call.medium import Medium
from e2ee.call.owner import Owner
from e2ee.call.roster import CALLER_LEAF
from e2ee.call.states import State
from e2ee.conformance.adapter.call_script_events import report
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.secret import Secret
from e2ee.crypto.signature import SigningKey
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.errors import E2EEError
from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.device_certificate import verify_certificate
from e2ee.identity.trust import Contact, MemoryTrustStore, Trust
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.protector import FrameProtector
from e2ee.mls.joining import join
from e2ee.mls.key_package import KeyPackage, make_key_package_ref
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.mls.welcome import Welcome
from e2ee.profile.leaves import receiver_policy
from e2ee.profile.suites import X25519
from e2ee.signalling import messages
from e2ee.signalling.messages import CALL, CallMessage, FromDevice
from e2ee.signalling.wire import decode

__all__ = ["ScriptedDevice", "overheard"]

Given = Mapping[str, Any]

UNASKED = frozenset(
    {
        *("acknowledge", "publish", "post", "receipt", "typing", "media", "streams"),
        *("ask_relays", "publish_media", "subscribe_media", "media_answer", "want_media"),
    }
)
"""What a device sends for itself, or when it likes: no script asks for it."""


BEFORE_A_COMMIT = frozenset({messages.Removing.name, messages.NewLink.name})
"""GROUP-14, GROUP-15: after it they are worth nothing, and are not shown."""


class ScriptedDevice:
    """``names`` has the names of the call messages that were sealed (``overheard``)."""

    def __init__(self, given: Given, names: Mapping[bytes, str]) -> None:
        state = given["state"]
        self.clock: int = state["clock"]
        self.now = self.clock
        self._names = names
        self._protectors: dict[bytes, FrameProtector] = {}
        self.committed: list[messages.Commit] = []
        self._sent: list[FromDevice] = []
        store = MemoryKeyPackageStore()
        for each in state["device"]["key_packages"]:
            bundle = self._bundle(state, each)
            store.keep({make_key_package_ref(bundle.suite, bundle.key_package): bundle})
        self.owner = _owner(given)
        self.core = Device(self.owner, DeviceMemory(key_packages=store))
        self._begin(state)

    def _bundle(self, state: Given, kept: Given) -> KeyPackageBundle:
        body = MLSMessage.decode(bytes.fromhex(kept["key_package"])).body
        assert isinstance(body, KeyPackage)  # noqa: S101 - as the file says
        private = (
            kept["init_private_key"],
            kept["encryption_private_key"],
            state["device"]["signature_private_key"],
        )
        return KeyPackageBundle.of(body, *(Secret(bytes.fromhex(key)) for key in private))

    # How it begins

    def _begin(self, state: Given) -> None:
        match state:
            case {"in_call": call}:
                self._enter_call(state, call)
            case {"asking": asking}:
                self._ask(state, asking)
        self._take()

    def _enter_call(self, state: Given, call: Given) -> None:
        """In a group that a Welcome describes, as caller in epoch 1 or as the one that has answered in epoch 2."""
        welcome = MLSMessage.decode(bytes.fromhex(call["welcome"])).body
        assert isinstance(welcome, Welcome)  # noqa: S101
        bundle = self._bundle(state, call["joined_with"])
        group = join(welcome, bundle, policy=receiver_policy(self.now))
        epochs = Epochs(group, self.owner.frame_keys(), self.now)
        offer = decode(CALL, bytes.fromhex(call["offer"]))
        assert isinstance(offer, messages.Offer | messages.GroupOffer)  # noqa: S101
        group_offer = offer if isinstance(offer, messages.GroupOffer) else None
        other = next(m for m in epochs.members if m.account_id != self.owner.certificate.account_id)
        medium = Medium(offer.medium)
        actions = CallActions(self.owner, group.group_id, other.account_id, medium, group_offer)
        actions.epochs = epochs
        self.owner.trust.accept(other.certificate, self.now)
        if epochs.own_leaf == CALLER_LEAF:
            callees = (m.certificate for m in epochs.members if m.leaf_index != CALLER_LEAF)
            actions.invited = tuple(callees)
            entered = Call(actions, State.CALLING, self.now)
        else:
            contact = self.owner.trust.judge(other.certificate, self.now)
            actions.invitation = Invitation(bundle, group, other, contact, medium, group_offer)
            if epochs.protects_media:
                actions.conversation.enter_epoch(epochs, self.now)
            entered = Call(actions, State.ACCEPTING, self.now)
        self.core._seen.note(group.group_id, self.now)
        self.core._calls.enter(entered)

    def _ask(self, state: Given, asking: Given) -> None:
        """GROUP-7: it has asked with these KeyPackages."""
        call_id = bytes.fromhex(asking["call_id"])
        hosts = [bytes.fromhex(host) for host in asking["hosts"]]
        secret = asking["secret"]
        if secret is None:
            link = GroupLink(call_id, None, hosts[0])
        else:
            link = GroupLink(call_id, Secret(bytes.fromhex(secret)))
        call = self.core._groups.join(self.owner, Entrance(link, frozenset(hosts)), self.now)
        assert call._actions.asking is not None  # noqa: S101
        for each in asking["asked_with"]:
            call._actions.asking.ask_with(self._bundle(state, each), self.now)

    # What happens

    def advance(self, at: int) -> None:
        """Time passes until ``at``, in milliseconds after the clock of the state."""
        until = self.clock + at
        while (timer := self.core.get_timer()) is not None and timer <= until:
            self.now = max(self.now, timer)
            self.core.handle_timer(self.now)
            self._sent.extend(self.core.messages_to_send())
        self.now = until

    # What is seen of it

    def _take(self) -> list[FromDevice]:
        """What it has sent since the last step."""
        sent = [*self._sent, *self.core.messages_to_send()]
        self.committed += [each for each in sent if isinstance(each, messages.Commit)]
        self._sent = []
        return sent

    def came(self) -> dict[str, Any]:
        """What a step has led to, but for a refusal."""
        told = []
        profiles = {
            call_id: call._actions.participation.epochs.profile
            for call_id, call in self.core.group_calls.items()
            if call._actions.participation is not None
        }
        while (event := self.core.next_event()) is not None:
            call_id = getattr(event, "call_id", b"")
            if (reported := report(event, profiles.get(call_id))) is not None:
                told.append(reported)
        return {
            "told": sorted(told, key=lambda each: each["event"]),
            "sent": sorted(self._names_of(self._take()) - UNASKED),
            "calls": sorted(call.state.value for call in self._calls().values()),
            "media": any(self._sends(call) for call in self._calls().values()),
        }

    def _names_of(self, sent: Iterable[FromDevice]) -> set[str]:
        names: list[str] = []
        for message in sent:
            name = self._name(message)
            if name not in BEFORE_A_COMMIT or messages.Commit.name not in names:
                names.append(name)
        return set(names)

    def _name(self, message: FromDevice) -> str:
        """Of a message to the others in a call its own name, with what scripts ask for of it."""
        return self._names[message.message] if isinstance(message, messages.Send) else message.name

    def _calls(self) -> dict[bytes, Call | GroupCall]:
        return {**self.core.calls, **self.core.group_calls}

    def _sends(self, call: Call | GroupCall) -> bool:
        """Whether a frame that is given to it now would go out."""
        with suppress(E2EEError):
            if call.call_id not in self._protectors:
                self._protectors[call.call_id] = call.open_stream(Codec.OPUS, Kind.MICROPHONE)
            self._protectors[call.call_id].protect(b"a frame")
            return True
        return False


def _owner(given: Given) -> Owner:
    state, device, settings = given["state"], given["state"]["device"], given["settings"]
    public = bytes.fromhex(device["signature_key"])
    directory = {each["id"]: bytes.fromhex(each["key"]) for each in state["directory_keys"]}
    store = MemoryTrustStore()
    for contact in given["contacts"]:
        key = None if contact["account_key"] is None else bytes.fromhex(contact["account_key"])
        store.put_contact(
            Contact(
                contact["account_id"],
                key,
                contact["verified"],
                contact["blocked"],
                contact["highest_suite"],
            )
        )
        if key is not None:
            store.put_generation(key, contact["generation"])
    return Owner(
        certificate=verify_certificate(bytes.fromhex(device["certificate"]), public),
        signing_key=SigningKey(Secret(bytes.fromhex(device["signature_private_key"])), public),
        trust=Trust(store, DirectoryKeys(directory)),
        configuration=Configuration(
            minimum_suite=settings.get("minimum_suite", X25519.mls),
            most_calls=settings.get("most_calls", 1),
            leave_note=False,
        ),
        delivery_key=bytes.fromhex(state["delivery_key"]),
        entropy=SystemEntropy(),
    )


def _said(message: CallMessage) -> Iterator[str]:
    """What scripts show of a call message beside its name."""
    match message:
        case messages.Alive():
            yield str(message.epoch)
        case messages.Hangup():
            yield message.reason


@contextmanager
def overheard() -> Iterator[Mapping[bytes, str]]:
    """The names of the call messages that are sealed meanwhile, by what they are sealed to: scripts ask for names alone."""
    names: dict[bytes, str] = {}
    protect: Callable[[Epochs, CallMessage, Entropy], bytes] = Epochs.protect

    def overhear(self: Epochs, message: CallMessage, entropy: Entropy) -> bytes:
        sealed = protect(self, message, entropy)
        names[sealed] = " ".join([message.name, *_said(message)])
        return sealed

    Epochs.protect = overhear  # type: ignore[method-assign]
    try:
        yield names
    finally:
        Epochs.protect = protect  # type: ignore[method-assign, assignment]
