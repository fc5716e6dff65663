// The script supervisor's sheet: per cut what was measured, and what only a person can judge, written by hand.
"use strict";

SF.story = {
  JUDGED: ["action", "props", "wardrobe", "light", "eyeline", "screen direction"],

  kept: () => SF.store.read("story", {}),

  /** What was measured of one cut by one method: FSC (or JRR, for what never saw the scene) and the weakest thing. */
  measured(cut, method) {
    const scores = SF.data.scores[method];
    const pairs = scores ? scores.pairs.filter((pair) => pair.kind === "follow-up" && pair.a === cut.a && pair.b === cut.b) : [];
    const middle = (values) => { const own = values.filter((value) => value !== null && value !== undefined).sort((a, b) => a - b); return own.length ? own[Math.floor(own.length / 2)] : null; };
    const fsc = middle(pairs.map((pair) => pair.continuity && pair.continuity.score.value));
    const jrr = middle(pairs.map((pair) => pair.joint && pair.joint.registered.value));
    const worst = pairs.map((pair) => pair.continuity && pair.continuity.worst).filter((item) => item && item.value !== null).sort((a, b) => a.value - b.value)[0];
    const same = fsc !== null ? `FSC ${fsc.toFixed(2)}` : jrr !== null ? `JRR ${jrr.toFixed(2)}` : "shares too little";
    return [same, worst ? `${worst.object} ${worst.value.toFixed(2)}` : "–"];
  },

  show(method) {
    const kept = this.kept();
    const keep = (cut, term, text) => { const all = this.kept(); all[cut] = { ...all[cut], [term]: text }; SF.store.write("story", all); };
    const rows = SF.data.cuts.map((cut) => {
      const name = `${cut.a} → ${cut.b}`, cells = this.measured(cut, method);
      const fields = this.JUDGED.map((term) => SF.el("td", {}, SF.el("input", {
        type: "text", "aria-label": `${term}, cut ${name}`, value: (kept[name] || {})[term] || "", onchange: (event) => keep(name, term, event.target.value) })));
      return SF.el("tr", {}, SF.el("td.left", {}, name), cells.map((text) => SF.el("td.left", {}, text)), fields);
    });
    const head = ["cut", "same room", "weakest thing", ...this.JUDGED].map((title) => SF.el("th.left", {}, title));
    return [SF.el("h3", {}, `Script supervisor's sheet: ${SF.title(method)}`),
      SF.el("p.quiet.small", {}, "The first columns are measured. The others are yours: people judge what pixels cannot. They stay in this browser until you save them."),
      SF.el("div.scroll", {}, SF.el("table.terms.story", {}, SF.el("thead", {}, SF.el("tr", {}, head)), SF.el("tbody", {}, rows))),
      SF.el("p", {}, SF.el("button", { onclick: () => SF.save(`${SF.data.film.name}-sheet.json`, { film: SF.data.film.name, method, cuts: this.kept() }) }, "Save the sheet"))];
  },
};

/** Edits: before, after, and what changed, with the outline of the thing that was meant to. */
SF.mattes = {
  show() {
    const there = SF.blind.order(SF.data.mattes.map((item) => ({ ...item, id: item.method })));
    if (!there.length) return [];
    return [SF.el("h3", {}, "Edits, seen"),
      SF.el("p.quiet.small", {}, "Before, after, and the difference eight times as bright. The line is the edge of the thing that was edited: outside of it nothing should be lit."),
      there.map((item) => SF.el("figure.matte", {}, SF.el("img", { src: item.src, alt: `${SF.title(item.method)}: ${item.object} before and after, and the difference`, loading: "lazy" }),
        SF.el("figcaption.quiet.small", {}, `${SF.title(item.method)}, take ${item.take}: ${item.object}, ${item.a} and ${item.b}, frame ${item.frame}`)))];
  },
};
