/** All transfers as they change: one connection, and the last minute of each. */

import { type Link, listen } from "../live/live";
import { type Flow, succeeds } from "./flow";

const ADDRESS = "/~/flows";
const MINUTE = 60; // samples, one a second
const KEPT = 6_000; // milliseconds that one which has ended is still shown

export interface Line {
  /** Its own name, which stays while one piece of an upload follows another. */
  key: number;
  flow: Flow;
  /** Bytes a second at each second of the last minute, the newest last. */
  rates: number[];
  /** When it ended, as of `Date.now()`; 0 while it goes on. */
  ended: number;
}

export interface Limits {
  rate: number | null;
  client_rate: number | null;
  total_rate: number | null;
}

interface Everything {
  flows: Flow[];
  limits: Limits;
  steerable: boolean;
}

interface Changes {
  flows?: (Partial<Flow> & { id: number })[];
  ended?: number[];
  limits?: Limits;
}

export class Watch {
  link: Link = "opening";
  lines = new Map<number, Line>();
  /** The rates of all together. */
  total: number[] = [];
  limits: Limits = { rate: null, client_rate: null, total_rate: null };
  steerable = false;
  #changed: () => void;
  #end: () => void;
  #clock: number;

  constructor(changed: () => void) {
    this.#changed = changed;
    this.#end = listen(ADDRESS, {
      events: {
        flows: (data) => this.#everything(JSON.parse(data) as Everything),
        changes: (data) => this.#changes(JSON.parse(data) as Changes),
      },
      link: (state) => {
        this.link = state;
        changed();
      },
    });
    this.#clock = window.setInterval(() => this.#sample(), 1_000);
  }

  close(): void {
    this.#end();
    window.clearInterval(this.#clock);
  }

  #everything({ flows, limits, steerable }: Everything): void {
    const former = this.lines;
    this.lines = new Map();
    for (const flow of flows) this.#begin(flow, former.get(flow.id));
    this.limits = limits;
    this.steerable = steerable;
    this.#changed();
  }

  #changes({ flows = [], ended = [], limits }: Changes): void {
    for (const id of ended) {
      const line = this.lines.get(id);
      if (line) line.ended = Date.now();
    }
    for (const change of flows) {
      const line = this.lines.get(change.id);
      if (line) line.flow = { ...line.flow, ...change };
      else if (change.direction) this.#begin(change as Flow, this.#takeFormer(change as Flow));
    }
    if (limits) this.limits = limits;
    this.#changed();
  }

  #begin(flow: Flow, former?: Line): void {
    const { key, rates } = former ?? { key: flow.id, rates: [] };
    this.lines.set(flow.id, { key, flow, rates, ended: 0 });
  }

  /** The line of the piece before this one, which goes on with it. */
  #takeFormer(flow: Flow): Line | undefined {
    for (const [id, line] of this.lines) {
      if (line.ended === 0 || !succeeds(flow, line.flow)) continue;
      this.lines.delete(id);
      return line;
    }
    return undefined;
  }

  #sample(): void {
    let total = 0;
    for (const [id, line] of this.lines) {
      if (line.ended > 0) {
        if (Date.now() - line.ended > KEPT) this.lines.delete(id);
        continue;
      }
      line.flow.age += 1;
      const rate = line.flow.rate ?? 0;
      total += rate;
      push(line.rates, rate);
    }
    push(this.total, total);
    this.#changed();
  }
}

function push(samples: number[], value: number): void {
  samples.push(value);
  if (samples.length > MINUTE) samples.shift();
}

/** Change a transfer; gives words if it could not be, "" otherwise. */
export async function steer(
  flow: Flow,
  change: { paused: boolean } | { rate: number | null },
): Promise<string> {
  return send("PATCH", `${ADDRESS}/${flow.id}`, change);
}

export async function cancel(flow: Flow): Promise<string> {
  return send("DELETE", `${ADDRESS}/${flow.id}`);
}

/** Limit all transfers together. */
export async function limitAll(rate: number | null): Promise<string> {
  return send("PATCH", ADDRESS, { total_rate: rate });
}

async function send(method: string, url: string, body?: object): Promise<string> {
  try {
    const answer = await fetch(url, {
      method,
      ...(body && {
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    });
    if (answer.ok || answer.status === 404) return ""; // 404: it is over
    const { detail } = (await answer.json()) as { detail?: string };
    return detail ?? `The server does not do that (${answer.status}).`;
  } catch {
    return "The server does not answer.";
  }
}
