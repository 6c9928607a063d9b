"""Hypothesis strategies for every object of the protocol: what your own properties draw from.

    from hypothesis import given
    from e2ee.testing.strategies import frames, key_packages

    @given(frame=frames(), key_package=key_packages())
    def test_mine(frame, key_package): ...

What they draw is valid by construction, and shrinks to the smallest that is. Where an object is signed, the signature is
good: its keys come with it. What almost is such an object, and must be refused, has a strategy of its own beside it, which
says the documented reason.

    structures   any value of a declared structure (`@struct`), signed by nobody: decoders and encoders
    sframe       KIDs, counters, SFrame headers, replay histories
    frames       encoded frames by codec
    epochs       base keys, epochs and their successions
    traces       epochs and frames on a clock: loss, reordering, replay
    signalling   every message of each family
    identity     accounts, DeviceCertificates, attestations, proofs, device links
    calls        call profiles, join extensions, GoneStatements, links
    letters      letters, sealed
    mls          MLS objects made by members who have their keys
    group_life   groups and commits as stateful building blocks
    call_scripts what people and the network do in a call
    faults       an encoding with a fault

Hypothesis is of the extra ``testing``: without it, importing this package raises an ImportError that says so.
"""

from __future__ import annotations

try:
    import hypothesis as _hypothesis
except ModuleNotFoundError as missing:
    if missing.name != "hypothesis":
        raise
    raise ImportError(
        "e2ee.testing.strategies draws with Hypothesis, which is not installed: pip install 'e2ee-calling[testing]'"
    ) from missing

from e2ee.testing.strategies.call_scripts import CallScript, call_scripts, play
from e2ee.testing.strategies.calls import (
    almost_call_profiles,
    call_ids,
    call_profiles,
    gone_statements,
    group_links,
    joins,
)
from e2ee.testing.strategies.epochs import base_keys, frame_epochs, frame_suites, successions
from e2ee.testing.strategies.faults import Refusable, damaged
from e2ee.testing.strategies.frames import frames, unprotectable_frames
from e2ee.testing.strategies.group_life import GroupMachine
from e2ee.testing.strategies.identity import (
    accounts,
    almost_certificates,
    attestation_authorities,
    attestations,
    certificates,
    device_links,
    login_proofs,
    registrations,
    safety_accounts,
    signing_keys,
)
from e2ee.testing.strategies.letters import SealedLetter, sealed_letters
from e2ee.testing.strategies.mls import (
    almost_key_packages,
    application_messages,
    assemblies,
    bundles,
    capabilities,
    cipher_suites,
    clients,
    commits,
    credentials,
    group_infos,
    key_packages,
    leaf_nodes,
    private_messages,
    proposals,
    public_messages,
    ratchet_trees,
    welcomes,
)
from e2ee.testing.strategies.octets import account_ids, entropies, octets
from e2ee.testing.strategies.sframe import (
    Header,
    headers,
    key_ids,
    kids,
    numbers,
    overlong_headers,
    replay_histories,
    unusable_kids,
)
from e2ee.testing.strategies.signalling import almost_messages, messages_of
from e2ee.testing.strategies.structures import structures
from e2ee.testing.strategies.traces import Trace, traces

del _hypothesis

__all__ = [
    "CallScript",
    "GroupMachine",
    "Header",
    "Refusable",
    "SealedLetter",
    "Trace",
    "account_ids",
    "accounts",
    "almost_call_profiles",
    "almost_certificates",
    "almost_key_packages",
    "almost_messages",
    "application_messages",
    "assemblies",
    "attestation_authorities",
    "attestations",
    "base_keys",
    "bundles",
    "call_ids",
    "call_profiles",
    "call_scripts",
    "capabilities",
    "certificates",
    "cipher_suites",
    "clients",
    "commits",
    "credentials",
    "damaged",
    "device_links",
    "entropies",
    "frame_epochs",
    "frame_suites",
    "frames",
    "gone_statements",
    "group_infos",
    "group_links",
    "headers",
    "joins",
    "key_ids",
    "key_packages",
    "kids",
    "leaf_nodes",
    "login_proofs",
    "messages_of",
    "numbers",
    "octets",
    "overlong_headers",
    "play",
    "private_messages",
    "proposals",
    "public_messages",
    "ratchet_trees",
    "registrations",
    "replay_histories",
    "safety_accounts",
    "sealed_letters",
    "signing_keys",
    "structures",
    "successions",
    "traces",
    "unprotectable_frames",
    "unusable_kids",
    "welcomes",
]
