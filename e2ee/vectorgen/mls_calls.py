"""Calls as MLS groups, for cases in which a device joins one and follows it: everybody's keys are known, nothing is checked.

``GroupCall``: Alice is the host, at leaf 0; Carol is at leaf 1, and Bob joins at leaf 2, in epoch 2. ``RungCall``: Alice calls
Bob, whose phone joins at leaf 1 and whose laptop is at leaf 2, in epoch 1. What a case breaks it breaks by the arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.mls.extension import Extension
from e2ee.mls.group_secrets import GroupSecrets, PathSecret
from e2ee.mls.proposal import Add, PreSharedKey
from e2ee.mls.psk import PreSharedKeyID
from e2ee.mls.tree_hash import tree_hash
from e2ee.mls.tree_math import common_ancestor, leaf_to_node
from e2ee.testing.mls_forge.clients import Client
from e2ee.testing.mls_forge.commits import Committed, Committing, Item, commit
from e2ee.testing.mls_forge.epochs import Epoch, create_group
from e2ee.testing.mls_forge.forge import Forge
from e2ee.testing.mls_forge.welcomes import Welcoming, describe, welcome
from e2ee.vectorgen import key_schedule_model as schedule
from e2ee.vectorgen.call_profiles import GROUP_CALL, LINK, ONE_TO_ONE, Profile
from e2ee.vectorgen.call_scripts.people import Link
from e2ee.vectorgen.certificates import NOW, vector
from e2ee.vectorgen.legal_commits import required
from e2ee.vectorgen.people import CALL_PROFILE, JOIN, Person, join_content
from e2ee.vectorgen.registry import Case

__all__ = ["ALICE", "BOB", "CAROL", "GroupCall", "MlsCall", "RungCall", "extensions"]

ALICE, CAROL, BOB = range(3)
PHONE, LAPTOP = 1, 2


Extensions = Callable[[Profile], tuple[Extension, ...]]


def extensions(profile: Profile) -> tuple[Extension, ...]:
    """KEYS-9: those of a GroupContext."""
    return required(), Extension(CALL_PROFILE, profile.encode())


@dataclass(frozen=True)
class Newcomer:
    """A device that is added, and where."""

    client: Client
    leaf: int


class MlsCall:
    """What both kinds share. ``newcomer`` joins by ``welcomed``, a commit in ``before``; ``people`` are by leaf."""

    profile: Profile
    newcomer: Newcomer
    before: Epoch
    welcomed: Committed
    people: dict[int, Person]
    link: Link | None = None

    def __init__(self, case: Case, suite: int) -> None:
        self.case, self.suite = case, suite
        self.call_id = case.entropy.fork(b"call").random(16)
        seed = case.entropy.fork(b"forge").random(32)
        self.forge = Forge(
            cipher_suite(suite), SeededEntropy(seed, ML_KEM_768._encaps_internal), {}
        )
        self.delivery_key = case.entropy.fork(b"service").random(32)

    def person(self, name: str, device_id: int = 1, **how: Any) -> Person:
        """A device, whose certificate lists the call's suite only."""
        made = Person.of(
            self.case, name, device_id, suite=self.suite, **{"suites": (self.suite,), **how}
        )
        self.forge.signing_keys.update(made.forge.signing_keys)
        return made

    @property
    def now(self) -> Epoch:
        """The epoch of the Welcome."""
        return self.welcomed.epoch

    # Commits

    def commit(
        self,
        label: str,
        epoch: Epoch,
        committer: int,
        *items: Item,
        committing: Committing | None = None,
    ) -> Committed:
        """A commit; ``label`` is for its randomness."""
        known = replace(committing or Committing(), psks=self._psks())
        return commit(self.forge.fork(label.encode()), epoch, committer, *items, committing=known)

    def _psks(self) -> Mapping[Any, Secret]:
        if self.link is None:
            return {}
        name = PreSharedKeyID.external(self.link.psk_id, b"").psk
        return {name: Secret(self.link.psk(self.forge.suite.kdf.Nh))}

    # What a case gives, and what comes out

    def join(self, welcoming: Welcoming | None = None, welcomed: Committed | None = None) -> None:
        """The input of a case: how the newcomer joins."""
        made = welcomed or self.welcomed
        client = self.newcomer.client
        message = welcome(self.forge.fork(b"welcome"), made, client, self.newcomer.leaf, welcoming)
        self.case.input |= {
            "mls_suite": self.suite,
            "now": NOW * 1000,
            "key_package": client.key_package.encode(),
            "init_private_key": bytes(client.init.private),
            "encryption_private_key": bytes(client.encryption.private),
            "signature_private_key": bytes(client.signing_key.private),
            "link": None
            if self.link is None
            else {"call_id": self.link.call_id, "secret": self.link.secret},
            "welcome": message.encode(),
            "ratchet_tree": None,
        }

    def welcome_steps(self, welcoming: Welcoming | None = None) -> dict[str, bytes]:
        """From the Welcome to the epoch."""
        made, kdf, aead = self.welcomed, self.forge.suite.kdf, self.forge.suite.aead
        path_secret = self._path_secret(made)
        path = None if path_secret is None else PathSecret(Secret(path_secret))
        secrets = GroupSecrets(made.joiner_secret, path, made.psks)
        psk, joiner_secret = self._psk_secret(made), bytes(made.joiner_secret)
        info = describe(self.forge, made.epoch, made.committer, welcoming).encode()
        key_package = self.newcomer.client.key_package.encode()
        return {
            "key_package_ref": kdf.hash(
                vector(b"MLS 1.0 KeyPackage Reference") + vector(key_package)
            ),
            "group_secrets": secrets.encode(),
            "joiner_secret": joiner_secret,
            **({"path_secret": path_secret} if path_secret else {}),
            "psk_secret": psk,
            **schedule.welcome(kdf, joiner_secret, psk, aead.Nk, aead.Nn),
            "group_info": info,
            **self._epoch_steps(made),
        }

    def commit_steps(self, before: Epoch, made: Committed) -> dict[str, bytes]:
        """From a commit to the next epoch, as the newcomer of the Welcome gets there."""
        kdf, path_secret = self.forge.suite.kdf, self._path_secret(made)
        provisional = replace(
            made.epoch.context, confirmed_transcript_hash=before.context.confirmed_transcript_hash
        )
        highest = made.path_secrets[max(made.path_secrets, key=_height)]
        commit_secret = schedule.derive_secret(kdf, highest, "path")
        context = made.epoch.context.encode()
        joined = schedule.joiner(kdf, before.secrets.init_secret, commit_secret, context)
        if joined != made.joiner_secret or path_secret is None:
            raise ValueError("the commit is not the one of its formulas")
        return {
            "provisional_group_context": provisional.encode(),
            "path_secret": path_secret,
            "node_secret": schedule.derive_secret(kdf, path_secret, "node"),
            "commit_secret": commit_secret,
            "joiner_secret": joined,
            "psk_secret": self._psk_secret(made),
            **self._epoch_steps(made),
        }

    def group(self, epoch: Epoch, people: Mapping[int, Person]) -> dict[str, Any]:
        """What the newcomer knows in this epoch."""
        base = schedule.base_key(self.suite, epoch.secrets.exporter_secret)
        return {
            "epoch": epoch.context.epoch,
            "own_leaf": self.newcomer.leaf,
            "members": [
                {"leaf": leaf, "signature_key": people[leaf].leaf.public} for leaf in sorted(people)
            ],
            "group_context": epoch.context.encode(),
            "epoch_authenticator": bytes(epoch.secrets.epoch_authenticator),
            "base_key": base["exported"],
        }

    def _path_secret(self, made: Committed) -> bytes | None:
        common = common_ancestor(leaf_to_node(self.newcomer.leaf), leaf_to_node(made.committer))
        found = made.path_secrets.get(common)
        return None if found is None else bytes(found)

    def _psk_secret(self, made: Committed) -> bytes:
        kdf = self.forge.suite.kdf
        if self.link is None or not made.psks:
            return bytes(kdf.Nh)
        nonce = made.psks[0].psk_nonce
        return schedule.psk_secret(kdf, self.link.psk_id, nonce, self.link.psk(kdf.Nh))

    def _epoch_steps(self, made: Committed) -> dict[str, bytes]:
        kdf, epoch = self.forge.suite.kdf, made.epoch
        context = epoch.context
        secrets = schedule.epoch(kdf, made.joiner_secret, self._psk_secret(made), context.encode())
        if secrets["epoch_authenticator"] != epoch.secrets.epoch_authenticator:
            raise ValueError("the epoch is not the one of its formulas")
        return {
            "tree_hash": tree_hash(epoch.tree),
            "confirmed_transcript_hash": context.confirmed_transcript_hash,
            "interim_transcript_hash": epoch.interim_transcript_hash,
            "confirmation_tag": epoch.confirmation_tag,
            **secrets,
        }


def _height(node: int) -> int:
    """Of a node of the tree: its trailing ones."""
    return (node ^ (node + 1)).bit_length()


class GroupCall(MlsCall):
    """See the module. ``extensions_of`` makes the GroupContext's extensions of the profile that is due.

    With a ``crowd``, so many more are there when Bob comes, who then is at the leaf after them.
    """

    def __init__(
        self, case: Case, suite: int, extensions_of: Extensions = extensions, *, crowd: int = 0
    ) -> None:
        super().__init__(case, suite)
        self.link = Link(self.call_id, case.entropy.fork(b"link").random(32))
        alice, carol, bob = (self.person(name) for name in ("alice", "carol", "bob"))
        others = [self.person(f"member-{number}") for number in range(crowd)]
        self.people = dict(enumerate((alice, carol, *others, bob)))
        self.profile = Profile(
            kind=GROUP_CALL,
            hosts=(alice.account_key,),
            link_id=self.link.psk_id,
            join_policy=LINK,
            delivery_key=self.delivery_key,
        )
        first = create_group(self.forge, alice.client(), self.call_id, extensions_of(self.profile))
        more = [Add(self.asking(each).key_package) for each in others]
        self.before = self.commit("1", first, ALICE, *self.add(carol), *more).epoch
        self.newcomer = Newcomer(self.asking(bob), BOB + crowd)
        added = Add(self.newcomer.client.key_package)
        self.welcomed = self.commit("2", self.before, ALICE, added, self.psk(b"bob"))

    def asking(self, person: Person, proof: bytes | None = None) -> Client:
        """Who asks to join, with the link's proof unless another is given."""
        keys = person.client(Extension(JOIN, b"")).key_package
        due = self._link.proof(keys.init_key, person.leaf.public)
        return person.client(Extension(JOIN, join_content(self.call_id, proof or due)))

    def add(self, person: Person, proof: bytes | None = None) -> Sequence[Item]:
        """The Add of who asked, and the link's PSK."""
        asked = self.asking(person, proof)
        return Add(asked.key_package), self.psk(person.account_key)

    def psk(self, label: bytes) -> PreSharedKey:
        """The link's, with a nonce of its own."""
        nonce = self.case.entropy.fork(b"nonce" + label).random(self.forge.suite.kdf.Nh)
        return PreSharedKey(PreSharedKeyID.external(self._link.psk_id, nonce))

    @property
    def _link(self) -> Link:
        if self.link is None:
            raise LookupError("a group call without a link")
        return self.link


class RungCall(MlsCall):
    """See the module."""

    def __init__(self, case: Case, suite: int, extensions_of: Extensions = extensions) -> None:
        super().__init__(case, suite)
        alice, phone, laptop = self.person("alice"), self.person("bob"), self.person("bob", 2)
        self.people = {ALICE: alice, PHONE: phone, LAPTOP: laptop}
        self.profile = Profile(
            kind=ONE_TO_ONE,
            accounts=(alice.account_key, phone.account_key),
            delivery_key=self.delivery_key,
        )
        self.before = create_group(
            self.forge, alice.client(), self.call_id, extensions_of(self.profile)
        )
        self.newcomer = Newcomer(phone.client(), PHONE)
        added = [Add(each.key_package) for each in (self.newcomer.client, laptop.client())]
        self.welcomed = self.commit("1", self.before, ALICE, *added)
