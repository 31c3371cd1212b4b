// A study arrives: its films are unpacked once, and what the reader changed is kept while its result comes.

let arrivals = 0;
let newest = 0;

async function arrive() {
  const value = props.value;
  // What was made earlier may come later; only the review sessions number what they send.
  if (value?.turn < newest) return;
  newest = value?.turn ?? newest;
  const mine = ++arrivals;
  if (!value) return showEmpty();
  const views = await Promise.all(value.views.map(openView));
  if (mine !== arrivals) return;
  const sameStudy = views.length > 0 && views[0] === state.views[0];
  if (!sameStudy) Object.assign(state, { current: 0, pair: [0, 1], draft: null, markTool: "", ...FIRST_LOOK });
  if (!sameStudy) forgetAnswers();
  Object.assign(state, { views, marking: Boolean(value.marking), blind: Boolean(value.blind), verdict: value.verdict });
  showVerdict(value);
  showAlerts(value);
  showStrip();
  showTable();
  showFigures();
  refresh();
  await drawMaps(value.views, views, mine);
}

// After the call is on the screen: unpacking the maps takes longer than everything before.
async function drawMaps(sent, views, mine) {
  if (!sent.length || !sent.every((one) => one.result?.heatmap)) return;
  await new Promise((done) => setTimeout(done));
  for (const [index, view] of views.entries()) {
    if (mine !== arrivals) return;
    view.heat ??= await unpackHeatmap(sent[index].result.heatmap);
  }
  refresh();
  find(".viewer").dataset.maps = "drawn";
}

// The same film comes again with its result; window, zoom, marks and distances, which are the reader's, are kept.
async function openView(sent, index) {
  const known = state.views[index];
  const same = known && known.name === sent.name && known.film.data === sent.film.data && !(known.result && !sent.result);
  const view = same ? known : { film: sent.film, marks: sent.marks ?? [], distances: [] };
  Object.assign(view, { name: sent.name, alt: sent.alt, facts: sent.facts, warnings: sent.warnings, stated: sent.stated });
  if (!view.values) {
    view.values = await unpackFilm(view.film);
    view.canvas = newCanvas(view.film.width, view.film.height);
    resetView(view);
    drawFilm(view.canvas, view.values, windowTable(view.film.bit_depth, view.windowCentre, view.windowWidth, false));
    view.thumbnail = thumbnail(view.canvas, 192);
  }
  view.result ??= sent.result;
  if (view.result) view.alt = view.result.alt;
  return view;
}

function showEmpty() {
  Object.assign(state, { views: [], current: 0, pair: [0, 1], draft: null, markTool: "", verdict: null, ...FIRST_LOOK });
  forgetAnswers();
  find(".viewer").dataset.maps = "none";
  showVerdict({ status: "", views: [] });
  showAlerts({});
  showStrip();
  showTable();
  showFigures();
  refresh();
}

function showWaiting() {
  arrivals++;
  showEmpty();
  showVerdict({ status: props.words.waiting, busy: true, views: [] });
  find(".viewer").scrollIntoView({ block: "nearest" });
}

// Everything that follows from the state, cheap enough to run at every move of a slider.
function refresh() {
  const view = currentView();
  showControls(view);
  for (const [index, thumb] of [...find(".strip").children].entries()) thumb.setAttribute("aria-current", index === state.current);
  for (const [index, row] of [...find(".views tbody").children].entries()) row.setAttribute("aria-current", index === state.current);
  find(".legend").hidden = state.blind || !(view?.heat && state.heatmap);
  drawLegend(find(".ramp"), state.opacity);
  showFilmFacts(view);
  showDistances(view);
  showPanes();
  redraw();
}

function showFilmFacts(view) {
  const facts = view ? [...view.facts, ...(view.result?.facts ?? [])] : [];
  if (view && view.film.width < view.film.full_width) facts.push([props.words.shown_at, view.film.width + " × " + view.film.height + " px"]);
  find(".film dl").replaceChildren(...facts.flatMap(([label, text]) => [make("dt", "", label), make("dd", "", text)]));
  find(".film .warnings").replaceChildren(...[...(view?.result?.remarks ?? []), ...(view?.warnings ?? [])].map((text) => make("li", "", text)));
}
