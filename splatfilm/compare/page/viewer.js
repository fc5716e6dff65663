// The shots page: the list of shots, the picture with its controls, the slates of what is compared.
"use strict";

SF.viewer = {
  build() {
    const button = (label, title, action, more = {}) => SF.el("button", { title, "aria-label": title, onclick: action, ...more }, label);
    const modes = Object.entries(SF.MODES).map(([mode, label]) => SF.el("button", { "data-mode": mode, onclick: () => SF.change({ mode }) }, label));
    const scrub = SF.el("input", { type: "range", min: 0, step: 1, id: "scrub", "aria-label": "Frame", oninput: (event) => SF.change({ frame: Number(event.target.value) }) });
    SF.fill("viewer", SF.el("nav", { id: "shots", "aria-label": "Shots" }),
      SF.el("div", { id: "middle" },
        SF.el("div", { id: "stage" }, SF.el("canvas", { id: "screen", tabindex: 0, "aria-label": "The two pictures" }), SF.el("div.tag", { id: "tagA" }), SF.el("div.tag", { id: "tagB" }), SF.el("div", { id: "scale", hidden: true })),
        SF.el("div", { id: "transport" }, button("▶", "Play or stop (space)", () => SF.stage.play(), { id: "play" }), button("‹", "One frame back (←)", () => SF.step(-1)), button("›", "One frame on (→)", () => SF.step(1)), scrub, SF.el("span.mono", { id: "frame" }), SF.el("div.modes", {}, modes)),
        SF.el("div", { id: "plots" })),
      SF.el("aside", { id: "side" }));
    const screen = document.getElementById("screen");
    const drag = (event) => {
      if (SF.state.mode !== "wipe" || (event.type === "pointermove" && !event.buttons && event.pointerType !== "mouse")) return;
      const box = screen.getBoundingClientRect();
      SF.stage.wipe = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      if (!SF.stage.isPlaying) SF.stage.show();
    };
    screen.addEventListener("pointermove", drag);
    screen.addEventListener("pointerdown", drag);
    new ResizeObserver(() => SF.state.view === "viewer" && SF.stage.show()).observe(document.getElementById("stage"));
  },

  show() {
    const shot = SF.shots.get(SF.state.shot);
    SF.fill("shots", SF.data.shots.map((item) => SF.el("button.shot", { "aria-current": item.name === shot.name, onclick: () => SF.change({ shot: item.name, frame: 0 }) },
      SF.sprite(item, Math.max(0, SF.laneOf(item, "ours")), Math.floor(item.sheet.frames.length / 2)), SF.el("span", {}, SF.el("b", {}, item.name), SF.el("span.quiet", {}, item.lens)))));
    document.getElementById("scrub").max = shot.count - 1;
    for (const mode of document.querySelectorAll("[data-mode]")) mode.setAttribute("aria-pressed", mode.dataset.mode === SF.state.mode);
    const name = (side) => { const lane = shot.lanes[SF.stage.lane(shot, side)]; return SF.laneTitle(lane); };
    const only = SF.state.mode === "flick" ? SF.state.side : null;
    SF.fill("tagA", SF.el("b", {}, "A"), name("a"));
    SF.fill("tagB", SF.el("b", {}, "B"), name("b") + (SF.state.offset ? ` (${SF.state.offset > 0 ? "+" : ""}${SF.state.offset} frame)` : ""));
    document.getElementById("tagA").hidden = only === "b";
    document.getElementById("tagB").hidden = only === "a";
    const scale = document.getElementById("scale");
    scale.hidden = SF.state.mode !== "diff";
    scale.textContent = `difference × ${SF.state.gain}, from ${SF.state.threshold + 1} levels on`;
    SF.fill("side", this.about(shot), this.slate(shot, "a"), this.slate(shot, "b"), this.guards(shot));
    this.clock();
    SF.plots.show();
    SF.stage.show();
  },

  clock() {
    const shot = SF.shots.get(SF.state.shot);
    document.getElementById("scrub").value = SF.state.frame;
    document.getElementById("frame").textContent = `${shot.first + SF.state.frame}  ${SF.state.frame + 1}/${shot.count}`;
    document.getElementById("play").textContent = SF.stage.isPlaying ? "❚❚" : "▶";
  },

  about: (shot) => SF.el("div", {}, SF.el("b", { style: { fontSize: "15px" } }, `Shot ${shot.name}`), SF.el("div.quiet.small", {}, `${shot.scene} · frames ${shot.first}–${shot.last} · ${shot.lens} · ${shot.camera}`)),

  slate(shot, side) {
    const number = SF.stage.lane(shot, side), lane = shot.lanes[number], method = SF.methods.get(lane.method);
    const options = SF.blind.order(shot.lanes.map((item, index) => ({ ...item, index, id: `${item.method}/${item.take}` })))
      .map((item) => SF.el("option", { value: item.index, selected: item.index === number }, SF.laneTitle(item)));
    const choose = (event) => { const chosen = shot.lanes[Number(event.target.value)]; SF.change({ [side]: { method: chosen.method, take: chosen.take } }); event.target.blur(); };
    const facts = lane.facts || {}, rows = [];
    const row = (term, text, title) => text && rows.push(SF.el("dt", {}, term), SF.el("dd", { title: title || text }, text));
    if (!SF.blind.on) {
      row("was given", `${method.information}: ${method.words}`);
      row("protocol", method.facts.protocol && method.facts.protocol !== "none" ? SF.PROTOCOLS[method.facts.protocol] : "");
      row("model", method.facts.model && method.facts.model.name);
      row("seed", facts.seed !== undefined && facts.seed !== null ? `${facts.seed}${facts.seed_mode ? ` (${facts.seed_mode})` : ""}` : facts.seed_kind ? "none or not honoured" : "");
      row("take", facts.take_name || String(lane.take));
      row("sha-256", facts.sha256 && facts.sha256.slice(0, 8), facts.sha256);
      row("prompt", facts.prompt);
      row("frames", facts.folder && facts.folder.replace(/.*\/shots\//, "shots/"), facts.folder);
    }
    row("size", `${lane.size[0]}×${lane.size[1]}${lane.size[0] < shot.atlas.pane[0] ? ", shown enlarged" : ""}`);
    const notes = SF.blind.on ? [] : [...lane.remarks, ...(method.kind === "mini" ? [] : method.notes)];
    return SF.el(`div.slate.${side}`, {}, SF.el("select", { onchange: choose, "aria-label": `Picture ${side.toUpperCase()}` }, options), SF.el("dl", {}, rows), notes.map((text) => SF.el("p", {}, text)),
      method.kind === "mini" && !SF.blind.on ? method.notes.map((text) => SF.el("p", {}, text)) : null);
  },

  guards(shot) {
    const lane = shot.lanes[SF.stage.lane(shot, "b")], scores = SF.data.scores[lane.method];
    const own = scores && scores.shots.find((item) => item.shot === shot.name && (item.take === lane.take || item.take === null));
    const failed = own ? own.guards.filter((guard) => !guard.passed) : [];
    return failed.length ? SF.el("div", {}, SF.el("b", {}, "B: what its numbers are not worth"), failed.map((guard) => SF.el("p.warn.small", {}, guard.reason || `${guard.name} ${guard.allowed}`))) : null;
  },
};
SF.PROTOCOLS = { T: "every shot from text", F1: "first frame of the first shot, then its own frames", FF: "our first frame of every shot" };
