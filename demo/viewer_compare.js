// What the model sees: each film as it was prepared, in steps, with the probability at each step. The server
// works it out when it is asked; the answer comes as an event of the document.

let questions = 0;

function connectComparison() {
  find(".compared .close").addEventListener("click", () => find("dialog.compared").close());
  document.addEventListener("mura-compared", showComparison);
}

// The answer for a study is kept while the study is on screen.
function askComparison() {
  const dialog = find("dialog.compared");
  if (!state.verdict || !props.comparing || dialog.open) return;
  dialog.showModal();
  if (find(".variants").children.length) return;
  put(".compare-status", props.words.comparing);
  trigger("compare", { asked: ++questions });
}

function forgetComparison() {
  questions++;
  find("dialog.compared").close();
  find(".variants").replaceChildren();
}

function showComparison({ detail }) {
  if (!element.isConnected) return document.removeEventListener("mura-compared", showComparison);
  if (detail?.asked !== questions) return;
  put(".compare-status", detail.error);
  find(".variants").replaceChildren(...detail.variants.map(variantColumn));
}

function variantColumn(variant) {
  const column = make("section", "variant");
  const call = make("p", "study-call", variant.symbol + " " + variant.probability_text + " " + variant.word);
  call.dataset.call = variant.call;
  column.classList.toggle("released", variant.released);
  column.append(make("h3", "", variant.title), make("p", "released-note", variant.note), call);
  column.append(...variant.views.map((view) => {
    const [figure, picture, caption] = [make("figure"), make("img"), make("figcaption", "", view.caption)];
    Object.assign(picture, { src: view.picture, alt: view.alt });
    caption.dataset.call = view.call;
    figure.append(picture, caption);
    return figure;
  }));
  return column;
}
