"""Messaging Layer Security by itself, without calls. Run it: python -m e2ee.examples.mls_group

Three clients make a group, speak, agree on a secret for another protocol, and remove one of them. In an application the
messages go through a delivery service, each client is a program of its own, and ``Contacts`` looks credentials up.
"""

from __future__ import annotations

import time

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.errors import RemoteProtocolError
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.credential import Credential, CredentialType
from e2ee.mls.group import ApplicationMessage, Group, StagedCommit
from e2ee.mls.group_context import ProtocolVersion
from e2ee.mls.joining import join
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node import Lifetime
from e2ee.mls.leaf_node_validation import RECEIVER_TOLERANCE, ValidationPolicy
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, Remove
from e2ee.mls.welcome import Welcome

HOUR, WEEK = 3_600, 604_800
SUITE = cipher_suite(0x0001)


class Contacts:
    """Judges credentials; an application's own asks here whose signature key this is, and raises if it is another's."""

    def check(self, credential: Credential, signature_key: bytes) -> None:
        """Everybody is welcome to this example."""

    def check_successor(self, old: Credential, new: Credential) -> None:
        """So is everybody under another name."""


def client(name: str, entropy: SystemEntropy) -> KeyPackageBundle:
    """A client: its KeyPackage, which it publishes, with the private keys, which it keeps."""
    now = int(time.time())
    supported = Capabilities(
        versions=(ProtocolVersion.MLS10,),
        cipher_suites=(SUITE.code_point,),
        extensions=(),
        proposals=(),
        credentials=(CredentialType.BASIC,),
    )
    return KeyPackageBundle.generate(
        SUITE,
        SUITE.signature.generate(entropy),
        Credential.basic(name.encode()),
        supported,
        Lifetime(not_before=now - HOUR, not_after=now + WEEK),
        entropy,
        grease=True,
    )


def welcomed(message: MLSMessage | None, bundle: KeyPackageBundle, to: ValidationPolicy) -> Group:
    """The group of a client that was added."""
    if message is None or not isinstance(message.body, Welcome):
        raise TypeError("somebody was added, so there is a Welcome")
    return join(message.body, bundle, policy=to)


def main() -> None:
    """Make a group, speak in it, leave it."""
    entropy, now = SystemEntropy(), time.time_ns() // 1_000_000
    to_send = ValidationPolicy(Contacts(), now)
    to_receive = ValidationPolicy(Contacts(), now, RECEIVER_TOLERANCE)
    alice_keys, bob_keys, carol_keys = (client(n, entropy) for n in ("Alice", "Bob", "Carol"))

    # A group of one, and a commit that adds two. Nothing has changed until the commit is merged.
    alice = Group.create(alice_keys, group_id=b"book club", policy=to_send, entropy=entropy)
    adds = [Add(bob_keys.key_package), Add(carol_keys.key_package)]
    pending = alice.commit(proposals=adds, policy=to_send, entropy=entropy)
    alice = alice.merge(pending.staged)
    bob = welcomed(pending.welcome, bob_keys, to_receive)
    carol = welcomed(pending.welcome, carol_keys, to_receive)

    # All have the same secrets, so all read what one says.
    message = bob.protect(b"Whose turn is it?", entropy=entropy).encode()
    match carol.receive(MLSMessage.decode(message), policy=to_receive):
        case ApplicationMessage(sender=leaf_index, data=data):
            print(f"Carol reads: {data.decode()} (from leaf {leaf_index})")
    same = alice.export("reading list", b"", 32) == bob.export("reading list", b"", 32)
    print(f"Alice and Bob export the same secret: {same}")

    # Alice removes Carol. Bob looks at the commit before he follows it.
    pending = alice.commit(
        proposals=[Remove(carol.own_leaf_index)], policy=to_send, entropy=entropy
    )
    match bob.receive(pending.message, policy=to_receive):
        case StagedCommit() as staged:
            print(f"Bob sees that leaf {staged.committer} removes {list(staged.removed)}")
            bob = bob.merge(staged)
    alice = alice.merge(pending.staged)

    # What is said now, Carol cannot read.
    message = alice.protect(b"Carol's.", entropy=entropy).encode()
    try:
        carol.receive(MLSMessage.decode(message), policy=to_receive)
    except RemoteProtocolError as error:
        print(f"Carol gets: {error.reason}")
    print(f"Epoch {alice.epoch}: {len(alice.members())} members")


if __name__ == "__main__":
    main()
