// Keys, pointers, sliders and buttons.

const actions = {
  preset_default: () => defaultWindow(currentView()),
  preset_full: () => fullWindow(currentView()),
  invert: () => Object.assign(currentView(), { inverted: !currentView().inverted, stale: true }),
  heatmap: () => { state.heatmap = !state.heatmap; },
  contour: () => { state.contour = !state.contour; },
  roi: () => { state.roi = !state.roi; },
  zoom_in: () => zoomMiddle(1.5),
  zoom_out: () => zoomMiddle(1 / 1.5),
  weaker: () => { state.opacity = Math.max(0, Math.round(state.opacity * 20 - 1) / 20); },
  stronger: () => { state.opacity = Math.min(1, Math.round(state.opacity * 20 + 1) / 20); },
  reset: () => { resetView(currentView()); Object.assign(state, FIRST_LOOK); },
};
const keys = { "[": "weaker", "]": "stronger", h: "heatmap", c: "contour", b: "roi", i: "invert", r: "reset" };

function zoomMiddle(factor) {
  const room = stage.getBoundingClientRect();
  zoomAt(currentView(), factor, room.width / 2, room.height / 2);
}

function perform(name) {
  if (name === "help") return toggleHelp();
  if (name === "full_screen") return toggleFullScreen();
  if (!actions[name] || !currentView()) return;
  actions[name]();
  refresh();
}

function toggleHelp() {
  const dialog = element.querySelector("dialog.keys");
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else element.querySelector(".viewer").requestFullscreen();
}

function onKey(event) {
  // The page may have drawn this component anew; its old listeners must not answer as well.
  if (!element.isConnected) return document.removeEventListener("keydown", onKey);
  const typing = event.target.closest("textarea, select, [contenteditable], input:not([type=range]):not([type=file])");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key >= "1" && key <= "9" && key.length === 1) {
    if (!state.views[Number(key) - 1]) return;
    showView(Number(key) - 1);
  } else if (key === "?" || key === "f") perform(key === "?" ? "help" : "full_screen");
  else if (keys[key]) perform(keys[key]);
  else return;
  event.preventDefault();
}

const pointers = new Map();

function onPointerDown(event) {
  if (!currentView()) return;
  stage.setPointerCapture(event.pointerId);
  const grey = event.button === 2 || event.shiftKey;
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, grey });
}

function onPointerMove(event) {
  const last = pointers.get(event.pointerId);
  const view = currentView();
  if (!last || !view) return;
  const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
  if (pointers.size === 2) pinch(view, event);
  else if (last.grey) {
    const step = (1 << view.film.bit_depth) / 700;
    setWindow(view, view.windowCentre + dy * step, view.windowWidth + dx * step);
  } else panBy(view, dx, dy);
  Object.assign(last, { x: event.clientX, y: event.clientY });
  refresh();
}

function pinch(view, event) {
  const [moved, other] = [pointers.get(event.pointerId), [...pointers].find(([id]) => id !== event.pointerId)[1]];
  const before = Math.hypot(moved.x - other.x, moved.y - other.y);
  const after = Math.hypot(event.clientX - other.x, event.clientY - other.y);
  const room = stage.getBoundingClientRect();
  zoomAt(view, after / Math.max(before, 1), (event.clientX + other.x) / 2 - room.left, (event.clientY + other.y) / 2 - room.top);
}

function onWheel(event) {
  if (!currentView()) return;
  event.preventDefault();
  const room = stage.getBoundingClientRect();
  zoomAt(currentView(), Math.exp(-event.deltaY / 500), event.clientX - room.left, event.clientY - room.top);
  refresh();
}

function connectInput() {
  document.addEventListener("keydown", onKey);
  stage.addEventListener("pointerdown", onPointerDown);
  stage.addEventListener("pointermove", onPointerMove);
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, (event) => pointers.delete(event.pointerId));
  stage.addEventListener("wheel", onWheel, { passive: false });
  stage.addEventListener("contextmenu", (event) => event.preventDefault());
  stage.addEventListener("dblclick", () => { if (currentView()) { fitFilm(currentView()); refresh(); } });
  element.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-do]");
    if (button) perform(button.dataset.do);
  });
  const slide = (name, change) => element.querySelector("input." + name).addEventListener("input", (event) => {
    if (currentView()) change(Number(event.target.value));
    refresh();
  });
  slide("opacity", (value) => { state.opacity = value / 100; });
  slide("window", (value) => setWindow(currentView(), currentView().windowCentre, value));
  slide("level", (value) => setWindow(currentView(), value, currentView().windowWidth));
  new ResizeObserver(redraw).observe(stage);
}
