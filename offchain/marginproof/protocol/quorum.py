"""Asking attesters over HTTP for signatures of one digest, and packing a quorum of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from marginproof.errors import MarginproofError
from marginproof.protocol.messages import Health, Refusal, Signed
from marginproof.protocol.signing import recover
from marginproof.protocol.venue import Venue

DEADLINE_SECONDS = 60.0
"""How long one attester may take to answer, from first to last byte."""
MAX_ANSWER_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Answer:
    """One attester's answer: a signature and its signer, or the reason why there is none."""

    url: str
    signer: str | None
    signature: bytes
    reason: str


class QuorumNotReachedError(MarginproofError):
    """Fewer valid signatures than the threshold."""

    def __init__(self, answers: Sequence[Answer], threshold: int) -> None:
        reasons = "; ".join(f"{answer.url}: {answer.reason}" for answer in answers if answer.signer is None)
        valid = sum(answer.signer is not None for answer in answers)
        super().__init__(f"{valid} valid signatures of {threshold} needed. {reasons}")
        self.answers = tuple(answers)


@dataclass(frozen=True, slots=True)
class _Request:
    """What every attester is asked, and how to check its answer."""

    path: str
    body: bytes
    separator: bytes
    struct_hash: bytes
    members: frozenset[str]


async def _exchange(
    client: httpx.AsyncClient, method: str, url: str, body: bytes | None
) -> tuple[int, bytes]:
    """Status and body of one exchange. Errors: httpx.HTTPError, TimeoutError past the deadline, ValueError for too long a body."""
    async with (
        asyncio.timeout(DEADLINE_SECONDS),
        client.stream(method, url, content=body, headers={"content-type": "application/json"}) as response,
    ):
        content = b""
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > MAX_ANSWER_BYTES:
                raise ValueError(f"an answer longer than {MAX_ANSWER_BYTES} bytes")
        return response.status_code, content


async def _ask(client: httpx.AsyncClient, url: str, request: _Request) -> Answer:
    def failed(reason: str) -> Answer:
        return Answer(url, None, b"", reason)

    try:
        status, content = await _exchange(client, "POST", f"{url}/{request.path}", request.body)
        if status != httpx.codes.OK:
            return failed(Refusal.model_validate_json(content).refused)
        answer = Signed.model_validate_json(content)
    except TimeoutError:
        return failed(f"no answer within {DEADLINE_SECONDS:g} s")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return failed(f"no answer ({type(error).__name__})")
    except ValueError:
        return failed("an answer that is not an attester's")
    signature = bytes.fromhex(answer.signature[2:])
    recovered = recover(signature, request.separator, request.struct_hash)
    if recovered is None:
        return failed("a malformed signature")
    if recovered != answer.signer:
        return failed(f"a signature by {recovered} under the name of {answer.signer}")
    if recovered not in request.members:
        return failed(
            f"a signature by {recovered}, whose signatures do not count now (`marginproof attester status`)"
        )
    return Answer(url, recovered, signature, "signed")


async def _ask_all(urls: Sequence[str], request: _Request, threshold: int) -> list[Answer]:
    """Answers in the order in which they come, until `threshold` signers have signed; the rest are let go."""
    answers: list[Answer] = []
    async with httpx.AsyncClient(timeout=DEADLINE_SECONDS, trust_env=False) as client:
        tasks = [asyncio.create_task(_ask(client, url.rstrip("/"), request)) for url in urls]
        try:
            for next_answer in asyncio.as_completed(tasks):
                answers.append(await next_answer)
                if len({answer.signer for answer in answers if answer.signer}) == threshold:
                    break
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return answers


def ask_quorum(
    venue: Venue, urls: Sequence[str], path: str, body: bytes, struct_hash: bytes
) -> tuple[bytes, list[Answer]]:
    """Post a request to every attester at once and pack exactly k signatures of the struct hash, in the epoch registry's domain, in
    signer order, as soon as k valid ones are in.

    No attester can hold it up longer than DEADLINE_SECONDS. Errors: QuorumNotReachedError, with each reason.
    """
    threshold = venue.call("AttesterSet", "threshold")
    members = frozenset(venue.call("AttesterSet", "attesters"))
    request = _Request(path, body, venue.domain("EpochRegistry"), struct_hash, members)
    answers = asyncio.run(_ask_all(urls, request, threshold))
    valid = {answer.signer: answer.signature for answer in answers if answer.signer is not None}
    if len(valid) < threshold:
        raise QuorumNotReachedError(answers, threshold)
    chosen = sorted(valid, key=lambda signer: int(signer, 16))[:threshold]
    return b"".join(valid[signer] for signer in chosen), answers


async def _signed_rounds(urls: Sequence[str]) -> set[int]:
    async with httpx.AsyncClient(timeout=DEADLINE_SECONDS, trust_env=False) as client:

        async def rounds(url: str) -> list[int]:
            try:
                _, content = await _exchange(client, "GET", f"{url.rstrip('/')}/health", None)
                return Health.model_validate_json(content).signed_rounds
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError):
                return []

        return {number for known in await asyncio.gather(*(rounds(url) for url in urls)) for number in known}


def signed_rounds(urls: Sequence[str]) -> set[int]:
    """Rounds that attesters say they have signed lately. Those that do not answer are taken to have signed nothing."""
    return asyncio.run(_signed_rounds(urls))
