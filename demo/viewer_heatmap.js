// Heatmaps: colours and contour on the fixed scale 0 to 1. The same value looks the same on every film.

const CONTOUR_LEVEL = 0.5;
const RAMP = [[0, [74, 20, 140]], [0.25, [150, 20, 130]], [0.5, [228, 60, 70]], [0.75, [252, 150, 30]], [1, [255, 240, 90]]];

function rampColour(value) {
  const next = Math.max(1, RAMP.findIndex(([stop]) => stop >= value));
  const [[from, low], [to, high]] = [RAMP[next - 1], RAMP[next]];
  const part = (value - from) / (to - from);
  return low.map((channel, index) => Math.round(channel + part * (high[index] - channel)));
}

// Cold places stay clear film; from 0.4 on the colour covers even bright bone.
function rampAlpha(value) {
  const part = Math.min(1, Math.max(0, (value - 0.04) / 0.36));
  return part * part * (3 - 2 * part);
}

async function unpackHeatmap(heatmap) {
  const levels = await unpack(heatmap.data);
  const canvas = newCanvas(heatmap.width, heatmap.height);
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const table = Array.from({ length: 256 }, (_, level) => [...rampColour(level / 255), 255 * rampAlpha(level / 255)]);
  for (let at = 0; at < levels.length; at++) image.data.set(table[levels[at]], at * 4);
  context.putImageData(image, 0, 0);
  return { canvas, contour: contourOf(levels, heatmap.width, heatmap.height, CONTOUR_LEVEL * 255) };
}

// Marching squares on the grid of cell centres; the path is in units of the heatmap's pixels.
function contourOf(levels, width, height, limit) {
  const path = new Path2D();
  const at = (row, column) =>
    row < 0 || column < 0 || row >= height || column >= width ? 0 : levels[row * width + column];
  const between = (first, second) => (limit - first) / (second - first);
  for (let row = -1; row < height; row++) {
    for (let column = -1; column < width; column++) {
      const corners = [at(row, column), at(row, column + 1), at(row + 1, column + 1), at(row + 1, column)];
      const inside = corners.map((level) => level >= limit);
      if (inside.every((one) => one === inside[0])) continue;
      const cuts = [];
      if (inside[0] !== inside[1]) cuts.push([column + between(corners[0], corners[1]), row]);
      if (inside[1] !== inside[2]) cuts.push([column + 1, row + between(corners[1], corners[2])]);
      if (inside[2] !== inside[3]) cuts.push([column + 1 - between(corners[2], corners[3]), row + 1]);
      if (inside[3] !== inside[0]) cuts.push([column, row + 1 - between(corners[3], corners[0])]);
      for (let cut = 0; cut + 1 < cuts.length; cut += 2) {
        path.moveTo(cuts[cut][0] + 0.5, cuts[cut][1] + 0.5);
        path.lineTo(cuts[cut + 1][0] + 0.5, cuts[cut + 1][1] + 0.5);
      }
    }
  }
  return path;
}

// The legend shows what the overlay does to mid-grey bone at the opacity in use.
function drawLegend(canvas, opacity) {
  const context = canvas.getContext("2d");
  for (let row = 0; row < canvas.height; row++) {
    const value = 1 - row / (canvas.height - 1);
    const [red, green, blue] = rampColour(value);
    context.fillStyle = "#808080";
    context.fillRect(0, row, canvas.width, 1);
    context.fillStyle = "rgba(" + [red, green, blue, rampAlpha(value) * opacity].join(",") + ")";
    context.fillRect(0, row, canvas.width, 1);
  }
  context.fillStyle = "#ffffff";
  context.fillRect(0, Math.round((1 - CONTOUR_LEVEL) * canvas.height) - 1, canvas.width, 2);
}
