/** The uploads of this tab, in a corner of every page: a line, or all of them. */

import { useEffect, useState } from "preact/hooks";
import { count, duration, rate, size } from "../app/format";
import { type Queue, queue } from "./queue";
import type { State } from "./upload";
import { UploadList } from "./upload_list";
import "./uploads.css";

const NARROW = 640; // CSS pixels: there the list would hide the page

export default function UploadDock({ inFolder }: { inFolder: boolean }) {
  const [, setTurn] = useState(0);
  const [chosen, setChosen] = useState<boolean | null>(null);
  const open = chosen ?? (inFolder && innerWidth > NARROW);
  useEffect(() => queue.subscribe(() => setTurn((turn) => turn + 1)), []);
  const { uploads, active } = queue;
  if (uploads.length === 0) return null;
  return (
    <aside class="dock" aria-label="Uploads">
      <div class="dock-head">
        <button
          type="button"
          class="plain"
          aria-expanded={open}
          aria-controls="uploads"
          onClick={() => setChosen(!open)}
        >
          <span class="arrow-mark" aria-hidden="true">
            {open ? "▾" : "▴"}
          </span>
          {headline(queue)}
        </button>
        {uploads.every(({ state }) => state === "done") && (
          <button type="button" onClick={() => queue.clear()}>
            Close
          </button>
        )}
      </div>
      {active.length > 0 && (
        <progress
          max={Math.max(1, queue.size)}
          value={queue.sent}
          aria-label="How much of all uploads is sent"
        />
      )}
      {open && <UploadList queue={queue} />}
      <p class="visually-hidden" role="status">
        {active.length === 0 ? headline(queue) : ""}
      </p>
    </aside>
  );
}

/** What all uploads together are at, in a line. */
export function headline({ uploads, active, left, rate: speed, size: all }: Queue): string {
  const many = (wanted: State) => uploads.filter(({ state }) => state === wanted).length;
  const asking = many("asking") > 0 ? [count(many("asking"), "question")] : [];
  if (active.length > 0) {
    const parts = [...asking, count(active.length, "upload")];
    if (speed > 0) parts.push(rate(speed));
    if (left !== null) parts.push(`${duration(left)} left`);
    return parts.join(" · ");
  }
  const rest = uploads.length - many("done");
  if (rest === 0) return `${count(uploads.length, "file")} uploaded · ${size(all)}`;
  if (asking.length > 0) return asking.join();
  if (many("elsewhere") > 0) return `${count(many("elsewhere"), "upload")} from elsewhere`;
  if (many("missing") > 0) return `${count(rest, "upload")} unfinished`;
  if (many("refused") > 0) return `${count(rest, "upload")} not taken`;
  return `${count(rest, "upload")} paused`;
}
