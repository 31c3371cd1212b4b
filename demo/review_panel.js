// The reader's panel: which of its parts is seen, and what the server said. Texts go in as textContent, never as HTML.

let seat = null;

function arrive() {
  const value = props.value;
  if (!value) return trigger("go", { to: "lobby", session: new URLSearchParams(location.search).get("session") ?? "" });
  // What was made earlier may come later: the model's answer on its way while the reader goes on.
  if (value.turn < (screen?.turn ?? 0)) return;
  screen = value;
  document.querySelector("#review").dataset.stage = value.stage;
  find(".review").dataset.stage = value.stage;
  find(".told").textContent = value.told ?? "";
  find(".refused").textContent = value.refused ?? "";
  if (value.stage === "lobby") showLobby(value);
  if (value.stage === "reading") showReading(value);
  if (value.stage === "finished") find(".finished h2").textContent = say("finished", { total: value.total });
  showClosing(value);
}

function showLobby(value) {
  seat = null;
  const kept = find(".sessions input:checked")?.value;
  const chosen = value.chosen || kept || (value.sessions.length === 1 ? value.sessions[0].name : "");
  find(".sessions").replaceChildren(...value.sessions.map((session) => sessionLine(session, chosen)));
  if (!value.sessions.length) find(".sessions").append(make("p", "none", props.words.no_sessions));
  const reader = find(".reader");
  if (value.reader) reader.value = value.reader;
  reader.readOnly = value.reader_fixed;
  for (const part of all(".who, .lobby .row")) part.hidden = !value.sessions.length;
  if (value.told || value.refused) find(".review").scrollIntoView({ block: "start" });
  find(".who small").textContent = value.reader_fixed ? say("reader_fixed", { reader: value.reader }) : props.words.reader_hint;
  showChoice();
}

function sessionLine(session, chosen) {
  const line = make("label", "session");
  const pick = make("input");
  Object.assign(pick, { type: "radio", name: "session", value: session.name, checked: session.name === chosen, disabled: session.state === "broken" });
  pick.dataset.state = session.state;
  line.append(pick, make("strong", "", session.name), make("span", "facts", session.facts), make("span", "state", props.words[session.state]));
  line.dataset.state = session.state;
  return line;
}

function showChoice() {
  const picked = find(".sessions input:checked");
  find(".sit").disabled = picked?.dataset.state !== "open";
  find(".to-results").hidden = picked?.dataset.state !== "closed";
  find(".sit").hidden = picked?.dataset.state === "closed";
}

function showReading(value) {
  const here = [value.session, value.reader, value.place, value.needs].join("\n");
  find(".at").textContent = say("opened_at", { number: value.place + 1, total: value.total });
  find(".left").textContent = value.left;
  find(".whose").textContent = value.session + " · " + value.reader;
  Object.assign(find(".progress progress"), { max: value.total, value: value.done });
  find(".hint").textContent = value.hint;
  find(".first").textContent = value.first ? props.words.your_call + ": " + props.words[value.first.verdict] + ", " + value.first.confidence : "";
  if ("saved" in value) find(".saved").textContent = value.saved;
  find(".undo").hidden = !value.undo;
  find(".undo").textContent = value.undo ?? "";
  // The same study may come again with the model's result, or with a refusal: what the reader set is kept.
  if (here !== seat) beginCall(value.first);
  else if (value.refused || value.asked) sending = false;
  if (!value.ready) expectAnswer();
  seat = here;
  showCall();
}

function showClosing(value) {
  find(".to-close").hidden = !value.may_close;
  find(".who-closes").textContent = value.who_closes ?? "";
  find(".others").textContent = value.readers ? say("close_readers", { readers: value.readers }) : "";
}

function go(to) {
  const picked = find(".sessions input:checked")?.value ?? "";
  trigger("go", { to, session: picked, reader: find(".reader").value });
}

const hotkeys = { n: () => setVerdict("normal"), a: () => setVerdict("abnormal"), u: () => setVerdict("unsure"), enter: commit };

function onKey(event) {
  if (!element.isConnected) return document.removeEventListener("keydown", onKey);
  if (screen?.stage !== "reading" || sending || document.querySelector("dialog[open]")) return;
  const typing = event.target.closest("textarea, select, [contenteditable], input:not([type=range])");
  if (typing || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  if (event.ctrlKey && key !== "z") return;
  // Enter presses a focused button, as everywhere; on the choices of the call it commits, as in a form.
  if (key === "enter" && event.target.closest("button:not([data-verdict], [data-finding]), a, summary")) return;
  if (hotkeys[key]) hotkeys[key]();
  else if (key === "," || key === ".") setConfidence((call.confidence ?? 50) + (key === "," ? -5 : 5));
  else if (key === "z") undo();
  else return;
  event.preventDefault();
}

// Z first takes back what is not committed yet, then the last commit.
function undo() {
  if (!find(".clear").disabled) return beginCall(screen.first);
  if (!find(".undo").hidden) takeBack();
}

function takeBack() {
  if (sending) return;
  sending = true;
  showCall();
  expectAnswer();
  trigger("undo", { place: screen.undo_place });
}

function connect() {
  for (const button of all("[data-verdict]:not(.commit)")) button.addEventListener("click", () => setVerdict(button.dataset.verdict));
  for (const button of all("[data-finding]")) button.addEventListener("click", () => toggleFinding(button.dataset.finding));
  for (const button of all("[data-go]")) button.addEventListener("click", () => go(button.dataset.go));
  find(".confidence").addEventListener("input", (event) => setConfidence(Number(event.target.value)));
  // A click on the proposed value's own place changes nothing, and still says that the reader means it.
  find(".confidence").addEventListener("click", (event) => setConfidence(Number(event.target.value)));
  find(".commit").addEventListener("click", commit);
  find(".clear").addEventListener("click", () => beginCall(screen.first));
  find(".undo").addEventListener("click", takeBack);
  find(".sessions").addEventListener("change", showChoice);
  find(".lobby").addEventListener("submit", (event) => { event.preventDefault(); go("sit"); });
  find(".to-close").addEventListener("click", () => find(".sure-close").showModal());
  find(".no").addEventListener("click", () => find(".sure-close").close());
  find(".yes").addEventListener("click", () => { find(".sure-close").close(); trigger("end", {}); });
  document.addEventListener("keydown", onKey);
  document.addEventListener("mura-marks", onMarks);
}

connect();
watch("value", arrive);
arrive();
