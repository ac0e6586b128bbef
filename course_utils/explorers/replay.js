// Sliders of an explorer. Everything is set as text, never as HTML.
function element(tag, parent, properties = {}) {
  const node = Object.assign(document.createElement(tag), properties);
  parent.append(node);
  return node;
}

const THUMB = 16; // the handle's width in pixels: its center never reaches the ends

function renderSlider({ model, el }) {
  el.classList.add("explorer-slider");
  el.addEventListener("keydown", (event) => event.stopPropagation());
  const id = `explorer-slider-${Math.random().toString(36).slice(2)}`;
  const options = model.get("options");
  element("label", el, { textContent: model.get("description"), htmlFor: id });
  const input = element("input", el, { id, type: "range", min: 0, max: options.length - 1, step: 1 });
  const shown = element("output", el);
  const mark = model.get("mark");
  if (mark !== null) {
    const above = options.findIndex((option) => option >= mark);
    const part = above > 0 ? (mark - options[above - 1]) / (options[above] - options[above - 1]) : 0;
    const place = (Math.max(above, 1) - 1 + part) / (options.length - 1);
    const tick = element("span", el, { className: "explorer-mark", textContent: model.get("mark_label") });
    tick.style.marginLeft = `${THUMB / 2 + place * (200 - THUMB)}px`;
  }
  const update = () => {
    const at = options.indexOf(model.get("value"));
    if (Number(input.value) !== at) input.value = at;
    shown.textContent = Number(model.get("value")).toLocaleString("en-US", { maximumSignificantDigits: 4 });
    input.setAttribute("aria-valuetext", shown.textContent);
  };
  input.addEventListener("input", () => {
    model.set("value", options[Number(input.value)]);
    if (!model.get("replayed")) model.save_changes();
  });
  input.addEventListener("change", () => model.save_changes());
  model.on("change:value", update);
  update();
}

export default { render: renderSlider };
