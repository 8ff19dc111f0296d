"use strict";
(() => {
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
  let timer = null;

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

  function shown(picture, name) {
    if (!picture) return element("p", { className: "muted" }, "not kept: the backward pass does not need it");
    return picture.whole ? table(picture, name) : heatmap(picture, name);
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

  // blue below zero, white at zero, orange above: lightness shows the size, colour the sign
  function heatmap(picture, name) {
    const rows = picture.rows.map((row) => row.map(asNumber));
    const height = rows.length;
    const width = rows[0].length;
    const finite = rows.flat().filter(Number.isFinite).map(Math.abs);
    const most = finite.reduce((a, b) => Math.max(a, b), 0) || 1;
    const canvas = element("canvas", { width, height });
    const size = Math.max(4, Math.min(12, Math.floor(340 / width)));
    canvas.style.width = `${width * size}px`;
    canvas.style.height = `${Math.min(height * size, 340)}px`;
    const ends = `from ${written(picture.ends[0])} to ${written(picture.ends[1])}`;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${name}: heat-map of ${shapeOf(picture)}, ${ends}`);
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    rows.flat().forEach((value, i) => {
      const t = Math.max(-1, Math.min(1, value / most));
      const end = t < 0 ? [8, 81, 156] : [178, 75, 0];
      const colour = Number.isFinite(value) ? end.map((c) => 255 + (c - 255) * Math.abs(t)) : [90, 90, 90];
      image.data.set([...colour, 255], 4 * i);
    });
    context.putImageData(image, 0, 0);
    canvas.addEventListener("mousemove", (event) => {
      const box = canvas.getBoundingClientRect();
      const i = Math.min(height - 1, Math.floor(((event.clientY - box.top) / box.height) * height));
      const j = Math.min(width - 1, Math.floor(((event.clientX - box.left) / box.width) * width));
      canvas.title = `block ${i}, ${j}: mean ${written(picture.rows[i]?.[j])}`;
    });
    const [least, greatest] = picture.ends.map((value) => {
      const end = element("span", { className: "end" }, written(value));
      end.dataset.value = String(value);
      return end;
    });
    const legend = element("p", { className: "muted" }, `${shapeOf(picture)}, from `, least, " to ", greatest, "; blue below zero, orange above, means of blocks");
    return element("div", { className: "heatmap" }, canvas, legend);
  }

  // ---- layout: rows by the longest path; a cluster is laid out first, then placed as one box -----

  const measure = document.createElement("canvas").getContext("2d");
  function textWidth(text, font) {
    measure.font = font;
    return measure.measureText(text).width;
  }
  const FONT = 'system-ui, "Segoe UI", "DejaVu Sans", Helvetica, Arial, sans-serif';
  const cut = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
  for (const node of data.nodes) {
    node.rows = [
      { text: cut(node.title, 40), kind: "title" },
      ...node.lines.slice(0, 4).map((line) => ({ text: cut(line.replaceAll("\n", " "), 48), kind: "line" })),
      ...node.findings.map((line) => ({ text: cut(line, 48), kind: "warn" })),
    ];
    const values = node.value?.whole ? node.value.rows.flat() : [];
    if (values.length > 0 && values.length <= 6) node.rows.push({ text: cut(`value ${values.map(written).join(", ")}`, 48), kind: "line result" });
    if (node.flow) node.rows.push({ text: cut(node.flow, 48), kind: "line flow" });
    const widths = node.rows.map((row) => textWidth(row.text, row.kind === "title" ? `600 13px ${FONT}` : `600 10.5px ${FONT}`));
    node.w = Math.max(70, ...widths) + 24;
    node.h = 20 + 14 * (node.rows.length - 1) + 12;
  }
  const inner = data.scopes.map(() => []); // scopes inside a scope
  const members = data.scopes.map(() => []);
  const outermost = { scopes: [], nodes: [] };
  data.scopes.forEach((scope, i) => (scope.outer < 0 ? outermost.scopes : inner[scope.outer]).push(i));
  data.nodes.forEach((node) => (node.scope < 0 ? outermost.nodes : members[node.scope]).push(node));
  const order = new Map(data.nodes.map((node, i) => [node.id, i]));
  const GAP = 34;
  const SIDE = 26;

  function chainOf(node) {
    const chain = [];
    for (let i = node.scope; i >= 0; i = data.scopes[i].outer) chain.push(i);
    return chain.reverse();
  }
  const chains = new Map(data.nodes.map((node) => [node.id, chainOf(node)]));

  function layOut(scope) {
    const depth = scope < 0 ? 0 : chainLength(scope);
    const parts = new Map();
    for (const node of scope < 0 ? outermost.nodes : members[scope]) {
      parts.set(node.id, { key: node.id, node, w: node.w, h: node.h, place: order.get(node.id) });
    }
    for (const i of scope < 0 ? outermost.scopes : inner[scope]) {
      const part = folded.has(i) ? foldedBox(i) : layOut(i);
      if (part) parts.set(`s${i}`, part);
    }
    const partOf = (id) => {
      const chain = chains.get(id);
      return chain.length > depth ? `s${chain[depth]}` : id;
    };
    const links = new Map();
    for (const edge of edgesWithin(scope)) {
      const a = parts.get(partOf(edge.source));
      const b = parts.get(partOf(edge.target));
      if (a && b && a !== b) links.set(`${a.key}>${b.key}`, [a, b]);
    }
    const all = [...parts.values()].sort((a, b) => a.place - b.place);
    const { width, height, rows } = arrange(all, [...links.values()]);
    const label = scope < 0 ? "" : data.scopes[scope].label;
    const top = scope < 0 ? 0 : 34;
    const pad = scope < 0 ? 0 : 12;
    const labelWidth = scope < 0 ? 0 : textWidth(label, `600 12px ${FONT}`) + 60;
    const w = Math.max(width + 2 * pad, labelWidth);
    const shift = pad + (w - 2 * pad - width) / 2;
    for (const part of rows) {
      part.x += shift;
      part.y += top;
    }
    return { key: `s${scope}`, scope, w, h: height + top + pad, parts: rows, place: Math.min(...all.map((part) => part.place)) };
  }

  const depths = data.scopes.map(() => 0);
  data.scopes.forEach((scope, i) => (depths[i] = scope.outer < 0 ? 1 : depths[scope.outer] + 1));
  const chainLength = (scope) => depths[scope];

  // the edges whose ends have this innermost common scope
  const within = new Map();
  for (const edge of data.edges) {
    const a = chains.get(edge.source);
    const b = chains.get(edge.target);
    let common = -1;
    for (let i = 0; i < Math.min(a.length, b.length) && a[i] === b[i]; i++) common = a[i];
    if (!within.has(common)) within.set(common, []);
    within.get(common).push(edge);
  }
  const edgesWithin = (scope) => within.get(scope) ?? [];

  function foldedBox(i) {
    const all = nodesIn(i);
    if (!all.length) return null;
    const label = data.scopes[i].label;
    return { key: `s${i}`, scope: i, closed: true, w: textWidth(label, `600 13px ${FONT}`) + 70, h: 48, place: Math.min(...all.map((node) => order.get(node.id))) };
  }
  function nodesIn(i) {
    const found = [];
    const waiting = [i];
    while (waiting.length) {
      const at = waiting.pop();
      found.push(...members[at]);
      waiting.push(...inner[at]);
    }
    return found;
  }

  function arrange(parts, links) {
    const up = new Map(parts.map((part) => [part, []]));
    const down = new Map(parts.map((part) => [part, []]));
    for (const [a, b] of links) {
      up.get(b).push(a);
      down.get(a).push(b);
    }
    for (const part of parts) part.rank = 0;
    const waiting = parts.filter((part) => !up.get(part).length);
    const missing = new Map(parts.map((part) => [part, up.get(part).length]));
    for (let i = 0; i < waiting.length; i++) {
      for (const next of down.get(waiting[i])) {
        next.rank = Math.max(next.rank, waiting[i].rank + 1);
        missing.set(next, missing.get(next) - 1);
        if (!missing.get(next)) waiting.push(next);
      }
    }
    for (const part of parts) {
      // inputs are placed directly above the node that uses them
      if (!up.get(part).length && down.get(part).length) part.rank = Math.min(...down.get(part).map((next) => next.rank)) - 1;
    }
    const lowest = Math.min(0, ...parts.map((part) => part.rank));
    const rows = [];
    for (const part of parts) (rows[part.rank - lowest] ??= []).push(part);
    for (let i = 0; i < rows.length; i++) rows[i] ??= [];
    const middle = (part) => part.x + part.w / 2;
    const pull = (row, sides) => {
      const wanted = new Map();
      for (const part of row) {
        const near = sides.get(part);
        wanted.set(part, near.length ? near.reduce((sum, other) => sum + middle(other), 0) / near.length : middle(part));
      }
      row.sort((a, b) => wanted.get(a) - wanted.get(b) || a.place - b.place);
      // as close to the preferred position as the other boxes in the row allow
      let right = -Infinity;
      const fromLeft = row.map((part) => {
        const x = Math.max(wanted.get(part) - part.w / 2, right);
        right = x + part.w + SIDE;
        return x;
      });
      let left = Infinity;
      for (let i = row.length - 1; i >= 0; i--) {
        const x = Math.min(wanted.get(row[i]) - row[i].w / 2, left - row[i].w);
        left = x - SIDE;
        row[i].x = (x + fromLeft[i]) / 2;
      }
    };
    for (const row of rows) {
      let x = 0;
      for (const part of row) {
        part.x = x;
        x += part.w + SIDE;
      }
    }
    for (let sweep = 0; sweep < 6; sweep++) {
      for (const row of rows) pull(row, up);
      for (const row of [...rows].reverse()) pull(row, down);
    }
    let y = 0;
    for (const row of rows) {
      const tall = Math.max(0, ...row.map((part) => part.h));
      for (const part of row) part.y = y + (tall - part.h) / 2;
      y += tall + GAP;
    }
    const start = Math.min(...parts.map((part) => part.x));
    for (const part of parts) part.x -= start;
    return { width: Math.max(0, ...parts.map((part) => part.x + part.w)), height: Math.max(0, y - GAP), rows: parts };
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
  let size = { w: 1, h: 1 };

  function draw() {
    const whole = layOut(-1);
    size = { w: Math.max(whole.w, 1), h: Math.max(whole.h, 1) };
    drawn.clear();
    lines.clear();
    for (const id of ["clusters", "edges", "nodes"]) byId(id).replaceChildren();
    const waiting = [[whole, 0, 0]];
    for (let i = 0; i < waiting.length; i++) {
      const [part, x, y] = waiting[i];
      if (part.node) drawNode(part.node, x, y);
      else if (part.closed) drawFolded(part, x, y);
      else {
        if (part.scope >= 0) drawCluster(part, x, y);
        for (const child of part.parts) waiting.push([child, x + child.x, y + child.y]);
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
    show();
  }

  function drawNode(node, x, y) {
    const group = shape("g", { class: `node ${node.kind}${node.findings.length ? " alarming" : ""}`, transform: `translate(${x},${y})`, "data-id": node.id, role: "button", tabindex: "-1" }, byId("nodes"));
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
    const group = shape("g", { class: `node folded${all.some((node) => node.findings.length) ? " alarming" : ""}`, transform: `translate(${x},${y})`, role: "button", tabindex: "-1", "data-scope": part.scope, "aria-label": `${label}, folded; unfold` }, byId("nodes"));
    const rect = shape("rect", { width: part.w, height: part.h, rx: 10 }, group);
    shape("text", { x: part.w / 2, y: 20, class: "title" }, group).textContent = `▸ ${label}`;
    shape("text", { x: part.w / 2, y: 36, class: "line" }, group).textContent = `${all.length} nodes`;
    const place = { key: part.key, group, rect, x, y, w: part.w, h: part.h, closed: part.scope };
    for (const node of all) drawn.set(node.id, place);
  }

  function drawCluster(part, x, y) {
    const group = shape("g", { class: "cluster", transform: `translate(${x},${y})` }, byId("clusters"));
    shape("rect", { width: part.w, height: part.h, rx: 10 }, group);
    const button = shape("g", { class: "fold", role: "button", tabindex: "0", "data-scope": part.scope, "aria-label": `Fold ${data.scopes[part.scope].label}` }, group);
    shape("text", { x: 12, y: 20 }, button).textContent = `▾ ${data.scopes[part.scope].label}`;
  }

  function drawEdge(edge, a, b) {
    const x1 = a.x + a.w / 2;
    const y1 = a.y + a.h;
    const beside = outOf.get(edge.source).length > 1 || into.get(edge.target).length > 1;
    const x2 = Math.min(Math.max(x1, b.x + 14), b.x + b.w - 14) * (beside ? 0.4 : 0) + (b.x + b.w / 2) * (beside ? 0.6 : 1);
    const y2 = b.y;
    const bend = Math.max(14, Math.min(60, Math.abs(y2 - y1) / 2));
    const path = shape("path", { class: "edge", d: `M${x1},${y1}C${x1},${y1 + bend} ${x2},${y2 - bend} ${x2},${y2}` }, byId("edges"));
    const tip = shape("title", {}, path);
    tip.textContent = [edge.operand, edge.keeps, edge.flow].filter(Boolean).join("\n");
    const made = { path };
    if (edge.operand) {
      made.label = shape("text", { class: "edge-label", x: (x1 + 3 * x2) / 4 + 4, y: (y1 + 3 * y2) / 4 }, byId("edges"));
      made.label.textContent = edge.operand;
    }
    lines.set(edge.id, made);
  }

  // ---- a step -------------------------------------------------------------------------------------

  function show() {
    const step = steps[current];
    const backward = step.phase === "backward";
    for (const node of data.nodes) {
      const place = drawn.get(node.id);
      if (!place) continue;
      const known = computedAt.has(node.id) ? computedAt.get(node.id) <= current : !["omitted"].includes(node.kind);
      const arrived = arrivedAt.has(node.id) && arrivedAt.get(node.id) <= current;
      const here = step.id === node.id;
      if (place.closed !== undefined) {
        if (here) place.here = current;
        place.group.classList.toggle("current", place.here === current);
        continue;
      }
      place.group.classList.toggle("later", !known);
      place.group.classList.toggle("current", here);
      if (here) place.group.setAttribute("aria-current", "step");
      else place.group.removeAttribute("aria-current");
      place.group.classList.toggle("shaded", arrived && Boolean(node.shade));
      place.group.classList.toggle("arrived", arrived);
      place.rect.style.fill = arrived && node.shade ? node.shade : "";
      place.group.setAttribute("tabindex", here ? "0" : "-1");
      place.group.setAttribute("aria-label", label(node, known, arrived));
    }
    for (const edge of data.edges) {
      const line = lines.get(edge.id);
      if (!line) continue;
      const used = (computedAt.get(edge.target) ?? Infinity) <= current;
      const flowed = arrivedAt.has(edge.target) && arrivedAt.get(edge.target) <= current && edge.product;
      line.path.classList.toggle("later", !used);
      line.label?.classList.toggle("later", !used);
      line.path.classList.toggle("current", edge.target === step.id);
      line.path.classList.toggle("backward", Boolean(flowed));
      line.path.classList.toggle("silent", current >= steps.length - 1 && data.backward.length > 0 && !edge.product);
    }
    byId("slider").value = current;
    const words = said(step);
    byId("slider").setAttribute("aria-valuetext", words);
    byId("count").textContent = `${current} of ${steps.length - 1}`;
    byId("said").textContent = words;
    byId("first").disabled = byId("back").disabled = current === 0;
    byId("last").disabled = byId("next").disabled = current === steps.length - 1;
    fillPanel(step);
    if (step.id) bringIntoView(drawn.get(step.id));
    else fit();
    document.body.dataset.step = current;
    document.body.dataset.phase = step.phase;
    document.body.dataset.node = step.id ?? "";
    if (backward) document.body.dataset.backward = "yes";
  }

  function label(node, known, arrived) {
    const parts = [node.title, ...node.lines];
    if (known && node.value?.whole && node.value.rows.flat().length === 1) parts.push(`value ${written(node.value.rows[0][0])}`);
    if (arrived && node.flow) parts.push(node.flow);
    return [...parts, ...node.findings].join(", ");
  }

  function said(step) {
    if (step.phase === "start") return "Start: nothing has been computed";
    const node = nodes.get(step.id);
    if (step.phase === "forward") return `Forward: ${node.title} is computed`;
    const count = contributions(node).length;
    const sum = count > 1 ? `, the sum of ${count} contributions` : "";
    return `Backward: a gradient arrives at ${node.title}${sum}`;
  }

  const contributions = (node) => outOf.get(node.id).filter((edge) => edge.product);

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
    add(element("h2", {}, node.title));
    for (const line of node.lines) add(element("p", { className: "muted" }, line));
    for (const line of node.findings) add(element("p", { className: "alarm" }, line));
    if (step.phase === "forward") forwardPanel(node, add);
    else backwardPanel(node, add);
  }

  function forwardPanel(node, add) {
    for (const edge of into.get(node.id)) {
      const source = nodes.get(edge.source);
      const what = edge.operand ? `${edge.operand}: ${source.title}` : source.title;
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
    add(element("h3", {}, parts.length ? "gradient" : "the pass starts here"));
    if (parts.length > 1) {
      parts.forEach((edge, i) => {
        if (i) add(element("div", { className: "sign" }, "+"));
        add(element("p", { className: "muted" }, `from ${nodes.get(edge.target).title}${edge.operand ? `, by its ${edge.operand}` : ""}`));
        add(marked(shown(edge.product, "a contribution"), "contribution", edge.id));
      });
      add(element("div", { className: "sign" }, "="));
    }
    add(marked(shown(node.gradient, "incoming gradient"), "gradient", node.id));
    for (const edge of into.get(node.id)) {
      const source = nodes.get(edge.source);
      if (!edge.product) {
        add(element("h3", {}, `to ${source.title}: nothing`), element("p", { className: "muted" }, "no gradient is required there"));
        continue;
      }
      add(element("h3", {}, `to ${edge.operand ? `${edge.operand}, ` : ""}${source.title}`));
      if (edge.local) {
        add(element("p", { className: "muted" }, edge.kind === "jacobian" ? `arriving · local derivative (a Jacobian of shape ${shapeOf(edge.local)})` : "arriving · local derivative, element by element"));
        add(element("div", { className: "sign" }, "·"), marked(shown(edge.local, "local derivative"), "local", edge.id));
      } else {
        add(element("p", { className: "muted" }, edge.keeps ? `the rule of ${node.title} computes it from the arriving gradient; it ${edge.keeps}` : `the rule of ${node.title} computes it from the arriving gradient alone`));
      }
      add(element("div", { className: "sign" }, "="));
      add(marked(shown(edge.product, "outgoing gradient"), "product", edge.id));
    }
    if (!into.get(node.id).length) add(element("p", { className: "muted" }, "A leaf: this is what .grad receives."));
  }

  function marked(made, role, id) {
    made.dataset.role = role;
    made.dataset.of = id;
    return made;
  }

  // ---- navigation -----------------------------------------------------------------------------------

  const view = { x: 0, y: 0, scale: 1 };
  function place() {
    byId("view").setAttribute("transform", `translate(${view.x},${view.y}) scale(${view.scale})`);
  }
  function fit() {
    const box = byId("graph").getBoundingClientRect();
    view.scale = Math.min(1.4, Math.max(0.02, Math.min((box.width - 30) / size.w, (box.height - 30) / size.h)));
    view.x = (box.width - size.w * view.scale) / 2;
    view.y = Math.max(15, (box.height - size.h * view.scale) / 2);
    place();
  }
  function bringIntoView(spot) {
    if (!spot) return;
    const box = byId("graph").getBoundingClientRect();
    if (view.scale < 0.55) {
      const middle = [spot.x + spot.w / 2, spot.y + spot.h / 2];
      view.scale = 0.8;
      view.x = box.width / 2 - middle[0] * view.scale;
      view.y = box.height / 2 - middle[1] * view.scale;
    }
    const left = view.x + spot.x * view.scale;
    const top = view.y + spot.y * view.scale;
    const right = left + spot.w * view.scale;
    const bottom = top + spot.h * view.scale;
    if (left < 20 || right > box.width - 20) view.x += box.width / 2 - (left + right) / 2;
    if (top < 40 || bottom > box.height - 40) view.y += box.height / 2 - (top + bottom) / 2;
    place();
  }

  function go(to) {
    current = Math.max(0, Math.min(steps.length - 1, to));
    show();
  }
  function play(on) {
    clearInterval(timer);
    timer = on ? setInterval(() => (current < steps.length - 1 ? go(current + 1) : play(false)), 900) : null;
    byId("play").textContent = on ? "Pause" : "Play";
    byId("play").setAttribute("aria-label", on ? "Pause" : "Play");
  }
  function toNode(id) {
    const backward = steps[current].phase === "backward";
    const spot = backward ? arrivedAt.get(id) ?? computedAt.get(id) : computedAt.get(id) ?? arrivedAt.get(id);
    if (spot !== undefined) go(spot);
  }
  function fold(scopes, on) {
    for (const i of scopes) on ? folded.add(i) : folded.delete(i);
    draw();
  }
  function search(text) {
    const wanted = text.trim().toLowerCase();
    const found = wanted ? data.nodes.filter((node) => [node.title, ...node.lines, ...node.findings].join("\n").toLowerCase().includes(wanted)) : [];
    const hits = new Set(found.map((node) => drawn.get(node.id)?.group));
    for (const spot of drawn.values()) spot.group.classList.toggle("found", hits.has(spot.group));
    if (found.length) bringIntoView(drawn.get(found[0].id));
    byId("said").textContent = wanted ? `${found.length} of ${data.nodes.length} nodes found` : "";
    document.body.dataset.found = found.length;
    return found;
  }

  byId("first").addEventListener("click", () => go(0));
  byId("back").addEventListener("click", () => go(current - 1));
  byId("next").addEventListener("click", () => go(current + 1));
  byId("last").addEventListener("click", () => go(steps.length - 1));
  byId("play").addEventListener("click", () => play(!timer));
  byId("slider").max = steps.length - 1;
  byId("slider").addEventListener("input", (event) => go(Number(event.target.value)));
  byId("fold").addEventListener("click", () => { fold(outermost.scopes, true); fit(); });
  byId("unfold").addEventListener("click", () => { fold([...folded], false); fit(); });
  byId("fit").addEventListener("click", fit);
  byId("search").addEventListener("input", (event) => search(event.target.value));
  byId("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      const [first] = search(event.target.value);
      if (first) toNode(first.id);
    }
    if (event.key === "Escape") {
      event.target.value = "";
      search("");
      event.target.blur();
    }
  });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const follow = () => (root.dataset.theme = dark.matches ? "dark" : "light");
  follow();
  dark.addEventListener("change", follow); // a frame learns its scheme after it has been loaded
  byId("theme").addEventListener("click", () => {
    dark.removeEventListener("change", follow);
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.id === "search") return;
    const scope = event.target.closest?.("[data-scope]");
    if (scope && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      const i = Number(scope.dataset.scope);
      fold([i], !folded.has(i));
      document.querySelector(`[data-scope="${i}"]`)?.focus();
      return;
    }
    if (event.target.id === "slider" && event.key.startsWith("Arrow")) return; // the slider handles arrow keys
    const action = { ArrowRight: () => go(current + 1), ArrowLeft: () => go(current - 1), Home: () => go(0), End: () => go(steps.length - 1), p: () => play(!timer), "/": () => byId("search").focus() }[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  });
  byId("graph").addEventListener("click", (event) => {
    const scope = event.target.closest("[data-scope]");
    const node = event.target.closest("[data-id]");
    if (scope) fold([Number(scope.dataset.scope)], !folded.has(Number(scope.dataset.scope)));
    else if (node) toNode(node.dataset.id);
  });
  let held = null;
  const graph = byId("graph");
  graph.addEventListener("pointerdown", (event) => (held = { x: event.clientX - view.x, y: event.clientY - view.y, moved: false }));
  graph.addEventListener("pointermove", (event) => {
    if (!held) return;
    if (!held.moved && Math.hypot(event.clientX - view.x - held.x, event.clientY - view.y - held.y) < 4) return;
    held.moved = true;
    graph.classList.add("dragging");
    view.x = event.clientX - held.x;
    view.y = event.clientY - held.y;
    place();
  });
  for (const end of ["pointerup", "pointerleave"]) graph.addEventListener(end, () => { held = null; graph.classList.remove("dragging"); });
  graph.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = graph.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const factor = Math.exp(-event.deltaY * 0.0015);
    const scale = Math.min(4, Math.max(0.02, view.scale * factor));
    view.x = x - ((x - view.x) * scale) / view.scale;
    view.y = y - ((y - view.y) * scale) / view.scale;
    view.scale = scale;
    place();
  }, { passive: false });

  byId("heading").textContent = data.heading.join("\n");
  for (const line of data.alarms) byId("heading").append("\n", element("b", {}, line));
  draw();
  document.body.dataset.ready = "yes";
})();
