// Films: unpack 8 to 16 bit values, and window them onto a canvas.

async function unpack(base64) {
  const packed = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Undo demo/render.py's encode_film: low and high bytes of the differences to the left neighbour.
async function unpackFilm(film) {
  const bytes = await unpack(film.data);
  const { width, height, planes } = film;
  const count = width * height;
  const values = new Uint16Array(count);
  const mask = planes === 2 ? 0xffff : 0xff;
  for (let row = 0; row < height; row++) {
    let value = 0;
    for (let at = row * width; at < (row + 1) * width; at++) {
      value = (value + bytes[at] + (planes === 2 ? bytes[count + at] << 8 : 0)) & mask;
      values[at] = value;
    }
  }
  return values;
}

function newCanvas(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

// DICOM PS3.3 C.11.2.1.2: the linear window, as a table of ready pixels (little endian ABGR).
function windowTable(bitDepth, centre, width, inverted) {
  const table = new Uint32Array(1 << bitDepth);
  const span = Math.max(width - 1, 1e-6);
  for (let value = 0; value < table.length; value++) {
    const grey = Math.min(1, Math.max(0, (value - (centre - 0.5)) / span + 0.5));
    const level = Math.round(255 * (inverted ? 1 - grey : grey));
    table[value] = 0xff000000 | (level << 16) | (level << 8) | level;
  }
  return table;
}

function drawFilm(canvas, values, table) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let at = 0; at < pixels.length; at++) pixels[at] = table[values[at]];
  context.putImageData(image, 0, 0);
}

function thumbnail(canvas, longest) {
  const scale = longest / Math.max(canvas.width, canvas.height);
  const small = newCanvas(Math.max(1, Math.round(canvas.width * scale)), Math.max(1, Math.round(canvas.height * scale)));
  const context = small.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(canvas, 0, 0, small.width, small.height);
  return small.toDataURL("image/jpeg", 0.85);
}
