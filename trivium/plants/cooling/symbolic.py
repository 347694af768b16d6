"""The equations of the plant for CasADi, with the law of the required head and its surrogates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from trivium import locations
from trivium.errors import ResourcesError
from trivium.extras import require
from trivium.plants.cooling.head import CP_LAW, CP_WATER, OPEN, TRAINS
from trivium.plants.cooling.rules import INPUTS
from trivium.plants.cooling.surrogate import Network, load_chiller_power, load_head
from trivium.plants.symbolic import Law, SymbolicPlant

_TRAINS = range(1, TRAINS + 1)


def equations(parameters: Mapping[str, float] | None = None, resources: Path | None = None) -> SymbolicPlant:
    """Return the equations; see `trivium.plants.cooling.casadi`."""
    folder = locations.resources() if resources is None else Path(resources)
    head = _network(load_head(folder / "mlp.pth").network, "mlp.pth")
    power = _network(load_chiller_power(folder / "chiller_power.pth").network, "chiller_power.pth")
    law = Law(("Head_required",), partial(_required_head, head, power))
    return SymbolicPlant(Path(__file__).with_name("equations.json.gz"), INPUTS, law, parameters)


def _network(network: Any, name: str) -> Network:
    if not isinstance(network, Network):
        raise ResourcesError(f"{name} is an exported program, which has no equations")
    return network


def _required_head(
    head: Network, power: Network, outputs: Mapping[str, Any], inputs: Mapping[str, Any]
) -> Sequence[Any]:
    """Return the required head [m] as `trivium.plants.cooling.head.RequiredHead` does."""
    ca = require("casadi", "mpc")
    on = [inputs[f"CHI0{i}"] for i in _TRAINS]
    running = [ca.if_else(each > OPEN, 1.0, 0.0) for each in on]
    share = inputs["Mchw"] / ca.fmax(sum(running), 1.0)
    powers = []
    for i in _TRAINS:
        inlet = ca.if_else(inputs[f"CHI0{i}_CHW3"] > OPEN, outputs[f"Tchws_HEX{i}"], inputs["Tchw_r"])
        entering = ca.if_else(inputs[f"CHI0{i}_CW3"] > OPEN, outputs[f"Tcwr_HEX{i}"], outputs["Tcw_supply"])
        leaving = outputs[f"Tchws_CHI{i}"]
        load = ca.fmax(share * CP_WATER * (inlet - leaving), 0.0)
        unit = [float(i == j) for j in _TRAINS]
        ratio = network_graph(power, ca.vertcat(load, leaving, entering, *unit))
        most = float(power.input_maximum[0])
        powers.append(running[i - 1] * ca.fmin(load, most) * ca.fmax(ratio, 0.0))
    spread = inputs["Tchw_r"] - inputs["Tchws_set_CHI"]
    mcw = (inputs["Mchw"] + sum(powers) / (CP_LAW * spread)) / 1000.0
    trains, towers = (sum(inputs[f"{name.format(i)}"] for i in _TRAINS) for name in ("CHI0{}_CW3", "U_CT{}"))
    return [network_graph(head, ca.vertcat(sum(on), trains, 2.0 * towers, mcw))]


def network_graph(network: Network, x: Any) -> Any:
    """Return a network as a CasADi expression of its inputs, a column."""
    ca = require("casadi", "mpc")
    low, high = (ca.DM(limit.tolist()) for limit in (network.input_minimum, network.input_maximum))
    y = ca.fmin(ca.fmax(x, low), high) if network.clamp else x
    y = (y - low) / (high - low)
    last = len(network.weights) - 1
    for i, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        y = ca.DM(weight.tolist()) @ y + ca.DM(bias.tolist())
        if i < last:
            y = ca.fmax(y, 0.0) if network.activation == "relu" else ca.tanh(y)
    least, most = (float(limit) for limit in (network.output_minimum.item(), network.output_maximum.item()))
    return y * (most - least) + least
