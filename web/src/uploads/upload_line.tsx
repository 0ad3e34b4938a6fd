/** One upload: how far it is, how long it takes, and what can be done about it. */

import { useEffect, useState } from "preact/hooks";
import { duration, size as inBytes, rate } from "../app/format";
import { allowed } from "../app/server";
import type { Queue } from "./queue";
import type { Upload } from "./upload";

export function UploadLine({ upload, queue }: { upload: Upload; queue: Queue }) {
  const { state, name, size, sent } = upload;
  return (
    <li class={`upload upload-${state}`} data-state={state}>
      <p class="upload-name" title={upload.place}>
        {state === "done" ? <a href={address(upload.place)}>{last(upload.place)}</a> : name}
      </p>
      <p
        class="upload-words"
        role={state === "refused" || state === "asking" ? "alert" : undefined}
      >
        <Words upload={upload} />
      </p>
      {state !== "done" && state !== "asking" && (
        <progress max={Math.max(1, size)} value={sent} aria-label={`how much of ${name} is sent`} />
      )}
      <div class="levers">
        {(state === "sending" || state === "queued") && (
          <button type="button" onClick={() => upload.pause()}>
            Pause<span class="visually-hidden"> {name}</span>
          </button>
        )}
        {(state === "paused" || state === "refused") && (
          <button type="button" onClick={() => upload.resume()}>
            {state === "paused" ? "Resume" : "Try again"}
            <span class="visually-hidden"> {name}</span>
          </button>
        )}
        {state === "waiting" && (
          <button type="button" onClick={() => upload.resume()}>
            Try now<span class="visually-hidden"> {name}</span>
          </button>
        )}
        {state === "asking" && (
          <>
            <button type="button" onClick={() => upload.decide("rename")}>
              Keep both
            </button>
            {allowed("overwrite") && (
              <button type="button" onClick={() => upload.decide("replace")}>
                Replace
              </button>
            )}
          </>
        )}
        {state !== "done" && (
          <button type="button" class="danger" onClick={() => queue.remove(upload)}>
            {state === "asking" ? "Skip" : "Cancel"}
            <span class="visually-hidden"> {name}</span>
          </button>
        )}
      </div>
    </li>
  );
}

function Words({ upload }: { upload: Upload }) {
  const { state, size, sent, words } = upload;
  const come = `${inBytes(sent)} of ${inBytes(size)}`;
  switch (state) {
    case "queued":
      return (
        <>{sent > 0 ? `${come}, waits for its turn` : `${inBytes(size)}, waits for its turn`}</>
      );
    case "sending": {
      const left = upload.left === null ? "" : `, ${duration(upload.left)} left`;
      return <>{upload.rate > 0 ? `${come}, ${rate(upload.rate)}${left}` : come}</>;
    }
    case "waiting":
      return (
        <>
          {words} {come} are there; <Countdown until={upload.again} />
        </>
      );
    case "paused":
      return <>Paused. {come} are there.</>;
    case "missing":
      return <>{come} are there. Choose or drop the same file again, and it goes on.</>;
    case "elsewhere":
      return <>{come} have come; another tab or program sends it.</>;
    case "done":
      return <>{inBytes(size)}</>;
    default:
      return <>{words}</>;
  }
}

function Countdown({ until }: { until: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 500);
    return () => window.clearInterval(timer);
  }, []);
  const seconds = Math.ceil((until - now) / 1000);
  return <>{seconds > 0 ? `tries again in ${seconds} s` : "trying"}</>;
}

function last(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Where a file is shown: open in its folder. */
function address(path: string): string {
  const segments = path.split("/").map(encodeURIComponent);
  const name = segments.pop() ?? "";
  return `/${segments.map((segment) => `${segment}/`).join("")}#${name}`;
}
