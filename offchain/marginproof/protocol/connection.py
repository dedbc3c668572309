"""Reaching a chain over JSON-RPC."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential
from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception

from marginproof.errors import ChainError

_TIMEOUT_SECONDS = 20
_ATTEMPTS = 4
Result = TypeVar("Result")


def connect(rpc_url: str, expected_chain_id: int | None = None) -> Web3:
    """A connection to the node at `rpc_url`, after checking that it answers and is on the expected chain.

    Errors: ChainError when the address is not http(s), nobody answers, or the chain id differs.
    """
    if not rpc_url.startswith(("http://", "https://")):
        raise ChainError(
            f"The RPC address is {rpc_url!r}.", "Give an address that starts with http:// or https://."
        )
    web3 = Web3(HTTPProvider(rpc_url, request_kwargs={"timeout": _TIMEOUT_SECONDS}))
    chain_id = read(lambda: web3.eth.chain_id, rpc_url, "the chain id")
    if expected_chain_id is not None and chain_id != expected_chain_id:
        raise ChainError(
            f"The node at {rpc_url} is on chain {chain_id}, the deployment on chain {expected_chain_id}.",
            "Give the RPC address of the deployment's chain, or the deployment file of this chain.",
        )
    return web3


def read(call: Callable[[], Result], rpc_url: str, what: str) -> Result:
    """Run a read against the node, trying again with growing pauses when the connection fails.

    Errors: ChainError naming the address and what was asked.
    """
    attempts = Retrying(
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_exponential(multiplier=0.1, max=2),
        retry=retry_if_exception_type((requests.ConnectionError, requests.Timeout)),
        reraise=True,
    )
    try:
        return attempts(call)
    except requests.RequestException as error:
        raise ChainError(
            f"No answer from the node at {rpc_url} when asking for {what} ({type(error).__name__}).",
            "Check that the node runs and that the address is right.",
        ) from error
    except (Web3Exception, ValueError) as error:
        raise ChainError(f"The node at {rpc_url} refused to give {what}: {error}.") from error


def endpoint(web3: Web3) -> str:
    """The address behind a connection, for messages."""
    return str(getattr(web3.provider, "endpoint_uri", "the node"))
