// Pictures of figures as SVG. Every text goes in as textContent.

const WIDTH = 410;
const SERIES = ["unaided", "aided", "ai"];
const SVG = "http://www.w3.org/2000/svg";

function shape(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function picture(width, height, label, parts) {
  const drawn = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  drawn.append(...parts);
  return drawn;
}

function say(name, values = {}) {
  return Object.entries(values).reduce((text, [key, value]) => text.replaceAll("{" + key + "}", value), props.words[name] ?? name);
}

// Two decimals; a minus that is one.
const number = (value) => value.toFixed(2).replace("-", "−");
const range = ({ value, low, high }) => number(value) + (low === null ? "" : "  " + number(low) + " – " + number(high));

// A sign tells the series apart as well as its colour: ring, disc, diamond.
function sign(series, x, y, title) {
  const size = 5.5;
  const mark = series === "ai"
    ? shape("path", { d: `M${x} ${y - size - 1}L${x + size + 1} ${y}L${x} ${y + size + 1}L${x - size - 1} ${y}Z` })
    : shape("circle", { cx: x, cy: y, r: size });
  mark.setAttribute("class", "sign " + series);
  if (title) mark.append(shape("title", {}, title));
  return mark;
}

function roc(curves, points, words) {
  const [left, top, side] = [44, 10, 330];
  const at = ([x, y]) => [left + x * side, top + (1 - y) * side];
  const parts = [shape("rect", { x: left, y: top, width: side, height: side, class: "frame" })];
  for (const tick of [0, 0.25, 0.5, 0.75, 1]) {
    const [x, y] = at([tick, tick]);
    parts.push(shape("line", { x1: x, x2: x, y1: top, y2: top + side, class: "grid" }), shape("line", { x1: left, x2: left + side, y1: y, y2: y, class: "grid" }));
    parts.push(shape("text", { x, y: top + side + 17, class: "tick middle" }, String(tick)), shape("text", { x: left - 7, y: y + 4, class: "tick end" }, String(tick)));
  }
  parts.push(shape("line", { x1: left, y1: top + side, x2: left + side, y2: top, class: "chance" }));
  for (const series of SERIES) {
    if (curves[series]) parts.push(shape("polyline", { points: curves[series].map((point) => at(point).join()).join(" "), class: "curve " + series }));
  }
  for (const { series, name, point } of points) parts.push(sign(series, ...at(point), name + ": " + words[series]));
  parts.push(shape("text", { x: left + side / 2, y: top + side + 38, class: "axis middle" }, words.false_positives));
  parts.push(shape("text", { x: 0, y: 0, class: "axis middle", transform: `translate(12 ${top + side / 2}) rotate(-90)` }, words.sensitivity));
  return picture(left + side + 12, top + side + 46, words.roc, parts);
}

// Axes that figures lie on, from narrow to wide: what is drawn must never lie outside.
const SHARES = [[0, 0.25, 0.5, 0.75, 1]];
const CHANGES = [[-0.5, -0.25, 0, 0.25, 0.5], [-1, -0.5, 0, 0.5, 1], [-2, -1, 0, 1, 2]];
const KAPPAS = [[0, 0.25, 0.5, 0.75, 1], [-1, -0.5, 0, 0.5, 1]];

// Rows of values with their intervals on one axis: {label, marks: [{series, interval}]}.
function forest(rows, { axes = SHARES, label }) {
  const [left, right, line] = [120, 272, 17];
  const drawn = rows.filter(({ marks }) => marks.some(({ interval }) => interval && interval.value !== null));
  const values = drawn.flatMap(({ marks }) => marks.flatMap(({ interval }) => (interval ? [interval.value, interval.low, interval.high] : []))).filter((value) => value !== null);
  const ticks = axes.find((axis) => values.every((value) => value >= axis[0] && value <= axis.at(-1))) ?? axes.at(-1);
  const [from, to] = [ticks[0], ticks.at(-1)];
  const x = (value) => left + ((value - from) / (to - from)) * (right - left);
  const parts = [];
  let y = 8;
  for (const { label: name, marks } of drawn) {
    const seen = marks.filter(({ interval }) => interval && interval.value !== null);
    const height = seen.length * line + 9;
    parts.push(rowName(name, left - 12, y + (seen.length * line) / 2 + 4));
    seen.forEach(({ series, interval }, index) => {
      const middle = y + line / 2 + index * line;
      if (interval.low !== null) parts.push(shape("line", { x1: x(interval.low), x2: x(interval.high), y1: middle, y2: middle, class: "interval " + series }));
      parts.push(sign(series, x(interval.value), middle));
      parts.push(shape("text", { x: right + 14, y: middle + 4, class: "value" }, range(interval)));
    });
    y += height;
  }
  const grid = ticks.map((tick) => shape("line", { x1: x(tick), x2: x(tick), y1: 0, y2: y, class: from < 0 && tick === 0 ? "zero" : "grid" }));
  const names = ticks.map((tick) => shape("text", { x: x(tick), y: y + 15, class: "tick middle" }, String(tick).replace("-", "−")));
  return drawn.length ? picture(WIDTH, y + 20, label, [...grid, ...names, ...parts]) : null;
}

// A long name is cut at its end and said in full on pointing at it.
function rowName(name, x, y) {
  const letters = [...name];
  const text = shape("text", { x, y, class: "row end" }, letters.length > 16 ? letters.slice(0, 15).join("") + "…" : name);
  text.append(shape("title", {}, name));
  return text;
}

function bar(segments, label) {
  const total = segments.reduce((sum, { count }) => sum + count, 0);
  const parts = [];
  let x = 0;
  for (const { name, text, count } of segments) {
    const width = (count / total) * WIDTH;
    if (!count) continue;
    parts.push(shape("rect", { x, y: 0, width: Math.max(1, width - 2), height: 34, class: "segment " + name }));
    if (width > 18) parts.push(shape("text", { x: x + width / 2, y: 22, class: "count middle" }, String(count)));
    parts.at(-1).append(shape("title", {}, text + ": " + count));
    x += width;
  }
  return picture(WIDTH, 36, label, parts);
}

// {label, boxes: [{series, time: {median_s, lower_s, upper_s}}]} on one axis of seconds.
function boxes(rows, label) {
  const [left, right, line] = [120, 344, 18];
  const top = Math.max(1, ...rows.flatMap(({ boxes: each }) => each.map(({ time }) => time.upper_s)));
  const step = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600].find((size) => top / size <= 6) ?? top / 5;
  const end = Math.ceil(top / step) * step;
  const x = (value) => left + (value / end) * (right - left);
  const parts = [];
  let y = 6;
  for (const { label: name, boxes: each } of rows) {
    parts.push(rowName(name, left - 12, y + (each.length * line) / 2 + 4));
    for (const { series, time } of each) {
      parts.push(shape("rect", { x: x(time.lower_s), y: y + 3, width: Math.max(2, x(time.upper_s) - x(time.lower_s)), height: line - 6, rx: 2, class: "time " + series }));
      parts.push(shape("line", { x1: x(time.median_s), x2: x(time.median_s), y1: y + 1, y2: y + line - 1, class: "median" }));
      parts.push(shape("text", { x: right + 14, y: y + line / 2 + 4, class: "value" }, time.median_s.toFixed(1)));
      y += line;
    }
    y += 8;
  }
  const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, index) => index * step);
  const grid = ticks.map((tick) => shape("line", { x1: x(tick), x2: x(tick), y1: 0, y2: y, class: "grid" }));
  const names = ticks.map((tick) => shape("text", { x: x(tick), y: y + 15, class: "tick middle" }, String(tick)));
  return picture(WIDTH, y + 20, label, [...grid, ...names, ...parts]);
}
