// The first screen: one cut, seen as every method makes it, and three questions answered in words.
"use strict";

SF.overview = {
  QUESTIONS: [["room", "Same room after the cut?"], ["back", "Same when we come back?"], ["camera", "Did the camera obey?"]],

  show() {
    const cuts = SF.data.cuts;
    SF.fill("overview", this.pictures(cuts), this.verdicts());
  },

  pictures(cuts) {
    const place = Math.min(SF.state.cut, Math.max(0, cuts.length - 1)), cut = cuts[place];
    const lead = SF.el("div", {}, SF.el("h2", {}, "After the cut, is it still the same room?"),
      SF.el("p.lead", {}, "Left: the last frame of one shot. Right: the first frame of the next. Everything that both cameras see should be the same thing."));
    if (!cut) return SF.el("div.cuts", {}, lead, SF.el("p.quiet", {}, "The film has one shot: there is no cut to look at."));
    const go = (step) => SF.change({ cut: (place + step + cuts.length) % cuts.length });
    const head = SF.el("div.cuthead", {},
      SF.el("button", { onclick: () => go(-1), "aria-label": "Previous cut", title: "Previous cut ([)" }, "‹"),
      SF.el("b", {}, `Cut ${cut.a} → ${cut.b}`),
      SF.el("button", { onclick: () => go(1), "aria-label": "Next cut", title: "Next cut (])" }, "›"),
      SF.el("span.quiet", {}, `${place + 1} of ${cuts.length}`));
    const methods = this.contenders(cut);
    return SF.el("div.cuts", {}, lead, head, methods.map((method) => SF.cutRow(cut, method)));
  },

  /** Ours and the methods that were brought to be compared; without any, the trivial ones. */
  contenders(cut) {
    const there = (id) => SF.laneOf(SF.shots.get(cut.a), id) >= 0 && SF.laneOf(SF.shots.get(cut.b), id) >= 0;
    const all = SF.data.methods.filter((method) => there(method.id));
    const theirs = all.filter((method) => !["ours", "trivial"].includes(method.kind));
    const shown = theirs.length ? theirs : all.filter((method) => ["nearest", "mean"].includes(method.id));
    return [...all.filter((method) => method.kind === "ours"), ...shown].map((method) => method.id);
  },

  verdicts() {
    const groups = [["ours", ""], ["theirs", "Brought to compare"], ["trivial", "Cheap tricks, so that no number flatters"]];
    const group = (method) => (method.kind === "ours" ? "ours" : method.kind === "trivial" ? "trivial" : "theirs");
    const row = (method) => {
      const verdict = SF.data.verdicts[method.id] || {};
      const name = SF.el("td", {}, SF.el("b", {}, SF.title(method.id)), SF.blind.on ? null : SF.el("small", {}, `${method.words} `, SF.el("span.class", { title: SF.data.information[method.information] }, method.information)));
      const cell = ([key]) => SF.el("td", {}, SF.chip(verdict[key]), this.small(verdict[key]));
      return SF.el(`tr.${group(method)}`, { "data-method": method.id, tabindex: 0, onclick: () => this.open(method.id), onkeydown: (event) => event.key === "Enter" && this.open(method.id) }, name, this.QUESTIONS.map(cell));
    };
    const said = (own) => [...new Set(own.filter((method) => method.kind === "mini" && !SF.blind.on).flatMap((method) => method.notes))].map((text) => SF.el("tr.group", {}, SF.el("td", { colspan: 4 }, text)));
    const rows = groups.flatMap(([key, title]) => {
      const own = SF.blind.order(SF.data.methods.filter((method) => group(method) === key));
      if (!own.length) return [];
      return [title && !SF.blind.on ? SF.el("tr.group", {}, SF.el("td", { colspan: 4 }, title)) : null, ...own.map(row), ...said(own)];
    });
    const head = SF.el("tr", {}, SF.el("th", {}, "Made by, from what"), this.QUESTIONS.map(([, title]) => SF.el("th", {}, title)));
    return SF.el("aside.verdicts", {},
      SF.el("table", {}, SF.el("thead", {}, head), SF.el("tbody", {}, rows)),
      SF.data.problems.length ? SF.el("p.small", {}, SF.el("span.chip.bad", {}, `${SF.data.problems.length} ${SF.data.problems.length === 1 ? "entry" : "entries"} had to be left out: see About`)) : null,
      SF.el("p.quiet.small", {}, "Words come from measurements of every take; the Numbers page has all of them. Press ", SF.el("kbd", {}, "?"), " for the keys."));
  },

  /** Below the word: the number behind it, or else in a few words why there is none. */
  small(verdict) {
    if (!verdict) return null;
    const words = verdict.value || (verdict.tone === "bad" ? verdict.detail.split(/[:;]/)[0] : "");
    return words ? SF.el("small", { title: verdict.exact || null }, words) : null;
  },

  open(id) {
    const cut = SF.data.cuts[SF.state.cut];
    const shot = SF.shots.get((cut && cut.b) || SF.state.shot), lane = SF.laneOf(shot, id);
    if (lane < 0) return;
    const b = { method: id, take: shot.lanes[lane].take };
    SF.change({ view: "viewer", shot: shot.name, frame: 0, ...(id === SF.state.a.method ? {} : { b }) });
  },
};

/** The cut as one method makes it, with the verdict on it. */
SF.cutRow = (cut, method, take) => {
  const [a, b] = [SF.shots.get(cut.a), SF.shots.get(cut.b)];
  const verdict = (cut.verdicts || {})[method];
  const open = () => SF.change({ view: "viewer", shot: b.name, frame: 0, b: { method, take: b.lanes[SF.laneOf(b, method, take)].take } });
  const last = a.sheet.frames.length - 1;
  return SF.el("div", {}, SF.el("div.cutline", {}, SF.el("b", {}, SF.title(method)), SF.chip(verdict), verdict ? SF.el("span.quiet.small", {}, verdict.detail) : null),
    SF.el("div.cutrow", { onclick: open },
      SF.sprite(a, SF.laneOf(a, method, take), last, { "aria-label": `${SF.title(method)}, last frame of ${a.name}` }),
      SF.sprite(b, SF.laneOf(b, method, take), 0, { "aria-label": `${SF.title(method)}, first frame of ${b.name}` })));
};
