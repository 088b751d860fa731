"""The server's key and certificate: made once, kept to their owner, and refused with a sentence if they do not fit."""

from __future__ import annotations

import os
import shutil
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.unit.hub.fakes import RecordedLog
from twocans.protocol.keys import ServerKey, server_key
from twocans.server.identity.certificate import (
    CERTIFICATE_FILE,
    KEY_FILE,
    CertificateError,
    given_identity,
    own_identity,
    passing_identity,
)

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no such permissions")


def own(folder: Path, log: RecordedLog | None = None) -> ServerKey:
    return own_identity(folder, log=log or RecordedLog()).key


def test_first_start_makes_a_key_and_a_certificate_that_later_ones_keep(tmp_path: Path) -> None:
    key = own(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [CERTIFICATE_FILE, KEY_FILE]
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert own(tmp_path) == key
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_certificate_is_for_the_key_and_for_ever(tmp_path: Path) -> None:
    key = own(tmp_path)
    certificate = x509.load_pem_x509_certificate((tmp_path / CERTIFICATE_FILE).read_bytes())
    public = certificate.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert isinstance(public.curve, ec.SECP256R1)
    assert key == server_key(
        public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    assert certificate.subject == certificate.issuer
    assert certificate.subject.rfc4514_string() == "CN=Twocans server"
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days > 99 * 365


@posix
def test_only_the_owner_may_read_the_key(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        own(tmp_path)
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


@posix
def test_key_that_others_could_read_is_closed_to_them_and_told(tmp_path: Path) -> None:
    key = own(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)
    log = RecordedLog()
    assert own(tmp_path, log) == key
    assert log.events == [("key_readable", {"file": str(tmp_path / KEY_FILE), "closed": True})]
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert own(tmp_path, log) == key
    assert len(log.events) == 1


@posix
def test_key_of_the_operator_that_others_can_read_is_told_and_left_alone(tmp_path: Path) -> None:
    own(tmp_path)
    file = tmp_path / KEY_FILE
    file.chmod(0o644)
    log = RecordedLog()
    given_identity(tmp_path / CERTIFICATE_FILE, file, log=log)
    assert log.events == [("key_readable", {"file": str(file), "closed": False})]
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_making_that_was_cut_short_is_finished_with_the_same_key(tmp_path: Path) -> None:
    key = own(tmp_path)
    (tmp_path / CERTIFICATE_FILE).unlink()
    (tmp_path / ".unfinished-abc").mkdir()
    assert own(tmp_path) == key


def test_certificate_without_its_key_is_no_new_server_in_silence(tmp_path: Path) -> None:
    own(tmp_path)
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(CertificateError, match="backup"):
        own(tmp_path)
    assert not (tmp_path / KEY_FILE).exists()


def test_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    own(tmp_path)
    own(other)
    shutil.copy(other / KEY_FILE, tmp_path / KEY_FILE)
    with pytest.raises(CertificateError, match="does not belong to the key") as error:
        own(tmp_path)
    assert str(tmp_path / CERTIFICATE_FILE) in str(error.value)


NOT_PEM = [b"", bytes(300), b"nonsense", b"\xff\x00", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"]


@pytest.mark.parametrize("content", NOT_PEM)
def test_key_that_is_none_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    own(tmp_path)
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(CertificateError, match="in PEM") as error:
        own(tmp_path)
    assert str(tmp_path / KEY_FILE) in str(error.value)
    assert (tmp_path / KEY_FILE).read_bytes() == content


@pytest.mark.parametrize("content", NOT_PEM)
def test_damaged_certificate_is_set_aside_and_made_anew_for_the_same_key(
    tmp_path: Path, content: bytes
) -> None:
    key = own(tmp_path)
    file = tmp_path / CERTIFICATE_FILE
    file.write_bytes(content)
    log = RecordedLog()
    assert own(tmp_path, log) == key
    (aside,) = tmp_path.glob("server.damaged-*.crt")
    assert aside.read_bytes() == content
    assert log.events == [("certificate_replaced", {"file": str(file), "aside": str(aside)})]
    assert own(tmp_path, log) == key
    assert len(log.events) == 1


@pytest.mark.parametrize("content", NOT_PEM)
def test_damaged_certificate_of_the_operator_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    own(tmp_path)
    file = tmp_path / CERTIFICATE_FILE
    file.write_bytes(content)
    with pytest.raises(CertificateError, match="in PEM") as error:
        given_identity(file, tmp_path / KEY_FILE, log=RecordedLog())
    assert str(file) in str(error.value)
    assert file.read_bytes() == content


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", [KEY_FILE, CERTIFICATE_FILE])
def test_file_that_an_editor_has_saved_with_a_mark_serves(tmp_path: Path, name: str, encoding: str) -> None:
    key = own(tmp_path)
    file = tmp_path / name
    file.write_bytes(file.read_text().encode(encoding))
    assert own(tmp_path) == key
    assert given_identity(tmp_path / CERTIFICATE_FILE, tmp_path / KEY_FILE, log=RecordedLog()).key == key


def test_advice_for_a_certificate_of_another_key_keeps_the_key(tmp_path: Path) -> None:
    key = own(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    own(other)
    shutil.copy(other / CERTIFICATE_FILE, tmp_path / CERTIFICATE_FILE)
    with pytest.raises(CertificateError) as error:
        own(tmp_path)
    assert f"delete {tmp_path / CERTIFICATE_FILE} alone" in str(error.value)
    (tmp_path / CERTIFICATE_FILE).unlink()
    assert own(tmp_path) == key


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes there")
@pytest.mark.parametrize("name", [KEY_FILE, CERTIFICATE_FILE])
def test_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    own(tmp_path)
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    with pytest.raises(CertificateError, match=f"{name} cannot be read \\(not a file\\)"):
        own(tmp_path)


@pytest.mark.parametrize("name", [KEY_FILE, CERTIFICATE_FILE])
def test_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    own(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    with pytest.raises(CertificateError, match="cannot be read") as error:
        own(tmp_path)
    assert str(tmp_path / name) in str(error.value)


def test_key_with_a_password_is_refused_without_asking_for_it(tmp_path: Path) -> None:
    own(tmp_path)
    file = tmp_path / KEY_FILE
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(CertificateError, match="password"):
        own(tmp_path)


def test_own_files_of_another_kind_of_key_serve(tmp_path: Path) -> None:
    certificate, key = tmp_path / "a.crt", tmp_path / "a.key"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=den"]
    subprocess.run([*made, "-out", certificate, "-keyout", key], check=True, capture_output=True)
    identity = given_identity(certificate, key, log=RecordedLog())
    assert isinstance(identity.context, ssl.SSLContext)
    assert len(identity.key) == 64


def test_key_that_is_too_weak_is_refused_with_the_reason(tmp_path: Path) -> None:
    certificate, key = tmp_path / "a.crt", tmp_path / "a.key"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=den"]
    subprocess.run([*made, "-out", certificate, "-keyout", key], check=True, capture_output=True)
    with pytest.raises(CertificateError, match="cannot be used"):
        given_identity(certificate, key, log=RecordedLog())


def test_server_that_keeps_nothing_has_a_new_key_each_time() -> None:
    log = RecordedLog()
    assert passing_identity(log=log).key != passing_identity(log=log).key
    assert log.events == []
