// The picture: two lanes of one atlas as a wipe, side by side, their difference, or one at a time.
"use strict";

SF.MODES = { wipe: "Wipe", side: "Side by side", diff: "Difference", flick: "Flick" };

/** |a - b| above a threshold, times gain, in 0..255 levels: `into` is RGBA. */
SF.difference = (a, b, into, gain, threshold) => {
  for (let i = 0; i < a.length; i += 4) {
    for (let c = 0; c < 3; c++) {
      const off = Math.abs(a[i + c] - b[i + c]);
      into[i + c] = off > threshold ? Math.min(255, off * gain) : 0;
    }
    into[i + 3] = 255;
  }
};

SF.stage = {
  wipe: 0.5,

  size() {
    const shot = SF.shots.get(SF.state.shot), box = document.getElementById("stage");
    const shape = SF.data.film.size[0] / SF.data.film.size[1] * (SF.state.mode === "side" ? 2 : 1);
    const width = Math.max(64, Math.min(box.clientWidth - 20, (box.clientHeight - 20) * shape));
    const screen = document.getElementById("screen"), density = Math.min(2, window.devicePixelRatio || 1);
    const wide = Math.round(width * density), high = Math.round((width / shape) * density);
    if (screen.width !== wide || screen.height !== high) { screen.width = wide; screen.height = high; }
    screen.style.width = `${width}px`;
    screen.style.height = `${width / shape}px`;
    return shot;
  },

  /** Seek and draw what the state asks for. */
  async show() {
    const shot = this.size(), atlas = SF.atlases.of(shot), { frame, offset } = SF.state;
    try {
      if (offset && !this.isPlaying) {
        await atlas.seek(Math.min(shot.count - 1, Math.max(0, frame + offset)));
        this.otherB = this.grab(atlas, this.lane(shot, "b"));
      } else this.otherB = null;
      await atlas.seek(frame);
      if (SF.state.frame === frame && SF.state.shot === shot.name) this.draw(atlas, shot);
      document.body.dataset.shown = `${shot.name}:${atlas.frame}`;
    } catch (error) { SF.say(error.message); }
  },

  lane: (shot, side) => Math.max(0, SF.laneOf(shot, SF.state[side].method, SF.state[side].take)),

  /** A lane's pixels at the atlas' own size, on a canvas of their own. */
  grab(atlas, lane) {
    const [width, height] = atlas.shot.atlas.pane;
    const canvas = SF.el("canvas", { width, height });
    atlas.paint(canvas.getContext("2d", { willReadFrequently: true }), lane, 0, 0, width, height);
    return canvas;
  },

  draw(atlas, shot) {
    const screen = document.getElementById("screen"), context = screen.getContext("2d");
    const { width, height } = screen, mode = SF.state.mode;
    const a = this.lane(shot, "a"), b = this.lane(shot, "b");
    context.imageSmoothingQuality = "high";
    const paintB = (...box) => this.otherB ? context.drawImage(this.otherB, ...box) : atlas.paint(context, b, ...box);
    if (mode === "side") {
      atlas.paint(context, a, 0, 0, width / 2 - 1, height);
      paintB(width / 2 + 1, 0, width / 2 - 1, height);
    } else if (mode === "flick") {
      SF.state.side === "b" ? paintB(0, 0, width, height) : atlas.paint(context, a, 0, 0, width, height);
    } else if (mode === "wipe") {
      atlas.paint(context, a, 0, 0, width, height);
      context.save();
      context.beginPath();
      context.rect(width * this.wipe, 0, width, height);
      context.clip();
      paintB(0, 0, width, height);
      context.restore();
      context.fillStyle = "#fffc";
      context.fillRect(width * this.wipe - 1, 0, 2, height);
    } else this.drawDifference(context, this.grab(atlas, a), this.otherB || this.grab(atlas, b));
  },

  drawDifference(context, one, other) {
    const { width, height } = one, read = (canvas) => canvas.getContext("2d").getImageData(0, 0, width, height);
    const a = read(one), result = new ImageData(width, height);
    SF.difference(a.data, read(other).data, result.data, SF.state.gain, SF.state.threshold);
    one.getContext("2d").putImageData(result, 0, 0);
    context.drawImage(one, 0, 0, context.canvas.width, context.canvas.height);
  },

  /** Play or stop; the picture follows the video's own clock. */
  async play(on = !this.isPlaying) {
    const shot = SF.shots.get(SF.state.shot), atlas = SF.atlases.of(shot);
    await atlas.ready;
    this.isPlaying = on;
    if (!on) {
      atlas.video.pause();
      atlas.frame = -1;
      SF.change({});
      return;
    }
    if (SF.state.frame >= shot.count - 1) await atlas.seek(0);
    atlas.video.loop = true;
    await atlas.video.play();
    const step = () => {
      if (!this.isPlaying || SF.state.shot !== shot.name) return atlas.video.pause();
      const frame = atlas.playing();
      this.draw(atlas, shot);
      if (frame !== SF.state.frame) { SF.state.frame = frame; SF.viewer.clock(); SF.plots.cursor(); }
      return requestAnimationFrame(step);
    };
    step();
  },
};
