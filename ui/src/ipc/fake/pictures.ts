/** Moving pictures out of nothing: a head before a wall, or a page of text, as I420 with the header of a tile. */
type Paint = { y: number; u: number; v: number };

function paint(r: number, g: number, b: number): Paint {
  return {
    y: 16 + 0.257 * r + 0.504 * g + 0.098 * b,
    u: 128 - 0.148 * r - 0.291 * g + 0.439 * b,
    v: 128 + 0.439 * r - 0.368 * g - 0.071 * b,
  };
}

const WALLS = [paint(52, 84, 74), paint(70, 62, 96), paint(94, 74, 52), paint(44, 72, 104), paint(98, 58, 66), paint(66, 70, 76)];
const SHIRTS = [paint(186, 92, 60), paint(44, 104, 150), paint(196, 170, 88), paint(88, 128, 84), paint(150, 72, 120), paint(60, 64, 78)];
const SKINS = [paint(222, 184, 152), paint(140, 96, 70), paint(196, 150, 118), paint(96, 66, 50)];
const HAIR = [paint(52, 36, 26), paint(24, 22, 24), paint(150, 104, 52), paint(120, 118, 116)];
const PAGE = paint(250, 250, 252);
const INK = paint(60, 66, 76);
const MARK = paint(20, 140, 122);

export function picture(tile: string, width: number, height: number, number: number): ArrayBuffer {
  const w = Math.max(2, Math.round(width / 2) * 2);
  const h = Math.max(2, Math.round(height / 2) * 2);
  const bytes = new ArrayBuffer(16 + w * h + (w * h) / 2);
  const head = new DataView(bytes);
  head.setBigUint64(0, BigInt(number), true);
  head.setUint32(8, w, true);
  head.setUint32(12, h, true);
  const planes = new Uint8Array(bytes, 16);
  const at = tile.includes('screen') ? page(number) : person(seed(tile), number);
  const chroma = w * h;
  const quarter = chroma / 4;
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      // Heads keep their shape, whatever the shape of the picture.
      const color = at((x / w - 0.5) * (w / h), y / h);
      planes[y * w + x] = color.y;
      if (x % 2 === 0 && y % 2 === 0) {
        const i = (y / 2) * (w / 2) + x / 2;
        planes[chroma + i] = color.u;
        planes[chroma + quarter + i] = color.v;
      }
    }
  }
  return bytes;
}

function seed(text: string): number {
  return [...text].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) >>> 0, 7);
}

function person(which: number, number: number): (x: number, y: number) => Paint {
  const pick = <T>(list: T[], shift: number) => list[(which >>> shift) % list.length]!;
  const [wall, shirt, skin, hair] = [pick(WALLS, 0), pick(SHIRTS, 4), pick(SKINS, 9), pick(HAIR, 14)];
  const sway = Math.sin(number / 40 + (which % 7)) * 0.025;
  const nod = Math.sin(number / 23 + (which % 5)) * 0.008;
  const lit = (color: Paint, by: number): Paint => ({ ...color, y: Math.max(16, Math.min(235, color.y * by)) });
  return (x, y) => {
    const dx = x - sway;
    const face = (dx / 0.125) ** 2 + ((y - 0.42 - nod) / 0.17) ** 2;
    if (face < 1) {
      if (y - 0.42 - nod < -0.07 + Math.abs(dx) * 0.25) return hair;
      return lit(skin, 1.06 - dx * 0.9);
    }
    if ((dx / 0.15) ** 2 + ((y - 0.39 - nod) / 0.2) ** 2 < 1 && y < 0.45) return hair;
    if (Math.abs(dx) < 0.055 && y > 0.5 && y < 0.68) return lit(skin, 0.82);
    if ((dx / 0.33) ** 2 + ((y - 1.02) / 0.4) ** 2 < 1) return lit(shirt, 1.05 - dx * 0.6);
    return lit(wall, 1.12 - y * 0.3 - Math.abs(x) * 0.22);
  };
}

function page(number: number): (x: number, y: number) => Paint {
  const cursor = (number / 200) % 1;
  return (x, y) => {
    if (y < 0.07) return paint(228, 231, 236);
    if (Math.abs(x) > 0.62) return paint(240, 242, 245);
    const line = Math.floor((y - 0.12) / 0.045);
    const within = (y - 0.12) / 0.045 - line;
    if (line >= 0 && line < 17 && within > 0.25 && within < 0.62) {
      const long = 0.35 + (seed(`line ${line}`) % 100) / 140;
      const word = Math.floor((x + 0.5) * 22 + line * 3) % 5 !== 0;
      if (x > -0.5 && x < -0.5 + long && word) return line === 0 ? MARK : INK;
    }
    if (Math.abs(y - 0.12 - cursor * 0.7) < 0.014 && Math.abs(x + 0.53) < 0.006) return MARK;
    return PAGE;
  };
}
