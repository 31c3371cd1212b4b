// The results of a closed session as pictures. The figures are the server's; nothing is computed here.

const words = props.words;
let shown = null;

function arrive() {
  const value = props.value;
  if (!value) return;
  find(".status").textContent = value.refused ?? value.told ?? "";
  if ("films" in value) showFilms(value);
  if (value.file) return save(value.file);
  if (!value.results) return;
  find("h1").textContent = value.session;
  const { results } = value;
  const counts = { cases: results.cases, patients: results.patients, truth: results.with_truth, abnormal: results.abnormal };
  const names = results.readers.map(({ reader }) => reader).join(", ");
  find(".facts").textContent = [say("facts", counts), value.mode, say("readers_count", { readers: names }),
    results.models.length ? say("models", { models: results.models.join(", ") }) : words.no_model].join(" · ");
  find(".note").textContent = !results.with_truth ? words.no_truth : results.abnormal && results.abnormal < results.with_truth ? "" : words.one_class;
  const same = shown?.session === value.session;
  shown = value;
  options(".reader", same, [words.everyone, ...results.readers.map(({ reader }) => reader)]);
  options(".cases", same, [words.all_cases, ...results.groups.map((group) => say("group", { name: words[group.name] ?? group.name, cases: group.cases, abnormal: group.abnormal }))]);
  show();
}

// Thumbnails need films; the button is for who may delete them.
function showFilms({ films, may_forget }) {
  if (!films) find(".thumbnails input").checked = false;
  find(".thumbnails").hidden = !films;
  find(".to-forget").hidden = !may_forget;
}

function options(selector, same, names) {
  const chosen = same ? Math.max(0, find(selector).selectedIndex) : 0;
  find(selector).replaceChildren(...names.map((name, index) => new Option(name, String(index), false, index === chosen)));
}

// What is picked: one reader or all, on all studies or one group of them.
function picked() {
  const { results } = shown;
  const [reader, group] = [find(".reader").selectedIndex, find(".cases").selectedIndex];
  const scope = group > 0 ? results.groups[group - 1] : results;
  const one = reader > 0 ? scope.readers.find((each) => each.reader === results.readers[reader - 1].reader) : scope.everyone;
  return { scope, one, reader: reader > 0 ? results.readers[reader - 1].reader : "" };
}

const figuresOf = (one, series) => (series === "ai" ? one.ai : one.figures[series]);
const marksOf = (one, name) => SERIES.map((series) => ({ series, interval: figuresOf(one, series)?.measures[name] }));

function card(title, drawing, hint, wide) {
  if (!drawing) return null;
  const made = make("section", wide ? "card wide" : "card");
  made.append(make("h2", "", title), drawing);
  if (hint) made.append(make("p", "hint", hint));
  return made;
}

function show() {
  const { results } = shown;
  const { scope, one, reader } = picked();
  const cards = one ? [
    rocCard(scope, one, reader), measuresCard(one), switchesCard(one), differenceCard(one),
    timesCard(scope, reader), agreementCard(results, reader), groupsCard(results, reader, "body part", words.by_part),
    groupsCard(results, reader, "finding", words.by_finding), hitsCard(one), tagsCard(one),
  ] : [];
  const seen = cards.filter(Boolean);
  const columns = make("div", "columns");
  columns.append(...seen.filter((each) => !each.classList.contains("wide")));
  find(".cards").replaceChildren(columns, ...seen.filter((each) => each.classList.contains("wide")));
  if (!seen.length) find(".cards").append(make("p", "hint", words.few));
  const series = SERIES.filter((name) => one && (figuresOf(one, name) || one.times[name]));
  find(".legend").replaceChildren(...series.map((name) => {
    const item = make("li");
    item.append(picture(16, 16, words[name], [sign(name, 8, 8)]), make("span", "", words[name]));
    return item;
  }));
}

function rocCard(scope, one, reader) {
  const points = (reader ? [one] : scope.readers).flatMap((each) => SERIES.slice(0, 2).map((series) => {
    const measures = each.figures[series]?.measures;
    const point = measures && [1 - measures.specificity.value, measures.sensitivity.value];
    return measures && measures.specificity.value !== null && measures.sensitivity.value !== null ? { series, name: each.reader, point } : null;
  })).filter(Boolean);
  const ai = one.ai?.measures;
  if (ai && ai.specificity.value !== null && ai.sensitivity.value !== null) points.push({ series: "ai", name: shown.results.models.join(), point: [1 - ai.specificity.value, ai.sensitivity.value] });
  return points.length ? card(words.roc, roc(one.curves, points, words), words.roc_hint) : null;
}

function measuresCard(one) {
  const rows = (names) => names.map((name) => ({ label: words[name], marks: marksOf(one, name) }));
  const shares = forest(rows(["sensitivity", "specificity", "auroc"]), { label: words.measures });
  const kappa = forest(rows(["cohen_kappa"]), { label: words.cohen_kappa, axes: KAPPAS });
  const box = make("div");
  box.append(...[shares, kappa].filter(Boolean));
  return box.children.length ? card(words.measures, box) : null;
}

function differenceCard(one) {
  if (!one.difference) return null;
  const rows = ["sensitivity", "specificity", "auroc", "cohen_kappa"].map((name) => ({ label: words[name], marks: [{ series: "aided", interval: one.difference[name] }] }));
  return card(words.difference, forest(rows, { axes: CHANGES, label: words.difference }), words.difference_hint);
}

function switchesCard(one) {
  if (!one.switches) return null;
  const counts = one.switches;
  const segments = ["stayed_right", "better", "worse", "stayed_wrong"].map((name) => ({ name, text: words[name], count: counts[name] }));
  const box = make("div");
  const legend = make("ul", "segments");
  legend.append(...segments.map(({ name, text, count }) => {
    const item = make("li", "", text + " " + count);
    item.dataset.segment = name;
    return item;
  }));
  box.append(bar(segments, words.switches), legend);
  const detail = { better: counts.better, found: counts.better_abnormal, worse: counts.worse, lost: counts.worse_abnormal, misled: counts.worse_with_wrong_ai };
  return card(words.switches, box, say("switch_detail", detail));
}

function timesCard(scope, reader) {
  const rows = scope.readers.filter((each) => !reader || each.reader === reader).map((each) => ({
    label: each.reader, boxes: SERIES.filter((series) => each.times[series]).map((series) => ({ series, time: each.times[series] })),
  })).filter((row) => row.boxes.length);
  return rows.length ? card(words.times, boxes(rows, words.times), words.times_hint) : null;
}

function agreementCard(results, reader) {
  const rows = [...results.intra, ...results.inter].filter(({ first, second }) => !reader || reader === first || reader === second).map((pair) => ({
    label: say(pair.first === pair.second ? "with_self" : "with_other", pair), marks: [{ series: pair.condition, interval: pair.kappa.value === null ? null : pair.kappa }],
  }));
  return card(words.agreement, forest(rows, { axes: KAPPAS, label: words.agreement }));
}

function groupsCard(results, reader, kind, title) {
  const groups = results.groups.filter((group) => group.kind === kind);
  if (groups.length < 2 && kind === "body part") return null;
  const box = make("div", "pair");
  for (const name of ["sensitivity", "specificity"]) {
    const rows = groups.map((group) => {
      const one = reader ? group.readers.find((each) => each.reader === reader) : group.everyone;
      return { label: (words[group.name] ?? group.name) + " (" + group.cases + ")", marks: one ? marksOf(one, name) : [] };
    });
    const drawn = forest(rows, { label: title + ", " + words[name] });
    if (drawn) box.append(card(words[name], drawn));
  }
  return box.children.length ? card(title, box, "", true) : null;
}

function hitsCard(one) {
  const marks = SERIES.slice(0, 2).filter((series) => one.marks[series]).map((series) => ({ series, ...one.marks[series] }));
  const boxed = marks.filter((each) => each.boxed);
  const hits = boxed.map(({ series, hit_rate }) => ({ series, interval: hit_rate }));
  if (boxed.length) hits.push({ series: "ai", interval: boxed[0].ai_hit_rate });
  const near = marks.filter((each) => each.compared).map(({ series, near_ai_rate }) => ({ series, interval: near_ai_rate }));
  const rows = [{ label: words.marks_hit, marks: hits }, { label: words.near_ai, marks: near }];
  return card(words.marks, forest(rows, { label: words.marks }), words.marks_hint);
}

function tagsCard(one) {
  const names = [...new Set(Object.values(one.tags).flatMap((tags) => tags.map(({ finding }) => finding)))];
  const rows = names.map((name) => ({ label: words[name], marks: SERIES.slice(0, 2).map((series) => ({ series, interval: one.tags[series]?.find(({ finding }) => finding === name)?.sensitivity })) }));
  return card(words.tags, forest(rows, { label: words.tags }), words.tags_hint);
}

// The file comes as text and goes to the browser's downloads; the server keeps no copy.
function save({ name, type, text }) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function ask(kind) {
  find(".status").textContent = words.preparing;
  trigger("download", { kind, session: shown.session, thumbnails: find(".thumbnails input").checked });
}

find(".csv").addEventListener("click", () => ask("csv"));
find(".report").addEventListener("click", () => ask("report"));
find(".to-forget").addEventListener("click", () => find(".sure-forget").showModal());
find(".no").addEventListener("click", () => find(".sure-forget").close());
find(".yes").addEventListener("click", () => {
  find(".sure-forget").close();
  find(".status").textContent = words.forgetting;
  trigger("forget", {});
});
find(".back").addEventListener("click", () => trigger("back", {}));
for (const name of [".reader", ".cases"]) find(name).addEventListener("change", show);
watch("value", arrive);
arrive();
