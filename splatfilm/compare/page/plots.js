// Curves over the frames of a shot, with what perfect would be and what an unrelated picture gets.
"use strict";

SF.plots = {
  WANTED: [
    ["OURS_PSNR", "Same as our render", "dB"], ["OURS_dE", "Colour off by", "dE00"],
    ["ROT", "Camera off by", "deg"], ["DETAIL", "Detail, ours = 1", "ratio"],
  ],

  scores(method, take, shot) {
    const scores = SF.data.scores[method];
    const own = scores && scores.shots.find((item) => item.shot === shot && (item.take === take || item.take === null));
    if (!own) return new Map();
    const found = [...(own.agreement || []), ...(own.imported || [])];
    for (const part of [own.following, own.stability]) if (part) found.push(...Object.values(part).filter((item) => item && item.name));
    for (const guard of own.guards || []) found.push({ ...guard, better: "neither", unit: "ratio", ceiling: guard.name === "DETAIL" ? 1 : null });
    return new Map(found.map((score) => [score.name, score]));
  },

  show() {
    const { shot, a, b } = SF.state, count = SF.shots.get(shot).count;
    const both = [this.scores(a.method, a.take, shot), this.scores(b.method, b.take, shot)];
    SF.fill("plots", this.WANTED.map(([name, title, unit]) => this.plot(title, unit, count, both.map((scores) => this.find(scores, name)))));
    this.cursor();
  },

  find(scores, name) {
    for (const [key, score] of scores) if (key === name) return score;
    return null;
  },

  plot(title, unit, count, [a, b]) {
    const curves = [["a", a], ["b", b]].map(([side, score]) => [side, score, (score && score.per_frame) || []]);
    const levels = [["ceiling", a && a.ceiling], ["null", b ? b.null : a && a.null]].filter(([, level]) => typeof level === "number");
    const values = [...curves.flatMap(([, , points]) => points.map(([, value]) => value)), ...levels.map(([, level]) => level)].filter((value) => typeof value === "number");
    const now = (score) => (score ? SF.number(score.value, unit) : "–");
    const head = SF.el("h3", { title: [a, b].map((score) => score && score.note).filter(Boolean).join("; ") || title }, SF.el("i", {}, title),
      SF.el("span", {}, SF.el("b", { style: { color: "var(--accent)" } }, now(a)), " ", SF.el("b", { style: { color: "var(--b)" } }, now(b))));
    if (!values.length) {
      const why = curves.map(([, , points]) => points).some((points) => points.length) ? "exactly ours in every frame" : (b && b.note) || (a && a.note) || "not measured";
      return SF.el("div.plot", {}, head, SF.el("div.gap", {}, why));
    }
    let low = Math.min(...values), high = Math.max(...values);
    if (high - low < 1e-9) { low -= 0.5; high += 0.5; }
    const x = (index) => (count > 1 ? (index / (count - 1)) * 200 : 100), y = (value) => 98 - ((value - low) / (high - low)) * 90;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 200 108");
    svg.setAttribute("preserveAspectRatio", "none");
    const add = (tag, properties) => {
      const made = document.createElementNS(svg.namespaceURI, tag);
      for (const [key, value] of Object.entries(properties)) made.setAttribute(key, value);
      svg.append(made);
    };
    for (const [kind, level] of levels) add("line", { class: kind, x1: 0, x2: 200, y1: y(level), y2: y(level) });
    for (const [side, , points] of curves) {
      let pen = "";
      const there = points.filter(([, value]) => typeof value === "number");
      there.forEach(([index, value], place) => { pen += `${place && index - there[place - 1][0] <= 8 ? "L" : "M"}${x(index).toFixed(2)} ${y(value).toFixed(2)}`; });
      if (pen) add("path", { class: side, d: pen });
    }
    add("line", { class: "now", x1: 0, x2: 0, y1: 2, y2: 106 });
    const seek = (event) => {
      const box = svg.getBoundingClientRect();
      SF.change({ frame: Math.round(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * (count - 1)) });
    };
    return SF.el("div.plot", { onclick: seek, title: "Click to go there. Green: the best that is possible. Red: an unrelated picture." }, head, svg);
  },

  cursor() {
    const { shot, frame } = SF.state, count = SF.shots.get(shot).count, x = count > 1 ? (frame / (count - 1)) * 200 : 100;
    for (const line of document.querySelectorAll(".plot .now")) { line.setAttribute("x1", x); line.setAttribute("x2", x); }
  },
};
