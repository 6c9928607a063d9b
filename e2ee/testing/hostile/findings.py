"""What others found in systems that encrypt calls, and what became of each finding here.

43 attacks, flaws and limits, published or read in sources, from which this protocol's countermeasures come. Each is answered by
sentences of the specification that rule it out or say how far it goes; where it can be tried, by attacks that can be run; and some
will be answered better by a part of the project that is still due. ``e2ee attack list --markdown`` prints the table, a test holds it against attacks and chapters.

Where nobody but this project's authors has read a flaw out of a source, no product is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["FINDINGS", "Due", "Finding"]


class Due(StrEnum):
    """What of the project has still to come."""

    BROWSER = "browser client"
    REPORTS = "abuse reports and signed lists"


@dataclass(frozen=True, slots=True)
class Finding:
    """A row of the table."""

    number: int
    source: str
    """Where it was found."""
    what: str
    """What goes wrong."""
    answer: str
    """What stands against it here."""
    attacks: tuple[str, ...] = ()
    """Ids of the attacks that try it."""
    due: Due | None = None
    limits: tuple[str, ...] = ()
    """Ids of the sentences that rule it out, or that say how far it goes."""


_DAVE_DESIGN = "DAVE, design review"
_DAVE_CODE = "DAVE, code review"
_READ = "sources of deployed systems, read for this project"

FINDINGS: tuple[Finding, ...] = (
    Finding(
        1,
        f"{_DAVE_DESIGN}, 1",
        "A member commits without end, and nobody else's commit gets through.",
        "One commit a second, and of a host a removal at any time; at most 15 epochs in 10 s.",
        attacks=(
            "flood-of-commits",
            "remove-one-after-another",
            "commit-what-nobody-can-follow-again-and-again",
        ),
        limits=("DS-18", "KEYS-25", "GROUP-23"),
    ),
    Finding(
        2,
        f"{_DAVE_DESIGN}, 2 and 3",
        "A commit replaces the credential of a leaf, or adds one that has expired.",
        "A leaf's certificate and signature key never change; dates are checked by who adds, and by who receives.",
        attacks=(
            "hand-out-an-expired-device",
            "change-ones-name-by-a-commit",
        ),
        limits=("IDENT-11", "KEYS-8"),
    ),
    Finding(
        3,
        f"{_DAVE_DESIGN}, 4",
        "The platform serves the page whose code is to protect people from the platform.",
        "A limit of every web client: the threat model says so.",
        due=Due.BROWSER,
        limits=("THREAT-8",),
    ),
    Finding(
        4,
        f"{_DAVE_DESIGN}, 5",
        "Who was added is never told: it counts as a member and can open nothing.",
        "Whoever waits for a Welcome gives up in time or asks again, with another KeyPackage.",
        attacks=(
            "withhold-an-invitation",
            "refuse-or-swallow-requests",
            "give-false-ranks",
        ),
        limits=("CALL-29", "GROUP-7"),
    ),
    Finding(
        5,
        f"{_DAVE_DESIGN}, 6",
        "Who was removed goes on opening, and the list on the screen is not the list of who has keys.",
        "The list is the MLS roster; a removal has a deadline, and a time from which on it is known to be over.",
        attacks=(
            "listen-after-ones-removal",
            "speak-after-ones-removal",
            "withhold-a-removal",
            "former-device-listens",
        ),
        limits=("FKEY-9", "FKEY-12", "CALL-25", "THREAT-2"),
    ),
    Finding(
        6,
        f"{_DAVE_DESIGN}, 7",
        "Keys are searched whose short code looks like somebody else's.",
        "What each code costs to forge is a table in the specification; a short code is committed to before it is shown.",
        attacks=("machine-in-the-middle", "choose-a-spoken-code"),
        limits=("IDENT-12", "CALL-14", "VERIFY-5"),
    ),
    Finding(
        7,
        f"{_DAVE_DESIGN}, 8",
        "A report of what somebody did in a call is made up.",
        "In this version a report of media proves nothing, and nothing pretends otherwise.",
        due=Due.REPORTS,
        limits=("THREAT-10",),
    ),
    Finding(
        8,
        f"{_DAVE_DESIGN}, 9",
        "Who takes a device opens what was sent long before with the same keys.",
        "Epochs end after ten minutes at most, and their keys are erased; within one there is no ratchet.",
        attacks=("swallow-every-commit", "frames-of-an-ended-epoch"),
        limits=("THREAT-5", "KEYS-15", "FKEY-14"),
    ),
    Finding(
        9,
        f"{_DAVE_DESIGN}, 10 and 11",
        "Parts of a frame stay clear or are not authenticated.",
        "How much stays clear follows from the codec and the first byte; every byte of a frame is authenticated.",
        attacks=("flip-every-bit", "change-clear-bytes"),
        limits=("FRAME-1", "CODEC-2"),
    ),
    Finding(
        10,
        f"{_DAVE_CODE}, 1, 2 and 8 to 10",
        "Ranges, lengths and codec units from the network overflow a parser.",
        "One minimal encoding, bounds before decoding, no codec parsed before authentication, no memory to overflow; decoders are others'.",
        attacks=("cut-and-lengthen-frames", "longer-headers", "cut-clients-off-with-junk"),
        limits=("SIG-2", "SIG-3", "FRAME-4", "THREAT-15"),
    ),
    Finding(
        11,
        f"{_DAVE_CODE}, 5",
        "Receivers try keys until one fits, so that one frame is two things to two people.",
        "The KID names one key; no other is tried.",
        attacks=("one-frame-under-two-keys", "one-letter-two-keys"),
        limits=("FRAME-8",),
    ),
    Finding(
        12,
        f"{_DAVE_CODE}, 6",
        "Frames are delivered again, or late, or in another order.",
        "A window of counters for each key, which moves only after authentication.",
        attacks=(
            "replay-frames",
            "counters-far-ahead",
            "frames-of-an-ended-epoch",
            "shuffle-the-media-of-a-meeting",
        ),
        limits=("FRAME-9", "FRAME-10"),
    ),
    Finding(
        13,
        f"{_DAVE_CODE}, 7",
        "The list of what is encrypted in a frame is not authenticated itself.",
        "There is no such list: sender and receiver compute it.",
        attacks=("flip-every-bit", "change-clear-bytes", "cut-and-lengthen-frames"),
        limits=("CODEC-2", "FRAME-3"),
    ),
    Finding(
        14,
        f"{_DAVE_CODE}, 11",
        "Proposals that nobody expects are accepted.",
        "The legal commits are a closed list, judged by the members and by the service alike.",
        attacks=(
            "bring-a-third-one-in",
            "commit-what-hosts-commit",
            "inject-commits",
        ),
        limits=("KEYS-11", "KEYS-13", "KEYS-20"),
    ),
    Finding(
        15,
        f"{_DAVE_CODE}, 12 and 13",
        "A contact whose key changed looks like one that was never verified; keys are uploaded for others' accounts.",
        "Unverified, verified and changed are three states; who registers, logs in and publishes proves each key.",
        attacks=("false-key-of-a-contact", "claim-somebodys-account", "show-anothers-key"),
        limits=("IDENT-10", "IDENT-14", "IDENT-15", "IDENT-18"),
    ),
    Finding(
        16,
        f"{_DAVE_CODE}, 14; bug reports of two other systems",
        "Keys lie in memory, in logs and in public bug reports.",
        "Secrets are a type that shows nothing, and each attack is played with all logs on and searched for every secret that it made.",
        attacks=("former-device-listens", "disturb-a-call-between-clients"),
        limits=("THREAT-11", "FKEY-14"),
    ),
    Finding(
        17,
        f"{_DAVE_CODE}, 15",
        "After input that cannot be parsed a session goes on in an undefined state.",
        "Every refusal has a reason from a documented list, and changes nothing.",
        attacks=(
            "inject-commits",
            "say-anything-at-any-time",
            "commit-for-some-only",
            "describe-nonsense",
            "cut-clients-off-with-junk",
        ),
        limits=("CALL-15", "SIG-2"),
    ),
    Finding(
        18,
        f"{_DAVE_CODE}, 16",
        "A suite for tests, whose keys are known, can be chosen by the server.",
        "Two suites, in one table; there is no other to be chosen.",
        limits=("KEYS-1", "FRAME-2"),
    ),
    Finding(
        19,
        "DAVE, code review, appendix; SFrame's own text; analyses of SFrame",
        "Short tags are guessed, or a signature over them is moved to another frame.",
        "Tags of 16 bytes, and no others.",
        due=Due.REPORTS,
        limits=("FRAME-2",),
    ),
    Finding(
        20,
        "SFrame's own text, DAVE, analyses of Zoom",
        "Any member can make frames of any other one, if who forwards them helps.",
        "Stated, and bounded: in that call and epoch only, never in what is said in messages. Signed lists will bound it further.",
        attacks=("speak-as-another-member",),
        due=Due.REPORTS,
        limits=("THREAT-7",),
    ),
    Finding(
        21,
        "analyses of Zoom",
        "A key that is used in several streams or meetings lets frames be moved between them.",
        "Call, epoch, member and stream are in each key, and in the name of the key.",
        attacks=(
            "one-stream-as-another",
            "own-frames-back",
            "speak-as-another-member",
            "open-what-was-before-ones-time",
        ),
        limits=("FKEY-1", "FKEY-2", "FRAME-5", "FRAME-6"),
    ),
    Finding(
        22,
        "Jitsi, a fix of 2026",
        "The code that people compare does not cover the keys that protect the call.",
        "Codes are derived from the epoch's own secrets, which hang on all that was ever agreed in the group.",
        attacks=(
            "machine-in-the-middle",
            "machine-between-clients",
            "fork-the-group",
            "fork-a-meeting",
        ),
        limits=("CALL-14", "VERIFY-5"),
    ),
    Finding(
        23,
        "Matrix, a paper of 2022",
        "The server decides who is a member; ids and keys are confused; keys are taken from the wrong channel.",
        "Members are leaves that members committed; every signature has a label; keys of devices come in certificates only.",
        attacks=(
            "inject-commits",
            "swap-key-packages",
            "post-a-directory-key-package",
            "come-in-without-the-link",
            "show-a-false-meeting",
        ),
        limits=("THREAT-2", "IDENT-13"),
    ),
    Finding(
        24,
        "MatrixRTC, review of its proposal",
        "A key that came in the clear, or names a false sender, is taken.",
        "No message carries a key of media: keys follow from the group, and who said something is the leaf that signed it.",
        attacks=("change-messages", "inject-commits"),
        limits=("KEYS-5", "FKEY-1", "FRAME-6"),
    ),
    Finding(
        25,
        _READ,
        "An encryption key is part of the key from which the next one is derived.",
        "Each key has a label of its own and the KID in it; nothing that is derived is derived from again.",
        attacks=("open-with-another-key",),
        limits=("FKEY-1", "FKEY-2"),
    ),
    Finding(
        26,
        "issues of four systems",
        "A flag of the server, or a missing trailer, turns encryption off; or what is encrypted is played as noise.",
        "There is no mode without encryption, and nothing that did not authenticate comes to a decoder.",
        attacks=("strip-the-header", "plaintext-frames", "tamper-with-media-on-its-way"),
        limits=("FRAME-1", "FRAME-11", "FRAME-12"),
    ),
    Finding(
        27,
        "two systems' documentation",
        "Frames of silence, or of the server, pass unprotected.",
        "No frame is exempt.",
        attacks=("silence-in-the-clear", "plaintext-frames"),
        limits=("FRAME-11", "FRAME-12"),
    ),
    Finding(
        28,
        _READ,
        "A forged step of a ratchet costs much work, or moves the receiver's state for ever.",
        "There is no ratchet to step: the counter's window moves only after authentication.",
        attacks=("counters-far-ahead", "junk-by-the-thousand"),
        limits=("FRAME-10", "FKEY-17"),
    ),
    Finding(
        29,
        _READ,
        "A few junk frames make a receiver throw a good key away.",
        "Failures never touch a key.",
        attacks=("junk-by-the-thousand",),
        limits=("FKEY-17",),
    ),
    Finding(
        30,
        _READ,
        "The forwarder repeats sound, or edits what names the key.",
        "Windows against repetition; header and clear bytes are authenticated.",
        attacks=("replay-frames", "flip-every-bit"),
        limits=("FRAME-3", "FRAME-9"),
    ),
    Finding(
        31,
        _READ,
        "After a restart, or on a second device, one key protects two frames with the same nonce.",
        "A key for each leaf and stream; counters are stored nowhere, and who was away is a new leaf.",
        attacks=("wait-for-a-nonce-to-come-twice",),
        limits=("FKEY-3", "FKEY-4", "FKEY-5", "GROUP-21"),
    ),
    Finding(
        32,
        "documentation of one system, source of another",
        "Whoever chooses last makes codes agree: eight digits at once, thirty with much work.",
        "Sixty digits, or commitments before anything is shown.",
        attacks=("choose-a-spoken-code", "machine-in-the-middle"),
        limits=("CALL-14", "VERIFY-3", "VERIFY-5"),
    ),
    Finding(
        33,
        _READ,
        "The first byte of sound stays clear, and says how the encoder was set.",
        "An Opus frame has no clear byte.",
        attacks=("look-at-the-first-byte-of-sound",),
        limits=("CODEC-1",),
    ),
    Finding(
        34,
        "literature since 2008",
        "Sizes of encrypted speech say something about what is spoken.",
        "Not hidden by this version.",
        limits=("THREAT-9",),
    ),
    Finding(
        35,
        "three systems' documentation",
        "A header extension in the clear says how loud each frame is.",
        "It is never negotiated, whoever offers it.",
        attacks=("ask-for-loudness",),
        limits=("CODEC-6",),
    ),
    Finding(
        36,
        "the nature of SDP",
        "Who carries a description puts its own fingerprint in.",
        "Between two devices descriptions travel inside MLS; with a forwarding unit the hop ends there and is not trusted.",
        attacks=(
            "change-messages",
            "label-streams-falsely",
        ),
        limits=("SIG-4", "SFU-2", "THREAT-14"),
    ),
    Finding(
        37,
        "two systems' documentation",
        "The server chooses an older version, or a weaker suite.",
        "Certificates list what a device has; a group of less than all have is refused, and less than before is told.",
        attacks=("downgrade-the-suite",),
        limits=("KEYS-2", "KEYS-18"),
    ),
    Finding(
        38,
        "Matrix, an issue on key distribution",
        "Changing keys takes as long as everybody has to write to everybody, and who left goes on hearing meanwhile.",
        "A commit costs the logarithm of the group; joins are batched, and a removal has a deadline.",
        attacks=(
            "storm-of-joins",
            "listen-after-ones-removal",
        ),
        limits=("GROUP-8", "GROUP-19", "FKEY-9"),
    ),
    Finding(
        39,
        "issues of six libraries",
        "Padding of packets is taken for part of the frame, and a good frame for a forged one.",
        "The order on receipt is fixed: padding goes before a frame is put together.",
        attacks=("pad-every-packet",),
        limits=("FRAME-3", "FRAME-21"),
    ),
    Finding(
        40,
        "three systems",
        "A password in place of a key is guessed.",
        "Nothing that a person chose protects a call.",
        limits=("THREAT-13", "GROUP-3", "IDENT-17"),
    ),
    Finding(
        41,
        "Zoom's own text, Telegram",
        "The server splits a meeting, and each half believes to be all.",
        "Who hears less than half of the others stops sending; the halves' codes differ.",
        attacks=(
            "fork-the-group",
            "fork-a-meeting",
            "leave-one-in-an-old-epoch",
            "hand-out-a-false-tree",
            "lie-in-presence",
        ),
        limits=("CALL-23", "CALL-14"),
    ),
    Finding(
        42,
        "issues of two systems",
        "Who rings learns the other's address before anybody has answered.",
        "No description leaves a device before the answer; with a relay alone no address does.",
        attacks=("ring-to-learn-an-address",),
        limits=("CALL-7", "THREAT-9"),
    ),
    Finding(
        43,
        "advisories of one system",
        "A server gives passwords and addresses away.",
        "No claim of this protocol rests on what a server keeps to itself.",
        limits=("THREAT-12", "THREAT-9"),
    ),
)
"""By number."""
