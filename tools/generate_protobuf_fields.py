"""Writes the field numbers of built-in kinds, from k8s.io/api and k8s.io/apimachinery in a Go module cache.

Usage: `python tools/generate_protobuf_fields.py <module cache>/k8s.io <version>`, as `… ~/go/pkg/mod/k8s.io v0.36.3`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from certwright.apiserver.kinds.catalog import built_in_definitions
from certwright.apiserver.virtual import VIRTUAL

TARGET = Path(__file__).resolve().parent.parent / "src" / "certwright" / "apiserver" / "http" / "protobuf_fields.json"
SCALARS = {
    "string": "text",
    "bytes": "bytes",
    "bool": "bool",
    "int32": "int",
    "int64": "int",
    "uint32": "int",
    "uint64": "int",
    "double": "double",
    "float": "float",
}
META = "k8s.io.apimachinery.pkg.apis.meta.v1."
# Messages that JSON writes as one value.
SPECIAL = {
    f"{META}Time": "time",
    f"{META}MicroTime": "microtime",
    f"{META}FieldsV1": "raw",
    "k8s.io.apimachinery.pkg.runtime.RawExtension": "raw",
    "k8s.io.apimachinery.pkg.api.resource.Quantity": "quantity",
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": "int_or_text",
    "k8s.io.api.authentication.v1.ExtraValue": "items",
    "k8s.io.api.authorization.v1.ExtraValue": "items",
    "k8s.io.api.certificates.v1.ExtraValue": "items",
}
# Kinds that every group takes.
COMMON = ("DeleteOptions", "Status")
_MESSAGE = re.compile(r"^message (\w+) \{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
_FIELD = re.compile(r"^\s+(?:(optional|repeated) ([\w.]+)|map<string, ([\w.]+)>) (\w+) = (\d+);", re.MULTILINE)
_STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
_TAG = re.compile(r'^\t(?:\w+ )?(\S+)\s+`json:"([^"]*)" protobuf:"\w+,(\d+),', re.MULTILINE)


class Tag(NamedTuple):
    """What the Go source says of a field."""

    name: str
    is_inline: bool
    drops_zero: bool


def tags(folder: Path) -> dict[tuple[str, int], Tag]:
    """The JSON name of each field of each struct in a package."""
    found: dict[tuple[str, int], Tag] = {}
    for file in sorted(folder.glob("*.go")):
        for struct, body in _STRUCT.findall(file.read_text()):
            for go_type, text, number in _TAG.findall(body):
                name, *options = text.split(",")
                drops = "omitempty" in options and not go_type.startswith("*")
                found[struct, int(number)] = Tag(name, "inline" in options, drops)
    return found


def messages(root: Path, version: str) -> Iterator[tuple[str, dict[str, list[object]]]]:
    """All messages of both modules by full name."""
    for module, package in ((f"api@{version}", "k8s.io.api"), (f"apimachinery@{version}", "k8s.io.apimachinery")):
        for proto in sorted((root / module).rglob("generated.proto")):
            home = ".".join([package, *proto.parent.relative_to(root / module).parts])
            known = tags(proto.parent)
            for message, body in _MESSAGE.findall(proto.read_text()):
                fields = (_field(found, home, known, message) for found in _FIELD.finditer(body))
                yield f"{home}.{message}", dict(fields)


def _field(
    found: re.Match[str], home: str, known: dict[tuple[str, int], Tag], message: str
) -> tuple[str, list[object]]:
    label, plain, mapped, name, number = found.groups()
    tag = known.get((message, int(number)), Tag(name, False, False))
    kind = _kind(plain or mapped, home)
    shape = "map" if mapped else "list" if label == "repeated" else "inline" if tag.is_inline else "one"
    return number, [tag.name or name, kind, shape, tag.drops_zero]


def _kind(written: str, home: str) -> str:
    if written in SCALARS:
        return SCALARS[written]
    full = written.lstrip(".") if "." in written else f"{home}.{written}"
    return SPECIAL.get(full, full)


def reachable(roots: set[str], known: dict[str, dict[str, list[object]]]) -> dict[str, dict[str, list[object]]]:
    """The messages that the roots are made of."""
    found: dict[str, dict[str, list[object]]] = {}
    waiting = sorted(roots)
    while waiting:
        name = waiting.pop()
        if name in found or name not in known:
            continue
        found[name] = known[name]
        waiting += [str(field[1]) for field in known[name].values()]
    return dict(sorted(found.items()))


def kinds() -> dict[str, str]:
    """The message of each kind, by apiVersion and kind."""
    found: dict[str, str] = {}
    resources = [definition.resource for definition in built_in_definitions()]
    served = [(each.api_version, each.kind) for each in resources]
    served += [(each.kind_group or each.resource.api_version, each.resource.kind) for each in VIRTUAL]
    served.append(("autoscaling/v1", "Scale"))
    for api_version, kind in served:
        group, _, version = api_version.rpartition("/")
        home = f"k8s.io.api.{group.partition('.')[0] or 'core'}.{version}"
        found[f"{api_version}/{kind}"] = f"{home}.{kind}"
        for common in COMMON:
            found[f"{api_version}/{common}"] = f"{META}{common}"
    return dict(sorted(found.items()))


def main() -> None:
    """Write the file."""
    root, version = Path(sys.argv[1]), sys.argv[2]
    known = dict(messages(root, version))
    named = {kind: message for kind, message in kinds().items() if message in known}
    reached = reachable(set(named.values()), known)
    document = {"kinds": named, "messages": reached}
    TARGET.write_text(json.dumps(document, separators=(",", ":")).replace('},"k8s', '},\n"k8s') + "\n")
    print(f"{TARGET}: {len(reached)} messages of {len(named)} kinds")


if __name__ == "__main__":
    main()
