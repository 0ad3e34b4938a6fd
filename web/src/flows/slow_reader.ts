/**
 * A reader that is slow on purpose: this page, reading a file at the pace that a person chooses.
 *
 * What it does not read waits in the browser, then in the kernels' buffers; once these are full the
 * server stops reading the file, and the transfer shows it.
 */

interface Entry {
  href: string;
  type: string;
  size: number | null;
}

const LARGE = 16_000_000; // bytes: more than all buffers on the way hold
const FOLDERS = 40;

export class SlowReader {
  read = 0;
  path = "";
  #controller = new AbortController();

  constructor(
    private pace: number,
    private readonly changed: () => void,
  ) {}

  /** Read until the end, or until it is stopped; gives words if that goes wrong. */
  async run(): Promise<string> {
    try {
      const path = await findLarge();
      if (path === null) return `No file of ${LARGE / 1e6} MB or more was found here to try it on.`;
      this.path = path;
      const answer = await fetch(path, { signal: this.#controller.signal, cache: "no-store" });
      const reader = answer.body?.getReader();
      if (!answer.ok || !reader) return "That file cannot be read.";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return "";
        this.read += value.length;
        this.changed();
        await rest((value.length / this.pace) * 1000, this.#controller.signal);
      }
    } catch {
      return this.#controller.signal.aborted ? "" : "The transfer was cut.";
    }
  }

  stop(): void {
    this.#controller.abort();
  }
}

/** The path of a large file, by looking through some folders, the nearest first. */
async function findLarge(): Promise<string | null> {
  const folders = ["/"];
  for (let looked = 0; looked < FOLDERS && folders.length > 0; looked += 1) {
    const folder = folders.shift() ?? "/";
    const answer = await fetch(`${folder}?limit=200&sort=size&order=desc`, {
      headers: { accept: "application/json" },
    });
    if (!answer.ok) continue;
    const { entries } = (await answer.json()) as { entries: Entry[] };
    for (const entry of entries) {
      if (entry.type === "directory") folders.push(folder + entry.href);
      else if ((entry.size ?? 0) >= LARGE) return folder + entry.href;
    }
  }
  return null;
}

function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = window.setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      window.clearTimeout(timer);
      reject(new Error("stopped"));
    });
  });
}
