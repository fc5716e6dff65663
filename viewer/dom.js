// Making elements. Text goes in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

export function el(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "disabled" || key === "open") node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// What is under a pointer that is down stays there until it is up: else a button that is drawn anew loses its click.
let pressed = null;
const later = new Map();
window.addEventListener("pointerdown", (event) => { pressed = event.target; }, true);
for (const end of ["pointerup", "pointercancel"])
  window.addEventListener(end, () => {
    pressed = null;
    setTimeout(() => { const all = [...later.values()]; later.clear(); for (const draw of all) draw(); });
  }, true);

export function heldDown(root, draw) {
  if (!pressed || !root.contains(pressed)) return false;
  later.set(root, draw);
  return true;
}
