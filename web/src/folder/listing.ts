/**
 * A folder that is being read: entries arrive in a stream, and are shown while more arrive.
 *
 * Once all are here another order costs no request; before that, the folder is asked for anew, so
 * that the first rows are the right ones.
 */

import { type Entry, type Ordering, queryOf, sorted } from "./entries";

export type ListingState = "reading" | "complete" | "lost" | "missing" | "refused";

const RETRIES = [500, 2_000, 5_000]; // milliseconds before a listing that was lost is asked again

export class Listing extends EventTarget {
  entries: readonly Entry[] = [];
  state: ListingState = "reading";
  ordering: Ordering;
  readonly path: string;
  #reading: AbortController | undefined;
  #lost = 0;
  #waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(path: string, ordering: Ordering) {
    super();
    this.path = path;
    this.ordering = ordering;
    void this.read();
  }

  /** Ask for the folder anew; what is shown stays until the first entries are here. */
  async read(): Promise<void> {
    this.#reading?.abort();
    clearTimeout(this.#waiting);
    const reading = new AbortController();
    this.#reading = reading;
    this.#move("reading");
    let found: Entry[] = [];
    try {
      const response = await fetch(this.path + queryOf(this.ordering), {
        headers: { accept: "application/x-ndjson" },
        signal: reading.signal,
      });
      if (response.status === 404) return this.#settle([], "missing");
      if (!response.ok || !response.body) return this.#settle([], "refused");
      for await (const lines of readLines(response.body)) {
        // A new array: whoever holds the old one sees that it has grown.
        found = found.concat(lines.map((line) => JSON.parse(line) as Entry));
        this.entries = found;
        this.#lost = 0;
        this.#changed();
      }
      this.#settle(found, "complete");
    } catch {
      if (reading.signal.aborted) return;
      if (found.length > 0 || this.entries.length === 0) this.entries = found;
      this.#move("lost");
      const wait = RETRIES[this.#lost++];
      if (wait !== undefined) this.#waiting = setTimeout(() => this.read(), wait);
    }
  }

  /** Put the entries in another order. */
  order(ordering: Ordering): void {
    this.ordering = ordering;
    if (this.state === "complete") {
      this.entries = sorted(this.entries, ordering);
      this.#changed();
    } else {
      void this.read();
    }
  }

  close(): void {
    this.#reading?.abort();
    clearTimeout(this.#waiting);
  }

  #settle(entries: readonly Entry[], state: ListingState): void {
    this.entries = entries;
    this.#move(state);
  }

  #move(state: ListingState): void {
    this.state = state;
    this.#changed();
  }

  #changed(): void {
    this.dispatchEvent(new Event("change"));
  }
}

/** The whole lines of a stream of text, as many at a time as have come. */
export async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string[]> {
  const reader = stream.pipeThrough(new TextDecoderStream() as never).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = (await reader.read()) as ReadableStreamReadResult<string>;
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      if (lines.length > 0) yield lines;
    }
    if (rest) yield [rest];
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}
