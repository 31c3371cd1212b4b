// What the viewer knows, and the drawing of the stage: films, maps and what a reader put on them.

const stage = element.querySelector(".stage");
const screenCanvas = stage.querySelector("canvas.screen");
const FIRST_LOOK = { opacity: 0.6, heatmap: true, contour: true, roi: false };
const state = {
  views: [], current: 0, pair: [0, 1], layout: "one", linked: false,
  markTool: "", draft: null, cursor: null, lens: false, marking: false, blind: false,
  ...FIRST_LOOK,
};

function setWindow(view, centre, width) {
  const top = (1 << view.film.bit_depth) - 1;
  view.windowWidth = clamp(width, 1, top + 1);
  view.windowCentre = clamp(centre, 0, top);
  view.stale = true;
}

function resetView(view) {
  Object.assign(view, { inverted: false, turn: 0, mirrored: false });
  usePreset(view, "stored");
  fitFilm(view);
}

let frame = 0;
function redraw() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    drawStage();
  });
}

function drawStage() {
  const room = stage.getBoundingClientRect();
  const dense = window.devicePixelRatio || 1;
  screenCanvas.width = Math.round(room.width * dense);
  screenCanvas.height = Math.round(room.height * dense);
  const context = screenCanvas.getContext("2d");
  for (const pane of panes().filter(({ view }) => view.values)) {
    context.save();
    context.setTransform(dense, 0, 0, dense, 0, 0);
    context.beginPath();
    context.rect(pane.left, pane.top, pane.width, pane.height);
    context.clip();
    drawFilmLayer(context, pane, matrixOf(pane.view, pane));
    if (pane.view.heat && !state.blind) drawModelLayer(context, pane.view, matrixOf(pane.view, pane));
    drawMarks(context, pane);
    drawDistances(context, pane);
    context.restore();
  }
  context.setTransform(dense, 0, 0, dense, 0, 0);
  drawLens(context);
  drawCursor(context);
}

function drawFilmLayer(context, { view }, matrix) {
  if (view.stale) {
    drawFilm(view.canvas, view.values, windowTable(view.film.bit_depth, view.windowCentre, view.windowWidth, view.inverted));
    view.stale = false;
  }
  context.imageSmoothingQuality = "high";
  drawThrough(context, matrix, () => context.drawImage(view.canvas, 0, 0, view.film.width, view.film.height));
}

function drawModelLayer(context, view, matrix) {
  const { width, height } = view.film;
  const { canvas, contour } = view.heat;
  if (state.heatmap) {
    context.globalAlpha = state.opacity;
    drawThrough(context, matrix, () => context.drawImage(canvas, 0, 0, width, height));
    context.globalAlpha = 1;
  }
  if (state.contour && state.heatmap) {
    const placed = new Path2D();
    placed.addPath(contour, matrix.scale(width / canvas.width, height / canvas.height));
    strokeTwice(context, placed);
  }
  if (!state.roi) return;
  context.setLineDash([7, 5]);
  strokeTwice(context, boxPath(view.result.roi, view, matrix));
  context.setLineDash([]);
}

function drawThrough(context, matrix, draw) {
  context.save();
  context.transform(matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f);
  draw();
  context.restore();
}

// A box in fractions of the film, as a path on the stage: its lines stay as thin at any zoom.
function boxPath(box, view, matrix) {
  const { width, height } = view.film;
  const [path, placed] = [new Path2D(), new Path2D()];
  path.rect(box.left * width, box.top * height, box.width * width, box.height * height);
  placed.addPath(path, matrix);
  return placed;
}

// A light line on a dark one is seen on bone and on air alike.
function strokeTwice(context, path, colour = "#ffffff", width = 1.5) {
  for (const [style, lineWidth] of [["rgba(0,0,0,0.75)", width + 2], [colour, width]]) {
    context.strokeStyle = style;
    context.lineWidth = lineWidth;
    context.stroke(path);
  }
}

function label(context, text, x, y, colour = "#ffffff") {
  context.font = "600 13px system-ui, sans-serif";
  context.lineWidth = 4;
  context.lineJoin = "round";
  context.strokeStyle = "rgba(0,0,0,0.85)";
  context.fillStyle = colour;
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}
