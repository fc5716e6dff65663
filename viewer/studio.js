// The studio's page. It shows what Python says and asks Python for changes: it never interpolates a camera, and the
// picture in the middle is the renderer's.

import { COMMANDS, byKey, command, tip } from "./commands.js";
import { el, heldDown, svg } from "./dom.js";
import * as inspector from "./inspector.js";
import * as output from "./output.js";
import * as palette from "./palette.js";
import { clamp, due, fit, mask, pressed } from "./numbers.js";
import { Timeline } from "./timeline.js";
import { Wire } from "./wire.js";

const MOVING_WIDTH = 640; // pixels of the picture while something moves
const SETTLE_MS = 160; // after which the full picture is asked for
const PATIENCE_MS = 1000; // after which the page says that a picture is on its way
const $ = (id) => document.getElementById(id);

class Studio {
  state = null; tables = null; frame = 0; speed = 0; name = null;
  chosen = new Set(); aim = [0, 0, 1]; aimPlace = [0.5, 0.5]; cover = { a: "", b: "", side: "left", setup: "" };
  guides = { thirds: true, safe: false, centre: false, scope: false, clean: false };
  seen = null; flying = false; due = false; thumbs = new Map(); gesture = 0; trouble = "";
  works = []; takes = {}; held = new Map(); view = "picture"; cut = false;

  constructor() {
    this.timeline = new Timeline(this, $("timeline"));
    this.wire = new Wire({
      open: () => { this.flying = false; this.reopened = true; this.say(""); },
      closed: () => { this.flying = false; this.say("Connection lost. Trying again; nothing is forgotten."); },
      tables: (tables) => { this.tables = tables; },
      works: ({ works }) => output.worked(this, works),
      takes: ({ takes }) => { this.takes = takes; inspector.draw(this, $("inspector")); },
      choose: ({ shot, frame }) => { if (shot !== this.name || frame !== null) this.show(shot, frame ?? undefined); },
      toast: ({ text }) => this.toast(text),
      state: (state) => this.take(state),
      moving: (moving) => this.move(moving),
      notes: ({ notes }) => { this.state.notes = notes; inspector.draw(this, $("inspector")); },
      picture: (header, bytes) => this.picture(header, bytes),
      unseen: (header) => { this.trouble = header.problem; this.arrived(header); },
      refused: (message) => this.toast(message.error),
    });
    this.buttons();
    new ResizeObserver(() => this.layout()).observe($("stage"));
    document.addEventListener("keydown", (event) => this.key(event));
    this.mouse();
    $("file").addEventListener("change", () => this.importCamera($("file")));
  }

  get shot() { return this.state?.shots.find((one) => one.name === this.name) ?? null; }
  ask(message) { return this.wire.ask(message); }
  edit(name, values, group) { return this.shot && this.ask({ do: "edit", command: name, values: { shot: this.name, ...values }, ...(group ? { group } : {}) }); }

  // What was typed into one field and is on its way counts for the next one: numbers that are sent together.
  newest(what, known) { return this.held.get(what) ?? known(); }
  hold(what, value) { this.held.set(what, value); return value; }

  // ---- the state arrives ------------------------------------------------------------------------------------------

  take(state) {
    const news = this.reopened || this.state?.revision !== state.revision;
    this.reopened = false;
    this.state = state;
    if (!this.wire.waiting.size) this.held.clear();
    if (!this.shot) this.name = state.shots[0]?.name ?? null;
    if (this.shot) {
      this.frame = clamp(this.frame, this.shot.first, this.shot.last);
      const frames = new Set((this.shot.keys ?? []).map((key) => key.frame));
      this.chosen = new Set([...this.chosen].filter((frame) => frames.has(frame)));
    }
    document.title = `${state.dirty ? "• " : ""}${state.title} – Splatfilm studio`;
    this.hud();
    if (news) { this.look(); this.settle(); }
    if (!this.asked) { this.asked = true; output.refreshTakes(this); this.turnOverview(localStorage.getItem("splatfilm-view") ?? "picture"); }
    clearTimeout(this.drawing); // while a hand is moving the camera, the picture comes first
    const wait = 250 - (performance.now() - (this.drawn ?? -1e9));
    if (wait <= 0) this.draw();
    else this.drawing = setTimeout(() => this.draw(), wait);
  }

  // A hand moves a camera: of the state only this is new until it rests.
  move({ revision, shot, frame, row, undo }) {
    const one = this.state.shots.find((each) => each.name === shot);
    Object.assign(this.state, { revision, undo, redo: null, dirty: true });
    if (one?.hud) one.hud[frame - one.first] = row;
    this.hud();
    this.look();
    this.settle();
  }

  draw() {
    this.drawn = performance.now();
    const { state, shot } = this;
    $("title").textContent = state.title;
    $("where").textContent = shot ? `${shot.scene} ▸ ${shot.name}${state.dirty ? " · not saved" : ""}${state.conflict.length ? ` · changed on disk: ${state.conflict.join(", ")}` : ""}` : "no shot";
    for (const [id, label] of [["undo", state.undo], ["redo", state.redo]]) {
      $(`button-${id}`).disabled = !label;
      $(`button-${id}`).title = label ? `${command(id).title}: ${label} (${command(id).keys[0]})` : tip(command(id));
    }
    $("button-save").disabled = !state.dirty;
    this.bin();
    inspector.draw(this, $("inspector"));
    this.timeline.draw();
    this.layout();
    this.hud();
  }

  bin() {
    if (heldDown($("shots"), () => this.bin())) return;
    if ($("shots").querySelector("input")) return; // a name is being typed; it is drawn when that is over
    const wanted = this.state.shots.map((shot) => {
      if (!this.thumbs.has(shot.name)) this.thumbs.set(shot.name, { canvas: el("canvas", { width: 16, height: 9 }), key: "" });
      const { canvas } = this.thumbs.get(shot.name);
      return el("button", { class: `shot${shot.problem ? " broken" : ""}`, "aria-current": String(shot.name === this.name), title: shot.problem ?? "", onclick: () => this.show(shot.name) },
        canvas, el("span", {}, shot.name, el("i", {}, `${shot.last - shot.first + 1} f`)));
    });
    $("shots").replaceChildren(...wanted);
  }

  // Pictures of shots that changed, asked for when nothing moves.
  pictures() {
    for (const shot of this.state.shots) {
      const known = this.thumbs.get(shot.name), key = JSON.stringify([shot.hud?.[0], shot.scene, shot.first]);
      if (!shot.hud || !known || known.key === key) continue;
      known.key = key;
      this.ask({ do: "look", shot: shot.name, frame: shot.first, width: 160, slot: `thumb-${shot.name}` });
    }
  }

  // The overview follows what is looked at, ten times a second at most.
  watch() {
    if (this.view === "picture" || this.watching) return;
    this.watching = setTimeout(() => { this.watching = null; if (this.shot) this.ask({ do: "watch", shot: this.name, frame: this.frame }); }, 100);
  }

  show(name, frame) {
    this.play(0);
    this.name = name;
    this.chosen.clear();
    this.frame = clamp(frame ?? this.shot.first, this.shot.first, this.shot.last);
    this.unwipe();
    this.watch();
    this.draw();
    this.look();
    this.settle();
  }

  step(by) {
    const at = this.state.shots.indexOf(this.shot), next = this.state.shots[at + by];
    if (next) this.show(next.name);
  }

  // ---- the picture -----------------------------------------------------------------------------------------------

  // One picture is on its way at a time; a full one is given up when something moves again.
  look(exact = false) {
    if (!this.shot?.hud) return;
    if (this.flying && (exact || this.flying === "moving")) { this.due = exact ? "exact" : this.due || "moving"; return; }
    this.flying = exact ? "exact" : "moving";
    this.due = false;
    this.patience();
    this.ask({ do: "look", shot: this.name, frame: this.frame, width: MOVING_WIDTH, exact });
  }

  settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => { if (!this.speed) { this.look(true); this.pictures(); } }, SETTLE_MS);
  }

  async picture(header, bytes) {
    const image = await createImageBitmap(new Blob([bytes]), { colorSpaceConversion: "none" });
    if (header.slot.startsWith("take-")) return this.wipe(header, image);
    const thumb = header.slot.startsWith("thumb-");
    const canvas = thumb ? this.thumbs.get(header.shot)?.canvas : $("picture");
    if (canvas && (thumb || header.shot === this.name)) {
      canvas.width = image.width;
      canvas.height = image.height;
      canvas.getContext("2d").drawImage(image, 0, 0);
      if (!thumb) { this.seen = { ...header, width: image.width, height: image.height }; this.trouble = ""; this.pictured?.(header); }
    }
    this.arrived(header);
  }

  // A renderer that takes its time is seen to.
  patience() {
    const since = performance.now();
    clearTimeout(this.patient);
    const tell = () => {
      if (!this.flying) return;
      $("busy").textContent = `Rendering, ${Math.round((performance.now() - since) / 1000)} s`;
      $("busy").hidden = false;
      this.patient = setTimeout(tell, 1000);
    };
    this.patient = setTimeout(tell, PATIENCE_MS);
  }

  // What a key press would show next is rendered while hands rest.
  neighbours() {
    const { name, frame, shot } = this, near = [frame + 1, frame - 1].filter((one) => one >= shot.first && one <= shot.last);
    if (!this.speed) this.ask({ do: "ahead", frames: near.map((one) => [name, one]), width: MOVING_WIDTH });
  }

  arrived(header) {
    if (header.slot.startsWith("thumb-")) return;
    if (header.exact && this.flying === "moving") return; // it was done before it could be given up
    this.flying = false;
    clearTimeout(this.patient);
    $("busy").hidden = true;
    this.looks = (this.looks ?? 0) + 1;
    this.say("");
    if (this.due) this.look(this.due === "exact");
    else if (header.exact && this.shot) this.neighbours();
  }

  say(line) { $("message").textContent = line || this.trouble; $("picture").style.opacity = line || this.trouble ? 0.25 : 1; }

  layout() {
    if (!this.state) return;
    const [w, h] = this.state.size, room = $("stage");
    const across = this.view === "both" ? room.clientWidth * 0.52 : room.clientWidth;
    const box = fit(across - 24, room.clientHeight - 24, w / h);
    Object.assign($("gate").style, { width: `${Math.floor(box.width)}px`, height: `${Math.floor(box.height)}px` });
    $("gate").classList.toggle("clean", this.guides.clean);
    const W = 1000, H = (1000 * h) / w, parts = [];
    if (this.guides.scope) parts.push(...mask(w / h, 2.39).map(([x, y, a, b]) => svg("rect", { class: "mask", x: x * W, y: y * H, width: a * W, height: b * H })));
    if (this.guides.thirds) for (const i of [1 / 3, 2 / 3]) parts.push(svg("path", { d: `M${i * W} 0V${H}M0 ${i * H}H${W}`, opacity: 0.5 }));
    if (this.guides.safe) for (const part of [0.93, 0.9]) parts.push(svg("rect", { x: ((1 - part) / 2) * W, y: ((1 - part) / 2) * H, width: part * W, height: part * H }));
    if (this.guides.centre) parts.push(svg("path", { d: `M${W / 2 - 20} ${H / 2}h40M${W / 2} ${H / 2 - 20}v40` }));
    $("guides").setAttribute("viewBox", `0 0 ${W} ${H}`);
    $("guides").replaceChildren(...parts);
  }

  hud() {
    const { shot, frame } = this;
    $("timecode").textContent = shot ? String(frame) : "";
    const now = shot?.hud?.[frame - shot.first];
    if (!now) { $("hud").replaceChildren(); if (shot?.problem) this.say(shot.problem); return; }
    const [, , z, heading, tilt, roll, speed, focal, focus] = now;
    const items = [[shot.name, ""], [focal.toFixed(focal % 1 ? 1 : 0), "mm"], [shot.lens.t_stop ? `T${shot.lens.t_stop}` : "sharp", ""], [focus ? focus.toFixed(2) : "–", "m focus"], [z.toFixed(2), "m high"],
      [heading.toFixed(1), "° pan"], [tilt.toFixed(1), "° tilt"], [roll.toFixed(1), "° roll"], [speed.toFixed(2), "m/s"]];
    $("hud").replaceChildren(...items.map(([value, unit]) => el("span", {}, el("b", {}, value), unit && !unit.startsWith("°") ? ` ${unit}` : unit)));
  }

  // ---- time ------------------------------------------------------------------------------------------------------

  go(frame, moving = false) {
    if (!this.shot) return;
    const to = clamp(frame, this.shot.first, this.shot.last);
    if (to === this.frame) return;
    this.frame = to;
    this.watch();
    this.timeline.move();
    this.hud();
    this.look();
    if (!moving && !this.speed) { this.settle(); inspector.draw(this, $("inspector")); }
  }

  play(speed) {
    this.speed = clamp(speed, -8, 8);
    this.begun = { at: performance.now(), frame: this.frame };
    $("button-play").setAttribute("aria-pressed", String(Boolean(this.speed)));
    clearTimeout(this.ticking);
    if (!this.speed) this.cut = false;
    if (this.speed) { this.soon(); this.tick(); }
    else if (this.shot) { this.settle(); this.state && inspector.draw(this, $("inspector")); }
  }

  tick() {
    const { shot, begun } = this;
    if (!this.speed || !shot) return;
    if (this.cut) return this.tickCut();
    this.go(due(begun.frame, (performance.now() - begun.at) / 1000, this.speed, this.state.rate, shot.first, shot.last), true);
    this.ticking = setTimeout(() => this.tick(), 1000 / this.state.rate / 2);
  }

  // The frames that come next are rendered while there is nothing else to do.
  soon() {
    const frames = [];
    if (this.cut) {
      const { order, at } = this.cutPlace();
      for (let i = 1; i <= 48 && at + i < order.length; i += 1) frames.push(order[at + i]);
    } else for (let i = 1; i <= 36; i += 1) frames.push([this.name, due(this.frame, i / this.state.rate, this.speed, this.state.rate, this.shot.first, this.shot.last)]);
    this.ask({ do: "ahead", frames, width: MOVING_WIDTH });
    clearTimeout(this.sooner);
    if (this.speed) this.sooner = setTimeout(() => this.speed && this.soon(), 1000);
  }

  // The cut as [shot, frame] pairs, and where in it the playhead stands.
  cutPlace() {
    const order = this.state.shots.filter((one) => one.hud).flatMap((one) => Array.from({ length: one.last - one.first + 1 }, (_, i) => [one.name, one.first + i]));
    return { order, at: Math.max(0, order.findIndex(([name, frame]) => name === this.name && frame === this.frame)) };
  }

  playCut() {
    if (this.cut) return this.play(0);
    const { order, at } = this.cutPlace();
    this.play(0);
    if (!order.length) return;
    this.cut = true;
    this.cutBegun = { at: performance.now(), place: at === order.length - 1 ? 0 : at };
    this.speed = 1;
    $("button-play").setAttribute("aria-pressed", "true");
    this.soon();
    this.tickCut();
  }

  tickCut() {
    const { order } = this.cutPlace(), gone = Math.floor(((performance.now() - this.cutBegun.at) / 1000) * this.state.rate);
    const place = this.cutBegun.place + gone;
    if (place >= order.length) return this.play(0);
    const [name, frame] = order[place];
    if (name !== this.name) { this.name = name; this.frame = frame; this.chosen.clear(); this.bin(); this.timeline.draw(); this.hud(); this.look(); this.watch(); }
    else this.go(frame, true);
    this.ticking = setTimeout(() => this.tick(), 1000 / this.state.rate / 2);
  }

  toKey(direction) {
    const frames = (this.shot?.keys ?? []).map((key) => key.frame).filter((f) => (direction < 0 ? f < this.frame : f > this.frame));
    if (frames.length) this.go(direction < 0 ? Math.max(...frames) : Math.min(...frames));
  }

  toMarker(direction) {
    const frames = (this.shot?.markers ?? []).map((marker) => marker.frame).filter((f) => (direction < 0 ? f < this.frame : f > this.frame));
    if (frames.length) this.go(direction < 0 ? Math.max(...frames) : Math.min(...frames));
  }

  choose(frames) { this.chosen = new Set(frames); this.timeline.draw(); inspector.draw(this, $("inspector")); }

  async moveKeys(by, copy = false) {
    const frames = [...this.chosen];
    if (!frames.length) return;
    const answer = await this.edit("move-keys", { frames, by, copy });
    if (answer.ok) this.choose(frames.map((frame) => frame + by).filter((frame) => this.shot.keys.some((key) => key.frame === frame)));
    else this.timeline.draw();
  }

  // The chosen keys spread about one of them, so that `frame` comes to stand `by` frames later.
  async scaleKeys(frame, about, by) {
    const frames = [...this.chosen], factor = (frame + by - about) / (frame - about);
    const answer = await this.edit("scale-keys", { frames, factor, about });
    if (answer.ok) this.choose(frames.map((one) => Math.round(about + (one - about) * factor)).filter((one) => this.shot.keys.some((key) => key.frame === one)));
    else this.timeline.draw();
  }

  // ---- shots -----------------------------------------------------------------------------------------------------

  freeName() {
    const taken = new Set(this.state.shots.map((one) => one.name)), start = parseInt(this.name, 10) || 0;
    for (let number = start + 5; ; number += 5) {
      const name = String(number).padStart(3, "0");
      if (!taken.has(name)) return name;
    }
  }

  async duplicate() {
    const name = this.freeName();
    if ((await this.edit("duplicate-shot", { name }))?.ok) this.show(name);
  }

  add() { output.askShot(this); }
  rename() {
    const button = document.querySelector(".shot[aria-current=true] span");
    const field = el("input", { value: this.name, "aria-label": "Shot name" }), old = this.name;
    const done = async () => { field.remove(); if (field.value !== old && (await this.edit("rename-shot", { name: field.value }))?.ok) this.show(field.value); else this.bin(); };
    field.addEventListener("blur", done, { once: true });
    field.addEventListener("keydown", (e) => { e.stopPropagation(); if (e.key === "Escape") field.value = old; if (e.key === "Enter" || e.key === "Escape") field.blur(); });
    field.addEventListener("click", (e) => e.stopPropagation());
    button.replaceChildren(field);
    field.select();
  }

  // ---- output, focus, overview: in output.js and overview.js --------------------------------------------------------

  still() { return output.still(this); }
  render(shots) { return output.render(this, shots); }
  output(what) { return output.make(this, what); }
  exportCamera(kind) { return output.exportCamera(this, kind); }
  importCamera(field) { return output.importCamera(this, field); }
  compare(take) { return output.compare(this, take); }
  wipe(header, image) { output.wipe(this, header, image); }
  unwipe() { $("wipe").hidden = true; }
  armFocus() { this.focusing = true; $("gate").classList.add("focusing"); }
  turnOverview(to) {
    const views = ["picture", "both", "overview", "inset"];
    this.view = this.tables?.overview === false ? "picture" : views.includes(to) ? to : views[(views.indexOf(this.view) + 1) % views.length];
    localStorage.setItem("splatfilm-view", this.view);
    const box = $("overview"), wanted = this.view !== "picture";
    $("stage").className = this.view;
    box.hidden = !wanted;
    if (wanted && !box.firstChild) {
      const frame = el("iframe", { title: "3D overview", src: `/overview?websocket=ws://${location.host}/overview-socket` });
      frame.addEventListener("load", () => frame.contentWindow.addEventListener("pointerup", () => $("stage").focus())); // keys stay the studio's
      box.append(frame);
    }
    if (!wanted) box.replaceChildren(); // what is not seen costs nothing
    this.layout();
    this.watch();
  }

  reorder(by) { this.edit("move-shot", { to: this.state.shots.indexOf(this.shot) + by }); }
  toggle(name) { this.guides[name] = !this.guides[name]; this.layout(); inspector.draw(this, $("inspector")); }

  // ---- hands -----------------------------------------------------------------------------------------------------

  key(event) {
    if (document.querySelector("dialog[open]") || /INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) return;
    if (event.key === " " && event.target.tagName === "BUTTON") event.target.blur();
    const one = byKey.get(pressed(event));
    if (!one || !this.state) return;
    event.preventDefault();
    one.run(this);
  }

  // A gesture is one undo step. Moves add up while an answer is on its way, so the wire never fills.
  nudge(move, group) {
    this.moved ??= {};
    for (const [key, value] of Object.entries(move)) this.moved[key] = (this.moved[key] ?? 0) + value;
    if (this.nudging) return;
    this.nudging = true;
    const send = async () => {
      while (this.moved) {
        const now = this.moved;
        this.moved = null;
        const answer = await this.edit("nudge", { frame: this.frame, ...now }, group);
        if (!answer?.ok) this.moved = null;
      }
      this.nudging = false;
    };
    send();
  }

  mouse() {
    const gate = $("gate");
    gate.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.shot?.hud) return;
      if (this.focusing) {
        const box = gate.getBoundingClientRect();
        this.focusing = false;
        gate.classList.remove("focusing");
        this.ask({ do: "focus-at", shot: this.name, frame: this.frame, x: clamp((event.clientX - box.left) / box.width, 0, 1), y: clamp((event.clientY - box.top) / box.height, 0, 1) });
        return;
      }
      this.unwipe();
      this.play(0);
      gate.setPointerCapture(event.pointerId);
      const group = `drag-${crypto.randomUUID()}`, now = this.shot.hud[this.frame - this.shot.first];
      const wide = (2 * Math.atan(this.shot.recorded_mm[0] / 2 / now[7]) * 180) / Math.PI, per = 1 / gate.clientWidth;
      const distance = now[8] ?? 3;
      const move = (e) => {
        const x = e.movementX * per, y = e.movementY * per;
        if (e.shiftKey) this.nudge({ truck: -x * distance, pedestal: y * distance }, group);
        else if (e.ctrlKey) this.nudge({ roll: x * 90 }, group);
        else this.nudge({ pan: -x * wide, tilt: y * wide }, group);
      };
      const up = () => { gate.removeEventListener("pointermove", move); gate.removeEventListener("pointerup", up); };
      gate.addEventListener("pointermove", move);
      gate.addEventListener("pointerup", up);
    });
    gate.addEventListener("wheel", (event) => {
      if (!this.shot?.hud) return;
      event.preventDefault();
      if (performance.now() - (this.wheeled ?? 0) > 600) this.gesture += 1;
      this.wheeled = performance.now();
      const group = `wheel-${this.gesture}-${this.name}`, by = -Math.sign(event.deltaY), now = this.shot.hud[this.frame - this.shot.first];
      if (event.ctrlKey) this.edit("set-lens", { changes: { focal_mm: Math.round(now[7] * 1.04 ** by * 10) / 10 } }, group);
      else if (event.altKey) this.edit("set-lens", { changes: { focus_m: Math.max(0.1, (now[8] ?? 3) * 1.05 ** by) } }, group);
      else this.nudge({ dolly: by * 0.05 * (now[8] ?? 3) }, group);
    }, { passive: false });
  }

  buttons() {
    const make = (id) => {
      const one = command(id), node = el("button", { class: "icon", id: `button-${id}`, title: tip(one), "aria-label": one.title, onclick: () => this.state && one.run(this) });
      node.innerHTML = one.icon; // from our own table
      return node;
    };
    $("transport").append(...["first", "previous-frame", "play", "next-frame", "last", "set-key"].map(make));
    $("tools").append(...["animatic", "overview", "undo", "redo", "save"].map(make));
  }

  toast(text) {
    $("toast").textContent = text;
    $("toast").classList.add("shown");
    clearTimeout(this.toasting);
    this.toasting = setTimeout(() => $("toast").classList.remove("shown"), 6000);
  }

  openPalette() { palette.openPalette(this); }
  openKeys() { palette.openKeys(); }
}

const studio = new Studio();

// What tests wait for: state, never time.
window.__sf = {
  get frame() { return studio.frame; },
  get shot() { return studio.name; },
  get revision() { return studio.state?.revision ?? -1; },
  get state() { return studio.state; },
  get seen() { return studio.seen; },
  get painted() { return [...studio.thumbs.values()].every((one) => one.canvas.width > 16); }, // every shot has its picture
  get works() { return studio.works; },
  get view() { return studio.view; },
  get cut() { return Boolean(studio.cut); },
  get takes() { return studio.takes; },
  drop() { studio.wire.socket.close(); },
  get looks() { return studio.looks ?? 0; },
  set pictured(heard) { studio.pictured = heard; },
  get still() { return Boolean(studio.seen?.exact && studio.seen.revision === studio.state.revision && studio.seen.frame === studio.frame && studio.seen.shot === studio.name && !studio.flying); },
  commands: COMMANDS.map(({ id, title, keys, group }) => ({ id, title, keys, group })),
};
