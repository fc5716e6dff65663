// Pure functions: time, gates and scales. No page, no network; tested by node.

export const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

// The largest box of the picture's shape inside another.
export function fit(width, height, aspect) {
  return width / height > aspect ? { width: height * aspect, height } : { width, height: width / aspect };
}

// The bars that leave `wanted` of a picture of shape `aspect`: [x, y, w, h] in parts of it, empty where none are needed.
export function mask(aspect, wanted) {
  if (!wanted || Math.abs(wanted / aspect - 1) < 0.005) return [];
  if (wanted > aspect) {
    const bar = (1 - aspect / wanted) / 2;
    return [[0, 0, 1, bar], [0, 1 - bar, 1, bar]];
  }
  const bar = (1 - wanted / aspect) / 2;
  return [[0, 0, bar, 1], [1 - bar, 0, bar, 1]];
}

// Ticks of a ruler: a step of 1, 2, 5 times a power of ten that is at least `least` pixels wide.
export function ruler(first, last, pixels, least = 60) {
  const per = pixels / Math.max(1, last - first);
  let step = 1;
  for (const factor of [2, 2.5, 2]) for (;;) { if (step * per >= least) break; step = next(step); }
  const ticks = [];
  for (let frame = Math.ceil(first / step) * step; frame <= last; frame += step) ticks.push(frame);
  return ticks;
}
function next(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  return step / power < 2 ? 2 * power : step / power < 5 ? 5 * power : 10 * power;
}

// Which frame of a shot is due after some seconds of playing, going round.
export function due(start, seconds, speed, rate, first, last) {
  const length = last - first + 1;
  const gone = Math.floor(seconds * rate * speed);
  return first + ((((start - first + gone) % length) + length) % length);
}

export function seconds(frame, first, rate) {
  const gone = frame - first, whole = Math.floor(gone / rate);
  return `${whole}:${String(Math.round(gone - whole * rate)).padStart(2, "0")}`;
}

// A key press as the command table spells it.
export function pressed(event) {
  const name = { " ": "Space", ArrowLeft: "Left", ArrowRight: "Right", ArrowUp: "Up", ArrowDown: "Down" }[event.key] ?? event.key;
  const key = name.length === 1 ? name.toUpperCase() : name;
  const letter = /^[A-Z]$/.test(key);
  const marks = [event.ctrlKey || event.metaKey ? "Ctrl" : "", event.altKey ? "Alt" : "", event.shiftKey && (letter || key.length > 1) ? "Shift" : ""];
  return [...marks.filter(Boolean), key].join("+");
}
