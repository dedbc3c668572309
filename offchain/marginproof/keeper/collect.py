"""Collecting signatures from attesters over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import httpx
from pydantic import ValidationError

from marginproof.errors import MarginproofError
from marginproof.keeper.propose import ProposedEpoch
from marginproof.protocol.messages import Refusal, Signed
from marginproof.protocol.signing import recover
from marginproof.protocol.venue import Venue

_TIMEOUT_SECONDS = 60.0


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

    body: str
    separator: bytes
    struct_hash: bytes
    members: frozenset[str]


def _ask(url: str, request: _Request) -> Answer:
    def failed(reason: str) -> Answer:
        return Answer(url, None, b"", reason)

    try:
        response = httpx.post(
            f"{url}/sign",
            content=request.body,
            headers={"content-type": "application/json"},
            timeout=_TIMEOUT_SECONDS,
        )
    except httpx.HTTPError as error:
        return failed(f"no answer ({type(error).__name__})")
    try:
        if response.status_code != httpx.codes.OK:
            return failed(Refusal.model_validate_json(response.content).refused)
        answer = Signed.model_validate_json(response.content)
    except ValidationError:
        return failed(f"an answer that is not ours (HTTP {response.status_code})")
    signature = bytes.fromhex(answer.signature[2:])
    recovered = recover(signature, request.separator, request.struct_hash)
    if recovered is None:
        return failed("a malformed signature")
    if recovered != answer.signer or recovered not in request.members:
        return failed(f"a signature by {recovered}, not by a member under its own name")
    return Answer(url, recovered, signature, "signed")


def collect(venue: Venue, epoch: ProposedEpoch, urls: Sequence[str]) -> tuple[bytes, list[Answer]]:
    """Ask every attester and pack exactly k signatures in signer order.

    All are asked at once; it returns as soon as k valid answers are in. Errors: QuorumNotReachedError, with each reason.
    """
    threshold = venue.call("AttesterSet", "threshold")
    request = _Request(
        epoch.message().model_dump_json(),
        venue.domain("EpochRegistry"),
        epoch.header.struct_hash(),
        frozenset(venue.call("AttesterSet", "attesters")),
    )
    answers: list[Answer] = []
    valid: dict[str, bytes] = {}
    pool = ThreadPoolExecutor(max_workers=max(1, len(urls)))
    try:
        for future in as_completed([pool.submit(_ask, url.rstrip("/"), request) for url in urls]):
            answer = future.result()
            answers.append(answer)
            if answer.signer is not None:
                valid[answer.signer] = answer.signature
            if len(valid) == threshold:
                break
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    if len(valid) < threshold:
        raise QuorumNotReachedError(answers, threshold)
    chosen = sorted(valid, key=lambda signer: int(signer, 16))[:threshold]
    return b"".join(valid[signer] for signer in chosen), answers
