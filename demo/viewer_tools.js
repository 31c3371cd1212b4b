// The tools that put something on a film: a point, a box, a distance. A drag draws, so do two clicks, and so
// does the keyboard: arrows move a cross, space sets it.

const CLICK_PX = 5;

// The same tool again puts it away.
function chooseTool(name) {
  state.markTool = state.markTool === name ? "" : name;
  state.draft = null;
  state.cursor = null;
  if (state.markTool) stage.focus({ preventScroll: true });
}

function onFilm(view, pane, x, y) {
  const place = toFilm(view, pane, x, y);
  return { x: clamp(place.x), y: clamp(place.y) };
}

// Sets a point, or one end of a box or distance; the second end finishes it.
function setPlace(pane, x, y) {
  const place = onFilm(pane.view, pane, x, y);
  if (state.markTool === "point") addMark(pane, place, place);
  else if (!state.draft || state.draft.index !== pane.index) state.draft = { index: pane.index, from: place, to: place };
  else finishDraft(pane, place);
}

function moveDraft(x, y) {
  const pane = panes().find(({ index }) => index === state.draft?.index);
  if (pane) state.draft.to = onFilm(pane.view, pane, x, y);
}

function finishDraft(pane, place) {
  const { from } = state.draft;
  state.draft = null;
  const [start, end] = [toStage(pane.view, pane, from), toStage(pane.view, pane, place)];
  if (Math.hypot(end.x - start.x, end.y - start.y) < CLICK_PX) return;
  if (state.markTool === "box") addMark(pane, from, place);
  else {
    pane.view.distances.push({ from, to: place });
    announce(lengthText(pane.view.film, from, place));
  }
}

// What was drawn last on the current film goes: marks with a mark tool, distances otherwise.
function removeLast() {
  const view = currentView();
  if (state.draft) state.draft = null;
  else if (state.marking && state.markTool !== "distance" && view.marks.pop()) tellMarks(state.current);
  else view.distances.pop();
}

function stopTool() {
  if (state.draft) state.draft = null;
  else Object.assign(state, { markTool: "", lens: false, cursor: null });
}

function moveCursor(dx, dy) {
  const pane = currentPane();
  const at = state.cursor ?? { x: pane.left + pane.width / 2, y: pane.top + pane.height / 2 };
  state.cursor = {
    x: clamp(at.x + dx, pane.left, pane.left + pane.width - 1),
    y: clamp(at.y + dy, pane.top, pane.top + pane.height - 1),
    keyed: true,
  };
  moveDraft(state.cursor.x, state.cursor.y);
}

function drawCursor(context) {
  if (!state.cursor?.keyed || !(state.markTool || state.lens)) return;
  const { x, y } = state.cursor;
  const path = new Path2D();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    path.moveTo(x + 4 * dx, y + 4 * dy);
    path.lineTo(x + 16 * dx, y + 16 * dy);
  }
  strokeTwice(context, path, "#9ecbff");
}
