// What every component of our own begins with. Texts are set as textContent, never as HTML.
const find = (selector) => element.querySelector(selector);

function make(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}
