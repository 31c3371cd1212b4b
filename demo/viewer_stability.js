// How steady the call is: one line for each small change of the films, its probability on the scale of the call.

function connectStability() {
  connectQuestion("stability", showStability);
  put(".measured-steadiness", props.stability_measured);
}

function showStability({ said, call, lowest, highest, readings }, { status }) {
  if (!readings.length) return [];
  // In the region that is read aloud, so that the sentence is heard when it comes.
  status.textContent = said;
  const table = make("table", "readings");
  const percent = (share) => (100 * share).toFixed(2) + "%";
  const { sensitive, specific } = state.verdict;
  for (const [name, share] of Object.entries({ sensitive, specific, lowest, highest })) table.style.setProperty("--" + name, percent(share));
  table.append(stabilityHead(), stabilityRows(readings), stabilityScale());
  table.dataset.steady = readings.every((reading) => !reading.altered);
  status.dataset.call = table.dataset.steady === "true" ? call : "doubt";
  return [table];
}

function stabilityHead() {
  const [head, row] = [make("thead"), make("tr")];
  const { column_change, column_probability, column_call } = props.words;
  row.append(make("th", "", column_change), make("td"), make("th", "value", column_probability), make("th", "", column_call));
  for (const cell of row.querySelectorAll("th")) cell.scope = "col";
  head.append(row);
  return head;
}

function stabilityRows(readings) {
  const body = make("tbody");
  body.append(...readings.map((reading) => {
    const [row, title, lane, dot] = [make("tr"), make("th", "", reading.title), make("td", "lane"), make("i")];
    title.scope = "row";
    dot.style.left = 100 * reading.probability + "%";
    lane.append(dot);
    row.dataset.altered = reading.altered;
    row.dataset.call = reading.call;
    row.append(title, lane, make("td", "value", reading.probability_text), make("td", "call", reading.symbol + " " + reading.word));
    return row;
  }));
  return body;
}

function stabilityScale() {
  const [foot, row, scale] = [make("tfoot"), make("tr"), make("td", "scale-names")];
  scale.append(make("span", "", "0"), make("span", "", state.verdict.points), make("span", "", "1"));
  row.append(make("td"), scale, make("td"), make("td"));
  foot.append(row);
  return foot;
}
