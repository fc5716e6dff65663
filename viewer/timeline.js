// The lower part: the cut as a strip, and the keys of the shot in a lane a channel.

import { el, svg } from "./dom.js";
import { clamp, ruler, seconds } from "./numbers.js";

const LANES = [["Position", "position"], ["Aim", "rotation look_at"], ["Roll", "roll"], ["Focal", "focal_mm"], ["Focus", "focus_m"]];
const LEFT = 84, RIGHT = 16, STRIP = 26, RULER = 20, TALLEST = 17, LOWEST = 12;

export class Timeline {
  constructor(studio, root) {
    this.studio = studio;
    this.root = root;
    this.svg = svg("svg");
    root.replaceChildren(this.svg);
    this.svg.addEventListener("pointerdown", (event) => this.down(event));
    new ResizeObserver(() => this.draw()).observe(root);
  }

  x(frame) { return LEFT + ((frame - this.first) / Math.max(1, this.last - this.first)) * (this.width - LEFT - RIGHT); }
  frameAt(x) { return Math.round(this.first + ((x - LEFT) / (this.width - LEFT - RIGHT)) * (this.last - this.first)); }

  draw() {
    const { studio } = this, shot = studio.shot;
    if (!studio.state) return;
    this.width = this.root.clientWidth;
    const parts = [this.strip()];
    if (shot) {
      const frames = (shot.keys ?? []).map((key) => key.frame);
      this.first = Math.min(shot.first, ...frames);
      this.last = Math.max(shot.last, ...frames, this.first + 1);
      const cast = studio.state.scenes[shot.scene]?.performance ?? [];
      const count = LANES.length + cast.length, top = STRIP + RULER;
      this.lane = clamp((this.root.clientHeight - top - 6) / count, LOWEST, TALLEST); // then it scrolls
      const lane = this.lane, bottom = top + count * lane;
      this.svg.style.height = `${Math.max(this.root.clientHeight, bottom + 6)}px`;
      parts.push(svg("rect", { class: "inout", x: this.x(shot.first), y: STRIP, width: Math.max(1, this.x(shot.last) - this.x(shot.first)), height: bottom - STRIP }));
      const flags = (shot.markers ?? []).map(({ frame }) => this.x(frame)), free = (x) => flags.every((at) => Math.abs(x - at) > 40); // names stand there
      for (const frame of ruler(this.first, this.last, this.width - LEFT - RIGHT).filter((one) => free(this.x(one))))
        parts.push(svg("text", { x: this.x(frame), y: STRIP + 13, "text-anchor": "middle" }, String(frame)));
      LANES.forEach(([name, channels], i) => {
        const y = top + (i + 0.5) * lane;
        parts.push(svg("text", { x: 10, y: y + 3 }, name), svg("line", { class: "lane", x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y }));
        for (const key of shot.keys ?? [])
          if (channels.split(" ").some((channel) => key[channel] !== undefined)) parts.push(this.key(key.frame, y));
      });
      cast.forEach((who, i) => parts.push(...this.performance(who, top + (LANES.length + i + 0.5) * lane)));
      if (shot.rig) parts.push(svg("text", { x: LEFT + 8, y: top + 14 }, `On a rig (${shot.rig.mount.kind}): change it in the inspector, or make keys of it`));
      parts.push(...(shot.markers ?? []).filter(({ frame }) => frame >= this.first && frame <= this.last).map((marker) => this.marker(marker, bottom)));
      this.head = svg("line", { class: "head", y1: STRIP, y2: bottom });
      parts.push(this.head);
    }
    this.svg.replaceChildren(...parts);
    this.move();
  }

  // A remark on the clock: a click goes there, a double click names it anew.
  marker({ frame, name }, bottom) {
    const x = this.x(frame), y = STRIP + 2;
    const flag = svg("g", { class: "marker", "data-marker": frame }, svg("title", {}, `${frame}: ${name}`),
      svg("line", { x1: x, x2: x, y1: y, y2: bottom }), svg("path", { d: `M${x} ${y}h9l-3 4 3 4h-9z` }), svg("text", x > this.width - 110 ? { x: x - 4, y: y + 9, "text-anchor": "end" } : { x: x + 12, y: y + 9 }, name));
    flag.addEventListener("pointerdown", (event) => { event.stopPropagation(); this.studio.go(frame); });
    flag.addEventListener("dblclick", () => this.name(frame));
    return flag;
  }

  // The marker's name at the playhead, typed where it stands; nothing typed takes it away.
  name(frame) {
    const { studio } = this, shot = studio.shot;
    if (!shot) return;
    const old = (shot.markers ?? []).find((marker) => marker.frame === frame)?.name ?? "";
    const field = el("input", { class: "naming", value: old, placeholder: "marker", "aria-label": "Marker name" });
    field.style.left = `${clamp(this.x(frame), LEFT, this.width - 160)}px`;
    const done = () => { field.remove(); if (field.value.trim() !== old) studio.edit("set-marker", { frame, name: field.value.trim() }); };
    field.addEventListener("blur", done, { once: true });
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") field.value = old;
      if (event.key === "Enter" || event.key === "Escape") { field.blur(); document.getElementById("stage").focus(); }
    });
    this.root.append(field);
    field.select();
  }

  // When somebody is there, moves, changes clothes and performs: read from the film, for timing the camera to it.
  performance(who, y) {
    const inside = (frame) => clamp(frame, this.first, this.last), shown = (frame) => frame >= this.first && frame <= this.last;
    const parts = [svg("text", { x: 10, y: y + 3 }, who.name), svg("line", { class: "lane", x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y })];
    const from = this.x(inside(who.first)), to = this.x(inside(who.last));
    if (who.last >= this.first && who.first <= this.last) parts.push(svg("rect", { class: "present", x: from, y: y - 4, width: Math.max(1, to - from), height: 8, rx: 2 }));
    for (const frame of who.keys.filter(shown)) parts.push(svg("circle", { class: "mark", cx: this.x(frame), cy: y, r: 3 }));
    for (const { name, first } of who.clips.filter((clip) => shown(clip.first))) parts.push(svg("text", { x: this.x(first) + 4, y: y + 3 }, name));
    for (const { frame, look } of who.looks.filter((change) => shown(change.frame))) parts.push(svg("text", { x: this.x(frame) + 4, y: y + 3 }, look));
    return parts;
  }

  // The playhead alone: nothing else is drawn again while playing.
  move() {
    const { shot, frame } = this.studio;
    if (!shot || !this.head) return;
    this.head.setAttribute("x1", this.x(frame));
    this.head.setAttribute("x2", this.x(frame));
  }

  strip() {
    const { state, shot } = this.studio, group = svg("g", { class: "strip" });
    const total = state.shots.reduce((sum, one) => sum + one.last - one.first + 1, 0);
    let x = LEFT;
    for (const one of state.shots) {
      const width = ((one.last - one.first + 1) / total) * (this.width - LEFT - RIGHT);
      group.append(svg("g", { class: one === shot ? "now" : "", onpointerdown: (event) => { event.stopPropagation(); this.studio.show(one.name); } },
        svg("rect", { x, y: 3, width: Math.max(2, width - 1), height: STRIP - 6, rx: 3 }),
        width > 34 ? svg("text", { x: x + 6, y: 16 }, `${one.name}  ${seconds(one.last + 1, one.first, state.rate)}`) : null));
      const said = state.notes.filter((note) => note.shot === one.name && note.before);
      if (said.length) group.append(svg("circle", { class: "cutmark", cx: x, cy: STRIP / 2, r: 4 }, svg("title", {}, said.map((note) => note.message).join("\n"))));
      x += width;
    }
    group.append(svg("text", { x: 10, y: 16 }, "Cut"));
    return group;
  }

  key(frame, y) {
    const x = this.x(frame), r = 5;
    const node = svg("path", { class: `key${this.studio.chosen.has(frame) ? " chosen" : ""}`, d: `M${x} ${y - r}l${r} ${r} ${-r} ${r} ${-r} ${-r}z`, "data-frame": frame });
    node.addEventListener("pointerdown", (event) => this.grab(event, frame));
    return node;
  }

  // Dragging shows where the keys will land; one edit is made where they are let go (Alt: a copy; Ctrl: spread or
  // gathered about the chosen key at the other end).
  grab(event, frame) {
    event.stopPropagation();
    const { studio } = this;
    if (event.shiftKey) studio.choose([...studio.chosen, frame]);
    else if (!studio.chosen.has(frame)) studio.choose([frame]);
    const start = event.clientX, low = Math.min(...studio.chosen), high = Math.max(...studio.chosen), about = frame === low ? high : low;
    const scales = (event.ctrlKey || event.metaKey) && low < high;
    let by = 0;
    const move = (e) => {
      by = this.frameAt(this.x(frame) + e.clientX - start) - frame;
      if (scales) by = frame > about ? Math.max(by, about + 1 - frame) : Math.min(by, about - 1 - frame);
      for (const node of this.svg.querySelectorAll(".key.chosen")) {
        const part = scales ? (Number(node.dataset.frame) - about) / (frame - about) : 1;
        node.setAttribute("transform", `translate(${part * (this.x(this.first + by) - this.x(this.first))} 0)`);
      }
    };
    const up = (e) => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", up);
      if (by && scales) studio.scaleKeys(frame, about, by);
      else if (by) studio.moveKeys(by, e.altKey);
      else { studio.go(frame); this.draw(); }
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", up);
  }

  down(event) {
    const { studio } = this;
    if (!studio.shot) return;
    studio.play(0);
    const scrub = (e) => studio.go(clamp(this.frameAt(e.clientX - this.root.getBoundingClientRect().left), studio.shot.first, studio.shot.last), true);
    const up = () => { window.removeEventListener("pointermove", scrub); window.removeEventListener("pointerup", up); studio.settle(); };
    if (event.clientY - this.root.getBoundingClientRect().top > STRIP + RULER) studio.choose([]);
    scrub(event);
    window.addEventListener("pointermove", scrub);
    window.addEventListener("pointerup", up);
  }
}
