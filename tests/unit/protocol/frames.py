"""Hypothesis strategies for the vocabulary, made from the structs' own description of their fields."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec.inspect as inspect
from hypothesis import strategies as st

from twocans.protocol.messages import Frame

_Strategy = st.SearchStrategy[object]


def any_of(kinds: Iterable[type[Frame]]) -> st.SearchStrategy[Frame]:
    """Messages of all these kinds."""
    return st.one_of([instances(kind) for kind in kinds])


def instances(kind: type[Frame]) -> st.SearchStrategy[Frame]:
    """Messages of one kind, with every field that it may have."""
    description = inspect.type_info(kind)
    if not isinstance(description, inspect.StructType):
        raise TypeError(kind)
    return _struct(description).map(lambda made: _checked(made, kind))


def _checked(made: object, kind: type[Frame]) -> Frame:
    assert isinstance(made, kind)
    return made


def _struct(description: inspect.StructType) -> _Strategy:
    fields = {field.name: _values(field.type) for field in description.fields}
    return st.builds(description.cls, **fields)


def _values(kind: inspect.Type) -> _Strategy:
    match kind:
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType():
            low = -(2**63) if kind.ge is None else kind.ge
            high = 2**63 - 1 if kind.le is None else kind.le
            return st.integers(min_value=low, max_value=high)
        case inspect.FloatType():
            return st.floats(kind.ge, kind.le, allow_nan=False, allow_infinity=False)
        case inspect.StrType():
            if kind.pattern is not None:
                return st.from_regex(kind.pattern)
            return st.text(min_size=kind.min_length or 0, max_size=min(kind.max_length or 40, 40))
        case inspect.ListType() | inspect.CollectionType():
            return st.lists(_values(kind.item_type), max_size=3)
        case inspect.UnionType():
            return st.one_of([_values(each) for each in kind.types])
        case inspect.DictType():
            return st.dictionaries(_values(kind.key_type), _values(kind.value_type), max_size=3)
        case inspect.EnumType():
            return st.sampled_from(list(kind.cls))
        case inspect.StructType():
            return _struct(kind)
        case _:
            raise TypeError(kind)
