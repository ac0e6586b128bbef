"""Say what to look at when PyTorch raises an error that everybody meets once."""

import re
import sys
import traceback

LONGEST = 300  # characters of a message that fit into a sentence
_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_NO_RECORD = (
    "The loss has no record of how it was computed, and `backward` needs one. Was it made under "
    "`no_grad` or `inference_mode`, from `.item()` or `.detach()`, or from tensors without "
    "`requires_grad=True`?"
)
# what an error's "Type: message" holds, and our sentence; the first match counts
_SENTENCES = [
    (
        r"Boolean value of Tensor with more than one value",
        "Python wants one True or False here and gets a tensor of many. `low < X < high`, `and`, "
        "`or` and `if` work on single numbers: write `(low < X) & (X < high)`, and `.all()` or "
        "`.any()` where one answer is meant.",
    ),
    (
        r"(\w+)\.__init__\(\) takes \d+ positional arguments? but \d+ were given",
        r"`\1(...)` makes an object, and this one takes fewer values. A tensor goes to the object "
        r"once it is made: `\1()(X)`.",
    ),
    (
        r"\w+\.(\w+)\(\) takes \d+ positional arguments? but \d+ were given",
        r"Python hands a method its object first. Does the `def` of `\1` begin with `self`, and "
        "does it take as many values as the call gives?",
    ),
    (
        r"cannot assign '[\w.]+' as parameter '(\w+)'",
        r"`\1` is a parameter, and only an `nn.Parameter` can take its place. Or copy the numbers "
        r"into it: `\1.copy_(...)` in `torch.no_grad()`.",
    ),
    (
        r"fill_ only supports 0-dimension value tensor",
        "`fill_` takes one number: `.item()` makes it of a tensor with one element. `copy_` takes "
        "a tensor.",
    ),
    (
        r"empty\(\): argument 'size'",
        "A layer is made from the numbers of its inputs and outputs, as in `nn.Linear(1, 1)`. "
        "Copy values into its parameters once it is made.",
    ),
    (
        r"argument '\w+' \(position \d+\) must be Tensor, not (\w+)",
        r"A tensor is wanted here, and a `\1` was given. A layer gives a tensor once it is called, "
        "`layer(X)`; numbers, lists and arrays become one in `torch.tensor`.",
    ),
    (
        r"module 'torch' has no attribute '([A-Z]\w+)'",
        r"Layers, activations and losses are in `torch.nn`: look for `nn.\1`.",
    ),
    (
        r"maximum recursion depth exceeded",
        "A function calls itself without an end. In a `forward`, `self(X)` runs `forward` again.",
    ),
    (
        r"is not a Module subclass",
        "A part of this model is not a module yet. Are its parentheses missing? `nn.Tanh()` makes "
        "one, `nn.Tanh` is its class.",
    ),
    (r"element 0 of tensors does not require grad", _NO_RECORD),
    (
        r"Trying to backward through the graph a second time",
        "`backward` uses up the record of how the loss was computed. Compute prediction and loss "
        "again before each `backward`, and add up losses for a report with `.item()`.",
    ),
    (
        r"a leaf Variable that requires grad is being used in an in-place operation"
        r"|a view of a leaf Variable that requires grad",
        "A parameter is changed in place while PyTorch keeps record. Move it inside "
        "`with torch.no_grad():`.",
    ),
    (
        r"Inplace update to inference tensor|Inference tensors cannot be saved for backward",
        "This tensor was made in `inference_mode`, so it can never be trained. Make it outside; "
        "`torch.no_grad()` has no such effect.",
    ),
    (
        r"modified by an inplace operation",
        "A tensor was changed in place (`+=`, `[...] =`) after `backward` had come to need its old "
        "value. Make a new tensor instead, or do it after `backward`.",
    ),
    (
        r"grad can be implicitly created only for scalar outputs",
        "`backward` starts from one number. Take the mean of the losses first: `loss.mean()`.",
    ),
    (
        r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)",
        r"A product needs as many rows in the second table as the first has columns, and these are "
        r"\3 and \2. Do the sizes of the layers fit, and does X have the shape (rows, features)? "
        "`X.unsqueeze(1)` makes a column of a list.",
    ),
    (
        r"size mismatch, got input|input and weight\.T shapes cannot be multiplied",
        "The layer takes rows with another number of features. Features have the shape "
        "(rows, features): print `X.shape`. `X.unsqueeze(1)` makes a column of a list.",
    ),
    (
        r"The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)",
        r"One tensor has \1 elements along this dimension, the other has \2. Print both shapes: "
        "they have to agree in each dimension, or one of them is 1 there.",
    ),
    (
        r"must have the same dtype|have the same dtype, but got|Found dtype \w+ but expected"
        r"|expected scalar type (Float|Double) but found",
        "Two tensors hold different types of numbers. NumPy makes float64, PyTorch's layers hold "
        "float32: print `.dtype` of both, and convert one with `.float()`.",
    ),
    (
        r"Only Tensors of floating point and complex dtype can require gradients",
        "These are whole numbers, and a gradient needs numbers that can move a little: write `2.0` "
        "in place of `2`, or convert with `.float()`.",
    ),
    (
        r"bitwise_(or|and|xor)_\w+\" not implemented for",
        "`|` and `&` bind before `<` and `>`: put each comparison in parentheses.",
    ),
    (
        r"torch\.return_types\.(max|min|sort|median|mode)\b",
        r"`\1` gives a pair here, values and the places they stand in. `.values` takes the values; "
        "`max` and `min` without a `dim` give one number.",
    ),
    (
        r"(?:Tensor|Parameter)' object has no attribute 'zero_grad'",
        "A tensor has no `zero_grad`, as models and optimizers have: set its `.grad` to `None`.",
    ),
    (
        r"assigned grad expected to be a Tensor or None",
        "`.grad` holds a tensor or `None`: set it to `None`, or call `.grad.zero_()`.",
    ),
    (
        r"not implemented for '(Long|Int|Bool)'|could not infer output dtype"
        r"|expected to be in range of \[-\d+",
        "The tensor holds whole numbers where decimals are needed: convert it with `.float()`.",
    ),
    (
        r"Expected all tensors to be on the same device|is not on the expected device"
        r"|Input type .* and weight type .* should be the same",
        "Model and data lie on different devices. Move both: `model.to(device)`, and each batch "
        "with `X_batch = X_batch.to(device)`.",
    ),
    (
        r"Cannot copy out of meta tensor|item\(\) cannot be called on meta",
        "A tensor on the device meta has a shape and no numbers, so none can be read from it.",
    ),
    (
        r"Can't call numpy\(\) on Tensor that requires grad",
        "The tensor still carries the record for `backward`. `.detach()` leaves it behind: "
        "`X.detach().numpy()`.",
    ),
    (
        r"cannot be converted to Scalar|only one element tensors can be converted",
        "`.item()` and `float()` read a tensor of one element, and this one has another number of "
        "them. Print its shape: is a `.mean()` or `.sum()` missing?",
    ),
    (
        r"optimizer got an empty parameter list",
        "The model has no parameters. Layers and `nn.Parameter`s are found where they are "
        "attributes made in `__init__`: `self.layer = nn.Linear(1, 1)`.",
    ),
    (
        r"before Module\.__init__\(\) call|object has no attribute '_(parameters|modules)'",
        "`super().__init__()` has to be the first line of a module's `__init__`.",
    ),
    (
        r'missing the required "forward" function',
        "The class has no method named `forward`. Look at its spelling, and whether it is indented "
        "as far as `__init__`.",
    ),
    (
        r"(\w*Loss)' object has no attribute '(backward|item)'",
        r"`\1` is the function that computes losses. `\2` belongs to the number it returns: "
        r"`loss = loss_fn(y_pred, y)`, then `loss.\2()`.",
    ),
    (
        r"'(?:float|int)' object has no attribute 'backward'",
        "This loss is a plain number, and its record is gone. Call `backward` on the tensor, and "
        "`.item()` after it.",
    ),
    (
        r"'NoneType' object|and 'NoneType'|'NoneType' and",
        "Something here is None. `.grad` is None before the first `backward` and after "
        "`zero_grad`, and a function without `return` returns None.",
    ),
    (
        r"Error\(s\) in loading state_dict",
        "Names and shapes in the state dict have to be those of the model; the message lists those "
        "that differ.",
    ),
    (
        r"Weights only load failed",
        "The file holds more than tensors, numbers, texts and lists, and `weights_only=True` "
        "refuses such objects. Save `.state_dict()`, not the model or the optimizer itself.",
    ),
    (
        r"^EOFError",
        "Reading goes on from where the file or buffer stands, and this one stands at its end. "
        "`buffer.seek(0)` goes back to its beginning.",
    ),
    (
        r"'(Tensor|Parameter)' object is not callable",
        "A tensor is called like a function. Has one name been given to two things, or is an "
        "operator missing before the parenthesis?",
    ),
    (
        r"stack expects each tensor to be equal size",
        "The rows of a batch have to have equal shapes, and these have not. What does "
        "`__getitem__` return for them?",
    ),
]


def explain(error: BaseException) -> str:
    """Return one sentence on what to look at, or an empty string for an error of another kind.

    Parameters
    ----------
    error : BaseException
        As it was raised, with its traceback.
    """
    text = f"{type(error).__name__}: {_COLOR.sub('', str(error))}"
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    if "Boolean value of Tensor" in text and any(f.endswith("_reduction.py") for f in files):
        return (
            "A loss such as `nn.MSELoss` is a class: make the function first, then call it. "
            "`nn.MSELoss()(y_pred, y)`, or `loss_fn = nn.MSELoss()` and `loss_fn(y_pred, y)`."
        )
    torch = sys.modules.get("torch")
    if "element 0 of tensors" in text and torch and not torch.is_grad_enabled():
        return (
            "Gradients are switched off in this kernel. `torch.set_grad_enabled(True)` switches "
            "them on; `with torch.no_grad():` does so by itself at its end."
        )
    for pattern, sentence in _SENTENCES:
        if found := re.search(pattern, text):
            return found.expand(sentence)
    asked_of_a_model = files and files[-1].endswith("module.py")
    if asked_of_a_model and (found := re.search(r"has no attribute '(\w+)'", text)):
        return (
            f"The model has no `{found[1]}`. Is it made in `__init__`, as `self.{found[1]} = ...`, "
            "and has `__init__` two underscores on either side?"
        )
    return ""


def told(error: BaseException) -> str:
    """Return type, message and explanation of an error as text of some lines at most.

    Parameters
    ----------
    error : BaseException
        As it was raised.
    """
    message = " ".join(_COLOR.sub("", str(error)).split()) or "no message"
    if len(message) > LONGEST:
        message = message[:LONGEST].rsplit(" ", 1)[0] + " ..."
    if explanation := explain(error):
        explanation = f"{'' if message[-1] in '.?!:' else '.'} {explanation}"
    return f"{type(error).__name__}: {message}{explanation}"
