"""Reasons and fixed texts of conditions and events of certmanager.k8s.io (v0.5, 2018): scripts match on them."""

from __future__ import annotations


class LegacyCondition:
    """Condition types beside Ready."""

    VALIDATE_FAILED = "ValidateFailed"


class LegacyReason:
    """Reasons of conditions and events."""

    CONFIG_ERROR = "ConfigError"
    INVALID_CONFIG = "InvalidConfig"
    VALIDATE_ERROR = "ValidateError"
    BACKOFF = "Backoff"
    EXPIRED = "Expired"
    DUPLICATE_SECRET_NAME = "DuplicateSecretName"  # noqa: S105  a reason
    ORDER_VALIDATED = "OrderValidated"
    ORDER_FAILED = "OrderFailed"
    CREATE_ORDER = "CreateOrder"
    ERR_CREATE_ORDER = "ErrCreateOrder"
    DOMAIN_VERIFIED = "DomainVerified"
    ISSUE_CERT = "IssueCert"
    RENEW_CERT = "RenewCert"
    CERT_OBTAINED = "CertObtained"
    CERT_ISSUED = "CertIssued"
    CERT_RENEWED = "CertRenewed"
    ISSUE_ERROR = "IssueError"
    SAVE_CERT_ERROR = "SaveCertError"
    ERR_ISSUE_CERT = "ErrIssueCert"
    ERR_RENEW_CERT = "ErrRenewCert"
    ERR_GET_CERT_KEY_PAIR = "ErrGetCertKeyPair"
    ISSUER_NOT_FOUND = "IssuerNotFound"
    ISSUER_NOT_READY = "IssuerNotReady"
    SUPERSEDED = "Superseded"
    KEY_KEPT = "KeyKept"


class LegacyText:
    """Texts that go with some of the reasons, without variable parts."""

    CREATE_ORDER = "Created new ACME order, attempting validation..."
    ORDER_VALIDATED = "Order validated"
    ISSUE_CERT = "Issuing certificate..."
    RENEW_CERT = "Renewing certificate..."
    CERT_OBTAINED = "Obtained certificate from ACME server"
    CERT_ISSUED = "Certificate issued successfully"
    CERT_RENEWED = "Certificate renewed successfully"
    DUPLICATE_SECRET_NAME = "Another Certificate is using the same secretName"  # noqa: S105  a sentence
    ACME_REQUIRED = "spec.acme must be specified"


EVENT_COMPONENT = "cert-manager"
