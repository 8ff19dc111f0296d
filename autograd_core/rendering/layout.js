  // ---- layout: rows by the longest path; a cluster is laid out first, then placed as one box -----
  // An edge that passes a row has a point of its own there: a lane, shared by the edges of a source.
  // An edge that passes many rows takes a lane on the left of all boxes instead.

  const inner = data.scopes.map(() => []); // scopes inside a scope
  const members = data.scopes.map(() => []);
  const outermost = { scopes: [], nodes: [] };
  data.scopes.forEach((scope, i) => (scope.outer < 0 ? outermost.scopes : inner[scope.outer]).push(i));
  data.nodes.forEach((node) => (node.scope < 0 ? outermost.nodes : members[node.scope]).push(node));
  const order = new Map(data.nodes.map((node, i) => [node.id, i]));
  const coarse = matchMedia("(pointer: coarse), (max-width: 760px)").matches;
  const GAP = 34;
  const SIDE = 26;
  const LANE = 8;
  const CLOSE = 4; // between lanes around the boxes
  const BAR = coarse ? 44 : 34; // the top of a cluster, a touch target
  const LONGEST = 64; // rows that an edge passes between boxes; a longer one goes around them
  const least = (numbers) => numbers.reduce((a, b) => Math.min(a, b), Infinity);
  const most = (numbers) => numbers.reduce((a, b) => Math.max(a, b), -Infinity);

  function chainOf(node) {
    const chain = [];
    for (let i = node.scope; i >= 0; i = data.scopes[i].outer) chain.push(i);
    return chain.reverse();
  }
  const chains = new Map(data.nodes.map((node) => [node.id, chainOf(node)]));
  const depths = data.scopes.map(() => 0);
  data.scopes.forEach((scope, i) => (depths[i] = scope.outer < 0 ? 1 : depths[scope.outer] + 1));

  // of each scope (-1: the whole graph) the edges inside it, and those that enter and leave it
  const crossing = new Map();
  const crossingOf = (scope) => crossing.get(scope) ?? { inside: [], enter: [], leave: [] };
  for (const edge of data.edges) {
    const note = (scope, how) => {
      if (!crossing.has(scope)) crossing.set(scope, { inside: [], enter: [], leave: [] });
      crossing.get(scope)[how].push(edge);
    };
    const a = chains.get(edge.source);
    const b = chains.get(edge.target);
    let same = 0;
    while (same < a.length && a[same] === b[same]) same++;
    note(same ? a[same - 1] : -1, "inside");
    edge.scopes = [...a.slice(same).reverse(), same ? a[same - 1] : -1, ...b.slice(same)];
    edge.leaves = a.length - same; // the first of `scopes`, which the edge leaves
    a.slice(same).forEach((scope) => note(scope, "leave"));
    b.slice(same).forEach((scope) => note(scope, "enter"));
  }

  // inputs that stand beside their operation: the first on its left, the second on its right
  const homes = new Map(data.nodes.flatMap((node) => node.beside.map((id) => [id, node.id])));
  const keyIn = (scope, id) => {
    id = homes.get(id) ?? id;
    const depth = scope < 0 ? 0 : depths[scope];
    const chain = chains.get(id);
    return chain.length > depth ? `s${chain[depth]}` : id;
  };

  // an operation in the middle of its row, with the inputs that stand beside it
  function rowOf(node) {
    const [left, right] = node.beside.map((id) => nodes.get(id));
    const space = 24 + most([0, ...into.get(node.id).map((edge) => textWidth(edge.operand, `10px ${FONT}`))]);
    const wing = left ? Math.max(left.w, right?.w ?? 0) + space : 0;
    const row = [[node, wing]];
    if (left) row.push([left, wing - space - left.w]);
    if (right) row.push([right, wing + node.w + space]);
    const h = most(row.map(([one]) => one.h));
    const w = node.w + 2 * wing;
    return { key: node.id, row, w, h, place: order.get(node.id) };
  }

  function layOut(scope) {
    const parts = new Map();
    for (const node of scope < 0 ? outermost.nodes : members[scope]) {
      if (!homes.has(node.id)) parts.set(node.id, rowOf(node));
    }
    for (const i of scope < 0 ? outermost.scopes : inner[scope]) {
      const part = folded.has(i) ? foldedBox(i) : layOut(i);
      if (part) parts.set(part.key, part);
    }
    const boxes = [...parts.values()];
    const port = (key, end, place) => {
      if (!parts.has(key)) parts.set(key, { key, port: end, w: LANE, h: 0, place });
      return key;
    };
    const { inside, enter, leave } = crossingOf(scope);
    const links = new Map();
    const link = (id, from, to) => {
      const [a, b] = [parts.get(from), parts.get(to)];
      if (a && b && a !== b) links.set(`${id} ${from} ${to}`, { id, a, b });
    };
    for (const { source, target } of inside) link(source, keyIn(scope, source), keyIn(scope, target));
    for (const { source, target } of enter) link(source, port(`in ${source}`, "in", order.get(source)), keyIn(scope, target));
    for (const { source } of leave) link(source, keyIn(scope, source), port(`out ${source}`, "out", order.get(source)));
    const { width, height, lanes, around } = arrange([...parts.values()], [...links.values()]);
    const label = scope < 0 ? "" : data.scopes[scope].label;
    const top = scope < 0 ? 0 : BAR;
    const pad = scope < 0 ? 0 : 12;
    const labelWidth = scope < 0 ? 0 : textWidth(label, `600 12px ${FONT}`) + 60;
    const w = Math.max(width + 2 * pad, labelWidth);
    const shift = pad + (w - 2 * pad - width) / 2;
    for (const part of [...parts.values(), ...[...lanes.values()].flat(), ...around.values()]) {
      part.x += shift;
      for (const side of ["y", "top", "bottom"]) part[side] += top;
    }
    return { key: `s${scope}`, scope, w, h: height + top + pad, parts, boxes, lanes, around, place: least(boxes.map((part) => part.place)) };
  }

  // the vertical runs [x, y1, y2] of an edge, from box a to box b: it leaves clusters, passes rows
  // and enters clusters
  function routeOf(edge, a, b) {
    const twins = into.get(edge.target).filter((other) => other.source === edge.source);
    const apart = 14 * (twins.indexOf(edge) - (twins.length - 1) / 2); // both operands of n * n
    const runs = [[a.x + a.w / 2 + apart, a.y + a.h, a.y + a.h]];
    let start = b.y;
    edge.scopes.forEach((scope, i) => {
      const at = origins.get(scope);
      if (!at) return; // folded
      const { parts, lanes, around, h } = at.part;
      const run = (part, y1, y2) => runs.push([at.x + part.x + LANE / 2, y1, y2]);
      const from = parts.get(i <= edge.leaves ? keyIn(scope, edge.source) : `in ${edge.source}`);
      const to = parts.get(i < edge.leaves ? `out ${edge.source}` : keyIn(scope, edge.target));
      if (from.port) run(from, start, at.y + from.bottom);
      else runs.at(-1)[2] = at.y + from.bottom;
      const between = (lanes.get(edge.source) ?? []).slice(0, Math.max(0, to.rank - from.rank - 1));
      const way = to.rank - from.rank > LONGEST ? [around.get(`${edge.source} ${to.key}`)] : between;
      for (const part of way) run(part, at.y + part.top, at.y + part.bottom);
      if (to.port) run(to, at.y + to.top, at.y + h);
      else start = at.y + to.top;
    });
    const beside = outOf.get(edge.source).length > 1 || into.get(edge.target).length > 1;
    const near = Math.min(Math.max(runs.at(-1)[0], b.x + 14), b.x + b.w - 14);
    const middle = b.x + b.w / 2;
    return [...runs, [(beside ? 0.4 * near + 0.6 * middle : middle) + apart, start, b.y]];
  }

  function foldedBox(i) {
    const all = nodesIn(i);
    if (!all.length) return null;
    const label = data.scopes[i].label;
    return { key: `s${i}`, scope: i, closed: true, w: textWidth(label, `600 13px ${FONT}`) + 70, h: 48, place: least(all.map((node) => order.get(node.id))) };
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

  function rank(parts, up, down) {
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
      if (!up.get(part).length && down.get(part).length) part.rank = least(down.get(part).map((next) => next.rank)) - 1;
    }
    const ranks = parts.filter((part) => !part.port).map((part) => part.rank);
    const ends = { in: least(ranks) - 1, out: most(ranks) + 1 };
    for (const part of parts) if (part.port) part.rank = ends[part.port];
    const lowest = least(parts.map((part) => part.rank));
    for (const part of parts) part.rank -= lowest;
  }

  function arrange(parts, links) {
    const neighbours = (pairs) => {
      const [up, down] = [new Map(), new Map()];
      for (const [a, b] of pairs) {
        down.has(a) ? down.get(a).push(b) : down.set(a, [b]);
        up.has(b) ? up.get(b).push(a) : up.set(b, [a]);
      }
      const orNone = (sides) => ({ get: (part) => sides.get(part) ?? [] });
      return [orNone(up), orNone(down)];
    };
    rank(parts, ...neighbours(links.map(({ a, b }) => [a, b])));
    const lanes = new Map(); // by source
    const pairs = [];
    const longer = [];
    for (const { id, a, b } of links.sort((one, other) => one.b.rank - other.b.rank)) {
      let last = a;
      if (b.rank - a.rank <= LONGEST) {
        if (!lanes.has(id)) lanes.set(id, []);
        const lane = lanes.get(id);
        while (lane.length < b.rank - a.rank - 1) {
          lane.push({ rank: a.rank + 1 + lane.length, w: LANE, h: 0, place: a.place });
          pairs.push([lane.at(-2) ?? a, lane.at(-1)]);
        }
        last = lane[b.rank - a.rank - 2] ?? a;
      } else longer.push({ id, a, b });
      pairs.push([last, b]);
    }
    const [up, down] = neighbours(pairs);
    const all = [...parts, ...[...lanes.values()].flat()].sort((a, b) => a.place - b.place);
    const rows = Array.from({ length: most(all.map((part) => part.rank)) + 1 }, () => []);
    for (const part of all) rows[part.rank].push(part);
    const middle = (part) => part.x + part.w / 2;
    const space = (a, b) => (a.h && b.h ? SIDE : SIDE / 2);
    const pull = (row, sides) => {
      const wanted = new Map();
      for (const part of row) {
        const near = sides.get(part);
        wanted.set(part, near.length ? near.reduce((sum, other) => sum + middle(other), 0) / near.length : middle(part));
      }
      row.sort((a, b) => wanted.get(a) - wanted.get(b) || a.place - b.place);
      // as close to the preferred position as the other boxes in the row allow
      const fromLeft = [];
      row.forEach((part, i) => {
        const free = i ? fromLeft[i - 1] + row[i - 1].w + space(row[i - 1], part) : -Infinity;
        fromLeft.push(Math.max(wanted.get(part) - part.w / 2, free));
      });
      let left = Infinity;
      for (let i = row.length - 1; i >= 0; i--) {
        const x = Math.min(wanted.get(row[i]) - row[i].w / 2, left - row[i].w);
        left = i ? x - space(row[i - 1], row[i]) : x;
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
    let bottom = 0;
    for (const row of rows) {
      const tall = most(row.map((part) => part.h));
      for (const part of row) {
        part.top = y;
        part.bottom = bottom = y + Math.max(0, tall);
        part.y = y + (tall - part.h) / 2;
      }
      y = bottom + (tall > 0 ? GAP : 12);
    }
    const start = least(all.map((part) => part.x));
    const { around, wide } = goAround(longer, rows);
    for (const part of all) part.x += wide - start;
    return { width: Math.max(0, most(all.map((part) => part.x + part.w))), height: bottom, lanes, around };
  }

  // the lanes on the left of all boxes; edges that follow each other may use the same
  function goAround(longer, rows) {
    const around = new Map();
    const ends = []; // of each lane the row up to which it is used
    for (const { id, a, b } of longer.sort((one, other) => one.a.rank - other.a.rank)) {
      let free = ends.findIndex((end) => end <= a.rank);
      if (free < 0) free = ends.length;
      ends[free] = b.rank;
      const [first, last] = [rows[a.rank + 1][0], rows[b.rank - 1][0]];
      around.set(`${id} ${b.key}`, { x: free * CLOSE, w: LANE, y: first.top, top: first.top, bottom: last.bottom });
    }
    return { around, wide: ends.length ? ends.length * CLOSE + SIDE : 0 };
  }
