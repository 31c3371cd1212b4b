// The button that hands the open study's DICOM results to the browser. They come as text in an event's answer
// and become a file on this side alone: nothing of the study is written to the server's disk.
const section = element.querySelector("section");
const button = element.querySelector("button");
const note = element.querySelector("p");

function say(text, alert = false) {
  note.textContent = text;
  note.classList.toggle("alert", alert);
}

function showStudy() {
  const { state = "none", reason = "" } = props.value || {};
  section.hidden = state === "none";
  button.disabled = state !== "ready";
  say(state === "ready" ? props.words.note : reason);
}

async function save({ name, data }) {
  const bytes = new Blob([Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))], { type: "application/zip" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(bytes);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

button.addEventListener("click", () => {
  button.disabled = true;
  say(props.words.making);
  trigger("results", {});
});

document.addEventListener("mura-results", async ({ detail }) => {
  if (!detail) return;
  button.disabled = false;
  if (detail.error) return say(detail.error, true);
  await save(detail);
  say(props.words.saved.replace("{name}", () => detail.name));
  trigger("taken", {});
});

watch("value", showStudy);
showStudy();
