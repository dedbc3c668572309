"""The normative specification: pure Python integers, slow and literate. What the other implementations must equal, bit for bit.

Read in this order:

1. `units`, `limits`, `fixed_point`      scales, ranges, the only roundings
2. `logarithm`, `gaussian`, `black76`    pricing
3. `svi`, `instruments`, `market`        what is priced, from what
4. `model`, `scenario`, `margin`         what is asked of an account
5. `portfolio`, `tree`, `typed_data`     what is committed and signed
6. `bounds`                              why nothing can overflow

No float appears in this package.
"""
