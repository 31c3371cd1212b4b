// The viewer's parts put together: a study arrives, and whatever changes is shown.

connectPanel();
connectInput();
connectFigures();
connectWorth();
connectQuestion("compare", ({ variants }) => variants.map(variantColumn));
connectStability();
document.addEventListener("mura-waiting", showWaiting);
document.addEventListener("mura-set-marks", takeMarks);
watch("value", arrive);
arrive();
