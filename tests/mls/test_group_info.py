"""RFC 9420 Section 12.4.3: a GroupInfo is the word of the member that it names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.extension import Extension
from e2ee.mls.group_info import check_group_info_signature

if TYPE_CHECKING:
    from tests.mls.conftest import Workshop


def test_the_signer_signed_every_field(workshop: Workshop) -> None:
    alice, bob = workshop.client("alice"), workshop.client("bob")
    group = workshop.group(alice, bob)
    sound = workshop.group_info(group, bob, 1, extensions=(Extension(0x0A0A, b"GREASE"),))
    check_group_info_signature(sound, group.tree)
    for forged in (
        replace(sound, signer=0),
        replace(sound, extensions=()),
        replace(sound, confirmation_tag=b""),
        replace(sound, group_context=replace(sound.group_context, epoch=9)),
        replace(sound, signature=bytes(64)),
    ):
        with pytest.raises(ValidationError) as refused:
            check_group_info_signature(forged, group.tree)
        assert refused.value.reason == Rule.GROUP_INFO_SIGNATURE


def test_another_member_does_not_sign_for_it(workshop: Workshop) -> None:
    alice, bob = workshop.client("alice"), workshop.client("bob")
    group = workshop.group(alice, bob)
    with pytest.raises(ValidationError) as refused:
        check_group_info_signature(workshop.group_info(group, alice, 1), group.tree)
    assert refused.value.reason == Rule.GROUP_INFO_SIGNATURE


@pytest.mark.parametrize("signer", [1, 2, 2**32 - 1])
def test_the_signer_is_a_member(workshop: Workshop, signer: int) -> None:
    alice, bob, carol = map(workshop.client, ["alice", "bob", "carol"])
    group = workshop.group(alice, bob, carol)
    tree = group.tree.remove(1).remove(2)
    with pytest.raises(ValidationError) as refused:
        check_group_info_signature(workshop.group_info(group, bob, signer), tree)
    assert refused.value.reason == Rule.GROUP_INFO_SIGNER_BLANK
