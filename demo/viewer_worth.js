// What the call is worth for the body part on screen: figures of the test split at both operating points.

const worthGroup = (name) => props.worth.groups.find((group) => group.name === name);

// The group that all films belong to: by what the network recognised, else by what the file states. None where a
// film is not to be relied on: what was measured on limb films says nothing of it.
function worthOfStudy() {
  if (state.views.some(({ result }) => result?.grave)) return [null, "unreliable"];
  const found = state.views.map(({ result, stated }) => {
    const recognised = result?.part && worthGroup(result.part);
    return recognised || props.worth.groups.find((group) => group.covers.includes(stated));
  });
  const [first] = found;
  if (!first || found.some((group) => group !== first)) return [props.worth.groups[0], "unknown"];
  return [first, state.views.every(({ result }) => result?.part === first.name) ? "recognised" : "stated"];
}

// Bayes once more: the odds of what a call says go with the odds of what it names.
function atPrevalence(share, from, to) {
  const odds = (share / (1 - share)) * (to / (1 - to)) / (from / (1 - from));
  return share === 1 ? 1 : odds / (1 + odds);
}

function showWorth() {
  find(".worth").hidden = !props.worth;
  if (!props.worth) return;
  const [group, source] = worthOfStudy();
  const choice = find(".worth select");
  choice.replaceChildren(...props.worth.groups.map(({ name, title, studies }) => {
    const option = make("option", "", title + " (" + studies + ")");
    option.value = name;
    return option;
  }));
  if (!group) {
    const none = make("option", "", "–");
    none.value = "";
    choice.prepend(none);
  }
  choice.value = group?.name ?? "";
  put(".worth-source", fill(props.words["worth_" + source], { part: group?.title ?? "" }));
  showWorthFigures();
}

function showWorthFigures() {
  if (!props.worth) return;
  const { words, worth } = props;
  const group = worthGroup(find(".worth select").value);
  if (!group) {
    put(".worth-counted", "");
    return find(".worth-points").replaceChildren();
  }
  const { studies, abnormal } = group;
  const counted = (group.enough ? "worth_counted" : "worth_too_few") + (worth.by_study ? "_studies" : "");
  put(".worth-counted", fill(words[counted], { studies, abnormal, least: worth.least }));
  find(".worth-points").replaceChildren(...(group.enough ? group.points.flatMap(worthPoint) : []));
}

function worthPoint(point) {
  const { words, worth } = props;
  const prevalence = find(".prevalence input").valueAsNumber / 100;
  const possible = prevalence > 0 && prevalence < 1;
  const moved = (values) => values.map((share) => (possible && share !== null ? atPrevalence(share, worth.prevalence, prevalence) : null));
  const cleared = (values) => values.map((share) => (possible && share !== null ? atPrevalence(share, 1 - worth.prevalence, 1 - prevalence) : null));
  const rows = [
    [words.sensitivity, point.sensitivity], [words.specificity, point.specificity],
    [words.ppv, moved(point.ppv)], [words.npv, cleared(point.npv)],
  ];
  const list = make("dl");
  list.append(...rows.flatMap(([term, values]) => [make("dt", "", term), make("dd", "", worthShare(values))]));
  return [make("h4", "", fill(words.worth_point, { threshold: point.value.toFixed(3) })), list];
}

function worthShare([value, low = null, high = null]) {
  if (value === null) return "–";
  const percent = (share) => (100 * share).toFixed(1);
  return percent(value) + " % " + (low === null ? "[–]" : "[" + percent(low) + ", " + percent(high) + "]");
}

function connectWorth() {
  find(".worth select").addEventListener("change", showWorthFigures);
  find(".prevalence input").addEventListener("input", showWorthFigures);
}
