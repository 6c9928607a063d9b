"""What the person wants: single keys on a terminal, lines elsewhere, always as commands.

    m, h, q ...            a key of the table that the command gave                     (terminal)
    r, then a name         one that begins a line: the command takes an argument        (terminal)
    t, then a line         a text                                                       (terminal)
    /mute, /hold, /quit    the same by name; what does not begin with "/" is a text     (pipe, or a chat)

Standard input stays a blocking file, which other processes may share: it is read when there is something to read.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import re
import sys
import termios
import tty
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

__all__ = ["TEXT", "Command", "Keyboard"]

TEXT = "t"
"""The key after which a line is written."""

_ESCAPE_SEQUENCE = re.compile(r"\x1b[\[O][0-9;]*[A-Za-z~]")
_ENTER, _ESCAPE, _END, _ERASE_LINE = "\r\n", "\x1b", "\x04", "\x15"
_ERASE = "\b\x7f"


@dataclass(frozen=True, slots=True)
class Command:
    """``name`` is one of the command's own, or ``say`` (a text), ``typing`` (a key of it; the argument is what is written so
    far), ``end`` (no more input)."""

    name: str
    argument: str = ""


class Keyboard:
    """See the module. ``keys`` says which command a key is, or how the line begins that it begins ("/remove "); with
    ``lines`` lines are written without asking for it."""

    def __init__(self, keys: Mapping[str, str], *, lines: bool, terminal: bool) -> None:
        self.keys = keys
        self._always_lines = lines or not terminal
        self._terminal = terminal
        self._writing = self._always_lines
        self._line = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._commands: asyncio.Queue[Command] = asyncio.Queue()
        self.ended = False
        """Whether there is no more input."""

    async def command(self) -> Command:
        """The next thing that the person wants."""
        return await self._commands.get()

    @property
    def written(self) -> str:
        """What is being written, with its prompt; empty: nothing."""
        return f"> {self._line}▏" if self._writing and self._terminal else ""

    async def answer(self) -> str | None:
        """The next line, as the answer to a question; None: no answer."""
        while not self.ended or not self._commands.empty():
            command = await self.command()
            if command.name != "typing":
                return command.argument if command.name == "say" else None
        return None

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Read standard input as long as the context lasts; the terminal is as it was afterwards."""
        source, loop = sys.stdin.fileno(), asyncio.get_running_loop()
        with self._as_keys(source):
            try:
                loop.add_reader(source, self._read, source)
            except PermissionError:  # a file, or /dev/null: all of it is there
                while self._read(source):
                    pass
            try:
                yield
            finally:
                loop.remove_reader(source)

    @contextlib.contextmanager
    def _as_keys(self, source: int) -> Iterator[None]:
        if not self._terminal:
            yield
            return
        before = termios.tcgetattr(source)
        try:
            tty.setcbreak(source)
            yield
        finally:
            termios.tcsetattr(source, termios.TCSADRAIN, before)

    def _read(self, source: int) -> bool:
        """Take what is there; tells whether there may be more."""
        try:
            data = os.read(source, 65_536)
        except OSError:  # the terminal is gone
            data = b""
        text = self._decoder.decode(data, final=not data)
        self.take(_ESCAPE_SEQUENCE.sub("", text) if self._terminal else text)
        if not data:
            asyncio.get_running_loop().remove_reader(source)
            if self._line:
                self._enter()
            self.ended = True
            self._commands.put_nowait(Command("end"))
        return bool(data)

    def take(self, text: str) -> None:
        """What was typed."""
        for character in text:
            if self._writing:
                self._write(character)
            elif character == TEXT:
                self._begin("")
            elif (name := self.keys.get(character)) is None:
                continue
            elif name.startswith("/"):
                self._begin(name)
            else:
                self._commands.put_nowait(Command(name))

    def _begin(self, line: str) -> None:
        self._writing, self._line = True, line
        self._commands.put_nowait(Command("typing", line))

    def _write(self, character: str) -> None:
        if character in _ENTER:
            self._enter()
        elif not self._terminal:
            self._line += character
        elif character in _ERASE:
            self._line = self._line[:-1]
        elif character == _ERASE_LINE:
            self._line = ""
        elif character == _ESCAPE:
            self._line, self._writing = "", self._always_lines
        elif character == _END and not self._line:
            self._commands.put_nowait(Command("end"))
        elif character.isprintable():
            self._line += character
            self._commands.put_nowait(Command("typing", self._line))

    def _enter(self) -> None:
        line, self._line, self._writing = self._line, "", self._always_lines
        self._commands.put_nowait(_command(line))


def _command(line: str) -> Command:
    if line.startswith("/") and not line.startswith("//"):
        name, _, argument = line[1:].partition(" ")
        return Command(name.lower(), argument.strip())
    return Command("say", line[1:] if line.startswith("//") else line)
