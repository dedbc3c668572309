"""Signing keys: from an encrypted keystore file or an environment variable, never from the command line.

MARGINPROOF_KEY                 a private key in hex (test chains)
MARGINPROOF_KEYSTORE            path of an encrypted keystore file (Web3 Secret Storage, version 3)
MARGINPROOF_KEYSTORE_PASSWORD   its password; asked for at the terminal when unset
"""

from __future__ import annotations

import getpass
import json
import os
import sys
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount

from marginproof.errors import InputError

KEY_VARIABLE = "MARGINPROOF_KEY"
KEYSTORE_VARIABLE = "MARGINPROOF_KEYSTORE"
PASSWORD_VARIABLE = "MARGINPROOF_KEYSTORE_PASSWORD"  # noqa: S105 - the name of a variable, not a password


def load_signer(keystore: Path | None = None) -> LocalAccount:
    """The signer of this process: the given keystore, else the one named in the environment, else the key there.

    Errors: InputError saying which of them is missing or wrong. The key itself is never repeated.
    """
    path = keystore or (Path(os.environ[KEYSTORE_VARIABLE]) if os.environ.get(KEYSTORE_VARIABLE) else None)
    if path is not None:
        return _from_keystore(path)
    key = os.environ.get(KEY_VARIABLE)
    if not key:
        raise InputError(
            "No signing key is set.",
            f"Give --keystore FILE, or set {KEYSTORE_VARIABLE} or, on a test chain, {KEY_VARIABLE} in the environment.",
        )
    try:
        signer: LocalAccount = Account.from_key(key)
    except ValueError as error:
        raise InputError(f"{KEY_VARIABLE} does not hold a private key (32 bytes in hex).") from error
    return signer


def _from_keystore(path: Path) -> LocalAccount:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"The keystore {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"The keystore {path} is not JSON.") from error
    password = os.environ.get(PASSWORD_VARIABLE)
    if password is None:
        if not sys.stdin.isatty():
            raise InputError(f"The keystore {path} needs a password.", f"Set {PASSWORD_VARIABLE}.")
        password = getpass.getpass(f"Password of {path}: ")
    try:
        signer: LocalAccount = Account.from_key(Account.decrypt(content, password))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"The keystore {path} cannot be opened: wrong password or not a version-3 keystore."
        ) from error
    return signer
