"""One JSON-over-HTTP piece with typed errors, for every cloud and CA."""

from certwright.rest.client import RestAnswer, RestClient, RestOptions, RestRequest
from certwright.rest.errors import LONGEST_RETRY, RestError, parse_retry_after
from certwright.rest.proxies import Proxies
from certwright.rest.secret_text import HIDDEN, SecretText
from certwright.rest.transport import Now, Transport, read_bounded, show_certificate, tls_context
from certwright.rest.words import LONGEST_WORDS, failure_words, redact, words_of

__all__ = [
    "HIDDEN",
    "LONGEST_RETRY",
    "LONGEST_WORDS",
    "Now",
    "Proxies",
    "RestAnswer",
    "RestClient",
    "RestError",
    "RestOptions",
    "RestRequest",
    "SecretText",
    "Transport",
    "failure_words",
    "parse_retry_after",
    "read_bounded",
    "redact",
    "show_certificate",
    "tls_context",
    "words_of",
]
