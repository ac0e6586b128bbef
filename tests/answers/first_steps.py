"""Plausible wrong answers to the exercises on first steps: code and hint."""

WRONG = {
    "00.1": [
        ("height = 2.0 * 10", "its bias, when x is 0"),
        ("height = 10 * (2.0 + 1.5)", "added once, at the end"),
        ("height = 1.5 * 10 + 2.0", "changed places"),
        ("height = 0.5 * 10 + 1.5", "the line from before"),
        ("height = 2.0 + 1.5 + 10", "added up"),
        ("height = 2.0 * 10 - 1.5", "not subtracted"),
        ("height = 2.0 ** 10 + 1.5", "Compare each number and each sign"),
        ("height = 2.0 * (10 + 1.5)", "before the weight multiplies"),
        ("height = 2.0 * 10 * 1.5", "added, not multiplied"),
        ("height = 2.0 * 11 + 1.5", "Compare each number and each sign"),
        ("height = 21,5", "Python writes decimals with a point"),
        ('height = "21.5"', "a str, expected one number"),
        ("height = print(2.0 * 10 + 1.5)", "None, expected one number"),
        ("height = [2.0 * 10 + 1.5]", "a list, expected one number"),
        ("height = lambda x: 2.0 * x + 1.5", "a function, expected one number"),
        ("height = (2.0 * X + 1.5)", "has shape (200, 1)"),
    ],
    "00.2": [
        ("highest = X.max()", "The targets are in `y`"),
        ("highest = y.min()", "opposite of `min`"),
        ("highest = y.max", "The parentheses behind its name"),
        ("highest = y.argmax()", "What is its value?"),
        ("highest = y[-1]", "the last row"),
        ("highest = y[0]", "the first row"),
        ("highest = len(y)", "counts the rows"),
        ("highest = 6.7", "is rounded"),
        ("highest = y.mean()", "the mean of the targets"),
        ("highest = y", "expected one number"),
        ("highest = (2.0 * X + 1.5).max()", "height of the line at the largest x"),
        ("highest = y.max(dim=0)", "a pair: values, and the rows"),
        ("highest = y.max(0)", "a pair: values, and the rows"),
        ("highest = y.sort()", "`sort` gives such a pair"),
        ("highest = y.topk(1)", "`topk` gives such a pair"),
        ("highest = int(y.max())", "rounded or read off"),
        ("highest = round(float(y.max()), 1)", "is rounded"),
        ("highest = y.sum()", "adds up all targets"),
        ("highest = y.std()", "is not 1.9"),
    ],
    "00.3": [
        ("def line(x, weight, bias):\n    print(weight * x + bias)", "Is a `return` missing?"),
        ("def line(x, weight, bias):\n    return weight * x", "leaves the bias out"),
        ("def line(x, weight, bias):\n    return x * (weight + bias)", "to the weight before"),
        ("def line(x, weight, bias):\n    return weight * (x + bias)", "the bias to x before"),
        ("def line(x, weight, bias):\n    return abs(weight * x + bias)", "below zero is negative"),
        (
            "def line(x, weight, bias):\n    height = weight * x + bias\n"
            "    return height if isinstance(x, float) else height.abs()",
            "wrong for a column",
        ),
        (
            "def line(x, weight, bias):\n    return max(weight * x + bias, 0.0)",
            "returns 0, which is not",
        ),
        ("def line(x, weight, bias):\n    return round(weight * x + bias)", "is rounded"),
        ("def line(x, weight, bias):\n    return int(weight * x + bias)", "is rounded"),
        ("def line(x, weight, bias):\n    return round(weight * x + bias, 1)", "is rounded"),
        ("def line(x, weight, bias):\n    return bias * x + weight", "changed places"),
        ("def line(x, weight, bias):\n    return 2.0 * x + 1.5", "the line of exercise 1"),
        ("def line(x, weight, bias):\n    return weight + x + bias", "adds all three up"),
        ("def line(x, weight, bias):\n    return weight * 10 + bias", "the x of exercise 1"),
        (
            "def line(x, weight, bias):\n    if isinstance(x, float):\n"
            "        return weight * x + bias\n    return weight * x.mean() + bias + 0 * x",
            "wrong for a column",
        ),
        (
            "def line(x, weight, bias):\n    x *= weight\n    x += bias\n    return x",
            "changes the x that it gets",
        ),
        ("def line(weight, x, bias):\n    return float(weight) * x + bias", "raised"),
        ("def line(x):\n    return 2.0 * x + 1.5", "raised TypeError"),
        ("line = 2.0 * 10 + 1.5", "expected something to call"),
        ('def line(x, weight, bias):\n    return f"{weight} * x + {bias}"', "a str"),
        ("def line(x, weight, bias):\n    return weight * x - bias", "takes the bias away"),
        ("def line(x, weight, bias):\n    return weight * x * bias", "multiplies all three"),
        ("def line(x, weight, bias):\n    return weight ** x + bias", "`weight ** x` is a power"),
        ("def line(x, weight, bias):\n    return weight * x / bias", "returns 125.6, which is not"),
        ("def line(x, weight, bias):\n    return float(weight * x + bias)", "Print its shape"),
        ("def line(x, weight, bias):\n    return weight * x, bias", "a tuple, expected one number"),
        (
            "def line(x, weight, bias):\n    if x is None or isinstance(x, float):\n"
            "        return weight * x + bias\n    return [weight * each + bias for each in x]",
            "a list, expected a tensor",
        ),
    ],
}

RIGHT = {  # unusual, and right
    "00.1": [
        "height = 21.5",
        "height = (lambda x: 2.0 * x + 1.5)(10)",
        "height = X.new_full((1, 1), 10) * 2.0 + 1.5",
        "height = sum(a * b for a, b in zip((2.0, 1.5), (10, 1)))",
        "import numpy as np\nheight = np.polyval([2.0, 1.5], 10)",
        "from fractions import Fraction\nheight = float(2 * 10 + Fraction(3, 2))",
    ],
    "00.2": [
        "highest = y.max().item()",
        "highest = max(y)",
        "highest = y.max(dim=0).values",
        "highest = y.double().numpy().max()",
        "highest = sorted(y.flatten().tolist())[-1]",
        "highest = y[y.argmax()]",
        "highest = -(-y).min()",
        "highest = y.flatten().topk(1).values",
    ],
    "00.3": [
        "line = lambda x, weight, bias: bias + x * weight",
        "def line(x: float, weight: float, bias: float = 0.0) -> float:\n"
        "    product = weight * x\n    return product + bias",
        "import operator\ndef line(x, weight, bias):\n"
        "    return operator.add(operator.mul(x, weight), bias)",
        "import torch\ndef line(x, weight, bias):\n    if isinstance(x, torch.Tensor):\n"
        "        return torch.stack([weight * each + bias for each in x])\n"
        "    return weight * x + bias",
        "class Line:\n    def __call__(self, *args):\n        x, weight, bias = args\n"
        "        return weight * x + bias\nline = Line()",
    ],
}
