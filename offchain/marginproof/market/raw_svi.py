"""A raw SVI smile in floats, with its derivatives: for fitting, checks and display. Nothing committed is computed here.

Formula: w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)), the total variance at k = ln(strike / forward).
Source: J. Gatheral and A. Jacquier, Arbitrage-free SVI volatility surfaces, Quantitative Finance 14 (2014), equation 3.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..documents.market_document import SviSmile

Floats = NDArray[np.float64]

_WAD: Final = 10**18


@dataclass(frozen=True, slots=True)
class RawSvi:
    """The five parameters in plain units (0.1 = a tenth)."""

    a: float
    b: float
    rho: float
    m: float
    sigma: float

    @classmethod
    def of(cls, smile: SviSmile) -> RawSvi:
        """The parameters of a document's smile, each rounded to a float and divided."""
        fields = (smile.a_wad, smile.b_wad, smile.rho_wad, smile.m_wad, smile.sigma_wad)
        return cls(*(float(value) / _WAD for value in fields))

    @property
    def least_variance(self) -> float:
        """The least total variance over all strikes, a + b sigma sqrt(1 - rho^2)."""
        return self.a + self.b * self.sigma * math.sqrt(1 - self.rho * self.rho)

    @property
    def wing_slope(self) -> float:
        """The steeper wing's slope of total variance in |k|, b (1 + |rho|)."""
        return self.b * (1 + abs(self.rho))

    def variance(self, k: Floats) -> Floats:
        """Total variance at log-moneyness k, not negative."""
        return np.asarray(
            np.maximum(self.a + self.b * (self.rho * (k - self.m) + np.hypot(k - self.m, self.sigma)), 0.0)
        )

    def slope(self, k: Floats) -> Floats:
        """First derivative of total variance by k."""
        return np.asarray(self.b * (self.rho + (k - self.m) / np.hypot(k - self.m, self.sigma)))

    def curvature(self, k: Floats) -> Floats:
        """Second derivative of total variance by k."""
        return np.asarray(self.b * self.sigma**2 / np.hypot(k - self.m, self.sigma) ** 3)

    @property
    def deviation(self) -> float:
        """Standard deviation of the log price until expiry, as volatility at the money has it: sqrt(w(0))."""
        return math.sqrt(float(self.variance(np.zeros(1))[0]))
