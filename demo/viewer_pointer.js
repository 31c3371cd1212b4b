// Mouse, pen and touch on the stage.

const pointers = new Map();

function stagePoint(event) {
  const room = stage.getBoundingClientRect();
  return { x: event.clientX - room.left, y: event.clientY - room.top };
}

function onPointerDown(event) {
  const at = stagePoint(event);
  const pane = paneAt(at.x, at.y);
  if (!pane) return;
  stage.setPointerCapture(event.pointerId);
  const grey = event.button === 2 || event.shiftKey;
  pointers.set(event.pointerId, { ...at, start: at, grey, index: pane.index, moved: false });
  if (pointers.size > 1) state.draft = null;
  if (pane.index !== state.current) showView(pane.index);
  if (["box", "distance"].includes(state.markTool) && event.button === 0 && pointers.size === 1) setPlace(pane, at.x, at.y);
  refresh();
}

function onPointerMove(event) {
  const at = stagePoint(event);
  const last = pointers.get(event.pointerId);
  if (state.lens || state.markTool) state.cursor = at;
  if (state.draft && pointers.size < 2) moveDraft(at.x, at.y);
  if (last) drag(last, at);
  if (last) refresh();
  else if (state.lens || state.draft) redraw();
}

function drag(last, at) {
  const pane = panes().find(({ index }) => index === last.index);
  last.moved ||= Math.hypot(at.x - last.start.x, at.y - last.start.y) >= CLICK_PX;
  const [dx, dy] = [at.x - last.x, at.y - last.y];
  if (!pane) return;
  if (pointers.size === 2) pinch(pane, last, at);
  else if (last.grey) {
    const step = (1 << pane.view.film.bit_depth) / 700;
    setWindow(pane.view, pane.view.windowCentre + dy * step, pane.view.windowWidth + dx * step);
  } else if (!state.draft && (last.moved || !state.markTool)) panPane(pane, dx, dy);
  Object.assign(last, at);
}

function pinch(pane, moved, at) {
  const other = [...pointers.values()].find((one) => one !== moved);
  const before = Math.hypot(moved.x - other.x, moved.y - other.y);
  const after = Math.hypot(at.x - other.x, at.y - other.y);
  zoomPane(pane, after / Math.max(before, 1), (at.x + other.x) / 2, (at.y + other.y) / 2);
}

function onPointerUp(event) {
  const last = pointers.get(event.pointerId);
  pointers.delete(event.pointerId);
  const pane = panes().find(({ index }) => index === last?.index);
  if (!pane || event.type !== "pointerup" || last.grey) return;
  const at = stagePoint(event);
  if (state.markTool === "point" && !last.moved) setPlace(pane, at.x, at.y);
  else if (state.draft && last.moved) setPlace(pane, at.x, at.y);
  refresh();
}

function onWheel(event) {
  const at = stagePoint(event);
  const pane = paneAt(at.x, at.y);
  if (!pane) return;
  event.preventDefault();
  zoomPane(pane, Math.exp(-event.deltaY / 500), at.x, at.y);
  refresh();
}

function connectPointers() {
  stage.addEventListener("pointerdown", onPointerDown);
  stage.addEventListener("pointermove", onPointerMove);
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, onPointerUp);
  stage.addEventListener("pointerleave", () => { if (!state.cursor?.keyed) { state.cursor = null; redraw(); } });
  stage.addEventListener("wheel", onWheel, { passive: false });
  stage.addEventListener("contextmenu", (event) => event.preventDefault());
  stage.addEventListener("dblclick", () => { if (!state.markTool) perform("fit"); });
}
