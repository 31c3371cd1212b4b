// Texts on the page whose contrast is below WCAG AA, 4.5 to 1. Disabled controls are exempt there too.
() => {
  const channels = (text) => text.match(/[\d.]+/g).map(Number);
  const blend = ([r, g, b, alpha = 1], under) => [r, g, b].map((value, index) => alpha * value + (1 - alpha) * under[index]);
  const light = (colour) => {
    const [red, green, blue] = colour.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (element) => {
    if (!element) return [0, 0, 0];
    return blend(channels(getComputedStyle(element).backgroundColor), ground(element.parentElement));
  };
  const owns = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    if (!owns(element) || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (element.closest(":disabled, script, style, noscript")) continue;
    const under = ground(element);
    const [text, back] = [light(blend(channels(getComputedStyle(element).color), under)), light(under)];
    const ratio = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
    if (ratio < 4.5) low.push(ratio.toFixed(2) + " " + element.textContent.trim().slice(0, 40));
  }
  return low;
}
