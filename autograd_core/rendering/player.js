  // Fragments of the function in player.html: player.js, layout.js, controls.js, in this order.
  const data = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const byId = (id) => document.getElementById(id);
  const nodes = new Map(data.nodes.map((node) => [node.id, node]));
  const into = new Map(data.nodes.map((node) => [node.id, []]));
  const outOf = new Map(data.nodes.map((node) => [node.id, []]));
  for (const edge of data.edges) {
    into.get(edge.target).push(edge);
    outOf.get(edge.source).push(edge);
  }
  // step 0 is the state before the first operation
  const steps = [
    { phase: "start" },
    ...data.forward.map((id) => ({ phase: "forward", id })),
    ...data.backward.map((id) => ({ phase: "backward", id })),
  ];
  const computedAt = new Map();
  const arrivedAt = new Map();
  steps.forEach((step, i) => {
    if (step.phase === "forward") computedAt.set(step.id, i);
    if (step.phase === "backward") arrivedAt.set(step.id, i);
  });
  const folded = new Set();
  let current = 0;

  // ---- numbers, tables and heat-maps ------------------------------------------------------------

  const asNumber = (value) =>
    typeof value === "number" ? value : { nan: NaN, inf: Infinity, "-inf": -Infinity }[value] ?? NaN;

  function written(value) {
    if (typeof value === "boolean") return value ? "True" : "False";
    if (typeof value !== "number") return String(value);
    if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
    const size = Math.abs(value);
    if (size >= 1e-4 && size < 1e6) return String(Number(value.toPrecision(6)));
    const [digits, exponent] = value.toExponential(5).split("e");
    return `${Number(digits)}e${exponent}`;
  }

  function element(name, properties = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (key in made) made[key] = value;
      else made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }

  const shapeOf = (picture) => (picture.shape.length ? `(${picture.shape.join(", ")}${picture.shape.length === 1 ? "," : ""})` : "scalar");

  function shown(picture, name, otherwise = "not kept: the backward pass does not need it") {
    if (!picture) return element("p", { className: "muted" }, otherwise);
    const made = picture.whole ? table(picture, name) : heatmap(picture, name);
    const more = [];
    if (picture.images.length) more.push(images(picture, name));
    if (picture.first.length) more.push(bars(picture, name));
    return more.length ? element("div", {}, ...more, made) : made;
  }

  // the first row of an array with few columns, such as a target or the outputs for one image
  function bars(picture, name) {
    const values = picture.first.map(asNumber);
    const finite = values.map((value) => (Number.isFinite(value) ? value : 0));
    const [high, low] = [Math.max(0, ...finite), Math.min(0, ...finite)];
    const [wide, tall] = [16, 56];
    const scale = tall / (high - low || 1);
    const zero = high * scale;
    const said = `${name}: the first of ${picture.shape[0]} rows: ${picture.first.map(written).join(", ")}`;
    const made = element("div", {});
    const chart = shape("svg", { class: "bars", width: wide * values.length, height: tall + 14, role: "img", "aria-label": said }, made);
    values.forEach((value, i) => {
      const height = Math.max(1, Math.abs(finite[i]) * scale);
      const bar = { x: wide * i + 2, y: finite[i] < 0 ? zero : zero - height, width: wide - 4, height };
      const rect = shape("rect", { ...bar, class: finite[i] < 0 ? "below" : "above", "data-value": String(picture.first[i]) }, chart);
      shape("title", {}, rect).textContent = `${i}: ${written(picture.first[i])}`;
      shape("text", { x: wide * (i + 0.5), y: tall + 11 }, chart).textContent = i;
    });
    made.append(element("p", { className: "muted" }, `the first of ${picture.shape[0]} rows`));
    return made;
  }

  // the first of many images, as rows of an array: digits, or the weights of each hidden unit
  function images(picture, name) {
    const list = element("div", { className: "images", role: "img", "aria-label": `${name}: the first ${picture.images.length} as images` });
    const highest = picture.images.flat(2).map(asNumber).filter(Number.isFinite).reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
    for (const image of picture.images) {
      const canvas = element("canvas", { width: image[0].length, height: image.length });
      canvas.style.width = canvas.style.height = "56px";
      paint(canvas, image.flat().map(asNumber), highest);
      list.append(canvas);
    }
    return list;
  }

  // blue below zero, white at zero, orange above: lightness shows the size, colour the sign
  function paint(canvas, values, highest) {
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(canvas.width, canvas.height);
    values.forEach((value, i) => {
      const t = Math.max(-1, Math.min(1, value / highest));
      const end = t < 0 ? [8, 81, 156] : [178, 75, 0];
      const colour = Number.isFinite(value) ? end.map((c) => 255 + (c - 255) * Math.abs(t)) : [90, 90, 90];
      pixels.data.set([...colour, 255], 4 * i);
    });
    context.putImageData(pixels, 0, 0);
  }

  function table(picture, name) {
    const made = element("table", { className: "numbers", "aria-label": `${name}, ${shapeOf(picture)}` });
    for (const row of picture.rows) {
      const line = made.insertRow();
      for (const value of row) {
        const cell = line.insertCell();
        cell.textContent = written(value);
        cell.title = String(value);
        cell.dataset.value = String(value);
      }
    }
    return element("div", { className: "scroll" }, made);
  }

  function heatmap(picture, name) {
    const rows = picture.rows.map((row) => row.map(asNumber));
    const height = rows.length;
    const width = rows[0].length;
    const exact = width * height === picture.shape.reduce((a, b) => a * b, 1);
    const finite = rows.flat().filter(Number.isFinite).map(Math.abs);
    const most = finite.reduce((a, b) => Math.max(a, b), 0) || 1;
    const canvas = element("canvas", { width, height });
    const size = Math.max(4, Math.min(12, Math.floor(340 / width)));
    canvas.style.width = `${width * size}px`;
    canvas.style.height = `${Math.min(height * size, 340)}px`;
    const ends = `from ${written(picture.ends[0])} to ${written(picture.ends[1])}`;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${name}: heat-map of ${shapeOf(picture)}, ${ends}`);
    paint(canvas, rows.flat(), most);
    canvas.addEventListener("mousemove", (event) => {
      const box = canvas.getBoundingClientRect();
      const i = Math.min(height - 1, Math.floor(((event.clientY - box.top) / box.height) * height));
      const j = Math.min(width - 1, Math.floor(((event.clientX - box.left) / box.width) * width));
      canvas.title = `${exact ? "" : "block "}${i}, ${j}: ${exact ? "" : "mean "}${written(picture.rows[i]?.[j])}`;
    });
    const [least, greatest] = picture.ends.map((value) => {
      const end = element("span", { className: "end" }, written(value));
      end.dataset.value = String(value);
      return end;
    });
    const legend = element("p", { className: "muted" }, `${shapeOf(picture)}, from `, least, " to ", greatest, `; blue below zero, orange above${exact ? "" : ", means of blocks"}`);
    return element("div", { className: "heatmap" }, canvas, legend);
  }

  // ---- the rows of text in the boxes --------------------------------------------------------------

  const measure = document.createElement("canvas").getContext("2d");
  const widths = new Map();
  function textWidth(text, font) {
    const key = font + text;
    if (!widths.has(key)) {
      if (measure.font !== font) measure.font = font;
      widths.set(key, measure.measureText(text).width);
    }
    return widths.get(key);
  }
  const FONT = 'system-ui, "Segoe UI", "DejaVu Sans", Helvetica, Arial, sans-serif';
  const equation = (node) => (!node.symbol || node.named ? node.title : `${node.symbol} = ${node.title}`);
  const cut = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
  for (const node of data.nodes) {
    node.rows = [
      { text: cut(equation(node), 40), kind: "title" },
      ...node.lines.slice(0, 4).map((line) => ({ text: cut(line.replaceAll("\n", " "), 48), kind: "line" })),
      ...node.findings.map((line) => ({ text: cut(line, 48), kind: "warn" })),
    ];
    const values = node.value?.whole ? node.value.rows.flat() : [];
    if (values.length > 0 && values.length <= 6) node.rows.push({ text: cut(`value ${values.map(written).join(", ")}`, 48), kind: "line result" });
    for (const line of node.flow) node.rows.push({ text: cut(line, 48), kind: "line flow" });
    node.w = Math.max(70, ...node.rows.map((row) => textWidth(row.text, row.kind === "title" ? `600 13px ${FONT}` : `600 10.5px ${FONT}`))) + 24;
    node.h = 20 + 14 * (node.rows.length - 1) + 12;
  }
  // ---- drawing ------------------------------------------------------------------------------------

  function shape(name, attributes, parent) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    parent.append(made);
    return made;
  }

  const drawn = new Map(); // by node: {group, x, y, w, h}; folded nodes share the entry of their cluster
  const lines = new Map(); // by edge
  const origins = new Map(); // by scope that is open: {part, x, y}
  const tiles = new Map(); // by position: the groups of boxes and edges there, and what they cover
  const TILE = 1500;
  let size = { w: 1, h: 1 };
  let shownStep = -1; // the step that the boxes and edges show; -1: they are new

  function draw() {
    const whole = layOut(-1);
    size = { w: Math.max(whole.w, 1), h: Math.max(whole.h, 1) };
    drawn.clear();
    lines.clear();
    origins.clear();
    tiles.clear();
    for (const id of ["clusters", "edges", "nodes"]) byId(id).replaceChildren();
    const waiting = [[whole, 0, 0]];
    for (let i = 0; i < waiting.length; i++) {
      const [part, x, y] = waiting[i];
      if (part.row) for (const [node, left] of part.row) drawNode(node, x + left, y + (part.h - node.h) / 2);
      else if (part.closed) drawFolded(part, x, y);
      else {
        origins.set(part.scope, { part, x, y });
        if (part.scope >= 0) drawCluster(part, x, y);
        for (const child of part.boxes) waiting.push([child, x + child.x, y + child.y]);
      }
    }
    const seen = new Set();
    for (const edge of data.edges) {
      const a = drawn.get(edge.source);
      const b = drawn.get(edge.target);
      if (!a || !b || a === b) continue;
      const ends = `${a.key}>${b.key}`;
      const twin = seen.has(ends) && (a.closed || b.closed);
      seen.add(ends);
      if (!twin) drawEdge(edge, a, b);
    }
    shownStep = -1;
    show();
  }

  // Only the tiles in view are displayed, and laid out by the browser. A tile is an <svg>, because
  // Chromium lays out what is in a <g> that is not displayed.
  function tileAt(kind, x, y, left, top, right, bottom) {
    const key = `${kind}${bottom - top > 2 * TILE ? " long" : ""} ${Math.floor(x / TILE)},${Math.floor(y / TILE)}`;
    if (!tiles.has(key)) {
      const group = shape("svg", { class: "tile", display: "none", overflow: "visible" }, byId(kind));
      tiles.set(key, { group, displayed: false, left, top, right, bottom });
    }
    const tile = tiles.get(key);
    tile.left = Math.min(tile.left, left);
    tile.top = Math.min(tile.top, top);
    tile.right = Math.max(tile.right, right);
    tile.bottom = Math.max(tile.bottom, bottom);
    return tile;
  }

  function drawNode(node, x, y) {
    const group = shape("g", { class: `node ${node.kind}${node.findings.length ? " alarming" : ""}`, transform: `translate(${x},${y})`, "data-id": node.id, role: "button", tabindex: "-1" }, tileAt("nodes", x, y, x, y, x + node.w, y + node.h).group);
    const round = ["operation", "group"].includes(node.kind) ? 10 : 2;
    const rect = shape("rect", { width: node.w, height: node.h, rx: round }, group);
    node.rows.forEach((row, i) => {
      const text = shape("text", { x: node.w / 2, y: 20 + 14 * i + (i ? 2 : 0), class: row.kind }, group);
      text.textContent = row.text;
    });
    const tip = shape("title", {}, group);
    tip.textContent = [node.title, ...node.lines, ...node.findings].join("\n");
    drawn.set(node.id, { key: node.id, group, rect, x, y, w: node.w, h: node.h });
  }

  function drawFolded(part, x, y) {
    const all = nodesIn(part.scope);
    const label = data.scopes[part.scope].label;
    const group = shape("g", { class: `node folded${all.some((node) => node.findings.length) ? " alarming" : ""}`, transform: `translate(${x},${y})`, role: "button", tabindex: "0", "data-scope": part.scope, "aria-label": `${label}, folded; unfold` }, tileAt("nodes", x, y, x, y, x + part.w, y + part.h).group);
    const rect = shape("rect", { width: part.w, height: part.h, rx: 10 }, group);
    shape("text", { x: part.w / 2, y: 20, class: "title" }, group).textContent = `▸ ${label}`;
    shape("text", { x: part.w / 2, y: 36, class: "line" }, group).textContent = `${all.length} node${all.length === 1 ? "" : "s"}`;
    const place = { key: part.key, group, rect, x, y, w: part.w, h: part.h, closed: part.scope };
    for (const node of all) drawn.set(node.id, place);
  }

  function drawCluster(part, x, y) {
    const group = shape("g", { class: "cluster", transform: `translate(${x},${y})` }, byId("clusters"));
    shape("rect", { width: part.w, height: part.h, rx: 10 }, group);
    const button = shape("g", { class: "fold", role: "button", tabindex: "0", "data-scope": part.scope, "aria-label": `Fold ${data.scopes[part.scope].label}` }, group);
    shape("rect", { class: "hit", width: Math.min(part.w, textWidth(data.scopes[part.scope].label, `600 12px ${FONT}`) + 48), height: BAR }, button);
    shape("text", { x: 12, y: BAR / 2 + 4 }, button).textContent = `▾ ${data.scopes[part.scope].label}`;
  }

  function drawEdge(edge, a, b) {
    const flat = homes.get(edge.source) === edge.target;
    const route = flat ? [] : routeOf(edge, a, b);
    if (flat) {
      const [start, end] = a.x < b.x ? [a.x + a.w, b.x] : [a.x, b.x + b.w];
      const y = a.y + a.h / 2;
      const { group } = tileAt("edges", b.x, b.y, a.x, a.y, b.x + b.w, b.y + b.h);
      return drawLine(edge, group, `M${start},${y}H${end}`, [(start + end) / 2, y - 5], "middle");
    }
    const across = route.map((run) => run[0]);
    const { group } = tileAt("edges", b.x, b.y, least(across) - 60, a.y, most(across) + 60, b.y);
    let [[x, , y], ...runs] = route;
    let d = `M${x},${a.y + a.h}`;
    if (y > a.y + a.h) d += `V${y}`; // no segment without length: it would turn the arrowhead
    let middle = [x, y];
    for (const [nextX, top, bottom] of runs) {
      const bend = (top - y) / 2;
      d += `C${x},${y + bend} ${nextX},${top - bend} ${nextX},${top}`;
      if (bottom > top) d += `V${bottom}`;
      middle = [(x + 3 * nextX) / 4 + 4, (y + 3 * top) / 4];
      [x, y] = [nextX, bottom];
    }
    drawLine(edge, group, d, middle);
  }

  function drawLine(edge, group, d, middle, anchor = "start") {
    const unused = data.backward.length > 0 && !edge.passed;
    const path = shape("path", { class: `edge${unused ? " unused" : ""}`, d }, group);
    const words = [edge.operand, edge.keeps].filter(Boolean).join("\n");
    if (words) shape("title", {}, path).textContent = words;
    const made = { path };
    if (edge.operand) {
      made.label = shape("text", { class: "edge-label", x: middle[0], y: middle[1], "text-anchor": anchor }, group);
      made.label.textContent = edge.operand;
    }
    lines.set(edge.id, made);
  }

  // ---- a step -------------------------------------------------------------------------------------

  let currentBox = null; // the box of the current step

  // only what differs from the step shown before is touched
  function show() {
    const step = steps[current];
    const between = steps.slice(Math.max(0, Math.min(shownStep, current)), Math.max(shownStep, current) + 1);
    const changed = shownStep < 0 ? data.nodes : [...new Set(between.map((one) => one.id))].filter(Boolean).map((id) => nodes.get(id));
    for (const node of changed) showNode(node, step);
    for (const node of changed) for (const edge of into.get(node.id)) showEdge(edge, step);
    byId("graph").classList.toggle("ended", current === steps.length - 1);
    const spot = drawn.get(step.id);
    if (currentBox?.group !== spot?.group) currentBox?.group.classList.remove("current");
    currentBox = spot;
    currentBox?.group.classList.add("current");
    shownStep = current;
    byId("slider").value = current;
    const words = said(step);
    byId("slider").setAttribute("aria-valuetext", words);
    byId("count").textContent = `${current} of ${steps.length - 1}`;
    byId("said").textContent = words;
    byId("first").disabled = byId("back").disabled = current === 0;
    byId("last").disabled = byId("next").disabled = current === steps.length - 1;
    fillPanel(step);
    document.body.dataset.step = current;
    document.body.dataset.phase = step.phase;
    document.body.dataset.node = step.id ?? "";
    if (step.phase === "backward") document.body.dataset.backward = "yes";
  }

  function showNode(node, step) {
    const spot = drawn.get(node.id);
    if (!spot || spot.closed !== undefined) return;
    const known = computedAt.has(node.id) ? computedAt.get(node.id) <= current : node.kind !== "omitted";
    const arrived = arrivedAt.get(node.id) <= current;
    const here = step.id === node.id;
    const { group, rect } = spot;
    group.classList.toggle("later", !known);
    if (here) group.setAttribute("aria-current", "step");
    else group.removeAttribute("aria-current");
    group.classList.toggle("shaded", arrived && Boolean(node.shade));
    group.classList.toggle("arrived", arrived);
    rect.style.fill = arrived && node.shade ? node.shade : "";
    group.setAttribute("tabindex", here ? "0" : "-1");
    group.setAttribute("aria-label", label(node, known, arrived));
  }

  function showEdge(edge, step) {
    const line = lines.get(edge.id);
    if (!line) return;
    const used = computedAt.get(edge.target) <= current;
    line.path.classList.toggle("later", !used);
    line.path.classList.toggle("current", edge.target === step.id);
    line.path.classList.toggle("backward", edge.passed && arrivedAt.get(edge.target) <= current);
  }

  function label(node, known, arrived) {
    const parts = [equation(node), ...node.lines];
    if (known && node.value?.whole && node.value.rows.flat().length === 1) parts.push(`value ${written(node.value.rows[0][0])}`);
    if (arrived) parts.push(...node.flow);
    return [...parts, ...node.findings].join(", ");
  }

  // the sentence of a step; "a1 = sigmoid" is the title of a result that has a name
  const nameOf = (node) => (node.title.includes(" = ") ? node.title.split(" = ")[0] : "");
  function called(node) {
    if (node.kind === "group") return `the folded operations “${node.title}”`;
    const operation = !["input", "parameter", "leaf"].includes(node.kind);
    return nameOf(node) || (operation ? node.symbol || `the result of ${node.title}` : node.title);
  }
  function listed(words) {
    const all = words.length > 4 ? [...words.slice(0, 3), `${words.length - 3} more`] : words;
    return all.length > 1 ? `${all.slice(0, -1).join(", ")} and ${all.at(-1)}` : all[0];
  }
  function said(step) {
    const place = `step ${current} of ${steps.length - 1}`;
    if (step.phase === "start") {
      const count = (list, what) => `${list.length} ${what}${list.length === 1 ? "" : "s"}`;
      const back = data.backward.length ? `, then backward ${count(data.backward, "gradient")}` : "";
      return `Start, ${place}: forward will compute ${count(data.forward, "result")}${back}.`;
    }
    const node = nodes.get(step.id);
    const edges = into.get(node.id);
    const operation = node.title.split(" = ").at(-1);
    if (step.phase === "forward") {
      const operands = edges.map((edge) => called(nodes.get(edge.source)) + (edge.operand && edges.length > 1 ? ` (${edge.operand})` : ""));
      const constants = node.lines.filter((line) => /^\w+ = .{1,30}$/.test(line));
      const from = (operands.length ? ` from ${listed(operands)}` : "") + (constants.length ? `, with ${listed(constants)}` : "");
      if (node.kind === "group") return `Forward, ${place}: ${called(node)} are computed${from}.`;
      if (node.kind === "failed") return `Forward, ${place}: ${operation} fails.`;
      return `Forward, ${place}: ${operation} computes ${nameOf(node) || node.symbol || "its result"}${from}.`;
    }
    const count = contributions(node).length;
    const sum = count > 1 ? `, the sum of ${count} contributions` : "";
    const onward = edges.filter((edge) => edge.passed).map((edge) => called(nodes.get(edge.source)));
    if (!edges.length) return `Backward, ${place}: ${node.title} receives its gradient${sum}.`;
    const sends = onward.length ? `, and ${operation} passes it on to ${listed(onward)}` : "";
    return count ? `Backward, ${place}: a gradient arrives at ${called(node)}${sum}${sends}.` : `Backward, ${place}: the pass starts at ${called(node)}${sends}.`;
  }

  // "multiply #3 (w12 · a2)": an operation among others of its kind, with its operands
  const SIGNS = { multiply: " · ", add: " + ", subtract: " − ", divide: " / ", matmul: " @ " };
  const kinds = new Map();
  for (const id of data.forward) {
    const { title } = nodes.get(id);
    kinds.set(title, [...(kinds.get(title) ?? []), id]);
  }
  function identified(node) {
    const same = kinds.get(node.title) ?? [];
    const number = same.length > 1 ? ` #${same.indexOf(node.id) + 1}` : "";
    const short = (source) => nameOf(source) || `${source.title}${(kinds.get(source.title) ?? []).length > 1 ? ` #${kinds.get(source.title).indexOf(source.id) + 1}` : ""}`;
    const operands = into.get(node.id).map((edge) => short(nodes.get(edge.source)));
    operands.push(...node.lines.filter((line) => /^[xy] = [^[]{1,12}$/.test(line)).map((line) => line.slice(4)));
    const words = operands.length && operands.length < 4 ? ` (${operands.join(SIGNS[node.title.split(" = ").at(-1)] ?? ", ")})` : "";
    return node.title + number + words;
  }

  // formulas with the symbols of explain()
  const derivative = (node) => `∂${data.root}/∂${node.symbol}`;
  function chainRule(edge) {
    const [source, target] = [nodes.get(edge.source), nodes.get(edge.target)];
    return source.symbol && target.symbol ? `${derivative(target)} · ∂${target.symbol}/∂${source.symbol}` : "";
  }

  const contributions = (node) => outOf.get(node.id).filter((edge) => edge.passed);

  function fillPanel(step) {
    const panel = byId("panel");
    panel.replaceChildren();
    panel.scrollTop = 0;
    const add = (...children) => panel.append(...children);
    if (step.phase === "start") {
      add(element("h2", {}, "Step through the graph"));
      const then = data.program ? "every call in its order" : "first every operation in the order it ran, then every gradient in the order in which the engine computes them";
      add(element("p", {}, `Arrow keys, the buttons or the slider go forward and back: ${then}. Click a node to go to its step.`));
      if (!data.backward.length && !data.program) add(element("p", { className: "muted" }, "No values were recorded for the backward pass: use record_flow(values=True), or draw a Tensor whose graph has not been released."));
      return;
    }
    const node = nodes.get(step.id);
    add(element("h2", {}, equation(node)));
    for (const line of node.lines) add(element("p", { className: "muted" }, line));
    for (const line of node.findings) add(element("p", { className: "alarm" }, line));
    if (step.phase === "forward") forwardPanel(node, add);
    else backwardPanel(node, add);
  }

  function forwardPanel(node, add) {
    for (const edge of into.get(node.id)) {
      const source = nodes.get(edge.source);
      const what = edge.operand ? `${edge.operand}: ${equation(source)}` : equation(source);
      add(element("h3", {}, `in: ${what}`));
      if (source.value) add(marked(shown(source.value, source.title), "operand", source.id));
      else add(element("p", { className: "muted" }, source.lines.join(", ")));
      if (edge.keeps) add(element("p", { className: "muted" }, `for the backward pass the edge ${edge.keeps}`));
    }
    add(element("h3", {}, "result"));
    add(marked(node.kind === "group" ? element("p", {}, node.lines.join(", ")) : shown(node.value, "result"), "value", node.id));
  }

  function backwardPanel(node, add) {
    const parts = contributions(node);
    const heading = parts.length ? "gradient" : "the pass starts here";
    add(element("h3", {}, node.symbol ? `${heading}: ${derivative(node)}` : heading));
    if (parts.length > 1) {
      parts.forEach((edge, i) => {
        if (i) add(element("div", { className: "sign" }, "+"));
        const product = chainRule(edge);
        if (product) add(element("p", {}, product));
        add(element("p", { className: "muted" }, `from ${identified(nodes.get(edge.target))}${edge.operand ? `, by its ${edge.operand}` : ""}`));
        add(marked(shown(edge.product, "a contribution", edge.flow), "contribution", edge.id));
      });
      add(element("div", { className: "sign" }, "="));
    }
    add(marked(shown(node.gradient, "incoming gradient", node.flow.at(-1)), "gradient", node.id));
    for (const edge of into.get(node.id)) {
      const source = nodes.get(edge.source);
      if (!edge.passed) {
        add(element("h3", {}, `to ${source.title}: nothing`), element("p", { className: "muted" }, "no gradient is required there"));
        continue;
      }
      add(element("h3", {}, `to ${edge.operand ? `${edge.operand}, ` : ""}${equation(source)}`));
      const product = chainRule(edge);
      if (product) add(element("p", {}, product));
      if (edge.rule) {
        add(element("p", {}, edge.rule));
        const factor = into.get(node.id).find((other) => other.operand === edge.factor);
        const value = factor && nodes.get(factor.source).value;
        if (value) add(element("div", { className: "sign" }, "with"), element("p", { className: "muted" }, called(nodes.get(factor.source))), marked(shown(value, edge.factor), "factor", edge.id));
      } else if (edge.local) {
        add(element("p", { className: "muted" }, edge.kind === "jacobian" ? `arriving · local derivative (a Jacobian of shape ${shapeOf(edge.local)})` : "arriving · local derivative, element by element"));
        add(element("div", { className: "sign" }, "·"), marked(shown(edge.local, "local derivative"), "local", edge.id));
      } else {
        add(element("p", { className: "muted" }, edge.keeps ? `the rule of ${node.title} computes it from the arriving gradient; it ${edge.keeps}` : `the rule of ${node.title} computes it from the arriving gradient alone`));
      }
      add(element("div", { className: "sign" }, "="));
      add(marked(shown(edge.product, "outgoing gradient", edge.flow), "product", edge.id));
    }
    if (!into.get(node.id).length) add(element("p", { className: "muted" }, "A leaf: this is what .grad receives."));
  }

  function marked(made, role, id) {
    made.dataset.role = role;
    made.dataset.of = id;
    return made;
  }
