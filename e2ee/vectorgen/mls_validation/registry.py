"""Files, groups and cases of validation vectors, and the decorator that makes a function a case.

    process = operation("process")

    @process.vector("RFC9420-7.6", reason=Rule.PATH_LENGTH, like="commit")
    def path_without_its_root(case: Case) -> None:
        '''One node less than the filtered direct path has.'''
        epoch = case.at(bob_of_three).epoch
        case.judge(commit(case.forge, epoch, ALICE, ...))

    FILE = File("update-paths", "UpdatePaths: RFC 9420, Sections 7.5 and 7.6.", (process,))

As in ``e2ee.vectorgen.registry`` the function's name becomes the case's id and its docstring the comment, and ``each``
makes a case of each item. ``like`` is the id of the valid case of the same group from which this one differs in one
thing; ``{}`` in it stands for the item of ``each``. ``flags`` say where an implementation may differ: see ``Flag``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from e2ee.errors import Reason
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.message import MLSMessage
from e2ee.testing.mls_forge.clients import NOW, Client
from e2ee.testing.mls_forge.commits import Committed, Item, proposal_of
from e2ee.testing.mls_forge.forge import Forge
from e2ee.testing.mls_forge.messages import Sent
from e2ee.vectorgen.mls_validation.groups import keys_of
from e2ee.vectorgen.mls_validation.scenes import Build, Scene, State, name_of
from e2ee.vectorgen.registry import plain

__all__ = ["OPERATIONS", "Case", "File", "Flag", "Group", "Judgement", "operation"]


class Judgement(Reason):
    """What the application says of credentials, through its authentication service."""

    CREDENTIAL_REFUSED = "CREDENTIAL_REFUSED"
    SUCCESSOR_REFUSED = "SUCCESSOR_REFUSED"


class Flag(StrEnum):
    """Why an implementation that accepts what a case says is invalid may still follow RFC 9420."""

    RECOMMENDED = "recommended"
    """The RFC recommends the check (SHOULD, RECOMMENDED)."""

    APPLICATION_POLICY = "application-policy"
    """The RFC leaves the limit to the application."""

    STRICTER = "stricter"
    """The RFC says what must hold, or that it should, and names no step at which this is checked."""


OPERATIONS: Mapping[str, str] = {
    "process": "The member in `state` receives `proposals`, then `message`. An invalid one is refused at `message`, or"
    " before if a proposal alone shows the fault; then the steps of the state's `then` are accepted.",
    "join": "The client in `state` is to join by `welcome`. If the case has a `key_package` of its own with its private"
    " keys, it is that one which was added, else the state's.",
    "external-join": "The client in `state` is to join by an external commit to the group of `group_info`.",
    "key-package": "The member in `state` is to add the client of `key_package` by a commit of its own.",
    "commit": "The member in `state` has received `received`, and is to commit all of them by reference, in this order,"
    " and then `proposals` by value.",
}
"""Name of a group -> what is to be done with its inputs."""


@dataclass(slots=True)
class Case:
    """One case while it is made; ``forge`` has the same randomness for it as for the one that it is like."""

    id: str
    comment: str
    requirements: tuple[str, ...]
    reason: Reason | None
    like: str | None
    flags: tuple[Flag, ...]
    scene: Scene
    forge: Forge
    input: dict[str, Any] = field(default_factory=dict)
    output: dict[str, Any] = field(default_factory=dict)

    def at(self, build: Build, now: int = NOW) -> State:
        """The state in which this case is judged, at ``now`` in Unix seconds."""
        self.input |= {"state": name_of(build), "now": now}
        return self.scene.state(build)

    def judge(self, message: Committed | Sent | MLSMessage | bytes, *proposals: Sent) -> None:
        """What a member receives is this message, after these proposals."""
        self.input |= {"proposals": [sent.message.encode() for sent in proposals]}
        self.input |= {"message": _encoded(message)}
        if isinstance(message, Committed):
            self.epoch_authenticator(message)
        if isinstance(message, Sent):
            self.answer(proposal_ref=message.reference)

    def ask(self, *items: Item) -> None:
        """What a member is to commit are these proposals: those that were sent by reference, the others by value."""
        sent = [item.message.encode() for item in items if isinstance(item, Sent)]
        own = [proposal_of(item).encode() for item in items if not isinstance(item, Sent)]
        self.input |= {"received": sent, "proposals": own}

    def fetch(self, key_package: KeyPackage) -> None:
        """What a member has fetched is this KeyPackage."""
        self.input |= {"key_package": MLSMessage.of(key_package).encode()}

    def welcome(
        self,
        committed: Committed,
        welcome: MLSMessage,
        ratchet_tree: bytes | None = None,
        client: Client | None = None,
    ) -> None:
        """What a joiner receives is this Welcome; ``client`` is who was added, if it is not the state's own."""
        self.input |= keys_of(client) if client else {}
        self.input |= {"welcome": _encoded(welcome), "ratchet_tree": ratchet_tree}
        self.epoch_authenticator(committed)

    def epoch_authenticator(self, committed: Committed) -> None:
        """The answer is that of the epoch which this commit begins."""
        self.answer(epoch_authenticator=committed.epoch.secrets.epoch_authenticator)

    def answer(self, **output: Any) -> None:
        """What must come out, if the case is valid."""
        if self.reason is None:
            self.output |= output

    def document(self) -> dict[str, Any]:
        """This case as JSON values."""
        document = {
            "id": self.id,
            "comment": self.comment,
            "requirements": list(self.requirements),
            **({"flags": list(self.flags)} if self.flags else {}),
            "input": plain(self.input),
        }
        if self.reason is None:
            return document | {"output": plain(self.output), "result": "valid"}
        return document | {"like": self.like, "result": "invalid", "reason": self.reason.value}


def _encoded(message: Committed | Sent | MLSMessage | bytes) -> bytes:
    match message:
        case bytes():
            return message
        case Committed() | Sent():
            return message.message.encode()
    return message.encode()


Fill = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A function that makes a case, and what it is called with besides the case."""

    id: str
    comment: str
    requirements: tuple[str, ...]
    reason: Reason | None
    like: str | None
    flags: tuple[Flag, ...]
    fill: Fill
    arguments: tuple[Any, ...]

    def case(self, scene: Scene, file: str) -> Case:
        """The case in the scene's suite, made anew: the same at every call."""
        case = Case(
            self.id,
            self.comment,
            self.requirements,
            self.reason,
            self.like,
            self.flags,
            scene,
            scene.forge(f"case {file} {self.like or self.id}"),
        )
        self.fill(case, *self.arguments)
        return case


@dataclass(frozen=True, slots=True)
class Group:
    """Cases of one operation."""

    name: str
    recipes: list[Recipe] = field(default_factory=list)

    @property
    def reasons(self) -> set[Reason]:
        """All for which something is refused here."""
        return {recipe.reason for recipe in self.recipes if recipe.reason is not None}

    def vector(
        self,
        *requirements: str,
        reason: Reason | None = None,
        like: str | None = None,
        flags: tuple[Flag, ...] = (),
        each: Mapping[str, Any] | None = None,
    ) -> Callable[[Fill], Fill]:
        """Make the function a case, or with ``each`` a case of each item: ``{end of the id: second argument}``."""

        def register(fill: Fill) -> Fill:
            name = fill.__name__.replace("_", "-")
            variants = [("", ())] if each is None else [(key, (each[key],)) for key in each]
            for key, arguments in variants:
                id_, likeness = f"{name}-{key}" if key else name, like and like.format(key)
                self.add(
                    id_, requirements, fill, *arguments, reason=reason, like=likeness, flags=flags
                )
            return fill

        return register

    def add(
        self,
        id_: str,
        requirements: tuple[str, ...],
        fill: Fill,
        *arguments: Any,
        reason: Reason | None = None,
        like: str | None = None,
        flags: tuple[Flag, ...] = (),
        comment: str | None = None,
    ) -> None:
        """One more case; its comment is the docstring of ``fill`` if none is given."""
        if (reason is None) != (like is None):
            raise ValueError(f"{id_}: exactly what is invalid is like something valid")
        comment = " ".join((comment or fill.__doc__ or "").split())
        self.recipes.append(
            Recipe(id_, comment, requirements, reason, like, flags, fill, arguments)
        )

    def document(self, scene: Scene, file: str, without: Collection[Reason]) -> dict[str, Any]:
        """This group as JSON values; in an abridged scene with one case of each reason that is not in ``without``."""
        valid = {recipe.id for recipe in self.recipes if recipe.reason is None}
        for recipe in self.recipes:
            if recipe.like is not None and recipe.like not in valid:
                raise ValueError(f"{recipe.id} is like {recipe.like}, which is no valid case")
        recipes = self._one_of_each_reason(without) if scene.abridged else self.recipes
        cases = [recipe.case(scene, file).document() for recipe in recipes]
        return {"name": self.name, "description": OPERATIONS[self.name], "cases": cases}

    def _one_of_each_reason(self, without: Collection[Reason]) -> list[Recipe]:
        """The first case of each reason, and the valid ones that these are like."""
        first: dict[Reason, Recipe] = {}
        for recipe in self.recipes:
            if recipe.reason is not None and recipe.reason not in without:
                first.setdefault(recipe.reason, recipe)
        alike = {recipe.like for recipe in first.values()}
        return [r for r in self.recipes if r in first.values() or r.id in alike]


def operation(name: str) -> Group:
    """An empty group of cases of one of ``OPERATIONS``."""
    if name not in OPERATIONS:
        raise ValueError(name)
    return Group(name)


@dataclass(frozen=True, slots=True)
class File:
    """A file of vectors, of which there is one for each cipher suite."""

    name: str
    description: str
    groups: tuple[Group, ...]

    @property
    def reasons(self) -> set[Reason]:
        """All for which something is refused here."""
        return set().union(*(group.reasons for group in self.groups))

    def document(self, scene: Scene, shown: Collection[Reason] = ()) -> dict[str, Any]:
        """The whole file in the scene's suite, as JSON values; ``shown`` are the reasons that other files show.

        Raises ValueError if two cases have one id.
        """
        ids = [recipe.id for group in self.groups for recipe in group.recipes]
        if twice := {id_ for id_ in ids if ids.count(id_) > 1}:
            raise ValueError(f"{self.name}: two cases are called {', '.join(sorted(twice))}")
        groups = []
        for group in self.groups:
            groups.append(group.document(scene, self.name, shown))
            shown = {*shown, *group.reasons}
        return {
            "specification": "RFC 9420",
            "chapter": f"mls-validation/{self.name}",
            "cipher_suite": scene.suite.code_point,
            "description": self.description,
            "groups": [group for group in groups if group["cases"]],
        }
