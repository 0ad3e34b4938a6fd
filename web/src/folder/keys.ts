/** What the keys do in a folder. */

import { useLayoutEffect } from "preact/hooks";
import { go } from "../app/router";

export interface Keys {
  count: number;
  columns: number;
  rowsOfScreen: number;
  active: number;
  move: (index: number) => void;
  open: () => void;
  filter: () => void;
  layout: () => void;
  help: () => void;
}

export const KEYS: readonly (readonly [string, string])[] = [
  ["← ↑ ↓ →", "Move"],
  ["Home End PgUp PgDn", "Move far"],
  ["Enter", "Open"],
  ["Backspace", "Folder above"],
  ["/", "Filter"],
  ["v", "Rows or grid"],
  ["?", "These keys"],
];

/** Where a key leads from an entry, undefined if it is none that moves. */
export function step(
  key: string,
  from: number,
  keys: Pick<Keys, "columns" | "count" | "rowsOfScreen">,
): number | undefined {
  const steps: Record<string, number> = {
    ArrowDown: keys.columns,
    ArrowUp: -keys.columns,
    ArrowRight: keys.columns > 1 ? 1 : 0,
    ArrowLeft: keys.columns > 1 ? -1 : 0,
    PageDown: keys.rowsOfScreen * keys.columns,
    PageUp: -keys.rowsOfScreen * keys.columns,
    Home: -keys.count,
    End: keys.count,
  };
  const by = steps[key];
  if (by === undefined || by === 0) return undefined;
  return Math.min(Math.max(0, from + by), keys.count - 1);
}

/** Have the keys do this, while nothing lies over the folder and nothing is typed. */
export function useKeys(keys: Keys): void {
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (document.querySelector("dialog[open]")) return;
      if ((event.target as Element).closest("input, textarea, select, [role=menu]")) return;
      const to = keys.count > 0 ? step(event.key, keys.active, keys) : undefined;
      if (to !== undefined) keys.move(to);
      else if (event.key === "Enter" && !(event.target as Element).closest("a, button"))
        keys.open();
      else if (event.key === "/") keys.filter();
      else if (event.key === "v") keys.layout();
      else if (event.key === "?") keys.help();
      else if (event.key === "Backspace" && location.pathname !== "/") {
        go(location.pathname.replace(/[^/]*\/$/, ""));
      } else return;
      event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
}
