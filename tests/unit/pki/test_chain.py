from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from certwright.pki import pem
from certwright.pki.chain import Chain, complete, is_self_signed, order_chain, parse_chain
from certwright.pki.csr import RequestContent, build_request, parse_request
from certwright.pki.errors import PkiError
from certwright.pki.issuance import Terms, sign, sign_with_own_key, signer_from
from certwright.pki.keys import KeyAlgorithm, KeySpec, PrivateKey, generate
from certwright.pki.names import Subject, encode_subject

NOW = datetime(2026, 11, 24, 3, 20, tzinfo=UTC)
TERMS = Terms(is_ca=True)


def new_key() -> PrivateKey:
    return generate(KeySpec(KeyAlgorithm.ECDSA))


def below(name: str, above: tuple[bytes, PrivateKey] | None = None) -> tuple[bytes, PrivateKey]:
    """A CA certificate and its key, signed by `above`, or by itself."""
    key = new_key()
    request = parse_request(build_request(RequestContent(subject=encode_subject(Subject(common_name=name))), key))
    if above is None:
        return sign_with_own_key(request, key, TERMS, NOW), key
    return sign(request, signer_from(*above), TERMS, NOW), key


ROOT = below("root")
UPPER = below("upper", ROOT)
LOWER = below("lower", UPPER)
LEAF = below("leaf", LOWER)
R, U, W, F = (one[0] for one in (ROOT, UPPER, LOWER, LEAF))


@pytest.mark.parametrize("seed", range(5))
def test_any_order_and_doubles_give_the_one_chain(seed: int) -> None:
    given = [R, U, W, F, U, F]
    random.Random(seed).shuffle(given)

    assert order_chain(given) == Chain((F, W, U), R)


@pytest.mark.parametrize(
    ("given", "chain"),
    [
        ([F, W, U], Chain((F, W, U), U)),
        ([F], Chain((F,), None)),
        ([R], Chain((R,), R)),
        ([R, U], Chain((U,), R)),
    ],
)
def test_the_ca_is_the_root_or_the_highest_that_is_known(given: list[bytes], chain: Chain) -> None:
    assert order_chain(given) == chain


@pytest.mark.parametrize("given", [[F, U], [F, R], [W, below("other", UPPER)[0], U], [F, below("stranger")[0]], []])
def test_certificates_that_form_no_single_chain_are_refused(given: list[bytes]) -> None:
    with pytest.raises(PkiError, match=r"bundle (is broken|has 0)"):
        order_chain(given, "bundle")


def test_two_that_sign_each_other_are_refused() -> None:
    one, other = below("one", UPPER), below("two", UPPER)
    request = parse_request(build_request(RequestContent(subject=encode_subject(Subject(common_name="one"))), one[1]))
    again = parse_request(build_request(RequestContent(subject=encode_subject(Subject(common_name="two"))), other[1]))

    circle = [sign(request, signer_from(*other), TERMS, NOW), sign(again, signer_from(*one), TERMS, NOW)]

    with pytest.raises(PkiError, match="broken"):
        order_chain(circle)


def test_a_chain_is_read_from_pem_and_written_back() -> None:
    chain = parse_chain(pem.write_certificates([R, U, W, F]))

    assert chain.chain_pem == pem.write_certificates([F, W, U])
    assert chain.ca_pem == pem.write_certificates([R])
    assert order_chain([F]).ca_pem == b""


@pytest.mark.parametrize(
    ("issuer", "chain"),
    [
        (order_chain([R]), Chain((U,), R)),
        (order_chain([R, U]), Chain((W, U), R)),
        (order_chain([U]), Chain((W, U), U)),
        (order_chain([W, U]), Chain((F, W, U), U)),
    ],
)
def test_a_leaf_is_completed_as_if_all_had_been_ordered(issuer: Chain, chain: Chain) -> None:
    leaf = chain.certificates[0]

    assert complete(leaf, issuer) == chain
    assert order_chain([leaf, *issuer.certificates, *([issuer.ca] if issuer.ca else [])]) == chain


def test_more_namesakes_than_are_checked_are_refused() -> None:
    with pytest.raises(PkiError, match="of one subject"):
        order_chain([below("same")[0] for _ in range(11)])


def test_more_than_a_thousand_certificates_are_refused() -> None:
    with pytest.raises(PkiError, match="1001 certificates"):
        order_chain([number.to_bytes(2, "big") for number in range(1001)])


def test_a_part_that_is_no_certificate_is_named_by_its_place() -> None:
    with pytest.raises(PkiError, match=r"certificate 2 of ca\.crt cannot be decoded"):
        parse_chain(pem.write_certificates([R, b"x"]), "ca.crt")


def test_self_signed_asks_for_the_signature() -> None:
    impostor = below("root", ROOT)[0]

    assert is_self_signed(R)
    assert not is_self_signed(impostor)
