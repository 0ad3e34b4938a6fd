/**
 * How much a request may carry: what the server announces, and less once somebody has refused it.
 *
 * A proxy that takes no more answers 413, or closes the connection before the server has got
 * anything: a network that is cut leaves some of it there.
 */

import { type Limits, readLimits } from "./limits";

const SMALLEST = 256 * 1024;
const FIRST_SMALLER = 64 * 1024 * 1024;

export class Pieces {
  #limits: Limits = readLimits(null);
  #tried = Number.POSITIVE_INFINITY;

  /** Bytes of the next request; the last one may have less. */
  get size(): number {
    const { mostOfRequest, leastOfRequest } = this.#limits;
    const wanted = Math.max(this.#tried, leastOfRequest ?? 0);
    return mostOfRequest ? Math.min(wanted, mostOfRequest) : wanted;
  }

  /** Bytes of a whole upload at the most, null if nobody has said. */
  get most(): number | null {
    return this.#limits.most;
  }

  /** Take note of an answer's field Upload-Limit; one without it changes nothing. */
  heed(field: string | null): void {
    if (field !== null) this.#limits = readLimits(field);
  }

  /** Send less in a request; false if it is little already. */
  smaller(): boolean {
    const now = this.size;
    if (now <= Math.max(SMALLEST, this.#limits.leastOfRequest ?? 0)) return false;
    this.#tried = Math.max(SMALLEST, now === Number.POSITIVE_INFINITY ? FIRST_SMALLER : now / 4);
    return this.size < now;
  }
}

/** Those of this tab: it has one way to the server. */
export const pieces = new Pieces();
