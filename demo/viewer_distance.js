// Distances on a film: in mm where its spacing is known, otherwise in pixels of the file.

const DISTANCE_COLOUR = "#ffd84d";

// The copy on the screen may be smaller than the file: lengths are those of the file's own pixels.
function lengthText(film, from, to) {
  const across = (to.x - from.x) * film.full_width;
  const down = (to.y - from.y) * film.full_height;
  if (!film.spacing_mm) return Math.hypot(across, down).toFixed(0) + " px";
  const [row, column] = film.spacing_mm;
  return Math.hypot(across * column, down * row).toFixed(1) + " mm";
}

function drawDistances(context, pane) {
  const drafted = state.markTool === "distance" && state.draft?.index === pane.index ? [state.draft] : [];
  for (const { from, to } of [...pane.view.distances, ...drafted]) {
    const [start, end] = [toStage(pane.view, pane, from), toStage(pane.view, pane, to)];
    strokeTwice(context, rulerPath(start, end), DISTANCE_COLOUR);
    const right = start.x > end.x ? start : end;
    label(context, lengthText(pane.view.film, from, to), right.x + 8, right.y + 4, DISTANCE_COLOUR);
  }
}

// A line with a short stroke across either end.
function rulerPath(start, end) {
  const path = new Path2D();
  const length = Math.max(1e-6, Math.hypot(end.x - start.x, end.y - start.y));
  const [across, down] = [(5 * (end.y - start.y)) / length, (-5 * (end.x - start.x)) / length];
  path.moveTo(start.x, start.y);
  path.lineTo(end.x, end.y);
  for (const { x, y } of [start, end]) {
    path.moveTo(x - across, y - down);
    path.lineTo(x + across, y + down);
  }
  return path;
}

function showDistances(view) {
  const lines = (view?.distances ?? []).map(({ from, to }) => make("li", "", lengthText(view.film, from, to)));
  find(".distances").replaceChildren(...lines);
  const known = view?.film.spacing_mm;
  const caveat = view?.film.spacing_at_detector ? "distance_at_detector" : "distance_stated";
  put(".distance-note", view ? props.words[known ? caveat : "distance_in_px"] : "");
}
