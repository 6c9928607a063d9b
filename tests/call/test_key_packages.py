"""A device's own KeyPackages: how many wait, in which suites, how long, and what is made in the place of what is gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.key_packages import (
    KEPT_OF_A_SUITE,
    KeyPackages,
    MemoryKeyPackageStore,
)
from e2ee.call.mls_messages import body
from e2ee.call.owner import Owner
from e2ee.identity.device_certificate import verify_certificate
from e2ee.mls.group import Group
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add
from e2ee.mls.welcome import Welcome
from e2ee.profile.leaves import committer_policy
from e2ee.testing.simulated_calls import START, SimulatedCalls, SimulatedDevice

MINUTE = 60 * 1000
DAY = 24 * 3600 * 1000
OF_A_SUITE = KEPT_OF_A_SUITE + 1
"""With the last resort."""


def read(published: Sequence[bytes]) -> list[KeyPackage]:
    return [body(KeyPackage, data) for data in published]


def last_resort(published: Sequence[bytes]) -> KeyPackage:
    (found,) = [key_package for key_package in read(published) if key_package.is_last_resort]
    return found


def single_use(published: Sequence[bytes]) -> KeyPackage:
    return next(each for each in read(published) if not each.is_last_resort)


def welcome(inviter: SimulatedDevice, key_package: KeyPackage) -> Welcome:
    """That of a group of somebody who adds the holder of ``key_package``, as soon as it was made."""
    lifetime = key_package.leaf_node.lifetime
    assert lifetime is not None
    now = 1000 * lifetime.not_before + 60 * MINUTE
    owner, policy = inviter.owner, committer_policy(now)
    bundle = owner.new_key_package(key_package.cipher_suite, now)
    group = Group.create(bundle, group_id=b"g", extensions=(), policy=policy, entropy=owner.entropy)
    pending = group.commit(proposals=[Add(key_package)], policy=policy, entropy=owner.entropy)
    assert pending.welcome is not None
    return body(Welcome, pending.welcome.encode())


def use(kept: KeyPackages, inviter: SimulatedDevice, key_package: KeyPackage) -> KeyPackageBundle:
    """An invitation by this KeyPackage is accepted."""
    bundle = kept.find(welcome(inviter, key_package))
    assert bundle.key_package == key_package
    kept.drop(bundle)
    return bundle


def no_longer_opens(kept: KeyPackages, inviter: SimulatedDevice, key_package: KeyPackage) -> None:
    with pytest.raises(CallRefused) as refused:
        kept.find(welcome(inviter, key_package))
    assert refused.value.reason is CallReason.NO_SUCH_KEY_PACKAGE


# ------------------------------------------------------------------------------- how many, and how long


def test_there_are_enough_of_each_suite_and_a_last_resort(calls: SimulatedCalls) -> None:
    device = calls.device("alice", suites=(0x0001, 0xF0E2))
    made = KeyPackages().replenish(device.owner, START)
    assert Counter((each.cipher_suite, each.is_last_resort) for each in read(made)) == {
        (0x0001, False): KEPT_OF_A_SUITE,
        (0x0001, True): 1,
        (0xF0E2, False): KEPT_OF_A_SUITE,
        (0xF0E2, True): 1,
    }
    assert len(set(made)) == len(made)


def test_only_what_is_missing_is_made(alice: SimulatedDevice, bob: SimulatedDevice) -> None:
    kept = KeyPackages()
    made = kept.replenish(alice.owner, START)
    assert kept.replenish(alice.owner, START) == ()
    use(kept, bob, single_use(made))
    (new,) = read(kept.replenish(alice.owner, START))
    assert not new.is_last_resort


@pytest.mark.requirement("KEYS-8")
def test_what_has_expired_is_dropped_and_made_anew(alice: SimulatedDevice) -> None:
    kept = KeyPackages()
    kept.replenish(alice.owner, START)
    assert kept.replenish(alice.owner, START + 27 * DAY) == ()
    renewed = kept.replenish(alice.owner, START + 29 * DAY)
    assert len(renewed) == len(kept) == OF_A_SUITE
    for key_package in read(renewed):
        lifetime = key_package.leaf_node.lifetime
        assert lifetime is not None
        assert lifetime.not_before == (START + 29 * DAY) // 1000 - 3600
        assert lifetime.not_after - lifetime.not_before <= 31 * 24 * 3600


def test_a_welcome_for_nobody_here(alice: SimulatedDevice) -> None:
    empty = MLSMessage.of(Welcome(0x0001, (), b"")).body
    assert isinstance(empty, Welcome)
    with pytest.raises(CallRefused) as refused:
        KeyPackages().find(empty)
    assert refused.value.reason is CallReason.NO_SUCH_KEY_PACKAGE


def test_what_was_used_opens_nothing_more(alice: SimulatedDevice, bob: SimulatedDevice) -> None:
    store = MemoryKeyPackageStore()
    kept = KeyPackages(store)
    used = use(kept, bob, key_package := single_use(kept.replenish(alice.owner, START)))
    no_longer_opens(kept, bob, key_package)
    assert used not in store.bundles().values()


# ------------------------------------------------------------------------------------- the last resort


def test_a_last_resort_opens_again_after_it_was_used_and_is_replaced(
    alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    kept = KeyPackages()
    first = last_resort(kept.replenish(alice.owner, START))
    use(kept, bob, first)
    second = last_resort(kept.replenish(alice.owner, START))
    assert second != first
    use(kept, bob, first)
    use(kept, bob, second)


def test_a_last_resort_that_was_used_tells_that_no_other_is_left(calls: SimulatedCalls) -> None:
    """Somebody took all, and invited with none of them: the next caller was given the last resort."""
    alice, bob = calls.device("alice", suites=(0x0001, 0xF0E2)), calls.device("bob")
    kept = KeyPackages()
    taken = kept.replenish(alice.owner, START)
    of_suite = [each for each in taken if body(KeyPackage, each).cipher_suite == 0x0001]
    use(kept, bob, last_resort(of_suite))
    made = read(kept.replenish(alice.owner, START))
    assert Counter(each.cipher_suite for each in made) == {0x0001: OF_A_SUITE}
    use(kept, bob, single_use(of_suite))  # who took it may still invite with it
    assert kept.replenish(alice.owner, START) == ()


def test_one_that_has_a_successor_tells_nothing_however_often_it_is_used(
    alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """A stranger keeps one and leaves a letter with it every few seconds; what others were handed out must open nevertheless."""
    kept = KeyPackages()
    first = last_resort(kept.replenish(alice.owner, START))
    use(kept, bob, first)
    published = kept.replenish(alice.owner, START)
    for _ in range(20):
        use(kept, bob, first)
        assert kept.replenish(alice.owner, START) == ()
    use(kept, bob, single_use(published))


def test_a_last_resort_is_kept_for_a_week_beside_its_successor(
    alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    kept = KeyPackages()
    first = last_resort(kept.replenish(alice.owner, START))
    use(kept, bob, first)
    second = last_resort(kept.replenish(alice.owner, START + DAY))
    kept.replenish(alice.owner, START + 7 * DAY)
    use(kept, bob, first)
    use(kept, bob, second)
    third = last_resort(kept.replenish(alice.owner, START + 8 * DAY))
    no_longer_opens(kept, bob, first)
    use(kept, bob, second)
    use(kept, bob, third)


def test_used_last_resorts_do_not_heap_up(alice: SimulatedDevice, bob: SimulatedDevice) -> None:
    kept = KeyPackages()
    newest = last_resort(kept.replenish(alice.owner, START))
    for second in range(20):
        use(kept, bob, newest)
        newest = last_resort(kept.replenish(alice.owner, START + 1000 * second))
    assert len(kept) == 4 * KEPT_OF_A_SUITE + KEPT_OF_A_SUITE
    use(kept, bob, newest)


# ----------------------------------------------------------------------------------- the service's count


def test_fewer_than_half_at_the_service_call_for_a_whole_set(
    alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    kept = KeyPackages()
    before = kept.replenish(alice.owner, START)
    kept.published(KEPT_OF_A_SUITE // 2, alice.owner, START)
    assert kept.replenish(alice.owner, START) == ()
    kept.published(KEPT_OF_A_SUITE // 2 - 1, alice.owner, START)
    made = kept.replenish(alice.owner, START)
    assert len(made) == OF_A_SUITE
    assert not set(made) & set(before)
    for key_package in read(before):  # the service may have said so, or they are on their way here
        kept.find(welcome(bob, key_package))


def test_a_service_that_always_counts_nothing_is_believed_once_a_minute(
    alice: SimulatedDevice,
) -> None:
    kept = KeyPackages()
    kept.replenish(alice.owner, START)
    made: list[bytes] = []
    for second in range(60 * 60):
        kept.published(0, alice.owner, START + 1000 * second)
        made += kept.replenish(alice.owner, START + 1000 * second)
    assert len(made) == 60 * OF_A_SUITE
    assert len(kept) <= 5 * KEPT_OF_A_SUITE


def test_the_newest_are_kept_when_there_are_too_many(
    alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    kept = KeyPackages()
    sets = []
    for minute in range(10):
        sets.append(kept.replenish(alice.owner, START + minute * MINUTE))
        kept.published(0, alice.owner, START + minute * MINUTE)
    for key_package in read(sets[-1]):
        kept.find(welcome(bob, key_package))
    no_longer_opens(kept, bob, single_use(sets[0]))


def renewed(owner: Owner, now: int, account_of: SimulatedDevice) -> Owner:
    """The device with a certificate of the same account, issued ``now``."""
    old = owner.certificate
    certificate = account_of.account.certify(
        old.signature_key,
        device_id=old.device_id,
        now=now,
        versions=old.versions,
        suites=old.suites,
    )
    return replace(owner, certificate=verify_certificate(certificate.encode(), old.signature_key))


def test_a_new_certificate_calls_for_new_key_packages(
    alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    kept = KeyPackages()
    before = kept.replenish(alice.owner, START)
    owner = renewed(alice.owner, START + DAY, alice)
    made = read(kept.replenish(owner, START + DAY))
    assert len(made) == OF_A_SUITE
    assert {each.leaf_node.credential for each in made} == {owner.credential}
    kept.find(welcome(bob, single_use(before)))
    assert kept.replenish(owner, START + DAY) == ()


# --------------------------------------------------------------------------------------- after a restart


def test_what_a_store_kept_opens_after_a_restart(
    alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    store = MemoryKeyPackageStore()
    made = KeyPackages(store).replenish(alice.owner, START)
    again = KeyPackages(store)
    assert again.replenish(alice.owner, START) == ()
    use(again, bob, last_resort(made))
    use(again, bob, used := single_use(made))
    no_longer_opens(KeyPackages(store), bob, used)


def test_after_a_restart_the_oldest_are_still_the_oldest(
    alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """A store gives them in any order."""
    store = MemoryKeyPackageStore()
    kept = KeyPackages(store)
    newest = last_resort(kept.replenish(alice.owner, START))
    for day in range(1, 5):
        use(kept, bob, newest)
        newest = last_resort(kept.replenish(alice.owner, START + day * DAY))
    shuffled = MemoryKeyPackageStore()
    shuffled.keep(dict(reversed(list(store.bundles().items()))))
    again = KeyPackages(shuffled)
    again.replenish(alice.owner, START + 11 * DAY)
    use(again, bob, newest)
