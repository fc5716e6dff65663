// Contact sheets, every cut as a strip, every number, notes, and what all of it means.
"use strict";

SF.sheets = {
  show() {
    const shots = SF.data.shots.map((shot) => {
      const frames = shot.sheet.frames;
      const head = [SF.el("span.head", {}, ""), ...frames.map((frame) => SF.el("span.head", {}, String(shot.first + frame)))];
      const rows = SF.blind.order(shot.lanes.map((lane, row) => ({ ...lane, row, id: `${lane.method}/${lane.take}` }))).flatMap((lane) => [
        SF.el("span.who", {}, SF.laneTitle(lane), SF.blind.on ? null : SF.el("small", {}, `${SF.methods.get(lane.method).information}${lane.facts && lane.facts.seed != null ? ` · seed ${lane.facts.seed}` : ""}`)),
        ...frames.map((frame, column) => SF.sprite(shot, lane.row, column, { onclick: () => SF.change({ view: "viewer", shot: shot.name, frame, b: { method: lane.method, take: lane.take } }), title: `Frame ${shot.first + frame}` })),
      ]);
      return [SF.el("h3", {}, `Shot ${shot.name} · ${shot.lens}`), SF.el("div.sheet", {}, head, rows)];
    });
    SF.fill("sheets", SF.el("div.page", {}, SF.el("h2", {}, "Contact sheets"), SF.el("p.quiet", {}, "First, quarter, middle, three quarters and last frame of every take. Click a picture to compare it."), shots));
  },
};

SF.cuts = {
  show() {
    const cuts = SF.data.cuts.map((cut) => {
      const [a, b] = [SF.shots.get(cut.a), SF.shots.get(cut.b)];
      const there = SF.blind.order(SF.data.methods.filter((method) => SF.laneOf(a, method.id) >= 0 && SF.laneOf(b, method.id) >= 0));
      return [SF.el("h3", {}, `Cut ${cut.a} → ${cut.b}`), SF.el("div.strips", {}, there.map((method) => SF.cutRow(cut, method.id)))];
    });
    SF.fill("cuts", SF.el("div.page", {}, SF.el("h2", {}, "Match cuts"), SF.el("p.quiet", {}, "Last frame of one shot beside the first of the next: the cut is where continuity is judged."), cuts, SF.story.show("ours")));
  },
};

SF.numbers = {
  show() {
    const columns = (rows) => [...new Map(rows.flatMap((row) => row.scores.map((score) => [score.name, score]))).values()];
    const table = (rows, left) => {
      const names = columns(rows);
      const head = SF.el("tr", {}, left.map((title) => SF.el("th.left", {}, title)), names.map((score) => SF.el("th", { title: `${SF.TERMS[score.name] || score.name} (${score.better === "neither" ? "neither way is better" : `${score.better} is better`})` }, score.name)));
      const body = rows.map((row) => {
        const cells = names.map((name) => {
          const score = row.scores.find((item) => item.name === name.name);
          if (!score) return SF.el("td.quiet", {}, "–");
          const more = [score.ceiling != null ? `best possible ${SF.number(score.ceiling, score.unit)}` : "", score.null != null ? `unrelated picture ${SF.number(score.null, score.unit)}` : "", score.note].filter(Boolean).join("; ");
          return SF.el(`td${score.value === null ? ".quiet" : ""}${score.failed ? ".bad" : ""}`, { title: more }, score.value === null && score.short ? score.short : SF.number(score.value, score.unit));
        });
        return SF.el(`tr${row.method === "ours" ? ".ours" : ""}`, {}, row.left.map((text) => SF.el("td.left", { class: String(text).length > 44 ? "left wrap" : "left" }, text)), cells);
      });
      return SF.el("div.scroll", {}, SF.el("table.terms", {}, SF.el("thead", {}, head), SF.el("tbody", {}, body)));
    };
    const methods = SF.blind.order(SF.data.methods).filter((method) => SF.data.scores[method.id]);
    const parts = (part) => (part ? Object.values(part).filter((item) => item && typeof item === "object" && "name" in item && "value" in item && "unit" in item) : []);
    const guards = (list) => (list || []).map((guard) => ({ name: guard.name, value: guard.value, unit: "", better: "neither", failed: !guard.passed, note: `${guard.reason || "passed"} (${guard.allowed})` }));
    const given = (method) => (SF.blind.on ? "" : method.information);
    const shotRows = (shot) => methods.flatMap((method) => SF.data.scores[method.id].shots.filter((item) => item.shot === shot).map((item) => ({
      method: method.id, left: [SF.title(method.id), given(method), item.take === null ? "" : String(item.take)],
      scores: [...(item.agreement || []), ...parts(item.following), ...parts(item.own_camera), ...parts(item.stability), ...guards(item.guards), ...(item.imported || [])] })));
    const pairRows = (kind) => methods.flatMap((method) => SF.data.scores[method.id].pairs.filter((pair) => pair.kind === kind).map((pair) => {
      const c = pair.continuity, worst = c && c.worst ? [{ name: "WORST", value: c.worst.value, unit: "", better: "higher", note: `${c.worst.object}: the object that fits worst`, short: c.worst.object }] : [];
      const said = c ? c.blocked || c.not_comparable : pair.note;
      return { method: method.id, left: [SF.title(method.id), given(method), `${pair.a} → ${pair.b}`, pair.take === null ? "" : String(pair.take), [said ? `${c && c.blocked ? "blocked: " : ""}${said}` : "", c && c.worst && c.worst.value !== null ? `worst: ${c.worst.object}` : ""].filter(Boolean).join("; ")],
        scores: [...parts(c), ...parts(pair.joint), ...worst, ...guards(c && c.guards), ...parts(pair.revisit), ...parts(pair.edit), ...parts(pair.determinism)] };
    }));
    const section = (title, words, rows, left) => (rows.length ? [SF.el("h3", {}, title), SF.el("p.quiet.small", {}, words), table(rows, left)] : []);
    SF.fill("numbers", SF.el("div.page", {},
      SF.el("h2", {}, "Every number"), SF.el("p.quiet", {}, "Hover a heading for what it means, a number for the best that is possible, for what an unrelated picture gets, and for its note. Compare inside a class of information first. The same as ", SF.el("span.mono", {}, SF.data.files.csv), " and ", SF.el("span.mono", {}, SF.data.files.json), " beside this page."),
      section("Follow-up shots", "Two cameras, one scene: does what both see agree? FSC is 1 for one scene and 0 for another.", pairRows("follow-up"), ["method", "given", "pair", "take", ""]),
      this.ahead(methods),
      section("Coming back", "The same camera at the same moment of the story, twice.", pairRows("revisit"), ["method", "given", "pair", "take", ""]),
      section("Edits", "What changed outside of the thing that was edited.", pairRows("edit"), ["method", "given", "pair", "take", ""]),
      SF.mattes.show(),
      section("Same again", "Two runs of the same thing.", pairRows("determinism"), ["method", "given", "pair", "take", ""]),
      SF.data.shots.flatMap((shot) => section(`Shot ${shot.name}`, "Each take by itself, against our render of the same camera.", shotRows(shot.name), ["method", "given", "take"])),
      this.takes()));
  },

  /** How far ahead ours is, with an interval over pairs of shots and takes. */
  ahead(methods) {
    const rows = methods.filter((method) => SF.data.ahead[method.id]).map((method) => SF.el("li", {}, SF.el("b", {}, SF.title(method.id)), ` ${SF.blind.on ? "" : `(${method.information}) `}${SF.data.ahead[method.id].words}`));
    if (!rows.length) return [];
    return [SF.el("p.quiet.small", {}, `${SF.title("ours")} is ahead in FSC by (95 % of 4000 draws of pairs of shots and takes; a best take is never chosen):`), SF.el("ul.small", {}, rows)];
  },

  takes() {
    const rows = SF.data.shots.flatMap((shot) => shot.lanes.filter((lane) => !["ours", "trivial"].includes(SF.methods.get(lane.method).kind)).map((lane) => {
      const facts = lane.facts || {};
      const cells = [SF.title(lane.method), shot.name, String(lane.take), SF.blind.on ? "" : facts.seed != null ? String(facts.seed) : "unknown", facts.seed_mode || facts.seed_kind || "", (facts.sha256 || "").slice(0, 8), lane.remarks.join("; ")];
      return SF.el("tr", {}, cells.map((text) => SF.el("td.left", { class: text.length > 44 ? "left wrap" : "left" }, text)));
    }));
    if (!rows.length) return [];
    const head = ["method", "shot", "take", "seed", "seed rule", "sha-256", "what was done to it"].map((title) => SF.el("th.left", {}, title));
    return [SF.el("h3", {}, "Every take"), SF.el("p.quiet.small", {}, "No take is left out, none is chosen."), SF.el("div.scroll", {}, SF.el("table.terms", {}, SF.el("thead", {}, SF.el("tr", {}, head)), SF.el("tbody", {}, rows)))];
  },
};

SF.notes = {
  all: () => SF.store.read("notes", []),
  show() {
    const notes = this.all(), votes = SF.blind.votes();
    const remove = (index) => { SF.store.write("notes", notes.filter((_, place) => place !== index)); this.show(); };
    const rows = notes.map((note, index) => SF.el("div.note", {}, SF.el("a", { href: note.link, style: { color: "var(--accent)" } }, `${note.shot} · ${note.frame} · ${note.a} / ${note.b}`), SF.el("span", {}, note.text), SF.el("button", { onclick: () => remove(index), "aria-label": "Remove this note" }, "×")));
    SF.fill("notes", SF.el("div.page", {}, SF.el("h2", {}, "Notes and votes"), SF.el("p.quiet", {}, "Press ", SF.el("kbd", {}, "N"), " on the Shots page to write a note on the frame you see. Notes stay in this browser until you save them."),
      rows.length ? rows : SF.el("p.quiet", { style: { margin: "14px 0" } }, "No notes yet."),
      SF.el("div", { style: { display: "flex", gap: "8px", marginTop: "14px" } },
        SF.el("button", { onclick: () => SF.save(`${SF.data.film.name}-notes.json`, { film: SF.data.film.name, notes }), disabled: !notes.length }, "Save notes"),
        SF.el("button", { onclick: () => SF.save(`${SF.data.film.name}-votes.json`, { film: SF.data.film.name, report: SF.data.identity, votes }), disabled: !votes.length }, `Save ${votes.length} votes`),
        SF.el("button", { onclick: () => SF.save(`${SF.data.film.name}-blind-key.json`, SF.blind.key()) }, "Save the key to the letters"))));
  },
  write() {
    SF.stage.play(false);
    const dialog = document.getElementById("writing"), field = dialog.querySelector("textarea");
    field.value = "";
    dialog.onclose = () => {
      if (dialog.returnValue !== "keep" || !field.value.trim()) return;
      const { shot, frame, a, b } = SF.state;
      const note = { shot, frame: SF.shots.get(shot).first + frame, a: SF.title(a.method), b: SF.title(b.method), text: field.value.trim(), link: location.hash };
      SF.store.write("notes", [...this.all(), note]);
      SF.say("Noted.");
    };
    dialog.showModal();
  },
};

/** Methods by letters in an order of this browser's own, and votes on what is seen. */
SF.blind = {
  on: false,
  letters() {
    let order = SF.store.read("blind", null);
    const ids = SF.data.methods.map((method) => method.id);
    if (!order || order.length !== ids.length || !ids.every((id) => order.includes(id))) {
      order = [...ids];
      for (let i = order.length - 1; i > 0; i--) { const j = crypto.getRandomValues(new Uint32Array(1))[0] % (i + 1); [order[i], order[j]] = [order[j], order[i]]; }
      SF.store.write("blind", order);
      this.held = order;
    }
    return this.held || order;
  },
  letter(id) { const place = this.letters().indexOf(id); return `Method ${String.fromCharCode(65 + (place % 26))}${place >= 26 ? Math.floor(place / 26) : ""}`; },
  order(items) { return this.on ? [...items].sort((a, b) => this.letters().indexOf(a.method || a.id) - this.letters().indexOf(b.method || b.id)) : items; },
  key() { return { film: SF.data.film.name, report: SF.data.identity, methods: Object.fromEntries(SF.data.methods.map((method) => [this.letter(method.id), method.id])) }; },
  votes: () => SF.store.read("votes", []),
  vote(choice) {
    if (!this.on || SF.state.view !== "viewer") return SF.say("Votes are for blind mode, on the Shots page (B).");
    const { shot, frame, a, b } = SF.state;
    SF.store.write("votes", [...this.votes(), { shot, frame, a: SF.title(a.method), b: SF.title(b.method), choice }]);
    return SF.say(choice === "same" ? "Voted: no difference." : `Voted: ${choice.toUpperCase()} holds together better.`);
  },
};

SF.about = {
  show() {
    const classes = Object.entries(SF.data.information).map(([key, words]) => [SF.el("dt", {}, key), SF.el("dd", {}, words)]);
    const methods = SF.data.methods.map((method) => [SF.el("dt", {}, method.title), SF.el("dd", {}, [method.information, method.words, ...(method.facts.model && method.facts.model.name ? [`model ${method.facts.model.name}`, method.facts.model.licence ? `licence ${method.facts.model.licence}` : ""] : []), ...method.notes].filter(Boolean).join(" · "))]);
    SF.fill("about", SF.el("div.page.prose", {}, SF.el("h2", {}, "What this is"),
      SF.data.problems.length ? [SF.el("h3", {}, "Left out"), SF.data.problems.map((problem) => SF.el("p.warn", {}, SF.el("b", {}, problem.place || problem.path), ` ${problem.message}`))] : null,
      SF.data.remarks.map((text) => SF.el("p.say", {}, text)),
      SF.el("p", {}, "Splatfilm renders every shot from one scene, so that two shots of one moment show one moment. A video model starts every shot from noise. This page measures the difference on the same shots, with every method's pictures before you."),
      SF.el("p", {}, "No number stands alone: each has the best that is possible on the same frames (two renders of one scene, never a perfect score) and what an unrelated picture gets. A picture that is frozen, blurred, flat or a copy wins many scores; guards find that and block the score. Within-shot smoothness is no continuity."),
      SF.el("p", {}, "Splatfilm's own agreement before refinement is exact by construction: the same scene through the same camera is the same picture. It is said here as a property, not as a score won. Continuity is not quality: how well the scene itself was photographed and reconstructed is in film.json (held-out PSNR), and printed below."),
      SF.el("h3", {}, "How well our scene is known"), SF.el("p", {}, SF.data.fidelity.join(" · ") || "not recorded"),
      SF.el("h3", {}, "What a method was given"), SF.el("dl", {}, classes),
      SF.el("h3", {}, "Methods"), SF.el("dl", {}, methods),
      SF.el("h3", {}, "Terms"), SF.el("dl", {}, Object.entries(SF.TERMS).map(([term, words]) => [SF.el("dt", {}, term), SF.el("dd", {}, words)])),
      SF.el("h3", {}, "Published numbers, for context only"), SF.el("p", {}, "Other scenes, other cameras: never a ranking with the numbers here. Best published return to a place (WorldExam): 21.7 dB (NeoVerse); closed services 12.3 to 13.5 dB, which is about what an unrelated picture gets. WorldMem on RealEstate10K: 23.3 dB. WorldPlay, after 250 frames or more: 18.9 dB.")));
  },
};
SF.TERMS = {
  FSC: "follow-up continuity: the cube root of PHO x COL x EPI", PHO: "pixels of one shot warped into the other, between unrelated (0) and one scene (1)", COL: "the same for colour (CIEDE2000)", EPI: "details that lie where the cameras say they must, against one scene",
  OBJ: "PHO of one object", WORST: "the object that fits worst across the cut", REV_PSNR: "coming back to the same view, dB; exact means every pixel, at the size of this report", REV_SSIM: "the same as structural similarity", REV_dE: "the same as colour difference",
  JRR: "by its pictures alone: share of the second shot's frames that stand in the place that the first shot shows", TRK_dE: "colour difference at the points that both shots show, by its pictures alone", REG: "by the clip alone: share of frames that make one place", ROT_REL: "by the clip alone: degrees off the camera's way, from the first frame on", TRA_REL: "by the clip alone: percent of the way off, at the best scale",
  LOC: "share of frames whose camera could be found in our scene", ROT: "degrees between the camera that was asked for and the one that was found", TRA: "metres between them", FWE: "what changes between frames beyond motion", DWE: "the same after our depth", FLK: "brightness flicker, 8-bit levels", MOTION: "guard: how far things move between frames, against ours", DETAIL: "guard: fine detail, against ours", RANGE: "guard: share of pixels at black or white", COPY: "guard: whether one shot was pasted as the other",
  OURS_PSNR: "agreement with our render of the same frame, dB", OURS_SSIM: "the same as structural similarity", OURS_dE: "the same as colour difference", WARP_PSNR: "one shot warped into the other, dB", WARP_dE: "the same as colour difference", FWE_RATIO: "FWE against ours on the same path", FWE_COVERAGE: "share of pixels that FWE could use", FLOW: "how far things move between frames, pixels", TRA_SHARE: "TRA as a share of the camera's way",
  OUT: "share of pixels that an edit changed outside the object", OUT_MEAN: "how much outside, 8-bit levels", IN: "share it changed inside", DET: "share of frames equal to the bit in two runs", MASKED: "share of pixels that could not be compared",
};
