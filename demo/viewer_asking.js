// Dialogs of what the server works out when it is asked. Each names its question in data-asks; the answer comes as
// an event of the document, and is kept while its study is on the screen.

const questions = {};

function connectQuestion(name, show) {
  const dialog = find(`dialog[data-asks=${name}]`);
  const question = { dialog, answer: dialog.querySelector(".answer"), status: dialog.querySelector(".asked"), number: 0 };
  questions[name] = question;
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  const told = "mura-answer-" + name;
  document.addEventListener(told, function take({ detail }) {
    if (!element.isConnected) return document.removeEventListener(told, take);
    if (detail?.asked !== question.number) return;
    tell(question, detail.error);
    question.answer.replaceChildren(...show(detail, question));
  });
}

function ask(name) {
  const { dialog, answer } = questions[name];
  if (!state.verdict || !props.asks || dialog.open) return;
  dialog.showModal();
  if (answer.children.length) return;
  tell(questions[name], props.words["asking_" + name]);
  trigger(name, { asked: ++questions[name].number });
}

function tell({ status }, text) {
  status.textContent = text;
  delete status.dataset.call;
}

function forgetAnswers() {
  for (const question of Object.values(questions)) {
    question.number++;
    question.dialog.close();
    tell(question, "");
    question.answer.replaceChildren();
  }
}
