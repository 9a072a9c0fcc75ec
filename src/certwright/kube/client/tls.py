"""TLS towards the API server."""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path

from certwright.kube.client.connection import Trust
from certwright.kube.client.credentials import KeyPair
from certwright.kube.client.errors import BadConnection
from certwright.rest import tls_context


def client_context(trust: Trust, pair: KeyPair | None) -> ssl.SSLContext:
    """TLS that trusts what the connection says, showing the certificate where there is one."""
    try:
        context = tls_context(trust.ca, system_roots=not trust.ca, skip_verify=trust.skip_verify)
    except ValueError as error:
        raise BadConnection(f"The certificate authority of the API server cannot be used: {error}.") from error
    if pair is not None:
        _show(context, pair)
    return context


def _show(context: ssl.SSLContext, pair: KeyPair) -> None:
    # The ssl module reads key pairs from files only.
    handle, name = tempfile.mkstemp(prefix="certwright-", suffix=".pem")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pair.key.rstrip() + b"\n" + pair.certificate)
        # Without the callback an encrypted key would ask at the terminal.
        context.load_cert_chain(name, password=_no_password)
    except (ssl.SSLError, ValueError, OSError) as error:
        raise BadConnection(
            "The client certificate and its key cannot be used: give a PEM certificate with the PEM key that fits it, "
            "and no password."
        ) from error
    finally:
        Path(name).unlink(missing_ok=True)


def _no_password() -> str:
    raise ValueError("the key is encrypted")
