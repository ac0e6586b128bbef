"""TrainingExplorer: learning rate, epochs and noise move data, losses and the path downhill."""

from collections.abc import Callable
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
from torch import nn

from course_utils import descent, figures, inputs
from course_utils.charts import Chart, Series, as_text, count, drawn, thin
from course_utils.explorers import panels, runs
from course_utils.explorers.base import Explorer, Verdict, are_functions
from course_utils.explorers.replay import Replay, Slider

LOSSES = {"MSELoss": "mse", "L1Loss": "l1"}
_UNITS = {"MSELoss": "MSE loss (squared unit of y)", "L1Loss": "L1 loss (unit of y)"}
_MOST_RESIDUALS = 20_000_000  # more would take a second to measure: then the kernel draws alone
_DIVERGES = "# This run diverges: no number is left at its end. The picture stops before that.\n"
_NO_LIMIT = " No stable limit is drawn: its formula is for MSE with SGD."
_LEAST = 1e-6  # smaller losses are told as being so; replay.js has the same
_TOLERANCE = 1e-6  # relative to the larger of 1 and the parameter


class Run(NamedTuple):
    """What one run shows, at the steps that are drawn."""

    settings: dict
    data: runs.Data
    epochs: int  # as many as are followed
    passed: np.ndarray  # epochs passed at each point, shape (K,)
    weight: np.ndarray
    bias: np.ndarray
    train: np.ndarray  # losses at the same weights
    val: np.ndarray
    final: np.ndarray  # training loss at the end for every learning rate offered, shape (R,)
    overflowed: bool


class TrainingExplorer(Explorer):
    """Move the settings of a training loop; see the line, the losses and the path downhill.

    Parameters
    ----------
    train : callable (model, optimizer, loss_fn, loader, epochs) -> history
        The learner's own loop. Its history has, for every step, the `weight` and `bias` before
        (or after) the step, such as a `History` or a dict of lists.
    optimizers : sequence of two classes
        PyTorch's SGD and Adam.
    X, y : Tensor, shape (N, 1), optional
        The learner's data; by default 200 points around y = 2 x + 1.5. One fifth is held out.

    Raises
    ------
    InputError
        If `train` cannot be called, an optimizer is neither SGD nor Adam, or the data are no
        matching finite columns of 2 rows or more.
    """

    def __init__(self, train: Callable, optimizers: list[type], X: object = None, y: object = None):
        are_functions(train=train)
        names = [getattr(kind, "__name__", str(kind)) for kind in optimizers]
        for name in names:
            inputs.choice("optimizer", name, ("SGD", "Adam"))
        self._train, self._optimizers = train, dict(zip(names, optimizers, strict=True))
        self._own, self._given = X is not None, (X, y)
        self._take(X, y)
        self._limit = descent.stable_lr(self._X_train)
        self._lrs = runs.rates(self._limit)
        self._sweep = runs.Sweep(self._lrs, self._begin, runs.Order(len(self._X_train)))
        controls = self._make_controls(names)
        panels_box = self._make_panels()
        moved = ("line", "train", "val", "path", "end", "sweep", "here")
        marks = [self._marks[name] for name in moved]
        self.replay = Replay(controls["lr"], controls["epochs"], marks)
        self._told: tuple = ()
        self._ahead: dict[int, int] = {}  # batch size: epochs that are known
        super().__init__(controls, [widgets.VBox([self.replay, panels_box])])
        self.replay.page = self.page

    def _take(self, X: object, y: object) -> None:
        """Split the data and draw the noise and the start, in the order of the course."""
        n = 200 if X is None else len(inputs.pair(X, y, least=2)[0])
        generator = torch.Generator().manual_seed(runs.SEED)
        features, noise = (torch.randn(n, 1, generator=generator) for _ in range(2))
        order = torch.randperm(n, generator=generator)
        if X is None:
            X, y = features, 1.5 + 2 * features
        held_out = max(1, n // 5)
        for name, column in {"_X": X, "_y": y, "_noise": noise}.items():
            column = torch.as_tensor(column).double()[order]
            setattr(self, f"{name}_train", column[: n - held_out])
            setattr(self, f"{name}_val", column[n - held_out :])
        generator.manual_seed(runs.SEED)
        bias, weight = (torch.randn(1, generator=generator).item() for _ in range(2))
        self._begin = runs.Start(weight, bias)

    def _make_controls(self, optimizers: list[str]) -> dict[str, widgets.Widget]:
        n = len(self._X_train)
        sizes = [(str(size), size) for size in (1, 4, 16, 64, 256) if size < n]
        spread = (
            1.0 if not self._own else float(f"{max(self._y_train.std(correction=0), 1e-9):.1g}")
        )
        rest = {"layout": {"width": "250px"}}
        return {
            "lr": Slider(
                self._lrs, min(self._lrs, key=lambda lr: abs(lr - self._limit / 10)),
                "learning rate", mark=self._limit, mark_label=f"limit {as_text(self._limit, 3)}",
            ),
            "epochs": Slider(runs.EPOCHS, 100, "epochs"),
            "noise": widgets.FloatSlider(
                0.0 if self._own else 0.1, min=0, max=3 * spread, step=spread / 20,
                description="added noise" if self._own else "noise", readout_format=".2f",
            ),
            "batch_size": widgets.Dropdown(
                options=[*sizes, (f"{n} (all)", n)], value=min(16 if n <= 2_000 else 256, n),
                description="batch size", **rest,
            ),
            "loss": widgets.Dropdown(options=[*LOSSES], description="loss", **rest),
            "optimizer": widgets.Dropdown(options=optimizers, description="optimizer", **rest),
        }  # fmt: skip

    def _make_panels(self) -> widgets.Box:
        x, y = (torch.cat([train, val])[:, 0].numpy() for train, val in (
            (self._X_train, self._X_val), (self._y_train, self._y_val)))  # fmt: skip
        ends = _widened(x, 0.1)
        self._ends = np.array(ends)
        low, high = _widened(y, 0.3)
        top = float(descent.mean_loss(self._X_train, self._y_train, *self._begin))
        losses = 10.0 ** (np.round(np.log10(max(top, 1e-12))) + np.array([-4, 2]))
        best = runs.least_squares(self._X_train, self._y_train)
        self._half = [1.25 * max(abs(a - b), 0.5) for a, b in zip(best, self._begin, strict=True)]
        around = [(m - h, m + h) for m, h in zip(best, self._half, strict=True)]
        self._frame = np.array(losses)
        unit = _UNITS["MSELoss"]
        one = panels.Panel(
            "Data and fitted line", (figures.FEATURE, *ends), (figures.TARGET, low, high), width=355
        )
        two = panels.Panel(
            "Both losses along the run", ("epochs passed", 0.1, runs.EPOCHS[-1]), (unit, *losses),
            log_x=True, log_y=True, width=355,
        )  # fmt: skip
        three = panels.Panel(
            "Path on the loss surface", ("weight", *around[0]), ("bias", *around[1]), width=355
        )
        four = panels.Panel(
            "Final training loss", ("learning rate", self._lrs[0], self._lrs[-1]), (unit, *losses),
            log_x=True, log_y=True, width=355,
        )  # fmt: skip
        self._marks = {
            "rows": one.points("train", "train"),
            "held": one.points("validation", "validation"),
            "line": one.line("fitted line"),
            "train": two.line("train", "train"),
            "val": two.line("validation", "validation"),
            "contours": three.line("equal loss", "truth", stroke_width=1, display_legend=False),
            "path": three.line("path"),
            "end": three.points("end", "test", default_size=60),
            "sweep": four.line("each rate", "train"),
            "limit": four.line("stable limit", "limit"),
            "here": four.points("this rate", "test", default_size=60),
        }
        panels.put(self._marks["limit"], np.full(2, self._limit), losses)
        self._contoured: tuple = ()
        self._loss_panels, self._sweep_marks = (two.figure, four.figure), four.figure.marks
        layout = {"flex_flow": "row wrap", "max_width": "730px"}
        return widgets.Box([p.figure for p in (one, two, three, four)], layout=layout)

    # state -> result

    def _data(self, noise: float) -> runs.Data:
        y_train = self._y_train + noise * self._noise_train
        return runs.Data(self._X_train, y_train, self._X_val, self._y_val + noise * self._noise_val)

    def compute(self, settings: dict) -> Run:
        """Follow the run by formula, with those of all other learning rates."""
        n, size = len(self._X_train), settings["batch_size"]
        epochs = min(settings["epochs"], runs.most_epochs(n, size))
        loss = LOSSES[settings["loss"]]
        known = self._horizon(settings, epochs)
        path = self._follow(settings, known)
        steps = runs.kept_steps(n, size, known)
        end = int(np.searchsorted(steps, epochs * runs.steps_per_epoch(n, size))) + 1
        data = self._data(settings["noise"])
        final = descent.mean_loss(
            *data[:2], path.weight[:, end - 1], path.bias[:, end - 1], loss=loss
        )
        row = self._lrs.index(settings["lr"])
        weight, bias = path.weight[row, :end], path.bias[row, :end]
        return self._measured(settings, data, epochs, steps[:end], weight, bias, final)

    def _measured(self, settings, data, epochs, steps, weight, bias, final) -> Run:
        """Cut a path where it overflows and measure both losses along it."""
        loss = LOSSES[settings["loss"]]
        train = descent.mean_loss(*data[:2], weight, bias, loss=loss)
        val = descent.mean_loss(*data[2:], weight, bias, loss=loss)
        fine = np.logical_and.accumulate(np.isfinite(train) & np.isfinite(val))
        passed = steps / runs.steps_per_epoch(len(data.X_train), settings["batch_size"])
        columns = (column[fine] for column in (passed, weight, bias, train, val))
        return Run(settings, data, epochs, *columns, final, not fine.all())

    def draw(self, result: Run) -> None:
        """Set all marks; what leaves the axes ends at their edge."""
        put, marks, data = panels.put, self._marks, result.data
        if self._told != self._key(result):
            self.replay.history = {}  # every move goes to the kernel
        put(marks["rows"], data.X_train[:, 0].numpy(), data.y_train[:, 0].numpy())
        put(marks["held"], data.X_val[:, 0].numpy(), data.y_val[:, 0].numpy())
        weight, bias = (np.clip(path, -1e9, 1e9) for path in (result.weight, result.bias))
        put(marks["line"], self._ends, weight[-1] * self._ends + bias[-1])
        put(marks["train"], result.passed[1:], self._clipped(result.train[1:]))
        put(marks["val"], result.passed[1:], self._clipped(result.val[1:]))
        put(marks["path"], weight, bias)
        put(marks["end"], weight[-1:], bias[-1:])
        put(marks["sweep"], np.array(self._lrs), self._clipped(result.final))
        put(marks["here"], np.array([result.settings["lr"]]), self._clipped(result.train[-1:]))
        self._suit(result)

    def _suit(self, result: Run) -> None:
        """Let axes, the mark of the limit and the slider of the epochs tell what holds here."""
        limit, four = self._marks["limit"], self._loss_panels[1]
        affine = self._is_affine(result.settings)
        self._controls["lr"].mark = self._limit if affine else None
        marks = [mark for mark in self._sweep_marks if affine or mark is not limit]
        if len(marks) != len(four.marks):
            four.marks = marks  # bqplot draws the legend anew
        for figure in self._loss_panels:
            figure.axes[1].label = _UNITS[result.settings["loss"]]
        with self._work_to_do:
            if result.epochs < result.settings["epochs"] and self.settings == result.settings:
                self._holding = True
                self._controls["epochs"].value = result.epochs
                self._holding = False

    def _key(self, result: Run) -> tuple:
        """Return what the runs in the page depend on."""
        rest = (result.settings[name] for name in ("noise", "batch_size", "loss", "optimizer"))
        return self._horizon(result.settings, result.epochs), *rest

    def _horizon(self, settings: dict, epochs: int) -> int:
        size, affine = settings["batch_size"], self._is_affine(settings)
        known = runs.horizon(len(self._X_train), size, epochs, affine)
        return max(known, self._ahead.get(size, 0)) if affine else known

    def _is_affine(self, settings: dict) -> bool:
        return runs.is_affine(LOSSES[settings["loss"]], settings["optimizer"].lower())

    def _follow(self, settings: dict, epochs: int) -> descent.Path:
        """Return the paths of all learning rates over so many epochs."""
        names = "noise", "batch_size", "loss", "optimizer"
        noise, size, loss, optimizer = (settings[name] for name in names)
        columns = self._X_train, self._y_train, self._noise_train
        return self._sweep(*columns, noise, size, LOSSES[loss], optimizer.lower(), epochs)

    def _tell(self, result: Run) -> None:
        """Send all runs that are known to the page, which then needs no kernel to show them."""
        known, _, size, loss, _ = self._key(result)
        data, n = result.data, len(result.data.X_train)
        steps = runs.kept_steps(n, size, known)
        if loss == "L1Loss" and n * len(steps) * len(self._lrs) > _MOST_RESIDUALS:
            return
        path = self._follow(result.settings, known)
        measured = [
            descent.mean_loss(X, y, *path, loss=LOSSES[loss]) for X, y in (data[:2], data[2:])
        ]
        self.replay.tell(
            steps / runs.steps_per_epoch(n, size), np.stack([*path, *measured], axis=1),
            line=self._ends.tolist(), frame=(self._frame * [0.1, 10]).tolist(),
            said=self._said(n), steps=runs.steps_per_epoch(n, size), why=self._why(size),
            limit=self._limit if self._is_affine(result.settings) else None, note=_NO_LIMIT,
        )  # fmt: skip
        self._told = self._key(result)

    def _clipped(self, losses: np.ndarray) -> np.ndarray:
        low, high = self._frame
        return np.clip(np.nan_to_num(losses, nan=np.inf), low / 10, high * 10)

    def summary(self, result: Run) -> str:
        """Tell where the run ended; replay.js says the same in the same words."""
        settings, n = result.settings, len(result.data.X_train)
        asked, steps = settings["epochs"], runs.steps_per_epoch(n, settings["batch_size"])
        cut = f" (of {asked:,}: more would take too long here)" if result.epochs < asked else ""
        affine = self._is_affine(settings)
        said = f"{self._said(n)}, lr {as_text(settings['lr'])}, "
        said += f"{count(result.epochs, 'epoch')}{cut} of {count(steps, 'step')}: "
        end, why = result.train[-1], f"; {self._why(settings['batch_size'])}"
        if result.overflowed:
            stops = as_text(result.passed[-1], 3)
            said += f"the run diverges, the picture stops at epoch {stops}{why}"
        elif affine and settings["lr"] > self._limit and end > 10 * result.train[0]:
            said += f"the run diverges, the training loss is {as_text(end, 3)}{why}"
        else:
            weight, bias = (as_text(p[-1], decimals=4) for p in (result.weight, result.bias))
            train, val = (as_text(e[-1], least=_LEAST) for e in (result.train, result.val))
            said += f"weight {weight}, bias {bias}, training loss {train}, validation loss {val}"
        return f"{said}.{_NO_LIMIT * (not affine)}"

    def _said(self, n: int) -> str:
        return f"{count(n, 'training point')}{drawn(n)}"

    def _why(self, size: int) -> str:
        small = "" if size == len(self._X_train) else " for steps on all points, less for batches"
        return f"the stable limit is {as_text(self._limit, 3)}{small}"

    def still(self, result: Run) -> Chart:
        """Return both loss curves as a chart."""
        series = [
            Series(name, thin(result.passed[1:]), thin(self._clipped(losses[1:])), "line", role)
            for name, losses, role in (
                ("train", result.train, "train"), ("validation", result.val, "validation"))
        ]  # fmt: skip
        return Chart(
            tuple(series),
            "epochs passed",
            _UNITS[result.settings["loss"]],
            self.summary(result),
            log_x=True,
            log_y=True,
        )

    # the learner's loop

    def _draw_contours(self, result: Run) -> None:
        """Draw the surface, which moves little, once the controls rest."""
        key = result.settings["noise"], result.settings["loss"]
        if key != self._contoured:
            lines = runs.contours(*result.data[:2], LOSSES[key[1]], self._begin, self._half)
            panels.put(self._marks["contours"], *lines)
            self._contoured = key

    def _run_learners_function(self, settings: dict, result: Run) -> None:
        self._attempt(self._draw_contours, result)
        if self._told != self._key(result):
            self._attempt(self._tell, result)
        super()._run_learners_function(settings, result)
        if self.page.is_listening and not self._is_interrupted():
            self._look_ahead(result)

    def _look_ahead(self, result: Run) -> None:
        """Follow all runs as far as the slider of the epochs goes, where that serves any noise."""
        settings, size = result.settings, result.settings["batch_size"]
        farthest = runs.most_epochs(len(self._X_train), size)
        if not self._is_affine(settings) or self._horizon(settings, result.epochs) == farthest:
            return
        answers = self._aside(self._follow, settings, farthest)
        if answers and isinstance(answers[0], descent.Path):
            self._ahead[size] = farthest
            self._attempt(self._tell, result)

    def prove(self, settings: dict, result: Run) -> Verdict:
        """Run the learner's loop on the same rows and compare every step with the formula."""
        data, size, loss = result.data, settings["batch_size"], settings["loss"]
        model = torch.nn.utils.skip_init(nn.Linear, 1, 1, dtype=torch.float64)  # draws no numbers
        with torch.no_grad():
            model.weight.fill_(self._begin.weight)
            model.bias.fill_(self._begin.bias)
        optimizer = self._optimizers[settings["optimizer"]](model.parameters(), lr=settings["lr"])
        loader = runs.loader(data.X_train, data.y_train, size)
        history = self._train(model, optimizer, getattr(nn, loss)(), loader, result.epochs)
        steps = result.epochs * runs.steps_per_epoch(len(data.X_train), size)
        weight, bias = _walked(history, model, self._begin, steps)
        batches = self._sweep.order.batches(size, result.epochs)
        path = descent.descend(
            data.X_train, data.y_train, settings["lr"], batches, loss=LOSSES[loss],
            optimizer=settings["optimizer"].lower(), **self._begin._asdict(),
        )  # fmt: skip
        text, agrees = _compared((weight, bias), (path.weight[0], path.bias[0]))
        at = runs.kept_steps(len(data.X_train), size, self._key(result)[0])
        at = at[at <= steps]
        final = result.final
        shown = self._measured(settings, data, result.epochs, at, weight[at], bias[at], final)
        return Verdict(text, agrees, shown)

    def as_code(self, settings: dict) -> str:
        """Return the cell that trains with the learner's loop to the same two parameters."""
        kind = self._optimizers[settings["optimizer"]]
        n, size = len(self._X_train) + len(self._X_val), settings["batch_size"]
        epochs = min(settings["epochs"], runs.most_epochs(len(self._X_train), size))
        line = "" if self._own else "X, y = features, 1.5 + 2 * features\n"
        data = dict(zip("Xy", self._given, strict=True)) if self._own else {}
        diverges = _DIVERGES * self.compute(settings).overflowed
        return self._cell(
            f"generator = torch.Generator().manual_seed({runs.SEED})\n"
            f"features, noise = [torch.randn({n}, 1, generator=generator) for _ in range(2)]\n"
            f"{line}"
            f"rows = torch.randperm({n}, generator=generator)[:{len(self._X_train)}]\n"
            "X_train = X.double()[rows]\n"
            f"y_train = y.double()[rows] + {settings['noise']} * noise.double()[rows]\n"
            f"generator = torch.Generator().manual_seed({runs.SEED})\n"
            "train_set = torch.utils.data.TensorDataset(X_train, y_train)\n"
            f"train_loader = torch.utils.data.DataLoader(\n"
            f"    train_set, batch_size={size}, shuffle=True, generator=generator\n)\n"
            "model = torch.nn.utils.skip_init(torch.nn.Linear, 1, 1, dtype=torch.float64)\n"
            f"torch.nn.init.constant_(model.weight, {self._begin.weight!r})\n"
            f"torch.nn.init.constant_(model.bias, {self._begin.bias!r})\n"
            f"optimizer = {kind.__module__.rpartition('.')[0]}.{kind.__name__}"
            f"(model.parameters(), lr={settings['lr']})\n"
            f"loss_fn = torch.nn.{settings['loss']}()\n"
            f"train(model, optimizer, loss_fn, train_loader, epochs={epochs})\n"
            f"{diverges}"
            "return model.weight.item(), model.bias.item()",
            **data,
            train=self._train,
        )


def _widened(values: np.ndarray, part: float) -> tuple[float, float]:
    margin = part * (np.ptp(values) or 1.0)
    return float(values.min() - margin), float(values.max() + margin)


def _walked(
    history: object, model: nn.Module, begin: runs.Start, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the parameters before the first step and after every step of a learner's history."""
    if history is None:
        raise inputs.InputError("your function returned nothing: end it with `return history`")
    rows = []
    for name in begin._fields:
        try:
            rows.append(inputs.array(name, history[name]).ravel())
        except (KeyError, TypeError, IndexError, inputs.InputError):
            raise inputs.InputError(
                f"your function returned no {name} of each step: record "
                f"{name}=model.{name}.item() in its inner loop and return the history"
            ) from None
        if len(rows[-1]) != steps:
            raise inputs.InputError(
                f"your history has {len(rows[-1])} rows of {name}, expected {steps}: "
                "record one row a step, in the inner loop"
            )
    ends = model.weight.item(), model.bias.item()
    if tuple(row[0] for row in rows) != begin:  # recorded after each step
        return tuple(np.append(first, row) for first, row in zip(begin, rows, strict=True))
    return tuple(np.append(row, end) for row, end in zip(rows, ends, strict=True))


def _compared(loop: tuple, formula: tuple) -> tuple[str, bool]:
    """Say whether the learner's path is the formula's, or at which step they part."""
    with np.errstate(over="ignore", invalid="ignore"):
        gap = np.max([np.abs(a - b) for a, b in zip(loop, formula, strict=True)], axis=0)
        size = np.max(np.abs(formula), axis=0)
        told = np.isfinite(size) & (size < 1e100)
        apart = told & ~(gap <= _TOLERANCE * np.maximum(size, 1))
    if not apart.any():
        return "Your loop agrees with the formula at every step, within a millionth.", True
    step = int(np.argmax(apart))
    if not np.isfinite(gap[step]):
        hint = "the parameters are no longer numbers"
    elif all(np.ptp(parameter) == 0 for parameter in loop):
        hint = "the parameters never move: does the optimizer step?"
    elif step == 0:
        hint = "does it use the model it was given?"
    else:
        hint = "are gradients reset?" if step > 1 else "is the loss the one it was given?"
    return f"Your loop departs from the formula at step {step}: {hint}", False
