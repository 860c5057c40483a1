// What a key means. Small letters and digits belong to the parts; commands are on other keys.

export const HELP = [
  ["Enter, Space", "accept every box, go on"],
  ["a part's key", "draw that part with the mouse"],
  ["-", "the part is not visible"],
  ["Shift X", "no missing part is visible"],
  ["Tab, Shift Tab", "choose the next, last box"],
  ["arrows", "nudge the chosen box by a pixel; with Shift by ten"],
  ["Alt arrows", "move its right and lower edge"],
  ["Delete", "remove the chosen box; or Shift and a click on it"],
  ["Esc", "choose nothing, draw nothing"],
  ["Ctrl Z, Ctrl Y", "undo, redo"],
  ["Page Down, Page Up", "next, previous image (arrows where no box is chosen)"],
  ["Shift C", "copy the boxes of the image before"],
  ["Shift M", "take the mean boxes of this vehicle's other images"],
  ["Shift S", "skip the image"],
  ["Shift F", "flag the image"],
  ["Shift H", "history of the image"],
  ["[ and ], wheel", "zoom; 0 shows the whole image; drag with the right button to move"],
  ["?", "this help"],
];

const PLAIN = {
  Enter: "accept",
  " ": "accept",
  Delete: "remove",
  Backspace: "remove",
  Escape: "escape",
  PageDown: "next",
  PageUp: "previous",
  "-": "hide",
  "[": "zoomOut",
  "]": "zoomIn",
  0: "fit",
  "?": "help",
};
const SHIFTED = {
  C: "copy",
  M: "usual",
  S: "skip",
  F: "flag",
  H: "history",
  X: "hideMissing",
};
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function command(event, parts, chosen) {
  const { key } = event;
  if (event.ctrlKey || event.metaKey) {
    if (key.toLowerCase() === "z") return { name: event.shiftKey ? "redo" : "undo" };
    if (key.toLowerCase() === "y") return { name: "redo" };
    return null;
  }
  if (key in ARROWS) {
    if (chosen)
      return { name: "nudge", by: ARROWS[key], step: event.shiftKey ? 10 : 1, resize: event.altKey };
    if (key === "ArrowRight") return { name: "next" };
    if (key === "ArrowLeft") return { name: "previous" };
    return null;
  }
  if (event.altKey) return null;
  if (key === "Tab") return { name: "cycle", by: event.shiftKey ? -1 : 1 };
  if (key in PLAIN) return { name: PLAIN[key] };
  if (key in SHIFTED && event.shiftKey) return { name: SHIFTED[key] };
  const part = parts.find((each) => each.key === key);
  return part ? { name: "arm", part: part.name } : null;
}
