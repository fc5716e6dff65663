// The one connection to Python. It comes back by itself; an edit that got no answer is sent again, so none is lost.

export class Wire {
  constructor(heard) {
    this.heard = heard; // {state, tables, unseen, picture, open, closed, refused}
    this.next = 1;
    this.waiting = new Map();
    this.delay = 250;
    this.connect();
  }

  connect() {
    const socket = new WebSocket(`ws://${location.host}/socket`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.delay = 250;
      for (const one of this.waiting.values()) socket.send(one.text);
      this.heard.open();
    };
    socket.onmessage = ({ data }) => (typeof data === "string" ? this.message(JSON.parse(data)) : this.picture(data));
    socket.onclose = () => {
      this.heard.closed();
      setTimeout(() => this.connect(), this.delay);
      this.delay = Math.min(4000, this.delay * 2);
    };
    this.socket = socket;
  }

  message(message) {
    if (message.type !== "reply") return this.heard[message.type]?.(message);
    const one = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (!message.ok) this.heard.refused(message); // also what a look or a playhead was refused for
    one?.done(message);
  }

  picture(data) {
    const length = new DataView(data).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    this.heard.picture(header, new Uint8Array(data, 4 + length));
  }

  // Looks are not kept when the line is down: the page asks for the newest one anyway.
  ask(message) {
    const id = this.next++;
    const text = JSON.stringify({ id, ...message });
    const open = this.socket.readyState === WebSocket.OPEN;
    return new Promise((done) => {
      if (!["look", "ahead", "watch"].includes(message.do)) this.waiting.set(id, { text, done });
      if (open) this.socket.send(text);
    });
  }
}
