"""What waits for a commit at one member: who asks to come in, who is gone, and what a host wants (GROUP-8).

    waiting.take(request), .gone(statement, due_at), .intend(intent)      work that came up
    waiting.due_at                                                        when this member commits it, unless the log settles it
    draft = waiting.draft(epochs, now)                                    all of it that fits into one commit
    waiting.settle(logged, epochs, now)                                   what the log shows is no work any more
    waiting.refused(draft)                                                the service takes no such commit

A commit is drafted for the epoch in which it is made and thrown away when another one is taken. Whatever of the work could
make a commit invalid is left out, and costs nobody else a place in it: a draft that is refused is made again in parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from e2ee.call.epochs import Epochs
from e2ee.call.errors import CallRefused
from e2ee.call.group.configuration import JOIN_AGE, MAX_PROPOSALS, MAX_REQUESTS
from e2ee.call.group.drafting import Draft, Drafting
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.intents import Intent, Subject, brings_link, leaves
from e2ee.call.group.join_requests import JoinRequest
from e2ee.call.logged import Logged
from e2ee.profile.gone import GoneStatement

__all__ = ["Waiting"]

ATTEMPTS = 3
"""How often a commit that adds nobody may be refused before what it was for is given up."""


@dataclass(frozen=True, slots=True)
class _Gone:
    statement: GoneStatement
    due_at: int


class Waiting:
    """See the module. ``now`` is Unix time in milliseconds."""

    def __init__(self, call_id: bytes) -> None:
        self._call_id = call_id
        self._requests: dict[bytes, JoinRequest] = {}
        """The newest of each device, by its signature key."""
        self._gone: dict[int, _Gone] = {}
        """Of this epoch, by leaf index."""
        self._intents: dict[Subject, Intent] = {}
        self._added: dict[bytes, int] = {}
        """init_key of each KeyPackage that was added -> when it is too old anyway."""
        self._most_adds = MAX_PROPOSALS
        self._refusals = 0

    # Work

    def take(self, request: JoinRequest, now: int) -> None:
        """Somebody may be added. Raises CallRefused."""
        # GROUP-9: "that was added before"
        if request.key_package.init_key in self._added:
            raise CallRefused(GroupReason.JOIN_ALREADY_USED)
        self._requests = {
            key: each for key, each in self._requests.items() if now - each.created_at <= JOIN_AGE
        }
        key = request.knock.signature_key
        if key not in self._requests and len(self._requests) >= MAX_REQUESTS:
            raise CallRefused(GroupReason.TOO_MANY_WAIT, f"{MAX_REQUESTS} requests")
        # it may have come with a higher rank than before: the first to have it acts first all the same
        before = self._requests.pop(key, request)
        due_at = min(before.due_at, request.due_at)
        self._requests[key] = request.due(due_at)

    def gone(self, statement: GoneStatement, due_at: int) -> None:
        """A member is gone, by the service's word."""
        self._gone.setdefault(statement.leaf, _Gone(statement, due_at))

    def intend(self, intent: Intent) -> None:
        """A host wants something; what it wanted of the same before holds no more."""
        self._intents.pop(intent.subject, None)
        self._intents[intent.subject] = intent

    @property
    def intents(self) -> tuple[Intent, ...]:
        """What is wanted, in this order."""
        return tuple(self._intents.values())

    def leaves_to_remove(self, epochs: Epochs) -> frozenset[int]:
        """Whom a host here wants out of the group."""
        return frozenset[int]().union(*(leaves(each, epochs.members) for each in self.intents))

    def due_at(self) -> int | None:
        """When the first of it is due here; what a host wants always is."""
        if self._intents:
            return 0
        return min(self._times(), default=None)

    def _times(self) -> Iterator[int]:
        yield from (request.due_at for request in self._requests.values())
        yield from (gone.due_at for gone in self._gone.values())

    # Commits

    def draft(self, epochs: Epochs, now: int, *, adds: bool = True) -> Draft:
        """All that fits into one commit of this epoch, without newcomers if not ``adds``; perhaps nothing."""
        drafting = Drafting(self._call_id, epochs)
        for intent in sorted(self.intents, key=brings_link):
            drafting.want(intent)
        for gone in self._gone.values():
            drafting.remove_gone(gone.statement)
        requests = list(self._requests.values()) if adds else []
        for request in sorted(requests, key=lambda each: each.due_at):
            if len(drafting.added) >= self._most_adds or drafting.is_full:
                break
            drafting.add(request, now)
        draft = drafting.draft()
        # what is wanted may come to nothing, one thing undoing another
        moot = () if draft.proposals else draft.wanted
        for intent in (*draft.settled, *draft.impossible, *moot):
            del self._intents[intent.subject]
        for request in draft.useless:
            del self._requests[request.knock.signature_key]
        return draft

    def refused(self, draft: Draft) -> list[Intent]:
        """Nobody takes this commit: it is tried in smaller parts, and what is left alone at last is given up.

        Gives what a host wanted and does not get.
        """
        if len(draft.requests) > 1:
            self._most_adds = len(draft.requests) // 2
            return []
        for request in draft.requests:
            self._requests.pop(request.knock.signature_key, None)
        if draft.requests:
            return []
        self._refusals += 1
        if self._refusals < ATTEMPTS:
            return []
        self._refusals = 0
        self._gone.clear()
        return self.give_up()

    def give_up(self) -> list[Intent]:
        """What a host wanted and does not get, for this device is no host, or nobody takes it."""
        given_up = list(self.intents)
        self._intents.clear()
        return given_up

    def settle(
        self, logged: Logged, epochs: Epochs, now: int, done: Sequence[Intent] = ()
    ) -> list[Intent]:
        """A commit was applied, which carried out what is ``done``. What is wanted still stays; gives what cannot be had any more."""
        self._gone.clear()  # KEYS-24: "It counts for one leaf in one epoch"
        self._added = {key: until for key, until in self._added.items() if now < until}
        for added in logged.staged.added:
            self._added[added.key_package.init_key] = now + 2 * JOIN_AGE
            self._requests.pop(added.key_package.leaf_node.signature_key, None)
        if logged.own:
            self._most_adds = min(2 * self._most_adds, MAX_PROPOSALS)
            self._refusals = 0
        open_yet = [each for each in self.intents if not any(each is other for other in done)]
        self._intents = {each.subject: each for each in _unsettled(open_yet, epochs)}
        return [] if _is_host(epochs) else self.give_up()

    def stranded(self) -> None:
        """The epoch ends here otherwise than by a commit: what is not a person's wish comes anew."""
        self._requests.clear()
        self._gone.clear()


def _unsettled(intents: Iterable[Intent], epochs: Epochs) -> Iterator[Intent]:
    """Those that would change something, each after those before it."""
    profile = epochs.profile
    for intent in intents:
        after = intent.profile_after(profile)
        if after != profile or leaves(intent, epochs.members):
            profile = after
            yield intent


def _is_host(epochs: Epochs) -> bool:
    return epochs.profile.is_host(epochs.member(epochs.own_leaf).account_key)
