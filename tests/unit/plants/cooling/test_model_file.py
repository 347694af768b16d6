"""Model files that lie, made by hand: a refusal each time, whatever they say, and nothing that outlives them."""

from __future__ import annotations

import copyreg
import pickle
import random
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from trivium.errors import ResourcesError, UnsafeFileError
from trivium.plants.cooling import unpickler
from trivium.plants.cooling.model_file import LARGEST, read_model_file
from trivium.plants.cooling.unpickler import GLOBALS, PickledLinear, PickledModule

NUMBERS = np.arange(6, dtype="<f4")


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    return f"I{value}\n".encode()


def row(*values: int) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


def storage(key: str = "0", count: int = 6, kind: str = "FloatStorage", tag: str = "storage") -> bytes:
    return b"(" + text(tag) + f"ctorch\n{kind}\n".encode() + text(key) + text("cpu") + number(count) + b"tQ"


def tensor(sizes: bytes = row(2, 3), strides: bytes = row(3, 1), offset: bytes = number(0), of: bytes = b"") -> bytes:
    """Opcodes that rebuild a tensor."""
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + (of or storage()) + offset + sizes + strides + b"\x89NtR"


def write(path: Path, opcodes: bytes, members: dict[str, bytes] | None = None, compression: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("m/data.pkl", b"\x80\x02" + opcodes + b".")
        for name, data in (members if members is not None else {"data/0": NUMBERS.tobytes()}).items():
            archive.writestr(f"m/{name}", data)
    return path


def read(folder: Path, opcodes: bytes, members: dict[str, bytes] | None = None) -> object:
    return read_model_file(write(folder / "m.pth", opcodes, members))


def test_a_tensor_is_a_view_of_its_storage(tmp_path: Path) -> None:
    array = read(tmp_path, tensor())
    assert isinstance(array, np.ndarray)
    np.testing.assert_array_equal(array, NUMBERS.reshape(2, 3))
    transposed = read(tmp_path, tensor(row(2, 2), row(1, 3), number(1)))
    np.testing.assert_array_equal(transposed, [[1, 4], [2, 5]])
    assert not array.flags.writeable


@pytest.mark.parametrize(("order", "layout"), [(b"little", "<f8"), (b"big", ">f8")])
def test_the_byte_order_of_the_archive_counts(tmp_path: Path, order: bytes, layout: str) -> None:
    members = {"byteorder": order, "data/0": NUMBERS.astype(layout).tobytes()}
    array = read(tmp_path, tensor(of=storage(kind="DoubleStorage")), members)
    assert array.dtype == np.float64
    assert array.dtype.isnative
    np.testing.assert_array_equal(array, NUMBERS.reshape(2, 3))


def test_another_byte_order_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResourcesError, match="byte order"):
        read(tmp_path, tensor(), {"byteorder": b"middle", "data/0": NUMBERS.tobytes()})


HUGE = 10**30
LIES = {
    "more numbers than the storage has": tensor(row(7), row(1)),
    "beyond its end by the offset": tensor(row(2, 3), row(3, 1), number(1)),
    "beyond its end by the strides": tensor(row(2, 3), row(4, 1)),
    "a huge size": tensor(row(HUGE), row(1)),
    "huge sizes behind a zero": tensor(row(0, HUGE), row(1, 1)),
    "a huge stride": tensor(row(2, 3), row(HUGE, 1)),
    "a huge offset": tensor(row(1), row(1), number(HUGE)),
    "many times the same numbers": tensor(row(6, 6, 6), row(0, 0, 0)),
    "a negative size": tensor(row(-1), row(1)),
    "a negative stride": tensor(row(2, 3), row(-3, 1), number(3)),
    "a negative offset": tensor(row(1), row(1), number(-1)),
    "an offset that is a text": tensor(row(1), row(1), text("0")),
    "sizes that are a list": tensor(b"]", row(1)),
    "a size that is true": tensor(b"(\x88t", row(1)),
    "more sizes than strides": tensor(row(2, 3), row(1)),
    "a hundred dimensions": tensor(row(*[1] * 100), row(*[1] * 100)),
    "no storage": tensor(of=text("0")),
    "a tensor for a storage": tensor(of=tensor()),
    "fewer arguments": b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage() + b"tR",
    "a storage that claims more": tensor(of=storage(count=7)),
    "a storage that claims less": tensor(of=storage(count=5)),
    "a storage of the other width": tensor(of=storage(kind="DoubleStorage")),
    "a storage that is not there": tensor(of=storage(key="1")),
    "a storage elsewhere": tensor(of=storage(key="../data.pkl")),
    "something else outside": storage(tag="module"),
    "a name outside": b"Pfile\n",
    "a parameter of no tensor": b"ctorch._utils\n_rebuild_parameter\n(" + text("x") + b"\x88NtR",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_tensor_that_lies_is_refused(tmp_path: Path, lie: str) -> None:
    with pytest.raises(ResourcesError, match=r"m\.pth"):
        read(tmp_path, LIES[lie])


#: Everything that a pickle can get hold of, as opcodes.
REACHABLE = {
    **{name: f"c{name.rpartition('.')[0]}\n{name.rpartition('.')[2]}\n".encode() for name in GLOBALS},
    "a tensor": tensor(),
    "a storage": storage(),
    "an ordered dictionary": b"ccollections\nOrderedDict\n)R",
    "a set": b"cbuiltins\nset\n)R",
    "a list": b"]",
}
STATES = {
    "attributes": b"}" + text("__class__") + b"cutils\nMLP\ns",
    "a method": b"}" + text("__call__") + b"ccollections\nOrderedDict\ns",
    "slots": b"N}" + text("__class__") + b"cutils\nMLP\ns\x86",
    "both": b"}" + text("a") + b"K\x01s}" + text("__defaults__") + b"(K\x01ts\x86",
    "the state of an array": b"(K\x01" + row(2) + text("f4") + b"\x89" + text("xxxx") + b"t",
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("reachable", REACHABLE)
def test_nothing_that_a_pickle_reaches_takes_a_state(tmp_path: Path, reachable: str, state: str) -> None:
    before = {name: repr(vars(type(value))) for name, value in GLOBALS.items()}
    with pytest.raises(ResourcesError):
        read(tmp_path, REACHABLE[reachable] + STATES[state] + b"b")
    assert {name: repr(vars(type(value))) for name, value in GLOBALS.items()} == before


@pytest.mark.parametrize("state", ["slots", "both", "the state of an array"])
def test_a_record_takes_nothing_but_a_dictionary(tmp_path: Path, state: str) -> None:
    with pytest.raises(ResourcesError, match="no dictionary"):
        read(tmp_path, b"cutils\nMLP\n)\x81" + STATES[state] + b"b")


def test_attributes_of_a_record_are_kept_apart_from_its_methods(tmp_path: Path) -> None:
    opcodes = b"cutils\nMLP\n)\x81}(" + text("__setstate__") + b"ccollections\nOrderedDict\n"
    opcodes += text("__class__") + b"ctorch.nn.modules.linear\nLinear\nub"
    module = read(tmp_path, opcodes + b"}" + text("a") + b"K\x01sb")
    assert type(module) is PickledModule
    assert module.attributes == {"a": 1}  # the second state went through the class's own method
    assert not hasattr(module, "__dict__")


def test_a_class_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(ResourcesError):
        read(tmp_path, b"ctorch.nn.modules.linear\nLinear\n}" + text("__new__") + b"cutils\nMLP\nsb")
    assert PickledLinear.__new__ is object.__new__


def test_full_collections_are_not_made_in_one_call(tmp_path: Path) -> None:
    for kind in (b"cbuiltins\nset\n", b"ccollections\nOrderedDict\n"):
        assert not read(tmp_path, kind + b"]\x85R")
        with pytest.raises(ResourcesError, match="not empty"):
            read(tmp_path, kind + b"](K\x01K\x02\x86e\x85R")


MEMO = b"r" + struct.pack("<I", 2**31 - 1)
GREEDY = {
    "a memo of two billion entries": b"N" + MEMO,
    "the same as text": b"Np2147483647\n",
    "bytes of eight exabytes": b"\x8e" + struct.pack("<Q", 2**62),
    "a text of eight exabytes": b"\x8d" + struct.pack("<Q", 2**62),
    "an array of bytes of a terabyte": b"\x96" + struct.pack("<Q", 2**40),
    "a frame of a terabyte": b"\x95" + struct.pack("<Q", 2**40) + b"N",
    "a tuple whose hash takes for ever": b"}" + b"N\x85q\x00" + b"h\x00h\x00\x86q\x00" * 100 + b"Ns",
    "the same by copies": b"}N\x85" + b"2\x86" * 100 + b"Ns",
    "the same with a detour": b"}" + b"N\x85N0q\x00" + b"h\x00h\x00\x86N0q\x00" * 100 + b"Ns",
    "the same with a memo that counts": b"}N\x85\x94" + b"h\x00h\x00\x86q\x00" * 100 + b"Ns",
}
LIMITED = """
import resource, sys
from pathlib import Path
from trivium.plants.cooling.model_file import read_model_file
from trivium.errors import ResourcesError
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
for name in sys.argv[1:]:
    try:
        read_model_file(Path(name))
    except ResourcesError as error:
        assert "MemoryError" not in repr(error.__cause__), error
    else:
        raise SystemExit(f"{name} was read")
"""


def test_a_greedy_pickle_costs_no_memory_and_no_time(tmp_path: Path) -> None:
    names = [write(tmp_path / f"{k}.pth", opcodes) for k, opcodes in enumerate(GREEDY.values())]
    done = subprocess.run([sys.executable, "-c", LIMITED, *map(str, names)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_compressed_archive_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "m.pth", tensor(), {"data/0": bytes(10**7)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(ResourcesError, match="compressed"):
        read_model_file(path)


def test_members_that_overlap_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "m.pth", tensor(), {f"data/{k}": bytes(1000) for k in range(50)})
    data = bytearray(path.read_bytes())
    entries = [at for at in range(len(data)) if data[at : at + 4] == b"PK\x01\x02"]
    for at in entries[2:]:  # all claim the bytes of one
        data[at + 20 : at + 28] = struct.pack("<II", 30_000, 30_000)
        data[at + 42 : at + 46] = data[entries[1] + 42 : entries[1] + 46]
    path.write_bytes(data)
    with pytest.raises(ResourcesError, match="claim more"):
        read_model_file(path)


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "m.pth", tensor())
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("m/data/0", NUMBERS.tobytes())
    with pytest.raises(ResourcesError, match="one name"):
        read_model_file(path)


def test_an_archive_without_a_pickle_of_torch_is_refused(tmp_path: Path) -> None:
    for name in ("data.pkl", "a/b/data.pkl", "m/other.pkl"):
        with zipfile.ZipFile(tmp_path / "m.pth", "w") as archive:
            archive.writestr(name, pickle.dumps({}, 2))
        with pytest.raises(ResourcesError, match=r"no archive of torch\.save"):
            read_model_file(tmp_path / "m.pth")


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "m.pth").open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(ResourcesError, match="64 MiB"):
        read_model_file(tmp_path / "m.pth")


def test_a_name_that_the_scan_misses_meets_the_wall(tmp_path: Path) -> None:
    # STACK_GLOBAL with the module from the memo, behind strings that mislead a reader of strings alone
    opcodes = text("os") + b"q\x00" + text("system") + b"q\x01" + text("utils") + text("MLP") + b"\x86h\x00h\x01"
    with pytest.raises(UnsafeFileError, match=r"os\.system"):
        read(tmp_path, opcodes + b"\x93" + text("true") + b"\x85R")


def test_extensions_of_the_process_are_refused(tmp_path: Path) -> None:
    copyreg.add_extension("os", "system", 200)
    try:
        with pytest.raises(UnsafeFileError, match=r"os\.system"):
            read(tmp_path, b"\x82\xc8" + text("true") + b"\x85R")
    finally:
        copyreg.remove_extension("os", "system", 200)


def test_bytes_changed_at_random_are_read_or_refused(resources: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(resources / "mlp.pth") as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    rng, path = random.Random(5), tmp_path / "m.pth"
    pickled = content["mlp/data.pkl"]
    refused = 0
    for _ in range(1500):
        changed = bytearray(pickled)
        for _ in range(rng.randint(1, 3)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in (content | {"mlp/data.pkl": bytes(changed)}).items():
                archive.writestr(name, data)
        try:
            read_model_file(path)
        except ResourcesError:
            refused += 1
    assert refused > 500


def test_the_allow_list_stands_for_sealed_objects_alone() -> None:
    for name, value in GLOBALS.items():
        sealed = value if isinstance(value, type) else type(value)
        assert issubclass(sealed, unpickler._Sealed), name
        assert not hasattr(value, "__dict__") or isinstance(value, type), name
