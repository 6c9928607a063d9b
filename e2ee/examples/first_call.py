"""Alice calls Bob: a delivery service and two clients in one program. Run it: python -m e2ee.examples.first_call

In an application the service runs elsewhere, each client in a program of its own, whose profile is on disk, and the tracks
come from a camera, a file or anything else that aiortc takes.
"""

from __future__ import annotations

import asyncio

from e2ee.client.call import Connected
from e2ee.client.client import Client
from e2ee.client.key_store import Service
from e2ee.client.media import Media, Network
from e2ee.client.online import online
from e2ee.client.profile import Profile
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery.service import DeliveryService, ServiceIdentity
from e2ee.delivery.store import MemoryStore
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.sources import TestPicture, Tone
from e2ee.server.app import PATH, create_app
from e2ee.server.serve import serve


async def answer(bob: Client) -> None:
    """Bob answers whoever calls, and stays until the other side hangs up."""
    invitation = await bob.invitation()
    call = invitation.answer(Media(TestPicture(), Tone(660)))
    await call.ended()


async def ring(alice: Client) -> None:
    """Alice calls Bob, looks at him for a moment, and hangs up."""
    call = alice.call("bob", Media(TestPicture(), Tone(440)))
    async for event in call:
        print(type(event).__name__)
        if isinstance(event, Connected):
            print("the code to compare:", call.call_code)
            if (picture := call.track(Kind.CAMERA)) is not None:
                for _ in range(30):
                    await picture.recv()
            call.hang_up()


async def main() -> None:
    entropy = SystemEntropy()
    identity = ServiceIdentity.create("calls.example", entropy)
    app = create_app(DeliveryService(identity, MemoryStore(), entropy))
    async with serve(app) as port:
        # What every client is shipped with: where the service is, and the keys of its directory.
        url = f"ws://127.0.0.1:{port}{PATH}"
        service = Service(url, identity.server_name, identity.directory_keys())
        alices, bobs = Profile.in_memory(), Profile.in_memory()
        alices.create("alice", service)
        bobs.create("bob", service)
        here = Network(host_addresses=["127.0.0.1"])
        async with online(alices, network=here) as alice, online(bobs, network=here) as bob:
            await bob.published()
            await asyncio.gather(answer(bob), ring(alice))


if __name__ == "__main__":
    asyncio.run(main())
