"""CertificateSigningRequest, ClusterTrustBundle and PodCertificateRequest."""

from __future__ import annotations

from datetime import datetime

from certwright.apiserver.caller import Caller
from certwright.apiserver.definition import NAME_COLUMN, Column, Hooks
from certwright.apiserver.kinds.build import AGE, Kind
from certwright.apiserver.kinds.dsl import (
    conditions,
    fields,
    items,
    keyed,
    number,
    root,
    table,
    text,
    time,
)
from certwright.apiserver.objects import child, children, ensure, meta
from certwright.apiserver.objects import text as text_of
from certwright.apiserver.schema.causes import Cause, duplicate, forbidden, invalid, required
from certwright.apiserver.schema.node import same
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.resources import CERTIFICATESIGNINGREQUESTS, Resource

GROUP = "certificates.k8s.io"
_SHORTEST_SECONDS = 600


def _start(request: JSONObject, _now: datetime) -> None:
    request.pop("status", None)


def _note_caller(request: JSONObject, caller: Caller) -> None:
    # Who asks is for the server to say.
    spec = ensure(request, "spec")
    for name in ("username", "uid", "groups", "extra"):
        spec.pop(name, None)
    groups: list[JSON] = list(caller.groups)
    spec["username"], spec["groups"] = caller.name, groups
    if caller.uid:
        spec["uid"] = caller.uid
    if caller.extra:
        spec["extra"] = {name: list(values) for name, values in caller.extra.items()}


def _status_faults(request: JSONObject, old: JSONObject | None) -> list[Cause]:
    """Decisions are made through the subresource `approval` only."""
    held, before = ([text_of(each, "type") for each in _conditions(one)] for one in (request, old or {}))
    found: list[Cause] = []
    for kind in ("Approved", "Denied"):
        if kind in held and kind not in before:
            found.append(forbidden("status.conditions", f'updates may not add a condition of type "{kind}"'))
        if kind in before and kind not in held:
            found.append(forbidden("status.conditions", f'updates may not remove a condition of type "{kind}"'))
    return found


def _conditions(request: JSONObject) -> list[JSONObject]:
    return children(child(request, "status"), "conditions")


def _keep(request: JSONObject, old: JSONObject) -> None:
    request["spec"] = dict(child(old, "spec"))


def _request_faults(request: JSONObject, _old: JSONObject | None) -> list[Cause]:
    spec = child(request, "spec")
    found: list[Cause] = []
    if not text_of(spec, "request"):
        found.append(required("spec.request"))
    signer = text_of(spec, "signerName")
    if not signer:
        found.append(required("spec.signerName"))
    elif "/" not in signer or "." not in signer.partition("/")[0]:
        rule = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        found.append(invalid("spec.signerName", signer, rule))
    usages = spec.get("usages")
    if not isinstance(usages, list) or not usages:
        found.append(required("spec.usages", "usages must be specified"))
    else:
        repeated = [index for index, usage in enumerate(usages) if usage in usages[:index]]
        found += [duplicate(f"spec.usages[{index}]", usages[index]) for index in repeated]
    seconds = spec.get("expirationSeconds")
    if isinstance(seconds, int) and seconds < _SHORTEST_SECONDS:
        found.append(
            invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 600 seconds (10 minutes)")
        )
    return found


def _condition(request: JSONObject, _now: datetime) -> str:
    held = [text_of(each, "type") for each in children(child(request, "status"), "conditions")]
    for name in ("Denied", "Approved"):
        if name in held:
            shown = [name, "Failed"] if "Failed" in held else [name]
            issued = text_of(child(request, "status"), "certificate")
            return ",".join([*shown, "Issued"] if issued and name == "Approved" else shown)
    return "Failed" if "Failed" in held else "Pending"


def _duration(request: JSONObject, _now: datetime) -> str:
    seconds = child(request, "spec").get("expirationSeconds")
    if not isinstance(seconds, int):
        return "<none>"
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


_CSR_CONDITION = fields(
    "A decision, or a failure.",
    needs=("type", "status"),
    type=text("Approved, Denied or Failed."),
    status=text("True, False or Unknown."),
    reason=text("One word for the cause."),
    message=text("A sentence for people."),
    lastUpdateTime=time("When it was last written."),
    lastTransitionTime=time("When the status last changed."),
)
SIGNING_REQUEST = Kind(
    resource=CERTIFICATESIGNINGREQUESTS,
    schema=root(
        "Asks a signer for a certificate.",
        needs=("spec",),
        spec=fields(
            "What is wanted.",
            needs=("request", "signerName"),
            request=text("A certificate signing request in PEM, in base64.", form="byte"),
            signerName=text("The signer."),
            expirationSeconds=number("Seconds that the certificate should last."),
            usages=items(text(), "What the key is for."),
            username=text("Who asks."),
            uid=text("The UID of who asks."),
            groups=items(text(), "The groups of who asks."),
            extra=table(items(text()), "What else is known of who asks."),
        ),
        status=fields(
            "What is there.",
            conditions=keyed(_CSR_CONDITION, "type", description="Decisions."),
            certificate=text("The certificate chain in PEM, in base64.", form="byte"),
        ),
    ),
    short_names=("csr",),
    subresources=("status", "approval"),
    columns=(
        NAME_COLUMN,
        AGE,
        Column("SignerName", path=".spec.signerName"),
        Column("Requestor", path=".spec.username"),
        Column("RequestedDuration", cell=_duration),
        Column("Condition", cell=_condition),
    ),
    selectable_fields=("spec.signerName",),
    hooks=Hooks(
        prepare_create=_start,
        prepare_update=_keep,
        faults=_request_faults,
        status_faults=_status_faults,
        note_caller=_note_caller,
    ),
)


def _bundle_faults(bundle: JSONObject, old: JSONObject | None) -> list[Cause]:
    spec, name = child(bundle, "spec"), text_of(meta(bundle), "name")
    signer = text_of(spec, "signerName")
    found = (
        []
        if text_of(spec, "trustBundle")
        else [invalid("spec.trustBundle", "<value omitted>", "at least one trust anchor must be provided")]
    )
    prefix = signer.replace("/", ":") + ":"
    if signer and not name.startswith(prefix):
        rule = f"ClusterTrustBundle for signerName {signer} must be named with prefix {prefix}"
        found.append(invalid("metadata.name", name, rule))
    if not signer and ":" in name:
        rule = 'ClusterTrustBundle without signer name must not have ":" in its name'
        found.append(invalid("metadata.name", name, rule))
    if old is not None and signer != text_of(child(old, "spec"), "signerName"):
        found.append(invalid("spec.signerName", signer, "field is immutable"))
    return found


def _bundle_name(_name: str, _is_prefix: bool) -> list[str]:
    return []


def _bundle(version: str) -> Kind:
    return Kind(
        resource=Resource(GROUP, version, "clustertrustbundles", "ClusterTrustBundle", False),
        schema=root(
            "Certificates that are trusted in the cluster.",
            needs=("spec",),
            spec=fields(
                "What is trusted.",
                needs=("trustBundle",),
                signerName=text("The signer whose certificates they are."),
                trustBundle=text("Certificates in PEM."),
            ),
        ),
        columns=(NAME_COLUMN, Column("SignerName", path=".spec.signerName")),
        selectable_fields=("spec.signerName",),
        name_rule=_bundle_name,
        hooks=Hooks(faults=_bundle_faults),
    )


def _pod_request_faults(request: JSONObject, old: JSONObject | None) -> list[Cause]:
    spec = child(request, "spec")
    names = ("signerName", "podName", "podUID", "serviceAccountName", "serviceAccountUID", "nodeName", "nodeUID")
    found = [required(f"spec.{name}") for name in names if not text_of(spec, name)]
    if old is not None and not same(spec, child(old, "spec")):
        found.append(invalid("spec", spec, "field is immutable"))
    return found


def _pod_state(request: JSONObject, _now: datetime) -> str:
    held = [text_of(each, "type") for each in children(child(request, "status"), "conditions")]
    return next((name for name in ("Issued", "Denied", "Failed") if name in held), "Pending")


POD_REQUEST = Kind(
    resource=Resource(GROUP, "v1beta1", "podcertificaterequests", "PodCertificateRequest", True),
    schema=root(
        "Asks a signer for a certificate of a pod.",
        needs=("spec",),
        spec=fields(
            "What is wanted.",
            open_ended=True,
            signerName=text("The signer."),
            podName=text("The pod."),
            podUID=text("The UID of the pod."),
            serviceAccountName=text("The account of the pod."),
            serviceAccountUID=text("The UID of the account."),
            nodeName=text("The node of the pod."),
            nodeUID=text("The UID of the node."),
            maxExpirationSeconds=number("Seconds that the certificate may last at most.", default=86400),
            pkixPublicKey=text("The public key.", form="byte"),
            proofOfPossession=text("A signature with the private key.", form="byte"),
            stubPKCS10Request=text("A bare certificate signing request.", form="byte"),
            unverifiedUserAnnotations=table(text(), "What the pod says, unchecked."),
        ),
        status=fields(
            "What is there.",
            conditions=conditions(),
            certificateChain=text("The certificate chain in PEM."),
            notBefore=time("When the certificate begins."),
            beginRefreshAt=time("When it is to be renewed."),
            notAfter=time("When the certificate ends."),
        ),
    ),
    subresources=("status",),
    columns=(
        NAME_COLUMN,
        Column("PodName", path=".spec.podName"),
        Column("ServiceAccountName", path=".spec.serviceAccountName"),
        Column("NodeName", path=".spec.nodeName"),
        Column("SignerName", path=".spec.signerName"),
        Column("State", cell=_pod_state),
    ),
    selectable_fields=("spec.signerName", "spec.podName", "spec.nodeName"),
    hooks=Hooks(faults=_pod_request_faults),
)
KINDS = (SIGNING_REQUEST, _bundle("v1beta1"), POD_REQUEST)
