// The state of the page, its keys, its address, and which part is shown.
"use strict";

SF.VIEWS = { overview: ["Overview", "O"], viewer: ["Shots", "V"], cuts: ["Cuts", "C"], sheets: ["Contact sheets", "H"], numbers: ["Numbers", "M"], notes: ["Notes", "J"], about: ["About", "U"] };

(() => {
  const { data } = SF, first = data.shots[0];
  const kinds = (wanted) => data.methods.find((method) => wanted.includes(method.kind) && SF.laneOf(first, method.id) >= 0);
  const other = kinds(["closed", "open"]) || kinds(["mini"]) || data.methods.find((method) => method.id === "nearest") || data.methods[0];
  const lane = (id) => ({ method: id, take: (first.lanes[SF.laneOf(first, id)] || first.lanes[0]).take });
  SF.state = { view: "overview", shot: first.name, frame: 0, mode: "wipe", side: "a", a: lane("ours"), b: lane(other.id), gain: 2, threshold: 2, offset: 0, cut: Math.max(0, data.cuts.findIndex((cut) => cut.telling)) };
})();

/** Change the state and show it; what cannot be is brought into range. */
SF.change = (changes) => {
  const before = SF.state.shot;
  Object.assign(SF.state, changes);
  const shot = SF.shots.get(SF.state.shot);
  if (SF.state.shot !== before) SF.stage.play(false);
  SF.state.frame = Math.min(shot.count - 1, Math.max(0, SF.state.frame));
  for (const side of ["a", "b"]) {
    const place = SF.laneOf(shot, SF.state[side].method, SF.state[side].take);
    const found = shot.lanes[Math.max(0, place)];
    SF.state[side] = { method: found.method, take: found.take };
  }
  SF.show();
};

SF.show = () => {
  const { view } = SF.state;
  for (const name of Object.keys(SF.VIEWS)) document.getElementById(name).hidden = name !== view;
  for (const button of document.querySelectorAll("#bar nav button")) button.setAttribute("aria-current", button.dataset.view === view);
  document.getElementById("blind").setAttribute("aria-pressed", SF.blind.on);
  SF[view].show();
  history.replaceState(null, "", SF.address());
};

SF.address = () => {
  const { view, shot, frame, mode, a, b, cut, offset } = SF.state;
  const words = view === "viewer" ? { shot, a: a.method, b: b.method, f: SF.shots.get(shot).first + frame, mode } : view === "overview" ? { view, cut } : { view };
  if (view === "viewer") {
    if (SF.shots.get(shot).lanes.filter((lane) => lane.method === b.method).length > 1) words.tb = b.take;
    if (SF.shots.get(shot).lanes.filter((lane) => lane.method === a.method).length > 1) words.ta = a.take;
    if (offset) words.offset = offset;
  }
  return `#${new URLSearchParams(words)}`;
};

/** `#shot=020&a=ours&b=mini&f=37&mode=wipe`: f is a scene frame, or counts from 0 when the shot has no such frame. */
SF.follow = () => {
  const words = new URLSearchParams(location.hash.slice(1)), changes = {};
  if (SF.VIEWS[words.get("view")]) changes.view = words.get("view");
  if (words.has("cut")) changes.cut = Math.min(Math.max(0, SF.data.cuts.length - 1), Math.max(0, Number(words.get("cut")) || 0));
  const shot = SF.shots.get(words.get("shot"));
  if (shot) {
    const asked = Number(words.get("f")) || 0;
    Object.assign(changes, { view: "viewer", shot: shot.name, frame: asked >= shot.first && asked <= shot.last ? asked - shot.first : asked });
  }
  if (SF.MODES[words.get("mode")]) changes.mode = words.get("mode");
  if (words.has("offset")) changes.offset = Math.sign(Number(words.get("offset")) || 0);
  for (const side of ["a", "b"]) if (SF.methods.has(words.get(side))) changes[side] = { method: words.get(side), take: words.has(`t${side}`) ? Number(words.get(`t${side}`)) : null };
  SF.change(changes);
};

SF.step = (by) => { SF.stage.play(false); SF.change({ frame: SF.state.frame + by }); };
SF.turn = (by) => {
  if (SF.state.view === "overview") return SF.change({ cut: (SF.state.cut + by + SF.data.cuts.length) % Math.max(1, SF.data.cuts.length) });
  const place = SF.data.shots.findIndex((shot) => shot.name === SF.state.shot);
  return SF.change({ shot: SF.data.shots[(place + by + SF.data.shots.length) % SF.data.shots.length].name, frame: 0 });
};
SF.other = (by) => {
  const shot = SF.shots.get(SF.state.shot), place = SF.stage.lane(shot, "b"), lane = shot.lanes[(place + by + shot.lanes.length) % shot.lanes.length];
  SF.change({ b: { method: lane.method, take: lane.take } });
};
SF.setBlind = () => { SF.blind.on = !SF.blind.on; SF.say(SF.blind.on ? "Blind: methods have letters. Vote with 3 (A), 4 (B), 5 (no difference)." : "Names are back."); SF.change({}); };

SF.KEYS = [
  ["Look", [["Space", "Play or stop", () => SF.stage.play(), " "], ["←  →", "One frame", null], ["Home  End", "First, last frame", null], ["[  ]", "Shot or cut before, after", null], ["1  2", "Show A, show B", null], ["↑  ↓", "Another B", null]]],
  ["Compare", [["W", "Wipe", () => SF.change({ mode: "wipe" })], ["S", "Side by side", () => SF.change({ mode: "side" })], ["D", "Difference", () => SF.change({ mode: "diff" })], ["F", "Flick between A and B", () => SF.change({ mode: "flick", side: SF.state.side === "a" ? "b" : "a" })], ["X", "Swap A and B", () => SF.change({ a: SF.state.b, b: SF.state.a })], ["+  −", "Gain of the difference", null], ["9  0", "Threshold of the difference", null], [",  .", "B one frame earlier, later", null]]],
  ["Pages", Object.entries(SF.VIEWS).map(([view, [title, key]]) => [key, title, () => SF.change({ view })])],
  ["Judge", [["B", "Blind mode", SF.setBlind], ["3  4  5", "Vote A, B, no difference", null], ["N", "Note on this frame", () => SF.notes.write()], ["?", "These keys", () => document.getElementById("help").showModal()]]],
];

SF.pressed = (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== "range" || document.querySelector("dialog[open]")) return;
  const many = {
    ArrowLeft: () => SF.step(event.shiftKey ? -10 : -1), ArrowRight: () => SF.step(event.shiftKey ? 10 : 1), Home: () => SF.step(-1e6), End: () => SF.step(1e6),
    "[": () => SF.turn(-1), "]": () => SF.turn(1), ArrowUp: () => SF.other(-1), ArrowDown: () => SF.other(1),
    1: () => SF.change({ mode: "flick", side: "a" }), 2: () => SF.change({ mode: "flick", side: "b" }), 3: () => SF.blind.vote("a"), 4: () => SF.blind.vote("b"), 5: () => SF.blind.vote("same"),
    "+": () => SF.change({ mode: "diff", gain: Math.min(64, SF.state.gain * 2) }), "=": () => SF.change({ mode: "diff", gain: Math.min(64, SF.state.gain * 2) }), "-": () => SF.change({ mode: "diff", gain: Math.max(1, SF.state.gain / 2) }),
    9: () => SF.change({ mode: "diff", threshold: Math.max(0, SF.state.threshold - 1) }), 0: () => SF.change({ mode: "diff", threshold: Math.min(64, SF.state.threshold + 1) }),
    ",": () => SF.change({ offset: Math.max(-1, SF.state.offset - 1) }), ".": () => SF.change({ offset: Math.min(1, SF.state.offset + 1) }),
  };
  const viewing = SF.state.view === "viewer", paging = ["[", "]"];
  const entry = SF.KEYS.flatMap(([, keys]) => keys).find(([key, , action, code]) => action && (code || key.toLowerCase()) === event.key.toLowerCase());
  if (many[event.key] && (viewing || paging.includes(event.key))) many[event.key]();
  else if (entry && (viewing || !SF.KEYS[1][1].includes(entry) && entry[0] !== "Space" && entry[0] !== "N")) entry[2]();
  else return;
  event.preventDefault();
};

SF.start = () => {
  const { film } = SF.data;
  SF.fill("bar", SF.el("h1", {}, film.title, SF.el("i", {}, "continuity, compared")),
    SF.el("nav", { "aria-label": "Pages" }, Object.entries(SF.VIEWS).map(([view, [title, key]]) => SF.el("button", { "data-view": view, title: `${title} (${key})`, onclick: () => SF.change({ view }) }, title))),
    SF.el("span.space"), SF.el("button", { id: "blind", title: "Hide which method is which (B)", onclick: SF.setBlind }, "Blind"), SF.el("button", { title: "The keys (?)", onclick: () => document.getElementById("help").showModal() }, "?"));
  SF.fill("keys", SF.KEYS.map(([title, keys]) => [SF.el("h3", {}, title), keys.map(([key, words]) => SF.el("div", {}, SF.el("span", {}, words), SF.el("kbd", {}, key)))]).flat(2));
  SF.viewer.build();
  addEventListener("keydown", SF.pressed);
  addEventListener("hashchange", SF.follow);
  SF.follow();
};
SF.start();
