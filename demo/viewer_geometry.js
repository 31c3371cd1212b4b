// Where a film lies in its pane: zoom, pan, quarter turns and mirroring as one matrix from film pixels to the
// stage's CSS pixels. Whatever lies on the film (map, box, marks, distances) goes through it and so follows.

const MAX_ZOOM = 12;

function matrixOf(view, pane) {
  const scale = fitScale(view, pane) * view.zoom;
  return new DOMMatrix()
    .translateSelf(pane.left + pane.width / 2, pane.top + pane.height / 2)
    .rotateSelf(90 * view.turn)
    .scaleSelf(view.mirrored ? -scale : scale, scale)
    .translateSelf(-view.centreX * view.film.width, -view.centreY * view.film.height);
}

// Stage pixels of a film pixel where the whole film just fits.
function fitScale(view, pane) {
  const { width, height } = view.film;
  const [across, down] = view.turn % 2 ? [height, width] : [width, height];
  return Math.min(pane.width / across, pane.height / down);
}

// Places on a film are fractions of its width and height, so that they mean the same at any size.
function toFilm(view, pane, x, y) {
  const point = matrixOf(view, pane).invertSelf().transformPoint({ x, y });
  return { x: point.x / view.film.width, y: point.y / view.film.height };
}

function toStage(view, pane, place) {
  return matrixOf(view, pane).transformPoint({ x: place.x * view.film.width, y: place.y * view.film.height });
}

function clamp(value, low = 0, high = 1) {
  return Math.min(high, Math.max(low, value));
}

function zoomAt(view, pane, factor, x, y) {
  const place = toFilm(view, pane, x, y);
  view.zoom = clamp(view.zoom * factor, 1, MAX_ZOOM);
  const moved = toStage(view, pane, place);
  panBy(view, pane, x - moved.x, y - moved.y);
}

function panBy(view, pane, dx, dy) {
  if (view.zoom === 1) return fitFilm(view);
  const [from, to] = [toFilm(view, pane, 0, 0), toFilm(view, pane, dx, dy)];
  view.centreX = clamp(view.centreX - (to.x - from.x));
  view.centreY = clamp(view.centreY - (to.y - from.y));
}

function fitFilm(view) {
  Object.assign(view, { zoom: 1, centreX: 0.5, centreY: 0.5 });
}

// The film is mirrored first and turned second; a mirror of the screen therefore turns the other way round.
function turnBy(view, quarters) {
  view.turn = (view.turn + quarters + 4) % 4;
}

function mirror(view, axis) {
  view.mirrored = !view.mirrored;
  view.turn = ((axis === "across" ? 4 : 6) - view.turn) % 4;
}

function orientationKey(view) {
  return (view.mirrored ? "mirrored_" : "turned_") + view.turn;
}

// With zoom and pan linked, a gesture on one film happens at the same place of every other film's pane.
function gesture(pane, change) {
  const views = state.linked ? state.views : [pane.view];
  for (const view of views) {
    const own = panes().find((one) => one.view === view) ?? pane;
    change(view, own, own.width / pane.width, own.height / pane.height);
  }
}

function zoomPane(pane, factor, x, y) {
  gesture(pane, (view, own, across, down) =>
    zoomAt(view, own, factor, own.left + (x - pane.left) * across, own.top + (y - pane.top) * down));
}

function panPane(pane, dx, dy) {
  gesture(pane, (view, own, across, down) => panBy(view, own, dx * across, dy * down));
}
