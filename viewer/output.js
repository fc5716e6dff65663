// What leaves the studio, and new shots: takes, renders, stills, boards, camera files. It shows and asks; Python decides.

import { el } from "./dom.js";

const $ = (id) => document.getElementById(id);

export async function refreshTakes(studio) {
  const answer = await studio.ask({ do: "takes" });
  if (answer.ok) studio.takes = answer.takes;
}

export function worked(studio, works) {
  const over = (list) => list.filter((one) => ["done", "failed"].includes(one.state)).length;
  const news = over(works) !== over(studio.works);
  studio.works = works;
  for (const bar of document.querySelectorAll(".work")) {
    const one = works.find((work) => String(work.number) === bar.dataset.number);
    if (one && bar.dataset.state === one.state) { fill(bar, one); } else { news || redraw(studio); break; }
  }
  if (news || works.length !== document.querySelectorAll(".work").length) refreshTakes(studio).then(() => redraw(studio));
}

function redraw(studio) { if (studio.state) studio.draw(); }

function fill(bar, one) {
  const left = one.seconds_left === null ? "" : `, ${Math.ceil(one.seconds_left)} s left`;
  bar.querySelector("span").textContent = `${one.shot}: ${one.state}${one.total ? ` ${one.done}/${one.total}` : ""}${one.state === "running" ? left : ""} ${one.state === "running" ? "" : one.note}`;
  const progress = bar.querySelector("progress");
  progress.max = one.total || 1;
  progress.value = one.state === "done" ? progress.max : one.done;
}

export function renders(studio, section) {
  const button = (title, run) => el("button", { onclick: run }, title);
  const works = studio.works.slice(-6).map((one) => {
    const bar = el("div", { class: "work", "data-number": String(one.number), "data-state": one.state }, el("span", {}), el("progress", {}));
    fill(bar, one);
    return bar;
  });
  const busy = studio.works.some((one) => ["waiting", "running"].includes(one.state));
  return section("Output", el("div", { class: "chips" }, button("Still", () => studio.still()), button("Render shot", () => studio.render([studio.name])),
    button("Render all", () => studio.render(studio.state.shots.map((one) => one.name))), button("Circled", () => studio.render("circled")),
    button("Storyboard", () => studio.output("storyboard")), button("Shot list", () => studio.output("shot-list")),
    button("Import camera", () => $("file").click()), button("Export camera", () => studio.exportCamera("splatfilm"))),
    ...works, busy ? el("button", { onclick: () => studio.ask({ do: "cancel" }) }, "Cancel") : null);
}

export function takes(studio, section) {
  const all = studio.takes[studio.name] ?? [];
  const line = (take) => el("div", { class: "take" }, el("span", { title: take.problem ?? "" }, take.problem ? `${take.name}: ${take.problem}` : `${take.name}  ${take.frames} f${take.finished ? "" : ", unfinished"}`),
    take.frames ? el("button", { onclick: () => studio.compare(take.number) }, "Compare") : null,
    take.finished ? el("button", { "aria-pressed": String(take.circled), "aria-label": `Circle ${take.name}`, onclick: () => studio.ask({ do: "circle", shot: studio.name, take: take.circled ? null : take.number }) }, "◯") : null);
  return section("Takes", ...(all.length ? all.map(line) : [el("div", { class: "quiet" }, "Not rendered yet.")]));
}

export async function still(studio) {
  const answer = await studio.ask({ do: "still", shot: studio.name, frame: studio.frame });
  if (answer.ok) studio.toast(`Still: ${answer.file}`);
}

export async function render(studio, shots) {
  if (studio.state.dirty && !(await studio.ask({ do: "save" })).ok) return;
  await studio.ask({ do: "render", shots });
}

export async function make(studio, what) {
  const answer = await studio.ask({ do: what });
  if (answer.ok) studio.toast((answer.files ?? [answer.file]).join("  "));
}

export async function exportCamera(studio, kind) {
  const answer = await studio.ask({ do: "export", shot: studio.name, kind });
  if (!answer.ok) return;
  const link = el("a", { href: URL.createObjectURL(new Blob([answer.text], { type: "application/json" })), download: answer.name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

export async function importCamera(studio, field) {
  const [file] = field.files;
  field.value = "";
  if (!file) return;
  if (file.size > 900000) { studio.toast(`${file.name} is too large for a camera file`); return; }
  await studio.ask({ do: "import", shot: studio.name, text: await file.text() });
}

// The left half of the picture is the take's, the right half what the camera sees now.
export async function compare(studio, number) {
  if (!$("wipe").hidden && number === undefined) { $("wipe").hidden = true; return; }
  const all = (studio.takes[studio.name] ?? []).filter((take) => take.frames), take = number ?? all.at(-1)?.number;
  if (take === undefined) { studio.toast("There is no take of this shot to compare with"); return; }
  await studio.ask({ do: "take-picture", shot: studio.name, take, frame: studio.frame });
}

export function wipe(studio, header, image) {
  if (header.shot !== studio.name) return;
  const canvas = $("wipe");
  canvas.width = image.width;
  canvas.height = image.height;
  const pen = canvas.getContext("2d"), half = Math.round(image.width / 2);
  pen.drawImage(image, 0, 0, half, image.height, 0, 0, half, image.height);
  pen.fillStyle = "#e8b04b";
  pen.fillRect(half - 1, 0, 2, image.height);
  canvas.hidden = false;
}

// A new shot: its name, scene and frames, with a camera of its own or the present one.
export function askShot(studio) {
  const { shot, state } = studio, dialog = $("ask");
  const scenes = Object.keys(state.scenes), field = (value, more = {}) => el("input", { value: String(value), ...more });
  const scene = el("select", {}, ...scenes.map((one) => el("option", { value: one }, one)));
  scene.value = shot?.scene ?? scenes[0] ?? "";
  const clock = state.scenes[scene.value] ?? { first: 1001, last: 1100 };
  const name = field(studio.freeName(), { "aria-label": "Name" });
  const first = field(shot?.first ?? clock.first, { "aria-label": "First frame", inputmode: "numeric" });
  const last = field(shot?.last ?? clock.last, { "aria-label": "Last frame", inputmode: "numeric" });
  const from = el("select", { "aria-label": "Camera" }, shot?.hud ? el("option", { value: "copy" }, `a copy of ${shot.name}'s`) : null, el("option", { value: "new" }, "a new one"));
  const line = (title, control) => el("label", { class: "row" }, title, control);
  const make = async (event) => {
    event.preventDefault();
    const range = { first: Number(first.value), last: Number(last.value) }, group = `new-${crypto.randomUUID()}`;
    const values = { name: name.value.trim(), scene: scene.value, ...range, ...(shot ? { after: shot.name } : {}) };
    const copies = from.value === "copy" && scene.value === shot.scene;
    const done = copies
      ? await studio.ask({ do: "edit", command: "duplicate-shot", values: { shot: shot.name, name: values.name }, group })
      : await studio.ask({ do: "edit", command: "add-shot", values, group });
    if (!done.ok) return;
    if (copies) await studio.ask({ do: "edit", command: "set-frames", values: { shot: values.name, ...range }, group });
    dialog.close();
    studio.show(values.name);
  };
  dialog.replaceChildren(el("form", { onsubmit: make }, el("h3", {}, "New shot"), line("Name", name), line("Scene", scene), line("First frame", first), line("Last frame", last), line("Camera", from),
    el("footer", {}, el("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), el("button", { type: "submit" }, "Add shot"))));
  dialog.showModal();
  name.select();
}
