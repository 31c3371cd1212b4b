// The panel beside the stage: tabs, icons, and controls that follow the state.

const ICONS = {
  eye: "M1.5 8C4 3.5 12 3.5 14.5 8 12 12.5 4 12.5 1.5 8ZM8 6a2 2 0 1 1 0 4 2 2 0 0 1 0-4",
  steady: "M1.5 8H4.5L6.5 3.5 9.5 12.5 11.5 8H14.5",
  heat: "M8 2C10 5 12.5 6.5 12.5 9.7A4.5 4.3 0 0 1 3.5 9.7C3.5 7.5 5 7 5.5 5.5 6.5 6.5 7 7 7.2 8 8 6.5 8.2 4 8 2Z",
  contour: "M3 8.5C2.5 4 6 2.5 9 3.2S14 7 12.8 10.2 8.5 13.6 6 12.8 3.3 11 3 8.5Z",
  roi: "M2.5 5.5v-3h3M10.5 2.5h3v3M13.5 10.5v3h-3M5.5 13.5h-3v-3",
  next: "M2.5 8h9M8.5 4.5 12 8l-3.5 3.5M14 4v8",
  invert: "M8 2a6 6 0 1 0 0 12ZM8 2a6 6 0 0 1 0 12",
  one: "M2.5 2.5h11v11h-11Z",
  side: "M2.5 2.5h11v11h-11ZM8 2.5v11",
  stack: "M2.5 2.5h11v11h-11ZM2.5 8h11",
  grid: "M2.5 2.5h11v11h-11ZM8 2.5v11M2.5 8h11",
  minus: "M3 8h10",
  plus: "M3 8h10M8 3v10",
  fit: "M2.5 2.5h11v11h-11ZM5 8h6M8 5v6",
  link: "M6.5 9.5l3-3M5 7 3.5 8.5a2.8 2.8 0 0 0 4 4L9 11M7 5l1.5-1.5a2.8 2.8 0 0 1 4 4L11 9",
  turn_left: "M3 8a5 5 0 1 0 1.8-3.8M4.5 1.5v3h3",
  turn_right: "M13 8a5 5 0 1 1-1.8-3.8M11.5 1.5v3h-3",
  mirror_across: "M8 1.5v13M6 4 2 12h4ZM10 4l4 8h-4Z",
  mirror_down: "M1.5 8h13M4 6l8-4v4ZM4 10l8 4v-4Z",
  ruler: "M2 11 11 2l3 3-9 9ZM5 8l1.5 1.5M7.5 5.5 9 7",
  lens: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9M10.3 10.3l3.4 3.4",
  point: "M8 4.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7M8 1.5v4M8 10.5v4M1.5 8h4M10.5 8h4",
  box: "M3 4h10v8h-10Z",
  undo: "M6 3 2.5 6.5 6 10M2.5 6.5h7a4 3.5 0 0 1 0 7H7",
  reset: "M13 8a5 5 0 1 1-1.5-3.5M13.5 2v3h-3",
  full: "M2.5 6v-3.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
};

function showIcons() {
  const svg = "http://www.w3.org/2000/svg";
  for (const button of element.querySelectorAll("[data-icon]")) {
    const [icon, path] = [document.createElementNS(svg, "svg"), document.createElementNS(svg, "path")];
    for (const [name, value] of [["viewBox", "0 0 16 16"], ["class", "icon"], ["aria-hidden", "true"]]) icon.setAttribute(name, value);
    path.setAttribute("d", ICONS[button.dataset.icon]);
    icon.append(path);
    button.prepend(icon);
  }
}

function chooseTab(tab) {
  for (const other of element.querySelectorAll("[role=tab]")) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", chosen);
    other.tabIndex = chosen ? 0 : -1;
    find("#" + other.getAttribute("aria-controls")).hidden = !chosen;
  }
}

// As WAI-ARIA describes tabs: one is in the tab order, arrows move among them.
function onTabKey(event) {
  const tabs = [...element.querySelectorAll("[role=tab]")].filter((tab) => tab.checkVisibility());
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const at = tabs.indexOf(event.target);
  if (!step || at < 0) return;
  const tab = tabs[(at + step + tabs.length) % tabs.length];
  chooseTab(tab);
  tab.focus();
  event.preventDefault();
}

function connectPanel() {
  showIcons();
  for (const tab of element.querySelectorAll("[role=tab]")) {
    tab.addEventListener("click", () => chooseTab(tab));
    tab.addEventListener("keydown", onTabKey);
  }
}

function showControls(view) {
  const set = (name, value, top, text) => {
    const input = find("input." + name);
    input.disabled = !view;
    if (top) input.max = top;
    input.value = value;
    input.parentElement.querySelector("output").textContent = text;
  };
  set("opacity", state.opacity * 100, 0, Math.round(state.opacity * 100) + " %");
  const range = view ? 1 << view.film.bit_depth : 0;
  set("window", view?.windowWidth ?? 0, range, view ? Math.round(view.windowWidth) : "");
  set("level", view?.windowCentre ?? 0, range - 1, view ? Math.round(view.windowCentre) : "");
  const preset = view && presetOf(view);
  const pressed = {
    heatmap: state.heatmap, contour: state.contour, roi: state.roi, invert: Boolean(view?.inverted),
    link: state.linked, lens: state.lens,
    ...Object.fromEntries(["one", "side", "stack", "grid"].map((name) => ["layout_" + name, state.layout === name])),
    ...Object.fromEntries(["distance", "point", "box"].map((name) => [name, state.markTool === name])),
    ...Object.fromEntries(PRESETS.map((name) => ["preset_" + name, preset === name])),
  };
  for (const [name, on] of Object.entries(pressed)) find("[data-do=" + name + "]").setAttribute("aria-pressed", on);
  for (const button of element.querySelectorAll(".panel [data-do]")) button.disabled = !view && button.dataset.do !== "help";
  stage.dataset.tool = state.markTool || (state.lens ? "lens" : "");
}
