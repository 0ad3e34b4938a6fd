/** Which pages of a text are held, and the moves between them: on, back, anywhere, and along its end. */

import { fetchBytes, PAGE_SIZE, PAGES_HELD, type Page, pageBefore, pageFrom } from "./text_pages";

export type ReaderState = "reading" | "resting" | "following" | "lost";

const FOLLOW_BEFORE = 64 * 1024; // bytes before the end that are shown when following begins
const FOLLOWED_LENGTH = 512 * 1024; // characters that are held of what came while following
const RETRY = 1_500; // milliseconds

export class TextReader extends EventTarget {
  pages: Page[] = [];
  /** Bytes of the whole file, as of the last answer. */
  total: number;
  state: ReaderState = "reading";
  readonly address: string;
  #work = new AbortController();
  #moving = false;

  constructor(address: string, size: number) {
    super();
    this.address = address;
    this.total = size;
  }

  get atStart(): boolean {
    return (this.pages[0]?.start ?? 0) === 0;
  }

  get atEnd(): boolean {
    return (this.pages.at(-1)?.end ?? 0) >= this.total;
  }

  /** Show what lies at `offset`, from the next line on. */
  async jump(offset: number): Promise<void> {
    this.#begin();
    const start = Math.max(0, Math.min(offset, this.total - 1));
    await this.#fetch(async (signal) => {
      const { bytes, total } = await fetchBytes(this.address, start, PAGE_SIZE, signal);
      this.total = total;
      const skip = start > 0 ? bytes.indexOf(10) + 1 : 0;
      this.pages = [pageFrom(bytes.subarray(skip), start + skip, start + bytes.length >= total)];
    });
  }

  /** Show the last lines. */
  async end(): Promise<void> {
    this.#begin();
    await this.#fetch(async (signal) => {
      const from = Math.max(0, this.total - PAGE_SIZE);
      const { bytes, total } = await fetchBytes(this.address, from, PAGE_SIZE * 2, signal);
      this.total = total;
      this.pages = [pageBefore(bytes, from + bytes.length)];
    });
  }

  /** One more page behind the last; true if there was one. */
  async on(): Promise<boolean> {
    const last = this.pages.at(-1);
    if (!last || this.#moving || this.atEnd || this.state === "following") return false;
    return this.#fetch(async (signal) => {
      const { bytes, total } = await fetchBytes(this.address, last.end, PAGE_SIZE, signal);
      this.total = total;
      const page = pageFrom(bytes, last.end, last.end + bytes.length >= total);
      this.pages = [...this.pages, page].slice(-PAGES_HELD);
    });
  }

  /** One more page before the first. */
  async back(): Promise<boolean> {
    const first = this.pages[0];
    if (!first || this.#moving || this.atStart || this.state === "following") return false;
    return this.#fetch(async (signal) => {
      const from = Math.max(0, first.start - PAGE_SIZE);
      const { bytes } = await fetchBytes(this.address, from, first.start - from, signal);
      this.pages = [pageBefore(bytes, first.start), ...this.pages].slice(0, PAGES_HELD);
    });
  }

  /** Show the end, and what is appended to it as it is appended, until something else is asked. */
  async follow(): Promise<void> {
    this.#begin();
    const { signal } = this.#work;
    let from = Math.max(0, this.total - FOLLOW_BEFORE);
    this.pages = [];
    while (!signal.aborted) {
      try {
        const response = await fetch(`${this.address}?follow=${from}`, { signal });
        if (!response.ok || !response.body) throw new Error(`${response.status}`);
        this.#move("following");
        const reader = response.body.getReader();
        const decoder = new TextDecoder();
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          const first = this.pages[0] ?? { start: from, end: from, text: "" };
          from += value.length;
          this.total = Math.max(this.total, from);
          const text = (first.text + decoder.decode(value, { stream: true })).slice(
            -FOLLOWED_LENGTH,
          );
          this.pages = [{ start: first.start, end: from, text }];
          this.#changed();
        }
      } catch {
        if (signal.aborted) return;
      }
      this.#move("lost");
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
  }

  close(): void {
    this.#work.abort();
  }

  #begin(): void {
    this.#work.abort();
    this.#work = new AbortController();
    this.#moving = false;
    this.#move("reading");
  }

  async #fetch(work: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    const { signal } = this.#work;
    this.#moving = true;
    try {
      await work(signal);
      if (signal.aborted) return false;
      this.#move("resting");
      return true;
    } catch {
      if (!signal.aborted) this.#move("lost");
      return false;
    } finally {
      if (!signal.aborted) this.#moving = false;
    }
  }

  #move(state: ReaderState): void {
    this.state = state;
    this.#changed();
  }

  #changed(): void {
    this.dispatchEvent(new Event("change"));
  }
}
