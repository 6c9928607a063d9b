"""A link to a group call, and what is derived from its secret (GROUP-3).

    secret --Extract--> prk --"Link PSK"---> psk          in the key schedule of every epoch that adds somebody
                            --"Link id"----> psk_id       names the PSK, in the call's profile too
                            --"Link proof"-> link_proof   in the KeyPackage of who asks to join, for that KeyPackage only

The service sees ``psk_id`` and proofs, and can make neither a proof nor the PSK: so it adds nobody of its own, and a
Welcome that it made up opens for nobody who came by the link. A link without a secret only names the call and a host.
"""

from __future__ import annotations

from dataclasses import dataclass

from e2ee.call.errors import CallUsageError
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.crypto.secret import Secret, equal
from e2ee.errors import Reason
from e2ee.identity.labels import label
from e2ee.mls.key_package import KeyPackage
from e2ee.profile.join import join_of

__all__ = ["GroupLink", "LinkReason"]

SECRET_LENGTH = 32


class LinkReason(Reason):
    """Why a link cannot do what is asked of it."""

    NO_LINK_SECRET = "NO_LINK_SECRET"


@dataclass(frozen=True, slots=True)
class GroupLink:
    """What a device knows of a call that it may ask to join: 16 bytes, and 32 bytes of either sort.

    ``secret`` is there if the join policy was link when the link was made; else ``host_key`` is a host's account key.
    """

    call_id: bytes
    secret: Secret | None
    host_key: bytes | None = None

    @classmethod
    def create(cls, entropy: Entropy, call_id: bytes) -> GroupLink:
        """A new link with a secret."""
        # GROUP-3: "A link is 32 random bytes, `secret`, and the `call_id`."
        return cls(call_id, Secret(entropy.random(SECRET_LENGTH)))

    @property
    def psk_id(self) -> bytes:
        """``link_id`` of the profile of a call with this link (KEYS-19): 34 bytes, none without a secret."""
        return b"" if self.secret is None else label("Link") + self._expand("Link id", 16)

    def psk(self, length: int) -> Secret:
        """The external PSK that ``psk_id`` names, of ``Nh`` bytes. Raises CallUsageError (NO_LINK_SECRET)."""
        return self._expand("Link PSK", length)

    def proof(self, init_key: bytes, signature_key: bytes) -> bytes:
        """``link_proof`` of a KeyPackage with these keys: 32 bytes, none without a secret."""
        if self.secret is None:
            return b""
        content = label("Link proof") + self.call_id + init_key + signature_key
        return HKDF_SHA256.hmac(self._expand("Link proof", 32), content)

    def is_proven_by(self, key_package: KeyPackage) -> bool:
        """Whether who made the KeyPackage had this link; compared in constant time. Raises ProfileError (BAD_JOIN)."""
        join = join_of(key_package)
        if join is None or self.secret is None:
            return False
        due = self.proof(key_package.init_key, key_package.leaf_node.signature_key)
        return equal(join.link_proof, due)

    def _expand(self, name: str, length: int) -> Secret:
        if self.secret is None:
            raise CallUsageError(LinkReason.NO_LINK_SECRET)
        prk = HKDF_SHA256.extract(b"", self.secret)
        return HKDF_SHA256.expand(prk, label(name), length)
