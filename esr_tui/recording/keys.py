"""The node's key: Ed25519, made when the node first captures; the private half never leaves `node.key`.

    <data_dir>/node.key   PKCS 8, PEM, mode 0600
    <data_dir>/node.pub   the public half, PEM: what a reader keeps elsewhere, to know the node's seals by

A lost key is no loss of evidence: what it has sealed is still verified with its public half, and a new one is made,
which the node's chain says. Whoever is root on the node can read the key: seals prove that nobody else has altered
a recording, and, with a public key or a line of the chain that was kept elsewhere, in which order they were made.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from esr_tui.model.text import printable
from esr_tui.recording import files
from esr_tui.recording.errors import RecordingError, StoreError, read_failed, write_failed

_LIMIT = 64 << 10
_PREFIX = bytes.fromhex("302a300506032b6570032100")
"""What stands before the 32 bytes of an Ed25519 public key in its DER (RFC 8410)."""
_BLOCK = re.compile(rb"-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]{1,400}?)-----END PUBLIC KEY-----")


def key_id(public: bytes) -> str:
    """The 16 hexadecimal digits by which lines name a public key of 32 bytes."""
    return hashlib.sha256(public).hexdigest()[:16]


class Signer:
    """The private key.

    Attributes:
        id: by which lines name it.
        public: its public half, 32 bytes.
    """

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        self.id = key_id(self.public)

    def sign(self, data: bytes) -> bytes:
        """The signature, 64 bytes."""
        return self._key.sign(data)


def signer_of(data_dir: Path) -> Signer:
    """The node's key; it and `node.pub` are made where they are missing.

    Raises:
        StoreError: it cannot be read or made, or is no such key.
    """
    path = data_dir / "node.key"
    try:
        if not path.exists():
            _make(path)
        signer = Signer(_private(path))
        _publish(data_dir / "node.pub", signer.public)
    except OSError as error:
        raise write_failed(path, error) from error
    return signer


def own_signer(data_dir: Path) -> Signer | None:
    """The node's key, where it is there and this user may read it."""
    try:
        return Signer(_private(data_dir / "node.key"))
    except (OSError, StoreError):
        return None


def _make(path: Path) -> None:
    """Write a new key; when two processes race, the first one's stays. Raises OSError."""
    data = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, data)
        os.fsync(fd)
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        os.close(fd)
        temporary.unlink()


def _private(path: Path) -> Ed25519PrivateKey:
    """The key in a file. Raises OSError, StoreError."""
    data = files.read_bounded(path, _LIMIT)
    try:
        key = serialization.load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _no_key(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path)
    return key


def _no_key(path: Path) -> StoreError:
    return StoreError(
        f"{printable(str(path))} holds no Ed25519 key (PKCS 8, PEM, without a password); put it back from a"
        " backup, or move it away for a new one"
    )


def _publish(path: Path, public: bytes) -> None:
    """Keep the public half where readers look for it. Raises OSError."""
    with suppress(OSError, RecordingError):
        if public in read_public(path):
            return
    files.replace(path, pem(public))


def pem(public: bytes) -> bytes:
    """A public key of 32 bytes as other tools take it."""
    text = base64.b64encode(_PREFIX + public)
    return b"-----BEGIN PUBLIC KEY-----\n" + text + b"\n-----END PUBLIC KEY-----\n"


def read_public(path: Path) -> list[bytes]:
    """The public keys in a file of one or more PEM blocks, 32 bytes each.

    Raises:
        RecordingError: the file cannot be read, or holds no such key.
    """
    try:
        data = files.read_bounded(path, _LIMIT)
    except OSError as error:
        raise read_failed(path, error) from error
    found = []
    for block in _BLOCK.finditer(data):
        with suppress(binascii.Error, ValueError):
            der = base64.b64decode(b"".join(block[1].split()), validate=True)
            if der.startswith(_PREFIX) and len(der) == len(_PREFIX) + 32:
                found.append(der[len(_PREFIX) :])
    if not found:
        raise RecordingError(
            f"{printable(str(path))} holds no public key of a node; name a copy of its node.pub (PEM, Ed25519)"
        )
    return found


def signed_by(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether `signature` over `data` was made with the private half of a public key of 32 bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True
