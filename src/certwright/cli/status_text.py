"""The story of a Certificate as text, in the layout that users of cmctl know, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api.core import Event
from certwright.api.meta import Condition, JSONObject, to_json
from certwright.api.wellknown import ConditionType
from certwright.cli.describing import aligned, event_lines
from certwright.cli.story import SecretStory, Story
from certwright.pki.certificate import Certificate
from certwright.pki.usages import EXTENDED_KEY_USAGES
from certwright.rules.hub import condition_of

# cmctl names signatures as Go does.
_SIGNATURES = {
    "SHA256WithRSA": "SHA256-RSA",
    "SHA384WithRSA": "SHA384-RSA",
    "SHA512WithRSA": "SHA512-RSA",
    "ECDSAWithSHA256": "ECDSA-SHA256",
    "ECDSAWithSHA384": "ECDSA-SHA384",
    "ECDSAWithSHA512": "ECDSA-SHA512",
    "PureEd25519": "Ed25519",
}
_ACRONYMS = {"ipsec": "IPSec", "crl": "CRL", "ocsp": "OCSP", "sgc": "SGC"}


def story_text(story: Story, now: datetime) -> str:
    """The whole text."""
    certificate = story.certificate
    return "".join(
        (
            _head(certificate),
            _events(story.events, now, ""),
            _issuer(story, now),
            _secret(story.secret, now),
            _dates(certificate.status),
            _request(story, now),
            _order(story),
        )
    )


def story_json(story: Story) -> JSONObject:
    """The objects, and of the Secret only what its certificate says."""
    leaf = story.secret.certificate
    return {
        "certificate": to_json(story.certificate),
        "events": [to_json(event) for event in story.events],
        "issuer": to_json(story.issuer) if story.issuer else None,
        "secret": {
            "name": story.secret.name,
            "problem": story.secret.problem or None,
            "serialNumber": f"{leaf.serial:x}" if leaf else None,
            "notBefore": _time(leaf.not_before) if leaf else None,
            "notAfter": _time(leaf.not_after) if leaf else None,
        },
        "certificateRequest": to_json(story.request) if story.request else None,
        "order": to_json(story.order) if story.order else None,
        "challenges": [_without_key(challenge) for challenge in story.challenges],
    }


def _without_key(challenge: acme.Challenge) -> JSONObject:
    plain = to_json(challenge)
    spec = plain["spec"]
    assert isinstance(spec, dict)
    spec.pop("key", None)
    return plain


def _head(certificate: cm.Certificate) -> str:
    metadata, created = certificate.metadata, certificate.metadata.creation_timestamp
    lines = [
        f"Name: {metadata.name}",
        f"Namespace: {metadata.namespace}",
        f"Created at: {_time(created)}",
        "Conditions:",
        *_conditions(certificate.status.conditions, "  "),
        "DNS Names:",
        *(f"- {name}" for name in certificate.spec.dns_names),
    ]
    return "\n".join(lines) + "\n"


def _conditions(conditions: Iterable[Condition], indent: str) -> list[str]:
    found = [f"{indent}{c.type}: {c.status}, Reason: {c.reason}, Message: {c.message}" for c in conditions]
    return found or [f"{indent}No Conditions set"]


def _events(events: Sequence[Event], now: datetime, indent: str) -> str:
    if not events:
        return f"{indent}Events:  <none>\n"
    return "".join(f"{indent}{line}\n" for line in aligned(event_lines(events, now)).splitlines())


def _issuer(story: Story, now: datetime) -> str:
    ref = story.certificate.spec.issuer_ref
    kind = ref.kind or "Issuer"
    if story.issuer is None:
        return f"error when getting {kind}: {kind} {ref.name} not found; make it, or correct spec.issuerRef\n"
    lines = ["Issuer:", f"  Name: {ref.name}", f"  Kind: {kind}", "  Conditions:"]
    lines += _conditions(story.issuer.status.conditions, "    ")
    return "\n".join(lines) + "\n" + _events(story.issuer_events, now, "  ")


def _secret(secret: SecretStory, now: datetime) -> str:
    if secret.certificate is None:
        return f"{secret.problem}\n"
    lines = ["Secret:", f"  Name: {secret.name}", *_facts(secret.certificate, secret.key_algorithm)]
    return "\n".join(lines) + "\n" + _events(secret.events, now, "  ")


def _facts(leaf: Certificate, key_algorithm: str) -> list[str]:
    issuer = leaf.issuer_parts
    names = leaf.usages.names()
    extended = [name for name in names if name in EXTENDED_KEY_USAGES or "." in name]
    plain = [name for name in names if name not in extended]
    return [
        f"  Issuer Country: {', '.join(issuer.countries)}",
        f"  Issuer Organisation: {', '.join(issuer.organizations)}",
        f"  Issuer Common Name: {issuer.common_name}",
        f"  Key Usage: {', '.join(_title(name) for name in plain)}",
        f"  Extended Key Usages: {', '.join(_title(name) for name in extended)}",
        f"  Public Key Algorithm: {key_algorithm}",
        f"  Signature Algorithm: {_SIGNATURES.get(leaf.signature_algorithm, leaf.signature_algorithm)}",
        f"  Subject Key ID: {leaf.subject_key_id.hex()}",
        f"  Authority Key ID: {leaf.authority_key_id.hex()}",
        f"  Serial Number: {_serial(leaf.serial)}",
    ]


def _serial(serial: int) -> str:
    return serial.to_bytes((serial.bit_length() + 7) // 8 or 1, "big").hex()


def _title(usage: str) -> str:
    return " ".join(_ACRONYMS.get(word, word.capitalize()) for word in usage.split())


def _dates(status: cm.CertificateStatus) -> str:
    return (
        f"Not Before: {_time(status.not_before)}\n"
        f"Not After: {_time(status.not_after)}\n"
        f"Renewal Time: {_time(status.renewal_time)}\n"
    )


def _request(story: Story, now: datetime) -> str:
    request = story.request
    if request is None:
        return "No CertificateRequest found for this Certificate\n"
    conditions = request.status.conditions
    ready = condition_of(conditions, ConditionType.READY)
    lines = ["CertificateRequest:", f"  Name: {request.metadata.name}", f"  Namespace: {request.metadata.namespace}"]
    lines += ["  Conditions:", *_conditions((c for c in conditions if c is not ready), "    ")]
    if ready is not None:
        lines += _conditions((ready,), "  ")
    return "\n".join(lines) + "\n" + _events(story.request_events, now, "  ")


def _order(story: Story) -> str:
    order = story.order
    if order is None:
        return ""
    lines = ["Order:", f"  Name: {order.metadata.name}"]
    lines += [f"  State: {order.status.state or ''}, Reason: {order.status.reason}", "  Authorizations:"]
    lines += [_authorization(each) for each in order.status.authorizations] or ["    None, as the order is new"]
    if story.challenges:
        lines.append("Challenges:")
        lines += [_challenge(each) for each in story.challenges]
    return "\n".join(lines) + "\n"


def _authorization(found: acme.Authorization) -> str:
    return (
        f"    URL: {found.url}, Identifier: {found.identifier}, Initial State: {found.initial_state or ''}, "
        f"Wildcard: {'true' if found.wildcard else 'false'}"
    )


def _challenge(challenge: acme.Challenge) -> str:
    spec, status = challenge.spec, challenge.status
    return (
        f"- Name: {challenge.metadata.name}, Type: {spec.type}, Token: {spec.token}, State: {status.state or ''}, "
        f"Reason: {status.reason}, Processing: {_bool(status.processing)}, Presented: {_bool(status.presented)}"
    )


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _time(when: datetime | None) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else "<none>"
