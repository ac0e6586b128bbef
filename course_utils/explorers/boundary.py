"""BoundaryExplorer: a line that decides between two species; drag it, and see how sure it is."""

from collections.abc import Callable

import numpy as np
import torch

from course_utils import charts, datasets, inputs
from course_utils.explorers.base import Explorer, Proof, are_functions, sliders

LABELS = ("bill length (mm)", "bill depth (mm)")
PRESETS = {
    "lazy rule": {"w1": 0.0, "w2": 0.0, "b": -0.8},
    "lowest loss": {"w1": 12.05, "w2": -4.73, "b": -4.94},
}


class BoundaryExplorer(Explorer):
    """Drag a line between 151 Adelies and 68 Chinstraps; see chances, loss and accuracy.

    Both features are scaled to mean 0 and standard deviation 1. The logit of a bird is w1 times its
    bill length plus w2 times its bill depth plus b, and its sigmoid is the chance of Chinstrap.

    Parameters
    ----------
    loss : callable (logit, y) -> number
        The learner's own binary cross entropy; both have shape (219, 1), a Chinstrap has y = 1.

    Raises
    ------
    InputError
        If `loss` cannot be called.
    """

    def __init__(self, loss: Callable):
        are_functions(loss=loss)
        self._loss = loss
        X, species = datasets.load_species("bill_length_mm", "bill_depth_mm")
        self._bills, species = X[species < 2].double(), species[species < 2]
        center, spread = self._bills.mean(dim=0), self._bills.std(dim=0)
        self._X, self._y = (self._bills - center) / spread, (species == 1).double().unsqueeze(1)
        controls = sliders(
            w1=(1.43, -40, 40, 0.01), w2=(0.47, -40, 40, 0.01), b=(-0.57, -120, 120, 0.01),
            threshold=(0.5, 0.02, 0.98, 0.01),
        )  # fmt: skip
        given = {
            "x1": self._X[:, 0].numpy(), "x2": self._X[:, 1].numpy(), "labels": LABELS,
            "y": self._y.flatten().numpy(), "center": center.numpy(), "spread": spread.numpy(),
            "species": [self._X[species == kind].T.tolist() for kind in (0, 1)],
        }  # fmt: skip
        super().__init__(controls, given, PRESETS)

    def _told(self, settings: dict) -> tuple[torch.Tensor, float]:
        """Return the logits of a line, and its loss by PyTorch."""
        weight = torch.tensor([[settings["w1"]], [settings["w2"]]], dtype=torch.float64)
        logit = self._X @ weight + settings["b"]
        return logit, torch.nn.BCEWithLogitsLoss()(logit, self._y).item()

    def prove(self, settings: dict) -> Proof:
        """Call the learner's loss with the logits of this line."""
        logit, right = self._told(settings)
        found = self._loss(logit, self._y.clone())
        try:
            mine = float(torch.as_tensor(found).detach())
        except (TypeError, ValueError, RuntimeError):
            said = f"the loss is {found!r:.60}, expected one number: is `.mean()` missing?"
            raise inputs.InputError(said) from None
        agrees = bool(np.isclose(mine, right, rtol=1e-6, atol=1e-9))
        said = f"loss {charts.as_text(mine)}"
        said += "." if agrees else f"; the binary cross entropy is {charts.as_text(right)}."
        return Proof(agrees, said, found, {"loss": mine} if np.isfinite(mine) else {})

    def still(self, settings: dict) -> charts.Chart:
        """Return both species and the boundary."""
        logit, loss = self._told(settings)
        kinds, (w1, w2) = self._y.flatten().int(), (settings["w1"], settings["w2"])
        birds = [self._bills[kinds == kind].T.numpy() for kind in (0, 1)]
        names = zip(datasets.SPECIES, birds, strict=False)
        series = [charts.Series(name, *columns, role=name.lower()) for name, columns in names]
        if size := np.hypot(w1, w2):
            along = np.linspace(-9, 9, 901)[:, None] * [-w2, w1] / size
            way = torch.from_numpy(along - np.array([w1, w2]) * settings["b"] / size**2)
            way = way[(way.abs() < 2.9).all(dim=1)] * self._bills.std(dim=0)
            way = (way + self._bills.mean(dim=0)).T.numpy()
            series += [charts.Series("boundary", *way, kind="line")] * (way.shape[1] > 1)
        right = int(((torch.sigmoid(logit).flatten() >= settings["threshold"]) == kinds).sum())
        text = f"{right} of 219 penguins are named right; the loss is {charts.as_text(loss)}."
        return charts.Chart(tuple(series), *LABELS, text)

    def code(self, settings: dict) -> str:
        """Return the lines that give loss and right names of this line by PyTorch."""
        return f"""\
from course_utils import datasets
X, species = datasets.load_species("bill_length_mm", "bill_depth_mm")
X, y = X[species < 2].double(), (species[species < 2] == 1).double().unsqueeze(1)
weight = torch.tensor([[{settings["w1"]!r}], [{settings["w2"]!r}]], dtype=X.dtype)
logit = (X - X.mean(dim=0)) / X.std(dim=0) @ weight + {settings["b"]!r}
right = (torch.sigmoid(logit) >= {settings["threshold"]!r}) == (y == 1)
loss = {self.called(self._loss, "torch.nn.BCEWithLogitsLoss()")}(logit, y)
return loss.item(), right.sum().item()"""
