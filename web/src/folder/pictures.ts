/**
 * Pictures that come while a person scrolls: those nearest to the middle of the window first, a few
 * at a time, and those that are scrolled past not at all.
 *
 * A browser would load them in the order in which they were drawn, and go on with those that are
 * gone. A picture that is taken out here is cancelled, and stops costing the server.
 */

const AT_ONCE = 4; // of the six connections that a browser opens; the others are for everything else

export type Arrival = (state: "loading" | "here" | "failed") => void;

interface Wanted {
  image: HTMLImageElement;
  source: string;
  told: Arrival;
}

export class PictureQueue {
  #waiting = new Set<Wanted>();
  #loading = new Set<Wanted>();

  /** Load a picture when its turn comes; what is returned takes it out again. */
  add(image: HTMLImageElement, source: string, told: Arrival): () => void {
    const wanted = { image, source, told };
    this.#waiting.add(wanted);
    queueMicrotask(() => this.#next()); // whoever else is drawn now is nearer, maybe
    return () => {
      this.#waiting.delete(wanted);
      if (this.#loading.delete(wanted)) {
        image.onload = null;
        image.onerror = null;
        image.removeAttribute("src"); // this cancels it
        this.#next();
      }
    };
  }

  #next(): void {
    while (this.#loading.size < AT_ONCE && this.#waiting.size > 0) this.#load(this.#nearest());
  }

  #nearest(): Wanted {
    const middle = innerHeight / 2;
    let best: Wanted | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const wanted of this.#waiting) {
      const { top, height } = wanted.image.getBoundingClientRect();
      const distance = Math.abs(top + height / 2 - middle);
      if (distance < least || !best) [best, least] = [wanted, distance];
    }
    if (!best) throw new Error("nothing waits");
    return best;
  }

  #load(wanted: Wanted): void {
    this.#waiting.delete(wanted);
    this.#loading.add(wanted);
    const done = (state: "here" | "failed") => () => {
      this.#loading.delete(wanted);
      wanted.told(state);
      this.#next();
    };
    wanted.image.onload = done("here");
    wanted.image.onerror = done("failed");
    wanted.told("loading");
    wanted.image.src = wanted.source;
  }
}

export const pictures = new PictureQueue();
