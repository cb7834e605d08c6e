"""Certificates as servers have them that are well or badly kept, made anew: nothing of them is worth keeping."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)
_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """Who signs certificates. `save` writes its own, for those who trust it."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        until = datetime.now(UTC) + 2 * _DAY
        self._own = self._signed(self._name, self._key, until, x509.BasicConstraints(True, 0), _SIGNS)

    def save(self, path: Path) -> None:
        """Its own certificate."""
        path.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))

    def issue(self, path: Path, host: str, *, expired: bool = False) -> None:
        """A server's key and certificate in one file. `host`: an address or a name."""
        key = ec.generate_private_key(ec.SECP256R1())
        until = datetime.now(UTC) + (-_DAY if expired else _DAY)
        certificate = self._signed(_named("server"), key, until, x509.SubjectAlternativeName([_host(host)]))
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        until: datetime,
        *extensions: x509.ExtensionType,
    ) -> x509.Certificate:
        key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = (
            x509.CertificateBuilder(self._name, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(until - 7 * _DAY)
            .not_valid_after(until)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(key_id, critical=False)
        )
        for each in extensions:
            builder = builder.add_extension(each, critical=not isinstance(each, x509.SubjectAlternativeName))
        return builder.sign(self._key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
