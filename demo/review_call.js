// The call a reader is about to make: verdict, confidence, findings, marks. Nothing leaves before the commit.

const PROPOSED = { normal: 10, unsure: 50, abnormal: 90 };
// The server holds the same ranges, as FITTING.
const ALLOWED = { normal: [0, 50], unsure: [20, 80], abnormal: [50, 100] };
const call = { verdict: "", confidence: null, proposed: false, findings: new Set(), marks: [], first: null };
let sending = false;
let screen = null;

const all = (selector) => [...element.querySelectorAll(selector)];

function say(name, values = {}) {
  return Object.entries(values).reduce((text, [key, value]) => text.replaceAll("{" + key + "}", value), props.words[name]);
}

// A call that was kept comes back when it may be revised; otherwise the form is empty.
function beginCall(first) {
  sending = false;
  Object.assign(call, {
    verdict: first?.verdict ?? "", confidence: first?.confidence ?? null, proposed: false,
    findings: new Set(first?.findings ?? []), marks: [...(first?.marks ?? [])], first: first ?? null,
  });
  tellViewer();
  showCall();
}

function setVerdict(verdict) {
  call.verdict = verdict;
  const [low, high] = ALLOWED[verdict];
  const fits = call.confidence !== null && !call.proposed && call.confidence >= low && call.confidence <= high;
  // A value that the reader set and that still fits is the reader's; anything else is asked again.
  if (!fits) Object.assign(call, { confidence: PROPOSED[verdict], proposed: true });
  showCall();
}

function setConfidence(value) {
  if (!call.verdict) return;
  Object.assign(call, { confidence: Math.min(100, Math.max(0, value)), proposed: false });
  showCall();
}

function toggleFinding(name) {
  if (!call.findings.delete(name)) call.findings.add(name);
  showCall();
}

function contradiction() {
  if (!call.verdict || call.confidence === null) return "";
  const [low, high] = ALLOWED[call.verdict];
  if (call.confidence >= low && call.confidence <= high) return "";
  return say("contradiction_" + call.verdict, { value: call.confidence });
}

function unchanged() {
  const { first } = call;
  return first && !call.proposed && first.verdict === call.verdict && first.confidence === call.confidence
    && [...call.findings].sort().join() === [...first.findings].sort().join()
    && JSON.stringify(call.marks) === JSON.stringify(first.marks);
}

function commitText() {
  if (sending) return props.words.saving;
  if (!call.verdict) return props.words.commit;
  const values = { verdict: props.words[call.verdict], value: call.confidence };
  if (call.proposed) return say("commit_proposed", values);
  if (!call.first) return say("commit_call", values);
  return say(unchanged() ? "commit_keep" : "commit_revise", values);
}

function showCall() {
  for (const button of all("[data-verdict]")) button.setAttribute("aria-checked", button.dataset.verdict === call.verdict);
  for (const button of all("[data-finding]")) button.setAttribute("aria-pressed", call.findings.has(button.dataset.finding));
  const slider = find(".confidence");
  slider.disabled = !call.verdict || sending;
  slider.value = call.confidence ?? 50;
  slider.dataset.sure = call.confidence === null ? "none" : call.proposed ? "proposed" : "set";
  const against = contradiction();
  const state = call.confidence === null ? "confidence_none" : call.proposed ? "confidence_proposed" : "confidence_set";
  find(".sure").textContent = against || say(state, { value: call.confidence });
  find(".sure").dataset.against = Boolean(against);
  const commit = find(".commit");
  commit.textContent = commitText();
  commit.append(" ", make("kbd", "", "Enter"));
  commit.disabled = !call.verdict || Boolean(against) || sending || !screen.ready;
  commit.dataset.verdict = call.verdict;
  find(".clear").disabled = sending || (call.first ? unchanged() : !call.verdict && !call.findings.size && !call.marks.length);
  showMarks();
}

function showMarks() {
  const list = find(".marks");
  if (!call.marks.length) return list.replaceChildren(make("li", "none", props.words.no_marks));
  list.replaceChildren(...call.marks.map((mark, index) => {
    const item = make("li");
    const kind = props.words[mark.height || mark.width ? "mark_box" : "mark_point"];
    const remove = make("button", "remove", "×");
    remove.type = "button";
    remove.setAttribute("aria-label", props.words.mark_remove + " " + (index + 1));
    remove.addEventListener("click", () => { call.marks.splice(index, 1); tellViewer(); showCall(); });
    item.append(make("span", "", say("mark_line", { number: index + 1, kind, view: mark.view + 1 })), remove);
    return item;
  }));
}

// The viewer draws the marks of each film; the panel keeps them all. Both are on this page alone.
function tellViewer() {
  document.dispatchEvent(new CustomEvent("mura-set-marks", { detail: { marks: call.marks } }));
}

function onMarks(event) {
  if (!element.isConnected) return document.removeEventListener("mura-marks", onMarks);
  const { view, marks } = event.detail;
  call.marks = [...call.marks.filter((mark) => mark.view !== view), ...marks.map((mark) => ({ view, ...mark }))];
  showCall();
}

// An answer may get lost between server and page: then the page asks what the server has.
const LATE_MS = 3000;
let late = 0;

function expectAnswer() {
  clearTimeout(late);
  late = setTimeout(() => {
    if (!element.isConnected || screen?.stage !== "reading" || (screen.ready && !sending)) return;
    trigger("go", { to: "here" });
    expectAnswer();
  }, LATE_MS);
}

function commit() {
  if (find(".commit").disabled || sending) return;
  sending = true;
  showCall();
  expectAnswer();
  trigger("commit", {
    place: screen.place, condition: screen.needs, verdict: call.verdict, confidence: call.confidence,
    findings: [...call.findings], marks: call.marks,
  });
}
