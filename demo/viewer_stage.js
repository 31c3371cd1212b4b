// The stage: one film, what lies over it, and the transform between film and screen.

const stage = element.querySelector(".stage");
const screenCanvas = stage.querySelector("canvas.screen");
const FIRST_LOOK = { opacity: 0.6, heatmap: true, contour: true, roi: false };
const state = { views: [], current: 0, ...FIRST_LOOK };
const MAX_ZOOM = 12;

function currentView() {
  return state.views[state.current];
}

// Film pixels times `scale` plus offset are CSS pixels of the stage. zoom 1 shows the whole film.
function placement(view) {
  const room = stage.getBoundingClientRect();
  const fit = Math.min(room.width / view.film.width, room.height / view.film.height);
  const scale = fit * view.zoom;
  return {
    scale,
    left: room.width / 2 - view.centreX * view.film.width * scale,
    top: room.height / 2 - view.centreY * view.film.height * scale,
  };
}

function zoomAt(view, factor, x, y) {
  const before = placement(view);
  const filmX = (x - before.left) / before.scale;
  const filmY = (y - before.top) / before.scale;
  view.zoom = Math.min(MAX_ZOOM, Math.max(1, view.zoom * factor));
  const after = placement(view);
  panBy(view, x - (filmX * after.scale + after.left), y - (filmY * after.scale + after.top));
}

function panBy(view, dx, dy) {
  const { scale } = placement(view);
  const keep = (value) => Math.min(1, Math.max(0, value));
  view.centreX = view.zoom === 1 ? 0.5 : keep(view.centreX - dx / (view.film.width * scale));
  view.centreY = view.zoom === 1 ? 0.5 : keep(view.centreY - dy / (view.film.height * scale));
}

function fitFilm(view) {
  Object.assign(view, { zoom: 1, centreX: 0.5, centreY: 0.5 });
}

function setWindow(view, centre, width) {
  const top = (1 << view.film.bit_depth) - 1;
  view.windowWidth = Math.min(top + 1, Math.max(1, width));
  view.windowCentre = Math.min(top, Math.max(0, centre));
  view.stale = true;
}

function fullWindow(view) {
  const range = 1 << view.film.bit_depth;
  setWindow(view, range / 2, range);
}

function defaultWindow(view) {
  setWindow(view, view.film.centre, view.film.window_width);
}

function resetView(view) {
  view.inverted = false;
  defaultWindow(view);
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
  const view = currentView();
  if (!view || !view.values) return;
  if (view.stale) {
    drawFilm(view.canvas, view.values, windowTable(view.film.bit_depth, view.windowCentre, view.windowWidth, view.inverted));
    view.stale = false;
  }
  const context = screenCanvas.getContext("2d");
  const { scale, left, top } = placement(view);
  const [width, height] = [view.film.width * scale, view.film.height * scale];
  context.setTransform(dense, 0, 0, dense, 0, 0);
  context.imageSmoothingQuality = "high";
  context.drawImage(view.canvas, left, top, width, height);
  if (!view.heat) return;
  if (state.heatmap) {
    context.globalAlpha = state.opacity;
    context.drawImage(view.heat.canvas, left, top, width, height);
    context.globalAlpha = 1;
  }
  if (state.contour && state.heatmap) {
    context.save();
    context.translate(left, top);
    context.scale(width / view.heat.canvas.width, height / view.heat.canvas.height);
    strokeTwice(context, view.heat.contour, width / view.heat.canvas.width);
    context.restore();
  }
  if (state.roi) {
    const { roi } = view.result;
    const box = new Path2D();
    box.rect(left + roi.left * width, top + roi.top * height, roi.width * width, roi.height * height);
    context.setLineDash([7, 5]);
    strokeTwice(context, box, 1);
    context.setLineDash([]);
  }
}

// A light line on a dark one is seen on bone and on air alike.
function strokeTwice(context, path, scale) {
  for (const [colour, width] of [["rgba(0,0,0,0.75)", 3.5], ["#ffffff", 1.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = width / scale;
    context.stroke(path);
  }
}
