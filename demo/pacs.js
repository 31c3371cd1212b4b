// The archive's card. Names and descriptions come from the archive and go in as text alone.
const form = element.querySelector("form");
const list = element.querySelector("ul");
const said = element.querySelector(".said");
const storing = element.querySelector(".store");
const store = storing.querySelector("button");
let chosen = "";

function say(text, alert = false) {
  said.textContent = text;
  said.classList.toggle("alert", alert);
}

function line({ uid, what, who }) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  const patient = document.createElement("span");
  button.type = "button";
  button.textContent = what;
  patient.textContent = who;
  button.append(patient);
  button.setAttribute("aria-current", uid === chosen);
  button.addEventListener("click", () => {
    chosen = uid;
    show(props.value);
    busy(props.words.fetching);
    trigger("fetch", { uid });
  });
  item.append(button);
  return item;
}

function busy(text) {
  say(text);
  element.querySelectorAll("button").forEach((button) => (button.disabled = true));
}

function show(value) {
  const { studies = [], note = "", alert = false, storable = false } = value || {};
  element.querySelectorAll("button").forEach((button) => (button.disabled = false));
  list.replaceChildren(...studies.map(line));
  storing.hidden = !storable;
  say(note, alert);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  busy(props.words.searching);
  trigger("search", Object.fromEntries(new FormData(form)));
});

store.addEventListener("click", () => {
  busy(props.words.storing);
  trigger("store", {});
});

watch("value", () => show(props.value));
show(props.value);
