// Run by test_studio_page.py with node; the page's pure functions.
import assert from "node:assert/strict";
import test from "node:test";
import { COMMANDS, byKey } from "../../viewer/commands.js";
import { due, fit, mask, pressed, ruler } from "../../viewer/numbers.js";

test("a picture fits into its room without changing shape", () => {
  assert.deepEqual(fit(1000, 1000, 2), { width: 1000, height: 500 });
  assert.deepEqual(fit(1000, 100, 2), { width: 200, height: 100 });
});

test("a wider mask cuts above and below, a narrower one at the sides, an equal one nothing", () => {
  assert.deepEqual(mask(2, 4), [[0, 0, 1, 0.25], [0, 0.75, 1, 0.25]]);
  assert.deepEqual(mask(2, 1), [[0, 0, 0.25, 1], [0.75, 0, 0.25, 1]]);
  assert.deepEqual(mask(16 / 9, 1.778), []);
});

test("playing goes round the shot, both ways", () => {
  assert.equal(due(1001, 0.5, 1, 24, 1001, 1048), 1013);
  assert.equal(due(1040, 1, 1, 24, 1001, 1048), 1016);
  assert.equal(due(1001, 1 / 24, -1, 24, 1001, 1048), 1048);
});

test("a ruler's ticks are round numbers and never crowd", () => {
  const ticks = ruler(1001, 1240, 1000, 60);
  assert.deepEqual(ticks.slice(0, 3), [1020, 1040, 1060]);
  assert.deepEqual(ruler(1001, 1005, 1000, 60), [1001, 1002, 1003, 1004, 1005]);
});

test("keys are spelt as the table spells them", () => {
  const event = (key, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });
  assert.equal(pressed(event(" ")), "Space");
  assert.equal(pressed(event("?", { shiftKey: true })), "?");
  assert.equal(pressed(event("Z", { ctrlKey: true, shiftKey: true })), "Ctrl+Shift+Z");
  assert.equal(pressed(event("ArrowLeft", { altKey: true })), "Alt+Left");
});

test("no two commands share a key or a name", () => {
  assert.equal(byKey.size, COMMANDS.flatMap((one) => one.keys).length);
  assert.equal(new Set(COMMANDS.map((one) => one.id)).size, COMMANDS.length);
});
