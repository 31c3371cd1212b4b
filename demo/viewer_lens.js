// The magnifier: the bare film around the pointer, larger, in the window in use.

const LENS_FACTOR = 2.5;
const LENS_RADIUS_PX = 130;
const HOLD_MS = 350;
let lensHeldSince = 0;

// A tap keeps it until the next tap; a longer press shows it while the key is down.
function pressLens() {
  lensHeldSince = state.lens ? 0 : performance.now();
  toggleLens();
}

function releaseLens() {
  if (!lensHeldSince || performance.now() - lensHeldSince < HOLD_MS) return;
  lensHeldSince = 0;
  if (state.lens) toggleLens();
}

function toggleLens() {
  state.lens = !state.lens;
  const pane = currentPane();
  if (state.lens) state.cursor ??= { x: pane.left + pane.width / 2, y: pane.top + pane.height / 2 };
}

function drawLens(context) {
  const pane = state.lens && state.cursor && paneAt(state.cursor.x, state.cursor.y);
  if (!pane) return;
  const { x, y } = state.cursor;
  const ring = new Path2D();
  ring.arc(x, y, LENS_RADIUS_PX, 0, 2 * Math.PI);
  context.save();
  context.clip(ring);
  context.fillStyle = "#000";
  context.fill(ring);
  const around = new DOMMatrix().translateSelf(x, y).scaleSelf(LENS_FACTOR).translateSelf(-x, -y);
  drawFilmLayer(context, pane, around.multiply(matrixOf(pane.view, pane)));
  context.restore();
  strokeTwice(context, ring);
}
