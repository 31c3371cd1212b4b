// Dialogs of what the server works out when it is asked. Each names its question in data-asks; the answer comes as
// an event of the document, and is kept while its study is on the screen.

const questions = {};

// Nothing tells the page that an answer will never come, as from a server that started anew: after this long it may
// be asked for again, and what comes late is shown all the same.
const LATE_MS = 60_000;

function connectQuestion(name, show) {
  const dialog = find(`dialog[data-asks=${name}]`);
  const question = { dialog, answer: dialog.querySelector(".answer"), status: dialog.querySelector(".asked"), number: 0, earlier: 0, timer: null };
  questions[name] = question;
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  const told = "mura-answer-" + name;
  document.addEventListener(told, function take({ detail }) {
    if (!element.isConnected) return document.removeEventListener(told, take);
    if (!(detail?.asked > question.earlier)) return;
    // Asked twice and answered once, a refusal of the other adds nothing.
    if (detail.error && question.answer.children.length) return;
    stopWaiting(question);
    tell(question, detail.error);
    question.answer.replaceChildren(...show(detail, question));
  });
}

// Opened again before the answer is there, a dialog goes on waiting for it: asking twice would read the study twice.
function ask(name) {
  const question = questions[name];
  if (!state.verdict || !props.asks || question.dialog.open) return;
  question.dialog.showModal();
  if (question.timer !== null || question.answer.children.length) return;
  tell(question, props.words["asking_" + name]);
  question.timer = setTimeout(() => {
    question.timer = null;
    tell(question, props.words.asking_late);
  }, LATE_MS);
  trigger(name, { asked: ++question.number });
}

function stopWaiting(question) {
  clearTimeout(question.timer);
  question.timer = null;
}

function tell({ status }, text) {
  status.textContent = text;
  delete status.dataset.call;
}

function forgetAnswers() {
  for (const question of Object.values(questions)) {
    question.earlier = question.number;
    stopWaiting(question);
    question.dialog.close();
    tell(question, "");
    question.answer.replaceChildren();
  }
}
