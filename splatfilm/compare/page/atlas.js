// One video per shot holds every method in a grid. One decoder shows them all, so they cannot drift apart.
"use strict";

/** A shot's atlas: `seek` to a frame, then `paint` any lane of it. */
SF.Atlas = class {
  constructor(shot) {
    this.shot = shot;
    this.rate = SF.data.film.rate[0] / SF.data.film.rate[1];
    this.frame = -1;
    this.video = SF.el("video", { muted: true, playsinline: true, preload: "auto" });
    this.ready = this.load();
  }

  async load() {
    const url = URL.createObjectURL(new Blob([await SF.atlasBytes(this.shot)], { type: "video/mp4" }));
    await new Promise((done, failed) => {
      this.video.addEventListener("loadeddata", done, { once: true });
      this.video.addEventListener("error", () => failed(new Error("this browser cannot play H.264 video")), { once: true });
      this.video.src = url;
    });
  }

  /** Show frame `frame`; resolves when its pixels are there. Only the newest wish is followed. */
  async seek(frame) {
    await this.ready;
    this.wanted = frame;
    while (this.busy) await this.busy;
    if (this.wanted !== frame || this.frame === frame) return;
    this.busy = new Promise((done) => {
      this.video.addEventListener("seeked", done, { once: true });
      this.video.currentTime = (frame + 0.5) / this.rate;
    });
    await this.busy;
    this.busy = null;
    this.frame = frame;
  }

  /** The frame that playback shows now. */
  playing() {
    this.frame = Math.min(this.shot.count - 1, Math.max(0, Math.floor(this.video.currentTime * this.rate + 1e-3)));
    return this.frame;
  }

  source(lane) {
    const { columns, pane } = this.shot.atlas;
    return [(lane % columns) * pane[0], Math.floor(lane / columns) * pane[1], pane[0], pane[1]];
  }

  /** Draw a lane into a rectangle of a canvas. */
  paint(context, lane, x, y, width, height) {
    context.drawImage(this.video, ...this.source(lane), x, y, width, height);
  }
};

/** The bytes of a shot's atlas: in the page, or in a script beside it (which a page from a disk may load). */
SF.atlasBytes = async (shot) => {
  const inline = document.getElementById(`atlas-${shot.name}`);
  const text = inline ? inline.textContent : await SF.atlasBeside(shot);
  const binary = atob(text.trim());
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
};

SF.arrived = {};
SF.atlasBeside = (shot) =>
  new Promise((done, failed) => {
    const script = SF.el("script", { src: shot.atlas.src });
    script.addEventListener("load", () => { done(SF.arrived[shot.name]); delete SF.arrived[shot.name]; script.remove(); });
    script.addEventListener("error", () => failed(new Error(`${shot.atlas.src} is not beside this page: keep them together`)));
    document.head.append(script);
  });

SF.atlases = {
  kept: new Map(),
  of(shot) {
    if (!this.kept.has(shot.name)) {
      this.kept.set(shot.name, new SF.Atlas(shot));
      if (this.kept.size > 3) {
        const [oldest] = this.kept.keys();
        URL.revokeObjectURL(this.kept.get(oldest).video.src);
        this.kept.get(oldest).video.removeAttribute("src");
        this.kept.delete(oldest);
      }
    }
    return this.kept.get(shot.name);
  },
};
