"""CustomResourceDefinition: its own schema, and the rules for names and versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from certwright.apiserver.definition import NAME_COLUMN, Column, Hooks
from certwright.apiserver.kinds.build import Kind
from certwright.apiserver.kinds.dsl import (
    anything,
    conditions,
    fields,
    items,
    number,
    root,
    text,
    truth,
)
from certwright.apiserver.objects import child, children, ensure, meta, texts
from certwright.apiserver.objects import text as text_of
from certwright.apiserver.schema.causes import Cause, invalid, not_supported, required
from certwright.apiserver.schema.jsonpath import JsonPath
from certwright.apiserver.schema.names import dns_1035_label, dns_subdomain
from certwright.apiserver.schema.node import same
from certwright.apiserver.schema.strict import schema_faults
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.resources import CUSTOMRESOURCEDEFINITIONS

_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_PROTECTED_GROUPS = re.compile(r"(?:^|\.)(?:k8s\.io|kubernetes\.io)$")
APPROVAL = "api-approved.kubernetes.io"


def _fill_names(crd: JSONObject) -> None:
    spec = ensure(crd, "spec")
    names = ensure(spec, "names")
    kind = text_of(names, "kind")
    if kind:
        names.setdefault("singular", kind.lower())
        names.setdefault("listKind", f"{kind}List")
    spec.setdefault("conversion", {"strategy": "None"})


def _start_status(crd: JSONObject, _now: datetime) -> None:
    versions = children(child(crd, "spec"), "versions")
    stored: list[JSON] = [text_of(version, "name") for version in versions if version.get("storage") is True]
    crd["status"] = {"storedVersions": stored}


def _remember_storage(crd: JSONObject, _old: JSONObject) -> None:
    """A version that was ever stored stays in status.storedVersions until someone has migrated its objects."""
    status = ensure(crd, "status")
    stored = texts(status, "storedVersions")
    for version in children(child(crd, "spec"), "versions"):
        if version.get("storage") is True and text_of(version, "name") not in stored:
            stored.append(text_of(version, "name"))
    kept: list[JSON] = list(stored)
    status["storedVersions"] = kept


def schema_path(spec: JSONObject, index: int) -> str:
    """Where the API server says that a version's schema stands: versions with one common schema share a place."""
    versions = children(spec, "versions")
    if all(same(version.get("schema"), versions[0].get("schema")) for version in versions):
        return "spec.validation.openAPIV3Schema"
    return f"spec.versions[{index}].schema.openAPIV3Schema"


def crd_faults(crd: JSONObject, old: JSONObject | None) -> list[Cause]:
    """What is wrong with a CustomResourceDefinition."""
    spec = child(crd, "spec")
    found = [
        *_identity(crd, spec),
        *_versions(spec),
        *_names(child(spec, "names"), "spec.names"),
        *_approval(crd, spec),
    ]
    conversion = child(spec, "conversion")
    if text_of(conversion, "strategy") == "Webhook" and not child(child(conversion, "webhook"), "clientConfig"):
        found.append(required("spec.conversion.webhookClientConfig", "required when strategy is set to Webhook"))
    if old is not None:
        found += _changes(spec, child(old, "spec"))
    return found


def _identity(crd: JSONObject, spec: JSONObject) -> Iterator[Cause]:
    group, plural = text_of(spec, "group"), text_of(child(spec, "names"), "plural")
    name = text_of(meta(crd), "name")
    if name != f"{plural}.{group}":
        yield invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')
    if not group:
        yield required("spec.group")
    elif faults := dns_subdomain(group):
        yield invalid("spec.group", group, ",".join(faults))
    elif "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")
    scope = text_of(spec, "scope")
    if not scope:
        yield required("spec.scope")
    elif scope not in {"Cluster", "Namespaced"}:
        yield not_supported("spec.scope", scope, ("Cluster", "Namespaced"))


def _names(names: JSONObject, path: str) -> Iterator[Cause]:
    for name in ("plural", "singular", "kind", "listKind"):
        value = text_of(names, name)
        faults = ",".join(dns_1035_label(value.lower() if "ind" in name else value))
        if not value:
            yield required(f"{path}.{name}")
        elif faults:
            lead = "may have mixed case, but should otherwise match: " if "ind" in name else ""
            yield invalid(f"{path}.{name}", value, lead + faults)
    for name in ("shortNames", "categories"):
        for index, value in enumerate(texts(names, name)):
            if faults := ",".join(dns_1035_label(value)):
                yield invalid(f"{path}.{name}[{index}]", value, faults)
    if text_of(names, "kind") and text_of(names, "kind") == text_of(names, "listKind"):
        yield invalid(f"{path}.listKind", text_of(names, "listKind"), "kind and listKind may not be the same")


def _versions(spec: JSONObject) -> Iterator[Cause]:
    versions = children(spec, "versions")
    names = [text_of(version, "name") for version in versions]
    shown: list[JSON] = list(versions)
    if len(set(names)) < len(names):
        yield invalid("spec.versions", shown, "must contain unique version names")
    if sum(version.get("storage") is True for version in versions) != 1:
        yield invalid("spec.versions", shown, "must have exactly one version marked as storage version")
    checked: set[str] = set()
    for index, version in enumerate(versions):
        path = f"spec.versions[{index}]"
        if faults := ",".join(dns_1035_label(names[index])):
            yield invalid(f"{path}.name", names[index], faults)
        schema = child(version, "schema").get("openAPIV3Schema")
        if not isinstance(schema, dict):
            yield required(f"{path}.schema.openAPIV3Schema", "schemas are required")
        elif schema_path(spec, index) not in checked:
            checked.add(schema_path(spec, index))
            yield from schema_faults(schema, schema_path(spec, index))
        yield from _columns(version, path)
        yield from _scale(child(version, "subresources"), f"{path}.subresources")


def _columns(version: JSONObject, path: str) -> Iterator[Cause]:
    for index, column in enumerate(children(version, "additionalPrinterColumns")):
        place = f"{path}.additionalPrinterColumns[{index}]"
        kind, form = text_of(column, "type"), text_of(column, "format")
        allowed = f"must be one of {','.join(_COLUMN_TYPES)}"
        if not text_of(column, "name"):
            yield required(f"{place}.name")
        if not kind:
            yield required(f"{place}.type", allowed)
        elif kind not in _COLUMN_TYPES:
            yield invalid(f"{place}.type", kind, allowed)
        if form and form not in _COLUMN_FORMATS:
            yield invalid(f"{place}.format", form, f"must be one of {','.join(_COLUMN_FORMATS)}")
        yield from _json_path(text_of(column, "jsonPath"), f"{place}.JSONPath")
    for index, selectable in enumerate(children(version, "selectableFields")):
        yield from _json_path(text_of(selectable, "jsonPath"), f"{path}.selectableFields[{index}].jsonPath")


def _json_path(path: str, place: str) -> Iterator[Cause]:
    if not path:
        yield required(place)
        return
    try:
        JsonPath(path)
    except ValueError as error:
        yield invalid(place, path, f"is an invalid path: {error}")


def _scale(subresources: JSONObject, path: str) -> Iterator[Cause]:
    scale = subresources.get("scale")
    if not isinstance(scale, dict):
        return
    for name, start in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")):
        value = text_of(scale, name)
        if not value:
            yield required(f"{path}.scale.{name}")
        elif not value.startswith(start):
            yield invalid(f"{path}.scale.{name}", value, f"should be a json path under {start[:-1]}")


def _approval(crd: JSONObject, spec: JSONObject) -> Iterator[Cause]:
    group = text_of(spec, "group")
    if _PROTECTED_GROUPS.search(group) and APPROVAL not in child(meta(crd), "annotations"):
        text = 'protected groups must have approval annotation "api-approved.kubernetes.io", see '
        yield required(
            "metadata.annotations[api-approved.kubernetes.io]",
            text + "https://github.com/kubernetes/enhancements/pull/1111",
        )


def _changes(spec: JSONObject, old: JSONObject) -> Iterator[Cause]:
    for name in ("scope", "group"):
        if spec.get(name) != old.get(name):
            yield invalid(f"spec.{name}", spec.get(name), "field is immutable")
    for name in ("kind", "plural"):
        value = child(spec, "names").get(name)
        if value != child(old, "names").get(name):
            yield invalid(f"spec.names.{name}", value, "field is immutable")


_NAMES = fields(
    "How the kind is called.",
    needs=("plural", "kind"),
    plural=text("The name in paths."),
    singular=text("The name for one object; lower-case kind where absent."),
    kind=text("The name in objects."),
    listKind=text("The name of lists; kind with List where absent."),
    shortNames=items(text(), "Abbreviations."),
    categories=items(text(), "Groups of kinds to which this one belongs."),
)
_VERSION = fields(
    "One version of the kind.",
    needs=("name", "served", "storage"),
    open_ended=True,
    name=text("The version, as v1."),
    served=truth("Whether the API serves it."),
    storage=truth("Whether objects are stored in it; true for exactly one."),
    deprecated=truth("Whether its use draws a warning."),
    deprecationWarning=text("The text of the warning."),
    schema=anything("The schema, under openAPIV3Schema."),
    subresources=anything("Which of status and scale there are."),
    additionalPrinterColumns=items(
        fields(
            "A column of kubectl get.",
            needs=("name", "type", "jsonPath"),
            name=text("Heading."),
            type=text("string, integer, number, boolean or date."),
            format=text("An OpenAPI format."),
            description=text("What the column shows."),
            priority=number("0 for always, more for wide output."),
            jsonPath=text("Where the value stands."),
        ),
        "Columns beside the name.",
    ),
    selectableFields=items(
        fields("A field for field selectors.", needs=("jsonPath",), jsonPath=text("Where the value stands.")),
        "Fields by which lists can be selected.",
    ),
)
CRD = Kind(
    resource=CUSTOMRESOURCEDEFINITIONS,
    schema=root(
        "Adds a kind to the API.",
        needs=("spec",),
        spec=fields(
            "The kind.",
            needs=("group", "names", "scope", "versions"),
            group=text("The API group."),
            names=_NAMES,
            scope=text("Cluster or Namespaced."),
            versions=items(_VERSION, "The versions of the kind."),
            conversion=anything("How objects are converted between versions."),
            preserveUnknownFields=truth("Deprecated; must be false."),
        ),
        status=fields(
            "What the server has accepted.",
            conditions=conditions(),
            acceptedNames={**_NAMES, "required": []},
            storedVersions=items(text(), "Versions in which objects were ever stored."),
            observedGeneration=number("The generation that was looked at.", form="int64"),
        ),
    ),
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    subresources=("status",),
    columns=(NAME_COLUMN, Column("Created At", "date", cell=lambda obj, _now: meta(obj).get("creationTimestamp"))),
    counts_generations=True,
    hooks=Hooks(default=_fill_names, prepare_create=_start_status, prepare_update=_remember_storage, faults=crd_faults),
)
KINDS = (CRD,)
