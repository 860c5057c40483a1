// Undo and redo, for each image apart: what held before every change of this page.

export class Past {
  constructor() {
    this.images = new Map();
  }

  of(image) {
    if (!this.images.has(image)) this.images.set(image, { before: [], after: [], revision: 0 });
    return this.images.get(image);
  }

  // The revision of the labels that this page saved last.
  know(image, revision) {
    this.of(image).revision = revision;
  }

  // Where someone else changed the image since, going back would undo that, too.
  meet(image, revision) {
    if (this.of(image).revision !== revision) this.forget(image, revision);
  }

  forget(image, revision) {
    this.images.set(image, { before: [], after: [], revision });
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
