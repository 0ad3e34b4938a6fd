/** All uploads of this tab: what wants a person first, then what moves, then what is over. */

import { count } from "../app/format";
import type { Queue } from "./queue";
import type { State } from "./upload";
import { UploadLine } from "./upload_line";

const SHOWN = 200; // lines
const ORDER: readonly State[] = [
  "asking",
  "refused",
  "missing",
  "sending",
  "elsewhere",
  "waiting",
  "paused",
  "queued",
  "done",
];

export function UploadList({ queue }: { queue: Queue }) {
  const sorted = [...queue.uploads].sort(
    (one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state),
  );
  return (
    <>
      {queue.leftOut > 0 && <p class="aside">{count(queue.leftOut, "hidden file")} left out</p>}
      <ul class="uploads" id="uploads" tabIndex={0} aria-label="Uploads of this tab">
        {sorted.slice(0, SHOWN).map((upload) => (
          <UploadLine key={upload.number} upload={upload} queue={queue} />
        ))}
      </ul>
      {sorted.length > SHOWN && <p class="aside">and {sorted.length - SHOWN} more</p>}
    </>
  );
}
