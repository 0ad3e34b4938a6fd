/** The end of a stream as it grows: its last messages, and where to go on. */

import { type Link, listen } from "../live/live";
import { isJson, liveAddress, type Stream } from "./api";

const KEPT = 1_000; // messages; a page that keeps all would grow without end
const LONG = 64 * 1024; // characters of one message that are shown

export interface Message {
  id: number;
  text: string;
}

interface Control {
  streamNextOffset?: string;
  upToDate?: boolean;
  streamClosed?: boolean;
}

export class Tail {
  link: Link = "opening";
  messages: Message[] = [];
  /** How many came before those that are kept. */
  dropped = 0;
  /** Whether all that there was has come. */
  upToDate = false;
  closed = false;
  #offset: string | null;
  #rest = "";
  #last = 0;
  #told = false;
  #end: () => void;

  constructor(
    stream: Stream,
    from: string | null,
    private readonly changed: () => void,
  ) {
    this.#offset = from;
    const json = isJson(stream);
    this.#end = listen(liveAddress(stream, from), {
      events: {
        data: (data) => (json ? this.#values(data) : this.#lines(data)),
        control: (data) => this.#control(JSON.parse(data) as Control),
      },
      link: (state) => {
        this.link = state;
        this.#tell();
      },
      again: () => liveAddress(stream, this.#offset),
    });
  }

  close(): void {
    this.#end();
  }

  #values(data: string): void {
    const values = JSON.parse(data) as unknown;
    for (const value of Array.isArray(values) ? values : [values]) this.#add(JSON.stringify(value));
  }

  #lines(data: string): void {
    const lines = (this.#rest + data).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#add(line);
  }

  #add(text: string): void {
    this.#last += 1;
    this.messages.push({ id: this.#last, text: text.slice(0, LONG) });
    this.#tell();
  }

  #control({ streamNextOffset, upToDate, streamClosed }: Control): void {
    if (streamNextOffset !== undefined) this.#offset = streamNextOffset;
    this.upToDate = upToDate ?? this.upToDate;
    if (streamClosed) {
      if (this.#rest) this.#add(this.#rest);
      this.closed = true;
      this.close();
    }
    this.#tell();
  }

  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    window.setTimeout(() => {
      this.#told = false;
      const over = this.messages.length - KEPT;
      if (over > 0) {
        this.messages = this.messages.slice(over);
        this.dropped += over;
      }
      this.changed();
    }, 50);
  }
}
