/**
 * Draws I420 pictures into one canvas with WebGL2. Knows nothing of calls.
 *
 * Three one-channel textures and one triangle; the conversion is BT.601 in
 * studio range, which is what VP8 carries.
 */
const VERTEX = `#version 300 es
out vec2 at;
void main() {
  vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  at = vec2(corner.x * 0.5 + 0.5, 0.5 - corner.y * 0.5);
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
uniform sampler2D y;
uniform sampler2D u;
uniform sampler2D v;
in vec2 at;
out vec4 color;
void main() {
  float l = 1.1643 * (texture(y, at).r - 0.0625);
  float b = texture(u, at).r - 0.5;
  float r = texture(v, at).r - 0.5;
  color = vec4(l + 1.596 * r, l - 0.3917 * b - 0.8129 * r, l + 2.0172 * b, 1.0);
}`;

/** One picture: planes Y, U, V without padding, chroma halved and rounded up. */
export type Picture = { number: number; width: number; height: number; planes: Uint8Array };

const HEADER = 16;

/** Reads what the tile address answers; null for what is no picture. */
export function readPicture(bytes: ArrayBuffer): Picture | null {
  if (bytes.byteLength < HEADER) return null;
  const head = new DataView(bytes);
  const number = Number(head.getBigUint64(0, true));
  const width = head.getUint32(8, true);
  const height = head.getUint32(12, true);
  const planes = new Uint8Array(bytes, HEADER);
  const chroma = Math.ceil(width / 2) * Math.ceil(height / 2);
  if (width === 0 || height === 0 || planes.length !== width * height + 2 * chroma) return null;
  return { number, width, height, planes };
}

export class Painter {
  readonly #gl: WebGL2RenderingContext;
  readonly #textures: WebGLTexture[] = [];
  #width = 0;
  #height = 0;

  /** Null where there is no WebGL2, or no more of it: a page has only so many contexts. */
  static on(canvas: HTMLCanvasElement): Painter | null {
    // The pixels must stay readable: they are what a screenshot, and a test, sees.
    const gl = canvas.getContext('webgl2', { alpha: false, antialias: false, depth: false, preserveDrawingBuffer: true });
    if (!gl) return null;
    const program = link(gl);
    return program ? new Painter(gl, program) : null;
  }

  private constructor(gl: WebGL2RenderingContext, program: WebGLProgram) {
    this.#gl = gl;
    gl.useProgram(program);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    ['y', 'u', 'v'].forEach((name, unit) => {
      gl.uniform1i(gl.getUniformLocation(program, name), unit);
      const texture = gl.createTexture();
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
      this.#textures.push(texture);
    });
  }

  draw({ width, height, planes }: Picture): void {
    const gl = this.#gl;
    if (width !== this.#width || height !== this.#height) this.#resize(width, height);
    const [cw, ch] = [Math.ceil(width / 2), Math.ceil(height / 2)];
    const sizes: [number, number][] = [[width, height], [cw, ch], [cw, ch]];
    let from = 0;
    sizes.forEach(([w, h], unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, w, h, gl.RED, gl.UNSIGNED_BYTE, planes.subarray(from, from + w * h));
      from += w * h;
    });
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  end(): void {
    for (const texture of this.#textures) this.#gl.deleteTexture(texture);
    this.#gl.getExtension('WEBGL_lose_context')?.loseContext();
  }

  #resize(width: number, height: number): void {
    const gl = this.#gl;
    gl.canvas.width = width;
    gl.canvas.height = height;
    gl.viewport(0, 0, width, height);
    const [cw, ch] = [Math.ceil(width / 2), Math.ceil(height / 2)];
    const sizes: [number, number][] = [[width, height], [cw, ch], [cw, ch]];
    sizes.forEach(([w, h], unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, w, h, 0, gl.RED, gl.UNSIGNED_BYTE, null);
    });
    this.#width = width;
    this.#height = height;
  }
}

function link(gl: WebGL2RenderingContext): WebGLProgram | null {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(kind);
    if (!shader) return null;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}
