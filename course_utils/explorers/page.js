// Buttons, live region and code panel of an explorer. Everything is set as text, never as HTML.
const STATES = {
  shown: "", preview: "Preview.", running: "\u2026 Your code runs.", playing: "\u25b6 Your code trains.",
  agrees: "\u2714 Your code agrees.", departs: "\u26a0 Your code departs.", error: "\u2716 Error.",
};

function element(tag, parent, properties = {}) {
  const node = Object.assign(document.createElement(tag), properties);
  parent.append(node);
  return node;
}

// A slider speaks while a hand is on it and never by itself: ipywidgets' own slider also sends its
// rounding of every value it is told, late, over newer values set from code.
function sendWhileHeld(control, el) {
  const send = (value) => { control.attributes.continuous_update = value; };
  el.addEventListener("pointerdown", () => {
    send(true);
    for (const end of ["pointerup", "pointercancel"]) {
      window.addEventListener(end, () => send(false), { once: true });
    }
  }, true);
}

// A handle tells its number to all digits, or its place in a list: let it speak what is shown.
function speakWhatIsShown(el) {
  const [handle, readout] = [el.querySelector("[role=slider]"), el.querySelector(".widget-readout")];
  if (!handle || !readout) return;
  const speak = () => {
    const shown = readout.textContent.trim();
    if (handle.getAttribute("aria-valuetext") !== shown) handle.setAttribute("aria-valuetext", shown);
  };
  const options = { childList: true, characterData: true, subtree: true };
  new MutationObserver(speak).observe(readout, options);
  new MutationObserver(speak).observe(handle, { attributeFilter: ["aria-valuetext"] });
  speak();
}

// Slider handles and play buttons have no name of their own: give each that of its control.
const PLAY_BUTTONS = ["play or pause", "stop", "repeat"];
async function nameControls(controls) {
  for (const control of await controls) {
    for (const pending of Object.values(control.views ?? {})) {
      const view = await pending;
      for (const handle of view.el.querySelectorAll("[role=slider], input, select, textarea")) {
        handle.setAttribute("aria-label", control.get("description"));
      }
      if (view.el.querySelector("[role=slider]")) sendWhileHeld(control, view.el);
      speakWhatIsShown(view.el);
      const buttons = view.el.matches(".widget-play") ? view.el.querySelectorAll("button") : [];
      buttons.forEach((button, index) => {
        button.title = `${control.get("description")}: ${PLAY_BUTTONS[index]}`;
        button.setAttribute("aria-label", button.title);
      });
    }
  }
}

function modelsOf(model, name) {
  return Promise.all(model.get(name).map((reference) =>
    model.widget_manager.get_model(reference.replace("IPY_MODEL_", ""))));
}

// With the data of every mark bqplot draws the legend of its figure anew. Here no name ever changes.
async function keepLegend(mark) {
  for (const { parent } of await Promise.all(Object.values(mark.views ?? {}))) {
    if (parent?.update_legend) mark.off("data_updated", parent.update_legend);
  }
}

// A picture holds the state of every part that changed, as the kernel would send it to that part.
async function initialize({ model }) {
  const parts = await modelsOf(model, "parts");
  model.on("change:picture", () => {
    for (const [place, state] of Object.entries(model.get("picture").states)) {
      const { serializers = {} } = parts[place].constructor;
      const values = Object.entries(state).map(([name, value]) =>
        [name, serializers[name]?.deserialize?.(value, parts[place].widget_manager) ?? value]);
      keepLegend(parts[place]);
      parts[place].set_state(Object.fromEntries(values));
    }
    if (model.get("state") === "playing") // the kernel waits for a page that paints slowly
      requestAnimationFrame(() => model.send({ painted: model.get("picture").count }));
  });
  model.send({ click: "listen" });
}

function render({ model, el }) {
  const controls = modelsOf(model, "labeled");
  el.classList.add("explorer-page");
  el.addEventListener("keydown", (event) => event.stopPropagation());
  const row = element("div", el);
  const button = (text, click) =>
    element("button", row, { type: "button", textContent: text, onclick: async () => {
      for (const control of await controls) { // the kernel hears first where a moved slider is
        if (!control.get("held")) continue;
        control.set("held", false);
        control.save_changes();
      }
      model.send({ click });
    } });
  button("Reset", "reset");
  button("As PyTorch code", "code");
  const stop = button("Stop", "stop");
  const status = element("div", el, { role: "status" });
  const state = element("span", status, { className: "explorer-state" });
  const text = element("span", status);
  const code = element("pre", el, { tabIndex: 0, hidden: true });
  code.setAttribute("aria-label", "PyTorch code of this state");

  const update = () => {
    const said = model.get("own") ?? { text: model.get("text"), state: model.get("state") }; // replay.js
    el.dataset.state = said.state;
    state.textContent = STATES[said.state] && `${STATES[said.state]} `;
    text.textContent = said.text;
    stop.hidden = !["running", "playing"].includes(said.state);
    status.setAttribute("aria-live", said.state === "playing" ? "off" : "polite"); // 25 a second
    code.textContent = model.get("code");
    code.hidden = model.get("code") === "";
  };
  model.on("change:text change:state change:code change:own", update);
  update();
  requestAnimationFrame(() => nameControls(controls));
}

export default { initialize, render };
