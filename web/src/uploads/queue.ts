/** All uploads of this page: what runs, what waits for its turn, and what they add up to. */

import type { Chosen } from "./chosen";
import { isHidden } from "./chosen";
import { remembered } from "./memory";
import { RESTING, Upload } from "./upload";

const AT_ONCE = 2; // a browser gives six connections to a host, and the page wants some

export class Queue {
  uploads: Upload[] = [];
  /** How many hidden files were left out of what was chosen last. */
  leftOut = 0;
  #last = 0;
  #running = new Set<Upload>();
  #listeners = new Set<() => void>();
  #told = false;
  #arrivals = new Set<(path: string) => void>();

  constructor() {
    for (const { url, path, name, size, modified } of remembered()) {
      const upload = this.#make(path, name, size, modified, null, url);
      void upload.look();
    }
    window.addEventListener("online", () => {
      for (const upload of this.uploads) upload.wake();
    });
    window.addEventListener("offline", () => {
      for (const upload of this.uploads) upload.cut();
    });
  }

  /** Call `listener` when anything has changed, once a frame at the most. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Call `listener` with the path of each file that has come to stand at the server. */
  onArrival(listener: (path: string) => void): () => void {
    this.#arrivals.add(listener);
    return () => this.#arrivals.delete(listener);
  }

  /** Take what was chosen for the folder `folder`, as `music/2026/`, "" for the root. */
  add(chosen: Chosen[], folder: string): void {
    const wanted = chosen.filter(({ path }) => !isHidden(path));
    this.leftOut = chosen.length - wanted.length;
    for (const { file, path } of wanted) {
      if (this.uploads.some((upload) => upload.found(file))) continue;
      this.#make(folder + path, file.name, file.size, file.lastModified, file, null);
    }
    this.#next();
    this.#changed();
  }

  remove(upload: Upload): void {
    this.uploads.splice(this.uploads.indexOf(upload), 1);
    void upload.giveUp();
    this.#next();
    this.#changed();
  }

  /** Take what is over off the list. */
  clear(): void {
    for (const upload of this.uploads.filter(({ state }) => state === "done")) this.remove(upload);
  }

  get active(): Upload[] {
    return this.uploads.filter(({ state }) => !RESTING.has(state));
  }

  get sent(): number {
    return sum(this.uploads, ({ sent }) => sent);
  }

  get size(): number {
    return sum(this.uploads, ({ size }) => size);
  }

  get rate(): number {
    return sum(this.uploads, ({ rate }) => rate);
  }

  /** Seconds until all is there at this rate, null if nobody can tell. */
  get left(): number | null {
    const { active, rate } = this;
    return rate > 0 ? sum(active, ({ size, sent }) => size - sent) / rate : null;
  }

  #make(
    path: string,
    name: string,
    size: number,
    modified: number,
    file: File | null,
    url: string | null,
  ): Upload {
    this.#last += 1;
    const upload = new Upload(this.#last, path, name, size, modified, file, url, () => {
      this.#next();
      this.#changed();
    });
    this.uploads.push(upload);
    return upload;
  }

  #next(): void {
    for (const upload of this.uploads) {
      if (this.#running.size >= AT_ONCE) return;
      if (upload.state !== "queued" || this.#running.has(upload)) continue;
      this.#running.add(upload);
      void upload.run().then(() => {
        this.#running.delete(upload);
        if (upload.state === "done") this.#tellArrival(upload.place);
        this.#next();
        this.#changed();
      });
    }
  }

  #tellArrival(path: string): void {
    for (const listener of this.#arrivals) listener(path);
  }

  #changed(): void {
    if (this.#told) return;
    this.#told = true;
    window.setTimeout(() => {
      this.#told = false;
      for (const listener of this.#listeners) listener();
    }, 100); // a person reads no faster, and a page in the background has no frames
  }
}

/** That of this page: it goes on while the page shows other folders and views. */
export const queue = new Queue();

function sum<T>(list: T[], of: (one: T) => number): number {
  return list.reduce((total, one) => total + of(one), 0);
}
