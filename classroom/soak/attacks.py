"""Checkpoint files that mean harm: they run code, take memory, or read otherwise than they look.

Plans are written opcode by opcode, since `torch.save` would not write most of them. What runs code
makes one file, the mark, and does nothing else.
"""

import io
import marshal
import pickle
import stat
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable

PAGE = 1_000_000
HONEST = ["data.pkl", "byteorder", "data/0", "version"]


def text(value: str) -> bytes:
    """Return opcodes that push a text."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    """Return opcodes that push a whole number of any size."""
    data = pickle.encode_long(value)
    return b"\x8a" + bytes([len(data)]) + data


def name(path: str) -> bytes:
    """Return opcodes that push what "module.name" names."""
    return b"c" + "\n".join(path.rsplit(".", 1)).encode() + b"\n"


def several(*values: bytes) -> bytes:
    """Return opcodes that push a tuple."""
    return b"(" + b"".join(values) + b"t"


def call(function: bytes | str, *values: bytes) -> bytes:
    """Return opcodes that call a function, given by name or by opcodes."""
    return (name(function) if isinstance(function, str) else function) + several(*values) + b"R"


def storage(key: bytes, count: int, kind: bytes = name("torch.FloatStorage")) -> bytes:
    """Return opcodes that ask for one block of numbers."""
    return several(text("storage"), kind, key, text("cpu"), number(count)) + b"Q"


def tensor(block: bytes, size: int, stride: int = 1, offset: int = 0, hooks: bytes = b"}") -> bytes:
    """Return opcodes that make a tensor of one dimension."""
    shape = several(number(size)), several(number(stride))
    return call("torch._utils._rebuild_tensor_v2", block, number(offset), *shape, b"\x89", hooks)


def raw(value: bytes) -> bytes:
    """Return opcodes that push bytes in protocol 2."""
    return call("_codecs.encode", text(value.decode("latin1")), text("latin1"))


def named(value: bytes) -> bytes:
    """Return opcodes for a dict with the value under the name of a weight."""
    return b"}" + text("weight") + value + b"s"


def plan(body: bytes, protocol: int = 2) -> bytes:
    """Return a whole pickle."""
    return b"\x80" + bytes([protocol]) + body + b"."


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip archive; two members may have one name."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as file:
        warnings.simplefilter("ignore")
        for member, data in members:
            file.writestr(member, data)
    return buffer.getvalue()


def saved(pickled: bytes, block: bytes = bytes(24), order: bytes = b"little", **kind) -> bytes:
    """Return the archive that torch.save would write with this plan and one block of numbers."""
    contents = [pickled, order, block, b"3\n"]
    pairs = [(f"archive/{part}", data) for part, data in zip(HONEST, contents, strict=True)]
    return archive(*pairs, **kind)


def running(mark: str) -> dict[str, bytes]:
    """Return opcodes of objects whose loading by pickle makes the file `mark`."""
    python, shell = text(f"open({mark!r}, 'a').close()"), text(f": > '{mark}'")
    system, partial = call("os.system", shell), name("functools.partial")
    code = compile(f"open({mark!r}, 'a').close()", "x", "exec")
    module = call("builtins.__import__", text("os"))
    function = call("types.FunctionType", call("marshal.loads", raw(marshal.dumps(code))), b"}")
    state = several(name("os.system"), several(shell), b"}", b"N")
    block = storage(text("0"), 6)
    return {
        "os.system": system,
        "posix.system": call("posix.system", shell),
        "exec": call("builtins.exec", python),
        "eval": call("builtins.eval", python),
        "eval of Python 2": call("__builtin__.eval", python),
        "open": call("builtins.open", text(mark), text("a")),
        "subprocess": call("subprocess.getoutput", shell),
        "runpy": call("runpy._run_code", python, b"}"),
        "timeit": call("timeit.timeit", python, python, name("time.time"), number(1)),
        "getattr": call(call("builtins.getattr", module, text("system")), shell),
        "importlib": call(
            call("builtins.getattr", call("importlib.import_module", text("os")), text("system")),
            shell,
        ),
        "operator": call(call("operator.methodcaller", text("system"), shell), module),
        "marshal": call(function),
        "pickle in a pickle": call("pickle.loads", raw(plan(system))),
        "state set": call(call(partial, name("os.system")) + state + b"b"),
        "new object": call(partial + several(name("os.system"), shell) + b"\x81"),
        "instance": b"(" + shell + b"ios\nsystem\n",
        "object": b"(" + name("os.system") + shell + b"o",
        "name on the stack": call(text("os") + text("system") + b"\x93", shell),
        "name in the memo": call(name("os.system") + b"q\x000h\x00", shell),
        "in a list of lists": b"]" * 200 + system + b"a" * 200,
        "as a key": b"}" + system + b"Ns",
        "in the hooks of a tensor": tensor(block, 6, hooks=system),
        "as a key of numbers": storage(system, 6),
        "through torch": call(
            "torch._tensor._rebuild_from_type_v2",
            *(name("os.system"), name("torch.Tensor"), several(shell), b"}"),
        ),
    }


def old_format(body: bytes) -> bytes:
    """Return a file as torch.save wrote it before there were archives: five pickles in a row."""
    info = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    head = [0x1950A86A20F9469CFC6C, 1001, info]
    return b"".join(pickle.dumps(part, 2) for part in head) + plan(body) + pickle.dumps([], 2)


def old_tar(body: bytes) -> bytes:
    """Return a file of the first versions: a tar archive."""
    buffer, none = io.BytesIO(), pickle.dumps(0, 2)
    with tarfile.open(fileobj=buffer, mode="w") as file:
        for member, data in (
            ("storages", none + pickle.dumps([], 2)),
            ("tensors", none),
            ("pickle", plan(body)),
        ):
            info = tarfile.TarInfo(member)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def codes(mark: Callable[[str], str]) -> dict[str, bytes]:
    """Return the files that run code, each with a mark of its own; `mark` gives its path."""
    files = {what: saved(plan(named(running(mark(what))[what]))) for what in running("x")}
    for what, make in (("old format", old_format), ("old tar", old_tar), ("bare pickle", plan)):
        files[what] = make(running(mark(what))["os.system"])
    return files


def lies(honest: bytes) -> bytes:
    """Return an archive whose directory gives a size of nearly 4 GB for each part."""
    data, at = bytearray(honest), 0
    while (at := data.find(b"PK\x01\x02", at)) >= 0:
        data[at + 20 : at + 28] = struct.pack("<II", 2**32 - 2, 2**32 - 2)
        at += 4
    return bytes(data)


def understated(size: int) -> bytes:
    """Return an archive with a deflated plan of so many bytes that says it has 90,000."""
    parts = [("archive/data.pkl", b"N0" * (size // 2)), ("archive/version", b"3\n")]
    data = bytearray(archive(*parts, method=zipfile.ZIP_DEFLATED))
    struct.pack_into("<I", data, data.find(b"PK\x01\x02") + 24, 90_000)
    return bytes(data)


def others() -> dict[str, bytes]:
    """Return files that take memory, or are read differently by two readers."""
    honest = plan(named(tensor(storage(text("0"), 6), 6)))
    greedy = call("builtins.bytearray", number(300 * PAGE))
    byte, zeros = name("torch.ByteStorage"), bytes(PAGE)
    many = [storage(text(f"0\0{n}"), PAGE, byte) + b"a" for n in range(300)]
    case = [f"{n:b}".translate(str.maketrans("01", "aA")) for n in range(256, 512)]
    cases = [storage(text(key), PAGE, byte) + b"a" for key in case]
    deflated = {"method": zipfile.ZIP_DEFLATED}
    link = zipfile.ZipInfo("archive/data/0")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    huge = several(*(number(n) for n in (10**5, 10**5)))
    return {
        "bomb of numbers": saved(
            plan(named(tensor(storage(text("0"), 25 * PAGE), 6))), bytes(100 * PAGE), **deflated
        ),
        "bomb of a plan": saved(plan(b"]" * 100 * PAGE), **deflated),
        "bomb that says it is small": understated(120 * PAGE),
        "bytearray": saved(plan(greedy)),
        "tensor of any size": saved(plan(call("torch.Tensor", number(10**11)))),
        "storage of any size": saved(plan(call("torch.storage.UntypedStorage", number(10**11)))),
        "a million sets": saved(plan(b"\x8f" * PAGE)),
        "99,000 sets": saved(plan(b"\x8f" * 99_000)),
        "99,000 marks": saved(plan(b"(" * 99_000)),
        "deep nesting": saved(plan(b")" + b"\x85" * 99_000)),
        "one block 300 times": saved(plan(b"]" + b"".join(many)), zeros),
        "one block by 256 names": archive(
            ("archive/data.pkl", plan(b"]" + b"".join(cases))),
            *(("archive/version", b"3"), ("archive/data/aaaaaaaaa", zeros)),
        ),
        "more numbers than stored": saved(plan(named(tensor(storage(text("0"), 10**9), 10**9)))),
        "larger than its block": saved(plan(named(tensor(storage(text("0"), 6), 10**9)))),
        "far behind its block": saved(plan(named(tensor(storage(text("0"), 6), 6, 1, 10**9)))),
        "before its block": saved(plan(named(tensor(storage(text("0"), 6), 6, -1, -9)))),
        "one number 10**12 times": saved(plan(named(tensor(storage(text("0"), 6), 10**12, 0)))),
        "size from a call": saved(
            plan(call("torch.Size", huge) + b"0" + call("torch.zeros", huge))
        ),
        "holds itself": saved(plan(b"]q\x00h\x00a")),
        "text of 4 GB": saved(plan(b"X\xff\xff\xff\xffshort")),
        "protocol 255": saved(plan(named(tensor(storage(text("0"), 6), 6)), 255)),
        "name out of the folder": saved(plan(named(tensor(storage(text("../../x"), 6), 6)))),
        "path out of the folder": archive(
            ("../../x/data.pkl", honest), ("../../x/data/0", bytes(24)), ("../../x/version", b"3")
        ),
        "link": archive(
            ("archive/data.pkl", honest), (link, b"/etc/passwd"), ("archive/version", b"3")
        ),
        "order of bytes unknown": saved(honest, order=b"middle"),
        "order of bytes turned": saved(honest, order=b"big"),
        "sizes that lie": lies(saved(honest)),
        "two plans": archive(("archive/data.pkl", plan(greedy)), ("archive/data.pkl", honest)),
        "plan in capitals": archive(
            ("archive/DATA.PKL", plan(greedy)), ("archive/data.pkl", honest)
        ),
        "two folders": archive(("other/data.pkl", plan(greedy)), ("archive/data.pkl", honest)),
        "old format in front": old_format(greedy) + saved(honest),
        "two archives": saved(plan(greedy)) + saved(honest),
        "script": archive(
            *(("archive/data.pkl", plan(greedy)), ("archive/constants.pkl", plan(b")"))),
            *(("archive/code/__torch__.py", b"x = 1"), ("archive/version", b"3")),
        ),
        "no plan": archive(("archive/version", b"3")),
        "empty": b"",
    }
