// What follows from the probabilities of the views, worked out here: how far they agree, what the call would be
// without each view, and what another threshold would say and stand for. The fixed call stays as it is.

const SYMBOL = { normal: "●", doubt: "◆", abnormal: "▲" };
let threshold = 0.5;

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function callAt(probability, { sensitive, specific }) {
  if (probability >= specific) return "abnormal";
  return probability < sensitive ? "normal" : "doubt";
}

// The study's probability is the mean of its views', so leaving one out leaves the mean of the others.
function leaveOneOut(probabilities) {
  return probabilities.map((_, left) => mean(probabilities.filter((_, index) => index !== left)));
}

// Sensitivity and specificity on the test split at the curve's threshold next to the one chosen.
function ratesAt(curve, chosen) {
  const [at, sensitivity, specificity] = curve.reduce((best, row) =>
    (Math.abs(row[0] - chosen) < Math.abs(best[0] - chosen) ? row : best));
  return { at, sensitivity, specificity };
}

// Bayes: of those called abnormal the share that is, and of those called normal the share that is not.
function predictiveValues({ sensitivity, specificity }, prevalence) {
  const [hit, falseAlarm] = [sensitivity * prevalence, (1 - specificity) * (1 - prevalence)];
  const [clear, miss] = [specificity * (1 - prevalence), (1 - sensitivity) * prevalence];
  return { ppv: hit + falseAlarm > 0 ? hit / (hit + falseAlarm) : null, npv: clear + miss > 0 ? clear / (clear + miss) : null };
}

function fill(text, values) {
  return Object.entries(values).reduce((filled, [name, value]) => filled.replaceAll("{" + name + "}", value), text);
}

function showFigures() {
  const probabilities = state.views.map((view) => view.result?.probability);
  const known = Boolean(state.verdict) && probabilities.every((value) => value !== undefined);
  find(".agreement").hidden = !known;
  for (const name of Object.keys(questions)) find(`[data-do=${name}]`).hidden = !props.asks;
  element.querySelector("#tab-threshold").hidden = !known;
  if (!known) {
    if (find("#tab-threshold").getAttribute("aria-selected") === "true") chooseTab(find("#tab-display"));
    return;
  }
  showSpread(probabilities);
  threshold = Math.round(100 * state.verdict.specific) / 100;
  find("input.threshold").value = threshold;
  find(".measured").hidden = !props.curve;
  showWorth();
  find(".unmeasured").hidden = Boolean(props.curve);
  put(".measured-on", props.curve ? fill(props.words.measured_on, props.curve) : "");
  showThreshold();
}

function showSpread(probabilities) {
  const [low, high] = [Math.min(...probabilities), Math.max(...probabilities)];
  const several = probabilities.length > 1;
  const values = { low: low.toFixed(2), high: high.toFixed(2), range: (high - low).toFixed(2) };
  put(".spread", several ? fill(props.words.spread, values) : "");
  find(".left-out").hidden = !several;
  if (!several) return;
  find(".left-out ul").replaceChildren(...leaveOneOut(probabilities).map((probability, index) => {
    const call = callAt(probability, state.verdict);
    const line = make("li");
    const said = make("strong", "", SYMBOL[call] + " " + props.words["call_" + call]);
    said.dataset.call = call;
    line.append(make("span", "", fill(props.words.without_view, { view: index + 1 })), make("span", "value", probability.toFixed(2)), said);
    line.dataset.changed = call !== state.verdict.call;
    return line;
  }));
}

// At one threshold there is no doubt: a study is above it or below.
function showThreshold() {
  const words = props.words;
  const calledAt = (probability) => (probability >= threshold ? "abnormal" : "normal");
  find("input.threshold").parentElement.querySelector("output").textContent = threshold.toFixed(2);
  const call = calledAt(state.verdict.probability);
  const values = { threshold: threshold.toFixed(2), call: SYMBOL[call] + " " + words["call_" + call], fixed: words["call_" + state.verdict.call] };
  put(".study-recalled", fill(words.study_recalled, values));
  find(".study-recalled").dataset.call = call;
  put(".views-recalled", words.views_recalled + " " + state.views.map((view, index) => index + 1 + " " + SYMBOL[calledAt(view.result.probability)]).join("   "));
  if (props.curve) showRates();
}

function showRates() {
  const words = props.words;
  const rates = ratesAt(props.curve.points, threshold);
  const prevalence = find(".prevalence input").valueAsNumber / 100;
  const { ppv, npv } = prevalence > 0 && prevalence < 1 ? predictiveValues(rates, prevalence) : { ppv: null, npv: null };
  const percent = (share) => (share === null ? "–" : (100 * share).toFixed(1) + " %");
  const pairs = (entries) => entries.flatMap(([term, text]) => [make("dt", "", term), make("dd", "", text)]);
  find(".rates").replaceChildren(...pairs([[words.sensitivity, percent(rates.sensitivity)], [words.specificity, percent(rates.specificity)]]));
  find(".predictive").replaceChildren(...pairs([[words.ppv, percent(ppv)], [words.npv, percent(npv)]]));
}

function connectFigures() {
  find("input.threshold").addEventListener("input", (event) => {
    threshold = event.target.valueAsNumber;
    showThreshold();
  });
  find(".prevalence input").addEventListener("input", showRates);
}
