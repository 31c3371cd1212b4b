// The viewer: what the server sent, on the page. Texts from files are set as textContent, never as HTML.

const find = (selector) => element.querySelector(selector);
const put = (selector, text) => { find(selector).textContent = text ?? ""; };

function make(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

let arrivals = 0;

async function arrive() {
  const mine = ++arrivals;
  const value = props.value;
  if (!value) return showEmpty();
  const views = await Promise.all(value.views.map(openView));
  if (mine !== arrivals) return;
  const sameStudy = views.length > 0 && views[0] === state.views[0];
  if (!sameStudy) Object.assign(state, { current: 0, ...FIRST_LOOK });
  state.views = views;
  showVerdict(value);
  showAlerts(value);
  showStrip();
  showTable();
  refresh();
}

// The same film comes again with its result; its window and zoom, which the reader may have changed, are kept.
async function openView(sent, index) {
  const known = state.views[index];
  const same = known && known.name === sent.name && known.film.data === sent.film.data && !(known.result && !sent.result);
  const view = same ? known : { film: sent.film };
  Object.assign(view, { name: sent.name, alt: sent.alt, facts: sent.facts, warnings: sent.warnings });
  if (!view.values) {
    view.values = await unpackFilm(view.film);
    view.canvas = newCanvas(view.film.width, view.film.height);
    resetView(view);
    drawFilm(view.canvas, view.values, windowTable(view.film.bit_depth, view.windowCentre, view.windowWidth, false));
    view.thumbnail = thumbnail(view.canvas, 192);
  }
  if (sent.result && !view.heat) {
    view.heat = await unpackHeatmap(sent.result.heatmap);
    view.result = sent.result;
    view.alt = sent.result.alt;
  } else if (view.result) view.alt = view.result.alt;
  return view;
}

function showEmpty() {
  Object.assign(state, { views: [], current: 0, ...FIRST_LOOK });
  showVerdict({ status: "", views: [] });
  showAlerts({});
  showStrip();
  showTable();
  refresh();
}

function showWaiting() {
  arrivals++;
  showEmpty();
  showVerdict({ status: props.words.waiting, busy: true, views: [] });
  find(".viewer").scrollIntoView({ block: "nearest" });
}

function showVerdict(value) {
  const verdict = value.verdict;
  const phase = verdict ? "called" : value.busy ? "busy" : value.views.length || value.error || value.rests ? "failed" : "empty";
  find(".viewer").dataset.phase = phase;
  find(".viewer").dataset.films = value.views.length;
  find(".verdict").dataset.call = verdict ? verdict.call : "none";
  put(".symbol", verdict?.symbol);
  put(".word", verdict?.call);
  put(".status", verdict ? "" : value.error || value.status || (phase === "failed" ? value.rests : ""));
  put(".number", verdict?.probability_text);
  put(".meaning", verdict ? verdict.meaning + " · " + verdict.flagged : "");
  put(".model", verdict ? verdict.model + " · " + verdict.timing : "");
  put(".points", verdict?.points);
  if (!verdict) return;
  const percent = (share) => 100 * share + "%";
  find(".zone.low").style.width = percent(verdict.sensitive);
  find(".zone.middle").style.width = percent(verdict.specific - verdict.sensitive);
  find(".zone.high").style.width = percent(1 - verdict.specific);
  find(".needle").style.left = percent(verdict.probability);
  find(".scale").setAttribute("aria-label", props.words.probability_bar + ": " + verdict.probability_text + ", " + verdict.points);
}

function showAlerts({ refused = [], rests = "", verdict = null, busy = false }) {
  const lines = refused.map((file) => {
    const line = make("p");
    line.append(make("strong", "", file.name), make("span", "", " " + props.words.not_read + ". " + file.reason));
    return line;
  });
  if (rests && (verdict || busy)) lines.unshift(make("p", "rests", rests));
  find(".alerts").replaceChildren(...lines);
}

function showStrip() {
  find(".strip").replaceChildren(...state.views.map((view, index) => {
    const button = make("button", "thumb");
    const picture = make("img");
    Object.assign(picture, { src: view.thumbnail, alt: view.alt, draggable: false });
    const caption = make("span", "caption", String(index + 1));
    if (view.result) {
      button.dataset.call = view.result.call;
      caption.textContent = index + 1 + "  " + view.result.symbol + " " + view.result.probability_text;
    }
    caption.setAttribute("aria-hidden", "true");
    button.type = "button";
    button.append(picture, caption);
    button.addEventListener("click", () => showView(index));
    return button;
  }));
}

// Names of one study often differ at the end alone.
function shortened(name) {
  const letters = [...name];
  return letters.length <= 13 ? name : letters.slice(0, 4).join("") + "…" + letters.slice(-8).join("");
}

function showTable() {
  find(".views tbody").replaceChildren(...state.views.map((view, index) => {
    const row = make("tr");
    const name = make("button", "name", shortened(view.name));
    Object.assign(name, { type: "button", title: view.name });
    const cell = make("td", "file");
    cell.append(name);
    const call = make("td", "call", view.result ? view.result.symbol + " " + view.result.call : "…");
    if (view.result) call.dataset.call = view.result.call;
    row.append(make("td", "", String(index + 1)), cell, make("td", "right", view.result?.probability_text ?? "…"), call);
    row.addEventListener("click", () => showView(index));
    return row;
  }));
}

function showView(index) {
  state.current = index;
  refresh();
}

// Everything that follows from the state, cheap enough to run at every move of a slider.
function refresh() {
  const view = currentView();
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
  const pressed = { heatmap: state.heatmap, contour: state.contour, roi: state.roi, invert: Boolean(view?.inverted) };
  for (const [name, on] of Object.entries(pressed)) find("[data-do=" + name + "]").setAttribute("aria-pressed", on);
  for (const button of element.querySelectorAll(".panel [data-do]")) button.disabled = !view && button.dataset.do !== "help";
  for (const [index, thumb] of [...find(".strip").children].entries()) thumb.setAttribute("aria-current", index === state.current);
  for (const [index, row] of [...find(".views tbody").children].entries()) row.setAttribute("aria-current", index === state.current);
  find(".legend").hidden = !(view?.heat && state.heatmap);
  drawLegend(find(".ramp"), state.opacity);
  showFilmFacts(view);
  redraw();
}

function showFilmFacts(view) {
  const words = props.words;
  put(".top-left", view ? state.current + 1 + " " + words.of + " " + state.views.length + "  " + view.name : "");
  put(".top-right", view ? "W " + Math.round(view.windowWidth) + "  L " + Math.round(view.windowCentre) + "\n" + words.zoom + " " + view.zoom.toFixed(1) : "");
  const facts = view ? [...view.facts] : [];
  if (view && view.film.width < view.film.full_width) facts.push([words.shown_at, view.film.width + " × " + view.film.height + " px"]);
  find(".film dl").replaceChildren(...facts.flatMap(([label, text]) => [make("dt", "", label), make("dd", "", text)]));
  find(".film .warnings").replaceChildren(...(view?.warnings ?? []).map((text) => make("li", "", text)));
}

find(".keys dl").replaceChildren(...props.keys.flatMap(([key, text]) => [make("dt", "", key), make("dd", "", text)]));
connectInput();
document.addEventListener("mura-waiting", showWaiting);
watch("value", arrive);
arrive();
