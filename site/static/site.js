// The web edition: explorers and questions live in the page, and what was read stays in this browser.
(() => {
  const root = document.documentElement, page = document.body.dataset.page;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const toast = document.getElementById("toast");

  // --- what this browser keeps --------------------------------------------------------------------

  const KEPT = "course:";
  const store = {
    get(name) { try { return JSON.parse(localStorage.getItem(KEPT + name)); } catch { return null; } },
    set(name, value) { try { localStorage.setItem(KEPT + name, JSON.stringify(value)); } catch { /* keeps nothing */ } },
    names() { try { return Object.keys(localStorage).filter((name) => name.startsWith(KEPT)); } catch { return []; } },
  };

  function say(text) {
    toast.textContent = text;
    clearTimeout(say.timer);
    say.timer = setTimeout(() => { toast.textContent = ""; }, 6000);
  }

  document.getElementById("theme").onclick = () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* until the page is left */ }
  };

  document.getElementById("forget").onclick = () => {
    for (const name of store.names()) localStorage.removeItem(name);
    document.getElementById("forgotten").textContent = "Erased.";
    marks();
  };

  // --- how far one has come -------------------------------------------------------------------------

  const SAID = { done: ", read", here: ", begun" };
  function marks() {
    for (const row of all("[data-lesson]")) {
      const state = store.get(row.dataset.lesson)?.read;
      row.classList.toggle("done", state === "done");
      row.classList.toggle("here", state === "here");
      row.querySelector("[data-said]").textContent = SAID[state] ?? ", not begun";
    }
    for (const count of all("[data-count]")) {
      const rows = all("[data-lesson]", count.parentNode.nextElementSibling);
      count.textContent = `${rows.filter((row) => row.classList.contains("done")).length} of ${rows.length}`;
    }
  }
  const note = (values) => store.set(page, { ...store.get(page), ...values });
  if (page) {
    if (!store.get(page)?.read) note({ read: "here" });
    store.set("last", page);
    new IntersectionObserver(([entry], watch) => {
      if (!entry.isIntersecting || scrollY < 200) return;
      watch.disconnect();
      note({ read: "done" });
      marks();
    }).observe(document.querySelector(".pn"));
  }
  marks();

  // --- a place for explorers and questions: as much of ipywidgets as they need --------------------------

  class Model {
    #heard = {};

    constructor(state, manager = {}, hear = () => {}) {
      Object.assign(this, { state, comm_live: false, widget_manager: manager, hear });
    }

    get(name) { return this.state[name]; }

    set(name, value) {
      const changes = typeof name === "string" ? { [name]: value } : name;
      const changed = Object.keys(changes).filter((key) => this.state[key] !== changes[key]);
      for (const key of changed) this.state[key] = changes[key];
      for (const key of changed) for (const listener of [...(this.#heard[key] ?? [])]) listener();
    }

    on(names, listener) { for (const name of names.split(" ")) (this.#heard[name.replace("change:", "")] ??= []).push(listener); }

    off(name, listener) {
      const key = name.replace("change:", "");
      this.#heard[key] = (this.#heard[key] ?? []).filter((other) => other !== listener);
    }

    save_changes() {}

    send(message) { this.hear(message, this); }
  }

  const stages = new Map(); // by the id of their place

  async function enliven(place) {
    if (stages.has(place.id)) return stages.get(place.id);
    const { controls, ...state } = JSON.parse(place.querySelector("script").textContent);
    const models = Object.fromEntries(Object.entries(controls).map(([name, values]) => [name, new Model(values)]));
    const manager = { host, get_model: async (name) => models[name] };
    const names = Object.fromEntries(Object.keys(models).map((name) => [name, `IPY_MODEL_${name}`]));
    const model = new Model({ ...state, controls: names, proof: {}, code: "" }, manager);
    const el = document.createElement("div");
    stages.set(place.id, null);
    place.style.minHeight = `${place.offsetHeight}px`; // nothing below jumps
    place.querySelector(".stands").replaceWith(el);
    await window.explorersOfTheCourse.render({ model, el });
    place.style.minHeight = "";
    place.dataset.alive = "";
    stages.set(place.id, el.stage);
    return el.stage;
  }

  // --- states in the address ----------------------------------------------------------------------------

  const placeOf = (stage) => stage.root.closest(".live");
  const fragment = (stage) => `#${placeOf(stage).id}:${stage.state}`;
  let opened = new Set(); // explorers that a hand has moved since the last step back

  const host = {
    copy(stage) {
      const url = new URL(fragment(stage), location.href).href;
      const copied = () => say("The link to this state is copied.");
      const shown = () => { history.replaceState(null, "", fragment(stage)); say("Copy the address of this page: it holds this state."); };
      if (navigator.clipboard) navigator.clipboard.writeText(url).then(copied, shown);
      else shown();
    },
    rests(stage) { // the first move of an explorer is a step that Back takes back
      const { id } = placeOf(stage), address = fragment(stage);
      if (address === location.hash) return;
      history[opened.has(id) ? "replaceState" : "pushState"](null, "", address);
      opened.add(id);
    },
  };

  async function follow({ scroll = true } = {}) {
    const found = /^#([a-z_]+(?:-\d+)?):(.*)$/.exec(location.hash);
    if (!found) {
      for (const id of opened) stages.get(id)?.reset();
      opened = new Set();
      return;
    }
    const [, id, text] = found, place = document.getElementById(id);
    if (!place?.matches(".live")) return elsewhere(id, text);
    const veiled = place.closest(".veiled");
    if (veiled) unveil(veiled);
    const stage = await enliven(place);
    if (!stage) return;
    const refused = stage.go(text);
    opened = new Set([id]);
    if (scroll) {
      place.scrollIntoView({ block: "center" });
      place.focus({ preventScroll: true });
    }
    if (refused.length) say(`This link asks for what the explorer does not have (${refused.join(", ").slice(0, 80)}). The rest of it is shown.`);
  }

  // The start page sends a link on to the notebook that has the explorer.
  function elsewhere(id, text) {
    const known = document.getElementById("where");
    const where = known ? JSON.parse(known.textContent) : {}, script = id.replace(/-\d+$/, "");
    if (Object.hasOwn(where, script)) location.replace(`${where[script]}.html#${id}:${text}`);
    else say("This page has no such explorer: the link may be old.");
  }

  // --- questions ------------------------------------------------------------------------------------

  // As `course_utils.predict.judge`; the tests hold both together.
  function judge(told, answer) {
    if (told.options) return [answer === told.right, told.options[answer]];
    if (told.order) {
      for (const item of answer) {
        const index = told.order.indexOf(item);
        const needed = told.after?.[item] ?? (index ? [told.order[index - 1]] : []);
        if (needed.some((other) => answer.indexOf(other) > answer.indexOf(item)))
          return [false, `Too early: ${item}. ${told.early[item]}`];
      }
      return [true, told.why];
    }
    const near = (a, b, relative, absolute) => Math.abs(a - b) <= Math.max(relative * Math.max(Math.abs(a), Math.abs(b)), absolute);
    if (near(answer, told.answer, 1e-9, told.tolerance)) return [true, told.why];
    for (const [wrong, reason] of Object.entries(told.wrong)) if (near(answer, Number(wrong), 0.01, 0)) return [false, reason];
    return [false, answer < told.answer ? told.low : told.high];
  }
  window.judgeOfTheCourse = judge;

  const hidden = new Map(); // what is out of the page until its question is answered

  function veil(box) {
    const parts = document.createDocumentFragment();
    parts.append(...box.childNodes);
    hidden.set(box, parts);
    const card = document.createElement("p");
    card.className = "waits";
    card.append(Object.assign(document.createElement("span"), { textContent: "What follows waits for your answer." }));
    box.replaceChildren(card);
  }

  function unveil(box) {
    const parts = hidden.get(box);
    if (!parts) return;
    hidden.delete(box);
    box.replaceChildren(parts);
    box.classList.add("answered");
    ready(box);
  }

  function question(place) {
    const bytes = Uint8Array.from(atob(place.dataset.told), (one) => one.charCodeAt(0));
    const told = JSON.parse(new TextDecoder().decode(bytes));
    const shown = JSON.parse(place.querySelector("script").textContent);
    const box = all(".veiled").find((one) => one.dataset.question === place.id);
    const answered = store.get(page)?.answered?.[place.id];
    const hear = (message, model) => {
      const [right, reason] = message.show ? [null, told.solution] : judge(told, message.answer);
      const state = right === null ? "shown" : right ? "right" : "wrong";
      model.set({ state, reason });
      note({ answered: { ...store.get(page)?.answered, [place.id]: { state, reason } } });
      if (box) unveil(box);
    };
    const state = { shown, state: answered?.state ?? "open", reason: answered?.reason ?? "", veiled: !answered };
    const el = document.createElement("div");
    place.querySelector(".stands").replaceWith(el);
    window.questionOfTheCourse.render({ model: new Model(state, {}, hear), el });
    if (!box) return;
    if (answered) box.classList.add("answered");
    else veil(box);
  }

  // --- code, folds, menu ------------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".copy");
    if (!button) return;
    const text = button.parentNode.querySelector("code, pre").textContent;
    const done = () => { button.textContent = "Copied"; setTimeout(() => { button.textContent = "Copy"; }, 1500); };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, () => say("This browser does not let a page copy: select the text."));
    else say("This browser does not let a page copy: select the text.");
  });

  const menu = document.getElementById("menu"), toc = document.getElementById("toc");
  if (menu) menu.onclick = () => menu.setAttribute("aria-expanded", toc.classList.toggle("open"));
  toc?.addEventListener("click", (event) => {
    if (!event.target.closest("a")) return;
    toc.classList.remove("open");
    menu.setAttribute("aria-expanded", false);
  });
  if (toc) {
    const links = new Map(all(".cur ul a", toc).map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
    const heads = all("h2[id]").filter((head) => links.has(head.id));
    let waiting = false;
    const mark = () => {
      waiting = false;
      const at = heads.filter((head) => head.getBoundingClientRect().top < 140).at(-1);
      for (const [id, link] of links) {
        if (id === at?.id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    };
    addEventListener("scroll", () => { if (!waiting) { waiting = true; requestAnimationFrame(mark); } }, { passive: true });
    mark();
  }

  // --- search -----------------------------------------------------------------------------------------

  const query = document.getElementById("q"), found = document.getElementById("found");
  let index = null;
  function load() { // a script, since a file may not fetch another
    index ??= new Promise((resolve) => {
      const script = Object.assign(document.createElement("script"), { src: "search-index.js" });
      script.onload = () => resolve(window.indexOfTheCourse);
      script.onerror = () => resolve([]);
      document.head.append(script);
    });
    return index;
  }
  async function search() {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return show([]);
    const rows = (await load()).map(([where, heading, url, text]) => {
      const body = text.toLowerCase(), head = heading.toLowerCase();
      if (!words.every((word) => body.includes(word) || head.includes(word))) return null;
      const at = Math.max(0, body.indexOf(words.find((word) => body.includes(word)) ?? "") - 40);
      const weight = words.filter((word) => head.includes(word)).length + (where === "Glossary" && head === words.join(" ") ? 5 : 0);
      return { where, heading, url, weight, text: (at ? "\u2026" : "") + text.slice(at, at + 120) };
    });
    show(rows.filter(Boolean).sort((a, b) => b.weight - a.weight).slice(0, 8), true);
  }
  function show(rows, asked = false) {
    found.replaceChildren(...rows.map((row) => {
      const link = Object.assign(document.createElement("a"), { href: row.url });
      for (const [tag, text] of [["b", row.heading], ["small", row.where], ["span", row.text]])
        link.append(Object.assign(document.createElement(tag), { textContent: text }));
      return link;
    }));
    if (asked && !rows.length) found.append(Object.assign(document.createElement("p"), { textContent: `Nothing about \u201c${query.value.trim()}\u201d. Try one word.` }));
    found.hidden = !found.childNodes.length;
    query.setAttribute("aria-expanded", !found.hidden);
  }
  query.addEventListener("focus", load);
  query.addEventListener("input", search);
  query.form.addEventListener("submit", (event) => { event.preventDefault(); found.querySelector("a")?.click(); });
  query.form.addEventListener("keydown", (event) => {
    const links = all("a", found), at = links.indexOf(document.activeElement);
    if (event.key === "Escape") { show([]); query.focus(); }
    if (event.key === "ArrowDown" && links.length) { event.preventDefault(); links[Math.min(at + 1, links.length - 1)].focus(); }
    if (event.key === "ArrowUp" && links.length) { event.preventDefault(); (links[at - 1] ?? query).focus(); }
  });
  document.addEventListener("click", (event) => { if (!query.form.contains(event.target)) show([]); });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    query.focus();
  });

  // --- the start page -----------------------------------------------------------------------------------

  const guess = document.getElementById("guess");
  if (guess) {
    const bet = () => `${Number(guess.value).toFixed(1)} kg`;
    const tell = () => {
      guess.nextElementSibling.textContent = bet();
      guess.style.setProperty("--v", `${((guess.value - guess.min) / (guess.max - guess.min)) * 100}%`);
    };
    guess.value = store.get("bet") ?? guess.value;
    guess.oninput = tell;
    tell();
    document.getElementById("take").onclick = () => store.set("bet", guess.value);
    const last = store.get("last"), link = document.getElementById("continue"), row = last && document.querySelector(`[data-lesson="${CSS.escape(last)}"]`);
    if (row) {
      link.href = `${last}.html`;
      link.textContent = `Continue with ${row.querySelector("span").textContent}`;
    }
  }

  // --- bring to life ------------------------------------------------------------------------------------

  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      enliven(target);
    }
  }, { rootMargin: "500px" });
  function ready(within) {
    for (const place of all(".live:not([data-alive])", within)) near.observe(place);
  }
  for (const place of all(".ask")) question(place);
  ready(document);
  addEventListener("popstate", () => follow({ scroll: false }));
  if (/^#[a-z_]+(-\d+)?:/.test(location.hash)) follow();
})();
