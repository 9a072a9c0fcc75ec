"""Secret and ConfigMap."""

from __future__ import annotations

import base64
import binascii
import json

from certwright.apiserver.definition import Column, Hooks
from certwright.apiserver.kinds.build import Kind, columns
from certwright.apiserver.kinds.dsl import root, table, text, texts_by_name, truth
from certwright.apiserver.objects import child, strings
from certwright.apiserver.objects import text as text_of
from certwright.apiserver.schema.causes import Cause, forbidden, invalid, required, too_long
from certwright.apiserver.schema.names import config_key
from certwright.apiserver.schema.node import same
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.resources import CONFIGMAPS, SECRETS

MOST_BYTES = 1024 * 1024
_IMMUTABLE_OBJECT = "field is immutable when `immutable` is set"
_ANNOTATION = "kubernetes.io/service-account.name"
# Types with keys that must be there; basic-auth needs one of its two.
_NEEDED_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}


def _encoded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def _take_string_data(obj: JSONObject) -> None:
    """`stringData` is a way to write `data` only: it is never stored."""
    given = strings(obj, "stringData")
    obj.pop("stringData", None)
    if given:
        data = obj.get("data")
        merged: JSONObject = dict(data) if isinstance(data, dict) else {}
        obj["data"] = {**merged, **{name: _encoded(value) for name, value in given.items()}}
    _tidy_data(obj)


def _tidy_data(obj: JSONObject) -> None:
    data = obj.get("data")
    if isinstance(data, dict):
        for name, value in data.items():
            if value is None:
                data[name] = ""
    for name in ("data", "binaryData"):
        if obj.get(name) in ({}, None):
            obj.pop(name, None)


def _size(obj: JSONObject, name: str) -> int:
    return sum(len(value) // 4 * 3 - value[-2:].count("=") for value in strings(obj, name).values())


def _key_faults(obj: JSONObject, name: str) -> list[Cause]:
    return [invalid(f"{name}[{key}]", key, fault) for key in child(obj, name) for fault in config_key(key)]


def _secret_faults(obj: JSONObject, old: JSONObject | None) -> list[Cause]:
    found = _key_faults(obj, "data")
    if _size(obj, "data") > MOST_BYTES:
        found.append(too_long("data", MOST_BYTES))
    found += _type_faults(obj, child(obj, "data"))
    if old is not None:
        if text_of(obj, "type") != text_of(old, "type"):
            found.append(invalid("type", text_of(obj, "type"), "field is immutable"))
        found += _sealed_faults(obj, old, ("data",))
    return found


def _type_faults(obj: JSONObject, data: JSONObject) -> list[Cause]:
    kind = text_of(obj, "type")
    found = [required(f"data[{key}]") for key in _NEEDED_KEYS.get(kind, ()) if key not in data]
    if kind == "kubernetes.io/service-account-token" and not strings(child(obj, "metadata"), "annotations").get(
        _ANNOTATION
    ):
        found.append(required(f"metadata.annotations[{_ANNOTATION}]"))
    if kind == "kubernetes.io/basic-auth" and not data.keys() & {"username", "password"}:
        found += [required("data[username]"), required("data[password]")]
    for key in _NEEDED_KEYS.get(kind, ()) if "docker" in kind else ():
        if key in data and not _is_json(data[key]):
            found.append(
                invalid(f"data[{key}]", "<secret contents redacted>", "invalid character in the JSON document")
            )
    return found


def _is_json(value: JSON) -> bool:
    try:
        json.loads(base64.b64decode(value if isinstance(value, str) else ""))
    except (ValueError, binascii.Error, RecursionError):
        return False
    return True


def _sealed_faults(obj: JSONObject, old: JSONObject, names: tuple[str, ...]) -> list[Cause]:
    """An object that was marked immutable keeps the mark and its contents."""
    if old.get("immutable") is not True:
        return []
    found = [] if obj.get("immutable") is True else [forbidden("immutable", _IMMUTABLE_OBJECT)]
    return found + [forbidden(name, _IMMUTABLE_OBJECT) for name in names if not same(obj.get(name), old.get(name))]


def _config_map_faults(obj: JSONObject, old: JSONObject | None) -> list[Cause]:
    found = _key_faults(obj, "data") + _key_faults(obj, "binaryData")
    twice = child(obj, "data").keys() & child(obj, "binaryData").keys()
    found += [invalid(f"data[{key}]", key, "duplicate of key present in binaryData") for key in sorted(twice)]
    size = sum(len(value.encode()) for value in strings(obj, "data").values()) + _size(obj, "binaryData")
    if size > MOST_BYTES:
        found.append(too_long("", MOST_BYTES))
    return found if old is None else found + _sealed_faults(obj, old, ("data", "binaryData"))


def _count(*names: str) -> Column:
    return Column("Data", "string", cell=lambda obj, _now: sum(len(child(obj, name)) for name in names))


SECRET = Kind(
    resource=SECRETS,
    schema=root(
        "Small amounts of confidential data.",
        data=table(text(form="byte"), "The values, each in base64."),
        stringData=texts_by_name("Values as plain text, for writing only; they end up in data."),
        type=text("What the values are for; decides which keys must be there. Cannot change.", default="Opaque"),
        immutable=truth("If true, the values can no longer change."),
    ),
    columns=columns(Column("Type", path=".type"), _count("data")),
    selectable_fields=("type",),
    hooks=Hooks(default=_take_string_data, faults=_secret_faults),
)
CONFIG_MAP = Kind(
    resource=CONFIGMAPS,
    schema=root(
        "Configuration for programs.",
        data=texts_by_name("The values, as UTF-8 text."),
        binaryData=table(text(form="byte"), "Values that are not text, each in base64."),
        immutable=truth("If true, the values can no longer change."),
    ),
    short_names=("cm",),
    columns=columns(_count("data", "binaryData")),
    hooks=Hooks(default=_tidy_data, faults=_config_map_faults),
)
KINDS = (SECRET, CONFIG_MAP)
