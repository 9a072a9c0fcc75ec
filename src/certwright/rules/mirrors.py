"""Mirrors: modern twins of legacy objects, which the engine leaves alone, and how one becomes an object itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import msgspec

from certwright.api.convert import SolverChoice, convert_solver_choice
from certwright.api.meta import (
    JSON,
    ApiStruct,
    Condition,
    JSONObject,
    MalformedObject,
    ObjectMeta,
    OwnerReference,
    from_json,
    to_json,
)
from certwright.api.wellknown import LEGACY_GROUP, AcmeAnnotation, LegacyKey
from certwright.rules.hub import Dialect, HubCertificate, HubIssuer

MIRROR = "certwright.io/mirror"
"""Annotation (value: digest of what we wrote) and label (value: true) of a twin."""
MIRROR_MANAGER = "certwright-mirrors"
"""Field manager of twins: a spec that anyone else owns a field of is no longer ours."""
_CHOICES = {
    LegacyKey.DNS01_PROVIDER,
    AcmeAnnotation.OVERRIDE_INGRESS_NAME,
    AcmeAnnotation.OVERRIDE_INGRESS_CLASS,
}
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class ManagedFields(ApiStruct, frozen=True, kw_only=True):
    """What one manager owns of an object (metav1.ManagedFieldsEntry)."""

    manager: str = ""
    operation: str = ""
    subresource: str = ""
    fields: Mapping[str, object] = msgspec.field(name="fieldsV1", default_factory=dict)


class TwinMeta(ObjectMeta, frozen=True, kw_only=True):
    """Metadata with the managers of the fields."""

    managed_fields: tuple[ManagedFields, ...] = ()


class TwinAccount(ApiStruct, frozen=True, kw_only=True):
    """The ACME account that a twin of an issuer shows."""

    uri: str = ""


class TwinStatus(ApiStruct, frozen=True, kw_only=True):
    """What a twin shows; Certificates and issuers have different parts of it."""

    conditions: tuple[Condition, ...] = ()
    acme: TwinAccount | None = None
    not_before: str | None = None
    not_after: str | None = None
    renewal_time: str | None = None


class Twin(ApiStruct, frozen=True, kw_only=True):
    """A modern object that bears our mark, as far as mirroring looks at it."""

    metadata: TwinMeta = msgspec.field(default_factory=TwinMeta)
    status: TwinStatus = msgspec.field(default_factory=TwinStatus)


class TwinFacts(ApiStruct, frozen=True, kw_only=True):
    """What is kept of a twin: `adopted` where somebody else has taken its spec over."""

    metadata: ObjectMeta
    digest: str
    status: TwinStatus
    adopted: bool


def is_mirror(metadata: ObjectMeta) -> bool:
    """Whether a modern object is a mirror: it is marked, and a legacy object controls it."""
    return MIRROR in metadata.annotations and has_original(metadata)


def has_original(metadata: ObjectMeta) -> bool:
    """Whether a legacy object controls it."""
    return any(map(_is_original, metadata.owner_references))


def twin_facts(twin: Twin) -> TwinFacts | None:
    """What is kept of a twin; None where it is none, although it bears the label."""
    if not is_mirror(twin.metadata):
        return None
    whole = twin.metadata
    kept = ObjectMeta(
        name=whole.name,
        namespace=whole.namespace,
        uid=whole.uid,
        resource_version=whole.resource_version,
        deletion_timestamp=whole.deletion_timestamp,
        owner_references=whole.owner_references,
    )
    return TwinFacts(metadata=kept, digest=whole.annotations[MIRROR], status=twin.status, adopted=is_adopted(whole))


def is_adopted(metadata: TwinMeta) -> bool:
    """Whether anyone but us has applied the object, or owns a field of its spec."""
    return LAST_APPLIED in metadata.annotations or any(
        "f:spec" in entry.fields and entry.manager != MIRROR_MANAGER and not entry.subresource
        for entry in metadata.managed_fields
    )


def certificate_twin(certificate: HubCertificate) -> JSONObject:
    """The twin of a legacy Certificate: its static form, with the choice of a solver where v1 can say it."""
    choice = convert_solver_choice(certificate.plan or ())
    spec = to_json(certificate.spec)
    spec["issuerRef"] = _reference(certificate)
    return _twin("Certificate", certificate.metadata, spec, choice)


def issuer_twin(issuer: HubIssuer) -> JSONObject:
    """The twin of a legacy Issuer or ClusterIssuer: its static form."""
    return _twin(issuer.key.kind, issuer.metadata, to_json(issuer.spec), SolverChoice())


def digest_of(twin: JSONObject) -> str:
    """The mark of a twin as it is wanted: differs where the spec, a label or an annotation does."""
    metadata = twin["metadata"]
    assert isinstance(metadata, dict)
    annotations = metadata["annotations"]
    assert isinstance(annotations, dict)
    return str(annotations[MIRROR])


def twin_status(conditions: Iterable[Condition], uri: str = "", times: Mapping[str, JSON] | None = None) -> JSONObject:
    """The status of a twin, as a merge patch: the same conditions, and None for what is not there."""
    by_type = {condition.type: _plain(condition) for condition in conditions}
    status: JSONObject = {"conditions": list(by_type.values())}
    if times is not None:
        status |= times
    else:
        status["acme"] = {"uri": uri} if uri else None
    return status


def shows(twin: TwinStatus, wanted: JSONObject) -> bool:
    """Whether the twin's status already says what is wanted."""
    plain = to_json(twin)
    plain["conditions"] = [_plain(condition) for condition in twin.conditions]
    return all(plain.get(key) == value for key, value in wanted.items())


def refreshed_object(raw: JSONObject, wanted: JSONObject) -> JSONObject:
    """The twin with the spec, the mark and the choice of a solver that are wanted now; the rest stays."""
    metadata, new = dict(_object(raw.get("metadata"))), _object(wanted["metadata"])
    for part in ("labels", "annotations"):
        kept = {key: value for key, value in _object(metadata.get(part)).items() if key not in _CHOICES}
        metadata[part] = kept | _object(new[part])
    return raw | {"metadata": metadata, "spec": wanted["spec"]}


def adopted_object(raw: JSONObject) -> JSONObject:
    """The twin as an object of its own: no mark, no owner, and a spec that holds what its new owner gave.

    That is the spec of the manifest that `kubectl apply` left, else the fields that another applier owns. A person who
    edits the twin has seen the whole spec, and keeps it.
    """
    metadata = dict(_object(raw.get("metadata")))
    managers = metadata.get("managedFields")
    annotations, labels = dict(_object(metadata.get("annotations"))), dict(_object(metadata.get("labels")))
    annotations.pop(MIRROR, None)
    labels.pop(MIRROR, None)
    metadata |= {"annotations": annotations, "labels": labels, "ownerReferences": _without_original(metadata)}
    spec = _applied_spec(annotations.get(LAST_APPLIED))
    if spec is None:
        spec = _owned_by_others(_object(raw.get("spec")), managers if isinstance(managers, list) else [])
    return raw | {"metadata": metadata, "spec": spec}


def _is_original(reference: OwnerReference) -> bool:
    return bool(reference.controller) and reference.api_version.partition("/")[0] == LEGACY_GROUP


def _twin(kind: str, original: ObjectMeta, spec: JSONObject, choice: SolverChoice) -> JSONObject:
    if isinstance(acme := spec.get("acme"), dict):
        acme["renewalInformationSource"] = "ARI"  # the server's default, so that it finds nothing to add
    labels: JSONObject = {**choice.labels, MIRROR: "true"}
    annotations: JSONObject = dict(choice.annotations)
    body: JSONObject = {"spec": spec, "labels": labels, "annotations": annotations}
    digest = hashlib.sha256(msgspec.json.encode(body, order="sorted")).hexdigest()[:16]
    owner = OwnerReference(
        api_version=Dialect.LEGACY.api_version, kind=kind, name=original.name, uid=original.uid, controller=True
    )
    metadata: JSONObject = {
        "name": original.name,
        "labels": labels,
        "annotations": {**annotations, MIRROR: digest},
        "ownerReferences": [to_json(owner)],
    }
    if kind != "ClusterIssuer":
        metadata["namespace"] = original.namespace
    return {"apiVersion": Dialect.MODERN.api_version, "kind": kind, "metadata": metadata, "spec": spec}


def _reference(certificate: HubCertificate) -> JSONObject:
    """Without a group, it means the issuer's own twin."""
    reference = to_json(certificate.spec.issuer_ref)
    if reference.get("group") == LEGACY_GROUP:
        del reference["group"]
    return reference


def _plain(condition: Condition) -> JSON:
    return to_json(msgspec.structs.replace(condition, observed_generation=0))


def _object(value: JSON) -> JSONObject:
    return value if isinstance(value, dict) else {}


def _without_original(metadata: JSONObject) -> JSON:
    references = metadata.get("ownerReferences")
    kept: list[JSON] = []
    for each in references if isinstance(references, list) else []:
        try:
            ours = _is_original(from_json(OwnerReference, each))
        except MalformedObject:
            ours = False
        if not ours:
            kept.append(each)
    return kept


def _applied_spec(annotation: JSON) -> JSONObject | None:
    if not isinstance(annotation, str):
        return None
    try:
        manifest: JSON = msgspec.json.decode(annotation)
    except (msgspec.DecodeError, RecursionError):
        return None
    spec = manifest.get("spec") if isinstance(manifest, dict) else None
    return spec if isinstance(spec, dict) else None


def _owned_by_others(spec: JSONObject, managers: list[JSON]) -> JSONObject:
    """The spec without the fields that we alone own, where somebody applies it; all of it otherwise."""
    appliers = [_object(entry) for entry in managers if _object(entry).get("operation") == "Apply"]
    fields = [_object(_object(entry.get("fieldsV1")).get("f:spec")) for entry in appliers]
    foreign = [each for each in fields if each]
    return _kept(spec, foreign) if foreign else spec


def _kept(value: JSONObject, owned: list[JSONObject]) -> JSONObject:
    kept: JSONObject = {}
    for key, item in value.items():
        below = [_object(fields[f"f:{key}"]) for fields in owned if f"f:{key}" in fields]
        if not below:
            continue
        nested = [each for each in below if any(name.startswith("f:") for name in each)]
        kept[key] = _kept(item, nested) if isinstance(item, dict) and len(nested) == len(below) else item
    return kept
