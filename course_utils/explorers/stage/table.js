// A table in a column of the picture, and its heading.
import { element } from "./stage.js";

export function head(column, text) {
  const box = element(column, "div", { className: "head" });
  element(box, "b", { textContent: text });
  return box;
}

// A row of the table: name and shape, then cells of {text, note, was}; what changed says what it was.
export function tableRow(body, name, shape, cells) {
  const row = element(body, "tr"), first = element(row, "th", { scope: "row" });
  element(first, "code", { textContent: name });
  element(first, "small", { textContent: shape });
  for (const { text, note = "", was, span = 1 } of cells) {
    const fresh = was !== undefined && was !== text, box = element(element(row, "td", { colSpan: span, className: fresh ? "new" : "" }), "div");
    element(box, text === "\u2013" ? "small" : "b", { textContent: text });
    element(box, "small", { textContent: fresh && was ? `was ${was}` : note });
  }
}
