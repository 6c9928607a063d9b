"""Structures drawn from their declarations: all of them, and each reads back as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e2ee.errors import DecodeError
from e2ee.mls.key_package import KeyPackage
from e2ee.profile.call_profile import CallProfile
from e2ee.testing.rebuilt import rebuilt
from e2ee.testing.strategies import damaged, structures
from e2ee.testing.strategies.structures import values_of
from e2ee.tls_syntax import Codec, Struct, nothing, opaque, uint8
from e2ee.tls_syntax.form import Structure


def declared(base: type[Struct] = Struct) -> list[type[Struct]]:
    """All structures of the package that are imported here."""
    below = [each for child in base.__subclasses__() for each in (child, *declared(child))]
    return [each for each in below if each.__module__.startswith("e2ee.")]


def name_of(structure: type[Struct]) -> str:
    return f"{structure.__module__.removeprefix('e2ee.')}.{structure.__name__}"


STRUCTURES = sorted(
    {each for each in declared() if hasattr(each, "_codec")},
    key=name_of,
)
A_FEW = settings(max_examples=max(5, settings().max_examples // 10))


def test_there_are_many() -> None:
    assert {KeyPackage, CallProfile} <= set(STRUCTURES)
    assert all(isinstance(each.codec().form, Structure) for each in STRUCTURES)


@pytest.mark.parametrize("structure", STRUCTURES, ids=name_of)
@A_FEW
@given(data=st.data())
def test_a_value_comes_back_from_its_encoding(structure: type[Struct], data: st.DataObject) -> None:
    value = data.draw(structures(structure))
    assert isinstance(value, structure)
    assert structure.decode(rebuilt(value).encode()) == value


@pytest.mark.parametrize("structure", STRUCTURES, ids=name_of)
@A_FEW
@given(data=st.data())
def test_damaged_encodings_are_values_or_refused(
    structure: type[Struct], data: st.DataObject
) -> None:
    encoding = data.draw(damaged(structures(structure).map(lambda value: value.encode())))
    try:
        value = structure.decode(encoding)
    except DecodeError:
        return
    assert rebuilt(value).encode() == encoding


@given(structures(CallProfile, kind=st.just(2), accounts=st.just(())))
def test_fields_are_as_one_says(profile: CallProfile) -> None:
    assert (profile.kind, profile.accounts) == (2, ())


def test_a_field_that_there_is_not_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="CallProfile has no Accounts"):
        structures(CallProfile, Accounts=st.just(()))


def test_a_codec_that_nobody_has_described_draws_nothing_by_accident() -> None:
    with pytest.raises(TypeError, match="by hand"):
        values_of(Codec(uint8.read, uint8.write, 1))


@given(values_of(opaque), values_of(nothing))
def test_parts_of_structures_are_drawn_too(data: bytes, none: None) -> None:
    assert opaque.decode(opaque.encode(data)) == data
    assert none is None
