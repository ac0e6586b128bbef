"""One live explorer a module, all on the base class: move a control and see what follows."""
