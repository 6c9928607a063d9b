"""A device's letters: those on their way to others, and those that come (chapter Letters)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.events import Event, LetterFailed, LetterStored
from e2ee.call.key_packages import KeyPackages
from e2ee.call.letters import LetterStore, Message, OpenedLetter, open_letter
from e2ee.call.owner import Owner
from e2ee.call.posting import Posting
from e2ee.signalling import messages
from e2ee.signalling.messages import FromDevice

__all__ = ["Letterbox"]


class Letterbox:
    """See the module."""

    def __init__(self, seen: LetterStore) -> None:
        self._seen = seen
        self._posted = 0
        self._asking: list[Posting] = []
        self._on_their_way: deque[Posting] = deque()
        """Posted, and neither stored nor refused; the service answers in their order."""

    def post(self, owner: Owner, account_id: str, message: Message) -> Posting:
        """Begin to post a letter."""
        self._posted += 1
        posting = Posting(owner, self._posted, account_id, message)
        self._asking.append(posting)
        return posting

    def open(
        self, owner: Owner, key_packages: KeyPackages, letter: messages.Letter, now: int
    ) -> OpenedLetter:
        """A letter that came, taken. Raises RemoteProtocolError; then nothing has changed."""
        opened = open_letter(owner, key_packages.get, self._seen, letter, now)
        self._seen.forget(now)
        self._seen.add(opened)
        key_packages.drop(opened.bundle)  # LETTER-9
        return opened

    def stored(self) -> Event:
        """The service keeps the letter that was posted first. Raises CallRefused if there is none."""
        posting = self._first_posted()
        return LetterStored(posting.number, posting.account_id)

    def refused(self, refused: messages.Refused) -> Event:
        """The service does not keep the letter that was posted first. Raises CallRefused if there is none."""
        posting = self._first_posted()
        why = f"{refused.reason} {refused.detail}".rstrip()
        return LetterFailed(posting.number, posting.account_id, why)

    def _first_posted(self) -> Posting:
        if not self._on_their_way:
            raise CallRefused(CallReason.UNEXPECTED_ANSWER, messages.Post.name)
        return self._on_their_way.popleft()

    def service_lost(self) -> None:
        """What was asked of the directory will not be answered. What was posted is posted again."""
        for posting in self._asking:
            posting.fail("the connection to the service was lost")

    def events(self) -> Iterator[Event]:
        """What to tell the application of letters that are not posted."""
        for posting in list(self._asking):
            if posting.events:
                self._asking.remove(posting)
                yield from posting.events

    def messages_to_send(self) -> Iterator[tuple[Posting, FromDevice]]:
        """What goes to the service, each with the letter that it is for; given once."""
        for posting in list(self._asking):
            while posting.outbox:
                message = posting.outbox.popleft()
                if isinstance(message, messages.Post):
                    self._asking.remove(posting)
                    self._on_their_way.append(posting)
                yield posting, message
