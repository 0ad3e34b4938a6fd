/**
 * A transfer as one sees water: a source, a tank that is filled and emptied, and whoever takes it.
 *
 * What is full stops what fills it. The pipe into the tank is shut then, while the pipe out of it
 * goes on at the pace of the slow side: that is backpressure.
 */

import { size } from "../app/format";
import { type Flow, tankOf, type Why, whyOf } from "./flow";

/** How a pipe looks: shut by a full tank, held by hand or by a limit, dry, dripping, or running. */
type Stretch = "shut" | "held" | "dry" | "drip" | "run" | "rush";

const MARK = 88; // where the mark stands, in hundredths of the tank
const RUSH = 5_000_000; // bytes a second

export function Pipe({ flow }: { flow: Flow }) {
  const why = whyOf(flow);
  const tank = tankOf(flow, size);
  const out = flow.direction === "out";
  const level = Math.min(100, Math.round((tank?.level ?? 0) * MARK));
  return (
    <div class={`pipe why-${why}`}>
      <End name={out ? "source" : "sender"} waited={waitedFor(why, out) === "from"} />
      <Part looks={inletOf(flow, why, tank?.full ?? false)} />
      <span
        class={tank?.full ? "tank full" : "tank"}
        role="img"
        aria-label={tank === null ? "no buffer" : `Buffer: ${tank.text}`}
      >
        <svg viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">
          <rect class="level" width={level} height="20" />
          {tank && <line class="mark" x1={MARK} x2={MARK} y2="20" />}
        </svg>
        <span class="tank-text wide">{tank?.text}</span>
        <span class="tank-text narrow">{tank?.short}</span>
      </span>
      <Part looks={outletOf(flow, why)} />
      <End name={out ? "reader" : "disk"} waited={waitedFor(why, out) === "to"} />
    </div>
  );
}

function End({ name, waited }: { name: string; waited: boolean }) {
  return <span class={waited ? "end waited-for" : "end"}>{name}</span>;
}

function Part({ looks }: { looks: Stretch }) {
  return (
    <svg
      class={`stretch ${looks}`}
      viewBox="0 0 64 12"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <line class="wall" x2="64" y1="6" y2="6" />
      <line class="water" x2="64" y1="6" y2="6" />
      {looks === "shut" && <line class="valve" x1="62" x2="62" y2="12" />}
      {looks === "held" && <line class="valve" x1="32" x2="32" y2="12" />}
    </svg>
  );
}

function moving(flow: Flow): Stretch {
  const rate = flow.rate ?? 0;
  if (rate === 0) return "dry";
  return rate > RUSH ? "rush" : "run";
}

function inletOf(flow: Flow, why: Why, full: boolean): Stretch {
  if (why === "paused") return "held";
  const looks = moving(flow);
  if (full && looks === "dry") return "shut";
  return why === "peer" && flow.direction === "in" && looks === "run" ? "drip" : looks;
}

function outletOf(flow: Flow, why: Why): Stretch {
  if (why === "paused" || why === "limit") return "held";
  if (why === "peer" && flow.direction === "out") return "drip"; // what the reader takes is not seen
  if (why === "source" && flow.direction === "in") return "drip";
  return moving(flow);
}

/** Which end makes the other wait. */
function waitedFor(why: Why, out: boolean): "from" | "to" | null {
  if (why === "peer") return out ? "to" : "from";
  if (why === "source") return out ? "from" : "to";
  return null;
}
