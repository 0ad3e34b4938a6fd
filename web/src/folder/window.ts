/** Which rows of a long list are in sight: only those, and a few beyond, are drawn. */

import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

export interface Window {
  first: number;
  /** Behind the last. */
  end: number;
}

/** With `beyond` rows above and below, so that a short scroll finds them drawn. */
export function rowsInSight(
  top: number,
  height: number,
  rowHeight: number,
  rows: number,
  beyond: number,
): Window {
  const first = Math.min(Math.max(0, Math.floor(-top / rowHeight) - beyond), rows);
  const end = Math.min(rows, Math.max(first, Math.ceil((height - top) / rowHeight) + beyond));
  return { first, end };
}

/** Follows the scrolling of the document; `list` is the element that is as high as all rows. */
export function useWindow(
  list: RefObject<HTMLElement>,
  rows: number,
  rowHeight: number,
  beyond: number,
): Window {
  const [shown, setShown] = useState<Window>({ first: 0, end: Math.min(rows, 40) });
  useLayoutEffect(() => {
    let frame = 0;
    const measure = () => {
      frame = 0;
      if (!list.current) return;
      const { top } = list.current.getBoundingClientRect();
      const next = rowsInSight(top, innerHeight, rowHeight, rows, beyond);
      setShown((now) => (now.first === next.first && now.end === next.end ? now : next));
    };
    const later = () => {
      frame ||= requestAnimationFrame(measure);
    };
    measure();
    addEventListener("scroll", later, { passive: true });
    addEventListener("resize", later);
    return () => {
      removeEventListener("scroll", later);
      removeEventListener("resize", later);
      cancelAnimationFrame(frame);
    };
  }, [rows, rowHeight]);
  return { first: Math.min(shown.first, rows), end: Math.min(shown.end, rows) };
}
