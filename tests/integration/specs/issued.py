"""One accepted spec on its way through the rules, `pki` and the CA: everything that must be true of what comes out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from msgspec import Struct
from tests.unit.rules import sample

from certwright.api import certmanager_v1 as cm
from certwright.api.core import Secret
from certwright.api.meta import JSONObject, ObjectMeta, from_json
from certwright.cluster.facts import request_facts
from certwright.issuers.ca import SigningPair, read_pair
from certwright.pki import pem
from certwright.pki.certificate import Certificate, parse_certificate
from certwright.pki.chain import complete
from certwright.pki.csr import RequestContent, build_request, is_signed_by_its_key, parse_request
from certwright.pki.errors import PkiError
from certwright.pki.issuance import Terms, sign, sign_with_own_key
from certwright.pki.keys import encode_private_key, parse_private_key, public_key_digest, same_public_key
from certwright.pki.keystores.opening import opens_jks, opens_pkcs12
from certwright.pki.keystores.pkcs12 import Profile
from certwright.pki.names import Subject, encode_subject
from certwright.pki.usages import usages_from
from certwright.rules import defaults
from certwright.rules.hub import HubCertificate, modern_certificate
from certwright.rules.private_key import PresentKey, key_for_issuance
from certwright.rules.reissue import Subjects, violation
from certwright.rules.renewal_time import renewal_of
from certwright.rules.request_content import (
    Asked,
    alternative_names,
    certificate_request,
    request_content,
    subject_name,
)
from certwright.rules.secret_contents import (
    KEYSTORE_JKS,
    KEYSTORE_P12,
    TRUSTSTORE_JKS,
    TRUSTSTORE_P12,
    Material,
    Passwords,
    drift,
    secret_data,
    secret_metadata,
)

NOW = datetime(2026, 6, 1, 12, 0, 0, 250, tzinfo=UTC)
FROM_SECRET = b"from a Secret"
LONGEST_ALIAS = 65_535


class Issued(Struct, frozen=True, kw_only=True):
    """What judges are shown; `keystore_made` is False where only an issuance can tell that none can be."""

    csr: bytes
    chain: bytes
    keystore_made: bool


@cache
def authority() -> SigningPair:
    """A CA, read from its Secret as the CA issuer reads it."""
    key = sample.key("ECDSA", 256, 7)
    content = RequestContent(subject=encode_subject(Subject(common_name="root")), is_ca=True)
    terms = Terms(is_ca=True, lifetime=timedelta(days=120_000))
    data = sign_with_own_key(parse_request(build_request(content, key)), key, terms, NOW - timedelta(days=1))
    values = {"tls.key": encode_private_key(key), "tls.crt": pem.write_certificates([data])}
    pair = read_pair(Secret(metadata=ObjectMeta(name="ca", namespace="here"), data=values))
    assert isinstance(pair, SigningPair), pair
    return pair


def issue(plain: JSONObject) -> Issued:
    """Issue for a spec and look at all that comes of it."""
    metadata = ObjectMeta(name="web", namespace="here", uid=sample.UID)
    certificate = modern_certificate(cm.Certificate(metadata=metadata, spec=from_json(cm.CertificateSpec, plain)))
    spec = certificate.spec
    wanted = defaults.key_spec(spec).resolved()
    key = sample.key(wanted.algorithm, wanted.size)
    csr = build_request(request_content(spec), key)
    request = parse_request(csr)
    assert is_signed_by_its_key(request)
    asked = certificate_request(certificate, csr, Asked(revision=1, key_secret_name="", copied_prefixes=()))
    lifetime = defaults.duration(asked.spec.duration)
    terms = Terms(usages=asked.spec.usages, is_ca=asked.spec.is_ca, lifetime=lifetime)
    ca = authority()
    chain = complete(sign(request, ca.signer, terms, NOW), ca.chain)
    own = sign_with_own_key(request, key, terms, NOW)
    for text in (chain.chain_pem, pem.write_certificates([own])):
        _reads_back(spec, parse_certificate(text), lifetime)
    material = Material(
        key=key,
        key_pem=encode_private_key(key, defaults.key_encoding(spec)),
        chain=chain.chain_pem,
        ca=chain.ca_pem,
    )
    made = _settled(certificate, material, request_of=asked)
    return Issued(csr=csr, chain=chain.chain_pem + pem.write_certificates([own]), keystore_made=made)


def _reads_back(spec: cm.CertificateSpec, leaf: Certificate, lifetime: timedelta) -> None:
    wants, parts = alternative_names(spec), leaf.subject_parts
    assert leaf.names.is_same_as(wants)
    assert leaf.subject == subject_name(spec)
    assert spec.literal_subject or parts.common_name == spec.common_name
    assert spec.literal_subject or sorted(parts.organizations) == sorted((spec.subject or cm.Subject()).organizations)
    assert leaf.usages.is_same_as(usages_from(spec.usages, is_ca=spec.is_ca))
    assert leaf.is_ca is spec.is_ca
    assert timedelta(0) <= lifetime - (leaf.not_after - leaf.not_before) < timedelta(seconds=1)
    renewal = renewal_of(spec, leaf.not_before, leaf.not_after)
    assert renewal.when is None or leaf.not_before <= renewal.when <= leaf.not_after
    assert (renewal.when is None) is (spec.renewal is not None and spec.renewal.policy == "Disabled")


def _settled(certificate: HubCertificate, material: Material, request_of: cm.CertificateRequest) -> bool:
    """The Secret holds what the spec asks for, and nothing is due the moment it is there; False where none can be."""
    spec = certificate.spec
    passwords = Passwords(**{name: _password(store) for name, store in _stores(spec).items()})
    alias = (passwords.jks is not None and spec.keystores and spec.keystores.jks and spec.keystores.jks.alias) or ""
    if alias.lower() == "ca" or len(alias) > LONGEST_ALIAS:
        # Whether an issuer gives a CA that has the alias is known only then.
        with pytest.raises(PkiError, match="alias"):
            secret_data(spec, material, passwords, NOW)
        return False
    data = secret_data(spec, material, passwords, NOW)
    _consistent(spec, data, passwords, material)
    leaf = sample.secret_of(certificate, data, {}, {}).leaf
    assert leaf is not None
    meta = secret_metadata(certificate, leaf.identity, spec.issuer_ref)
    secret = sample.secret_of(certificate, data, {**meta.labels}, {**meta.annotations})
    for current in (request_facts(request_of), None):
        found = violation(Subjects(certificate=certificate, secret=secret, current=current))
        assert found is None, found
    assert drift(certificate, secret, owned=False) == ()
    kept = key_for_issuance(spec, secret)
    assert isinstance(kept, PresentKey) is defaults.keeps_key(spec)
    return True


def _stores(spec: cm.CertificateSpec) -> dict[str, cm.JKSKeystore | cm.PKCS12Keystore]:
    stores = spec.keystores or cm.Keystores()
    found = {"jks": stores.jks, "pkcs12": stores.pkcs12}
    return {name: store for name, store in found.items() if store is not None and store.create}


def _password(store: cm.JKSKeystore | cm.PKCS12Keystore) -> bytes:
    return FROM_SECRET if store.password is None else store.password.encode()


def _consistent(spec: cm.CertificateSpec, data: dict[str, bytes], passwords: Passwords, material: Material) -> None:
    key = parse_private_key(data["tls.key"])
    assert same_public_key(key, material.key)
    assert parse_certificate(data["tls.crt"]).public_key_digest == public_key_digest(key)
    assert parse_certificate(data["ca.crt"]) == authority().certificate
    kinds = {each.type for each in spec.additional_output_formats}
    assert ("key.der" in data, "tls-combined.pem" in data) == ("DER" in kinds, "CombinedPEM" in kinds)
    if "key.der" in data:
        loaded = load_der_private_key(data["key.der"], None)
        assert public_key_digest(loaded) == public_key_digest(key)  # type: ignore[arg-type]  # of a kind of ours
    if "tls-combined.pem" in data:
        assert data["tls-combined.pem"] == data["tls.key"] + b"\n" + data["tls.crt"]
    stores = spec.keystores or cm.Keystores()
    assert {KEYSTORE_JKS in data, TRUSTSTORE_JKS in data} == {passwords.jks is not None}
    if stores.jks is not None and passwords.jks is not None:
        assert opens_jks(data[KEYSTORE_JKS], passwords.jks, stores.jks.alias or "certificate")
        assert opens_jks(data[TRUSTSTORE_JKS], passwords.jks)
        assert not opens_jks(data[KEYSTORE_JKS], passwords.jks + b"x")
    assert {KEYSTORE_P12 in data, TRUSTSTORE_P12 in data} == {passwords.pkcs12 is not None}
    if stores.pkcs12 is not None and passwords.pkcs12 is not None:
        profile = Profile(stores.pkcs12.profile or "LegacyRC2")
        assert all(opens_pkcs12(data[name], passwords.pkcs12, profile) for name in (KEYSTORE_P12, TRUSTSTORE_P12))
        found = load_pkcs12(data[KEYSTORE_P12], passwords.pkcs12)
        assert public_key_digest(found.key) == public_key_digest(key)  # type: ignore[arg-type]  # of a kind of ours
