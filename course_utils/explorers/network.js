// Network: build one, play its training in the page, steer it on the way, see what each node adds.
import { diagram, sign } from "./stage/diagram.js";
import { partsOf, Run, steered, written } from "./stage/mlp.js";
import { clamp, decade, fixed, short, whole } from "./stage/numbers.js";
import { put, svg } from "./stage/panel.js";
import { element } from "./stage/stage.js";

const ENDS = [-3.2, 3.2], GRID = Float64Array.from({ length: 129 }, (_, i) => ENDS[0] + i / 20);
const SHAPE = ["width", "depth", "activation"];
const runs = new WeakMap(); // the last run of what an explorer was given

function runOf(settings, given) {
  const { width, depth, activation, seed } = settings, key = [width, depth, activation, seed].join();
  if (runs.get(given)?.key !== key) {
    const run = new Run({ width, depth, activation, seed }, given, given.most);
    runs.set(given, { key, run, room: run.network.room(GRID.length) });
  }
  return runs.get(given);
}

export function compute(settings, given, limit = Infinity) {
  const { run, room } = runOf(settings, given), parts = partsOf(settings), { network, n } = run;
  const epoch = run.to(settings.epochs, parts, limit), nodes = network.forward(GRID, room);
  const last = network.layers.at(-1), hidden = run.room.at(-2), out = run.room.at(-1);
  const without = Array.from(last.w, (weight, j) => {
    let sum = 0;
    for (let r = 0; r < n; r++) sum += (out[r] - weight * hidden[r * last.inputs + j] - run.y[r]) ** 2;
    return sum / n;
  });
  const [train, val] = run.losses.map((losses) => losses.subarray(0, epoch + 1));
  return {
    epoch, more: epoch < settings.epochs, parts, grid: GRID, train, val, without, y: run.y.slice(), curve: nodes.at(-1), nodes: nodes.slice(0, -1),
    layers: network.layers.map(({ inputs, outputs, w, b }) => ({ inputs, outputs, w: w.slice(), b: b.slice() })),
  };
}

export function sentence(settings, { epoch, more, train, val, parts }, given) {
  if (given.own) return "**Your own network**, which the page cannot follow: curve and losses are the kernel's, once a move rests.";
  if (more) return `**Training**: epoch ${whole(epoch)} of ${whole(settings.epochs)}.`;
  const rmse = (losses) => fixed(Math.sqrt(losses.at(-1))), { until } = parts.at(-2) ?? {};
  const turned = until <= epoch && epoch > 0 ? ` Steered at epoch ${whole(until)}.` : "";
  return `**${epoch ? `After ${whole(epoch)} epoch${epoch > 1 ? "s" : ""}` : "Before training"}** the typical residual is **${rmse(train)}** in training and ` +
    `**${rmse(val)}** in validation; the noise alone is ${fixed(settings.noise)}.${turned}`;
}

const term = (value) => `${value < 0 ? "\u2212" : "+"} ${fixed(Math.abs(value))}`;

// What a node computes and adds, as text and as rows of the card.
function facts({ layers, without, train }, [k, j], activation) {
  const { inputs, w, b } = layers[k - 1], next = layers[k], last = k === layers.length - 1, v = last ? next.w[j] : 1, name = activation === "none" ? "" : activation;
  const inner = inputs === 1 ? `${fixed(w[j])} x ${term(b[j])}` : `\u2026 ${term(b[j])}`;
  const rows = [[inputs === 1 ? "weight in" : "weights in", inputs === 1 ? fixed(w[j]) : inputs], ["bias", fixed(b[j])],
    [last ? "weight out" : "weights out", last ? fixed(v) : next.outputs]];
  if (last) rows.push(["loss now", short(train.at(-1))], ["without it", short(without[j])]);
  return { v, last, rows, label: `node ${j + 1}${last ? " adds to the sum" : ` of layer ${k} gives`}`, formula: `${last ? `${fixed(v)} \u00b7 ` : ""}${name}(${inner})` };
}

function build(stage) {
  const { given, controls } = stage, { epochs, changes, lr, noise, seed } = controls, own = Boolean(given.own);
  const reached = () => stage.result?.epoch ?? epochs.value, hold = () => { if (stage.playing) stage.stop(); };
  const fresh = () => { epochs.value = 0; changes.value = ""; };
  let seen = stage.settings;
  // A hand on a slider: another network starts anew, another rate or noise holds from here on.
  const byHand = () => {
    const now = stage.settings;
    if (own) changes.value = "";
    else if (SHAPE.some((name) => now[name] !== seen[name])) fresh();
    else if (now.lr !== seen.lr || now.noise !== seen.noise) {
      epochs.value = Math.min(reached(), now.epochs);
      changes.value = steered(now.changes, epochs.value, seen, now);
    }
    seen = stage.settings;
  };
  for (const event of ["input", "change"]) stage.strip.addEventListener(event, byHand);
  // Back to an epoch: the rate and noise it had then are the present ones again.
  const rewind = (to) => {
    hold();
    stage.touch();
    const epoch = clamp(Math.round(to), 0, given.most), parts = partsOf(stage.settings), k = parts.findIndex(({ until }) => epoch < until);
    lr.value = parts[k].lr; noise.value = parts[k].noise; changes.value = written(parts.slice(0, k));
    epochs.value = epoch;
  };
  stage.play(own ? "Train 100 epochs more" : "Play or pause training", () => {
    if (epochs.value >= given.most) return false;
    if (own) { epochs.value = Math.min(epochs.value + 100, given.most); return false; }
    if (!stage.result?.more) epochs.value = Math.min(epochs.value + clamp(Math.floor(epochs.value / 60), 1, 20), given.most);
  }, { begin: () => { if (!own && epochs.value >= given.most) fresh(); } });
  const count = element(stage.extra("count"), "small", { textContent: "epoch" }).parentNode, number = element(count, "b");
  stage.button("Step", () => { hold(); stage.touch(); epochs.value = Math.min(reached() + 1, given.most); });
  stage.button("New start", () => { stage.touch(); fresh(); seed.place = (seed.place + 1) % (seed.places + 1); });
  stage.slider("lr", { label: "learning rate", width: 142 });
  stage.slider("noise", { label: "noise \u03c3", width: 90 });
  stage.more(() => {
    stage.slider("width", { label: "nodes a layer", width: 110 });
    stage.choice("depth", { label: "layers" });
    stage.select("activation");
  });
  const formula = stage.extra("computes"), [what, how] = ["small", "b"].map((tag) => element(formula, tag));

  const bare = { label: "", domain: [0, 1], ticks: [] };
  const one = stage.panel(stage.column(0.78), { title: "The network", x: bare, y: bare, margin: { left: 0, right: 0, top: 2, bottom: 2 } });
  one.node.parentNode.classList.add("tall");
  for (const [role, text] of [["pos", "\u2501 weight > 0"], ["neg", "\u2501 < 0"]]) element(one.note, "b", { textContent: `${text} ` }).style.color = `var(--${role})`;
  const network = diagram(stage, one), message = [0, 1, 2].map((k) => one.words(k ? "quiet" : "ink", { anchor: "middle", bold: !k }));

  const two = stage.panel(stage.column(1.12), { title: "What comes out", x: { label: "x", domain: ENDS }, y: { label: "", domain: given.range } });
  const share = svg(two.group(false), "path", { "fill-opacity": 0.16 }), dots = two.dots("data", { size: 3.4 }), held = two.dots("held", { size: 3.6, hollow: true });
  const truth = two.curve("truth", { width: 1.8, dash: "5 4" }), curve = two.curve("ink", { width: 3.2, halo: 3.5 }), mine = two.curve("danger", { width: 2, dash: "3 4" });
  const adds = { pos: two.curve("pos", { width: 2.6, halo: 2.5 }), neg: two.curve("neg", { width: 2.6, halo: 2.5 }) };
  const names = ["data", "held", "truth", "ink", "danger"].map((role) => two.words(role)), said = { pos: two.words("pos", { anchor: "end" }), neg: two.words("neg", { anchor: "end" }) };
  const train = given.x.slice(0, given.n), other = given.x.slice(given.n), wave = Array.from(GRID, (x) => Math.sin(2 * x));
  const shown = () => (own ? stage.proof?.curve : stage.result?.curve);
  two.hover((x) => {
    const i = clamp(Math.round((x - ENDS[0]) * 20), 0, 128), y = shown()?.[i];
    return y === undefined ? null : { x: GRID[i], y: clamp(y, ...given.range), text: `x ${fixed(GRID[i])}: network ${fixed(y)}, truth ${fixed(wave[i])}` };
  });

  const right = stage.column(0.62), three = stage.panel(right, { title: "Loss", note: "drag the ring back", margin: { left: 38, right: 18 },
    x: { label: "epoch", domain: [-20, 500], format: whole }, y: { label: "", domain: [0.01, 1], log: true, format: decade } });
  const turned = three.words("truth", { bold: false }), turns = three.sticks("truth", { width: 1.4, opacity: 0.8 }), val = three.curve("held", { width: 2, dash: "4 3" }), loss = three.curve("data", { width: 2 }), yours = three.curve("danger", { width: 2, dash: "3 4" });
  const ends = [three.words("held", { anchor: "end" }), three.words("data", { anchor: "end" })], card = element(right, "div", { className: "card" });
  const ring = three.handle({
    label: "epoch, on the loss curve",
    drag: ([x]) => rewind(Math.min(x, three.x.domain()[1])), nudge: ([steps, more]) => rewind(reached() + 10 * (steps + more)),
  });
  three.hover((x) => {
    const { train: t, val: v } = stage.result ?? {}, i = Math.round(x);
    return own || !(t?.[i] >= 0) ? null : { x: i, y: t[i], text: `${whole(i)}: ${short(t[i])}, ${short(v[i])}` };
  });
  if (own) stage.changed();

  // Losses on axes that hold them: they only grow, until another run starts.
  const losses = (at, [t, v], epoch) => {
    const now = { x: [500, 1000, 2000, 5000, 10000, 20000].find((end) => end >= epoch), low: 0.01, high: 1 };
    for (const value of [...t, ...v]) if (value > 0 && value < Infinity) { now.low = Math.min(now.low, value); now.high = Math.max(now.high, value); }
    const [low, high] = [10 ** Math.max(Math.floor(Math.log10(now.low)), -9), 10 ** Math.min(Math.ceil(Math.log10(now.high)), 9)];
    const [[, x1], [y0, y1]] = [three.axes.x.domain, three.axes.y.domain], grown = epoch ? [Math.max(x1, now.x), Math.min(y0, low), Math.max(y1, high)] : [500, low, high];
    if (grown[0] !== x1 || grown[1] !== y0 || grown[2] !== y1) three.rescale([-0.04 * grown[0], grown[0]], grown.slice(1));
    const cut = (value) => (value >= 0 ? clamp(value, three.axes.y.domain[0], three.axes.y.domain[1]) : three.axes.y.domain[1]);
    loss(at, t.map(cut));
    val(at, v.map(cut));
    const [a, b] = [t.at(-1), v.at(-1)], none = a === undefined, place = none ? 0.1 : cut(a), texts = [`validation ${short(b)}`, `train ${short(a)}`];
    const { top, bottom } = three.box, first = three.y(place) > top + 42 ? top + 12 : bottom - 20; // above or below the ring
    ends.forEach((end, k) => end(none ? "" : texts[k], grown[0], 1, { dy: first + ((b >= a) === !k ? 0 : 15) - three.y(1) }));
    ring(epoch, place, epoch, none ? `epoch ${whole(epoch)}` : `epoch ${whole(epoch)}, training loss ${short(a)}`);
  };
  let listed = "";
  const rows = (title, list) => {
    const now = [title, ...list].join();
    if (now === listed) return;
    listed = now;
    card.replaceChildren();
    element(card, "b", { textContent: title, className: "wide" });
    for (const [name, value] of list) { element(card, "span", { textContent: name }); element(card, "b", { textContent: value }); }
  };

  return (_, result, proof) => {
    const { epoch, y, layers, nodes } = result, at = own ? null : network.looked(), { width, activation, epochs: asked } = (seen = stage.settings);
    const narrow = two.box.right - two.box.left < 390;
    dots(train, y.subarray(0, given.n));
    held(other, y.subarray(given.n));
    truth(GRID, wave);
    [`\u25cf ${given.n} train`, `\u25cb ${other.length} validation`, "- - truth, sin 2x", "\u2014 network", proof?.kind === "departs" ? "\u00b7\u00b7 your code" : ""].forEach((text, k) => names[k](text, ENDS[0], given.range[1], narrow ? { dx: [6, 84, 6, 122, 200][k], dy: k < 2 ? 12 : 28 } : { dx: [8, 84, 200, 316, 400][k], dy: 14 }));
    number.textContent = whole(own ? asked : epoch);
    mine(proof?.kind === "departs" ? GRID : [], proof?.curve ?? []);
    yours(proof?.kind === "departs" ? proof.epochs : [], (proof?.train ?? []).map((v) => clamp(v ?? 1e9, ...three.axes.y.domain)));
    curve(shown() ? GRID : [], shown() ?? []);
    const turn = result.parts.slice(0, -1).map(({ until }) => until).filter((until) => until <= epoch);
    turns(turn, turn.map(() => three.axes.y.domain[0]), turn.map(() => three.axes.y.domain[1]));
    const [then, now] = result.parts.slice(-2), tells = turn.length && turn.length === result.parts.length - 1;
    turned(!tells ? "" : now.lr !== then.lr ? `rate ${short(now.lr)}` : `noise ${fixed(now.noise)}`, then?.until ?? 0, three.axes.y.domain[1], { dx: 4, dy: 12 });
    Object.values(adds).forEach((set) => set([], []));
    Object.values(said).forEach((set) => set("", 0, 0));
    share.setAttribute("d", "");
    if (own) {
      network.clear();
      one.note.hidden = true;
      ["Your own network", proof?.parameters ? `${whole(proof.parameters)} parameters` : "waits for the kernel", "drawn from the kernel's answer"].forEach((text, k) => message[k](text, 0.5, 0.5, { dy: 20 * (k - 1) }));
      losses(proof?.epochs ?? [], proof?.train ? [proof.train, proof.val] : [[], []], asked);
      rows("Not from the page", [["training loss", proof?.train ? short(proof.train.at(-1)) : "\u2013"], ["validation loss", proof?.val ? short(proof.val.at(-1)) : "\u2013"]]);
      return;
    }
    network.draw(result);
    const stride = 2 ** Math.max(0, Math.ceil(Math.log2((epoch + 1) / 400))), kept = [];
    for (let i = 0; i < epoch; i += stride) kept.push(i);
    kept.push(epoch);
    losses(kept, [result.train, result.val].map((values) => kept.map((i) => values[i])), epoch);
    const bias = layers.at(-1).b[0], parameters = layers.reduce((sum, { w, b }) => sum + w.length + b.length, 0);
    two.note.textContent = `sum of ${width} node${width > 1 ? "s" : ""} ${term(bias)}`;
    if (!at) {
      [what.textContent, how.textContent, how.style.color] = ["the network now", `${whole(parameters)} parameters`, ""];
      rows("Point at a node", [["to see what it adds", "\u2190"]]);
      return;
    }
    const [k, j] = at, { v, last, rows: list, label, formula: text } = facts(result, at, activation), role = sign(v), values = Array.from(GRID, (_x, i) => v * nodes[k - 1][i * layers[k - 1].outputs + j]);
    [what.textContent, how.textContent, how.style.color] = [label, text, `var(--${role})`];
    adds[role](GRID, values);
    put(share, { fill: `var(--${role})`, d: `M${two.x(ENDS[0])},${two.y(0)}${values.map((value, i) => `L${two.x(GRID[i]).toFixed(1)},${clamp(two.y(value), -999, 999).toFixed(1)}`).join("")}L${two.x(ENDS[1])},${two.y(0)}Z` });
    const edge = values[120];
    said[role](last ? `node ${j + 1} adds this` : `node ${j + 1} alone`, ENDS[1], clamp(edge, given.range[0] + 0.3, given.range[1] - 0.6), { dx: -8, dy: edge > 0 ? -12 : 22 });
    rows(`Node ${j + 1}${layers.length > 2 ? ` of layer ${k}` : ""}`, list);
  };
}

export default { compute, sentence, build };
