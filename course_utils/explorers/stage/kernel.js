// What a page knows of its kernel: what it is told at rest, and in words where it is if it is silent.
const BUSY = 1500; // ms without an answer until the kernel counts as busy
const ENDED = ["restarting", "autorestarting", "terminating", "dead"];
const WORDS = {
  never: "No kernel here: run the cell in JupyterLab to compare with your own code.",
  gone: "The kernel was restarted or is gone: run the cell again to compare with your code.",
  away: "The kernel cannot be reached: your code is compared once the connection is back.",
  busy: "The kernel is busy: your code is compared once it is free. If it stays so, run the cell again.",
};

export class Kernel {
  #model;
  #control; // a model whose comm tells whether the kernel still knows it
  #connection; // JupyterLab's, which tells more; other front ends have none to show
  #late = false;
  #ended = false;
  #waiting = 0;
  #undo = [];

  // `model` is the explorer's, `control` that of one of its controls; `changed` draws again.
  constructor(model, control, changed) {
    this.#model = model;
    this.#control = control;
    this.#connection = model.widget_manager.kernel;
    this.met = this.alive;
    const status = (_, now) => { this.#ended ||= ENDED.includes(now); changed(); };
    this.#connection?.statusChanged?.connect(status);
    control.on("comm_live_update", changed);
    this.#undo.push(() => this.#connection?.statusChanged?.disconnect(status), () => control.off("comm_live_update", changed));
    this.changed = changed;
  }

  get alive() {
    return this.#control.comm_live !== false && !this.#ended && !this.#connection?.isDisposed;
  }

  // Send a message; one that cannot be sent is forgotten. Tell later if no answer comes in time.
  send(message, { answered = false } = {}) {
    if (!this.alive) return;
    try {
      this.#model.send(message);
    } catch {
      this.#ended = true;
      return this.changed();
    }
    clearTimeout(this.#waiting);
    if (answered) this.#waiting = setTimeout(() => { this.#late = true; this.changed(); }, BUSY);
  }

  answers() {
    clearTimeout(this.#waiting);
    this.#late = false;
  }

  // Where the kernel is, or nothing if it answers.
  get words() {
    if (!this.alive) return WORDS[this.met ? "gone" : "never"];
    if (!this.#late) return "";
    return WORDS[(this.#connection?.connectionStatus ?? "connected") === "connected" ? "busy" : "away"];
  }

  close() {
    clearTimeout(this.#waiting);
    for (const undo of this.#undo) undo();
  }
}
