"""What a device has to remember when its process ends, as interfaces: the shell has the disk."""

from __future__ import annotations

from dataclasses import dataclass, field

from e2ee.call.key_packages import KeyPackageStore, MemoryKeyPackageStore
from e2ee.call.letters import LetterStore, SeenLetters
from e2ee.call.seen_calls import MemorySeenCalls, SeenCalls

__all__ = ["DeviceMemory"]


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """Each forgets with its process unless another one is given. Contacts are ``identity.trust``'s."""

    key_packages: KeyPackageStore = field(default_factory=MemoryKeyPackageStore)
    seen_calls: SeenCalls = field(default_factory=MemorySeenCalls)
    seen_letters: LetterStore = field(default_factory=SeenLetters)
