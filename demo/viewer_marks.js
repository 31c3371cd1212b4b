// Where a reader says something is: points and boxes on a film, in fractions of its height and width.

const MARK_COLOUR = "#7dffb2";

function boxBetween(from, to) {
  return {
    top: Math.min(from.y, to.y),
    left: Math.min(from.x, to.x),
    height: Math.abs(to.y - from.y),
    width: Math.abs(to.x - from.x),
  };
}

function addMark(pane, from, to) {
  pane.view.marks.push(boxBetween(from, to));
  tellMarks(pane.index);
}

// Python hears it as an event of the viewer, another part of the page as one of the document.
function tellMarks(index) {
  const detail = { view: index, marks: state.views[index].marks.map((mark) => ({ ...mark })) };
  trigger("marks", detail);
  document.dispatchEvent(new CustomEvent("mura-marks", { detail }));
}

// Another part of the page keeps the marks of all films and may give them back, each with its view's index.
function takeMarks({ detail }) {
  if (!element.isConnected) return document.removeEventListener("mura-set-marks", takeMarks);
  for (const [index, view] of state.views.entries())
    view.marks = detail.marks.filter((mark) => mark.view === index).map(({ view: _, ...place }) => place);
  redraw();
}

function drawMarks(context, pane) {
  if (!state.marking) return;
  const { view } = pane;
  const matrix = matrixOf(view, pane);
  for (const [index, mark] of view.marks.entries()) {
    const isPoint = mark.width === 0 && mark.height === 0;
    const path = isPoint ? pointPath(toStage(view, pane, { x: mark.left, y: mark.top })) : boxPath(mark, view, matrix);
    strokeTwice(context, path, MARK_COLOUR, 2);
    const corners = [[0, 0], [1, 0], [0, 1], [1, 1]].map(([across, down]) =>
      toStage(view, pane, { x: mark.left + across * mark.width, y: mark.top + down * mark.height }));
    const [right, top] = [Math.max(...corners.map(({ x }) => x)), Math.min(...corners.map(({ y }) => y))];
    label(context, String(index + 1), right + (isPoint ? 10 : 4), top + (isPoint ? -6 : 12), MARK_COLOUR);
  }
  const { draft } = state;
  if (state.markTool !== "box" || draft?.index !== pane.index) return;
  context.setLineDash([5, 4]);
  strokeTwice(context, boxPath(boxBetween(draft.from, draft.to), view, matrix), MARK_COLOUR, 2);
  context.setLineDash([]);
}

function pointPath({ x, y }) {
  const path = new Path2D();
  path.arc(x, y, 8, 0, 2 * Math.PI);
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    path.moveTo(x + 4 * dx, y + 4 * dy);
    path.lineTo(x + 12 * dx, y + 12 * dy);
  }
  return path;
}
