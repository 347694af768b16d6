"""The cooling plant, wired: condenser water loop, chilled water line, six trains between them.

Condenser water: towers -> pumps -> trains -> towers. Chilled water: IT cooling circuit -> pumps -> trains -> IT cooling
circuit. In a train both waters pass the heat exchanger or its bypass first, the chiller or its bypass next. Water
volumes are stirred tanks, and pipes have no volume of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

import casadi as ca

from workshop.cooling_plant import hydraulics
from workshop.cooling_plant.chiller import Chiller
from workshop.cooling_plant.flows import Flows, chilled_water_split, solve
from workshop.cooling_plant.heat_exchanger import HeatExchanger
from workshop.cooling_plant.parameters import PARAMETERS, Parameters
from workshop.cooling_plant.pump import Pump
from workshop.cooling_plant.service import service
from workshop.cooling_plant.tower import Cell
from workshop.cooling_plant.variables import INPUTS, LOCALS, OUTPUTS, STATES, TOWER_CELLS, TRAIN_VALVES, UNITS
from workshop.fmi.spec import Model

__all__ = ["FILTERED_INPUTS", "model"]

FILTERED_INPUTS = (
    *(f"U_CT{i}" for i in UNITS),
    *(f"{kind}0{i}_ONOFF" for kind in ("CDWP", "CHWP") for i in UNITS),
    *(f"CHI0{i}_{valve}" for i in UNITS for valve in TRAIN_VALVES),
)


def mix(flows: Sequence[ca.SX], temperatures: Sequence[ca.SX]) -> ca.SX:
    """Temperature [K] of positive flows [kg/s] that join."""
    return sum(m * t for m, t in zip(flows, temperatures, strict=True)) / sum(flows)


class Plant:
    """Rates and outputs of the plant in CasADi symbols.

    Parameters
    ----------
    x, h, u, p : casadi.SX
        Stiff states, hydraulic quantities, inputs and parameters, as columns in the orders of `STATES`, `Flows`,
        `INPUTS` and `PARAMETERS`.
    """

    def __init__(self, x: ca.SX, h: ca.SX, u: ca.SX, p: ca.SX) -> None:
        self.p = Parameters(p)
        self.x = {variable.name: x[i] for i, variable in enumerate(STATES)}
        self.u = {variable.name: u[i] for i, variable in enumerate(INPUTS)}
        self.flows = Flows.unpack(h)
        self.rates: dict[str, ca.SX] = {}
        self.outputs: dict[str, ca.SX] = {}
        #: Heat that each chiller takes from the chilled water [W], and its leaving condenser water [K].
        self.heats: list[tuple[ca.SX, ca.SX]] = []
        self._condenser_pumps()
        self._chilled_pumps()
        self._trains()
        self._towers()
        self._pump_outputs()
        self._sums()

    def _sensor(self, state: str, nominal: ca.SX, m_flow: ca.SX, water: ca.SX, output: str) -> None:
        """A temperature sensor in a pipe: its lag shortens with the flow, and it stands when the water does."""
        self.rates[state] = m_flow / nominal / self.p["sensor.tau"] * (water - self.x[state])
        self.outputs[output] = self.x[state]

    def _condenser_pumps(self) -> None:
        cells = [self.flows.m_cell[i - 1] for i, _ in TOWER_CELLS]
        self.cw_supply = mix(cells, [self.x[f"T_CT{i}_0{j}"] for i, j in TOWER_CELLS])
        self._sensor("sensor_Tcw_supply", self.p["sensor.m_flow_loop"], self.flows.m_cw, self.cw_supply, "Tcw_supply")
        self.cw_to_trains = self._pump_group("CDWP", self.flows.v_cdwp, self.cw_supply)

    def _chilled_pumps(self) -> None:
        self.chw_to_trains = self._pump_group("CHWP", self.flows.v_chwp, self.u["Tchw_r"])

    def _pump_group(self, kind: str, volume_flow: ca.SX, entering: ca.SX) -> ca.SX:
        """Water volumes of parallel pumps; returns the temperature [K] of their mixed flow."""
        m = [self.p["water.rho"] * volume_flow[i - 1] for i in UNITS]
        names = [f"T_{kind}{i}" for i in UNITS]
        for flow, name in zip(m, names, strict=True):
            self.rates[name] = flow / self.p[f"{kind}.m"] * (entering - self.x[name])
        return mix(m, [self.x[name] for name in names])

    def _trains(self) -> None:
        exchanger = HeatExchanger(self.p)
        split = chilled_water_split(self.flows, [self.x[f"opening_hex{i}"] for i in UNITS], exchanger)
        cw_leaving, chw_leaving = [], []
        for i in UNITS:
            flow = {name: values[i - 1] for name, values in split.items()}
            flow |= {
                "cw1": self.flows.m_cw1[i - 1],
                "cw3": self.flows.m_cw3[i - 1],
                "condenser": self.flows.m_condenser[i - 1],
            }
            cw, chw = self._train(i, flow, exchanger)
            cw_leaving.append(cw)
            chw_leaving.append(chw)
        loop = self.p["sensor.m_flow_loop"]
        self.cw_return = mix([self.flows.m_cw1[i] + self.flows.m_cw3[i] for i in range(6)], cw_leaving)
        chw_supply = mix([split["chw1"][i] + split["chw3"][i] for i in range(6)], chw_leaving)
        self._sensor("sensor_Tcw_return", loop, self.flows.m_cw, self.cw_return, "Tcw_returnPipe")
        self._sensor("sensor_Tchw_supply", loop, self.flows.m_chw, chw_supply, "Tchw_supply")

    def _train(self, i: int, flow: dict[str, ca.SX], exchanger: HeatExchanger) -> tuple[ca.SX, ca.SX]:
        """One train; returns the temperatures [K] of condenser and chilled water that leave it."""
        p, x, u, rates = self.p, self.x, self.u, self.rates
        after_plates, cw_hex = exchanger.leaving(flow["plates"], flow["cw3"], self.chw_to_trains, self.cw_to_trains)
        stirred = x[f"T_hex{i}"]
        rates[f"T_hex{i}"] = (
            flow["plates"] * (after_plates - stirred) + (flow["chw3"] - flow["plates"]) * (self.chw_to_trains - stirred)
        ) / p["hex.m"]
        demanded, rates[f"integral_hex{i}"] = exchanger.control(x[f"integral_hex{i}"], stirred, u["Tchws_set_HEX"])
        lag = hydraulics.filter_time_constant(p["threeWay.riseTime"])
        rates[f"lag_hex{i}"] = (demanded - x[f"lag_hex{i}"]) / lag
        rates[f"opening_hex{i}"] = (x[f"lag_hex{i}"] - x[f"opening_hex{i}"]) / lag

        # Chilled water: the sensor sits in the pipe between the heat exchanger's outlet, where the chiller's bypass
        # leaves, and the chiller's inlet, where the heat exchanger's bypass enters. With the chiller shut off, only
        # leakage flows there, backwards.
        forward = ca.fmax(flow["chw3"] - flow["chw2"], 0.0)
        backward = ca.fmax(flow["chw2"] - flow["chw3"], 0.0)
        evaporator_in = mix([flow["chw1"] - backward, forward], [self.chw_to_trains, stirred])
        bypass = mix([flow["chw3"] - forward, backward], [stirred, self.chw_to_trains])
        sensor = f"sensor_Tchws_HEX{i}"
        rates[sensor] = (
            (forward * (stirred - x[sensor]) + backward * (self.chw_to_trains - x[sensor]))
            / p["sensor.m_flow_train"]
            / p["sensor.tau"]
        )
        self.outputs[f"Tchws_HEX{i}"] = x[sensor]

        condenser_in = mix([flow["cw1"], flow["cw3"]], [self.cw_to_trains, cw_hex])
        condenser, evaporator = x[f"T_condenser{i}"], x[f"T_evaporator{i}"]
        heat, power = Chiller(i, p).heat_and_power(
            u[f"CHI0{i}"], flow["evaporator"], evaporator_in, evaporator, condenser, u["Tchws_set_CHI"]
        )
        self.heats.append((heat, condenser))
        capacity = p["chiller.m"] * p["water.cp"]
        rates[f"T_evaporator{i}"] = flow["evaporator"] / p["chiller.m"] * (evaporator_in - evaporator) - heat / capacity
        rates[f"T_condenser{i}"] = (
            flow["condenser"] / p["chiller.m"] * (condenser_in - condenser) + (heat + power) / capacity
        )
        self.outputs[f"Pchi{i}"] = power

        nominal = p["sensor.m_flow_train"]
        self._sensor(f"sensor_Tcwr_HEX{i}", nominal, flow["cw3"], cw_hex, f"Tcwr_HEX{i}")
        self._sensor(f"sensor_Tcwr_CHI{i}", nominal, flow["condenser"], condenser, f"Tcwr_CHI{i}")
        self._sensor(f"sensor_Tchws_CHI{i}", nominal, flow["evaporator"], evaporator, f"Tchws_CHI{i}")
        past_condenser = flow["cw1"] + flow["cw3"] - flow["condenser"]
        return (
            mix([flow["condenser"], past_condenser], [condenser, condenser_in]),
            mix([flow["evaporator"], flow["chw2"]], [evaporator, bypass]),
        )

    def _towers(self) -> None:
        cell = Cell(self.p)
        for n, (i, j) in enumerate(TOWER_CELLS):
            name, fan = f"T_CT{i}_0{j}", self.u[f"Ffan_CT{i}_0{j}"]
            m, approach = self.flows.m_cell[i - 1], ca.vertsplit(self.flows.approach[4 * n : 4 * n + 4])
            target = cell.leaving_target(approach, self.cw_return, self.x[name], self.u["Twb_outside"])
            self.rates[name] = m / self.p["tower.m"] * (target - self.x[name])
            self.outputs[f"Tlvg_CT{i}_0{j}"] = self.x[name]
            self.outputs[f"Pfan_CT{i}_0{j}"] = cell.fan_power(fan)

    def _pump_outputs(self) -> None:
        for kind, volume_flow in (("CDWP", self.flows.v_cdwp), ("CHWP", self.flows.v_chwp)):
            pump = Pump(kind, self.p)
            powers = []
            for i in UNITS:
                v, w = volume_flow[i - 1], pump.speed_ratio(self.u[f"{kind}0{i}_rpm"])
                self.outputs[f"eta_{kind}{i}"] = pump.efficiency(v, w)
                self.outputs[f"H_{kind}{i}"] = pump.head(v, w)
                powers.append(pump.power(v, w))
            self.outputs[f"P_{kind}s_sum"] = sum(powers)

    def _sums(self) -> None:
        self.outputs["VolumeFlowRate_cw"] = self.flows.m_cw / self.p["water.rho"]
        self.outputs["P_CTfans_sum"] = sum(self.outputs[f"Pfan_CT{i}_0{j}"] for i, j in TOWER_CELLS)
        self.outputs["P_Chillers_sum"] = sum(self.outputs[f"Pchi{i}"] for i in UNITS)


def _start() -> ca.Function:
    """Stiff states at the start: water at the start temperatures, three-way valves open, controllers at rest."""
    u, p = ca.SX.sym("u", len(INPUTS)), ca.SX.sym("p", len(PARAMETERS))
    parameters = Parameters(p)

    def value(name: str) -> ca.SX:
        if name.startswith("integral_"):
            return ca.SX(0.0)
        if name.startswith(("lag_", "opening_")):
            return ca.SX(1.0)
        return parameters["start.TChiller" if name.startswith(("T_condenser", "T_evaporator")) else "start.T"]

    return ca.Function("start", [u, p], [ca.vertcat(*(value(s.name) for s in STATES))])


def model() -> Model:
    """Return the plant for the FMU generator (`workshop.fmi.build`)."""
    u, p = ca.SX.sym("u", len(INPUTS)), ca.SX.sym("p", len(PARAMETERS))
    v, x, h = ca.SX.sym("v", len(FILTERED_INPUTS)), ca.SX.sym("x", len(STATES)), ca.SX.sym("h", Flows.size())
    position = {name: v[i] for i, name in enumerate(FILTERED_INPUTS)}
    inputs = {variable.name: u[i] for i, variable in enumerate(INPUTS)}
    plant = Plant(x, h, u, p)
    tau = hydraulics.filter_time_constant(Parameters(p)["valve.riseTime"])
    names = [variable.name for variable in INPUTS]
    counted = service(position, inputs, plant.flows, plant.heats, plant.outputs["Tchw_supply"], plant.p)
    return Model(
        name="AlphaDataCenterCooling",
        description="Data-centre cooling plant: six trains of chiller and heat exchanger, six towers, twelve pumps",
        version="1.0",
        inputs=INPUTS,
        outputs=OUTPUTS,
        parameters=PARAMETERS,
        states=STATES,
        n_filters=len(FILTERED_INPUTS),
        filter_input=tuple(names.index(name) for name in FILTERED_INPUTS),
        filter_tau=ca.Function("filter_tau", [p], [ca.repmat(tau, len(FILTERED_INPUTS), 1)]),
        start=_start(),
        aux=ca.Function("aux", [v, u, p], [solve(position, inputs, Parameters(p)).pack()]),
        ode=ca.Function("ode", [x, v, h, u, p], [ca.vertcat(*(plant.rates[s.name] for s in STATES))]),
        out=ca.Function("out", [x, v, h, u, p], [ca.vertcat(*(plant.outputs[y.name] for y in OUTPUTS))]),
        locals=LOCALS,
        local=ca.Function("local", [x, v, h, u, p], [ca.vertcat(*(counted[z.name] for z in LOCALS))]),
        stop_time=30099300.0,
    )
