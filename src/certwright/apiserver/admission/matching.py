"""Webhook configurations, read into what a call needs, and the question which of them a write concerns."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import timedelta

from msgspec import Struct

from certwright.apiserver import objects
from certwright.apiserver.admission.review import Review
from certwright.apiserver.definition import Definition
from certwright.apiserver.served import Served
from certwright.apiserver.storage.store import Store
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.resources import NAMESPACES
from certwright.kube.wire.selectors import LabelSelector, Operator, Requirement

DEFAULT_TIMEOUT = timedelta(seconds=10)
_OPERATORS = {
    "In": Operator.IN,
    "NotIn": Operator.NOT_IN,
    "Exists": Operator.EXISTS,
    "DoesNotExist": Operator.DOES_NOT_EXIST,
}


class Rule(Struct, frozen=True):
    """Operations on resources."""

    operations: tuple[str, ...]
    groups: tuple[str, ...]
    versions: tuple[str, ...]
    resources: tuple[str, ...]
    scope: str

    def covers(self, operation: str, definition: Definition, subresource: str) -> bool:
        """Whether the rule names this operation on this version of this resource."""
        resource = definition.resource
        wanted_scope = "Namespaced" if resource.namespaced else "Cluster"
        return (
            _has(self.operations, operation)
            and _has(self.groups, resource.group)
            and _has(self.versions, resource.version)
            and self.scope in {"*", "", wanted_scope}
            and any(_names(pattern, resource.plural, subresource) for pattern in self.resources)
        )


class Webhook(Struct, frozen=True):
    """One entry of a configuration."""

    name: str
    url: str
    service: str
    ca_bundle: bytes
    is_optional: bool
    is_equivalent: bool
    has_side_effects: bool
    timeout: timedelta
    rules: tuple[Rule, ...]
    namespaces: LabelSelector
    labels: LabelSelector

    def covered(self, review: Review, served: Served) -> Definition | None:
        """The version in which the webhook wants to see the write; None where it is not concerned."""
        return covered(review, served, self.is_equivalent, self._covers)

    def _covers(self, operation: str, definition: Definition, subresource: str) -> bool:
        return any(rule.covers(operation, definition, subresource) for rule in self.rules)


def covered(
    review: Review, served: Served, is_equivalent: bool, covers: Callable[[str, Definition, str], bool]
) -> Definition | None:
    """The version of the resource that rules cover: the one of the request, or where that is enough, any other."""
    candidates = [review.definition]
    if is_equivalent:
        resource = review.definition.resource
        candidates += [
            other
            for other in served.all()
            if (other.resource.group, other.resource.plural) == (resource.group, resource.plural)
            and other is not review.definition
        ]
    covering = (each for each in candidates if covers(review.operation, each, review.subresource))
    return next(covering, None)


def is_selected(review: Review, labels: LabelSelector, namespaces: LabelSelector, store: Store) -> bool:
    """Whether selectors of objects and of namespaces take in the write; no namespace excepts what is in none."""
    if labels.requirements:
        shown = [obj for obj in (review.obj, review.old) if obj is not None]
        if not any(labels.matches(_labels(obj)) for obj in shown):
            return False
    if not namespaces.requirements:
        return True
    if review.definition.resource == NAMESPACES:
        shown_namespace = review.obj if review.obj is not None else review.old
        return namespaces.matches(_labels(shown_namespace or {}))
    if not review.definition.resource.namespaced:
        return True
    found = store.get(NAMESPACES.qualified, ObjectKey("", review.namespace))
    return namespaces.matches(found.labels if found else {})


def _labels(obj: JSONObject) -> dict[str, str]:
    return objects.strings(objects.child(obj, "metadata"), "labels")


def _has(listed: tuple[str, ...], wanted: str) -> bool:
    return "*" in listed or wanted in listed


def _names(pattern: str, plural: str, subresource: str) -> bool:
    wanted, slash, part = pattern.partition("/")
    if not slash:
        return subresource == "" and wanted in {"*", plural}
    return wanted in {"*", plural} and (part == "*" or part == subresource)


def parse_webhooks(configuration: JSONObject) -> list[Webhook]:
    """The webhooks of a configuration."""
    return [_webhook(entry) for entry in objects.children(configuration, "webhooks")]


def _webhook(entry: JSONObject) -> Webhook:
    client = objects.child(entry, "clientConfig")
    service = objects.child(client, "service")
    seconds = entry.get("timeoutSeconds")
    return Webhook(
        name=objects.text(entry, "name"),
        url=objects.text(client, "url"),
        service=f"{objects.text(service, 'namespace')}/{objects.text(service, 'name')}" if service else "",
        ca_bundle=_bytes(objects.text(client, "caBundle")),
        is_optional=entry.get("failurePolicy") == "Ignore",
        is_equivalent=entry.get("matchPolicy", "Equivalent") == "Equivalent",
        has_side_effects=entry.get("sideEffects") not in {"None", "NoneOnDryRun"},
        timeout=timedelta(seconds=seconds) if isinstance(seconds, int) else DEFAULT_TIMEOUT,
        rules=tuple(parse_rule(rule) for rule in objects.children(entry, "rules")),
        namespaces=label_selector(objects.child(entry, "namespaceSelector")),
        labels=label_selector(objects.child(entry, "objectSelector")),
    )


def parse_rule(rule: JSONObject) -> Rule:
    """Operations on resources."""
    operations, groups, versions, resources = (
        tuple(objects.texts(rule, name)) for name in ("operations", "apiGroups", "apiVersions", "resources")
    )
    return Rule(operations, groups, versions, resources, objects.text(rule, "scope"))


def label_selector(selector: JSONObject) -> LabelSelector:
    """A metav1.LabelSelector; an empty one selects everything."""
    wanted = [
        Requirement(key, Operator.IN, (value,)) for key, value in objects.strings(selector, "matchLabels").items()
    ]
    for entry in objects.children(selector, "matchExpressions"):
        operator = _OPERATORS.get(objects.text(entry, "operator"))
        if operator:
            wanted.append(Requirement(objects.text(entry, "key"), operator, tuple(objects.texts(entry, "values"))))
    return LabelSelector(tuple(wanted))


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except binascii.Error:
        return b""
