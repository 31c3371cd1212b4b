// Dialogs of what the server works out when it is asked. Each names its question in data-asks; the answer comes as
// an event of the document, and is kept while its study is on the screen.

const questions = {};

// A server that started anew never answers what it was asked before.
const LOST_MS = 300_000;

function connectQuestion(name, show) {
  const dialog = find(`dialog[data-asks=${name}]`);
  const question = { dialog, answer: dialog.querySelector(".answer"), status: dialog.querySelector(".asked"), number: 0, since: null };
  questions[name] = question;
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  const told = "mura-answer-" + name;
  document.addEventListener(told, function take({ detail }) {
    if (!element.isConnected) return document.removeEventListener(told, take);
    if (detail?.asked !== question.number) return;
    question.since = null;
    tell(question, detail.error);
    question.answer.replaceChildren(...show(detail, question));
  });
}

// Opened again before the answer is there, a dialog goes on waiting for it: asking twice would read the study twice.
function ask(name) {
  const question = questions[name];
  if (!state.verdict || !props.asks || question.dialog.open) return;
  question.dialog.showModal();
  const pending = question.since !== null && Date.now() - question.since < LOST_MS;
  if (pending || question.answer.children.length) return;
  tell(question, props.words["asking_" + name]);
  question.since = Date.now();
  trigger(name, { asked: ++question.number });
}

function tell({ status }, text) {
  status.textContent = text;
  delete status.dataset.call;
}

function forgetAnswers() {
  for (const question of Object.values(questions)) {
    question.number++;
    question.since = null;
    question.dialog.close();
    tell(question, "");
    question.answer.replaceChildren();
  }
}
