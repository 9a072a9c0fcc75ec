"""Whether a Certificate's spec can be fulfilled: problems as sentences that name the field, none where it can.

The definitions of the API check the same in CEL as far as CEL reaches; these functions know all of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from functools import partial

from msgspec import Struct

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import ObjectReference, parse_duration
from certwright.api.wellknown import CERT_MANAGER_GROUP, Annotation
from certwright.pki import der
from certwright.pki.alternative_names import ia5, pack_ip
from certwright.pki.errors import PkiError
from certwright.pki.extensions import constraint, pack_range
from certwright.pki.keys import ML_DSA
from certwright.pki.names import name_from_text, subject_of
from certwright.pki.usages import usages_from
from certwright.rules import defaults
from certwright.rules.renewal_time import DISABLED, window_problem

SHORTEST_DURATION = timedelta(hours=1)
SHORTEST_RENEW_BEFORE = timedelta(minutes=5)
LONGEST_COMMON_NAME = 64
_ANNOTATIONS = 256 * 1024
_MOST_NAMES = 24_000
_NAME_OVERHEAD = 12

# RFC 5322 section 3.4.1 without quoted strings, which cert-manager does not take for bare addresses either.
_ATOMS = r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*"
_MAIL_ADDRESS = re.compile(rf"{_ATOMS}@(?:{_ATOMS}|\[[!-Z^-~]*\])", re.ASCII)
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_PARTS = (
    *("organizations", "countries", "organizational_units", "localities", "provinces", "street_addresses"),
    "postal_codes",
)
_SUBTREES = {"dns_domains": "dnsDomains", "email_addresses": "emailAddresses", "uri_domains": "uriDomains"}
_LABEL_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


INVALID, REQUIRED, FORBIDDEN, UNSUPPORTED = "Invalid value", "Required value", "Forbidden", "Unsupported value"


class Problem(Struct, frozen=True):
    """One thing that cannot be: the path of the field, and a sentence with a next step; `kind` in the API's words."""

    field: str
    message: str
    kind: str = INVALID

    def __str__(self) -> str:
        return f"{self.field}: {self.kind}: {self.message}"


def certificate_problems(spec: cm.CertificateSpec) -> tuple[Problem, ...]:
    """Everything that is wrong with a spec."""
    return tuple(problem for check in _CHECKS for problem in check(spec))


def request_problem(spec: cm.CertificateSpec) -> Problem | None:
    """The first reason why no signing request can be made; other faults do not keep a certificate from being issued."""
    return next((problem for check in _REQUEST_CHECKS for problem in check(spec)), None)


def _issuer(spec: cm.CertificateSpec) -> Iterator[Problem]:
    yield from reference_problems(spec.issuer_ref, "spec.issuerRef")


def reference_problems(ref: ObjectReference, field: str) -> Iterator[Problem]:
    """What is wrong with a reference to an issuer."""
    if not ref.name:
        yield Problem(f"{field}.name", "The name of the issuer is missing; give one.", REQUIRED)
    if ref.group in {"", CERT_MANAGER_GROUP} and ref.kind not in {"", "Issuer", "ClusterIssuer"}:
        text = (
            f"{ref.kind} is no kind of issuer here; use Issuer or ClusterIssuer, or give the group of an external one."
        )
        yield Problem(f"{field}.kind", text)


def _secret_name(spec: cm.CertificateSpec) -> Iterator[Problem]:
    if not is_object_name(spec.secret_name):
        text = "This cannot name a Secret; use lower case letters, digits, - and ., at most 253 characters."
        yield Problem("spec.secretName", text)


def is_object_name(name: str) -> bool:
    """Whether it is a DNS-1123 subdomain."""
    return len(name) <= 253 and _NAME.fullmatch(name) is not None


def _some_name(spec: cm.CertificateSpec) -> Iterator[Problem]:
    named = (
        _common_name(spec),
        spec.dns_names,
        spec.uris,
        spec.email_addresses,
        spec.ip_addresses,
        spec.other_names,
    )
    if not any(named):
        text = "The certificate would name nothing; give commonName, dnsNames, ipAddresses, uris or emailAddresses."
        yield Problem("spec", text)


def _common_name(spec: cm.CertificateSpec) -> str:
    """The one that the certificate would have; of a literal subject that cannot be read another check tells."""
    if spec.common_name or not spec.literal_subject:
        return spec.common_name
    try:
        return subject_of(name_from_text(spec.literal_subject)).common_name
    except PkiError:
        return "?"


def _subject(spec: cm.CertificateSpec) -> Iterator[Problem]:
    if len(_common_name(spec).encode("utf-8", "replace")) > LONGEST_COMMON_NAME:
        field = "spec.commonName" if spec.common_name else "spec.literalSubject"
        yield Problem(field, "The common name may have 64 bytes in UTF-8 at most; put longer names into dnsNames.")
    if not spec.literal_subject:
        return
    if spec.common_name:
        yield Problem("spec.literalSubject", "It excludes commonName; put CN=… into it, or leave it out.")
    if spec.subject is not None and spec.subject != cm.Subject():
        yield Problem("spec.literalSubject", "It excludes subject; use one of them.")


def _literal_subject(spec: cm.CertificateSpec) -> Iterator[Problem]:
    if spec.literal_subject:
        yield from _tried("spec.literalSubject", lambda: name_from_text(spec.literal_subject))


def _names(spec: cm.CertificateSpec) -> Iterator[Problem]:
    for at, name in enumerate(spec.dns_names):
        yield from _tried(f"spec.dnsNames[{at}]", partial(ia5, name, "DNS name"))
    for at, text in enumerate(spec.ip_addresses):
        yield from _tried(f"spec.ipAddresses[{at}]", partial(pack_ip, text))
    for at, uri in enumerate(spec.uris):
        yield from _tried(f"spec.uris[{at}]", partial(ia5, uri, "URI"))
    for at, email in enumerate(spec.email_addresses):
        yield from _tried(f"spec.emailAddresses[{at}]", partial(ia5, email, "mail address"))
    for at, other in enumerate(spec.other_names):
        yield from _tried(f"spec.otherNames[{at}].oid", partial(der.oid, other.oid))
        if not other.utf8_value:
            yield Problem(f"spec.otherNames[{at}].utf8Value", "The name is missing; give one.")


def _emails(spec: cm.CertificateSpec) -> Iterator[Problem]:
    for at, email in enumerate(spec.email_addresses):
        if _MAIL_ADDRESS.fullmatch(email) is None:
            text = f"The text {email[:80]!r} is not a bare mail address; write it as ops@example.com."
            yield Problem(f"spec.emailAddresses[{at}]", text)


def _durations(spec: cm.CertificateSpec) -> Iterator[Problem]:
    life = _length(spec.duration, defaults.DEFAULT_DURATION)
    if life is None:
        yield Problem("spec.duration", f"The duration {spec.duration!r} cannot be read; write it as 2160h.")
    elif life < SHORTEST_DURATION:
        yield Problem("spec.duration", "It must be 1h or more.")
    before = _length(spec.renew_before, SHORTEST_RENEW_BEFORE)
    if before is None:
        yield Problem("spec.renewBefore", f"The duration {spec.renew_before!r} cannot be read; write it as 360h.")
    elif before < SHORTEST_RENEW_BEFORE:
        yield Problem("spec.renewBefore", "It must be 5m or more.")
    elif spec.renew_before is not None and life is not None and before >= life:
        yield Problem("spec.renewBefore", "It must be shorter than duration (2160h if that is left out).")
    if spec.renew_before is not None and spec.renew_before_percentage is not None:
        yield Problem("spec.renewBeforePercentage", "It excludes renewBefore; use one of them.")
    elif spec.duration is not None and life is not None:
        yield from _percentage(spec.renew_before_percentage, life)


def _percentage(percentage: int | None, life: timedelta) -> Iterator[Problem]:
    """As cert-manager checks it: only beside a duration, and as if it were the share of life that has gone by."""
    if percentage is None:
        return
    if not 0 < percentage < 100 or life * (100 - percentage) / 100 < SHORTEST_RENEW_BEFORE:
        text = "It must be from 1 to 99, and low enough to leave 5m of duration; try 33."
        yield Problem("spec.renewBeforePercentage", text)


def _length(text: str | None, default: timedelta) -> timedelta | None:
    try:
        return default if text is None else parse_duration(text)
    except ValueError:
        return None


def _renewal(spec: cm.CertificateSpec) -> Iterator[Problem]:
    if spec.renewal is None:
        return
    if spec.renewal.policy is None:
        yield Problem("spec.renewal.policy", "It is missing; choose RenewBefore or Disabled.")
    if spec.renewal.policy == DISABLED and spec.renewal.windows:
        yield Problem("spec.renewal.windows", "They have no effect with policy Disabled; take them out.")
    for at, window in enumerate(spec.renewal.windows):
        if problem := window_problem(window):
            yield Problem(f"spec.renewal.windows[{at}].{problem.field}", str(problem))


def _usages(spec: cm.CertificateSpec) -> Iterator[Problem]:
    signs_only = defaults.key_spec(spec).algorithm in ML_DSA
    yield from _tried("spec.usages", lambda: usages_from(spec.usages, signs_only=signs_only))


def _private_key(spec: cm.CertificateSpec) -> Iterator[Problem]:
    wanted = defaults.key_spec(spec)
    yield from _tried("spec.privateKey.size", wanted.resolved)
    algorithm = spec.signature_algorithm
    if algorithm is not None:
        kind = "Ed25519" if algorithm == "PureEd25519" else "ECDSA" if algorithm.startswith("ECDSA") else "RSA"
        if kind != wanted.algorithm:
            advice = "leave it out" if wanted.algorithm in ML_DSA else "choose an algorithm of the same kind"
            text = f"{algorithm} does not fit an {wanted.algorithm} key; {advice}."
            yield Problem("spec.signatureAlgorithm", text)


def _template(spec: cm.CertificateSpec) -> Iterator[Problem]:
    template = spec.secret_template or cm.SecretTemplate()
    for key, value in template.labels.items():
        if not _is_key(key) or (value and _LABEL_NAME.fullmatch(value) is None):
            yield Problem(f"spec.secretTemplate.labels[{key}]", "This is not a valid label; see the syntax of labels.")
    for key in template.annotations:
        if not _is_key(key.lower()):
            text = "This cannot name an annotation; see the syntax of annotations."
            yield Problem(f"spec.secretTemplate.annotations[{key}]", text)
        if key.startswith(f"{CERT_MANAGER_GROUP}/") and key != Annotation.ALLOW_DIRECT_INJECTION:
            text = "Annotations below cert-manager.io/ are written by the controller; take it out."
            yield Problem(f"spec.secretTemplate.annotations[{key}]", text)
    if (
        sum(len(each.encode("utf-8", "replace")) for pair in template.annotations.items() for each in pair)
        > _ANNOTATIONS
    ):
        yield Problem(
            "spec.secretTemplate.annotations", "They hold more than 256 KiB, which no Secret takes; shorten them."
        )


def _is_key(key: str) -> bool:
    prefix, _, name = key.rpartition("/")
    return _LABEL_NAME.fullmatch(name) is not None and ("/" not in key or is_object_name(prefix))


def _keystores(spec: cm.CertificateSpec) -> Iterator[Problem]:
    stores: Mapping[str, cm.JKSKeystore | cm.PKCS12Keystore | None] = {}
    if spec.keystores is not None:
        stores = {"jks": spec.keystores.jks, "pkcs12": spec.keystores.pkcs12}
    for name, store in stores.items():
        if store is None:
            continue
        field = f"spec.keystores.{name}"
        by_reference = store.password_secret_ref is not None and store.password_secret_ref.name != ""
        if by_reference == (store.password is not None):
            yield Problem(field, "Give the key store one password: passwordSecretRef or password.")
        elif store.password == "":
            yield Problem(f"{field}.password", "The password is empty; choose one.")
        elif name == "pkcs12" and "\0" in (store.password or ""):
            yield Problem(f"{field}.password", "The password holds a NUL character; choose another one.")


def _formats(spec: cm.CertificateSpec) -> Iterator[Problem]:
    types = [each.type for each in spec.additional_output_formats]
    if len(types) != len(set(types)):
        yield Problem("spec.additionalOutputFormats", "Each format may be listed once.")


def _constraints(spec: cm.CertificateSpec) -> Iterator[Problem]:
    found = spec.name_constraints
    if found is None:
        return
    if not spec.is_ca:
        yield Problem("spec.nameConstraints", "They are for CA certificates; set isCA or leave them out.")
    if found.permitted is None and found.excluded is None:
        yield Problem("spec.nameConstraints", "They are empty; set permitted or excluded.")


def _ranges(spec: cm.CertificateSpec) -> Iterator[Problem]:
    found = spec.name_constraints or cm.NameConstraints()
    for side, item in (("permitted", found.permitted), ("excluded", found.excluded)):
        for at, text in enumerate(item.ip_ranges if item else ()):
            yield from _tried(f"spec.nameConstraints.{side}.ipRanges[{at}]", partial(pack_range, text))
        for kind, word in _SUBTREES.items() if item else ():
            for at, name in enumerate(getattr(item, kind)):
                yield from _tried(f"spec.nameConstraints.{side}.{word}[{at}]", partial(constraint, name))


def _size(spec: cm.CertificateSpec) -> Iterator[Problem]:
    """Certificates of more than 36 500 bytes of PEM are read by nobody here, nor by cert-manager."""
    found, subject = spec.name_constraints or cm.NameConstraints(), spec.subject or cm.Subject()
    sides = [side for side in (found.permitted, found.excluded) if side is not None]
    sizes = {
        "commonName": _weight([spec.common_name]),
        "subject": _weight([subject.serial_number, *(text for part in _PARTS for text in getattr(subject, part))]),
        "literalSubject": _weight([spec.literal_subject]),
        "dnsNames": _weight(spec.dns_names),
        "emailAddresses": _weight(spec.email_addresses),
        "ipAddresses": _weight(spec.ip_addresses),
        "uris": _weight(spec.uris),
        "otherNames": _weight([each.oid + each.utf8_value for each in spec.other_names]),
        "nameConstraints": _weight([text for side in sides for kind in _SUBTREES for text in getattr(side, kind)]),
    }
    if sum(sizes.values()) > _MOST_NAMES:
        largest = max(sizes, key=sizes.__getitem__)
        text = f"All names together may take {_MOST_NAMES} bytes; make several certificates, or shorten the longest."
        yield Problem(f"spec.{largest}", text)


def _weight(texts: Iterable[str]) -> int:
    return sum(len(text.encode("utf-8", "replace")) + _NAME_OVERHEAD for text in texts)


def _history(spec: cm.CertificateSpec) -> Iterator[Problem]:
    if spec.revision_history_limit is not None and spec.revision_history_limit < 1:
        yield Problem("spec.revisionHistoryLimit", "It must be 1 or more.")


def _tried(field: str, encode: Callable[[], object]) -> Iterator[Problem]:
    try:
        encode()
    except PkiError as error:
        yield Problem(field, f"{str(error)[:1].upper()}{str(error)[1:]}.")


def _asked_duration(spec: cm.CertificateSpec) -> Iterator[Problem]:
    if _length(spec.duration, defaults.DEFAULT_DURATION) is None:
        yield Problem("spec.duration", f"The duration {spec.duration!r} cannot be read; write it as 2160h.")


_Check = Callable[[cm.CertificateSpec], Iterator[Problem]]
_REQUEST_CHECKS: tuple[_Check, ...] = (_literal_subject, _names, _usages, _private_key, _ranges, _asked_duration)
_CHECKS: tuple[_Check, ...] = (
    _issuer,
    _secret_name,
    _some_name,
    _subject,
    _literal_subject,
    _names,
    _emails,
    _durations,
    _renewal,
    _usages,
    _private_key,
    _template,
    _keystores,
    _formats,
    _constraints,
    _ranges,
    _history,
    _size,
)
