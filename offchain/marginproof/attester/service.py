"""The attester's HTTP service: POST /sign takes a proposal, POST /tickets would-be portfolios, GET /health says who it is."""

from __future__ import annotations

import logging
import socket
import threading

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from marginproof.attester.checks import Attester
from marginproof.attester.tickets import sign_tickets
from marginproof.errors import MarginproofError, PortInUseError
from marginproof.protocol.messages import Health, Proposal, Refusal, Signed, TicketRequest

log = logging.getLogger("marginproof.attester")


def create_app(attester: Attester) -> FastAPI:
    """The application around one attester. Refusals are HTTP 409 with one sentence; malformed proposals 422."""
    app = FastAPI(title="marginproof attester", docs_url=None, redoc_url=None)
    one_at_a_time = threading.Lock()

    @app.exception_handler(MarginproofError)
    def refuse(_: Request, error: MarginproofError) -> JSONResponse:
        log.warning("refused: %s", error)
        return JSONResponse(Refusal(refused=str(error)).model_dump(), status_code=409)

    @app.exception_handler(RequestValidationError)
    def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        problems = "; ".join(
            f"{'.'.join(map(str, item['loc'][1:]))}: {item['msg']}" for item in error.errors()
        )
        return JSONResponse(Refusal(refused=f"Malformed request: {problems}.").model_dump(), status_code=422)

    @app.post("/sign")
    def sign(proposal: Proposal) -> Signed:
        with one_at_a_time:
            signature = attester.sign(proposal)
        log.info("signed round %d of time %d", proposal.header.round, proposal.header.time)
        return Signed(signer=attester.signer.address, signature="0x" + signature.hex())

    @app.post("/tickets")
    def tickets(request: TicketRequest) -> Signed:
        with one_at_a_time:
            signature = sign_tickets(attester.signer, attester.replayer, request)
        accounts = ", ".join(str(entry.account) for entry in request.entries)
        log.info("signed tickets of round %d for accounts %s", request.round, accounts)
        return Signed(signer=attester.signer.address, signature="0x" + signature.hex())

    @app.get("/health")
    def health() -> Health:
        chain_id = attester.replayer.venue.deployment.chain_id
        return Health(
            signer=attester.signer.address,
            chain_id=chain_id,
            last_round=attester.rounds.last,
            signed_rounds=attester.rounds.newest(),
        )

    return app


def serve(attester: Attester, host: str, port: int) -> None:
    """Serve until interrupted. Error: PortInUseError before anything starts."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise PortInUseError(
                f"The attester cannot listen on {host}:{port}: {error.strerror}.",
                "Choose another port with --port.",
            ) from error
        log.info(
            "%s serves http://%s:%d, last round signed: %d",
            attester.signer.address,
            host,
            port,
            attester.rounds.last,
        )
        config = uvicorn.Config(create_app(attester), log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])
