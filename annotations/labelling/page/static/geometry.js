// Boxes are fractions of the image, {x1, y1, x2, y2}; the view says where the image lies on the
// stage, {scale, x, y}: stage pixels an image pixel, and the stage position of its top left corner.

export const SMALLEST = 3; // image pixels: a shorter drag is a click

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

const MARGIN = 20;
const TOOLS = 58; // stage pixels at the bottom, where the buttons are

export function fit(width, height, stageWidth, stageHeight) {
  const [free, high] = [stageWidth - 2 * MARGIN, stageHeight - MARGIN - TOOLS];
  const scale = Math.min(free / width, high / height);
  return {
    scale,
    x: (stageWidth - width * scale) / 2,
    y: MARGIN + (high - height * scale) / 2,
  };
}

export function zoomed(view, factor, at, lowest, highest) {
  const scale = clamp(view.scale * factor, lowest, highest);
  const ratio = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * ratio, y: at.y - (at.y - view.y) * ratio };
}

export function toStage(box, size, view) {
  const x = view.x + box.x1 * size.width * view.scale;
  const y = view.y + box.y1 * size.height * view.scale;
  return {
    x,
    y,
    width: (box.x2 - box.x1) * size.width * view.scale,
    height: (box.y2 - box.y1) * size.height * view.scale,
  };
}

export function toImage(point, size, view) {
  return {
    x: clamp((point.x - view.x) / (size.width * view.scale), 0, 1),
    y: clamp((point.y - view.y) / (size.height * view.scale), 0, 1),
  };
}

export function between(a, b) {
  return {
    x1: Math.min(a.x, b.x),
    y1: Math.min(a.y, b.y),
    x2: Math.max(a.x, b.x),
    y2: Math.max(a.y, b.y),
  };
}

export const largeEnough = (box, size) =>
  (box.x2 - box.x1) * size.width >= SMALLEST && (box.y2 - box.y1) * size.height >= SMALLEST;

export function moved(box, dx, dy) {
  const x = clamp(dx, -box.x1, 1 - box.x2);
  const y = clamp(dy, -box.y1, 1 - box.y2);
  return { x1: box.x1 + x, y1: box.y1 + y, x2: box.x2 + x, y2: box.y2 + y };
}

// The edges that a handle moves, by its compass name.
export const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

export function handlePoint(rect, handle) {
  const x = handle.includes("w") ? 0 : handle.includes("e") ? 1 : 0.5;
  const y = handle.includes("n") ? 0 : handle.includes("s") ? 1 : 0.5;
  return { x: rect.x + x * rect.width, y: rect.y + y * rect.height };
}

const REACH = 6; // stage pixels

const close = (rect, at, handle) => {
  const point = handlePoint(rect, handle);
  return Math.abs(point.x - at.x) <= REACH && Math.abs(point.y - at.y) <= REACH;
};

// The corner of a box at a place of the stage, if there is one.
export const atCorner = (rect, at) =>
  ["nw", "ne", "se", "sw"].find((handle) => close(rect, at, handle)) || null;

// The edge of a box at a place of the stage, if there is one.
export function atEdge(rect, at) {
  const across = rect.x <= at.x && at.x <= rect.x + rect.width;
  const along = rect.y <= at.y && at.y <= rect.y + rect.height;
  if (along && Math.abs(at.x - rect.x) <= REACH) return "w";
  if (along && Math.abs(at.x - rect.x - rect.width) <= REACH) return "e";
  if (across && Math.abs(at.y - rect.y) <= REACH) return "n";
  if (across && Math.abs(at.y - rect.y - rect.height) <= REACH) return "s";
  return null;
}

export function resized(box, handle, point) {
  const x1 = handle.includes("w") ? point.x : box.x1;
  const x2 = handle.includes("e") ? point.x : box.x2;
  const y1 = handle.includes("n") ? point.y : box.y1;
  const y2 = handle.includes("s") ? point.y : box.y2;
  return between({ x: x1, y: y1 }, { x: x2, y: y2 });
}

// The smallest box under a point, so that a lamp inside a large part can be taken.
export function boxAt(boxes, point) {
  let best = -1;
  let area = Infinity;
  boxes.forEach((box, index) => {
    const inside =
      box.x1 <= point.x && point.x <= box.x2 && box.y1 <= point.y && point.y <= box.y2;
    const size = (box.x2 - box.x1) * (box.y2 - box.y1);
    if (inside && size < area) [best, area] = [index, size];
  });
  return best;
}
