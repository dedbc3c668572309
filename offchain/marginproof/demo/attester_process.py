"""One attester of the demonstration, as a process of its own. With --tamper it signs a wrong figure, to show that the audit finds it."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from pathlib import Path

from marginproof.attester.checks import Attester
from marginproof.attester.service import serve
from marginproof.attester.signed_rounds import SignedRounds
from marginproof.demo.tamper import Tamper
from marginproof.errors import MarginproofError
from marginproof.market.sources import MarketFolder
from marginproof.protocol.compute import epoch_of
from marginproof.protocol.deployment import load_deployment
from marginproof.protocol.keys import load_signer
from marginproof.protocol.replay import Replayer
from marginproof.protocol.venue import Venue


def _end_with_parent() -> None:
    """The parent holds the other end of our standard input; when it ends, however it ends, so do we."""

    def watch() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def main() -> int:
    """Serve until the parent ends. Returns the exit code of a failed start."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rpc", required=True)
    parser.add_argument("--deployment", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--tamper", default=None, help="TIME:UNITS, the snapshot time and the units of E8 to leave out"
    )
    options = parser.parse_args()
    _end_with_parent()
    try:
        venue = Venue.open(options.rpc, load_deployment(options.deployment))
        attester = Attester(
            load_signer(),
            Replayer(venue),
            MarketFolder(options.source),
            SignedRounds(options.state),
            compute=Tamper.parse(options.tamper).compute if options.tamper else epoch_of,
        )
        serve(attester, "127.0.0.1", options.port)
    except MarginproofError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
