// Which films are on the stage, and where: one, two side by side or stacked, or all of them.

const GAP_PX = 4;

function currentView() {
  return state.views[state.current];
}

// In a layout of two the reader's choice replaces the film of the active pane.
function showView(index) {
  if (!state.pair.includes(index)) state.pair[Math.max(0, state.pair.indexOf(state.current))] = index;
  state.current = index;
  state.draft = null;
  refresh();
}

function chooseLayout(name) {
  state.layout = state.layout === name ? "one" : name;
  const first = Math.min(state.current, Math.max(0, state.views.length - 2));
  state.pair = [first, first + 1];
  state.draft = null;
  state.cursor = null;
}

function shownIndexes() {
  if (!state.views.length) return [];
  if (state.layout === "grid") return state.views.map((_, index) => index);
  if (state.layout === "one" || state.views.length === 1) return [state.current];
  return state.pair;
}

function columnsOf(count, room) {
  if (state.layout === "side") return count;
  if (state.layout === "stack") return 1;
  // As many columns as make the panes largest, a film being a little taller than wide.
  const size = (columns) => Math.min(room.width / columns / 0.8, room.height / Math.ceil(count / columns));
  return state.views.map((_, index) => index + 1).reduce((best, next) => (size(next) > size(best) ? next : best), 1);
}

// The panes in CSS pixels of the stage, each with its view.
function panes() {
  const room = stage.getBoundingClientRect();
  const shown = shownIndexes();
  const columns = columnsOf(shown.length, room);
  const rows = Math.ceil(shown.length / columns);
  const [width, height] = [(room.width - GAP_PX * (columns - 1)) / columns, (room.height - GAP_PX * (rows - 1)) / rows];
  return shown.map((index, place) => ({
    index,
    view: state.views[index],
    left: (place % columns) * (width + GAP_PX),
    top: Math.floor(place / columns) * (height + GAP_PX),
    width,
    height,
  }));
}

function currentPane() {
  return panes().find((pane) => pane.index === state.current);
}

function paneAt(x, y) {
  const inside = (pane) => x >= pane.left && x < pane.left + pane.width && y >= pane.top && y < pane.top + pane.height;
  return panes().find(inside);
}

// The texts over each film, as elements: they can be read aloud, selected and searched.
function showPanes() {
  const holder = find(".panes");
  const all = panes();
  while (holder.children.length > all.length) holder.lastElementChild.remove();
  while (holder.children.length < all.length) {
    const made = make("div", "pane");
    made.append(...["top-left", "top-right", "bottom-left"].map((corner) => make("div", "corner " + corner)));
    holder.append(made);
  }
  for (const [place, pane] of all.entries()) {
    const { left, top, width, height } = pane;
    const shown = holder.children[place];
    Object.assign(shown.style, { left: left + "px", top: top + "px", width: width + "px", height: height + "px" });
    shown.setAttribute("aria-current", all.length > 1 && pane.index === state.current);
    showCorners(shown, pane);
  }
}

function showCorners(shown, { view, index }) {
  const words = props.words;
  const corner = (name, text) => { shown.querySelector(".corner." + name).textContent = text; };
  corner("top-left", index + 1 + " " + words.of + " " + state.views.length + "  " + view.name);
  const window = "W " + Math.round(view.windowWidth) + "  L " + Math.round(view.windowCentre);
  corner("top-right", window + "\n" + words.zoom + " " + view.zoom.toFixed(1));
  corner("bottom-left", [words[orientationKey(view)], view.result?.read_turned].filter(Boolean).join("\n"));
  shown.querySelector(".bottom-left").classList.toggle("altered", view.mirrored || view.turn > 0);
}
