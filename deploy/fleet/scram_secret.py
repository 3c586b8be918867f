"""What PostgreSQL and PgBouncer keep of a password, made from the password on standard input: docs/fleet.md.

Dagster connects for each of some 170 transactions in a run, and each time both sides would go through 4,096 rounds of
hashing, a fifth of the CPU time of a sync. The rounds protect passwords that can be guessed, not 24 random bytes.
"""

import hmac
import os
import sys
from base64 import b64encode
from hashlib import pbkdf2_hmac, sha256

ROUNDS = 16
SHORTEST = 32  # characters; shorter ones can be guessed, and want their rounds


def scram_secret(password: str) -> str:
    """As in `pg_authid.rolpassword` (RFC 5803). Raises `ValueError` for a short password."""
    if len(password) < SHORTEST or not password.isascii():
        raise ValueError(f"The password needs at least {SHORTEST} random characters: openssl rand -hex 24")
    salt = os.urandom(16)
    salted = pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS)
    stored = sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${ROUNDS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _text(value: bytes) -> str:
    return b64encode(value).decode()


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{scram_secret(sys.stdin.readline().strip())}\n")
    except ValueError as error:
        sys.exit(str(error))
