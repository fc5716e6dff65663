// Every command of the page, once: the palette, the key sheet, the tooltips, the keyboard and the tests read this table.

const icon = (path) => `<svg viewBox="0 0 16 16" aria-hidden="true">${path}</svg>`;

export const COMMANDS = [
  { id: "play", group: "Time", title: "Play or pause", keys: ["Space"], icon: icon('<path d="M5 3l8 5-8 5z"/>'), run: (s) => s.play(s.speed ? 0 : 1) },
  { id: "back", group: "Time", title: "Play backwards", keys: ["J"], run: (s) => s.play(s.speed < 0 ? s.speed * 2 : -1) },
  { id: "stop", group: "Time", title: "Stop", keys: ["K"], run: (s) => s.play(0) },
  { id: "forward", group: "Time", title: "Play, then faster", keys: ["L"], run: (s) => s.play(s.speed > 0 ? s.speed * 2 : 1) },
  { id: "previous-frame", group: "Time", title: "One frame back", keys: [",", "Left"], icon: icon('<path d="M10 4L6 8l4 4"/>'), run: (s) => s.go(s.frame - 1) },
  { id: "next-frame", group: "Time", title: "One frame on", keys: [".", "Right"], icon: icon('<path d="M6 4l4 4-4 4"/>'), run: (s) => s.go(s.frame + 1) },
  { id: "previous-key", group: "Time", title: "To the key before", keys: ["["], run: (s) => s.toKey(-1) },
  { id: "next-key", group: "Time", title: "To the next key", keys: ["]"], run: (s) => s.toKey(1) },
  { id: "first", group: "Time", title: "To the first frame", keys: ["Home"], icon: icon('<path d="M4 3v10M12 4L7 8l5 4z"/>'), run: (s) => s.go(s.shot.first) },
  { id: "last", group: "Time", title: "To the last frame", keys: ["End"], icon: icon('<path d="M12 3v10M4 4l5 4-5 4z"/>'), run: (s) => s.go(s.shot.last) },
  { id: "set-in", group: "Shot", title: "In point here", keys: ["I"], run: (s) => s.edit("set-frames", { first: s.frame, last: s.shot.last }) },
  { id: "set-out", group: "Shot", title: "Out point here", keys: ["O"], run: (s) => s.edit("set-frames", { first: s.shot.first, last: s.frame }) },
  { id: "previous-shot", group: "Shot", title: "Previous shot", keys: ["PageUp"], run: (s) => s.step(-1) },
  { id: "next-shot", group: "Shot", title: "Next shot", keys: ["PageDown"], run: (s) => s.step(1) },
  { id: "duplicate-shot", group: "Shot", title: "Duplicate shot", keys: ["Ctrl+Shift+D"], run: (s) => s.duplicate() },
  { id: "new-shot", group: "Shot", title: "New shot", keys: ["N"], run: (s) => s.add() },
  { id: "rename-shot", group: "Shot", title: "Rename shot", keys: ["F2"], run: (s) => s.rename() },
  { id: "shot-up", group: "Shot", title: "Shot earlier in the cut", keys: ["Alt+Up"], run: (s) => s.reorder(-1) },
  { id: "shot-down", group: "Shot", title: "Shot later in the cut", keys: ["Alt+Down"], run: (s) => s.reorder(1) },
  { id: "delete-shot", group: "Shot", title: "Delete shot", keys: ["Shift+Delete"], run: (s) => s.edit("delete-shot", {}) },
  { id: "set-key", group: "Keys", title: "Set a key here", keys: ["S"], icon: icon('<path d="M8 3l5 5-5 5-5-5z"/>'), run: (s) => s.edit("set-key", { frame: s.frame }) },
  { id: "delete-keys", group: "Keys", title: "Delete the chosen keys", keys: ["Delete"], run: (s) => s.chosen.size && s.edit("delete-keys", { frames: [...s.chosen] }) },
  { id: "all-keys", group: "Keys", title: "Choose all keys", keys: ["Ctrl+A"], run: (s) => s.choose(s.shot.keys.map((key) => key.frame)) },
  { id: "keys-left", group: "Keys", title: "Chosen keys one frame earlier", keys: ["Alt+Left"], run: (s) => s.moveKeys(-1) },
  { id: "keys-right", group: "Keys", title: "Chosen keys one frame later", keys: ["Alt+Right"], run: (s) => s.moveKeys(1) },
  { id: "rig-to-keys", group: "Keys", title: "Make keys of the rig", keys: [], run: (s) => s.edit("rig-to-keys", {}) },
  { id: "convert-camera", group: "Keys", title: "Make this camera file ours", keys: [], run: (s) => s.edit("convert-camera", {}) },
  { id: "thirds", group: "View", title: "Thirds", keys: ["G"], run: (s) => s.toggle("thirds") },
  { id: "safe", group: "View", title: "Safe areas (93 % and 90 %)", keys: ["Shift+G"], run: (s) => s.toggle("safe") },
  { id: "centre", group: "View", title: "Centre cross", keys: ["C"], run: (s) => s.toggle("centre") },
  { id: "scope", group: "View", title: "Mask to 2.39", keys: ["M"], run: (s) => s.toggle("scope") },
  { id: "overview", group: "View", title: "3D overview beside the picture, alone, away", keys: ["Tab"], icon: icon('<path d="M2 5l6-3 6 3v6l-6 3-6-3zM2 5l6 3 6-3M8 8v6"/>'), run: (s) => s.turnOverview() },
  { id: "clean", group: "View", title: "Clean feed", keys: ["H"], run: (s) => s.toggle("clean") },
  { id: "focus-here", group: "Camera", title: "Focus on what is clicked next", keys: ["Z"], run: (s) => s.armFocus() },
  { id: "still", group: "Output", title: "Final still of this frame", keys: ["R"], run: (s) => s.still() },
  { id: "render-shot", group: "Output", title: "Render this shot", keys: ["Shift+R"], run: (s) => s.render([s.name]) },
  { id: "render-all", group: "Output", title: "Render all shots", keys: [], run: (s) => s.render(s.state.shots.map((one) => one.name)) },
  { id: "render-circled", group: "Output", title: "Bring all circled takes' shots up to date", keys: [], run: (s) => s.render("circled") },
  { id: "cancel", group: "Output", title: "Cancel rendering", keys: [], run: (s) => s.ask({ do: "cancel" }) },
  { id: "animatic", group: "Output", title: "Play the cut", keys: ["Shift+Space"], icon: icon('<path d="M2 3h12v10H2zM5 3v10M11 3v10M7 6l3 2-3 2z"/>'), run: (s) => s.playCut() },
  { id: "storyboard", group: "Output", title: "Storyboard (PDF and PNG)", keys: [], run: (s) => s.output("storyboard") },
  { id: "shot-list", group: "Output", title: "Shot list (CSV)", keys: [], run: (s) => s.output("shot-list") },
  { id: "import-camera", group: "Output", title: "Import a camera file into this shot", keys: [], run: (s) => document.getElementById("file").click() },
  { id: "export-camera", group: "Output", title: "Export this camera (Splatfilm)", keys: [], run: (s) => s.exportCamera("splatfilm") },
  { id: "export-nerfstudio", group: "Output", title: "Export this camera (nerfstudio)", keys: [], run: (s) => s.exportCamera("nerfstudio") },
  { id: "compare", group: "Output", title: "Compare with the newest take (wipe)", keys: ["B"], run: (s) => s.compare() },
  { id: "undo", group: "File", title: "Undo", keys: ["Ctrl+Z"], icon: icon('<path d="M6 4L3 7l3 3M3 7h6a3.5 3.5 0 010 7H7"/>'), run: (s) => s.wire.ask({ do: "undo" }) },
  { id: "redo", group: "File", title: "Redo", keys: ["Ctrl+Shift+Z"], icon: icon('<path d="M10 4l3 3-3 3M13 7H7a3.5 3.5 0 000 7h2"/>'), run: (s) => s.wire.ask({ do: "redo" }) },
  { id: "save", group: "File", title: "Save", keys: ["Ctrl+S"], icon: icon('<path d="M3 3h8l2 2v8H3zM5 3v4h5V3M5 13v-4h6v4"/>'), run: (s) => s.wire.ask({ do: "save" }) },
  { id: "reload", group: "File", title: "Take what is on the disk", keys: [], run: (s) => s.wire.ask({ do: "reload" }) },
  { id: "save-over", group: "File", title: "Save over what is on the disk", keys: [], run: (s) => s.wire.ask({ do: "save", over: true }) },
  { id: "palette", group: "File", title: "Find a command", keys: ["Ctrl+K"], run: (s) => s.openPalette() },
  { id: "keys", group: "File", title: "All keys", keys: ["?"], run: (s) => s.openKeys() },
];

export const MOUSE = [
  ["Drag", "pan and tilt"], ["Shift+drag", "truck and pedestal"], ["Ctrl+drag", "roll"],
  ["Drag a key", "move; Alt: copy; Ctrl: spread the chosen"], ["Click after Z", "focus there"], ["Wheel", "dolly"], ["Ctrl+wheel", "focal length"], ["Alt+wheel", "focus"],
];

export const command = (id) => COMMANDS.find((one) => one.id === id);
export const byKey = new Map(COMMANDS.flatMap((one) => one.keys.map((key) => [key, one])));
export const tip = (one) => (one.keys.length ? `${one.title} (${one.keys[0]})` : one.title);
