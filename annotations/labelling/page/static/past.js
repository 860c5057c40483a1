// Undo and redo, for each image apart: what held before every change of this page.

export class Past {
  constructor() {
    this.images = new Map();
  }

  of(image) {
    if (!this.images.has(image)) this.images.set(image, { before: [], after: [] });
    return this.images.get(image);
  }

  push(image, state) {
    const past = this.of(image);
    past.before.push(JSON.stringify(state));
    past.after = [];
  }

  step(image, state, from, to) {
    const past = this.of(image);
    if (!past[from].length) return null;
    past[to].push(JSON.stringify(state));
    return JSON.parse(past[from].pop());
  }

  undo(image, state) {
    return this.step(image, state, "before", "after");
  }

  redo(image, state) {
    return this.step(image, state, "after", "before");
  }
}
