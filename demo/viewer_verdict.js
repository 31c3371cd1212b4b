// What the server says of the study: the call, the files refused, the strip and the table of views.

function phaseOf(value) {
  if (value.blind && value.views.length) return "blind";
  if (value.verdict) return "called";
  if (value.busy) return "busy";
  return value.views.length || value.error || value.rests ? "failed" : "empty";
}

function showVerdict(value) {
  const verdict = value.verdict;
  const phase = phaseOf(value);
  Object.assign(find(".viewer").dataset, { phase, films: value.views.length, blind: Boolean(value.blind), marking: Boolean(value.marking) });
  find(".verdict").dataset.call = verdict ? verdict.call : "none";
  put(".symbol", verdict?.symbol);
  put(".word", verdict?.word);
  put(".status", verdict ? "" : value.error || value.status || (phase === "failed" ? value.rests : ""));
  put(".number", verdict?.probability_text);
  put(".meaning", verdict ? verdict.meaning + " · " + verdict.flagged : "");
  put(".model", verdict ? verdict.model + " · " + verdict.timing : "");
  find(".model").title = verdict ? verdict.engine : "";
  put(".points", verdict?.points);
  put(".caution", verdict?.caution);
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
    if (view.result?.grave) caption.append(make("i", "grave", " !"));
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
    const { result } = view;
    const call = make("td", "call of-model", result ? result.symbol + " " + (result.word) : "…");
    if (result) call.dataset.call = result.call;
    if (result?.grave) {
      const mark = make("strong", "grave", " !");
      mark.title = result.remarks.join(" ");
      call.append(mark);
    }
    row.append(make("td", "", String(index + 1)), cell, make("td", "right of-model", result?.probability_text ?? "…"), call);
    row.addEventListener("click", () => showView(index));
    return row;
  }));
}
