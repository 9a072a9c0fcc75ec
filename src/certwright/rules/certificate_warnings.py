"""What a Certificate may say, though it will not do what its author thinks."""

from __future__ import annotations

from certwright.api import certmanager_v1 as cm


def certificate_warnings(spec: cm.CertificateSpec) -> tuple[str, ...]:
    """Sentences for the author."""
    percentage = spec.renew_before_percentage
    if percentage is None or 0 < percentage < 100:
        return ()
    return (
        f"spec.renewBeforePercentage: {percentage} is ignored, since only 1 to 99 make sense; "
        "the certificate is renewed when a third of its life is left.",
    )
