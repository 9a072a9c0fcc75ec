"""What the server knows of one version of one kind: names, schema, columns, and the rules of its writes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct, field

from certwright.apiserver.caller import Caller
from certwright.apiserver.objects import child, children, meta, text, texts
from certwright.apiserver.schema.causes import Cause, invalid, required
from certwright.apiserver.schema.names import NameRule, subdomain_name
from certwright.apiserver.schema.node import as_object, same
from certwright.apiserver.schema.object_meta import validate_meta, validate_meta_update
from certwright.apiserver.schema.strict import schema_faults
from certwright.apiserver.schema.structural import StructuralSchema
from certwright.apiserver.version_order import version_order
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.resources import Resource

Cell = Callable[[JSONObject, datetime], JSON]


class Column(Struct, frozen=True):
    """A column of `kubectl get`: a JSONPath of the object, or a function of the object and of now."""

    name: str
    type: str = "string"
    path: str = ""
    format: str = ""
    description: str = ""
    priority: int = 0
    cell: Cell | None = None


NAME_COLUMN = Column("Name", "string", ".metadata.name", "name", "Name, unique in the namespace.")


class ScalePaths(Struct, frozen=True):
    """Where the scale subresource reads and writes: dotted paths that start with a dot."""

    spec_replicas: str
    status_replicas: str
    label_selector: str = ""


def _nothing(_obj: JSONObject) -> None:
    """No defaults beyond the schema's."""


def _nothing_to_create(_obj: JSONObject, _now: datetime) -> None:
    """Nothing to prepare."""


def _nothing_to_update(_obj: JSONObject, _old: JSONObject) -> None:
    """Nothing to prepare."""


def _no_faults(_obj: JSONObject, _old: JSONObject | None) -> list[Cause]:
    return []


def _no_note(_obj: JSONObject, _caller: Caller) -> None:
    """The object does not say who made it."""


class Hooks(Struct, frozen=True):
    """What a built-in kind does beyond its schema; all change or read the object that they are given."""

    default: Callable[[JSONObject], None] = _nothing
    prepare_create: Callable[[JSONObject, datetime], None] = _nothing_to_create
    prepare_update: Callable[[JSONObject, JSONObject], None] = _nothing_to_update
    faults: Callable[[JSONObject, JSONObject | None], list[Cause]] = _no_faults
    status_faults: Callable[[JSONObject, JSONObject | None], list[Cause]] = _no_faults
    note_caller: Callable[[JSONObject, Caller], None] = _no_note


class Definition(Struct, frozen=True, kw_only=True, eq=False):
    """One version of one kind; `built_in` kinds are read into types, so nulls are dropped."""

    resource: Resource
    singular: str
    list_kind: str
    schema: StructuralSchema
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: frozenset[str] = frozenset()
    columns: tuple[Column, ...] = ()
    # Dotted paths without a leading dot, beyond metadata.name and metadata.namespace.
    selectable_fields: tuple[str, ...] = ()
    served: bool = True
    storage: bool = True
    built_in: bool = False
    counts_generations: bool = True
    description: str = ""
    deprecation_warning: str = ""
    scale: ScalePaths | None = None
    name_rule: NameRule = subdomain_name
    hooks: Hooks = field(default_factory=Hooks)

    def default(self, obj: JSONObject) -> None:
        """Fill in defaults in place, as the server does when it decodes an object."""
        self.schema.default(obj)
        self.hooks.default(obj)

    def prepare_create(self, obj: JSONObject, now: datetime) -> None:
        """Change a new object as its kind demands: no status yet, generation 1, the kind's own preparations."""
        self.default(obj)
        if "status" in self.subresources:
            obj.pop("status", None)
        if self.counts_generations:
            meta(obj)["generation"] = 1
        self.hooks.prepare_create(obj, now)

    def prepare_update(self, obj: JSONObject, old: JSONObject, subresource: str = "") -> None:
        """Undo what this write may not change, and count the generation; `subresource` is `status` or empty."""
        self.default(obj)
        if subresource == "status":
            _keep_all_but_status(obj, old)
            return
        if "status" in self.subresources:
            _keep(obj, old, "status")
        if self.counts_generations:
            _count_generation(obj, old)
        self.hooks.prepare_update(obj, old)

    def validate(self, obj: JSONObject, old: JSONObject | None, subresource: str, warnings: list[str]) -> list[Cause]:
        """The faults of a prepared object, in the API server's words; what is wrong but was before is a warning."""
        found = _type_faults(self.resource, obj)
        if found:
            return found
        if old is None:
            found = validate_meta(meta(obj), self.resource.namespaced, self.name_rule)
        else:
            found = validate_meta_update(meta(obj), meta(old))
        found += self.schema.validate(obj, old, warnings)
        if subresource:
            return found + (self.hooks.status_faults(obj, old) if subresource == "status" else [])
        return found + self.hooks.faults(obj, old)


def _type_faults(resource: Resource, obj: JSONObject) -> list[Cause]:
    wanted = {"kind": resource.kind, "apiVersion": resource.api_version}
    return [
        invalid(name, obj.get(name), f"must be {value}") for name, value in wanted.items() if obj.get(name) != value
    ]


def _keep(obj: JSONObject, old: JSONObject, name: str) -> None:
    if name in old:
        obj[name] = old[name]
    else:
        obj.pop(name, None)


# A write of status may change nothing else, save these metadata of a custom resource.
_OPEN_TO_STATUS = ("managedFields", "resourceVersion")


def _keep_all_but_status(obj: JSONObject, old: JSONObject) -> None:
    for name in {*obj, *old} - {"status", "metadata", "apiVersion", "kind"}:
        _keep(obj, old, name)
    kept: JSONObject = dict(as_object(old.get("metadata")))
    for name in _OPEN_TO_STATUS:
        kept.pop(name, None)
        if name in meta(obj):
            kept[name] = meta(obj)[name]
    obj["metadata"] = kept


def _desired(obj: JSONObject) -> JSONObject:
    return {name: value for name, value in obj.items() if name != "metadata"}


def _count_generation(obj: JSONObject, old: JSONObject) -> None:
    before = meta(old).get("generation")
    count = before if isinstance(before, int) else 0
    changed = not same(_desired(obj), _desired(old))
    if count or changed:
        meta(obj)["generation"] = count + changed


class InvalidCrd(ValueError):
    """A CustomResourceDefinition whose schemas the API server would refuse."""

    def __init__(self, causes: list[Cause]) -> None:
        super().__init__("; ".join(f"{cause.field}: {cause.message}" for cause in causes))
        self.causes = causes


def definitions_from_crd(crd: JSONObject) -> tuple[Definition, ...]:
    """One definition for each version of a CustomResourceDefinition; raises InvalidCrd."""
    versions = children(child(crd, "spec"), "versions")
    causes: list[Cause] = []
    for index, version in enumerate(versions):
        path = f"spec.versions[{index}].schema.openAPIV3Schema"
        schema = child(version, "schema").get("openAPIV3Schema")
        causes += schema_faults(schema, path) if isinstance(schema, dict) else [required(path, "schemas are required")]
    if causes:
        raise InvalidCrd(causes)
    return definitions_from_checked_crd(crd)


def definitions_from_checked_crd(crd: JSONObject) -> tuple[Definition, ...]:
    """The same of one whose schemas were found valid when it was written; raises ValueError where one is not."""
    spec = child(crd, "spec")
    return tuple(_definition(spec, version) for version in children(spec, "versions"))


def _definition(spec: JSONObject, version: JSONObject) -> Definition:
    names, group = child(spec, "names"), text(spec, "group")
    kind = text(names, "kind")
    schema = child(child(version, "schema"), "openAPIV3Schema")
    subresources = child(version, "subresources")
    paths = [text(selectable, "jsonPath") for selectable in children(version, "selectableFields")]
    return Definition(
        resource=Resource(
            group, text(version, "name"), text(names, "plural"), kind, text(spec, "scope") == "Namespaced"
        ),
        singular=text(names, "singular") or kind.lower(),
        list_kind=text(names, "listKind") or f"{kind}List",
        schema=StructuralSchema.compile(schema),
        short_names=tuple(texts(names, "shortNames")),
        categories=tuple(texts(names, "categories")),
        subresources=frozenset(name for name in ("status", "scale") if name in subresources),
        columns=_printer_columns(version),
        selectable_fields=tuple(path.removeprefix(".") for path in paths),
        served=version.get("served") is True,
        storage=version.get("storage") is True,
        description=text(schema, "description"),
        deprecation_warning=_deprecation(spec, version),
        scale=_scale_paths(subresources),
    )


def _printer_columns(version: JSONObject) -> tuple[Column, ...]:
    given = children(version, "additionalPrinterColumns")
    if not given:
        return (NAME_COLUMN, Column("Age", "date", ".metadata.creationTimestamp", description="Time since creation."))
    return (NAME_COLUMN, *(_printer_column(column) for column in given))


def _printer_column(column: JSONObject) -> Column:
    path, priority = text(column, "jsonPath"), column.get("priority")
    return Column(
        name=text(column, "name"),
        type=text(column, "type"),
        path=path,
        format=text(column, "format"),
        description=text(column, "description") or f"Custom resource definition column (in JSONPath format): {path}",
        priority=priority if isinstance(priority, int) else 0,
    )


def _deprecation(spec: JSONObject, version: JSONObject) -> str:
    if version.get("deprecated") is not True:
        return ""
    group, kind, name = text(spec, "group"), text(child(spec, "names"), "kind"), text(version, "name")
    newer = [
        text(other, "name")
        for other in children(spec, "versions")
        if other.get("served") is True and other.get("deprecated") is not True
    ]
    best = min((other for other in newer if version_order(other) < version_order(name)), key=version_order, default="")
    instead = f"; use {group}/{best} {kind}" if best else ""
    return text(version, "deprecationWarning") or f"{group}/{name} {kind} is deprecated{instead}"


def _scale_paths(subresources: JSONObject) -> ScalePaths | None:
    scale = child(subresources, "scale")
    if not scale:
        return None
    return ScalePaths(
        text(scale, "specReplicasPath"), text(scale, "statusReplicasPath"), text(scale, "labelSelectorPath")
    )
