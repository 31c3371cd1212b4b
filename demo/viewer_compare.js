// What the model sees: each film as it was prepared, in steps, with the probability at each step.

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
