"""The server's private key and its certificate: made on the first start, or the operator's own.

The certificate is signed by its own key and says nothing of worth: clients know a server by its key.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import stat
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from msgspec import Struct

from twocans.common.atomic_file import set_aside
from twocans.common.new_file import NewFileError, new_file
from twocans.hub.hub import EventLog
from twocans.protocol.keys import ServerKey, server_key
from twocans.protocol.text_files import decode_text_file
from twocans.server.transports.tls import server_context

KEY_FILE: Final = "server.key"
CERTIFICATE_FILE: Final = "server.crt"
COMMON_NAME: Final = "Twocans server"
VALID_DAYS: Final = 100 * 365
"""As good as for ever: that a date passes makes no key less safe, but would lock everybody out."""
BACKDATED_DAYS: Final = 365
"""Clients whose clocks are behind take the certificate too."""
_OTHERS_READ: Final = stat.S_IRGRP | stat.S_IROTH


class CertificateError(Exception):
    """There is no key or certificate to serve with; the sentence says why and what to do."""


class Identity(Struct, frozen=True):
    """What a server proves itself with: settings for TLS with its key in them, and what clients know it by."""

    context: ssl.SSLContext
    key: ServerKey


def own_identity(folder: Path, *, log: EventLog) -> Identity:
    """The identity that is kept in a folder, made if there is none yet.

    Raises:
        CertificateError: its files cannot be made, read or used.
    """
    key_file, certificate_file = folder / KEY_FILE, folder / CERTIFICATE_FILE
    # The certificate comes last: if it is missing, the making was cut short, or it is easily made again.
    if not key_file.exists():
        if certificate_file.exists():
            raise CertificateError(
                f"{certificate_file} is there, but the key that belongs to it, {key_file}, is not. Bring that "
                "back from a backup. Without one, rename the certificate, and your users have to compare a new key"
            )
        _place(key_file, _private_pem(ec.generate_private_key(ec.SECP256R1())))
    _close_to_others(key_file, log)
    key = _read_key(key_file)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        _set_aside_if_damaged(certificate_file, log)
    if not certificate_file.exists():
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise CertificateError(
                f"{key_file} is not a key that this server has made. Give your own with --cert and --key"
            )
        _place(certificate_file, _self_signed(key))
    return _identity(
        certificate_file,
        key_file,
        remedy=(
            f"If {key_file} is the right key, delete {certificate_file} alone: a new certificate is made for the same "
            "key, and your users notice nothing. Otherwise bring both files back from a backup"
        ),
    )


def given_identity(certificate: Path, key: Path, *, log: EventLog) -> Identity:
    """The identity of files that the operator has named.

    Raises:
        CertificateError: they cannot be read or used.
    """
    if _mode(key) & stat.S_IROTH:
        log("key_readable", file=str(key), closed=False)
    return _identity(certificate, key, remedy="Give the two that belong together with --cert and --key")


def passing_identity(*, log: EventLog) -> Identity:
    """An identity for a server that keeps nothing.

    Raises:
        CertificateError: there is no place for it even for a moment, which is what OpenSSL takes.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="twocans-") as folder:
            return own_identity(Path(folder), log=log)
    except OSError as error:
        raise CertificateError(f"A key cannot be made for want of temporary files ({_why(error)})") from None


def _identity(certificate_file: Path, key_file: Path, *, remedy: str) -> Identity:
    key = _read_key(key_file)
    try:
        certificate = _certificate(certificate_file)
        certified = _public_der(certificate.public_key())
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateError(f"{certificate_file} is not a certificate in PEM. {remedy}") from None
    public = _public_der(key.public_key())
    if certified != public:
        raise CertificateError(f"{certificate_file} does not belong to the key in {key_file}. {remedy}")
    try:
        context = _context(certificate_file, key_file)
    except (ssl.SSLError, OSError) as error:
        raise CertificateError(
            f"{certificate_file} and {key_file} cannot be used ({_why(error)}). {remedy}"
        ) from None
    return Identity(context, server_key(public))


def _context(certificate_file: Path, key_file: Path) -> ssl.SSLContext:
    """Load both into OpenSSL, which takes only files, and none with a byte order mark.

    Raises:
        ssl.SSLError: they cannot be used.
        OSError: they cannot be read, or there is no place for copies of them.
    """
    files = (certificate_file, key_file)
    if all(_read(file) == file.read_bytes() for file in files):
        return server_context(*files)
    with tempfile.TemporaryDirectory(prefix="twocans-") as folder:
        copies = Path(folder, CERTIFICATE_FILE), Path(folder, KEY_FILE)
        for file, copy in zip(files, copies, strict=True):
            copy.write_bytes(_read(file))
        return server_context(*copies)


def _set_aside_if_damaged(certificate_file: Path, log: EventLog) -> None:
    """Rename a certificate that is none any more, for example empty after a full disk: a new one is as good."""
    if not certificate_file.exists():
        return
    try:
        _certificate(certificate_file)
    except (ValueError, UnsupportedAlgorithm):
        pass
    else:
        return
    try:
        aside = set_aside(certificate_file)
    except OSError as error:
        raise CertificateError(
            f"{certificate_file} is damaged and cannot be renamed ({_why(error)}). Delete this file alone: a new "
            "certificate is made for the same key, and your users notice nothing"
        ) from None
    log("certificate_replaced", file=str(certificate_file), aside=str(aside))


def _certificate(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(_read(file))


def _read_key(file: Path) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(_read(file), password=None)
    except TypeError:
        raise CertificateError(
            f"The key in {file} is protected by a password, which nobody can type when the server starts. "
            "Use one without: openssl pkey -in OLD -out NEW"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateError(
            f"{file} holds no private key in PEM that can be used. Bring it back from a backup, or use another"
        ) from None


def _read(file: Path) -> bytes:
    """The content without a byte order mark."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # reading a pipe or device may never end
            raise CertificateError(
                f"{file} cannot be read (not a file). It has to be a file that the server may read"
            )
        content = file.read_bytes()
    except OSError as error:
        raise CertificateError(
            f"{file} cannot be read ({_why(error)}). It has to be a file that the server may read"
        ) from None
    try:
        return decode_text_file(content).encode()
    except UnicodeDecodeError:
        return content  # refused by whoever reads it as PEM


def _place(file: Path, content: bytes) -> None:
    try:
        with new_file(file, replace=False) as unfinished, unfinished.open("r+b") as opened:
            opened.write(content)
    except NewFileError as error:
        raise CertificateError(str(error)) from None


def _close_to_others(file: Path, log: EventLog) -> None:
    if not _mode(file) & _OTHERS_READ:
        return
    # What is another's, or on a file system without owners, stays as it is; that is told.
    with contextlib.suppress(OSError):
        file.chmod(0o600)
    log("key_readable", file=str(file), closed=not _mode(file) & _OTHERS_READ)


def _mode(file: Path) -> int:
    """The permissions of a file; none where they are not of that kind, or it cannot be read anyway."""
    if sys.platform == "win32":
        return 0
    try:
        return file.stat().st_mode
    except OSError:
        return 0


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public_der(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _self_signed(key: ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, COMMON_NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=BACKDATED_DAYS))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)


def _why(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno and not isinstance(error, ssl.SSLError) else str(error)
