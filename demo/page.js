// Says in the page's language what Gradio takes from the app's one title or from the browser, or has in English alone.
({ language, title, drop }) => {
  const name = () => {
    for (const input of document.querySelectorAll("input[data-testid=file-upload]")) {
      const field = input.closest("button");
      for (const named of [input, field]) named?.setAttribute("aria-label", drop);
      const prompt = field?.querySelector(".wrap");
      if (prompt) prompt.dataset.prompt = drop;
    }
  };
  document.documentElement.lang = language;
  document.title = title;
  name();
  // An upload field is drawn anew after each upload.
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
}
