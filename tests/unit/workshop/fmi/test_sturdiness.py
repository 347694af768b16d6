"""Any order of calls, and several threads, without a crash or a surprise."""

import ctypes
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit.workshop.fmi.conftest import Instance

CALLS = 400


def arbitrary_call(rng, fmu):
    """Choose a function and arguments, often wrong ones, but never pointers to nowhere."""
    numbers = [0.0, 1.0, -1.0, 300.0, 1e-300, 1e300, float("nan"), float("inf"), 290.0]
    n = rng.choice([0, 1, 3, 17, 40])
    references = (ctypes.c_uint * 40)(*(rng.choice([rng.randrange(45), 10**6]) for _ in range(40)))
    values = (ctypes.c_double * 40)(*(rng.choice(numbers) for _ in range(40)))
    result = (ctypes.c_double * 40)()
    number = lambda: ctypes.c_double(rng.choice(numbers))  # noqa: E731
    size = ctypes.c_size_t(n)
    maybe = lambda pointer: rng.choice([pointer, pointer, pointer, None])  # noqa: E731
    flag = rng.randrange(2)
    choices = {
        "fmi2SetupExperiment": (flag, number(), number(), flag, number()),
        "fmi2EnterInitializationMode": (),
        "fmi2ExitInitializationMode": (),
        "fmi2Terminate": (),
        "fmi2Reset": (),
        "fmi2GetReal": (maybe(references), size, maybe(result)),
        "fmi2SetReal": (maybe(references), size, maybe(values)),
        "fmi2GetInteger": (maybe(references), size, maybe(result)),
        "fmi2SetDebugLogging": (flag, ctypes.c_size_t(0), None),
        "fmi2GetDirectionalDerivative": (
            maybe(references),
            size,
            maybe(references),
            size,
            maybe(values),
            maybe(result),
        ),
        "fmi2DoStep": (ctypes.c_double(rng.choice([fmu.time, fmu.time, 5.0, float("nan")])), number(), flag),
        "fmi2CancelStep": (),
        "fmi2GetRealStatus": (rng.randrange(6), maybe(result)),
        "fmi2GetStatus": (rng.randrange(6), maybe(result)),
        "fmi2EnterEventMode": (),
        "fmi2NewDiscreteStates": (maybe(result),),
        "fmi2EnterContinuousTimeMode": (),
        "fmi2CompletedIntegratorStep": (flag, maybe(result), maybe(values)),
        "fmi2SetTime": (number(),),
        "fmi2SetContinuousStates": (maybe(values), ctypes.c_size_t(rng.choice([n, 17]))),
        "fmi2GetContinuousStates": (maybe(result), ctypes.c_size_t(rng.choice([n, 17]))),
        "fmi2GetDerivatives": (maybe(result), ctypes.c_size_t(rng.choice([n, 17]))),
        "fmi2GetEventIndicators": (maybe(result), size),
        "fmi2GetNominalsOfContinuousStates": (maybe(result), ctypes.c_size_t(rng.choice([n, 17]))),
        "fmi2DeSerializeFMUstate": (maybe(values), ctypes.c_size_t(n), ctypes.byref(ctypes.c_void_p())),
        "fmi2SetFMUstate": (None,),
    }
    onward = ["fmi2EnterInitializationMode", "fmi2ExitInitializationMode", "fmi2EnterContinuousTimeMode", "fmi2DoStep"]
    name = rng.choice([*choices, *onward, *onward])
    return name, choices[name]


@pytest.mark.parametrize("kind", ["co-simulation", "model exchange"])
@pytest.mark.parametrize("seed", range(5))
def test_any_order_of_calls_is_survived(instances, model_exchange, kind, seed):
    rng = random.Random(seed)  # noqa: S311
    fmu = instances("tanks") if kind == "co-simulation" else model_exchange("tanks")
    seen = set()
    for _ in range(CALLS):
        name, arguments = arbitrary_call(rng, fmu)
        messages = len(fmu.messages)
        status = fmu.call(name, *arguments)
        assert status in (0, 2, 3), name
        assert status != 3 or len(fmu.messages) > messages, f"{name} failed without a word"
        time = ctypes.c_double()
        assert fmu.call("fmi2GetRealStatus", 2, ctypes.byref(time)) == 0
        fmu.time = time.value
        seen.add((name, status))
    assert {status for _, status in seen} >= {0, 3}
    fmu.fmu.reset()
    fmu.begin()
    if kind == "co-simulation":
        fmu.step(300.0)
        again = Instance(fmu.built).begin()
        again.step(300.0)
        assert fmu.get(*fmu.built.vr) == again.get(*fmu.built.vr), "a reset instance is as a new one"
        again.close()


def test_threads_do_not_disturb_each_other(fmus):
    def run(k):
        fmu = Instance(fmus("tanks")).begin(1e-7)
        rows = []
        for i in range(60):
            fmu.set(valve=((i * 7 + k) % 10) / 10.0, heat=1e5 * ((i + k) % 8))
            fmu.step(120.0)
            rows.append(fmu.get("T_out", "flow", "tank[6].T"))
        fmu.close()
        return rows

    alone = [run(k) for k in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(4))) == alone
