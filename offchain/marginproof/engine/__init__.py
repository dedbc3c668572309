"""The same arithmetic as the specification, compiled and over arrays, for whole epochs.

    instruments = columns_of_ids(table, ids)        once per listing
    values = value(instruments, market, model)      once per market: every instrument in every scenario
    margins = net(portfolios, values)               every account's figures, exactly
    hashes = leaves(leaf_columns(...))              every account's leaf
    root(hashes)                                    the tree

`epoch.compute` does the last three; `epoch.advance` keeps what the previous epoch has already; `partition` divides one epoch
among machines. Columns, dtypes and units are documented where they are defined: `instruments`, `netting`, `values`, `leaves`, `tree`.
"""

from .instruments import columns_of, columns_of_ids
from .leaves import leaf_hashes as leaves
from .netting import Portfolios, net, portfolio_columns
from .tree import root
from .values import value

__all__ = [
    "Portfolios",
    "columns_of",
    "columns_of_ids",
    "leaves",
    "net",
    "portfolio_columns",
    "root",
    "value",
]
