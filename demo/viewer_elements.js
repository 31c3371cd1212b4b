// Elements of the viewer. Texts from files are set as textContent, never as HTML.

const find = (selector) => element.querySelector(selector);
const put = (selector, text) => { find(selector).textContent = text ?? ""; };

function make(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

// For a screen reader: what a sighted reader sees happen on the film.
function announce(text) {
  put(".heard", text);
}
