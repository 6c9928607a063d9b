"""A device of the checks: its keys, its certificates and KeyPackages, and its connection. It does nothing by itself."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from e2ee.conformance.server.faults import Fault, Lost, Unsupported, expect
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.identity.account import AccountKey
from e2ee.identity.device_certificate import DeviceCertificate
from e2ee.identity.login import login_signature, register_signature
from e2ee.mls.credential import Credential
from e2ee.mls.key_package import LAST_RESORT, KeyPackage, make_key_package_ref
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.profile.leaves import call_capabilities, key_package_lifetime
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService, ServiceMessage
from e2ee.tls_syntax import opaque

if TYPE_CHECKING:
    from e2ee.conformance.server.line import Line
    from e2ee.conformance.server.stage import Stage

__all__ = ["SUITE", "VERSION", "Account", "Device", "decoded", "encoded"]

SUITE, HYBRID, VERSION = 0x0001, 0xF0E2, 0x0100

ACTED_ON = frozenset(
    {
        *("UNKNOWN_CALL", "NOT_A_MEMBER", "GONE", "CALL_ID_USED", "WRONG_EPOCH", "TOO_SOON"),
        *("MAILBOX_FULL", "UNKNOWN_DEVICE", "KEY_PACKAGE_CIPHER_SUITE", "RATE_LIMITED"),
        *("CONFLICT", "REVOKED"),
    }
)
"""DS-28: reasons by which devices act, so that no other will do."""

M = TypeVar("M", bound=FromService)


@dataclass(frozen=True, slots=True)
class Account:
    """A key, and the token that lets it in."""

    key: AccountKey
    token: str

    @property
    def id(self) -> str:
        """Its name."""
        return self.key.account_id


@dataclass
class Device:
    """See the module. ``line`` is the connection that it has now."""

    stage: Stage
    account: Account
    device_id: int
    entropy: Entropy
    line: Line
    signing_key: SigningKey = field(init=False)
    certificate: DeviceCertificate = field(init=False)
    bundles: list[KeyPackageBundle] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.signing_key = ED25519.generate(self.entropy)
        self.certificate = self.certify()

    @property
    def key(self) -> bytes:
        """Its signature key, which names it."""
        return self.signing_key.public

    def certify(self) -> DeviceCertificate:
        """A certificate of this device, as its account signs it."""
        return self.account.key.certify(
            self.key,
            device_id=self.device_id,
            now=self.stage.now(),
            versions=[VERSION],
            suites=[SUITE],
        )

    def certificate_of(self, **fields: Any) -> DeviceCertificate:
        """Its certificate with other statements, whatever they are, signed by its account."""
        statement = replace(self.certificate.statement, **fields)
        return self.account.key.sign(statement, self.key, self.certificate.attestation)

    # Talking

    async def send(self, message: ServiceMessage | bytes) -> list[FromService]:
        """Send; gives all that has come."""
        return await self.line.send(message)

    async def ask(self, message: ServiceMessage, kind: type[M]) -> M:
        """Send what must be answered by a message of this kind; gives that. What else came stays."""
        await self.line.tell(message)
        answer = await self.line.first(
            lambda m: isinstance(m, kind) or _is_refusal(m, message.name),
            f"{kind.name} in answer to {message.name}",
        )
        if isinstance(answer, messages.Refused):
            raise Fault(f"{message.name} was refused: {answer.reason} ({answer.detail})")
        return answer  # type: ignore[return-value]

    async def committed(self, request: messages.Commit) -> messages.Committed:
        """Have a commit taken, and see it come back out of the log (DS-5); gives the entry."""
        entry = messages.Committed(request.call_id, request.commit)
        await self.line.tell(request)
        answer = await self.line.first(
            lambda m: m == entry or _is_refusal(m, request.name), "committed with this commit"
        )
        if isinstance(answer, messages.Refused):
            raise Fault(f"commit was refused: {answer.reason} ({answer.detail})")
        return entry

    async def accepted(self, message: ServiceMessage) -> None:
        """Send what must be taken. What comes stays."""
        await self.line.tell(message)
        for each in await self.line.settled():
            if isinstance(each, messages.Refused) and each.request == message.name:
                raise Fault(f"{message.name} was refused: {each.reason} ({each.detail})")

    async def refused(self, message: ServiceMessage | bytes, *reasons: str) -> str:
        """Send what must be refused, for one of these reasons; gives the reason."""
        name = message.name if isinstance(message, ServiceMessage) else ""
        arrived = await self.send(message)
        answers = [each for each in arrived if _is_refusal(each, name)]
        if not answers:
            came = ", ".join(each.name for each in arrived) or "nothing"
            raise Fault(f"{name or 'it'} must be refused ({', '.join(reasons)}); came: {came}")
        (refusal,) = answers[:1]
        call_id = getattr(message, "call_id", None)
        if refusal.call_id != call_id:  # type: ignore[attr-defined]
            raise Fault(f"the refusal of {name} names another call")
        reason: str = refusal.reason  # type: ignore[attr-defined]
        self._judge(f"{name} was refused", reason, reasons)
        return reason

    def _judge(self, what: str, reason: str, due: Sequence[str]) -> None:
        """Another reason than one by which devices act is a fault (CONF-23). None that is due: whatever it is."""
        if not due or reason in due:
            return
        if ACTED_ON.intersection(due):
            raise Fault(f"{what} with {reason}, not with {' or '.join(due)}")
        self.stage.other_reasons.append(f"{reason} in place of {' or '.join(due)}")

    async def take(self) -> list[FromService]:
        """All that has come."""
        return await self.line.take()

    async def hear(self, kind: type[M]) -> M:
        """Wait for a message of this kind."""
        return await self.line.hear(kind)

    # Logging in

    async def hello(self) -> messages.Welcome:
        """The challenge."""
        return await self.ask(messages.Hello((VERSION,)), messages.Welcome)

    def registration(self, *, token: str | None = None, **fields: Any) -> messages.Register:
        """The request that attests the account's key."""
        key = self.account.key
        signature = register_signature(key, self.stage.server_name)
        token = self.account.token if token is None else token
        return replace(messages.Register(key.account_id, key.public, signature, token), **fields)

    async def register(self) -> messages.Attested:
        """Say hello, and have the account's key attested."""
        await self.hello()
        await self.line.tell(self.registration())
        answer = await self.line.first(
            lambda m: isinstance(m, messages.Attested) or _is_refusal(m, "register"),
            "attested in answer to register",
        )
        if isinstance(answer, messages.Attested):
            return answer
        refusal: Any = answer
        if refusal.reason == "RATE_LIMITED" or not self.account.token:
            # DS-7, DS-8: a service may let nobody in whom nobody vouches for
            why = f"{refusal.reason} ({refusal.detail})"
            raise Unsupported(f"it lets this run make no account, see --tokens: {why}")
        raise Fault(f"register was refused: {refusal.reason} ({refusal.detail})")

    async def shut_out(self, reason: str) -> None:
        """It is told that its session is over, and why; it gets nothing more. The service may end the connection, too."""
        heard = await self.hear(messages.Refused)
        self._judge("what was said at the end of the session", heard.reason, (reason,))
        with contextlib.suppress(Lost):
            arrived = await self.send(messages.Find(self.account.id))
            names = [each.name for each in arrived]
            expect(names, ["refused"], "what came after the end of the session")

    def proof(
        self,
        server_nonce: bytes,
        certificate: DeviceCertificate | None = None,
        *,
        key: SigningKey | None = None,
        server_name: str | None = None,
    ) -> messages.Login:
        """The answer to a challenge (IDENT-14)."""
        client_nonce = self.entropy.random(32)
        name = self.stage.server_name if server_name is None else server_name
        signed = login_signature(key or self.signing_key, name, server_nonce, client_nonce)
        shown = certificate or self.certificate
        return messages.Login(shown.encode(), self.key, client_nonce, signed)

    async def login(self, certificate: DeviceCertificate | None = None) -> None:
        """Say hello, and prove itself."""
        welcome = await self.hello()
        await self.ask(self.proof(welcome.server_nonce, certificate), messages.LoggedIn)

    async def come_back(self) -> None:
        """A new connection, logged in. What comes with that waits."""
        self.line = await self.stage.line()
        await self.login()

    async def reconnect(self) -> list[FromService]:
        """The same; gives all that came with that."""
        await self.come_back()
        return await self.take()

    async def leave(self) -> None:
        """Its connection ends."""
        await self.line.close()

    # KeyPackages

    def bundle(self, *marks: Any, suite: int = SUITE, **options: Any) -> KeyPackageBundle:
        """A fresh KeyPackage with its keys, which carries these extensions."""
        certificate = options.pop("certificate", self.certificate)
        return KeyPackageBundle.generate(
            cipher_suite(suite),
            options.pop("key", self.signing_key),
            Credential.basic(certificate.encode()),
            call_capabilities(tuple({SUITE, suite}), marks),
            options.pop("lifetime", None) or key_package_lifetime(self.stage.now()),
            self.entropy,
            extensions=marks,
        )

    def last_resort(self) -> KeyPackageBundle:
        """One that may be handed out again and again."""
        return self.bundle(LAST_RESORT)

    async def publish(self, *bundles: KeyPackageBundle) -> None:
        """Have them kept."""
        self.bundles += bundles
        await self.ask(publication(*bundles), messages.Published)

    async def publish_fresh(self, count: int) -> None:
        """The same with new ones."""
        await self.publish(*(self.bundle() for _ in range(count)))

    async def claim(self, account: Account, suite: int = SUITE) -> list[KeyPackage]:
        """A KeyPackage of each device of an account."""
        answer = await self.ask(messages.Claim(account.id, suite), messages.KeyPackages)
        return [decoded(KeyPackage, data) for data in answer.key_packages]

    def letter_key(self, receiver: KeyPackage, sealed: bytes = b"sealed to it") -> bytes:
        """An element of ``keys`` (LETTER-1): the KeyPackage's reference, and what the service does not read."""
        return opaque.encode(make_key_package_ref(cipher_suite(SUITE), receiver)) + sealed


def publication(*bundles: KeyPackageBundle) -> messages.Publish:
    """The request that publishes these."""
    return messages.Publish(tuple(encoded(each.key_package) for each in bundles))


def encoded(body: Any) -> bytes:
    """As an MLSMessage."""
    return MLSMessage.of(body).encode()


def decoded(kind: type[Any], data: bytes) -> Any:
    """The body of an MLSMessage, which must be of this kind. Raises Fault."""
    body = MLSMessage.decode(data).body
    if not isinstance(body, kind):
        raise Fault(f"it sent a {type(body).__name__}, not a {kind.__name__}")
    return body


def _is_refusal(message: FromService, name: str) -> bool:
    return isinstance(message, messages.Refused) and message.request == name


Devices = Sequence[Device]
