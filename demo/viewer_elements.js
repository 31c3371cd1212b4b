// Texts into the elements of the viewer: as textContent, never as HTML.

const put = (selector, text) => { find(selector).textContent = text ?? ""; };

// For a screen reader: what a sighted reader sees happen on the film.
function announce(text) {
  put(".heard", text);
}
