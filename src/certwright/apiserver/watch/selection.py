"""Which objects a list or a watch is about: namespace, labels, fields."""

from __future__ import annotations

from msgspec import Struct

from certwright.apiserver import objects
from certwright.apiserver.conversion import convert
from certwright.apiserver.definition import Definition
from certwright.apiserver.storage.history import Stored
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.selectors import FieldSelector, LabelSelector
from certwright.kube.wire.status import BadRequest

_NAME, _NAMESPACE = "metadata.name", "metadata.namespace"
_IN_METADATA = frozenset({_NAME, _NAMESPACE})


class Selection(Struct, frozen=True):
    """A filter over the stored objects of one resource."""

    definition: Definition
    stored: Definition
    namespace: str = ""
    labels: LabelSelector = LabelSelector()
    fields: FieldSelector = FieldSelector()

    @property
    def is_whole(self) -> bool:
        """Whether every object of the namespace is meant."""
        return not self.labels.requirements and not self.fields.requirements

    @property
    def name(self) -> str:
        """The one name that can be selected, or ''."""
        for each in self.fields.requirements:
            if each.field == _NAME and each.is_equal:
                return each.value
        return ""

    def matches(self, stored: Stored) -> bool:
        """Whether the object is meant."""
        if self.namespace and stored.key.namespace != self.namespace:
            return False
        if self.labels.requirements and not self.labels.matches(stored.labels):
            return False
        return not self.fields.requirements or self._has_fields(stored)

    def _has_fields(self, stored: Stored) -> bool:
        obj: JSONObject | None = None
        for each in self.fields.requirements:
            if each.field == _NAME:
                value = stored.key.name
            elif each.field == _NAMESPACE:
                value = stored.key.namespace
            else:
                obj = obj or convert(stored.obj(), self.stored, self.definition)
                value = objects.at_path(obj, each.field)
            if (value == each.value) is not each.is_equal:
                return False
        return True


def select(definition: Definition, stored: Definition, namespace: str, label_text: str, field_text: str) -> Selection:
    """The filter that a request means; BadRequest where a selector cannot be read or asks for an unknown field."""
    try:
        labels, fields = LabelSelector.parse(label_text), FieldSelector.parse(field_text)
    except ValueError as error:
        raise BadRequest.of(str(error)) from error
    known = _IN_METADATA if definition.resource.namespaced else {_NAME, *definition.selectable_fields}
    for each in fields.requirements:
        if each.field not in known and each.field not in definition.selectable_fields and each.field != _NAMESPACE:
            raise BadRequest.of(f"field label not supported: {each.field}")
    return Selection(definition, stored, namespace, labels, fields)
