"""One small venue for all tests here; each test starts from its state and leaves nothing behind."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from marginproof.spec.portfolio import Position
from operators.stage import Stage, small_venue


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with small_venue(tmp_path_factory.mktemp("venue")) as stage:
        yield stage


@pytest.fixture
def stage(built: Stage) -> Iterator[Stage]:
    """The venue with two epochs posted; the chain is put back afterwards."""
    mark = built.chain.rpc("evm_snapshot")
    portfolios: list[tuple[Position, ...]] = list(built.world.portfolios)
    yield built
    built.chain.rpc("evm_revert", mark)
    built.world.portfolios = portfolios


@pytest.fixture(autouse=True)
def _plain_logging() -> Iterator[None]:
    """As in a fresh process: a command run earlier in this one may have sent our log to its own stream."""
    logger = logging.getLogger("marginproof")
    handlers, propagate, level = logger.handlers[:], logger.propagate, logger.level
    logger.handlers[:], logger.propagate = [], True
    yield
    logger.handlers[:], logger.propagate, logger.level = handlers, propagate, level
