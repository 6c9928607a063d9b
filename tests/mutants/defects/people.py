"""Signatures, identities, and what people compare."""

from __future__ import annotations

from tests.mutants.defects.defect import Defect

__all__ = ["PEOPLE"]

BY_OPENSSL = """            ed25519 = __import__(
                "cryptography.hazmat.primitives.asymmetric.ed25519", fromlist=["Ed25519PublicKey"]
            )
            ed25519.Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
"""

PEOPLE = (
    Defect(
        "identity-point",
        "a public key of small order: one signature verifies for every message",
        "OpenSSL accepts it; so do browsers by WebCrypto",
        "e2ee.crypto.eddsa",
        "        if y in self.curve.small_order_y:\n",
        "        if False:\n",
        (
            ("            crypto_sign_open(signature + message, public)\n", BY_OPENSSL),
            ("        except BadSignatureError:\n", "        except InvalidSignature:\n"),
        ),
    ),
    Defect(
        "signatures-malleable",
        "S may be as large as it likes",
        "RFC 8032, Section 8.4; Chalkias, Garillot, Nikolaenko, 2020",
        "e2ee.crypto.eddsa",
        '            raise BadSignature("S is not below L")\n',
        '            reduced = int.from_bytes(signature[n:], "little") % self.curve.order\n'
        '            signature = signature[:n] + reduced.to_bytes(n, "little")\n',
    ),
    Defect(
        "code-of-identities-alone",
        "what people compare covers the accounts and not the keys of the session",
        "Jitsi #3110",
        "e2ee.call.verification",
        'epoch = label("SAS commit") + call_id + epoch_authenticator',
        'epoch = label("SAS commit") + call_id',
    ),
    Defect(
        "no-commitment",
        "a member shows its random bytes before all have committed: the last one chooses the code",
        "Orange Meets, 8 digits; Telegram waits for all commitments",
        "e2ee.call.spoken_code",
        "if attempt.random is None or attempt.commitments.keys() != epoch.accounts.keys():",
        "if attempt.random is None:",
    ),
    Defect(
        "reveal-unchecked",
        "what a member shows need not be what it committed to",
        "Jitsi, Matrix: commitments of SAS",
        "e2ee.call.spoken_code",
        "if not equal(due, attempt.commitments[leaf]):",
        "if False:",
    ),
    Defect(
        "one-label-for-all",
        "a signature made for one purpose counts for another",
        "CVE-2022-39250 and its relatives: identifiers without a type",
        "e2ee.identity.labels",
        "ED25519.verify(public_key, label(purpose) + content, signature)",
        "if not any(_verifies(public_key, label(each) + content, signature) for each in SignatureLabel):\n"
        "        ED25519.verify(public_key, label(purpose) + content, signature)\n\n\n"
        "def _verifies(public_key: bytes, content: bytes, signature: bytes) -> bool:\n"
        "    try:\n"
        "        ED25519.verify(public_key, content, signature)\n"
        "    except Exception:\n"
        "        return False\n"
        "    return True",
    ),
    Defect(
        "changed-key-unnoticed",
        "another key of a known account counts as never verified",
        "Trail of Bits, DAVE code review, 12",
        "e2ee.identity.trust",
        "            return ContactState.CHANGED  # IDENT-10, attested or not",
        "            return ContactState.UNVERIFIED",
    ),
    Defect(
        "key-without-possession",
        "a key is registered for an account without its signature",
        "Trail of Bits, DAVE code review, 13",
        "e2ee.identity.login",
        "        verify_labelled(account_key, SignatureLabel.REGISTER, content, signature)\n",
        "        pass\n",
    ),
    Defect(
        "revoked-device",
        "a certificate counts although its account revoked devices since",
        "Matrix: device lists that the homeserver keeps (Albrecht et al. 2022)",
        "e2ee.identity.trust",
        "if certificate.generation < self._store.generation(certificate.account_key):",
        "if False:",
    ),
    Defect(
        "letter-twice",
        "a message that is delivered again is shown again",
        "medooze/sframe #3; any store-and-forward service",
        "e2ee.call.letters",
        "if letter_id in seen:",
        "if False:",
    ),
    Defect(
        "key-not-committed",
        "one ciphertext opens to two contents under two keys",
        "Trail of Bits, DAVE code review, 5: GCM commits to no key",
        "e2ee.call.letter_sealing",
        "if not equal(commitment(content_key), sealed.commitment):",
        "if False:",
    ),
)
