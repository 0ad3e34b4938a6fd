/** A text of any size as it is: read by pages where a person scrolls, and along its end. */

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { size } from "../app/format";
import { Notice } from "../app/notice";
import { TextReader } from "./text_reader";
import type { FileProps } from "./viewer";

const NEAR = 1_500; // pixels from an edge at which the next page is asked for

export default function Plain({ entry, address }: FileProps) {
  const reader = useMemo(() => new TextReader(address, entry.size ?? 0), [address]);
  const [, setTurn] = useState(0);
  const frame = useRef<HTMLDivElement>(null);
  const anchor = useRef<{ start: number; top: number } | null>(null);

  useEffect(() => {
    const draw = () => {
      anchor.current = firstInSight(frame.current);
      setTurn((turn) => turn + 1);
    };
    reader.addEventListener("change", draw);
    void reader.jump(0);
    return () => {
      reader.removeEventListener("change", draw);
      reader.close();
    };
  }, [reader]);

  useLayoutEffect(() => {
    const box = frame.current;
    if (!box) return;
    if (reader.state === "following") {
      box.scrollTop = box.scrollHeight;
      return;
    }
    // What was added or dropped above must not move what is read.
    const kept = anchor.current;
    const page = kept && box.querySelector<HTMLElement>(`[data-start="${kept.start}"]`);
    if (kept && page) box.scrollTop += page.getBoundingClientRect().top - kept.top;
  }, [reader.pages]);

  const near = () => {
    const box = frame.current;
    if (!box) return;
    if (box.scrollHeight - box.scrollTop - box.clientHeight < NEAR) void reader.on();
    else if (box.scrollTop < NEAR) void reader.back();
  };
  useEffect(near);

  const to = async (move: Promise<void>, end: boolean) => {
    await move;
    requestAnimationFrame(() => frame.current?.scrollTo(0, end ? frame.current.scrollHeight : 0));
  };
  const { state, pages, total } = reader;
  if (state === "lost" && pages.length === 0) {
    const again = { label: "Try again", act: () => void reader.jump(0) };
    return <Notice icon="text" title="The file did not arrive" actions={[again]} />;
  }
  if (state === "resting" && total === 0) return <Notice icon="text" title="The file is empty" />;
  const [from, until] = [pages[0]?.start ?? 0, pages.at(-1)?.end ?? 0];
  return (
    <div class="text">
      {state === "reading" && <div class="pending" role="status" aria-label="Loading" />}
      <div
        class="text-pages"
        ref={frame}
        onScroll={near}
        tabIndex={0}
        role="region"
        aria-label="Text"
      >
        {pages.map((page) => (
          <pre key={page.start} data-start={page.start}>
            {page.text}
          </pre>
        ))}
      </div>
      <footer>
        <button type="button" onClick={() => void to(reader.jump(0), false)}>
          Start
        </button>
        <input
          type="range"
          aria-label="Where in the file"
          min={0}
          max={Math.max(1, total)}
          value={from}
          onChange={(event) => void to(reader.jump(Number(event.currentTarget.value)), false)}
        />
        <button type="button" onClick={() => void to(reader.end(), true)}>
          End
        </button>
        <button
          type="button"
          aria-pressed={state === "following"}
          onClick={() => void (state === "following" ? to(reader.end(), true) : reader.follow())}
        >
          Follow
        </button>
        <p role="status">{told(state, from, until, total)}</p>
      </footer>
    </div>
  );
}

function told(state: string, from: number, until: number, total: number): string {
  if (state === "lost") return "The connection was lost.";
  if (state === "following") return `Follows the end, at ${size(total)}`;
  return `${size(from)} to ${size(until)} of ${size(total)}`;
}

function firstInSight(box: HTMLElement | null): { start: number; top: number } | null {
  if (!box) return null;
  const edge = box.getBoundingClientRect().top;
  for (const page of box.querySelectorAll<HTMLElement>("[data-start]")) {
    const { top, bottom } = page.getBoundingClientRect();
    if (bottom > edge) return { start: Number(page.dataset.start), top };
  }
  return null;
}
