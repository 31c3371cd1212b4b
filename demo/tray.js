// The list of files that wait for the analysis. Names are untrusted: textContent only, never a template.
function line(parts) {
  const item = document.createElement("li");
  for (const [tag, name, text] of parts) {
    const part = document.createElement(tag);
    part.className = name;
    part.textContent = text;
    item.append(part);
  }
  return item;
}

function showTray() {
  const { files = [], refused = [] } = props.value || {};
  element.querySelector(".files").replaceChildren(...files.map((file, index) => {
    const item = line([["span", "name", file.name], ["span", "size", file.size], ["button", "remove", "×"]]);
    item.querySelector(".name").title = file.name;
    const button = item.querySelector("button");
    button.type = "button";
    button.setAttribute("aria-label", props.words.remove.replace("{name}", () => file.name));
    button.addEventListener("click", () => trigger("remove", { index }));
    return item;
  }));
  element.querySelector(".refused").replaceChildren(
    ...refused.map((file) => line([["strong", "", file.name + ": "], ["span", "", file.reason]])),
  );
}

watch("value", showTray);
showTray();
