"""Namespace and ServiceAccount."""

from __future__ import annotations

from datetime import datetime

from certwright.apiserver.definition import Column, Hooks
from certwright.apiserver.kinds.build import Kind, columns
from certwright.apiserver.kinds.dsl import conditions, fields, items, keyed, root, text, truth, whole
from certwright.apiserver.objects import child, ensure, meta
from certwright.apiserver.objects import text as text_of
from certwright.apiserver.schema.names import label_name
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.resources import NAMESPACES, SERVICEACCOUNTS

NAME_LABEL = "kubernetes.io/metadata.name"


def _label_by_name(obj: JSONObject) -> None:
    name = text_of(meta(obj), "name")
    if name:
        ensure(meta(obj), "labels")[NAME_LABEL] = name


def _activate(obj: JSONObject, _now: datetime) -> None:
    obj["spec"] = {"finalizers": ["kubernetes"]}
    obj["status"] = {"phase": "Active"}


def _keep_finalizers(obj: JSONObject, old: JSONObject) -> None:
    # Only the finalize subresource changes spec.finalizers.
    obj["spec"] = dict(child(old, "spec"))


OBJECT_REFERENCE = whole(
    fields(
        "Points at an object.",
        apiVersion=text("API version of the object."),
        kind=text("Kind of the object."),
        namespace=text("Namespace of the object."),
        name=text("Name of the object."),
        uid=text("UID of the object."),
        resourceVersion=text("The version of the object that is meant."),
        fieldPath=text("The part of the object that is meant."),
    )
)
LOCAL_REFERENCE = whole(fields("Points at an object of the same namespace.", name=text("Name of the object.")))

NAMESPACE = Kind(
    resource=NAMESPACES,
    schema=root(
        "A scope for names.",
        spec=fields("What is wanted.", finalizers=items(text(), "What must be gone before the namespace is.")),
        status=fields(
            "What is there.",
            phase=text("Active or Terminating."),
            conditions=conditions("Why a deletion does not end."),
        ),
    ),
    short_names=("ns",),
    subresources=("status", "finalize"),
    columns=columns(Column("Status", path=".status.phase")),
    selectable_fields=("status.phase",),
    name_rule=label_name,
    hooks=Hooks(default=_label_by_name, prepare_create=_activate, prepare_update=_keep_finalizers),
)
SERVICE_ACCOUNT = Kind(
    resource=SERVICEACCOUNTS,
    schema=root(
        "An identity for programs.",
        secrets=keyed(OBJECT_REFERENCE, "name", description="Secrets that pods of the account may use."),
        imagePullSecrets=items(LOCAL_REFERENCE, "Secrets for pulling images."),
        automountServiceAccountToken=truth("Whether pods get a token of the account."),
    ),
    short_names=("sa",),
)
KINDS = (NAMESPACE, SERVICE_ACCOUNT)
