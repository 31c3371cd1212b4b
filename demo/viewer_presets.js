// Window presets, each from the film's own values at its own bit depth.
//
// A projection radiograph has no Hounsfield units: no fixed window shows bone on every CR or DX film. So the
// presets follow the film's histogram. Otsu's threshold parts the limb from the air around it (the values are
// bone-bright, air is dark); the darkest value, which collimation and padding fill, and the top 0.2 % of the limb
// (lead letters, metal) are left out. Of the limb's values
//   bone         shows from the 35th percentile to the top: soft tissue sinks, the cortex and trabeculae open up
//   soft tissue  shows from the air's 50th percentile to the limb's 60th: bone saturates, skin and fat planes open up
//   full         shows every value of the bit depth
//   stored       is the window that the file asks for, or what the reader of the file chose in its place

const PRESETS = ["stored", "bone", "soft", "full"];

function usePreset(view, name) {
  const [centre, width] = presetWindow(view, name);
  setWindow(view, centre, width);
}

function nextPreset(view) {
  usePreset(view, PRESETS[(PRESETS.indexOf(presetOf(view)) + 1) % PRESETS.length]);
}

// Which preset the view's window is, if any.
function presetOf(view) {
  return PRESETS.find((name) => {
    const [centre, width] = presetWindow(view, name);
    return Math.abs(centre - view.windowCentre) < 0.01 && Math.abs(width - view.windowWidth) < 0.01;
  });
}

function presetWindow(view, name) {
  const range = 1 << view.film.bit_depth;
  if (name === "stored") return [view.film.centre, view.film.window_width];
  if (name === "full") return [range / 2, range];
  view.histogramWindows ??= histogramWindows(view.values, range);
  const [low, high] = view.histogramWindows[name];
  return [(low + high) / 2 + 0.5, Math.max(2, high - low + 1)];
}

function histogramWindows(values, range) {
  const counts = new Float64Array(range);
  for (const value of values) counts[value]++;
  counts[counts.findIndex((count) => count > 0)] = 0;
  const split = otsu(counts);
  const air = percentile(counts, 0, split, 0.5);
  const limb = (share) => percentile(counts, split, range, share);
  return { bone: [limb(0.35), limb(0.998)], soft: [Math.min(air, limb(0.6) - 1), limb(0.6)] };
}

// Otsu 1979: the threshold that leaves the least variance within the two sides.
function otsu(counts) {
  let [total, sum] = [0, 0];
  for (const [value, count] of counts.entries()) [total, sum] = [total + count, sum + count * value];
  let [below, sumBelow, best, split] = [0, 0, -1, 0];
  for (const [value, count] of counts.entries()) {
    [below, sumBelow] = [below + count, sumBelow + count * value];
    if (below === 0 || below === total) continue;
    const between = (sum * (below / total) - sumBelow) ** 2 / (below * (total - below));
    if (between > best) [best, split] = [between, value + 1];
  }
  return split;
}

function percentile(counts, from, to, share) {
  let left = share * counts.subarray(from, to).reduce((sum, count) => sum + count, 0);
  for (let value = from; value < to; value++) {
    left -= counts[value];
    if (left <= 0 && counts[value] > 0) return value;
  }
  return Math.max(from, to - 1);
}
