/** How fast something moves: over the last seconds, so that the number neither jumps nor lags. */

const WINDOW = 4_000; // milliseconds

export class Pace {
  #samples: { at: number; bytes: number }[] = [];

  note(bytes: number, at = performance.now()): void {
    this.#samples.push({ at, bytes });
    while (this.#samples.length > 2 && at - (this.#samples[1]?.at ?? at) > WINDOW) {
      this.#samples.shift();
    }
  }

  /** Begin anew, as after a pause. */
  reset(): void {
    this.#samples = [];
  }

  /** Bytes a second; 0 when nothing has moved for a while. */
  rate(now = performance.now()): number {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (!first || !last || now - first.at < 250) return 0;
    return Math.max(0, ((last.bytes - first.bytes) / (now - first.at)) * 1000);
  }
}
