// One question. Texts are set as text, never as HTML; the kernel knows the answer, this page does not.
const STATES = { open: "Not answered.", right: "\u2714 Right.", wrong: "\u2716 No.", shown: "The answer:" };
const SILENT = `${STATES.open} No word from the kernel yet. If none comes, run this cell again.`;

function add(tag, parent, properties = {}) {
  const node = Object.assign(document.createElement(tag), properties);
  parent.append(node);
  return node;
}

function write(node, text) { // what stands between backticks is code
  node.replaceChildren(...text.split("`").map((part, index) =>
    index % 2 ? Object.assign(document.createElement("code"), { textContent: part }) : part));
}

// Each kind of question draws its controls and returns a function that reads the answer from them.
const KINDS = {
  options(field, { items }) {
    const radios = items.map((item) => {
      const label = add("label", field);
      const radio = add("input", label, { type: "radio", name: "answer", required: true });
      write(add("span", label), item);
      return radio;
    });
    return () => items[radios.findIndex((radio) => radio.checked)];
  },
  answer(field, { unit }) {
    const label = add("label", field, { textContent: "Your number " });
    const input = add("input", label, { type: "number", step: "any", required: true });
    label.append(` ${unit}`);
    return () => input.valueAsNumber;
  },
  order(field, { items }, say) {
    const list = add("ol", field), current = [...items];
    for (const item of items) {
      const row = add("li", list);
      for (const [sign, name, by] of [["\u2191", "up", -1], ["\u2193", "down", 1]]) {
        const button = add("button", row, { type: "button", textContent: sign });
        button.setAttribute("aria-label", `Move ${item.replaceAll("`", "")} ${name}`);
        button.onclick = () => {
          const from = current.indexOf(item), to = from + by;
          if (!(to in current)) return;
          current.splice(to, 0, ...current.splice(from, 1));
          list.insertBefore(row, list.children[by < 0 ? to : to + 1] ?? null);
          button.focus();
          say(`Now number ${to + 1} of ${current.length}: ${item}.`);
        };
      }
      write(add("span", row), item);
    }
    return () => current;
  },
};

function render({ model, el }) {
  el.classList.add("jupyter-widgets", "predict");
  el.addEventListener("keydown", (event) => event.stopPropagation()); // JupyterLab takes arrow keys
  const form = add("form", el), field = add("fieldset", form);
  const shown = model.get("shown");
  write(add("legend", field), `Predict first. ${shown.ask}`);
  const change = (text = "") => {
    model.set({ state: "open", reason: text });
    model.save_changes();
  };
  const read = KINDS[shown.kind](field, shown, change);
  form.addEventListener("input", () => change());
  add("button", form, { textContent: "Check" });
  const unveil = (message) => { // at once, whether the kernel is busy, gone or quick to say why
    model.set("veiled", false);
    setTimeout(() => { // the kernel is busy or gone, or anywidget has given up on this model
      if (model.get("state") === "open" && !model.get("reason")) write(status, SILENT);
    }, 3000);
    model.save_changes();
    model.send(message);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    unveil({ answer: read() });
  });
  add("button", form, { type: "button", textContent: "Show me" }).onclick = () => unveil({ show: true });
  const status = add("div", form);
  status.setAttribute("role", "status");
  const update = () => {
    el.dataset.state = model.get("state");
    el.toggleAttribute("data-veiled", model.get("veiled"));
    write(status, `${STATES[model.get("state")]} ${model.get("reason")}`);
  };
  model.on("change:state change:reason change:veiled", update);
  update();
}

export default { render };
