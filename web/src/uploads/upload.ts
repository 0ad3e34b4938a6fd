/**
 * One upload: a file on its way, through everything that may happen to it.
 *
 * The truth of how far it has come is the server's. Whenever anything was lost, it is asked, and the
 * upload goes on from there: after a cut, a restart of the server, or a reload of the page.
 */

import { size } from "../app/format";
import { type Begun, forgotten, isSame, remember } from "./memory";
import { Pace } from "./pace";
import { pieces } from "./pieces";
import * as tus from "./tus";

export type State =
  | "queued" // waits for its turn
  | "asking" // there is a file of that name: what now?
  | "missing" // begun before the page was loaded again: which file was it?
  | "elsewhere" // another tab or program sends it
  | "sending"
  | "waiting" // for the network or the server; tries again
  | "paused"
  | "done"
  | "refused";

/** Who waits until nothing more happens by itself. */
export const RESTING: ReadonlySet<State> = new Set([
  "asking",
  "missing",
  "elsewhere",
  "paused",
  "done",
  "refused",
]);

const LOOK = 700; // milliseconds between two looks at what another may be sending
const FIRST_WAIT = 1_000; // milliseconds
const LONGEST_WAIT = 30_000;
const TRY_AGAIN = new Set([408, 409, 423, 429, 500, 502, 503, 504, 507]);

export class Upload {
  state: State = "queued";
  sent = 0;
  /** Why it waits or was refused, in words; "" if there is nothing to say. */
  words = "";
  /** When it tries again, as of `Date.now()`; 0 if it does not wait for a time. */
  again = 0;
  /** The path under which it stands in the end. */
  place: string;
  readonly pace = new Pace();
  #clash: "refuse" | "rename" | "replace" = "refuse";
  #turn: symbol | null = null;
  #attempt: AbortController | null = null;
  #lostAt = -1; // where a request began of which the server has nothing
  #wake: (() => void) | null = null;

  constructor(
    readonly number: number,
    readonly path: string,
    readonly name: string,
    readonly size: number,
    readonly modified: number,
    private file: File | null,
    private url: string | null,
    private readonly changed: () => void,
  ) {
    this.place = path;
    if (file === null) this.state = "missing";
  }

  /** The name that the server has for it, "" while it has none. */
  get id(): string {
    return this.url?.split("/").at(-1) ?? "";
  }

  get rate(): number {
    return this.state === "sending" ? this.pace.rate() : 0;
  }

  /** Seconds until it is there at this rate, null if nobody can tell. */
  get left(): number | null {
    const rate = this.rate;
    return rate > 0 ? (this.size - this.sent) / rate : null;
  }

  /** Run until it rests; never fails. */
  async run(): Promise<void> {
    const turn = Symbol("turn");
    this.#turn = turn;
    let wait = FIRST_WAIT;
    while (this.#turn === turn) {
      const before = this.sent;
      this.#attempt = new AbortController();
      try {
        this.#become("sending");
        await this.#send(this.#attempt.signal);
        this.#finish();
        break;
      } catch (error) {
        if (this.#turn !== turn) return; // it was paused or given up
        if (this.sent > before) wait = FIRST_WAIT;
        if (!this.#goesOn(error)) break;
        if (this.words === "") continue;
        await this.#waitFor(wait);
        wait = Math.min(wait * 2, LONGEST_WAIT);
      }
    }
  }

  pause(): void {
    this.#stop();
    this.#become("paused");
  }

  /** Go on after a pause or a refusal, or do not wait any longer. */
  resume(): void {
    if (this.state === "waiting") this.#wake?.();
    else if (this.state === "paused" || this.state === "refused") this.#become("queued");
  }

  /** Take up the file again, if it is the one. */
  found(file: File): boolean {
    const awaited = this.state === "missing" || this.state === "elsewhere";
    if (!awaited || !isSame(this, file)) return false;
    this.file = file;
    if (this.state === "missing") {
      this.#attempt?.abort(); // a look that is still under way
      this.#become("queued");
    }
    return true;
  }

  /** Answer what to do about the file that has its name. */
  decide(clash: "rename" | "replace"): void {
    this.#clash = clash;
    this.#restart();
    this.#become("queued");
  }

  /** Give it up, here and at the server. */
  async giveUp(): Promise<void> {
    this.#stop();
    const { url } = this;
    if (url === null || this.state === "done") return;
    forgotten(url);
    await tus.forget(url).catch(() => undefined); // it expires
  }

  /**
   * See how much of it has come, for one that began before the page was loaded again, and go on
   * seeing while another tab sends it.
   */
  async look(): Promise<void> {
    if (this.url === null) return;
    const attempt = new AbortController();
    this.#attempt = attempt;
    try {
      const { state, offset } = await this.#untilNobodySends(this.url, attempt.signal);
      this.sent = offset;
      if (state === "complete") {
        this.#finish();
        return;
      }
    } catch (error) {
      if (error instanceof tus.Cut) return; // it was given up, or its file was found
      if (error instanceof tus.Refused) this.#restart();
    }
    this.#become(this.file === null ? "missing" : "queued");
  }

  /** The network is there again. */
  wake(): void {
    this.#wake?.();
  }

  /** The network has gone: what is on its way will not arrive. */
  cut(): void {
    if (this.state === "sending") this.#attempt?.abort();
  }

  async #send(signal: AbortSignal): Promise<void> {
    const file = this.file;
    if (file === null) throw new Error("there is no file");
    if (!navigator.onLine) throw new tus.Lost();
    if (this.url === null) {
      this.url = await tus.create(this.path, file, this.#clash, signal);
      this.sent = 0;
      remember(this.#begun(this.url));
    } else {
      await this.#untilNobodySends(this.url, signal);
      this.#become("sending");
      this.sent = await tus.offset(this.url, signal);
      if (this.sent === this.#lostAt) pieces.smaller();
    }
    if (pieces.most !== null && file.size > pieces.most) {
      await tus.forget(this.url).catch(() => undefined); // it expires
      this.#restart();
      throw new tus.Refused(413, "It is too large.", pieces.most);
    }
    this.pace.reset();
    while (this.sent < file.size) {
      const piece = file.slice(this.sent, this.sent + pieces.size);
      this.#lostAt = this.sent;
      this.sent = await tus.append(this.url, this.sent, piece, (sent) => this.#note(sent), signal);
      this.#lostAt = -1;
      this.changed();
    }
    if (this.#clash === "rename") this.place = (await tus.place(this.url)) ?? this.path;
  }

  /**
   * Look on for as long as another tab or program brings more of it. Asking for the offset would
   * end its request; what does not move has lost its sender, and may be taken over.
   */
  async #untilNobodySends(url: string, signal: AbortSignal): Promise<tus.Sight> {
    let before: number | null = null;
    for (;;) {
      const sight = await tus.look(url, signal);
      if (signal.aborted) throw new tus.Cut();
      if (!sight.receiving || sight.offset === before) return sight;
      this.sent = sight.offset;
      if (before !== null) this.#become("elsewhere");
      else this.changed();
      before = sight.offset;
      await new Promise((resolve) => window.setTimeout(resolve, LOOK));
    }
  }

  #note(sent: number): void {
    this.sent = sent;
    this.pace.note(sent);
    this.changed();
  }

  /** Decide about a failure: whether to try again, at once if there is nothing to say. */
  #goesOn(error: unknown): boolean {
    this.words = "";
    if (error instanceof tus.Lost || error instanceof tus.Cut) {
      this.words = navigator.onLine ? "The server does not answer." : "There is no network.";
      return true;
    }
    if (!(error instanceof tus.Refused)) {
      // The browser can no longer read it: it was changed, moved or taken away.
      this.#rest("refused", "The file cannot be read any more. Choose it again.");
      return false;
    }
    if (error.status === 412) {
      this.#rest("asking", "There is a file of this name.");
      return false;
    }
    if (this.url !== null && (error.status === 404 || error.status === 410)) {
      this.#restart(); // it was kept for a time, and that is over
      return true;
    }
    if (error.status === 413 && this.url !== null && pieces.smaller()) return true;
    if (error.status === 409 && this.url !== null) return true; // elsewhere than we thought
    if (TRY_AGAIN.has(error.status)) {
      this.words = error.message || `The server is busy (${error.status}).`;
      return true;
    }
    const most = error.most === null ? "" : ` It takes ${size(error.most)} at the most.`;
    const words = error.message || `The server does not take it (${error.status}).`;
    this.#rest("refused", words + most);
    return false;
  }

  async #waitFor(milliseconds: number): Promise<void> {
    this.again = Date.now() + milliseconds;
    this.#become("waiting");
    await new Promise<void>((resolve) => {
      const timer = window.setTimeout(resolve, milliseconds);
      this.#wake = () => {
        window.clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
    this.again = 0;
  }

  #finish(): void {
    if (this.url !== null) forgotten(this.url);
    this.sent = this.size;
    this.#rest("done", "");
  }

  #restart(): void {
    if (this.url !== null) forgotten(this.url);
    this.url = null;
    this.sent = 0;
  }

  #stop(): void {
    this.#turn = null;
    this.#attempt?.abort();
    this.#wake?.();
  }

  #rest(state: State, words: string): void {
    this.words = words;
    this.#become(state, words);
  }

  #become(state: State, words = this.words): void {
    this.state = state;
    this.words = state === "sending" || state === "queued" || state === "paused" ? "" : words;
    this.changed();
  }

  #begun(url: string): Begun {
    const { path, name, size, modified } = this;
    return { url, path, name, size, modified };
  }
}
