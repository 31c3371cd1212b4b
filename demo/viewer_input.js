// Keys, sliders and buttons: each names an action, and perform() does it.

const touched = () => (state.linked ? state.views : [currentView()]);
const middle = (pane) => [pane.left + pane.width / 2, pane.top + pane.height / 2];

const actions = {
  preset_next: () => nextPreset(currentView()),
  preset_stored: () => usePreset(currentView(), "stored"),
  preset_bone: () => usePreset(currentView(), "bone"),
  preset_soft: () => usePreset(currentView(), "soft"),
  preset_full: () => usePreset(currentView(), "full"),
  invert: () => Object.assign(currentView(), { inverted: !currentView().inverted, stale: true }),
  heatmap: () => { state.heatmap = !state.heatmap; },
  contour: () => { state.contour = !state.contour; },
  roi: () => { state.roi = !state.roi; },
  weaker: () => { state.opacity = clamp(Math.round(state.opacity * 20 - 1) / 20); },
  stronger: () => { state.opacity = clamp(Math.round(state.opacity * 20 + 1) / 20); },
  layout_side: () => chooseLayout("side"),
  layout_stack: () => chooseLayout("stack"),
  layout_grid: () => chooseLayout("grid"),
  layout_one: () => { state.layout = "one"; },
  link: () => { state.linked = !state.linked; },
  zoom_in: () => zoomPane(currentPane(), 1.5, ...middle(currentPane())),
  zoom_out: () => zoomPane(currentPane(), 1 / 1.5, ...middle(currentPane())),
  fit: () => touched().forEach(fitFilm),
  turn_left: () => reorient((view) => turnBy(view, -1)),
  turn_right: () => reorient((view) => turnBy(view, 1)),
  mirror_across: () => reorient((view) => mirror(view, "across")),
  mirror_down: () => reorient((view) => mirror(view, "down")),
  lens: toggleLens,
  distance: () => chooseTool("distance"),
  point: () => chooseTool("point"),
  box: () => chooseTool("box"),
  remove_last: removeLast,
  stop: stopTool,
  reset: () => { touched().forEach(resetView); Object.assign(state, FIRST_LOOK); },
};
const keys = {
  "[": "weaker", "]": "stronger", h: "heatmap", c: "contour", b: "roi",
  w: "preset_next", i: "invert", r: "reset",
  s: "layout_side", t: "layout_stack", g: "layout_grid", k: "link",
  "+": "zoom_in", "=": "zoom_in", "-": "zoom_out", "0": "fit",
  q: "turn_left", e: "turn_right", y: "mirror_across", j: "mirror_down",
  m: "lens", d: "distance", p: "point", x: "box",
  backspace: "remove_last", delete: "remove_last", escape: "stop",
  f: "full_screen", v: "compare", l: "stability", "?": "help",
};
const arrows = { arrowleft: [-1, 0], arrowright: [1, 0], arrowup: [0, -1], arrowdown: [0, 1] };
// What says something of the model, or waits for a reader who may mark.
const MODEL_ACTIONS = ["weaker", "stronger", "heatmap", "contour", "roi", "compare", "stability"];
const MARK_ACTIONS = ["point", "box"];

function perform(name) {
  if (state.blind && MODEL_ACTIONS.includes(name)) return;
  if (!state.marking && MARK_ACTIONS.includes(name)) return;
  if (name === "help") return toggleHelp();
  if (name === "full_screen") return toggleFullScreen();
  if (!currentView()) return;
  if (questions[name]) return ask(name);
  actions[name]();
  refresh();
}

function reorient(change) {
  change(currentView());
  announce(props.words[orientationKey(currentView())]);
}

function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else element.querySelector(".viewer").requestFullscreen();
}

function onKey(event) {
  // The page may have drawn this component anew; its old listeners must not answer as well.
  if (!element.isConnected) return document.removeEventListener("keydown", onKey);
  const typing = event.target.closest("textarea, select, [contenteditable], input:not([type=range]):not([type=file])");
  const key = event.key.toLowerCase();
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (element.querySelector("dialog[open]") && key !== "?") return;
  if (/^[1-9]$/.test(key)) {
    if (!state.views[Number(key) - 1]) return;
    showView(Number(key) - 1);
  } else if (key === "m" && currentView()) {
    if (!event.repeat) pressLens();
    refresh();
  } else if (arrows[key] || key === " ") {
    if (!onStageKey(event, key)) return;
  } else if (keys[key]) perform(keys[key]);
  else return;
  event.preventDefault();
}

function onKeyUp(event) {
  if (!element.isConnected) return document.removeEventListener("keyup", onKeyUp);
  if (event.key.toLowerCase() !== "m" || !currentView()) return;
  releaseLens();
  refresh();
}

// Arrows and space belong to sliders, tabs and buttons where one of them has the focus.
function onStageKey(event, key) {
  if (!currentView() || (event.target !== document.body && event.target !== stage)) return false;
  if (key === " ") {
    if (!state.markTool) return false;
    if (!state.cursor?.keyed) moveCursor(0, 0);
    setPlace(currentPane(), state.cursor.x, state.cursor.y);
  } else {
    const [across, down] = arrows[key];
    if (state.markTool || state.lens) moveCursor(across * (event.shiftKey ? 1 : 10), down * (event.shiftKey ? 1 : 10));
    else if (currentView().zoom > 1) panPane(currentPane(), -60 * across, -60 * down);
    else return false;
  }
  refresh();
  return true;
}

function connectInput() {
  document.addEventListener("keydown", onKey);
  document.addEventListener("keyup", onKeyUp);
  connectPointers();
  element.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-do]");
    if (button) perform(button.dataset.do);
  });
  const slide = (name, change) => find("input." + name).addEventListener("input", (event) => {
    if (currentView()) change(Number(event.target.value));
    refresh();
  });
  slide("opacity", (value) => { state.opacity = value / 100; });
  slide("window", (value) => setWindow(currentView(), currentView().windowCentre, value));
  slide("level", (value) => setWindow(currentView(), value, currentView().windowWidth));
  new ResizeObserver(() => { showPanes(); redraw(); }).observe(stage);
}
