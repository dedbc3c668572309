"""Plain words for what the specification and the contracts refuse by name."""

from __future__ import annotations

import re
from typing import Final

from marginproof.cli.numbers import exact
from marginproof.spec.errors import SpecError

_SPEC: Final = {
    "OutOfRange": "{field} is {value}; allowed: {low} to {high} (integers, in the field's own scale).",
    "NotIncreasing": "{value} follows {previous}; allowed: strictly increasing, each once.",
    "NegativeVariance": "the smile's least total variance is {minimumVariance} (WAD); allowed: at least 0.",
    "BadLength": "the encoding of {length} bytes is too short or too long for what it says it holds.",
    "BadVersion": "version {version} of the encoding is not known; allowed: 2.",
    "BadPortfolioLength": "{length} portfolio bytes; allowed: a multiple of 12.",
    "TooManyPositions": "{count} positions; allowed: at most {max}.",
    "PositionsNotSorted": "instrument id {id} follows {previous}; allowed: strictly increasing ids, each once.",
    "ZeroQuantity": "the quantity of instrument id {id} is 0; allowed: any other number (leave the position out).",
    "QuantityOutOfRange": "the quantity of instrument id {id} is {quantity} (E8); allowed: at most 10^16 either way.",
    "UnknownInstrument": "instrument id {id} is not listed by the venue.",
    "BadInstrumentFields": "no instrument id can hold {text}.",
    "MissingUnderlying": "the market has no underlying {underlying}.",
    "MissingExpiry": "the market has neither a quote nor a settlement price for expiry {expiry} (unix seconds).",
    "MissingModelSection": "the model has no section for underlying {underlying}.",
    "LeafOutOfRange": "there is no leaf {index}; the tree has {count}.",
    "BadProofLength": "the proof has {length} hashes; this tree needs {depth}.",
    "WrongRoot": "the proof leads to root {root}, the epoch's is {expected}.",
    "TooManyLeaves": "{count} leaves; allowed: at most 2^40.",
    "DivisionByZero": "a division by {denominator}.",
    "NegativeRoot": "a square root of {value}.",
}

_HINTS: Final = {
    "BelowInitialMargin": "After this the account would be below initial margin. Trade less, deposit first, or reduce risk.",
    "CashDeficit": "After this the account would owe cash that only its spot collateral covers. Deposit cash first.",
    "WithdrawalAboveAllowed": "Ask for less: margin holds the rest back.",
    "EpochExpired": "The newest epoch, or the market to be posted, is too old for the chain's clock. A newer market is needed.",
    "NoEpoch": "No epoch has been posted yet. Run a keeper first (`marginproof keeper once`).",
    "WrongPortfolio": "The account's positions changed in between. Try again.",
    "WrongMarket": "A newer epoch was posted in between. Try again.",
    "WrongRoot": "The leaf is none of the newest epoch, or the account traded after its block. Wait for the next epoch.",
    "AccountFrozen": "The account was called for margin. Bring it back above maintenance margin first.",
    "NotOwner": "Sign with the key of the account's owner.",
    "WrongOrderSigner": "The order has to be signed by the owner of its account.",
    "OrderExpired": "Sign the order again with a later deadline.",
    "OrderUsed": "This nonce was settled or cancelled already. Sign the order again with another one.",
    "OrdersDoNotMatch": "Both orders must name the same instrument, with equal and opposite quantities.",
    "PriceOutsideLimit": "The first order's price is the price of the trade; it is worse than the second order's limit.",
    "InstrumentNotListed": "`marginproof instrument list` shows what can be traded.",
    "InstrumentExpired": "It has expired; settle it with `marginproof instrument settle`.",
    "NothingToSettle": "No expired position of this account has a settlement price yet.",
    "SettlementNotOpen": "Until then only the account's owner may settle it.",
    "AccessControlUnauthorizedAccount": "Sign with the key that deployed the venue, or one that has this role.",
    "RoundNotNewer": "Somebody posted this round first. Try again.",
    "FeedDeviation": "The market's price is too far from the outside feed.",
    "FeedStale": "The outside price feed has not answered for too long.",
    "ExpiryNotQuoted": "The market has to quote every listed expiry that is still alive.",
    "ERC20InsufficientBalance": "The signer does not hold that many tokens.",
    "ERC20InsufficientAllowance": "The vault may not take that many tokens.",
    "AmountNotRepresentable": "The amount has more decimals than the vault keeps (8).",
    "EnforcedPause": "The venue is paused: deposits wait; withdrawals recomputed on chain, trades and settlement go on.",
    "AccountHealthy": "The account meets maintenance margin in this scenario.",
}

_REFUSAL: Final = re.compile(r"was refused: (\w+)\(")

_MONEY_E8: Final = {
    "AboveAttestedSize": ("amountE8", "maxE8"),
    "AccountHealthy": ("equity", "requirement"),
    "BelowInitialMargin": ("equity", "initialMargin"),
    "CashDeficit": ("deficit",),
    "FeedDeviation": ("priceE8", "feedPriceE8"),
    "OutflowBudgetExceeded": ("amountE8", "spentE8", "limitE8"),
    "PriceOutsideLimit": ("price", "limit"),
    "SettlementChanged": ("price", "stored"),
    "SliceRaisesRequirement": ("requirement", "remaining"),
    "StillUnhealthy": ("equity", "maintenanceMargin"),
    "WithdrawalAboveAllowed": ("requested", "allowed"),
}
"""Arguments of the contracts' errors that are USD in E8."""


def spec_sentence(error: SpecError) -> str:
    """The sentence for an error of the specification, with its values. Unknown names are given as they are."""
    pattern = _SPEC.get(error.name)
    if pattern is None:
        return f"refused: {error}."
    try:
        return pattern.format(**error.args_by_name)
    except KeyError:
        return f"refused: {error}."


def refusal_hint(message: str) -> str | None:
    """What to do about a contract's custom error, if the message carries one that we know."""
    found = _REFUSAL.search(message)
    return _HINTS.get(found[1]) if found else None


def in_dollars(message: str) -> str:
    """The message of a contract's refusal with those arguments in USD that the contract gives in E8; others as they are."""
    found = _REFUSAL.search(message)
    if found is None or found[1] not in _MONEY_E8:
        return message
    names = "|".join(_MONEY_E8[found[1]])

    def dollars(argument: re.Match[str]) -> str:
        return f"{argument[1].removesuffix('E8')}={exact(int(argument[2]))} USD"

    head, tail = message[: found.end()], message[found.end() :]
    return head + re.sub(rf"\b({names})=(-?[0-9]+)", dollars, tail)
