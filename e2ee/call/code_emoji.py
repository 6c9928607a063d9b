"""The 64 emoji of a spoken code (VERIFY-5): things that look and sound unlike each other.

Each is one code point that every platform draws in colour without a variation selector. The names are English; an
application says them in its own language, and shows the picture beside the word. The table never changes within a
protocol version: both sides must see the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["EMOJI", "Emoji"]


@dataclass(frozen=True, slots=True)
class Emoji:
    """A picture and its name."""

    picture: str
    name: str

    def __str__(self) -> str:
        return f"{self.picture} {self.name}"


_TABLE = """
    🐘 Elephant    🐢 Turtle      🦉 Owl          🦈 Shark        🦋 Butterfly   🐍 Snake        🐸 Frog         🐧 Penguin
    🐨 Koala       🐪 Camel       🦀 Crab         🦔 Hedgehog     🐓 Rooster     🐙 Octopus      🦒 Giraffe      🐼 Panda
    🍄 Mushroom    🌵 Cactus      🌻 Sunflower    🍀 Clover       🍌 Banana      🍒 Cherries     🍉 Watermelon   🍍 Pineapple
    🥕 Carrot      🥚 Egg         🍯 Honey        🥨 Pretzel      🍕 Pizza       🍋 Lemon        🥥 Coconut      🥑 Avocado
    🌈 Rainbow     🌋 Volcano     🌙 Moon         🔥 Fire         ⛄ Snowman     ☔ Umbrella     🔑 Key          🔔 Bell
    🎸 Guitar      🥁 Drum        🎺 Trumpet      🎹 Piano        ⚓ Anchor      🚀 Rocket       🚲 Bicycle      🚜 Tractor
    🚁 Helicopter  ⛵ Sailboat    🎈 Balloon      🎁 Gift         🔨 Hammer      🔭 Telescope    💡 Light bulb   🏆 Trophy
    👑 Crown       🎩 Top hat     💎 Diamond      👻 Ghost        🏰 Castle      🧦 Socks        🦷 Tooth        🧲 Magnet
"""

EMOJI = tuple(Emoji(*cell.split(" ", 1)) for cell in re.split(r"\s{2,}", _TABLE.strip()))
"""Emoji 0 to 63, a row of the table after the other."""
