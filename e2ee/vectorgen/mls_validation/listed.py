"""Lists of proposals as cases: committed by another member, and to be committed by this one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from e2ee.errors import Reason
from e2ee.mls.leaf_node import LeafNodeSource
from e2ee.mls.proposal import Add, ProposalContent, Update
from e2ee.testing.mls_forge.clients import Client, make_client, next_leaf, sign_leaf
from e2ee.testing.mls_forge.commits import Item, commit
from e2ee.testing.mls_forge.forge import Forge
from e2ee.testing.mls_forge.messages import Sent, propose
from e2ee.vectorgen.mls_validation.groups import BOB, CAROL, GROUP_ID
from e2ee.vectorgen.mls_validation.registry import Case, Group
from e2ee.vectorgen.mls_validation.scenes import Build, State
from e2ee.vectorgen.mls_validation.states import bob_of_three

__all__ = ["Lists", "Setting"]


@dataclass(frozen=True, slots=True)
class Setting:
    """Who commits a list, in which state of the group."""

    forge: Forge
    state: State
    committer: int

    def propose(self, sender: int, content: ProposalContent) -> Sent:
        """A proposal of the member at leaf ``sender``, to be committed by reference."""
        return propose(self.forge, self.state.epoch, sender, content)

    def update(self, sender: int) -> Sent:
        """An Update of that member's."""
        key = self.forge.key_pair().public
        unsigned = next_leaf(self.state.epoch.leaf(sender), key, LeafNodeSource.UPDATE)
        return self.propose(sender, Update(sign_leaf(self.forge, unsigned, GROUP_ID, sender)))

    def client(self, name: str = "dave", **options: Any) -> Client:
        """A client who is in no group."""
        return make_client(self.forge, name, **options)

    def again(self, name: str) -> Add:
        """The KeyPackage of a client who is in the group, with new keys but the same signature key."""
        key = self.state.clients[name].signing_key
        return Add(self.client(name, signing_key=key).key_package)


Make = Callable[..., Sequence[Item]]
"""A Setting, and with ``each`` a value, become what is committed."""


@dataclass(frozen=True, slots=True)
class Lists:
    """The groups ``process`` and ``commit`` of a file."""

    process: Group
    commit: Group

    def proposals(
        self,
        *sections: str,
        reason: Reason | None = None,
        like: str | None = None,
        by: int = CAROL,
        asked_too: bool = True,
        build: Build = bob_of_three,
        each: Mapping[str, Any] | None = None,
    ) -> Callable[[Make], Make]:
        """Make a list that the member at ``by`` commits a case, and with ``asked_too`` one that Bob is asked to commit.

        ``each`` and ``like`` are as in ``Group.vector``.
        """

        def register(make: Make) -> Make:
            stem = make.__name__.replace("_", "-")
            for key, value in ({"": None} if each is None else each).items():
                name, list_of = (f"{stem}-{key}", partial(make, value)) if key else (stem, make)
                kind: dict[str, Any] = {"reason": reason, "comment": make.__doc__}
                alike = like and like.format(key)
                self.process.add(name, sections, _received, build, by, list_of, like=alike, **kind)
                if asked_too:
                    alike = alike and f"asked-{alike}"
                    self.commit.add(
                        f"asked-{name}", sections, _asked, build, list_of, like=alike, **kind
                    )
            return make

        return register


def _received(case: Case, build: Build, committer: int, make: Make) -> None:
    """The member receives the commit of ``committer``."""
    state = case.at(build)
    items = make(Setting(case.forge, state, committer))
    sent = [item for item in items if isinstance(item, Sent)]
    case.judge(commit(case.forge, state.epoch, committer, *items), *sent)


def _asked(case: Case, build: Build, make: Make) -> None:
    """The member is asked to commit the list itself."""
    state = case.at(build)
    case.ask(*make(Setting(case.forge, state, BOB)))
