"""Labels, annotations, finalizers, condition types and reasons that are interface; those of cert-manager and ours."""

from __future__ import annotations

from typing import Final

CERT_MANAGER_GROUP: Final = "cert-manager.io"
ACME_GROUP: Final = "acme.cert-manager.io"
LEGACY_GROUP: Final = "certmanager.k8s.io"
BUILT_IN_DNS01_GROUP: Final = "dns01.certwright.io"
"""groupName of the DNS-01 webhook block that addresses our own providers."""


class Label:
    """Label keys."""

    FILTERED = "controller.cert-manager.io/fao"
    """ "true" on target and temporary Secrets: these are watched in full."""
    NEXT_PRIVATE_KEY = "cert-manager.io/next-private-key"
    MANAGED_BY = "app.kubernetes.io/managed-by"
    HTTP_DOMAIN = "acme.cert-manager.io/http-domain"
    HTTP_TOKEN = "acme.cert-manager.io/http-token"  # noqa: S105  a label key
    HTTP01_SOLVER = "acme.cert-manager.io/http01-solver"
    APPLYSET_PART_OF = "applyset.kubernetes.io/part-of"
    DISABLE_VALIDATION = "cert-manager.io/disable-validation"


class Annotation:
    """Annotation keys on Certificates, CertificateRequests, Secrets and injection targets."""

    CERTIFICATE_NAME = "cert-manager.io/certificate-name"
    CERTIFICATE_REVISION = "cert-manager.io/certificate-revision"
    PRIVATE_KEY_SECRET_NAME = "cert-manager.io/private-key-secret-name"  # noqa: S105  an annotation key
    ISSUE_TEMPORARY_CERTIFICATE = "cert-manager.io/issue-temporary-certificate"

    ISSUER_NAME = "cert-manager.io/issuer-name"
    ISSUER_KIND = "cert-manager.io/issuer-kind"
    ISSUER_GROUP = "cert-manager.io/issuer-group"
    COMMON_NAME = "cert-manager.io/common-name"
    ALT_NAMES = "cert-manager.io/alt-names"
    IP_SANS = "cert-manager.io/ip-sans"
    URI_SANS = "cert-manager.io/uri-sans"
    EMAIL_SANS = "cert-manager.io/email-sans"
    SUBJECT_ORGANIZATIONS = "cert-manager.io/subject-organizations"
    SUBJECT_ORGANIZATIONAL_UNITS = "cert-manager.io/subject-organizationalunits"
    SUBJECT_COUNTRIES = "cert-manager.io/subject-countries"
    SUBJECT_PROVINCES = "cert-manager.io/subject-provinces"
    SUBJECT_LOCALITIES = "cert-manager.io/subject-localities"
    SUBJECT_POSTAL_CODES = "cert-manager.io/subject-postalcodes"
    SUBJECT_STREET_ADDRESSES = "cert-manager.io/subject-streetaddresses"
    SUBJECT_SERIAL_NUMBER = "cert-manager.io/subject-serialnumber"

    ALLOW_DIRECT_INJECTION = "cert-manager.io/allow-direct-injection"
    INJECT_CA_FROM = "cert-manager.io/inject-ca-from"
    INJECT_CA_FROM_SECRET = "cert-manager.io/inject-ca-from-secret"  # noqa: S105  an annotation key
    INJECT_APISERVER_CA = "cert-manager.io/inject-apiserver-ca"

    VENAFI_CUSTOM_FIELDS = "venafi.cert-manager.io/custom-fields"
    VENAFI_PICKUP_ID = "venafi.cert-manager.io/pickup-id"


class ShimAnnotation:
    """Annotation keys read on Ingresses, Gateways and ListenerSets (beside those of `Annotation`)."""

    ISSUER = "cert-manager.io/issuer"
    CLUSTER_ISSUER = "cert-manager.io/cluster-issuer"
    DURATION = "cert-manager.io/duration"
    RENEW_BEFORE = "cert-manager.io/renew-before"
    RENEW_BEFORE_PERCENTAGE = "cert-manager.io/renew-before-percentage"
    USAGES = "cert-manager.io/usages"
    REVISION_HISTORY_LIMIT = "cert-manager.io/revision-history-limit"
    PRIVATE_KEY_ALGORITHM = "cert-manager.io/private-key-algorithm"
    PRIVATE_KEY_ENCODING = "cert-manager.io/private-key-encoding"
    PRIVATE_KEY_SIZE = "cert-manager.io/private-key-size"
    PRIVATE_KEY_ROTATION_POLICY = "cert-manager.io/private-key-rotation-policy"
    SECRET_TEMPLATE = "cert-manager.io/secret-template"  # noqa: S105  an annotation key
    IGNORE_TLS_LISTENERS = "cert-manager.io/ignore-tls-listeners"
    TLS_ACME = "kubernetes.io/tls-acme"
    INGRESS_CLASS = "kubernetes.io/ingress.class"


class AcmeAnnotation:
    """Annotation keys that steer HTTP-01 solving."""

    EDIT_IN_PLACE = "acme.cert-manager.io/http01-edit-in-place"
    INGRESS_CLASS = "acme.cert-manager.io/http01-ingress-class"
    INGRESS_CLASS_NAME = "acme.cert-manager.io/http01-ingress-ingressclassname"
    OVERRIDE_INGRESS_NAME = "acme.cert-manager.io/http01-override-ingress-name"
    OVERRIDE_INGRESS_CLASS = "acme.cert-manager.io/http01-override-ingress-class"
    OVERRIDE_INGRESS_CLASS_NAME = "acme.cert-manager.io/http01-override-ingress-ingressclassname"
    PARENT_REF_NAME = "acme.cert-manager.io/http01-parentrefname"
    PARENT_REF_KIND = "acme.cert-manager.io/http01-parentrefkind"
    PARENT_REF_NAMESPACE = "acme.cert-manager.io/http01-parentrefnamespace"
    PARENT_REF_FALLBACK = "acme.cert-manager.io/http01-parentreffallback"


class SigningRequestAnnotation:
    """Annotation keys on Kubernetes CertificateSigningRequests."""

    DURATION = "experimental.cert-manager.io/request-duration"
    IS_CA = "experimental.cert-manager.io/request-is-ca"
    PRIVATE_KEY_SECRET_NAME = "experimental.cert-manager.io/private-key-secret-name"  # noqa: S105  an annotation key
    VENAFI_CUSTOM_FIELDS = "venafi.experimental.cert-manager.io/custom-fields"
    VENAFI_PICKUP_ID = "venafi.experimental.cert-manager.io/pickup-id"


class LegacyKey:
    """Label and annotation keys of certmanager.k8s.io (2018)."""

    CERTIFICATE_NAME = "certmanager.k8s.io/certificate-name"
    ISSUER_NAME = "certmanager.k8s.io/issuer-name"
    ISSUER_KIND = "certmanager.k8s.io/issuer-kind"
    COMMON_NAME = "certmanager.k8s.io/common-name"
    ALT_NAMES = "certmanager.k8s.io/alt-names"
    IP_SANS = "certmanager.k8s.io/ip-sans"
    ISSUER = "certmanager.k8s.io/issuer"
    CLUSTER_ISSUER = "certmanager.k8s.io/cluster-issuer"
    CHALLENGE_TYPE = "certmanager.k8s.io/acme-challenge-type"
    DNS01_PROVIDER = "certmanager.k8s.io/acme-dns01-provider"
    EDIT_IN_PLACE = "certmanager.k8s.io/acme-http01-edit-in-place"
    INGRESS_CLASS = "certmanager.k8s.io/acme-http01-ingress-class"
    HTTP_DOMAIN = "certmanager.k8s.io/acme-http-domain"
    HTTP_TOKEN = "certmanager.k8s.io/acme-http-token"  # noqa: S105  a label key
    HTTP01_SOLVER = "certmanager.k8s.io/acme-http01-solver"
    DISABLE_VALIDATION = "certmanager.k8s.io/disable-validation"
    INJECT_CA_FROM = "certmanager.k8s.io/inject-ca-from"
    INJECT_APISERVER_CA = "certmanager.k8s.io/inject-apiserver-ca"
    INJECT_CA_FROM_SECRET = "certmanager.k8s.io/inject-ca-from-secret"  # noqa: S105  an annotation key
    ALLOW_DIRECT_INJECTION = "certmanager.k8s.io/allow-direct-injection"


class Finalizer:
    """Finalizers of Challenges."""

    CHALLENGE = "acme.cert-manager.io/finalizer"
    LEGACY_CHALLENGE = "finalizer.acme.cert-manager.io"


class ConditionType:
    """Types of conditions."""

    READY = "Ready"
    ISSUING = "Issuing"
    APPROVED = "Approved"
    DENIED = "Denied"
    INVALID_REQUEST = "InvalidRequest"


class CertificateReason:
    """Reasons in conditions of Certificates."""

    READY = "Ready"
    DOES_NOT_EXIST = "DoesNotExist"
    MISSING_DATA = "MissingData"
    INVALID_KEY_PAIR = "InvalidKeyPair"
    INVALID_CERTIFICATE = "InvalidCertificate"
    INCORRECT_ISSUER = "IncorrectIssuer"
    INCORRECT_CERTIFICATE = "IncorrectCertificate"
    SECRET_MISMATCH = "SecretMismatch"  # noqa: S105  a reason
    INVALID_CERTIFICATE_REQUEST = "InvalidCertificateRequest"
    REQUEST_CHANGED = "RequestChanged"
    EXPIRED = "Expired"
    RENEWING = "Renewing"
    CA_CHANGED = "CAChanged"
    WINDOW_ERROR = "WindowError"
    MANUALLY_TRIGGERED = "ManuallyTriggered"
    FAILED = "Failed"
    ISSUED = "Issued"


class CertificateEvent:
    """Reasons of events on Certificates."""

    ISSUING = "Issuing"
    WINDOW_ERROR = "WindowError"
    ARI_ERROR = "ARIError"
    GENERATED = "Generated"
    REUSED = "Reused"
    DELETED = "Deleted"
    DECODE_FAILED = "DecodeFailed"
    CANNOT_REGENERATE_KEY = "CannotRegenerateKey"
    REQUESTED = "Requested"
    REQUEST_FAILED = "RequestFailed"
    KEYSTORE_PASSWORD_SECRET_NOT_FOUND = "KeystorePasswordSecretNotFound"  # noqa: S105  a reason


class RequestReason:
    """Reasons in conditions of CertificateRequests."""

    PENDING = "Pending"
    FAILED = "Failed"
    DENIED = "Denied"
    ISSUED = "Issued"
    APPROVED_BY_US = "cert-manager.io"
    APPROVED_BY_CLI = "KubectlCertManager"


class RequestEvent:
    """Reasons of events on CertificateRequests (and, in part, on CertificateSigningRequests)."""

    WAITING_FOR_APPROVAL = "WaitingForApproval"
    APPROVED = "cert-manager.io"
    CERTIFICATE_ISSUED = "CertificateIssued"
    ISSUER_NOT_FOUND = "IssuerNotFound"
    ISSUER_TYPE_MISSING = "IssuerTypeMissing"
    ISSUER_NOT_READY = "IssuerNotReady"
    DECODE_ERROR = "DecodeError"
    SECRET_MISSING = "SecretMissing"  # noqa: S105  a reason
    SECRET_INVALID_DATA = "SecretInvalidData"  # noqa: S105  a reason
    SECRET_GET_ERROR = "SecretGetError"  # noqa: S105  a reason
    SIGNING_ERROR = "SigningError"
    MISSING_ANNOTATION = "MissingAnnotation"
    MISSING_SECRET = "MissingSecret"  # noqa: S105  a reason
    ERROR_PARSING_KEY = "ErrorParsingKey"
    ERROR_GETTING_SECRET = "ErrorGettingSecret"  # noqa: S105  a reason
    ERROR_GENERATING = "ErrorGenerating"
    ERROR_PUBLIC_KEY = "ErrorPublicKey"
    ERROR_KEY_MATCH = "ErrorKeyMatch"
    ERROR_SIGNING = "ErrorSigning"
    BAD_CONFIG = "BadConfig"
    VAULT_INIT_ERROR = "VaultInitError"
    VENAFI_INIT_ERROR = "VenafiInitError"
    CUSTOM_FIELDS_ERROR = "CustomFieldsError"
    REQUEST_ERROR = "RequestError"
    ISSUANCE_PENDING = "IssuancePending"
    RETRIEVE_ERROR = "RetrieveError"
    PARSE_ERROR = "ParseError"
    REQUEST_PARSING_ERROR = "RequestParsingError"
    INVALID_ORDER = "InvalidOrder"
    ORDER_BUILDING_ERROR = "OrderBuildingError"
    ORDER_CREATING_ERROR = "OrderCreatingError"
    ORDER_CREATED = "OrderCreated"
    ORDER_GET_ERROR = "OrderGetError"
    ORDER_FAILED = "OrderFailed"
    ORDER_PENDING = "OrderPending"


class IssuerReason:
    """Reasons in conditions and events of issuers."""

    ACME_ACCOUNT_REGISTERED = "ACMEAccountRegistered"
    ERR_REGISTER_ACME_ACCOUNT = "ErrRegisterACMEAccount"
    ERR_VERIFY_ACME_ACCOUNT = "ErrVerifyACMEAccount"
    ERR_UPDATE_ACME_ACCOUNT = "ErrUpdateACMEAccount"
    INVALID_CONFIG = "InvalidConfig"
    INVALID_URL = "InvalidURL"
    INVALID_SOLVER = "InvalidSolver"
    KEY_PAIR_VERIFIED = "KeyPairVerified"
    ERR_GET_KEY_PAIR = "ErrGetKeyPair"
    ERR_INVALID_KEY_PAIR = "ErrInvalidKeyPair"
    IS_READY = "IsReady"
    VAULT_VERIFIED = "VaultVerified"
    VAULT_ERROR = "VaultError"
    VENAFI_STARTED = "Certificate Manager issuer started"
    AUTH_FAILED = "AuthFailed"
    ERROR_SETUP = "ErrorSetup"
    ERR_INIT_ISSUER = "ErrInitIssuer"
    READY = "Ready"


class AcmeEvent:
    """Reasons of events on Orders and Challenges."""

    SOLVER = "Solver"
    CREATED = "Created"
    COMPLETE = "Complete"
    STARTED = "Started"
    PRESENTED = "Presented"
    DOMAIN_VERIFIED = "DomainVerified"
    PRESENT_ERROR = "PresentError"
    CLEAN_UP_ERROR = "CleanUpError"
    FAILED = "Failed"


class ShimEvent:
    """Reasons of events on Ingresses, Gateways and ListenerSets."""

    CREATE_CERTIFICATE = "CreateCertificate"
    UPDATE_CERTIFICATE = "UpdateCertificate"
    DELETE_CERTIFICATE = "DeleteCertificate"
    BAD_CONFIG = "BadConfig"
