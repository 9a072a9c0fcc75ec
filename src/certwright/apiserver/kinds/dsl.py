"""A small language for the schemas of built-in kinds: functions that return OpenAPI v3 objects."""

from __future__ import annotations

from certwright.kube.wire.json import JSON, JSONObject


def text(description: str = "", *enum: str, default: str = "", form: str = "") -> JSONObject:
    """A string; `form` is an OpenAPI format."""
    schema = _with("string", description)
    if enum:
        schema["enum"] = list(enum)
    if default:
        schema["default"] = default
    if form:
        schema["format"] = form
    return schema


def number(description: str = "", default: int | None = None, form: str = "int32") -> JSONObject:
    """An integer."""
    schema = _with("integer", description)
    schema["format"] = form
    if default is not None:
        schema["default"] = default
    return schema


def truth(description: str = "", default: bool | None = None) -> JSONObject:
    """A boolean."""
    schema = _with("boolean", description)
    if default is not None:
        schema["default"] = default
    return schema


def time(description: str = "") -> JSONObject:
    """A moment in RFC 3339."""
    return text(description, form="date-time")


def number_or_text(description: str = "") -> JSONObject:
    """An integer or a string: a port, a count or a share."""
    schema: JSONObject = {"x-kubernetes-int-or-string": True}
    return _described(schema, description)


def anything(description: str = "") -> JSONObject:
    """An object of which this server knows no more than that it is one."""
    schema = _with("object", description)
    schema["x-kubernetes-preserve-unknown-fields"] = True
    return schema


def fields(
    description: str = "", /, *, needs: tuple[str, ...] = (), open_ended: bool = False, **properties: JSONObject
) -> JSONObject:
    """An object; a trailing underscore in a name keeps it from being a word of Python and is dropped."""
    return described(description, properties, needs, open_ended)


def described(
    description: str, properties: dict[str, JSONObject], needs: tuple[str, ...] = (), open_ended: bool = False
) -> JSONObject:
    """An object, from a mapping of its fields."""
    schema = _with("object", description)
    schema["properties"] = {name.rstrip("_"): value for name, value in properties.items()}
    if needs:
        schema["required"] = list(needs)
    if open_ended:
        schema["x-kubernetes-preserve-unknown-fields"] = True
    return schema


def whole(schema: JSONObject) -> JSONObject:
    """The same object with one owner as a whole."""
    return {**schema, "x-kubernetes-map-type": "atomic"}


def table(value: JSONObject, description: str = "") -> JSONObject:
    """A map from texts to `value`."""
    schema = _with("object", description)
    schema["additionalProperties"] = value
    return schema


def texts_by_name(description: str = "") -> JSONObject:
    """A map from texts to texts."""
    return table(text(), description)


def items(value: JSONObject, description: str = "") -> JSONObject:
    """A list with one owner as a whole."""
    schema = _with("array", description)
    schema["items"] = value
    schema["x-kubernetes-list-type"] = "atomic"
    return schema


def members(value: JSONObject, description: str = "") -> JSONObject:
    """A list of unique scalars, merged item by item."""
    schema = {**items(value, description), "x-kubernetes-list-type": "set"}
    schema["x-kubernetes-patch-strategy"] = "merge"
    return schema


def keyed(value: JSONObject, *keys: str, description: str = "", patch_key: str = "") -> JSONObject:
    """A list of objects known by `keys`, merged object by object; strategic merges use `patch_key` or the first."""
    schema = {**items(value, description), "x-kubernetes-list-type": "map"}
    names: list[JSON] = list(keys)
    schema["x-kubernetes-list-map-keys"] = names
    schema["x-kubernetes-patch-strategy"] = "merge"
    schema["x-kubernetes-patch-merge-key"] = patch_key or keys[0]
    return schema


def root(description: str, /, needs: tuple[str, ...] = (), **properties: JSONObject) -> JSONObject:
    """The schema of a kind: type and metadata, and `properties`."""
    type_and_meta = {
        "apiVersion": text("The version of the schema that this object has."),
        "kind": text("The kind of this object."),
        "metadata": _with("object", "Standard metadata."),
    }
    return described(description, {**type_and_meta, **properties}, needs)


def _with(type_name: str, description: str) -> JSONObject:
    return _described({"type": type_name}, description)


def _described(schema: JSONObject, description: str) -> JSONObject:
    if description:
        schema["description"] = description
    return schema


def conditions(description: str = "What is known of the state.") -> JSONObject:
    """A list of metav1.Condition."""
    condition = fields(
        "One aspect of the state.",
        needs=("lastTransitionTime", "message", "reason", "status", "type"),
        type=text("Name of the condition."),
        status=text("True, False or Unknown."),
        observedGeneration=number("The generation that was looked at.", form="int64"),
        lastTransitionTime=time("When the status last changed."),
        reason=text("One word for the cause."),
        message=text("A sentence for people."),
    )
    return keyed(condition, "type", description=description)


def label_selector(description: str = "Selects objects by their labels.") -> JSONObject:
    """A metav1.LabelSelector."""
    requirement = fields(
        "One requirement on a label.",
        needs=("key", "operator"),
        key=text("The label."),
        operator=text("In, NotIn, Exists or DoesNotExist."),
        values=items(text(), "The values compared with."),
    )
    return whole(
        fields(
            description,
            matchLabels=texts_by_name("Labels that must have these values."),
            matchExpressions=items(requirement, "Requirements that must all hold."),
        )
    )
