// Commands by their words, and the sheet of all keys.

import { COMMANDS, MOUSE } from "./commands.js";
import { el } from "./dom.js";
import { clamp } from "./numbers.js";

const $ = (id) => document.getElementById(id);

export function openPalette(studio) {
  const find = $("find"), list = $("found");
  let at = 0, shown = [];
  const draw = () => {
    const words = find.value.toLowerCase().split(/\s+/);
    shown = COMMANDS.filter((one) => words.every((word) => `${one.group} ${one.title}`.toLowerCase().includes(word)));
    at = clamp(at, 0, Math.max(0, shown.length - 1));
    list.replaceChildren(...shown.map((one, i) => el("li", { "aria-selected": String(i === at), onclick: () => take(one) }, one.title, el("kbd", {}, one.keys[0] ?? ""))));
  };
  const take = (one) => { $("palette").close(); one?.run(studio); };
  find.oninput = () => { at = 0; draw(); };
  find.onkeydown = (e) => {
    if (e.key === "ArrowDown" || e.key === "ArrowUp") { e.preventDefault(); at += e.key === "ArrowDown" ? 1 : -1; draw(); }
    if (e.key === "Enter") take(shown[at]);
  };
  find.value = "";
  draw();
  $("palette").showModal();
}

export function openKeys() {
  const groups = [...new Set(COMMANDS.map((one) => one.group))];
  const line = (text, keys) => el("div", {}, text, el("kbd", {}, keys));
  $("keys").replaceChildren(...groups.flatMap((group) => [el("h3", {}, group), ...COMMANDS.filter((one) => one.group === group && one.keys.length).map((one) => line(one.title, one.keys.join("  ")))]),
    el("h3", {}, "In the look-through"), ...MOUSE.map(([hand, what]) => line(what, hand)));
  $("keys").showModal();
}
