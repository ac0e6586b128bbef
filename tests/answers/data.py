"""Plausible wrong answers to the exercises on data and columns: code and hint."""

POINTS = "X_new, y_new = datasets.make_line(n=10_000, noise=0.3)\n"
COLUMNS = 'columns = ["bill_depth_mm", "bill_length_mm"]\n'
TENSORS = (
    "X_bills = torch.tensor(depths, dtype=torch.float32).unsqueeze(1)\n"
    "y_bills = torch.tensor(lengths, dtype=torch.float32).unsqueeze(1)"
)


def draw(*lines):
    """Return the code of a function `draw` with these lines."""
    return "def draw(n, seed):\n    " + "\n    ".join(lines)


OWN = "generator = torch.Generator().manual_seed(seed)"
EVEN = "X = torch.rand(n, 1, generator=generator)"
NOISY = "return X, 0.8 * X + 0.2 + 0.05 * torch.randn(n, 1, generator=generator)"

WRONG = {
    "01.1": [
        ("loss = 0.3 ** 2", "the prediction itself"),
        (POINTS + "loss = (2.0 * X_new + 1.5 - y_new).square().mean().sqrt()", "the root"),
        (POINTS + "loss = (2.0 * X_new + 1.5 - y_new).std()", "the root"),
        (POINTS + "loss = (2.0 * X_new + 1.5 - y_new).abs().mean()", "mean absolute error"),
        (POINTS + "loss = (2.0 * X_new + 1.5 - y_new).mean()", "cancel"),
        (POINTS + "loss = (2.0 * X_new + 1.5 - y_new).square().sum()", "the sum"),
        (POINTS + "loss = (1.5 * X_new + 2.0 - y_new).square().mean()", "changed places"),
        (POINTS + "loss = (2.0 * X_new - y_new).square().mean()", "lacks its bias"),
        (POINTS + "loss = (2.0 * X_new + 1.5 - y_new).square()", "expected one number"),
        ("loss = (2.0 * X + 1.5 - y).square().mean()", "the 200 points from before"),
        (
            "X_new, y_new = datasets.make_line(n=10_000, noise=0.5)\n"
            "loss = (2.0 * X_new + 1.5 - y_new).square().mean()",
            "with a noise of 0.3?",
        ),
    ],
    "01.2": [
        ("prices = -2.0 * torch.tensor([1.0, 3.5, 8.0]) + 20.0", ".unsqueeze(1)"),
        ("prices = -2.0 * torch.tensor([1.0, 3.5, 8.0]).unsqueeze(0) + 20.0", "(1, 3)"),
        ("prices = [[18.0], [13.0], [4.0]]", "a list, expected a tensor"),
        ("prices = 20.0 * torch.tensor([[1.0], [3.5], [8.0]]) - 2.0", "changed places"),
        ("prices = 2.0 * torch.tensor([[1.0], [3.5], [8.0]]) + 20.0", "sign of the weight"),
        ("prices = -2.0 * torch.tensor([[1.0], [3.5], [8.0]])", "bias is missing"),
        ("prices = torch.tensor([1.0, 3.5, 8.0]).unsqueeze(1)", "These are the mileages"),
        (
            "x = torch.tensor([1.0, 3.5, 8.0])\nprices = -2.0 * x.unsqueeze(1) + 20.0 + 0 * x",
            "(3, 3)",
        ),
        ("prices = torch.tensor([[4.0], [13.0], [18.0]])", "one car in each row"),
    ],
    "01.3": [
        (draw("torch.manual_seed(seed)", "X = torch.rand(n, 1)",
              "return X, 0.8 * X + 0.2 + 0.05 * torch.randn(n, 1)"), "the whole program"),
        (draw("X = torch.rand(n, 1)",
              "return X, 0.8 * X + 0.2 + 0.05 * torch.randn(n, 1)"), "Seed every draw"),
        (draw(OWN, EVEN, "return X, 0.8 * X + 0.2 + 0.05 * torch.randn(n, 1)"), "Seed every draw"),
        (draw(EVEN, NOISY), "Seed every draw"),
        (draw("generator = torch.Generator().manual_seed(420)", EVEN, NOISY), "get the seed"),
        (draw(OWN, EVEN, OWN, NOISY), "from the same seed"),
        (draw(OWN, "X = torch.randn(n, 1, generator=generator)", NOISY), "`rand` is even"),
        (draw(OWN, "X = torch.rand(n, generator=generator)",
              "return X, 0.8 * X + 0.2 + 0.05 * torch.randn(n, generator=generator)"),
         ".unsqueeze(1)"),
        (draw(OWN, EVEN, "return X, 0.8 * X + 0.2 + 0.05 * torch.rand(n, 1, generator=generator)"),
         "centered"),
        (draw(OWN, EVEN, "return X, 0.8 * X + 0.2"), "Where is the noise?"),
        (draw(OWN, EVEN, NOISY.replace("0.05", "0.5")), "another standard deviation"),
        (draw(OWN, EVEN.replace("n, 1", "50, 1"), NOISY.replace("n, 1", "50, 1")), "(50, 1)"),
        (draw(OWN, EVEN, NOISY.replace("return X, ", "return ")), "the pair `X, y`"),
        (draw(OWN, EVEN, NOISY.replace("return X, ", "y = ")), "Is a `return` missing?"),
        ("X, y = make(50, 0.8, 0.2, 0.05, 3)\ndraw = X, y", "expected something to call"),
    ],
    "01.4": [
        (COLUMNS + "depths, lengths = penguins.dropna()[columns].to_numpy().T\n" + TENSORS, "333"),
        (COLUMNS + "depths, lengths = penguins[columns].to_numpy().T\n" + TENSORS, "344"),
        (COLUMNS + "depths, lengths = penguins[columns].fillna(0).to_numpy().T\n" + TENSORS, "344"),
        (COLUMNS + "lengths, depths = complete[columns].to_numpy().T\n" + TENSORS, "other column"),
        (COLUMNS + "depths, lengths = complete[columns].to_numpy().T\n"
         + TENSORS.replace("32", "64"), "float64"),
        (COLUMNS + "depths, lengths = complete[columns].to_numpy().T\n"
         + TENSORS.replace(".unsqueeze(1)", ""), ".unsqueeze(1)"),
        (COLUMNS + "depths, lengths = complete[columns].to_numpy().T / 10\n" + TENSORS, "unit"),
        (COLUMNS + "depths, lengths = complete[columns].to_numpy().T\n"
         "X_bills, y_bills = depths, lengths", "ndarray, expected a tensor"),
        ('X_bills, y_bills = complete["bill_depth_mm"], complete["bill_length_mm"]', "a Series"),
        ("X_bills, y_bills = X_loaded, y_loaded", "Which column"),
    ],
}  # fmt: skip

RIGHT = {  # unusual, and right
    "01.1": [],
    "01.2": [],
    "01.3": [],
    "01.4": [],
}
