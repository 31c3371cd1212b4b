// Window presets, each from the film's own values at its own bit depth.
//
// A projection radiograph has no Hounsfield units: no fixed window shows bone on every CR or DX film. So the presets
// follow the film's histogram. Its border, where collimation ends, and its darkest value, which padding fills, are left
// out. Otsu's method with two thresholds parts air, soft tissue and dense bone (the values are bone-bright); the top
// 0.2 % above the first threshold are lead letters and metal. Then
//   bone         runs from half-way between the air's median and the first threshold, so that the thin bones of the
//                fingers stay, to that top: the densest bone is not saturated
//   soft tissue  runs from the air's median to a quarter of the way from the second threshold to that top: dense bone
//                saturates, skin and fat planes open up
//   full         is every value of the bit depth
//   stored       is the window that the file asks for, or what the reader of the file chose in its place

const PRESETS = ["stored", "bone", "soft", "full"];
const BINS = 128;
const BORDER = 0.05;

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
  view.histogramWindows ??= histogramWindows(histogram(view.values, view.film, range));
  const [low, high] = view.histogramWindows[name];
  return [(low + high) / 2 + 0.5, Math.max(2, high - low + 1)];
}

function histogram(values, { width, height }, range) {
  const counts = new Float64Array(range);
  const [aside, above] = [Math.floor(BORDER * width), Math.floor(BORDER * height)];
  for (let row = above; row < height - above; row++)
    for (let column = aside; column < width - aside; column++) counts[values[row * width + column]]++;
  counts[counts.findIndex((count) => count > 0)] = 0;
  return counts;
}

function histogramWindows(counts) {
  const [first, second] = twoThresholds(counts);
  const air = percentile(counts, 0, first, 0.5);
  const top = percentile(counts, first, counts.length, 0.998);
  return { bone: [(air + first) / 2, top], soft: [air, second + (top - second) / 4] };
}

// Otsu 1979 for three classes: the thresholds with the most variance between the classes.
function twoThresholds(counts) {
  const step = counts.length / BINS;
  const [sizes, sums] = [new Float64Array(BINS + 1), new Float64Array(BINS + 1)];
  for (let bin = 0; bin < BINS; bin++) {
    const size = counts.subarray(bin * step, (bin + 1) * step).reduce((sum, count) => sum + count, 0);
    [sizes[bin + 1], sums[bin + 1]] = [sizes[bin] + size, sums[bin] + size * bin];
  }
  const spread = (from, to) => (sizes[to] > sizes[from] ? (sums[to] - sums[from]) ** 2 / (sizes[to] - sizes[from]) : 0);
  let [best, found] = [-1, [1, 2]];
  for (let first = 1; first < BINS - 1; first++)
    for (let second = first + 1; second < BINS; second++) {
      const between = spread(0, first) + spread(first, second) + spread(second, BINS);
      if (between > best) [best, found] = [between, [first, second]];
    }
  return found.map((bin) => bin * step);
}

function percentile(counts, from, to, share) {
  let left = share * counts.subarray(from, to).reduce((sum, count) => sum + count, 0);
  for (let value = from; value < to; value++) {
    left -= counts[value];
    if (left <= 0 && counts[value] > 0) return value;
  }
  return Math.max(from, to - 1);
}
