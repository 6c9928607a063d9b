"""RFC 9605 Section 4.4.1: keys for one direction, and where receive keys are kept."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.counter import Counter
from e2ee.sframe.errors import KeyExists
from e2ee.sframe.key_store import ReceiveKey, ReceiveKeyStore, SendKey
from e2ee.sframe.replay import ReplayWindow

SUITE = cipher_suite(0x0004)
BASE_KEY = bytes(range(16))


def send_key(KID: int = 0x4051) -> SendKey:
    return SendKey.derive(SUITE, KID, BASE_KEY, Counter(10))


def receive_key(KID: int = 0x4051, epoch: int = 1) -> ReceiveKey:
    return ReceiveKey(SUITE, KID, BASE_KEY, epoch=epoch, window=ReplayWindow(128))


def test_a_send_key_cannot_decrypt_and_a_receive_key_cannot_encrypt() -> None:
    """ "Implementations MUST mark each base_key as usable for encryption or decryption, never both." """
    assert not hasattr(send_key(), "decrypt")
    assert not hasattr(receive_key(), "encrypt")


@pytest.mark.requirement("FKEY-5")
def test_a_send_key_does_not_change_and_has_no_second_self() -> None:
    key = send_key()
    with pytest.raises(dataclasses.FrozenInstanceError):
        key.counter = Counter(10)  # type: ignore[misc]
    assert copy.copy(key).counter is key.counter
    for copies in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            copies(key)


def test_keys_do_not_show_what_they_hold() -> None:
    for key in (send_key(), receive_key()):
        assert str(key.salt) not in repr(key)
        assert "0x4051" in repr(key) or str(0x4051) in repr(key)


def test_a_kid_has_one_key() -> None:
    store: ReceiveKeyStore[ReceiveKey] = ReceiveKeyStore()
    first = receive_key()
    store.add(first)
    with pytest.raises(KeyExists):
        store.add(receive_key(epoch=17))
    assert store.get(first.KID) is first
    assert store.get(0x4052) is None


@given(kids=st.sets(st.integers(0, 1 << 22), max_size=12), ended=st.integers(0, 3))
def test_what_has_ended_is_erased_and_nothing_else(kids: set[int], ended: int) -> None:
    store: ReceiveKeyStore[ReceiveKey] = ReceiveKeyStore()
    for KID in kids:
        store.add(receive_key(KID, epoch=KID % 4))
    store.erase(lambda key: key.epoch == ended)
    assert {key.KID for key in store} == {KID for KID in kids if KID % 4 != ended}
    assert len(store) == len(list(store))
