/** What the server tells of a transfer, and what a person wants to know about it. */

export type Reason = "source" | "peer" | "limit" | "paused";

/** As `/~/flows` has it: bytes, seconds, bytes a second; null is not known. */
export interface Flow {
  id: number;
  direction: "in" | "out";
  peer: string | null;
  user_agent: string | null;
  method: string | null;
  target: string | null;
  name: string | null;
  age: number;
  /** Of what it moves a part, such as an upload that goes on: where it begins, and the whole. */
  part: { start: number; length: number | null } | null;
  moved: number;
  expected: number | null;
  rate: number | null;
  limit: number | null;
  buffered: number | null;
  buffer_mark: number | null;
  state: "running" | "paused" | "cancelled";
  waiting: Reason | null;
  waited: Record<Reason, number>;
}

/** What it does: it moves, or who or what is waited for. */
export type Why = "moving" | Reason;

export interface Tank {
  /** From 0, empty, to 1, at the mark. */
  level: number;
  full: boolean;
  /** What is in it, in words that stand for themselves, and as few as fit in it. */
  text: string;
  short: string;
}

const STILL = 64; // bytes a second: heartbeats are no movement

export function whyOf(flow: Flow): Why {
  if (flow.state === "paused") return "paused";
  if (flow.waiting === "peer" || flow.waiting === "limit") return flow.waiting;
  if (flow.limit !== null && flow.rate !== null && flow.rate > flow.limit * 0.8) return "limit";
  return (flow.rate ?? 0) > STILL || flow.age < 1 ? "moving" : "source";
}

/** How far all of it has come, of which this transfer may be a part; the whole is null if not known. */
export function progressOf({ part, moved, expected }: Flow): {
  there: number;
  whole: number | null;
} {
  if (part === null) return { there: moved, whole: expected };
  return { there: part.start + moved, whole: part.length };
}

/** Whether it brings the next piece of what `former` brought some of: an upload in pieces is one. */
export function succeeds(flow: Flow, former: Flow): boolean {
  return (
    flow.direction === "in" &&
    flow.part !== null &&
    former.part !== null &&
    flow.target !== null &&
    flow.target === former.target &&
    flow.part.start >= former.part.start
  );
}

/** What is on the other side, in a word or two. */
export function agent(flow: Flow): string {
  const text = flow.user_agent ?? "";
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(text)?.[1];
  if (browser) return { Edg: "Edge", OPR: "Opera" }[browser] ?? browser;
  return text.split(/[/ ]/)[0] || "a program";
}

/** What is seen of the buffer between the two sides. */
export function tankOf(flow: Flow, size: (bytes: number) => string): Tank | null {
  const { buffered, buffer_mark: mark } = flow;
  if (buffered === null || mark === null || mark === 0) return null;
  if (flow.direction === "out" && buffered === 0) {
    // The kernel takes the bytes from the file itself, until its own buffer for the reader is full.
    const full = whyOf(flow) === "peer";
    const text = full ? "buffer full" : "buffer empty";
    return { level: Number(full), full, text, short: text };
  }
  const short = `${size(buffered)} of ${size(mark)}`;
  const text = `buffer ${short}`;
  return { level: Math.min(1.1, buffered / mark), full: buffered >= mark, text, short };
}

/** Why it does or does not move, as a sentence. */
export function explain(flow: Flow, rate: (bytesASecond: number) => string): string {
  const out = flow.direction === "out";
  const moves = (flow.rate ?? 0) > STILL;
  switch (whyOf(flow)) {
    case "moving":
      return out ? "On its way, as fast as it is taken." : "Coming in, as fast as it is stored.";
    case "peer":
      if (!out) {
        return moves
          ? "The sender sets the pace: what comes is stored at once."
          : "Nothing comes from the sender; what came is stored.";
      }
      return moves
        ? "The reader sets the pace: its buffer is full, and the source waits for it."
        : "The reader takes nothing just now: its buffer is full, so the source has stopped.";
    case "source":
      return out
        ? "The reader has all there is: it waits for more from the source."
        : "The disk sets the pace: the buffer is full, and the sender waits for it.";
    case "limit":
      return flow.limit === null
        ? "Held back by a limit that it shares with others."
        : `Held back to ${rate(flow.limit)}.`;
    case "paused":
      return "Paused by hand: nothing moves, and nothing is lost.";
  }
}

/** What it waited for most so far, if it waited at all. */
export function waitedMost(flow: Flow): { reason: Reason; seconds: number } | null {
  const reasons = Object.entries(flow.waited) as [Reason, number][];
  const [most] = reasons
    .filter(([reason]) => reason !== "source")
    .sort(([, one], [, other]) => other - one);
  return most && most[1] >= 1 ? { reason: most[0], seconds: most[1] } : null;
}
