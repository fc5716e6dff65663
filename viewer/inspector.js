// The right side: body and lens, camera and aim, rig, coverage, continuity. It shows the state and asks for edits.

import { command, tip } from "./commands.js";
import { el, heldDown } from "./dom.js";
import * as output from "./output.js";

const open = new Set(["Lens", "Camera", "Rig", "Coverage", "Continuity"]);

export function draw(studio, root) {
  if (heldDown(root, () => draw(studio, root))) return;
  if (root.contains(document.activeElement) && /INPUT|SELECT/.test(document.activeElement.tagName)) {
    document.activeElement.addEventListener("blur", () => setTimeout(() => draw(studio, root)), { once: true });
    return; // nobody's typing is taken from under them
  }
  const shot = studio.shot, parts = [problems(studio)];
  if (shot?.lens) parts.push(lens(studio, shot), camera(studio, shot), rig(studio, shot), coverage(studio, shot), look(studio, shot));
  parts.push(guides(studio), continuity(studio), output.takes(studio, section), output.renders(studio, section));
  root.replaceChildren(...parts.filter(Boolean));
}

function section(title, ...rows) {
  const box = el("details", { open: open.has(title) }, el("summary", {}, title), ...rows);
  box.addEventListener("toggle", () => (box.open ? open.add(title) : open.delete(title)));
  return box;
}

function row(name, ...controls) {
  const id = `field-${name.replaceAll(/\W+/g, "-").toLowerCase()}`;
  if (controls.length === 1) controls[0].id = id;
  return el("div", { class: "row" }, el("label", { for: controls.length === 1 ? id : undefined }, name), controls.length === 1 ? controls[0] : el("div", { class: "trio" }, ...controls));
}

function number(value, change, more = {}) {
  const shown = value === null || value === undefined ? "" : String(Math.round(value * 1e4) / 1e4);
  const field = el("input", { type: "text", inputmode: "decimal", value: shown, ...more });
  field.addEventListener("change", () => {
    const text = field.value.trim().replace(",", ".");
    if (text === "" && more.empty) return change(null);
    if (text === "" || !Number.isFinite(Number(text))) { field.value = shown; return; }
    change(Number(text));
  });
  field.addEventListener("keydown", (event) => { if (event.key === "Enter") field.blur(); });
  return field;
}

function lens(studio, shot) {
  const set = (changes) => studio.edit("set-lens", { changes });
  const now = shot.hud[studio.frame - shot.first];
  const rigged = Boolean(shot.rig);
  const focal = (mm) => (rigged ? studio.edit("set-rig", { rig: { ...shot.rig, focal_mm: [mm, mm] } }) : set({ focal_mm: mm }));
  const same = (b) => b.filmback_mm[0] === shot.lens.filmback_mm[0] && b.filmback_mm[1] === shot.lens.filmback_mm[1];
  const bodies = el("select", { onchange: (e) => {
    const b = studio.tables.bodies.find((one) => one.name === e.target.value);
    e.target.blur();
    if (b) set({ filmback_mm: b.filmback_mm, squeeze: b.squeeze });
  } }, el("option", { value: "" }, `${shot.lens.filmback_mm.join(" × ")} mm`), ...studio.tables.bodies.map((b) => el("option", { value: b.name }, b.title)));
  bodies.value = studio.tables.bodies.find(same)?.name ?? "";
  const primes = el("div", { class: "chips" }, ...studio.tables.primes.map((mm) => el("button", { "aria-pressed": String(Math.abs(now[7] - mm) < 0.01), onclick: () => focal(mm) }, String(mm))));
  const stops = el("select", { onchange: (e) => { e.target.blur(); set({ t_stop: e.target.value ? Number(e.target.value) : null }); } },
    el("option", { value: "" }, "all sharp"), ...[...new Set([...studio.tables.t_stops, shot.lens.t_stop])].filter(Boolean).sort((a, b) => a - b).map((t) => el("option", { value: String(t) }, `T${t}`)));
  stops.value = shot.lens.t_stop ? String(shot.lens.t_stop) : "";
  const wide = (2 * Math.atan(shot.recorded_mm[0] / 2 / now[7]) * 180) / Math.PI;
  return section("Lens", row("Body", bodies), primes, row("Focal mm", number(now[7], focal)), row("T-stop", stops),
    row("Focus m", number(now[8], (m) => set({ focus_m: m }), { empty: true, placeholder: "none" })), row("Focus on", focusing(studio, shot)),
    row("Shutter °", number(shot.optics.shutter_angle, (angle) => studio.edit("set-optics", { shutter_angle: angle }), { title: "180° blurs what moves for half a frame; 0° freezes it" })),
    row("Blur", el("button", { "aria-pressed": String(shot.optics.depth_of_field), title: "Depth of field, as the T-stop and the focus give it", onclick: () => studio.edit("set-optics", { depth_of_field: !shot.optics.depth_of_field }) }, shot.optics.depth_of_field ? "as the T-stop says" : "all sharp")),
    el("div", { class: "quiet" }, `${wide.toFixed(1)}° wide, ${shot.recorded_mm.map((x) => x.toFixed(2)).join(" × ")} mm recorded`));
}

function focusing(studio, shot) {
  const cast = studio.state.scenes[shot.scene]?.cast ?? [], people = studio.state.scenes[shot.scene]?.people ?? [];
  const box = el("select", { onchange: (e) => {
    const who = e.target.value;
    e.target.blur();
    if (who === " click") studio.armFocus();
    else if (who) studio.edit("track-focus", { subject: who, height: people.includes(who) ? 1.6 : 0.1 });
  } }, el("option", { value: "" }, "…"), el("option", { value: " click" }, "what I click (Z)"), ...cast.map((who) => el("option", { value: who }, `follow ${who}`)));
  box.value = "";
  return box;
}

function camera(studio, shot) {
  const now = shot.hud[studio.frame - shot.first];
  const place = (axis) => number(now[axis], (value) => {
    const position = [...studio.newest(`position ${shot.name} ${studio.frame}`, () => studio.shot.hud[studio.frame - studio.shot.first].slice(0, 3))];
    position[axis] = value;
    studio.hold(`position ${shot.name} ${studio.frame}`, position);
    studio.edit("set-key", { frame: studio.frame, position });
  }, { "aria-label": `Position ${"xyz"[axis]}`, disabled: Boolean(shot.rig) });
  const aim = [0, 1, 2].map((axis) => number(studio.aim[axis], (v) => (studio.aim[axis] = v), { "aria-label": `Aim ${"xyz"[axis]}` }));
  const frame = [0, 1].map((axis) => number(studio.aimPlace[axis], (v) => (studio.aimPlace[axis] = v), { "aria-label": `Aim place ${"xy"[axis]}` }));
  const easing = el("select", { disabled: !studio.chosen.size, onchange: (e) => { e.target.blur(); studio.edit("set-easing", { frames: [...studio.chosen], easing: e.target.value }); } },
    ...["", "smooth", "linear", "hold", "ease-in", "ease-out", "ease-in-out"].map((name) => el("option", { value: name }, name || "choose keys first")));
  const speed = el("select", { disabled: Boolean(shot.rig), onchange: (e) => { e.target.blur(); studio.edit("set-speed", { speed: e.target.value }); } },
    el("option", { value: "keyed" }, "as keyed"), el("option", { value: "constant" }, "constant"));
  speed.value = shot.speed;
  return section("Camera", row("Position m", place(0), place(1), place(2)),
    row("Roll °", number(now[5], (v) => studio.edit("set-key", { frame: studio.frame, roll: v }), { disabled: Boolean(shot.rig) })),
    row("Aim at", ...aim), row("at place", ...frame),
    el("div", { class: "chips" }, el("button", { title: "All keys of the shot look there", onclick: () => studio.edit("aim", { point: studio.aim, place: studio.aimPlace }), disabled: Boolean(shot.rig) }, "Aim"),
      el("button", { title: "A key here looks there, in the middle of the frame", onclick: () => studio.edit("set-key", { frame: studio.frame, look_at: studio.aim }), disabled: Boolean(shot.rig) }, "Aim here")),
    row("Easing", easing), row("Speed", speed));
}

function rig(studio, shot) {
  const start = el("div", { class: "chips" }, ...studio.tables.rigs.map((kind) => el("button", { onclick: () => studio.ask({ do: "start-rig", shot: shot.name, kind }) }, kind)));
  if (!shot.rig) return section("Rig", el("div", { class: "quiet" }, "On keys. Start a rig from the first frame:"), start);
  const change = (rig) => studio.edit("set-rig", { rig });
  return section("Rig", start, ...fields(shot.rig, [], (path, value) => change(studio.hold(`rig ${shot.name}`, replaced(studio.newest(`rig ${shot.name}`, () => studio.shot.rig), path, value)))),
    el("button", { onclick: () => studio.edit("rig-to-keys", {}) }, "Make keys of it"));
}

// One field a value of the rig, whatever kind of rig it is.
function fields(value, path, change) {
  const rows = [];
  for (const [name, item] of Object.entries(value)) {
    const here = [...path, name];
    if (name === "kind") continue;
    if (Array.isArray(item) && item.every((one) => typeof one === "number"))
      rows.push(row(name.replaceAll("_", " "), ...item.map((one, i) => number(one, (v) => change([...here, i], v), { "aria-label": `${here.join(" ")} ${i + 1}` }))));
    else if (typeof item === "number") rows.push(row(name.replaceAll("_", " "), number(item, (v) => change(here, v))));
    else if (typeof item === "boolean") rows.push(row(name.replaceAll("_", " "), el("button", { "aria-pressed": String(item), onclick: () => change(here, !item) }, item ? "on" : "off")));
    else if (typeof item === "string") rows.push(row(name.replaceAll("_", " "), el("input", { value: item, onchange: (e) => change(here, e.target.value) })));
    else if (item && !Array.isArray(item)) rows.push(el("div", { class: "quiet" }, `${name}${item.kind ? `: ${item.kind}` : ""}`), ...fields(item, here, change));
  }
  return rows;
}

function replaced(value, [step, ...rest], item) {
  const copy = Array.isArray(value) ? [...value] : { ...value };
  copy[step] = rest.length ? replaced(value[step], rest, item) : item;
  return copy;
}

// Which set-ups there are between two, Python knows; the answer is kept by pair.
function setupsOf(studio, shot, a, b) {
  const key = [studio.state.revision, shot.scene, a, b].join(" ");
  if (studio.setups?.key === key) return studio.setups.names;
  const names = studio.setups?.names ?? [];
  if (studio.setups?.asked !== key) {
    studio.setups = { ...studio.setups, asked: key };
    studio.ask({ do: "set-ups", shot: shot.name, a, b }).then((answer) => {
      studio.setups = { key, asked: key, names: answer.setups ?? [] };
      draw(studio, document.getElementById("inspector"));
    });
  }
  return names;
}

function coverage(studio, shot) {
  const scene = studio.state.scenes[shot.scene];
  if (!scene || scene.cast.length < 2) return null;
  const pick = studio.cover, cast = [...scene.people, ...scene.cast.filter((who) => !scene.people.includes(who))];
  if (!cast.includes(pick.a) || !cast.includes(pick.b) || pick.a === pick.b) [pick.a, pick.b] = cast;
  const select = (key, values) => {
    const box = el("select", { onchange: (e) => { pick[key] = e.target.value; e.target.blur(); draw(studio, document.getElementById("inspector")); } }, ...values.map((v) => el("option", { value: v }, v)));
    if (!values.includes(pick[key])) pick[key] = values[0];
    box.value = pick[key] ?? "";
    return box;
  };
  const setups = setupsOf(studio, shot, pick.a, pick.b);
  return section("Coverage", row("Line from", select("a", cast.filter((who) => who !== pick.b))), row("Line to", select("b", cast.filter((who) => who !== pick.a))),
    row("Side", select("side", ["left", "right"])), row("Set-up", select("setup", setups)),
    el("button", { disabled: !setups.length, onclick: () => studio.ask({ do: "cover", shot: shot.name, ...pick }) }, "Put the camera there"));
}

// How frames are refined once they are rendered: the picture here is the bare render.
function look(studio, shot) {
  const box = el("select", { title: "What splatfilm make and splatfilm refine do to rendered frames", onchange: (e) => { const name = e.target.value; e.target.blur(); studio.edit("set-look", { look: name }); } },
    ...["", ...studio.tables.looks].map((name) => el("option", { value: name }, name || "as the film says")));
  box.value = shot.ownLook ?? "";
  return section("Look", row("Refined as", box), el("div", { class: "quiet" }, `Now ${shot.look}. The picture shows the bare render; the look comes with splatfilm make.`));
}

function guides(studio) {
  return section("Guides", el("div", { class: "chips" }, ...["thirds", "safe", "centre", "scope", "clean"].map((id) => {
    const one = command(id);
    return el("button", { "aria-pressed": String(studio.guides[id]), title: tip(one), onclick: () => one.run(studio) }, one.title.replace(/ \(.*/, ""));
  })));
}

function continuity(studio) {
  const all = studio.state.notes;
  return section("Continuity", ...(all.length ? all.map((note) => el("button", { class: "note", onclick: () => studio.show(note.shot, note.frame) },
    `${note.before ? `${note.before} → ${note.shot}` : `${note.shot} @ ${note.frame}`}: ${note.message}`)) : [el("div", { class: "quiet" }, "Nothing to remark.")]));
}

function problems(studio) {
  const found = studio.state.problems;
  if (!found.length) return null;
  open.add("Problems");
  return section("Problems", ...found.map((p) => el("div", { class: "note bad" }, `${p.file}:${p.line} ${p.place ? `${p.place}: ` : ""}${p.message}`)));
}
