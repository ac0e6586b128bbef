// Two scores of a classifier, each on its own scale, and a table of who is called what.
import { clamp, fixed, whole } from "./numbers.js";
import { put, svg } from "./panel.js";
import { element } from "./stage.js";
import { head } from "./table.js";

// names: of the classes 0 and 1; best: the lowest loss. Returns draw(now, before, proof).
export function scoresOf(stage, names, best) {
  const { y } = stage.given, n = y.length, lazy = Math.max(...[0, 1].map((k) => y.filter((one) => one === k).length)) / n;
  const right = stage.column(0.78), title = head(right, "Two scores"), disagree = element(title, "mark", { textContent: "they disagree", hidden: true });
  element(title, "small", { textContent: "the further right, the better" });
  const onLoss = (loss) => clamp((100 * Math.log(3 / loss)) / Math.log(3 / 0.035), 2, 98), onAccuracy = (share) => clamp(200 * share - 100, 2, 98);
  const score = (name, tick, below) => {
    const box = element(right, "div", { className: "score" }), value = (element(box, "span", { textContent: name }), element(box, "b")), node = svg(box, "svg", { width: "100%", height: 38, "aria-hidden": true });
    svg(node, "line", { x1: "2%", x2: "98%", y1: 12, y2: 12, stroke: "var(--edge)", "stroke-width": 8, "stroke-linecap": "round" });
    svg(node, "line", { x1: `${tick}%`, x2: `${tick}%`, y1: 3, y2: 21, stroke: "var(--truth)", "stroke-width": 2, "stroke-dasharray": "3 2" });
    svg(node, "text", { x: "100%", y: 34, "text-anchor": "end" }, below);
    const since = svg(node, "text", { x: 0, y: 34, class: "bold" }), mine = svg(node, "circle", { cy: 12, r: 6, fill: "none", stroke: "var(--danger)", "stroke-width": 2.5 });
    const then = svg(node, "circle", { cy: 12, r: 4, fill: "var(--ground)", stroke: "var(--ink)", "stroke-width": 1.6 }), now = svg(node, "circle", { cy: 12, r: 6, fill: "var(--ink)" });
    since.style.fill = "var(--ink)";
    return (text, at, was, change, yours = null) => {
      value.textContent = text;
      since.textContent = change;
      for (const [mark, place] of [[now, at], [then, was], [mine, yours]]) put(mark, { cx: `${place ?? 0}%`, visibility: place === null ? "hidden" : "visible" });
    };
  };
  const loss = score("loss, cross entropy", onLoss(best), `lowest possible ${fixed(best, 3)}`), accuracy = score("accuracy", onAccuracy(lazy), `baseline ${whole(100 * lazy)} %`);
  const body = element(right, "table", { className: "named" }), first = element(body, "tr"), cells = [[], []];
  element(first, "td", { className: "corner" });
  for (const name of names) element(first, "th", { scope: "col", textContent: `called ${name}` });
  names.forEach((name, k) => {
    const row = element(body, "tr");
    element(row, "th", { scope: "row", textContent: `is ${name}` });
    for (const j of [0, 1]) cells[k].push(element(row, "td"));
  });
  return (now, before, proof) => {
    const gain = before ? before.loss - now.loss : 0, more = before ? now.right - before.right : 0, told = Math.abs(gain) > 5e-4;
    loss(fixed(now.loss, 3), onLoss(now.loss), before && onLoss(before.loss), !before ? "" : !told ? "same" : gain > 0 ? "better" : "worse", proof?.kind === "departs" && proof.loss > 0 ? onLoss(proof.loss) : null);
    accuracy(`${fixed((100 * now.right) / n, 1)} %`, onAccuracy(now.right / n), before && onAccuracy(before.right / n), !before ? "" : !more ? "same" : `${Math.abs(more)} more ${more > 0 ? "right" : "wrong"}`);
    disagree.hidden = !(told && more && gain > 0 !== more > 0);
    now.table.forEach((row, k) => row.forEach((count, j) => {
      cells[k][j].textContent = count;
      cells[k][j].className = k === j ? "" : count ? "wrong" : "wrong none";
    }));
  };
}
