  // ---- the view ------------------------------------------------------------------------------------

  const view = { x: 0, y: 0, scale: 1 };
  const graph = byId("graph");
  const READABLE = 11 / 10.5; // at this scale the smallest text in a box has 11 px
  const room = { width: 1, height: 1 };
  function measureRoom() {
    const box = graph.getBoundingClientRect();
    Object.assign(room, { width: box.width, height: box.height });
    place();
  }
  function place() {
    byId("view").setAttribute("transform", `translate(${view.x},${view.y}) scale(${view.scale})`);
    graph.classList.toggle("distant", view.scale < 0.15);
    const [left, top] = [-view.x / view.scale, -view.y / view.scale];
    const [right, bottom] = [left + room.width / view.scale, top + room.height / view.scale];
    for (const tile of tiles.values()) {
      const displayed = tile.left < right && tile.right > left && tile.top < bottom && tile.bottom > top;
      if (displayed === tile.displayed) continue;
      tile.displayed = displayed;
      tile.group.setAttribute("display", displayed ? "inline" : "none");
    }
  }
  function fit() {
    view.scale = Math.min(1.4, Math.max(0.02, Math.min((room.width - 30) / size.w, (room.height - 30) / size.h)));
    view.x = (room.width - size.w * view.scale) / 2;
    view.y = Math.max(15, (room.height - size.h * view.scale) / 2);
    place();
  }
  // on paper: the whole graph in the light theme, and the panel below it
  let onScreen = null;
  addEventListener("beforeprint", () => {
    onScreen = { ...view, theme: document.documentElement.dataset.theme };
    document.documentElement.dataset.theme = "light";
    graph.setAttribute("viewBox", `-15 -15 ${size.w + 30} ${size.h + 30}`);
    Object.assign(view, { x: 0, y: 0, scale: 1 });
    Object.assign(room, { width: size.w, height: size.h });
    place();
  });
  addEventListener("afterprint", () => {
    graph.removeAttribute("viewBox");
    document.documentElement.dataset.theme = onScreen.theme;
    Object.assign(view, { x: onScreen.x, y: onScreen.y, scale: onScreen.scale });
    measureRoom();
  });
  function centre(spot) {
    const inside = (space, length, middle) => (length + 30 <= space ? (space - length) / 2 : Math.min(15, Math.max(space - length - 15, space / 2 - middle)));
    view.x = inside(room.width, size.w * view.scale, (spot.x + spot.w / 2) * view.scale);
    view.y = inside(room.height, size.h * view.scale, (spot.y + spot.h / 2) * view.scale);
    place();
  }
  // the whole graph if its text can be read then; else where the steps begin
  function firstView() {
    fit();
    if (view.scale >= READABLE) return;
    view.scale = READABLE;
    const spot = drawn.get((steps[current].id ?? steps[1]?.id) ?? data.nodes[0]?.id);
    if (spot) centre(spot);
    if (spot && 30 + (spot.y + spot.h) * view.scale <= room.height) view.y = Math.max(view.y, 15);
    place();
  }
  function bringIntoView(spot) {
    if (!spot) return;
    if (view.scale < 0.55) {
      view.scale = READABLE;
      return centre(spot);
    }
    const left = view.x + spot.x * view.scale;
    const top = view.y + spot.y * view.scale;
    const right = left + spot.w * view.scale;
    const bottom = top + spot.h * view.scale;
    if (left < 10 || right > room.width - 10) view.x += room.width / 2 - (left + right) / 2;
    if (top < 30 || bottom > room.height - 30) view.y += room.height / 2 - (top + bottom) / 2;
    place();
  }
  function zoom(factor, x = room.width / 2, y = room.height / 2) {
    const scale = Math.min(4, Math.max(0.02, view.scale * factor));
    view.x = x - ((x - view.x) * scale) / view.scale;
    view.y = y - ((y - view.y) * scale) / view.scale;
    view.scale = scale;
    place();
  }

  // ---- steps ---------------------------------------------------------------------------------------

  let timer = null;
  let addressing = null;
  function go(to) {
    current = Math.max(0, Math.min(steps.length - 1, to));
    show();
    if (current) bringIntoView(drawn.get(steps[current].id));
    else firstView();
    if (location.protocol === "about:") return; // a frame in a notebook has no address
    addressing ??= setTimeout(() => { // browsers limit how often the address changes
      addressing = null;
      history.replaceState(null, "", `#step=${current}`);
    }, 250);
  }
  const addressed = () => Number(/^#step=(\d+)$/.exec(location.hash)?.[1] ?? NaN);
  function play(on) {
    clearInterval(timer);
    if (on && current === steps.length - 1) go(0);
    timer = on ? setInterval(() => (current < steps.length - 1 ? go(current + 1) : play(false)), 900 / Number(byId("speed").value)) : null;
    byId("play").textContent = on ? "Pause" : "Play";
    byId("play").setAttribute("aria-label", on ? "Pause" : "Play");
  }
  function toNode(id) {
    const backward = steps[current].phase === "backward";
    const spot = backward ? arrivedAt.get(id) ?? computedAt.get(id) : computedAt.get(id) ?? arrivedAt.get(id);
    if (spot !== undefined) go(spot);
    else bringIntoView(drawn.get(id));
  }
  function fold(scopes, on) {
    for (const i of scopes) on ? folded.add(i) : folded.delete(i);
    draw();
    place();
    search();
    if (scopes.length === 1) bringIntoView(drawn.get(nodesIn(scopes[0])[0].id));
  }

  // ---- search and findings -------------------------------------------------------------------------

  let matches = [];
  let match = -1;
  function search() {
    const wanted = byId("search").value.trim().toLowerCase();
    matches = wanted ? data.nodes.filter((node) => [equation(node), ...node.lines, ...node.findings].join("\n").toLowerCase().includes(wanted)) : [];
    mark(matches.map((node) => node.id));
    byId("matches").textContent = wanted ? `${matches.length} of ${data.nodes.length} match` : "";
    document.body.dataset.found = matches.length;
  }
  function mark(ids) {
    for (const old of document.querySelectorAll(".node.found")) old.classList.remove("found");
    for (const id of ids) drawn.get(id)?.group.classList.add("found");
  }
  byId("search").addEventListener("input", () => {
    match = -1;
    search();
    if (matches.length) bringIntoView(drawn.get(matches[0].id));
  });
  byId("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && matches.length) {
      match = (match + (event.shiftKey ? matches.length - 1 : 1)) % matches.length;
      toNode(matches[match].id);
    }
    if (event.key === "Escape") {
      event.target.value = "";
      search();
      event.target.blur();
    }
  });
  function listFindings() {
    const made = data.alarms.map((line, i) => {
      const id = data.alarmNodes[i];
      if (!id) return element("p", {}, element("b", {}, line));
      const button = element("button", { type: "button", className: "finding", title: "Go to its box" }, line);
      button.addEventListener("click", () => {
        toNode(id);
        mark([id]);
      });
      return button;
    });
    if (made.length > 3) byId("findings").append(element("details", {}, element("summary", {}, `${made.length} findings`), ...made));
    else byId("findings").append(...made);
  }

  // ---- export --------------------------------------------------------------------------------------

  function standalone() {
    const style = getComputedStyle(document.documentElement);
    const value = (text) => text.replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
    const rules = [...document.styleSheets[0].cssRules].filter((rule) => /^(\.node|\.edge|\.cluster|#tip|#graph\.ended)/.test(rule.selectorText ?? ""));
    const copy = graph.cloneNode(true);
    const [width, height] = [Math.ceil(size.w + 30), Math.ceil(size.h + 30)];
    const attributes = { xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}`, "font-family": FONT };
    for (const [name, text] of Object.entries(attributes)) copy.setAttribute(name, text);
    copy.querySelector("#view").setAttribute("transform", "translate(15,15)");
    for (const tile of copy.querySelectorAll(".tile")) tile.removeAttribute("display");
    copy.removeAttribute("style");
    copy.classList.remove("distant", "dragging");
    const paper = document.createElementNS(SVG, "rect");
    for (const [name, text] of Object.entries({ width, height, fill: value("var(--paper)") })) paper.setAttribute(name, text);
    const sheet = document.createElementNS(SVG, "style");
    sheet.textContent = rules.map((rule) => value(rule.cssText)).join("\n");
    copy.prepend(sheet, paper);
    return { text: new XMLSerializer().serializeToString(copy), width, height };
  }
  function download(blob, ending) {
    const name = document.title.replace(/[^\p{L}\p{N}.-]+/gu, "_").replace(/^_+|_+$/g, "").slice(0, 80) || "graph";
    const link = element("a", { href: URL.createObjectURL(blob), download: `${name}.${ending}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }
  byId("svg").addEventListener("click", () => download(new Blob([standalone().text], { type: "image/svg+xml" }), "svg"));
  byId("png").addEventListener("click", async () => {
    const { text, width, height } = standalone();
    const image = new Image();
    image.src = `data:image/svg+xml,${encodeURIComponent(text)}`;
    await image.decode();
    // twice the size, as far as browsers make canvases
    const scale = Math.min(2, 16000 / width, 16000 / height, Math.sqrt(2e8 / (width * height)));
    const canvas = element("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => download(blob, "png"), "image/png");
  });

  // ---- buttons and keys ----------------------------------------------------------------------------

  const actions = {
    first: () => go(0),
    back: () => go(current - 1),
    next: () => go(current + 1),
    last: () => go(steps.length - 1),
    play: () => play(!timer),
    closer: () => zoom(1.25),
    farther: () => zoom(0.8),
    fit,
    fold: () => { fold(outermost.scopes, true); firstView(); },
    unfold: () => { fold([...folded], false); firstView(); },
    theme: () => {
      scheme.removeEventListener("change", follow);
      root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    },
    help: () => byId("keys").showModal(),
  };
  const keys = { ArrowRight: "next", ArrowLeft: "back", Home: "first", End: "last", " ": "play", p: "play", "+": "closer", "=": "closer", "-": "farther", 0: "fit", "?": "help" };
  const root = document.documentElement;
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => (root.dataset.theme = scheme.matches ? "dark" : "light");
  follow();
  scheme.addEventListener("change", follow); // a frame learns its scheme after it has been loaded
  for (const [id, action] of Object.entries(actions)) byId(id).addEventListener("click", action);
  byId("slider").max = steps.length - 1;
  byId("slider").addEventListener("input", (event) => go(Number(event.target.value)));
  byId("speed").addEventListener("change", () => timer && play(true));

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
    const target = event.target.closest?.("[data-scope], [data-id]");
    const press = event.key === "Enter" || event.key === " ";
    if (target && press && (target.dataset.scope || event.key === "Enter")) {
      event.preventDefault();
      choose(target);
      if (target.dataset.scope) document.querySelector(`[data-scope="${target.dataset.scope}"]`)?.focus();
      return;
    }
    const field = event.target.closest?.("input, select");
    if (field && (field.id !== "slider" || event.key.startsWith("Arrow"))) return; // fields handle their keys
    if (event.key === " " && event.target.closest?.("button, summary")) return;
    if (event.key !== "/" && !keys[event.key]) return;
    event.preventDefault();
    if (event.key === "/") byId("search").focus();
    else actions[keys[event.key]]();
  });
  function choose(target) {
    if (target.dataset.scope) fold([Number(target.dataset.scope)], !folded.has(Number(target.dataset.scope)));
    else toNode(target.dataset.id);
  }

  // ---- pointers: a click chooses, a drag pans, two pointers zoom -------------------------------------

  const held = new Map(); // by pointer: its last position
  let dragged = false;
  let from = null;
  const spread = () => {
    const [a, b = a] = [...held.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) };
  };
  graph.addEventListener("pointerdown", (event) => {
    if (!held.size) {
      dragged = false;
      from = { x: event.clientX, y: event.clientY };
    }
    held.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  graph.addEventListener("pointermove", (event) => {
    if (!held.has(event.pointerId)) return;
    if (!dragged && held.size === 1 && Math.hypot(event.clientX - from.x, event.clientY - from.y) <= 4) return;
    if (!dragged) graph.classList.add("dragging");
    dragged = true;
    graph.setPointerCapture(event.pointerId);
    const before = spread();
    held.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const now = spread();
    view.x += now.x - before.x;
    view.y += now.y - before.y;
    if (!before.apart) return place();
    const box = graph.getBoundingClientRect();
    zoom(now.apart / before.apart, now.x - box.left, now.y - box.top);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    graph.addEventListener(end, (event) => {
      held.delete(event.pointerId);
      if (!held.size) graph.classList.remove("dragging");
    });
  }
  graph.addEventListener("pointerleave", (event) => {
    if (!dragged) held.delete(event.pointerId); // a drag is captured, and ends outside, too
  });
  graph.addEventListener("click", (event) => {
    const target = event.target.closest("[data-scope], [data-id]");
    if (target && !dragged) choose(target);
  });
  graph.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = graph.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * 0.0015), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });

  // ---- start ---------------------------------------------------------------------------------------

  byId("facts").textContent = data.heading.join("\n");
  listFindings();
  current = Math.min(addressed() || 0, steps.length - 1);
  measureRoom();
  // modules start folded, from the innermost outwards, until about `limit` boxes are shown
  let boxes = data.nodes.length;
  for (let depth = most([0, ...depths]); boxes > data.limit && depth > 0; depth--) {
    depths.forEach((at, scope) => at === depth && folded.add(scope));
    boxes = new Set(data.nodes.map((node) => chains.get(node.id)[depth - 1] ?? node.id)).size;
  }
  draw();
  firstView();
  new ResizeObserver(measureRoom).observe(graph);
  addEventListener("hashchange", () => Number.isNaN(addressed()) || addressed() === current || go(addressed()));
  document.body.dataset.ready = "yes";
