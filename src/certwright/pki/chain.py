"""Certificate chains: ordered from the leaf to the top, with the root taken out and given as the CA."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from certwright.pki import pem
from certwright.pki.certificate import is_issued_by, issuer_and_subject
from certwright.pki.errors import PkiError
from certwright.pki.pem import DEFAULT_LIMITS

LONGEST_CHAIN = 1000
_NAMESAKES = 10  # checking signatures among many certificates of one subject would take time without end


class Chain(Struct, frozen=True):
    """DER certificates, leaf first, without a root above others; and the CA, if it is known (DER)."""

    certificates: tuple[bytes, ...]
    ca: bytes | None = None

    @property
    def chain_pem(self) -> bytes:
        """What `tls.crt` holds."""
        return pem.write_certificates(self.certificates)

    @property
    def ca_pem(self) -> bytes:
        """What `ca.crt` holds; no bytes if no CA is known."""
        return pem.write_certificates([self.ca] if self.ca is not None else [])


def parse_chain(text: bytes, what: str = "the certificate chain", limit: int = DEFAULT_LIMITS.chain) -> Chain:
    """The one chain that the certificates of a PEM text form, in whatever order they stand; raises `PkiError`."""
    pem.refuse_larger(text, limit, what)
    return order_chain(pem.split_certificates(text, what), what)


def order_chain(certificates: Sequence[bytes], what: str = "the certificate chain") -> Chain:
    """The one chain that DER certificates form: doubles are dropped; raises `PkiError` when they form none, or two."""
    distinct = list(dict.fromkeys(certificates))
    if not 0 < len(distinct) <= LONGEST_CHAIN:
        raise PkiError(f"{what} has {len(distinct)} certificates where 1 to {LONGEST_CHAIN} are read")
    above = _issuers(distinct, what)
    issuing = set(above.values())
    leaves = [certificate for certificate in distinct if certificate not in issuing]
    ordered = _walk(leaves[0], above) if leaves else []
    if len(leaves) != 1 or len(ordered) != len(distinct):
        raise PkiError(
            f"{what} is broken: its {len(distinct)} certificates do not form one chain in which each is signed by the "
            "next; take out the ones that do not belong and add the one that is missing"
        )
    return _without_root(ordered)


def complete(leaf: bytes, issuer: Chain) -> Chain:
    """The chain of a leaf that the first certificate of `issuer` has signed; signatures are not checked again."""
    if issuer.certificates[0] == issuer.ca:
        return Chain((leaf,), issuer.ca)
    return Chain((leaf, *issuer.certificates), issuer.ca or issuer.certificates[-1])


def is_self_signed(certificate: bytes) -> bool:
    """Whether a DER certificate is issued by its own subject and key."""
    issuer, subject = issuer_and_subject(certificate)
    return issuer == subject and is_issued_by(certificate, certificate)


def _issuers(certificates: list[bytes], what: str) -> dict[bytes, bytes]:
    names = {}
    by_subject: dict[bytes, list[bytes]] = {}
    for number, certificate in enumerate(certificates, 1):
        try:
            names[certificate] = issuer_and_subject(certificate)
        except PkiError as error:
            raise PkiError(f"certificate {number} of {what} cannot be decoded: {error}") from error
        by_subject.setdefault(names[certificate][1], []).append(certificate)
    if any(len(namesakes) > _NAMESAKES for namesakes in by_subject.values()):
        raise PkiError(
            f"{what} has more than {_NAMESAKES} certificates of one subject; leave out those that are not used"
        )
    above = {}
    for certificate, (issuer, _) in names.items():
        candidates = (other for other in by_subject.get(issuer, ()) if other != certificate)
        found = next((other for other in candidates if is_issued_by(certificate, other)), None)
        if found is not None:
            above[certificate] = found
    return above


def _walk(leaf: bytes, above: dict[bytes, bytes]) -> list[bytes]:
    ordered = [leaf]
    while (following := above.get(ordered[-1])) is not None and len(ordered) <= len(above):
        ordered.append(following)
    return ordered


def _without_root(ordered: list[bytes]) -> Chain:
    top = ordered[-1]
    if is_self_signed(top):
        return Chain(tuple(ordered[:-1] or ordered), top)
    return Chain(tuple(ordered), top if len(ordered) > 1 else None)
