// What every part of the page uses: the report's data, elements, numbers as people read them, what is remembered.
"use strict";
const SF = { data: JSON.parse(document.getElementById("data").textContent) };

/** An element: `el("p.quiet", {title: "x"}, "text", child)`. Properties that start with `on` are listeners. */
SF.el = (name, properties, ...children) => {
  const [tag, ...classes] = name.split(".");
  const made = document.createElement(tag || "div");
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "style") Object.assign(made.style, value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
};

SF.fill = (id, ...children) => document.getElementById(id).replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));

/** A number as people read it: infinite decibels are `exact`. */
SF.number = (value, unit = "") => {
  if (value === null || value === undefined) return "–";
  if (value === "inf") return unit === "dB" ? "exact" : "∞";
  const size = Math.abs(value);
  const digits = unit === "dB" || unit === "%" ? 1 : size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.01 || size === 0 ? 2 : 5;
  return value.toFixed(digits) + (unit && unit !== "share" && unit !== "ratio" ? ` ${SF.units[unit] || unit}` : "");
};
SF.units = { deg: "°", dE00: "ΔE" };

SF.methods = new Map(SF.data.methods.map((method) => [method.id, method]));
SF.shots = new Map(SF.data.shots.map((shot) => [shot.name, shot]));

/** What a method is called: its title, or its letter while the page is blind. */
SF.title = (id) => (SF.blind && SF.blind.on ? SF.blind.letter(id) : SF.methods.get(id).title);
SF.laneTitle = (lane) => {
  const many = SF.data.shots.some((shot) => shot.lanes.filter((other) => other.method === lane.method).length > 1);
  return SF.title(lane.method) + (many ? `, take ${lane.take}` : "");
};

SF.chip = (verdict, more = "") =>
  SF.el(`span.chip.${verdict ? verdict.tone : "none"}`, { title: verdict ? verdict.detail : null }, verdict ? verdict.word : "–", more);

/** Kept in this browser, for this report; a page that may not keep anything still works. */
SF.store = {
  key: (name) => `splatfilm-compare/${SF.data.film.name}/${SF.data.identity}/${name}`,
  read(name, otherwise) {
    try { return JSON.parse(localStorage.getItem(this.key(name))) ?? otherwise; } catch { return otherwise; }
  },
  write(name, value) {
    try { localStorage.setItem(this.key(name), JSON.stringify(value)); } catch { SF.say("This browser keeps nothing for local files: save your notes before you leave."); }
  },
};

SF.save = (name, value) => {
  const link = SF.el("a", { download: name, href: URL.createObjectURL(new Blob([JSON.stringify(value, null, 2)], { type: "application/json" })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};

SF.say = (text) => {
  const toast = document.getElementById("toast");
  toast.textContent = text;
  toast.classList.add("shown");
  clearTimeout(SF.sayTimer);
  SF.sayTimer = setTimeout(() => toast.classList.remove("shown"), 2600);
};

/** One picture of a contact sheet. */
SF.sprite = (shot, row, column, properties = {}) => {
  const rows = shot.lanes.length, columns = shot.sheet.frames.length;
  const style = {
    backgroundImage: `url(${shot.sheet.src})`,
    backgroundSize: `${columns * 100}% ${rows * 100}%`,
    backgroundPosition: `${columns > 1 ? (column / (columns - 1)) * 100 : 0}% ${rows > 1 ? (row / (rows - 1)) * 100 : 0}%`,
    aspectRatio: `${SF.data.film.size[0]} / ${SF.data.film.size[1]}`,
  };
  return SF.el("div.sprite", { role: "img", style, ...properties });
};
SF.laneOf = (shot, method, take) => {
  const own = shot.lanes.findIndex((lane) => lane.method === method && (take === undefined || take === null || lane.take === take));
  return own >= 0 || take === undefined || take === null ? own : shot.lanes.findIndex((lane) => lane.method === method);
};
