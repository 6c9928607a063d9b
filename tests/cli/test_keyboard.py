"""Keys on a terminal: a command each, or the beginning of a line."""

from __future__ import annotations

import asyncio

from e2ee.cli.calls.keyboard import Command, Keyboard

KEYS = {"m": "mute", "r": "/remove "}


def typed(text: str, *, terminal: bool = True) -> list[Command]:
    """The commands that come of what is typed, but for those that say that something is."""

    async def take() -> list[Command]:
        keyboard = Keyboard(KEYS, lines=False, terminal=terminal)
        keyboard.take(text)
        commands = [await keyboard.command() for _ in range(keyboard._commands.qsize())]
        return [command for command in commands if command.name != "typing"]

    return asyncio.run(take())


def test_a_key_is_a_command() -> None:
    assert typed("mxm") == [Command("mute"), Command("mute")]


def test_a_key_may_begin_a_line_whose_rest_is_written() -> None:
    assert typed("rbob\rm") == [Command("remove", "bob"), Command("mute")]


def test_what_was_begun_can_be_left() -> None:
    assert typed("rbob\x1bm") == [Command("mute")]
    assert typed("r\x15hello\r") == [Command("say", "hello")]


def test_what_is_written_is_seen_while_it_is_written() -> None:
    async def story() -> None:
        keyboard = Keyboard(KEYS, lines=False, terminal=True)
        keyboard.take("rbo")
        assert keyboard.written == "> /remove bo▏"
        typing = [await keyboard.command() for _ in range(3)]
        assert [each.argument for each in typing] == ["/remove ", "/remove b", "/remove bo"]

    asyncio.run(story())


def test_without_a_terminal_everything_is_a_line() -> None:
    lines = "/remove bob\nhi\n//no command\n"
    assert typed(lines, terminal=False) == [
        Command("remove", "bob"),
        Command("say", "hi"),
        Command("say", "/no command"),
    ]
