"""Assembly of the definition of a built-in kind."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from certwright.apiserver.definition import NAME_COLUMN, Column, Definition, Hooks, ScalePaths
from certwright.apiserver.objects import meta
from certwright.apiserver.schema.names import NameRule, subdomain_name
from certwright.apiserver.schema.structural import StructuralSchema
from certwright.apiserver.tables import age
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.resources import Resource


def created_ago(obj: JSONObject, now: datetime) -> JSON:
    """The age of an object."""
    return age(meta(obj).get("creationTimestamp"), now)


AGE = Column("Age", "string", description="Time since the creation.", cell=created_ago)


class Kind(Struct, frozen=True, kw_only=True):
    """What a built-in kind says of itself; the rest follows from its name."""

    resource: Resource
    schema: JSONObject
    columns: tuple[Column, ...] = ()
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    singular: str = ""
    subresources: tuple[str, ...] = ()
    selectable_fields: tuple[str, ...] = ()
    counts_generations: bool = False
    name_rule: NameRule = subdomain_name
    scale: ScalePaths | None = None
    hooks: Hooks = field(default_factory=Hooks)
    deprecation_warning: str = ""


def build(kind: Kind) -> Definition:
    """The definition; columns are Name, those of the kind, and Age."""
    description = kind.schema.get("description")
    return Definition(
        resource=kind.resource,
        singular=kind.singular or kind.resource.kind.lower(),
        list_kind=f"{kind.resource.kind}List",
        schema=StructuralSchema.compile(kind.schema, typed=True),
        short_names=kind.short_names,
        categories=kind.categories,
        subresources=frozenset(kind.subresources),
        columns=kind.columns or (NAME_COLUMN, AGE),
        selectable_fields=kind.selectable_fields,
        built_in=True,
        counts_generations=kind.counts_generations,
        description=description if isinstance(description, str) else "",
        deprecation_warning=kind.deprecation_warning,
        scale=kind.scale,
        name_rule=kind.name_rule,
        hooks=kind.hooks,
    )


def columns(*middle: Column) -> tuple[Column, ...]:
    """Name, the columns of the kind, Age."""
    return (NAME_COLUMN, *middle, AGE)
