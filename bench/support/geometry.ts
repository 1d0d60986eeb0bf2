/** Pixels of the screen. */
export type Rect = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/** Where a picture of that shape lies in a box that shows it whole and centred (CSS `object-fit: contain`, mpv, ffplay). */
export function fitted(box: Rect, picture: { readonly width: number; readonly height: number }): Rect {
  const scale = Math.min(box.width / picture.width, box.height / picture.height);
  const width = picture.width * scale;
  const height = picture.height * scale;
  return { x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2, width, height };
}

/** The place of `part` (in the coordinates of `whole`) in a scaled picture of `whole` that lies at `shown`. */
export function mapped(part: Rect, whole: Rect, shown: Rect): Rect {
  const across = shown.width / whole.width;
  const down = shown.height / whole.height;
  return {
    x: shown.x + (part.x - whole.x) * across,
    y: shown.y + (part.y - whole.y) * down,
    width: part.width * across,
    height: part.height * down,
  };
}
