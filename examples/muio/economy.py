"""An economy in three formulas, in the place where a macro-economic model goes."""

from __future__ import annotations

import numpy as np


def respond(inputs, options):
    """Return activity by sector and the interest rate, at a price of electricity relative to that of the base.

    Parameters
    ----------
    inputs : dict
        ``energy_cost_ratio`` [1].
    options : dict
        ``share``: of energy in the cost of each sector; ``interest``: of the base [1/year].
    """
    ratio = float(inputs["energy_cost_ratio"])
    activity = [ratio ** -options["share"][sector] for sector in ("services", "farms")]
    return {"activity": np.array(activity), "interest_rate": np.array(options["interest"] * ratio**-0.1)}
