"""Time a polynomial, plain and compiled. Notebook 12 draws it."""

import json
import time

import torch

LENGTHS = [16, 1_000, 30_000, 1_000_000]
WEIGHTS = [0.3, -1.2, 0.7, 2.0, -0.5, 0.1, 1.5, -0.9]

# for so small a task: one process, no test of the processor, no headers in advance
SHORTCUTS = {
    "compile_threads": 1,
    "cpp.vec_isa_ok": True,
    "cpp_cache_precompile_headers": False,
}


def polynomial(x):
    """Return a polynomial of degree 7, computed by Horner's scheme."""
    y = torch.zeros_like(x)
    for weight in WEIGHTS:
        y = y * x + weight
    return y


def milliseconds(function, x, times=20):
    """Return the shortest time of some calls, after one that prepares."""
    function(x)
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        function(x)
        seconds.append(time.perf_counter() - start)
    return 1000 * min(seconds)


def compared():
    """Return what is to be said, and the times by name."""
    torch.set_num_threads(1)
    numbers = torch.linspace(-1, 1, LENGTHS[-1])
    times = {"plain": [milliseconds(polynomial, numbers[:n]) for n in LENGTHS]}
    try:
        with torch._inductor.config.patch(SHORTCUTS):
            compiled = torch.compile(polynomial, dynamic=True)
            same = torch.allclose(compiled(numbers), polynomial(numbers), atol=1e-5)
        times["compiled"] = [milliseconds(compiled, numbers[:n]) for n in LENGTHS]
        said = f"same results: {same}"
    except Exception:
        said = "torch.compile needs a C++ compiler and found none, so nothing was compiled."
    return said, times


if __name__ == "__main__":
    print(json.dumps(compared()))
