"""Plausible wrong answers to the exercises on first steps: code and hint."""

WRONG = {
    "00.1": [
        ("height = 2.0 * 10", "its bias, when x is 0"),
        ("height = 10 * (2.0 + 1.5)", "added once, at the end"),
        ("height = 1.5 * 10 + 2.0", "changed places"),
        ("height = 0.5 * 10 + 1.5", "the line from before"),
        ("height = 2.0 + 1.5 + 10", "added up"),
        ("height = 2.0 * 10 - 1.5", "not subtracted"),
        ("height = 2.0 ** 10 + 1.5", "One of the three numbers"),
        ("height = 21,5", "Python writes decimals with a point"),
        ('height = "21.5"', "a str, expected one number"),
        ("height = print(2.0 * 10 + 1.5)", "None, expected one number"),
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
        ("highest = (2.0 * X + 1.5).max()", "another value"),
    ],
    "00.3": [
        ("def line(x, weight, bias):\n    print(weight * x + bias)", "Is a `return` missing?"),
        ("def line(x, weight, bias):\n    return weight * x", "leaves the bias out"),
        ("def line(x, weight, bias):\n    return x * (weight + bias)", "added last"),
        ("def line(x, weight, bias):\n    return bias * x + weight", "changed places"),
        ("def line(x, weight, bias):\n    return 2.0 * x + 1.5", "the line of exercise 1"),
        ("def line(x, weight, bias):\n    return weight + x + bias", "adds all three up"),
        ("def line(x, weight, bias):\n    return weight * 10 + bias", "one number for a column"),
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
    ],
}

RIGHT = {  # unusual, and right
    "00.1": [],
    "00.2": [],
    "00.3": [],
}
