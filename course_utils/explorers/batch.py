"""BatchExplorer: which rows form a batch, and how its gradient differs from that of all rows."""

import itertools

import ipywidgets as widgets
import numpy as np
import torch
from torch.utils.data import DataLoader, default_collate

from course_utils import figures, inputs
from course_utils.charts import Chart
from course_utils.explorers import answers
from course_utils.explorers.base import Explorer, Proof, sliders

LARGEST_BATCH = 1_000
OPTIONS = ("batch_size", "shuffle", "drop_last")
SEED = 420


class BatchExplorer(Explorer):
    """Walk through an epoch batch by batch.

    The page deals the rows as a DataLoader with this seed does; once the controls rest, a real one
    runs over the dataset, and both have to hand out the same batch.

    Parameters
    ----------
    dataset : Dataset of (x, y), each of shape (1,)
        Anything with `len(dataset)` and `dataset[index]`, such as a TensorDataset or a Subset.

    Raises
    ------
    InputError
        If the dataset has no length, is empty, or its items are not pairs of finite numbers.
    """

    def __init__(self, dataset: object):
        self._dataset, (self._X, self._y) = dataset, _columns(dataset)
        x, y = inputs.pair(self._X, self._y)
        n = len(x)
        controls = sliders(batch_size=(min(16, n), 1, min(n, LARGEST_BATCH), 1))
        controls["shuffle"] = widgets.Checkbox(True, description="shuffle")
        controls["drop_last"] = widgets.Checkbox(False, description="drop_last")
        controls |= sliders(epoch=(1, 1, 5, 1), step=(1, 1, n, 1))
        given = {"x": x, "y": y, "seed": SEED, "domain": answers.ends(x), "range": answers.ends(y)}
        super().__init__(controls, given)

    def prove(self, settings: dict) -> Proof:
        """Fetch the batch from the learner's dataset with a real loader of the same seed."""
        rows, batch = (self._batch(d, settings) for d in (range(len(self._X)), self._dataset))
        X_batch, y_batch = answers.two("dataset[row]", batch, "x, y")
        x, y = inputs.pair(X_batch, y_batch)
        agrees = torch.equal(X_batch, self._X[rows]) and torch.equal(y_batch, self._y[rows])
        said = f"a real DataLoader hands out these rows, X_batch {tuple(X_batch.shape)}."
        if not agrees:
            said = "your dataset hands out other values than before: does __getitem__ draw?"
        return Proof(agrees, said, rows.tolist(), {} if agrees else {"x": x, "y": y})

    def still(self, settings: dict) -> Chart:
        """Return the batch and all other rows as a chart."""
        rows = self._batch(range(len(self._X)), settings).numpy()
        groups = {"other data": np.setdiff1d(np.arange(len(self._X)), rows), "this batch": rows}
        columns = {n: (self._X[rows], self._y[rows]) for n, rows in groups.items() if len(rows)}
        return figures.plot_groups(columns, xlabel="x", ylabel="y")

    def code(self, settings: dict) -> str:
        """Return the lines that serve this batch."""
        options = ", ".join(f"{name}={settings[name]}" for name in OPTIONS)
        dataset = self.called(self._dataset, "dataset")
        return f"""\
options = dict({options})
generator = torch.Generator().manual_seed({SEED})
loader = torch.utils.data.DataLoader({dataset}, **options, generator=generator)
for epoch in range({settings["epoch"]}):
    batches = list(loader)
X_shown, y_shown = batches[min({settings["step"]}, len(batches)) - 1]
return len(batches), len(X_shown), X_shown.min().item(), X_shown.max().item()"""

    def _batch(self, data: object, settings: dict) -> object:
        """Return the batch of this step; the epochs before draw from the generator, too."""
        options = {name: settings[name] for name in OPTIONS}
        options["generator"] = torch.Generator().manual_seed(SEED)
        for _ in range(settings["epoch"] - 1):
            list(DataLoader(range(len(self._X)), **options))
        loader = DataLoader(data, **options)
        return next(itertools.islice(loader, min(settings["step"], len(loader)) - 1, None))


def _columns(dataset: object) -> tuple[torch.Tensor, torch.Tensor]:
    kind = type(dataset).__name__
    if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
        raise inputs.InputError(f"dataset is a {kind}, expected one with __len__ and __getitem__")
    items = [dataset[index] for index in range(len(dataset))]
    if not items:
        raise inputs.InputError("dataset is empty, expected one pair (x, y) or more")
    try:
        return tuple(default_collate([(x, y) for x, y in items]))
    except (TypeError, ValueError, RuntimeError):
        said = f"dataset[0] is a {type(items[0]).__name__}, expected pairs (x, y) of tensors"
        raise inputs.InputError(f"{said} of shape (1,)") from None
